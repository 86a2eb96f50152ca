# mypy: allow-untyped-calls
# asn1crypto ships no complete types.

"""A timestamp authority of tests and the demo (cơ quan cấp dấu thời gian thử nghiệm): its certificate and its tokens."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from asn1crypto import algos, cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from signing import keys

_POLICY = "2.16.704.1.1.1.1.99"


def authority(
    issuer: keys.Issuer, name: str, *, key: keys.PrivateKey, at: datetime, serial: int
) -> keys.Holder:
    """A certificate for timestamps alone, bindingly (RFC 3161 §2.3), with its key."""
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    certificate = keys.special(issuer, name, key.public_key(), [(purpose, True)], at=at, serial=serial)
    return keys.Holder(certificate=certificate, key=key)


def token(
    stamper: keys.Holder,
    digest: bytes,
    *,
    at: datetime,
    hash_name: str = "sha256",
    serial: int = 1,
    others: Sequence[x509.Certificate] = (),
) -> bytes:
    """A token (dấu thời gian, RFC 3161 §2.4.2; ContentInfo in DER) that `digest` existed at `at`.

    `others` go into the token beside the authority's certificate, so that its path can be built.
    """
    stated = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": _POLICY,
            "message_imprint": {"hash_algorithm": {"algorithm": hash_name}, "hashed_message": digest},
            "serial_number": serial,
            "gen_time": at,
        }
    )
    octets = stated.dump()
    attributes = _attributes(stamper, octets)
    data = {
        "version": "v3",
        "digest_algorithms": [{"algorithm": "sha256"}],
        "encap_content_info": {"content_type": "tst_info", "content": stated},
        "certificates": [_parsed(one) for one in (stamper.certificate, *others)],
        "signer_infos": [_signer(stamper, attributes)],
    }
    content = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(data)})
    return bytes(content.dump())


def _attributes(stamper: keys.Holder, octets: bytes) -> cms.CMSAttributes:
    reference = tsp.ESSCertIDv2(
        {
            "hash_algorithm": {"algorithm": "sha256"},
            "cert_hash": keys.fingerprint(stamper.certificate),
        }
    )
    values: Sequence[tuple[str, Any]] = (
        ("content_type", "tst_info"),
        ("message_digest", hashlib.sha256(octets).digest()),
        ("signing_certificate_v2", tsp.SigningCertificateV2({"certs": [reference]})),
    )
    return cms.CMSAttributes([{"type": kind, "values": [value]} for kind, value in values])


def _signer(stamper: keys.Holder, attributes: cms.CMSAttributes) -> cms.SignerInfo:
    certificate = _parsed(stamper.certificate)
    family = "rsa" if isinstance(stamper.key, rsa.RSAPrivateKey) else "ecdsa"
    return cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                "issuer_and_serial_number",
                {"issuer": certificate.issuer, "serial_number": certificate.serial_number},
            ),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": f"sha256_{family}"}),
            "signature": keys.signature(stamper.key, attributes.dump()),
        }
    )


def _parsed(certificate: x509.Certificate) -> asn1_x509.Certificate:
    parsed: asn1_x509.Certificate = asn1_x509.Certificate.load(keys.der(certificate))
    return parsed
