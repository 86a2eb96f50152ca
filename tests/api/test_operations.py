"""For the operator: readiness, figures, request ids and log lines, over real HTTP."""

import asyncio
import json
import re

import aiohttp
from conftest import order
from province import fetch, quick_letter

from exchange import metrics
from exchange.links import statement
from signing import keys


async def got(server, path, method="GET", **headers):
    """Status, headers and text of one answer."""
    async with (
        aiohttp.ClientSession(server.url) as session,
        session.request(method, path, headers=headers) as answer,
    ):
        return answer.status, answer.headers, await answer.text()


def lines(server):
    """The log's lines that are JSON."""
    return [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]


async def test_readiness_says_what_it_looked_at(shared_server):
    status, _, text = await got(shared_server, "/readyz")
    said = json.loads(text)
    assert (status, said["status"]) == (200, "ready")
    assert set(said["checks"]) == {
        "database", "commit_queue", "disk_free_bytes", "revocation_lists_over", "letters_to_expand", "facts_to_fold",
        "payload_partitions", "revocation", "trust_files",
    }  # fmt: skip
    assert {check["status"] for check in said["checks"].values()} == {"ready"}


async def test_trouble_ahead_is_degraded(server):
    before = "00000000-0000-7000-8000-000000000000"  # older than every partition
    await fetch(server.dsn, f"INSERT INTO payload VALUES ('{before}', '', 0, '', NULL)")
    status, _, text = await got(server, "/readyz")
    said = json.loads(text)
    assert (status, said["status"], said["checks"]["payload_partitions"]["status"]) == (
        200,
        "degraded",
        "degraded",
    )
    assert "congvan_check_payload_partitions 1.0" in (await got(server, "/metrics"))[2]
    async with server.client() as client:
        assert (await client.send(quick_letter(1))).status == 201


async def test_without_its_database_an_exchange_is_down_and_comes_back(server, postgres):
    name = server.dsn.split("@/")[1].partition("?")[0]
    await order(postgres, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await order(postgres, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    status, headers, text = await got(server, "/readyz")
    said = json.loads(text)
    assert (status, said["status"], said["checks"]["database"]["status"]) == (503, "down", "down")
    assert headers["Retry-After"]
    status, _, text = await got(server, "/metrics")
    assert (status, "congvan_ready 0.0" in text, "congvan_deliveries_open" in text) == (200, True, False)
    assert (await got(server, "/healthz"))[0] == 200
    key = server.province.key_of("H13.01")
    status, headers, text = await got(server, "/v1/inbox", Authorization=f"Bearer {key}")
    assert (status, json.loads(text)["code"]) == (503, "starting")
    await order(postgres, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    for _ in range(100):
        if (await got(server, "/readyz"))[0] == 200:
            break
        await asyncio.sleep(0.1)
    assert (await got(server, "/v1/inbox", Authorization=f"Bearer {key}"))[0] == 200


async def test_figures_are_summed_over_workers_and_name_nobody(server, province):
    async with server.client("H13.01") as sender, server.client("H13.31") as recipient:
        for number in range(20):
            await sender.send(quick_letter(number, recipients=["H13.31"]))
        await sender.send(b"nonsense")
        (await sender.send(quick_letter(0, recipients=["H13.31"]))).body["receipt"]
        items = (await recipient.inbox()).body["items"]
        await recipient.ack([item["id"] for item in items])
    await got(server, "/v1/inbox")
    _, headers, text = await got(server, "/metrics")
    assert headers["Content-Type"] == metrics.CONTENT_TYPE
    found = dict(re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE))
    assert float(found['congvan_messages_total{outcome="accepted"}']) == 20
    assert float(found['congvan_messages_total{outcome="replayed"}']) == 1
    assert float(found['congvan_messages_total{outcome="refused"}']) == 1
    assert float(found["congvan_deliveries_arrived_total"]) == 20
    assert float(found['congvan_problems_total{code="not_xml"}']) == 1
    assert float(found['congvan_problems_total{code="unauthenticated"}']) == 1
    assert (float(found["congvan_ready"]), float(found["congvan_deliveries_open"])) == (2, 0)
    key = 'congvan_http_requests_total{method="POST",route="/v1/messages",status="201"}'
    assert float(found[key]) == 20
    assert not re.search(r"H13|[0-9a-f]{8}-[0-9a-f]{4}|i-Office", text)


async def test_strange_paths_and_methods_make_no_new_figures(server):
    for number in range(30):
        await got(server, f"/v1/{number}")
        await got(server, "/v1/inbox", method=f"M{number}")
    _, _, text = await got(server, "/metrics")
    series = re.findall(r"^congvan_http_requests_total\{.*\}", text, re.MULTILINE)
    assert len(series) < 8, series


async def test_a_request_has_one_id_everywhere(shared_server):
    key = shared_server.province.key_of("H13.01")
    for given, kept in (
        ("abc-1.2_X", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a b", False),
        ("é", False),
    ):
        _, headers, text = await got(
            shared_server,
            "/v1/messages/nothing",
            **{"X-Request-Id": given, "Authorization": f"Bearer {key}", "Idempotency-Key": "one-and-only"},
        )
        told = headers["X-Request-Id"]
        assert (told == given) is kept
        assert json.loads(text)["request_id"] == told
        assert headers["Idempotency-Key"] == "one-and-only"
        (line,) = [one for one in lines(shared_server) if one.get("request_id") == told]
        assert (line["event"], line["status"], line["path"]) == ("request", 404, "/v1/messages/nothing")
        assert (line["idempotency_key"], bool(line["system"])) == ("one-and-only", True)
        assert key.split("_")[2] not in json.dumps(line)


async def test_methods_that_are_not_there_are_named(shared_server):
    status, headers, text = await got(shared_server, "/v1/inbox", method="DELETE")
    assert (status, json.loads(text)["code"]) == (405, "method_not_allowed")
    assert "GET" in headers["Allow"]


async def test_when_a_system_last_called_is_noted(server):
    async with server.client() as client:
        await client.inbox()
    server.process.terminate()
    server.process.wait(45)
    rows = await fetch(server.dsn, "SELECT id, seen_at FROM system WHERE seen_at IS NOT NULL")
    (held,) = await fetch(
        server.dsn,
        "SELECT system FROM system_key WHERE id = $1",
        server.province.key_of("H13.01").split("_")[1],
    )
    assert [row["id"] for row in rows] == [held["system"]]


async def test_anybody_checks_a_receipt_by_the_published_key(shared_server):
    raw = quick_letter(77)
    async with shared_server.client() as client:
        receipt = (await client.send(raw)).raw
    status, headers, text = await got(shared_server, "/v1/receipt-key")
    told = json.loads(text)
    key = keys.load_statement_public_key(told["public_key_pem"].encode())
    assert (status, told["algorithm"], told["key_id"]) == (200, "ES256", keys.public_key_id(key))
    assert statement.fault(receipt, raw, key) == ""
    assert statement.fault(receipt.replace(b'"size":', b'"size": ', 1), raw, key) != ""
    assert json.loads(receipt)["signature"]["key_id"] == told["key_id"]
    assert told["exchange"] == json.loads(receipt)["receipt"]["exchange"]
    assert "PRIVATE" not in text
    assert "Set-Cookie" not in headers
