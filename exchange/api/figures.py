"""Figures for programs: tally, measures, reports, and the transfers behind them; the same as the commands print.

Who asks sees its own agencies and those that it watches; of letters that it did not send or receive, no subject.
"""

import asyncio
import functools
from dataclasses import replace
from itertools import chain

import structlog
from aiohttp import web

from exchange.api import auth, contents, figure_shapes, long_answers, native, question, report_files, shapes
from exchange.api.described_figures import CLASSES, PERIODIC, REPORTS
from exchange.api.parts import EXCHANGE, GATE
from exchange.api.problems import language
from exchange.api.question import Question
from exchange.broker.exchange import Exchange
from exchange.errors import Problem
from exchange.rules import paper_class
from exchange.store import transfer_pages
from exchange.tracker import deployment, headed, measures, periods, signature_usage
from exchange.tracker.forms.wanted import Periodic
from exchange.tracker.measures import Means
from exchange.tracker.reports import cuts, make, periodic_made, written
from exchange.tracker.reports.periodic_made import By
from exchange.tracker.reports.report import Report
from exchange.tracker.signature_usage import Filters

DEFAULT_LIMIT = 100
MOST_TRANSFERS = 500


async def get_tally(request: web.Request) -> web.Response:
    """GET /v1/tally?period=&…: the counts of the agencies asked for, as `congvan tally` has them."""
    exchange = request.app[EXCHANGE]
    asked = await question.question(request, await auth.system(request))
    async with request.app[GATE].enter(), exchange.pool.acquire() as connection:
        told = await signature_usage.told(
            connection, asked.asked, exchange.trust, exchange.config.coverage_percent
        )
    return shapes.json_response({**written.doubted(told, language(request)), "agencies": _codes(asked)})


async def get_measures(request: web.Request) -> web.Response:
    """GET /v1/measures?period=&…: every measure M1 to M20, as `congvan report measures` has them."""
    exchange = request.app[EXCHANGE]
    asked = await question.question(request, await auth.system(request))
    settings, given = await _settings(exchange), asked.asked
    means = Means(calendar=settings.calendar, trust=exchange.trust)
    async with request.app[GATE].enter(), exchange.pool.acquire() as connection:
        told = await headed.measured(connection, given, means, exchange.config.coverage_percent)
    told |= {"agencies": _codes(asked), "filters": figure_shapes.filters(given)}
    return shapes.json_response(written.doubted(told, language(request)))


async def get_report(request: web.Request) -> web.StreamResponse:
    """GET /v1/reports/{report}?period=&format=&…: a report as JSON, CSV, XLSX, DOCX or PDF, as `congvan report` writes it."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    name = request.match_info["report"]
    if name not in REPORTS:
        raise Problem("not_found")
    how = await report_files.wanted(request, name, calling)
    asked = await question.question(request, calling)
    settings = replace(await _settings(exchange), periods=_periods(request, name, asked.asked.filters))
    making = functools.partial(_made, request, name, asked, settings, how.target)
    if how.file:
        return await report_files.answer(request, name, how, making)
    return await _told(request, await making(), how.form)


async def _told(request: web.Request, shown: Report | Periodic, form: str) -> web.StreamResponse:
    """A report as JSON, or the first table of it as CSV."""
    if isinstance(shown, Periodic):
        body = periodic_made.as_json(shown, language(request), iter)
    elif form == "csv":
        name, pieces = request.match_info["report"], written.csv_pieces(shown.table, language(request))
        marked = chain(["\ufeff" + next(pieces, "")], pieces)
        named = {
            "Content-Type": long_answers.CSV,
            "Content-Disposition": f'attachment; filename="{name}.csv"',
        }
        return await long_answers.answer(request, marked, named)
    else:
        body = written.as_json(shown, language(request), iter)
    return await long_answers.answer(request, written.json_pieces(body), {"Content-Type": long_answers.JSON})


async def _made(
    request: web.Request, name: str, asked: Question, settings: make.Settings, target: int | None
) -> Report | Periodic:
    """The report that the caller may see; nothing of the database is held when it is there."""
    exchange, given, scope = request.app[EXCHANGE], asked.asked, asked.codes
    async with request.app[GATE].enter(), exchange.pool.acquire() as connection:
        if name == PERIODIC:
            by = By(settings=settings, target=target, language=language(request))
            made = await periodic_made.made(connection, given, scope, exchange.trust, by)
            return made if asked.own else contents.without_any(made)
        one = await make.make(connection, name, given, exchange.trust, scope, settings)
    return one if asked.own else contents.without(one)


def _periods(request: web.Request, name: str, filters: Filters) -> int | None:
    """How many periods in a row are asked for. Raises Problem bad_request for what the report does not go by."""
    wrong = cuts.refused(name, filters)
    if "periods" in request.query and name not in cuts.WITH_LENGTH:
        wrong.append("periods")
    if wrong:
        raise Problem("bad_request", f"{name}: {', '.join(wrong)}")
    return int(native.number(request, "periods", 0, 1, cuts.LONGEST)) or None


async def get_transfers(request: web.Request) -> web.Response:
    """GET /v1/transfers?period=&class=&after=&limit=&…: each transfer that the tally counts, page by page."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    classes = question.several(request, "class", str) or paper_class.CLASSES
    if not set(classes) <= set(CLASSES):
        raise Problem("bad_request", f"class: {' | '.join(CLASSES)}")
    after = figure_shapes.place(question.text(request, "after"))
    limit = int(native.number(request, "limit", DEFAULT_LIMIT, 1, MOST_TRANSFERS))
    asked = await question.question(request, calling)
    given = asked.asked
    async with (
        exchange.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        standing = await periods.standing(connection, given.period)
        rows = await transfer_pages.page(connection, measures.wanted(given, *classes), after, limit + 1)
    rows = rows if asked.own else [{**row, "other_party": None} for row in rows]  # what a clerk wrote
    return shapes.json_response(
        figure_shapes.transfers(rows, limit, asked.snapshot, given, (standing.text, _codes(asked)))
    )


async def _settings(exchange: Exchange) -> make.Settings:
    """Calendar and league tables of the deployment, while a file is no good what it said before; long lists lie where letters do."""
    files = exchange.config.calendar_file, exchange.config.league_file
    try:
        found = await asyncio.to_thread(deployment.settings, *files)
    except deployment.UnusableFileError as error:
        structlog.get_logger().error("settings_file_unusable", file=str(error.file), why=error.why)
        before = deployment.last(*files)
        if before is None:
            raise Problem("starting") from error
        found = before
    exchange.spool_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return replace(found, folder=exchange.spool_folder, percent=exchange.config.coverage_percent)


def _codes(asked: Question) -> list[str]:
    """The agencies asked for; none for everything."""
    return sorted(shapes.code(asked.snapshot, one) for one in asked.asked.agencies or ())
