"""Whether a version of the directory can be taken back, what that would put back, and what stands in the way.

A version is taken back whole or not at all. Every entry it changed must stand as it left it: whoever changed one
since then is not overruled. And what is put back must fit what stands beside it today: nothing may be left that names
an agency, officer or system that would be gone, and no two agencies may have one code on the same day.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from exchange.rules import directory_history, directory_images, directory_succession, directory_systems
from exchange.rules.directory_entries import AgencyEntry, CertificateEntry, OfficerEntry
from exchange.rules.directory_images import Difference, Images
from exchange.rules.directory_laid import Key
from exchange.rules.directory_systems import ActsEntry, SystemEntry


@dataclass(frozen=True)
class Obstacle:
    """An entry that stands in the way, and why: changed, needs, code, circle, successor, overlap, letters, keys.

    `about` is what it needs, shares or has; the sentence is `directory.obstacle_<why>`.
    """

    kind: str
    key: Key
    why: str
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class Undo:
    """What taking a version back comes to: `changes` from today to then, and with `obstacles` nothing is done."""

    changes: tuple[Difference, ...]
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of the directory (phiên bản danh mục) as far as undoing goes."""

    version: int
    event: str
    undoes: int | None = None


IMPORTS = frozenset({"sheets", "workbook", "proposed", "confirmed"})
"""Events that undo takes back when no version is named."""


def plan(current: Images, done: Sequence[Difference]) -> Undo:
    """Take back what a version did (`done`, as recorded) from what the directory holds now."""
    changed = [
        Obstacle(each.kind, each.key, "changed") for each in done if current.get(each.name) != each.after
    ]
    target = {name: held for name, held in current.items() if name not in {each.name for each in done}}
    target |= {each.name: each.before for each in done if each.before is not None}
    old = set(_contradictions(current))
    new = [each for each in _contradictions(target) if each not in old] if not changed else []
    return Undo(
        changes=tuple(directory_images.differences(current, target)),
        obstacles=tuple(sorted({*changed, *new}, key=_order)),
    )


def in_effect(versions: Iterable[Version]) -> frozenset[int]:
    """The versions that nobody took back, or whose taking back was itself taken back."""
    gone: set[int] = set()
    for each in sorted(versions, key=lambda one: -one.version):
        if each.undoes is not None and each.version not in gone:
            gone.add(each.undoes)
    return frozenset(each.version for each in versions if each.version not in gone)


def last_import(versions: Sequence[Version]) -> int | None:
    """The newest import in effect; None if there is none."""
    standing = in_effect(versions)
    return max(
        (one.version for one in versions if one.event in IMPORTS and one.version in standing), default=None
    )


def _order(obstacle: Obstacle) -> tuple[int, Key, str, str]:
    return list(directory_images.KINDS).index(obstacle.kind), obstacle.key, obstacle.why, obstacle.about


def _contradictions(images: Images) -> Iterator[Obstacle]:
    yield from _needs(images)
    yield from _shared_codes(images)
    yield from _circles(images)
    agencies = {entry.code: entry for entry in directory_images.entries(AgencyEntry, images)}
    for misfit in directory_succession.misfits(agencies):
        yield Obstacle("agency", (misfit.code,), "successor", agencies[misfit.code].successor)
    for one, _ in directory_systems.overlapping(directory_images.entries(ActsEntry, images)):
        yield Obstacle("acts_for", one.key, "overlap", one.agency)


def _needs(images: Images) -> Iterator[Obstacle]:
    """Entries that name what is not there."""
    for kind, key, wanted in _named(images):
        if wanted not in images:
            yield Obstacle(kind, key, "needs", " ".join(wanted[1]))


def _named(images: Images) -> Iterator[tuple[str, Key, directory_images.Name]]:
    for agency in directory_images.entries(AgencyEntry, images):
        for code in filter(None, (agency.parent, agency.successor)):
            yield "agency", agency.key, ("agency", (code,))
    for officer in directory_images.entries(OfficerEntry, images):
        yield "officer", officer.key, ("agency", (officer.agency,))
    for held in directory_images.entries(CertificateEntry, images):
        yield "certificate", held.key, ("agency", (held.agency,))
        if held.officer:
            yield "certificate", held.key, ("officer", (held.agency, held.officer))
    for system in directory_images.entries(SystemEntry, images):
        yield "system", system.key, ("agency", (system.owner,))
    for period in directory_images.entries(ActsEntry, images):
        yield "acts_for", period.key, ("agency", (period.agency,))
        yield "acts_for", period.key, ("system", (period.system,))


def _shared_codes(images: Images) -> Iterator[Obstacle]:
    """Codes that two agencies would have on one day; told of both."""
    holders: defaultdict[str, list[directory_history.Held]] = defaultdict(list)
    for (kind, _), held in images.items():
        if kind == "agency":
            agency = directory_images.entry(AgencyEntry, held)
            for code in directory_images.codes(held):
                holders[code.code].append(directory_history.within(code, agency))
    for code_rows in holders.values():
        for one, other in combinations(code_rows, 2):
            if one.agency != other.agency and directory_history.overlap(
                one, other.valid_from, other.valid_to
            ):
                yield Obstacle("agency", (one.agency,), "code", one.code)
                yield Obstacle("agency", (other.agency,), "code", other.code)


def _circles(images: Images) -> Iterator[Obstacle]:
    parents: Mapping[str, str] = {
        held["code"]: held["parent"] for (kind, _), held in images.items() if kind == "agency"
    }
    for code in parents:
        seen, above = {code}, parents[code]
        while above and above not in seen:
            seen.add(above)
            above = parents.get(above, "")
        if above == code:
            yield Obstacle("agency", (code,), "circle", parents[code])
