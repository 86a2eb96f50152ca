"""A small authority, two signers and ways to make signed PDF files, good and bad, for the tests of PDF signatures."""

import io
from datetime import UTC, datetime, timedelta
from functools import cache

from asn1crypto import cms
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signing import keys, pdf, pdf_write, trust

SIGNED_AT = datetime(2026, 1, 5, 8, tzinfo=UTC)
AT = SIGNED_AT + timedelta(minutes=10)
LISTED_AT = AT + timedelta(minutes=5)
ISSUED = SIGNED_AT - timedelta(days=200)

ROOT = keys.root("Gốc thử nghiệm", key=keys.new_key(), at=ISSUED)
AUTHORITY = keys.subordinate(ROOT, "Cơ quan chứng thực thử nghiệm", key=keys.new_key(), at=ISSUED)
PERSON_KEY = keys.new_key("rsa2048")
ORGANISATION_KEY = keys.new_key()
PERSON = keys.certificate(AUTHORITY, "Trần Thị Thử", PERSON_KEY.public_key(), at=ISSUED, serial=1)
ORGANISATION = keys.certificate(
    AUTHORITY, "UBND phường Thử", ORGANISATION_KEY.public_key(), at=ISSUED, serial=2
)
SEAL_KEY = keys.new_key("rsa2048")
SEAL = keys.certificate(AUTHORITY, "UBND phường Thử", SEAL_KEY.public_key(), at=ISSUED, serial=3)
TRUSTED = [ROOT.certificate.public_bytes(Encoding.PEM), AUTHORITY.certificate.public_bytes(Encoding.DER)]


def lists(revoked=None, at=LISTED_AT):
    return [
        keys.revocation_list(ROOT, {}, at=at),
        keys.revocation_list(AUTHORITY, revoked or {}, at=at),
    ]


TRUST = trust.load(TRUSTED, lists())


@cache
def page():
    return pdf_write.blank(["ỦY BAN NHÂN DÂN", "Số: ..../UBND-VP", "Nội dung văn bản thử nghiệm"])


@cache
def by_person(**how):
    return pdf_write.sign(
        page(), PERSON_KEY, PERSON, at=SIGNED_AT, field="Ca nhan", name="Trần Thị Thử", **how
    )


def by_organisation(raw, **how):
    return pdf_write.sign(raw, ORGANISATION_KEY, ORGANISATION, at=SIGNED_AT, field="Co quan", **how)


@cache
def by_both():
    return by_organisation(by_person())


def asn1(certificate):
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def context(at=AT, **more):
    """What pyHanko's own validation is given: the same authorities and revocation lists, data required."""
    return ValidationContext(
        trust_roots=[asn1(ROOT.certificate)],
        other_certs=[asn1(AUTHORITY.certificate)],
        crls=lists(),
        allow_fetching=False,
        revocation_mode="require",
        moment=at,
        **more,
    )


def pyhanko_signer(key=ORGANISATION_KEY, certificate=ORGANISATION, **more):
    der = key.private_bytes(Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    authorities = SimpleCertificateStore()
    authorities.register_multiple([asn1(ROOT.certificate), asn1(AUTHORITY.certificate)])
    return signers.SimpleSigner(asn1(certificate), asn1_keys.PrivateKeyInfo.load(der), authorities, **more)


def pyhanko_signed(
    raw, field, key=ORGANISATION_KEY, certificate=ORGANISATION, *, timestamper=None, **metadata
):
    """A file signed by pyHanko itself, PAdES with SHA-256 unless said otherwise."""
    how = {"md_algorithm": "sha256", "subfilter": fields.SigSeedSubFilter.PADES, **metadata}
    return signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(raw)),
        signers.PdfSignatureMetadata(field_name=field, **how),
        pyhanko_signer(key, certificate),
        timestamper=timestamper,
    ).getvalue()


def value_of(attributes, key=ORGANISATION_KEY):
    return key.sign(attributes, ec.ECDSA(hashes.SHA256()))


def with_contents(change, raw=None):
    """A file signed by the organisation whose SignedData `change` has altered before it was written."""

    def contents(digest):
        whole = cms.ContentInfo.load(pdf_write.signed_data(digest, value_of, [asn1(ORGANISATION)]))
        changed = change(whole)
        return whole.dump() if changed is None else changed

    return pdf_write.embed(raw or page(), contents, 4096, at=SIGNED_AT, field="Co quan")


def hole_of(raw, number=-1):
    """Start and end of the `number`-th `/Contents` string, its angle brackets included."""
    start = -1
    starts = []
    while (start := raw.find(b"/Contents <", start + 1)) >= 0:
        starts.append(start + len(b"/Contents "))
    return starts[number], raw.index(b">", starts[number]) + 1


def updated(raw, change):
    """`raw` with a revision in which `change` (of pyHanko's writer) has altered something."""
    writer = IncrementalPdfFileWriter(io.BytesIO(raw))
    change(writer)
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def judged(raw, trusted=TRUST, at=AT):
    return pdf.verify(raw, trusted, at, where="cong-van.pdf")


def only(raw, **how):
    (verdict,) = judged(raw, **how).verdicts
    return verdict


def codes(report):
    return [remark.code for remark in report.remarks]


def ending(verdict):
    return verdict.indication, verdict.sub_indication, verdict.why


def forge(raw, change):
    start, end = hole_of(raw)
    contents = change(bytes.fromhex(raw[start + 1 : end - 1].decode()))
    return raw[: start + 1] + contents.hex().encode() + raw[end - 1 :]


def flip_last_of_value(contents):
    end = len(contents.rstrip(b"\0"))
    return contents[: end - 1] + bytes([contents[end - 1] ^ 1]) + contents[end:]


def remove_field(writer):
    del writer.root["/AcroForm"]["/Fields"][0]
    writer.update_container(writer.root["/AcroForm"]["/Fields"])
