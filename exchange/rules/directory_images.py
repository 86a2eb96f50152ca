"""Entries of the directory as whole, plain values (JSON): what a version changed, kept so that it can be taken back.

An image holds everything that is stored of its entry, ids and dated lists among them, and names other entries as
sheets do. Equal images mean equal rows.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, TypeVar

from exchange.rules.directory_entries import AgencyEntry, CertificateEntry, OfficerEntry
from exchange.rules.directory_history import Held, Statement
from exchange.rules.directory_laid import Key, Keyed
from exchange.rules.directory_plan import State
from exchange.rules.directory_systems import ActsEntry, SystemEntry

Name = tuple[str, Key]
"""Kind and key of an entry."""
Image = Mapping[str, Any]
Images = Mapping[Name, Image]
Entry = TypeVar("Entry", bound=Keyed)

LATER = frozenset({"successor"})
"""Fields that came after versions had been kept: an image has them where they say something, and older images lack them."""
KINDS: Mapping[str, type[Keyed]] = {
    "agency": AgencyEntry,
    "officer": OfficerEntry,
    "certificate": CertificateEntry,
    "system": SystemEntry,
    "acts_for": ActsEntry,
}
"""The kinds of entries, in the order in which one needs the other."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What is stored of entries and stands in no sheet: ids of agencies and officers, moments of confirmation."""

    agencies: Mapping[Key, str] = field(default_factory=dict)
    officers: Mapping[Key, str] = field(default_factory=dict)
    confirmed: Mapping[Key, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """An entry as it stood (None: not at all) and as it stands (None: no longer)."""

    kind: str
    key: Key
    before: Image | None
    after: Image | None

    @property
    def name(self) -> Name:
        """Kind and key."""
        return self.kind, self.key

    @property
    def fields(self) -> dict[str, tuple[str, str]]:
        """What differs, as people read it: name -> (before, after); nothing for an entry that is new or gone."""
        if self.before is None or self.after is None:
            return {}
        shown = {each.name for each in fields(KINDS[self.kind])}
        return {
            name: (_said(self.before.get(name)), _said(self.after.get(name)))
            for name in dict.fromkeys((*self.after, *self.before))
            if name in shown and self.after.get(name) != self.before.get(name)
        }


def of(state: State, beside: Beside) -> dict[Name, Image]:
    """Images of everything the directory holds."""
    images: dict[Name, Image] = {}
    for key, agency in state.agencies.items():
        dated = {
            "codes": [_codes(held) for held in state.codes.get(agency.code, ())],
            "statements": [_statement(said) for said in state.statements.get(agency.code, ())],
        }
        images["agency", key] = {**image(agency), **dated, "row": beside.agencies[key]}
    for key, officer in state.officers.items():
        images["officer", key] = {**image(officer), "row": beside.officers[key]}
    for key, certificate in state.certificates.items():
        moment = beside.confirmed.get(key)
        images["certificate", key] = {**image(certificate), "confirmed_at": moment}
    images |= {("system", key): image(system) for key, system in state.systems.items()}
    return images | {("acts_for", key): image(period) for key, period in state.acts.items()}


def image(entry: Keyed) -> dict[str, Any]:
    """An entry's own fields as plain values."""
    values = {each.name: _plain(getattr(entry, each.name)) for each in fields(entry)}
    return {name: value for name, value in values.items() if value or name not in LATER}


def entry(kind: type[Entry], held: Image) -> Entry:
    """The entry of an image."""
    given = [each.name for each in fields(kind) if each.name in held or each.name not in LATER]
    return kind(**{name: _value(name, held[name]) for name in given})


def entries(kind: type[Entry], images: Images) -> list[Entry]:
    """All entries of one kind."""
    name = next(name for name, each in KINDS.items() if each is kind)
    return [entry(kind, held) for (named, _), held in images.items() if named == name]


def codes(held: Image) -> tuple[Held, ...]:
    """All codes of an agency's image."""
    return tuple(
        Held(code=code, agency=held["code"], valid_from=date.fromisoformat(first), valid_to=_day(last))
        for code, first, last in held["codes"]
    )


def statements(held: Image) -> tuple[Statement, ...]:
    """All dated statements of an agency's image."""
    return tuple(
        Statement(
            agency=held["code"], kind=kind, valid_from=date.fromisoformat(first), valid_to=_day(last), basis=basis
        )
        for kind, first, last, basis in held["statements"]
    )  # fmt: skip


def confirmed(held: Image) -> datetime | None:
    """When a certificate's image was confirmed."""
    return datetime.fromisoformat(held["confirmed_at"]) if held["confirmed_at"] else None


def differences(before: Images, after: Images) -> Iterator[Difference]:
    """Every entry that is new, gone or not the same, in the order of kinds."""
    order = list(KINDS)
    for kind, key in sorted(before.keys() | after.keys(), key=lambda name: (order.index(name[0]), name[1])):
        was, now = before.get((kind, key)), after.get((kind, key))
        if was != now:
            yield Difference(kind=kind, key=key, before=was, after=now)


def _codes(held: Held) -> list[Any]:
    return [held.code, str(held.valid_from), _plain(held.valid_to)]


def _statement(said: Statement) -> list[Any]:
    return [said.kind, str(said.valid_from), _plain(said.valid_to), said.basis]


def _plain(value: Any) -> Any:  # noqa: ANN401 - any field's value
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _value(name: str, value: Any) -> Any:  # noqa: ANN401 - any field's value
    if name.endswith(("_from", "_to")):
        return _day(value)
    return tuple(value) if isinstance(value, list) else value


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def _said(value: Any) -> str:  # noqa: ANN401 - any field's value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ";".join(value)
    return "" if value is None else str(value)
