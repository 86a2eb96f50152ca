"""What a verdict tells beside its end: coverage, certificate, times, evidence; and a sentence for every code."""

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import xml_cases as cases
from xml_changes import put, worded

from exchange import texts
from signing import keys, trust, verdict, xmldsig
from signing.algorithms import DS
from signing.verdict import Indication, SubIndication

SIGNED = cases.signed()
SIGNING = Path(xmldsig.__file__).parent


def test_a_passed_verdict_tells_everything():
    found = cases.only(SIGNED)
    assert (found.where, found.position, found.format) == ("package", 0, "xmldsig")
    assert found.indication is Indication.TOTAL_PASSED
    assert (found.coverage.whole, found.coverage.paths) == (True, ("/*",))
    assert found.certificate == keys.der(cases.CERTIFICATES["p256"])
    assert found.certificate_sha256 == keys.fingerprint(cases.CERTIFICATES["p256"]).hex()
    assert found.signer_name == "Cơ quan p256"
    assert found.signed_at_claimed == cases.SIGNED_AT
    assert (found.best_signature_time, found.time_source) == (cases.AT, "receipt")
    assert set(found.evidence) == set(trust.documents(cases.TRUST))
    assert not found.provisional


def test_the_place_is_the_caller_s():
    assert [found.where for found in cases.judged(SIGNED, where="phu-luc.xml").verdicts] == ["phu-luc.xml"]


def test_paths_name_the_covered_elements_of_this_message():
    found = cases.only(cases.signed(references=["#file2", "#header", "#file2"]))
    root = cases.parsed(cases.LETTER)
    covered = [root.xpath(path, namespaces={"edXML": cases.NS})[0].get("Id") for path in found.coverage.paths]
    assert covered == ["file2", "header"]
    assert (found.coverage.whole, found.coverage.detail) == (False, "elements")


def test_a_failed_verdict_names_no_signer():
    found = cases.only(SIGNED.replace(b"UBND-VX", b"UBND-VY"))
    assert (found.certificate, found.signer_name, found.signed_at_claimed) == (None, "", None)
    assert found.coverage == verdict.Coverage(whole=False, detail="not_evaluated")


TIMES = {
    "2026-01-05T15:00:00": datetime(2026, 1, 5, 15, tzinfo=timezone(timedelta(hours=7))),
    " 2026-01-05T08:00:00Z\n": cases.SIGNED_AT,
    "hôm nay": None,
    "": None,
}


@pytest.mark.parametrize("text", TIMES)
def test_a_claimed_time_is_read_with_or_without_zone(text):
    found = cases.only(cases.resigned(SIGNED, worded("SigningTime", text)))
    assert found.passed
    assert found.signed_at_claimed == TIMES[text]


def test_a_time_that_is_not_signed_is_not_told():
    unsigned = put(
        "Signature",
        f'<Object xmlns="{DS}"><SignatureProperties><SignatureProperty Target="#signature-0">'
        '<x:SigningTime xmlns:x="urn:x">2020-01-01T00:00:00Z</x:SigningTime>'
        "</SignatureProperty></SignatureProperties></Object>",
        3,
    )
    found = cases.only(cases.changed(cases.signed(at=None), unsigned))
    assert found.passed
    assert found.signed_at_claimed is None


PROFILES = {
    "xmldsig": {"references": ["#header"], "canonical": "inclusive"},
    "xmldsig-enveloped": {},
    "xades-b": {"xades": True},
}


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_told(name):
    found = cases.only(cases.signed(**PROFILES[name]))
    assert (found.profile, found.format) == (name, name.partition("-")[0])


# fmt: off
ENDS = {
    SubIndication.NOT_YET_VALID: (cases.issued(valid=(cases.AT + timedelta(1), cases.AT + timedelta(2))), None),
    SubIndication.OUT_OF_BOUNDS_NO_POE: (cases.issued(valid=(cases.ISSUED, cases.AT - timedelta(1))), None),
    SubIndication.CHAIN_CONSTRAINTS_FAILURE: (cases.issued(extensions=[cases.usage("key_encipherment")]), None),
    SubIndication.NO_CERTIFICATE_CHAIN_FOUND: (keys.root("Ai đó", key=keys.new_key(), at=cases.ISSUED), None),
    SubIndication.REVOKED_NO_POE: (cases.issued(serial=66), cases.lists({66: cases.AT - timedelta(1)})),
    SubIndication.REVOKED_CA_NO_POE: (cases.issued(), [keys.revocation_list(cases.ROOT, {cases.AUTHORITY.certificate.serial_number: cases.ISSUED}, at=cases.AT)]),
    SubIndication.TRY_LATER: (cases.issued(), []),
}
# fmt: on


@pytest.mark.parametrize("expected", ENDS)
def test_a_good_signature_with_a_certificate_that_does_not_do(expected):
    certificate, lists = ENDS[expected]
    if isinstance(certificate, keys.Issuer):
        certificate = cases.issued(certificate)
    raw = cases.seal.sign_xml(cases.LETTER, cases.KEYS["p256"], certificate, at=None)
    found = cases.only(raw, cases.TRUST if lists is None else trust.load(cases.TRUSTED, lists))
    assert found.sub_indication is expected
    assert found.indication is (
        Indication.TOTAL_FAILED if expected is SubIndication.NOT_YET_VALID else Indication.INDETERMINATE
    )
    assert not found.passed
    assert found.certificate == keys.der(certificate)
    assert found.coverage.whole


def test_nothing_passes_without_trust():
    found = cases.only(SIGNED, trust.Trust())
    assert found.sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND


def test_the_same_question_has_the_same_answer():
    assert cases.judged(SIGNED) == cases.judged(SIGNED)


def codes():
    """Every `why` that can be given: the table of faults, and the words with an underscore in the other modules."""
    sources = [
        (SIGNING / f"{name}.py").read_text(encoding="utf-8") for name in ("path", "revocation", "judge")
    ]
    found = {code for source in sources for code in re.findall(r'"([a-z]+_[a-z_]+)"', source)}
    assert {"unknown_root", "revocation_stale", "passed_provisionally"} <= found
    return found | set(xmldsig.FAULTS) | {"passed"}


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_code_has_its_sentence_and_advice(language):
    sentences = texts.catalogue(language)
    for code in codes():
        assert sentences[f"verdict.{code}"]
        if not code.startswith("passed"):
            assert sentences[f"advice.{code}"]
    for code in ("foreign_namespace", "placeholder_signature", "empty_signature"):
        assert sentences[f"remark.{code}"]
