"""The rows behind measures M8 to M11: every document, signer or agency that a ratio counts, and whether it counts above the line."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from exchange.rules import paper_class, signature_measures
from exchange.rules.certificate_use import NEVER, Use
from exchange.rules.signature_measures import Signer, Usage
from exchange.store import signed_documents
from exchange.tracker.reports.given import Given
from exchange.tracker.reports.report import NO, YES, Column, Report, Table, Value, Word

DOCUMENTS = (
    Column(name="number", keeps=True),
    Column(name="sender"),
    Column(name="type"),
    Column(name="issued_on"),
    Column(name="accepted_on"),
    Column(name="letters", numeric=True),
    Column(name="organisation"),
    Column(name="individual"),
    Column(name="both"),
    Column(name="failed"),
    Column(name="undetermined"),
    Column(name="letter"),
)
SIGNERS = (
    Column(name="agency", keeps=True),
    Column(name="name", keeps=True),
    Column(name="position"),
    Column(name="leader"),
    Column(name="used"),
    Column(name="documents", numeric=True),
    Column(name="last_use"),
)
AGENCIES = (
    Column(name="agency", keeps=True),
    Column(name="name"),
    Column(name="has"),
    Column(name="serial"),
    Column(name="to"),
)


async def report(given: Given, code: str, usage: Usage) -> Report:
    """The rows behind `code`, one of M8 to M11."""
    measures = signature_measures.measures(usage)
    return Report(
        code=code,
        asked=given.asked,
        scope=given.scope,
        table=await _table(given, code, usage),
        measures={name: one for name, one in measures.items() if name.partition("_")[0] == code},
    )


async def _table(given: Given, code: str, usage: Usage) -> Table:
    if code in ("M8", "M9"):
        asked, rows = given.asked, given.rows()
        async for row in signed_documents.documents(given.connection, asked.agencies, asked.first, asked.end):
            rows.add(_document(usage, row))
        return Table(name="documents", columns=DOCUMENTS, rows=rows)
    if code == "M10":
        return Table(name="signers", columns=SIGNERS, rows=_signers(usage))
    return Table(name="agencies", columns=AGENCIES, rows=_agencies(usage))


def _document(usage: Usage, row: Mapping[str, Any]) -> list[Value]:
    return [
        "/".join(filter(None, (row["number"], row["notation"]))) or row["document_id"],
        usage.agencies[row["sender"]].code,
        row["document_type"] or None,
        row["issued_on"],
        paper_class.local_day(row["first_accepted"]),
        row["letters"],
        _word(holds=row["organisation"]),
        _word(holds=row["individual"]),
        _word(holds=row["organisation"] and row["individual"]),
        _word(holds=row["failed"]),
        _word(holds=row["undetermined"]),
        str(row["id"]),
    ]


def _signers(usage: Usage) -> list[list[Value]]:
    uses: defaultdict[UUID | None, list[Use]] = defaultdict(list)
    for held in usage.own:
        uses[held.latest.officer].append(usage.uses.get(held.sha256, NEVER))
    return [_signer(usage, one, uses[one.officer]) for one in signature_measures.signers(usage)]


def _signer(usage: Usage, one: Signer, uses: Sequence[Use]) -> list[Value]:
    return [
        usage.agencies[one.agency].code,
        one.name,
        one.position or None,
        _word(holds=one.leader),
        _word(holds=one.officer in usage.used),
        sum(use.documents for use in uses),
        max((use.last for use in uses if use.last), default=None),
    ]


def _agencies(usage: Usage) -> list[list[Value]]:
    holders = signature_measures.sealed(usage)
    rows: list[list[Value]] = []
    for agency in signature_measures.countable(usage):
        best = max(
            holders.get(agency.id, []), key=lambda one: (one.last is None, one.last or usage.on), default=None
        )
        serial = best.own.serial if best and best.own else None
        rows.append(
            [agency.code, agency.name, _word(holds=best is not None), serial, best.last if best else None]
        )
    return rows


def _word(*, holds: bool) -> Word:
    return YES if holds else NO
