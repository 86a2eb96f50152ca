"""Whether something fetched from an authority's server is worth keeping (tài liệu tra cứu tải về).

A server on the way may answer with anything, so what comes is held against what was asked for: a list signed by the
issuer of those certificates, an answer about that very certificate, the certificate of an authority that issued it.
Nothing here is trusted: what is kept still has to prove itself wherever it is used, and a root is never taken.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from signing import certificate_facts, crl, names, ocsp
from signing.certificate_facts import UNREADABLE, Facts

SKEW = timedelta(minutes=15)
"""How far another clock may run before ours; a list from later would block all that come until then."""

NAMESAKES = 8
MOST_INSIDE = 16
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
    """A certificate that hangs on a root, and the authority right above it."""

    certificate: x509.Certificate
    issuer: x509.Certificate


def revocation_list(raw: bytes, issuers: Iterable[x509.Certificate], at: datetime) -> Document | Refusal:
    """A list, DER or PEM, that one of `issuers` signed; a kind that we do not evaluate counts as unreadable."""
    try:
        parsed = x509.load_pem_x509_crl(raw) if raw.startswith(b"-----") else x509.load_der_x509_crl(raw)
        der = parsed.public_bytes(_DER)
        found = crl.read(der)
        known = [facts for facts in map(certificate_facts.read, issuers) if facts]
        if not any(facts.subject == found.issuer and found.signed_by(facts) for facts in known):
            return Refusal.WRONG_SIGNER
    except UNREADABLE:
        return Refusal.UNREADABLE
    if found.this_update > at + SKEW:
        return Refusal.FROM_FUTURE
    return Document(kind="crl", der=der, this_update=found.this_update, next_update=found.next_update)


def ocsp_response(raw: bytes, link: Link, at: datetime) -> Document | Refusal:
    """An answer about that certificate which its issuer, or the issuer's delegate, signed."""
    try:
        response = ocsp.read(raw)
        answers = ocsp.collect([response]).by_serial.get(link.certificate.serial_number, ())
        ours = [answer for answer in answers if ocsp.is_about(answer, link.certificate, link.issuer)]
        issuer = certificate_facts.read(link.issuer)
        if ours and (issuer is None or ocsp.responder(response, issuer) is None):
            return Refusal.WRONG_SIGNER
    except UNREADABLE:
        return Refusal.UNREADABLE
    if not ours:
        return Refusal.NOT_ASKED
    if ours[0].this_update > at + SKEW:
        return Refusal.FROM_FUTURE
    return Document(kind="ocsp", der=raw, this_update=ours[0].this_update, next_update=ours[0].next_update)


def authority(raw: bytes, children: Sequence[x509.Certificate]) -> Document | Refusal:
    """The certificate of the authority above `children`, alone (DER, PEM) or among others (PKCS#7); never a root."""
    certificates = _inside(raw)
    for one in certificates[:MOST_INSIDE]:
        if _intermediate(one) and any(certificate_facts.signed_by(child, one) for child in children):
            return Document(
                kind="certificate", der=one.public_bytes(_DER), this_update=one.not_valid_before_utc
            )
    return Refusal.WRONG_SIGNER if certificates else Refusal.UNREADABLE


def intermediate(der: bytes) -> bool:
    """Whether that is an authority's certificate which somebody else vouches for: it can never become a root."""
    return any(map(_intermediate, _parsed(x509.load_der_x509_certificate, der)))


def chained(certificates: Iterable[bytes], anchors: Sequence[x509.Certificate], at: datetime) -> list[Link]:
    """Those certificates (DER), in date at `at`, that hang on one of `anchors` by signatures, each with its issuer.

    For asking about them, not for trusting them: dates of authorities and limits of paths are not looked at.
    """
    above: dict[names.Folded, list[Facts]] = {}
    waiting, found = list(_in_date(certificates, anchors, at)), []
    new = [facts for facts in map(certificate_facts.read, anchors) if facts]
    while new:
        for one in new:
            above.setdefault(one.subject, []).append(one)
        issuers = {one.certificate: issuer for one in waiting if (issuer := _issuer(one, above))}
        found += [Link(certificate=child, issuer=issuer) for child, issuer in issuers.items()]
        new = [one for one in waiting if one.certificate in issuers and one.authority and one.may_issue]
        waiting = [one for one in waiting if one.certificate not in issuers]
    return found


def _in_date(
    certificates: Iterable[bytes], anchors: Sequence[x509.Certificate], at: datetime
) -> Iterator[Facts]:
    for der in dict.fromkeys(certificates):
        for one in _parsed(x509.load_der_x509_certificate, der):
            facts = None if one in anchors else certificate_facts.read(one)
            if facts and facts.valid_from <= at <= facts.valid_to:
                yield facts


def _issuer(child: Facts, above: Mapping[names.Folded, Sequence[Facts]]) -> x509.Certificate | None:
    namesakes = above.get(child.issuer, ())[:NAMESAKES]
    return next((one.certificate for one in namesakes if certificate_facts.issued(child, one)), None)


def _intermediate(one: x509.Certificate) -> bool:
    facts = certificate_facts.read(one)
    return facts is not None and not facts.self_issued and facts.authority and facts.may_issue


def _inside(raw: bytes) -> list[x509.Certificate]:
    """Certificates in a file of any form in which authorities publish them (RFC 5280 §4.2.2.1)."""
    if raw.startswith(b"-----"):
        return _parsed(x509.load_pem_x509_certificates, raw) or _parsed(
            pkcs7.load_pem_pkcs7_certificates, raw
        )
    return _parsed(x509.load_der_x509_certificate, raw) or _parsed(pkcs7.load_der_pkcs7_certificates, raw)


def _parsed(
    parse: Callable[[bytes], x509.Certificate | list[x509.Certificate]], raw: bytes
) -> list[x509.Certificate]:
    try:
        found = parse(raw)
    except UNREADABLE:
        return []
    return found if isinstance(found, list) else [found]
