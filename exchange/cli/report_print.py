"""Reports as documents, with headings and values said as on the terminal. Loaded by `report_paper` when one is asked for."""

from collections.abc import Mapping, Sequence

from exchange.cli import report_table
from exchange.rules.periodic_report import Figures
from exchange.tracker.forms import compose, drawn, fonts, pdf, periodic, word
from exchange.tracker.forms.compose import Letterhead, Told
from exchange.tracker.forms.page import Form
from exchange.tracker.forms.wanted import Periodic
from exchange.tracker.reports.report import Report
from exchange.tracker.reports.written import heading

MissingFontError = fonts.MissingFontError


def told(language: str) -> Told:
    """Headings, values and sentences as on the terminal."""
    return Told(
        language=language,
        heading=heading,
        text=report_table.text,
        about=report_table.about,
        line=report_table.sentence,
    )


def of_report(made: Report, letterhead: Mapping[str, str], language: str, target: int | None) -> Form:
    """One report as a document."""
    said = told(language)
    return compose.form(made, said, Letterhead(**letterhead), drawn.charts(made, said, target))


def of_period(made: Periodic, letterhead: Mapping[str, str], language: str) -> Form:
    """The periodic report as a document."""
    return periodic.form(made, told(language), Letterhead(**letterhead))


def sections(figures: Figures, language: str) -> list[tuple[str, Sequence[str]]]:
    """Headings and sentences of the periodic report, for screens and programs."""
    return list(periodic.lines(figures, told(language)))


def written(form: Form, kind: str, own_fonts: str) -> bytes:
    """The file's bytes; fonts of the exchange's own folder go before those of the system. Raises MissingFontError."""
    return word.write(form) if kind == "docx" else pdf.write(form, (own_fonts, *fonts.FOLDERS))
