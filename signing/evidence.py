"""Digests that a verdict names as evidence (bằng chứng), and with them what is not at hand anywhere else.

What a trust set holds is kept with the set. What came inside a signature (an authority's certificate, a revocation
list, an OCSP response) is gone with the letter's examination unless its digest brings it along, through every record
and process on the way, to whoever stores the verdict.
"""

from collections.abc import Iterable, Iterator
from typing import Self

from cryptography import x509

from signing import keys


class Brought(str):
    """Hex SHA-256 of a document that came inside a signature, and the document: `certificate`, `crl` or `ocsp`, DER."""

    __slots__ = ("der", "kind")
    kind: str
    der: bytes

    def __new__(cls, sha256: str, kind: str, der: bytes) -> Self:
        """A digest like any other; equal to the same digest without its document."""
        found = super().__new__(cls, sha256)
        found.kind, found.der = kind, der
        return found

    def __reduce__(self) -> tuple[type[Self], tuple[str, str, bytes]]:
        """The document travels to other processes with its digest."""
        return type(self), (str(self), self.kind, self.der)


def certificate(one: x509.Certificate) -> Brought:
    """The digest of a certificate that may have come inside."""
    return Brought(keys.fingerprint(one).hex(), "certificate", keys.der(one))


def brought(named: Iterable[str]) -> Iterator[Brought]:
    """Those digests that bring their documents along."""
    return (one for one in named if isinstance(one, Brought))
