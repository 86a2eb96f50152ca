"""`congvan register gaps|explain|unexplain`: numbers that a series lacks, and what the office says of them (M18)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import click

from exchange import texts
from exchange.cli import answers, named, operators
from exchange.rules.number_series import Gap
from exchange.rules.ratios import grouped
from exchange.rules.reporting_period import YEARS
from exchange.store.pool import Pool
from exchange.tracker import register_numbers as cases
from exchange.tracker.register_numbers import Explanation, Series
from exchange.tracker.register_proof import Hand

GAPS_SHOWN = 30
_NUMBERS = re.compile(r"([1-9][0-9]{0,6})(?:-([1-9][0-9]{0,6}))?", re.ASCII)
_YEAR = click.IntRange(YEARS.start, YEARS.stop - 1)
_BOOK = click.option("--book", type=click.Choice(["out", "in"]), default="out", show_default=True)


@click.command("gaps")
@click.option("--agency", required=True)
@click.option("--year", type=_YEAR, required=True)
@_BOOK
@operators.JSON
@operators.LANGUAGE
def gaps(*, agency: str, year: int, book: str, as_json: bool, language: str) -> None:
    """Numbers of a year that neither a letter nor a register has, by series, and how complete each is. Exit 1: some are missing."""
    found = operators.on_pool(lambda pool: _series(pool, agency, book, year))
    if found is None:
        answers.fail(answers.USAGE, "cli.unknown_agency", codes=agency)
    if as_json:
        answers.show_json({"agency": agency, "year": year, "book": book, "series": list(map(_facts, found))})
    else:
        columns = ("series", "first", "last", "seen", "explained", "missing", "gaps", "complete")
        operators.table(columns, [_line(one, language) for one in found], language, topic="register")
        for said in (said for one in found for said in _explained(one, language)):
            click.echo(said)
    raise SystemExit(answers.NO if any(one.missing for one in found) else answers.YES)


async def _series(pool: Pool, code: str, book: str, year: int) -> tuple[Series, ...] | None:
    async with pool.acquire() as connection:
        (agency,) = await named.agencies(connection, [code], operators.now())
        return await cases.series(connection, agency.id, book, year) if agency else None


def _facts(one: Series) -> dict[str, Any]:
    measure = one.complete
    return {
        "series": one.name, "first": one.numbers.first, "last": one.numbers.last, "seen": one.seen,
        "explained": one.explained, "missing": one.missing,
        "gaps": [{"first": gap.first, "last": gap.last} for gap in one.numbers.gaps],
        "others": list(one.numbers.others), "M18": {"n": measure.n, "d": measure.d, "text": measure.text},
        "explanations": [
            {"id": str(said["id"]), "first": said["first"], "last": said["last"], "why": said["why"], "by": said["author"],
             "at": said["at"].isoformat(timespec="seconds")}
            for said in one.explanations
        ],
    }  # fmt: skip


def _line(one: Series, language: str) -> tuple[str, ...]:
    shown = ", ".join(map(_gap, one.numbers.gaps[:GAPS_SHOWN]))
    more = len(one.numbers.gaps) - GAPS_SHOWN
    if more > 0:
        shown = f"{shown} {texts.say('register.more_gaps', language, count=more)}"
    return (
        one.name or texts.say("register.own_series", language), str(one.numbers.first or ""), str(one.numbers.last or ""),
        grouped(one.seen), grouped(one.explained), grouped(one.missing), shown, one.complete.text,
    )  # fmt: skip


def _gap(gap: Gap) -> str:
    return str(gap.first) if gap.first == gap.last else f"{gap.first}-{gap.last}"


def _explained(one: Series, language: str) -> Iterator[str]:
    for said in one.explanations:
        numbers = _gap(Gap(first=said["first"], last=said["last"]))
        yield texts.say(
            "register.explained", language, numbers=numbers, why=said["why"], by=said["author"], id=said["id"]
        )


@click.command("explain")
@click.option("--agency", required=True)
@click.option("--year", type=_YEAR, required=True)
@_BOOK
@click.option("--series", "name", default="")
@click.option("--numbers", required=True, metavar="5-7")
@click.option("--why", required=True)
@click.option("--by", required=True, metavar="NAME")
@operators.JSON
@operators.LANGUAGE
def explain(
    *, agency: str, numbers: str, by: str, as_json: bool, language: str, **said: Any,  # noqa: ANN401 - its other options
) -> None:  # fmt: skip
    """What the office says of numbers that are missing: not issued, cancelled, kept within."""
    first, last = _span(numbers)
    if not 0 <= last - first < cases.MOST_EXPLAINED:
        operators.refuse("register.bad_numbers", language, numbers=numbers)
    if not said["why"].strip() or not by.strip():
        operators.refuse("register.no_reason", language)
    what = Explanation(
        agency=UUID(int=0), book=said["book"], year=said["year"], series=said["name"].strip().upper(),
        first=first, last=last, why=texts.clean(said["why"]),
    )  # fmt: skip
    made = operators.on_pool(lambda pool: _said(pool, agency, what, by))
    if made is None:
        answers.fail(answers.USAGE, "cli.unknown_agency", codes=agency)
    if as_json:
        answers.show_json({"explanation": str(made)})
    else:
        click.echo(texts.say("register.noted", language, id=made))


def _span(numbers: str) -> tuple[int, int]:
    """First and last of `5-7` or `5`; what is neither has its last before its first."""
    span = _NUMBERS.fullmatch(numbers.strip())
    return (int(span[1]), int(span[2] or span[1])) if span else (1, 0)


async def _said(pool: Pool, code: str, said: Explanation, by: str) -> UUID | None:
    async with pool.acquire() as connection:
        (agency,) = await named.agencies(connection, [code], operators.now())
        if agency is None:
            return None
        own = replace(said, agency=agency.id)
        return await cases.explain(connection, own, _hand(by))


def _hand(by: str) -> Hand:
    return Hand(by=texts.clean(by), at=operators.now(), ids=operators.new_ids())


@click.command("unexplain")
@click.argument("explanation", metavar="ID", type=click.UUID)
@click.option("--by", required=True, metavar="NAME")
@operators.LANGUAGE
def unexplain(*, explanation: UUID, by: str, language: str) -> None:
    """Take an explanation back."""
    if not operators.on_pool(lambda pool: _taken_back(pool, explanation, by)):
        answers.fail(answers.NO, "register.no_explanation", id=explanation)
    click.echo(texts.say("register.explanation_gone", language))


async def _taken_back(pool: Pool, explanation: UUID, by: str) -> bool:
    async with pool.acquire() as connection:
        return await cases.unexplain(connection, explanation, _hand(by))


VERBS = (gaps, explain, unexplain)
