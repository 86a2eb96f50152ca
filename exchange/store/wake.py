"""LISTEN and NOTIFY: a hint, sent after the commit in a transaction of its own, that somebody's inbox has changed.

A notice carries a bitmap of recipients, so its size does not depend on how many there are. A transaction with a
pending NOTIFY takes an instance-wide lock at commit (reference/performance.md §4): hence one statement for all that
was committed in the last 50 ms, never one per letter.
"""

from collections.abc import Callable, Iterable
from uuid import UUID

from exchange.store.pool import Connection

CHANNEL = "congvan_inbox"
BITS = 2_048


def bitmap(agencies: Iterable[UUID]) -> str:
    """Hexadecimal bitmap with one bit set for each agency."""
    number = 0
    for agency in agencies:
        number |= 1 << (agency.int % BITS)
    return f"{number:x}"


def named(notice: str, agencies: Iterable[UUID]) -> list[UUID]:
    """Which of `agencies` a notice may mean; an unreadable notice means all of them."""
    try:
        number = int(notice, 16)
    except ValueError:
        return list(agencies)
    return [agency for agency in agencies if number >> (agency.int % BITS) & 1]


async def notify(connection: Connection, agencies: Iterable[UUID]) -> None:
    """Tell every process that something opened for these agencies."""
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, bitmap(agencies))


async def listen(connection: Connection, heard: Callable[[str], None]) -> None:
    """Call `heard` with each notice until the connection ends."""
    await connection.add_listener(CHANNEL, lambda _connection, _pid, _channel, notice: heard(str(notice)))
