"""`congvan system monitor ID`: let a system watch (giám sát) an agency, all below it, or everything; or no longer."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import click

from exchange import texts
from exchange.broker import monitors
from exchange.cli import operators
from exchange.rules import paper_class

_DAY = click.DateTime(["%Y-%m-%d", "%d/%m/%Y"])
DONE = frozenset({"done", "changed", "same", "ended", "none"})


@click.command("monitor")
@operators.SYSTEM
@click.option("--agency", "code", metavar="CODE", help="The agency that it is to watch.")
@click.option("--subtree", is_flag=True, help="With all agencies below it.")
@click.option("--all", "everything", is_flag=True, help="Everything.")
@click.option("--from", "first", type=_DAY, help="The first day; today without it.")
@click.option("--to", "last", type=_DAY, help="The last day; without it there is none.")
@click.option("--end", is_flag=True, help="Watch this no longer, from now on.")
@click.option("--by", default="", metavar="NAME", help="Who does it, for the record.")
@operators.LANGUAGE
def monitor(
    *,
    system_id: UUID,
    code: str | None,
    subtree: bool,
    end: bool,
    by: str,
    language: str,
    **given: Any,  # noqa: ANN401 - click's
) -> None:
    """Let a system see figures and facts of agencies, never contents; for one agency, with all below it, or everything."""
    if (code is None) is not given["everything"] or (subtree and code is None):
        operators.refuse("monitor.one_of", language)
    at = operators.now()
    first, last = _days(given, paper_class.local_day(at), language)
    if end and (first or last or subtree):
        operators.refuse("monitor.end_whole", language)
    role = monitors.Role(
        system=system_id, code=code, subtree=subtree, first=first, last=last, author=texts.clean(by)
    )
    case, new_ids = monitors.end if end else monitors.watch, operators.new_ids()
    found = operators.on_pool(lambda pool: case(pool, role, new_ids=new_ids, at=at))
    facts = {"system": system_id, "agency": _scope(role, language)}
    if found not in DONE:
        operators.refuse(f"monitor.{found}", language, **facts)
    days = _span(first or paper_class.local_day(at), last, language)
    click.echo(texts.say(f"monitor.{found}", language, **facts, days=days))


def _days(given: Mapping[str, Any], today: date, language: str) -> tuple[date | None, date | None]:
    """The first and the last day; a period that is over, or ends before it begins, ends the command (2)."""
    first, last = (one.date() if (one := given[name]) else None for name in ("first", "last"))
    if last and last < max(first or today, today):
        operators.refuse("monitor.days", language)
    return first, last


def _scope(role: monitors.Role, language: str) -> str:
    if role.code is None:
        return texts.say("monitor.everything", language)
    return texts.say("monitor.with_below", language, code=role.code) if role.subtree else role.code


def _span(first: date, last: date | None, language: str) -> str:
    if last is None:
        return texts.say("monitor.endless", language, first=f"{first:%d/%m/%Y}")
    return texts.say("monitor.span", language, first=f"{first:%d/%m/%Y}", last=f"{last:%d/%m/%Y}")
