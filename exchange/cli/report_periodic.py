"""`congvan report BC-15`: the periodic report as a document, on the terminal, or as JSON with its figures and annexes."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from exchange import config, texts
from exchange.cli import answers, report_asked, report_paper, report_table, screen
from exchange.cli.report_asked import Options
from exchange.cli.report_paper import Print
from exchange.rules import measures, periodic_report
from exchange.tracker import periods
from exchange.tracker.forms.wanted import CODE, Periodic
from exchange.tracker.measures import Means
from exchange.tracker.reports import book, make, periodic, written
from exchange.tracker.reports.report import NAMES, Report, Table
from exchange.tracker.tally import Period
from signing.trust import Trust


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Of which period and agencies, in which form, and what goes on paper beside the figures."""

    span: Period
    asked_for: Options
    form: str
    on_paper: Print


def run(given: config.Config, wanted: Wanted) -> None:
    """Make the report and show it."""
    if wanted.form in ("csv", "xlsx"):
        answers.fail(answers.USAGE, "form.no_csv")
    trusted, settings = answers.trusted(given), report_asked.settings(given, CODE, None)
    with answers.database(given) as dsn:
        letterhead = report_paper.issued(dsn, wanted.on_paper)
        made = answers.reached(_made(dsn, wanted, trusted, settings, given.language))
    if made is None:
        report_asked.unknown(wanted.asked_for)
    if wanted.form == "table":
        _show(made, given.language)
    elif wanted.form == "json":
        answers.show_json_pieces(written.json_pieces(_object(made, given.language)))
    else:
        document = report_paper.printing().of_period(made, letterhead, given.language)
        report_paper.keep(document, wanted.form, wanted.on_paper, given)


async def _made(
    dsn: str, wanted: Wanted, trusted: Trust, settings: make.Settings, language: str
) -> Periodic | None:
    """Figures and annexes of one moment; None where a code is nobody's."""
    at = datetime.now(UTC)
    async with (
        answers.connected(dsn) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        question = await report_asked.asked(connection, wanted.span, wanted.asked_for, at)
        if question is None:
            return None
        asked, scope = question
        standing = await periods.standing(connection, wanted.span)
        gathered = await periodic.gather(
            connection,
            asked,
            Means(calendar=settings.calendar, trust=trusted),
            wanted.on_paper.target,
            settings.percent,
        )
        mergers = await make.mergers(connection, asked)
        codes, aimed = _annexes(), _aimed(settings, wanted.on_paper.target)
        reports = {code: await make.make(connection, code, asked, trusted, scope, aimed) for code in codes}
        reports |= {code: await book.report(connection, code, asked, scope, language) for code in book.CODES}
    about = Report(
        code=CODE,
        asked=asked,
        scope=scope,
        table=Table(name=CODE, columns=(), rows=()),
        coverage=gathered.figures.registers,
        percent=settings.percent,
        lines=mergers,
    )
    return Periodic(
        asked=make.told(about, standing, settings),
        figures=gathered.figures,
        months=gathered.months,
        reports=reports,
    )


def _annexes() -> list[str]:
    return [code for codes in periodic_report.ANNEXES.values() for code in codes if code in NAMES]


def _aimed(settings: make.Settings, target: int | None) -> make.Settings:
    """The annexes go by the target that the text goes by."""
    if target is None:
        return settings
    targets = {**settings.league.targets, "M1": Fraction(target)}
    return replace(settings, league=replace(settings.league, targets=targets))


def _show(made: Periodic, language: str) -> None:
    """Sentences under their headings."""
    console = screen.console()
    console.print(texts.say(f"report.{CODE}.title", language))
    for name, fact in report_table.about(made.asked, language):
        console.print(texts.say(f"report.about.{name}", language, **{name: fact}), soft_wrap=True)
    for line in made.asked.lines:
        console.print(report_table.sentence(line, language), soft_wrap=True)
    for heading, sentences in report_paper.printing().sections(made.figures, language):
        console.print(f"\n{heading}")
        for one in sentences:
            console.print(one, soft_wrap=True)


def _object(made: Periodic, language: str) -> dict[str, Any]:
    """One object: what the report says about itself, figures, sentences, and the reports that are its annexes."""
    figures = made.figures
    about = {
        name: one
        for name, one in written.as_json(made.asked, language).items()
        if name not in ("columns", "rows")
    }
    said = report_paper.printing().sections(figures, language)
    return about | {
        "sent": dict(figures.sent),
        "received": dict(figures.received),
        "excluded": figures.excluded,
        "certificates": dict(figures.certificates),
        "not_verified": figures.failed,
        "measures": written.said(
            measures.believed(figures.measures, "out", periodic_report.enough(figures)), language
        ),
        "months": [{"month": name, **written.said({"M1": one}, language)} for name, one in made.months],
        "sections": [{"heading": heading, "sentences": list(lines)} for heading, lines in said],
        "annexes": {code: written.as_json(one, language, iter) for code, one in made.reports.items()},
    }
