"""A report on paper: `congvan report … --format docx|pdf`. Loaded when one is asked for, as its libraries are large."""

from collections.abc import Callable, Mapping, Sequence

from exchange.cli import report_table
from exchange.cli.report_made import Made
from exchange.rules.directory import Agency
from exchange.tracker.forms import compose, fonts, pdf, periodic, word
from exchange.tracker.forms.compose import Letterhead, Told
from exchange.tracker.forms.page import Form
from exchange.tracker.forms.periodic import Periodic

MissingFontError = fonts.MissingFontError
FILES: Mapping[str, Callable[[Form, Sequence[str]], bytes]] = {
    "docx": lambda form, _folders: word.write(form),
    "pdf": pdf.write,
}


def told(language: str) -> Told:
    """Headings, values and sentences as on the terminal."""
    return Told(
        language=language,
        heading=report_table.heading,
        text=report_table.text,
        about=report_table.about,
        line=report_table.sentence,
    )


def paper(made: Made, letterhead: Mapping[str, str], language: str, *, target: int | None) -> Form:
    """The document, with what is known of who issues it."""
    issued = Letterhead(parent=_name(made.superior), agency=_name(made.issuer), **letterhead)
    said = told(language)
    if made.gathered:
        return periodic.form(_periodic(made), said, issued)
    charts = [compose.shares(made.counts, said, target)] if sum(made.counts.values()) else []
    return compose.form(made.report, said, issued, charts)


def _name(agency: Agency | None) -> str:
    return agency.name if agency else ""


def _periodic(made: Made) -> Periodic:
    assert made.gathered is not None
    return Periodic(
        asked=made.report,
        figures=made.gathered.figures,
        months=made.gathered.months,
        reports=made.annexes,
    )


def sections(made: Made, language: str) -> list[tuple[str, Sequence[str]]]:
    """Headings and sentences of the periodic report, for screens and programs."""
    assert made.gathered is not None
    return list(periodic.lines(made.gathered.figures, told(language)))


def written(form: Form, kind: str, own_fonts: str) -> bytes:
    """The file's bytes; fonts of the exchange's own folder go before those of the system. Raises MissingFontError."""
    return FILES[kind](form, (own_fonts, *fonts.FOLDERS))
