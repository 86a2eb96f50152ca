"""Office books (sổ đăng ký văn bản đi, sổ đăng ký văn bản đến, sổ gửi văn bản đi bưu điện): their columns as data.

`register_books.toml` has the columns of Decree 30/2020/NĐ-CP Annex IV in their order and every heading known for them.
"""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from exchange.rules import directory_csv

TOGETHER = {"document": "number"}
"""A column that another one may stand for: a book may keep number and notation apart."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a book (cột): the field it fills, its printed heading and other headings known for it."""

    name: str
    heading: str
    needed: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Book:
    """A kind of book (loại sổ): out, in or dispatch; `direction` is that of its transfers; the first `printed` are printed."""

    name: str
    direction: str
    columns: tuple[Column, ...]
    printed: int
    source: str

    @property
    def printed_columns(self) -> tuple[Column, ...]:
        """The columns of Annex IV, in their order."""
        return self.columns[: self.printed]


@dataclass(frozen=True, kw_only=True)
class Headed:
    """A heading line taken apart: the field of each cell ("" for none), what it lacks, names twice or does not know."""

    fields: tuple[str, ...]
    missing: tuple[Column, ...]
    twice: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def known(self) -> int:
        """How many cells head a column of the book."""
        return sum(map(bool, self.fields))


def headed(book: Book, cells: Sequence[str]) -> Headed:
    """What a line of cells says as the heading of a book."""
    known = _known(book.name)
    fields = tuple(known.get(folded(cell), "") for cell in cells)
    return Headed(
        fields=fields,
        missing=tuple(column for column in book.columns if column.needed and not _there(column.name, fields)),
        twice=tuple(
            cell for cell, name in zip(cells, fields, strict=True) if name and fields.count(name) > 1
        ),
        unknown=tuple(cell for cell, name in zip(cells, fields, strict=True) if cell.strip() and not name),
    )


def folded(heading: str) -> str:
    """A heading as it is compared: no case, marks, punctuation, nor the column's number behind it."""
    words = directory_csv.folded(heading).split()
    while len(words) > 1 and words[-1].isdecimal():
        words.pop()
    return " ".join(words)


@cache
def books() -> Mapping[str, Book]:
    """Every kind of book by its name."""
    return {row["name"]: _book(row) for row in _data()["book"]}


@cache
def no_party() -> tuple[str, ...]:
    """Openings, folded, of what stands among the recipients and is none."""
    return tuple(map(directory_csv.folded, _data()["no_party"]["openings"]))


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("register_books.toml").read_text(encoding="utf-8"))


@cache
def _known(book: str) -> Mapping[str, str]:
    return {
        folded(said): column.name
        for column in books()[book].columns
        for said in (column.heading, *column.aliases)
    }


def _there(name: str, fields: Collection[str]) -> bool:
    return name in fields or TOGETHER.get(name, name) in fields


def _book(row: Mapping[str, Any]) -> Book:
    columns = tuple(
        Column(
            name=one["name"],
            heading=one["heading"],
            needed=one.get("needed", False),
            aliases=tuple(one.get("aliases", ())),
        )
        for one in row["column"]
    )
    return Book(
        name=row["name"],
        direction=row["direction"],
        columns=columns,
        printed=row["printed"],
        source=row["source"],
    )
