"""A directory made of sheets alone (danh mục đọc từ tệp): for judging a letter where there is no exchange and no database.

What an import into an empty directory would write, as a snapshot. Ids are made of codes, so the same sheets always give
the same directory.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import cast
from uuid import NAMESPACE_URL, UUID, uuid5

from exchange.errors import Finding
from exchange.rules import directory, directory_entries, directory_plan, directory_succession
from exchange.rules.directory_csv import Row
from exchange.rules.directory_entries import AgencyEntry, CertificateEntry, OfficerEntry
from exchange.rules.directory_plan import Plan, State


@dataclass(frozen=True, kw_only=True)
class Alone:
    """The directory, and what is wrong with the sheets: with an error among them it is not complete."""

    directory: directory.Directory
    findings: tuple[Finding, ...]


def of(sheets: Mapping[str, Sequence[Row]], on: date) -> Alone:
    """The directory of these rows, by kind of entry, on a day."""
    plan = directory_plan.plan(State(), sheets, on)
    entries = {change.after.code: change.after for change in plan.agencies}
    officers = {change.after.key: change.after for change in plan.officers}
    made = directory.build(
        1,
        [_agency(entry, entries) for entry in entries.values()],
        codes=list(_codes(plan)),
        certificates=[_certificate(change.after, officers) for change in plan.certificates],
        declarations=list(_declarations(plan)),
        successions=list(_successions(entries.values())),
    )
    return Alone(directory=made, findings=plan.findings)


def agency_id(code: str) -> UUID:
    """The id of the agency with this canonical code."""
    return uuid5(NAMESPACE_URL, f"agency:{code}")


def _agency(entry: AgencyEntry, entries: Mapping[str, AgencyEntry]) -> directory.Agency:
    return directory.Agency(
        id=agency_id(entry.code),
        code=entry.code,
        name=entry.name,
        kind=entry.kind,
        level=entry.level,
        parent=agency_id(entry.parent) if entry.parent else None,
        root=agency_id(_root(entry, entries).code),
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
        own_clerk=entry.own_clerk,
        counted=entry.counted,
    )


def _root(entry: AgencyEntry, entries: Mapping[str, AgencyEntry]) -> AgencyEntry:
    """The agency of level 1 above it, or the topmost; a circle, which is an error of the sheet, ends the way."""
    seen: set[str] = set()
    while entry.level > 1 and entry.parent in entries and entry.code not in seen:
        seen.add(entry.code)
        entry = entries[entry.parent]
    return entry


def _codes(plan: Plan) -> Iterator[directory.Code]:
    for held in chain.from_iterable(plan.codes.values()):
        yield directory.Code(
            code=held.code,
            form=directory_entries.form(held.code),
            agency=agency_id(held.agency),
            valid_from=held.valid_from,
            valid_to=held.valid_to,
        )


def _successions(entries: Iterable[AgencyEntry]) -> Iterator[directory.Succession]:
    for entry in entries:
        first = directory_succession.takes_effect(entry)
        if first is not None:
            yield directory.Succession(
                predecessor=agency_id(entry.code),
                successor=agency_id(entry.successor),
                takes_effect=first,
                basis=entry.basis,
            )


def _declarations(plan: Plan) -> Iterator[directory.Declaration]:
    for stated in chain.from_iterable(plan.statements.values()):
        yield directory.Declaration(
            agency=agency_id(stated.agency),
            kind=stated.kind,
            valid_from=stated.valid_from,
            valid_to=stated.valid_to,
        )


def _certificate(
    entry: CertificateEntry, officers: Mapping[tuple[str, ...], OfficerEntry]
) -> directory.Certificate:
    officer = officers.get((entry.agency, entry.officer)) if entry.officer else None
    home = agency_id(entry.agency)
    return directory.Certificate(
        sha256=bytes.fromhex(entry.certificate),
        agency=home,
        kind=cast("directory.SignerKind", entry.kind),
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
        officer=uuid5(home, officer.code) if officer else None,
        officer_agency=home if officer else None,
        officer_name=officer.name if officer else "",
        confirmed=entry.confirmed,
        basis=entry.basis,
    )
