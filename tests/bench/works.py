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
from exchange.store import pool as pools
from signing import seal

SENDER = "H13.05"
"""Its seal is a P-256 key: letters are signed quickly, so that making them does not take longer than measuring."""
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


async def lay_in(connection, table, recipients, first, count, *, open_each):
    """Fill a table like `delivery` by SQL: letters number `first` on, to these recipients in turn, in order of ids.

    Only the last `open_each` of every recipient are open; the others were taken in.
    """
    await connection.execute(
        f"""INSERT INTO {table} (recipient, letter, round, id, sender, kind, operation, document_id, number, notation,
                    document_type, subject, urgency, purpose, sha256, size, accepted_at, requirement, class, scope,
                    grade, state, open, arrived_at, counted_class)
             SELECT recipients[1 + n % cardinality(recipients)], id, 1, id, $2, 'letter', 'new', 'H13.05,2026/01/05,' || n || '/CV',
                    n::text, 'CV', 'Công văn', 'V/v đo tốc độ của hộp văn bản đến', 0, 'act', sha256(n::text::bytea), 20000, at,
                    'met', 'E', 'same_root', 'B', CASE WHEN waits THEN 'waiting' ELSE 'arrived' END, waits,
                    CASE WHEN NOT waits THEN at END, CASE WHEN NOT waits THEN 'E' END
               FROM (SELECT n, $1::uuid[] AS recipients, (lpad(to_hex(n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid AS id,
                            '2026-01-05T00:00:00Z'::timestamptz + n * interval '1 second' AS at,
                            n >= $3 + $4 - cardinality($1::uuid[]) * $5::int AS waits
                       FROM generate_series($3::int, $3::int + $4::int - 1) AS n) AS made""",
        list(recipients), recipients[0], first, count, open_each,
    )  # fmt: skip


async def accept(exchange, calling, raw):
    """Send one letter; it must be accepted, as a new one."""
    answer = await send.send(exchange, raw, calling, NOTHING)
    assert isinstance(answer, send.Accepted), answer
    assert not answer.replayed
    return answer


@contextlib.asynccontextmanager
async def connected(dsn, *, patient=False):
    """One connection, for the block; a patient one waits for long statements."""
    connection = await pools.connect(dsn, patient=patient)
    try:
        yield connection
    finally:
        await connection.close()


async def value(dsn, statement):
    """The one value of a statement."""
    async with connected(dsn) as connection:
        return await connection.fetchval(statement)
