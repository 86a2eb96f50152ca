"""Rows of a sheet laid over what the directory holds: what is new, what differs, what contradicts itself.

Nothing here knows what an entry is about: it has a key, and its fields are the columns of its sheet. What entries of
one kind mean beside those of another is in `directory_plan` and `directory_systems`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from exchange.errors import Finding
from exchange.rules.directory_csv import Layout, Row, finding

Key = tuple[str, ...]

KEYS: Mapping[str, Key] = {
    "agency": ("code",),
    "officer": ("agency", "code"),
    "certificate": ("agency", "certificate", "valid_from"),
    "system": ("id",),
    "acts_for": ("system", "agency", "valid_from"),
}
"""The fields of a row that say which entry it is; `key` of the entries is made of the same."""
PERIODS = (
    ("valid_from", "valid_to"),
    ("no_paper_from", "no_paper_to"),
    ("signs_package_from", "signs_package_to"),
)


class Keyed(Protocol):
    """A frozen record with a key that a second import knows it by."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def key(self) -> Key:
        """What a second import knows the same entry by."""


Entry = TypeVar("Entry", bound=Keyed)


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
class Laid(Generic[Entry]):
    """Rows of one sheet laid over the stored entries, unchanged ones among them."""

    entries: tuple[Change[Entry], ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def changes(self) -> tuple[Change[Entry], ...]:
        """Those that are new or differ."""
        return tuple(entry for entry in self.entries if entry.before != entry.after)


def lay(layout: Layout, kind: type[Entry], rows: Sequence[Row], stored: Mapping[Key, Entry]) -> Laid[Entry]:
    """Lay rows over the stored entries they belong to; a row with a fault is a finding and no entry."""
    entries: list[Change[Entry]] = []
    findings: list[Finding] = []
    first: dict[Key, int] = {}
    for row in rows:
        key = row_key(layout, row)
        before = stored.get(key)
        wrong = [*_missing(layout, kind, row, before), *_twice(layout, row, first.setdefault(key, row.line))]
        findings.extend(wrong)
        if wrong or row.bad:
            continue
        after = _overlaid(kind, before, row.given)
        findings.extend(_periods(layout, row.line, after))
        entries.append(Change(line=row.line, before=before, after=after))
    return Laid(entries=tuple(entries), findings=tuple(findings))


def resolved(
    layout: Layout, column: str, rows: Sequence[Row], names: Mapping[str, str]
) -> tuple[list[Row], list[Finding]]:
    """The rows with that column's code made canonical; a code that nobody has is a finding."""
    found, findings = [], []
    for row in rows:
        code = row.given.get(column)
        if code and code not in names:
            findings.append(finding(layout, "sheet_unknown_agency", row.line, column, cell=code))
            found.append(replace(row, bad=row.bad | {column}))
        else:
            found.append(replace(row, given={**row.given, column: names[code]}) if code else row)
    return found, findings


def once(layout: Layout, rows: Sequence[Row]) -> tuple[list[Row], list[Finding]]:
    """One row an entry with all that its rows give; two that give different things of it are a finding."""
    merged: dict[Key, Row] = {}
    findings = []
    for row in rows:
        known = merged.setdefault(row_key(layout, row), row)
        differs = [name for name, value in row.given.items() if known.given.get(name, value) != value]
        if differs:
            facts = {"first": known.line, "columns": ", ".join(differs)}
            findings.append(finding(layout, "sheet_differs", row.line, differs[0], **facts))
        whole = {**row.given, **known.given}
        merged[row_key(layout, row)] = replace(known, given=whole, bad=known.bad | row.bad)
    return list(merged.values()), findings


def row_key(layout: Layout, row: Row) -> Key:
    """The entry's key; a row without a whole key gets one of its own, by its line."""
    parts = [row.given.get(name) for name in KEYS[layout.name]]
    return tuple(str(part) for part in parts) if all(parts) else (str(row.line), "", "", "")


def _overlaid(kind: type[Entry], before: Entry | None, given: Mapping[str, Any]) -> Entry:
    return kind(**given) if before is None else replace(before, **given)


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
