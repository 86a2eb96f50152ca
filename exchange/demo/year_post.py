"""The year's post: letters sent through the broker, taken and acknowledged by the systems of their recipients.

Of every twentieth letter the first recipient also says that it registered it (bản tin trạng thái 03), and the sender takes that.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from exchange.broker import deliver, send
from exchange.broker.declared import Declared
from exchange.demo import run, year_letters, year_plan
from exchange.demo.year_letters import Maker, Written
from exchange.demo.year_place import NOW, Place
from exchange.demo.year_plan import Document

CHUNK = 256
"""Letters on their way at a time; the group committer writes some dozens a transaction."""
ARRIVES = timedelta(minutes=20)
"""After the last of a chunk was sent."""
REGISTERS = timedelta(minutes=20)
"""From an arrival to its registration, and on to the sender's taking note."""
EVERY = 20
REGISTERED = "03"


@dataclass(kw_only=True)
class Posted:
    """What was sent and acknowledged so far."""

    letters: int = 0
    transfers: int = 0
    acknowledged: int = 0
    registered: int = 0


async def post(place: Place, documents: Sequence[Document], tell: run.Tell, makers: int = 1) -> Posted:
    """Send every letter among the documents, and acknowledge what it becomes."""
    letters = [one for one in documents if one.klass != "P"]
    posted = Posted()
    with Maker(year_letters.seals(place.seals), makers) as maker:
        for made in maker.written(_chunks(letters)):
            chunk = await asyncio.wrap_future(made)
            await asyncio.gather(*(_send(place, one) for one in chunk))
            posted.letters += len(chunk)
            posted.transfers += sum(len(one.document.recipients) for one in chunk)
            arrived = chunk[-1].at + ARRIVES
            posted.acknowledged += await _acknowledge(place, arrived)
            posted.registered += await _register(place, chunk, arrived + REGISTERS)
            tell("letters", posted.letters, len(letters))
    return posted


def _chunks(letters: Sequence[Document]) -> Iterator[Sequence[Document]]:
    for start in range(0, len(letters), CHUNK):
        yield letters[start : start + CHUNK]


async def _send(place: Place, written: Written) -> None:
    """One letter by its sender's system, at its own moment (a task has a clock of its own)."""
    NOW.set(written.at)
    document = written.document
    declared = Declared(paper_reason=document.reason or None)
    await _accepted(place, document, written.raw, document.sender, declared)


async def _accepted(place: Place, document: Document, raw: bytes, by: int, declared: Declared) -> None:
    """A message about a document, by the system of that agency; raises DemoError unless it is accepted."""
    answer = await send.send(place.exchange, raw, place.callers[_KINDS[by]], declared)
    if isinstance(answer, send.Refused) or answer.replayed:
        why = answer.code if isinstance(answer, send.Refused) else "replayed"
        raise run.DemoError("demo_failure.refused", number=document.number, code=why)


_KINDS: Sequence[str] = tuple(entry.kind for entry in year_plan.senders())


async def _acknowledge(place: Place, at: datetime) -> int:
    """Every system takes what is open and acknowledges it; how many deliveries."""
    NOW.set(at)
    done = 0
    for who in {one.system: one for one in place.callers.values()}.values():
        agencies, more = list(who.agencies), True
        while more:
            page = await deliver.inbox(place.exchange, agencies, after=None, limit=deliver.MAX_PAGE, wait=0)
            given = [one["id"] for one in page.items]
            if given:
                told = await deliver.acknowledge(place.exchange, who, agencies, given)
                done += len(told.acknowledged)
            more = page.more
    return done


async def _register(place: Place, chunk: Sequence[Written], at: datetime) -> int:
    """Some recipients register what arrived, and the senders take note; how many did."""
    NOW.set(at)
    some = [one.document for one in chunk if one.document.template % EVERY == 0]
    notices = ((one, year_letters.registered(one, REGISTERED, at)) for one in some)
    await asyncio.gather(*(_accepted(place, one, raw, one.recipients[0], Declared()) for one, raw in notices))
    return await _acknowledge(place, at + REGISTERS)
