"""Numbered: the document that a letter carries, and what becomes of a letter whose document was sent before.

A letter is submitted as the first of its document. When the commit says that there is one (`known_document`), the sender
is warned of what came before, and the letter is submitted again, now with `again`: in its commit, with the first one's
row locked, is decided for which recipients it is no transfer of its own. So it is for later rounds, at once. See `store.documents`, `rules.documents`.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from exchange import ids
from exchange.broker import expand, intake
from exchange.broker.exchange import Exchange
from exchange.edxml import model
from exchange.errors import Finding
from exchange.rules import admission, directory_succession, document_types, documents
from exchange.rules.directory import Directory
from exchange.store import commit, rows
from exchange.store import documents as kept


@dataclass(frozen=True, kw_only=True)
class Again:
    """What a letter of a document that was sent before is decided by."""

    letter: rows.LetterRow
    sent: documents.Sent
    directory: Directory
    ids: ids.Ids


def keyed(letter: rows.LetterRow, message: model.Letter) -> rows.LetterRow:
    """The letter's row with the key of its document, as the first that carries it."""
    key = documents.key(
        letter.sender,
        message.number,
        message.notation,
        letter.issued_on,
        message.type_name or letter.document_type,
    )
    if key is None:
        return letter
    carries = letter.operation in documents.DOCUMENTS and not letter.test
    return replace(
        letter,
        issued_year=key.year,
        series=key.series,
        number_key=key.number,
        notation_key=key.notation,
        first_of_key=True if carries else None,
    )


def asked(letter: rows.LetterRow) -> kept.Asked:
    """The question what came before a letter that has a key."""
    assert letter.issued_year is not None
    assert letter.number_key is not None
    assert letter.notation_key is not None
    content = letter.main_sha256 or letter.sha256
    return kept.Asked(
        letter.sender, letter.issued_year, letter.series, letter.number_key, letter.notation_key, content
    )


def sent(letter: rows.LetterRow, message: model.Letter, known: Directory, at: datetime) -> documents.Sent:
    """The letter as `rules.documents` judges it. What a replacement names but nobody has is passed over."""
    on, replaced = intake.day(at), dict[str, frozenset[UUID] | None]()
    for one in message.replaced if letter.operation == "replace" else ():
        name = intake.compared(one.document_id)
        before = replaced.get(name, frozenset())
        named = (directory_succession.last_with(known, code, on) for code in one.codes)
        for_whom = frozenset(agency.id for agency in named if agency is not None)
        replaced[name] = before | for_whom if one.codes and before is not None else None
    return documents.Sent(document_id=letter.document_id, replaced=replaced)


def warned(
    admitted: admission.Admitted,
    given: documents.Sent,
    letter: rows.LetterRow,
    earlier: Sequence[documents.Earlier],
) -> admission.Admitted:
    """The decision with what the sender is told of earlier letters."""
    number = "/".join(filter(None, (letter.number, letter.notation)))
    cautions = documents.cautions(given, number, letter.recipients, earlier)
    return replace(admitted, warnings=(*admitted.warnings, *cautions))


async def taken(exchange: Exchange, message: model.Letter, target: rows.LetterRow) -> tuple[Finding, ...]:
    """What the sender of an update is warned of: the number that it gives was used for another document."""
    kind = message.type_name or document_types.named(message.type_name, message.notation)
    key = documents.key(target.sender, message.number, message.notation, message.issued_on, kind)
    if key is None or key == _key(target):
        return ()
    content = target.main_sha256 or target.sha256
    question = kept.Asked(key.issuer, key.year, key.series, key.number, key.notation, content)
    others = [one for one in await exchange.earlier.answer(question) or () if not one.same]
    number = "/".join(filter(None, (message.number, message.notation)))
    return documents.cautions(documents.Sent(document_id=target.document_id), number, (), others)


def _key(letter: rows.LetterRow) -> documents.Key | None:
    if letter.issued_year is None or letter.number_key is None or letter.notation_key is None:
        return None
    return documents.Key(
        issuer=letter.sender, year=letter.issued_year, series=letter.series, number=letter.number_key,
        notation=letter.notation_key,
    )  # fmt: skip


def again(
    submission: commit.Submission, given: documents.Sent, known: Directory, new_ids: ids.Ids
) -> commit.Submission:
    """The same submission, of a letter that is not the first of its document."""
    assert submission.letter is not None
    letter = replace(submission.letter, first_of_key=False)
    return following(replace(submission, letter=letter), given, known, new_ids)


def following(
    submission: commit.Submission, given: documents.Sent, known: Directory, new_ids: ids.Ids
) -> commit.Submission:
    """The same submission, of a later round: what came before is looked at, whatever its number was."""
    letter = submission.letter
    assert letter is not None
    decide = functools.partial(_decided, Again(letter=letter, sent=given, directory=known, ids=new_ids))
    return replace(submission, letter=letter, deliveries=(), again=decide)


def _decided(given: Again, held: Sequence[documents.Held]) -> kept.Resent:
    """Deliveries, of which some are no transfers of their own, and the journal lines that say so."""
    found, ended = documents.duplicates(given.sent, held), documents.ended(given.sent, held)
    letter = replace(given.letter, duplicates=tuple(found))
    few = letter.expanded_at is not None
    deliveries = expand.of_letter(letter, given.directory, given.ids) if few else []
    return kept.Resent(
        duplicates=letter.duplicates,
        deliveries=tuple(deliveries),
        lines=(*(_lines(given, found, deliveries) if found else ()), *_ended(given, ended)),
        ended=tuple(ended),
    )


def _ended(given: Again, ended: Iterable[documents.Held]) -> Iterator[rows.JournalRow]:
    """A line for each delivery that expired, of which the letter is the next."""
    for one in ended:
        yield rows.JournalRow(
            agency=one.recipient, id=given.ids.new(), at=given.letter.accepted_at, event="duplicate",
            letter=one.letter, delivery=one.delivery, system=given.letter.system,
            detail={"of": str(given.letter.id)},
        )  # fmt: skip


def _lines(
    given: Again, found: Mapping[UUID, UUID], deliveries: Iterable[rows.DeliveryRow]
) -> Iterator[rows.JournalRow]:
    """A line for each delivery, which only its recipient and the sender see; before the relay made them, how many."""
    line = rows.JournalRow(
        agency=given.letter.sender, id=given.ids.new(), at=given.letter.accepted_at, event="duplicate",
        letter=given.letter.id, system=given.letter.system, detail={"count": len(found)},
    )  # fmt: skip
    if given.letter.expanded_at is None:
        yield line
    for one in deliveries:
        if one.recipient in found:
            detail = {"of": str(found[one.recipient])}
            yield replace(line, agency=one.recipient, id=given.ids.new(), delivery=one.id, detail=detail)
