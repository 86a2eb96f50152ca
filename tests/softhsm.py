"""A token of software (SoftHSM 2) in a folder of its own, with keys that never leave it: `token()` makes it once a process."""

import atexit
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pdf_cases as cases
import pkcs11
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pkcs11 import Attribute, KeyType, ObjectClass
from pkcs11.util.ec import encode_named_curve_parameters

from signing import keys

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
LABEL, PIN = "Văn thư", "246810"


@dataclass
class Token:
    """Where the token's library is, and the certificates of its keys by label (`rsa`, `p256`, `bare` has none inside)."""

    module: str
    certificates: dict


@cache
def token():
    """The token of this process; a test that needs it is skipped without SoftHSM unless CONGVAN_REQUIRE_SOFTHSM is set."""
    module = next((one for one in MODULES if Path(one).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        assert not os.environ.get("CONGVAN_REQUIRE_SOFTHSM"), (
            "SoftHSM 2 is not installed (apt-get install softhsm2)"
        )
        pytest.skip("SoftHSM 2 is not installed")
    folder = Path(tempfile.mkdtemp(prefix="congvan-token-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")  # read when the library is loaded
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--so-pin", "135791", "--pin", PIN],
        check=True, capture_output=True,
    )  # fmt: skip
    return Token(module, _furnished(module))


def _furnished(module):
    certificates = {}
    with pkcs11.lib(module).get_token(token_label=LABEL).open(rw=True, user_pin=PIN) as session:
        for number, label in enumerate(("rsa", "p256", "bare"), 1):
            public = _generated(session, label, bytes([number]))
            certificate = keys.certificate(
                cases.AUTHORITY, f"Người dùng thiết bị {label}", public, at=cases.ISSUED, serial=100 + number
            )
            certificates[label] = certificate
            if label != "bare":
                session.create_object(
                    {
                        Attribute.CLASS: ObjectClass.CERTIFICATE,
                        Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                        Attribute.TOKEN: True,
                        Attribute.LABEL: label,
                        Attribute.ID: bytes([number]),
                        Attribute.SUBJECT: certificate.subject.public_bytes(),
                        Attribute.VALUE: keys.der(certificate),
                    }
                )
    return certificates


def _generated(session, label, number):
    """A key pair made inside the token; the public half."""
    if label == "rsa":
        public, _ = session.generate_keypair(KeyType.RSA, 2048, store=True, label=label, id=number)
        whole = (
            int.from_bytes(public[Attribute.PUBLIC_EXPONENT], "big"),
            int.from_bytes(public[Attribute.MODULUS], "big"),
        )
        return rsa.RSAPublicNumbers(*whole).public_key()
    curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
    parameters = session.create_domain_parameters(KeyType.EC, curve, local=True)
    public, _ = parameters.generate_keypair(store=True, label=label, id=number)
    point = public[Attribute.EC_POINT]
    raw = point[2:] if len(point) == 67 else point  # some wrap the point in an OCTET STRING
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes(raw))


def certificate_of(label) -> x509.Certificate:
    return token().certificates[label]
