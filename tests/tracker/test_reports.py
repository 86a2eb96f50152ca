"""Reports on a real database: exact columns, cells of every kind, and totals that brute force finds in random worlds."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from random import Random

import pytest
from measured_world import AT, Brute, World, local

from exchange import texts
from exchange.rules import indicators, league, ratios, working_days
from exchange.rules.ratios import Measure
from exchange.store import insert
from exchange.tracker import headed, spans, tally
from exchange.tracker import measures as tracker_measures
from exchange.tracker.forms.wanted import Periodic
from exchange.tracker.measures import Means
from exchange.tracker.reports import cuts, given, make, periodic, periodic_made, worded
from exchange.tracker.reports import written as files
from exchange.tracker.reports.report import NAMES, Dated, Hundredths, Report, Table, Took, Word
from exchange.tracker.signature_usage import Asked, Filters
from signing import trust

CLASSES = "Hoàn toàn ĐT | Song song | Chưa đủ GTPL | Chưa khai báo | Chỉ giấy"
EXACT = {
    "BC-02": f"STT | Mã cơ quan | Tên cơ quan | Tổng lượt gửi | {CLASSES} | Tỷ lệ HTĐT (%) | Tỷ lệ có gửi ĐT (%) | Kỳ trước (%) | "
    "Tăng/giảm (điểm %) | Mục tiêu (%) | Đạt | Mức kiểm chứng A (%)",
    "BC-03": f"Loại | Số cơ quan | Số có phát sinh | Tổng | {CLASSES} | Tỷ lệ HTĐT | Cao nhất | Thấp nhất | Trung vị | Số đạt mục tiêu",
    "BC-04": f"Kỳ | Tổng | {CLASSES} | Tỷ lệ HTĐT | Tỷ lệ song song | Tỷ lệ chỉ giấy | Ghi chú",
    "BC-05": "STT | Cơ quan gửi | Số, ký hiệu | Ngày | Loại | Trích yếu (rút gọn) | Cơ quan nhận | Nguồn bằng chứng | Lý do | "
    "Có căn cứ | Thuộc danh mục 26 loại",
    "BC-06": "Cơ quan | Số, ký hiệu | Ngày | Loại | Nơi nhận | Số bản | Ngày chuyển | Lý do | Nguồn",
    "series": "Cơ quan | Dãy số | Số đầu | Số cuối | Đã giải trình | Còn thiếu | Danh sách khoảng thiếu | Độ đầy đủ (%)",
    "BC-07": "STT | Số, ký hiệu | Độ khẩn | Bên gửi | Bên nhận | Gửi lúc | Tới lúc | Trạng thái | Hạn | Quá hạn (giờ làm việc) | "
    "Lần thử | Lỗi gần nhất | Người phụ trách",
    "BC-08": "Cơ quan | VB đi | Gửi trong ngày | Sáng ngày LV kế tiếp | Trễ | M12 (%) | VB đến | Xác nhận trong ngày | M13 (%) | "
    "Trung vị 01→03 | p95 | VB khẩn | M17 (%)",
    "BC-09": "STT | Loại sự kiện | Số, ký hiệu | Bên gửi | Bên nhận | Thời điểm yêu cầu | Lý do | Phản hồi bên nhận (đồng ý/không) | "
    "Thời điểm phản hồi | Thời gian (giờ) | VB thay thế",
    "BC-13": "Hạng | Cơ quan | Điểm HTĐT (40) | Điểm chữ ký (25) | Gửi đúng hạn (10) | Xác nhận đúng hạn (15) | Dữ liệu đầy đủ (10) | "
    "Tổng (100) | Mức độ | Hạng kỳ trước | Còn thiếu để lên mức",
    "BC-14": "Cơ quan | Hệ thống | Phiên bản | Kết nối gần nhất | Hàng đợi | Lỗi 24 giờ | Chứng thư kênh còn (ngày) | "
    "Ký số (có/không) | Gửi | Nhận",
}  # fmt: skip
"""The columns as reference page rules_and_measures, D.2, has them, with the undeclared ones (class U) among the classes."""

TRUST = trust.load([], [])
MEANS = Means(calendar=working_days.default(), trust=TRUST)
SET = indicators.read(
    '[[indicator]]\nid = "a"\nname = "Một"\nformula = "E + S / documents"\n[[indicator]]\nid = "b"\nname = "Hai"\n'
    'formula = "M1"\ntarget = 40\npoints = 10\nperiod = "2026-02"'
)
ANNEXES = {"BC-03": {"levels"}, "BC-05": {"reasons", "types"}, "BC-06": {"series"}, "BC-07": {"ages"}, "BC-08": {"hours"},
           "BC-09": {"events", "event_agencies"}, "BC-11": {"issued"}, "BC-14": {"flows"}}  # fmt: skip


@pytest.fixture
async def connection(pool):
    async with pool.acquire() as connection:
        yield connection


def asked(period="2026-02", agencies=None, **filters):
    return Asked(period=tally.period(period), agencies=agencies, as_of=AT, filters=Filters(**filters))


async def report(connection, name, question=None, **settings):
    return await make.make(
        connection, name, question or asked(), TRUST, [], make.Settings(indicators=SET, **settings)
    )


def rows(table):
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


def total(table):
    return dict(zip([column.name for column in table.columns], table.total, strict=True))


def brute(world, period="2026-02", agencies=None, **cut):
    span = tally.period(period)
    return Brute(world, span.first, span.last, agencies, **cut)


def counted(figures):
    return {klass: figures.get(klass, 0) for klass in "ESNUP"}


def together(found):
    whole = Counter()
    for one in found.found.values():
        whole.update(one)
    return whole


@pytest.mark.parametrize(
    "now, before, points",
    [
        ((3, 4), (1, 2), 2500), ((1, 2), (3, 4), -2500), ((1, 3), (0, 5), 3333), ((2, 3), (0, 5), 6667), ((0, 5), (2, 3), -6667),
        ((1, 20_000), (0, 1), 1), ((0, 1), (1, 20_000), -1), ((1, 20_001), (0, 1), 0), ((1, 1), (0, 0), None), ((0, 0), (1, 1), None),
    ],
)  # fmt: skip
def test_a_change_goes_by_the_exact_values(now, before, points):
    found = given.change(Measure(*now), Measure(*before))
    assert found == (None if points is None else Hundredths(points, signed=True))


def test_reasons_stand_most_frequent_first_with_what_they_come_to():
    assert given.pareto(Counter("aabbbc")) == [
        ("b", 3, (3, 6), (3, 6)), ("a", 2, (2, 6), (5, 6)), ("c", 1, (1, 6), (6, 6)),
    ]  # fmt: skip


async def test_every_report_of_a_random_world_has_its_texts_and_can_be_written(connection):
    await World(connection, Random(1)).fill(agencies=5, letters=50)
    for name in NAMES:
        made = await report(connection, name)
        assert made.code == name
        assert {one.name for one in made.tables[1:]} == ANNEXES.get(name, set())
        for table in made.tables:
            cells = [value for row in (*table.rows, *([table.total] if table.total else [])) for value in row]
            for language in texts.LANGUAGES:
                assert all(
                    files.heading(table, column, language) for column in table.columns if not column.parts
                )
                assert all(isinstance(worded.text(cell, language), str) for cell in cells)
                assert all(
                    len(list(files.flat(table.columns, row))) == len(files.headings(table, language))
                    for row in table.rows
                )
            named = {column.name for column in table.columns}
            for row in table.rows:
                for column, value in zip(table.columns, row, strict=True):
                    assert not isinstance(value, Measure) or column.ratio or {"n", "d"} <= named, (
                        table.name,
                        column.name,
                    )
            if table.name in EXACT:
                headings = [files.heading(table, column, "vi") for column in table.columns]
                assert " | ".join(headings) == EXACT[table.name]
        body = files.as_json(made, "vi")
        assert json.loads(json.dumps(body)) == body
        assert body["coverage"]["registers"] == {"n": made.coverage[0], "d": made.coverage[1]}
        assert body["coverage"]["sufficient"] is made.sufficient
        assert set(body) >= {"title", "unit", "note", "period", "version", "as_of", "rows", "filters"}
    assert set(EXACT) <= {table.name for name in NAMES for table in (await report(connection, name)).tables}


@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 20))]
)
async def test_counts_and_ratios_are_those_of_brute_force(connection, seed):
    world = await World(connection, Random(seed)).fill(letters=80)
    codes = {one["code"]: one["id"] for one in world.agencies}
    for view in ("out", "in"):
        question, now = asked(view=view), brute(world, view=view)
        before, whole = brute(world, "2026-01", view=view), together(now)
        made = await report(connection, "BC-02", question)
        for row in rows(made.table):
            mine = counted(now.found.get(codes[row["code"]], {}))
            assert {klass: row[klass] for klass in "ESNUP"} == mine
            assert row["total"] == row["m1"].d == sum(mine.values())
            past = counted(before.found.get(codes[row["code"]], {}))
            assert row["before"] == (past["E"], sum(past.values()))
            if row["m1"].d:
                assert (row["met"].code == "yes") == (10 * mine["E"] >= 9 * row["total"])
        last = total(made.table)
        assert {klass: last[klass] for klass in "ESNUP"} == counted(whole)
        assert last["m19"] == (whole["E_A"], whole["E"])
        made = await report(connection, "BC-03", question)
        for table, name in ((made.table, "kind"), (made.annex, "level")):
            for klass in "ESNUP":
                assert sum(row[klass] for row in rows(table)) == whole[klass], name
        kinds = Counter(one["kind"] for one in world.agencies if now.found.get(one["id"], {}).get("agencies"))
        shown = {
            files.as_json(made, "vi")["rows"][place]["kind"]: row["agencies"]
            for place, row in enumerate(rows(made.table))
        }
        assert kinds <= Counter(shown)
        assert sum(shown.values()) <= len(world.agencies)
        made = await report(connection, "BC-04", asked("2026", view=view))
        for row in rows(made.table):
            month = together(brute(world, row["period"], view=view))
            assert {klass: row[klass] for klass in "ESNUP"} == counted(month)
            assert (row["note"] is not None) == (row["period"] in ("2026-11", "2026-12"))
        cards = {row["card"].code: row for row in rows((await report(connection, "BC-01", question)).table)}
        assert cards["total"]["n"] == sum(counted(whole).values())
        assert {klass: cards[klass]["n"] for klass in "ESNUP"} == counted(whole)


@pytest.mark.parametrize("seed", [3, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 20))])
async def test_lists_have_a_row_for_each_thing_that_is_counted(connection, seed):
    world = await World(connection, Random(seed)).fill(letters=80)
    whole = together(brute(world))
    arrived = {view: together(brute(world, view=view)) for view in ("out", "in")}
    parallel = await report(connection, "BC-05")
    assert len(parallel.table.rows) == whole["S"]
    assert sum(row["justified"].code == "no" for row in rows(parallel.table)) == whole["S_unjustified"]
    assert parallel.measures["M7"] == (whole["S_unjustified"], whole["E"] + whole["S"])
    assert all(sum(row["n"] for row in rows(annex)) == whole["S"] for annex in parallel.annexes)
    for kind in ("test", "internal", "duplicate", "refused"):
        assert len((await report(connection, f"X-{kind}")).table.rows) == arrived["out"][f"X_{kind}"]
    assert any(one["scope"] == "internal" for one in brute(world).paper("out"))
    paper = await report(connection, "BC-06")
    assert len(paper.table.rows) == whole["P"]
    assert paper.measures["M18"] == (whole["numbers_known"], whole["numbers_highest"])
    for row in rows(paper.annex):
        assert row["known"] + row["lacking"] == row["last"] == row["complete"].d
    timely = await report(connection, "BC-08")
    last = total(timely.table)
    assert (last["sent"], last["late"], last["arrived"]) == (
        whole["sent_documents"],
        whole["sent_late"],
        whole["arrived"],
    )
    assert (last["urgent"], last["answered"]) == (whole["urgent"], whole["answered_same_day"])
    assert last["median"] == Took(
        round(brute(world).took()["M14_registered"][(len(brute(world).took()["M14_registered"]) - 1) // 2])
    )
    hours = sum(sum(value for name, value in row.items() if name != "weekday") for row in rows(timely.annex))
    sent = [
        one
        for one in world.deliveries
        if one["operation"] in ("new", "replace") and local(one["accepted_at"]).month == 2
    ]
    assert hours == len(sent)
    waiting = await report(connection, "BC-07")
    open_ = [
        one for one in sent
        if one["state"] in ("waiting", "arrived") and one["excluded"] not in ("test", "internal", "duplicate")
    ]  # fmt: skip
    assert len(waiting.table.rows) == len(open_) == sum(row["n"] for row in rows(waiting.annex))
    assert all(row["due"] < AT and row["overdue"].seconds > 0 for row in rows(waiting.table))
    for one in world.agencies[:3]:
        await world.system(one["id"])  # one more
    flows = await report(connection, "BC-14")
    assert sum(row["n"] for row in rows(flows.annex)) == sum(whole[klass] for klass in "ESNU")
    by_code = {one["code"]: one["id"] for one in world.agencies}
    found = brute(world).found
    told = set()
    for row in rows(flows.table):
        mine = found.get(by_code[row["agency"]], {})
        once = (None, None) if row["agency"] in told else (mine.get("sent", 0), mine.get("arrived", 0))
        assert (row["sent"], row["received"]) == once
        assert (row["waiting"] is None) == (row["agency"] in told)
        told.add(row["agency"])
    assert len(told) < len(flows.table.rows)


async def test_refusals_requests_and_withdrawals(connection):
    world = await World(connection, Random(11)).fill(agencies=5, letters=0)
    for _ in range(6):
        await world.letter()
    arrived = [
        one for one in world.deliveries if one["operation"] == "new" and local(one["accepted_at"]).month == 2
    ][:3]
    first, second, third = arrived
    at = first["accepted_at"] + timedelta(hours=1)
    await connection.execute("DELETE FROM journal WHERE event IN ('status', 'withdrawn')")

    async def told(one, event, moment, **facts):
        await world.line(one["recipient"], event, moment, letter=one["letter"], delivery=one["id"], **facts)

    when = local(first["accepted_at"]).replace(day=20, hour=9)
    await told(first, "status", when, code="02", detail={"text": "Sai thẩm quyền"})
    await told(first, "status", when, code="03")
    await told(second, "asked", when, detail={"kind": "take_back", "letter": "x"})
    await told(second, "agreed", when + timedelta(hours=2), detail={"kind": "take_back", "letter": "x"})
    await told(
        second, "withdrawn", when + timedelta(hours=2), detail={"letter": "x", "operation": "take_back"}
    )
    await told(third, "withdrawn", when + timedelta(hours=3), detail={"letter": "y", "operation": "revoke"})
    made = await report(connection, "BC-09")
    found = rows(made.table)
    assert [row["event"].code for row in found] == ["refused", "asked_take_back", "withdrawn"]
    assert (found[0]["reason"], found[1]["answer"].code, found[1]["took"]) == (
        "Sai thẩm quyền",
        "yes",
        Took(7200),
    )
    assert [row["n"] for row in rows(made.annexes[0])] == [1, 1, 1]
    by_agency = rows(made.annexes[1])
    assert [
        sum(row[name] for row in by_agency) for name in ("refused", "requests", "withdrawn", "replaced")
    ] == [1, 1, 1, 0]
    assert at


LEAGUE = league.read(
    '[targets]\nM1 = 50\n[[table]]\nname = "x"\nsmallest = 3\nmaximum = 100\nparts = [{measure = "M1", weight = 60}, '
    '{measure = "M13", weight = 40}]\nlevels = [{name = "I", least = 50}, {name = "II", least = 20}]'
)


@pytest.mark.parametrize(
    "code", ["BC-01", "BC-02", "BC-05", "BC-10", "BC-13", "measures", "X-test", "X-undelivered"]
)
async def test_of_a_closed_period_it_is_said_what_is_as_closed_and_what_is_not(connection, code):
    await World(connection, Random(8)).fill(letters=5)
    assert "as_of_now" not in [line.key for line in (await report(connection, code)).lines]
    await connection.execute(
        "INSERT INTO period_version (month, version, closed_at, author, snapshot, members, sha256) VALUES ('2026-02-01', 1, $1, 'x', '', 0, '')",
        AT,
    )
    made = await report(connection, code)
    said = [line for line in made.lines if line.key.endswith("as_of_now")]
    assert made.version == "1"
    assert len(said) == (code != "BC-02")
    of_rows = {"BC-05": "class, justified", "X-test": "class, excluded"}
    assert all(one.facts["closed"] == of_rows.get(code, "M1, M2, M3, M4, M7, M19") for one in said)
    assert all(("từng dòng" in worded.sentence(one, "vi")) is (code in of_rows) for one in said)


@pytest.mark.parametrize("code", ["BC-02", "BC-07", "BC-08", "BC-13"])
@pytest.mark.parametrize(
    "period, years", [("2026-02", None), ("2021", "2021"), ("2027-01", "2027"), ("2030", None)]
)
async def test_years_whose_days_off_nobody_told_are_named(connection, code, period, years):
    question = replace(asked(period), as_of=AT.replace(year=2027))
    said = {line.key: line.facts for line in (await report(connection, code, question)).lines}
    assert said.get("unlisted_years") == ({"years": years} if years and code != "BC-02" else None)


async def test_the_league_is_that_of_the_measures(connection):
    world = await World(connection, Random(21)).fill(letters=90)
    made = await report(connection, "BC-13", league=LEAGUE)
    names = {one["name"]: one["id"] for one in world.agencies}
    found, table = brute(world).found, LEAGUE.tables["x"]
    expected = {}
    for row in rows(made.table):
        mine = found.get(names[row["agency"]], {})
        whole = sum(counted(mine).values())
        parts = {
            "M1": Measure(mine.get("E", 0), whole),
            "M13": Measure(mine.get("answered_same_day", 0), mine.get("arrived", 0)),
        }
        expected[row["agency"]] = league.total(table, parts, whole)
    ranks = league.ranks(expected)
    assert [row["rank"] for row in rows(made.table)] == sorted(
        (ranks.get(name) for name in expected), key=lambda rank: (rank is None, rank)
    )
    for row in rows(made.table):
        one = expected[row["agency"]]
        assert row["rank"] == ranks.get(row["agency"])
        assert row["total"] == (None if one is None else Hundredths(league.shown(one)))
    assert len(ranks) > 1
    before = league.ranks({})
    assert all(row["before"] in (None, *before.values(), *range(1, 9)) for row in rows(made.table))
    assert "I:" in worded.sentence(made.lines[0], "vi")
    assert worded.sentence(made.lines[1], "vi").startswith("Mức độ: I ≥ 50, II ≥ 20")
    history = rows((await report(connection, "ranks", league=LEAGUE)).table)
    assert {(row["period"], row["rank"]) for row in history} >= {("2026-02", rank) for rank in ranks.values()}
    assert {row["period"] for row in history} <= {
        one.text for one in spans.history(tally.period("2026-02"), 6)
    }


async def test_a_trend_is_headed_by_the_measures_of_its_own_period(connection):
    world = await World(connection, Random(12)).fill(letters=80)
    for period in ("2026-03", "2026-02", "2026-Q1", "2026-W08"):
        for length in (None, 2, 24):
            made = await report(connection, "BC-04", asked(period), periods=length)
            whole = together(brute(world, period))
            assert made.measures["M1"] == (whole["E"], sum(counted(whole).values()))
            assert len(made.table.rows) == (length or 12)
            assert rows(made.table)[-1]["m1"].d
    assert (await report(connection, "BC-04", asked("2026-02"))).measures["M1"].d


async def test_a_trend_says_which_months_were_restated(connection):
    await World(connection, Random(12)).fill()
    closed = [("2026-02", 1), ("2026-02", 2), ("2026-03", 1)]
    for version, (month, number) in enumerate(closed):
        await connection.execute(
            "INSERT INTO period_version (month, version, closed_at, author, snapshot, members, sha256) VALUES ($1, $2, $3, 'x', '', 0, '')",
            date.fromisoformat(f"{month}-01"), number, AT + timedelta(days=version),
        )  # fmt: skip
    notes = {
        row["period"]: row["note"] for row in rows((await report(connection, "BC-04", asked("2026"))).table)
    }
    assert notes["2026-02"] == Dated(Word("report.restated"), AT + timedelta(days=1))
    assert {name: note and note.code for name, note in notes.items() if name != "2026-02"} == {
        f"2026-{month:02}": "running" if month > 10 else None for month in range(1, 13) if month != 2
    }
    assert "điều chỉnh, 22/11/2026" in worded.text(notes["2026-02"], "vi")
    weeks = rows((await report(connection, "BC-04", asked("2026-W08"))).table)
    assert {row["note"] for row in weeks} == {None}


async def test_the_history_of_ranks_is_as_long_as_asked(connection):
    await World(connection, Random(21)).fill(letters=90)
    for length, expected in ((1, {"2026-03"}), (2, {"2026-02", "2026-03"}), (None, {"2026-02", "2026-03"})):
        made = await report(connection, "ranks", asked("2026-03"), league=LEAGUE, periods=length)
        assert {row["period"] for row in rows(made.table)} == expected


FILTERS = {"view": "in", "scope": "nowhere", "types": ("Không có loại này",), "urgency": (4,)}


def cells(made):
    """What the tables and measures of a report say."""
    return json.dumps(
        {name: one for name, one in files.as_json(made, "vi").items() if name not in ("filters", "as_of")}
    )


async def test_a_report_goes_by_the_filters_that_it_takes_and_refuses_the_others(connection):
    world = await World(connection, Random(30)).fill(letters=60)
    some = [one["id"] for one in world.agencies[:2]]
    assert cuts.refused("BC-10", Filters(told=(("kind", "commune"),))) == []
    different = set()
    for code in NAMES:
        whole = await report(connection, code, asked(agencies=some))
        for name, held in FILTERS.items():
            refused = cuts.refused(code, Filters(**{name: held}))
            assert refused in ([], [{"types": "type"}.get(name, name)])
            if not refused:
                cut = await report(connection, code, asked(agencies=some, **{name: held}))
                assert cells(cut) != cells(whole) or not whole.table.rows, (code, name)
                different.add((code, name))
    assert len(different) > 40


async def test_a_type_that_does_not_exist_leaves_nothing(connection):
    await World(connection, Random(30)).fill(letters=80)
    for code in (one for one in NAMES if "type" in cuts.HONOURED.get(one, ())):
        made = await report(connection, code, asked(types=FILTERS["types"]))
        for table in made.tables:
            numbers = [
                value.n if isinstance(value, Measure) else value
                for row in table.rows
                for column, value in zip(table.columns, row, strict=True)
                if column.numeric
                and column.name not in ("place", "agencies")
                and isinstance(value, int | Measure)
            ]
            assert not any(numbers), (code, table.name, numbers)
        assert not any(one.n for one in made.measures.values())


async def test_an_indicator_of_documents_or_people_is_not_told_of_a_cut(connection):
    await World(connection, Random(4)).fill()
    own = indicators.read(
        "".join(
            f'[[indicator]]\nid = "{place}"\nname = "x"\nformula = "{formula}"\ntarget = 40\n'
            for place, formula in enumerate(("M1", "M20", "E / agencies", "documents_E / documents"))
        )
    )
    settings = make.Settings(indicators=own)
    for filters, told in (({}, 4), ({"scope": "same_root"}, 2)):
        made = await make.make(connection, "indicators", asked("2026", **filters), TRUST, [], settings)
        assert sum(row["d"] is not None for row in rows(made.table)) == told


async def test_an_indicator_that_is_no_share_is_doubted_like_any_other(connection):
    """Its upper sum exceeds the lower one: registers could contradict it all the same."""
    await World(connection, Random(4)).fill()
    own = indicators.read(
        '[[indicator]]\nid = "a"\nname = "x"\nformula = "E + E / S + E"\ntarget = 40\npoints = 10\n'
    )
    for percent, told in ((90, (None, None)), (0, ("yes", 1000))):
        settings = make.Settings(indicators=own, percent=percent)
        made = await make.make(connection, "indicators", asked(), TRUST, [], settings)
        (row,) = rows(made.table)
        assert row["n"] > row["d"] > 0
        assert row["share"] is None
        assert (row["met"] and row["met"].code, row["points"] and row["points"].value) == told


async def test_what_a_set_asks_of_a_period_is_counted_once(connection, monkeypatch):
    await World(connection, Random(4)).fill(letters=5)
    counted, real = [], tracker_measures.figures

    async def noted(connection, question, means, names):
        counted.append(question.period.text)
        return await real(connection, question, means, names)

    monkeypatch.setattr(tracker_measures, "figures", noted)
    lines = "".join(
        f'[[indicator]]\nid = "{place}"\nname = "x"\nformula = "{formula}"\n{period}'
        for place, (formula, period) in enumerate(
            [
                ("M1", ""),
                ("M12", ""),
                ("E / P", ""),
                ("M1", 'period = "2026-02"\n'),
                ("M5", 'period = "2026-02"\n'),
            ]
        )
    )
    settings = make.Settings(indicators=indicators.read(lines))
    await make.make(connection, "indicators", asked("2026"), TRUST, [], settings)
    assert sorted(counted) == ["2026", "2026-02"]


async def test_both_tables_of_cao_bang_place_points_that_are_given(connection):
    world = await World(connection, Random(2)).fill(letters=0)
    codes = [one["code"] for one in world.agencies]
    for name, points, levels in (
        ("cao_bang_departments", ("46.9", "54", "36", "22.5"), ["I", "III", "IV", "unranked"]),
        ("cao_bang_districts", ("64.61", "100.4", "64.61", "108"), ["I", "II", "unranked", "unranked"]),
    ):
        given_ = league.Scores(
            table=league.default().tables[name], points=dict(zip(codes, map(Fraction, points), strict=False))
        )
        made = await report(connection, "scores", scores=given_)
        found = files.as_json(made, "vi")["rows"]
        assert [row["level"] for row in found] == levels
        assert [row["rank"] for row in found] == sorted(row["rank"] for row in found)
        assert all(row["name"] == f"Cơ quan {row['agency']}" for row in found)
        assert "Cao Bằng 2018" in worded.sentence(made.lines[0], "vi")
        one = await report(connection, "scores", asked(agencies=[world.agencies[1]["id"]]), scores=given_)
        assert [row["agency"] for row in rows(one.table)] == codes[1:2]


async def test_adoption_names_who_is_missing(connection):
    world = await World(connection, Random(2)).fill(letters=6)
    made = await report(connection, "adoption")
    found = brute(world).found
    active = [one for one in world.agencies if found.get(one["id"], {}).get("agencies")]
    assert [row["agency"] for row in rows(made.table)] == sorted(one["code"] for one in active)
    for line, name in zip(made.lines[:3], ("agencies_connected", "sent", "arrived"), strict=True):
        lacking = [one["name"] for one in active if not found[one["id"]].get(name)]
        assert (line.facts["n"], line.facts["d"]) == (len(active) - len(lacking), len(active))
        assert all(one in line.facts["missing"] for one in lacking)


@pytest.mark.parametrize("contact, connected", [(7, 0), (40, 1)])
async def test_a_deployment_says_within_how_many_days_an_agency_is_connected(connection, contact, connected):
    """The world's agencies have contact in the middle of a month."""
    world = await World(connection, Random(2)).fill(letters=0)
    at = asked().end - timedelta(days=20)
    await connection.execute(
        "INSERT INTO journal (agency, id, at, event) VALUES ($1, gen_random_uuid(), $2, 'fetched')",
        world.agencies[0]["id"], at,
    )  # fmt: skip
    days = working_days.Days(contact=contact)
    made = await report(connection, "adoption", calendar=replace(working_days.default(), days=days))
    assert made.lines[0].facts["n"] == connected
    own = [line.facts for line in made.lines if line.key == "own_spans"]
    assert own == ([] if contact == 7 else [{"contact": 40, "ending": 30, "idle": 90}])
    (measure,) = [
        row for row in rows((await report(connection, "measures", calendar=replace(working_days.default(), days=days))).table)
        if row["measure"] == "M20"
    ]  # fmt: skip
    assert measure["n"] == connected


async def test_indicators_go_by_their_own_formulas_and_periods(connection):
    world = await World(connection, Random(4)).fill()
    first, second = rows((await report(connection, "indicators", asked("2026"), percent=0)).table)
    whole, february = together(brute(world, "2026")), together(brute(world))
    assert (first["n"], first["d"]) == (whole["E"] + whole["S"], whole["documents"])
    assert (second["n"], second["d"]) == (february["E"], sum(counted(february).values()))
    assert second["met"].code == ("yes" if 100 * second["n"] >= 40 * second["d"] else "no")
    assert second["points"].value == (2 * 1000 * second["n"] + second["d"]) // (2 * second["d"])


async def test_all_measures_stand_in_their_order(connection):
    await World(connection, Random(6)).fill()
    made = await report(connection, "measures")
    ids = [row["measure"] for row in rows(made.table)]
    assert list(dict.fromkeys(ids)) == [f"M{number}" for number in range(1, 21)]
    assert all(isinstance(row["share"], Measure) or row["measure"] == "M14" for row in rows(made.table))


async def loaded(connection, books):
    """Registers of every agency, of these directions."""
    for book in books:
        await connection.execute(
            """INSERT INTO register_load (agency, id, book, year, lists, sha256, name, at, first, last)
               SELECT id, gen_random_uuid(), $1, 2026, 'paper', sha256((id::text || $1)::bytea), '', $2, '2026-01-01', '2026-12-31'
                 FROM agency""",
            book, AT,
        )  # fmt: skip


async def periodic_measures(connection):
    """The measures of BC-15, as programs get them."""
    found = await periodic.gather(connection, asked(), MEANS)
    table = Table(name="BC-15", columns=(), rows=())
    about = Report(code="BC-15", asked=asked(), scope=[], table=table, coverage=found.figures.registers)
    made = Periodic(asked=about, figures=found.figures, months=found.months, reports={})
    return periodic_made.as_json(made, "vi")["measures"]


BY_BOOKS = [
    ("in", {"in"}, {"M1", "in_E / in_all", "E / in_all"}),
    ("out", {"in"}, {"in_E / in_all"}),
    ("out", {"out"}, {"M1", "M5", "documents_E / documents"}),
    ("in", {"out"}, {"M5", "documents_E / documents"}),
    ("out", {"in", "out"}, {"M1", "M5", "M6", "documents_E / documents", "in_E / in_all", "E / in_all"}),
]


@pytest.mark.parametrize(
    "view, books, proven", BY_BOOKS, ids=["in-in", "out-in", "out-out", "in-out", "out-both"]
)
async def test_a_measure_is_believed_by_the_registers_of_its_own_direction(connection, view, books, proven):
    await World(connection, Random(4)).fill()
    await loaded(connection, books)
    formulas = ("M1", "M5", "M6", "documents_E / documents", "in_E / in_all", "E / in_all")
    own = indicators.read(
        "".join(f'[[indicator]]\nid = "{one}"\nname = "x"\nformula = "{one}"\n' for one in formulas)
    )
    question, names = asked(view=view), {"M1", "M5", "M6"}
    made = await make.make(connection, "indicators", question, TRUST, [], make.Settings(indicators=own))
    shares = {row["id"]: row["share"] for row in rows(made.table)}
    assert all(shares[one].d for one in formulas)
    assert {one for one in formulas if not isinstance(shares[one], ratios.Unproven)} == proven
    told = {
        row["measure"]: row["share"] for row in rows((await report(connection, "measures", question)).table)
    }
    assert {one for one in names if not isinstance(told[one], ratios.Unproven)} == proven & names
    body = files.doubted(await headed.measured(connection, question, MEANS, 90), "vi")
    assert {one for one in names if "%" in body["measures"][one]["text"]} == proven & names
    assert "enough" not in body
    if view == "out":
        printed = await periodic_measures(connection)
        assert {one for one in names if "%" in printed[one]["text"]} == proven & names


async def test_the_figures_of_can_tho_come_out_of_reports(connection):
    """E 441,042, S 14,382, P 23,969 of 2019: 92,00 %, 95,00 %, and a target of 92 that is met by the counts."""
    world = World(connection, Random(0))
    await world.agency("H13")
    await connection.execute("UPDATE agency SET disabled_at = NULL, valid_to = NULL, counted = true")
    await connection.executemany(
        "INSERT INTO tally_day VALUES ('out', $1, '2019-06-03', 'same_root', 'Công văn', 0, $2, '', $3, $4, $5)",
        [(world.agencies[0]["id"], "E", "B", "", 441_042), (world.agencies[0]["id"], "S", "", "yes", 14_382)],
    )
    await connection.execute(
        """INSERT INTO register_row (agency, id, direction, number, notation, moved_on, loaded_at)
           SELECT $1, gen_random_uuid(), 'out', n::text, 'CV', '2019-03-01', now() FROM generate_series(1, 23969) AS n""",
        world.agencies[0]["id"],
    )
    world.books = [
        {
            "agency": world.agencies[0]["id"],
            "direction": "out",
            "moved_on": date(2019, 3, 1),
            "document_type": "",
            "letter": None,
        }
    ] * 23_969
    await insert.rows(connection, await world.paper_facts())
    made = await report(connection, "BC-02", asked("2019"), league=league.read("[targets]\nM1 = 92"))
    (row,) = rows(made.table)
    said = [worded.text(row[name], "vi") for name in ("E", "S", "P", "total", "m1", "m3", "met")]
    assert said == ["441.042", "14.382", "23.969", "479.393", "92,00", "95,00", "Có"]
    assert ratios.shares({name: row[name] for name in "ESNUP"}) == {
        "E": "92,00",
        "S": "3,00",
        "N": "0,00",
        "U": "0,00",
        "P": "5,00",
    }
