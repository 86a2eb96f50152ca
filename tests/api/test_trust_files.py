"""A running exchange of two workers follows its trust folders and what one of them fetches; no letter waits for it."""

import asyncio
import contextlib
import json
import shutil
import time
from datetime import UTC, datetime, timedelta

import aiohttp
from authorities import BEGIN, issued, lists, site
from province import fetch, quick_letter, serving

from signing import keys

ROOT_KEY, SUB_KEY = keys.new_key(), keys.new_key()
ROOT = keys.root("Gốc khác", key=ROOT_KEY, at=BEGIN)


def log_of(server, event):
    found = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in found if line["event"] == event]


async def until(condition, seconds=40):
    deadline = time.monotonic() + seconds
    while not (found := await condition()):
        assert time.monotonic() < deadline, "it never came"
        await asyncio.sleep(0.2)
    return found


async def ready(server):
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/readyz") as answer:
        return await answer.json()


@contextlib.asynccontextmanager
async def running(province, dsn, folder, **settings):
    """`congvan serve` beside this loop, which plays the authority meanwhile."""
    served = serving(province, dsn, folder, **settings)
    server = await asyncio.to_thread(served.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(served.__exit__, None, None, None)


def folders(province, folder, url):
    """The province's folders, copied, with another root and an authority below it that names lists at `url`."""
    for name in ("trust", "crl"):
        shutil.copytree(province.folder / name, folder / name)
    sub = issued(ROOT, "Dưới", SUB_KEY, lists(f"{url}/root.crl"), serial=2, authority=True)
    (folder / "trust" / "other.der").write_bytes(keys.der(ROOT.certificate))
    (folder / "trust" / "below.der").write_bytes(keys.der(sub))
    return {
        "CONGVAN_TRUST_DIR": str(folder / "trust"),
        "CONGVAN_CRL_DIR": str(folder / "crl"),
        "CONGVAN_REVOCATION_HOSTS": url,
    }


async def test_one_worker_fetches_both_go_by_it_and_bad_files_stop_no_letter(
    province, province_database, tmp_path
):
    listed = keys.revocation_list(ROOT, {}, at=datetime.now(UTC) - timedelta(hours=1), days=9)
    async with site(**{"root.crl": listed}) as authority:
        (tmp_path / "data").mkdir()
        settings = folders(province, tmp_path, authority.url)
        async with running(province, province_database, tmp_path / "data", **settings) as server:

            async def both(times):
                seen = log_of(server, "trust_set_replaced")
                last = {line["pid"]: line["trust_sha256"] for line in seen}
                return len(seen) >= 2 * times and len(set(last.values())) == 1 and last

            workers = await until(lambda: both(1))
            assert set(workers) == set(server.workers())
            assert authority.asked("/root.crl") == 1
            (kept,) = (tmp_path / "data" / "revocation").iterdir()
            assert kept.read_bytes() == listed
            said = (await ready(server))["checks"]
            assert (said["revocation"]["status"], said["trust_files"]) == (
                "ready",
                {"status": "ready", "figure": ""},
            )

            listing = await asyncio.to_thread(server.congvan, "trust", "list", "--json")
            told = json.loads(listing.stdout)
            assert (listing.returncode, told["troubles"], told["trust_sha256"]) == (
                0,
                [],
                *set(workers.values()),
            )
            assert [(one["url"], one["outcome"]) for one in told["sources"]] == [
                (f"{authority.url}/root.crl", "kept")
            ]
            assert {one["name"] for one in told["authorities"] if not one["root"]} >= {"Dưới"}
            assert "Gốc khác" in (await asyncio.to_thread(server.congvan, "trust", "list")).stdout

            (tmp_path / "trust" / "other.der").write_bytes(b"nonsense")
            shutil.rmtree(tmp_path / "crl")
            (tmp_path / "crl").mkdir()

            async def troubled():
                state = await ready(server)
                figure = state["checks"]["trust_files"]["figure"]
                return state["status"] == "degraded" and "other.der" in figure and "/crl" in figure

            await until(troubled)
            assert (await asyncio.to_thread(server.congvan, "trust", "list")).returncode == 1
            async with server.client() as client:
                for number in range(4):
                    assert (await client.send(quick_letter(number))).status == 201
                accepted = await client.send(province.letter(9))
            assert accepted.body["requirement"] == "met"  # judged by the set that was in force before
            assert len(log_of(server, "trust_set_replaced")) == 2

            (tmp_path / "trust" / "other.der").unlink()
            await until(lambda: both(2))
            named = {
                row["trust_sha256"].hex()
                for row in await fetch(server.dsn, "SELECT trust_sha256 FROM verdict")
            }
            assert named == set(workers.values())
            assert log_of(server, "housekeeping_failed") == []

            checked = await asyncio.to_thread(server.congvan, "check", "--json")
            assert (checked.returncode, json.loads(checked.stdout)["faults"]) == (0, [])
            used = "SELECT decode(unnest(evidence), 'hex') FROM verdict"
            gone = await fetch(
                server.dsn, f"DELETE FROM evidence WHERE sha256 IN ({used}) AND kind = 'crl' RETURNING 1"
            )
            checked = await asyncio.to_thread(server.congvan, "check", "--json")
            faults = json.loads(checked.stdout)["faults"]
            assert (checked.returncode, faults) == (
                1,
                [{"code": "evidence_missing", "where": str(len(gone))}],
            )
