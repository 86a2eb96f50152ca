"""From a notice that counts to the rows of its one commit, and to what it does to the delivery it speaks of.

The notice is a letter of operation `status` with one delivery, to the agency it answers; nobody counts it. Beside it
stand two journal lines: *accepted*, of the notice itself, and *status*, of the delivery that it moves. When it is the
first that the recipient says at all, the delivery has arrived: an *arrived* line and two facts of the tally go with it,
as with an acknowledgement. When it changes the class, the old facts are taken back and the new ones added.
"""

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from exchange import ids
from exchange.broker import counted, expand, receipts
from exchange.broker.decisions import Given
from exchange.broker.exchange import Exchange
from exchange.edxml import model, view
from exchange.errors import Finding
from exchange.rules import admission, lifecycle, paper_class, transfer
from exchange.rules.directory import Agency, Directory
from exchange.store import commit, payloads, rows, transitions
from exchange.store.transitions import Moved, Standing

MOST_TEXT = 2_000
REQUIREMENT = "undetermined"
"""No signature is required of a notice, so none is judged."""


@dataclass(frozen=True, kw_only=True)
class Noticed:
    """A notice that counts: who says it to whom, about which delivery of which letter, and what reading it found."""

    notice: model.Notice
    sender: Agency
    addressee: Agency
    delivery: Mapping[str, Any]
    letter: rows.LetterRow
    warnings: tuple[Finding, ...] = ()


def submission(exchange: Exchange, noticed: Noticed, given: Given, directory: Directory) -> commit.Submission:
    """All rows of one notice, and the transition that rides on them."""
    letter = _receipted(exchange, noticed, _letter(exchange, noticed, given, directory))
    about = noticed.delivery
    return commit.Submission(
        letter=letter,
        deliveries=tuple(
            replace(
                one, kind="notice", status=noticed.notice.status, klass="X", excluded=None, grade="", justified=""
            )
            for one in expand.of_letter(letter, directory, exchange.ids)
        ),
        payload=payloads.put(
            exchange.payload_folder, letter.id, given.raw, given.sha256, exchange.config.inline_bytes
        ),
        transition=transitions.Transition(
            key=(about["recipient"], about["letter"], about["round"]),
            move=functools.partial(move, noticed, letter, exchange.ids),
        ),
        accepted=rows.JournalRow(
            agency=letter.sender, id=exchange.ids.new(), at=given.at, event="accepted", letter=letter.id,
            system=letter.system, sha256=letter.sha256, size=letter.size, code=noticed.notice.status,
            detail={"round": letter.round},
        ),
    )  # fmt: skip


def _letter(exchange: Exchange, noticed: Noticed, given: Given, directory: Directory) -> rows.LetterRow:
    """The notice's row: its own identity, the subject matter of the letter it answers."""
    return replace(
        noticed.letter,
        sender=noticed.sender.id,
        id=exchange.ids.new(),
        operation="status",
        sha256=given.sha256,
        size=len(given.raw),
        target_document_id=noticed.letter.document_id,
        response_for=(),
        main_attachment=None,
        main_sha256=None,
        copy_form="original",
        paper=None,
        paper_reason=None,
        no_paper_standing=False,
        recipients=(noticed.addressee.id,),
        purposes=("inform",),
        unroutable=(),
        requirement=REQUIREMENT,
        reason="",
        missing=(),
        directory_version=directory.version,
        policy_sha256=exchange.policy.sha256,
        system=given.caller.system,
        accepted_at=given.at,
        receipt=b"",
        expanded_at=given.at,
        first_of_key=None,
        duplicates=(),
    )


def _receipted(exchange: Exchange, noticed: Noticed, letter: rows.LetterRow) -> rows.LetterRow:
    codes = {one.id: one.code for one in (noticed.sender, noticed.addressee)}
    key = exchange.receipt_key
    statement = receipts.statement(
        receipts.member(letter, codes.__getitem__, exchange.ids.new(), key.exchange),
        key,
        requirement=REQUIREMENT,
        class_if_electronic=admission.class_if_electronic(REQUIREMENT, None, no_paper_standing=False),
        warnings=[view.finding(one, exchange.config.language) for one in noticed.warnings],
    )
    return replace(letter, receipt=statement)


def move(noticed: Noticed, letter: rows.LetterRow, new_ids: ids.Ids, now: Standing) -> Moved:
    """What the notice, stored as `letter`, does to a delivery that stands so; what the table does not know is kept."""
    reached = lifecycle.advance(now.state, noticed.notice.status) or now.state
    status = _status(noticed, letter, new_ids, now)
    if reached == now.state:
        return Moved(standing=now, lines=(status,))
    arrives = now.arrived_at is None
    arrived_at = letter.accepted_at if arrives else now.arrived_at
    # What is known of its signatures is what the locked row says: the letter may have been judged again since.
    accepted = replace(
        expand.accepted(noticed.letter, noticed.delivery["scope"], noticed.delivery["recipient"]),
        requirement=now.requirement,
    )
    before = transfer.classification(accepted, now.state, now.arrived_at)
    after = transfer.classification(accepted, reached, arrived_at)
    arrived = replace(status, id=new_ids.new(), event="arrived", sha256=None, size=None, detail={})
    standing = Standing(
        requirement=now.requirement,
        state=reached,
        open=now.open and not arrives,
        system=letter.system if arrives else now.system,
        arrived_at=arrived_at,
        counted_class=after.klass,
        excluded=after.excluded or None,
    )
    return Moved(
        standing=standing,
        lines=(status, arrived) if arrives else (status,),
        facts=_facts(noticed.delivery, (before, now), (after, standing), new_ids),
    )


def _facts(
    delivery: Mapping[str, Any],
    before: tuple[paper_class.Classification, Standing],
    after: tuple[paper_class.Classification, Standing],
    new_ids: ids.Ids,
) -> tuple[rows.DeltaRow, ...]:
    """What was counted, taken back, and what counts now; nothing when they are the same."""
    if before[0] == after[0]:
        return ()
    counts: Counter[counted.Fact] = Counter()
    counts.subtract(counted.facts(delivery, before[0], before[1].arrived_at))
    counts.update(counted.facts(delivery, after[0], after[1].arrived_at))
    return tuple(counted.deltas(counts, new_ids))


def _status(noticed: Noticed, letter: rows.LetterRow, new_ids: ids.Ids, now: Standing) -> rows.JournalRow:
    notice, about = noticed.notice, noticed.delivery
    return rows.JournalRow(
        agency=about["recipient"],
        id=new_ids.new(),
        at=letter.accepted_at,
        event="status",
        letter=about["letter"],
        delivery=about["id"],
        system=letter.system,
        sha256=letter.sha256,
        size=letter.size,
        code=notice.status,
        detail={
            "notice": str(letter.id),
            "from": noticed.sender.code,
            "text": notice.description[:MOST_TEXT],
            "at": notice.at.isoformat() if notice.at else None,
            "was": now.state,
        },
    )
