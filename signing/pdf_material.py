# mypy: allow-untyped-calls
# pyHanko ships no complete types.

"""Validation material inside a PDF (`/DSS` with its `/VRI`, EN 319 142-1 5.4.2): certificates, CRLs, OCSP responses.

It stands outside what signatures cover, so it is worth what its own signatures are worth: certificates help to build
paths and trust nothing, lists and responses count when the right key signed them. Damaged pieces help nobody.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from cryptography import x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

from signing import pdf_form, revocation

_MOST_PIECES = 256  # of each kind
_MOST_BYTES = 4 << 20  # of each piece, decoded


@dataclass(frozen=True, kw_only=True)
class Material:
    """What the file brings along for judging its signatures."""

    certificates: tuple[x509.Certificate, ...] = ()
    enclosed: revocation.Enclosed = field(default_factory=revocation.Enclosed)


def read(reader: PdfFileReader) -> Material:
    """The material of the file as it is now. Raises pyHanko's errors on damage beyond single pieces."""
    store = _dictionary(reader.root, "/DSS")
    by_signature = _dictionary(store, "/VRI")
    holders = [store, *(_dictionary(by_signature, name) for name in by_signature)]
    return Material(
        certificates=tuple(_certificates(_pieces(holders, "/Certs", "/Cert"))),
        enclosed=revocation.Enclosed(
            crls=_pieces(holders, "/CRLs", "/CRL"), responses=_pieces(holders, "/OCSPs", "/OCSP")
        ),
    )


def _dictionary(holder: generic.DictionaryObject, name: str) -> generic.DictionaryObject:
    found = pdf_form.entry(holder, name)
    return found if isinstance(found, generic.DictionaryObject) else generic.DictionaryObject()


def _pieces(holders: Sequence[generic.DictionaryObject], *names: str) -> tuple[bytes, ...]:
    """What the streams under these names hold, each object once: signatures share them with the store."""
    found: dict[pdf_form.Key, bytes] = {}
    elements = (one for holder in holders for name in names for one in pdf_form.elements(holder, name))
    for reference in elements:
        if len(found) == _MOST_PIECES:
            break
        if isinstance(reference, generic.IndirectObject) and pdf_form.key_of(reference) not in found:
            found[pdf_form.key_of(reference)] = _content(reference)
    return tuple(dict.fromkeys(filter(None, found.values())))


def _content(reference: generic.IndirectObject) -> bytes:
    with suppress(PdfError, ValueError, TypeError, KeyError):
        stream = reference.get_object()
        content: bytes = stream.data if isinstance(stream, generic.StreamObject) else b""
        return content if len(content) <= _MOST_BYTES else b""
    return b""


def _certificates(pieces: Sequence[bytes]) -> Iterator[x509.Certificate]:
    for piece in pieces:
        with suppress(ValueError):
            yield x509.load_der_x509_certificate(piece)
