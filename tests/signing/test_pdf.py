import asyncio
import io
import re
from datetime import timedelta
from pathlib import Path

import pdf_cases as cases
import pytest
from asn1crypto import keys as asn1_keys
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils import generic, writer
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from exchange.texts import LANGUAGES, catalogue
from signing import keys, pdf, pdf_write, trust
from signing.verdict import Indication, Remark, Report, SubIndication, TooComplexError

FORMAT, CRYPTO = SubIndication.FORMAT_FAILURE, SubIndication.CRYPTO_CONSTRAINTS_FAILURE


def test_a_person_then_an_organisation():
    report = cases.judged(cases.by_both())
    assert report.remarks == ()
    person, organisation = report.verdicts
    assert person.passed
    assert organisation.passed
    assert (person.provisional, organisation.provisional) == (False, False)
    assert (person.coverage.whole, person.coverage.detail) == (False, "revision")
    assert (organisation.coverage.whole, organisation.coverage.detail) == (True, "whole")
    assert person.changes_after == ("signature",)
    assert organisation.changes_after == ()
    assert (person.signer_name, organisation.signer_name) == ("Trần Thị Thử", "UBND phường Thử")
    assert person.certificate == cases.PERSON.public_bytes(Encoding.DER)
    assert organisation.certificate_sha256 == keys.fingerprint(cases.ORGANISATION).hex()
    assert person.signed_at_claimed == organisation.signed_at_claimed == cases.SIGNED_AT
    assert person.best_signature_time == cases.AT
    assert [person.position, organisation.position] == [0, 1]
    assert {person.where, organisation.where} == {"cong-van.pdf"}
    assert {person.format, organisation.format} == {"pades"}
    assert len(organisation.evidence) == 4  # two authorities, two revocation lists


def test_the_chain_may_come_with_the_signature():
    root_only = trust.load(cases.TRUSTED[:1], cases.lists())
    raw = cases.by_organisation(cases.page(), chain=[cases.AUTHORITY.certificate])
    assert cases.only(raw, trusted=root_only).passed
    assert cases.only(cases.by_organisation(cases.page()), trusted=root_only).why == "unknown_issuer"


@pytest.mark.parametrize("where", [b"/ActualText <feff", b"/BaseFont /Hel", b"/Lang (vi"])
def test_a_changed_byte_breaks_both_signatures(where):
    raw = cases.by_both()
    offset = raw.index(where) + len(where)
    report = cases.judged(raw[:offset] + b"7" + raw[offset + 1 :])
    expected = (Indication.TOTAL_FAILED, SubIndication.HASH_FAILURE, "cms_digest")
    assert [cases.ending(verdict) for verdict in report.verdicts] == [expected] * 2
    assert report.verdicts[0].certificate == cases.PERSON.public_bytes(Encoding.DER)


@pytest.mark.parametrize("tail", [b"\n", b"% a comment\n", bytes(900)])
def test_bytes_behind_the_end_are_covered_by_nobody(tail):
    person, organisation = cases.judged(cases.by_both() + tail).verdicts
    assert organisation.passed
    assert not organisation.coverage.whole
    assert organisation.changes_after == ("other",)
    assert not person.coverage.whole


def pyhanko_signed(
    raw, key=cases.ORGANISATION_KEY, certificate=cases.ORGANISATION, *, prefer_pss=False, **metadata
):
    der = key.private_bytes(Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    signer = signers.SimpleSigner(
        cases.asn1(certificate),
        asn1_keys.PrivateKeyInfo.load(der),
        SimpleCertificateStore(),
        prefer_pss=prefer_pss,
    )
    metadata = signers.PdfSignatureMetadata(field_name="Co quan", **metadata)
    output = signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(raw)), metadata, signer)
    return output.getvalue()


PERSONAL = {"key": cases.PERSON_KEY, "certificate": cases.PERSON}
PADES = {"subfilter": fields.SigSeedSubFilter.PADES}


@pytest.mark.parametrize("how", [{}, PADES, PERSONAL, {**PERSONAL, **PADES, "prefer_pss": True}])
def test_files_signed_by_pyhanko(how):
    verdict = cases.only(pyhanko_signed(cases.page(), md_algorithm="sha512", **how))
    assert verdict.passed
    assert verdict.coverage.whole
    assert verdict.signed_at_claimed is not None


def test_sha1_never_passes():
    for how in ({}, PERSONAL):
        verdict = cases.only(pyhanko_signed(cases.page(), md_algorithm="sha1", **how))
        assert cases.ending(verdict) == (Indication.INDETERMINATE, CRYPTO, "cms_algorithm")


def renamed_subfilter(name):
    def change(writer):
        value = writer.root["/AcroForm"]["/Fields"][0]["/V"]
        value[generic.pdf_name("/SubFilter")] = generic.pdf_name(name)
        writer.update_container(value)

    return cases.updated(cases.by_person(), change)


def test_other_kinds_of_signature():
    assert cases.only(renamed_subfilter("/adbe.x509.rsa_sha1")).why == "cms_algorithm"
    assert cases.only(renamed_subfilter("/X.unknown")).why == "pdf_subfilter"


def test_a_signature_dictionary_written_again_later_is_no_revision():
    verdict = cases.only(renamed_subfilter("/adbe.pkcs7.detached"))
    assert cases.ending(verdict) == (Indication.TOTAL_FAILED, FORMAT, "pdf_revision")


def test_trust_decides():
    raw = cases.by_both()
    assert {verdict.why for verdict in cases.judged(raw, trusted=trust.Trust()).verdicts} == {
        "unknown_issuer"
    }
    stranger = keys.root("Gốc thử nghiệm", key=keys.new_key(), at=cases.ISSUED)
    strange = trust.load([stranger.certificate.public_bytes(Encoding.PEM), cases.TRUSTED[1]], cases.lists())
    for verdict in cases.judged(raw, trusted=strange).verdicts:
        assert verdict.sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND
    bare = trust.load(cases.TRUSTED, [])
    assert {verdict.sub_indication for verdict in cases.judged(raw, trusted=bare).verdicts} == {
        SubIndication.TRY_LATER
    }


def test_a_revoked_signer_and_lists_made_before():
    revoked = trust.load(cases.TRUSTED, cases.lists({1: cases.SIGNED_AT}))
    person, organisation = cases.judged(cases.by_both(), trusted=revoked).verdicts
    assert cases.ending(person) == (
        Indication.INDETERMINATE,
        SubIndication.REVOKED_NO_POE,
        "certificate_revoked",
    )
    assert organisation.passed
    older = trust.load(cases.TRUSTED, cases.lists(at=cases.AT - timedelta(hours=1)))
    assert [verdict.provisional for verdict in cases.judged(cases.by_both(), trusted=older).verdicts] == [
        True,
        True,
    ]


def test_dates_of_the_certificate():
    years_later = cases.only(cases.by_person(), at=cases.AT + timedelta(days=3000))
    assert years_later.sub_indication is SubIndication.OUT_OF_BOUNDS_NO_POE
    assert (
        cases.only(cases.by_person(), at=cases.ISSUED - timedelta(days=1)).sub_indication
        is SubIndication.NOT_YET_VALID
    )


def test_fields_without_a_signature_are_remarks():
    spec = fields.SigFieldSpec("Trong")
    raw = cases.updated(cases.page(), lambda writer: fields.append_signature_field(writer, spec))
    report = cases.judged(raw)
    assert report.verdicts == ()
    assert report.remarks == (
        Remark(code="empty_signature_field", where="cong-van.pdf", path="Trong", severity="info"),
    )


def test_a_document_timestamp_is_a_remark():
    def mark(writer):
        value = writer.root["/AcroForm"]["/Fields"][0]["/V"]
        value[generic.pdf_name("/Type")] = generic.pdf_name("/DocTimeStamp")
        writer.update_container(value)

    report = cases.judged(cases.updated(cases.by_person(), mark))
    assert report.verdicts == ()
    assert cases.codes(report)[0] == "document_timestamp"


def test_what_is_not_a_readable_pdf():
    unreadable = (Remark(code="unreadable_pdf", where="cong-van.pdf"),)
    for raw in (b"", b"%PDF-", b"hello", b"%PDF-1.7\n%%EOF\n", b"\0" * 5000, cases.by_both() + bytes(5000)):
        assert cases.judged(raw).remarks == unreadable
        assert cases.judged(raw).verdicts == ()
    assert cases.judged(cases.page()) == Report()


def test_an_encrypted_file():
    output = io.BytesIO()
    locked = writer.copy_into_new_writer(PdfFileReader(io.BytesIO(cases.by_person())))
    locked.encrypt(owner_pass="thu", user_pass="thu")
    locked.write(output)
    report = cases.judged(output.getvalue())
    assert cases.codes(report) == ["encrypted_pdf"]
    assert report.verdicts == ()


def test_budgets():
    raw = cases.page()
    for number in range(9):
        raw = pdf_write.sign(
            raw, cases.ORGANISATION_KEY, cases.ORGANISATION, at=cases.SIGNED_AT, field=f"O {number}"
        )
        if number == 7:
            assert [verdict.passed for verdict in cases.judged(raw).verdicts] == [True] * 8
    with pytest.raises(TooComplexError, match="signatures ≤ 8"):
        cases.judged(raw)


def test_too_many_revisions():
    raw = cases.page()
    for _ in range(64):
        raw = pdf_write.stamp(raw, "x")
    with pytest.raises(TooComplexError, match="revisions ≤ 64"):
        cases.judged(raw)


def pyhanko_says(raw):
    """(intact, valid) of every signature by pyHanko's own validation."""
    context = {
        "trust_roots": [cases.asn1(cases.ROOT.certificate)],
        "other_certs": [cases.asn1(cases.AUTHORITY.certificate)],
        "allow_fetching": False,
        "moment": cases.AT,
    }
    reader = PdfFileReader(io.BytesIO(raw))
    statuses = [
        asyncio.run(async_validate_pdf_signature(one, ValidationContext(**context)))
        for one in reader.embedded_regular_signatures
    ]
    return [(status.intact, status.valid) for status in statuses]


@pytest.mark.parametrize(
    "make",
    [
        cases.by_person,
        cases.by_both,
        lambda: cases.by_organisation(pdf_write.stamp(cases.by_person(), "Số 12")),
        lambda: cases.by_both() + b"\n",
        lambda: cases.by_both().replace(b" Td (UY", b" Td (XY"),
        lambda: cases.forge(cases.by_person(), cases.flip_last_of_value),
    ],
)
def test_pyhanko_agrees_on_integrity(make):
    verdicts = cases.judged(make()).verdicts
    intact = [verdict.sub_indication is not SubIndication.HASH_FAILURE for verdict in verdicts]
    sound = [
        verdict.sub_indication not in (SubIndication.HASH_FAILURE, SubIndication.SIG_CRYPTO_FAILURE)
        for verdict in verdicts
    ]
    theirs = pyhanko_says(make())
    assert [one for one, _ in theirs] == intact
    assert [all(one) for one in theirs] == sound


def test_every_code_has_its_sentences():
    folder = Path(pdf.__file__).parent
    files = [folder / "cms.py", *folder.glob("pdf*.py")]
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    whys = set(re.findall(r'"((?:cms|pdf)_[a-z_]+)"', source))
    remarks = set(re.findall(r'code="([a-z_]+)"', source))
    assert {"cms_digest", "pdf_revision"} < whys
    for language in LANGUAGES:
        wanted = {f"{table}.{why}" for why in whys for table in ("verdict", "advice")}
        assert wanted | {f"remark.{code}" for code in remarks} <= catalogue(language).keys()
