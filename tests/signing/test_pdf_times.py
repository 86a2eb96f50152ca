"""Signatures that last: what timestamps, validation material and document timestamps prove, with pyHanko as oracle."""

import asyncio
import io
from datetime import timedelta

import pdf_cases as cases
import pdf_lasting as lasting
import pytest
from asn1crypto import cms as asn1_cms
from asn1crypto import crl as asn1_crl
from pdf_stamps import NAME, numbers
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation import ades
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    PdfSignatureValidationSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer

from signing import keys, pdf_times, timestamp, trust

DAY, LATER = lasting.DAY, lasting.YEARS_LATER


def organisation(raw, at=cases.AT, **how):
    report = cases.judged(raw, trusted=how.pop("trusted", None) or lasting.trusted(at, **how), at=at)
    return report.verdicts[-1], cases.codes(report)


@pytest.mark.parametrize(
    "level, changes, remarks",
    [
        ("B", (), []),
        ("T", (), []),
        ("LT", ("validation",), []),
        ("LTA", ("validation",), ["document_timestamp"]),
    ],
)
def test_levels_made_by_pyhanko(level, changes, remarks):
    verdict, codes = organisation(lasting.signed(level))
    assert verdict.passed
    assert verdict.coverage.whole is (level in "BT")
    assert (verdict.changes_after, codes) == (changes, remarks)
    timed = (cases.AT, "receipt") if level == "B" else (cases.SIGNED_AT, "timestamp")
    assert (verdict.best_signature_time, verdict.time_source) == timed
    assert len(verdict.evidence) == (
        4 if level == "B" else 6
    )  # two authorities, two lists; one and one of timestamps


@pytest.mark.parametrize(
    "level, why",
    [("B", "certificate_expired"), ("T", "revocation_stale"), ("LT", "passed"), ("LTA", "passed")],
)
def test_years_later_only_what_was_kept_still_passes(level, why):
    assert organisation(lasting.signed(level), LATER)[0].why == why


def by_pyhanko(raw, at, roots=(cases.ROOT, lasting.TSA_ROOT), **how):
    """Whether pyHanko's own validation of lasting signatures passes the last signature at that moment."""
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build([cases.asn1(root.certificate) for root in roots]),
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy("require")),
    )
    lists = [asn1_crl.CertificateList.load(one) for one in lasting.lists(at, **how)]
    known = LocalKnowledge(
        known_certs=[cases.asn1(cases.AUTHORITY.certificate)], known_crls=[CRLContainer(one) for one in lists]
    )
    judged = ades.ades_lta_validation(
        PdfFileReader(io.BytesIO(raw)).embedded_regular_signatures[-1],
        PdfSignatureValidationSpec(SignatureValidationSpec(policy, local_knowledge=known)),
        ValidationTimingInfo(validation_time=at, best_signature_time=at, point_in_time_validation=False),
    )
    return asyncio.run(judged).ades_subindic == AdESPassed.OK


def covered_byte_changed(raw):
    return raw.replace(b"/Lang (vi", b"/Lang (vj", 1)


LASTING = {  # file, moment, further -> ours, theirs
    "at once": (lasting.signed, cases.LISTED_AT, {}, True, True),
    "years later": (lasting.signed, LATER, {}, True, True),
    "stamped again": (lambda level: lasting.stamped_again(lasting.signed(level)), LATER, {}, True, True),
    # A list of today may tell of a revocation before the signature: pyHanko looks at that of the day alone.
    "revoked before": (lasting.signed, LATER, {"revoked": {5: cases.SIGNED_AT - DAY}}, False, True),
    "revoked after": (lasting.signed, LATER, {"revoked": {5: cases.SIGNED_AT + DAY}}, True, True),
    "byte changed": (lambda level: covered_byte_changed(lasting.signed(level)), LATER, {}, False, False),
    "not stamped": (lambda _: lasting.signed("B"), LATER, {}, False, False),
}


@pytest.mark.parametrize("case", LASTING)
def test_no_looser_than_pyhanko(case):
    make, at, how, ours, theirs = LASTING[case]
    raw = make("LTA")
    assert (organisation(raw, at, **how)[0].passed, by_pyhanko(raw, at, **how)) == (ours, theirs)


STRANGE = lasting.authority(keys.root("Gốc lạ", key=keys.new_key(), at=cases.ISSUED))
RECEIVED = (cases.AT, "receipt")
STAMPED = (cases.SIGNED_AT, "timestamp")


def times(raw, at=cases.AT, trusted=None):
    """Best time and its source of every signature, and what is remarked."""
    report = cases.judged(raw, trusted=trusted or lasting.trusted(at), at=at)
    assert all(verdict.passed for verdict in report.verdicts), report
    timed = [(verdict.best_signature_time, verdict.time_source) for verdict in report.verdicts]
    return timed, [(remark.code, remark.path) for remark in report.remarks]


def test_a_signature_with_a_timestamp_made_by_us():
    assert times(lasting.by_us()) == ([RECEIVED, STAMPED], [])


@pytest.mark.parametrize(
    "holder", [STRANGE, lasting.authority(cases.ROOT, serial=11)], ids=["strange", "of signers"]
)
def test_an_authority_that_is_not_one_for_timestamps(holder):
    remark = ("timestamp_not_valid", "Co quan")
    assert times(lasting.by_us(holder=holder)) == ([RECEIVED, RECEIVED], [remark])


def test_without_authorities_for_timestamps_nothing_is_proven():
    timed, remarks = times(lasting.signed("LTA"), trusted=trust.load(cases.TRUSTED, lasting.lists(cases.AT)))
    assert timed == [RECEIVED, RECEIVED]
    assert [code for code, _ in remarks] == [
        "timestamp_not_valid",
        "document_timestamp",
        "timestamp_not_valid",
    ]


def test_a_document_timestamp_speaks_for_all_before_it_and_nothing_behind():
    stamped = lasting.document_stamp(cases.by_person())
    signed = cases.by_organisation(stamped)
    assert times(signed) == ([STAMPED, RECEIVED], [("document_timestamp", "Dau thoi gian 05 01 2026")])
    assert cases.judged(signed).verdicts[0].changes_after == ("signature", "validation")
    both = lasting.document_stamp(cases.by_both())
    assert times(both)[0] == [STAMPED, STAMPED]


def test_a_document_timestamp_over_other_bytes():
    raw = lasting.signed("LTA")
    altered = raw.replace(b"/VRI", b"/VRJ", 1)
    assert altered != raw
    timed, remarks = times(altered)
    assert timed == [RECEIVED, STAMPED]  # the organisation's own timestamp holds
    assert [code for code, _ in remarks] == ["document_timestamp", "timestamp_not_valid"]


def test_a_newer_document_timestamp_keeps_an_older_one_alive():
    short = lasting.authority(serial=8, days=400)
    old = lasting.document_stamp(cases.by_both(), holder=short)
    kept = lasting.document_stamp(old, cases.SIGNED_AT + 100 * DAY)
    # An authority's list need not name what had expired before it was made.
    lists = [*lasting.lists(LATER), *lasting.lists(cases.SIGNED_AT + 100 * DAY)]
    known = trust.load(cases.TRUSTED, lists, timestamp_files=[keys.der(lasting.TSA_ROOT.certificate)])
    timed, remarks = times(kept, LATER, known)
    assert (timed, [code for code, _ in remarks]) == ([STAMPED] * 2, ["document_timestamp"] * 2)
    alone = cases.judged(old, trusted=lasting.trusted(LATER), at=LATER)
    assert [verdict.time_source for verdict in alone.verdicts] == ["receipt"] * 2
    assert cases.codes(alone) == ["document_timestamp", "timestamp_not_valid"]
    late = lasting.document_stamp(old, cases.SIGNED_AT + 300 * DAY)
    assert times(late, LATER)[0] == [(cases.SIGNED_AT + 300 * DAY, "timestamp")] * 2


def seen(raw, rect):
    """The file with the last field, a document timestamp, given an area."""

    def change(writer):
        field = writer.root["/AcroForm"]["/Fields"][-1]
        field[NAME("/Rect")] = numbers(*rect)
        writer.update_container(field)

    return cases.updated(raw, change)


@pytest.mark.parametrize("rect, kind", [((5, 5, 5, 5), "validation"), ((0, 0, 500, 800), "signature")])
def test_a_document_timestamp_that_draws_is_a_signature(rect, kind):
    raw = seen(lasting.document_stamp(cases.by_person()), rect)
    assert cases.judged(raw).verdicts[0].changes_after[0] == kind


@pytest.mark.parametrize(
    "entry, value", [("/Type", "/DocTimeStamp"), ("/SubFilter", "/ETSI.RFC3161")], ids=["type", "format"]
)
def test_what_calls_itself_a_timestamp_is_judged_as_one(entry, value):
    def rename(writer):
        held = writer.root["/AcroForm"]["/Fields"][0]["/V"]
        held[NAME(entry)] = NAME(value)
        writer.update_container(held)

    report = cases.judged(cases.updated(cases.by_person(), rename))
    assert report.verdicts == ()
    assert cases.codes(report)[:2] == ["document_timestamp", "timestamp_not_valid"]


def test_damaged_material_helps_nobody_and_harms_nobody():
    def damage(writer):
        store = writer.root["/DSS"]
        for name in ("/Certs", "/CRLs"):
            broken = generic.StreamObject(stream_data=b"\x30\x82 no such thing")
            store[name].insert(0, writer.add_object(broken))
            store[name].append(generic.NumberObject(5))
        store[NAME("/VRI")] = generic.NumberObject(7)
        writer.update_root()
        writer.update_container(store)

    raw = cases.updated(lasting.signed("LT"), damage)
    assert organisation(raw, LATER)[0].why == "passed"
    assert organisation(raw)[0].changes_after == ("validation", "other")  # pyHanko cannot explain it either


def test_marks_prove_only_what_lies_before_them():
    stamp = timestamp.Stamp(moment=cases.SIGNED_AT, failure=None, evidence=("e",), provisional=True)
    mark = pdf_times.Mark(field="a", start=100, stamp=stamp)
    nothing = pdf_times.Mark(field="b", start=200, stamp=None)
    assert pdf_times.proven([nothing, mark], 100, cases.AT) == (cases.SIGNED_AT, ("e",), True)
    assert pdf_times.proven([nothing, mark], 101, cases.AT) == (cases.AT, (), False)
    early = cases.SIGNED_AT - timedelta(hours=1)
    assert pdf_times.proven([mark], 100, early) == (early, (), False)


def test_revocation_lists_in_the_container_itself():
    def along(whole):
        lists = [asn1_crl.CertificateList.load(one) for one in cases.lists()]
        whole["content"]["crls"] = [asn1_cms.RevocationInfoChoice("crl", one) for one in lists]

    alone = trust.load(cases.TRUSTED, [])
    assert cases.only(cases.with_contents(along), trusted=alone).passed
    assert not cases.only(cases.with_contents(lambda _: None), trusted=alone).passed
