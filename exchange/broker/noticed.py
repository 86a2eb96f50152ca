"""From a notice that counts to the rows of its one commit, and to what it does to the delivery it speaks of.

The notice is a letter of operation `status` with one delivery, to the agency it answers; nobody counts it. Beside it
stand two journal lines: *accepted*, of the notice itself, and *status*, of the delivery that it moves. When it is the
first that the recipient says at all, the delivery has arrived: an *arrived* line and two facts of the tally go with it,
as with an acknowledgement. When it changes the class, the old facts are taken back and the new ones added.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from exchange import ids
from exchange.broker import effects, expand, receipts
from exchange.broker.decisions import Given
from exchange.broker.exchange import Exchange
from exchange.broker.standings import Matter, settled
from exchange.edxml import model, view
from exchange.errors import Finding
from exchange.rules import admission, lifecycle, operations
from exchange.rules.directory import Agency, Directory
from exchange.store import commit, payloads, rows, transitions
from exchange.store.transitions import Moved, Standing

MOST_TEXT = 2_000
REQUIREMENT = "undetermined"
"""No signature is required of a notice, so none is judged."""

ENDING = frozenset({"02", "15"})
"""Statuses that may end a transfer."""


@dataclass(frozen=True, kw_only=True)
class Noticed:
    """A notice that counts: who says it to whom, about which delivery of which letter, and what reading it found.

    `asking`: the operation that an answer names; None: it names the letter, so it answers whatever is asked.
    """

    notice: model.Notice
    sender: Agency
    addressee: Agency
    delivery: Mapping[str, Any]
    letter: rows.LetterRow
    warnings: tuple[Finding, ...] = ()
    asking: UUID | None = None


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
            ends=effects.ends(_cause(letter), noticed.letter, exchange.ids)
            if noticed.notice.status in ENDING
            else None,
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
        added=(),
        removed=(),
        restated=False,
        effected_at=None,
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
    code, about = noticed.notice.status, noticed.delivery
    status = _status(noticed, letter, new_ids, now)
    matter = Matter(
        letter=noticed.letter, recipient=about["recipient"], delivery=about["id"], scope=about["scope"]
    )
    cause = _cause(letter)
    if lifecycle.EVENTS.get(code) == "sender":
        after, more = effects.struck(cause, matter, now, new_ids)
    elif noticed.asking not in {None, now.request_letter}:  # another request stands by now
        after, more = now, []
    else:
        after, more = effects.answered(cause, matter, now, code, new_ids)
    lines = [status, *more]
    reached = lifecycle.advance(now.state, code) or now.state
    if reached != now.state:
        after = replace(after, state=reached)
        if reached in operations.OVER:
            after = replace(after, put_off=None, put_off_facts=None)
        if now.arrived_at is None:
            after = replace(after, open=False, system=letter.system, arrived_at=letter.accepted_at)
            lines.append(
                replace(status, id=new_ids.new(), event="arrived", sha256=None, size=None, detail={})
            )
    if after == now:
        return Moved(standing=now, lines=(status,))
    return settled(matter, now, after, lines, new_ids)


def _cause(letter: rows.LetterRow) -> effects.Cause:
    return effects.Cause(
        name="take_back", letter=letter.id, operation="take_back", at=letter.accepted_at, system=letter.system
    )


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
