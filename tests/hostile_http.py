"""Requests as attackers, broken clients and broken lines make them: good ones, and every way they are spoilt.

Pure: bytes out of a random generator; the same seed gives the same bytes. Run as a program it is an attacker that goes on
until it is ended (`python hostile_http.py PORT KEY SEED`), so that its work is not done in the process that measures.
"""

import gzip
import json
import random
import socket
import sys
import time
import zlib
from dataclasses import dataclass, field
from itertools import count

PAUSE_SECONDS = 0.01
"""Between two requests of an attacker: it means to break us, not to be more than we can answer."""

NOTHING = "01900000-0000-7000-8000-000000000000"
NUMBERS = count(100_000)


@dataclass(frozen=True, kw_only=True)
class Good:
    """One request that would be answered well."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)

    def raw(self, key, *, body=None, length=None, extra=()):
        """The request as bytes; `length` replaces Content-Length, `None` counts the body."""
        body = self.body if body is None else body
        lines = [
            f"{self.method} {self.target} HTTP/1.1",
            "Host: exchange.example",
            f"Authorization: Bearer {key}",
        ]
        lines += [f"{name}: {text}" for name, text in (*self.headers, *extra)]
        if (body or self.method in {"POST", "PATCH"}) and not any(
            name == "Transfer-Encoding" for name, _ in extra
        ):
            lines.append(f"Content-Length: {len(body) if length is None else length}")
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


JSON = (("Content-Type", "application/json"),)
XML = (("Content-Type", "application/xml"),)


def composed(number):
    facts = {
        "sender": "H13.01",
        "recipients": ["H13.31"],
        "number": str(number),
        "notation": "CV",
        "issued_on": "2026-11-21",
    }
    files = [{"name": "a.txt", "data": "eA=="}]
    return json.dumps({**facts, "subject": "V/v", "files": files}).encode()


LISTS = (
    "/v1/agencies?q=so&limit=5",
    "/v1/agencies?code=H13.01&after=H13",
    "/v1/tally?period=2026&scope=internal&view=in",
    "/v1/signatures?period=2026-Q4&view=out&limit=5",
    "/openapi.json",
)


def good(letter, delivery, make):
    """Good requests of every route; `make(number)` is a letter of that number."""
    upload = make(next(NUMBERS))
    about = [f"/v1/messages/{letter}{what}" for what in ("", "/header", "/verdicts", "/trace", "/receipt")]
    return [
        *(Good(method="GET", target=path) for path in (*about, "/v1/inbox?limit=5", "/healthz", "/readyz", "/metrics")),
        *(Good(method="GET", target=path) for path in LISTS),
        Good(method="GET", target=about[0], headers=(("Range", "bytes=0-99"), ("If-None-Match", '"x"'))),
        Good(method="HEAD", target=about[0]),
        Good(method="GET", target=f"/v1/uploads/{'a' * 64}"),
        Good(method="PATCH", target=f"/v1/uploads/{'ab' * 32}", headers=(("Upload-Offset", "0"), ("Upload-Length", "9")), body=b"123"),
        Good(method="POST", target="/v1/messages?copy=true_copy&purpose=H13.31:inform", headers=XML, body=upload),
        Good(method="POST", target="/v1/messages", headers=(*XML, ("Content-Encoding", "gzip")), body=gzip.compress(upload)),
        Good(method="POST", target="/v1/messages:compose?copy=original", headers=JSON, body=composed(next(NUMBERS))),
        Good(method="POST", target="/v1/inbox/ack", headers=JSON, body=json.dumps({"ids": [delivery, NOTHING]}).encode()),
        Good(
            method="POST", target=f"/v1/deliveries/{delivery}/status", headers=JSON,
            body=json.dumps({"code": "03", "reason": "x", "at": "2026-11-21T08:00:00+07:00"}).encode(),
        ),
    ]  # fmt: skip


# --- how they are spoilt: each takes a good request, the key and a random generator, and gives bytes -----------------


def flipped(one, key, rng):
    raw = bytearray(one.raw(key))
    for _ in range(rng.choice((1, 1, 2, 8))):
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    return bytes(raw)


def flipped_body(one, key, rng):
    body = bytearray(one.body or b"x")
    body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
    return one.raw(key, body=bytes(body))


def cut(one, key, rng):
    raw = one.raw(key)
    return raw[: rng.randrange(1, len(raw))]


def shuffled(one, key, rng):
    raw = one.raw(key)
    first, second = sorted(rng.sample(range(len(raw)), 2))
    return raw[:first] + raw[second:] + raw[first:second]


def doubled(one, key, rng):
    head, _, body = one.raw(key).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    lines.insert(rng.randrange(1, len(lines) + 1), rng.choice(lines[1:]))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def dropped(one, key, rng):
    head, _, body = one.raw(key).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    del lines[rng.randrange(len(lines))]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


ODD_HEADERS = (
    "X: " + "x" * 9_000, "X" * 9_000 + ": x", "X Y: z", "X\x00: y", "X: \x00", "X: \x7f\x01", ": empty", "X", "X:",
    " folded: x", "X: a\rb", "X: a\nb", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: identity", "Transfer-Encoding : chunked", "Content-Length: 5", "Content-Length: 0x5",
    "Expect: 100-continue", "Expect: 200-ok", "Connection: upgrade", "Upgrade: h2c", "Connection: close, close",
    "Content-Encoding: br", "Content-Encoding: zstd", "Content-Encoding: deflate", "Content-Encoding: gzip, gzip",
    "Content-Type: ", "Content-Type: text/html; charset=\udcff", "Content-Type: application/json; charset=utf-7",
    "Range: bytes=9-1", "Range: bytes=-0", "Range: bytes=" + "0-1," * 900, "Range: bytes=99999999999999999999-",
    "If-None-Match: \udcff", 'If-None-Match: "' + "a" * 7_000, "If-Range: W/", "Accept-Language: " + "en," * 2_000,
    "Accept-Encoding: gzip;q=x", "Accept-Encoding: \udcff", "X-Request-Id: ../../x", "X-Request-Id: \x1b[31m",
    "Idempotency-Key: " + "k" * 201, "Idempotency-Key: \udcc3\udca9", "Cookie: a=b; " * 400, "Host: other.example",
    "Forwarded: for=127.0.0.1", "X-Forwarded-For: 127.0.0.1", "Client-Cert: :AAAA:", "X-HTTP-Method-Override: DELETE",
    "Authorization: Bearer cv_a_b", "Authorization: Basic eDp5", "Upload-Offset: -1", "Upload-Length: 1e9",
    "Upload-Length: 999999999999999999999", "Content-Digest: sha-256=:x:", "Content-Digest: sha-256=" + ":" * 5_000,
)  # fmt: skip


def odd_header(one, key, rng):
    head, _, body = one.raw(key).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    odd = rng.choice(ODD_HEADERS).encode("utf-8", "surrogateescape")
    lines.insert(rng.randrange(1, len(lines) + 1), odd)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def wrong_length(one, key, rng):
    size = len(one.body)
    return one.raw(
        key,
        length=rng.choice(
            (size + 1, size + 10_000, size - 1, 0, -1, 2**31, 2**64, 10**30, "x", "+3", "3, 3", "")
        ),
    )


def garbage_chunks(one, key, rng):
    body = one.body or b"x"
    pieces = [
        b"%x\r\n%b\r\n0\r\n\r\n" % (len(body) + rng.choice((-1, 0, 1)), body),
        b"zz\r\n" + body,
        b"-1\r\n" + body,
        b"f" * 20 + b"\r\n" + body,
        b"%x;%b\r\n%b\r\n0\r\n\r\n" % (len(body), b"e" * 9_000, body),
        b"%x\r\n%b\r\n0\r\nAuthorization: Bearer x\r\n\r\n" % (len(body), body),
        b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, b"T: r\r\n" * 500),
        b"%x\n%b\n0\n\n" % (len(body), body),
        rng.randbytes(200),
    ]
    return one.raw(key, body=rng.choice(pieces), extra=(("Transfer-Encoding", "chunked"),))


def both_lengths(one, key, rng):
    extra = ("Transfer-Encoding", rng.choice(("chunked", "Chunked", " chunked", "chunked, identity")))
    raw = one.raw(key, body=b"0\r\n\r\nGET /v1/inbox HTTP/1.1\r\n\r\n", extra=(extra,))
    return raw.replace(
        b"Transfer-Encoding", b"Content-Length: %d\r\nTransfer-Encoding" % rng.randrange(40), 1
    )


ODD_TARGETS = (
    "*", "http://other.example/v1/inbox", "http://[::1/x", "//[::1/x", "http://x:99999999/", "other.example:443",
    "/v1/messages/../inbox", "/v1/messages/%2e%2e%2finbox", "/v1/messages/%2F", "/v1//inbox", "//v1/inbox", "/v1/inbox/",
    "/v1/messages/%00", "/v1/messages/%ff%fe", "/v1/messages/%zz", "/v1/messages/%", "/v1/messages/\udcff",
    "/v1/messages/" + "a" * 8_000, "/v1/messages/" + "%61" * 2_500, "/" * 5_000, "/v1/messages/\u1ea1", "",
    f"/v1/messages/{NOTHING.upper()}", "/v1/messages/{01900000-0000-7000-8000-000000000000}",
    "/v1/messages/urn:uuid:01900000-0000-7000-8000-000000000000", "/v1/messages/٠١٩٠٠٠٠٠-0000-7000-8000-000000000000",
    "/v1/uploads/" + "A" * 64, "/v1/uploads/" + "g" * 64, "/v1/uploads/..%2f..%2fetc%2fpasswd", "/v1/uploads/" + "a" * 65,
    "/v1/inbox?limit=5&limit=6", "/v1/inbox?Limit=5", "/v1/inbox?limit=000000001" + "9" * 40, "/v1/inbox?after=%00",
    "/v1/inbox?for=%ED%A0%80", "/v1/inbox?" + "a=b&" * 1_500, "/v1/inbox?=", "/v1/inbox?%00=%00", "/v1/inbox?wait=1e1",
    "/v1/inbox?limit=%D9%A3", "/v1/messages?upload=" + "a" * 64, "/v1/messages?upload=../x", "/v1/messages?main=%00",
    "/v1/messages?purpose=:", "/v1/messages?resend=99999999999", "/v1/messages?copy=original&copy=original", "/healthz#x",
)  # fmt: skip


def odd_target(one, key, rng):
    target = rng.choice(ODD_TARGETS)
    return Good(method=one.method, target=target, headers=one.headers, body=one.body).raw(key)


METHODS = (
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "DELETE",
    "PUT",
    "PROPFIND",
    "get",
    "G" * 200,
    "PATCH",
    "POST",
    "HEAD",
    "GET",
    "Ä",
    "",
)


def odd_method(one, key, rng):
    return Good(method=rng.choice(METHODS), target=one.target, headers=one.headers, body=one.body).raw(key)


def odd_version(one, key, rng):
    version = rng.choice(
        (
            b"HTTP/0.9",
            b"HTTP/1.0",
            b"HTTP/1.2",
            b"HTTP/2.0",
            b"HTTP/9.9",
            b"HTTPS/1.1",
            b"http/1.1",
            b"",
            b"ICY",
        )
    )
    return one.raw(key).replace(b"HTTP/1.1", version, 1)


def odd_key(one, key, rng):
    keys = (
        key[:-1], key + "x", key[:-1] + "\udcff", key.upper(), key.replace("_", "__", 1), f"{key} {key}", "", "cv__", "cv_" + "x" * 7_000,
        "cv_a'--_x", "cv_%_x", "cv_a\\x00_x", "\u1ea1" * 20, key[3:], "cv_" + key[3:][::-1], "\t" + key, key + "\t",
    )  # fmt: skip
    return one.raw(rng.choice(keys))


BODIES = (
    b"", b"{}", b"[]", b"null", b"0", b'"', b'{"ids": 1}', b'{"ids": [[]]}', b'{"ids": [null]}', b'{"ids": ["\\u0000"]}', b'{"code": "13"}',
    b'{"ids": ["\\ud800"]}', b'{"for": []}', b'{"code": null}', b'{"code": "02"}', b'{"code": "\\u0000"}', b'{"code":"03","at":"-1"}',
    b'{"code":"03","at":"2016-11-21T08:00:00+07:00"}', b'{"code":"03","at":"2036-11-21T08:00:00+07:00"}', b"[" * 50_000, b"9" * 5_000,
    b'{"code":"03","at":"2026-11-21T08:00:00+99:99"}', b'{"code":"03","staff":{"name":{}}}', b'{"ids":NaN}', b'{"ids":[1e999]}', b"\xff\xfe{}",
    b'{"sender":[],"recipients":{},"number":9e99}', b'{"sender":"H13.01","recipients":[null],"subject":"\\ud800"}',
    b'{"sender":"H13.01","files":[{"name":"../x","data":"===="}]}', b"\xef\xbb\xbf{}", b"<edXML/>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", b"%PDF-1.7", b"PK\x03\x04", bytes(1_000), b"GET / HTTP/1.1\r\n\r\n",
)  # fmt: skip


def odd_body(one, key, rng):
    method = one.method if one.body else "POST"
    return Good(method=method, target=one.target, headers=one.headers, body=rng.choice(BODIES)).raw(key)


def folded(one, key, rng):
    body = one.body or b"x"
    whole = gzip.compress(body)
    bodies = (
        whole[: rng.randrange(len(whole))], whole + b"x", whole + whole, gzip.compress(whole), whole[:-8] + bytes(8), body,
        zlib.compress(body), gzip.compress(bytes(8 << 20)), gzip.compress(gzip.compress(bytes(8 << 20))), b"\x1f\x8b", whole[:10],
    )  # fmt: skip
    headers = tuple(pair for pair in one.headers if pair[0] != "Content-Encoding")
    spoilt = Good(
        method="POST" if one.method != "PATCH" else "PATCH",
        target=one.target,
        headers=(*headers, ("Content-Encoding", "gzip")),
    )
    return spoilt.raw(key, body=rng.choice(bodies))


def pipelined(one, key, rng):
    others = [one.raw(key) for _ in range(rng.randrange(2, 12))]
    others.insert(
        rng.randrange(len(others) + 1),
        rng.choice((b"GARBAGE\r\n\r\n", b"\r\n", b"GET", b"\x00", one.raw(key))),
    )
    return b"".join(others)


def not_http(_one, _key, rng):
    return rng.choice(
        (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(500),
            b"\x80\x2e\x01\x03\x01", b"GET /healthz\r\n", b"SSH-2.0-x\r\n", b"\x00" * 1_000, rng.randbytes(2_000), b"\r\n" * 5_000, b"\x04\x01\x00\x50" + bytes(5),
            b"GET /healthz HTTP/1.1\nHost: x\n\n", b"GET  /healthz  HTTP/1.1\r\nHost: x\r\n\r\n", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n", b"{}",
        )
    )  # fmt: skip


SPOILT = (
    flipped, flipped, flipped_body, cut, cut, shuffled, doubled, dropped, odd_header, odd_header, wrong_length,
    garbage_chunks, both_lengths, odd_target, odd_target, odd_method, odd_version, odd_key, odd_body, odd_body, folded,
    pipelined, not_http,
)  # fmt: skip


def spoilt(requests, key, rng):
    """One request, spoilt in one way: the way's name and the bytes."""
    way = rng.choice(SPOILT)
    return way.__name__, way(rng.choice(requests), key, rng)


def main():
    """An attacker: one spoilt request after the other, for ever, beside lines that it opens and leaves half-said."""
    port, key, seed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    rng, requests = random.Random(seed), good(NOTHING, NOTHING, lambda number: b"<edXML>%d</edXML>" % number)
    half_said = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    while True:
        time.sleep(PAUSE_SECONDS)
        line = half_said[rng.randrange(len(half_said))]
        try:
            line.sendall(b"G")
        except OSError:
            half_said[half_said.index(line)] = socket.create_connection(("127.0.0.1", port))
        with socket.create_connection(("127.0.0.1", port)) as one:
            one.settimeout(0.2)
            try:
                one.sendall(spoilt(requests, key, rng)[1])
                one.recv(1 << 16)
            except OSError:
                continue


if __name__ == "__main__":
    main()
