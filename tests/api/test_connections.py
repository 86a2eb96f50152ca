"""Lines into the exchange: TLS, client certificates, trusted proxies, what is no HTTP, slow lines - over real sockets."""

import asyncio
import base64
import hashlib
import json
import socket
import ssl
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
import tls
from province import fetch, quick_letter, serving

from exchange import config
from exchange.api import peers, quotas, supervisor

SETTINGS = {"CONGVAN_TRUSTED_PROXIES": "127.0.0.1", "CONGVAN_METRICS_FROM": "10.0.0.0/8"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return tls.issue(tmp_path_factory.mktemp("tls"), "authority", ca=True)


@pytest.fixture(scope="module")
def client_identity(authority, tmp_path_factory):
    return tls.issue(tmp_path_factory.mktemp("tls"), "i-office", authority)


@pytest.fixture
def tls_server(province, province_database, tmp_path, authority):
    ours = tls.issue(tmp_path, "server", authority, server=True)
    settings = {
        "CONGVAN_TLS_CERT": str(ours.certificate),
        "CONGVAN_TLS_KEY": str(ours.key),
        "CONGVAN_TLS_CLIENT_CA": str(authority.certificate),
    }
    context = tls.context(authority)
    with serving(province, province_database, tmp_path, context=context, **settings) as running:
        yield running


async def register(server, identity, code="H13.01", valid_to=None, at=None):
    """The certificate is that of the system which acts for `code`."""
    key_id = server.province.key_of(code).split("_")[1]
    await fetch(
        server.dsn,
        "INSERT INTO system_certificate SELECT $1, system, $2, $3 FROM system_key WHERE id = $4",
        hashlib.sha256(identity.der).digest(), at or datetime.now(UTC) - timedelta(hours=1), valid_to, key_id,
    )  # fmt: skip


async def ask(server, path="/v1/inbox", *, shown=None, key=None, headers=None):
    """Status, problem code and body of one request over a connection of its own."""
    context = tls.context(server.authority, shown) if server.url.startswith("https") else None
    given = {**({"Authorization": f"Bearer {key}"} if key else {}), **(headers or {})}
    connector = aiohttp.TCPConnector(ssl=context) if context else aiohttp.TCPConnector()
    async with (
        aiohttp.ClientSession(server.url, connector=connector) as session,
        session.get(path, headers=given) as answer,
    ):
        body = json.loads(await answer.read())
        return answer.status, body.get("code", ""), body


async def test_a_registered_certificate_is_as_good_as_a_key(tls_server, authority, client_identity):
    tls_server.authority = authority
    key = tls_server.province.key_of("H13.01")
    assert (await ask(tls_server))[:2] == (401, "unauthenticated")
    assert (await ask(tls_server, key=key))[0] == 200
    assert (await ask(tls_server, shown=client_identity))[:2] == (401, "unauthenticated")  # not registered
    assert (await ask(tls_server, shown=client_identity, key=key))[0] == 200
    await register(tls_server, client_identity)
    assert (await ask(tls_server, shown=client_identity))[0] == 200
    assert (await ask(tls_server, shown=client_identity, key=key))[0] == 200
    other = tls_server.province.key_of("H13.31")
    assert (await ask(tls_server, shown=client_identity, key=other))[:2] == (401, "unauthenticated")
    assert (await ask(tls_server, shown=client_identity, key="cv_x_y"))[:2] == (401, "unauthenticated")
    told = base64.b64encode(client_identity.der).decode()
    header = {"Client-Cert": f":{told}:"}  # no proxy: nobody believes it
    assert (await ask(tls_server, headers=header))[:2] == (401, "unauthenticated")


async def test_a_certificate_out_of_date_or_of_a_system_switched_off_is_out_at_once(
    tls_server, authority, client_identity, tmp_path
):
    tls_server.authority = authority
    past, soon = datetime.now(UTC) - timedelta(minutes=1), datetime.now(UTC) + timedelta(hours=1)
    await register(tls_server, client_identity, valid_to=past)
    later = tls.issue(tmp_path, "later", authority)
    await register(tls_server, later, at=soon)
    for identity in (client_identity, later):
        assert (await ask(tls_server, shown=identity))[:2] == (401, "unauthenticated")
    now = tls.issue(tmp_path, "now", authority)
    await register(tls_server, now, valid_to=soon)
    assert (await ask(tls_server, shown=now))[0] == 200
    await fetch(tls_server.dsn, "UPDATE system SET disabled_at = now()")
    assert (await ask(tls_server, shown=now))[:2] == (403, "disabled")


async def test_strangers_certificates_old_tls_and_plain_http_get_nowhere(tls_server, authority, tmp_path):
    tls_server.authority = authority
    stranger = tls.issue(tmp_path, "stranger", tls.issue(tmp_path, "another", ca=True))
    with pytest.raises((aiohttp.ClientError, ssl.SSLError)):
        await ask(tls_server, shown=stranger)
    old = tls.context(authority)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=old)) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(tls_server.url + "/healthz")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(tls_server.url.replace("https", "http") + "/healthz")
    assert (await ask(tls_server, "/healthz"))[0] == 200
    assert "Traceback" not in tls_server.log.read_text()


# --- a proxy that is named ------------------------------------------------------------------------------------------------


async def test_a_trusted_proxy_tells_of_the_client(shared_server, client_identity):
    told = {"Client-Cert": f":{base64.b64encode(client_identity.der).decode()}:"}
    assert (await ask(shared_server, headers=told))[:2] == (401, "unauthenticated")
    await register(shared_server, client_identity)
    assert (await ask(shared_server, headers=told))[0] == 200
    for header in ("", ":", "::", ":@@@:", "x" * 8_000, told["Client-Cert"][1:]):
        assert (await ask(shared_server, headers={"Client-Cert": header}))[:2] == (401, "unauthenticated")


@pytest.mark.parametrize(
    "header, status",
    [
        ({}, 404),
        ({"X-Forwarded-For": "10.1.2.3"}, 200),
        (
            {"X-Forwarded-For": "10.1.2.3, 192.0.2.1"},
            404,
        ),  # the client may write what it likes before the last
        ({"X-Forwarded-For": "192.0.2.1, 10.1.2.3, 127.0.0.1"}, 200),
        ({"Forwarded": "for=10.1.2.3;proto=https"}, 200),
        ({"Forwarded": 'for="10.1.2.3:4711"'}, 200),
        ({"Forwarded": "for=10.1.2.3, for=192.0.2.60"}, 404),
        ({"Forwarded": 'for="[2001:db8::1]:4711"'}, 404),
        ({"X-Forwarded-For": "nonsense"}, 404),
    ],
    ids=str,
)
async def test_the_clients_address_is_the_last_that_is_no_proxy_of_ours(shared_server, header, status):
    async with (
        aiohttp.ClientSession(shared_server.url) as session,
        session.get("/metrics", headers=header) as answer,
    ):
        assert answer.status == status


class Line:
    """A request's line for the pure rules: headers, and the peer's address."""

    def __init__(self, near, headers=(), secured=None):
        self._extra = {"peername": (near, 1), "ssl_object": secured}
        self.headers = aiohttp.typedefs.CIMultiDict(headers)

    def get_extra_info(self, name):
        return self._extra[name]


@pytest.mark.parametrize(
    "near, proxies, protected",
    [
        ("127.0.0.1", "", True), ("::1", "", True), ("::ffff:127.0.0.1", "", True), ("192.0.2.7", "", False),
        ("192.0.2.7", "192.0.2.0/24", True), ("::ffff:192.0.2.7", "192.0.2.7", True), ("192.0.2.7", "192.0.2.8", False),
        ("", "", False), ("fe80::1%eth0", "fe80::/10", True),
    ],
)  # fmt: skip
def test_a_public_line_is_protected_by_tls_or_a_proxy_only(near, proxies, protected):
    settings = config.read({"CONGVAN_TRUSTED_PROXIES": proxies, "HOME": "/nonexistent"})
    assert peers.peer(Line(near), settings).protected is protected
    told = peers.peer(Line(near, {"X-Forwarded-For": "10.9.9.9", "Client-Cert": ":YQ==:"}), settings)
    believed = bool(proxies) and protected
    assert (told.certificate is not None, str(told.address) == "10.9.9.9") == (believed, believed)


@pytest.mark.parametrize(
    "settings, open_",
    [
        ({"CONGVAN_LISTEN": "0.0.0.0:0"}, False),
        ({"CONGVAN_LISTEN": "0.0.0.0:0", "CONGVAN_TRUSTED_PROXIES": "10.0.0.1"}, True),
        ({"CONGVAN_LISTEN": "127.0.0.1:0"}, True),
        ({"CONGVAN_LISTEN": "[::1]:0"}, True),
    ],
)
def test_a_public_address_wants_protection(settings, open_):
    given = config.read({**settings, "HOME": "/nonexistent"})
    if open_:
        supervisor.listen(given).close()
        return
    with pytest.raises(supervisor.Problem):
        supervisor.listen(given)


@pytest.mark.parametrize(
    "name, text",
    [
        ("CONGVAN_TRUSTED_PROXIES", "10.0.0.300"),
        ("CONGVAN_TRUSTED_PROXIES", "10.0.0.1/24"),
        ("CONGVAN_METRICS_FROM", "everybody"),
        ("CONGVAN_TLS_CERT", "/nonexistent.pem"),
        ("CONGVAN_TLS_CERT", __file__),
        ("CONGVAN_TLS_CLIENT_CA", __file__),
        ("CONGVAN_QUOTA_REQUESTS", "0"),
        ("CONGVAN_QUOTA_MB", "much"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name, text):
    with pytest.raises(config.SettingError, match=name):
        config.read({name: text, "HOME": "/nonexistent"})


# --- what is no HTTP, what is slow ------------------------------------------------------------------------------------------


def talk(server, sent, *, half_closed=True):
    """What the server says to these bytes on a raw connection, until it closes."""
    host, port = server.url.rpartition("/")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=15) as line:
        line.sendall(sent)
        if half_closed:
            line.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := line.recv(65_536):
            answer += piece
        return answer


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=range(7),
)
def test_what_is_no_http_gets_a_problem(shared_server, sent):
    head, _, body = talk(shared_server, sent).partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == b"400"
    assert b"application/problem+json" in head
    problem = json.loads(body)
    assert (problem["code"], problem["status"]) == ("bad_request", 400)
    assert problem["request_id"]
    assert f"X-Request-Id: {problem['request_id']}".encode() in head


def test_a_body_is_asked_for_only_when_it_is_wanted(shared_server):
    head = "POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n"
    assert talk(shared_server, f"{head}\r\n".encode()).startswith(b"HTTP/1.1 401")
    key = shared_server.province.key_of("H13.01")
    head += "Connection: close\r\n"
    wanted = talk(shared_server, f"{head}Authorization: Bearer {key}\r\n\r\n".encode() + b"nonsense!")
    assert wanted.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 422")
    strange = head.replace("100-continue", "a miracle")
    assert talk(shared_server, f"{strange}\r\n".encode()).startswith(b"HTTP/1.1 400")


# --- quotas -----------------------------------------------------------------------------------------------------------------


def test_a_bucket_empties_and_fills_again():
    bucket = quotas.Buckets(60)
    for _ in range(60):
        assert bucket.wait("a", 0.0) == 0
        bucket.draw("a", 1, 0.0)
    assert bucket.wait("a", 0.0) == pytest.approx(1.0)
    assert bucket.wait("b", 0.0) == 0
    assert bucket.wait("a", 0.5) == pytest.approx(0, abs=1)
    assert bucket.wait("a", 1.5) == 0
    bucket.draw("a", 600, 100.0)  # once, one may draw more than there is; then one waits for all of it
    assert bucket.wait("a", 100.0) == pytest.approx(541.0)
    assert bucket.wait("a", 100.0 + 542.0) == 0


def test_only_those_who_asked_lately_are_remembered():
    bucket = quotas.Buckets(1)
    for number in range(quotas.MOST_KEYS + 10):
        bucket.draw(number, 1, 0.0)
    assert len(bucket._held) == quotas.MOST_KEYS
    assert bucket.wait(quotas.MOST_KEYS, 0.0) > 0


async def test_who_asks_too_much_waits_and_nobody_else(province, province_database, tmp_path):
    settings = {"CONGVAN_QUOTA_REQUESTS": "30", "CONGVAN_QUOTA_MB": "1"}
    with serving(province, province_database, tmp_path, workers=1, **settings) as server:
        key, other = province.key_of("H13.01"), province.key_of("H13.31")
        answers = await asyncio.gather(*(ask(server, key=key) for _ in range(60)))
        assert {status for status, _, _ in answers} == {200, 429}
        assert (
            30 <= sum(status == 200 for status, _, _ in answers) <= 35
        )  # half a one comes back every second
        refused = next(body for status, _, body in answers if status == 429)
        assert (refused["code"], refused["retry_after"] in range(1, 4)) == ("rate_limited", True)
        assert (await ask(server, key=other))[0] == 200
        assert (await ask(server, "/readyz"))[0] == 200


async def test_a_quota_of_bytes_is_judged_before_the_body(province, province_database, tmp_path):
    with serving(province, province_database, tmp_path, workers=1, CONGVAN_QUOTA_MB="1") as server:
        key = province.key_of("H13.01")
        head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        body = quick_letter(1).replace(b"</edXML>", b" " * (2 << 20) + b"</edXML>")
        first = talk(
            server, f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        assert first.startswith(b"HTTP/1.1 201")
        second = talk(server, f"{head}Content-Length: 1000000\r\n\r\n".encode(), half_closed=False)
        assert second.startswith(b"HTTP/1.1 429")
        assert b"Retry-After: 6" in second  # a minute and a bit, for the megabyte owed
