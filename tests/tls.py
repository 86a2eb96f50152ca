"""Certificates for TLS in tests: an authority of our own, a server's and clients'."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Identity:
    """A certificate and its key as PEM files, and the DER bytes."""

    certificate: Path
    key: Path
    der: bytes


def issue(folder, name, issuer=None, *, server=False, ca=False):
    """An identity signed by `issuer`, by itself without one; the files stand in `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    at = datetime.now(UTC)
    parent, signer = (
        (subject, key)
        if issuer is None
        else (
            x509.load_der_x509_certificate(issuer.der).subject,
            serialization.load_pem_private_key(issuer.key.read_bytes(), None),
        )
    )
    draft = x509.CertificateBuilder(
        subject_name=subject, issuer_name=parent, public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=at - timedelta(hours=1), not_valid_after=at + timedelta(days=1),
    ).add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)  # fmt: skip
    if server:
        names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        draft = draft.add_extension(x509.SubjectAlternativeName(names), critical=False)
    made = draft.sign(signer, hashes.SHA256())
    found = Identity(
        folder / f"{name}.crt", folder / f"{name}.key", made.public_bytes(serialization.Encoding.DER)
    )
    found.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    found.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return found


def context(authority, shown=None):
    """How a client speaks TLS: it trusts `authority` and shows that identity, if any."""
    made = ssl.create_default_context(cafile=authority.certificate)
    if shown is not None:
        made.load_cert_chain(shown.certificate, shown.key)
    return made
