"""BC-12, what was not verified (nhật ký xác minh không đạt): verdicts that did not pass, and signatures that are missing."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from exchange.rules.signature_measures import Usage
from exchange.store import signature_counts
from exchange.store.pool import Connection
from exchange.tracker.reports.report import Column, Dated, Line, Report, Table, Value, Word
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


async def report(connection: Connection, usage: Usage, asked: Asked, scope: Sequence[str]) -> Report:
    """One row a signature that did not pass, and one a signature that is missing; how many letters were refused at the gate."""
    span = (asked.agencies, asked.first, asked.end)
    failed = await signature_counts.failures(connection, *span)
    lacking = await signature_counts.lacking(connection, *span)
    moments = await _moments(connection, failed)
    serials = {one.sha256: one.own.serial for one in usage.certificates if one.own}
    rows = [(_place(row), _failed(usage, row, serials, moments)) for row in failed]
    rows += [(_place(row), _lacks(usage, row, code)) for row in lacking for code in _unexplained(row)]
    refused = await signature_counts.refused(connection, *span)
    return Report(
        code="BC-12",
        asked=asked,
        scope=scope,
        table=Table(name="BC-12", columns=COLUMNS, rows=[row for _, row in sorted(rows, key=lambda one: one[0])]),
        lines=(Line(key="refused", facts={"n": refused}),),
    )  # fmt: skip


def _place(row: Mapping[str, Any]) -> tuple[datetime, str]:
    return row["accepted_at"], str(row["letter"])


async def _moments(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> dict[str, datetime]:
    """When each piece of evidence of revocation was made, by its hex digest."""
    named = {digest for row in rows for digest in row["evidence"]}
    kept = await signature_counts.evidence(connection, [bytes.fromhex(digest) for digest in sorted(named)])
    moments = {record["sha256"].hex(): revoked.made(record["kind"], record["body"]) for record in kept}
    return {digest: moment for digest, moment in moments.items() if moment}


def _failed(
    usage: Usage, row: Mapping[str, Any], serials: Mapping[bytes, str], moments: Mapping[str, datetime]
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
        max((moments[digest] for digest in row["evidence"] if digest in moments), default=None),
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
