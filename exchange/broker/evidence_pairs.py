"""Signatures as they were recorded beside what they are found to be now, each beside its own. Pure.

One is known by what it signs, by the file that holds it, and by its certificate, never by where it stands in a list: the
exchange may have had no time for a file (`verify.POSTPONED`, `verify.TOO_SLOW`), and whoever checks has no limits.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import zip_longest

from exchange.broker.evidence_facts import PACKAGE

MESSAGE = PACKAGE
"""The message itself is examined in any case."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """One verdict as far as it is compared: what is signed, the file that holds the signature, whose it is, what was found."""

    where: str
    carrier: str = ""
    certificate: str = ""
    word: str

    @property
    def file(self) -> str:
        """The file that holds it."""
        return self.carrier or self.where


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One signature: what was recorded of it, and what is found now; None where there is no such one.

    `examined`: whether anything is on record of the file that holds it.
    """

    where: str
    recorded: str | None
    found: str | None
    examined: bool = True

    @property
    def differs(self) -> bool:
        """Whether what is found is not what was recorded; of what was not examined nothing was."""
        return self.examined and self.recorded != self.found


def beside(recorded: Iterable[Known], found: Iterable[Known]) -> tuple[Judged, ...]:
    """Every signature once: those found, in their order, each with those of the same place, file and certificate."""
    before, now = _by_signature(recorded), _by_signature(found)
    files = {one.file for group in before.values() for one in group} | {MESSAGE}
    return tuple(
        _judged(is_, was, files)
        for signature in now | before
        for is_, was in zip_longest(now[signature], before[signature])
    )


def _judged(found: Known | None, recorded: Known | None, files: Collection[str]) -> Judged:
    one = found or recorded
    assert one is not None
    return Judged(
        where=one.where,
        recorded=recorded.word if recorded else None,
        found=found.word if found else None,
        examined=one.file in files,
    )


def _by_signature(verdicts: Iterable[Known]) -> defaultdict[tuple[str, str, str], list[Known]]:
    found = defaultdict[tuple[str, str, str], list[Known]](list)
    for one in verdicts:
        found[one.where, one.carrier, one.certificate].append(one)
    return found
