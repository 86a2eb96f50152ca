"""What a deployment trusts (kho tin cậy): roots, intermediate authorities and revocation lists, from files.

Nothing is trusted without configuration: an empty `Trust` never lets a signature pass.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from signing import keys
from signing.revocation import List, Lists, collect, read

_CRL_BLOCK = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)
_T = TypeVar("_T")
_DER = serialization.Encoding.DER


@dataclass(frozen=True, kw_only=True, eq=False)
class Trust:
    """Roots, intermediates and revocation lists (kho tin cậy); `sha256` names this very set in a verdict's record."""

    anchors: tuple[x509.Certificate, ...] = ()
    intermediates: tuple[x509.Certificate, ...] = ()
    revocation: Lists = field(default_factory=Lists)
    sha256: bytes = hashlib.sha256(b"").digest()


def load(trust_files: Iterable[bytes], crl_files: Iterable[bytes]) -> Trust:
    """Trust from PEM (several in a file) or DER files: self-signed authorities are roots, others intermediates.

    Raises ValueError that says which file, counted from 0, and what is wrong with it.
    """
    certificates = tuple(dict.fromkeys(_each(trust_files, "certificate", _certificates)))
    lists = tuple(_each(crl_files, "revocation list", _lists))
    return Trust(
        anchors=tuple(filter(_self_signed, certificates)),
        intermediates=tuple(certificate for certificate in certificates if not _self_signed(certificate)),
        revocation=collect(lists),
        sha256=_digest(certificates, lists),
    )


def documents(trust: Trust) -> Mapping[str, tuple[str, bytes]]:
    """Everything in the set, for keeping as evidence: hex SHA-256 -> (`certificate` or `crl`, DER bytes)."""
    certificates = {
        keys.fingerprint(certificate).hex(): ("certificate", certificate.public_bytes(_DER))
        for certificate in (*trust.anchors, *trust.intermediates)
    }
    lists = {one.sha256: ("crl", one.crl.public_bytes(_DER)) for one in trust.revocation.all}
    return certificates | lists


def _each(files: Iterable[bytes], what: str, parse: Callable[[bytes], Iterable[_T]]) -> Iterator[_T]:
    for position, raw in enumerate(files):
        try:
            yield from parse(raw)
        except (ValueError, x509.InvalidVersion, x509.DuplicateExtension, UnsupportedAlgorithm) as problem:
            raise ValueError(f"{what} file {position}: {problem}") from problem


def _certificates(raw: bytes) -> list[x509.Certificate]:
    certificates = (
        x509.load_pem_x509_certificates(raw)
        if b"-----BEGIN" in raw
        else [x509.load_der_x509_certificate(raw)]
    )
    for certificate in certificates:
        certificate.public_key()
        if not _is_authority(certificate):
            raise ValueError(f"not an authority's certificate: {certificate.subject.rfc4514_string()}")
    return certificates


def _lists(raw: bytes) -> list[List]:
    if b"-----BEGIN" not in raw:
        return [read(raw)]
    blocks = _CRL_BLOCK.findall(raw)
    if not blocks:
        raise ValueError("no revocation list inside")
    return [read(x509.load_pem_x509_crl(block).public_bytes(_DER)) for block in blocks]


def _is_authority(certificate: x509.Certificate) -> bool:
    values = [extension.value for extension in certificate.extensions]
    return any(isinstance(value, x509.BasicConstraints) and value.ca for value in values)


def _self_signed(certificate: x509.Certificate) -> bool:
    if certificate.subject != certificate.issuer:
        return False
    try:
        certificate.verify_directly_issued_by(certificate)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _digest(certificates: Iterable[x509.Certificate], lists: Iterable[List]) -> bytes:
    """One digest over all members, whatever their order."""
    members = [keys.fingerprint(certificate) for certificate in certificates]
    members += [bytes.fromhex(one.sha256) for one in lists]
    return hashlib.sha256(b"".join(sorted(set(members)))).digest()
