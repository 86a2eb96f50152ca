"""Registers on a real database: what is loaded, matched, counted once, told and taken back; and whatever the order, the same."""

import io
from datetime import date
from random import Random

import pytest
import register_files as files
import register_world as world
from register_world import book, count, load, rematch, sound, undo

from exchange.rules import register_lines
from exchange.rules import registers as reading
from exchange.store import pool as pools
from exchange.tracker import register_load, registers


@pytest.fixture
async def pool(province_database):
    opened = await pools.open(province_database)
    yield opened
    await opened.close()


def codes(outcome):
    return [(found.code, found.line) for found in outcome.findings]


async def test_what_a_register_alone_knows_is_paper_only_in_its_view_and_scope(pool):
    outcome = await load(pool, book(files.out("1/UBND", "H13.02; H13.03"), files.out("2/UBND", "Bộ Nội vụ")))
    assert (outcome.lines, outcome.rows, outcome.matched, outcome.paper_only, outcome.unknown_parties) == (
        2,
        3,
        0,
        3,
        1,
    )
    assert (await count(pool)).classes == {"E": 0, "S": 0, "N": 0, "U": 0, "P": 3}
    assert (await count(pool, scope="same_root")).classes["P"] == 2
    assert (await count(pool, view="in")).classes["P"] == 0
    assert (await count(pool, "2026-01-05")).classes["P"] == 3
    assert (await count(pool, "2026-01-06")).classes["P"] == 0
    await sound(pool)


async def test_what_came_counts_for_the_recipient_and_its_day(pool):
    lines = [
        files.came("7/STC-NS", "H13.02", "1"),
        files.came("8/STC-NS", "Công ty Thử", "2", issued="31/12/2025"),
    ]
    outcome = await load(pool, files.as_csv(lines, files.IN), book="in")
    assert (outcome.rows, outcome.paper_only) == (2, 2)
    assert (await count(pool, view="in", period="2026-01-06")).classes["P"] == 2
    assert (await count(pool, view="out")).classes["P"] == 0
    await sound(pool)


async def test_a_letter_that_arrived_is_matched_and_not_paper_only(pool):
    letter, delivery = await world.arrive(pool, "1")
    outcome = await load(pool, book(files.out("Số 01/UBND", "H13.02"), files.out("1/UBND", "H13.03")))
    assert (outcome.matched, outcome.paper_only, outcome.told) == (1, 1, 1)
    row = await pool.fetchrow("SELECT * FROM register_row WHERE letter IS NOT NULL")
    assert (row["letter"], row["delivery"], row["counted"]) == (letter.id, delivery.id, False)
    assert row["proven_at"] is not None
    assert (await count(pool)).classes["P"] == 1
    await sound(pool)


async def test_an_incoming_row_matches_the_senders_letter(pool):
    await world.arrive(pool, "1", sender="H13.02", recipient="H13.01")
    raw = files.as_csv([files.came("1/UBND", "H13.02", "1"), files.came("1/UBND", "H13.03", "2")], files.IN)
    outcome = await load(pool, raw, book="in")
    assert (outcome.matched, outcome.paper_only) == (1, 1)
    await sound(pool)


@pytest.mark.parametrize(
    "number, notation, issued",
    [("2", "UBND", date(2026, 1, 5)), ("1", "HĐND", date(2026, 1, 5)), ("1", "UBND", date(2025, 1, 5))],
)
async def test_another_number_notation_or_year_is_another_document(pool, number, notation, issued):
    await world.arrive(pool, number, notation=notation, issued=issued)
    outcome = await load(pool, book(files.out("1/UBND", "H13.02")))
    assert (outcome.matched, outcome.paper_only) == (0, 1)


async def test_what_never_arrived_went_on_paper_and_is_matched_once_it_arrives(pool):
    letter, delivery = await world.arrive(pool, "1", arrived_at=None, counted_class=None)
    outcome = await load(pool, book(files.out("1/UBND", "H13.02")))
    assert (outcome.matched, outcome.paper_only) == (0, 1)
    await world.become(pool, letter, delivery, "arrived", arrived_at=world.AT)
    assert await rematch(pool) == registers.Rematched(matched=1, told=1)
    assert await rematch(pool) == registers.Rematched(matched=0, told=0)
    assert (await count(pool)).classes["P"] == 0
    await sound(pool)


async def test_letters_that_come_later_are_matched_at_the_next_load_too(pool):
    await load(pool, book(files.out("1/UBND", "H13.02")))
    await world.arrive(pool, "1")
    outcome = await load(pool, book(files.out("9/UBND", "H13.02")))
    assert (outcome.matched, (await count(pool)).classes["P"]) == (0, 1)
    assert await pool.fetchval("SELECT count(*) FROM register_row WHERE letter IS NOT NULL") == 1
    await sound(pool)


async def test_a_whole_register_proves_no_paper(pool):
    await world.arrive(pool, "1")
    outcome = await load(
        pool, book(files.out("1/UBND", "H13.02"), files.out("2/UBND", "H13.02")), lists="all"
    )
    assert (outcome.matched, outcome.paper_only, outcome.told) == (1, 1, 0)


async def test_of_several_deliveries_the_counted_one_is_matched(pool):
    await world.arrive(pool, "1", counted_class="X")
    async with pool.acquire() as connection:
        await connection.execute("UPDATE letter SET first_of_key = NULL")
    letter, _ = await world.arrive(pool, "1")
    await load(pool, book(files.out("1/UBND", "H13.02")))
    assert await pool.fetchval("SELECT letter FROM register_row") == letter.id


async def test_one_transfer_in_two_books_counts_once_and_stays_when_one_is_undone(pool):
    first = await load(pool, book(files.out("1/UBND", "H13.02")))
    sent = files.as_csv([files.sent("1/UBND", "H13.02", moved="06/01/2026")], files.DISPATCH)
    second = await load(pool, sent, book="dispatch")
    assert (first.paper_only, second.paper_only) == (1, 0)
    assert (await count(pool, "2026-01-05")).classes["P"] == 1
    assert await undo(pool, first.load) == 1
    assert (await count(pool, "2026-01-05")).classes["P"] == 0
    assert (await count(pool, "2026-01-06")).classes["P"] == 1
    await sound(pool)
    assert await undo(pool, second.load) == 1
    assert (await count(pool)).classes["P"] == 0
    await sound(pool)


async def test_a_load_taken_back_tells_paper_of_rows_that_met_a_letter_since(pool):
    await load(pool, book(files.out("1/UBND", "H13.02"), files.out("2/UBND", "H13.02")))
    other = await load(pool, book(files.out("9/UBND", "H13.02")))
    await world.arrive(pool, "1")
    assert await undo(pool, other.load) == 1
    found = (await count(pool)).classes
    assert (found["E"], found["S"], found["P"]) == (0, 1, 1)
    await sound(pool)


async def test_what_stays_within_one_desk_is_not_counted(pool):
    outcome = await load(pool, book(files.out("1/UBND", "H13.01"), files.out("2/UBND", "Lưu: VT")))
    assert (outcome.rows, outcome.paper_only) == (2, 1)
    found = await count(pool)
    assert (found.classes["P"], found.excluded) == (0, {"internal": 1})
    assert codes(outcome) == [("register_no_party", 3)]
    await sound(pool)


async def test_the_same_file_is_told_and_not_loaded_twice(pool):
    raw = book(files.out("1/UBND", "H13.02"))
    first = await load(pool, raw)
    again = await load(pool, raw)
    assert (again.load, again.earlier, again.rows) == (None, first.load, 0)
    assert await undo(pool, first.load) == 1
    assert await undo(pool, first.load) is None
    assert (await load(pool, raw)).load is not None
    assert (await count(pool)).classes["P"] == 1
    await sound(pool)


async def test_a_corrected_file_adds_what_is_new_and_counts_the_rest_once(pool):
    first = await load(
        pool, book(files.out("1/UBND", "H13.02"), files.out("2/UBND", "H13.02", issued="31/02/2026"))
    )
    assert (first.rows, first.skipped, codes(first)) == (1, 1, [("register_bad_day", 3)])
    again = await load(pool, book(files.out("1/UBND", "H13.02"), files.out("2/UBND", "H13.02")))
    assert (again.rows, again.skipped, codes(again)) == (2, 0, [("register_row_known", 2)])
    assert again.findings[0].facts["load"] == str(first.load)
    assert (await count(pool)).classes["P"] == 2
    await sound(pool)


async def test_duplicates_and_numbers_used_twice_are_told(pool):
    outcome = await load(
        pool,
        book(
            files.out("1/UBND", "H13.02"), files.out("01/UBND", "h13.02"), files.out("1/HĐND", "H13.02"),
            files.out("2/TT-UBND", "H13.02"), files.out("2/UBND", "H13.02"), files.out("3/UBND", "H13.02; H13.03"),
        ),
    )  # fmt: skip
    assert codes(outcome) == [("register_row_twice", 3), ("register_number_twice", 2)]
    assert outcome.findings[0].facts["other"] == "2"
    assert outcome.findings[1].facts == {"number": "1", "count": "2", "documents": "1/HĐND, 1/UBND"}
    raw = files.as_csv([files.came("1/A", "H13.02", "5"), files.came("2/A", "H13.02", "05")], files.IN)
    outcome = await load(pool, raw, book="in")
    assert codes(outcome) == [("register_number_twice", 2)]


async def test_a_dry_run_tells_all_and_writes_nothing(pool):
    await world.arrive(pool, "1")
    raw = book(files.out("1/UBND", "H13.02"), files.out("2/UBND", "H13.02"), files.out("", "H13.02"))
    tried = await load(pool, raw, dry_run=True)
    assert (tried.load, tried.rows, tried.matched, tried.paper_only, tried.skipped) == (None, 2, 1, 1, 1)
    assert tried.dry_run
    for table in ("register_load", "register_row", "journal"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table} WHERE true") == 0 or table == "journal"
    assert await pool.fetchval("SELECT count(*) FROM journal WHERE event LIKE 'register%'") == 0
    assert (await count(pool)).classes["P"] == 0
    done = await load(pool, raw)
    assert (done.rows, done.matched, done.paper_only, done.skipped) == (2, 1, 1, 1)
    assert await pool.fetchval("SELECT count(*) FROM journal WHERE event = 'register_loaded'") == 1


async def test_a_refused_file_leaves_nothing(pool):
    lines = [files.out(f"{number}/UBND", "H13.02") for number in range(1, 2_500)]
    raw = files.as_xlsx(lines, merged=["A100:A101"])
    with pytest.raises(reading.RefusedError):
        await load(pool, raw)
    assert await pool.fetchval("SELECT count(*) FROM register_row") == 0
    assert await pool.fetchval("SELECT count(*) FROM register_load") == 0


async def test_parties_by_old_code_name_and_remark(pool):
    known = await pool.fetchrow(
        """SELECT agency.name, agency_code.code FROM agency JOIN agency_code ON agency_code.agency = agency.id
            WHERE agency.code = 'H13.02' AND agency_code.code <> 'H13.02'"""
    )
    lines = [
        files.out(f"{number}/UBND", party)
        for number, party in enumerate(
            (
                known["code"],
                known["name"],
                known["name"].upper(),
                f"{known['name']} (để b/c)",
                "Phòng X (h13.02)",
                "Phòng X",
            ),
            1,
        )
    ]
    assert (await load(pool, book(*lines))).unknown_parties == 1
    assert await pool.fetchval("SELECT count(DISTINCT other_agency) FROM register_row") == 1


async def test_commas_part_only_what_is_known(pool):
    lines = [files.out("1/UBND", "H13.02, H13.03"), files.out("2/UBND", "H13.02, Công ty Thử")]
    outcome = await load(pool, book(*lines))
    assert (outcome.rows, outcome.unknown_parties) == (3, 1)


async def test_a_circular_to_all_communes_is_loaded_whole(pool):
    """A cell of more than 2,000 letters, with semicolons and with commas."""
    codes = [one["code"] for one in await pool.fetch("SELECT code FROM agency WHERE counted ORDER BY code")]
    assert len("; ".join(codes[:300])) > register_lines.MOST_TEXT
    for number, parting in enumerate(("; ", ", ", "\v"), 1):
        outcome = await load(pool, book(files.out(f"{number}/UBND", parting.join(codes[1:301]))))
        assert (outcome.rows, outcome.paper_only, outcome.unknown_parties) == (300, 300, 0)
    await sound(pool)


async def test_days_covered(pool):
    lines = [files.out("1/UBND", "H13.02", issued="03/02/2026", moved="03/02/2026"),
             files.out("2/UBND", "H13.02", issued="20/02/2026", moved="20/02/2026")]  # fmt: skip
    first = await load(pool, book(*lines))
    assert (first.first, first.last) == (date(2026, 1, 1), date(2026, 2, 20))
    second = await load(pool, book(files.out("3/UBND", "H13.02", issued="21/02/2026", moved="21/02/2026")),
                        last=date(2026, 3, 31))  # fmt: skip
    assert (second.first, second.last) == (date(2026, 2, 21), date(2026, 3, 31))
    mine = [await world.agency(pool, "H13.01")]
    assert (await count(pool, "2026-Q1", agencies=mine)).registers == (1, 1)
    assert (await count(pool, "2026-Q1")).registers == (1, 452)
    assert (await count(pool, "2026-04", agencies=mine)).registers == (0, 1)
    assert (await count(pool, "2026-Q1", view="in", agencies=mine)).registers == (0, 1)
    await undo(pool, first.load)
    assert (await count(pool, "2026-Q1", agencies=mine)).registers == (0, 1)


@pytest.mark.parametrize(
    "number, first", [("1/UBND", 1), ("2/UBND", 3), ("1/TT-UBND", 3), ("1/2026/NĐ-CP", 3)]
)
async def test_only_number_one_of_the_common_series_begins_the_year(pool, number, first):
    march = {"issued": "03/03/2026", "moved": "03/03/2026"}
    outcome = await load(
        pool, book(files.out(number, "H13.02", **march), files.out("900/UBND", "H13.02", **march))
    )
    assert outcome.first == date(2026, first, 1 if first == 1 else 3)


async def test_number_one_of_the_arrivals_begins_the_year(pool):
    raw = files.as_csv([files.came("900/UBND", "H13.02", "01", arrived="05/01/2026")], files.IN)
    assert (await load(pool, raw, book="in")).first == date(2026, 1, 1)


async def test_no_book_covers_days_to_come_or_of_another_year(pool):
    this = await load(pool, book(files.out("2/UBND", "H13.02")), last=date(2026, 12, 31))
    assert (this.first, this.last) == (date(2026, 1, 5), date(2026, 11, 21))
    handed = files.out("900/UBND", "H13.02", issued="31/12/2025", moved="05/01/2026")
    last = await load(pool, book(handed), year=2025, first=date(2024, 12, 20), last=date(2026, 1, 31))
    assert (last.first, last.last) == (date(2025, 1, 1), date(2025, 12, 31))
    rows = await load(
        pool,
        book(handed, files.out("901/UBND", "H13.02", issued="30/12/2025", moved="30/12/2025")),
        year=2025,
    )
    assert (rows.first, rows.last) == (date(2025, 12, 30), date(2025, 12, 31))
    none = await load(pool, book(handed), year=2025, lists="all")
    mine = [await world.agency(pool, "H13.01")]
    assert none.earlier == last.load
    assert (await count(pool, "2026-01-05", agencies=mine)).registers == (1, 1)
    await undo(pool, this.load)
    assert (await count(pool, "2026-01-05", agencies=mine)).registers == (0, 1)


@pytest.mark.parametrize(
    "first, last",
    [
        (date(2025, 11, 30), None),
        (None, date(2027, 2, 1)),
        (date(2026, 11, 22), None),  # tomorrow
        (date(2019, 1, 1), date(2026, 3, 1)),
    ],
    ids=str,
)
async def test_days_that_no_book_of_the_year_covers_are_refused(pool, first, last):
    with pytest.raises(reading.RefusedError) as caught:
        await load(pool, book(files.out("2/UBND", "H13.02")), first=first, last=last)
    assert [found.code for found in caught.value.findings] == ["register_span"]
    assert await pool.fetchval("SELECT count(*) FROM register_load") == 0


async def test_a_period_that_lasts_is_covered_up_to_yesterday(pool):
    await load(pool, book(files.out("1/UBND", "H13.02")), last=date(2026, 11, 20))
    mine = [await world.agency(pool, "H13.01")]
    assert (await count(pool, "2026", agencies=mine)).registers == (1, 1)
    await pool.execute("UPDATE register_load SET last = '2026-11-19'")
    assert (await count(pool, "2026", agencies=mine)).registers == (0, 1)


async def test_paper_to_strangers_leaves_a_single_scope_uncovered(pool):
    mine = [await world.agency(pool, "H13.01")]
    first = {"last": date(2026, 1, 31)}
    await load(pool, book(files.out("1/UBND", "H13.02")), **first)
    assert (await count(pool, "2026-01", agencies=mine, scope="same_root")).registers == (1, 1)
    await load(pool, book(files.out("2/UBND", "Công ty Thử")), **first)
    assert (await count(pool, "2026-01", agencies=mine, scope="same_root")).registers == (0, 1)
    assert (await count(pool, "2026-01", agencies=mine)).registers == (1, 1)


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_of_loading_arriving_matching_and_undoing_gives_what_a_recount_gives(pool, seed):
    dice = Random(seed)
    standing = []
    for step in range(14):
        act = dice.choice(("load", "load", "arrive", "match", "undo"))
        if act == "load":
            party = ["H13.02", "H13.03", "Bộ Nội vụ", "H13.02; H13.03"]
            kind = dice.choice(("out", "dispatch"))
            lines = [(f"{dice.randint(1, 6)}/UBND", dice.choice(party)) for _ in range(4)]
            raw = (
                book(*(files.out(*line) for line in lines), files.out(f"{step + 10}/X", "Lưu"))
                if kind == "out"
                else files.as_csv(
                    [*(files.sent(*line) for line in lines), files.sent(f"{step + 10}/X", "A")],
                    files.DISPATCH,
                )
            )
            standing.append((await load(pool, raw, book=kind)).load)
        elif act == "arrive":
            number = str(dice.randint(1, 6))
            if not await pool.fetchval("SELECT count(*) FROM letter WHERE number = $1", number):
                await world.arrive(pool, number, recipient=dice.choice(("H13.02", "H13.03")))
        elif act == "match":
            await rematch(pool)
        elif standing:
            await undo(pool, standing.pop(dice.randrange(len(standing))))
        await sound(pool)
    for one in standing:
        await undo(pool, one)
    await sound(pool)
    assert (await count(pool)).classes["P"] == 0


async def test_many_rows_are_told_of_as_they_are_loaded(pool):
    told = []
    lines = [files.out(f"{number}/UBND", "H13.02") for number in range(1, 2_502)]
    async with pool.acquire() as connection:
        order = register_load.Order(
            agency=await world.agency(pool, "H13.01"), book="out", year=2026, lists="paper", name="a"
        )
        outcome = await register_load.load(
            connection, io.BytesIO(book(*lines)), order, world.HAND, told.append
        )
    assert (outcome.rows, told) == (2_501, [999, 1_999, 2_501])
