"""What an XML signature may use, as tables: algorithm URIs, canonical forms, key sizes, known placeholders.

Whatever is not in a table is refused (INDETERMINATE/CRYPTO_CONSTRAINTS_FAILURE or SIG_CONSTRAINTS_FAILURE):
SHA-1, HMAC, DSA, XPath, XSLT, canonical forms that keep comments. Sources: Circular 15/2025/TT-BKHCN annexes
(RSA >= 2048 bits, ECDSA >= 256 bits, SHA-2), RFC 9231 for the URIs, RFC 8017 for PSS, reference/edxml.md 7 for
the placeholders. PKCS#1 v1.5 stays: it is what real certificates and messages of state agencies carry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

DS = "http://www.w3.org/2000/09/xmldsig#"
ENVELOPED = DS + "enveloped-signature"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
CANONICAL_FORMS: Mapping[str, Literal["exclusive", "inclusive"]] = {
    EXCLUSIVE: "exclusive",
    INCLUSIVE: "inclusive",
}

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_MORE_2007 = "http://www.w3.org/2007/05/xmldsig-more#"
_ENCRYPTION = "http://www.w3.org/2001/04/xmlenc#"

DIGESTS: Mapping[str, str] = {
    _ENCRYPTION + "sha256": "sha256",
    _MORE + "sha384": "sha384",
    _ENCRYPTION + "sha512": "sha512",
}
"""Digest URI -> name in hashlib."""

HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True)
class Method:
    """How a signature value is made: `pkcs1` (RSA PKCS#1 v1.5), `pss` (MGF1, same hash, salt as long) or `ecdsa`."""

    family: Literal["pkcs1", "pss", "ecdsa"]
    hash_name: str


METHODS: Mapping[str, Method] = {
    _MORE + "rsa-sha256": Method("pkcs1", "sha256"),
    _MORE + "rsa-sha384": Method("pkcs1", "sha384"),
    _MORE + "rsa-sha512": Method("pkcs1", "sha512"),
    _MORE_2007 + "sha256-rsa-MGF1": Method("pss", "sha256"),
    _MORE_2007 + "sha384-rsa-MGF1": Method("pss", "sha384"),
    _MORE_2007 + "sha512-rsa-MGF1": Method("pss", "sha512"),
    _MORE + "ecdsa-sha256": Method("ecdsa", "sha256"),
    _MORE + "ecdsa-sha384": Method("ecdsa", "sha384"),
    _MORE + "ecdsa-sha512": Method("ecdsa", "sha512"),
}

SMALLEST_RSA, LARGEST_RSA = 2048, 8192
CURVES = ("secp256r1", "secp384r1", "secp521r1")
CERTIFICATE_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)

PLACEHOLDER_VALUES = frozenset({"8c88b59e6ceda796cd17b7d3cf98fd8fd9b84e07bbc16529c92c23c62fc4feaa"})
"""SHA-256 of SignatureValue texts without white space that vendor libraries write into every message."""

PLACEHOLDER_CERTIFICATES = frozenset({"MIIFqTCCBJG"})
"""X509Certificate texts without white space that stand where nobody signed."""


def key_is_strong(key: PublicKeyTypes) -> bool:
    """Whether a key of this kind and size is accepted for signers and authorities."""
    if isinstance(key, rsa.RSAPublicKey):
        return SMALLEST_RSA <= key.key_size <= LARGEST_RSA
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES


def is_signed_strongly(certificate: x509.Certificate | x509.CertificateRevocationList) -> bool:
    """Whether the issuer signed this certificate or list with SHA-2."""
    return isinstance(certificate.signature_hash_algorithm, CERTIFICATE_HASHES)


def signature_is_valid(method: Method, key: PublicKeyTypes, value: bytes, signed: bytes) -> bool:
    """Whether `value` (RSA block, or ECDSA r||s of RFC 9231 2.3.6) signs `signed` under the certificate's key."""
    try:
        return _verify(method, key, value, signed)
    except (InvalidSignature, ValueError):
        return False


def _verify(method: Method, key: PublicKeyTypes, value: bytes, signed: bytes) -> bool:
    chosen = HASHES[method.hash_name]
    if method.family == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(_from_raw(value, key), signed, ec.ECDSA(chosen))
        return True
    if method.family != "ecdsa" and isinstance(key, rsa.RSAPublicKey) and key.key_size <= LARGEST_RSA:
        key.verify(value, signed, rsa_padding(method), chosen)
        return True
    return False


def rsa_padding(method: Method) -> padding.AsymmetricPadding:
    """The padding of an RSA method."""
    chosen = HASHES[method.hash_name]
    if method.family == "pss":
        return padding.PSS(mgf=padding.MGF1(chosen), salt_length=chosen.digest_size)
    return padding.PKCS1v15()


def coordinate_size(key: ec.EllipticCurvePublicKey) -> int:
    """Bytes of r and of s in a raw ECDSA signature under this key."""
    return (key.curve.key_size + 7) // 8


def _from_raw(value: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    size = coordinate_size(key)
    if len(value) != 2 * size:
        raise ValueError("not r||s of this curve")
    return encode_dss_signature(int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big"))
