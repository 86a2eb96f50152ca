"""Which of the certificates in a signature's KeyInfo made it; a bare KeyValue is never trusted (XMLDSig §4.4)."""

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from signing import algorithms, xml_key_info, xml_text
from signing.algorithms import DS
from signing.xml_document import Element
from signing.xml_structure import Signature

_DSIG11 = "http://www.w3.org/2009/xmldsig11#"
_CURVES = {
    "urn:oid:1.2.840.10045.3.1.7": "secp256r1",
    "urn:oid:1.3.132.0.34": "secp384r1",
    "urn:oid:1.3.132.0.35": "secp521r1",
}


def signer(signature: Signature, signed: bytes) -> x509.Certificate | str:
    """The one certificate whose key made the signature value over `signed`, or what is wrong.

    Other certificates beside it must be those of its issuers. Two certificates with the same key would leave open who
    signed; a key, a name or a number that is not the certificate's contradicts it.
    """
    info = signature.key_info
    keys = [(one, one.public_key()) for one in info.certificates if one]
    if not keys:
        return "no_certificate"
    made_it = [
        (one, key)
        for one, key in keys
        if algorithms.signature_is_valid(signature.method, key, signature.value, signed)
    ]
    if not made_it:
        strong = all(algorithms.key_is_strong(key) for _, key in keys)
        return "signature_value_wrong" if strong else "weak_key"
    if len(made_it) > 1:
        return "several_certificates"
    certificate, key = made_it[0]
    if info.key_values and not all(_is_key(value, key) for value in info.key_values):
        return "key_value_differs"
    return "key_info_differs" if xml_key_info.contradiction(info, certificate) else certificate


def _is_key(value: Element, key: PublicKeyTypes) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        return _rsa_numbers(value) == key.public_numbers()
    return isinstance(key, ec.EllipticCurvePublicKey) and _curve_point(value) == (key.curve.name, _point(key))


def _rsa_numbers(value: Element) -> rsa.RSAPublicNumbers | None:
    parts = [_bytes_at(value, f"{{{DS}}}RSAKeyValue/{{{DS}}}{name}") for name in ("Exponent", "Modulus")]
    exponent, modulus = (int.from_bytes(part or b"", "big") for part in parts)
    return rsa.RSAPublicNumbers(exponent, modulus)


def _curve_point(value: Element) -> tuple[str, bytes | None]:
    curve = value.find(f"{{{_DSIG11}}}ECKeyValue/{{{_DSIG11}}}NamedCurve")
    name = _CURVES.get(curve.get("URI", ""), "") if curve is not None else ""
    return name, _bytes_at(value, f"{{{_DSIG11}}}ECKeyValue/{{{_DSIG11}}}PublicKey")


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _bytes_at(value: Element, place: str) -> bytes | None:
    return xml_text.decode(xml_text.squeezed(value.find(place)))
