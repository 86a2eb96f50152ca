"""Send: bytes in, one durable decision out - accepted with a receipt, or refused with its reason on record.

    read      edxml.read          tolerant; what is unreadable is refused
    check     rules.admission     who sends, may the caller act for it, can anybody be reached
    known     store.letters       the same bytes again get their first receipt, unjudged
    plan      broker.operations   a revocation, update or replacement: of which letter, whom does it concern
    verify    broker.verify       every signature, in threads and worker processes
    main      broker.main_file    a signed main document: was it sent before, what does its first page say
    judge     rules.requirements  do the signatures meet the policy
    decide    rules.admission     the one table
    store     store.commit        letter, verdicts, recipients, journal row, receipt and bytes in one commit

A notice takes its own way after it was read: `broker.answer`.
A crash before the commit leaves nothing, and the sender without a receipt: it sends again.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from exchange import metrics
from exchange.broker import answer, intake, judging, main_file, numbered, operations
from exchange.broker.caller import Caller
from exchange.broker.decisions import Accepted, Given, Refused, beside, on_record, recorded, refusal, refuse
from exchange.broker.declared import Declared
from exchange.broker.exchange import Exchange
from exchange.broker.written import Decided, Source, submission
from exchange.edxml import model, read, spool, spooled
from exchange.edxml.spooled import Content
from exchange.errors import Problem
from exchange.rules import admission
from exchange.store import commit, letters, rows

__all__ = ["Accepted", "Refused", "on_record", "refuse", "send"]

MOST_PLANS = 200
"""How often an operation is planned while others on the same letter come before it."""


async def send(exchange: Exchange, raw: Content, caller: Caller, declared: Declared) -> Accepted | Refused:
    """Decide on one message and make the decision durable. A large one comes in a file; others made of it stand beside it.

    Raises Problem busy or outcome_unknown (send again).
    """
    given = Given(raw=raw, sha256=spooled.digest(raw), caller=caller, declared=declared, at=exchange.clock())
    return await recorded(exchange, given, await _decided(exchange, given))


async def _decided(exchange: Exchange, given: Given) -> Accepted | Refused:
    try:
        reading = await beside(len(given.raw), spool.read_content, given.raw)
    except read.Unreadable as error:
        return Refused(code=error.code, findings=error.findings)
    if isinstance(reading.message, model.Notice):
        return await answer.answer(exchange, given, reading)
    letter = reading.message
    directory = await exchange.snapshot.current()
    case = intake.intake(directory, reading, given.caller, given.declared, given.at)
    refused = admission.check(case)
    if refused is not None:
        return Refused(code=refused.code, findings=refused.findings)
    assert case.sender is not None
    identity = letters.Identity(case.sender.id, intake.identity(letter), letter.operation, given.sha256)
    known = await _known(exchange, identity, given)
    if isinstance(known, Accepted | Refused):
        return known
    planned = await _planned(exchange, given, letter, case)
    if isinstance(planned, Refused):
        return planned
    return await _judged(exchange, given, reading, case, Course(round=known, plan=planned))


@dataclass(frozen=True, kw_only=True)
class Course:
    """Which round of its document a letter opens, and what it does to another, if it is an operation."""

    round: int
    plan: operations.Plan | None


async def _planned(
    exchange: Exchange, given: Given, letter: model.Letter, case: admission.Intake
) -> operations.Plan | Refused | None:
    """What an operation concerns; refused if there is nothing that it could act on."""
    if letter.operation == "new":
        return None
    assert case.sender is not None
    found = await operations.plan(exchange, given, case.sender.id, letter, case.routing.recipients)
    if isinstance(found, operations.Plan) and any(one.severity == "error" for one in found.findings):
        return Refused(code="findings", findings=found.findings)
    return found


async def _known(exchange: Exchange, identity: letters.Identity, given: Given) -> Accepted | Refused | int:
    """The first receipt again, a conflict, or the round that this letter opens."""
    held = await exchange.known.answer(identity)
    if held is None:
        return 1
    same, following = held.sha256 == given.sha256, held.round + 1
    if held.over and (not same or given.declared.resend == following):
        return following
    if same:
        return Accepted(letter=held.id, receipt=held.receipt, replayed=True)
    return Refused(code="conflict", detail=str(held.id))


async def _judged(
    exchange: Exchange, given: Given, reading: model.Reading, case: admission.Intake, course: Course
) -> Accepted | Refused:
    assert isinstance(reading.message, model.Letter)
    found = await _examined(
        exchange,
        judging.Matter(raw=given.raw, reading=reading, case=case, declared=given.declared, at=given.at),
        given.caller.system,
    )
    if isinstance(found, judging.Unexaminable):
        return Refused(code=found.code, findings=found.findings)
    for _ in range(MOST_PLANS):
        answer = await _weighed(exchange, given, reading.message, _told(case, course), course, found)
        if answer is not None:
            return answer
        planned = await _planned(exchange, given, reading.message, case)
        if isinstance(planned, Refused):
            return planned
        course = replace(course, plan=planned)
    raise Problem("busy")


def _told(case: admission.Intake, course: Course) -> admission.Intake:
    """The case with what the plan says to the sender."""
    findings = course.plan.findings if course.plan else ()
    return replace(case, findings=(*case.findings, *findings))


async def _weighed(
    exchange: Exchange,
    given: Given,
    letter: model.Letter,
    case: admission.Intake,
    course: Course,
    found: judging.Found,
) -> Accepted | Refused | None:
    """The decision, made durable; None if the operation was overtaken by another on the same letter."""
    directory = await exchange.snapshot.current()
    judgement = judging.weigh(found, directory, exchange.policy, given.at)
    decision = admission.decide(case, found.report, judgement, accept_broken=exchange.policy.accept_broken)
    if isinstance(decision, admission.Refused):
        return Refused(code=decision.code, findings=decision.findings)
    decided = Decided(
        message=letter, case=case, declared=given.declared, report=found.report, judgement=judgement,
        admitted=decision, trust_sha256=found.trust_sha256, main_sha256=intake.main_sha256(found.facts),
        directory=directory.version, round=course.round, at=given.at, plan=course.plan,
    )  # fmt: skip
    return await _stored(exchange, given, decided)


async def _examined(
    exchange: Exchange, matter: judging.Matter, system: UUID
) -> judging.Found | judging.Unexaminable:
    verifier = exchange.verifier.of(system)
    with metrics.VERIFY_SECONDS.time():
        asking = main_file.Asking(reused=exchange.reused.answer, reader=verifier)
        found = await judging.examine(verifier, matter, asking)
    for verdict in found.report.verdicts if isinstance(found, judging.Found) else ():
        metrics.VERDICTS.labels(verdict.indication).inc()
    return found


async def _stored(exchange: Exchange, given: Given, decided: Decided) -> Accepted | Refused | None:
    refused = refusal(exchange, given.caller, "conflict", sha256=given.sha256, size=len(given.raw))
    directory = await exchange.snapshot.current()
    source = Source(raw=given.raw, sha256=given.sha256, caller=given.caller, refused=refused)
    written = await beside(len(given.raw), submission, exchange, decided, source, directory)
    assert written.letter is not None
    if decided.round > 1:
        sent = numbered.sent(written.letter, decided.message, directory, given.at)
        written = numbered.following(written, sent, directory, exchange.ids)
    outcome = await exchange.committer.submit(written)
    assert written.letter is not None
    if outcome.kind == "known_document":
        assert written.letter is not None
        written = await _again(exchange, given, decided, source, written.letter)
        outcome = await exchange.committer.submit(written)
    if outcome.kind == "overtaken":
        return None
    assert written.letter is not None
    assert outcome.letter is not None
    if outcome.kind == "conflict":
        return Refused(code="conflict", detail=str(outcome.letter), recorded=True)
    if outcome.kind == "stored":
        exchange.kept.update(row.sha256 for row in written.evidence)
        _announce(exchange, written.letter)
    return Accepted(letter=outcome.letter, receipt=outcome.receipt, replayed=outcome.kind == "replayed")


async def _again(
    exchange: Exchange, given: Given, decided: Decided, source: Source, letter: rows.LetterRow
) -> commit.Submission:
    """The submission of a letter whose document was sent before, its receipt telling so."""
    directory = await exchange.snapshot.current()
    earlier = await exchange.earlier.answer(numbered.asked(letter)) or ()
    sent = numbered.sent(letter, decided.message, directory, given.at)
    admitted = numbered.warned(decided.admitted, sent, letter, earlier)
    warned = replace(decided, admitted=admitted)
    written = await beside(len(given.raw), submission, exchange, warned, source, directory)
    return numbered.again(written, sent, directory, exchange.ids)


def _announce(exchange: Exchange, letter: rows.LetterRow) -> None:
    if letter.expanded_at is None or (letter.operation != "new" and letter.effected_at is None):
        exchange.expand.set()
    if letter.expanded_at is not None:
        exchange.bell.ring((*letter.recipients, *letter.added))
