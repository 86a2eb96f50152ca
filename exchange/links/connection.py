"""One guarded connection pool to one exchange, over https or, on this machine only, http.

The address is the exchange's own and nothing else: no path, no user, no redirect is followed, no cookie kept, no proxy
of the environment used. Over plain http a key could be read on the way, so that it is refused unless the server is on
this machine or the caller says otherwise.
"""

import io
import ipaddress
import re
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp

from exchange.links import retry
from exchange.links.answer import Answer, NoAnswerError, StrangeAnswerError, UntrustedError, parsed

ANSWER_SECONDS = 60.0
"""The exchange itself answers within 40 s, if only that the outcome is unknown."""

CONNECT_SECONDS = 10.0
SLOWEST_BYTES_A_SECOND = 32_000
"""How slow a line may be before one attempt to send a body is given up."""

_NAME = re.compile(r"\w+://(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::\d+)?/*")
MAX_JSON_BYTES = 1 << 26
MAX_BODY_BYTES = 1 << 30


class AddressError(ValueError):
    """The server's address or a TLS file cannot be used; `code` says why, `what` names it."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(f"{code}: {what}")
        self.code = code
        self.what = what


@dataclass(frozen=True, kw_only=True)
class Line:
    """An open session with one exchange, and how patient we are with it."""

    session: aiohttp.ClientSession
    patience: retry.Patience

    async def ask(self, method: str, path: str, *, wait: float = 0, **given: Any) -> Answer:  # noqa: ANN401 - aiohttp's own
        """Ask until the outcome is known, all attempts under one Idempotency-Key; `wait` is a long poll's."""
        given["headers"] = {"Idempotency-Key": str(uuid4()), **given.get("headers", {})}
        size = len(given["data"]) if isinstance(given.get("data"), bytes) else 0
        seconds = ANSWER_SECONDS + wait + size / SLOWEST_BYTES_A_SECOND
        return await retry.until_known(lambda: self.once(method, path, **given), self.patience, seconds)

    async def once(self, method: str, path: str, **given: Any) -> Answer:  # noqa: ANN401 - aiohttp's own
        """One attempt. Raises NoAnswerError, UntrustedError."""
        async with self.answering(method, path, **given) as response:
            return await whole(response)

    @asynccontextmanager
    async def answering(self, method: str, path: str, **given: Any) -> AsyncIterator[aiohttp.ClientResponse]:  # noqa: ANN401 - aiohttp's own
        """One attempt, whose body the caller reads with `piece`. Raises NoAnswerError, UntrustedError."""
        if isinstance(given.get("data"), bytes):
            given["data"] = io.BytesIO(given["data"])  # aiohttp sends a file piece by piece, bytes in one go
        with _failing_as_no_answer():
            response = await self.session.request(method, path, allow_redirects=False, **given)
        async with response:
            yield response


async def piece(response: aiohttp.ClientResponse) -> bytes:
    """What has come of a body, empty at its end. Raises NoAnswerError."""
    with _failing_as_no_answer():
        return await response.content.readany()


async def whole(response: aiohttp.ClientResponse) -> Answer:
    """The answer with its body. Raises NoAnswerError, StrangeAnswerError for a body larger than any exchange's."""
    most = MAX_JSON_BYTES if "json" in response.content_type else MAX_BODY_BYTES
    raw = bytearray()
    while part := await piece(response):
        raw += part
        if len(raw) > most:
            raise StrangeAnswerError(f"> {most >> 20} MB")
    body = parsed(bytes(raw), response.content_type)
    return Answer(status=response.status, raw=bytes(raw), body=body, headers=response.headers)


@contextmanager
def _failing_as_no_answer() -> Iterator[None]:
    """Every way in which a line fails, under one name; without any part of what was sent."""
    try:
        yield
    except ssl.CertificateError as error:
        raise UntrustedError(str(getattr(error, "certificate_error", error))) from error
    except (aiohttp.ClientError, OSError) as error:
        known = error.strerror if isinstance(error, OSError) else None
        raise NoAnswerError(str(known or type(error).__name__)) from error


@asynccontextmanager
async def opened(
    server: str, headers: Mapping[str, str], *, tls: ssl.SSLContext | None
) -> AsyncIterator[aiohttp.ClientSession]:
    """A session with `server`. For http `tls` is not used; for https None means the system's authorities."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
    connector = aiohttp.TCPConnector(ssl=tls if tls is not None else True)
    async with aiohttp.ClientSession(
        server, headers=headers, timeout=timeout, connector=connector, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield session


def address(server: str, *, insecure_http: bool = False) -> str:
    """The server's address as a session wants it. Raises AddressError."""
    shown = server.rpartition("@")[2]  # what stands before @ may be a password
    try:
        parts = urlsplit(server.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise AddressError("bad_server", shown) from None
    stray = parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None
    if parts.scheme not in {"http", "https"} or stray or port == 0 or not _NAME.fullmatch(server.strip()):
        raise AddressError("bad_server", shown)
    if parts.scheme == "http" and not (insecure_http or is_local(host)):
        raise AddressError("insecure_http", host)
    return f"{parts.scheme}://{parts.netloc}"


def is_local(host: str) -> bool:
    """Whether a host is this machine itself, by its name or number."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tls_context(
    *, authorities: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Whom we trust (the system's authorities if none are named), and who we are. Raises AddressError.

    `key` may stand in the certificate's file. It must not be encrypted: a script has nobody to ask.
    """
    context = _trusting(authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key, password=_no_password)
        except (OSError, ValueError):
            raise AddressError("bad_certificate", str(key or certificate)) from None
    return context


def _trusting(authorities: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authorities)
    except (OSError, ValueError):
        raise AddressError("bad_authorities", str(authorities)) from None


def _no_password() -> NoReturn:
    raise ValueError("encrypted key")
