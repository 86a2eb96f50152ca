"""The signature policy as a file: what it decides by copy form, kind and day, and a sentence for every mistake."""

from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange import texts
from exchange.rules import policy, policy_file

CHANGES = ("signature", "form", "annotation", "validation", "page_stamp")
BOTH, SEAL, PERSON = ("organisation", "individual"), ("organisation",), ("individual",)

RULE = """
[[rule]]
copy_form = "original"
document_type = "Giấy mời"
demands = ["organisation"]
valid_from = 2026-01-01
valid_to = 2026-06-30
annex_kinds = []
basis = "Quy chế văn thư"

[[rule]]
copy_form = "*"
document_type = "*"
demands = ["organisation", "individual"]
later_changes = ["signature"]
basis = "Điều 5"
"""
SOUND = 'source = "Quy chế"\n' + RULE


def test_the_decrees_policy_is_the_packages_file():
    raw = files("exchange.rules").joinpath("policy.toml").read_bytes()
    assert policy_file.read(raw) == policy.DEFAULT
    assert "30/2020" in policy.DEFAULT.source
    assert policy.DEFAULT.accept_broken is policy.DEFAULT.package_by_declaration is False


DECREE = [
    # copy form, kind, day, demands
    ("original", "Công văn", "2026-11-21", BOTH),
    ("original", "", "2026-11-21", BOTH),
    ("true_copy", "Công văn", "2026-11-21", SEAL),
    ("extract", "Quyết định", "2026-11-21", SEAL),
    ("duplicate", "Nghị quyết (cá biệt)", "2026-11-21", SEAL),
    ("true_copy", "Công văn", "2020-03-05", SEAL),
    ("true_copy", "Công văn", "2020-03-04", SEAL),  # Decision 28/2018 Art. 4(1)
    ("original", "Công văn", "2020-03-04", SEAL),
    ("original", "Công văn", "2020-03-05", BOTH),
    ("original", "Báo cáo", "2018-09-06", SEAL),
    ("original", "Báo cáo", "2018-09-05", BOTH),
    ("nonsense", "Công văn", "2026-11-21", BOTH),
]


@pytest.mark.parametrize("copy_form, kind, on, demands", DECREE)
def test_the_decree(copy_form, kind, on, demands):
    wanted = policy.wanted(policy.DEFAULT, copy_form, kind, date.fromisoformat(on))
    assert wanted.demands == demands
    assert (wanted.annex_kinds, wanted.annex_demands) == (("pdf",), SEAL)
    assert wanted.later_changes == CHANGES
    assert wanted.after_organisation == ("validation",)


DATED = [
    # kind, day, demands, annex kinds, later changes
    ("Giấy mời", "2025-12-31", BOTH, ("pdf",), ("signature",)),
    ("Giấy mời", "2026-01-01", SEAL, (), CHANGES),
    ("giay moi", "2026-06-30", SEAL, (), CHANGES),
    ("Giấy mời", "2026-07-01", BOTH, ("pdf",), ("signature",)),
    ("Công văn", "2026-06-30", BOTH, ("pdf",), ("signature",)),
]


@pytest.mark.parametrize("kind, on, demands, annexes, changes", DATED)
def test_a_rule_holds_on_its_first_and_last_day_and_between(kind, on, demands, annexes, changes):
    given_ = policy_file.read(SOUND.encode())
    wanted = policy.wanted(given_, "original", kind, date.fromisoformat(on))
    assert (wanted.demands, wanted.annex_kinds, wanted.later_changes) == (demands, annexes, changes)


def test_the_digest_is_the_contents_and_not_the_files():
    first = policy_file.read(SOUND.encode())
    assert policy_file.read(("# a remark\n" + SOUND).encode()).sha256 == first.sha256
    assert replace(first, source="x").sha256 != first.sha256
    rules = (replace(first.rules[0], valid_to=date(2026, 7, 1)), first.rules[1])
    assert replace(first, rules=rules).sha256 != first.sha256
    assert replace(first, accept_broken=True).sha256 != first.sha256


MISTAKES = {
    # what replaces what, the code, where
    "no TOML": (("[[rule]]", "[[rule"), "not_toml", ""),
    "a name nobody knows": (("source", "sauce"), "unknown_key", "sauce"),
    "no source": (('source = "Quy chế"', ""), "missing_key", "source"),
    "an empty source": (("Quy chế", " "), "not_text", "source"),
    "a source that is a number": (('"Quy chế"', "1"), "not_text", "source"),
    "no rules": ((RULE, ""), "no_rules", "[[rule]]"),
    "rules that are none": ((RULE, "rule = 3"), "no_rules", "[[rule]]"),
    "rules that are texts": ((RULE, 'rule = ["a"]'), "no_rules", "[[rule]]"),
    "a flag that is a text": (("[[rule]]", 'accept_broken = "yes"\n[[rule]]'), "not_flag", "accept_broken"),
    "a rule's name nobody knows": (("basis", "base"), "unknown_key", "[[rule]] 1: base"),
    "no copy form": (('copy_form = "*"', ""), "missing_key", "[[rule]] 2: copy_form"),
    "a copy form nobody knows": (('"original"', '"copy"'), "not_one_of", "[[rule]] 1: copy_form"),
    "a list of copy forms": (('"original"', '["original"]'), "not_one_of", "[[rule]] 1: copy_form"),
    "a kind nobody knows": (("Giấy mời", "Giấy khen"), "unknown_type", "[[rule]] 1: document_type"),
    "a kind that is no text": (('"Giấy mời"', "7"), "unknown_type", "[[rule]] 1: document_type"),
    "nobody's signature": (('demands = ["organisation"]', "demands = []"), "not_some_of", "[[rule]] 1: demands"),
    "one signature twice": (
        ('["organisation", "individual"]', '["individual", "individual"]'),
        "not_some_of",
        "[[rule]] 2: demands",
    ),
    "a stranger's signature": (('"individual"]', '"minister"]'), "not_some_of", "[[rule]] 2: demands"),
    "a text for a list": (('["organisation"]', '"organisation"'), "not_some_of", "[[rule]] 1: demands"),
    "any change at all": (('["signature"]', '["other"]'), "not_some_of", "[[rule]] 2: later_changes"),
    "an annex kind nobody knows": (("annex_kinds = []", 'annex_kinds = ["docx"]'), "not_some_of", "[[rule]] 1: annex_kinds"),
    "a day as a text": (("2026-01-01", '"2026-01-01"'), "not_day", "[[rule]] 1: valid_from"),
    "a moment for a day": (("2026-01-01", "2026-01-01T00:00:00Z"), "not_day", "[[rule]] 1: valid_from"),
    "ends before it begins": (("2026-06-30", "2025-06-30"), "ends_before", "[[rule]] 1: valid_to"),
    "no basis": (('"Điều 5"', '""'), "not_text", "[[rule]] 2: basis"),
    "behind the general one": (
        ('[[rule]]\ncopy_form = "original"', '[[rule]]\ncopy_form = "*"\ndocument_type = "*"\ndemands = ["organisation"]\nbasis = "x"\n[[rule]]\ncopy_form = "original"'),
        "never_asked",
        "[[rule]] 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_every_mistake_is_told_with_its_place_in_both_languages(case):
    (before, after), code, where = MISTAKES[case]
    assert before in SOUND
    text = SOUND.replace(before, after, 1)
    with pytest.raises(policy_file.PolicyError) as caught:
        policy_file.read(text.encode())
    assert (code, where) in [(one.code, one.where) for one in caught.value.mistakes]
    for language in texts.LANGUAGES:
        sentences = caught.value.sentences(language)
        assert all(sentence.strip() and where.strip() in "".join(sentences) for sentence in sentences)


ASKED = [
    # the terms of an earlier rule and of one behind it, whether that one is ever asked
    ({}, {}, False),
    ({"copy_form": "original"}, {}, True),
    ({}, {"copy_form": "original"}, False),
    ({"document_type": "Giấy mời"}, {"document_type": "giay moi"}, False),
    ({"document_type": "Giấy mời"}, {"document_type": "Công văn"}, True),
    ({"valid_to": "2026-06-30"}, {}, True),
    ({"valid_to": "2026-06-30"}, {"valid_to": "2026-06-30"}, False),
    ({"valid_to": "2026-06-30"}, {"valid_to": "2026-07-01"}, True),
    ({"valid_from": "2026-01-01"}, {}, True),
    ({"valid_from": "2026-01-01"}, {"valid_from": "2026-01-01"}, False),
    ({"valid_from": "2026-01-01"}, {"valid_from": "2025-12-31"}, True),
]


@pytest.mark.parametrize("earlier, behind, asked", ASKED)
def test_a_rule_that_can_be_asked_is_no_mistake(earlier, behind, asked):
    text = 'source = "x"\n'
    for terms in (earlier, behind):
        row = {"copy_form": "*", "document_type": "*", **terms}
        lines = [
            f"{name} = {held}" if name.startswith("valid") else f'{name} = "{held}"'
            for name, held in row.items()
        ]
        text += "\n".join(["[[rule]]", *lines, 'demands = ["organisation"]', 'basis = "x"', ""])
    try:
        policy_file.read(text.encode())
    except policy_file.PolicyError as error:
        found = [one.code for one in error.mistakes]
    else:
        found = []
    assert found == ([] if asked else ["never_asked"])


def test_all_mistakes_are_told_at_once():
    text = SOUND.replace('"original"', '"copy"').replace("Giấy mời", "Giấy").replace("source", "sauce")
    with pytest.raises(policy_file.PolicyError) as caught:
        policy_file.read(text.encode())
    assert [one.code for one in caught.value.mistakes] == [
        "unknown_key",
        "missing_key",
        "not_one_of",
        "unknown_type",
    ]


@pytest.mark.parametrize(
    "raw, code",
    [
        (b"\xff\xfe", "not_utf8"),
        (b"#" * (policy_file.MOST_BYTES + 1), "too_large"),
        (b"a = " + b"[" * 5_000 + b"]" * 5_000, "not_toml"),
        (b"", "missing_key"),
    ],
    ids=["not UTF-8", "too large", "too deep", "empty"],
)
def test_a_file_that_is_none(raw, code):
    with pytest.raises(policy_file.PolicyError) as caught:
        policy_file.read(raw)
    assert caught.value.mistakes[0].code == code


@given(
    st.binary(max_size=80) | st.text(max_size=80).map(lambda text: (SOUND + text).encode(errors="replace"))
)
def test_a_file_is_a_policy_or_mistakes(raw):
    try:
        given_ = policy_file.read(raw)
    except policy_file.PolicyError as error:
        told = error.sentences()
    else:
        told = [rule.basis for rule in given_.rules if rule.demands]
    assert told


days = st.dates(date(2019, 1, 1), date(2027, 12, 31))
rows = st.lists(
    st.builds(
        policy.Rule,
        copy_form=st.sampled_from(["original", "true_copy", "*"]),
        document_type=st.sampled_from(["Công văn", "Giấy mời", "*"]),
        demands=st.sampled_from([BOTH, SEAL, PERSON]),
        basis=st.just("x"),
        valid_from=st.none() | days,
        valid_to=st.none() | days,
    ),
    max_size=5,
)


@given(rows, st.sampled_from(["original", "true_copy"]), st.sampled_from(["Công văn", "Giấy mời"]), days)
def test_the_first_rule_that_fits_decides(rules, copy_form, kind, on):
    fitting = [
        rule.demands
        for rule in rules
        if rule.copy_form in ("*", copy_form)
        and rule.document_type in ("*", kind)
        and (rule.valid_from or on) <= on <= (rule.valid_to or on)
    ]
    wanted = policy.wanted(policy.Policy(rules=tuple(rules)), copy_form, kind, on)
    assert wanted.demands == (fitting[0] if fitting else BOTH)


def test_a_day_later_is_another_day():
    rule = policy.Rule(
        copy_form="*",
        document_type="*",
        demands=SEAL,
        basis="x",
        valid_from=date(2026, 1, 1),
        valid_to=date(2026, 1, 1),
    )
    one = policy.Policy(rules=(rule,))
    found = [
        policy.wanted(one, "original", "", date(2026, 1, 1) + timedelta(days=step)).demands
        for step in (-1, 0, 1)
    ]
    assert found == [BOTH, SEAL, BOTH]
