# mypy: allow-untyped-calls
# asn1crypto and pyHanko ship no complete types.

"""Making signature files (CAdES-B, EN 319 122-1): detached `.p7s`, or `.p7m` around the content.

The signed attributes are content type, digest, claimed time and the signer's certificate (ESS, RFC 5035). No clock and
no randomness beyond the signature value's own.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import algos, cms, pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyhanko.sign import general

from signing import keys
from signing.keys import PrivateKey

_NAMED = {"rsa": "sha256_rsa", "ec": "sha256_ecdsa"}


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Who signs (người ký): key, certificate, and the authorities' certificates that go along.

    `stamped` makes a timestamp token of the signature value (CAdES-T).
    """

    key: PrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()
    stamped: Callable[[bytes], bytes] | None = None


def sign(
    content: bytes, signers: Sequence[Signer], *, at: datetime, inside: bool = False, armoured: bool = False
) -> bytes:
    """The signatures of `signers` over `content` in one file, DER or PEM (`armoured`); `inside`: with the content."""
    infos = [_signer_info(signer, content, at) for signer in signers]
    bag = dict.fromkeys(keys.der(one) for signer in signers for one in (signer.certificate, *signer.chain))
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
            "encap_content_info": {"content_type": "data", **({"content": content} if inside else {})},
            "certificates": [
                cms.CertificateChoices("certificate", asn1_x509.Certificate.load(one)) for one in bag
            ],
            "signer_infos": infos,
        }
    )
    der: bytes = cms.ContentInfo({"content_type": "signed_data", "content": data}).dump()
    return pem.armor("PKCS7", der) if armoured else der


def _signer_info(signer: Signer, content: bytes, at: datetime) -> cms.SignerInfo:
    certificate = asn1_x509.Certificate.load(keys.der(signer.certificate))
    attributes = cms.CMSAttributes(
        [
            general.simple_cms_attribute("content_type", "data"),
            general.simple_cms_attribute("message_digest", hashlib.sha256(content).digest()),
            general.simple_cms_attribute(
                "signing_time", cms.Time({"utc_time": at.astimezone(UTC).replace(microsecond=0)})
            ),
            general.simple_cms_attribute(
                "signing_certificate_v2", general.as_signing_certificate_v2(certificate)
            ),
        ]
    )
    named = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    value = _value(signer.key, attributes.dump())
    token = cms.ContentInfo.load(signer.stamped(value)) if signer.stamped else None
    stamps = [general.simple_cms_attribute("signature_time_stamp_token", token)] if token else None
    return cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier("issuer_and_serial_number", named),
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
            "signature_algorithm": algos.SignedDigestAlgorithm(
                {"algorithm": _NAMED[certificate.public_key.algorithm]}
            ),
            "signed_attrs": attributes,
            "signature": value,
            **({"unsigned_attrs": stamps} if stamps else {}),
        }
    )


def _value(key: PrivateKey, message: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(message, ec.ECDSA(hashes.SHA256()))
