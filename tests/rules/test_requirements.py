from dataclasses import replace

import pytest

from exchange.rules import policy, reasons, requirements
from exchange.rules.signers import Standing
from signing.verdict import Coverage, Remark

BOTH = ("main.organisation", "main.individual")
MAIN, ANNEX = "/*/*[2]/*[1]", "/*/*[2]/*[2]"


@pytest.fixture
def pdf(world):
    """The usual flow: the person signs, the clerk stamps number and date, the organisation signs the whole."""

    def signed(
        person="department person",
        seal="department seal",
        where="letter.pdf",
        changes=("annotation", "signature"),
    ):
        first = world.verdict(
            person, where, coverage=Coverage(whole=False, detail="revision"), changes_after=changes
        )
        return first, world.verdict(seal, where)

    return signed


def _xml(world, by, *paths, fails="", **further):
    coverage = Coverage(whole=not paths, paths=paths)
    return world.verdict(by, "package", fails, coverage=coverage, **further)


def _said(judgement):
    return judgement.requirement, judgement.reason, judgement.missing


def test_the_usual_flow_meets_the_requirement(world, pdf):
    judgement = world.judge(world.letter(), *pdf())
    assert _said(judgement) == ("met", "", ())
    assert [signer.kind for signer in judgement.signers] == ["individual", "organisation"]
    assert (judgement.main, judgement.main_inferred, judgement.warnings) == ("letter.pdf", False, ())


@pytest.mark.parametrize(
    "changes, requirement",
    [
        (("signature",), "met"),
        (("signature", "form", "annotation"), "met"),
        (("signature", "page_content"), "not_met"),
        (("other",), "not_met"),
        (("something new",), "not_met"),
    ],
)
def test_only_listed_changes_may_follow_a_persons_signature(world, pdf, changes, requirement):
    judgement = world.judge(world.letter(), *pdf(changes=changes))
    reason, missing = ("", ()) if requirement == "met" else ("changed_after_signing", ("main.individual",))
    assert _said(judgement) == (requirement, reason, missing)


FAILURES = {
    "REVOKED_NO_POE": "revoked",
    "REVOKED_CA_NO_POE": "revoked",
    "OUT_OF_BOUNDS_NO_POE": "expired",
    "NOT_YET_VALID": "not_yet_valid",
    "CRYPTO_CONSTRAINTS_FAILURE": "weak_algorithm",
    "CHAIN_CONSTRAINTS_FAILURE": "no_path",
    "CERTIFICATE_CHAIN_GENERAL_FAILURE": "no_path",
    "NO_CERTIFICATE_CHAIN_FOUND": "no_path",
    "FORMAT_FAILURE": "format",
    "SIG_CONSTRAINTS_FAILURE": "format",
    "SIGNED_DATA_NOT_FOUND": "format",
}


@pytest.mark.parametrize("fails, reason", FAILURES.items())
@pytest.mark.parametrize("whose", ["organisation", "individual"])
def test_a_signature_that_does_not_pass_is_missing_with_its_sub_reason(world, pdf, fails, reason, whose):
    person, seal = pdf()
    failing = world.verdict(
        "department seal" if whose == "organisation" else "department person", fails=fails
    )
    verdicts = (person, failing) if whose == "organisation" else (failing, seal)
    assert _said(world.judge(world.letter(), *verdicts)) == ("not_met", reason, (f"main.{whose}",))


def test_without_a_certificate_both_are_missing(world):
    failing = world.verdict(None, fails="NO_SIGNING_CERTIFICATE_FOUND")
    judgement = world.judge(world.letter(), failing)
    assert _said(judgement) == ("not_met", "no_certificate", BOTH)
    assert judgement.signers[0].kind == "unknown"


@pytest.mark.parametrize(
    "person, seal, expected",
    [
        (
            "department person",
            "proposed seal",
            ("undetermined", "signer_unconfirmed", ("main.organisation",)),
        ),
        ("proposed person", "department seal", ("undetermined", "signer_unconfirmed", ("main.individual",))),
        ("proposed person", "proposed seal", ("undetermined", "signer_unconfirmed", BOTH)),
        ("stranger", "proposed seal", ("not_met", "signer_unknown", BOTH)),
        ("department person", "stranger", ("not_met", "signer_unknown", ("main.organisation",))),
        ("department person", "former seal", ("not_met", "signer_unknown", ("main.organisation",))),
        ("department person", "proposed by ministry", ("not_met", "signer_unknown", ("main.organisation",))),
        ("department person", "ministry seal", ("not_met", "signer_of_another", ("main.organisation",))),
        ("department person", "province seal", ("not_met", "signer_of_another", ("main.organisation",))),
        ("department person", "shared seal", ("not_met", "signer_of_another", ("main.organisation",))),
        ("ministry person", "department seal", ("not_met", "signer_of_another", ("main.individual",))),
        ("province person", "department seal", ("not_met", "signer_of_another", ("main.individual",))),
        (
            "department person",
            "department device",
            ("not_met", "organisation_missing", ("main.organisation",)),
        ),
        (
            "department person",
            "department person",
            ("not_met", "organisation_missing", ("main.organisation",)),
        ),
        ("department seal", "department seal 2", ("not_met", "individual_missing", ("main.individual",))),
        ("both", "both", ("not_met", "same_certificate", ("main.individual",))),
        ("both", "department seal", ("met", "", ())),
        ("department person", "both", ("met", "", ())),
    ],
)
def test_who_may_sign_for_the_department(world, pdf, person, seal, expected):
    assert _said(world.judge(world.letter(), *pdf(person, seal))) == expected


@pytest.mark.parametrize(
    "person, seal, expected",
    [
        ("commune person", "shared seal", ("met", "", ())),
        ("province person", "shared seal", ("met", "", ())),
        (
            "proposed province person",
            "shared seal",
            ("undetermined", "signer_unconfirmed", ("main.individual",)),
        ),
        (
            "commune person",
            "proposed province seal",
            ("not_met", "signer_unknown", ("main.organisation",)),
        ),
        ("province person", "province seal", ("not_met", "signer_of_another", ("main.organisation",))),
        ("department person", "shared seal", ("not_met", "signer_of_another", ("main.individual",))),
    ],
)
def test_a_commune_may_use_the_provinces_seal_and_officers_by_a_row(world, pdf, person, seal, expected):
    assert _said(world.judge(world.letter(sender=world.COMMUNE), *pdf(person, seal))) == expected


def test_an_officer_of_the_commune_does_not_sign_for_the_province(world, pdf):
    judgement = world.judge(world.letter(sender=world.PROVINCE), *pdf("commune person", "shared seal"))
    assert _said(judgement) == ("not_met", "signer_of_another", ("main.individual",))


def test_missing_revocation_data_leave_it_open_until_something_else_is_missing(world, pdf):
    person, _ = pdf()
    waiting = world.verdict("department seal", fails="TRY_LATER")
    assert _said(world.judge(world.letter(), person, waiting)) == (
        "undetermined",
        "no_revocation_data",
        BOTH[:1],
    )
    assert _said(world.judge(world.letter(), waiting)) == ("not_met", "individual_missing", BOTH)
    short = replace(waiting, coverage=Coverage(whole=False))
    assert _said(world.judge(world.letter(), person, short)) == ("not_met", "coverage", BOTH[:1])


def test_a_provisional_signature_meets_the_requirement_with_a_note(world, pdf):
    person, seal = pdf()
    judgement = world.judge(world.letter(), person, replace(seal, provisional=True))
    assert judgement.requirement == "met"
    assert [(finding.severity, finding.code) for finding in judgement.warnings] == [
        ("info", "signature_provisional")
    ]


def test_the_organisation_must_cover_the_final_file(world, pdf):
    _, seal = pdf()
    early = replace(seal, coverage=Coverage(whole=False), changes_after=("signature",))
    assert _said(world.judge(world.letter(), early, world.verdict("department person"))) == (
        "not_met",
        "coverage",
        ("main.organisation",),
    )


@pytest.mark.parametrize(
    "remarks, reason",
    [
        ((), "no_signature"),
        (("placeholder_signature",), "placeholder"),
        (("foreign_namespace",), "foreign_namespace"),
        (("foreign_namespace", "placeholder_signature"), "placeholder"),
        (("empty_signature",), "no_signature"),
    ],
)
def test_without_any_signature_the_remarks_tell_why(world, remarks, reason):
    judgement = world.judge(world.letter(), remarks=[Remark(code=code, where="package") for code in remarks])
    assert _said(judgement) == ("not_met", reason, BOTH)
    assert [finding.code for finding in judgement.warnings] == [f"requirement_{reason}", *remarks]


def test_an_unreadable_file_is_told(world):
    remark = Remark(code="encrypted_pdf", where="letter.pdf")
    assert world.judge(world.letter(), remarks=[remark]).reason == "unreadable"
    assert world.judge(world.letter(), remarks=[replace(remark, where="other.pdf")]).reason == "no_signature"


def test_a_placeholder_beside_a_good_pdf_changes_nothing(world, pdf):
    judgement = world.judge(
        world.letter(), *pdf(), remarks=[Remark(code="placeholder_signature", where="package")]
    )
    assert judgement.requirement == "met"
    assert [finding.code for finding in judgement.warnings] == ["placeholder_signature"]


def test_one_of_two_signatures_is_named_as_missing(world):
    person = world.judge(world.letter(), world.verdict("department person"))
    assert _said(person) == ("not_met", "organisation_missing", ("main.organisation",))
    seal = world.judge(world.letter(), world.verdict("department seal"))
    assert _said(seal) == ("not_met", "individual_missing", ("main.individual",))


def test_a_weak_package_signature_beside_a_good_pdf_changes_nothing(world, pdf):
    weak = _xml(world, "department seal", fails="CRYPTO_CONSTRAINTS_FAILURE")
    assert world.judge(world.letter(), weak, *pdf()).requirement == "met"


# The package


@pytest.mark.parametrize("paths", [(), (MAIN,), ("/*/*[2]",), ("/*",), (ANNEX, MAIN)])
def test_a_package_signature_counts_for_the_attachments_it_covers(world, paths):
    verdicts = _xml(world, "department seal", *paths), _xml(world, "department person", *paths)
    assert world.judge(world.letter(), *verdicts).requirement == "met"


@pytest.mark.parametrize(
    "path", ["/*/*[2]/*[1]/*[1]", "/*/*[2]/*[10]", "/*/*[1]", "/*/*[2]/*[11]", "/*/*[2]/*"]
)
def test_a_package_signature_on_something_else_does_not(world, pdf, path):
    person, _ = pdf()
    judgement = world.judge(world.letter(), person, _xml(world, "department seal", path))
    assert _said(judgement) == ("not_met", "coverage", ("main.organisation",))


def test_the_seal_in_the_package_makes_later_changes_in_the_file_acceptable(world, pdf):
    person, _ = pdf()
    assert world.judge(world.letter(), person, _xml(world, "department seal", MAIN)).requirement == "met"


def test_a_package_signature_that_leaves_the_header_open_is_a_warning(world, pdf):
    person, _ = pdf()
    judgement = world.judge(world.letter(), person, _xml(world, "department seal", MAIN))
    assert [finding.code for finding in judgement.warnings] == ["header_not_covered"]
    covered = world.judge(world.letter(), person, _xml(world, "department seal", MAIN, "/*/*[1]"))
    assert covered.warnings == ()


def test_an_agency_that_declares_to_sign_packages_is_expected_to(world, pdf):
    declared = [
        requirements.directory.Declaration(
            agency=world.DEPARTMENT, kind="signs_package", valid_from=world.START
        )
    ]
    bare = world.judge(world.letter(), *pdf(), declarations=declared)
    assert (bare.requirement, [finding.code for finding in bare.warnings]) == ("met", ["package_unsigned"])
    signed = world.judge(world.letter(), *pdf(), _xml(world, "department seal"), declarations=declared)
    assert (signed.requirement, signed.warnings) == ("met", ())


def test_a_policy_may_count_package_signatures_by_declaration_only(world, pdf):
    strict = replace(policy.DEFAULT, package_by_declaration=True)
    verdicts = pdf()[0], _xml(world, "department seal")
    assert world.judge(world.letter(), *verdicts, policy=strict).reason == "package_not_declared"
    declared = [
        requirements.directory.Declaration(
            agency=world.DEPARTMENT, kind="signs_package", valid_from=world.START
        )
    ]
    assert world.judge(world.letter(), *verdicts, policy=strict, declarations=declared).requirement == "met"


def test_an_attachment_called_package_is_not_the_package(world):
    facts = world.letter(attachments=(world.attachment("package"),))
    pretended = world.verdict("department seal", "package", format="pades")
    judgement = world.judge(facts, pretended, world.verdict("department person", "package", format="pades"))
    assert [signer.place for signer in judgement.signers] == ["main", "main"]
    assert judgement.requirement == "met"


@pytest.mark.parametrize("fails", ["HASH_FAILURE", "SIG_CRYPTO_FAILURE"])
@pytest.mark.parametrize("where, reason", [("package", "broken_package"), ("letter.pdf", "broken_main")])
def test_nothing_makes_up_for_a_broken_signature(world, pdf, fails, where, reason):
    judgement = world.judge(world.letter(), *pdf(), world.verdict("department seal 2", where, fails))
    assert _said(judgement) == ("not_met", reason, ())


def test_a_wrapping_signature_never_counts_even_when_it_passed(world, pdf):
    judgement = world.judge(world.letter(), pdf()[0], _xml(world, "department seal", wrapping=True))
    assert _said(judgement) == ("not_met", "broken_package", ("main.organisation",))


def test_a_package_signature_broken_by_the_axis_does_not_void_the_pdf(world, pdf):
    broken = _xml(world, "department seal", fails="HASH_FAILURE")
    facts = world.letter(sender_from_axis=True)
    assert world.judge(facts, broken, *pdf()).requirement == "met"
    assert world.judge(facts, broken, pdf()[0]).reason == "broken"
    assert world.judge(facts, replace(broken, wrapping=True), *pdf()).reason == "broken_package"
    assert (
        world.judge(facts, replace(broken, where="letter.pdf", format="pades"), *pdf()).reason
        == "broken_main"
    )


def test_a_repaired_message_with_a_package_signature_is_not_met(world, pdf):
    unjudged = _xml(world, "department seal", fails="FORMAT_FAILURE")
    assert _said(world.judge(world.letter(repaired=True), unjudged, *pdf())) == ("not_met", "repaired", ())
    assert world.judge(world.letter(repaired=True), *pdf()).requirement == "met"


# Which document is the main one


@pytest.mark.parametrize(
    "names, named, main, inferred, codes",
    [
        (("letter.pdf",), None, "letter.pdf", False, []),
        (("table.xlsx", "letter.pdf"), None, "letter.pdf", False, []),
        (("table.xlsx", "letter.pdf"), "table.xlsx", "letter.pdf", False, ["main_not_as_named"]),
        (("one.pdf", "two.pdf"), "two.pdf", "two.pdf", False, []),
        (("one.pdf", "two.pdf"), None, "one.pdf", True, ["main_inferred"]),
        (("one.pdf", "two.pdf"), "three.pdf", "one.pdf", True, ["main_inferred", "main_not_as_named"]),
        (("table.xlsx", "one.pdf", "two.pdf"), None, "one.pdf", True, ["main_inferred"]),
        (("letter.docx", "table.xlsx"), None, "letter.docx", True, ["main_inferred"]),
        (("letter.docx", "table.xlsx"), "table.xlsx", "table.xlsx", False, []),
    ],
)
def test_the_main_document(world, names, named, main, inferred, codes):
    judgement = world.judge(world.letter(*names, main_named=named))
    assert (judgement.main, judgement.main_inferred) == (main, inferred)
    assert [finding.code for finding in judgement.warnings if finding.code.startswith("main_")] == codes


def test_a_letter_without_a_file_has_no_document(world):
    judgement = world.judge(world.letter(attachments=()), _xml(world, "department seal"))
    assert _said(judgement) == ("not_met", "no_document", ("document",))
    assert judgement.main is None


# Annexes


def test_an_annex_needs_the_organisations_signature_only(world, pdf):
    facts = world.letter("letter.pdf", "annex.pdf", "table.xlsx", main_named="letter.pdf")
    missing = ("annex.organisation:annex.pdf",)
    assert _said(world.judge(facts, *pdf())) == ("not_met", "annex_unsigned", missing)
    person = world.judge(facts, *pdf(), world.verdict("department person", "annex.pdf"))
    assert _said(person) == ("not_met", "annex_unsigned", missing)
    assert world.judge(facts, *pdf(), world.verdict("department seal", "annex.pdf")).requirement == "met"
    assert world.judge(facts, *pdf(), _xml(world, "department seal", ANNEX)).requirement == "met"
    assert _said(world.judge(facts, *pdf(), _xml(world, "department seal", MAIN))) == (
        "not_met",
        "annex_unsigned",
        missing,
    )
    waiting = world.verdict("proposed seal", "annex.pdf")
    assert _said(world.judge(facts, *pdf(), waiting)) == ("undetermined", "signer_unconfirmed", missing)


def test_the_policy_names_the_kinds_of_annexes_that_are_bound(world, pdf):
    facts = world.letter("letter.pdf", "table.xlsx")
    assert world.judge(facts, *pdf()).requirement == "met"
    bound = replace(policy.DEFAULT, annex_kinds=("pdf", "other"))
    assert world.judge(facts, *pdf(), policy=bound).missing == ("annex.organisation:table.xlsx",)


@pytest.mark.parametrize("fails", ["HASH_FAILURE", "SIG_CRYPTO_FAILURE", ""])
def test_a_broken_signature_in_an_annex_is_not_met_with_a_warning(world, pdf, fails):
    facts = world.letter("letter.pdf", "annex.pdf", main_named="letter.pdf")
    broken = world.verdict("department seal", "annex.pdf", fails, wrapping=not fails)
    judgement = world.judge(facts, *pdf(), _xml(world, "department seal"), broken)
    assert _said(judgement) == ("not_met", "broken_annex", ())
    assert [finding.code for finding in judgement.warnings] == ["requirement_broken_annex", "annex_broken"]


def test_a_signature_in_one_file_says_nothing_about_another(world, pdf):
    facts = world.letter("letter.pdf", "annex.pdf", main_named="letter.pdf")
    judgement = world.judge(facts, *pdf(where="annex.pdf"))
    assert _said(judgement) == ("not_met", "no_signature", BOTH)


def test_two_different_files_of_one_name_cannot_lend_each_other_signatures(world, pdf):
    two = (world.attachment("letter.pdf", content="a"), world.attachment("letter.pdf", content="b", place=2))
    judgement = world.judge(world.letter(attachments=two), *pdf())
    assert (judgement.requirement, judgement.reason) == ("not_met", "ambiguous_name")
    assert "name_repeated" in [finding.code for finding in judgement.warnings]
    same = (world.attachment("letter.pdf", content="a"), world.attachment("letter.pdf", content="a", place=2))
    assert world.judge(world.letter(attachments=same), *pdf()).requirement == "met"


# Policy


@pytest.mark.parametrize(
    "copy_form, requirement",
    [
        ("original", "not_met"),
        ("true_copy", "met"),
        ("extract", "met"),
        ("duplicate", "met"),
        ("nonsense", "not_met"),
    ],
)
def test_a_copy_needs_the_agencys_signature_only(world, copy_form, requirement):
    judgement = world.judge(world.letter(copy_form=copy_form), world.verdict("department seal"))
    assert judgement.requirement == requirement


def test_a_rule_may_bind_one_document_type(world):
    rule = policy.Rule(copy_form="*", document_type="Giấy mời", demands=("individual",), basis="")
    rules = replace(policy.DEFAULT, rules=(rule, *policy.DEFAULT.rules))
    person = world.verdict("department person")
    assert world.judge(world.letter(document_type_name="giay moi"), person, policy=rules).requirement == "met"
    assert world.judge(world.letter(), person, policy=rules).requirement == "not_met"
    revised = replace(person, coverage=Coverage(whole=False), changes_after=("annotation",))
    assert (
        world.judge(world.letter(document_type_name="Giấy mời"), revised, policy=rules).reason == "coverage"
    )


def test_a_policy_without_rules_demands_both(world):
    judgement = world.judge(world.letter(), policy=replace(policy.DEFAULT, rules=()))
    assert judgement.missing == BOTH


def test_the_digest_of_a_policy_follows_its_content():
    assert policy.DEFAULT.sha256 == replace(policy.DEFAULT).sha256
    others = [
        replace(policy.DEFAULT, later_changes=()),
        replace(policy.DEFAULT, package_by_declaration=True),
        replace(policy.DEFAULT, rules=policy.DEFAULT.rules[::-1]),
    ]
    assert len({one.sha256 for one in (policy.DEFAULT, *others)}) == 4
    assert len(policy.DEFAULT.sha256) == 32


# Further facts


def test_another_agencys_seal_beside_the_own_is_a_finding_only(world, pdf):
    judgement = world.judge(world.letter(copy_form="true_copy"), world.verdict("ministry seal"), *pdf())
    assert judgement.requirement == "met"
    assert [(one.code, one.facts["name"]) for one in judgement.warnings] == [
        ("another_agency_signature", "Agency G09")
    ]


def test_a_file_that_came_under_another_number_is_undetermined(world, pdf):
    assert _said(world.judge(world.letter(reused=True), *pdf())) == ("undetermined", "file_reused", ())
    assert world.judge(world.letter(reused=True), pdf()[1]).reason == "individual_missing"


def test_signers_stand_in_the_order_of_the_verdicts_with_the_directorys_facts(world):
    names = ("ministry person", "stranger", "department device", "proposed seal", "shared seal")
    judgement = world.judge(world.letter(), *map(world.verdict, names))
    person, stranger, device, proposed, shared = judgement.signers
    assert (person.kind, person.name, person.agency, person.officer.int) == (
        "individual",
        "Officer",
        world.MINISTRY,
        105,
    )
    assert (stranger.kind, stranger.name, stranger.agency) == ("unknown", "stranger", None)
    assert (device.kind, device.agency) == ("device", world.DEPARTMENT)
    assert (proposed.kind, proposed.standing) == ("organisation", Standing.UNCONFIRMED)
    assert (shared.name, shared.standing) == ("Agency H13", Standing.OTHER)


def test_every_reason_has_its_place_in_the_order_of_precedence():
    assert len(set(reasons.PRECEDENCE)) == len(reasons.PRECEDENCE)
    assert reasons.first({"individual_missing", "revoked", "signer_unconfirmed"}) == "revoked"
