"""A report as an administrative document: head, legal grounds, what it is of, measures, tables, recipients, signature.

Headings and values are said by whoever shows reports elsewhere too (`Told`), so that paper and screen say the same.
A short table stands in the text; a long or wide one is an annex (biểu) behind the signature.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from exchange import texts
from exchange.rules import paper_class, ratios
from exchange.tracker.forms import columns
from exchange.tracker.forms.page import Annex, Block, Foot, Form, Grid, Head, Text
from exchange.tracker.reports import written
from exchange.tracker.reports.report import Column, Line, Report, Table, Value

MOST_ROWS = 2_000
"""Rows of one table that are printed; files for programs hold all of them."""
LONGEST_CELL = 600
"""Letters of one cell that are printed: a subject has at most 500 (Decree 30/2020, Annex VI)."""
ROWS_IN_TEXT = 12
"""A table with more rows, or one that needs a lying page, is an annex."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """How headings, values, sentences and what a report says about itself are said, as on every other screen."""

    language: str
    heading: Callable[[Table, Column, str], str]
    text: Callable[[Value, str], str]
    about: Callable[[Report, str], Iterable[tuple[str, str]]]
    line: Callable[[Line, str], str]

    def say(self, key: str, **facts: object) -> str:
        """A sentence of the catalogue."""
        return texts.say(key, self.language, **facts)


@dataclass(frozen=True, kw_only=True)
class Letterhead:
    """Who issues the document, as far as it is known; what is empty is left to be filled in by hand."""

    parent: str = ""
    agency: str = ""
    number: str = ""
    place: str = ""
    position: str = ""
    signer: str = ""


def form(report: Report, told: Told, issued: Letterhead, charts: Sequence[Block] = ()) -> Form:
    """One report as a document, with charts below its measures."""
    made = report.asked.as_of
    inside = _stands_in_text(report, told)
    blocks: list[Block] = [*basis(told), *_body(report, told), *charts]
    annexes: list[Annex] = []
    if inside:
        blocks += tables(report, told)
    else:
        name = annex_name(told, 1)
        blocks.append(body(told.say("form.see_annex", name=name)))
        annexes.append(annex(report, told, issued, name, about=False))
    blocks.append(_note(report, told))
    return Form(
        language=told.language,
        head=head(told, issued, made),
        kind=told.say("form.kind"),
        subject=[title(report, told), period(report, told)],
        blocks=blocks,
        foot=foot(told, issued),
        made=made,
        annexes=annexes,
    )


def head(told: Told, issued: Letterhead, made: datetime) -> Head:
    """The upper part; number, place and day have room to be filled in."""
    year = paper_class.local_day(made).year
    return Head(
        parent=texts.clean(issued.parent).upper() or ("" if issued.agency else told.say("form.parent")),
        agency=texts.clean(issued.agency).upper() or told.say("form.agency"),
        nation=told.say("form.nation"),
        motto=told.say("form.motto"),
        number=told.say("form.number", number=_number(told, issued)),
        place=told.say("form.place", place=issued.place or told.say("form.no_place"), year=year),
    )


def _number(told: Told, issued: Letterhead) -> str:
    return issued.number or told.say("form.no_number")


def foot(told: Told, issued: Letterhead) -> Foot:
    """Recipients and signature; a superior is the first to get a report."""
    superior = [told.say("form.to_superior", parent=issued.parent)] if issued.parent else []
    return Foot(
        heading=told.say("form.recipients"),
        recipients=[*superior, told.say("form.others"), told.say("form.archive")],
        position=texts.clean(issued.position).upper() or told.say("form.position"),
        signer=texts.clean(issued.signer) or told.say("form.signer"),
    )


def basis(told: Told) -> Iterator[Text]:
    """The legal grounds (căn cứ), one line each."""
    names = [one for one in texts.catalogue(told.language) if one.startswith("form.basis.")]
    return (Text(style="basis", text=told.say(name)) for name in names)


def _body(report: Report, told: Told) -> Iterator[Text]:
    yield from lines_about(report, told)
    for name, measure in report.measures.items():
        said = told.say(f"measure.{name}")
        yield body(f"{name.partition('_')[0]}. {said}: {written.ratio(measure, told.language)}.")
    yield from (body(told.line(line, told.language)) for line in report.lines)


def body(text: str) -> Text:
    """A paragraph of the text; no line breaks between a number and its percent sign."""
    return Text(style="body", text=text.replace(" %", "\u00a0%"))


def lines_about(report: Report, told: Told) -> Iterator[Text]:
    """What a document says about itself below its title, which names the period already."""
    period_line = period(report, told)
    return (Text(style="about", text=line) for line in about(report, told) if line != period_line)


def about(report: Report, told: Told) -> Iterator[str]:
    """What every report says about itself: period, scope, unit, version, moment, and which report it is."""
    for name, fact in told.about(report, told.language):
        yield told.say(f"report.about.{name}", **{name: fact})


def title(report: Report, told: Told) -> str:
    """The report's title without its number, which no reader outside knows."""
    return told.say(f"report.{report.code}.title").removeprefix(f"{report.code}. ")


def period(report: Report, told: Told) -> str:
    """The line that names the period, below the title."""
    facts = dict(told.about(report, told.language))
    return told.say("report.about.period", period=facts["period"])


def annex_name(told: Told, number: int) -> str:
    """`Biểu 01`."""
    return told.say("form.annex", number=f"{number:02}")


def annex(report: Report, told: Told, issued: Letterhead, name: str, *, about: bool = True) -> Annex:
    """A report's tables behind the signature; `about`: it is of another kind than the document, and says what it is."""
    return Annex(
        name=name,
        title=title(report, told).upper(),
        part_of=told.say("form.part_of", number=_number(told, issued), year=report.asked.as_of.year),
        blocks=[*(_about_annex(report, told) if about else ()), *tables(report, told)],
    )


def _about_annex(report: Report, told: Told) -> Iterator[Text]:
    yield Text(style="annex_about", text="; ".join(about(report, told)))
    yield from (Text(style="annex_about", text=told.line(line, told.language)) for line in report.lines)
    yield _note(report, told)


def _note(report: Report, told: Told) -> Text:
    return Text(style="note", text=told.say("form.note", note=told.say(f"report.{report.code}.note").strip()))


def tables(report: Report, told: Told) -> Iterator[Block]:
    """The tables of a report; those behind the first have titles of their own."""
    for place, table in enumerate(report.tables):
        if place:
            yield Text(style="table_title", text=told.say(f"report.{table.name}.title"))
        yield grid(table, told)
        if len(table.rows) > MOST_ROWS:
            left = ratios.grouped(len(table.rows) - MOST_ROWS)
            yield Text(style="note", text=told.say("form.cut", left=left))


def _stands_in_text(report: Report, told: Told) -> bool:
    return all(
        len(table.rows) <= ROWS_IN_TEXT and not columns.fit(grid(table, told)).lying
        for table in report.tables
    )


def grid(table: Table, told: Told) -> Grid:
    """A table in ready texts, the first MOST_ROWS rows of it."""
    rows = [_texts(row, told) for row in table.rows[:MOST_ROWS]]
    return Grid(
        headings=[told.heading(table, column, told.language) for column in table.columns],
        numeric=[column.numeric for column in table.columns],
        rows=rows or [[ratios.NOTHING] * len(table.columns)],
        total=_total(table, told),
    )


def _total(table: Table, told: Told) -> list[str] | None:
    if table.total is None:
        return None
    shown = _texts(table.total[1:], told)
    return [
        told.say("report.total"),
        *("" if value is None else text for value, text in zip(table.total[1:], shown, strict=True)),
    ]


def _texts(row: Sequence[Value], told: Told) -> list[str]:
    return [_cell(told.text(value, told.language)) for value in row]


def _cell(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"
