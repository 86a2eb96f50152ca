"""What the demo did, as the one object of `contract.md`, "Demo summary"."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exchange.demo import agencies, letters
from exchange.links import sdk
from exchange.rules import measures, ratios, signature_measures
from exchange.rules.certificate_use import STATES
from exchange.rules.signature_measures import Usage
from exchange.tracker import tally
from exchange.tracker.reports import inventory


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One letter handed over, and what the exchange answered."""

    draft: letters.Draft
    raw: bytes
    answer: sdk.Answer


@dataclass
class Received:
    """What the systems took: counts, the pairs (letter, recipient) seen, to find doubles and gaps, and their deliveries."""

    acknowledged: int = 0
    different: int = 0
    notices: int = 0
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    deliveries: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What was counted at the end: transfers by class, and how signatures were used."""

    tally: tally.Tally
    usage: Usage


def accepted(sent: Iterable[Sent]) -> Iterator[Sent]:
    """Those that were newly accepted."""
    return (one for one in sent if one.answer.status == 201)  # noqa: PLR2004 - HTTP


def of(
    sent: Sequence[Sent], received: Received, verdicts: Iterable[Mapping[str, Any]], counted: Counted
) -> dict[str, Any]:
    """Everything but the seconds."""
    found = list(verdicts)
    refused = [one.answer.problem for one in sent if one.answer.problem]
    return {
        "agencies": sum(agencies.KINDS.values()),
        "letters": {
            "sent": len(sent),
            "accepted": len(list(accepted(sent))),
            "refused": len(refused),
            "replayed": sum(one.answer.status == 200 for one in sent),  # noqa: PLR2004 - HTTP
        },
        "refused_by": dict(Counter(refused)),
        "deliveries": _deliveries(sent, received),
        "notices": received.notices,
        "verdicts": dict(Counter(one["indication"] for one in found)),
        "signers": _signers(found),
        "certificates": _certificates(counted.usage),
        "tally": _tally(counted),
    }


def _deliveries(sent: Sequence[Sent], received: Received) -> dict[str, int]:
    made = sum(len(one.answer.body["receipt"]["recipients"]) for one in accepted(sent))
    return {
        "made": made,
        "acknowledged": received.acknowledged,
        "lost": made - len(received.seen),
        "duplicated": sum(n - 1 for n in received.seen.values()),
    }


def _signers(found: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Distinct certificates by kind of signer."""
    kinds = Counter(kind for kind, _ in {(one["signer"]["kind"], one["certificate_sha256"]) for one in found})
    return {"organisation": kinds["organisation"], "individual": kinds["individual"]}


def _certificates(usage: Usage) -> dict[str, int]:
    """Certificates of the directory by kind and by state, and how many counted agencies have none of their own."""
    kinds = Counter(one.kind for one in usage.own)
    owners = {one.owner for one in usage.own if one.kind == "organisation"}
    without = sum(agency.id not in owners for agency in signature_measures.countable(usage))
    states = inventory.states(usage, usage.own)
    return {
        "organisation": kinds["organisation"],
        "individual": kinds["individual"],
        **{state: states[state] for state in STATES if states[state]},
        "agencies_without": without,
    }


def _tally(counted: Counted) -> dict[str, Any]:
    found = counted.tally
    measured = {
        **measures.of_classes(found.classes, found.grade_a),
        **signature_measures.measures(counted.usage),
    }
    texts = {name: {"n": n, "d": d, "text": ratios.text(n, d)} for name, (n, d) in measured.items()}
    registers = {"n": found.registers[0], "d": found.registers[1]}
    excluded = sum(found.excluded.values())
    coverage = {"registers": registers, "sufficient": tally.sufficient(found.registers)}
    return {**found.classes, "X": excluded, "ratios": texts, "coverage": coverage}
