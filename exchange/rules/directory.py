"""The directory (danh mục cơ quan, chứng thư chữ ký số) as one frozen snapshot, and the questions asked of it.

A snapshot is what a decision was taken on: its version is recorded with the decision, and nothing here
reads a clock. Every row is dated by whole local days; `valid_to` is the last day on which it holds.

Codes are compared in one canonical form (`canonical`): NFC, without white space around, upper case. Both
forms, that of Decision 20/2020 and the older one of QCVN 102, lead to the same agency; how they map is
data, never computed. An agency that is switched off is still found, so that the answer can say so.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Literal, Protocol, TypeVar
from uuid import UUID

from exchange.rules import folding

SignerKind = Literal["organisation", "individual", "device"]
Sector = Literal["state", "party", "organisation", "enterprise"]


@dataclass(frozen=True, kw_only=True)
class Agency:
    """A body that may send and receive (cơ quan, tổ chức).

    `level` counts from 1 (province, ministry); `root` is the agency of level 1 above it, or itself.
    `own_clerk` (có văn thư riêng) decides what is internal; `counted`: stands in denominators of coverage.
    """

    id: UUID
    code: str
    name: str
    kind: str
    level: int
    parent: UUID | None
    root: UUID
    valid_from: date
    valid_to: date | None = None
    sector: Sector = "state"
    own_clerk: bool = True
    counted: bool = True
    disabled: bool = False

    @cached_property
    def plain_name(self) -> str:
        """The name for search."""
        return folding.plain(self.name)


@dataclass(frozen=True, kw_only=True)
class Code:
    """One code of an agency (mã định danh) and when it holds; `form` is qd20, qcvn102 or other."""

    code: str
    form: str
    agency: UUID
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A row that says whose a certificate is (chứng thư chữ ký số): nothing in the certificate itself does.

    `sha256` is of its DER bytes. `officer`, `officer_agency` and `officer_name` stand for kind individual
    only. A row that nobody confirmed (`confirmed` false) is a proposal and counts for nothing. A superior's
    seal counts for a subordinate agency only by a row of its own with that `agency` and its `basis`.
    """

    sha256: bytes
    agency: UUID
    kind: SignerKind
    valid_from: date
    valid_to: date | None = None
    officer: UUID | None = None
    officer_agency: UUID | None = None
    officer_name: str = ""
    confirmed: bool = False
    basis: str = ""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """A dated statement about an agency: `no_paper` (phát hành không kèm bản giấy) or `signs_package`."""

    agency: UUID
    kind: str
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True, kw_only=True)
class Succession:
    """An agency that was merged into another (cơ quan kế thừa), which follows it from a day on."""

    predecessor: UUID
    successor: UUID
    takes_effect: date
    basis: str = ""


@dataclass(frozen=True, kw_only=True)
class Directory:
    """One version of the directory, looked up by id, canonical code and certificate digest. Made by `build`.

    `seals` are the organisation rows of `certificates` again, by agency (con dấu số của cơ quan). `successions` are by
    the agency that ended.
    """

    version: int
    agencies: Mapping[UUID, Agency] = field(default_factory=dict)
    codes: Mapping[str, tuple[Code, ...]] = field(default_factory=dict)
    certificates: Mapping[bytes, tuple[Certificate, ...]] = field(default_factory=dict)
    seals: Mapping[UUID, tuple[Certificate, ...]] = field(default_factory=dict)
    declarations: Mapping[tuple[UUID, str], tuple[Declaration, ...]] = field(default_factory=dict)
    successions: Mapping[UUID, Succession] = field(default_factory=dict)

    @cached_property
    def by_code(self) -> tuple[Agency, ...]:
        """Every agency in the order of canonical codes."""
        return tuple(sorted(self.agencies.values(), key=lambda agency: agency.code))

    @cached_property
    def parents(self) -> Mapping[UUID, UUID | None]:
        """Below whom each agency stands."""
        return {one.id: one.parent for one in self.agencies.values()}

    @cached_property
    def written_out(self) -> tuple[tuple[str, Agency], ...]:
        """Every agency under its name as documents are searched for it."""
        return tuple((folding.written_out(agency.name), agency) for agency in self.agencies.values())

    @cached_property
    def codes_of(self) -> Mapping[UUID, tuple[Code, ...]]:
        """The codes of each agency, in their order."""
        rows = (row for _, rows in sorted(self.codes.items()) for row in rows)
        return _grouped((row.agency, row) for row in rows)


class Dated(Protocol):
    """Whatever holds from a day to a last day."""

    @property
    def valid_from(self) -> date:
        """First day."""

    @property
    def valid_to(self) -> date | None:
        """Last day, or None while no end is known."""


DatedRow = TypeVar("DatedRow", bound=Dated)
Key = TypeVar("Key")
Row = TypeVar("Row")


def build(
    version: int,
    agencies: Iterable[Agency],
    *,
    codes: Iterable[Code] = (),
    certificates: Iterable[Certificate] = (),
    declarations: Iterable[Declaration] = (),
    successions: Iterable[Succession] = (),
) -> Directory:
    """A snapshot of rows as the store holds them. An agency's own `code` needs no row in `codes`."""
    known = {agency.id: agency for agency in agencies}
    given = tuple(codes)
    rows = tuple(certificates)
    return Directory(
        version=version,
        agencies=MappingProxyType(known),
        codes=_grouped((canonical(row.code), row) for row in (*given, *_own_codes(known.values(), given))),
        certificates=_grouped((row.sha256, row) for row in rows),
        seals=_grouped((row.agency, row) for row in rows if row.kind == "organisation"),
        declarations=_grouped(((row.agency, row.kind), row) for row in declarations),
        successions=MappingProxyType({row.predecessor: row for row in successions}),
    )


def canonical(code: str) -> str:
    """The form in which codes are stored and compared: NFC, trimmed, upper case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", code).strip().upper())


def holds(row: Dated, on: date) -> bool:
    """Whether a dated row holds on a day; its first and last day included."""
    return row.valid_from <= on and (row.valid_to is None or on <= row.valid_to)


def find(directory: Directory, code: str, on: date) -> Agency | None:
    """The agency that has `code`, in either form, on a day; None when nobody has it or the agency has ended.

    A disabled agency is found: the caller looks at `Agency.disabled`.
    """
    for row in _holding(directory.codes.get(canonical(code), ()), on):
        agency = directory.agencies.get(row.agency)
        if agency is not None and holds(agency, on):
            return agency
    return None


def signers(directory: Directory, sha256: bytes, on: date) -> tuple[Certificate, ...]:
    """Every row of a certificate on a day, confirmed or not, in the order of the directory."""
    return tuple(_holding(directory.certificates.get(sha256, ()), on))


def declared(directory: Directory, agency: UUID, kind: str, on: date) -> bool:
    """Whether an agency's dated statement of `kind` holds on a day."""
    return any(_holding(directory.declarations.get((agency, kind), ()), on))


def ancestors(directory: Directory, agency: UUID) -> Iterator[Agency]:
    """The agencies above one, nearest first. A circle in the data ends the walk."""
    seen = {agency}
    current = directory.agencies.get(agency)
    while current is not None and current.parent is not None and current.parent not in seen:
        seen.add(current.parent)
        current = directory.agencies.get(current.parent)
        if current is not None:
            yield current


def below(parents: Mapping[UUID, UUID | None], tops: Collection[UUID]) -> frozenset[UUID]:
    """These agencies with all below them, whatever number of steps; a ring of parents ends where it began."""
    children: dict[UUID, list[UUID]] = {}
    for one, parent in parents.items():
        if parent is not None:
            children.setdefault(parent, []).append(one)
    found, left = set(tops), list(tops)
    while left:
        new = [one for one in children.get(left.pop(), ()) if one not in found]
        found.update(new)
        left += new
    return frozenset(found)


def represents(directory: Directory, agency: UUID, for_agency: UUID, on: date) -> bool:
    """Whether `agency` stands above `for_agency` and its seal is registered for it (con dấu của cơ quan cấp trên).

    Registered means: one certificate with two confirmed organisation rows, the superior's and the
    subordinate's. Only a superior represents: two rows alone would also let a subordinate's officers
    sign for the superior whose seal it borrows.
    """
    if all(above.id != agency for above in ancestors(directory, for_agency)):
        return False
    return bool(_seals(directory, agency, on) & _seals(directory, for_agency, on))


def _seals(directory: Directory, agency: UUID, on: date) -> set[bytes]:
    return {row.sha256 for row in _holding(directory.seals.get(agency, ()), on) if row.confirmed}


def _holding(rows: Iterable[DatedRow], on: date) -> Iterator[DatedRow]:
    return (row for row in rows if holds(row, on))


def _own_codes(agencies: Iterable[Agency], given: Iterable[Code]) -> Iterator[Code]:
    taken = {canonical(row.code) for row in given}
    for agency in agencies:
        if canonical(agency.code) not in taken:
            yield Code(
                code=canonical(agency.code),
                form="other",
                agency=agency.id,
                valid_from=agency.valid_from,
                valid_to=agency.valid_to,
            )


def _grouped(pairs: Iterable[tuple[Key, Row]]) -> Mapping[Key, tuple[Row, ...]]:
    groups: defaultdict[Key, list[Row]] = defaultdict(list)
    for key, row in pairs:
        groups[key].append(row)
    return MappingProxyType({key: tuple(rows) for key, rows in groups.items()})
