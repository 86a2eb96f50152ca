"""What must hold of every judgement, whatever the signatures: more good ones never harm, order tells nothing, E is earned."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules import conftest as world
from rules.test_table import WHERE, WHO, signature

from exchange.rules import admission, reasons, requirements, routing, supply
from signing.verdict import Report

SNAPSHOT = world.snapshot()
RANK = {"not_met": 0, "undetermined": 1, "met": 2}
FAILS = ["", "", "", "", "!provisional", "!later", "!revoked", "!expired", "!hash", "!wrap", "!format"]

passing = st.builds(
    "{}@{}{}{}".format,
    st.sampled_from([who for who in WHO if who != "nobody"]),
    st.sampled_from(sorted(WHERE)),
    st.sampled_from(["", "", "", "~annotation", "~page_content"]),
    st.sampled_from(["", "!provisional"]),
)
packages = st.builds(
    "{}@package={}".format,
    st.sampled_from([who for who in WHO if who != "nobody"]),
    st.sampled_from(["main", "annex", "header", "files"]),
)
any_signature = (
    passing
    | packages
    | st.builds(
        "{}@{}{}".format, st.sampled_from(list(WHO)), st.sampled_from(sorted(WHERE)), st.sampled_from(FAILS)
    )
)
many = st.lists(any_signature, max_size=6)
letters = st.fixed_dictionaries(
    {},
    optional={
        "copy_form": st.sampled_from(["original", "true_copy"]),
        "sender": st.sampled_from([world.DEPARTMENT, world.COMMUNE, world.PROVINCE]),
        "reused": st.just(True),
        "sender_from_axis": st.just(True),
    },
)
files = st.sampled_from([("letter.pdf",), ("letter.pdf", "annex.pdf"), ("letter.pdf", "table.xlsx")])


def judged(texts, names, facts):
    letter = world.letter(*names, **{"main_named": "letter.pdf", **facts})
    report = Report(verdicts=tuple(signature(world, text) for text in texts))
    return letter, report, requirements.judge(letter, report, SNAPSHOT, requirements.DEFAULT, world.ON)


def admitted(texts, names, facts, paper=0, *, standing=False, accept_broken=False):
    letter, report, judgement = judged(texts, names, facts)
    intake = admission.Intake(
        sender=SNAPSHOT.agencies[letter.sender],
        acts_for=frozenset({letter.sender}),
        routing=routing.Routing(recipients=(world.MINISTRY,)),
        from_axis=letter.sender_from_axis,
        paper=paper,
        no_paper_standing=standing,
    )
    return admission.decide(intake, report, judgement, accept_broken=accept_broken)


@given(many, passing | packages, files, letters)
def test_one_good_signature_more_never_lowers_the_requirement(texts, extra, names, facts):
    before = judged(texts, names, facts)[2]
    after = judged([*texts, extra], names, facts)[2]
    assert RANK[after.requirement] >= RANK[before.requirement]


@given(many, files, letters, st.data())
def test_one_good_signature_less_never_raises_it(texts, names, facts, data):
    good = [text for text in texts if "!" not in text or text.endswith("!provisional")]
    if good:
        gone = data.draw(st.sampled_from(good))
        rest = list(texts)
        rest.remove(gone)
        before, after = judged(texts, names, facts)[2], judged(rest, names, facts)[2]
        assert RANK[after.requirement] <= RANK[before.requirement]


OWN = ["seal@main", "seal2@main", "person@main", "seal@package", "person@package=main", "seal@annex"]


@given(many, st.sampled_from(OWN), files, letters, st.booleans())
def test_a_good_signature_of_ones_own_never_gets_a_letter_refused(texts, extra, names, facts, broken):
    facts = {**facts, "sender": world.DEPARTMENT}
    before = admitted(texts, names, facts, accept_broken=broken)
    after = admitted([*texts, extra], names, facts, accept_broken=broken)
    assert isinstance(before, admission.Refused) or isinstance(after, admission.Admitted)


@given(many.flatmap(lambda texts: st.tuples(st.just(texts), st.permutations(texts))), files, letters)
def test_the_order_of_signatures_tells_nothing(pair, names, facts):
    one, other = (admitted(texts, names, facts) for texts in pair)
    if isinstance(one, admission.Refused):
        assert isinstance(other, admission.Refused)
        assert one.code == other.code
        return
    facts_of = [
        (decided.requirement, decided.reason, decided.klass, sorted(map(repr, decided.warnings)))
        for decided in (one, other)
    ]
    assert facts_of[0] == facts_of[1]
    missing = [judged(texts, names, facts)[2].missing for texts in pair]
    assert missing[0] == missing[1]


@given(many, files, letters, st.sampled_from([None, 0, 1, 2]), st.booleans(), st.booleans())
def test_class_e_only_where_the_requirement_is_met(texts, names, facts, paper, standing, broken):
    decided = admitted(texts, names, facts, paper, standing=standing, accept_broken=broken)
    if isinstance(decided, admission.Refused):
        assert decided.findings
        return
    assert (decided.class_if_electronic == "N") is (decided.requirement != "met")
    assert (decided.klass == "S") is (paper == 1)
    assert decided.klass != "E" or (decided.requirement == "met" and (paper == 0 or standing))
    assert (decided.reason == "") is (decided.requirement == "met")
    if decided.reason:
        assert decided.reason in reasons.PRECEDENCE
        assert "warning" in {one.severity for one in decided.warnings}


def covers_main(one):
    """Told without the rules' own words: in the file over all of it, or in the package over its element."""
    if one.where == "package":
        return one.coverage.whole or "/*/*[2]/*[1]" in one.coverage.paths
    return one.where == "letter.pdf" and one.coverage.whole


@settings(max_examples=300)
@given(many, letters)
def test_whatever_is_met_has_the_seal_over_the_whole_main_document_and_another_certificate_of_a_person(
    texts, facts
):
    letter, report, judgement = judged(texts, ("letter.pdf",), facts)
    if judgement.requirement != "met":
        return
    pairs = [(one, who) for one, who in zip(report.verdicts, judgement.signers, strict=True) if one.passed]
    seals = {
        one.certificate_sha256 for one, who in pairs if covers_main(one) and who.organisation.name == "OWN"
    }
    people = {
        one.certificate_sha256
        for one, who in pairs
        if who.individual.name in {"OWN", "REPRESENTING"}
        and (covers_main(one) or (one.where == "letter.pdf" and set(one.changes_after) <= {"annotation"}))
    }
    assert seals
    if letter.copy_form == "original":
        assert any(seal != person for seal in seals for person in people)
    assert not any(
        one.wrapping or (one.sub_indication and "HASH" in one.sub_indication)
        for one in report.verdicts
        if not (letter.sender_from_axis and one.where == "package")
    )


def test_the_strategies_reach_every_end():
    """Properties of letters that are never met would prove little."""
    found = {
        judged(text.split(), ("letter.pdf",), {})[2].requirement
        for text in ("person@main~annotation seal@main", "proposed-seal@main person@main", "seal@main")
    }
    assert found == set(RANK)


@pytest.mark.parametrize("capacity", ["organisation", "individual"])
def test_a_demand_nobody_tries_to_supply_is_told_as_such(capacity):
    signed = "person@main" if capacity == "organisation" else "seal@main"
    judgement = judged([signed], ("letter.pdf",), {})[2]
    assert (judgement.reason, judgement.missing) == (f"{capacity}_missing", (f"main.{capacity}",))
    assert replace(judgement, reason="").missing
    assert set(reasons.PRECEDENCE) > supply.TEMPORARY
