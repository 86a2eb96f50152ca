"""The one statement shape that writes many rows at once.

Writing is `INSERT … SELECT … FROM unnest($1::type[], …)`: one round trip for any number of rows, 25-40 x the rate of single
inserts (reference/performance.md §2). Columns that are arrays or jsonb travel as text and are cast in the SELECT, because
`unnest` would flatten them. `_TYPES` names the columns' PostgreSQL types; a column that is not there is text.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any

from exchange.store.pool import Connection
from exchange.store.rows import (
    AnswerRow,
    DeliveryRow,
    DeltaRow,
    DueRow,
    EvidenceRow,
    JournalRow,
    JudgementRow,
    LetterRow,
    LinkRow,
    PayloadRow,
    Row,
    VerdictRow,
)

TABLES: Mapping[type[Row], str] = {
    LetterRow: "letter",
    LinkRow: "letter_link",
    VerdictRow: "verdict",
    JudgementRow: "judgement",
    DueRow: "rejudgement_due",
    DeliveryRow: "delivery",
    AnswerRow: "letter_answer",
    PayloadRow: "payload",
    JournalRow: "journal",
    EvidenceRow: "evidence",
    DeltaRow: "tally_delta",
}
KEYS: Mapping[type[Row], tuple[str, ...]] = {
    LetterRow: ("sender", "document_id", "round", "operation", "replay"),
    LinkRow: ("sender", "letter", "kind", "target"),
    VerdictRow: ("sender", "letter", "revision", "position"),
    JudgementRow: ("sender", "letter", "revision"),
    DueRow: ("sender", "letter"),
    DeliveryRow: ("recipient", "letter", "round"),
    AnswerRow: ("sender", "letter", "position"),
    PayloadRow: ("id",),
    JournalRow: ("agency", "id"),
    EvidenceRow: ("sha256",),
    DeltaRow: ("agency", "id"),
}
"""What rows are sorted by before they are written, so that two writers take locks in one order."""

_RENAMED = {"klass": "class"}
_TYPES = {
    "sender": "uuid", "id": "uuid", "letter": "uuid", "recipient": "uuid", "agency": "uuid", "system": "uuid",
    "delivery": "uuid", "signer_agency": "uuid", "officer": "uuid", "target": "uuid", "restated_by": "uuid",
    "rejudgement": "uuid", "due_at": "timestamptz",
    "round": "int", "revision": "int", "position": "int", "n": "int",
    "urgency": "smallint", "issued_year": "smallint", "paper": "smallint", "size": "bigint", "directory_version": "bigint",
    "sha256": "bytea", "receipt": "bytea", "body": "bytea", "certificate_sha256": "bytea", "trust_sha256": "bytea",
    "policy_sha256": "bytea", "main_sha256": "bytea",
    "issued_on": "date", "day": "date",
    "accepted_at": "timestamptz", "expanded_at": "timestamptz", "recheck_at": "timestamptz", "signed_at_claimed": "timestamptz",
    "best_signature_time": "timestamptz", "judged_at": "timestamptz", "at": "timestamptz", "first_seen": "timestamptz",
    "effected_at": "timestamptz", "added_at": "timestamptz", "restated": "bool",
    "no_paper_standing": "bool", "test": "bool", "main": "bool", "covers_whole": "bool", "provisional": "bool",
    "wrapping": "bool", "first_of_key": "bool",
    "recipients": "uuid[]", "added": "uuid[]", "removed": "uuid[]", "duplicates": "uuid[]", "purposes": "text[]",
    "unroutable": "text[]", "response_for": "text[]",
    "changes_after": "text[]", "missing": "text[]", "evidence": "text[]", "detail": "jsonb",
}  # fmt: skip


_JSON = json.JSONEncoder(ensure_ascii=False).encode


async def rows(
    connection: Connection, given: Sequence[Row], *, conflict: str = "", returning: str = ""
) -> list[Any]:
    """Write rows of one kind in one statement, sorted by key (what came first stays first); `conflict` and `returning` are SQL clauses of ours.

    Returns the records of RETURNING. Raises what asyncpg raises.
    """
    if not given:
        return []
    ordered = sorted(given, key=attrgetter(*KEYS[type(given[0])]))
    names = tuple(field.name for field in fields(ordered[0]))
    columns = [_column(name, ordered) for name in names]
    return await connection.fetch(_statement(TABLES[type(given[0])], names, conflict, returning), *columns)


@cache
def _statement(table: str, names: tuple[str, ...], conflict: str, returning: str) -> str:
    wire = [_travels(_TYPES.get(name, "text")) for name in names]
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(wire, 1))
    quoted = [f'"{_RENAMED.get(name, name)}"' for name in names]
    chosen = [f"{column}::{_TYPES.get(name, 'text')}" for name, column in zip(names, quoted, strict=True)]
    return (
        f"INSERT INTO {table} ({', '.join(quoted)}) SELECT {', '.join(chosen)} "  # noqa: S608 - names are ours
        f"FROM unnest({arrays}) AS given ({', '.join(quoted)}) {conflict} {returning}"
    )


def _travels(kind: str) -> str:
    return "text" if kind.endswith("[]") or kind == "jsonb" else kind


def _column(name: str, given: Iterable[Row]) -> list[Any]:
    """One column of the rows given, as it travels."""
    entries, kind = map(attrgetter(name), given), _TYPES.get(name, "text")
    if kind == "jsonb":
        return list(map(_JSON, entries))
    return list(map(array, entries)) if kind.endswith("[]") else list(entries)


def array(entries: Sequence[object]) -> str:
    """A PostgreSQL array literal of these entries, quoted as the manual tells (section "Array Input and Output")."""
    quoted = ('"' + str(entry).replace("\\", "\\\\").replace('"', '\\"') + '"' for entry in entries)
    return "{" + ",".join(quoted) + "}"
