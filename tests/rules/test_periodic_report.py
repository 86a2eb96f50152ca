"""BC-15: every sentence is computed, none is said of what was not measured, and too little evidence gives no percentage."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange import texts
from exchange.rules import periodic_report, ratios
from exchange.rules.paper_class import CLASSES
from exchange.rules.periodic_report import Figures
from exchange.rules.ratios import Measure

SENT = {"E": 441_042, "S": 14_382, "N": 0, "U": 0, "P": 23_969}
"""Cần Thơ in 2019 as published (reference page rules_and_measures, A.2)."""


def figures(**changed):
    return Figures(**{"sent": SENT, "received": {}, "registers": (452, 452), **changed})


def keys(figures, heading):
    (section,) = [one for one in periodic_report.sections(figures) if one.heading == heading]
    return [sentence.key for sentence in section.sentences]


def fact(figures, key):
    (found,) = [
        sentence.facts
        for section in periodic_report.sections(figures)
        for sentence in section.sentences
        if sentence.key == key
    ]
    return dict(found)


def test_headings_stand_in_the_order_of_the_form_and_only_proposals_are_blank():
    sections = periodic_report.sections(figures())
    assert [one.heading for one in sections] == [
        "part.results", "clause.exchange", "clause.signatures", "clause.deadlines", "part.shortcomings", "part.proposals",
    ]  # fmt: skip
    assert [one.heading for one in sections if one.blank] == ["part.proposals"]


def test_the_published_year():
    said = fact(figures(), "sent")
    assert {name: said[f"{name}_share"] for name in CLASSES} == {
        "E": "92,00", "S": "3,00", "N": "0,00", "U": "0,00", "P": "5,00",
    }  # fmt: skip
    assert fact(figures(), "headline") == {"share": "92,00", "n": "441.042", "d": "479.393"}
    assert fact(figures(), "with_electronic") == {"measure": "95,00 % (455.424/479.393)"}


@pytest.mark.parametrize(
    "n, key", [(441_042, "target_met"), (441_041, "target_missed")], ids=["reached", "one-short"]
)
def test_a_target_is_met_by_the_counts_not_by_the_rounded_text(n, key):
    sent = {"E": n, "S": 0, "N": 0, "U": 0, "P": 479_393 - n}
    assert key in keys(figures(sent=sent, target=92), "clause.exchange")
    assert fact(figures(sent=sent, target=92), "headline")["share"] == "92,00"


@pytest.mark.parametrize(
    "before, key, points",
    [
        (Measure(300_000, 400_000), "up", "17,00"),
        (Measure(99, 100), "down", "7,00"),
        (Measure(441_042, 479_393), "same", "0,00"),
        (Measure(882_083, 958_786), "same", "0,00"),
    ],
    ids=["up", "down", "same", "less-than-half-a-hundredth"],
)
def test_the_period_before(before, key, points):
    assert fact(figures(before=before), key) == {"points": points, "before": before.text}


def test_a_period_before_without_transfers_is_not_compared():
    assert not {"up", "down", "same"} & set(keys(figures(before=Measure(0, 0), target=92), "clause.exchange"))


@pytest.mark.parametrize(
    "registers, enough",
    [((407, 452), True), ((406, 452), False), ((0, 0), False)],
    ids=["90", "below", "none"],
)
def test_too_few_registers_give_no_percentage_no_target_and_no_comparison(registers, enough):
    given = figures(registers=registers, target=92, before=Measure(1, 2))
    said = keys(given, "clause.exchange")
    assert ("headline" in said) is enough
    assert ("headline_insufficient" in said) is not enough
    assert ("target_met" in said) is enough
    assert ("up" in said) is enough


def test_what_was_not_measured_is_not_said():
    nothing = Figures(sent={}, received={})
    assert keys(nothing, "clause.exchange") == ["sent_none"]
    assert keys(nothing, "clause.signatures") == ["not_measured"]
    assert keys(nothing, "clause.deadlines") == ["not_measured"]
    assert keys(nothing, "part.shortcomings") == ["nothing"]
    assert keys(figures(measures={"M8": Measure(0, 0)}), "clause.signatures") == ["not_measured"]


def test_measures_go_where_they_belong():
    measures = {name: Measure(1, 2) for name in ("M13", "M12", "M9", "M8", "M1")}
    sections = {one.heading: one.sentences for one in periodic_report.sections(figures(measures=measures))}
    assert [one.measure for one in sections["clause.signatures"]] == ["M8", "M9"]
    assert [one.measure for one in sections["clause.deadlines"]] == ["M12", "M13"]


@pytest.mark.parametrize(
    "changed, key, facts",
    [
        ({}, "paper_only", {"n": "23.969", "share": "5,00"}),
        ({}, "parallel", {"n": "14.382", "share": "3,00"}),
        ({"sent": {"E": 1, "N": 1}}, "unsigned", {"n": "1", "share": "50,00"}),
        ({"sent": {"E": 1, "U": 1}}, "undeclared", {"n": "1", "share": "50,00"}),
        ({"measures": {"M7": Measure(3, 10)}}, "unjustified", {"measure": "30,00 % (3/10)"}),
        ({"measures": {"M11": Measure(411, 452)}}, "without_seal", {"n": "41", "d": "452"}),
        ({"measures": {"M10_leaders": Measure(1, 2)}}, "idle_leaders", {"n": "1", "d": "2"}),
        ({"measures": {"M12": Measure(1, 3)}}, "late", {"n": "2", "d": "3"}),
        ({"measures": {"M13": Measure(1, 3)}}, "unconfirmed", {"n": "2", "d": "3"}),
        ({"failed": 7}, "failed", {"n": "7"}),
        ({"registers": (450, 452)}, "without_register", {"n": "2", "d": "452"}),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_each_shortcoming_has_its_sentence(changed, key, facts):
    assert fact(figures(**changed), key) == facts


def test_a_whole_measure_is_no_shortcoming():
    whole = {name: Measure(5, 5) for name in ("M11", "M10_leaders", "M12", "M13")} | {"M7": Measure(0, 9)}
    sent = {"E": 10, "S": 0, "N": 0, "U": 0, "P": 0}
    assert keys(figures(sent=sent, measures=whole, failed=0), "part.shortcomings") == ["nothing"]


counts = st.fixed_dictionaries({klass: st.integers(0, 10**9) for klass in CLASSES})
some = st.tuples(st.integers(0, 500), st.integers(0, 500)).map(lambda pair: (min(pair), max(pair)))


@settings(deadline=None)
@given(
    sent=counts, received=counts, registers=some, target=st.none() | st.integers(0, 100), before=some, failed=st.integers(0, 99),
)  # fmt: skip
def test_every_sentence_can_be_said_in_both_languages_and_shares_add_up(
    sent, received, registers, target, before, failed
):
    made = Figures(
        sent=sent, received=received, registers=registers, target=target, before=Measure(*before), failed=failed,
        measures={"M8": Measure(*before)}, certificates={"issued": 1}, excluded=1,
    )  # fmt: skip
    for section in periodic_report.sections(made):
        for language in texts.LANGUAGES:
            assert texts.say(f"periodic.{section.heading}", language)
            assert all(said(one, language) for one in section.sentences)
    if periodic_report.total(sent):
        shares = fact(made, "sent" if periodic_report.sufficient(made) else "sent_counts")
        assert sum(int(shares[f"{klass}_share"].replace(",", "")) for klass in CLASSES) == 10_000


def said(sentence, language):
    place = "periodic" if sentence.key in ("nothing", "not_measured") else "periodic.said"
    facts = {"name": "x", **sentence.facts} if sentence.measure else sentence.facts
    return texts.say(f"{place}.{sentence.key}", language, **facts)


@given(some, some)
def test_a_change_is_that_of_the_exact_ratios(now, before):
    if now[1] and before[1]:
        points = ratios.change(Measure(*now), Measure(*before))
        exact = 10_000 * (now[0] / now[1] - before[0] / before[1])
        assert abs(points - exact) <= 0.5 + 1e-6
        assert points == -ratios.change(Measure(*before), Measure(*now))


def test_every_annex_has_one_number():
    codes = [code for codes in periodic_report.ANNEXES.values() for code in codes]
    assert len(codes) == len(set(codes))
    assert list(periodic_report.ANNEXES) == sorted(periodic_report.ANNEXES)
    assert ratios.met(*figures().registers, figures().percent)
