"""Reports as people read them, on a screen, in a workbook and on paper: values, sentences, what a report says about itself.

Numbers, days and moments are written as Vietnamese write them, in every language, as the ratios are.
"""

from collections.abc import Iterator
from datetime import date, datetime

from exchange import texts
from exchange.rules import paper_class, ratios
from exchange.rules.ratios import Measure, Unproven
from exchange.tracker.reports.report import Dated, Hundredths, Line, Pair, Report, Took, Value, Word

NOTHING = "—"


def about(made: Report, language: str) -> Iterator[tuple[str, str]]:
    """What every table says about itself: period, scope, filters, unit, version, moment, coverage; fact by name."""
    period = made.asked.period
    yield "period", f"{period.text} ({text(period.first, language)} – {text(period.last, language)})"
    yield "scope", ", ".join(made.scope) or texts.say("report.everybody", language)
    filters = [
        texts.say(f"report_filter.{name}", language, held=held) for name, held in made.asked.filters.told
    ]
    if filters:
        yield "filters", "; ".join(filters)
    yield "unit", texts.say(f"report.{made.code}.unit", language)
    yield "version", version(made, language)
    yield "as_of", text(made.asked.as_of, language)
    if made.coverage:
        yield "coverage", "/".join(map(ratios.grouped, made.coverage))


def version(made: Report, language: str) -> str:
    """Whether the figures may still change; of a closed period its version and what proves it."""
    if made.sha256 is None:
        return texts.say("report.version.provisional", language)
    return texts.say("report.version.closed", language, number=made.version, sha256=made.sha256)


def sentence(line: Line, language: str) -> str:
    """A sentence with its numbers; the check line names the states there are."""
    if line.key != "balance":
        facts = {name: text(value, language) for name, value in line.facts.items()}
        return texts.say(f"report.{line.key}", language, **facts)
    parts = [
        f"{text(n, language)} {texts.say(f'certificate_state.{state}', language).lower()}"
        for state, n in line.facts.items()
        if state != "issued"
    ]
    return texts.say(
        "report.balance", language, issued=text(line.facts["issued"], language), parts=" + ".join(parts)
    )


def text(value: Value, language: str) -> str:
    """One value for people."""
    match value:
        case None:
            return NOTHING
        case Unproven() if value.d:
            return texts.say("report.unproven", language)
        case Word():
            return texts.say(value.key, language)
        case Dated():
            return f"{text(value.word, language)}, {text(value.at, language)}"
        case date():
            return _day(value)
        case int() | Pair() | Measure() | Hundredths() | Took():
            return _number(value)
        case _:
            return texts.clean(value)


def _number(value: int | Pair | Measure | Hundredths | Took) -> str:
    match value:
        case Hundredths():
            return _decimal(value)
        case Took():
            return _hours(value.seconds)
        case Measure():
            return ratios.share(value.n, value.d)
        case Pair():
            return f"{ratios.grouped(value.first)} / {ratios.grouped(value.second)}"
        case _:
            return ratios.grouped(value)


def _hours(seconds: int) -> str:
    sign, minutes = "-" if seconds < 0 else "", abs(seconds) // 60
    return f"{sign}{ratios.grouped(minutes // 60)}:{minutes % 60:02}"


def _decimal(value: Hundredths) -> str:
    sign = "-" if value.value < 0 else "+" if value.signed and value.value else ""
    return f"{sign}{ratios.grouped(abs(value.value) // 100)},{abs(value.value) % 100:02}"


def _day(value: date) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(paper_class.VIETNAM):%d/%m/%Y %H:%M}"
    return f"{value:%d/%m/%Y}"
