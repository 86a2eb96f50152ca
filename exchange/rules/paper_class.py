"""Which class a transfer (lượt gửi) is in: electronic, with paper, without legal value, undeclared, paper only.

Theory of operation. A transfer is one document on its way to one recipient. What happened to it is a set of
dated events; `classify` is a pure function of that set: the order in which events are handed in does not
matter, only their times do, and an event told twice is the same event. So a recomputation from the log must
give the tally again, and `congvan check` demands it.

The decision is a list of steps, first match wins:

    1 never counted: secret, test, internal, duplicate                       X
    2 refused by the recipient and not registered since                      X
    3 taken back before the recipient registered it                          X
    4 not arrived: a register row says it went on paper                      P   (without one: not counted yet)
    5 paper declared, observed or registered                                 S
    6 the required signatures are not all valid                              N
    7 no paper: flag 0, standing declaration, recipient's attestation        E
    8 nothing is said about paper                                            U

A flag in the letter speaks before the agency's standing declaration; what the recipient saw speaks before both.
Days are Vietnamese (Decision 28/2018 Art. 14(4)): acceptance counts for the outgoing view, arrival for the incoming.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone

from exchange.rules import document_types

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""Vietnam keeps one offset all year; a fixed zone needs no time zone files on closed machines."""

CLASSES = ("E", "S", "N", "U", "P")
"""The counted classes, in the order in which they are printed. X stands beside them, never in a denominator."""

KINDS = (
    "accepted",  # by this exchange, with all that was declared and judged then
    "judged",  # signatures judged again: a new requirement and reason
    "declared",  # the sender corrects what it said about paper
    "arrived",  # acknowledged by the recipient's system, status 01
    "registered",  # status 03 or a later one
    "refused",  # status 02
    "withdrawn",  # the exchange took it out of the inbox
    "recall_confirmed",  # status 15 on a take-back or a revocation
    "paper_received",  # the recipient saw paper
    "attested",  # the recipient attests: no other paper came
    "register_row",  # a row of an office's register says paper went
    "expired",  # the window without arrival ended
)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened to a transfer. `kind` is one of `KINDS`; `at` is aware.

    The other fields belong to *accepted*; *judged* also uses `requirement` and `reason`, *declared* also
    `paper` and `paper_reason`. `paper`: 0 none, 1 paper follows, anything else says nothing. For a
    *register_row*, `at` is the start of the day on which the paper moved (`start_of`).
    """

    kind: str
    at: datetime
    requirement: str = "not_met"
    reason: str = ""
    paper: int | None = None
    no_paper_standing: bool = False
    paper_reason: str | None = None
    document_type: str = ""
    scope: str = "same_root"
    test: bool = False
    secret: bool = False
    duplicate: bool = False
    imported: bool = False


@dataclass(frozen=True, kw_only=True)
class Classification:
    """The class of one transfer, and why.

    `klass`: E, S, N, U, P, X, or None while nothing has arrived. `excluded` names the kind of X. `grade`
    (mức kiểm chứng) stands for E: A attested, B declared, C imported. `justified` is yes or no for S.
    `step` names the row of the procedure; `reason` the paper reason (S) or the sub-reason (N). `conflict`:
    paper was seen although none was declared. `recalled`: taken back after registration, still counted.
    """

    klass: str | None
    step: str
    excluded: str = ""
    grade: str = ""
    justified: str = ""
    reason: str = ""
    conflict: bool = False
    recalled: bool = False


@dataclass(frozen=True, kw_only=True)
class Days:
    """The local day on which a transfer counts in each view, None while it does not."""

    outgoing: date | None
    incoming: date | None


@dataclass(frozen=True, kw_only=True)
class _Facts:
    accepted: Event | None
    judged: Event
    declared: Event
    moments: dict[str, tuple[datetime, datetime]]

    def first(self, *kinds: str) -> datetime | None:
        return min((self.moments[kind][0] for kind in kinds if kind in self.moments), default=None)

    def last(self, kind: str) -> datetime | None:
        return self.moments[kind][1] if kind in self.moments else None

    @property
    def arrival(self) -> datetime | None:
        return self.first("arrived", "registered") if self.accepted else None

    @property
    def recall(self) -> datetime | None:
        return self.first("withdrawn", "recall_confirmed")

    @property
    def no_paper(self) -> bool:
        """Whether the sender says that no paper goes: by flag, or without one by its standing declaration."""
        standing = self.accepted is not None and self.accepted.no_paper_standing
        return self.declared.paper == 0 or (standing and self.declared.paper != 1)


def classify(events: Iterable[Event]) -> Classification:
    """The class of a transfer from all events known of it. Raises ValueError on an unknown kind of event."""
    facts = _facts(tuple(events))
    found = next((found for step in _STEPS if (found := step(facts))), _UNDECLARED)
    recalled = found.klass in CLASSES and facts.recall is not None
    return replace(found, recalled=True) if recalled else found


def on_arrival(accepted: Event) -> Classification:
    """The class an accepted transfer will have once it arrives and nothing else happens."""
    return classify((accepted, Event(kind="arrived", at=accepted.at)))


def document_class(classes: Iterable[str | None]) -> str | None:
    """The class of a document from those of its transfers; None when none of them is counted.

    E, P, U or N when all counted transfers are; S as soon as one has paper; otherwise N before U.
    """
    counted = {klass for klass in classes if klass in CLASSES}
    if len(counted) <= 1:
        return next(iter(counted), None)
    return next(klass for klass, signs in _MIXED if counted & signs)


_MIXED = (("S", {"S", "P"}), ("N", {"N"}), ("U", {"U"}))


def days(events: Iterable[Event]) -> Days:
    """When a transfer counts: acceptance and arrival, or the register's day for what went on paper only."""
    facts = _facts(tuple(events))
    if facts.accepted is not None and facts.arrival is not None:
        return Days(outgoing=local_day(facts.accepted.at), incoming=local_day(facts.arrival))
    row = facts.first("register_row")
    return Days(outgoing=local_day(row) if row else None, incoming=local_day(row) if row else None)


def local_day(at: datetime) -> date:
    """The day in Vietnam of an aware moment; 17:00Z is already tomorrow. Raises ValueError on a naive one."""
    if at.tzinfo is None:
        raise ValueError("a moment without its zone has no local day")
    return at.astimezone(VIETNAM).date()


def start_of(day: date) -> datetime:
    """The first moment of a day in Vietnam."""
    return datetime.combine(day, time(), VIETNAM)


def justified(paper_reason: str | None, document_type: str) -> bool:
    """Whether paper beside an electronic letter has a lawful ground (Decision 28/2018 Art. 7(2), 775/VPCP-KSTT)."""
    lawful = _LAWFUL_FOR_LISTED if document_types.without_paper(document_type) else _LAWFUL
    return paper_reason in lawful


_LAWFUL_FOR_LISTED = frozenset({"government", "other_law"})
_LAWFUL = _LAWFUL_FOR_LISTED | {"listed", "recipient_unable"}


def _never_counted(facts: _Facts) -> Classification | None:
    accepted = facts.accepted
    if accepted is None:
        return None
    tests = {
        "secret": accepted.secret,
        "test": accepted.test,
        "internal": accepted.scope == "internal",
        "duplicate": accepted.duplicate,
    }
    kind = next((kind for kind, holds in tests.items() if holds), None)
    return Classification(klass="X", step=kind, excluded=kind) if kind else None


def _refused(facts: _Facts) -> Classification | None:
    refused, registered = facts.last("refused"), facts.last("registered")
    if refused is None or (registered is not None and registered > refused):
        return None
    return Classification(klass="X", step="refused", excluded="refused")


def _recalled(facts: _Facts) -> Classification | None:
    recalled, registered = facts.recall, facts.first("registered")
    if recalled is None or (registered is not None and registered <= recalled):
        return None
    return Classification(klass="X", step="recalled", excluded="recalled")


def _not_arrived(facts: _Facts) -> Classification | None:
    if facts.arrival is not None:
        return None
    if "register_row" in facts.moments:
        return Classification(klass="P", step="register")
    if "expired" in facts.moments:
        return Classification(klass="X", step="undelivered", excluded="undelivered")
    return Classification(klass=None, step="pending")


def _with_paper(facts: _Facts) -> Classification | None:
    observed = facts.first("paper_received", "register_row") is not None
    if facts.accepted is None or not (observed or facts.declared.paper == 1):
        return None
    reason = facts.declared.paper_reason
    return Classification(
        klass="S",
        step="observed" if observed else "declared",
        justified="yes" if justified(reason, facts.accepted.document_type) else "no",
        reason=reason or "",
        conflict=observed and facts.no_paper,
    )


def _without_value(facts: _Facts) -> Classification | None:
    if facts.judged.requirement == "met":
        return None
    return Classification(klass="N", step="requirement", reason=facts.judged.reason)


def _no_paper(facts: _Facts) -> Classification | None:
    attested = "attested" in facts.moments
    if not attested and not facts.no_paper:
        return None
    imported = facts.accepted is not None and facts.accepted.imported
    grade = "A" if attested else "C" if imported else "B"
    return Classification(klass="E", step="no_paper", grade=grade)


_UNDECLARED = Classification(klass="U", step="undeclared")

_STEPS: Sequence[Callable[[_Facts], Classification | None]] = (
    _never_counted,
    _refused,
    _recalled,
    _not_arrived,
    _with_paper,
    _without_value,
    _no_paper,
)


def _facts(events: tuple[Event, ...]) -> _Facts:
    moments: dict[str, tuple[datetime, datetime]] = {}
    for event in events:
        if event.kind not in KINDS:
            raise ValueError(f"no such event of a transfer: {event.kind}")
        first, last = moments.get(event.kind, (event.at, event.at))
        moments[event.kind] = (min(first, event.at), max(last, event.at))
    accepted = min((event for event in events if event.kind == "accepted"), key=_order, default=None)
    start = accepted or Event(kind="accepted", at=datetime.min.replace(tzinfo=VIETNAM))
    return _Facts(
        accepted=accepted,
        judged=max((event for event in events if event.kind == "judged"), key=_order, default=start),
        declared=max((event for event in events if event.kind == "declared"), key=_order, default=start),
        moments=moments,
    )


def _order(event: Event) -> tuple[datetime, str]:
    """By time; events of one moment in an order that does not depend on how they were handed in."""
    return event.at, repr(event)
