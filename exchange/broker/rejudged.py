"""A letter judged again: what differs from the judgement that stands, and the rows that say so. Pure.

Nothing is overwritten but what the letter and its deliveries show now: receipts stay as they were given, and every
judgement keeps its verdicts. What was counted in the old class is taken back on the days on which it was counted, and
counted there in the new class. (Periods are not closed yet; once they are, facts for a closed day become a restatement
of it: `facts` is the place, and `judgement.at` tells since when.)
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from exchange import ids
from exchange.broker import counted, expand
from exchange.rules import admission, transfer
from exchange.rules.directory import Agency
from exchange.rules.documents import DOCUMENTS
from exchange.rules.routing import Routing
from exchange.store import rows
from exchange.store.rejudgements import Due
from signing.verdict import Indication, Report, SubIndication, Verdict

LEAST_PAUSE, MOST_PAUSE = timedelta(minutes=5), timedelta(days=1)
MISSING_DATA = frozenset({"revocation_missing", "revocation_stale"})
"""Verdicts that only say what we have not got (any more)."""

_TOLD = (
    "place", "carrier", "main", "format", "indication", "sub_indication", "why", "signer_kind", "signer_name", "signer_agency",
    "officer", "certificate_sha256", "signed_at_claimed", "best_signature_time", "time_source", "covers_whole",
    "coverage", "changes_after", "provisional", "wrapping",
)  # fmt: skip
"""What makes two verdicts on one signature the same; by which evidence and rules, and when, does not."""


@dataclass(frozen=True, kw_only=True)
class Stands:
    """What the signatures of a letter are worth."""

    requirement: str
    reason: str
    missing: tuple[str, ...]
    class_if_electronic: str


@dataclass(frozen=True, kw_only=True)
class Rejudged:
    """A letter as it stood when it was judged again (`revision` is its newest judgement), and what came out.

    `verdicts` have the next revision; with `differs` false nothing of it is written. `open`: newer data may tell more.
    `in_part`: a file could not be examined this time.
    """

    due: Due
    letter: rows.LetterRow
    revision: int
    stands: Stands
    verdicts: tuple[rows.VerdictRow, ...]
    evidence: tuple[rows.EvidenceRow, ...]
    differs: bool
    open: bool
    in_part: bool
    directory_version: int
    policy_sha256: bytes
    trust_sha256: bytes
    at: datetime

    @property
    def stood(self) -> Stands:
        """What the letter's signatures were worth before."""
        one = self.letter
        klass = admission.class_if_electronic(
            one.requirement, one.paper, no_paper_standing=one.no_paper_standing
        )
        return Stands(
            requirement=one.requirement, reason=one.reason, missing=one.missing, class_if_electronic=klass
        )


class Moved(NamedTuple):
    """What a judgement does to one delivery: its new columns, its class before and after, what is counted."""

    columns: tuple[Any, ...]
    before: str
    after: str
    arrived: bool
    facts: Counter[counted.Fact]


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What judging again did or would do: letters looked at and changed, deliveries by (class before, after).

    `counted` have arrived and stand in the tally, `waiting` have not arrived yet.
    """

    letters: int = 0
    changed: int = 0
    counted: Mapping[tuple[str, str], int] = field(default_factory=dict)
    waiting: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def __add__(self, other: "Effect") -> "Effect":
        return Effect(
            letters=self.letters + other.letters,
            changed=self.changed + other.changed,
            counted=Counter(self.counted) + Counter(other.counted),
            waiting=Counter(self.waiting) + Counter(other.waiting),
        )


def pause(at: datetime, accepted_at: datetime) -> timedelta:
    """How long until newer data are looked for again: five minutes for a fresh letter, at most a day."""
    return min(max((at - accepted_at) / 4, LEAST_PAUSE), MOST_PAUSE)


def case(letter: rows.LetterRow, sender: Agency) -> admission.Intake:
    """What is known of a letter that was accepted once: nothing of that is asked again."""
    return admission.Intake(
        sender=replace(sender, disabled=False),
        acts_for=frozenset({sender.id}),
        routing=Routing(recipients=letter.recipients, purposes=letter.purposes),
        paper=letter.paper,
        no_paper_standing=letter.no_paper_standing,
    )


def proven(report: Report, before: Sequence[Mapping[str, Any]]) -> Report:
    """The report, in which no signature that once passed fails for lack of data: what was proven then stays proven."""
    old = defaultdict[tuple[Any, ...], list[Mapping[str, Any]]](list)
    for row in reversed(before):
        old[row["place"], row["carrier"], row["certificate_sha256"] or b""].append(row)
    verdicts = []
    for verdict in (
        report.verdicts
    ):  # the same place, not the same position: another file may not have been examined then
        alike = old[verdict.where, verdict.carrier, bytes.fromhex(verdict.certificate_sha256)]
        verdicts.append(_proven(verdict, alike.pop() if alike else None))
    return replace(report, verdicts=tuple(verdicts))


def _proven(verdict: Verdict, before: Mapping[str, Any] | None) -> Verdict:
    lacking = verdict.sub_indication is SubIndication.TRY_LATER and verdict.why in MISSING_DATA
    if before is None or not lacking or before["indication"] != Indication.TOTAL_PASSED:
        return verdict
    return replace(
        verdict,
        indication=Indication.TOTAL_PASSED,
        sub_indication=None,
        why=before["why"],
        provisional=before["provisional"],
        best_signature_time=before["best_signature_time"],
        time_source=before["time_source"],
        evidence=tuple(before["evidence"]),
    )


def same(verdicts: Sequence[rows.VerdictRow], before: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these verdicts say what those of the standing judgement say."""
    return [_told(vars(one)) for one in verdicts] == [_told(one) for one in before]


def _told(row: Mapping[str, Any]) -> list[Any]:
    return [tuple(row[name]) if isinstance(row[name], list) else row[name] for name in _TOLD]


def moved(delivery: Mapping[str, Any], one: Rejudged) -> Moved:
    """What a judgement does to a delivery that stands so; what it is worth now is what its own row says."""
    now, at = one.stands, delivery["arrived_at"]
    then = replace(
        expand.accepted(one.letter, delivery["scope"], delivery["recipient"]),
        requirement=delivery["requirement"],
        document_type=delivery["document_type"],
        duplicate=delivery["excluded"] == "duplicate",
    )
    event = replace(then, requirement=now.requirement, reason=now.reason)
    key = (delivery["recipient"], delivery["letter"], delivery["round"])
    if delivery["operation"] not in DOCUMENTS:
        same_as = (delivery["class"], delivery["grade"], delivery["justified"], delivery["counted_class"])
        return Moved((*key, now.requirement, *same_as), "X", "X", at is not None, Counter())
    recalled, said = delivery["recalled"], transfer.said(delivery)
    before = transfer.classification(then, delivery["state"], at, recalled=recalled, said=said)
    after = transfer.classification(event, delivery["state"], at, recalled=recalled, said=said)
    shown = transfer.on_arrival(event, said)
    facts: Counter[counted.Fact] = Counter()
    facts.subtract(counted.facts(delivery, before, at))
    facts.update(counted.facts(delivery, after, at))
    return Moved(
        columns=(
            *key,
            now.requirement,
            shown.klass or "X",
            shown.grade,
            shown.justified,
            after.klass or delivery["counted_class"],
        ),
        before=before.klass or delivery["class"],
        after=after.klass or shown.klass or "X",
        arrived=at is not None,
        facts=facts,
    )


def effect(looked_at: int, changed: int, moves: Sequence[Moved]) -> Effect:
    """What these moves come to; deliveries whose class stays are not told."""
    told = [each for each in moves if each.before != each.after]
    return Effect(
        letters=looked_at,
        changed=changed,
        counted=Counter((each.before, each.after) for each in told if each.arrived),
        waiting=Counter((each.before, each.after) for each in told if not each.arrived),
    )


def judgement(one: Rejudged) -> rows.JudgementRow:
    """The row of a judgement that differs from the one before."""
    return rows.JudgementRow(
        sender=one.letter.sender,
        letter=one.letter.id,
        revision=one.revision + 1,
        at=one.at,
        cause=one.due.cause,
        directory_version=one.directory_version,
        policy_sha256=one.policy_sha256,
        trust_sha256=one.trust_sha256,
        **vars(one.stands),
    )


def line(one: Rejudged, new_ids: ids.Ids) -> rows.JournalRow:
    """The journal's line: why, what it was worth, what it is worth."""
    told = {
        name: {
            "requirement": each.requirement,
            "reason": each.reason,
            "class_if_electronic": each.class_if_electronic,
        }
        for name, each in (("from", one.stood), ("to", one.stands))
    }
    return rows.JournalRow(
        agency=one.letter.sender, id=new_ids.new(), at=one.at, event="rejudged", letter=one.letter.id,
        code=one.due.cause, detail={"revision": one.revision + 1, "cause": one.due.cause, **told},
    )  # fmt: skip
