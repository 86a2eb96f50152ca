"""Which agencies are asked for (cơ quan, nhánh, loại, cấp): by code, with all below them, by kind and by level.

What is named by `agencies` and `subtrees` is put together; kinds and levels then leave those that are one of each. An agency
is below whom it stood below at the end of the period (`store.directory_changes.parents`). To all these may be added those
that were merged into them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from exchange.rules import directory, directory_succession
from exchange.rules.directory import Succession


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What names agencies; nothing at all names every one of them."""

    agencies: Sequence[UUID] = ()
    subtrees: Sequence[UUID] = ()
    kinds: Sequence[str] = ()
    levels: Sequence[int] = ()

    @property
    def everybody(self) -> bool:
        """Whether nothing is named."""
        return not (self.agencies or self.subtrees or self.kinds or self.levels)


def among(
    rows: Iterable[Mapping[str, Any]], wanted: Wanted, parents: Mapping[UUID, UUID | None]
) -> list[UUID] | None:
    """The agencies that are wanted, of rows with id, kind and level and their parents; None for all of them."""
    if wanted.everybody:
        return None
    known = {row["id"]: row for row in rows}
    named = set(known)
    if wanted.agencies or wanted.subtrees:
        named = {*wanted.agencies, *directory.below(parents, wanted.subtrees)}
    return [one for one in known if one in named and _fits(known[one], wanted)]


def with_predecessors(
    agencies: Sequence[UUID] | None, mergers: Iterable[Succession], until: date
) -> list[UUID] | None:
    """The agencies asked for and, after them, those merged into them by a day (cơ quan đã nhập); None for all of them."""
    if agencies is None:
        return None
    both = directory_succession.with_predecessors(mergers, agencies, until)
    return [*agencies, *sorted(both.difference(agencies))]


def _fits(row: Mapping[str, Any], wanted: Wanted) -> bool:
    return (not wanted.kinds or row["kind"] in wanted.kinds) and (
        not wanted.levels or row["level"] in wanted.levels
    )
