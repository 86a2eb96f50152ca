# mypy: allow-untyped-calls
# asn1crypto ships no complete types.

"""Revocation data of a test or demo authority: lists with reasons, holds, deltas and scopes, and OCSP responses.

Beside `signing.keys`, which issues the certificates. Moments, numbers and reasons are given by the caller.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, NotRequired, Required, TypedDict, Unpack

from asn1crypto import core as asn1_core
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from signing import keys

HOLD, RELEASED = x509.ReasonFlags.certificate_hold, x509.ReasonFlags.remove_from_crl
COMPROMISED = x509.ReasonFlags.key_compromise
_DER = serialization.Encoding.DER


class Revoked(NamedTuple):
    """Since when a certificate is revoked or held (thu hồi, tạm dừng), and why."""

    since: datetime
    reason: x509.ReasonFlags | None = None


class ListTerms(TypedDict):
    """What a list states: when made, for how many days, its number, the base of a delta, what it limits itself to."""

    at: Required[datetime]
    days: NotRequired[float]
    number: NotRequired[int]
    delta_of: NotRequired[int]
    scope: NotRequired[x509.IssuingDistributionPoint]


class AnswerTerms(TypedDict):
    """What an OCSP answer states: when made, for how many days, whether the certificate is known, and who answers."""

    at: Required[datetime]
    days: NotRequired[float | None]
    unknown: NotRequired[bool]
    responder: NotRequired[keys.Holder]
    by_name: NotRequired[bool]


def revocation_list(issuer: keys.Issuer, revoked: Mapping[int, Revoked], **terms: Unpack[ListTerms]) -> bytes:
    """A complete list, or with `delta_of` the changes since the list of that number, in DER (RFC 5280 §5)."""
    at = terms["at"]
    draft = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    draft = draft.last_update(at).next_update(at + timedelta(days=terms.get("days", 7)))
    draft = draft.add_extension(x509.CRLNumber(terms.get("number", 1)), critical=False)
    if "delta_of" in terms:
        draft = draft.add_extension(x509.DeltaCRLIndicator(terms["delta_of"]), critical=True)
    if "scope" in terms:
        draft = draft.add_extension(terms["scope"], critical=True)
    for serial, entry in revoked.items():
        draft = draft.add_revoked_certificate(_entry(serial, entry))
    return draft.sign(issuer.key, hashes.SHA256()).public_bytes(_DER)


def _entry(serial: int, entry: Revoked) -> x509.RevokedCertificate:
    draft = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(entry.since)
    if entry.reason:
        draft = draft.add_extension(x509.CRLReason(entry.reason), critical=False)
    return draft.build()


def responder(
    issuer: keys.Issuer, name: str, *, at: datetime, serial: int, no_check: bool = True
) -> keys.Holder:
    """Somebody to whom `issuer` leaves the answering (RFC 6960 §4.2.2.2): a certificate for it alone, and its key."""
    key = keys.new_key()
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
    extensions: list[tuple[x509.ExtensionType, bool]] = [(purpose, False)]
    if no_check:
        extensions.append((x509.OCSPNoCheck(), False))
    return keys.Holder(
        certificate=keys.special(issuer, name, key.public_key(), extensions, at=at, serial=serial), key=key
    )


def response(
    issuer: keys.Issuer,
    certificate: x509.Certificate,
    revoked: Revoked | None = None,
    **terms: Unpack[AnswerTerms],
) -> bytes:
    """An OCSP response on one certificate in DER, signed by the issuer or by the `responder` given."""
    signer: keys.Holder | keys.Issuer = terms.get("responder", issuer)
    days, at = terms.get("days", 7), terms["at"]
    status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
    draft = ocsp.OCSPResponseBuilder().add_response(
        cert=certificate,
        issuer=issuer.certificate,
        algorithm=hashes.SHA256(),
        cert_status=ocsp.OCSPCertStatus.UNKNOWN if terms.get("unknown") else status,
        this_update=at,
        next_update=None if days is None else at + timedelta(days=days),
        revocation_time=revoked.since if revoked else None,
        revocation_reason=revoked.reason if revoked else None,
    )
    named = ocsp.OCSPResponderEncoding.NAME if terms.get("by_name") else ocsp.OCSPResponderEncoding.HASH
    draft = draft.responder_id(named, signer.certificate)
    if "responder" in terms:
        draft = draft.certificates([signer.certificate])
    return produced(draft.sign(signer.key, hashes.SHA256()).public_bytes(_DER), signer.key, at)


def produced(der: bytes, key: keys.PrivateKey, at: datetime) -> bytes:
    """The response as produced at `at` and signed anew: the library writes the moment of its clock."""
    response = asn1_ocsp.OCSPResponse.load(der)
    basic = response["response_bytes"]["response"].parsed
    basic["tbs_response_data"]["produced_at"] = at
    basic["signature"] = keys.signature(key, basic["tbs_response_data"].dump())
    response["response_bytes"]["response"] = asn1_core.ParsableOctetString(basic.dump())
    return bytes(response.dump())


def scope(
    *,
    full_name: Sequence[x509.GeneralName] | None = None,
    signers: bool = False,
    authorities: bool = False,
    reasons: frozenset[x509.ReasonFlags] | None = None,
    indirect: bool = False,
) -> x509.IssuingDistributionPoint:
    """What a list limits itself to (RFC 5280 §5.2.5)."""
    return x509.IssuingDistributionPoint(
        full_name=full_name,
        relative_name=None,
        only_contains_user_certs=signers,
        only_contains_ca_certs=authorities,
        only_some_reasons=reasons,
        indirect_crl=indirect,
        only_contains_attribute_certs=False,
    )
