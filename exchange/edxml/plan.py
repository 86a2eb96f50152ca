"""What stands where in the letters of one shape (`markup`): places of texts, and records made of the texts there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from exchange import texts

ABSENT = -1
"""The place of a value that the shape does not have: behind the values of a letter stands an empty one."""
UNBOUND = texts.FEW
"""The weight of a value for which no length is expected: a longer one may have marks heaped in it."""

LONGEST_RECORD = 500
"""Characters of a record that is remembered."""
RECORDS = 4096

Texts: TypeAlias = Sequence[str]
Fetch: TypeAlias = Callable[[Texts], tuple[str, ...]]
"""Some of the texts, by their places."""


class Record(NamedTuple):
    """A record of texts alone: its kind, the fields that the shape has, and the values for them."""

    kind: Callable[..., Any]
    names: tuple[str, ...]
    fetch: Fetch

    def facts(self, found: Texts) -> dict[str, Any]:
        """The fields with their values."""
        return dict(zip(self.names, self.fetch(found), strict=True))

    def of(self, found: Texts) -> Any:  # noqa: ANN401 - a record of its kind
        """The record of these values. Agencies, signers and systems are few: theirs are remembered."""
        texts = self.fetch(found)
        long = len("".join(texts)) > LONGEST_RECORD
        return _recorded(self.kind, self.names, texts) if long else _known(self.kind, self.names, texts)


def _recorded(kind: Callable[..., Any], names: tuple[str, ...], texts: tuple[str, ...]) -> Any:  # noqa: ANN401 - as `Record.of`
    return kind(**dict(zip(names, texts, strict=True)))


_known = lru_cache(maxsize=RECORDS)(_recorded)


class Codes(NamedTuple):
    """Places of what is no text, or no text alone."""

    priority: int
    steering: int
    copies: int
    pages: int
    paper: int
    operation: int
    target: int


class Line(NamedTuple):
    """Places of what is said of a file, in the manifest or beside its bytes; `hrefs` of a line of the manifest."""

    content_id: int
    name: int
    content_type: int
    description: int
    hrefs: tuple[tuple[int, int], ...] = ()
    """Each by its piece of markup and its place among the values of attributes there."""


class File(NamedTuple):
    """An attached file: what is said beside its bytes; their place among all texts; its path; its piece of markup."""

    said: Line
    encoded: int
    path: str
    piece: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """The letters of one shape. `beside` and `values` take the texts of a `markup.Cut`, all others the values.

    `weights`: how long each value is expected to be; UNBOUND where nothing is.
    """

    elements: int
    depth: int
    header_path: str
    beside: Fetch
    values: Fetch
    weights: Sequence[int]
    letter: Record
    sender: Record
    recipients: Sequence[Record]
    signer: Record
    answers: Sequence[Record]
    traces: Sequence[Record]
    staff: Record | None
    appendixes: Fetch
    to_places: Fetch
    codes: Codes
    lines: Sequence[Line]
    files: Sequence[File]
    extensions: Sequence[tuple[int, str, str]]
