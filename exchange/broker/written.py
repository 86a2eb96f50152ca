"""From a decision to the rows of its one commit: the letter, its verdicts, deliveries, bytes, journal row and receipt."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from exchange.broker import expand, intake, linked, numbered, operations, receipts, verify
from exchange.broker.caller import Caller
from exchange.broker.declared import Declared
from exchange.broker.exchange import Exchange
from exchange.edxml import model, view
from exchange.edxml.spooled import Content
from exchange.rules import admission, document_types, requirements
from exchange.rules.directory import Directory
from exchange.rules.signers import Signer
from exchange.store import commit, payloads, rejudgements, rows, transitions
from exchange.store import operations as stored
from signing import evidence
from signing.verdict import Report, SubIndication, Verdict

VERIFIER = "congvan-0.1"
MOST_TEXT = 500
LOOKED_AT_AGAIN = timedelta(minutes=1)
"""How long after its acceptance files of a letter are looked at again that could not be examined in time."""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """An accepted letter with everything that was found out about it."""

    message: model.Letter
    case: admission.Intake
    declared: Declared
    report: Report
    judgement: requirements.Judgement
    admitted: admission.Admitted
    trust_sha256: bytes
    main_sha256: bytes | None
    directory: int
    round: int
    at: datetime
    plan: operations.Plan | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where it came from: bytes, digest, caller, and the journal row should it turn out to be a conflict."""

    raw: Content
    sha256: bytes
    caller: Caller
    refused: rows.JournalRow


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Which judgement of which letter verdicts belong to, by which trust set and policy, and when."""

    sender: UUID
    letter: UUID
    revision: int
    trust_sha256: bytes
    policy_sha256: bytes
    at: datetime


def submission(
    exchange: Exchange, decided: Decided, source: Source, directory: Directory
) -> commit.Submission:
    """All rows of one accepted letter; large bytes are on disk, durable, when this returns."""
    letter = numbered.keyed(_letter(exchange, decided, source), decided.message)
    letter = _receipted(exchange, decided, letter, directory)
    few = letter.expanded_at is not None
    effects, added = _effects(exchange, decided, letter, directory)
    return commit.Submission(
        letter=letter,
        verdicts=tuple(_verdicts(decided, letter)),
        deliveries=tuple(expand.of_letter(letter, directory, exchange.ids)) if few else (),
        answers=linked.rows_of(decided.message, letter, directory),
        due=tuple(_due(exchange, decided, letter)),
        effects=effects,
        links=operations.links(decided.plan, letter) if decided.plan else (),
        seen=operations.seen(decided.plan) if decided.plan else (),
        added=added,
        payload=payloads.put(
            exchange.payload_folder, letter.id, source.raw, source.sha256, exchange.config.inline_bytes
        ),
        evidence=tuple(certificates(decided.report, exchange.kept, decided.at)),
        accepted=_accepted(exchange, decided, letter),
        refused=source.refused,
    )


def _effects(
    exchange: Exchange, decided: Decided, letter: rows.LetterRow, directory: Directory
) -> tuple[tuple[transitions.Transition, ...], tuple[stored.Added, ...]]:
    """What an operation does at once: to deliveries of its targets, and those that it adds."""
    if decided.plan is None or not decided.plan.at_once:
        return (), ()
    acts, moves, added = operations.cause(letter), list[transitions.Transition](), list[stored.Added]()
    for link in decided.plan.links:
        added += operations.given(letter, link, link.concerned, directory, acts, exchange.ids)
        moves += operations.struck(letter, link, link.concerned, acts, exchange.ids)
    return tuple(moves), tuple(added)


def _letter(exchange: Exchange, decided: Decided, source: Source) -> rows.LetterRow:
    message, admitted, routed = decided.message, decided.admitted, decided.case.routing
    assert decided.case.sender is not None
    few = len(routed.recipients) <= expand.INLINE_RECIPIENTS
    plan = decided.plan
    return rows.LetterRow(
        sender=decided.case.sender.id,
        id=exchange.ids.new(),
        document_id=intake.identity(message),
        operation=message.operation,
        round=decided.round,
        sha256=source.sha256,
        size=len(source.raw),
        number=message.number[: rows.MOST_NUMBER],
        notation=message.notation[: rows.MOST_NUMBER],
        issued_on=message.issued_on,
        document_type=document_types.named(message.type_name, message.notation),
        subject=message.subject[:MOST_TEXT],
        urgency=message.priority,
        target_document_id=plan.links[0].target.document_id if plan and plan.links else None,
        response_for=tuple(one.document_id for one in message.response_for if one.document_id),
        main_attachment=decided.judgement.main,
        main_sha256=decided.main_sha256,
        copy_form=decided.declared.copy_form,
        paper=decided.case.paper,
        paper_reason=decided.declared.paper_reason,
        no_paper_standing=decided.case.no_paper_standing,
        test=decided.declared.test,
        recipients=routed.recipients,
        purposes=routed.purposes,
        unroutable=routed.unroutable,
        requirement=admitted.requirement,
        reason=admitted.reason,
        missing=decided.judgement.missing,
        directory_version=decided.directory,
        policy_sha256=exchange.policy.sha256,
        system=source.caller.system,
        accepted_at=decided.at,
        receipt=b"",
        expanded_at=decided.at if few else None,
        recheck_at=decided.at if any(map(may_change, decided.report.verdicts)) else None,
        added=plan.added if plan else (),
        removed=plan.removed if plan else (),
        restated=plan.restated if plan else False,
        effected_at=decided.at if plan and plan.at_once else None,
    )


def _due(exchange: Exchange, decided: Decided, letter: rows.LetterRow) -> Iterator[rows.DueRow]:
    """A letter some of whose files could not be examined in time is judged again by itself."""
    if in_part(decided.report):
        yield rows.DueRow(
            sender=letter.sender, letter=letter.id, cause=rejudgements.UNEXAMINED, rejudgement=exchange.ids.new(),
            due_at=decided.at + LOOKED_AT_AGAIN,
        )  # fmt: skip


def _receipted(
    exchange: Exchange, decided: Decided, letter: rows.LetterRow, directory: Directory
) -> rows.LetterRow:
    """The letter with our statement that we hold it."""
    key = exchange.receipt_key
    statement = receipts.statement(
        receipts.member(letter, lambda one: directory.agencies[one].code, exchange.ids.new(), key.exchange),
        key,
        requirement=decided.admitted.requirement,
        class_if_electronic=decided.admitted.class_if_electronic,
        warnings=[view.finding(one, exchange.config.language) for one in decided.admitted.warnings],
    )
    return replace(letter, receipt=statement)


def in_part(report: Report) -> bool:
    """Whether some file could not be examined in time, and may be another time."""
    return any(remark.code in verify.POSTPONED for remark in report.remarks)


def may_change(verdict: Verdict) -> bool:
    """Whether newer revocation data may say something else of a signature."""
    return verdict.provisional or verdict.sub_indication is SubIndication.TRY_LATER


def _verdicts(decided: Decided, letter: rows.LetterRow) -> list[rows.VerdictRow]:
    of = Judged(
        sender=letter.sender, letter=letter.id, revision=1, trust_sha256=decided.trust_sha256,
        policy_sha256=letter.policy_sha256, at=letter.accepted_at,
    )  # fmt: skip
    return verdicts(of, decided.report, decided.judgement)


def verdicts(of: Judged, report: Report, judgement: requirements.Judgement) -> list[rows.VerdictRow]:
    """The rows of one judgement's verdicts, in the order of the report."""
    pairs = zip(report.verdicts, judgement.signers, strict=True)
    return [_verdict(of, position, verdict, signer) for position, (verdict, signer) in enumerate(pairs)]


def _verdict(of: Judged, position: int, verdict: Verdict, signer: Signer) -> rows.VerdictRow:
    return rows.VerdictRow(
        sender=of.sender,
        letter=of.letter,
        revision=of.revision,
        position=position,
        place=verdict.where,
        carrier=verdict.carrier,
        main=signer.place == "main",
        format=verdict.format,
        indication=verdict.indication.value,
        sub_indication=verdict.sub_indication.value if verdict.sub_indication else None,
        why=verdict.why,
        signer_kind=signer.kind,
        signer_name=signer.name[:MOST_TEXT],
        signer_agency=signer.agency,
        officer=signer.officer,
        certificate_sha256=bytes.fromhex(verdict.certificate_sha256) or None,
        signed_at_claimed=verdict.signed_at_claimed,
        best_signature_time=verdict.best_signature_time,
        time_source=verdict.time_source,
        covers_whole=verdict.coverage.whole,
        coverage=verdict.coverage.detail,
        changes_after=verdict.changes_after,
        provisional=verdict.provisional,
        wrapping=verdict.wrapping,
        evidence=verdict.evidence,
        trust_sha256=of.trust_sha256,
        policy_sha256=of.policy_sha256,
        verifier=VERIFIER,
        judged_at=of.at,
    )


def certificates(report: Report, kept: Collection[bytes], at: datetime) -> Iterator[rows.EvidenceRow]:
    """What is not stored yet: the signers' certificates, and what came inside signatures and was used."""
    for verdict in report.verdicts:
        digest = bytes.fromhex(verdict.certificate_sha256)
        if verdict.certificate and digest not in kept:
            yield rows.EvidenceRow(sha256=digest, kind="certificate", body=verdict.certificate, first_seen=at)
        for one in evidence.brought(verdict.evidence):
            if bytes.fromhex(one) not in kept:
                yield rows.EvidenceRow(sha256=bytes.fromhex(one), kind=one.kind, body=one.der, first_seen=at)


def _accepted(exchange: Exchange, decided: Decided, letter: rows.LetterRow) -> rows.JournalRow:
    return rows.JournalRow(
        agency=letter.sender,
        id=exchange.ids.new(),
        at=letter.accepted_at,
        event="accepted",
        letter=letter.id,
        system=letter.system,
        sha256=letter.sha256,
        size=letter.size,
        detail={
            "requirement": letter.requirement,
            "reason": letter.reason,
            "class_if_electronic": decided.admitted.class_if_electronic,
            "round": letter.round,
        },
    )
