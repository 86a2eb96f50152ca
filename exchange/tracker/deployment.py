"""What a deployment may give as files of its own: the calendar of working days, league tables. Read again when they change."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from exchange.rules import league, working_days
from exchange.tracker.reports.make import Settings

MOST_BYTES = 1 << 20

Read = TypeVar("Read")

_LAST: dict[tuple[Path | None, Path | None], Settings] = {}
"""What was read of these files when they were last in order."""


class UnusableFileError(ValueError):
    """A file that cannot be read, or says what cannot be used: which one, and why."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file}: {why}")
        self.file = file
        self.why = why


def settings(calendar_file: Path | None, league_file: Path | None) -> Settings:
    """Calendar and league tables, each from its file if there is one. Raises UnusableFileError."""
    made = _settings(_stamped(calendar_file), _stamped(league_file))
    _LAST[calendar_file, league_file] = made
    return made


def last(calendar_file: Path | None, league_file: Path | None) -> Settings | None:
    """What these files said when this process last read them in order; None if it never did."""
    return _LAST.get((calendar_file, league_file))


def read(file: Path, reader: Callable[[str], Read]) -> Read:
    """What a file says. Raises UnusableFileError."""
    try:
        with file.open("rb") as opened:
            return reader(opened.read(MOST_BYTES).decode("utf-8"))
    except OSError as error:
        raise UnusableFileError(file, error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise UnusableFileError(file, str(error)) from error


def _stamped(file: Path | None) -> tuple[Path, int] | None:
    if file is None:
        return None
    try:
        return file, file.stat().st_mtime_ns
    except OSError as error:
        raise UnusableFileError(file, error.strerror or str(error)) from error


@functools.lru_cache(maxsize=4)
def _settings(calendar: tuple[Path, int] | None, tables: tuple[Path, int] | None) -> Settings:
    return Settings(
        calendar=read(calendar[0], working_days.read) if calendar else working_days.default(),
        league=read(tables[0], league.read) if tables else league.default(),
    )
