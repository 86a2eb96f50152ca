"""The guarded client against servers and names that mean harm; every case over real sockets."""

import asyncio
import gzip
import ipaddress
import ssl
import tracemalloc

import pytest
import tls as identities
from scripted import Names, answered, scripted

from exchange import config
from exchange.links import client
from exchange.links.client import FetchError, Limits, Request

KB, MB = 1 << 10, 1 << 20
HOME = ("127.0.0.1",)


def origins(*texts):
    return config.read({"CONGVAN_REVOCATION_HOSTS": ",".join(texts), "HOME": "/nonexistent"}).revocation_hosts


async def ask(url, *listed, names=None, limits=None, tls=None, **given):
    resolver = names or Names(ca_test=[HOME])
    async with client.opened(origins(*listed), resolver=resolver, tls=tls) as asking:
        return await asking.ask(Request(url=url, **given), limits or Limits(seconds=5, bytes=64 * KB))


async def refusal(url, *listed, **given):
    with pytest.raises(FetchError) as caught:
        await ask(url, *listed, **given)
    return caught.value.code


async def served(*answers, **given):
    """The code with which what these answers bring is refused."""
    async with scripted(*answers) as server:
        url, listed = f"http://ca.test:{server.port}/a.crl", f"http://ca.test:{server.port}=127.0.0.0/8"
        return await refusal(url, listed, **given)


async def test_what_is_listed_is_asked_and_answered_whole():
    async with scripted(answered(200, b"x" * 1000, 'ETag: "1"')) as server:
        url = f"http://ca.test:{server.port}/a%2Fb.crl?x=%20y"
        listed = f"http://ca.test:{server.port}=127.0.0.0/8"
        got = await ask(url, listed, headers={"If-None-Match": '"0"'})
        posted = await ask(url, listed, body=b"question")
    assert (got.status, got.raw, got.headers["etag"]) == (200, b"x" * 1000, '"1"')
    head, body = server.requests[0]
    assert head.startswith(b"GET /a%2Fb.crl?x=%20y HTTP/1.1\r\n")
    assert {b"Accept-Encoding: identity", b'If-None-Match: "0"', b"User-Agent: congvan"} <= set(
        head.split(b"\r\n")
    )
    assert (body, server.requests[1][0][:5], server.requests[1][1]) == (b"", b"POST ", b"question")
    assert posted.status == 200


@pytest.mark.parametrize("status", [204, 304, 404, 500])
async def test_other_answers_are_answers_too(status):
    async with scripted(answered(status, b"")) as server:
        assert (
            await ask(f"http://127.0.0.1:{server.port}", f"http://127.0.0.1:{server.port}")
        ).status == status


# --- where we may go ---------------------------------------------------------------------------------------------

LIST = ("http://crl.example", "https://ocsp.example:8443", "http://10.0.0.7:8080", "http://[2001:db8::7]")
ALLOWED = [
    "http://crl.example",
    "http://crl.example:80/a.crl?x=1",
    "HTTP://CRL.EXAMPLE/a",
    "http://crl.example./a",
    "https://ocsp.example:8443/",
    "http://10.0.0.7:8080/a",
    "http://[2001:DB8::0007]/a",
]
REFUSED = {
    "another host": ("http://evil.example/", "not_listed"),
    "a host above": ("http://example/", "not_listed"),
    "a host below": ("http://a.crl.example/", "not_listed"),
    "a host that begins alike": ("http://crl.example.evil.example/", "not_listed"),
    "a host that ends alike": ("http://evilcrl.example/", "not_listed"),
    "another port": ("http://crl.example:8080/", "not_listed"),
    "another scheme": ("https://crl.example/", "not_listed"),
    "another scheme, same port": ("https://crl.example:80/", "not_listed"),
    "http for https": ("http://ocsp.example:8443/", "not_listed"),
    "the listed host as user": ("http://crl.example@evil.example/", "bad_address"),
    "user and password": ("http://u:p@crl.example/", "bad_address"),
    "empty user": ("http://@crl.example/", "bad_address"),
    "user that looks like a port": ("http://crl.example:80@evil.example/", "bad_address"),
    "backslash": ("http://crl.example\\@evil.example/", "bad_address"),
    "backslash in the path": ("http://crl.example/\\evil", "bad_address"),
    "fragment": ("http://crl.example/#@evil.example/", "bad_address"),
    "fragment without a path": ("http://evil.example#.crl.example", "bad_address"),
    "question mark in the host": ("http://evil.example?.crl.example", "not_listed"),
    "line break": ("http://crl.example/\r\nX-Injected: 1", "bad_address"),
    "line feed": ("http://crl.example/\nHost: evil.example", "bad_address"),
    "tab": ("http://crl.example/\t", "bad_address"),
    "space": ("http://crl.example/a b", "bad_address"),
    "null": ("http://crl.example/\x00", "bad_address"),
    "delete": ("http://crl.example/\x7f", "bad_address"),
    "full-width dot": ("http://crl．example/", "bad_address"),
    "cyrillic": ("http://сrl.example/", "bad_address"),
    "ftp": ("ftp://crl.example/", "bad_address"),
    "file": ("file:///etc/passwd", "bad_address"),
    "file with host": ("file://crl.example/etc/passwd", "bad_address"),
    "gopher": ("gopher://crl.example:80/_GET", "bad_address"),
    "ldap": ("ldap://crl.example/cn=x", "bad_address"),
    "javascript": ("javascript:alert(1)", "bad_address"),
    "ws": ("ws://crl.example/", "bad_address"),
    "unix": ("http+unix://%2Fvar%2Frun%2Fdocker.sock/", "bad_address"),
    "no scheme": ("//crl.example/", "bad_address"),
    "no host": ("http:///a.crl", "bad_address"),
    "only a path": ("/a.crl", "bad_address"),
    "empty": ("", "bad_address"),
    "port zero": ("http://crl.example:0/", "bad_address"),
    "port beyond": ("http://crl.example:65616/", "bad_address"),
    "port of words": ("http://crl.example:http/", "bad_address"),
    "broken brackets": ("http://[::1/", "bad_address"),
    "very long": ("http://crl.example/" + "a" * 3_000, "bad_address"),
    "the same address in one figure": ("http://167772167:8080/", "bad_address"),
    "the same address in fewer figures": ("http://10.7:8080/", "bad_address"),
    "the same address in octal": ("http://012.0.0.7:8080/", "bad_address"),
    "the same address with a dot": ("http://10.0.0.7.:8080/", "bad_address"),
    "the same address in hexadecimal": ("http://0xa.0.0.7:8080/", "not_listed"),
    "the same address mapped": ("http://[::ffff:10.0.0.7]:8080/", "not_listed"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_not_listed_is_never_asked(name):
    url, code = REFUSED[name]
    names = Names()
    assert await refusal(url, *LIST, names=names) == code
    assert names.asked == []


async def test_what_is_listed_is_known_as_such():
    async with client.opened(origins(*LIST)) as asking:
        assert [url for url in ALLOWED if not asking.listed(url)] == []
        assert [name for name, (url, _) in REFUSED.items() if asking.listed(url)] == []


async def test_an_empty_list_allows_nothing():
    assert await refusal("http://crl.example/") == "not_listed"


FORBIDDEN = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.1", "100.100.100.200",
    "169.254.169.254", "169.254.0.1", "192.0.0.192", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "168.63.129.16", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::1", "fe80::1", "fe80::1%eth0",
    "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "2001:0:0:0:0:0:80ff:fffe",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "203.162.4.191", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", FORBIDDEN)
async def test_a_name_that_leads_into_a_closed_network_is_refused(address):
    names = Names(crl_example=[[address]])
    assert await refusal("http://crl.example/", "http://crl.example", names=names) == "forbidden_address"
    assert names.asked == ["crl.example"]


@pytest.mark.parametrize("address", FORBIDDEN)
async def test_one_closed_address_among_public_ones_is_refused(address):
    names = Names(crl_example=[["8.8.8.8", address]])
    assert await refusal("http://crl.example/", "http://crl.example", names=names) == "forbidden_address"


def test_public_addresses_are_permitted_and_with_a_network_only_that_one():
    (plain, inside) = origins("http://crl.example", "http://crl.example=10.1.0.0/16")
    assert all(client.permitted(address, [plain]) for address in PUBLIC)
    assert client.permitted("10.1.2.3", [inside])
    assert client.permitted("::ffff:10.1.2.3", [inside])
    assert not any(client.permitted(address, [inside]) for address in [*PUBLIC, "10.2.0.1", "127.0.0.1"])
    assert client.permitted("10.1.2.3", [plain, inside])


async def test_a_name_is_resolved_once_and_what_it_means_later_is_never_asked():
    """Rebinding: the first answer is the one that was looked at, and the one that is connected to."""
    async with scripted(answered()) as server:
        names = Names(ca_test=[HOME, ["169.254.169.254"]])
        listed = f"http://ca.test:{server.port}=127.0.0.0/8"
        assert (await ask(f"http://ca.test:{server.port}/", listed, names=names)).status == 200
        assert names.asked == ["ca.test"]
        assert await refusal(f"http://ca.test:{server.port}/", listed, names=names) == "forbidden_address"
    assert len(server.requests) == 1
    assert b"Host: ca.test:" in server.requests[0][0]


@pytest.mark.parametrize("url", ["http://0x7f.1:{}/", "http://0x7f000001:{}/", "http://localhost:{}/"])
async def test_other_spellings_of_this_machine_are_names_and_refused(url):
    """Listed as they are: the machine's own resolver makes 127.0.0.1 of them."""
    async with scripted(answered()) as server:
        written = url.format(server.port)
        async with client.opened(origins(written.rstrip("/"))) as asking:
            with pytest.raises(FetchError) as caught:
                await asking.ask(Request(url=written))
    assert caught.value.code in {"forbidden_address", "unresolved"}
    assert server.requests == []


async def test_an_address_listed_literally_counts():
    async with scripted(answered()) as server:
        literal = f"http://127.0.0.1:{server.port}"
        assert (await ask(literal, literal)).raw == b"ok"
        assert await refusal(f"http://127.0.0.2:{server.port}", literal) == "not_listed"


async def test_nobody_knows_the_name():
    assert await refusal("http://gone.test/", "http://gone.test") == "unresolved"
    assert await refusal("http://gone.test/", "http://gone.test", names=Names(gone_test=[[]])) == "unresolved"


async def test_a_resolver_that_hangs_is_given_up():
    class Hanging(Names):
        async def resolve(self, *_asked):
            await asyncio.sleep(60)

    limits = Limits(seconds=0.2)
    assert (
        await refusal("http://crl.example/", "http://crl.example", names=Hanging(), limits=limits)
        == "too_slow"
    )


async def test_nobody_is_there():
    async with scripted(answered()) as server:
        port = server.port
    assert await refusal(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}") == "no_connection"


async def test_no_proxy_of_the_environment_is_used(monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login u password p\n")
    async with scripted(answered()) as server, scripted(answered(200, b"proxy")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        literal = f"http://127.0.0.1:{server.port}"
        assert (await ask(literal, literal)).raw == b"ok"
    assert b"authorization" not in server.requests[0][0].lower()
    assert proxy.requests == []


async def test_no_cookie_is_kept():
    async with scripted(answered(200, b"", "Set-Cookie: a=b; Path=/")) as server:
        literal = f"http://127.0.0.1:{server.port}"
        async with client.opened(origins(literal)) as asking:
            for _ in range(2):
                await asking.ask(Request(url=literal))
    assert all(b"cookie" not in head.lower() for head, _ in server.requests)


async def test_headers_of_ours_cannot_be_broken_open():
    async with scripted(answered()) as server:
        literal = f"http://127.0.0.1:{server.port}"
        for value in ("a\r\nX-Injected: 1", "a\nb", "a\x00b"):
            assert await refusal(literal, literal, headers={"If-None-Match": value}) == "strange"
    assert all(b"Injected" not in head for head, _ in server.requests)


# --- what comes back ---------------------------------------------------------------------------------------------

REDIRECTS = [301, 302, 303, 307, 308, 300, 305]


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("target", ["http://127.0.0.1:{}/secret", "/other", "file:///etc/passwd"])
async def test_no_redirect_is_followed(status, target):
    async with scripted(answered(200, b"secret")) as secret:
        location = f"Location: {target.format(secret.port)}"
        async with scripted(answered(status, b"", location)) as server:
            literal = f"http://127.0.0.1:{server.port}"
            code = await refusal(literal, literal, f"http://127.0.0.1:{secret.port}")
    assert code == "redirected"
    assert (len(server.requests), secret.requests) == (1, [])


def endless(piece, pause=0.0, head=b"HTTP/1.1 200 OK\r\n\r\n"):
    async def answer(writer):
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return answer


def chunked(*pieces):
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(pieces)


BOMB = gzip.compress(b"\0" * 10 * MB)
ANSWERS = {
    "announced as gigantic": (answered(200, b"x", length=10**12), "too_large"),
    "announced beyond any number": (answered(200, b"x", length=10**40), "strange"),
    "endless": (endless(b"x" * 16 * KB), "too_large"),
    "endless in chunks": (
        endless(b"4000\r\n" + b"x" * 0x4000 + b"\r\n", head=chunked()),
        "too_large",
    ),
    "one byte over the cap": (answered(200, b"x" * (64 * KB + 1)), "too_large"),
    "slow drip": (endless(b"x", 0.05), "too_slow"),
    "slow head": (endless(b"X-A: b\r\n", 0.05, head=b"HTTP/1.1 200 OK\r\n"), "too_slow"),
    "silence": (endless(b"", 0.05, head=b""), "too_slow"),
    "endless head": (endless(b"X-A: " + b"b" * 4000 + b"\r\n", head=b"HTTP/1.1 200 OK\r\n"), "strange"),
    "endless line": (endless(b"b" * 16 * KB, head=b"HTTP/1.1 200 OK\r\nX-A: "), "strange"),
    "endless status": (endless(b"b" * 16 * KB, head=b"HTTP/1.1 200 "), "strange"),
    "endless interim answers": (endless(b"HTTP/1.1 102 Processing\r\n\r\n", 0.01, head=b""), "too_slow"),
    "shorter than announced": (answered(200, b"x" * 100, length=1000), "cut"),
    "chunks that break off": (chunked(b"4\r\nxxxx\r\n"), "cut"),
    "chunk of a strange length": (chunked(b"zz\r\nxxxx\r\n0\r\n\r\n"), "strange"),
    "chunk of negative length": (chunked(b"-4\r\nxxxx\r\n0\r\n\r\n"), "strange"),
    "nothing": (b"", "cut"),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-Le", "cut"),
    "no HTTP": (b"220 mail.example ESMTP\r\n", "strange"),
    "two lengths": (answered(200, b"abc", "Content-Length: 2"), "strange"),
    "length and chunks": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "strange",
    ),
    "length of words": (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nxx", "strange"),
    "gzip": (answered(200, BOMB, "Content-Encoding: gzip"), "encoded"),
    "gzip twice": (answered(200, gzip.compress(BOMB), "Content-Encoding: gzip, gzip"), "encoded"),
    "brotli": (answered(200, b"x", "Content-Encoding: br"), "encoded"),
    "unknown coding": (answered(200, b"x", "Content-Encoding: x"), "encoded"),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_that_means_harm_is_refused(name):
    answer, code = ANSWERS[name]
    seconds = 0.5 if code == "too_slow" else 5
    assert await served(answer, limits=Limits(seconds=seconds, bytes=64 * KB)) == code


@pytest.mark.parametrize(
    "name", [name for name, (_, code) in ANSWERS.items() if code in {"too_large", "encoded"}]
)
async def test_what_is_too_large_is_not_held(name):
    tracemalloc.start()
    try:
        await served(ANSWERS[name][0])
        assert tracemalloc.get_traced_memory()[1] < 4 * MB
    finally:
        tracemalloc.stop()


async def test_what_comes_behind_the_announced_bytes_is_left():
    async with scripted(answered(200, b"abc" + b"HTTP/1.1 200 OK\r\n\r\nmore", length=3)) as server:
        literal = f"http://127.0.0.1:{server.port}"
        assert (await ask(literal, literal)).raw == b"abc"
        assert (await ask(literal, literal)).raw == b"abc"
    assert len(server.requests) == 2


async def test_a_gzip_body_that_nobody_announces_is_bytes_like_any_other():
    async with scripted(answered(200, BOMB[:1000])) as server:
        literal = f"http://127.0.0.1:{server.port}"
        assert (await ask(literal, literal)).raw == BOMB[:1000]


# --- TLS ---------------------------------------------------------------------------------------------------------


def speaking(identity):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)
    return context


@pytest.mark.parametrize(
    "name, code",
    [
        ("known", ""),
        ("another name", "untrusted"),
        ("unknown authority", "untrusted"),
        ("no TLS", "too_slow"),
    ],
)
async def test_a_server_proves_who_it_is(tmp_path, name, code):
    ours = identities.issue(tmp_path, "ca", ca=True)
    server_identity = identities.issue(tmp_path, "server", ours, server=True)
    stranger = identities.issue(tmp_path, "stranger", ca=True)
    host = "ca.test" if name == "another name" else "localhost"
    trusting = identities.context(stranger if name == "unknown authority" else ours)
    served_by = None if name == "no TLS" else speaking(server_identity)
    async with scripted(answered(), ssl=served_by) as server:
        url = f"https://{host}:{server.port}"
        names, limits = (
            Names(localhost=[HOME], ca_test=[HOME]),
            Limits(seconds=0.5 if served_by is None else 5),
        )
        asked = ask(url, url + "=127.0.0.0/8", names=names, tls=trusting, limits=limits)
        if code:
            with pytest.raises(FetchError) as caught:
                await asked
            assert caught.value.code == code
            assert server.requests == []
        else:
            assert (await asked).raw == b"ok"


async def test_without_authorities_of_ours_those_of_the_machine_count(tmp_path):
    ours = identities.issue(tmp_path, "ca", ca=True)
    async with scripted(
        answered(), ssl=speaking(identities.issue(tmp_path, "s", ours, server=True))
    ) as server:
        literal = f"https://127.0.0.1:{server.port}"
        assert await refusal(literal, literal) == "untrusted"


# --- the list ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "crl.example", "ftp://crl.example", "http://", "http://crl.example/path", "http://u@crl.example", "http://crl.example:0",
        "http://crl.example:99999", "http://crl.example=10.0.0.0/99", "http://crl.example=", "http://*.example",
        "http://crl.example?", "http://[::g]", "http://[127.0.0.1]x", "http://crl example", "http://-a", "=10.0.0.0/8",
        "http://crl.example=10.0.0.1/8", "http://127.1", "http://2130706433", "http://0177.0.0.1",
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_read_is_refused(text):
    with pytest.raises(config.SettingError):
        origins("http://good.example", text)


def test_a_list_is_read_as_it_is_meant():
    found = origins("http://CRL.example", " https://[::1]:8443/ ", "http://a.test:81=10.0.0.0/8")
    assert found == (
        config.Origin(scheme="http", host="crl.example", port=80),
        config.Origin(scheme="https", host="::1", port=8443),
        config.Origin(scheme="http", host="a.test", port=81, within=(ipaddress.ip_network("10.0.0.0/8"),)),
    )
    assert origins() == ()
