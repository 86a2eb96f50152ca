"""Confirming whose certificates are (xác nhận chứng thư): by one person, an agency's seal or a device's by two.

Names stand with the row; a second person may come another day. What is asked is done whole or not at all.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from exchange.rules import directory
from exchange.rules.directory_csv import Bad, Row, folded
from exchange.rules.directory_entries import CONFIRMATIONS, CertificateEntry, text
from exchange.rules.directory_laid import Key
from exchange.rules.directory_plan import State

SHORTEST = 12
"""Hex digits by which a certificate may be named, if no other begins so."""
WHOLE = 64
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which certificates, by digest or its first digits, and who confirms; `agency` and `kind` say which row is meant."""

    certificates: tuple[str, ...]
    by: tuple[str, ...]
    agency: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Obstacle:
    """Why a certificate cannot be confirmed: the sentence is `certificate.<code>` with these facts."""

    code: str
    certificate: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The rows as they will stand; with obstacles nothing is written."""

    entries: tuple[CertificateEntry, ...]
    obstacles: tuple[Obstacle, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """The same as rows of a sheet that says only who confirmed."""
        return tuple(
            Row(
                line=number,
                given={
                    "agency": entry.agency,
                    "certificate": entry.certificate,
                    "valid_from": entry.valid_from,
                    "confirmed_by": entry.confirmed_by,
                },
            )
            for number, entry in enumerate(self.entries, 1)
        )


def wanting(entry: CertificateEntry) -> int:
    """How many more persons must confirm."""
    told = len({folded(name) for name in entry.confirmed_by})
    return max(CONFIRMATIONS[entry.kind] - told, 0)


def plan(state: State, disabled: Collection[str], asked: Asked, on: date) -> Plan:
    """What confirming comes to on a day; `disabled` are codes of agencies that are switched off."""
    obstacles = list(_names(asked.by))
    entries: dict[Key, CertificateEntry] = {}
    for given in dict.fromkeys(one.strip().lower() for one in asked.certificates):
        found = _found(state, given, asked)
        if isinstance(found, Obstacle):
            obstacles.append(found)
            continue
        obstacles += _against(state, disabled, found, asked, on)
        entries[found.key] = _with(found, asked.by)
    return Plan(entries=tuple(entries.values()), obstacles=tuple(obstacles))


def _names(by: Sequence[str]) -> Iterator[Obstacle]:
    for name in by:
        if not name.strip() or isinstance(text(name.strip()), Bad) or ";" in name or "|" in name:
            yield Obstacle("bad_name", "", {"name": name})
    if len({folded(name) for name in by}) < len(by):
        yield Obstacle("name_twice", "", {"names": ", ".join(by)})


def _found(state: State, given: str, asked: Asked) -> CertificateEntry | Obstacle:
    """The one row that is meant."""
    if not (SHORTEST <= len(given) <= WHOLE and _HEX.issuperset(given)):
        return Obstacle("no_digest", given, {"shortest": SHORTEST})
    named = [entry for entry in state.certificates.values() if entry.certificate.startswith(given)]
    if len({entry.certificate for entry in named}) > 1:
        return Obstacle("digest_short", given)
    here = [entry for entry in named if asked.agency in ("", entry.agency)]
    # Rows that are confirmed already are meant only when no other is.
    rows = [entry for entry in here if not entry.confirmed] or here
    if not rows:
        return Obstacle("unknown", given, {"agency": asked.agency} if named else {})
    if len(rows) > 1:
        return Obstacle("several", given, {"agencies": ", ".join(dict.fromkeys(one.agency for one in rows))})
    return rows[0]


def _against(
    state: State, disabled: Collection[str], entry: CertificateEntry, asked: Asked, on: date
) -> Iterator[Obstacle]:
    digest, agency = entry.certificate, state.agencies.get((entry.agency,))
    if entry.confirmed:
        yield Obstacle("already", digest, {"names": ", ".join(entry.confirmed_by)})
        return
    if asked.kind not in ("", entry.kind):
        yield Obstacle("wrong_kind", digest, {"agency": entry.agency})
    if entry.agency in disabled:
        yield Obstacle("agency_disabled", digest, {"agency": entry.agency})
    elif agency is None or not directory.holds(agency, on):
        yield Obstacle("agency_over", digest, {"agency": entry.agency})
    if entry.valid_to is not None and entry.valid_to < on:
        yield Obstacle("over", digest, {"day": entry.valid_to.strftime("%d/%m/%Y")})
    officer = state.officers.get((entry.agency, entry.officer))
    if officer is not None and officer.valid_to is not None and officer.valid_to < on:
        yield Obstacle("officer_over", digest, {"officer": officer.name})
    again = _again(entry, asked.by)
    if again:
        yield Obstacle("same_person", digest, {"names": ", ".join(again)})


def _again(entry: CertificateEntry, by: Iterable[str]) -> list[str]:
    known = {folded(name) for name in entry.confirmed_by}
    return [name for name in by if folded(name) in known]


def _with(entry: CertificateEntry, by: Sequence[str]) -> CertificateEntry:
    names = (*entry.confirmed_by, *(" ".join(name.split()) for name in by))
    return replace(entry, confirmed_by=names)
