"""`congvan system monitor ID`: let a system watch (giám sát) an agency, all below it, or everything; or no longer."""

from typing import Any
from uuid import UUID

import click

from exchange import texts
from exchange.broker import monitors
from exchange.cli import operators

_DAY = click.DateTime(["%Y-%m-%d", "%d/%m/%Y"])
DONE = frozenset({"done", "same", "none"})


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
    first, last = (one.date() if (one := given[name]) else None for name in ("first", "last"))
    if first and last and last < first:
        operators.refuse("monitor.days", language)
    role = monitors.Role(
        system=system_id, code=code, subtree=subtree, first=first, last=last, author=texts.clean(by)
    )
    case = monitors.end if end else monitors.watch
    new_ids, at = operators.new_ids(), operators.now()
    found = operators.on_pool(lambda pool: case(pool, role, new_ids=new_ids, at=at))
    facts = {"system": system_id, "agency": code or texts.say("monitor.everything", language)}
    if found not in DONE:
        operators.refuse(f"monitor.{found}", language, **facts)
    said = {"done": "ended" if end else "added"}.get(found, found)
    click.echo(texts.say(f"monitor.{said}", language, **facts))
