"""Systems (hệ thống) and whom they act for, as rows of a sheet: one row for a system, an agency and a period.

A row names its system by its id, or by its name where the id is empty: a name that nobody has yet is a new system.
What a row says of the system itself must be the same in all its rows. Keys and certificates of a system never stand
in a sheet.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from uuid import UUID

from exchange.errors import Finding
from exchange.rules import directory, directory_laid
from exchange.rules.directory_csv import Bad, Column, Layout, Row, Value, finding
from exchange.rules.directory_entries import MAX_TEXT, agency_code, day
from exchange.rules.directory_laid import Change, Key, Laid


@dataclass(frozen=True, kw_only=True)
class SystemEntry:
    """A document system (hệ thống quản lý văn bản); `owner` is the code of the agency that answers for it."""

    id: str
    name: str
    owner: str

    @property
    def key(self) -> Key:
        """What a second import knows the same system by."""
        return (self.id,)


@dataclass(frozen=True, kw_only=True)
class ActsEntry:
    """A period in which a system sends and receives for an agency; its last day is included."""

    system: str
    agency: str
    valid_from: date
    valid_to: date | None = None

    @property
    def key(self) -> Key:
        """What a second import knows the same period by."""
        return (self.system, self.agency, self.valid_from.isoformat())


def system_name(cell: str) -> Value | Bad:
    """What people call a system, at most 500 characters; it stands in typed cells only, where nothing is a formula."""
    if not cell.isprintable():
        return Bad("sheet_bad_characters")
    return cell if len(cell) <= MAX_TEXT else Bad("sheet_too_long", str(MAX_TEXT))


def system_id(cell: str) -> Value | Bad:
    """A system's id as `congvan system list` shows it."""
    try:
        return str(UUID(cell))
    except ValueError:
        return Bad("sheet_bad_system")


SYSTEMS = Layout(
    name="system",
    columns=(
        Column(name="system", headings=("Mã hệ thống",), read=system_id),
        Column(name="name", headings=("Tên hệ thống", "Tên"), read=system_name),
        Column(name="owner", headings=("Mã cơ quan chủ quản", "Cơ quan chủ quản"), read=agency_code),
        Column(name="agency", headings=("Thay mặt cơ quan", "Mã cơ quan"), read=agency_code),
        Column(name="valid_from", headings=("Hiệu lực từ", "Từ ngày"), read=day, default=None),
        Column(name="valid_to", headings=("Hiệu lực đến", "Đến ngày"), read=day, default=None),
    ),
)
_ACTS = replace(SYSTEMS, name="acts_for")
_OWN = (("system", "id"), ("name", "name"), ("owner", "owner"))


def unknown(rows: Sequence[Row], stored: Mapping[Key, SystemEntry]) -> tuple[str, ...]:
    """The names without an id that no system has: the new systems, for which `identified` wants ids."""
    names = {entry.name for entry in stored.values()}
    wanted = (row.given.get("name", "") for row in rows if not row.given.get("system"))
    return tuple(dict.fromkeys(name for name in wanted if name and name not in names))


def identified(
    rows: Sequence[Row], stored: Mapping[Key, SystemEntry], new: Mapping[str, str]
) -> tuple[list[Row], list[Finding]]:
    """The rows with their system's id; an unknown id, and a name that several systems have, are findings."""
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for entry in stored.values():
        by_name[entry.name].append(entry.id)
    known = {entry.id for entry in stored.values()}
    found, findings = [], []
    for row in rows:
        one = _identified(row, known, {**{name: [made] for name, made in new.items()}, **by_name})
        if isinstance(one, Finding):
            findings.append(one)
            one = replace(row, bad=row.bad | {"*"})
        found.append(one)
    return found, findings


def laid(
    systems: Mapping[Key, SystemEntry],
    acts: Mapping[Key, ActsEntry],
    rows: tuple[Sequence[Row], Sequence[Finding]],
    names: Mapping[str, str],
) -> tuple[Laid[SystemEntry], Laid[ActsEntry]]:
    """Rows of `identified` laid over the stored systems and periods; `names` leads from any code to the agency's."""
    identified_rows, wrong = rows
    owned, unknown_owners = directory_laid.resolved(SYSTEMS, "owner", identified_rows, names)
    own, contradictions = directory_laid.once(SYSTEMS, [_own(row) for row in owned])
    laid_systems = directory_laid.lay(SYSTEMS, SystemEntry, own, systems)
    acting = [_acting(row) for row in identified_rows if _acts(row)]
    whole, unknown_agencies = directory_laid.resolved(_ACTS, "agency", acting, names)
    laid_acts = directory_laid.lay(_ACTS, ActsEntry, whole, acts)
    return (
        replace(laid_systems, findings=(*wrong, *unknown_owners, *contradictions, *laid_systems.findings)),
        replace(
            laid_acts,
            findings=(*unknown_agencies, *laid_acts.findings, *_overlaps(acts, laid_acts.entries)),
        ),
    )


def standing(acts: Iterable[ActsEntry], system: str, agency: str, on: date) -> ActsEntry | None:
    """The period in which a system acts for an agency on a day."""
    for each in acts:
        if (each.system, each.agency) == (system, agency) and directory.holds(each, on):
            return each
    return None


def overlapping(entries: Iterable[ActsEntry]) -> Iterator[tuple[ActsEntry, ActsEntry]]:
    """Pairs of periods of one system and agency that share a day, the earlier first."""
    groups: defaultdict[tuple[str, str], list[ActsEntry]] = defaultdict(list)
    for entry in entries:
        groups[entry.system, entry.agency].append(entry)
    for group in groups.values():
        ordered = sorted(group, key=lambda entry: entry.valid_from)
        for one, other in combinations(ordered, 2):
            if one.valid_to is None or other.valid_from <= one.valid_to:
                yield one, other


def _identified(row: Row, known: set[str], by_name: Mapping[str, Sequence[str]]) -> Row | Finding:
    given, name = row.given.get("system"), row.given.get("name", "")
    if row.bad & {"system", "*"}:
        return replace(row, bad=row.bad | {"*"})
    if given:
        return (
            row
            if given in known
            else finding(SYSTEMS, "sheet_unknown_system", row.line, "system", cell=given)
        )
    if not name:
        return finding(SYSTEMS, "sheet_no_system", row.line, "system")
    ids = by_name[name]
    if len(ids) > 1:
        return finding(SYSTEMS, "sheet_several_systems", row.line, "system", name=name)
    return replace(row, given={**row.given, "system": ids[0]})


def _own(row: Row) -> Row:
    """What a row says of the system itself; an empty cell says nothing."""
    given = {own: row.given[name] for name, own in _OWN if row.given.get(name)}
    return replace(row, given=given, bad=row.bad & {"name", "owner", "*"})


def _acts(row: Row) -> bool:
    return any(row.given.get(name) for name in ("agency", "valid_from", "valid_to")) or bool(
        row.bad & {"agency", "valid_from", "valid_to"}
    )


def _acting(row: Row) -> Row:
    wanted = ("system", "agency", "valid_from", "valid_to")
    given = {name: row.given[name] for name in wanted if row.given.get(name)}
    if "valid_to" in row.given:  # an empty last day means that there is none
        given["valid_to"] = row.given["valid_to"]
    return replace(row, given=given, bad=row.bad & {*wanted, "*"})


def _overlaps(stored: Mapping[Key, ActsEntry], entries: Sequence[Change[ActsEntry]]) -> Iterator[Finding]:
    lines = {entry.after.key: entry.line for entry in entries}
    together = {**stored, **{entry.after.key: entry.after for entry in entries}}
    for one, other in overlapping(together.values()):
        line = lines.get(other.key, lines.get(one.key))
        if line is not None:
            facts = {"agency": one.agency, "first": one.valid_from, "last": one.valid_to or "…"}
            yield finding(_ACTS, "sheet_overlap", line, "valid_from", **facts)
