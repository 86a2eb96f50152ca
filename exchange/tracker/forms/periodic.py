"""BC-15 as a document: sections of computed sentences, charts, room for the author, annexes of other reports."""

from collections.abc import Iterator

from exchange.rules import periodic_report
from exchange.tracker.forms import compose, drawn
from exchange.tracker.forms.compose import Letterhead, Told
from exchange.tracker.forms.page import Annex, Block, Form, Text
from exchange.tracker.forms.wanted import CODE, Periodic
from exchange.tracker.reports import periodic_said

BLANK_LINES = 4
"""Dotted lines for what only a person can say."""


def form(made: Periodic, told: Told, issued: Letterhead) -> Form:
    """The whole document."""
    annexes = list(_annexes(made, told, issued))
    about = [
        *compose.lines_about(made.asked, told),
        *(compose.body(told.line(line, told.language)) for line in made.asked.lines),
    ]
    blocks: list[Block] = [*compose.basis(told), *about, *_sections(made, told)]
    if annexes:
        names = ", ".join(dict.fromkeys(one.name for one in annexes))
        blocks.append(compose.body(told.say("periodic.annexes_named", names=names)))
    note = told.say(f"report.{CODE}.note").strip()
    return Form(
        language=told.language,
        head=compose.head(told, issued, made.asked.asked.as_of),
        kind=told.say("form.kind"),
        subject=[compose.title(made.asked, told), compose.period(made.asked, told)],
        blocks=[*blocks, Text(style="note", text=told.say("form.note", note=note))],
        foot=compose.foot(told, issued),
        made=made.asked.asked.as_of,
        annexes=annexes,
    )


def _sections(made: Periodic, told: Told) -> Iterator[Block]:
    for section in periodic_report.sections(made.figures):
        style, _, _ = section.heading.partition(".")
        yield Text(style=style, text=periodic_said.heading(section, told.language))
        yield from (compose.body(periodic_said.said(one, told.language)) for one in section.sentences)
        if section.blank:
            yield from [Text(style="blank", text=told.say("periodic.blank"))] * BLANK_LINES
        if section.heading == "clause.exchange":
            yield from _charts(made, told)


def _charts(made: Periodic, told: Told) -> Iterator[Block]:
    """The bar where anything was counted, the line where more than one month was; neither where too little is known."""
    figures = made.figures
    enough = periodic_report.sufficient(figures)
    if periodic_report.total(figures.sent) and enough:
        yield drawn.shares(figures.sent, told, figures.target)
    if drawn.several(made.months) and enough:
        yield drawn.trend(made.months, told, figures.target)


def _annexes(made: Periodic, told: Told, issued: Letterhead) -> Iterator[Annex]:
    for number, codes in periodic_report.ANNEXES.items():
        for code in codes:
            if code in made.reports:
                name = compose.annex_name(told, number)
                yield compose.annex(made.reports[code], told, issued, name)
