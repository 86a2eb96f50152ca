# mypy: allow-untyped-calls
# asn1crypto and pyHanko ship no complete types.

"""One detached CMS signature (RFC 5652) as PDF carries it: who signed which digest, with what, and does it hold.

Theory of operation. `check` parses the SignedData once and runs a table of checks in a fixed order: algorithms,
frame, digest, certificate, the reference to it (ESS, RFC 5035), signature value. The first failure is the answer.
A digest that differs is told before any doubt about the certificate: it is final, the doubt is not.

Nothing outside the signed attributes is believed: the certificate comes from an unsigned bag, so it must be the
one that the attributes name. A signature without signed attributes is refused, for the attributes of another
signature could then be passed off as a file. Whether the certificate is to be trusted is asked elsewhere
(`signing.judge`).

asn1crypto parses lazily and raises ValueError, TypeError or KeyError on hostile bytes; the caller catches them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

from asn1crypto import cms, core, parser, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyhanko.sign import general

from signing import algorithms
from signing.verdict import Indication, SubIndication

ContentType: TypeAlias = Literal["data", "tst_info"]

MOST_CERTIFICATES = 32
_SET_OF = b"\x31"  # signed attributes are signed as SET OF, not under their tag [0] (RFC 5652 5.4)

METHODS: Mapping[str, algorithms.Method] = {
    **{f"{digest}_rsa": algorithms.Method("pkcs1", digest) for digest in algorithms.HASHES},
    **{f"{digest}_ecdsa": algorithms.Method("ecdsa", digest) for digest in algorithms.HASHES},
}
"""Signature algorithms that name their hash; `rsassa_pkcs1v15` and `rsassa_pss` leave it to other fields."""


class Failure(NamedTuple):
    """Why a signature does not hold; `why` is the code of the sentence `verdict.<why>`."""

    indication: Indication
    sub_indication: SubIndication
    why: str


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What one SignedData says (chữ ký số dạng CMS): failure, signer's certificate, those beside it, claimed time."""

    failure: Failure | None
    certificate: x509.Certificate | None = None
    others: tuple[x509.Certificate, ...] = ()
    signed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class _Signature:
    """One parsed signature: `attributes` as they were signed, `values` of them by name, `named` the signer's certificate."""

    data: cms.SignedData
    signer: cms.SignerInfo
    attributes: bytes
    values: Mapping[str, list[Any]]
    named: asn1_x509.Certificate | None
    digest_of: Callable[[str], bytes]
    reference_required: bool
    content_type: ContentType


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

    `reference_required`: CAdES and PAdES demand the attribute that names the certificate.
    `content_type`: `data` stands beside the signature, the `tst_info` of a timestamp inside.
    Raises ValueError, TypeError or KeyError when the bytes are no SignedData.
    """
    data = _content(contents)
    if len(data["signer_infos"]) != 1:
        return Checked(failure=failed(SubIndication.FORMAT_FAILURE, "cms_signers"))
    signer = data["signer_infos"][0]
    attributes, bag = _attributes(signer), _bag(data)
    signature = _Signature(
        data=data,
        signer=signer,
        attributes=attributes,
        values=_values(signer),
        named=next((one for one in bag if _names(signer, one)), None),
        digest_of=digest_of,
        reference_required=reference_required,
        content_type=content_type,
    )
    failures = (one(signature) for one in _CHECKS)
    failure = next((failure for failure in failures if failure), None)
    return Checked(
        failure=failure,
        certificate=_certificate(signature.named) if signature.named else None,
        others=tuple(_readable(one for one in bag if one is not signature.named)),
        signed_at=_signing_time(signature),
    )


def _content(contents: bytes) -> cms.SignedData:
    """The SignedData. Bytes behind it must be the padding that PDF reserves: no signature covers them."""
    if any(contents[parser.peek(contents) :]):
        raise ValueError("bytes behind the signature")
    information = cms.ContentInfo.load(contents)
    if information["content_type"].native != "signed_data":
        raise ValueError("not SignedData")
    data: cms.SignedData = information["content"]
    return data


def _attributes(signer: cms.SignerInfo) -> bytes:
    """The signed attributes as they were signed; taken before anything reads, hence may rewrite, them."""
    if signer["signed_attrs"] is core.VOID or not len(signer["signed_attrs"]):
        raise ValueError("no signed attributes")
    return _SET_OF + bytes(signer["signed_attrs"].dump())[1:]


def _bag(data: cms.SignedData) -> list[asn1_x509.Certificate]:
    """X.509 certificates that came along, the first few."""
    choices = [] if data["certificates"] is core.VOID else list(data["certificates"])
    return [one.chosen for one in choices if one.name == "certificate"][:MOST_CERTIFICATES]


def _values(signer: cms.SignerInfo) -> Mapping[str, list[Any]]:
    """Values of signed attributes by the attribute's name, over all its occurrences."""
    values: dict[str, list[Any]] = {}
    for attribute in signer["signed_attrs"]:
        values.setdefault(attribute["type"].native, []).extend(attribute["values"])
    return values


def _names(signer: cms.SignerInfo, certificate: asn1_x509.Certificate) -> bool:
    """Whether the signer's identifier means this certificate (RFC 5652 5.3)."""
    identifier = signer["sid"]
    if identifier.name == "subject_key_identifier":
        return bool(certificate.key_identifier == identifier.chosen.native)
    # Numbers first: comparing names costs a thousand times as much.
    numbered = identifier.chosen["serial_number"].native == certificate.serial_number
    return numbered and general.match_issuer_serial(identifier.chosen, certificate)


def _check_algorithms(signature: _Signature) -> Failure | None:
    if _method(signature.signer) is None:
        return doubtful(SubIndication.CRYPTO_CONSTRAINTS_FAILURE, "cms_algorithm")
    return None


def _check_frame(signature: _Signature) -> Failure | None:
    """Content where it belongs, its type told once, one digest (RFC 5652 5.3, 11.1, 11.2)."""
    content, expected = signature.data["encap_content_info"], signature.content_type
    detached = content["content"].native is None
    if content["content_type"].native != expected or detached != (expected == "data"):
        return failed(SubIndication.FORMAT_FAILURE, "cms_not_detached")
    kinds = [value.native for value in signature.values.get("content_type", ())]
    if kinds != [expected] or len(signature.values.get("message_digest", ())) != 1:
        return failed(SubIndication.FORMAT_FAILURE, "cms_attributes")
    return None


def _check_digest(signature: _Signature) -> Failure | None:
    name = signature.signer["digest_algorithm"]["algorithm"].native
    if signature.values["message_digest"][0].native != signature.digest_of(name):
        return failed(SubIndication.HASH_FAILURE, "cms_digest")
    return None


def _check_certificate(signature: _Signature) -> Failure | None:
    if signature.named is None:
        return doubtful(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "cms_no_certificate")
    try:
        strong = algorithms.key_is_strong(_certificate(signature.named).public_key())
    except UnsupportedAlgorithm:
        strong = False
    if not strong:
        return doubtful(SubIndication.CRYPTO_CONSTRAINTS_FAILURE, "weak_key")
    return None


def _check_reference(signature: _Signature) -> Failure | None:
    """The ESS attribute, version 2 before version 1; its first entry must be the signer's certificate (RFC 5035 3)."""
    assert signature.named is not None
    for name, kind in (
        ("signing_certificate_v2", tsp.SigningCertificateV2),
        ("signing_certificate", tsp.SigningCertificate),
    ):
        values = signature.values.get(name, ())
        if values:
            reference = kind.load(values[0].dump())["certs"][0]
            matches = len(values) == 1 and general.check_ess_certid(signature.named, reference)
            return None if matches else _OTHER_CERTIFICATE
    if signature.reference_required:
        return doubtful(SubIndication.SIG_CONSTRAINTS_FAILURE, "cms_no_reference")
    return None


def _check_value(signature: _Signature) -> Failure | None:
    assert signature.named is not None
    method = _method(signature.signer)
    assert method is not None
    key = _certificate(signature.named).public_key()
    value = signature.signer["signature"].native
    try:
        if method.family == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(value, signature.attributes, ec.ECDSA(algorithms.HASHES[method.hash_name]))
            return None
        if method.family != "ecdsa" and isinstance(key, rsa.RSAPublicKey):
            chosen = algorithms.HASHES[method.hash_name]
            key.verify(value, signature.attributes, _padding(signature.signer, method), chosen)
            return None
    except InvalidSignature:
        pass
    return failed(SubIndication.SIG_CRYPTO_FAILURE, "cms_value")


_OTHER_CERTIFICATE = doubtful(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "cms_other_certificate")

_CHECKS = (
    _check_algorithms,
    _check_frame,
    _check_digest,
    _check_certificate,
    _check_reference,
    _check_value,
)
"""The checks in their order; each may rely on those before it."""


def _method(signer: cms.SignerInfo) -> algorithms.Method | None:
    """How the value was made, or None when hash or method are not on our list or do not agree."""
    digest = signer["digest_algorithm"]["algorithm"].native
    if digest not in algorithms.HASHES:
        return None
    name = signer["signature_algorithm"]["algorithm"].native
    if name == "rsassa_pkcs1v15":
        return algorithms.Method("pkcs1", digest)
    if name == "rsassa_pss":
        return algorithms.Method("pss", digest) if _pss_agrees(signer, digest) else None
    method = METHODS.get(name)
    return method if method and method.hash_name == digest else None


def _pss_agrees(signer: cms.SignerInfo, digest: str) -> bool:
    """Whether hash and mask generation use the digest's hash too (RFC 4056 3)."""
    parameters = signer["signature_algorithm"]["parameters"]
    mask = parameters["mask_gen_algorithm"]
    used = (parameters["hash_algorithm"]["algorithm"].native, mask["parameters"]["algorithm"].native)
    return used == (digest, digest) and mask["algorithm"].native == "mgf1"


def _padding(signer: cms.SignerInfo, method: algorithms.Method) -> padding.AsymmetricPadding:
    if method.family == "pkcs1":
        return padding.PKCS1v15()
    salt = signer["signature_algorithm"]["parameters"]["salt_length"].native
    return padding.PSS(mgf=padding.MGF1(algorithms.HASHES[method.hash_name]), salt_length=salt)


def _certificate(parsed: asn1_x509.Certificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(parsed.dump())


def _readable(bag: Iterable[asn1_x509.Certificate]) -> Iterator[x509.Certificate]:
    """Certificates beside the signer's; one that cannot be read helps nobody and harms nobody."""
    for one in bag:
        with suppress(ValueError):
            yield _certificate(one)


def _signing_time(signature: _Signature) -> datetime | None:
    times = signature.values.get("signing_time", ())
    moment = times[0].native if times else None
    return moment if isinstance(moment, datetime) and moment.tzinfo else None
