"""What a signature's KeyInfo says of its signer (XMLDSig §4.4), read into a record; all of it is only claimed.

`contradiction` compares the claims with the certificate that really made the signature: whoever reads a name beside a
signature must not be shown another than the signer's.
"""

import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from cryptography import x509

from signing import algorithms, keys, path, xml_text
from signing.algorithms import DS
from signing.xml_document import Element

LONGEST_CERTIFICATE = 16_384
X509_DIGEST = "{http://www.w3.org/2009/xmldsig11#}X509Digest"
_DATA, _CERTIFICATE = (f"{{{DS}}}{name}" for name in ("X509Data", "X509Certificate"))


class KeyInfo(NamedTuple):
    """Certificates that came along (None: one that cannot be read), names, numbers, key identifiers, bare keys.

    `numbers` are (issuer's name, serial number) as text, `digests` (algorithm URI, digest).
    """

    certificates: tuple[x509.Certificate | None, ...]
    names: tuple[str, ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()
    identifiers: tuple[bytes | None, ...] = ()
    digests: tuple[tuple[str, bytes | None], ...] = ()
    lists: tuple[bytes, ...] = ()
    key_values: tuple[Element, ...] = ()


def read(info: Element, certificates: tuple[x509.Certificate | None, ...]) -> KeyInfo:
    """A KeyInfo whose certificates were read before."""
    claims = [node for one in info.iterchildren(_DATA) for node in one if node.tag != _CERTIFICATE]
    return KeyInfo(
        certificates=certificates,
        names=tuple(node.text or "" for node in _named(claims, "X509SubjectName")),
        numbers=tuple(issuer_serial(node) for node in _named(claims, "X509IssuerSerial")),
        identifiers=tuple(_bytes(node) for node in _named(claims, "X509SKI")),
        digests=tuple(
            (node.get("Algorithm", ""), _bytes(node)) for node in claims if node.tag == X509_DIGEST
        ),
        lists=tuple(filter(None, map(_bytes, _named(claims, "X509CRL")))),
        key_values=tuple(info.iterchildren(f"{{{DS}}}KeyValue")),
    )


def readable(text: str | None) -> x509.Certificate | None:
    """The certificate in base64; one that is too long is not even looked at, nor remembered."""
    return _decoded(text) if text and len(text) <= LONGEST_CERTIFICATE else None


def issuer_serial(node: Element) -> tuple[str, str]:
    """The two texts of an element of type X509IssuerSerialType."""
    return node[0].text or "", (node[1].text or "").strip()


def is_numbered(certificate: x509.Certificate, number: tuple[str, str]) -> bool:
    """Whether a certificate has this issuer and serial number."""
    issuer, serial = number
    return serial == str(certificate.serial_number) and xml_text.names(issuer, certificate.issuer)


def contradiction(info: KeyInfo, signer: x509.Certificate) -> bool:
    """Whether KeyInfo holds a certificate outside the signer's chain, or tells what is true of none in it."""
    claimed = info.names or info.numbers or info.identifiers or info.digests
    if not claimed and len(info.certificates) == 1:
        return False
    certificates = [one for one in info.certificates if one]
    chain = list(_chain(signer, certificates))
    if len(chain) < len(certificates):
        return True
    claims = (
        *(any(xml_text.names(name, one.subject) for one in chain) for name in info.names),
        *(any(is_numbered(one, number) for one in chain) for number in info.numbers),
        *(any(_identifier(one) == identifier for one in chain) for identifier in info.identifiers),
        *(any(_has_digest(one, digest) for one in chain) for digest in info.digests),
    )
    return not all(claims)


def _chain(signer: x509.Certificate, certificates: Iterable[x509.Certificate]) -> Iterator[x509.Certificate]:
    """The signer's certificate and those that, by their names, issued it or each other."""
    yield signer
    waiting, issuers = [one for one in certificates if one != signer], {signer.issuer}
    while found := [one for one in waiting if one.subject in issuers]:
        yield from found
        issuers |= {one.issuer for one in found}
        waiting = [one for one in waiting if one not in found]


def _identifier(certificate: x509.Certificate) -> bytes:
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectKeyIdentifier):
            return extension.value.digest
    return b""


def _has_digest(certificate: x509.Certificate, digest: tuple[str, bytes | None]) -> bool:
    name = algorithms.DIGESTS.get(digest[0])
    return name is not None and hashlib.new(name, keys.der(certificate)).digest() == digest[1]


def _named(nodes: Iterable[Element], name: str) -> Iterator[Element]:
    return (node for node in nodes if node.tag == f"{{{DS}}}{name}")


def _bytes(node: Element) -> bytes | None:
    return xml_text.decode(xml_text.squeezed(node))


@lru_cache(maxsize=1024)
def _decoded(text: str) -> x509.Certificate | None:
    data = xml_text.decode(text)
    return path.readable(data) if data else None
