"""Reports written as files in a process of their own (tiến trình ghi tệp): other clients of this one wait for none of it.

Theory of operation. The report is laid down in a folder (`reports.handed`); `python -m exchange.tracker.forms.writer FOLDER`
reads it and writes the file beside it. The writer gets no settings and no secrets, gives way to everybody else, has so much
processor time and memory, and ends when we do: its standard input is a pipe that only we hold. What it says is its exit.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from exchange.tracker.forms.wanted import Periodic
from exchange.tracker.reports import handed
from exchange.tracker.reports.report import Report

MODULE = "exchange.tracker.forms.writer"
FILE = "file"
NO_FONT, TOO_LARGE = 3, 4
MOST_PRINTED = 2_000
"""Rows of one table that are printed (`compose.MOST_ROWS`); files for programs hold all of them."""
MOST_IN_SHEET = (1 << 20) - 2
"""Rows of a table that a sheet holds, beside its headings and its total (ECMA-376: 1,048,576)."""
LOOK_SECONDS = 0.25
_KEPT = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")


class TooLargeError(Exception):
    """The report is larger than this form of it can be, or would take longer than is granted."""


class TooSlowError(Exception):
    """The machine has no time for it: it was not done, though it has not used up what it may."""


class NoFontError(Exception):
    """No font on this machine that a PDF needs."""


class GoneError(Exception):
    """Nobody waits for the file any more."""


class FailedError(Exception):
    """The writer ended otherwise; what it said stands where our own errors do."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """As what a report is written, for whom: xlsx, docx or pdf; who issues it; the target that charts show."""

    form: str
    language: str
    own_fonts: str
    letterhead: Mapping[str, str] = field(default_factory=dict)
    target: int | None = None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a writer may use: seconds of a processor, seconds by the clock, bytes of address space."""

    cpu_seconds: int = 120
    seconds: float = 600.0
    memory: int = 2 << 30


async def write(
    made: Report | Periodic, order: Order, folder: Path, gone: Callable[[], bool], limits: Limits
) -> Path:
    """The file, in that folder, which is empty. `gone`: whether nobody waits for it any more.

    Raises TooLargeError, TooSlowError, NoFontError, GoneError, FailedError.
    """
    if order.form == "xlsx" and _longest(made) > MOST_IN_SHEET:
        raise TooLargeError
    most = None if order.form == "xlsx" else MOST_PRINTED
    await asyncio.to_thread(handed.put, folder, (made, order, limits), most)
    code = await _run(folder, gone, limits)
    if code:
        raise _ENDS.get(code, FailedError)(f"{order.form}: {code}")
    return folder / FILE


_ENDS: Mapping[int, type[Exception]] = {
    NO_FONT: NoFontError,
    TOO_LARGE: TooLargeError,
}


def _longest(made: Report | Periodic) -> int:
    reports = made.reports.values() if isinstance(made, Periodic) else (made,)
    return max((len(table.rows) for one in reports for table in one.tables), default=0)


async def _run(folder: Path, gone: Callable[[], bool], limits: Limits) -> int:
    """How the writer ended. It is gone when this is over, however."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", MODULE, str(folder), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in _KEPT if name in os.environ}, start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(limits.seconds):
            return await _ended(process, gone)
    except TimeoutError:
        raise TooSlowError from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _ended(process: asyncio.subprocess.Process, gone: Callable[[], bool]) -> int:
    ending = asyncio.ensure_future(process.wait())
    try:
        while not ending.done():
            await asyncio.wait([ending], timeout=LOOK_SECONDS)
            if not ending.done() and gone():
                raise GoneError
        return ending.result()
    finally:
        ending.cancel()
