"""Signature files for tests: by the two signers of `pdf_cases`, over any content, beside it or around it."""

import subprocess

import pdf_cases as cases
from asn1crypto import cms
from cryptography.hazmat.primitives.serialization import Encoding

from signing import keys, p7, p7_write

PERSON = p7_write.Signer(key=cases.PERSON_KEY, certificate=cases.PERSON)
ORGANISATION = p7_write.Signer(key=cases.ORGANISATION_KEY, certificate=cases.ORGANISATION)
CONTENT = "Nội dung báo cáo thử nghiệm\r\n".encode() * 40


def signed(content=CONTENT, *signers, **how):
    return p7_write.sign(content, signers or (ORGANISATION,), at=cases.SIGNED_AT, **how)


def judged(raw, content=CONTENT, trusted=cases.TRUST, at=cases.AT):
    return p7.verify(raw, content, trusted, at, where="bao-cao.docx", carrier="bao-cao.docx.p7s")


def only(raw, content=CONTENT, **how):
    (verdict,) = judged(raw, content, **how).verdicts
    return verdict


def changed(change, raw=None, **how):
    """A signature file whose SignedData `change` has altered."""
    whole = cms.ContentInfo.load(raw or signed(**how))
    change(whole["content"])
    return whole.dump(force=True)


def openssl(folder, *arguments, content=CONTENT, signer="person"):
    """What the `openssl` program signs with one of our keys."""
    key, certificate = {
        "person": (cases.PERSON_KEY, cases.PERSON),
        "organisation": (cases.ORGANISATION_KEY, cases.ORGANISATION),
    }[signer]
    (folder / "key.pem").write_bytes(keys.private_pem(key))
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "content").write_bytes(content)
    command = ["openssl", "cms", "-sign", "-binary", "-in", "content", "-signer", "certificate.pem"]
    command += ["-inkey", "key.pem", "-md", "sha256", "-outform", "DER", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout


def openssl_accepts(folder, raw, content=CONTENT):
    """Whether `openssl cms -verify` takes signature and signer; purposes and revocation are not asked."""
    (folder / "roots.pem").write_bytes(
        b"".join(one.certificate.public_bytes(Encoding.PEM) for one in (cases.ROOT, cases.AUTHORITY))
    )
    (folder / "signature").write_bytes(raw)
    command = [
        "openssl",
        "cms",
        "-verify",
        "-binary",
        "-inform",
        "DER",
        "-in",
        "signature",
        "-out",
        "/dev/null",
    ]
    command += ["-CAfile", "roots.pem", "-purpose", "any", "-attime", str(int(cases.AT.timestamp()))]
    if content is not None:
        (folder / "given").write_bytes(content)
        command += ["-content", "given"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0
