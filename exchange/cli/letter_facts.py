"""What `congvan show` lists of a message: label keys under `show.` with one or more texts."""

from collections.abc import Iterator
from datetime import date

from exchange import texts
from exchange.edxml import codes, dates, model, view

Row = tuple[str, tuple[str, ...]]


def rows(message: model.Message, language: str) -> list[Row]:
    """Label and texts in the order in which a clerk reads; what the message does not say is left out."""
    told = _notice(message, language) if isinstance(message, model.Notice) else _letter(message, language)
    kept = ((label, tuple(fact for fact in facts if fact)) for label, facts in told)
    return [(label, facts) for label, facts in kept if facts]


def _letter(letter: model.Letter, language: str) -> Iterator[Row]:
    yield "sender", (_party(letter.sender),)
    yield "recipients", tuple(map(_party, letter.recipients))
    yield "reference", (f"{letter.number}/{letter.notation}",)
    yield "issued", (_joined(letter.place, _day(letter.issued_on, letter.issued_on_text)),)
    yield "type", (letter.type_name,)
    yield "subject", (letter.subject,)
    yield "content", (letter.content,)
    yield "signer", (_joined(letter.signer.competence, letter.signer.position, letter.signer.name),)
    yield "due", (_day(letter.due_on, letter.due_on_text),)
    yield "priority", (view.name(codes.PRIORITIES, str(letter.priority), language),)
    yield "steering", (view.name(codes.STEERING, str(letter.steering), language),)
    yield from _operation(letter, language)
    yield "response_for", tuple(map(_answered, letter.response_for))
    yield "staff", (_staff(letter.staff),)
    yield "document_id", (letter.document_id,)


def _operation(letter: model.Letter, language: str) -> Iterator[Row]:
    name = view.name(codes.OPERATIONS, codes.CODE_OF[letter.operation], language)
    yield "operation", (_joined(name, letter.operation_reason),)
    yield "target", (letter.target_document_id,)
    yield "replaced", tuple(item.document_id for item in letter.replaced)
    paper = "none" if letter.paper is None else letter.paper
    yield "paper", (texts.say(f"show.paper_{paper}", language),)


def _notice(notice: model.Notice, language: str) -> Iterator[Row]:
    yield "status", (_joined(notice.status, view.name(codes.STATUSES, notice.status, language)),)
    yield "sender", (_party(notice.sender),)
    yield "response_for", (_answered(notice.response_for),)
    yield "description", (notice.description,)
    yield "staff", (_staff(notice.staff),)
    yield "at", (dates.write_moment(notice.at) if notice.at else notice.at_text,)


def _joined(*facts: str) -> str:
    return ", ".join(fact for fact in facts if fact)


def _party(party: model.Party) -> str:
    return f"{party.name} ({party.code})" if party.name else party.code


def _answered(answer: model.ResponseFor) -> str:
    day = _day(answer.issued_on, answer.issued_on_text)
    return _joined(answer.reference, day, answer.code, answer.document_id)


def _staff(staff: model.Staff | None) -> str:
    return _joined(staff.name, staff.department, staff.email, staff.mobile) if staff else ""


def _day(day: date | None, text: str) -> str:
    return f"{day.day:02}/{day.month:02}/{day.year}" if day else text
