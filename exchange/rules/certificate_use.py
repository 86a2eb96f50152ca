"""Certificates as an inventory sees them (danh mục chứng thư chữ ký số): whose they are, in which state, used or idle.

Theory of operation. The directory says whose a certificate is, by dated rows that somebody confirmed; the certificate
says from when to when it holds; revocation lists say since when it does not. A certificate is in force on a day when
all three agree. One certificate may have rows of several agencies (a superior's seal): it is the own certificate of
one, the agency whose confirmed row is the oldest, of equally old ones the highest in the tree, and shared with the others.

Each certificate is in exactly one state, so that

    issued = valid + revoked + expired (+ those not in use for a reason of the directory: proposed, ended, not yet)

A certificate is idle (không dùng) when it is in force, meant for exchange, and had no valid use for some time (`working_days.Days`). One for the
treasury alone (giao dịch với Kho bạc) never signs documents here and is never called idle.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from exchange.rules.paper_class import local_day

State = Literal["valid", "revoked", "expired", "proposed", "ended", "not_yet"]
STATES: tuple[State, ...] = ("valid", "revoked", "expired", "proposed", "ended", "not_yet")
"""Hiệu lực, thu hồi, hết hạn; then what only the directory knows: chưa xác nhận, thôi dùng, chưa tới ngày."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the directory about a certificate, as the store holds it; a person's row ends with the officer's post.

    `home`: the officer's agency for a person, else `agency`. `level` is that of the agency in the tree, 1 the highest.
    """

    sha256: bytes
    agency: UUID
    home: UUID
    level: int
    kind: str
    officer: UUID | None
    officer_name: str
    position: str
    leader: bool
    subject: str
    issuer: str
    purpose: str
    valid_from: date
    valid_to: date | None
    confirmed: bool


@dataclass(frozen=True, kw_only=True)
class Own:
    """What a certificate says of itself, and lists say of it (`revoked`); days are local, `last` the last one it holds."""

    subject: str
    issuer: str
    serial: str
    valid_from: datetime
    valid_to: datetime
    first: date
    last: date
    revoked: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Held:
    """One certificate with its owner (chứng thư, cơ quan quản lý); `rows` are the owner's, `shared` the other agencies."""

    sha256: bytes
    owner: UUID
    shared: tuple[UUID, ...]
    rows: tuple[Row, ...]
    own: Own | None

    @property
    def latest(self) -> Row:
        """The owner's latest row: what the directory says today of kind, officer, purpose."""
        return self.rows[-1]

    @property
    def kind(self) -> str:
        """Organisation, individual or device, by the directory."""
        return self.latest.kind

    @property
    def issued(self) -> date:
        """The day it was issued: its own first day, or what the directory says where the certificate is not at hand."""
        return self.own.first if self.own else self.rows[0].valid_from

    @property
    def last(self) -> date | None:
        """Its last day: its own, or the directory's."""
        return self.own.last if self.own else self.latest.valid_to

    @property
    def issuer(self) -> str:
        """Who issued it."""
        return self.own.issuer if self.own else self.latest.issuer

    @property
    def subject(self) -> str:
        """Whom it names."""
        return self.own.subject if self.own else self.latest.subject


@dataclass(frozen=True, kw_only=True)
class Use:
    """Valid signatures by one certificate: documents in the period, and the day of the last one ever."""

    documents: int = 0
    last: date | None = None


NEVER = Use()


def held(rows: Iterable[Row], own: Mapping[bytes, Own]) -> tuple[Held, ...]:
    """Every certificate once, in the order of its rows."""
    groups: defaultdict[bytes, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.sha256].append(row)
    return tuple(_held(group, own.get(sha256)) for sha256, group in groups.items())


def _held(rows: list[Row], own: Own | None) -> Held:
    first = min(rows, key=lambda row: (not row.confirmed, row.valid_from, row.level, str(row.home)))
    mine = sorted((row for row in rows if row.home == first.home), key=lambda row: row.valid_from)
    others = {row.agency for row in rows if row.home != first.home}
    return Held(
        sha256=first.sha256,
        owner=first.home,
        shared=tuple(sorted(others, key=str)),
        rows=tuple(mine),
        own=own,
    )


def state(one: Held, at: datetime, on: date) -> State:
    """The state at a moment, `on` being its local day."""
    own = one.own
    if own and own.revoked and own.revoked <= at:
        return "revoked"
    if one.last is not None and (own.valid_to < at if own else one.last < on):
        return "expired"
    return min((_by_directory(one, row, at, on) for row in one.rows), key=STATES.index)


def _by_directory(one: Held, row: Row, at: datetime, on: date) -> State:
    if row.valid_to is not None and row.valid_to < on:
        return "ended"
    if row.valid_from > on or (one.own and one.own.valid_from > at):
        return "not_yet"
    return "valid" if row.confirmed else "proposed"


def in_force_during(one: Held, first: date, last: date) -> bool:
    """Whether it was in force on some day of a span, by a confirmed row, its own dates and the lists."""
    ends = [one.own.last] if one.own else [last]
    if one.own and one.own.revoked:
        ends.append(local_day(one.own.revoked))
    return any(
        row.confirmed and max(row.valid_from, one.issued, first) <= min(last, row.valid_to or last, *ends)
        for row in one.rows
    )


def idle(one: Held, use: Use, at: datetime, on: date, days: int) -> bool:
    """Whether a certificate in force lies unused for more than so many days, counted from its first day where never used."""
    if one.latest.purpose != "exchange" or state(one, at, on) != "valid":
        return False
    since = use.last or max(one.issued, one.rows[0].valid_from)
    return on - since > timedelta(days=days)
