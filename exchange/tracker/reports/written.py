"""Reports as programs read them (JSON, CSV): the same whether a command or the API was asked.

Headings are in the reader's language; members are named after columns. In CSV no cell is what a spreadsheet would take for a
formula. Both are also made in pieces, row by row, so that a long list takes no more memory than a short one.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from exchange import texts
from exchange.rules import measures, paper_class, ratios
from exchange.rules.ratios import Measure, Unproven
from exchange.tracker.reports.report import Column, Dated, Hundredths, Pair, Report, Table, Took, Value, Word

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula, or of a cell that hides one."""


PIECE = 1 << 16
"""So many letters or more make a piece of a file."""

NEVER_CLOSED = ("coverage", "merged", "merged_more")
"""What a tally's JSON tells of registers and mergers is as of the moment of asking, also of a closed period."""

Many = Callable[[Iterator[Any]], Any]
"""What becomes of rows as they come: a list of all, or what gives them one by one."""


def as_json(made: Report, language: str, many: Many = list) -> dict[str, Any]:
    """The report as one object: what it says about itself, then rows by the names of their columns."""
    body: dict[str, Any] = {
        "report": made.code,
        **{name: texts.say(f"report.{made.code}.{name}", language) for name in ("title", "unit", "note")},
        "period": made.asked.period.text,
        "first": made.asked.period.first.isoformat(),
        "last": made.asked.period.last.isoformat(),
        "agencies": list(made.scope),
        "filters": filters(made),
        "version": made.version,
        "sha256": made.sha256,
        "as_of": made.asked.as_of.isoformat(timespec="seconds"),
        **_table(made.table, language, many),
        "measures": said(made.measures, language),
        **{
            line.key: {name: plain(value, language) for name, value in line.facts.items()}
            for line in made.lines
        },
    }
    body |= {annex.name: _table(annex, language, many) for annex in made.tables[1:]}
    if made.coverage:
        n, d = made.coverage
        body["coverage"] = {
            "registers": {"n": n, "d": d},
            "percent": made.percent,
            "sufficient": made.sufficient,
        }
    return body


def said(found: Mapping[str, Measure], language: str) -> dict[str, dict[str, Any]]:
    """Measures as the contract shows them, said in the reader's language."""
    return {name: plain(one, language) for name, one in found.items()}


def ratio(one: Measure, language: str) -> str:
    """`92,00 % (441.042/479.393)`; where that is not proven, that there is not enough evidence, and the counts."""
    if not isinstance(one, Unproven) or not one.d:
        return one.text
    return texts.say("cli.insufficient", language, n=ratios.grouped(one.n), d=ratios.grouped(one.d))


def doubted(body: Mapping[str, Any], language: str) -> dict[str, Any]:
    """A tally's or measures' JSON as it is handed out: without enough registers no ratio that they could contradict is in percent.

    `enough` says of which registers, out and in, enough are loaded; where it is missing, all ratios go by those of the view.
    `as_of_now` names what of a closed period is not as it was closed.
    """
    told = {name: one for name, one in body.items() if name != "enough"}
    enough = body.get("enough", [body["view"]] if body["coverage"]["sufficient"] else [])
    found = {name: Measure(one["n"], one["d"]) for name, one in body["measures"].items() if "d" in one}
    believed = measures.believed(found, body["view"], enough)
    shown = {**body["measures"], **said(believed, language)}
    return {**told, "measures": shown, "as_of_now": _as_of_now(body, shown)}


def _as_of_now(body: Mapping[str, Any], shown: Iterable[str]) -> list[str]:
    """The measures of a closed period that are as of the moment of asking, and the coverage; nothing of an open one: all is."""
    if not body["sha256"]:
        return []
    return [
        *(name for name in shown if name not in measures.BY_CLASS),
        *filter(body.__contains__, NEVER_CLOSED),
    ]


def filters(made: Report) -> dict[str, list[str]]:
    """What the report was cut by: each filter with what it held."""
    found: dict[str, list[str]] = {}
    for name, held in made.asked.filters.told:
        found.setdefault(name, []).append(held)
    return found


def _table(table: Table, language: str, many: Many) -> dict[str, Any]:
    titles = {
        name: heading(table, column, language, name)
        for column in table.columns
        for name in column.parts or (column.name,)
    }
    shown: dict[str, Any] = {
        "columns": titles,
        "rows": many(_object(table.columns, row, language) for row in table.rows),
    }
    return shown | ({"total": _object(table.columns, table.total, language)} if table.total else {})


def _object(columns: Sequence[Column], row: Sequence[Value], language: str) -> dict[str, Any]:
    return dict(_members(columns, row, language))


def _members(columns: Sequence[Column], row: Sequence[Value], language: str) -> Iterator[tuple[str, Any]]:
    for column, value in zip(columns, row, strict=True):
        if isinstance(value, Pair):
            assert column.parts is not None
            yield from zip(column.parts, (value.first, value.second), strict=True)
        else:
            yield column.name, plain(value, language)


def plain(value: Value, language: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """One value as JSON holds it."""
    match value:
        case Word():
            return value.code
        case Measure():
            return {"n": value.n, "d": value.d, "text": ratio(value, language)}
        case Hundredths():
            return value.value / 100
        case Took():
            return value.seconds
        case Dated():
            return {"result": value.word.code, "at": plain(value.at, language)}
        case datetime():
            return value.astimezone(paper_class.VIETNAM).isoformat(timespec="seconds")
        case date():
            return value.isoformat()
        case _:
            return value


def json_pieces(body: Mapping[str, Any]) -> Iterator[str]:
    """An object, of `as_json` with its rows one by one (`iter`) or of several such, as JSON: a row a line."""
    return _pieces(_encoded(body))


def _encoded(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, Mapping):
        yield "{"
        for place, (name, one) in enumerate(value.items()):
            yield f"{',' if place else ''}\n{_dumped(name)}: "
            yield from _encoded(one)
        yield "\n}"
    elif isinstance(value, Iterator):
        yield "["
        for place, one in enumerate(value):
            yield f"{',' if place else ''}\n{_dumped(one)}"
        yield "]"
    else:
        yield _dumped(value)


def _dumped(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    return json.dumps(value, ensure_ascii=False, default=str)


def _pieces(texts_given: Iterator[str]) -> Iterator[str]:
    """The same text in larger pieces."""
    held, size = [], 0
    for one in texts_given:
        held.append(one)
        size += len(one)
        if size >= PIECE:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


def as_csv(table: Table, language: str) -> str:
    """One row of headings, then one row a row; no total. What a spreadsheet would take for a formula gets an apostrophe."""
    return "".join(csv_pieces(table, language))


def csv_pieces(table: Table, language: str) -> Iterator[str]:
    """The same in pieces."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(headings(table, language))
    for row in table.rows:
        writer.writerow(harmless(_cell(value, language)) for _, value in flat(table.columns, row))
        if file.tell() >= PIECE:
            yield file.getvalue()
            file.seek(0)
            file.truncate()
    yield file.getvalue()


def _cell(value: Value, language: str) -> str | int | Decimal:
    match value:
        case None:
            return ""
        case Unproven() if value.d:
            return texts.say("report.unproven", language)
        case Measure():
            return ratios.share(value.n, value.d).replace(",", ".") if value.d else ""
        case Hundredths():
            return Decimal(value.value).scaleb(-2)
        case Took():
            return round(Decimal(value.seconds) / 3600, 2)
        case Dated():
            return f"{value.word.code} {plain(value.at, language)}"
        case int():
            return value
        case _:
            return str(plain(value, language))


def harmless(cell: str | int | Decimal) -> str | int | Decimal:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def heading(table: Table, column: Column, language: str, name: str = "") -> str:
    """The heading of a column, or of the part of it that is called `name`."""
    return texts.say(f"report_column.{table.name}.{name or column.name}", language, **column.facts)


def headings(table: Table, language: str) -> list[str]:
    """The headings of a file: both parts of a pair, and beside a ratio its counts."""
    return [one for column in table.columns for one in _headings(table, column, language)]


def _headings(table: Table, column: Column, language: str) -> Iterator[str]:
    if column.parts:
        yield from (heading(table, column, language, name) for name in column.parts)
        return
    named = heading(table, column, language)
    yield named
    if column.ratio:
        yield from (texts.say(f"report.{name}", language, heading=named) for name in ("above", "below"))


def flat(columns: Sequence[Column], row: Sequence[Value]) -> Iterator[tuple[str, Value]]:
    """Values by column as files have them: both numbers of a pair for themselves, beside a ratio its counts."""
    for column, value in zip(columns, row, strict=True):
        if isinstance(value, Pair):
            yield from ((column.name, part) for part in (value.first, value.second))
        elif column.ratio:
            counts = value if isinstance(value, Measure) else (None, None)
            yield from ((column.name, part) for part in (value, *counts))
        else:
            yield column.name, value
