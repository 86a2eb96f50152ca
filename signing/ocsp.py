"""Answers of the online status protocol (OCSP, RFC 6960): read once, found by serial number, believed only when signed.

A response counts only when the issuer of the certificate signed it, or a responder to whom that very issuer gave a
certificate for this purpose (§4.2.2.2). Whose certificate an answer is about is told by digests of the issuer's name
and key; SHA-1 is allowed there, for it only names (§4.3), and nowhere else.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509 import ocsp
from cryptography.x509.oid import SignatureAlgorithmOID

from signing import algorithms, certificate_facts, names
from signing.certificate_facts import Facts

MOST_BYTES = 1 << 20
MOST_ANSWERS = 64
MOST_CERTIFICATES = 8
Status = ocsp.OCSPCertStatus

_ALGORITHMS = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_SHA256,
        SignatureAlgorithmOID.RSA_WITH_SHA384,
        SignatureAlgorithmOID.RSA_WITH_SHA512,
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)
_NAMED_BY = (hashes.SHA1, *algorithms.CERTIFICATE_HASHES)


@dataclass(frozen=True, kw_only=True, eq=False)
class Response:
    """One signed response, read once; `certificates` came inside and are believed only when the issuer signed them."""

    parsed: ocsp.OCSPResponse
    der: bytes
    sha256: str
    produced_at: datetime
    certificates: tuple[x509.Certificate, ...]
    _responders: dict[Facts, Facts | None] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What a response says of one certificate. Without `next_update` it speaks for no moment after `this_update`."""

    response: Response
    single: ocsp.OCSPSingleResponse
    this_update: datetime
    next_update: datetime


@dataclass(frozen=True, kw_only=True)
class Responses:
    """All answers at hand by the certificate's serial number, newest first."""

    by_serial: Mapping[int, tuple[Answer, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def all(self) -> tuple[Response, ...]:
        """Every response once, in no meaningful order."""
        answers = (one for answers in self.by_serial.values() for one in answers)
        return tuple(dict.fromkeys(answer.response for answer in answers))


def read(der: bytes) -> Response:
    """One response from DER. Raises ValueError when it cannot be read or says that there is none."""
    if len(der) > MOST_BYTES:
        raise ValueError("an OCSP response of more than a mebibyte")
    parsed = ocsp.load_der_ocsp_response(der)
    if parsed.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise ValueError(f"the responder did not answer: {parsed.response_status.name}")
    if any(extension.critical for extension in parsed.extensions):
        raise ValueError("a critical extension")
    if not any(True for _ in parsed.responses):
        raise ValueError("an OCSP response that answers nothing")
    return Response(
        parsed=parsed,
        der=der,
        sha256=hashlib.sha256(der).hexdigest(),
        produced_at=parsed.produced_at_utc,
        certificates=tuple(parsed.certificates[:MOST_CERTIFICATES]),
    )


def collect(responses: Iterable[Response]) -> Responses:
    """The answers of all responses by serial number, newest first."""
    by_serial: dict[int, list[Answer]] = {}
    for response in responses:
        for answer in _answers(response):
            by_serial.setdefault(answer.single.serial_number, []).append(answer)
    newest_first = {
        serial: tuple(sorted(group, key=lambda one: one.this_update, reverse=True))
        for serial, group in by_serial.items()
    }
    return Responses(by_serial=MappingProxyType(newest_first))


def _answers(response: Response) -> Iterable[Answer]:
    for number, single in enumerate(response.parsed.responses):
        if number == MOST_ANSWERS:
            return
        yield Answer(
            response=response,
            single=single,
            this_update=single.this_update_utc,
            next_update=single.next_update_utc or single.this_update_utc,
        )


def is_about(answer: Answer, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the answer's identifier means this certificate of this issuer (RFC 6960 §4.1.1)."""
    single = answer.single
    if single.serial_number != certificate.serial_number or not isinstance(single.hash_algorithm, _NAMED_BY):
        return False
    name, key = _digested(certificate.issuer.public_bytes(), issuer.public_key(), single.hash_algorithm)
    return single.issuer_name_hash == name and single.issuer_key_hash == key


def responder(response: Response, issuer: Facts) -> Facts | None:
    """Who signed the response: the issuer, or its delegate of that time by a certificate that came inside; else None.

    Whether a delegate's certificate was revoked is asked elsewhere, unless it says itself that nobody need ask.
    """
    known = response._responders  # noqa: SLF001 - what is remembered of a response stays with it
    if issuer not in known:
        known[issuer] = _responder(response, issuer)
    return known[issuer]


def _responder(response: Response, issuer: Facts) -> Facts | None:
    if _is_named(response, issuer) and _signed(response, issuer):
        return issuer
    for certificate in response.certificates:
        one = certificate_facts.read(certificate)
        if one and _is_named(response, one) and _delegated(one, issuer, response.produced_at):
            return one if _signed(response, one) else None
    return None


def _is_named(response: Response, candidate: Facts) -> bool:
    key_hash = response.parsed.responder_key_hash
    if key_hash is not None:
        named_by = hashes.SHA1()  # noqa: S303 - it names a key and proves nothing (RFC 6960 §4.2.1)
        return key_hash == _hashed(_bits(candidate.certificate.public_key()), named_by)
    name = response.parsed.responder_name
    return name is not None and names.folded(name) == candidate.subject


def _delegated(candidate: Facts, issuer: Facts, at: datetime) -> bool:
    """Whether the issuer itself let this key answer for it, at that time (RFC 6960 §4.2.2.2)."""
    if not candidate.valid_from <= at <= candidate.valid_to or candidate.issuer != issuer.subject:
        return False
    allowed = candidate.may_answer and not candidate.unprocessed and candidate.signed_strongly
    return allowed and certificate_facts.issued(candidate, issuer)


def _signed(response: Response, signer: Facts) -> bool:
    key, parsed = signer.certificate.public_key(), response.parsed
    digest = parsed.signature_hash_algorithm if parsed.signature_algorithm_oid in _ALGORITHMS else None
    if digest is None or not signer.key_strong:
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(parsed.signature, parsed.tbs_response_bytes, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(parsed.signature, parsed.tbs_response_bytes, ec.ECDSA(digest))
    except InvalidSignature:
        return False
    return True


def _digested(name: bytes, key: PublicKeyTypes, algorithm: hashes.HashAlgorithm) -> tuple[bytes, bytes]:
    """Digests of a name in DER and of the bits of a public key, as RFC 6960 §4.1.1 takes them."""
    return _hashed(name, algorithm), _hashed(_bits(key), algorithm)


def _hashed(data: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def _bits(key: PublicKeyTypes) -> bytes:
    if isinstance(key, ec.EllipticCurvePublicKey):
        form = serialization.PublicFormat.UncompressedPoint
        return key.public_bytes(serialization.Encoding.X962, form)
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return b""
