# mypy: allow-untyped-calls
# asn1crypto and pyHanko ship no complete types.

"""CMS signatures (RFC 5652) as PDF and .p7s carry them: who signed which digest, with what, and does it hold.

Theory of operation. `check` and `check_signer` run a table of checks in a fixed order: algorithms, frame, digest,
certificate, the reference to it (ESS, RFC 5035), signature value. The first failure is the answer. A digest that
differs is told before any doubt about the certificate: it is final, the doubt is not.

Nothing outside the signed attributes is believed: the certificate comes from an unsigned bag, so it must be the
one that the attributes name. A signature without signed attributes is refused, for the attributes of another
signature could then be passed off as a file. Whether the certificate is to be trusted is asked elsewhere
(`signing.judge`).

asn1crypto parses lazily and raises ValueError, TypeError or KeyError on hostile bytes; the caller catches them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

from asn1crypto import cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pyhanko.sign import general

from signing import algorithms, cms_data, cms_enclosed, revocation
from signing.verdict import Indication, SubIndication

ContentType: TypeAlias = Literal["data", "tst_info"]


class Failure(NamedTuple):
    """Why a signature does not hold; `why` is the code of the sentence `verdict.<why>`."""

    indication: Indication
    sub_indication: SubIndication
    why: str


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What is asked of a signature: the digest of the content by hash name, and what the format demands.

    `reference_required`: PAdES demands the attribute that names the certificate. `place`: where the content stands.
    """

    digest_of: Callable[[str], bytes]
    reference_required: bool
    content_type: ContentType = "data"
    place: Literal["beside", "inside", "either"] = "beside"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What one signer's signature says (chữ ký số dạng CMS): failure, certificate, those beside it, claimed time.

    `referenced`: the signed attributes name the certificate. `timestamps` are tokens over `value`, the signature value;
    `enclosed` are revocation lists and OCSP responses that came along.
    """

    failure: Failure | None
    certificate: x509.Certificate | None = None
    others: tuple[x509.Certificate, ...] = ()
    signed_at: datetime | None = None
    referenced: bool = False
    value: bytes = b""
    timestamps: tuple[bytes, ...] = ()
    enclosed: revocation.Enclosed = field(default_factory=revocation.Enclosed)


@dataclass(frozen=True, kw_only=True)
class _Signature:
    """One parsed signature: `attributes` as they were signed, `values` of them by name, `named` the signer's certificate."""

    data: cms.SignedData
    signer: cms.SignerInfo
    attributes: bytes
    values: Mapping[str, list[Any]]
    named: asn1_x509.Certificate | None
    terms: Terms


def failed(sub_indication: SubIndication, why: str) -> Failure:
    """A final failure: TOTAL_FAILED."""
    return Failure(Indication.TOTAL_FAILED, sub_indication, why)


def doubtful(sub_indication: SubIndication, why: str) -> Failure:
    """A doubt that other material could settle: INDETERMINATE."""
    return Failure(Indication.INDETERMINATE, sub_indication, why)


def check(
    contents: bytes,
    digest_of: Callable[[str], bytes],
    *,
    reference_required: bool,
    content_type: ContentType = "data",
) -> Checked:
    """Judges `contents` (SignedData, zero-padded) over the content whose digest by hash name is `digest_of`.

    Exactly one signer. `content_type`: `data` stands beside the signature, the `tst_info` of a timestamp inside.
    Raises ValueError, TypeError or KeyError when the bytes are no SignedData.
    """
    data = cms_data.content(contents)
    if len(data["signer_infos"]) != 1:
        return Checked(failure=failed(SubIndication.FORMAT_FAILURE, "cms_signers"))
    terms = Terms(
        digest_of=digest_of,
        reference_required=reference_required,
        content_type=content_type,
        place="beside" if content_type == "data" else "inside",
    )
    return check_signer(data, data["signer_infos"][0], terms)


def check_signer(data: cms.SignedData, signer: cms.SignerInfo, terms: Terms) -> Checked:
    """Judges one signer of a SignedData. Raises ValueError, TypeError or KeyError when the bytes are none."""
    attributes, bag = cms_data.attributes(signer), cms_data.certificates(data)
    signature = _Signature(
        data=data,
        signer=signer,
        attributes=attributes,
        values=cms_data.values(signer),
        named=next((one for one in bag if cms_data.names(signer, one)), None),
        terms=terms,
    )
    failures = (one(signature) for one in _CHECKS)
    failure = next((failure for failure in failures if failure), None)
    return Checked(
        failure=failure,
        certificate=cms_data.certificate(signature.named) if signature.named else None,
        others=(
            *cms_data.readable(one for one in bag if one is not signature.named),
            *cms_enclosed.certificates(signer),
        ),
        signed_at=cms_data.signing_time(signature.values),
        referenced=any(name in signature.values for name, _ in _REFERENCES),
        value=signer["signature"].native,
        timestamps=cms_data.timestamps(signer),
        enclosed=cms_enclosed.enclosed(data, signer, signature.values),
    )


def _check_algorithms(signature: _Signature) -> Failure | None:
    if cms_data.method(signature.signer) is None:
        return doubtful(SubIndication.CRYPTO_CONSTRAINTS_FAILURE, "cms_algorithm")
    return None


def _check_frame(signature: _Signature) -> Failure | None:
    """Content where it belongs, its type told once, one digest (RFC 5652 5.3, 11.1, 11.2)."""
    content, terms = signature.data["encap_content_info"], signature.terms
    place = "beside" if content["content"].native is None else "inside"
    if content["content_type"].native != terms.content_type or terms.place not in (place, "either"):
        return failed(SubIndication.FORMAT_FAILURE, "cms_not_detached")
    kinds = [value.native for value in signature.values.get("content_type", ())]
    if kinds != [terms.content_type] or len(signature.values.get("message_digest", ())) != 1:
        return failed(SubIndication.FORMAT_FAILURE, "cms_attributes")
    return None


def _check_digest(signature: _Signature) -> Failure | None:
    name = signature.signer["digest_algorithm"]["algorithm"].native
    if signature.values["message_digest"][0].native != signature.terms.digest_of(name):
        return failed(SubIndication.HASH_FAILURE, "cms_digest")
    return None


def _check_certificate(signature: _Signature) -> Failure | None:
    if signature.named is None:
        return doubtful(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "cms_no_certificate")
    try:
        strong = algorithms.key_is_strong(cms_data.certificate(signature.named).public_key())
    except UnsupportedAlgorithm:
        strong = False
    if not strong:
        return doubtful(SubIndication.CRYPTO_CONSTRAINTS_FAILURE, "weak_key")
    return None


def _check_reference(signature: _Signature) -> Failure | None:
    """The ESS attribute, version 2 before version 1; its first entry must be the signer's certificate (RFC 5035 3)."""
    assert signature.named is not None
    for name, kind in _REFERENCES:
        values = signature.values.get(name, ())
        if values:
            reference = kind.load(values[0].dump())["certs"][0]
            matches = len(values) == 1 and general.check_ess_certid(signature.named, reference)
            return None if matches else _OTHER_CERTIFICATE
    if signature.terms.reference_required:
        return doubtful(SubIndication.SIG_CONSTRAINTS_FAILURE, "cms_no_reference")
    return None


def _check_value(signature: _Signature) -> Failure | None:
    assert signature.named is not None
    method = cms_data.method(signature.signer)
    assert method is not None
    key = cms_data.certificate(signature.named).public_key()
    value = signature.signer["signature"].native
    try:
        if method.family == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(value, signature.attributes, ec.ECDSA(algorithms.HASHES[method.hash_name]))
            return None
        if method.family != "ecdsa" and isinstance(key, rsa.RSAPublicKey):
            chosen = algorithms.HASHES[method.hash_name]
            key.verify(value, signature.attributes, cms_data.rsa_padding(signature.signer, method), chosen)
            return None
    except InvalidSignature:
        pass
    return failed(SubIndication.SIG_CRYPTO_FAILURE, "cms_value")


_OTHER_CERTIFICATE = doubtful(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "cms_other_certificate")
_REFERENCES = (
    ("signing_certificate_v2", tsp.SigningCertificateV2),
    ("signing_certificate", tsp.SigningCertificate),
)

_CHECKS = (
    _check_algorithms,
    _check_frame,
    _check_digest,
    _check_certificate,
    _check_reference,
    _check_value,
)
"""The checks in their order; each may rely on those before it."""
