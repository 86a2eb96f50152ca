"""Printed registers of a year, month by month: every document in the month in which it first moved, and nowhere else."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from exchange.rules import paper_class
from exchange.store import register_print as stored
from exchange.tracker import register_print
from exchange.tracker import tally as counting

YEAR = [counting.period(f"2026-{month:02}") for month in range(1, 13)]
WHOLE, QUARTERS = counting.period("2026"), [counting.period(f"2026-Q{n}") for n in range(1, 5)]
AGENCIES = [UUID(int=n) for n in (1, 2, 3)]
BEFORE = datetime(2025, 11, 15, tzinfo=UTC)
DAYS = 430
"""Facts are of so many days from then on: of some before the year, and of some after it."""

LETTER = """INSERT INTO letter (sender, id, document_id, operation, round, sha256, size, number, notation, subject, recipients, requirement,
                                directory_version, policy_sha256, system, accepted_at, receipt, issued_year, number_key, notation_key, test)
            VALUES ($1, $2, ($2::uuid)::text, $3, 1, uuid_send($2), 1, $4, 'CV', $5, $6, 'met', 1, '', $2, $7, '', $8, $9, $10, $11)"""
ROW = """INSERT INTO register_row (agency, id, direction, number, notation, other_party, moved_on, loaded_at, load, line, position, copies,
                                   issued_year, of_year, number_key, notation_key, party_key, latest, letter)
         VALUES ($1, $2, $3, $4, 'CV', $5, $6, now(), $7, $8, $9, $10, $11, $12, $13, $14, ($2::uuid)::text, $15, $16)"""
LOAD = """INSERT INTO register_load (agency, id, book, year, lists, sha256, name, at) VALUES ($1, $2, 'out', 2026, $3, uuid_send($2), '', now())"""


@dataclass(frozen=True)
class Fact:
    """What a letter or a row tells of a document: which one, when it moved, how, and to whom."""

    agency: UUID
    document: tuple
    day: date
    electronic: bool
    paper: bool
    parties: tuple[str, ...]


class Office:
    """Agencies, their letters and books, written as they come; `facts` is what a register may tell of them."""

    def __init__(self, connection, random):
        self.connection, self.random, self.facts, self.made = connection, random, [], 100
        self.loads = {}

    def new(self):
        self.made += 1
        return UUID(int=self.made)

    async def start(self):
        for n, agency in enumerate(AGENCIES, start=1):
            await self.connection.execute(
                """INSERT INTO agency (id, code, name, kind, level, valid_from)
                   VALUES ($1, $2, $3, 'department', 2, '2010-01-01')""",
                agency, f"H{n}", f"Sở {n}",
            )  # fmt: skip
            for lists in ("paper", "all"):
                self.loads[agency, lists] = self.new()
                await self.connection.execute(LOAD, agency, self.loads[agency, lists], lists)

    def key(self):
        """A document's year, number and notation; some have none."""
        if self.random.random() < 0.1:
            return None, None, None
        return (
            self.random.choice((2025, 2026, 2026)),
            str(self.random.randint(1, 40)),
            self.random.choice(("CV", "QĐ")),
        )

    async def letter(self, agency, key, at, *, operation="new", test=False, to=AGENCIES[1:2]):
        letter, (year, number, notation) = self.new(), key
        await self.connection.execute(
            LETTER, agency, letter, operation, number or "7", f"Việc {letter.int}", list(to), at, year, number, notation, test,
        )  # fmt: skip
        if operation in {"new", "replace"} and not test:
            document = (letter,) if number is None else key
            parties = tuple(f"Sở {AGENCIES.index(one) + 1}" for one in to)
            self.facts.append(Fact(agency, document, paper_class.local_day(at), True, False, parties))

    async def row(self, agency, key, day, *, direction="out", lists="paper", latest=True, **other):
        row, (year, number, notation) = self.new(), key
        load, party = self.loads[agency, lists], f"Nơi {row.int}"
        unsettled, matched = other.get("unsettled", False), other.get("matched", False)
        guessed = year if year is None or unsettled else 2026
        await self.connection.execute(
            ROW, agency, row, direction, number or "8", party, day, load, row.int, row.int, 1, guessed, None if unsettled else year,
            number, notation, latest, row if matched else None,
        )  # fmt: skip
        if latest and direction == "out":
            document = (load, row) if number is None else key
            paper = lists == "paper" or not matched
            self.facts.append(Fact(agency, document, day, False, paper, (party,)))

    async def fill(self, count):
        for _ in range(count):
            agency, key = self.random.choice(AGENCIES[:2]), self.key()
            at = BEFORE + timedelta(
                days=self.random.randint(0, DAYS), hours=self.random.choice((3, 16, 17, 18))
            )
            if self.random.random() < 0.5:
                await self.letter(
                    agency, key, at, operation=self.random.choice(("new", "new", "replace", "update", "revoke")),
                    test=self.random.random() < 0.1, to=self.random.sample(AGENCIES, self.random.randint(1, 2)),
                )  # fmt: skip
            else:
                await self.row(
                    agency, key, at.date(), direction=self.random.choice(("out", "out", "out", "in")),
                    lists=self.random.choice(("paper", "all")), latest=self.random.random() < 0.9,
                    unsettled=self.random.random() < 0.3, matched=self.random.random() < 0.6,
                )  # fmt: skip

    def expected(self, agency, period):
        """Of each document that first moved in the period its day, how it went, and to whom."""
        documents = {}
        for one in self.facts:
            if one.agency == agency:
                documents.setdefault(one.document, []).append(one)
        return Counter(
            told for facts in documents.values() if period.first <= (told := summed(facts))[0] <= period.last
        )


def summed(facts):
    electronic, paper = any(one.electronic for one in facts), any(one.paper for one in facts)
    how = "both" if electronic and paper else "paper" if paper else "electronic"
    return min(one.day for one in facts), how, frozenset(party for one in facts for party in one.parties)


async def printed(connection, agency, period):
    """The lines as the model has them; and all of each."""
    async with connection.transaction():
        lines = [one async for one in register_print.lines(connection, "out", agency, period)]
    told = Counter(
        (line[7], line[9].parts[0].key.rpartition("_")[2], frozenset(line[4].split("; "))) for line in lines
    )
    return told, Counter(repr(line) for line in lines)


async def cover(connection, period, agencies=None):
    return {one["agency"]: one for one in await register_print.summary(connection, "out", agencies, period)}


@pytest.fixture
async def office(pool):
    async with pool.acquire() as connection:
        made = Office(connection, Random(5))
        await made.start()
        yield made


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_every_document_is_in_one_month_and_the_months_are_the_year(office, seed):
    office.random = Random(seed)
    await office.fill(400)
    year, months = (
        await cover(office.connection, WHOLE),
        [await cover(office.connection, one) for one in YEAR],
    )
    for agency in AGENCIES[:2]:
        added, shown = Counter(), 0
        for period, covers in zip(YEAR, months, strict=True):
            told, lines = await printed(office.connection, agency, period)
            assert told == office.expected(agency, period), period
            assert_covers(covers.get(agency), told)
            added, shown = added + lines, shown + told.total()
        assert added == (await printed(office.connection, agency, WHOLE))[1]
        assert year[agency]["documents"] == shown > 60
        assert_covers(year[agency], (await printed(office.connection, agency, WHOLE))[0])
    for period in QUARTERS:
        everybody = await cover(office.connection, period)
        one = await cover(office.connection, period, AGENCIES[:1])
        assert one == {AGENCIES[0]: everybody[AGENCIES[0]]}


def assert_covers(told, lines):
    """The summary's counts and days are those of the lines."""
    ways = Counter(how for _, how, _ in lines.elements())
    assert {name: told[name] for name in ("electronic", "both", "paper")} == {
        name: ways[name] for name in ("electronic", "both", "paper")
    }
    assert told["documents"] == lines.total()
    days = [day for day, _, _ in lines]
    assert (told["first_day"], told["last_day"]) == (min(days), max(days))


async def test_paper_that_follows_in_another_month_is_told_by_the_line_of_the_first(office):
    key, (sender, *_) = (2026, "12", "CV"), AGENCIES
    await office.letter(sender, key, datetime(2026, 6, 30, 16, 59, tzinfo=UTC))
    await office.row(sender, key, date(2026, 7, 9))
    await office.letter(sender, key, datetime(2026, 8, 2, tzinfo=UTC), to=AGENCIES[2:])
    assert (await printed(office.connection, sender, YEAR[5]))[0] == {
        (date(2026, 6, 30), "both", frozenset({"Sở 2", "Sở 3", office.facts[1].parties[0]})): 1
    }
    for month in (6, 7):
        assert (await printed(office.connection, sender, YEAR[month]))[0] == {}
        assert await cover(office.connection, YEAR[month]) == {}


async def test_a_line_tells_the_header_as_its_newest_update_has_it(office):
    key, (sender, *_) = (2026, "921", "CV"), AGENCIES
    for day in (2, 3):
        await office.letter(sender, key, datetime(2026, 6, day, tzinfo=UTC))
    letter = UUID(int=office.made)
    await office.connection.execute("UPDATE letter SET number = '12'")
    for number in ("7", "921"):
        await office.letter(
            sender, (2026, number, "CV"), datetime(2026, 7, 2, tzinfo=UTC), operation="update"
        )
        update = UUID(int=office.made)
        await office.connection.execute("UPDATE letter SET restated = true WHERE id = $1", update)
        await office.connection.execute(
            "INSERT INTO letter_link (sender, letter, kind, target, recipients) VALUES ($1, $2, 'updates', $3, '{}')",
            sender, update, letter,
        )  # fmt: skip
    async with office.connection.transaction():
        (line,) = [one async for one in register_print.lines(office.connection, "out", sender, WHOLE)]
    assert (line[0], line[2]) == ("921/CV", f"Việc {update.int}")


async def test_what_moved_before_the_year_is_not_of_the_year(office):
    key, (sender, *_) = (2025, "12", "CV"), AGENCIES
    await office.row(sender, key, date(2025, 12, 31))
    await office.letter(sender, key, datetime(2026, 1, 1, tzinfo=UTC))
    assert (await printed(office.connection, sender, WHOLE))[0] == {}
    assert await cover(office.connection, WHOLE) == {}


# --- what is looked at ---------------------------------------------------------------------------------------------------

MANY = """INSERT INTO letter (sender, id, document_id, operation, round, sha256, size, number, notation, recipients, requirement, directory_version,
                              policy_sha256, system, accepted_at, receipt, issued_year, number_key, notation_key)
          SELECT $1, id, n::text, 'new', 1, '', 1, n::text, 'CV', '{}', 'met', 1, '', id, '2024-01-01Z'::timestamptz + n * interval '8 hours', '',
                 2024, n::text, 'CV'
            FROM (SELECT n, lpad(to_hex(n + 1000), 32, '0')::uuid AS id FROM generate_series(1, 3285) AS n) AS made"""
MANY_ROWS = """INSERT INTO register_row (agency, id, direction, number, notation, other_party, moved_on, loaded_at, load, line, position, issued_year,
                                         number_key, notation_key, party_key)
               SELECT sender, id, 'out', number, 'CV', 'x', accepted_at + interval '9 days', now(), sender, 1, number::int, issued_year, number_key,
                      'CV', 'x' FROM letter"""

SCAN = re.compile(r"Scan (?:using (\w+) )?on \"?(letter|register_row)\b.*loops=(\d+)")


@pytest.mark.parametrize("whose", ["lines", "summary_of_one", "summary_of_all"])
async def test_of_the_past_only_what_has_the_same_key_is_looked_at(office, whose):
    """Of three years' letters, a month's take as many looks at the past as the month has documents, each by an index."""
    for statement, *given in (
        (MANY, AGENCIES[0]),
        (MANY_ROWS,),
        ("ANALYZE letter",),
        ("ANALYZE register_row",),
    ):
        await office.connection.execute(statement, *given)
    first, last = date(2026, 3, 1), date(2026, 3, 31)
    days = [first, last, paper_class.start_of(first), paper_class.start_of(last + timedelta(days=1))]
    agencies = {"lines": AGENCIES[0], "summary_of_one": AGENCIES[:1], "summary_of_all": None}[whose]
    statement = stored.OUT if whose == "lines" else stored.summed("out", agencies)
    await office.connection.execute("SET plan_cache_mode = force_generic_plan")
    plan = await office.connection.fetch(f"EXPLAIN (ANALYZE, TIMING OFF) {statement}", agencies, *days)
    scans = [found.groups() for (line,) in plan if (found := SCAN.search(line))]
    again = {(index, table): int(loops) for index, table, loops in scans if int(loops) > 1}
    assert set(again) == {("letter_number", "letter"), ("register_row_document", "register_row")}, plan
    assert min(again.values()) >= 93, plan
