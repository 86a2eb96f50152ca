from dataclasses import replace

import pytest

from exchange.errors import PROBLEMS, Finding
from exchange.rules import admission, reasons, requirements, routing
from signing.verdict import Coverage, Remark, Report


@pytest.fixture
def intake(world):
    """A sound letter of the department to one recipient, brought by a system that may act for it."""
    return admission.Intake(
        sender=world.snapshot().agencies[world.DEPARTMENT],
        acts_for=frozenset({world.DEPARTMENT}),
        routing=routing.Routing(recipients=(world.COMMUNE,)),
        paper=0,
    )


@pytest.fixture
def decide(world):
    def decided(
        case, *verdicts, names=("letter.pdf",), remarks=(), accept_broken=False, policy=None, **facts
    ):
        facts = {"main_named": "letter.pdf", "sender_from_axis": case.from_axis} | facts
        report = Report(verdicts=tuple(verdicts), remarks=tuple(remarks))
        judgement = requirements.judge(
            world.letter(*names, **facts), report, world.snapshot(), policy or requirements.DEFAULT, world.ON
        )
        return admission.decide(case, report, judgement, accept_broken=accept_broken)

    return decided


def _good(world):
    first = world.verdict(
        "department person", coverage=Coverage(whole=False), changes_after=("annotation", "signature")
    )
    return first, world.verdict("department seal")


def _codes(findings):
    return [finding.code for finding in findings]


# Row 1


@pytest.mark.parametrize(
    "change, code",
    [
        ({"findings": (Finding(severity="error", code="missing"),)}, "findings"),
        ({"sender": None}, "unknown_sender"),
        ({"acts_for": frozenset()}, "not_allowed_to_act"),
        ({"routing": routing.Routing(recipients=(), unroutable=("H99",))}, "no_routable_recipient"),
    ],
)
def test_row_1_refuses_however_well_the_letter_is_signed(world, intake, decide, change, code):
    case = replace(intake, **change)
    assert admission.check(case).code == code
    assert decide(case, *_good(world)).code == code
    assert code in PROBLEMS


def test_row_1_a_disabled_sender(world, intake):
    off = world.snapshot().agencies[world.OFF]
    assert admission.check(replace(intake, sender=off, acts_for=frozenset({off.id}))).code == "disabled"


def test_row_1_a_stranger_is_not_told_that_an_agency_is_disabled(world, intake):
    off = world.snapshot().agencies[world.OFF]
    assert admission.check(replace(intake, sender=off)).code == "not_allowed_to_act"


def test_row_1_error_findings_are_told_before_who_sends(intake):
    finding = Finding(severity="error", code="missing")
    assert admission.check(replace(intake, sender=None, findings=(finding,))).findings == (finding,)


def test_row_1_names_the_recipients_nobody_has(intake):
    nobody = routing.Routing(recipients=(), unroutable=("H99", "H13.09"), disabled=("H13.09",))
    refused = admission.check(replace(intake, routing=nobody))
    assert [(one.code, one.facts["code"]) for one in refused.findings] == [
        ("recipient_unknown", "H99"),
        ("recipient_disabled", "H13.09"),
    ]


def test_row_1_passes_a_letter_with_warnings_only(intake):
    assert admission.check(replace(intake, findings=(Finding(severity="warning", code="odd"),))) is None


# Row 2: (case, signer, where, failure or wrapping, the refusal)

PACKAGE_AND_MAIN = ("package", "letter.pdf")
ROW_2 = [
    (signer, where, ailment, code)
    for where in PACKAGE_AND_MAIN
    for signer in ("department seal", "department person", "ministry seal", "stranger", "proposed seal")
    for ailment, code in (
        ("HASH_FAILURE", "signature_broken"),
        ("SIG_CRYPTO_FAILURE", "signature_broken"),
        ("wrapping", "signature_wrapping"),
    )
]


def _ailing(world, signer, where, ailment):
    if ailment == "wrapping":
        return world.verdict(signer, where, wrapping=True)
    return world.verdict(signer, where, ailment)


@pytest.mark.parametrize("row", ROW_2, ids=" ".join)
def test_row_2_refuses_broken_and_wrapping_signatures_beside_good_ones(world, intake, decide, row):
    signer, where, ailment, code = row
    refused = decide(intake, *_good(world), _ailing(world, signer, where, ailment))
    assert (refused.code, _codes(refused.findings)) == (code, [code])
    assert refused.findings[0].facts["name"] == where


@pytest.mark.parametrize("row", ROW_2, ids=" ".join)
def test_row_2_can_be_switched_to_a_warning_and_then_is_n(world, intake, decide, row):
    signer, where, ailment, code = row
    admitted = decide(intake, *_good(world), _ailing(world, signer, where, ailment), accept_broken=True)
    assert (admitted.requirement, admitted.class_if_electronic, admitted.klass) == ("not_met", "N", "N")
    assert admitted.reason in reasons.PRECEDENCE
    assert ("warning", code) in [(one.severity, one.code) for one in admitted.warnings]


def test_row_2_wrapping_is_told_before_a_broken_signature(world, intake, decide):
    broken = world.verdict("department seal", fails="HASH_FAILURE")
    refused = decide(intake, broken, world.verdict("department seal", "package", wrapping=True))
    assert (refused.code, _codes(refused.findings)) == (
        "signature_wrapping",
        ["signature_wrapping", "signature_broken"],
    )


@pytest.mark.parametrize("where", PACKAGE_AND_MAIN)
@pytest.mark.parametrize(
    "beside, refused",
    [
        ((), True),
        (("department person",), True),
        (("ministry person",), True),
        (("stranger",), True),
        (("department device",), True),
        (("department seal",), False),
        (("proposed seal",), False),
    ],
)
def test_row_2_another_agencys_seal_instead_of_the_own(world, intake, decide, where, beside, refused):
    answer = decide(intake, world.verdict("ministry seal", where), *map(world.verdict, beside))
    assert isinstance(answer, admission.Refused) is refused
    if refused:
        assert (answer.code, answer.findings[0].facts["signer"]) == ("signature_of_another", "Agency G09")
    else:
        assert "another_agency_signature" in _codes(answer.warnings)


def test_row_2_another_agencys_seal_can_be_switched_to_a_warning(world, intake, decide):
    admitted = decide(intake, world.verdict("ministry seal"), accept_broken=True)
    assert (admitted.requirement, admitted.reason, admitted.class_if_electronic) == (
        "not_met",
        "signer_of_another",
        "N",
    )
    assert "signature_of_another" in _codes(admitted.warnings)


def test_row_2_switched_to_a_warning_is_n_even_where_no_seal_is_demanded(world, intake, decide):
    rule = replace(requirements.DEFAULT.rules[-1], demands=("individual",))
    lenient = replace(requirements.DEFAULT, rules=(rule,))
    verdicts = world.verdict("ministry seal"), world.verdict("department person")
    admitted = decide(intake, *verdicts, policy=lenient, accept_broken=True)
    assert (admitted.requirement, admitted.reason, admitted.klass) == ("not_met", "signer_of_another", "N")


def test_row_2_an_own_seal_that_does_not_pass_does_not_excuse_anothers(world, intake, decide):
    expired = world.verdict("department seal", fails="OUT_OF_BOUNDS_NO_POE")
    assert decide(intake, world.verdict("ministry seal"), expired).code == "signature_of_another"


def test_row_2_does_not_ask_about_a_seal_that_did_not_pass(world, intake, decide):
    assert decide(intake, world.verdict("ministry seal", fails="REVOKED_NO_POE")).class_if_electronic == "N"


def test_row_2_lets_a_superior_sign_that_represents_the_sender(world, intake, decide):
    commune = replace(
        intake, sender=world.snapshot().agencies[world.COMMUNE], acts_for=frozenset({world.COMMUNE})
    )
    superior = world.verdict("province seal")
    assert decide(commune, superior, sender=world.COMMUNE).class_if_electronic == "N"
    assert decide(intake, superior).code == "signature_of_another"


@pytest.mark.parametrize("ailment", ["HASH_FAILURE", "SIG_CRYPTO_FAILURE", "wrapping"])
def test_row_2_does_not_look_at_annexes(world, intake, decide, ailment):
    annex = _ailing(world, "department seal", "annex.pdf", ailment)
    admitted = decide(intake, *_good(world), annex, names=("letter.pdf", "annex.pdf"))
    assert (admitted.reason, admitted.class_if_electronic) == ("broken_annex", "N")
    assert "annex_broken" in _codes(admitted.warnings)


def test_row_2_lets_another_agencys_seal_stand_in_an_annex(world, intake, decide):
    annex = world.verdict("ministry seal", "annex.pdf")
    admitted = decide(intake, *_good(world), annex, names=("letter.pdf", "annex.pdf"))
    assert (admitted.reason, admitted.class_if_electronic) == ("signer_of_another", "N")


def test_the_axis_may_break_a_package_signature(world, intake, decide):
    axis = replace(intake, from_axis=True)
    broken = world.verdict("department seal", "package", "HASH_FAILURE")
    admitted = decide(axis, broken, *_good(world))
    assert (admitted.requirement, _codes(admitted.warnings)) == ("met", ["package_broken_by_axis"])
    unsigned = decide(axis, broken)
    assert (unsigned.class_if_electronic, unsigned.reason) == ("N", "broken")


def test_the_axis_may_not_break_a_pdf_nor_wrap(world, intake, decide):
    axis = replace(intake, from_axis=True)
    assert decide(axis, world.verdict("department seal", fails="HASH_FAILURE")).code == "signature_broken"
    wrapped = world.verdict("department seal", "package", wrapping=True)
    assert decide(axis, wrapped).code == "signature_wrapping"


# Row 3


@pytest.mark.parametrize(
    "declared, electronic, klass",
    [
        ((0, False), "E", "E"),
        ((0, True), "E", "E"),
        ((None, True), "E", "E"),
        ((None, False), "U", "U"),
        ((2, False), "U", "U"),
        ((2, True), "E", "E"),
        ((1, False), "E", "S"),
        ((1, True), "E", "S"),
    ],
)
def test_row_3_met_is_worth_what_is_declared_about_paper(world, intake, decide, declared, electronic, klass):
    paper, standing = declared
    admitted = decide(replace(intake, paper=paper, no_paper_standing=standing), *_good(world))
    assert (admitted.requirement, admitted.reason, admitted.warnings) == ("met", "", ())
    assert (admitted.class_if_electronic, admitted.klass) == (electronic, klass)


# Row 4: everything else about signatures

ROW_4 = [
    ((), (), "no_signature"),
    ((), ("placeholder_signature",), "placeholder"),
    ((), ("foreign_namespace",), "foreign_namespace"),
    ((("department seal", "REVOKED_NO_POE"),), (), "revoked"),
    ((("department seal", "REVOKED_CA_NO_POE"),), (), "revoked"),
    ((("department seal", "OUT_OF_BOUNDS_NO_POE"),), (), "expired"),
    ((("department seal", "NOT_YET_VALID"),), (), "not_yet_valid"),
    ((("department seal", "NO_CERTIFICATE_CHAIN_FOUND"),), (), "no_path"),
    ((("department seal", "CRYPTO_CONSTRAINTS_FAILURE"),), (), "weak_algorithm"),
    ((("department seal", "FORMAT_FAILURE"),), (), "format"),
    ((("department person", ""), ("proposed seal", "")), (), "signer_unconfirmed"),
    ((("department person", ""), ("department seal", "TRY_LATER")), (), "no_revocation_data"),
    ((("department person", ""), ("stranger", "")), (), "signer_unknown"),
    ((("department person", ""),), (), "organisation_missing"),
    ((("department seal", ""),), (), "individual_missing"),
]


@pytest.mark.parametrize("row", ROW_4)
@pytest.mark.parametrize("paper, klass", [(0, "N"), (None, "N"), (1, "S")])
def test_row_4_is_accepted_with_a_warning_as_n(world, intake, decide, row, paper, klass):
    signed, remarks, reason = row
    verdicts = [world.verdict(by, fails=fails) for by, fails in signed]
    admitted = decide(
        replace(intake, paper=paper),
        *verdicts,
        remarks=[Remark(code=code, where="package") for code in remarks],
    )
    assert (admitted.reason, admitted.class_if_electronic, admitted.klass) == (reason, "N", klass)
    assert admitted.requirement in {"not_met", "undetermined"}
    assert f"requirement_{reason}" in _codes(admitted.warnings)


def test_row_4_a_repaired_message_is_not_refused(world, intake, decide):
    unjudged = world.verdict("department seal", "package", "FORMAT_FAILURE")
    admitted = decide(intake, unjudged, *_good(world), repaired=True)
    assert (admitted.reason, admitted.class_if_electronic) == ("repaired", "N")


# Row 5


def test_row_5_some_recipients_unknown(world, intake, decide):
    some = routing.Routing(recipients=(world.COMMUNE,), unroutable=("H99", "H13.09"), disabled=("H13.09",))
    admitted = decide(replace(intake, routing=some), *_good(world))
    assert (admitted.requirement, admitted.class_if_electronic) == ("met", "E")
    assert _codes(admitted.warnings) == ["recipient_unknown", "recipient_disabled"]


def test_warnings_of_reading_come_along(world, intake, decide):
    odd = Finding(severity="warning", code="odd")
    assert decide(replace(intake, findings=(odd,)), *_good(world)).warnings == (odd,)
