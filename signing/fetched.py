"""Whether something fetched from an authority's server is worth keeping (tài liệu tra cứu tải về).

A server on the way may answer with anything, so what comes is held against what was asked for: a list signed by the
issuer of those certificates, an answer about that very certificate, the certificate of an authority that issued it.
Nothing here is trusted: what is kept still has to prove itself wherever it is used, and a root is never taken.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from signing import algorithms, trust

SKEW = timedelta(minutes=15)
"""How far another clock may run before ours; a list from later would block all that come until then."""

NAMESAKES = 8
MOST_INSIDE = 16
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    Warning,
)
_DER = serialization.Encoding.DER


class Refusal(StrEnum):
    """Why something is not kept."""

    UNREADABLE = "unreadable"
    WRONG_SIGNER = "wrong_signer"
    FROM_FUTURE = "from_future"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, kw_only=True)
class Document:
    """Something worth keeping: `certificate`, `crl` or `ocsp`; from when it is, and until when it speaks, if it says."""

    kind: str
    der: bytes
    this_update: datetime
    next_update: datetime | None = None

    @property
    def sha256(self) -> bytes:
        """The digest under which it is kept."""
        return hashlib.sha256(self.der).digest()


@dataclass(frozen=True, kw_only=True)
class Link:
    """One certificate whose path to a root is known, and the authority right above it."""

    certificate: x509.Certificate
    issuer: x509.Certificate

    @property
    def sha256(self) -> bytes:
        """Digest of the certificate."""
        return hashlib.sha256(self.certificate.public_bytes(_DER)).digest()


def revocation_list(raw: bytes, issuers: Sequence[x509.Certificate], at: datetime) -> Document | Refusal:
    """A list, DER or PEM, that one of `issuers` signed; a kind that we do not evaluate counts as unreadable."""
    try:
        crl = x509.load_pem_x509_crl(raw) if raw.startswith(b"-----") else x509.load_der_x509_crl(raw)
        der, next_update = crl.public_bytes(_DER), crl.next_update_utc
        trust.load((), [der])
    except _UNREADABLE:
        return Refusal.UNREADABLE
    if not any(_signed(crl, issuer) for issuer in issuers):
        return Refusal.WRONG_SIGNER
    if crl.last_update_utc > at + SKEW:
        return Refusal.FROM_FUTURE
    return Document(kind="crl", der=der, this_update=crl.last_update_utc, next_update=next_update)


def authority(raw: bytes, children: Sequence[x509.Certificate]) -> Document | Refusal:
    """The certificate of the authority above `children`, alone (DER, PEM) or among others (PKCS#7); never a root."""
    certificates = tuple(_inside(raw))
    if not certificates:
        return Refusal.UNREADABLE
    for one in certificates[:MOST_INSIDE]:
        der = one.public_bytes(_DER)
        if intermediate(der) and any(_issued(child, one) for child in children):
            return Document(kind="certificate", der=der, this_update=one.not_valid_before_utc)
    return Refusal.WRONG_SIGNER


def intermediate(der: bytes) -> bool:
    """Whether that is an authority's certificate which somebody else vouches for: it can never become a root."""
    one = _readable(der)
    return one is not None and one.subject != one.issuer and _may_issue(one)


def chained(certificates: Iterable[bytes], anchors: Sequence[x509.Certificate], at: datetime) -> list[Link]:
    """Those certificates (DER), in date at `at`, that hang on one of `anchors` by signatures, each with its issuer.

    For asking about them, not for trusting them: dates of authorities and limits of paths are not looked at.
    """
    waiting = [one for one in map(_readable, dict.fromkeys(certificates)) if one and one not in anchors]
    waiting = [one for one in waiting if one.not_valid_before_utc <= at <= one.not_valid_after_utc]
    above, found = {}, []
    for anchor in anchors:
        above.setdefault(anchor.subject, []).append(anchor)
    while True:
        links = [
            Link(certificate=one, issuer=issuer) for one in waiting if (issuer := _issuer(one, above)) is not None
        ]
        found += links
        done = {link.certificate for link in links}
        waiting = [one for one in waiting if one not in done]
        authorities = [one for one in done if _may_issue(one)]
        if not authorities:
            return found
        for one in authorities:
            above.setdefault(one.subject, []).append(one)


def _issuer(
    certificate: x509.Certificate, above: Mapping[x509.Name, Sequence[x509.Certificate]]
) -> x509.Certificate | None:
    namesakes = above.get(certificate.issuer, ())[:NAMESAKES]
    return next((one for one in namesakes if _issued(certificate, one)), None)


def _issued(child: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        child.verify_directly_issued_by(issuer)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True


def _signed(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    key = issuer.public_key()
    if crl.issuer != issuer.subject or not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return False
    if not (algorithms.key_is_strong(key) and algorithms.is_signed_strongly(crl)):
        return False
    usages = [one.value for one in issuer.extensions if isinstance(one.value, x509.KeyUsage)]
    return all(usage.crl_sign for usage in usages) and crl.is_signature_valid(key)


def _readable(der: bytes) -> x509.Certificate | None:
    """The certificate, or None where any part that we look at cannot be decoded."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.subject, certificate.issuer, certificate.public_key(), tuple(certificate.extensions)
    except _UNREADABLE:
        return None
    return certificate


def _may_issue(certificate: x509.Certificate) -> bool:
    values = [extension.value for extension in certificate.extensions]
    usages = [value for value in values if isinstance(value, x509.KeyUsage)]
    authority = any(isinstance(value, x509.BasicConstraints) and value.ca for value in values)
    return authority and all(usage.key_cert_sign for usage in usages)


def _inside(raw: bytes) -> Iterator[x509.Certificate]:
    """Certificates in a file of any form in which authorities publish them (RFC 5280 §4.2.2.1)."""
    parsers = (
        (x509.load_pem_x509_certificates, pkcs7.load_pem_pkcs7_certificates)
        if raw.startswith(b"-----")
        else (lambda der: [x509.load_der_x509_certificate(der)], pkcs7.load_der_pkcs7_certificates)
    )
    for parse in parsers:
        try:
            yield from parse(raw)
        except _UNREADABLE:
            continue
        return
