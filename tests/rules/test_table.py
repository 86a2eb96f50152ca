"""The admission table, cell by cell: what a letter's signatures are, and what must come of it. Written by hand.

A signature is `who@where`, then what is odd about it: `seal@main`, `person@main~annotation` (changed later: these
kinds), `seal@package=main` (covers that element), `seal@annex!revoked` (does not pass: why). A cell tells the
requirement with its reason and the class without paper, or the refusal.
"""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from exchange.rules import admission, reasons, requirements, routing
from signing.verdict import Coverage, Remark, Report, SubIndication

WHO = {
    "seal": "department seal",
    "seal2": "department seal 2",
    "person": "department person",
    "device": "department device",
    "proposed-seal": "proposed seal",
    "proposed-person": "proposed person",
    "both": "both",
    "former-seal": "former seal",
    "shared": "shared seal",
    "province-seal": "province seal",
    "province-person": "province person",
    "proposed-province-person": "proposed province person",
    "commune-person": "commune person",
    "ministry-seal": "ministry seal",
    "ministry-person": "ministry person",
    "proposed-by-ministry": "proposed by ministry",
    "stranger": "stranger",
    "nobody": None,
}
WHERE = {"main": "letter.pdf", "annex": "annex.pdf", "package": "package"}
PATHS = {
    "all": (),
    "message": ("/*",),
    "body": ("/*/*[2]",),
    "main": ("/*/*[2]/*[1]",),
    "annex": ("/*/*[2]/*[2]",),
    "header": ("/*/*[1]",),
    "inside-main": ("/*/*[2]/*[1]/*[1]",),
    "files": ("/*/*[2]/*[1]", "/*/*[2]/*[2]"),
}
FAILS = {
    "hash": "HASH_FAILURE",
    "value": "SIG_CRYPTO_FAILURE",
    "format": "FORMAT_FAILURE",
    "no-data": "SIGNED_DATA_NOT_FOUND",
    "constraint": "SIG_CONSTRAINTS_FAILURE",
    "revoked": "REVOKED_NO_POE",
    "ca-revoked": "REVOKED_CA_NO_POE",
    "expired": "OUT_OF_BOUNDS_NO_POE",
    "too-early": "NOT_YET_VALID",
    "weak": "CRYPTO_CONSTRAINTS_FAILURE",
    "bad-chain": "CHAIN_CONSTRAINTS_FAILURE",
    "odd-chain": "CERTIFICATE_CHAIN_GENERAL_FAILURE",
    "no-path": "NO_CERTIFICATE_CHAIN_FOUND",
    "no-cert": "NO_SIGNING_CERTIFICATE_FOUND",
    "expired-unrevoked": "OUT_OF_BOUNDS_NOT_REVOKED",
    "stamp-order": "TIMESTAMP_ORDER_FAILURE",
    "own-policy": "SIGNATURE_POLICY_NOT_AVAILABLE",
    "later": "TRY_LATER",
    "hold": "TRY_LATER",
    "ca-hold": "TRY_LATER",
}


def signature(world, text):
    """One signature as the tables write it."""
    body, _, fails = text.partition("!")
    body, _, paths = body.partition("=")
    body, _, changes = body.partition("~")
    who, _, where = body.partition("@")
    kinds = tuple(changes.split("+")) if changes not in ("", "nothing") else ()
    further = {
        "changes_after": kinds,
        "coverage": Coverage(whole=not changes and paths in ("", "all"), paths=PATHS.get(paths, ())),
    }
    if fails.endswith("hold"):
        further["why"] = "certificate_on_hold" if fails == "hold" else "authority_on_hold"
    if fails == "wrap":
        further["wrapping"] = True
    if fails == "provisional":
        further["provisional"] = True
    return world.verdict(WHO[who], WHERE[where], FAILS.get(fails, ""), **further)


def outcome(
    world, signatures, *, files="letter.pdf", remarks=(), on=None, intake=None, policy=None, **further
):
    """What comes of a letter, as the cells say it: requirement, reason and class, or the refusal; the whole beside it."""
    declarations = further.pop("declarations", ())
    facts = {"main_named": "letter.pdf", "sender": world.DEPARTMENT} | further
    snapshot = world.snapshot(declarations=declarations)
    report = Report(
        verdicts=tuple(signature(world, one) for one in signatures.split()),
        remarks=tuple(Remark(code=code, where="package") for code in remarks),
    )
    rules = policy or requirements.DEFAULT
    judgement = requirements.judge(
        world.letter(*files.split(), **facts), report, snapshot, rules, on or world.ON
    )
    case = admission.Intake(
        sender=snapshot.agencies[facts["sender"]],
        acts_for=frozenset({facts["sender"]}),
        routing=routing.Routing(recipients=(world.MINISTRY,)),
        **{"paper": 0, "from_axis": facts.get("sender_from_axis", False), **(intake or {})},
    )
    decided = admission.decide(case, report, judgement, accept_broken=rules.accept_broken)
    if isinstance(decided, admission.Refused):
        return f"refused {decided.code}", judgement
    cell = f"{decided.requirement} {decided.reason} {decided.class_if_electronic}".replace("  ", " ")
    return cell, replace(judgement, warnings=decided.warnings)


def rows(table):
    """The rows of a table: cells between bars; the first row names the columns."""
    lines = table.strip("\n").splitlines()
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    assert {len(line) for line in cells} == {len(cells[0])}
    return cells[0], cells[1:]


def cells(table):
    """Every cell of a table with the heads of its row and column."""
    heads, lines = rows(table)
    return [
        pytest.param(line[0], head, cell, id=f"{line[0]}-{head}")
        for line in lines
        for head, cell in zip(heads[1:], line[1:], strict=True)
    ]


# How a signature ends x where it stands and whose it is: it stands in the place of the one that is wanted there.

IN_PLACE = {
    "seal@main": "person@main~annotation+signature seal@main{}",
    "person@main": "person@main~annotation+signature{} seal@main",
    "seal@package": "person@main seal@package{}",
    "person@package": "seal@main person@package{}",
    "seal@annex": "person@main seal@main seal@annex{}",
}
ENDS_IN_PLACE = """
ends        | seal@main                | person@main              | seal@package             | person@package           | seal@annex
passed      | met E                    | met E                    | met E                    | met E                    | met E
provisional | met E                    | met E                    | met E                    | met E                    | met E
hash        | refused signature_broken | refused signature_broken | refused signature_broken | refused signature_broken | not_met broken_annex N
value       | refused signature_broken | refused signature_broken | refused signature_broken | refused signature_broken | not_met broken_annex N
wrap        | refused signature_wrapping | refused signature_wrapping | refused signature_wrapping | refused signature_wrapping | not_met broken_annex N
format      | not_met format N         | not_met format N         | not_met format N         | not_met format N         | not_met format N
no-data     | not_met format N         | not_met format N         | not_met format N         | not_met format N         | not_met format N
constraint  | not_met format N         | not_met format N         | not_met format N         | not_met format N         | not_met format N
revoked     | not_met revoked N        | not_met revoked N        | not_met revoked N        | not_met revoked N        | not_met revoked N
ca-revoked  | not_met revoked N        | not_met revoked N        | not_met revoked N        | not_met revoked N        | not_met revoked N
expired     | not_met expired N        | not_met expired N        | not_met expired N        | not_met expired N        | not_met expired N
too-early   | not_met not_yet_valid N  | not_met not_yet_valid N  | not_met not_yet_valid N  | not_met not_yet_valid N  | not_met not_yet_valid N
weak        | not_met weak_algorithm N | not_met weak_algorithm N | not_met weak_algorithm N | not_met weak_algorithm N | not_met weak_algorithm N
bad-chain   | not_met no_path N        | not_met no_path N        | not_met no_path N        | not_met no_path N        | not_met no_path N
odd-chain   | not_met no_path N        | not_met no_path N        | not_met no_path N        | not_met no_path N        | not_met no_path N
no-path     | not_met no_path N        | not_met no_path N        | not_met no_path N        | not_met no_path N        | not_met no_path N
no-cert     | not_met no_certificate N | not_met no_certificate N | not_met no_certificate N | not_met no_certificate N | not_met no_certificate N
expired-unrevoked | not_met expired N | not_met expired N      | not_met expired N        | not_met expired N        | not_met expired N
stamp-order | not_met format N         | not_met format N         | not_met format N         | not_met format N         | not_met format N
own-policy  | not_met format N         | not_met format N         | not_met format N         | not_met format N         | not_met format N
ca-hold     | undetermined on_hold N   | undetermined on_hold N   | undetermined on_hold N   | undetermined on_hold N   | undetermined on_hold N
later       | undetermined no_revocation_data N | undetermined no_revocation_data N | undetermined no_revocation_data N | undetermined no_revocation_data N | undetermined no_revocation_data N
hold        | undetermined on_hold N   | undetermined on_hold N   | undetermined on_hold N   | undetermined on_hold N   | undetermined on_hold N
"""


@pytest.mark.parametrize("ends, place, expected", cells(ENDS_IN_PLACE))
def test_how_a_signature_ends_in_the_place_of_a_good_one(world, ends, place, expected):
    files = "letter.pdf annex.pdf" if place == "seal@annex" else "letter.pdf"
    odd = "" if ends == "passed" else f"!{ends}"
    if ends == "no-cert":
        text = IN_PLACE[place].replace(
            place + "{}", place.replace("seal", "nobody").replace("person", "nobody") + odd
        )
        text = text.replace("person@main~annotation+signature{}", "nobody@main~annotation+signature!no-cert")
    else:
        text = IN_PLACE[place].format(odd)
    assert outcome(world, text, files=files)[0] == expected


# The same beside good ones: the letter is signed as it must be, and carries one signature more.

GOOD = "person@main~annotation+signature seal@main seal@annex"
ENDS_BESIDE = """
ends        | seal2@main               | stranger@main            | seal2@package            | ministry-seal@package    | seal2@annex            | stranger@annex
passed      | met E                    | met E                    | met E                    | met E                    | met E                  | met E
provisional | met E                    | met E                    | met E                    | met E                    | met E                  | met E
hash        | refused signature_broken | refused signature_broken | refused signature_broken | refused signature_broken | not_met broken_annex N | not_met broken_annex N
value       | refused signature_broken | refused signature_broken | refused signature_broken | refused signature_broken | not_met broken_annex N | not_met broken_annex N
wrap        | refused signature_wrapping | refused signature_wrapping | refused signature_wrapping | refused signature_wrapping | not_met broken_annex N | not_met broken_annex N
format      | met E                    | met E                    | met E                    | met E                    | met E                  | met E
no-data     | met E                    | met E                    | met E                    | met E                    | met E                  | met E
constraint  | met E                    | met E                    | met E                    | met E                    | met E                  | met E
revoked     | met E                    | met E                    | met E                    | met E                    | met E                  | met E
ca-revoked  | met E                    | met E                    | met E                    | met E                    | met E                  | met E
expired     | met E                    | met E                    | met E                    | met E                    | met E                  | met E
too-early   | met E                    | met E                    | met E                    | met E                    | met E                  | met E
weak        | met E                    | met E                    | met E                    | met E                    | met E                  | met E
bad-chain   | met E                    | met E                    | met E                    | met E                    | met E                  | met E
odd-chain   | met E                    | met E                    | met E                    | met E                    | met E                  | met E
no-path     | met E                    | met E                    | met E                    | met E                    | met E                  | met E
later       | met E                    | met E                    | met E                    | met E                    | met E                  | met E
hold        | met E                    | met E                    | met E                    | met E                    | met E                  | met E
"""


@pytest.mark.parametrize("ends, extra, expected", cells(ENDS_BESIDE))
def test_how_a_signature_ends_beside_good_ones(world, ends, extra, expected):
    odd = "" if ends == "passed" else f"!{ends}"
    assert outcome(world, f"{GOOD} {extra}{odd}", files="letter.pdf annex.pdf")[0] == expected


# Who signed x where and in whose place; the other signatures are good.

AS = {
    "as the seal on main": "person@main {}@main",
    "as the seal on the package": "person@main {}@package",
    "as the seal on the annex": "person@main seal@main {}@annex",
    "as the person on main": "{}@main~signature seal@main",
    "as the person on the package": "{}@package seal@main",
}
SIGNERS = """
who                  | as the seal on main               | as the seal on the package        | as the seal on the annex          | as the person on main             | as the person on the package
seal                 | met E                             | met E                             | met E                             | not_met individual_missing N      | not_met individual_missing N
seal2                | met E                             | met E                             | met E                             | not_met individual_missing N      | not_met individual_missing N
proposed-seal        | undetermined signer_unconfirmed N | undetermined signer_unconfirmed N | undetermined signer_unconfirmed N | not_met individual_missing N      | not_met individual_missing N
former-seal          | not_met signer_unknown N          | not_met signer_unknown N          | not_met signer_unknown N          | not_met signer_unknown N          | not_met signer_unknown N
ministry-seal        | refused signature_of_another      | refused signature_of_another      | not_met signer_of_another N       | not_met individual_missing N      | not_met individual_missing N
province-seal        | refused signature_of_another      | refused signature_of_another      | not_met signer_of_another N       | not_met individual_missing N      | not_met individual_missing N
shared               | refused signature_of_another      | refused signature_of_another      | not_met signer_of_another N       | not_met individual_missing N      | not_met individual_missing N
person               | not_met organisation_missing N    | not_met organisation_missing N    | not_met annex_unsigned N          | met E                             | met E
proposed-person      | not_met organisation_missing N    | not_met organisation_missing N    | not_met annex_unsigned N          | undetermined signer_unconfirmed N | undetermined signer_unconfirmed N
ministry-person      | not_met organisation_missing N    | not_met organisation_missing N    | not_met annex_unsigned N          | not_met signer_of_another N       | not_met signer_of_another N
province-person      | not_met organisation_missing N    | not_met organisation_missing N    | not_met annex_unsigned N          | not_met signer_of_another N       | not_met signer_of_another N
device               | not_met organisation_missing N    | not_met organisation_missing N    | not_met annex_unsigned N          | not_met individual_missing N      | not_met individual_missing N
both                 | met E                             | met E                             | met E                             | met E                             | met E
proposed-by-ministry | not_met signer_unknown N          | not_met signer_unknown N          | not_met signer_unknown N          | not_met signer_unknown N          | not_met signer_unknown N
stranger             | not_met signer_unknown N          | not_met signer_unknown N          | not_met signer_unknown N          | not_met signer_unknown N          | not_met signer_unknown N
"""


@pytest.mark.parametrize("who, place, expected", cells(SIGNERS))
def test_who_signed(world, who, place, expected):
    files = "letter.pdf annex.pdf" if place.endswith("annex") else "letter.pdf"
    assert outcome(world, AS[place].format(who), files=files)[0] == expected


# A commune that uses the province's seal by a row of its own: the province represents it.

REPRESENTED = """
signatures                                      | expected
commune-person@main~signature shared@main       | met E
province-person@main~signature shared@main      | met E
proposed-province-person@main~signature shared@main | undetermined signer_unconfirmed N
person@main~signature shared@main               | not_met signer_of_another N
commune-person@main~signature province-seal@main | not_met signer_of_another N
commune-person@main~signature ministry-seal@main | refused signature_of_another
commune-person@main shared@package              | met E
province-person@package shared@main             | met E
"""


@pytest.mark.parametrize("signatures, _column, expected", cells(REPRESENTED))
def test_who_represents_a_commune(world, signatures, _column, expected):
    assert outcome(world, signatures, sender=world.COMMUNE)[0] == expected


# What a signature covers, and what was changed after it.

COVERAGE = """
signatures                                                    | original                      | true_copy
person@main~signature seal@main                               | met E                         | met E
person@main~form seal@main                                    | met E                         | met E
person@main~annotation seal@main                              | met E                         | met E
person@main~signature+form+annotation seal@main               | met E                         | met E
person@main~page_stamp+signature seal@main                    | met E                         | met E
person@main~signature seal@main~validation                    | met E                         | met E
person@main~validation seal@package                           | met E                         | met E
person@main seal@main~nothing                                 | not_met coverage N            | not_met coverage N
person@main~nothing seal@main                                 | met E                         | met E
seal@main~validation+annotation person@main                   | not_met coverage N            | not_met coverage N
person@main~page_content seal@main                            | not_met changed_after_signing N | met E
person@main~other seal@main                                   | not_met changed_after_signing N | met E
person@main~annotation+page_content seal@main                 | not_met changed_after_signing N | met E
person@main~something-new seal@main                           | not_met changed_after_signing N | met E
seal@main~signature person@main                               | not_met coverage N            | not_met coverage N
seal@main~signature seal2@main person@main~signature          | met E                         | met E
person@main~annotation                                        | not_met organisation_missing N | not_met organisation_missing N
person@main~annotation seal@main~annotation                   | not_met coverage N            | not_met coverage N
person@main~annotation seal@package=main                      | met E                         | met E
person@main~page_content seal@package=main                    | not_met changed_after_signing N | met E
person@main seal@package=message                              | met E                         | met E
person@main seal@package=body                                 | met E                         | met E
person@main seal@package=files                                | met E                         | met E
person@main seal@package=header                               | not_met coverage N            | not_met coverage N
person@main seal@package=annex                                | not_met coverage N            | not_met coverage N
person@main seal@package=inside-main                          | not_met coverage N            | not_met coverage N
seal@main person@package=main                                 | met E                         | met E
seal@main person@package=header                               | not_met coverage N            | met E
seal@package person@package                                   | met E                         | met E
seal@package=main person@package=header                       | not_met coverage N            | met E
seal@main                                                     | not_met individual_missing N  | met E
person@main                                                   | not_met organisation_missing N | not_met organisation_missing N
seal@package=main                                             | not_met individual_missing N  | met E
both@main                                                     | not_met same_certificate N    | met E
both@main~signature both@main                                 | not_met same_certificate N    | met E
both@main both@package                                        | not_met same_certificate N    | met E
both@main~signature seal@main                                 | met E                         | met E
person@main~signature both@main                               | met E                         | met E
both@main~signature both@main proposed-seal@main              | undetermined signer_unconfirmed N | met E
both@main person@main!later                                   | undetermined no_revocation_data N | met E
proposed-seal@main proposed-person@main~signature             | undetermined signer_unconfirmed N | undetermined signer_unconfirmed N
"""


@pytest.mark.parametrize("signatures, copy_form, expected", cells(COVERAGE))
def test_what_signatures_cover(world, signatures, copy_form, expected):
    assert outcome(world, signatures, copy_form=copy_form)[0] == expected


@pytest.mark.parametrize("copy_form", ["extract", "duplicate"])
@pytest.mark.parametrize("signatures, column, expected", cells(COVERAGE))
def test_every_kind_of_copy_is_judged_like_a_true_copy(world, signatures, column, expected, copy_form):
    if column == "true_copy":
        assert outcome(world, signatures, copy_form=copy_form)[0] == expected


# Main document and annexes.

FILES = """
signatures                                        | letter.pdf annex.pdf           | letter.pdf table.xlsx
                                                  | not_met no_signature N         | not_met no_signature N
seal@main person@main~signature                   | not_met annex_unsigned N       | met E
seal@main person@main~signature seal@annex        | met E                          | met E
seal@main person@main~signature seal2@annex       | met E                          | met E
seal@main person@main~signature person@annex      | not_met annex_unsigned N       | met E
seal@main person@main~signature seal@package=annex | met E                         | met E
seal@main person@main~signature seal@package=main | not_met annex_unsigned N       | met E
seal@main person@main~signature seal@annex~form   | not_met coverage N             | met E
seal@annex                                        | not_met no_signature N         | not_met no_signature N
seal@annex person@annex                           | not_met no_signature N         | not_met no_signature N
seal@main person@annex                            | not_met individual_missing N   | not_met individual_missing N
person@main seal@annex                            | not_met organisation_missing N | not_met organisation_missing N
seal@package person@package                       | met E                          | met E
seal@package=files person@package=main            | met E                          | met E
seal@package=main person@package=files            | not_met annex_unsigned N       | met E
ministry-seal@main seal@annex                     | not_met signer_of_another N    | not_met signer_of_another N
"""


@pytest.mark.parametrize("signatures, files, expected", cells(FILES))
def test_main_documents_and_annexes(world, signatures, files, expected):
    assert outcome(world, signatures, files=files)[0] == expected


# Seen in the package, and no signature to judge.

PACKAGES = """
remarks                                 | nothing else              | a good PDF
                                        | not_met no_signature N    | met E
placeholder_signature                   | not_met placeholder N     | met E
foreign_namespace                       | not_met foreign_namespace N | met E
empty_signature                         | not_met no_signature N    | met E
placeholder_signature foreign_namespace | not_met placeholder N     | met E
"""


@pytest.mark.parametrize("remarks, beside, expected", cells(PACKAGES))
def test_what_stands_in_the_place_of_a_package_signature(world, remarks, beside, expected):
    signatures = "person@main~signature seal@main" if beside == "a good PDF" else ""
    assert outcome(world, signatures, remarks=remarks.split())[0] == expected


# Agencies that have declared to sign their packages, from 1 March to 31 October 2026.

DECLARED = """
package                | 2026-02-28 | 2026-03-01         | 2026-10-31         | 2026-11-01
seal@package           |            |                    |                    |
seal2@package          |            |                    |                    |
                       |            | package_unsigned   | package_unsigned   |
placeholder_signature  | placeholder_signature | package_unsigned placeholder_signature | package_unsigned placeholder_signature | placeholder_signature
empty_signature        | empty_signature | package_unsigned empty_signature | package_unsigned empty_signature | empty_signature
foreign_namespace      | foreign_namespace | package_unsigned foreign_namespace | package_unsigned foreign_namespace | foreign_namespace
person@package         |            | package_unsigned   | package_unsigned   |
device@package         |            | package_unsigned   | package_unsigned   |
stranger@package       |            | package_unsigned   | package_unsigned   |
proposed-seal@package  |            | package_unsigned   | package_unsigned   |
seal@package!expired   |            | package_unsigned   | package_unsigned   |
seal@package!later     |            | package_unsigned   | package_unsigned   |
seal@package=main      | header_not_covered | header_not_covered | header_not_covered | header_not_covered
seal@package=header    |            |                    |                    |
ministry-seal@package  | another_agency_signature | another_agency_signature package_unsigned | another_agency_signature package_unsigned | another_agency_signature
"""


@pytest.mark.parametrize("package, on, expected", cells(DECLARED))
def test_a_declared_package_signature_that_is_not_there_is_a_warning(world, package, on, expected):
    remarks, more = ((package,), "") if "@" not in package else ((), package)
    declared = requirements.directory.Declaration(
        agency=world.DEPARTMENT,
        kind="signs_package",
        valid_from=date(2026, 3, 1),
        valid_to=date(2026, 10, 31),
    )
    cell, judgement = outcome(
        world,
        f"person@main~signature seal@main {more}",
        remarks=filter(None, remarks),
        on=date.fromisoformat(on),
        declarations=[declared],
    )
    assert cell == "met E"
    assert [finding.code for finding in judgement.warnings] == expected.split()


def test_a_broken_package_signature_is_refused_whether_declared_or_not(world):
    declared = requirements.directory.Declaration(
        agency=world.DEPARTMENT, kind="signs_package", valid_from=world.START
    )
    for declarations in ([], [declared]):
        cell, _ = outcome(world, "person@main seal@main seal@package!hash", declarations=declarations)
        assert cell == "refused signature_broken"


# What is declared about paper.

PAPER = """
signatures                      | flag 0                | flag 1                | no flag               | no flag, standing     | flag 1, standing
person@main~signature seal@main | met E E               | met E S               | met U U               | met E E               | met E S
person@main                     | not_met organisation_missing N N | not_met organisation_missing N S | not_met organisation_missing N N | not_met organisation_missing N N | not_met organisation_missing N S
proposed-seal@main person@main~signature | undetermined signer_unconfirmed N N | undetermined signer_unconfirmed N S | undetermined signer_unconfirmed N N | undetermined signer_unconfirmed N N | undetermined signer_unconfirmed N S
"""
FLAGS = {"flag 0": (0, False), "flag 1": (1, False), "no flag": (None, False)}
FLAGS |= {"no flag, standing": (None, True), "flag 1, standing": (1, True)}


@pytest.mark.parametrize("signatures, declared, expected", cells(PAPER))
def test_what_is_declared_about_paper(world, signatures, declared, expected):
    paper, standing = FLAGS[declared]
    cell, _ = outcome(world, signatures, intake={"paper": paper, "no_paper_standing": standing})
    requirement, klass = expected.rsplit(" ", 1)
    assert cell == requirement
    assert klass == ("S" if paper == 1 else cell.rsplit(" ", 1)[1])


# A deployment that accepts with a warning what row 2 refuses; letters from the national axis; files sent twice.

SWITCHED = """
signatures                              | accept_broken               | from the axis                | sent before
person@main seal@main                   | met E                       | met E                        | undetermined file_reused N
seal@main                               | not_met individual_missing N | not_met individual_missing N | not_met individual_missing N
person@main proposed-seal@main          | undetermined signer_unconfirmed N | undetermined signer_unconfirmed N | undetermined signer_unconfirmed N
person@main seal@main!hash              | not_met broken_main N       | refused signature_broken     | refused signature_broken
person@main seal@main seal@package!hash | not_met broken_package N    | met E                        | refused signature_broken
person@main seal@package!hash           | not_met broken_package N    | not_met broken N             | refused signature_broken
person@main seal@main seal@package!wrap | not_met broken_package N    | refused signature_wrapping   | refused signature_wrapping
ministry-seal@main                      | not_met signer_of_another N | refused signature_of_another | refused signature_of_another
person@main seal@main seal@annex!hash   | not_met broken_annex N      | not_met broken_annex N       | not_met broken_annex N
"""
SWITCHES = {
    "accept_broken": {"policy": replace(requirements.DEFAULT, accept_broken=True)},
    "from the axis": {"sender_from_axis": True},
    "sent before": {"reused": True, "reused_as": "7/CV"},
}


@pytest.mark.parametrize("signatures, switch, expected", cells(SWITCHED))
def test_what_a_deployment_the_axis_and_an_earlier_letter_change(world, signatures, switch, expected):
    assert outcome(world, signatures, **SWITCHES[switch])[0] == expected


# The tables themselves.


def test_every_way_not_to_pass_has_its_row():
    heads = {param.values[0] for param in cells(ENDS_IN_PLACE)}
    assert {FAILS[head] for head in heads & FAILS.keys()} == set(SubIndication)


TABLES = (ENDS_IN_PLACE, ENDS_BESIDE, SIGNERS, REPRESENTED, COVERAGE, FILES, PACKAGES, PAPER, SWITCHED)
ELSEWHERE = {"repaired", "no_document", "ambiguous_name", "package_not_declared", "unreadable"}
"""Reasons of letters that have no such tables: of their form and their files (test_requirements)."""


def test_the_tables_name_every_reason():
    words = {word for table in TABLES for param in cells(table) for word in param.values[2].split()}
    assert set(reasons.PRECEDENCE) - words == ELSEWHERE


def test_class_e_and_u_stand_only_where_the_requirement_is_met():
    said = [param.values[2] for table in TABLES for param in cells(table)]
    assert all(cell.startswith(("met", "refused")) or " N" in cell for cell in said)
    assert sum(map(len, map(cells, (*TABLES, DECLARED)))) > 450


def test_a_day_is_a_whole_day(world):
    """The tables above stand on one day; a certificate's row ends with its last day."""
    assert outcome(world, "person@main former-seal@main", on=world.END)[0] == "met E"
    assert outcome(world, "person@main former-seal@main", on=world.END + timedelta(days=1))[0] != "met E"
