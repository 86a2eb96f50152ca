"""Reports as files over HTTP (XLSX, DOCX, PDF): what may be asked beside the question, and the file written and sent.

A report is made like any other, behind the gate and in its transaction. What it is written from then lies on disk, and a
process of its own writes the file (`tracker.forms.apart`): no connection is held meanwhile, and no other client waits for
it. Few files are written at once, behind a gate of their own, so that no figures wait in line behind paper.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from exchange import texts
from exchange.api import long_answers, native, question
from exchange.api.described_figures import (
    FILES,
    FORMS,
    LETTERHEAD,
    PAPER,
    PERIODIC,
    PERIODIC_FORMS,
)
from exchange.api.described_parts import DOCX, PDF, XLSX
from exchange.api.gate import AGAIN_SECONDS, Gate
from exchange.api.parts import EXCHANGE, WRITING
from exchange.api.problems import language
from exchange.broker import monitors
from exchange.broker.caller import Caller
from exchange.broker.exchange import Exchange
from exchange.errors import Problem
from exchange.rules import directory, paper_class, ratios
from exchange.store import spools
from exchange.tracker.forms import apart
from exchange.tracker.forms.wanted import Periodic
from exchange.tracker.reports.report import Report

MEDIA: Mapping[str, str] = {"xlsx": XLSX, "docx": DOCX, "pdf": PDF}
LIMITS = apart.Limits()
AT_ONCE, IN_LINE = 1, 3


def gate() -> Gate:
    """The gate of one worker's files."""
    return Gate(AT_ONCE, IN_LINE)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """In which form a report is wanted, the target of M1 in percent, and who issues it on paper."""

    form: str
    target: int | None
    letterhead: Mapping[str, str]

    @property
    def file(self) -> bool:
        """Whether it is a file that takes long to write."""
        return self.form in FILES


async def wanted(request: web.Request, name: str, calling: Caller) -> Wanted:
    """The form asked for and what goes with it. Raises Problem bad_request, or not_found for an issuer out of sight."""
    form = question.one_of(request, "format", FORMS)
    possible = PERIODIC_FORMS if name == PERIODIC else FORMS
    if form not in possible:
        raise Problem("bad_request", f"{name}: format={' | '.join(possible)}")
    given = {one: question.text(request, one) for one in ("issuer", *LETTERHEAD)}
    if form not in PAPER and any(given.values()):
        named = ", ".join(one for one, text in given.items() if text)
        raise Problem("bad_request", f"{named}: format={' | '.join(PAPER)}")
    if "target" in request.query and form not in PAPER and name != PERIODIC:
        raise Problem("bad_request", f"target: {PERIODIC}, format={' | '.join(PAPER)}")
    target = int(native.number(request, "target", -1, 0, 100))
    issuer = given.pop("issuer")
    issued = await _issued(request.app[EXCHANGE], calling, issuer) if issuer else {}
    return Wanted(form=form, target=None if target < 0 else target, letterhead={**issued, **given})


async def _issued(exchange: Exchange, calling: Caller, code: str) -> Mapping[str, str]:
    """The names of the agency that issues the document and of the one above it, by the directory of today."""
    snapshot = await exchange.snapshot.current()
    agency = directory.find(snapshot, code, paper_class.local_day(exchange.clock()))
    seen = monitors.seen(snapshot.parents, calling)
    if agency is None or (seen is not None and agency.id not in seen):
        raise Problem("not_found", f"issuer: {code}")
    above = snapshot.agencies.get(agency.parent) if agency.parent else None
    return {"agency": agency.name, "parent": above.name if above else ""}


async def answer(
    request: web.Request, name: str, how: Wanted, make: Callable[[], Awaitable[Report | Periodic]]
) -> web.StreamResponse:
    """The file. `make` makes what it is written from. Raises Problem busy, too_large."""
    headers = {
        "Content-Type": MEDIA[how.form],
        "Content-Disposition": f'attachment; filename="{name}.{how.form}"',
        "Vary": "Accept-Language",
    }
    if request.method == "HEAD":
        return web.Response(headers=headers)
    exchange = request.app[EXCHANGE]
    order = apart.Order(
        form=how.form,
        language=language(request),
        own_fonts=str(exchange.config.data / "fonts"),
        letterhead=how.letterhead,
        target=how.target,
    )
    async with _folder(exchange) as folder:
        async with request.app[WRITING].enter():
            if _gone(request):  # while it stood in line: nothing is made for nobody
                raise Problem("busy", retry_after=AGAIN_SECONDS)
            file = await _written(request, order, await make(), folder)
        opened = file.open("rb")
    with opened:  # it has no name any more, and goes with us
        return await long_answers.file(request, opened, headers)


@asynccontextmanager
async def _folder(exchange: Exchange) -> AsyncIterator[Path]:
    begun = await asyncio.to_thread(spools.begin, exchange.spool_folder)
    try:
        yield begun.path
    finally:
        await asyncio.to_thread(spools.end, begun)


async def _written(request: web.Request, order: apart.Order, made: Report | Periodic, folder: Path) -> Path:
    try:
        return await apart.write(made, order, folder, lambda: _gone(request), LIMITS)
    except apart.TooLargeError:
        facts = {"rows": ratios.grouped(apart.MOST_IN_SHEET), "seconds": LIMITS.cpu_seconds}
        said = texts.say(f"report_file.too_large_{order.form}", order.language, **facts)
        raise Problem("too_large", said) from None
    except (apart.TooSlowError, apart.GoneError):
        raise Problem("busy", retry_after=AGAIN_SECONDS) from None
    except apart.NoFontError:
        folders = f"fonts-liberation2, {order.own_fonts}"
        raise Problem("internal", f"no font for PDF: {folders}") from None
    except apart.FailedError as error:
        raise Problem("internal", f"report not written: {error}") from None


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()
