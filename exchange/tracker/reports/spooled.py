"""Rows of a table, however many: all but the last few lie in a file, so that a long report takes no more memory than a short one."""

import os
import pickle
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, overload

from exchange.tracker.reports.report import Value

BATCH = 500
"""So many rows are written together, and held in memory when they are read again."""

Row = Sequence[Value]


class Rows(Sequence[Row]):
    """Rows that can be added to, and read from the beginning any number of times; the file has no name and goes with them.

    They are found once, within one transaction, which need not wait for whoever reads them slowly.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._places: list[tuple[int, int]] = []
        self._last: list[Row] = []

    def add(self, row: Row) -> None:
        """One more row."""
        self._last.append(row)
        if len(self._last) == BATCH:
            self._put()

    def number(self, row: Row) -> None:
        """One more row, with its number in front."""
        self.add([len(self) + 1, *row])

    def _put(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed below
            weakref.finalize(self, self._file.close)
        raw = pickle.dumps(self._last, pickle.HIGHEST_PROTOCOL)
        self._places.append((self._file.tell(), len(raw)))
        self._file.write(raw)
        self._file.flush()
        self._last = []

    def _batch(self, place: int) -> list[Row]:
        assert self._file is not None
        start, size = self._places[place]
        raw = os.pread(self._file.fileno(), size, start)
        return pickle.loads(raw)  # type: ignore[no-any-return]  # noqa: S301 - our own file, which nobody else can open

    def __len__(self) -> int:
        return len(self._places) * BATCH + len(self._last)

    def __iter__(self) -> Iterator[Row]:
        for place in range(len(self._places)):
            yield from self._batch(place)
        yield from self._last

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...

    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [*islice(self, *place.indices(len(self)))]
        which = range(len(self))[place]
        batch, within = divmod(which, BATCH)
        return (self._last if batch == len(self._places) else self._batch(batch))[within]


class Changed(Sequence[Row]):
    """The same rows, each as a function makes it when it is looked at."""

    def __init__(self, rows: Sequence[Row], change: Callable[[Row], Row]) -> None:
        self._rows, self._change = rows, change

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return map(self._change, self._rows)

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...

    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [self._change(row) for row in self._rows[place]]
        return self._change(self._rows[place])
