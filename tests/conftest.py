"""Databases for tests: one server per test process, its database `congvan` migrated once and cloned for each test.

database, pool                  on the embedded server (the wheel's PostgreSQL)
either_database, either_pool    the same test twice: on the embedded server and on Debian's PostgreSQL 15
"""

import asyncio
import contextlib
import os
import shutil
import tempfile
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import asyncpg
import province as provinces
import pytest

from exchange.store import embedded, migrate
from exchange.store import pool as pools

DEBIAN = Path("/usr/lib/postgresql/15/bin")
NUMBERS = count(1)


@contextlib.contextmanager
def serving(programs=None):
    """A server in a folder of its own that PostgreSQL's user can reach; both are gone at the end."""
    place = Path(tempfile.mkdtemp(prefix="congvan-test-"))
    place.chmod(0o711)
    try:
        server = embedded.start(place / "data", allow_nobody=True, programs=programs)
        try:
            asyncio.run(migrated(server.dsn))
            yield server
        finally:
            embedded.stop(server)
    finally:
        shutil.rmtree(place, ignore_errors=True)


async def migrated(dsn):
    connection = await pools.connect(dsn)
    try:
        await migrate.migrate(connection, datetime.now(UTC))
        await migrate.partitions(connection, datetime.now(UTC))
    finally:
        await connection.close()


async def order(server, statement):
    connection = await asyncpg.connect(embedded.superuser_dsn(server))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextlib.contextmanager
def cloned(server, template="congvan"):
    """The DSN of a fresh copy of `template`. Copying through the log takes 20 ms, by files three times as long."""
    name = f"test_{next(NUMBERS)}"
    asyncio.run(order(server, f"CREATE DATABASE {name} TEMPLATE {template} OWNER congvan STRATEGY wal_log"))
    try:
        yield server.dsn.replace("@/congvan?", f"@/{name}?")
    finally:
        asyncio.run(order(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def postgres():
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def debian_postgres():
    if not (DEBIAN / "postgres").exists():
        missing = f"Debian's PostgreSQL 15 is not in {DEBIAN} (apt-get install postgresql-15)"
        if os.environ.get("CONGVAN_REQUIRE_DEBIAN_POSTGRESQL") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    with serving(DEBIAN) as server:
        yield server


@pytest.fixture
def database(postgres):
    with cloned(postgres) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def module_database(postgres):
    """One for all tests of a file, that read what its fixture wrote."""
    with cloned(postgres) as dsn:
        yield dsn


@pytest.fixture
async def pool(database):
    opened = await pools.open(database)
    yield opened
    await opened.close()


@pytest.fixture(params=["embedded", "debian15"])
def either_postgres(request):
    return request.getfixturevalue("postgres" if request.param == "embedded" else "debian_postgres")


@pytest.fixture
def either_database(either_postgres):
    with cloned(either_postgres) as dsn:
        yield dsn


@pytest.fixture
async def either_pool(either_database):
    opened = await pools.open(either_database)
    yield opened
    await opened.close()


@pytest.fixture
def empty_database(either_postgres):
    """On either server, a database without any table of ours."""
    with cloned(either_postgres, "template0") as dsn:
        yield dsn


@pytest.fixture(scope="session")
def province(postgres):
    """The demo's directory in a template database of its own; see `province.py`."""
    place = Path(tempfile.mkdtemp(prefix="congvan-province-"))
    with cloned(postgres) as dsn:
        found = asyncio.run(provinces.furnish(dsn, place))
        found.template = dsn.split("@/")[1].partition("?")[0]
        yield found
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def province_database(postgres, province):
    """A fresh copy of the province's database."""
    with cloned(postgres, province.template) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def shared_database(postgres, province):
    """The same for a whole module whose tests do not mind each other's letters."""
    with cloned(postgres, province.template) as dsn:
        yield dsn


@pytest.fixture
def server(province, province_database, tmp_path):
    """`congvan serve` with two workers on a fresh copy of the province."""
    with provinces.serving(province, province_database, tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def correspondence_server(postgres, province, tmp_path_factory):
    """One server for the modules in which both sides of `correspondence` write to each other: numbers never repeat."""
    with (
        cloned(postgres, province.template) as dsn,
        provinces.serving(province, dsn, tmp_path_factory.mktemp("serve")) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def shared_server(request, postgres, province, tmp_path_factory):
    """One server for a whole module whose tests do not mind each other's letters.

    The module's `SETTINGS` are environment, or give it for the server's folder; `WORKERS` is how many.
    """
    settings, workers = getattr(request.module, "SETTINGS", {}), getattr(request.module, "WORKERS", 2)
    folder = tmp_path_factory.mktemp("serve")
    told = settings(folder) if callable(settings) else settings
    with (
        cloned(postgres, province.template) as dsn,
        provinces.serving(province, dsn, folder, workers=workers, **told) as running,
    ):
        yield running
