"""Agencies (danh mục cơ quan): the directory as a sender asks it - who is there, under which codes, who can be reached."""

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from exchange.broker.exchange import Exchange
from exchange.rules import directory, directory_succession, folding, paper_class
from exchange.rules.directory import Agency, Directory
from exchange.rules.directory_succession import Heir
from exchange.store import reach


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is looked for: words of a name or parts of a code, one whole code in either form, after which code."""

    words: str = ""
    code: str = ""
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One agency as a sender needs it: its other codes of the day, its superior, whether a letter would be taken in.

    `heir`: who follows it, if it has ended and was merged into another (cơ quan kế thừa).
    """

    agency: Agency
    other_codes: tuple[directory.Code, ...]
    parent: Agency | None
    reachable: bool
    heir: Heir | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """Agencies in the order of their codes, and whether more follow."""

    items: tuple[Listed, ...]
    more: bool


async def page(exchange: Exchange, snapshot: Directory, asked: Asked) -> Page:
    """One page of the agencies looked for, of one version of the directory."""
    on = paper_class.local_day(exchange.clock())
    found: list[Agency] = []
    for agency in _wanted(snapshot, asked):
        found.append(agency)
        if len(found) > asked.limit:
            break
    shown = found[: asked.limit]
    async with exchange.pool.acquire() as connection:
        connected = await reach.connected(connection, [agency.id for agency in shown], on)
    items = (_listed(snapshot, agency, on, connected=agency.id in connected) for agency in shown)
    return Page(items=tuple(items), more=len(found) > asked.limit)


def _wanted(snapshot: Directory, asked: Asked) -> Iterator[Agency]:
    words = folding.plain(asked.words)
    rows = snapshot.codes.get(directory.canonical(asked.code), ())
    named = {row.agency for row in rows}
    after = directory.canonical(asked.after)
    start = bisect.bisect_right(snapshot.by_code, after, key=lambda agency: agency.code) if after else 0
    for agency in snapshot.by_code[start:]:
        if asked.code and agency.id not in named:
            continue
        if not words or folding.found(words, _searched(snapshot, agency)):
            yield agency


def _searched(snapshot: Directory, agency: Agency) -> str:
    codes = (row.code for row in snapshot.codes_of.get(agency.id, ()))
    return " ".join((agency.plain_name, *codes)).lower()


def _listed(snapshot: Directory, agency: Agency, on: date, *, connected: bool) -> Listed:
    codes = snapshot.codes_of.get(agency.id, ())
    others = (row for row in codes if row.code != agency.code and directory.holds(row, on))
    return Listed(
        agency=agency,
        other_codes=tuple(others),
        parent=snapshot.agencies.get(agency.parent) if agency.parent else None,
        reachable=connected and not agency.disabled and directory.holds(agency, on),
        heir=directory_succession.heir_of(snapshot, agency, on),
    )
