"""Where an authority publishes what we need to know of a certificate (nguồn tra cứu): addresses, and the OCSP question.

What a certificate says here was signed by its issuer, but an address is only an address: who asks there, and whether
the answer counts, is decided elsewhere. Sources: RFC 5280 §4.2.1.13, §4.2.1.15, §4.2.2.1; RFC 6960 §4.1, appendix A.
"""

import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

SCHEMES = frozenset({"http", "https"})
MOST = 8
"""Addresses of one kind that are taken from one certificate; real ones name one or two."""

LONGEST = 500
_DIGESTS = {"sha1": hashes.SHA1, "sha256": hashes.SHA256}
_POINTS = (x509.CRLDistributionPoints, x509.FreshestCRL)
_UNREADABLE = (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Addresses (http, https only) of revocation lists, whole and delta, of OCSP responders, of issuers' certificates."""

    crls: tuple[str, ...] = ()
    ocsp: tuple[str, ...] = ()
    issuers: tuple[str, ...] = ()


def of(certificate: x509.Certificate, issuer: x509.Certificate) -> Sources:
    """Where to ask about `certificate`; nothing for one whose extensions cannot be read.

    A list that somebody other than `issuer` signs for it (cRLIssuer, an indirect list) is left out: it never counts.
    """
    try:
        values = [extension.value for extension in certificate.extensions]
        return Sources(
            crls=_kept(_lists(values, issuer)),
            ocsp=_kept(_access(values, AuthorityInformationAccessOID.OCSP)),
            issuers=_kept(_access(values, AuthorityInformationAccessOID.CA_ISSUERS)),
        )
    except _UNREADABLE:
        return Sources()


def ocsp_request(certificate: x509.Certificate, issuer: x509.Certificate, digest: str = "sha1") -> bytes:
    """The question about one certificate, DER, without a nonce: responders may answer with what they signed before.

    SHA-1 only names the issuer here, and is what every responder knows (RFC 5019 §2.1.1); `digest` may be `sha256`.
    """
    question = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, _DIGESTS[digest]())
    return question.build().public_bytes(serialization.Encoding.DER)


def _lists(values: Iterable[x509.ExtensionType], issuer: x509.Certificate) -> Iterator[str]:
    for value in values:
        if isinstance(value, _POINTS):
            for point in value:
                if _signed_by_issuer(point, issuer):
                    yield from _addresses(point.full_name or ())


def _signed_by_issuer(point: x509.DistributionPoint, issuer: x509.Certificate) -> bool:
    return not point.crl_issuer or x509.DirectoryName(issuer.subject) in point.crl_issuer


def _access(values: Iterable[x509.ExtensionType], method: x509.ObjectIdentifier) -> Iterator[str]:
    for value in values:
        if isinstance(value, x509.AuthorityInformationAccess):
            yield from _addresses(one.access_location for one in value if one.access_method == method)


def _addresses(names: Iterable[x509.GeneralName]) -> Iterator[str]:
    return (name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))


def _kept(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(_usable, addresses)))[:MOST]


def _usable(address: str) -> bool:
    """Whether an address is plainly one of http: printable ASCII, a host, nobody's name or password, no fragment."""
    if not (len(address) <= LONGEST and address.isascii() and address.isprintable() and " " not in address):
        return False
    try:
        parts = urllib.parse.urlsplit(address)
    except ValueError:
        return False
    plain = "@" not in parts.netloc and not parts.fragment and "\\" not in address
    return plain and parts.scheme in SCHEMES and bool(parts.hostname)
