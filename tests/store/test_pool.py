import asyncio
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from exchange.store import pool as pools


async def test_values_come_back_as_they_went(either_pool):
    detail = {"lý do": "ký số", "n": [1, 2.5, None, True], "deep": {"a": "\\u0000 '\""}}
    number, at = UUID(int=7), datetime(2026, 11, 21, 1, 2, 3, 456789, tzinfo=UTC)
    async with either_pool.acquire() as connection:
        row = await connection.fetchrow(
            "SELECT $1::jsonb AS detail, $2::uuid AS number, $3::timestamptz AS at", detail, number, at
        )
        assert dict(row) == {"detail": detail, "number": number, "at": at}
        assert row["at"].tzinfo is UTC
        assert isinstance(row["number"], UUID)
        several = await connection.fetchval("SELECT $1::jsonb[]", [detail, {}])
        assert several == [detail, {}]


async def test_every_connection_has_a_name_and_limits(pool, database):
    single = await pools.connect(database)
    async with pool.acquire() as connection:
        for one in (connection, single):
            assert await one.fetchval("SHOW application_name") == "congvan"
            assert await one.fetchval("SHOW statement_timeout") == "30s"
            assert await one.fetchval("SHOW max_parallel_workers_per_gather") == "0"
            assert await one.fetchval("SHOW idle_in_transaction_session_timeout") == "1min"
            assert await one.fetchval("SHOW timezone") == "UTC"
            assert await one.fetchval("SELECT '{\"a\": 1}'::jsonb") == {"a": 1}
    await single.close()


async def test_a_transaction_that_lost_is_done_again(pool):
    await pool.execute("CREATE TABLE counter (n integer)")
    await pool.execute("INSERT INTO counter VALUES (0)")

    async def add():
        async with pool.acquire() as connection, connection.transaction(isolation="serializable"):
            n = await connection.fetchval("SELECT n FROM counter")
            await asyncio.sleep(0.01)
            await connection.execute("UPDATE counter SET n = $1", n + 1)

    await asyncio.gather(*(pools.again(add) for _ in range(3)))
    assert await pool.fetchval("SELECT n FROM counter") == 3


async def test_what_loses_for_ever_is_told():
    tries = []

    async def lose():
        tries.append(1)
        raise asyncpg.DeadlockDetectedError("again and again")

    with pytest.raises(asyncpg.DeadlockDetectedError):
        await pools.again(lose)
    assert len(tries) == pools.TRIES


@pytest.mark.parametrize(
    "dsn, several",
    [
        ("postgresql://u:p@one/db", False),
        ("postgresql://u:p%2C@one:5432/db", False),
        ("postgresql://u:p@one,two/db", True),
        ("postgresql://u:p@one:1,two:2/db", True),
        ("postgresql://u:p@/db?host=/a&port=5432", False),
        ("postgresql://u:p@/db?host=/a,/b&port=5432,5432", True),
        ("postgresql://u:p@/db?host=%2Fa%2C%2Fb", True),
    ],
)
def test_several_hosts_are_seen(dsn, several):
    assert pools._several_hosts(dsn) is several
    assert pools._wishes(dsn).get("target_session_attrs") == ("primary" if several else None)


async def test_the_next_host_answers_when_the_first_is_gone(database):
    connection = await pools.connect(
        database.replace("?host=", "?host=/nowhere,").replace("port=5432", "port=5432,5432")
    )
    assert await connection.fetchval("SELECT NOT pg_is_in_recovery()")
    await connection.close()


async def test_a_database_that_is_not_there_is_unavailable(database):
    for dsn in (
        database.replace("/test_", "/none_"),
        database.replace("congvan:", "congvan:x"),
        "postgresql://u@127.0.0.1:1/x",
    ):
        with pytest.raises(pools.UNAVAILABLE):
            await pools.open(dsn)


async def test_a_connection_given_back_in_the_middle_of_a_transaction_is_rolled_back(database):
    opened = await pools.open(database, size=1)
    await opened.execute("CREATE TABLE half (n integer)")
    async with opened.acquire() as connection:
        await connection.transaction().start()
        await connection.execute("INSERT INTO half VALUES (1)")
    async with opened.acquire() as connection:
        assert not connection.is_in_transaction()
        assert await connection.fetchval("SELECT count(*) FROM half") == 0
    await opened.close()
