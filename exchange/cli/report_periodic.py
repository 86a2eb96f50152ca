"""`congvan report BC-15`: the periodic report as a document, on the terminal, or as JSON with its figures and annexes."""

from dataclasses import dataclass
from datetime import UTC, datetime

from exchange import config, texts
from exchange.cli import answers, given_files, report_asked, report_paper, screen
from exchange.cli.report_asked import Options
from exchange.cli.report_paper import Print
from exchange.tracker.forms.wanted import CODE, Periodic
from exchange.tracker.reports import make, periodic_made, periodic_said, worded, written
from exchange.tracker.reports.periodic_made import By
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
    trusted, settings = given_files.trust_set(given), report_asked.settings(given, CODE, None)
    with answers.database(given) as dsn:
        letterhead = report_paper.issued(dsn, wanted.on_paper)
        made = answers.reached(_made(dsn, wanted, trusted, settings, given.language))
    if made is None:
        report_asked.unknown(wanted.asked_for)
    if wanted.form == "table":
        _show(made, given.language)
    elif wanted.form == "json":
        answers.show_json_pieces(written.json_pieces(periodic_made.as_json(made, given.language, iter)))
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
        by = By(settings=settings, target=wanted.on_paper.target, language=language)
        return await periodic_made.made(connection, *question, trusted, by)


def _show(made: Periodic, language: str) -> None:
    """Sentences under their headings."""
    console = screen.console()
    console.print(texts.say(f"report.{CODE}.title", language))
    for name, fact in worded.about(made.asked, language):
        console.print(texts.say(f"report.about.{name}", language, **{name: fact}), soft_wrap=True)
    for line in made.asked.lines:
        console.print(worded.sentence(line, language), soft_wrap=True)
    for heading, sentences in periodic_said.sections(made.figures, language):
        console.print(f"\n{heading}")
        for one in sentences:
            console.print(one, soft_wrap=True)
