"""BC-15 made (báo cáo định kỳ): its figures and the reports that are its annexes, all of one moment; and as programs read it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from exchange.rules import measures, periodic_report
from exchange.store.pool import Connection
from exchange.tracker import periods
from exchange.tracker.forms.wanted import CODE, Periodic
from exchange.tracker.measures import Means
from exchange.tracker.reports import book, make, periodic, periodic_said, written
from exchange.tracker.reports.periodic import Gathered
from exchange.tracker.reports.report import NAMES, Report, Table
from exchange.tracker.signature_usage import Asked
from signing.trust import Trust

ANNEXES = tuple(code for codes in periodic_report.ANNEXES.values() for code in codes if code in NAMES)
"""The annexes that are reports themselves."""


@dataclass(frozen=True, kw_only=True)
class By:
    """What it is made by beside the question: the deployment's settings, the target of M1 in percent, the reader's language."""

    settings: make.Settings
    target: int | None
    language: str


async def made(connection: Connection, asked: Asked, scope: Sequence[str], trust: Trust, by: By) -> Periodic:
    """All of it of one moment; `scope` are the codes of the agencies asked for, none for all."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        standing = await periods.standing(connection, asked.period)
        means = Means(calendar=by.settings.calendar, trust=trust)
        gathered = await periodic.gather(connection, asked, means, by.target, by.settings.percent)
        aimed = _aimed(by.settings, by.target)
        reports = {code: await make.make(connection, code, asked, trust, scope, aimed) for code in ANNEXES}
        reports |= {
            code: await book.report(connection, code, asked, scope, by.language, by.settings.folder)
            for code in book.CODES
        }
        about = replace(_about(asked, scope, gathered, by), lines=await make.mergers(connection, asked))
    return Periodic(
        asked=make.told(about, standing, by.settings),
        figures=gathered.figures,
        months=gathered.months,
        reports=reports,
    )


def _about(asked: Asked, scope: Sequence[str], gathered: Gathered, by: By) -> Report:
    """What was asked, as a report without rows."""
    return Report(
        code=CODE,
        asked=asked,
        scope=scope,
        table=Table(name=CODE, columns=(), rows=()),
        coverage=gathered.figures.registers,
        percent=by.settings.percent,
    )


def _aimed(settings: make.Settings, target: int | None) -> make.Settings:
    """The annexes go by the target that the text goes by."""
    if target is None:
        return settings
    targets = {**settings.league.targets, "M1": Fraction(target)}
    return replace(settings, league=replace(settings.league, targets=targets))


def as_json(made: Periodic, language: str, many: written.Many = list) -> dict[str, Any]:
    """One object: what the report says about itself, figures, sentences, and the reports that are its annexes."""
    figures = made.figures
    about = {
        name: one
        for name, one in written.as_json(made.asked, language).items()
        if name not in ("columns", "rows")
    }
    believed = measures.believed(figures.measures, "out", periodic_report.enough(figures))
    said = periodic_said.sections(figures, language)
    return about | {
        "sent": dict(figures.sent),
        "received": dict(figures.received),
        "excluded": figures.excluded,
        "certificates": dict(figures.certificates),
        "not_verified": figures.failed,
        "measures": written.said(believed, language),
        "months": [{"month": name, **written.said({"M1": one}, language)} for name, one in made.months],
        "sections": [{"heading": heading, "sentences": list(lines)} for heading, lines in said],
        "annexes": {code: written.as_json(one, language, many) for code, one in made.reports.items()},
    }
