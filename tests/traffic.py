"""Deliveries and the facts that count them, as the exchange writes both; and what is counted, kept by hand beside it."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from exchange import ids
from exchange.broker import counted
from exchange.rules import paper_class
from exchange.store import insert, rows, tally

NEW_IDS = ids.Ids(lambda: datetime.now(UTC))
AGENCIES = [uuid4() for _ in range(4)]
CLASSES = [("E", "", "A", ""), ("E", "", "B", ""), ("S", "", "", "yes"), ("N", "", "", ""), ("U", "", "", ""),
           ("X", "refused", "", ""), ("X", "recalled", "", "")]  # fmt: skip


class Traffic:
    """Deliveries and the facts that count them, written as the exchange writes them, and kept by hand beside it."""

    def __init__(self, connection, chance):
        self.connection, self.chance, self.known = connection, chance, {}

    async def transfer(self, accepted_at, arrived_at=None, found=None):
        sender, recipient = self.chance.sample(AGENCIES, 2)
        row = rows.DeliveryRow(
            recipient=recipient, letter=uuid4(), round=1, id=uuid4(), sender=sender, kind="letter", operation="new",
            document_id="", number="1", notation="CV", issued_on=None, document_type=self.chance.choice(["Công văn", ""]),
            subject="", urgency=self.chance.randrange(2), purpose="act", sha256=b"", size=1, accepted_at=accepted_at,
            requirement="met", klass="E", excluded=None, scope="same_root", grade="B", justified="", state="waiting",
        )  # fmt: skip
        await insert.rows(self.connection, [row])
        self.known[row.letter] = (row, None, None)
        if arrived_at:
            await self.is_now(row.letter, found or self.chance.choice(CLASSES), arrived_at)
        return row.letter

    async def is_now(self, letter, found, arrived_at=None):
        """The transfer arrived, or changed its class."""
        row, before, arrived = self.known[letter]
        klass, excluded, grade, justified = found
        arrived = arrived_at or arrived
        now = paper_class.Classification(
            klass=klass, step="", excluded=excluded, grade=grade, justified=justified
        )
        counts = Counter()
        if before:
            counts.subtract(counted.facts(vars(row), before, arrived))
        counts.update(counted.facts(vars(row), now, arrived))
        await insert.rows(self.connection, counted.deltas(counts, NEW_IDS))
        await self.connection.execute(
            """UPDATE delivery SET counted_class = $2, excluded = nullif($3, ''), grade = coalesce(nullif($4, ''), 'B'),
                      justified = $5, arrived_at = $6 WHERE letter = $1""",
            letter, klass, excluded, grade, justified, arrived,
        )  # fmt: skip
        self.known[letter] = (row, now, arrived)

    def members(self, month):
        """Lines of a month as they should be, by hand."""
        found = []
        for row, now, arrived in self.known.values():
            for fact in counted.facts(vars(row), now, arrived) if now else ():
                if fact.day.replace(day=1) == month:
                    key = (fact.view, row.letter, row.recipient, 1)
                    told = (fact.agency, fact.day, fact.scope, fact.document_type, fact.urgency, fact.klass)
                    found.append((*key, *told, fact.excluded, fact.grade, fact.justified))
        return [("\t".join(map(str, one)) + "\n").encode() for one in sorted(found)]


async def some(traffic, count, first=date(2026, 6, 25), days=45):
    for _ in range(count):
        accepted = paper_class.start_of(first) + timedelta(seconds=traffic.chance.randrange(days * 86_400))
        late = timedelta(seconds=traffic.chance.randrange(10 * 86_400))
        await traffic.transfer(accepted, accepted + late if traffic.chance.random() < 0.8 else None)


async def by_months_and_by_days(connection):
    """What both views show of each month; and how many months are not what their days handed over."""
    told = [
        {
            tuple(row)[:-1]: row["n"]
            for row in await connection.fetch(
                f"""SELECT view, agency, date_trunc('month', day)::date, class, excluded, grade, justified, sum(n)::int AS n
                      FROM {name} GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(n) <> 0"""
            )
        }
        for name in ("tally_shown_by_month", "tally_shown")
    ]
    together = {
        tuple(row)[:-1]: row["n"]
        for row in await connection.fetch(
            """SELECT view, day, class, excluded, grade, justified, sum(n)::int AS n
                 FROM tally_shown_together GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(n) <> 0"""
        )
    }
    added = Counter()
    for (view, _, *rest), n in told[0].items():
        added[view, *rest] += n
    assert together == {key: n for key, n in added.items() if n}
    return *told, await tally.months_differ(connection)
