"""A report handed to another process (giao báo cáo): a file in a folder, and beside it the rows of each long list.

Rows that lie in a file of this process are laid down anew, batch by batch, and read so: neither side holds a long list.
"""

import pickle
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, overload

from exchange.tracker.reports.spooled import BATCH, Changed, Row, Rows

_NAME = "report"


class Laid(Sequence[Row]):
    """Rows in a file of batches, of which there may be fewer than the list is long: only so many were wanted."""

    def __init__(self, file: Path, length: int) -> None:
        self._file, self._length = file, length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Row]:
        with self._file.open("rb") as opened:
            while batch := pickle.load(opened):  # noqa: S301 - our own folder, which nobody else can open
                yield from batch

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...

    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [*islice(self, *place.indices(len(self)))]
        return next(islice(self, range(len(self))[place], None))


def put(folder: Path, value: object, most: int | None = None) -> None:
    """Lay a report, or what holds some, down in an empty folder; `most`: so many rows of each long list are wanted."""
    with (folder / _NAME).open("wb") as file:
        _Putting(file, folder, most).dump(value)


def taken(folder: Path) -> Any:  # noqa: ANN401 - whatever was put
    """What was put; its rows are read while the folder is there."""
    with (folder / _NAME).open("rb") as file:
        return _Taking(file, folder).load()


class _Putting(pickle.Pickler):
    def __init__(self, file: IO[bytes], folder: Path, most: int | None) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._folder, self._most, self._lists = folder, most, 0

    def persistent_id(self, value: object) -> tuple[str, int] | None:
        if not isinstance(value, Rows | Changed):
            return None
        self._lists += 1
        name = f"rows-{self._lists}"
        with (self._folder / name).open("wb") as file:
            rows = islice(value, self._most)
            while batch := [*islice(rows, BATCH)]:
                pickle.dump(batch, file, pickle.HIGHEST_PROTOCOL)
            pickle.dump(batch, file)
        return name, len(value)


class _Taking(pickle.Unpickler):
    def __init__(self, file: IO[bytes], folder: Path) -> None:
        super().__init__(file)
        self._folder = folder

    def persistent_load(self, told: tuple[str, int]) -> Laid:
        name, length = told
        return Laid(self._folder / name, length)
