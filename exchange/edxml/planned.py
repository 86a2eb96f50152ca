"""A letter of a shape that was met before, read by its plan; None for all that must be looked at more closely.

What is answered here has no finding: nothing is said of a letter that the ordinary way would remark on, so that its
words and their order are in one place. What the ordinary way does with each text stands in `letter`, `values`, `parties`
and `joins`; a test holds the two together for letters of every kind.
"""

from collections.abc import Container, Sequence
from datetime import date
from functools import lru_cache
from operator import gt
from typing import Any, NamedTuple

from exchange.edxml import (
    agency_codes,
    codes,
    content_ids,
    dates,
    letter,
    markup,
    model,
    names,
    plan,
    planning,
    values,
    walk,
)
from exchange.edxml.markup import Cut
from exchange.edxml.plan import Plan
from signing import xml_namespaces

_MOST_IDENTITY = values.MOST_IDENTITY // 12
"""Characters that have no more bytes in UTF-8 than an identity may have, even where NFC makes three of one."""
_LONGEST_NAME = 100
"""Characters of a name that is remembered to be safe."""
MOST_LINES = 65_534
"""The last line that libxml2 knows of every element."""
_REQUIRED = ("document_id", "number", "notation", "issued_on_text", "subject")


_NO_ANSWER, _NO_HOP, _NOBODY = model.ResponseFor(), model.Trace(), model.Staff()


class _Odd(Exception):  # noqa: N818 - it says what the letter is
    """There is something to be looked at."""


def read(raw: bytes, limits: model.Limits) -> model.Reading | None:
    """The letter in `raw`, in which nothing is odd; None if something is, or the shape has no plan."""
    found = markup.cut(raw) if len(raw) <= limits.bytes else None
    planned = planning.of(found.shape) if found else None
    if found is None or planned is None or not _within(planned, limits) or xml_namespaces.too_long(raw):
        return None
    try:
        message = _letter(planned, found, _values(planned, found))
    except _Odd:
        return None
    return model.Reading(message=message, header_path=planned.header_path)


def _within(planned: Plan, limits: model.Limits) -> bool:
    files = max(len(planned.files), len(planned.lines))
    small = planned.elements <= limits.elements and planned.depth <= limits.depth
    return small and files <= limits.attachments and limits.text >= plan.UNBOUND


def _values(planned: Plan, found: Cut) -> list[str]:
    """The trimmed values, none too long or with anything hidden in it; an empty one for what is absent."""
    texts = [text.strip() for text in planned.values(found.texts)]
    beside, together = "".join(planned.beside(found.texts)), "".join(texts)
    if not beside.isascii() or beside.strip():
        raise _Odd
    if any(map(gt, map(len, texts), planned.weights)):
        raise _Odd
    if not together.isprintable() and walk.HIDDEN.search(together):
        raise _Odd
    texts.append("")
    return texts


def _letter(planned: Plan, found: Cut, texts: Sequence[str]) -> model.Letter:
    facts = planned.letter.facts(texts)
    if not all(map(facts.get, _REQUIRED)) or len(facts["document_id"]) > _MOST_IDENTITY:
        raise _Odd
    if not all(map(_is_integer, map(facts.get, ("type_code", "type_detail")))):
        raise _Odd
    return model.Letter(
        **facts,
        **_operation(planned.codes, facts["document_id"], texts),
        sender=_agency(planned.sender.of(texts)),
        recipients=_recipients(planned, texts),
        issued_on=_day(facts["issued_on_text"]),
        due_on=_day(facts.get("due_on_text", "")),
        signer=planned.signer.of(texts),
        priority=_code(texts[planned.codes.priority], codes.PRIORITIES),
        steering=_code(texts[planned.codes.steering], codes.STEERING),
        copies=_number(texts[planned.codes.copies]),
        pages=_number(texts[planned.codes.pages]),
        appendixes=tuple(filter(None, planned.appendixes(texts))),
        to_places=tuple(filter(None, planned.to_places(texts))),
        response_for=_answers(planned, texts),
        traces=_traces(planned, texts),
        staff=_staff(planned, texts),
        attachments=tuple(_attachments(planned, found, texts)),
        extensions=_extensions(planned, texts),
        header_path=planned.header_path,
    )


def _operation(places: plan.Codes, document_id: str, texts: Sequence[str]) -> dict[str, Any]:
    """What the letter is to do to an earlier one, and whether paper follows."""
    operation, paper = codes.OPERATION_OF.get(texts[places.operation] or "0", ""), texts[places.paper]
    if operation in ("", "replace") or (paper and paper not in letter.PAPER):
        raise _Odd
    target = texts[places.target] or document_id
    return {
        "operation": operation,
        "target_document_id": target if operation in ("revoke", "update") else "",
        "paper": letter.PAPER.get(paper),
    }


def _agency(party: model.Party) -> model.Party:
    if not values.is_agency(party.code):
        raise _Odd
    return party


def _recipients(planned: Plan, texts: Sequence[str]) -> tuple[model.Party, ...]:
    found = tuple([_agency(record.of(texts)) for record in planned.recipients])
    if not found or len({agency_codes.compared(party.code) for party in found}) < len(found):
        raise _Odd
    return found


def _day(text: str) -> date | None:
    found = dates.day(text) if text else None
    if text and not found:
        raise _Odd
    return found


def _code(text: str, known: Container[str]) -> int:
    if text and text not in known:
        raise _Odd
    return int(text or 0)


def _number(text: str) -> int | None:
    if text and not values.NUMBER.fullmatch(text):
        raise _Odd
    return int(text) if text else None


def _is_integer(text: str | None) -> bool:
    return not text or bool(letter.INTEGER.fullmatch(text))


def _answers(planned: Plan, texts: Sequence[str]) -> tuple[model.ResponseFor, ...]:
    found = [_answer(record.facts(texts)) for record in planned.answers]
    return tuple([answer for answer in found if answer != _NO_ANSWER])


def _answer(facts: dict[str, Any]) -> model.ResponseFor:
    if not values.is_agency(facts.get("code", "")):
        facts["code"] = ""
    return model.ResponseFor(**facts, issued_on=_day(facts.get("issued_on_text", "")))


def _traces(planned: Plan, texts: Sequence[str]) -> tuple[model.Trace, ...]:
    found = [record.of(texts) for record in planned.traces]
    if any(hop.at_text and not dates.moment(hop.at_text) for hop in found):
        raise _Odd
    return tuple([hop for hop in found if hop != _NO_HOP])


def _staff(planned: Plan, texts: Sequence[str]) -> model.Staff | None:
    found = planned.staff.of(texts) if planned.staff else None
    return None if found == _NOBODY else found


def _extensions(planned: Plan, texts: Sequence[str]) -> tuple[model.Extension, ...]:
    found = ((path, name, texts[place]) for place, path, name in planned.extensions)
    return tuple(
        [
            model.Extension(path=path, name=name, text=text[: model.MOST_EXTENSION])
            for path, name, text in found
            if text
        ]
    )


def _attachments(planned: Plan, found: Cut, texts: Sequence[str]) -> tuple[model.Attachment, ...]:
    """The files, each joined with the manifest's line that has its id."""
    lines = {content_ids.bare(texts[line.content_id]): line for line in planned.lines}
    ids = [content_ids.bare(texts[file.said.content_id]) for file in planned.files]
    if "" in lines or set(ids) != lines.keys() or not len(ids) == len(planned.lines) == len(lines):
        raise _Odd
    if not all(_is_called(content_id, found, line) for content_id, line in lines.items()):
        raise _Odd
    made, piece, line = [], -1, 1
    for position, (file, content_id) in enumerate(zip(planned.files, ids, strict=True)):
        piece, line = file.piece, found.line(file.piece, piece, line)
        joined = _Joined(file, lines[content_id], content_id, found.texts[file.encoded].strip())
        made.append(_attachment(joined, texts, position, line))
    if len(made) > 1 and len({names.twin(one.name) for one in made}) < len(made):
        raise _Odd
    return tuple(made)


def _is_called(content_id: str, found: Cut, line: plan.Line) -> bool:
    """Whether every href of a line, if there is any, is plainly its id."""
    said = [found.pieces[2 * piece + 1].split('"')[2 * place + 1] for piece, place in line.hrefs]
    return all(href.isprintable() and content_ids.bare(href) in ("", content_id) for href in said)


class _Joined(NamedTuple):
    """A file with its line of the manifest, their id, and its bytes."""

    file: plan.File
    line: plan.Line
    content_id: str
    encoded: str


def _attachment(joined: _Joined, texts: Sequence[str], position: int, line: int) -> model.Attachment:
    said, listed = joined.file.said, joined.line
    name = texts[said.name] or texts[listed.name]
    if not joined.encoded or not _is_safe(name) or texts[listed.name] not in ("", name) or line > MOST_LINES:
        raise _Odd
    transfer_type = texts[said.content_type]
    return model.Attachment(
        name=name,
        content_type=texts[listed.content_type] or transfer_type,
        transfer_type=transfer_type,
        description=texts[said.description] or texts[listed.description],
        content_id=joined.content_id,
        encoded=joined.encoded,
        position=position,
        path=joined.file.path,
        line=line,
    )


def _is_safe(name: str) -> bool:
    return 0 < len(name) <= _LONGEST_NAME and _safe(name) == name


@lru_cache(maxsize=1024)
def _safe(name: str) -> str:
    return names.safe(name, 0)
