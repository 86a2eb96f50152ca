"""The directory laid out as the sheets of one workbook, as `directory_book` takes them apart into the same again."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from exchange.rules import directory_tabs, xlsx_write
from exchange.rules.directory_csv import Column, cell
from exchange.rules.directory_entries import CertificateEntry, OfficerEntry
from exchange.rules.directory_laid import Key
from exchange.rules.directory_plan import State
from exchange.rules.directory_systems import ActsEntry, SystemEntry
from exchange.rules.directory_tabs import CERTIFICATE_PART, OFFICER_PART, Tab

WIDTHS: Mapping[str, int] = {
    "name": 46, "certificate": 30, "basis": 34, "confirmed_by": 30, "system": 38, "position": 22, "login": 24,
}  # fmt: skip
DAY_WIDTH, CODE_WIDTH, WIDTH = 13, 18, 15


def laid_out(state: State, language: str) -> list[xlsx_write.Sheet]:
    """Everything the directory holds; accounts have their headings only."""
    rows: Mapping[str, Iterable[Mapping[str, Any]]] = {
        "agency": [vars(entry) for entry in state.agencies.values()],
        "system": _systems(state.systems.values(), state.acts.values()),
        "person": _persons(state.officers, state.certificates.values()),
        "account": (),
    }
    return [_sheet(tab, rows[tab.layout.name], language) for tab in directory_tabs.TABS]


def heading(column: Column, language: str) -> str:
    """A column's heading; a star marks what every row needs."""
    said = column.name if language == "en" else column.headings[0]
    return f"{said} *" if column.needed else said


def _sheet(tab: Tab, rows: Iterable[Mapping[str, Any]], language: str) -> xlsx_write.Sheet:
    columns = tab.layout.columns
    return xlsx_write.Sheet(
        title=tab.titles[language],
        columns=[_column(column, language) for column in columns],
        rows=[[_value(column, row.get(column.name), language) for column in columns] for row in rows],
    )


def _column(column: Column, language: str) -> xlsx_write.Column:
    day, code = directory_tabs.is_day(column), directory_tabs.is_code(column)
    return xlsx_write.Column(
        heading=heading(column, language),
        width=DAY_WIDTH if day else CODE_WIDTH if code else WIDTHS.get(column.name, WIDTH),
        choices=tuple(said[language] for said in directory_tabs.WORDS.get(column.read, {}).values()),
        day=day,
    )


def _value(column: Column, value: Any, language: str) -> xlsx_write.Value:  # noqa: ANN401 - a cell of any column
    words = directory_tabs.WORDS.get(column.read)
    if value is None or value == "":
        return None
    if words is not None:
        return words[value][language]
    return value if directory_tabs.is_day(column) else cell(value)


def _systems(systems: Iterable[SystemEntry], acts: Iterable[ActsEntry]) -> Iterator[Mapping[str, Any]]:
    """One row for each period; a system that acts for nobody has one row of its own."""
    periods: defaultdict[str, list[ActsEntry]] = defaultdict(list)
    for each in acts:
        periods[each.system].append(each)
    for system in systems:
        own = {"system": system.id, "name": system.name, "owner": system.owner}
        for period in periods[system.id]:
            yield {**vars(period), **own}
        if not periods[system.id]:
            yield own


def _persons(
    officers: Mapping[Key, OfficerEntry], certificates: Iterable[CertificateEntry]
) -> list[Mapping[str, Any]]:
    """One row for each certificate with its officer, and one for each officer without; by agency, seals first."""
    rows, told = [], set()
    for held in certificates:
        whose = (held.agency, held.officer)
        told.add(whose)
        rows.append({**_left(officers.get(whose)), **_part(held, CERTIFICATE_PART)})
    rows += [_left(officer) for key, officer in officers.items() if key not in told]
    return sorted(rows, key=lambda row: (row["agency"], row["officer"], str(row.get("valid_from", ""))))


def _left(officer: OfficerEntry | None) -> dict[str, Any]:
    return _part(officer, OFFICER_PART) if officer else {}


def _part(entry: object, part: Mapping[str, str]) -> dict[str, Any]:
    return {here: getattr(entry, there) for here, there in part.items()}
