"""What an import would do to the directory: which entries are new, which change, which lines contradict something.

Theory of operation. The store gives what it holds as entries (`State`), the sheets give rows. A row laid over the
entry it belongs to is the entry as it will stand; equal entries are left alone, so the same sheet twice changes
nothing. Agencies come first: officers and certificates may name agencies of the same import, and a parent may stand
below its children. Nothing here knows ids: agencies are named by canonical code.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import date
from itertools import chain, permutations
from typing import Any, Generic, TypeVar

from exchange.errors import Finding
from exchange.rules import directory, directory_history
from exchange.rules.directory_csv import Layout, Row, finding
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

Key = tuple[str, ...]
Entry = TypeVar("Entry", bound=AgencyEntry | OfficerEntry | CertificateEntry)

KEYS: Mapping[str, Key] = {
    "agency": ("code",),
    "officer": ("agency", "code"),
    "certificate": ("agency", "certificate", "valid_from"),
}
"""The fields of a row that say which entry it is; `key` of the entries is made of the same."""
PERIODS = (
    ("valid_from", "valid_to"),
    ("no_paper_from", "no_paper_to"),
    ("signs_package_from", "signs_package_to"),
)


@dataclass(frozen=True, kw_only=True)
class State:
    """What the directory holds, by key; codes and statements with their history, by the agency's canonical code."""

    agencies: Mapping[Key, AgencyEntry] = field(default_factory=dict)
    officers: Mapping[Key, OfficerEntry] = field(default_factory=dict)
    certificates: Mapping[Key, CertificateEntry] = field(default_factory=dict)
    codes: Mapping[str, tuple[Held, ...]] = field(default_factory=dict)
    statements: Mapping[str, tuple[Statement, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Change(Generic[Entry]):
    """One entry of a sheet as it stood (None: new) and as it will stand."""

    line: int
    before: Entry | None
    after: Entry

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that differ; none for a new entry."""
        names = [each.name for each in fields(self.after)] if self.before else []
        return tuple(name for name in names if getattr(self.before, name) != getattr(self.after, name))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an import would write, and everything against it: with an error among `findings` nothing is written.

    `codes` and `statements` are the whole new lists of each agency in `agencies`, by canonical code.
    """

    agencies: tuple[Change[AgencyEntry], ...] = ()
    officers: tuple[Change[OfficerEntry], ...] = ()
    certificates: tuple[Change[CertificateEntry], ...] = ()
    codes: Mapping[str, tuple[Held, ...]] = field(default_factory=dict)
    statements: Mapping[str, tuple[Statement, ...]] = field(default_factory=dict)
    unchanged: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Laid(Generic[Entry]):
    """Rows of one sheet laid over the stored entries, unchanged ones among them."""

    entries: tuple[Change[Entry], ...]
    findings: tuple[Finding, ...]

    @property
    def changes(self) -> tuple[Change[Entry], ...]:
        return tuple(entry for entry in self.entries if entry.before != entry.after)


def plan(state: State, sheets: Mapping[str, Sequence[Row]], on: date) -> Plan:
    """Lay the rows of the sheets (by the layout's name) over what the directory holds on a day."""
    rows, names = _known(state, sheets.get("agency", ()), on)
    agencies = _agencies(state, rows, names, on)
    officers, persons = _officers(state, sheets.get("officer", ()), names)
    certificates = _certificates(state, sheets.get("certificate", ()), names, persons)
    codes, statements = _histories(state, agencies.changes, on)
    parts = (agencies, officers, certificates)
    return Plan(
        agencies=agencies.changes,
        officers=officers.changes,
        certificates=certificates.changes,
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


def _agencies(state: State, rows: Sequence[Row], names: Mapping[str, str], on: date) -> _Laid[AgencyEntry]:
    resolved, unknown = _resolved(AGENCIES, "parent", rows, names)
    laid = _laid(AGENCIES, AgencyEntry, resolved, state.agencies)
    settled = tuple(
        replace(entry, after=directory_history.settled(entry.before, entry.after, on))
        for entry in laid.entries
    )
    return _Laid(entries=settled, findings=(*unknown, *laid.findings, *_circles(state, settled)))


def _officers(
    state: State, rows: Sequence[Row], names: Mapping[str, str]
) -> tuple[_Laid[OfficerEntry], Collection[Key]]:
    """The officers, and the keys of all that a certificate may name, those with faults of their own among them."""
    resolved, unknown = _resolved(OFFICERS, "agency", rows, names)
    laid = _laid(OFFICERS, OfficerEntry, resolved, state.officers)
    persons = state.officers.keys() | {_key(OFFICERS, row) for row in resolved}
    return replace(laid, findings=(*unknown, *laid.findings)), persons


def _certificates(
    state: State, rows: Sequence[Row], names: Mapping[str, str], persons: Collection[Key]
) -> _Laid[CertificateEntry]:
    resolved, unknown = _resolved(CERTIFICATES, "agency", rows, names)
    laid = _laid(CERTIFICATES, CertificateEntry, resolved, state.certificates)
    wrong = chain.from_iterable(_signer(entry, persons) for entry in laid.entries)
    return replace(laid, findings=(*unknown, *laid.findings, *wrong))


def _resolved(
    layout: Layout, column: str, rows: Sequence[Row], names: Mapping[str, str]
) -> tuple[list[Row], list[Finding]]:
    """The rows with that column's code made canonical; a code that nobody has is a finding."""
    resolved, findings = [], []
    for row in rows:
        code = row.given.get(column)
        if code and code not in names:
            findings.append(finding(layout, "sheet_unknown_agency", row.line, column, cell=code))
            resolved.append(replace(row, bad=row.bad | {column}))
        else:
            resolved.append(replace(row, given={**row.given, column: names[code]}) if code else row)
    return resolved, findings


def _laid(
    layout: Layout, kind: type[Entry], rows: Sequence[Row], stored: Mapping[Key, Entry]
) -> _Laid[Entry]:
    entries: list[Change[Entry]] = []
    findings: list[Finding] = []
    first: dict[Key, int] = {}
    for row in rows:
        key = _key(layout, row)
        before = stored.get(key)
        wrong = [*_missing(layout, kind, row, before), *_twice(layout, row, first.setdefault(key, row.line))]
        findings.extend(wrong)
        if wrong or row.bad:
            continue
        after = _overlaid(kind, before, row.given)
        findings.extend(_periods(layout, row.line, after))
        entries.append(Change(line=row.line, before=before, after=after))
    return _Laid(entries=tuple(entries), findings=tuple(findings))


def _overlaid(kind: type[Entry], before: Entry | None, given: Mapping[str, Any]) -> Entry:
    return kind(**given) if before is None else replace(before, **given)


def _key(layout: Layout, row: Row) -> Key:
    """The entry's key; a row without a whole key gets one of its own, by its line."""
    parts = [row.given.get(name) for name in KEYS[layout.name]]
    return tuple(str(part) for part in parts) if all(parts) else (str(row.line), "", "", "")


def _missing(layout: Layout, kind: type[Entry], row: Row, before: Entry | None) -> Iterator[Finding]:
    wanted = KEYS[layout.name] if before else [each.name for each in fields(kind) if each.default is MISSING]
    missing = [name for name in wanted if row.given.get(name) is None and not row.bad & {name, "*"}]
    if missing:
        yield finding(layout, "sheet_missing", row.line, missing[0], columns=", ".join(missing))


def _twice(layout: Layout, row: Row, first: int) -> Iterator[Finding]:
    if first != row.line:
        yield finding(layout, "sheet_twice", row.line, KEYS[layout.name][-1], first=first)


def _periods(layout: Layout, line: int, entry: object) -> Iterator[Finding]:
    for start, end in PERIODS:
        first, last = getattr(entry, start, None), getattr(entry, end, None)
        if last is not None and (first is None or last < first):
            yield finding(layout, "sheet_period", line, end, first=start, last=end)


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
