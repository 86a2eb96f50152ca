"""`congvan report close` and `report versions` on a real database."""

import json
from datetime import date, timedelta
from random import Random

import pytest
import uvloop
from bench.works import connected
from clerk import congvan
from traffic import CLASSES, Traffic, some

from exchange.rules import paper_class

JULY = paper_class.start_of(date(2026, 7, 3))


@pytest.fixture
def dsn(database):
    async def filled():
        async with connected(database) as connection:
            await some(Traffic(connection, Random(2)), 40, first=date(2026, 7, 1), days=20)

    uvloop.run(filled())
    return database


async def late(dsn):
    async with connected(dsn) as connection:
        await Traffic(connection, Random(9)).transfer(JULY, JULY + timedelta(days=40), CLASSES[0])


def report(dsn, *arguments, **settings):
    return congvan(None, "report", *arguments, CONGVAN_DATABASE_URL=dsn, **settings)


def test_a_month_is_closed_once_and_restated(dsn):
    ran = report(dsn, "close", "--period", "2026-07", "--by", "Lê Thị Mai", CONGVAN_LANGUAGE="vi")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Đã chốt tháng 07/2026, phiên bản 1: ")
    again = report(dsn, "close", "--period", "2026-07", "--by", "Lê Thị Mai", CONGVAN_LANGUAGE="vi")
    assert again.out.startswith("Tháng 07/2026 vẫn như phiên bản 1 đã chốt: ")
    assert again.out.split("SHA-256")[1] == ran.out.split("SHA-256")[1]
    uvloop.run(late(dsn))
    body = report(dsn, "close", "--period", "2026-07", "--by", "Trần Bình", "--json").json
    assert [(one["month"], one["version"], one["written"], one["by"]) for one in body["months"]] == [
        ("2026-07", 2, True, "Trần Bình")
    ]
    told = report(dsn, "versions", "--period", "2026-Q3", "--json").json["versions"]
    assert [(one["month"], one["version"]) for one in told] == [("2026-07", 1), ("2026-07", 2)]
    assert told[1]["change"] == {"E": 1}
    assert told[1]["classes"]["E"] == told[0]["classes"]["E"] + 1
    shown = report(dsn, "versions", "--period", "2026-07", CONGVAN_LANGUAGE="en", COLUMNS="200")
    assert f"{told[1]['classes']['E']} (+1)" in shown.out
    assert "Lê Thị Mai" in shown.out
    tally = congvan(None, "tally", "--period", "2026-07", "--json", CONGVAN_DATABASE_URL=dsn).json
    assert {name: n for name, n in tally["classes"].items() if n} == {
        name: n for name, n in told[1]["classes"].items() if n and name != "X"
    }
    shown = congvan(None, "tally", "--period", "2026-07", CONGVAN_DATABASE_URL=dsn, CONGVAN_LANGUAGE="en")
    assert "transfers by class and M1, M2, M3, M4, M19 are as closed; the other measures" in shown.out
    shown = congvan(None, "tally", "--period", "2026-08", CONGVAN_DATABASE_URL=dsn, CONGVAN_LANGUAGE="en")
    assert "as closed" not in shown.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["close", "--period", "2026-07"], 2, "--by"),
        (["close", "--period", "2026-W30", "--by", "x"], 1, "2026-W30"),
        (["close", "--period", "2999", "--by", "x"], 2, "2999"),
        (["close", "--period", "2199", "--by", "x"], 1, "05/01/2200"),
        (["close", "--period", "tháng 7", "--by", "x"], 2, "tháng 7"),
        (["close", "--by", "x"], 2, "--period"),
        (["versions", "--period", "2026-07"], 0, "2026-07"),
    ],
    ids=["nobody", "a week", "no such year", "not over", "no period", "which", "nothing closed"],
)
def test_what_cannot_be_closed_says_why(dsn, arguments, code, said):
    ran = report(dsn, *arguments)
    assert ran.code == code
    assert said in ran.out + ran.err
    assert json.loads(report(dsn, "versions", "--period", "2026", "--json").out)["versions"] == []


def test_the_day_from_which_a_month_is_closed_is_a_setting(dsn):
    ran = report(dsn, "close", "--period", "2199-12", "--by", "x", CONGVAN_CLOSE_DAY="28")
    assert (ran.code, "28/01/2200" in ran.err) == (1, True)
    for wrong in ("0", "29", "x"):
        assert report(dsn, "close", "--period", "2026-07", "--by", "x", CONGVAN_CLOSE_DAY=wrong).code == 2
