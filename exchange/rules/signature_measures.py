"""Measures M8 to M11: how far signatures are really used (sử dụng chữ ký số). Reference page rules_and_measures, C.10.

    M8           documents sent that carry a valid signature of the organisation / documents sent
    M9           … and one of the person too / documents sent
    M10          registered signers with a valid signature in the period / registered signers
    M10_leaders  the same of leaders alone
    M11          agencies with a valid organisation certificate of their own / active agencies

A document (văn bản) is what an office issued under one number: rounds and copies of it count once, on the day on which
the exchange first took it; the newest letter of it, and that letter's newest verdicts, say how it is signed. A registered
signer is an officer with a confirmed certificate for exchange that was in force on some day of the period.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from exchange.rules import certificate_use
from exchange.rules.certificate_use import NEVER, Held, Use
from exchange.rules.ratios import Measure

MEASURES = ("M8", "M9", "M10", "M10_leaders", "M11")


@dataclass(frozen=True, kw_only=True)
class Documents:
    """How many documents of one sender are signed alike: validly by organisation, by person, or with a failed verdict.

    `failed`: a signature is TOTAL_FAILED. `undetermined`: none is, and one is INDETERMINATE.
    """

    sender: UUID
    organisation: bool
    individual: bool
    failed: bool
    undetermined: bool
    n: int


@dataclass(frozen=True, kw_only=True)
class Agency:
    """An agency as reports name and count it; `active`: exists on the day, and is not switched off."""

    id: UUID
    code: str
    name: str
    counted: bool
    active: bool


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Everything that the measures and reports are made from, of one period and set of agencies.

    `first` to `last` is the period; `on` is the last of its days that has begun, `at` the last moment of it: states of
    certificates are those of that moment. `used` are officers with a valid signature in the period.
    """

    first: date
    last: date
    at: datetime
    on: date
    agencies: Mapping[UUID, Agency]
    scope: AbstractSet[UUID]
    documents: Sequence[Documents]
    certificates: Sequence[Held]
    uses: Mapping[bytes, Use]
    used: AbstractSet[UUID]

    @property
    def own(self) -> list[Held]:
        """The certificates whose owners the period and scope cover, issued by its last day."""
        return [one for one in self.certificates if one.owner in self.scope and one.issued <= self.on]


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A registered signer (người ký đã đăng ký): an officer of an agency."""

    officer: UUID
    agency: UUID
    name: str
    position: str
    leader: bool


def measures(usage: Usage) -> dict[str, Measure]:
    """M8 to M11 with numerator and denominator."""
    people = signers(usage)
    holders = sealed(usage)
    active = [one.id for one in countable(usage)]
    return {
        "M8": signed(usage.documents, individual=False),
        "M9": signed(usage.documents, individual=True),
        "M10": using(people, usage.used),
        "M10_leaders": using([one for one in people if one.leader], usage.used),
        "M11": Measure(n=sum(one in holders for one in active), d=len(active)),
    }


def signed(documents: Iterable[Documents], *, individual: bool) -> Measure:
    """Documents with a valid signature of the organisation, or of both."""
    rows = tuple(documents)
    good = (row.n for row in rows if row.organisation and (row.individual or not individual))
    return Measure(n=sum(good), d=sum(row.n for row in rows))


def using(people: Iterable[Signer], used: AbstractSet[UUID]) -> Measure:
    """Signers who signed, of these."""
    found = [one.officer in used for one in people]
    return Measure(n=sum(found), d=len(found))


def signers(usage: Usage) -> list[Signer]:
    """The registered signers of the agencies in scope, each once whatever number of certificates they had."""
    found = {}
    for one in usage.own:
        row = one.latest
        if (
            row.officer
            and row.purpose == "exchange"
            and certificate_use.in_force_during(one, usage.first, usage.on)
        ):
            found[row.officer] = Signer(
                officer=row.officer, agency=one.owner, name=row.officer_name, position=row.position, leader=row.leader
            )  # fmt: skip
    return list(found.values())


def sealed(usage: Usage) -> dict[UUID, list[Held]]:
    """Agencies with a valid organisation certificate of their own for exchange, with those certificates."""
    found: dict[UUID, list[Held]] = {}
    for one in usage.own:
        if one.kind == "organisation" and one.latest.purpose == "exchange" and in_force(usage, one):
            found.setdefault(one.owner, []).append(one)
    return found


def countable(usage: Usage) -> list[Agency]:
    """The agencies in scope that stand in the denominator of M11: active, and counted by the directory."""
    agencies = (usage.agencies[one] for one in usage.scope)
    return sorted((one for one in agencies if one.active and one.counted), key=lambda one: one.code)


def in_force(usage: Usage, one: Held) -> bool:
    """Whether a certificate is valid at the end of the period, or now."""
    return certificate_use.state(one, usage.at, usage.on) == "valid"


def idle(usage: Usage, one: Held, days: int) -> bool:
    """Whether a certificate lies unused for more than so many days then."""
    return certificate_use.idle(one, usage.uses.get(one.sha256, NEVER), usage.at, usage.on, days)
