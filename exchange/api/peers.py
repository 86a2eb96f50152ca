"""Who is at the other end of a connection: address and TLS client certificate, ours to see or told by a trusted proxy.

What a request says of itself is believed only from the addresses in CONGVAN_TRUSTED_PROXIES: the client's address from
`Forwarded` (RFC 7239) or `X-Forwarded-For`, its certificate from `Client-Cert` (RFC 9440). The last address that is no
proxy of ours is the client's; everything before it was written by strangers.
"""

import base64
import binascii
import hashlib
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp import web

from exchange.config import Config, Networks

Address = IPv4Address | IPv6Address

_FORWARDED_FOR = re.compile(r'(?:^|[;,\s])for\s*=\s*("[^"]*"|[^;,\s]*)', re.IGNORECASE)
_NODE = re.compile(r"\[([^\]]+)\](?::\d+)?|([^\[\]:]+(?=:\d+$)|[^\[\]]+)(?::\d+)?")


@dataclass(frozen=True, kw_only=True)
class Peer:
    """The client: its address (None: not known), the SHA-256 of its certificate, whether its line is protected."""

    address: Address | None
    certificate: bytes | None
    protected: bool


def peer(request: web.Request, settings: Config) -> Peer:
    """The client of a request. Protected: by our own TLS, a trusted proxy, or by never leaving this machine."""
    near = _address(str((request.get_extra_info("peername") or ("",))[0]))
    if near is not None and within(near, settings.trusted_proxies):
        return Peer(
            address=_told_address(request, near, settings.trusted_proxies),
            certificate=_told_certificate(request.headers.getall("Client-Cert", [])),
            protected=True,
        )
    secured = request.get_extra_info("ssl_object")
    return Peer(
        address=near,
        certificate=_own_certificate(secured),
        protected=secured is not None or (near is not None and near.is_loopback),
    )


def within(address: Address, networks: Networks) -> bool:
    """Whether an address lies in one of these networks."""
    return any(address in network for network in networks)


def _own_certificate(secured: ssl.SSLObject | None) -> bytes | None:
    shown = secured.getpeercert(binary_form=True) if secured is not None else None
    return hashlib.sha256(shown).digest() if shown else None


def _told_address(request: web.Request, near: Address, proxies: Networks) -> Address | None:
    """The client's address, `near` if nothing is told; None when it cannot be read, or two headers name two clients.

    A proxy writes one of the headers, and hands on what a stranger wrote in the other.
    """
    forwarded = request.headers.getall("Forwarded", [])
    told = [_FORWARDED_FOR.findall(",".join(forwarded))] if forwarded else []
    if "X-Forwarded-For" in request.headers:
        told.append(",".join(request.headers.getall("X-Forwarded-For")).split(","))
    clients = {_outermost(nodes, proxies) for nodes in told}
    return clients.pop() if len(clients) == 1 else None if clients else near


def _outermost(nodes: Sequence[str], proxies: Networks) -> Address | None:
    """The last address told that is no proxy of ours; the first one if all are."""
    address = None
    for node in reversed(nodes):
        named = _NODE.fullmatch(node.strip().strip('"'))
        address = _address(named.group(1) or named.group(2)) if named else None
        if address is None or not within(address, proxies):
            break
    return address


def _told_certificate(headers: Sequence[str]) -> bytes | None:
    """The certificate as RFC 9440 writes it: DER, base64, between colons. What is no such thing is no certificate.

    Nor are two of them: one was not written by our proxy.
    """
    text = headers[0].strip() if len(headers) == 1 else ""
    if len(text) <= len("::") or text[0] + text[-1] != "::":
        return None
    try:
        return hashlib.sha256(base64.b64decode(text[1:-1], validate=True)).digest()
    except binascii.Error:
        return None


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
