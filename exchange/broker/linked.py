"""Links between letters (liên kết văn bản): which one answers, revokes, updates, replaces which, as far as the caller may see both.

    said     store.answers    what this letter says it answers; what says it answers this one
    resolve  store.answers    each saying to the letter that it means: by DocumentId, else by number, notation and day
    keep                      sayings that mean this letter; never the letter itself

Looked up when a trace is asked, so that a letter that comes later than its answer is linked too. A saying that names no
agency we know means a letter of one of its own recipients: an answer goes to the one that is answered. Whatever resolves
is among the letters that the caller sent or received, so a saying tells nobody that another letter exists. One step is
told, each way; a link has the id to go on by.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from exchange.broker import intake
from exchange.edxml import model
from exchange.rules import references
from exchange.rules.directory import Directory, canonical
from exchange.store import answers, rows
from exchange.store.pool import Connection

MOST_ANSWERED = 50
"""So many documents that one letter answers are linked."""
MOST_CANDIDATES = 100
"""So many recipients are asked for a document whose agency is not named."""
MOST_IDENTITY = 2_000
"""Bytes: no letter's document id is longer (`edxml.values`)."""

ACTED_ON = {"revokes": "revoked_by", "updates": "updated_by", "replaces": "replaced_by"}

Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Link:
    """Another letter and what it is to this one: answers, answered_by and so on."""

    kind: str
    letter: Record


def rows_of(
    message: model.Letter, letter: rows.LetterRow, directory: Directory
) -> tuple[rows.AnswerRow, ...]:
    """What a letter says it answers, as rows; only what can be looked up."""
    found = []
    for position, one in enumerate(message.response_for[:MOST_ANSWERED]):
        document_id = intake.compared(one.document_id)
        row = rows.AnswerRow(
            sender=letter.sender,
            letter=letter.id,
            position=position,
            agency=_agency(directory, one, letter),
            document_id=document_id if len(document_id.encode(errors="replace")) <= MOST_IDENTITY else "",
            reference=references.key(one.reference) if one.issued_on else "",
            issued_on=one.issued_on,
        )
        found += [row] if row.document_id or row.reference else []
    return tuple(found)


def _agency(directory: Directory, one: model.ResponseFor, letter: rows.LetterRow) -> UUID | None:
    """Whose code it is, also one of former days; of several holders the one to whom the letter goes, else the last."""
    holders = [row.agency for row in directory.codes.get(canonical(one.code), ())] if one.code else []
    meant = [agency for agency in holders if agency in letter.recipients]
    known = meant or holders
    return known[-1] if known else None


async def links(connection: Connection, agencies: Sequence[UUID], letter: Record) -> tuple[Link, ...]:
    """The letters that this one answers or acts on, and those that do so to it, oldest first; of the caller's only."""
    if letter["operation"] == "status":
        return ()
    said = await answers.said(connection, letter["sender"], letter["id"])
    found = {("answers", one["id"]): one for one in await _meant(connection, agencies, said)}
    for one in await _answering(connection, agencies, letter):
        found["answered_by", one["id"]] = one
    acting = await answers.acting(connection, agencies, letter["sender"], letter["id"])
    kept = [
        Link(kind=ACTED_ON[one["kind"]] if one["acted_on"] else one["kind"], letter=one) for one in acting
    ]
    kept += [
        Link(kind=kind, letter=one) for (kind, _), one in found.items() if _document(one) != _document(letter)
    ]
    return tuple(sorted(kept, key=lambda link: (link.letter["accepted_at"], link.letter["id"], link.kind)))


def _reference(letter: Record) -> str:
    return references.key(references.joined(letter["number"], letter["notation"]))


def _document(letter: Record) -> tuple[UUID, str]:
    return letter["sender"], letter["document_id"]


async def _answering(connection: Connection, agencies: Sequence[UUID], letter: Record) -> list[Record]:
    """Letters whose saying means this document. One found by its number may mean another one by its id."""
    mine, sure = _document(letter), await answers.said_of(connection, agencies, *_document(letter))
    reference = _reference(letter)
    if not reference or letter["issued_on"] is None:
        return sure
    numbered = await answers.said_of_number(
        connection, agencies, letter["sender"], letter["issued_on"], reference
    )
    asked = [{**one, "said_of": position} for position, one in enumerate(numbered)]
    meant = await _resolved(connection, agencies, asked)
    return [*sure, *(one for position, one in enumerate(numbered) if mine in map(_document, meant[position]))]


async def _meant(connection: Connection, agencies: Sequence[UUID], said: Sequence[Record]) -> list[Record]:
    asked = [{**one, "said_id": one["document_id"], "said_of": at} for at, one in enumerate(said)]
    meant = await _resolved(connection, agencies, asked)
    return [letter for letters in meant.values() for letter in letters]


async def _resolved(
    connection: Connection, agencies: Sequence[UUID], asked: Sequence[Record]
) -> Mapping[int, list[Record]]:
    """The letters that each saying means, among those the caller may see: by id, else by number."""
    found: defaultdict[int, list[Record]] = defaultdict(list)
    by_id = [
        answers.ById(one["said_of"], agency, one["said_id"])
        for one in asked if one["said_id"] for agency in _candidates(one)
    ]  # fmt: skip
    for record in await answers.by_id(connection, agencies, by_id):
        found[record["of"]].append(record)
    rest = [number for one in asked if one["said_of"] not in found for number in _numbers(one)]
    wanted = {one["said_of"]: one["reference"] for one in asked}
    for record in await answers.by_number(connection, agencies, rest):
        known = map(_document, found[record["of"]])
        if _reference(record) == wanted[record["of"]] and _document(record) not in known:
            found[record["of"]].append(record)
    return found


def _candidates(saying: Record) -> Sequence[UUID]:
    return [saying["agency"]] if saying["agency"] else saying["recipients"][:MOST_CANDIDATES]


def _numbers(saying: Record) -> Iterator[answers.ByNumber]:
    if saying["issued_on"] is None:
        return
    for agency in _candidates(saying):
        for number in references.numbers(saying["reference"]):
            yield answers.ByNumber(saying["said_of"], agency, saying["issued_on"], number)
