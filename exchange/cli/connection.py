"""`congvan system test ID`: is this connection well, and what is to be done where it is not.

Exit 0: nothing is wrong (what will be soon is said), 1: something is, 2: there is no such system.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import click

from exchange import config, texts
from exchange.broker import systems as cases
from exchange.cli import answers, operators
from exchange.links import connection as links
from exchange.links import sdk
from exchange.rules import connection as rules

ANSWER_SECONDS = 5.0


@click.command("test")
@operators.SYSTEM
@click.option(
    "--server", envvar="CONGVAN_SERVER", help="Where the exchange answers; without it CONGVAN_LISTEN."
)
@click.option(
    "--ca", "authorities", type=click.Path(exists=True, dir_okay=False, path_type=Path), envvar="CONGVAN_CA"
)
@operators.JSON
@operators.LANGUAGE
def test_connection(
    *, system_id: UUID, server: str | None, authorities: Path | None, as_json: bool, language: str
) -> None:
    """Test one connection: switched on, keys in date, agencies, last call, what waits, what was refused."""
    at, address = operators.now(), server or _address(answers.settings())
    facts = operators.on_pool(lambda pool: cases.facts(pool, system_id, at))
    if facts is None:
        operators.refuse("directory.unknown_system", language, system=system_id)
    try:
        status = asyncio.run(_ready(address, authorities))
    except sdk.AddressError as error:
        operators.refuse(f"client.{error.code}", language, what=error.what)
    checks = (*rules.judge(facts, at), rules.answered(status, address))
    if as_json:
        answers.show_json(_facts(facts, checks, language))
    else:
        _tell(facts, checks, language)
    sys.exit(answers.NO if _wrong(checks) else answers.YES)


def _wrong(checks: Sequence[rules.Check]) -> bool:
    return any(check.severity == "fault" for check in checks)


def _address(given: config.Config) -> str:
    return f"{'https' if given.tls else 'http'}://{given.host or '127.0.0.1'}:{given.port}"


async def _ready(server: str, authorities: Path | None) -> int | None:
    """What `/readyz` answers; None if nothing does in time. No key is shown, so plain http tells nobody anything."""
    tls = links.tls_context(authorities=authorities) if server.lower().startswith("https") else None
    terms: sdk.Terms = {"attempts": 1, "tls": tls, "insecure_http": True}
    try:
        async with asyncio.timeout(ANSWER_SECONDS), sdk.connected(server, **terms) as client:
            return (await client.ready()).status
    except (sdk.UnavailableError, TimeoutError):
        return None


def _facts(facts: rules.Facts, checks: Sequence[rules.Check], language: str) -> dict[str, object]:
    return {
        "system": facts.id,
        "name": facts.name,
        "owner": facts.owner,
        "well": not _wrong(checks),
        "seen_at": facts.seen_at,
        "open": {"count": facts.open, "oldest": facts.oldest},
        "checks": [
            {
                "severity": check.severity,
                "code": check.code,
                "text": texts.say(f"connection.{check.code}", language, **check.facts),
                "advice": _advice(check, language),
            }
            for check in checks
        ],
        "credentials": [vars(one) for one in facts.credentials],
        "refusals": [{"at": one.at, "code": one.code, "text": _refused(one, language)} for one in facts.refusals],
    }  # fmt: skip


def _tell(facts: rules.Facts, checks: Sequence[rules.Check], language: str) -> None:
    click.echo(texts.say("connection.title", language, name=facts.name, system=facts.id, owner=facts.owner))
    lines = [
        (
            texts.say(f"connection.{check.severity}", language),
            texts.say(f"connection.{check.code}", language, **check.facts),
            _advice(check, language),
        )
        for check in checks
    ]
    operators.table(("severity", "check", "advice"), lines, language)
    for one in facts.refusals:
        said = {"at": rules.moment(one.at), "code": one.code, "text": _refused(one, language)}
        click.echo(texts.say("connection.refusal", language, **said))
    click.echo(texts.say("connection.wrong" if _wrong(checks) else "connection.well", language))


def _advice(check: rules.Check, language: str) -> str:
    """What to do; nothing where all is well."""
    return (
        ""
        if check.severity == "good"
        else texts.say(f"connection.{check.code}_advice", language, **check.facts)
    )


def _refused(one: rules.Refusal, language: str) -> str:
    """What a refusal's code means and what to do; nothing for a code of another release."""
    keys = (f"problem.{one.code}", f"help.{one.code}")
    sentences = texts.catalogue(language)
    return ": ".join(texts.say(key, language) for key in keys if key in sentences)
