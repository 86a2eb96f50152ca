"""More agencies than the province has, for letters to a thousand: a system of their own acts for them."""

from datetime import UTC, date, datetime

from province import cases

from exchange import ids
from exchange.rules import directory_csv, directory_entries
from exchange.store import pool as pools

SINCE = date(2020, 1, 1)


async def gathered(server, size):
    """So many agencies more in the server's directory: their codes, and the key of the system that acts for them."""
    opened, new_ids, at = (
        await pools.open(server.dsn, size=1),
        ids.Ids(lambda: datetime.now(UTC)),
        datetime.now(UTC),
    )
    codes = [f"H13.9{number // 100}.{number % 100:02}" for number in range(size)]
    entries = [
        directory_entries.AgencyEntry(
            code=code, name=f"Đơn vị thử {number}", kind="unit", level=3,
            parent="H13", sector="state", valid_from=SINCE,
        )
        for number, code in enumerate(codes)
    ]  # fmt: skip
    try:
        raw = directory_csv.write(directory_entries.LAYOUTS["agency"], entries, "en")
        outcome = await cases.import_csv(
            opened, [cases.Sheet(kind="agency", raw=raw)], new_ids=new_ids, at=at
        )
        assert (outcome.errors, outcome.added) == ((), size)
        key = await cases.add_system(opened, name="Đông", acts_for=codes, new_ids=new_ids, at=at)
    finally:
        await opened.close()
    return codes, key.secret
