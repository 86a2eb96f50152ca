"""The one guarded way in which the exchange itself asks another server (design 5, "Unsafe world").

Theory of operation. Addresses come from outside (certificates, systems' settings), so each is taken for hostile. What a
list of origins allows is the whole of what may be asked: scheme, host and port, all three. The host's name is resolved
once, by a resolver that hands on only addresses we may talk to, and the connection goes to just those: a name that
means something else a moment later is never asked about again. An address of a closed network, of this machine or of a
provider's metadata service is refused, unless the list names that very address, or the host together with its network.

No redirect is followed, no cookie kept, no proxy or password of the environment used, no compressed body unfolded; TLS
is verified. A body is counted while it comes and dropped when it is over its cap, and everything together has one time
limit, the resolver's work included. What fails has one of the codes below, and says nothing of what was sent.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from socket import AddressFamily
from types import MappingProxyType

import aiohttp
from aiohttp import abc
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from exchange.config import Origin

CONNECT_SECONDS = 10.0
CONNECTIONS = 8
LONGEST_URL = 2_000
_REDIRECTS = range(300, 400)
_UNCHANGED = 304
_METADATA = frozenset({IPv4Address("168.63.129.16")})
"""A provider's own service at an address that looks public (Azure); the others are link-local or private."""

_TRANSLATED = ip_network("64:ff9b::/96")
_SPECIAL = (ip_network("192.0.0.0/24"), ip_network("64:ff9b:1::/48"))
"""Reserved for protocols, with a provider's metadata service among them (Oracle); and translated within one network."""

Address = IPv4Address | IPv6Address


class FetchError(Exception):
    """Nothing usable came; `code` says why.

    bad_address         no plain http(s) URL
    not_listed          scheme, host and port are not on the list
    unresolved          nobody knows the host's name
    forbidden_address   the name leads into a network that the list does not name
    no_connection       nobody answers there
    untrusted           the server's certificate does not prove who it is
    too_slow            over the time limit
    too_large           over the cap
    redirected          sent elsewhere
    encoded             a compressed body, which was not asked for
    cut                 broken off, or shorter than announced
    strange             no HTTP
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one question may take: seconds from first to last, bytes of the body."""

    seconds: float = 30.0
    bytes: int = 1 << 20


LIMITS = Limits()


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """One answer: status, the whole body, headers (names in any case)."""

    status: int
    raw: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to ask: a body makes it a POST."""

    url: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, kw_only=True)
class Client:
    """An open client; see `opened`."""

    session: aiohttp.ClientSession
    origins: Sequence[Origin]

    def listed(self, url: str) -> bool:
        """Whether that may be asked at all."""
        try:
            self._allowed(url)
        except FetchError:
            return False
        return True

    async def ask(self, request: Request, limits: Limits = LIMITS) -> Fetched:
        """One question, one answer, whatever its status. Raises FetchError."""
        url = self._allowed(request.url)
        with _told():
            async with asyncio.timeout(limits.seconds):
                return await self._answer(url, request, limits)

    def _allowed(self, text: str) -> URL:
        url = _parsed(text)
        host = _plain(url.raw_host or "")
        if not any((one.scheme, one.host, one.port) == (url.scheme, host, url.port) for one in self.origins):
            raise FetchError("not_listed")
        return url

    async def _answer(self, url: URL, request: Request, limits: Limits) -> Fetched:
        method = "GET" if request.body is None else "POST"
        asking = self.session.request(
            method, url, data=request.body, headers=request.headers, allow_redirects=False
        )
        async with asking as response:
            if response.status in _REDIRECTS and response.status != _UNCHANGED:
                raise FetchError("redirected")
            if response.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
                raise FetchError("encoded")
            raw = await _capped(response, limits.bytes)
            return Fetched(status=response.status, raw=raw, headers=response.headers)


@asynccontextmanager
async def opened(
    origins: Sequence[Origin],
    *,
    resolver: abc.AbstractResolver | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Client]:
    """A client that asks these origins only. `resolver`: who turns names into addresses (without: the machine's own);
    `tls`: whom we trust as authorities of servers (without: the machine's own list).
    """
    connector = aiohttp.TCPConnector(
        resolver=_Guard(resolver or ThreadedResolver(), origins),
        ssl=tls or _verified(),
        use_dns_cache=False,
        force_close=True,
        limit=CONNECTIONS,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "congvan", "Accept-Encoding": "identity"},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield Client(session=session, origins=origins)


class _Guard(abc.AbstractResolver):
    """Resolves a name and refuses it if any of its addresses is one that we may not talk to."""

    def __init__(self, inner: abc.AbstractResolver, origins: Sequence[Origin]) -> None:
        self._inner = inner
        self._origins = origins

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_UNSPEC
    ) -> list[abc.ResolveResult]:
        """Addresses of `host`, all of them allowed. Raises FetchError, OSError."""
        named = [one for one in self._origins if (one.host, one.port) == (_plain(host), port)]
        found = await self._inner.resolve(host, port, family)
        if not found:
            raise FetchError("unresolved")
        if not all(permitted(one["host"], named) for one in found):
            raise FetchError("forbidden_address")
        return found

    async def close(self) -> None:
        """Close the resolver within."""
        await self._inner.close()


def permitted(text: str, named: Sequence[Origin]) -> bool:
    """Whether an address may be talked to for one of these origins: within their network, or public if they have none."""
    address = _real(ip_address(text.partition("%")[0]))
    return any(
        any(address in network for network in origin.within) if origin.within else _public(address)
        for origin in named
    )


def _public(address: Address) -> bool:
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved or address.is_unspecified)
        and address not in _METADATA
        and not any(address in network for network in _SPECIAL)
    )


def _real(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for: mapped, 6to4, Teredo, NAT64."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address


def _parsed(text: str) -> URL:
    """The URL, as one parser alone understands it. Raises FetchError."""
    if len(text) > LONGEST_URL or not (text.isascii() and text.isprintable()) or {" ", "\\"} & set(text):
        raise FetchError("bad_address")
    try:
        url = URL(text, encoded=True)
        usable = (
            url.scheme in {"http", "https"} and _named(url.host) and bool(url.port) and not url.raw_fragment
        )
    except ValueError:
        raise FetchError("bad_address") from None
    if not usable or "@" in url.raw_authority:
        raise FetchError("bad_address")
    return url


def _named(host: str | None) -> bool:
    """Whether a host is a name or a whole address: one of figures alone (127.1) would go past the resolver."""
    if not host:
        return False
    if host.replace(".", "").isdigit():
        ip_address(host)
    return True


def _plain(host: str) -> str:
    """A host as origins write it: in small letters, an address in its one form."""
    try:
        return str(ip_address(host))
    except ValueError:
        return host.lower().rstrip(".")


def _verified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def _capped(response: aiohttp.ClientResponse, most: int) -> bytes:
    if (response.content_length or 0) > most:
        raise FetchError("too_large")
    raw = bytearray()
    async for part in response.content.iter_any():
        raw += part
        if len(raw) > most:
            raise FetchError("too_large")
    return bytes(raw)


@contextmanager
def _told() -> Iterator[None]:
    """Every way in which a question fails, by its code."""
    try:
        yield
    except TimeoutError:
        raise FetchError("too_slow") from None
    except (ssl.CertificateError, aiohttp.ClientSSLError) as error:
        raise FetchError("untrusted") from error
    except aiohttp.ClientConnectorDNSError as error:
        raise FetchError("unresolved") from error
    except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError) as error:
        raise FetchError("cut") from error
    except (aiohttp.ClientResponseError, aiohttp.InvalidURL, ValueError) as error:
        raise FetchError("strange") from error
    except (aiohttp.ClientError, OSError) as error:
        raise FetchError("no_connection") from error
