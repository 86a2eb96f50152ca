"""What a deployment may give as files of its own: the calendar of working days, league tables. Read again when they change."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from exchange.rules import league, working_days
from exchange.tracker.reports.make import Settings

MOST_BYTES = 1 << 20

Read = TypeVar("Read")


def settings(calendar_file: Path | None, league_file: Path | None) -> Settings:
    """Calendar and league tables, each from its file if there is one. Raises OSError, ValueError for one that is no good."""
    return _settings(_stamped(calendar_file), _stamped(league_file))


def _stamped(file: Path | None) -> tuple[Path, int] | None:
    return (file, file.stat().st_mtime_ns) if file else None


@functools.lru_cache(maxsize=4)
def _settings(calendar: tuple[Path, int] | None, tables: tuple[Path, int] | None) -> Settings:
    return Settings(
        calendar=_read(calendar, working_days.read) or working_days.default(),
        league=_read(tables, league.read) or league.default(),
    )


def _read(file: tuple[Path, int] | None, read: Callable[[str], Read]) -> Read | None:
    if file is None:
        return None
    with file[0].open("rb") as opened:
        return read(opened.read(MOST_BYTES).decode("utf-8"))
