import asyncio
import contextlib
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from exchange import texts
from exchange.cli import database as cli
from exchange.store import migrate, pool

AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
FIRST = migrate.read(
    "0001_letters.sql", b"-- letters\nCREATE TABLE one (n integer);\n\nCREATE TABLE two (n integer);\n"
)
SECOND = migrate.read("0002_more.sql", b"ALTER TABLE one ADD COLUMN word text;\n")


@contextlib.asynccontextmanager
async def connected(dsn):
    connection = await pool.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


def id_at(moment, rest=0):
    milliseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | rest)


async def put(connection, number):
    await connection.execute(
        "INSERT INTO payload (id, sha256, size, body) VALUES ($1, ''::bytea, 0, ''::bytea)", number
    )


async def place_of(connection, number):
    return await connection.fetchval("SELECT tableoid::regclass::text FROM payload WHERE id = $1", number)


async def test_the_schema_is_applied_once(empty_database):
    async with connected(empty_database) as connection:
        names = tuple(file.name for file in migrate.carried())
        assert (await migrate.state(connection)).missing == names
        assert await migrate.migrate(connection, AT) == names
        assert await migrate.migrate(connection, AT) == ()
        assert await migrate.state(connection) == migrate.State(
            applied=names, missing=(), changed=(), newer=()
        )
        assert await connection.fetchval("SELECT max(applied_at) FROM schema_migration") == AT


async def test_the_schema_keeps_to_the_rules_of_the_design(either_database):
    async with connected(either_database) as connection:
        assert await connection.fetchval("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal") == 0
        assert await connection.fetchval("SELECT count(*) FROM pg_type WHERE typtype = 'e'") == 0
        assert await connection.fetchval("SELECT count(*) FROM pg_class WHERE relkind = 'S'") == 0
        # attstorage 'e': whole bytes out of line, never compressed; also in partitions made later
        await migrate.partitions(connection, AT)
        stored = await connection.fetch(
            "SELECT DISTINCT attstorage FROM pg_attribute JOIN pg_class ON oid = attrelid"
            " WHERE relname LIKE 'payload%' AND attname = 'body'"
        )
        assert [row["attstorage"] for row in stored] == [b"e"]


async def test_two_migrators_at_once_take_turns(empty_database):
    async with contextlib.AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connected(empty_database)) for _ in range(4)]
        schema = (FIRST, SECOND)
        applied = await asyncio.gather(*(migrate.migrate(one, AT, schema) for one in connections))
        assert sorted(name for names in applied for name in names) == ["0001_letters", "0002_more"]


async def test_a_file_is_applied_whole_or_not_at_all(empty_database):
    broken = migrate.read(
        "0002_broken.sql", b"CREATE TABLE three (n integer);\n\nCREATE TABEL four (n integer);\n"
    )
    async with connected(empty_database) as connection:
        with pytest.raises(asyncpg.PostgresSyntaxError):
            await migrate.migrate(connection, AT, (FIRST, broken))
        assert await connection.fetchval("SELECT to_regclass('three')") is None
        found = await migrate.state(connection, (FIRST, SECOND))
        assert (found.applied, found.missing) == (("0001_letters",), ("0002_more",))
        assert await migrate.migrate(connection, AT, (FIRST, SECOND)) == ("0002_more",)


async def test_two_statements_in_one_block_are_refused(empty_database):
    crowded = migrate.read(
        "0001_crowded.sql", b"CREATE TABLE one (n integer);\nCREATE TABLE two (n integer);\n"
    )
    async with connected(empty_database) as connection:
        with pytest.raises(asyncpg.PostgresSyntaxError, match="multiple commands"):
            await migrate.migrate(connection, AT, (crowded,))


async def test_an_applied_file_is_never_edited(empty_database):
    edited = migrate.read("0001_letters.sql", b"CREATE TABLE one (n bigint);\n")
    renamed = migrate.read(
        "0001_messages.sql", b"-- letters\nCREATE TABLE one (n integer);\n\nCREATE TABLE two (n integer);\n"
    )
    async with connected(empty_database) as connection:
        await migrate.migrate(connection, AT, (FIRST,))
        for other in (edited, renamed):
            with pytest.raises(migrate.MigrationError, match="0001_letters") as caught:
                await migrate.migrate(connection, AT, (other, SECOND))
            assert (caught.value.key, caught.value.temporary) == ("migrate_changed", False)
        assert (await migrate.state(connection, (FIRST, SECOND))).missing == ("0002_more",)


async def test_a_database_newer_than_the_code(empty_database):
    async with connected(empty_database) as connection:
        await migrate.migrate(connection, AT, (FIRST, SECOND))
        with pytest.raises(migrate.MigrationError) as caught:
            await migrate.migrate(connection, AT, (FIRST,))
        assert caught.value.key == "migrate_newer"
        assert all(name in caught.value.sentence("vi") for name in ("0001_letters", "0002_more"))


async def test_a_busy_table_is_not_waited_for(empty_database, monkeypatch):
    monkeypatch.setattr(migrate, "WAIT_FOR_TABLES", "SET LOCAL lock_timeout = '100ms'")
    async with connected(empty_database) as connection, connected(empty_database) as reader:
        await migrate.migrate(connection, AT, (FIRST,))
        async with reader.transaction():
            await reader.fetch("SELECT * FROM one")
            with pytest.raises(migrate.MigrationError) as caught:
                await migrate.migrate(connection, AT, (FIRST, SECOND))
            assert (caught.value.key, caught.value.temporary) == ("migrate_locked", True)
        assert await migrate.migrate(connection, AT, (FIRST, SECOND)) == ("0002_more",)


async def test_a_user_who_may_not_make_tables(either_postgres, empty_database):
    async with connected(empty_database) as connection:
        await connection.execute("REVOKE CREATE ON SCHEMA public FROM pg_database_owner")
        with pytest.raises(migrate.MigrationError) as caught:
            await migrate.migrate(connection, AT)
        assert caught.value.key == "migrate_denied"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", ()),
        ("-- a word\n\n-- and another; with a semicolon\n", ()),
        ("SELECT 1;", ("SELECT 1;",)),
        ("SELECT 1;\n\n\n-- why\nSELECT 2;\n", ("SELECT 1;", "-- why\nSELECT 2;")),
        (
            "SELECT 1\n -- in the middle\n + 1;\n \t\nSELECT 2;",
            ("SELECT 1\n -- in the middle\n + 1;", "SELECT 2;"),
        ),
        ("SELECT 1;\r\n\r\nSELECT 2;\r\n", ("SELECT 1;", "SELECT 2;")),
    ],
)
def test_statements_are_blocks_between_empty_lines(text, expected):
    assert migrate.statements(text) == expected


def test_numbers_of_the_carried_files_are_in_order_without_gaps():
    assert [file.number for file in migrate.carried()] == list(range(1, len(migrate.carried()) + 1))


async def test_partitions_hold_whole_months(either_database):
    async with connected(either_database) as connection:
        turn = datetime(2031, 1, 1, tzinfo=UTC)
        assert await migrate.partitions(connection, turn - timedelta(microseconds=1), 1) == (
            "payload_2030_12",
            "payload_2031_01",
        )
        last, first = id_at(turn - timedelta(milliseconds=1), 2**62 - 1), id_at(turn)
        await put(connection, last)
        await put(connection, first)
        assert await place_of(connection, last) == "payload_2030_12"
        assert await place_of(connection, first) == "payload_2031_01"
        assert await migrate.partitions(connection, turn, 1) == ("payload_2031_02",)


async def test_what_lies_in_the_default_partition_moves_to_its_month(either_database):
    async with connected(either_database) as connection:
        late, later = (id_at(datetime(2032, month, 15, tzinfo=UTC)) for month in (5, 9))
        await put(connection, late)
        await put(connection, later)
        assert await place_of(connection, late) == "payload_default"
        await migrate.partitions(connection, datetime(2032, 5, 1, tzinfo=UTC), 0)
        assert await place_of(connection, late) == "payload_2032_05"
        assert await place_of(connection, later) == "payload_default"
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(
                "INSERT INTO payload (id, sha256, size) VALUES ($1, '', 0)",
                id_at(datetime(2032, 5, 2, tzinfo=UTC)),
            )
        with pytest.raises(asyncpg.UniqueViolationError):
            await put(connection, late)


async def test_two_at_once_make_each_partition_once(either_database):
    async with connected(either_database) as one, connected(either_database) as other:
        months = (
            migrate.partitions(connection, datetime(2040, 1, 1, tzinfo=UTC), 5) for connection in (one, other)
        )
        made = [name for names in await asyncio.gather(*months) for name in names]
        assert sorted(made) == [f"payload_2040_0{month}" for month in range(1, 7)]


@given(
    moment=st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(9998, 1, 1)),  # noqa: DTZ001 - made aware below
    rest=st.integers(0, 2**62 - 1),
)
def test_every_id_lies_in_the_month_of_its_moment(moment, rest):
    moment = moment.replace(tzinfo=UTC)
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    assert migrate._lowest_id(first) <= id_at(moment, rest) < migrate._lowest_id(migrate._next_month(first))


def run(*words, **environment):
    return CliRunner().invoke(cli.migrate, words, env={"CONGVAN_LANGUAGE": "vi", **environment})


def test_the_command_says_what_it_did(empty_database):
    done = run(CONGVAN_DATABASE_URL=empty_database)
    assert done.exit_code == 0, done.output
    assert texts.say("database.migrate_applied", "vi", name=migrate.carried()[-1].name) in done.stdout
    assert f"payload_{datetime.now(UTC):%Y_%m}" in done.stdout
    again = run(CONGVAN_DATABASE_URL=empty_database)
    assert again.stdout.strip() == texts.say(
        "database.migrate_nothing", "vi", name=migrate.carried()[-1].name
    )
    facts = json.loads(run("--json", CONGVAN_DATABASE_URL=empty_database).stdout)
    assert facts == {"applied": [], "partitions": [], "newest": migrate.carried()[-1].name}


def test_the_command_starts_the_embedded_server_if_none_is_named(place):
    for expected in ([file.name for file in migrate.carried()], []):
        done = run("--json", CONGVAN_DATA=str(place / "data"), CONGVAN_DATABASE_URL="")
        if done.exit_code == 3 and "useradd" in done.stderr:
            pytest.skip("root, and no user congvan or postgres here: nobody is not for real letters")
        assert json.loads(done.stdout)["applied"] == expected


def test_the_command_ends_with_2_on_a_database_that_does_not_fit(database):
    asyncio.run(_executed(database, "INSERT INTO schema_migration VALUES (9999, '9999_future', '', now())"))
    done = run("--language", "en", CONGVAN_DATABASE_URL=database)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "9999_future" in done.stderr


def test_the_command_ends_with_3_without_a_database_and_keeps_the_password(database):
    for wrong in (
        "postgresql://congvan:planted-secret@127.0.0.1:1/congvan",
        database.replace("congvan:", "congvan:planted-secret"),
    ):
        done = run(CONGVAN_DATABASE_URL=wrong)
        assert done.exit_code == 3
        assert "planted-secret" not in done.output


async def _executed(dsn, statement):
    async with connected(dsn) as connection:
        await connection.execute(statement)
