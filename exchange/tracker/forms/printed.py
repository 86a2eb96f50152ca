"""Reports as documents, with headings and values said as on the terminal. Loaded when one is asked for, not before."""

from collections.abc import Mapping

from exchange.tracker.forms import compose, drawn, fonts, pdf, periodic, word
from exchange.tracker.forms.compose import Letterhead, Told
from exchange.tracker.forms.page import Form
from exchange.tracker.forms.wanted import Periodic
from exchange.tracker.reports import worded
from exchange.tracker.reports.report import Report
from exchange.tracker.reports.written import heading

MissingFontError = fonts.MissingFontError


def told(language: str) -> Told:
    """Headings, values and sentences as on the terminal."""
    return Told(
        language=language,
        heading=heading,
        text=worded.text,
        about=worded.about,
        line=worded.sentence,
    )


def of_report(made: Report, letterhead: Mapping[str, str], language: str, target: int | None) -> Form:
    """One report as a document."""
    said = told(language)
    return compose.form(made, said, Letterhead(**letterhead), drawn.charts(made, said, target))


def of_period(made: Periodic, letterhead: Mapping[str, str], language: str) -> Form:
    """The periodic report as a document."""
    return periodic.form(made, told(language), Letterhead(**letterhead))


def written(form: Form, kind: str, own_fonts: str) -> bytes:
    """The file's bytes; fonts of the exchange's own folder go before those of the system. Raises MissingFontError."""
    return word.write(form) if kind == "docx" else pdf.write(form, (own_fonts, *fonts.FOLDERS))
