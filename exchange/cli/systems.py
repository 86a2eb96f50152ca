"""`congvan system …`: document systems that send and receive for agencies, their keys, certificates and agencies.

    system add --acts-for CODE… --name NAME   registers a system and shows its key, once
    system add --owner CODE --watches CODE    one that acts for nobody and only watches
    system rotate ID [--certificate FILE]     a new key or certificate; old ones work on for a while
    system acts-for ID --add CODE --end CODE  whom it acts for, with dates
    system monitor ID --agency CODE           what it watches: figures and facts, never contents
    system disable ID, system list, system test ID

Exit 1: a test that found something wrong. Exit 2: an unknown code or system, a certificate that will not do.
"""

import sys
import unicodedata
from dataclasses import asdict
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from exchange import texts
from exchange.broker import credentials, imports
from exchange.broker import directory as cases
from exchange.broker import systems as acting
from exchange.cli import answers, connection, import_outcome, monitors, operators, watching
from exchange.cli.language import language as chosen
from exchange.rules import connection as moments
from exchange.rules import directory_systems, paper_class
from exchange.rules.directory_csv import Bad
from exchange.store import systems as store
from exchange.store.pool import Pool

AGENCIES_SHOWN = 6

_CERTIFICATE = click.option(
    "--certificate",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Its TLS client certificate, PEM or DER.",
)
_DAY = click.DateTime(["%Y-%m-%d", "%d/%m/%Y"])


def _no_vxp(_context: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - as click calls it
    if wanted:
        operators.refuse("directory.no_vxp", chosen())


@click.group()
def system() -> None:
    """Document systems that send and receive for agencies, and their keys."""


system.add_command(connection.test_connection)
system.add_command(monitors.monitor)


@system.command("add")
@click.option("--acts-for", "codes", multiple=True, metavar="CODE...", help="Agencies, in either form.")
@watching.OWNER
@watching.WATCHES
@watching.ALL
@watching.SUBTREE
@click.argument("more_codes", nargs=-1, metavar="")
@click.option("--name", required=True, help="What people call it, for example: i-Office Sở Nội vụ.")
@_CERTIFICATE
@click.option(
    "--vxp", is_flag=True, expose_value=False, callback=_no_vxp, help="Also a secret for the VXP door."
)
@operators.JSON
@operators.LANGUAGE
def add_system(
    *,
    codes: tuple[str, ...],
    more_codes: tuple[str, ...],
    name: str,
    certificate: Path | None,
    as_json: bool,
    language: str,
    **given: Any,  # noqa: ANN401 - click's
) -> None:
    """Register a system and show its key once. The first agency answers for it; or it acts for nobody, and only watches."""
    if given["watches"]:
        given["watches"], more_codes = (*given["watches"], *more_codes), ()
    roles = watching.roles(given, acting=bool(codes or more_codes), language=language)
    wanted, named, at = (*codes, *more_codes), _name(name, language), operators.now()
    raw = operators.start_of(certificate) if certificate else None
    new_ids = operators.new_ids()
    added = operators.on_pool(
        lambda pool: (
            watching.add(pool, named, given["owner"], roles, new_ids=new_ids, at=at, certificate=raw)
            if roles
            else cases.add_system(pool, name=named, acts_for=wanted, new_ids=new_ids, at=at, certificate=raw)
        )
    )
    if isinstance(added, credentials.Unfit):
        operators.refuse(f"directory.certificate_{added.why}", language, file=certificate)
    if not isinstance(added, credentials.Key):
        operators.refuse("directory.unknown_agency", language, codes=", ".join(added))
    _show_key(added, "directory.system_added", as_json=as_json, language=language)


@system.command("rotate")
@operators.SYSTEM
@_CERTIFICATE
@click.option(
    "--both-for",
    type=click.IntRange(0, 24 * 90),
    default=7 * 24,
    show_default=True,
    help="Hours that old keys, or certificates, still work.",
)
@operators.JSON
@operators.LANGUAGE
def rotate_key(
    *, system_id: UUID, certificate: Path | None, both_for: int, as_json: bool, language: str
) -> None:
    """Give a system a new key, shown once, or a new client certificate; its old ones end soon."""
    at, hours, new_ids = operators.now(), timedelta(hours=both_for), operators.new_ids()
    if certificate is not None:
        _rotate_certificate(system_id, certificate, hours, as_json=as_json, language=language)
        return
    key = operators.on_pool(
        lambda pool: cases.rotate(pool, system_id, new_ids=new_ids, at=at, both_for=hours)
    )
    if key is None:
        operators.refuse("directory.unknown_system", language, system=system_id)
    _show_key(key, "directory.key_rotated", as_json=as_json, language=language, hours=both_for)


@system.command("disable")
@operators.SYSTEM
@operators.LANGUAGE
def disable_system(*, system_id: UUID, language: str) -> None:
    """Switch a system off at once, with all its keys."""
    at, new_ids = operators.now(), operators.new_ids()
    if not operators.on_pool(lambda pool: cases.disable(pool, system_id, new_ids=new_ids, at=at)):
        operators.refuse("directory.unknown_system", language, system=system_id)
    click.echo(texts.say("directory.system_disabled", language, system=system_id))


@system.command("acts-for")
@operators.SYSTEM
@click.option("--add", "adding", multiple=True, metavar="CODE", help="An agency that it is to act for.")
@click.option("--from", "first", type=_DAY, help="The first day of --add; today without it.")
@click.option("--to", "last", type=_DAY, help="The last day of --add; without it there is none.")
@click.option("--end", "ending", multiple=True, metavar="CODE", help="One that it is to act for no longer.")
@click.option("--on", "ends_on", type=_DAY, help="The last day of --end; today without it.")
@operators.asked
@operators.JSON
@operators.LANGUAGE
def act_for(
    *,
    system_id: UUID,
    adding: tuple[str, ...],
    ending: tuple[str, ...],
    asked: imports.Asked,
    as_json: bool,
    language: str,
    **days: datetime | None,
) -> None:
    """Change whom a system acts for; each change is a version that `directory undo` can take back."""
    if not adding and not ending:
        operators.refuse("directory.nothing_asked", language)
    at, new_ids = operators.now(), operators.new_ids()
    today, said = paper_class.local_day(at), {name: _day(day) for name, day in days.items()}
    wanted = acting.Acting(
        system=system_id, adding=adding, ending=ending,
        first=said["first"] or today, last=said["last"], ends_on=said["ends_on"] or today,
    )  # fmt: skip
    outcome = operators.on_pool(
        lambda pool: acting.act_for(pool, wanted, new_ids=new_ids, at=at, asked=asked)
    )
    if outcome is None:
        operators.refuse("directory.unknown_system", language, system=system_id)
    if not isinstance(outcome, imports.Outcome):
        operators.refuse("directory.not_acting", language, codes=", ".join(outcome), day=wanted.ends_on)
    import_outcome.show(outcome, import_outcome.Whence(file=str(system_id)), language, as_json=as_json)
    sys.exit(answers.USAGE if outcome.errors else answers.YES)


@system.command("list")
@operators.JSON
@operators.LANGUAGE
def list_systems(*, as_json: bool, language: str) -> None:
    """All systems, whom they act for, when they last called, and their keys and certificates."""
    at = operators.now()
    found = operators.on_pool(partial(_systems, at=at))
    if as_json:
        answers.show_json({"systems": [asdict(row) for row in found]})
        return
    lines = [
        (
            str(row.id),
            row.name,
            _agencies(row.acts_for, language),
            "\n".join(_watched(code, language, below=below) for code, below in row.watches) or "–",
            "\n".join(_credential(one, language) for one in row.credentials),
            moments.moment(row.seen_at) if row.seen_at else "–",
            texts.say(f"directory.{_state(row)}", language),
        )
        for row in found
    ]
    operators.table(("system", "name", "acts_for", "watches", "keys", "seen", "state"), lines, language)


def _name(name: str, language: str) -> str:
    """A system's name as it is kept; what could steer a terminal is no name."""
    plain = " ".join(unicodedata.normalize("NFC", name).split())
    if not plain or isinstance(directory_systems.system_name(plain), Bad):
        operators.refuse("directory.bad_name", language, name=name)
    return plain


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None


def _rotate_certificate(
    system_id: UUID, file: Path, both_for: timedelta, *, as_json: bool, language: str
) -> None:
    raw, at, new_ids = operators.start_of(file), operators.now(), operators.new_ids()
    made = operators.on_pool(
        lambda pool: cases.rotate_certificate(pool, system_id, raw, new_ids=new_ids, at=at, both_for=both_for)
    )
    if made is None:
        operators.refuse("directory.unknown_system", language, system=system_id)
    if isinstance(made, credentials.Unfit):
        operators.refuse(f"directory.certificate_{made.why}", language, file=file)
    if as_json:
        answers.show_json(asdict(made))
        return
    facts = {
        "subject": made.subject,
        "until": moments.moment(made.valid_to),
        "hours": both_for // timedelta(hours=1),
    }
    click.echo(texts.say("directory.certificate_rotated", language, system=system_id, **facts))


def _state(row: store.SystemRow) -> str:
    return "disabled" if row.disabled_at else "active"


def _agencies(codes: tuple[str, ...], language: str) -> str:
    """The first few codes; how many more there are."""
    more = len(codes) - AGENCIES_SHOWN
    said = [texts.say("directory.more_agencies", language, count=more)] if more > 0 else []
    return " ".join([*codes[:AGENCIES_SHOWN], *said])


def _watched(code: str | None, language: str, *, below: bool) -> str:
    """An agency that is watched, everything, or an agency with all below it."""
    if code is None:
        return texts.say("monitor.everything", language)
    return texts.say("monitor.with_below", language, code=code) if below else code


def _credential(one: store.Credential, language: str) -> str:
    """A key by its public part, a certificate by the first signs of its digest, and until when."""
    until = moments.moment(one.valid_to) if one.valid_to else texts.say("directory.no_end", language)
    key = f"directory.credential_{one.kind}"
    return texts.say(key, language, id=one.id[:16], until=until)


async def _systems(pool: Pool, at: datetime) -> list[store.SystemRow]:
    async with pool.acquire() as connection_:
        return await store.systems(connection_, at, paper_class.local_day(at))


def _show_key(key: credentials.Key, said: str, *, as_json: bool, language: str, **facts: object) -> None:
    if as_json:
        answers.show_json({"system": str(key.system), "secret": key.secret, "vxp_secret": None})
        return
    click.echo(texts.say(said, language, system=key.system, **facts))
    click.echo(texts.say("directory.key_once", language, secret=key.secret))
