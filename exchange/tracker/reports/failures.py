"""BC-12, what was not verified (nhật ký xác minh không đạt): verdicts that did not pass, and signatures that are missing."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.rules.signature_measures import Usage
from exchange.store import signature_counts
from exchange.store.pool import Connection
from exchange.tracker.reports.report import Column, Dated, Line, Report, Table, Value, Word
from exchange.tracker.reports.spooled import BATCH, Rows
from exchange.tracker.signature_usage import Asked
from signing import revoked

COLUMNS = (
    Column(name="at", keeps=True),
    Column(name="number", keeps=True),
    Column(name="sender"),
    Column(name="place"),
    Column(name="subject"),
    Column(name="serial"),
    Column(name="result"),
    Column(name="reason"),
    Column(name="evidence"),
    Column(name="again"),
    Column(name="handling"),
)

REASONS: Mapping[str, str] = {
    "HASH_FAILURE": "changed",
    "SIG_CRYPTO_FAILURE": "changed",
    "OUT_OF_BOUNDS_NO_POE": "expired",
    "OUT_OF_BOUNDS_NOT_REVOKED": "expired",
    "NOT_YET_VALID": "expired",
    "REVOKED_NO_POE": "revoked",
    "REVOKED_CA_NO_POE": "revoked",
    "FORMAT_FAILURE": "unreadable",
    "SIGNED_DATA_NOT_FOUND": "unreadable",
    "TRY_LATER": "not_known",
}
"""Sub-indication of EN 319 102-1 -> what the report calls it; any other is a certificate that is not trusted."""
ON_HOLD: Mapping[str, str] = {"certificate_on_hold": "revoked", "authority_on_hold": "revoked"}
"""What is to be tried later because a certificate is on hold (tạm đình chỉ) has revocation data: these say so."""
UNTRUSTED = "untrusted"

HANDLING: Mapping[str, str] = {"signer_unconfirmed": "confirm", "signer_unknown": "register"}
"""What to do about a signature that does not count, by the letter's sub-reason; any other: sign and send again."""
SIGN = "sign"


MOST_MOMENTS = 10_000
"""Pieces of evidence whose moments are remembered while a list is made."""


async def report(
    connection: Connection, usage: Usage, asked: Asked, scope: Sequence[str], rows: Rows
) -> Report:
    """One row a signature that did not pass, and one a signature that is missing; how many letters were refused at the gate.

    `rows`: room for them; they are told in the order of their letters.
    """
    span = (asked.agencies, asked.first, asked.end)
    serials = {one.sha256: one.own.serial for one in usage.certificates if one.own}
    moments: dict[str, datetime | None] = {}
    found = _merged(signature_counts.failures(connection, *span), signature_counts.lacking(connection, *span))
    async for some in _by_chunk(found):
        await _look_up(connection, (row for row in some if "evidence" in row), moments)
        for row in some:
            for one in _told(usage, row, serials, moments):
                rows.add(one)
    refused = await signature_counts.refused(connection, *span)
    return Report(
        code="BC-12",
        asked=asked,
        scope=scope,
        table=Table(name="BC-12", columns=COLUMNS, rows=rows),
        lines=(Line(key="refused", facts={"n": refused}),),
    )


Row = Mapping[str, Any]


async def _merged(failed: AsyncIterator[Any], lacking: AsyncIterator[Any]) -> AsyncIterator[Row]:
    """Both lists in the order of their letters; of one letter, what failed comes first."""
    lacks = await anext(lacking, None)
    async for row in failed:
        while lacks and _place(lacks) < _place(row):
            yield dict(lacks)
            lacks = await anext(lacking, None)
        yield dict(row)
    while lacks:
        yield dict(lacks)
        lacks = await anext(lacking, None)


def _place(row: Row) -> tuple[datetime, UUID]:
    return row["accepted_at"], row["letter"]


async def _by_chunk(found: AsyncIterator[Row]) -> AsyncIterator[list[Row]]:
    some: list[Row] = []
    async for row in found:
        some.append(row)
        if len(some) == BATCH:
            yield some
            some = []
    yield some


async def _look_up(connection: Connection, rows: Iterable[Row], moments: dict[str, datetime | None]) -> None:
    """When each piece of evidence of revocation was made, by its hex digest; those known already are not asked for again."""
    named = {digest for row in rows for digest in row["evidence"]}
    if len(moments) > MOST_MOMENTS:
        moments.clear()
    unknown = sorted(named - moments.keys())
    kept = (
        await signature_counts.evidence(connection, [bytes.fromhex(one) for one in unknown])
        if unknown
        else []
    )
    moments |= dict.fromkeys(unknown)
    moments |= {record["sha256"].hex(): revoked.made(record["kind"], record["body"]) for record in kept}


def _told(
    usage: Usage, row: Row, serials: Mapping[bytes, str], moments: Mapping[str, datetime | None]
) -> Iterator[Sequence[Value]]:
    """A signature that failed is one row; a letter that lacks signatures has one for each."""
    if "evidence" in row:
        yield _failed(usage, row, serials, moments)
    else:
        yield from (_lacks(usage, row, code) for code in _unexplained(row))


def _failed(
    usage: Usage, row: Row, serials: Mapping[bytes, str], moments: Mapping[str, datetime | None]
) -> list[Value]:
    again = row["newest_revision"] > row["revision"] or row["revision"] > 1
    passed = row["newest_indication"] == "TOTAL_PASSED"
    return [
        *_head(usage, row),
        Word("report.place.package") if row["place"] == "package" else row["place"],
        row["signer_name"] or None,
        serials.get(row["sha256"]),
        Word(f"indication.{row['indication']}"),
        Word(f"report.failure.{ON_HOLD.get(row['why']) or REASONS.get(row['sub_indication'], UNTRUSTED)}"),
        max(filter(None, (moments[digest] for digest in row["evidence"])), default=None),
        Dated(Word(f"indication.{row['newest_indication']}"), row["newest_judged_at"]) if again else None,
        None if passed else Word(f"advice.{row['why']}"),
    ]


def _lacks(usage: Usage, row: Mapping[str, Any], code: str) -> list[Value]:
    part, _, kind = code.partition(".")
    kind, _, name = kind.partition(":")
    return [
        *_head(usage, row),
        name or row["main_attachment"] or Word("report.place.none"),
        None,
        None,
        Word(f"reason.{row['reason']}") if row["reason"] else None,
        Word(f"report.failure.missing_{kind or part}"),
        None,
        None,
        Word(f"report.handling.{HANDLING.get(row['reason'], SIGN)}"),
    ]


def _head(usage: Usage, row: Mapping[str, Any]) -> list[Value]:
    number = "/".join(filter(None, (row["number"], row["notation"]))) or row["document_id"]
    return [row["accepted_at"], number, usage.agencies[row["sender"]].code]


def _unexplained(row: Mapping[str, Any]) -> list[str]:
    """What is missing without a failed signature in its stead, which has a row of its own."""
    failing = {tuple(one.split("\x1f")) for one in row["failing"]}
    return [code for code in row["missing"] if not _stands_in(code, row["main_attachment"], failing)]


def _stands_in(code: str, main: str | None, failing: Iterable[tuple[str, ...]]) -> bool:
    part, _, rest = code.partition(".")
    kind, _, name = rest.partition(":")
    places = (main, "package") if part == "main" else (name,)
    return any(place in places and signer in (kind, "unknown") for place, signer in failing)
