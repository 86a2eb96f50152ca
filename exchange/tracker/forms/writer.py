"""The process that writes one report as a file; see `apart`. `python -m exchange.tracker.forms.writer FOLDER`."""

import contextlib
import os
import resource
import signal
import sys
import tempfile
import threading
from pathlib import Path

from exchange.tracker.forms import printed
from exchange.tracker.forms.apart import FILE, NO_FONT, TOO_LARGE, Limits, Order
from exchange.tracker.forms.wanted import Periodic
from exchange.tracker.reports import handed, workbook
from exchange.tracker.reports.report import Report

LOWER_PRIORITY = 15


def main(folder: Path) -> int:
    """Write the file; the exit code that says how it went."""
    with contextlib.suppress(OSError):
        os.nice(LOWER_PRIORITY)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    tempfile.tempdir = str(folder)
    made, order, limits = handed.taken(folder)
    _limit(limits)
    try:
        write(made, order, folder / FILE)
    except printed.MissingFontError:
        return NO_FONT
    except MemoryError:
        return TOO_LARGE
    return 0


def write(made: Report | Periodic, order: Order, file: Path) -> None:
    """Write the report as it was ordered. Raises MissingFontError, MemoryError, OSError."""
    if isinstance(made, Periodic):
        document = printed.of_period(made, order.letterhead, order.language)
    elif order.form == "xlsx":
        workbook.write(made, file, order.language)
        return
    else:
        document = printed.of_report(made, order.letterhead, order.language, order.target)
    file.write_bytes(printed.written(document, order.form, order.own_fonts))


def _limit(limits: Limits) -> None:
    """So much memory and processor time, and no more."""
    signal.signal(signal.SIGXCPU, _too_long)
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
    ):
        _, hard = resource.getrlimit(what)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (allowed, hard))


def _too_long(_signal: int, _frame: object) -> None:
    os._exit(TOO_LARGE)


def _end_with_parent() -> None:
    """Nothing is ever said to us: what comes is the end of who started us."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    code = main(Path(sys.argv[1]))
    os._exit(code)  # the folder goes with who started us: nothing is left to be tidied up
