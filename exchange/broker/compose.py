"""Compose: a letter said as facts and files, made edXML here, and from then on a letter like any other.

    draft    edxml.draft         the facts, every fault at once with its place
    files    edxml.attachments   encoded as every known reader undoes it
    write    edxml.write         the same facts and files give the same bytes: a retry is a replay
    send     broker.send         the way of every letter

A document's signatures are those inside its files: we hold nobody's key and sign nothing.
Each step lets go of what it used before the next begins, so that a letter stands in memory three times at the most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from exchange.broker import send
from exchange.broker.caller import Caller
from exchange.broker.decisions import Accepted, Refused, beside, refuse
from exchange.broker.declared import Declared
from exchange.broker.exchange import Exchange
from exchange.edxml import draft, model, write
from exchange.edxml.notes import Notes


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a request says: facts with their files' bytes among them; digest and size of its own body."""

    facts: object
    sha256: bytes
    size: int


async def compose(exchange: Exchange, caller: Caller, said: Said, declared: Declared) -> Accepted | Refused:
    """Build the letter and send it. Raises Problem busy or outcome_unknown (send again)."""
    sha256, size = said.sha256, said.size
    cap = exchange.config.max_letter_bytes
    drafted = await beside(size, _drafted, said.facts, cap)
    del said  # the files now stand in the letter
    if isinstance(drafted, Refused):
        return await refuse(exchange, caller, drafted, sha256=sha256, size=size)
    purposes = drafted.purposes
    raw = await beside(size, write.write, drafted.letter)
    del drafted
    if len(raw) > cap:
        return await refuse(exchange, caller, Refused(code="too_large"), sha256=sha256, size=size)
    return await send.send(exchange, raw, caller, replace(declared, purposes=purposes))


def _drafted(facts: object, cap: int) -> draft.Draft | Refused:
    """The letter with its files, or everything that is wrong with what was said."""
    notes = Notes()
    drafted = draft.read(notes, facts)
    if drafted is None:
        return Refused(code="findings", findings=notes.findings())
    encoded = _encoded(drafted.files, cap)
    if encoded is None:
        return Refused(code="too_large")
    return replace(drafted, letter=replace(drafted.letter, attachments=encoded), files=())


def _encoded(files: Sequence[draft.File], cap: int) -> tuple[model.Attachment, ...] | None:
    """The files as a letter carries them; None as soon as they alone are over the cap."""
    found: list[model.Attachment] = []
    room = cap
    for file in files:
        one = draft.attached(file)
        room -= len(one.encoded)
        if room < 0:
            return None
        found.append(one)
    return tuple(found)
