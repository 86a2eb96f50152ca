"""`congvan register …`: office books loaded, matched with letters, printed, and the numbers that they lack.

    register import FILE      a book of one agency and year; --dry-run shows what would be loaded
    register list, undo ID    what was loaded, and taking it back
    register match            letters that came after their row was loaded
    register export           both registers with the ten columns of Decree 30/2020/NĐ-CP Annex IV (`register_print`)
    register gaps, explain    numbers that are missing, and what the office says of them (`register_numbers`)

Exit 1: some lines were skipped, the same file was loaded before, or nothing was there to undo. Exit 2: a file refused whole.
"""

import sys
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from exchange import texts
from exchange.broker.imports import Asked
from exchange.cli import answers, bars, named, operators, register_numbers, register_print
from exchange.edxml import view
from exchange.errors import Finding
from exchange.rules import ratios, register_books, registers
from exchange.rules.reporting_period import YEARS
from exchange.store import registers as store
from exchange.store.pool import Pool
from exchange.tracker import register_load
from exchange.tracker import registers as cases
from exchange.tracker.register_load import Order, Outcome, Tell
from exchange.tracker.register_proof import Hand

FINDINGS_SHOWN = 200
LOADS_SHOWN = 1_000
BOOK = click.option("--book", type=click.Choice(list(register_books.books())), required=True)
YEAR = click.IntRange(YEARS.start, YEARS.stop - 1)


@click.group()
def register() -> None:
    """Registers of documents sent and received (sổ đăng ký văn bản), and dispatch books."""


@register.command("import")
@operators.FILE
@click.option("--agency", required=True)
@BOOK
@click.option("--year", type=YEAR, required=True)
@click.option("--lists", type=click.Choice(["paper", "all"]), default="paper", show_default=True)
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD")
@operators.asked
@operators.JSON
@operators.LANGUAGE
def import_book(*, file: Path, agency: str, asked: Asked, as_json: bool, language: str, **book: Any) -> None:  # noqa: ANN401 - its other options
    """Load a book (CSV, XLSX); lines that cannot be taken are told by their numbers, and the others are loaded."""
    first, last = _day(book.pop("first")), _day(book.pop("last"))
    order = Order(agency=UUID(int=0), name=file.name, dry_run=asked.dry_run, first=first, last=last, **book)
    if order.first and order.last and order.last < order.first:
        operators.refuse("register.span", language)
    try:
        with bars.counted("register.loading", language) as tell:
            outcome = operators.on_pool(lambda pool: _load(pool, file, order, agency, asked.by, tell))
    except registers.RefusedError as error:
        _refused(error, file, language, as_json=as_json)
    if outcome is None:
        answers.fail(answers.USAGE, "cli.unknown_agency", codes=agency)
    if as_json:
        answers.show_json(facts(outcome, language))
    else:
        _tell(outcome, file, language)
    sys.exit(answers.NO if outcome.skipped or outcome.earlier else answers.YES)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


async def _load(pool: Pool, file: Path, order: Order, code: str, by: str, tell: Tell) -> Outcome | None:
    at = operators.now()
    async with pool.acquire() as connection:
        (agency,) = await named.agencies(connection, [code], at)
        if agency is None:
            return None
        with file.open("rb") as opened:
            hand = Hand(by=by, at=at, ids=operators.new_ids())
            return await register_load.load(connection, opened, replace(order, agency=agency.id), hand, tell)


def _refused(error: registers.RefusedError, file: Path, language: str, *, as_json: bool) -> None:
    if as_json:
        answers.show_json(
            {"refused": True, "findings": [view.finding(one, language) for one in error.findings]}
        )
    else:
        for found in error.findings:
            click.echo(_line(found, file, language), err=True)
        click.echo(texts.say("register.refused", language), err=True)
    sys.exit(answers.USAGE)


def facts(outcome: Outcome, language: str) -> dict[str, object]:
    """For `--json`."""
    numbers = {
        name: entry for name, entry in vars(outcome).items() if name not in {"findings", "first", "last"}
    }
    return {
        **numbers,
        "first": outcome.first and outcome.first.isoformat(),
        "last": outcome.last and outcome.last.isoformat(),
        "findings": [view.finding(one, language) for one in outcome.findings],
    }


def _tell(outcome: Outcome, file: Path, language: str) -> None:
    for found in outcome.findings[:FINDINGS_SHOWN]:
        click.echo(_line(found, file, language), err=True)
    if len(outcome.findings) > FINDINGS_SHOWN:
        more = len(outcome.findings) - FINDINGS_SHOWN
        click.echo(texts.say("directory.more_findings", language, count=more), err=True)
    if outcome.earlier:
        click.echo(texts.say("register.earlier", language, load=outcome.earlier))
        return
    numbers = {
        name: ratios.grouped(getattr(outcome, name))
        for name in ("lines", "rows", "skipped", "known", "matched", "paper_only", "unknown_parties")
    }
    click.echo(
        texts.say(
            f"register.{'would' if outcome.dry_run else 'loaded'}", language, load=outcome.load, **numbers
        )
    )
    if outcome.first and outcome.last:
        click.echo(
            texts.say(
                "register.covers",
                language,
                first=f"{outcome.first:%d/%m/%Y}",
                last=f"{outcome.last:%d/%m/%Y}",
            )
        )


def _line(found: Finding, file: Path, language: str) -> str:
    """As compilers write it: file:line: severity: sentence."""
    where = f"{file.name}:{found.line}" if found.line else file.name
    severity = texts.say(f"directory.{found.severity}", language)
    return f"{texts.clean(where)}: {severity}: {texts.say(f'finding.{found.code}', language, **found.facts)}"


@register.command("list")
@click.option("--agency", "codes", multiple=True)
@click.option("--year", type=YEAR)
@operators.JSON
@operators.LANGUAGE
def list_loads(*, codes: tuple[str, ...], year: int | None, as_json: bool, language: str) -> None:
    """What was loaded, newest first: the book, its days, rows, matched and paper only, and what was taken back."""
    found = operators.on_pool(lambda pool: _loads(pool, codes, year))
    if found is None:
        answers.fail(answers.USAGE, "cli.unknown_agency", codes=", ".join(codes))
    if as_json:
        answers.show_json({"loads": found})
        return
    columns = (
        "load",
        "agency",
        "book",
        "year",
        "covered",
        "rows",
        "matched",
        "paper_only",
        "at",
        "by",
        "state",
    )
    lines = [_load_line(one, language) for one in found]
    operators.table(columns, lines, language, topic="register")


async def _loads(pool: Pool, codes: tuple[str, ...], year: int | None) -> list[dict[str, Any]] | None:
    async with pool.acquire() as connection:
        found = await named.agencies(connection, codes, operators.now())
        if None in found:
            return None
        chosen = [one.id for one in found if one] if codes else None
        return [_load_facts(one) for one in await store.loads(connection, chosen, year, LOADS_SHOWN)]


def _load_facts(one: Any) -> dict[str, Any]:  # noqa: ANN401 - a record
    plain = ("book", "year", "lists", "name", "matched", "paper_only", "unknown_parties", "undone_by")
    return {
        "load": str(one["id"]), "agency": one["code"], "agency_name": one["agency_name"], "rows": one["n"], "by": one["author"],
        **{name: one[name] for name in plain}, "sha256": one["sha256"].hex(),
        **{name: one[name] and one[name].isoformat() for name in ("at", "undone_at")},
        **{name: (on := one[f"covers_{name}"]) and on.isoformat() for name in ("first", "last")},
    }  # fmt: skip


def _load_line(one: dict[str, Any], language: str) -> tuple[str, ...]:
    return (
        one["load"], one["agency"], texts.say(f"register.book_{one['book']}", language), str(one["year"]),
        f"{one['first'] or ''} – {one['last'] or ''}", ratios.grouped(one["rows"]), ratios.grouped(one["matched"]),
        ratios.grouped(one["paper_only"]), one["at"][:16], one["by"],
        texts.say("register.undone" if one["undone_at"] else "register.standing", language),
    )  # fmt: skip


@register.command("undo")
@click.argument("load", metavar="ID", type=click.UUID)
@click.option("--by", default="", metavar="NAME")
@operators.JSON
@operators.LANGUAGE
def undo(*, load: UUID, by: str, as_json: bool, language: str) -> None:
    """Take a load back, with everything that its rows said."""
    rows = operators.on_pool(lambda pool: _undone(pool, load, by))
    if rows is None:
        answers.fail(answers.NO, "register.nothing_to_undo", load=load)
    if as_json:
        answers.show_json({"load": str(load), "rows": rows})
    else:
        click.echo(texts.say("register.taken_back", language, rows=ratios.grouped(rows)))


async def _undone(pool: Pool, load: UUID, by: str) -> int | None:
    async with pool.acquire() as connection:
        hand = Hand(by=texts.clean(by), at=operators.now(), ids=operators.new_ids())
        return await cases.undo(connection, load, hand)


@register.command("match")
@click.option("--agency", "codes", multiple=True, required=True)
@click.option("--by", default="", metavar="NAME")
@operators.JSON
@operators.LANGUAGE
def match(*, codes: tuple[str, ...], by: str, as_json: bool, language: str) -> None:
    """Match an agency's rows with letters that came since."""
    found = operators.on_pool(lambda pool: _matched(pool, codes, by))
    if found is None:
        answers.fail(answers.USAGE, "cli.unknown_agency", codes=", ".join(codes))
    numbers = {"matched": sum(one.matched for one in found), "told": sum(one.told for one in found)}
    if as_json:
        answers.show_json(numbers)
    else:
        click.echo(texts.say("register.matched", language, **numbers))


async def _matched(pool: Pool, codes: tuple[str, ...], by: str) -> list[cases.Rematched] | None:
    at = operators.now()
    async with pool.acquire() as connection:
        found = await named.agencies(connection, codes, at)
        if None in found:
            return None
        hand = Hand(by=texts.clean(by), at=at, ids=operators.new_ids())
        return [await cases.rematch(connection, one.id, hand) for one in found if one]


register.add_command(register_print.export)
for verb in register_numbers.VERBS:
    register.add_command(verb)
