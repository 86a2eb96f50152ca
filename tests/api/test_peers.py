"""Who is at the other end, behind a proxy: what a request says of itself counts only if our proxy said it, and once."""

import base64
import hashlib

import aiohttp
import pytest
from province import fetch

SETTINGS = {"CONGVAN_TRUSTED_PROXIES": "127.0.0.1,10.1.0.0/16", "CONGVAN_METRICS_FROM": "10.0.0.0/8"}
INSIDE, OUTSIDE = "10.9.9.9", "203.0.113.7"

TOLD = {
    "nothing": ([], 404),
    "inside": ([("X-Forwarded-For", INSIDE)], 200),
    "outside": ([("X-Forwarded-For", OUTSIDE)], 404),
    "a stranger's word before our proxy's": ([("X-Forwarded-For", f"{INSIDE}, {OUTSIDE}")], 404),
    "a stranger's header before our proxy's": ([("X-Forwarded-For", INSIDE), ("X-Forwarded-For", OUTSIDE)], 404),
    "through two of our proxies": ([("X-Forwarded-For", f"{INSIDE}, 10.1.0.9")], 200),
    "outside, through two of our proxies": ([("X-Forwarded-For", f"{INSIDE}, {OUTSIDE}, 10.1.0.9")], 404),
    "in the other way of writing": ([("Forwarded", f"for={INSIDE};proto=https")], 200),
    "outside in the other way": ([("Forwarded", f"for={INSIDE}, for={OUTSIDE}")], 404),
    "both, the same": ([("Forwarded", f"for={INSIDE}"), ("X-Forwarded-For", INSIDE)], 200),
    "both, a stranger's and our proxy's": ([("Forwarded", f"for={INSIDE}"), ("X-Forwarded-For", OUTSIDE)], 404),
    "both, our proxy's and a stranger's": ([("Forwarded", f"for={OUTSIDE}"), ("X-Forwarded-For", INSIDE)], 404),
    "a hidden client": ([("Forwarded", f"for={INSIDE}, for=_hidden")], 404),
    "an unknown client": ([("Forwarded", f"for={INSIDE}, for=unknown")], 404),
    "with a port": ([("X-Forwarded-For", f"{INSIDE}:4711")], 200),
    "in the form of IPv6": ([("Forwarded", f'for="[::ffff:{INSIDE}]:4711"')], 200),
    "no address": ([("X-Forwarded-For", "localhost")], 404),
    "an empty address": ([("X-Forwarded-For", f"{INSIDE},")], 404),
    "no address in the other way": ([("Forwarded", "by=10.9.9.9;host=x")], 404),
}  # fmt: skip
"""What is told of the client -> whether it may read the figures."""


async def status(server, path, headers):
    async with aiohttp.ClientSession(server.url) as session, session.get(path, headers=headers) as response:
        return response.status


@pytest.mark.parametrize("headers, expected", TOLD.values(), ids=TOLD)
async def test_an_address_that_is_told(shared_server, headers, expected):
    assert await status(shared_server, "/metrics", headers) == expected


def certificate(name):
    return f":{base64.b64encode(name.encode()).decode()}:"


@pytest.fixture
async def registered(shared_server):
    """Certificates of two systems."""
    for name, code in (("one", "H13.01"), ("two", "H13.31")):
        key_id = shared_server.province.key_of(code).split("_")[1]
        await fetch(
            shared_server.dsn,
            """INSERT INTO system_certificate (sha256, system, valid_from)
               SELECT $1, system, now() FROM system_key WHERE id = $2 ON CONFLICT DO NOTHING""",
            hashlib.sha256(name.encode()).digest(), key_id,
        )  # fmt: skip


SHOWN = {
    "one": ([("Client-Cert", certificate("one"))], 200),
    "nobody's": ([("Client-Cert", certificate("three"))], 401),
    "two of them": ([("Client-Cert", certificate("one")), ("Client-Cert", certificate("two"))], 401),
    "two of them in one header": ([("Client-Cert", f"{certificate('one')}, {certificate('two')}")], 401),
    "the same twice": ([("Client-Cert", certificate("one"))] * 2, 401),
    "in no colons": ([("Client-Cert", certificate("one").strip(":"))], 401),
    "as other proxies write it": ([("X-SSL-Client-Cert", certificate("one"))], 401),
    "with a scheme that is none": ([("Client-Cert", certificate("one")), ("Authorization", "Basic eDp5")], 401),
    "with a wrong key": ([("Client-Cert", certificate("one")), ("Authorization", "Bearer cv_a_b")], 401),
}  # fmt: skip


@pytest.mark.parametrize("headers, expected", SHOWN.values(), ids=SHOWN)
async def test_a_certificate_that_a_proxy_tells(shared_server, registered, headers, expected):
    assert await status(shared_server, "/v1/inbox", headers) == expected


async def test_a_key_and_a_certificate_are_the_same_systems(shared_server, registered):
    key = ("Authorization", f"Bearer {shared_server.province.key_of('H13.01')}")
    assert await status(shared_server, "/v1/inbox", [key, ("Client-Cert", certificate("one"))]) == 200
    assert await status(shared_server, "/v1/inbox", [key, ("Client-Cert", certificate("two"))]) == 401
