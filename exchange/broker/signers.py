"""Whose certificates are: proposing from letters that were seen, confirming, and the lists that operators look at.

Confirming is tried first: the change is written, letters are judged by it, and everything is taken back; what that would
do to transfers is told, and only then it is written for good. Both are the same code, on the same letters.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from exchange import ids
from exchange.broker import imports
from exchange.broker.imports import Outcome
from exchange.rules import confirmation, directory_csv, paper_class, proposals
from exchange.rules.confirmation import Obstacle
from exchange.rules.directory import Directory
from exchange.rules.directory_csv import Row
from exchange.rules.directory_entries import CertificateEntry
from exchange.rules.directory_plan import State
from exchange.rules.proposals import Proposal
from exchange.store import directory, directory_sheets, rejudgements, signers
from exchange.store import pool as pools
from exchange.store.pool import Connection, Pool
from exchange.store.rejudgements import Due
from signing import certificates, judge, path
from signing.trust import Trust
from signing.verdict import SubIndication

REVOKED = frozenset({SubIndication.REVOKED_NO_POE, SubIndication.REVOKED_CA_NO_POE})
HOLD = frozenset({"certificate_on_hold", "authority_on_hold"})


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """Proposals of both sorts: those that can be written down (`outcome` says what that did), and those people must fill in."""

    proposals: tuple[Proposal, ...]
    outcome: Outcome | None


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """What a confirmation comes to: with obstacles nothing. `entries` are the rows with the names now given.

    `version` and `rejudgement` are set once it is written: the latter if letters are to be judged again.
    """

    entries: tuple[CertificateEntry, ...]
    obstacles: tuple[Obstacle, ...] = ()
    version: int | None = None
    rejudgement: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A confirmation that was taken back: the directory it would make, and the letters to be judged by it."""

    confirmed: Confirmed
    book: Directory | None = None
    dues: tuple[Due, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Held:
    """A row of the directory about a certificate; `letters` it signed, and what revocation lists say of it now."""

    entry: CertificateEntry
    confirmed: bool
    letters: int = 0
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which rows are listed: of these agencies, kinds, states (proposed, confirmed, over); all where nothing is said."""

    agencies: tuple[str, ...] = ()
    kind: str = ""
    state: str = ""


async def proposed(connection: Connection, state: State, agency: str = "") -> list[Proposal]:
    """What letters that were seen suggest, the most letters first."""
    letters: defaultdict[bytes, dict[str, int]] = defaultdict(dict)
    for one in await signers.seen(connection, agency):
        letters[one["sha256"]][one["agency"]] = one["letters"]
    bodies = await signers.bodies(connection, letters)
    names = proposals.Names(state.agencies.values(), state.officers.values())
    found = [proposals.propose(_seen(body, letters[sha256]), names) for sha256, body in bodies.items()]
    return sorted(found, key=lambda one: (-one.letters, one.seen.certificate))


def _seen(body: bytes, letters: Mapping[str, int]) -> proposals.Seen:
    said = certificates.describe(body)
    return proposals.Seen(
        certificate=said.sha256.hex(), common_name=said.common_name, subject=said.subject, issuer=said.issuer,
        identifiers=said.identifiers, mailboxes=said.mailboxes, valid_from=paper_class.local_day(said.valid_from),
        valid_to=paper_class.local_day(said.valid_to), letters=letters,
    )  # fmt: skip


async def propose(
    pool: Pool, agency: str, basis: str, *, new_ids: ids.Ids, at: datetime, asked: imports.Asked
) -> Proposed:
    """Write proposals down, as rows that count for nothing; those that stand in the directory already stay as they are."""
    async with imports.opened(pool, asked) as (connection, known):
        found = await proposed(connection, known.state, agency)
        there = {entry.certificate for entry in known.state.certificates.values()}
        new = [one for one in found if not one.lacks and one.seen.certificate not in there]
        rows = tuple(_row(number, one, basis) for number, one in enumerate(new, 1))
        source = imports.Source(sheets={"certificate": directory_csv.Sheet(rows=rows)}, event="proposed")
        moment = imports.Moment(new_ids=new_ids, at=at, asked=asked)
        outcome = await imports.written(connection, known, source, moment) if new else None
    return Proposed(proposals=tuple(found), outcome=outcome)


def _row(number: int, one: Proposal, basis: str) -> Row:
    seen = one.seen
    return Row(
        line=number,
        given={
            "agency": one.agency, "kind": one.kind, "officer": one.officer, "certificate": seen.certificate,
            "valid_from": seen.valid_from, "valid_to": seen.valid_to, "basis": basis, "subject": seen.subject,
            "issuer": seen.issuer,
        },
    )  # fmt: skip


async def try_confirm(pool: Pool, asked: confirmation.Asked, *, new_ids: ids.Ids, at: datetime) -> Tried:
    """What confirming would come to, with the directory as it would be; nothing stays written."""
    async with imports.opened(pool, imports.Asked()) as (connection, known), pools.tried(connection):
        confirmed = await _confirm(connection, known, asked, new_ids, at)
        return await _tried(connection, confirmed)


async def _tried(connection: Connection, confirmed: Confirmed) -> Tried:
    if confirmed.rejudgement is None:
        return Tried(confirmed=confirmed)
    dues = await rejudgements.of_reason(connection, confirmed.rejudgement)
    book = await directory.read(connection, date.min)
    return Tried(confirmed=confirmed, book=book, dues=tuple(dues))


async def confirm(pool: Pool, asked: confirmation.Asked, *, new_ids: ids.Ids, at: datetime) -> Confirmed:
    """Confirm, as one version of the directory; letters concerned are due to be judged again from then on."""
    async with imports.opened(pool, imports.Asked()) as (connection, known):
        return await _confirm(connection, known, asked, new_ids, at)


async def _confirm(
    connection: Connection,
    known: directory_sheets.Stored,
    asked: confirmation.Asked,
    new_ids: ids.Ids,
    at: datetime,
) -> Confirmed:
    on, switched_off = paper_class.local_day(at), await signers.disabled(connection)
    plan = confirmation.plan(known.state, switched_off, asked, on)
    if plan.obstacles:
        return Confirmed(entries=plan.entries, obstacles=plan.obstacles)
    source = imports.Source(sheets={"certificate": directory_csv.Sheet(rows=plan.rows)}, event="confirmed")
    named = imports.Asked(by="; ".join(asked.by))
    moment = imports.Moment(new_ids=new_ids, at=at, asked=named)
    outcome = await imports.written(connection, known, source, moment)
    assert outcome.version is not None, outcome
    reason = await rejudgements.reason_of(connection, outcome.version)
    return Confirmed(entries=plan.entries, version=outcome.version, rejudgement=reason)


async def listed(connection: Connection, wanted: Wanted, on: date) -> list[Held]:
    """Rows of the directory about certificates, with how many letters each signed."""
    state = (await directory_sheets.stored(connection)).state
    entries = [entry for entry in state.certificates.values() if _is_wanted(entry, wanted, on)]
    signed = await signers.letters(connection, {bytes.fromhex(one.certificate) for one in entries})
    return [
        Held(entry=one, confirmed=one.confirmed, letters=signed.get(bytes.fromhex(one.certificate), 0))
        for one in entries
    ]


def _is_wanted(entry: CertificateEntry, wanted: Wanted, on: date) -> bool:
    over = entry.valid_to is not None and entry.valid_to < on
    standing = "over" if over else "confirmed" if entry.confirmed else "proposed"
    return (
        (not wanted.agencies or entry.agency in wanted.agencies)
        and wanted.kind in ("", entry.kind)
        and wanted.state in ("", standing)
    )


def expiring(rows: Iterable[Held], on: date, days: int) -> list[Held]:
    """Confirmed rows that end within so many days, the soonest first."""
    last = on + timedelta(days=days)
    kept = [one for one in rows if one.confirmed and one.entry.valid_to and on <= one.entry.valid_to <= last]
    return sorted(kept, key=lambda one: (one.entry.valid_to or date.max, one.entry.key))


async def revoked(
    connection: Connection, rows: Sequence[Held], trusted: Trust, at: datetime
) -> tuple[list[Held], int]:
    """Those that revocation lists at hand name as revoked or on hold now; and how many cannot be asked about.

    Asked can be about certificates whose bytes are at hand: that signed a letter.
    """
    bodies = await signers.bodies(connection, {bytes.fromhex(one.entry.certificate) for one in rows})
    found, unknown = [], 0
    for one in rows:
        body = bodies.get(bytes.fromhex(one.entry.certificate))
        leaf = path.readable(body) if body else None
        if leaf is None:
            unknown += 1
            continue
        said = judge.certificate(leaf, (), trusted, at)
        if said.sub_indication in REVOKED or said.why in HOLD:
            found.append(Held(entry=one.entry, confirmed=one.confirmed, letters=one.letters, why=said.why))
        unknown += said.sub_indication is SubIndication.TRY_LATER and said.why not in HOLD
    return found, unknown
