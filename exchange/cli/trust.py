"""`congvan trust list`: whom this exchange trusts, how fresh its revocation lists are, where they come from."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from rich import box
from rich.table import Table

from exchange import texts
from exchange.broker import trusted
from exchange.broker.freshness import freshness
from exchange.cli import answers, screen
from exchange.cli.language import language
from exchange.store import revocation_sources
from exchange.store.revocation_sources import Source
from signing import certificates, keys
from signing.trust import Authorities, Trust

_COLUMNS = {
    "authorities": ("purpose", "name", "valid_to"),
    "lists": ("issuer", "this_update", "next_update", "state"),
    "sources": ("url", "outcome", "answered_at", "next_update"),
}


@click.group()
def trust() -> None:
    """Whom this exchange trusts."""


@trust.command("list")
@click.option("--json", "as_json", is_flag=True)
def show(*, as_json: bool) -> None:
    """Authorities, revocation lists with their dates, sources and how they answered. Exit 1: something is over or wrong."""
    given = answers.settings()
    at = datetime.now(UTC)
    watch = trusted.opened(given)
    with answers.database(given) as dsn:
        sources = answers.reached(_sources(dsn))
    body = {
        "trust_sha256": watch.trust.sha256.hex(),
        "authorities": list(_authorities(watch.trust)),
        "lists": list(_lists(watch.trust, at)),
        "responses": len(watch.trust.responses.all),
        "sources": list(map(_source, sources)),
        "troubles": [asdict(one) for one in watch.troubles],
    }
    if as_json:
        answers.show_json(body)
    else:
        _print(body, watch)
    wrong = watch.troubles or freshness(watch.trust, at).over
    raise SystemExit(answers.NO if wrong else answers.YES)


async def _sources(dsn: str) -> list[Source]:
    async with answers.connected(dsn) as connection:
        return await revocation_sources.known(connection)


def _authorities(held: Trust) -> Iterator[dict[str, Any]]:
    stores: tuple[tuple[str, Authorities], ...] = (("signers", held), ("timestamps", held.timestamping))
    for purpose, store in stores:
        for root, kind in ((True, store.anchors), (False, store.intermediates)):
            for one in kind:
                said = certificates.describe(keys.der(one))
                yield {
                    "purpose": purpose, "root": root, "name": said.common_name or said.subject,
                    "sha256": said.sha256.hex(), "valid_to": said.valid_to.isoformat(),
                }  # fmt: skip


def _lists(held: Trust, at: datetime) -> Iterator[dict[str, Any]]:
    for one in sorted(held.revocation.all, key=lambda one: one.next_update):
        yield {
            "issuer": one.crl.issuer.rfc4514_string(), "sha256": one.sha256,
            "this_update": one.this_update.isoformat(), "next_update": one.next_update.isoformat(),
            "state": "over" if one.next_update < at else "current",
        }  # fmt: skip


def _source(one: Source) -> dict[str, Any]:
    moments = ("this_update", "next_update", "asked_at", "answered_at", "due_at")
    digests = ("about", "issuer", "held")
    plain = {name: getattr(one, name) for name in ("kind", "url", "outcome", "failures")}
    dated = {name: moment.isoformat() if (moment := getattr(one, name)) else None for name in moments}
    return plain | dated | {name: (getattr(one, name) or b"").hex() or None for name in digests}


def _print(body: dict[str, Any], watch: trusted.Watch) -> None:
    for part, columns in _COLUMNS.items():
        screen.console().print(_table(part, columns, body[part]))
    for trouble in watch.troubles:
        screen.line(texts.say(f"trust.{trouble.code}", language(), where=trouble.where, why=trouble.why))


def _table(part: str, columns: Iterable[str], rows: Iterable[dict[str, Any]]) -> Table:
    table = Table(title=texts.say(f"trust.{part}", language()), title_justify="left", box=box.SIMPLE)
    for name in columns:
        table.add_column(texts.say(f"trust.column_{name}", language()), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(name, row[name]) for name in columns))
    return table


def _cell(name: str, held: object) -> str:
    if name in {"state", "purpose"}:
        return texts.say(f"trust.{name}_{held}", language())
    return texts.clean(str(held)) if held is not None else "-"
