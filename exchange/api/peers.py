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
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp import web

from exchange.config import Config, Networks

Address = IPv4Address | IPv6Address

_FORWARDED_FOR = re.compile(r'for="?\[?([0-9A-Fa-f.:]+?)\]?(?::\d+)?"?(?:[;,\s]|$)', re.IGNORECASE)


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
            address=_told_address(request, settings.trusted_proxies) or near,
            certificate=_told_certificate(request.headers.get("Client-Cert", "")),
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


def _told_address(request: web.Request, proxies: Networks) -> Address | None:
    forwarded = ",".join(request.headers.getall("Forwarded", []))
    listed = ",".join(request.headers.getall("X-Forwarded-For", []))
    told = _FORWARDED_FOR.findall(forwarded) if forwarded else listed.split(",")
    for text in reversed(told):
        address = _address(text.strip())
        if address is None or not within(address, proxies):
            return address
    return None


def _told_certificate(header: str) -> bytes | None:
    """The certificate as RFC 9440 writes it: DER, base64, between colons. What is no such thing is no certificate."""
    text = header.strip()
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
