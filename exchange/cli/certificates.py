"""`congvan directory certificate propose|list|expiring|revoked`: whose certificates are, and what becomes of them.

Exit 1: `revoked` and `expiring` found some. Exit 2: an unknown agency.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import click

from exchange import texts
from exchange.broker import signers as cases
from exchange.broker.imports import Asked
from exchange.broker.signers import Held, Proposed, Wanted
from exchange.cli import answers, operators, rejudging
from exchange.rules import directory as rules
from exchange.rules import paper_class
from exchange.rules.proposals import Proposal
from exchange.store import directory, directory_sheets
from exchange.store.pool import Pool

SHORT = 16
"""Digits of a digest that people see; the whole stands in `--json`."""
KINDS = ("organisation", "individual", "device")
STATES = ("proposed", "confirmed", "over")
_AGENCY = click.option("--agency", "codes", multiple=True, metavar="CODE", help="Only of these agencies.")


@click.command()
@click.option("--agency", "code", default="", metavar="CODE", help="Only from letters of this agency.")
@operators.asked
@operators.JSON
@operators.LANGUAGE
def propose(*, code: str, asked: Asked, as_json: bool, language: str) -> None:
    """Propose whose the certificates of letters seen are; written down as rows that count for nothing."""
    at, new_ids = operators.now(), operators.new_ids()
    basis = texts.say("certificate.basis", language)

    async def run(pool: Pool) -> tuple[Proposed, rejudging.Settled | None]:
        (sender,) = await _known(pool, (code,), at) if code else ("",)
        done = await cases.propose(pool, sender, basis, new_ids=new_ids, at=at, asked=asked)
        version = done.outcome.version if done.outcome else None
        return done, await rejudging.after(pool, version, language) if version else None

    done, judged = operators.on_pool(run)
    if as_json:
        answers.show_json(_proposed(done, asked))
        return
    lines = [_proposal(one, language) for one in done.proposals]
    if lines:
        operators.table(("certificate", "letters", "agency", "signer", "name", "ground"), lines, language)
    written = done.outcome.added if done.outcome else 0
    ended = "would_propose" if asked.dry_run else "proposed"
    numbers = {
        "count": len(lines),
        "written": written,
        "open": sum(bool(one.lacks) for one in done.proposals),
    }
    click.echo(texts.say(f"certificate.{ended if lines else 'no_proposals'}", language, **numbers))
    rejudging.show(judged, language)


def _proposed(done: Proposed, asked: Asked) -> dict[str, Any]:
    return {
        "dry_run": asked.dry_run,
        "version": done.outcome.version if done.outcome else None,
        "written": done.outcome.added if done.outcome else 0,
        "proposals": [
            {
                **{name: getattr(one.seen, name) for name in ("certificate", "common_name", "subject", "issuer")},
                "valid_from": one.seen.valid_from, "valid_to": one.seen.valid_to, "agency": one.agency,
                "kind": one.kind or None, "officer": one.officer or None, "ground": one.ground,
                "lacks": one.lacks or None, "letters": one.letters, "senders": dict(one.seen.letters),
            }
            for one in done.proposals
        ],
    }  # fmt: skip


def _proposal(one: Proposal, language: str) -> tuple[str, ...]:
    kind = texts.say(f"certificate.kind_{one.kind or 'unknown'}", language)
    ground = texts.say(f"certificate.ground_{one.ground}", language)
    if one.lacks:
        ground += " " + texts.say(f"certificate.lacks_{one.lacks}", language)
    letters = rejudging.number(one.letters, language)
    return one.seen.certificate[:SHORT], letters, one.agency, kind, one.seen.common_name, ground


@click.command("list")
@_AGENCY
@click.option("--kind", type=click.Choice(KINDS), default=None, help="Only of this kind.")
@click.option("--state", type=click.Choice(STATES), default=None, help="Only in this state.")
@operators.JSON
@operators.LANGUAGE
def list_certificates(
    *, codes: tuple[str, ...], kind: str | None, state: str | None, as_json: bool, language: str
) -> None:
    """Rows of the directory about certificates, with how many letters each signed."""
    at = operators.now()

    async def run(pool: Pool) -> list[Held]:
        wanted = Wanted(agencies=await _known(pool, codes, at), kind=kind or "", state=state or "")
        async with pool.acquire() as connection:
            return await cases.listed(connection, wanted, paper_class.local_day(at))

    _show(operators.on_pool(run), language, as_json=as_json)


@click.command()
@_AGENCY
@click.option(
    "--days", type=click.IntRange(0, 3_650), default=30, show_default=True, help="Within so many days."
)
@operators.JSON
@operators.LANGUAGE
def expiring(*, codes: tuple[str, ...], days: int, as_json: bool, language: str) -> None:
    """Confirmed certificates that end soon; exit 1 if there are any."""
    at = operators.now()

    async def run(pool: Pool) -> list[Held]:
        wanted = Wanted(agencies=await _known(pool, codes, at))
        async with pool.acquire() as connection:
            rows = await cases.listed(connection, wanted, paper_class.local_day(at))
        return cases.expiring(rows, paper_class.local_day(at), days)

    found = operators.on_pool(run)
    _show(found, language, as_json=as_json)
    sys.exit(answers.NO if found else answers.YES)


@click.command()
@_AGENCY
@operators.JSON
@operators.LANGUAGE
def revoked(*, codes: tuple[str, ...], as_json: bool, language: str) -> None:
    """Certificates of the directory that the revocation lists at hand name as revoked or on hold; exit 1 if any."""
    at, trusted = operators.now(), rejudging.trusted()

    async def run(pool: Pool) -> tuple[list[Held], int]:
        wanted = Wanted(agencies=await _known(pool, codes, at))
        async with pool.acquire() as connection:
            rows = await cases.listed(connection, wanted, paper_class.local_day(at))
            return await cases.revoked(connection, rows, trusted, at)

    found, unknown = operators.on_pool(run)
    _show(found, language, as_json=as_json, unknown=unknown)
    if unknown and not as_json:
        click.echo(texts.say("certificate.not_asked", language, count=unknown), err=True)
    sys.exit(answers.NO if found else answers.YES)


def _show(rows: Sequence[Held], language: str, *, as_json: bool, **more: object) -> None:
    if as_json:
        answers.show_json({"certificates": [_facts(one) for one in rows], **more})
        return
    if rows:
        names = ("certificate", "agency", "signer", "officer", "from_day", "to_day", "state", "letters")
        operators.table(names, [_line(one, language) for one in rows], language)
    click.echo(texts.say("certificate.count", language, count=rejudging.number(len(rows), language)))


def _facts(one: Held) -> dict[str, Any]:
    return {**asdict(one.entry), "confirmed": one.confirmed, "letters": one.letters, "why": one.why or None}


def _line(one: Held, language: str) -> tuple[str, ...]:
    entry = one.entry
    days = (day.strftime("%d/%m/%Y") if day else "–" for day in (entry.valid_from, entry.valid_to))
    state = texts.say(f"certificate.state_{'confirmed' if one.confirmed else 'proposed'}", language)
    if one.why:
        state = texts.say(f"certificate.state_{one.why}", language)
    kind = texts.say(f"certificate.kind_{entry.kind}", language)
    return (entry.certificate[:SHORT], entry.agency, kind, entry.officer or "–", *days, state,
            rejudging.number(one.letters, language))  # fmt: skip


async def agencies(pool: Pool, codes: Sequence[str], at: datetime) -> list[tuple[str, UUID]]:
    """Canonical codes and ids of these agencies, given in either form; an unknown one ends the command (2)."""
    if not codes:
        return []
    given = [rules.canonical(code) for code in codes]
    async with pool.acquire() as connection:
        own = (await directory_sheets.stored(connection)).agencies
        found = await directory.find(connection, given, paper_class.local_day(at)) | {
            code: row for code, row in own.items() if code in given
        }
    unknown = [code for code in given if code not in found]
    if unknown:
        answers.fail(answers.USAGE, "directory.unknown_agency", codes=", ".join(unknown))
    names = {row: code for code, row in own.items()}
    return [(names[found[code]], found[code]) for code in given]


async def _known(pool: Pool, codes: Sequence[str], at: datetime) -> tuple[str, ...]:
    return tuple(code for code, _ in await agencies(pool, codes, at))
