"""An exchange inside this process, and letters for it, for benches that ask for the cases themselves, not for HTTP."""

import contextlib
import itertools
import random
from datetime import UTC, datetime

import asyncpg
import province as provinces
from multidict import MultiDict

from exchange import config
from exchange.broker import caller, declared, receipts, send
from exchange.broker import exchange as parts
from exchange.demo import letters
from exchange.edxml import attachments, model, write
from exchange.store import embedded
from signing import seal

SENDER = "H13.01"
SLOW_FLUSH_MICROSECONDS = 9_000
"""Added to every flush on a disk held back: some 100 flushes a second, as a turning disk gives."""

NUMBERS = itertools.count(1)
NOTHING = declared.declared(MultiDict())
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@contextlib.asynccontextmanager
async def exchange(province, dsn, folder):
    """What one worker process holds, and the caller that acts for `SENDER`."""
    settings = config.read(
        {
            "CONGVAN_DATA": str(folder),
            "CONGVAN_TRUST_DIR": str(province.folder / "trust"),
            "CONGVAN_CRL_DIR": str(province.folder / "crl"),
        }
    )
    receipts.ensure(settings.receipt_key_file)
    async with parts.opened(settings, dsn) as opened:
        shown = caller.Credentials(key=province.key_of(SENDER), certificate=None)
        calling = await caller.authenticate(opened.pool, shown, opened.clock())
        yield opened, calling


@contextlib.asynccontextmanager
async def held_back(postgres, dsn):
    """Who connects to this database in the block meets a slow disk: the server sleeps before it flushes its log."""
    name = dsn.split("@/")[1].partition("?")[0]
    connection = await asyncpg.connect(embedded.superuser_dsn(postgres))
    try:
        await connection.execute(f"ALTER DATABASE {name} SET commit_delay = {SLOW_FLUSH_MICROSECONDS}")
        await connection.execute(f"ALTER DATABASE {name} SET commit_siblings = 0")
        yield
        await connection.execute(f"ALTER DATABASE {name} RESET ALL")
    finally:
        await connection.close()


def small(recipients=("H13.02", "H13.03")):
    """An unsigned letter of 1 kB, never the same twice."""
    return provinces.quick_letter(next(NUMBERS), sender=SENDER, recipients=recipients)


def signed(province, size, recipients=("H13.02", "H13.03"), sender=SENDER):
    """A letter of some `size` bytes with a text file inside, its whole package signed by the agency's seal."""
    number, today = next(NUMBERS), datetime.now(UTC).date()
    holder = province.ours.seals[sender]
    file = random.Random(number).randbytes((size - 4_300) * 3 // 4)
    letter = model.Letter(
        sender=model.Party(code=sender),
        recipients=tuple(model.Party(code=code) for code in recipients),
        document_id=letters.document_id(sender, today, number, "CV"),
        number=str(number),
        notation="CV",
        issued_on=today,
        place="Cần Thơ",
        type_code="18",
        type_name="Công văn",
        subject="V/v đo tốc độ",
        paper=0,
        attachments=(attachments.encode("van_ban.docx", file, DOCX),),
    )
    return seal.sign_xml(write.write(letter), holder.key, holder.certificate, at=datetime.now(UTC))


async def accept(exchange, calling, raw):
    """Send one letter; it must be accepted, as a new one."""
    answer = await send.send(exchange, raw, calling, NOTHING)
    assert isinstance(answer, send.Accepted), answer
    assert not answer.replayed
    return answer
