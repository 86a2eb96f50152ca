"""What an import would do to the directory: which entries are new, which change, which lines contradict something.

Theory of operation. The store gives what it holds as entries (`State`), the sheets give rows. A row laid over the
entry it belongs to is the entry as it will stand; equal entries are left alone, so the same sheet twice changes
nothing. Agencies come first: officers and certificates may name agencies of the same import, and a parent may stand
below its children. Nothing here knows ids: agencies are named by canonical code.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain, permutations
from types import MappingProxyType

from exchange.errors import Finding
from exchange.rules import (
    directory,
    directory_history,
    directory_laid,
    directory_succession,
    directory_systems,
)
from exchange.rules.directory_csv import Row, finding
from exchange.rules.directory_entries import (
    AGENCIES,
    CERTIFICATES,
    CONFIRMATIONS,
    OFFICERS,
    AgencyEntry,
    CertificateEntry,
    OfficerEntry,
)
from exchange.rules.directory_history import Held, Statement
from exchange.rules.directory_laid import Change, Key, Laid, row_key
from exchange.rules.directory_systems import ActsEntry, SystemEntry


@dataclass(frozen=True, kw_only=True)
class State:
    """What the directory holds, by key; codes and statements with their history, by the agency's canonical code."""

    agencies: Mapping[Key, AgencyEntry] = field(default_factory=dict)
    officers: Mapping[Key, OfficerEntry] = field(default_factory=dict)
    certificates: Mapping[Key, CertificateEntry] = field(default_factory=dict)
    systems: Mapping[Key, SystemEntry] = field(default_factory=dict)
    acts: Mapping[Key, ActsEntry] = field(default_factory=dict)
    codes: Mapping[str, tuple[Held, ...]] = field(default_factory=dict)
    statements: Mapping[str, tuple[Statement, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an import would write, and everything against it: with an error among `findings` nothing is written.

    `codes` and `statements` are the whole new lists of each agency in `agencies`, by canonical code.
    """

    agencies: tuple[Change[AgencyEntry], ...] = ()
    officers: tuple[Change[OfficerEntry], ...] = ()
    certificates: tuple[Change[CertificateEntry], ...] = ()
    systems: tuple[Change[SystemEntry], ...] = ()
    acts: tuple[Change[ActsEntry], ...] = ()
    codes: Mapping[str, tuple[Held, ...]] = field(default_factory=dict)
    statements: Mapping[str, tuple[Statement, ...]] = field(default_factory=dict)
    unchanged: int = 0
    findings: tuple[Finding, ...] = ()


def plan(
    state: State,
    sheets: Mapping[str, Sequence[Row]],
    on: date,
    new_systems: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """Lay the rows of the sheets (by the layout's name) over what the directory holds on a day.

    `new_systems`: ids for the systems that `directory_systems.unknown` names.
    """
    rows, names = _known(state, sheets.get("agency", ()), on)
    agencies = _agencies(state, rows, names, on)
    officers, persons = _officers(state, sheets.get("officer", ()), names)
    certificates = _certificates(state, sheets.get("certificate", ()), names, persons)
    rows_of_systems = directory_systems.identified(sheets.get("system", ()), state.systems, new_systems)
    systems, acts = directory_systems.laid(state.systems, state.acts, rows_of_systems, names)
    codes, statements = _histories(state, agencies.changes, on)
    parts = (agencies, officers, certificates, systems, acts)
    return Plan(
        agencies=agencies.changes,
        officers=officers.changes,
        certificates=certificates.changes,
        systems=systems.changes,
        acts=acts.changes,
        codes=codes,
        statements=statements,
        unchanged=sum(len(part.entries) - len(part.changes) for part in parts),
        findings=(
            *chain.from_iterable(part.findings for part in parts),
            *_collisions(state, agencies.changes, codes),
        ),
    )


def _known(state: State, rows: Sequence[Row], on: date) -> tuple[tuple[Row, ...], Mapping[str, str]]:
    """The agency rows under their canonical codes, and every code that a sheet may name with its agency.

    A row belongs to the agency whose canonical code it gives, or who holds that code on the day; else it is a
    new agency. Other sheets may also name one by a code it had, or will have.
    """
    held = sorted(_effective(state.codes, state.agencies), key=lambda code: code.valid_from)
    holders = {code.code: code.agency for code in held if directory.holds(code, on)}
    holders |= {entry.code: entry.code for entry in state.agencies.values()}
    named = tuple(_named(row, holders) for row in rows)
    new = {
        row.given[form]: row.given["code"]
        for form in ("code102", "code")
        for row in named
        if row.given.get(form) and "code" in row.given
    }
    return named, {code.code: code.agency for code in held} | new | holders


def _effective(codes: Mapping[str, Iterable[Held]], agencies: Mapping[Key, AgencyEntry]) -> Iterator[Held]:
    for code, held in codes.items():
        yield from (directory_history.within(each, agencies[code,]) for each in held)


def _named(row: Row, holders: Mapping[str, str]) -> Row:
    given = directory_history.whole(row.given)
    if "code" in given:
        given["code"] = holders.get(given["code"], given["code"])
    return replace(row, given=given)


def _agencies(state: State, rows: Sequence[Row], names: Mapping[str, str], on: date) -> Laid[AgencyEntry]:
    above, unknown = directory_laid.resolved(AGENCIES, "parent", rows, names)
    resolved, strangers = directory_laid.resolved(AGENCIES, "successor", above, names)
    laid = directory_laid.lay(AGENCIES, AgencyEntry, resolved, state.agencies)
    settled = tuple(
        replace(entry, after=directory_history.settled(entry.before, entry.after, on))
        for entry in laid.entries
    )
    wrong = (*laid.findings, *_circles(state, settled), *_mergers(state, settled))
    return Laid(entries=settled, findings=(*unknown, *strangers, *wrong))


def _officers(
    state: State, rows: Sequence[Row], names: Mapping[str, str]
) -> tuple[Laid[OfficerEntry], Collection[Key]]:
    """The officers, and the keys of all that a certificate may name, those with faults of their own among them."""
    resolved, unknown = directory_laid.resolved(OFFICERS, "agency", rows, names)
    laid = directory_laid.lay(OFFICERS, OfficerEntry, resolved, state.officers)
    persons = state.officers.keys() | {row_key(OFFICERS, row) for row in resolved}
    return replace(laid, findings=(*unknown, *laid.findings)), persons


def _certificates(
    state: State, rows: Sequence[Row], names: Mapping[str, str], persons: Collection[Key]
) -> Laid[CertificateEntry]:
    resolved, unknown = directory_laid.resolved(CERTIFICATES, "agency", rows, names)
    laid = directory_laid.lay(CERTIFICATES, CertificateEntry, resolved, state.certificates)
    wrong = chain.from_iterable(_signer(entry, persons) for entry in laid.entries)
    return replace(laid, findings=(*unknown, *laid.findings, *wrong))


def _circles(state: State, entries: Sequence[Change[AgencyEntry]]) -> Iterator[Finding]:
    """Agencies that stand above themselves: each of them in the sheet, with the way round."""
    parents = {entry.code: entry.parent for entry in state.agencies.values()}
    parents |= {entry.after.code: entry.after.parent for entry in entries}
    for entry in entries:
        way = [entry.after.code]
        while (above := parents.get(way[-1], "")) and above not in way:
            way.append(above)
        if above == way[0]:
            circle = " → ".join([*way, above])
            yield finding(AGENCIES, "sheet_parent_circle", entry.line, "parent", circle=circle)


def _mergers(state: State, entries: Sequence[Change[AgencyEntry]]) -> Iterator[Finding]:
    """Mergers that cannot be (cơ quan kế thừa), at the line of the merged agency or, if it has none, of its successor."""
    lines = {entry.after.code: entry.line for entry in entries}
    agencies = {entry.code: entry for entry in state.agencies.values()}
    agencies |= {entry.after.code: entry.after for entry in entries}
    for misfit in directory_succession.misfits(agencies):
        line = lines.get(misfit.code, lines.get(agencies[misfit.code].successor))
        if line is not None:
            facts = {"agency": misfit.code, "about": misfit.about}
            yield finding(AGENCIES, misfit.why, line, misfit.column, **facts)


def _signer(entry: Change[CertificateEntry], persons: Collection[Key]) -> Iterator[Finding]:
    after = entry.after
    if (after.kind == "individual") != bool(after.officer):
        yield finding(CERTIFICATES, "sheet_officer_kind", entry.line, "officer", kind=after.kind)
    elif after.officer and (after.agency, after.officer) not in persons:
        facts = {"cell": after.officer, "agency": after.agency}
        yield finding(CERTIFICATES, "sheet_unknown_officer", entry.line, "officer", **facts)
    if not after.confirmed:
        proposed = finding(
            CERTIFICATES, "sheet_proposed", entry.line, "confirmed_by", wanted=CONFIRMATIONS[after.kind]
        )
        yield replace(proposed, severity="warning")


def _histories(
    state: State, changes: Sequence[Change[AgencyEntry]], on: date
) -> tuple[dict[str, tuple[Held, ...]], dict[str, tuple[Statement, ...]]]:
    codes, statements = {}, {}
    for change in changes:
        code = change.after.code
        held, stated = state.codes.get(code, ()), state.statements.get(code, ())
        codes[code] = directory_history.codes(held, change.before, change.after, on)
        statements[code] = directory_history.statements(stated, change.before, change.after)
    return codes, statements


def _collisions(
    state: State, changes: Sequence[Change[AgencyEntry]], codes: Mapping[str, tuple[Held, ...]]
) -> Iterator[Finding]:
    """Codes that two agencies would have on one day, at each line that brings one."""
    lines = {change.after.code: change.line for change in changes}
    agencies = {**state.agencies, **{change.after.key: change.after for change in changes}}
    holders: defaultdict[str, list[Held]] = defaultdict(list)
    for held in _effective({**state.codes, **codes}, agencies):
        holders[held.code].append(held)
    for one, other in chain.from_iterable(permutations(held, 2) for held in holders.values()):
        clash = one.agency != other.agency and directory_history.overlap(
            one, other.valid_from, other.valid_to
        )
        if clash and one.agency in lines:
            column = "code" if one.code == one.agency else "code102"
            facts = {"cell": one.code, "agency": other.agency}
            yield finding(AGENCIES, "sheet_code_taken", lines[one.agency], column, **facts)
