"""Systems: whom they act for, changed by hand; and the facts by which an operator tests one connection."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from exchange import ids
from exchange.broker import imports
from exchange.broker.imports import Asked, Moment, Outcome
from exchange.rules import connection as rules
from exchange.rules import directory as directory_rules
from exchange.rules import directory_csv, directory_systems, paper_class
from exchange.rules.directory_csv import Row
from exchange.store import connections, systems
from exchange.store.directory_sheets import Stored
from exchange.store.pool import Pool


@dataclass(frozen=True, kw_only=True)
class Acting:
    """Agencies (codes in either form) that a system is to act for from a day on, and those it is to act for no longer.

    `first` and `last` are of the new periods, `ends_on` is the last day of those that end.
    """

    system: UUID
    first: date
    last: date | None = None
    ends_on: date
    adding: Sequence[str] = field(default=())
    ending: Sequence[str] = field(default=())


async def act_for(
    pool: Pool, acting: Acting, *, new_ids: ids.Ids, at: datetime, asked: Asked
) -> Outcome | tuple[str, ...] | None:
    """Change whom a system acts for, all or nothing, as a version of the directory that can be taken back.

    None: there is no such system, or it is off. Codes: the system does not act for these agencies on the day on which
    that is to end; nothing was written.
    """
    async with imports.opened(pool, asked) as (connection, known):
        if (str(acting.system),) not in known.state.systems:
            return None
        ending, missing = _ending(acting, known)
        if missing:
            return missing
        rows = [*_adding(acting), *ending]
        numbered = tuple(Row(line=line, given=given) for line, given in enumerate(rows, 1))
        source = imports.Source(sheets={"system": directory_csv.Sheet(rows=numbered)}, event="acts_for")
        return await imports.written(connection, known, source, Moment(new_ids=new_ids, at=at, asked=asked))


async def facts(pool: Pool, system: UUID, at: datetime) -> rules.Facts | None:
    """Everything about one connection that the database knows; None: there is no such system."""
    async with pool.acquire() as connection:
        held = await systems.credentials(connection, [system])
        found = tuple(
            rules.Credential(kind=one.kind, id=one.id, valid_from=one.valid_from, valid_to=one.valid_to)
            for one in held.get(system, ())
        )
        return await connections.facts(connection, system, found, paper_class.local_day(at))


def _adding(acting: Acting) -> Iterable[dict[str, object]]:
    for code in acting.adding:
        yield {
            "system": str(acting.system),
            "agency": directory_rules.canonical(code),
            "valid_from": acting.first,
            "valid_to": acting.last,
        }


def _ending(acting: Acting, known: Stored) -> tuple[list[dict[str, object]], tuple[str, ...]]:
    """The periods that are to end, with their new last day; and the codes for which there is none."""
    rows: list[dict[str, object]] = []
    missing = []
    for code in acting.ending:
        agency = _agency(known, code, acting.ends_on)
        period = directory_systems.standing(
            known.state.acts.values(), str(acting.system), agency, acting.ends_on
        )
        if period is None:
            missing.append(code)
        else:
            rows.append({**vars(period), "valid_to": acting.ends_on})
    return rows, tuple(missing)


def _agency(known: Stored, code: str, on: date) -> str:
    """The canonical code of the agency that has a code on a day; the code itself if nobody has it."""
    wanted = directory_rules.canonical(code)
    holders = (
        held.agency
        for codes in known.state.codes.values()
        for held in codes
        if held.code == wanted and directory_rules.holds(held, on)
    )
    return next(holders, wanted)
