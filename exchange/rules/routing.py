"""To whom a letter goes (nơi nhận): codes resolved against the directory, once, in the order they stand in.

A recipient named twice, also once by each form of its code, is one recipient. A code that nobody has, or
whose agency is switched off, is unroutable: shown to the sender, and no reason to refuse the others. The
sender may write to itself; that is internal and never counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Literal
from uuid import UUID

from exchange.rules import directory, directory_succession
from exchange.rules.directory import Directory
from exchange.rules.directory_succession import Heir

Scope = Literal["internal", "same_root", "other_root", "outside_state"]

PURPOSES = ("act", "cooperate", "inform")
"""Xử lý chính, phối hợp, để biết, the strongest first. Where nothing is said, a recipient is to act."""


@dataclass(frozen=True, kw_only=True)
class Routing:
    """Recipients without doubles; `purposes` and `scopes` stand beside them. Codes in canonical form.

    `duplicates` are codes that named a recipient again; `disabled` are unroutable codes of known agencies. `heirs`: who
    follows the agency of an unroutable code, if that was merged into another (cơ quan kế thừa). `aimless`:
    codes with a purpose that name no recipient; `torn`: the one of several purposes that holds, by recipient's code.
    """

    recipients: tuple[UUID, ...]
    purposes: tuple[str, ...] = ()
    scopes: tuple[Scope, ...] = ()
    unroutable: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    heirs: Mapping[str, Heir] = field(default_factory=lambda: MappingProxyType({}))
    aimless: tuple[str, ...] = ()
    torn: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(kw_only=True)
class _Sorted:
    recipients: dict[UUID, None] = field(default_factory=dict)
    unroutable: dict[str, bool] = field(default_factory=dict)
    duplicates: list[str] = field(default_factory=list)


def route(
    snapshot: Directory,
    sender: UUID,
    codes: Iterable[str],
    on: date,
    purposes: Mapping[str, str] = MappingProxyType({}),
) -> Routing:
    """Where a letter of `sender` to these codes goes. `purposes` may name a recipient by any of its codes."""
    found = _sorted(snapshot, codes, on)
    wanted = _by_agency(snapshot, purposes, on)
    known = {*found.recipients, *(_agency(snapshot, code, on) for code in found.unroutable)} - {None}
    return Routing(
        recipients=tuple(found.recipients),
        purposes=tuple(
            min(wanted.get(recipient, ("act",)), key=PURPOSES.index) for recipient in found.recipients
        ),
        scopes=tuple(scope(snapshot, sender, recipient) for recipient in found.recipients),
        unroutable=tuple(found.unroutable),
        duplicates=tuple(found.duplicates),
        disabled=tuple(code for code, disabled in found.unroutable.items() if disabled),
        heirs={
            code: heir for code in found.unroutable if (heir := directory_succession.heir(snapshot, code, on))
        },
        aimless=tuple(
            code
            for code in purposes
            if directory.canonical(code) not in found.unroutable and _agency(snapshot, code, on) not in known
        ),
        torn={
            snapshot.agencies[agency].code: min(several, key=PURPOSES.index)
            for agency, several in wanted.items()
            if len(set(several)) > 1 and agency in known
        },
    )


def scope(snapshot: Directory, sender: UUID, recipient: UUID) -> Scope:
    """How far a transfer goes (phạm vi): within one clerk's desk, outside the state, or by the agencies' roots.

    Raises KeyError for an agency that the directory does not hold.
    """
    if _desk(snapshot, sender) == _desk(snapshot, recipient):
        return "internal"
    one, other = snapshot.agencies[sender], snapshot.agencies[recipient]
    if one.sector != "state" or other.sector != "state":
        return "outside_state"
    return "same_root" if one.root == other.root else "other_root"


def _desk(snapshot: Directory, agency: UUID) -> UUID:
    """The agency whose clerk handles this agency's letters: itself, or the nearest above with a clerk (văn thư)."""
    if snapshot.agencies[agency].own_clerk:
        return agency
    return next((above.id for above in directory.ancestors(snapshot, agency) if above.own_clerk), agency)


def _sorted(snapshot: Directory, codes: Iterable[str], on: date) -> _Sorted:
    found = _Sorted()
    for code in map(directory.canonical, codes):
        agency = directory.find(snapshot, code, on)
        if agency is None or agency.disabled:
            found.unroutable[code] = agency is not None
        elif agency.id in found.recipients:
            found.duplicates.append(code)
        else:
            found.recipients[agency.id] = None
    return found


def _by_agency(snapshot: Directory, purposes: Mapping[str, str], on: date) -> dict[UUID, list[str]]:
    wanted: dict[UUID, list[str]] = {}
    for code, purpose in purposes.items():
        agency = _agency(snapshot, code, on)
        if agency is not None and purpose in PURPOSES:
            wanted.setdefault(agency, []).append(purpose)
    return wanted


def _agency(snapshot: Directory, code: str, on: date) -> UUID | None:
    agency = directory.find(snapshot, code, on)
    return agency.id if agency else None
