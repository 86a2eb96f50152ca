"""Which letters carry one document, and when sending it again is no transfer: tables of cases, and properties."""

import itertools
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange import texts
from exchange.rules import document_types, documents, lifecycle
from exchange.rules.documents import Earlier, Held, Sent

ISSUER, OTHER = UUID(int=1), UUID(int=2)
DAY = date(2026, 3, 2)


def key(number, notation="UBND-VX", day=DAY, type_name="", issuer=ISSUER):
    return documents.key(issuer, number, notation, day, type_name)


ONE = {
    # what is written: number and notation as compared
    ("12", "UBND-VX"): ("12", "UBND-VX"),
    ("012", "UBND-VX"): ("12", "UBND-VX"),
    ("00012", " ubnd-vx "): ("12", "UBND-VX"),
    (" 1 2 ", "UBND – VX"): ("12", "UBND-VX"),
    ("１２", "UBND\u2011VX"): ("12", "UBND-VX"),
    ("12", "/UBND-VX"): ("12", "UBND-VX"),
    ("12/", "UBND-VX."): ("12", "UBND-VX"),
    ("12", "12/UBND-VX"): ("12", "UBND-VX"),
    ("012", "12/UBND-VX"): ("12", "UBND-VX"),
    ("12/UBND-VX", ""): ("12", "UBND-VX"),
    ("12/UBND-VX", "UBND-VX"): ("12", "UBND-VX"),
    ("Số: 12", "UBND-VX"): ("12", "UBND-VX"),
    ("12", "UBND\u200b-VX"): ("12", "UBND-VX"),
    ("12", ""): ("12", ""),
    ("0", "CV"): ("0", "CV"),
    ("00", "CV"): ("0", "CV"),
    ("34E31", "cv"): ("34E31", "CV"),
    ("034e31", "CV"): ("34E31", "CV"),
    ("12a", "CV"): ("12A", "CV"),
    ("02/2026", "TT-BTC"): ("2", "TT-BTC"),
    ("02", "2026/TT-BTC"): ("2", "TT-BTC"),
    ("02/2026/TT-BTC", ""): ("2", "TT-BTC"),
    ("02/2026/TT-BTC", "TT-BTC"): ("2", "TT-BTC"),
    ("02", "02/2026/TT-BTC"): ("2", "TT-BTC"),
    ("02/2025", "TT-BTC"): ("2/2025", "TT-BTC"),
    ("02", "2025/TT-BTC"): ("2", "2025/TT-BTC"),
    ("12/CV", "UBND-VX"): ("12/CV", "UBND-VX"),
    ("2026", "CV"): ("2026", "CV"),
    ("7", "QĐ-UBND"): ("7", "QĐ-UBND"),
    ("7", "qđ-ubnd"): ("7", "QĐ-UBND"),
    ("7", "Q\u00d0-UBND"): ("7", "QĐ-UBND"),
    ("7", "QD-UBND"): ("7", "QD-UBND"),
    ("7", "TƯ-ĐN"): ("7", "TƯ-ĐN"),
    ("7", "TU\u031b-ĐN"): ("7", "TƯ-ĐN"),
    ("74fass22", "CV"): ("74FASS22", "CV"),
}


@pytest.mark.parametrize("written", ONE, ids=lambda one: ascii("/".join(one)))
def test_number_and_notation_as_they_are_compared(written):
    found = key(*written)
    assert (found.number, found.notation) == ONE[written]


NONE = {
    "no number": ("", "CV", DAY),
    "spaces": ("  ", "CV", DAY),
    "a stroke": ("/", "CV", DAY),
    "no day": ("12", "CV", None),
    "endless number": ("1" * 201, "CV", DAY),
    "endless notation": ("1", "C" * 201, DAY),
}


@pytest.mark.parametrize("case", NONE)
def test_what_has_no_key(case):
    assert key(*NONE[case]) is None


APART = {
    "another number": key("13"),
    "a number with a letter": key("12A"),
    "another notation": key("12", "UBND-KT"),
    "a notation with other marks": key("12", "UBNĐ-VX"),
    "another year": key("12", day=date(2025, 3, 2)),
    "another issuer": key("12", issuer=OTHER),
    "a normative one": key("12/2026", "QĐ-UBND"),
}


@pytest.mark.parametrize("case", APART)
def test_other_documents(case):
    assert APART[case] not in (key("12"), key("12", "QĐ-UBND"))


def test_the_day_does_not_tell_documents_apart_within_a_year():
    assert key("12", day=date(2026, 1, 1)) == key("12", day=date(2026, 12, 31))


SERIES = {
    ("12", "UBND-VX", "Công văn"): "",
    ("12", "QĐ-UBND", "Quyết định"): "",
    ("12", "QĐ-UBND", ""): "",
    ("12/2026", "QĐ-UBND", ""): "QĐ",
    ("12", "2026/QĐ-UBND", "Quyết định"): "QĐ",
    ("12", "2026/NQ-HĐND", ""): "NQ",
    ("12", "NQ-HĐND", "Nghị quyết"): "",
    ("12", "TT-BTC", ""): "TT",
    ("12", "BTC", "Thông tư"): "TT",
    ("12", "2026/TT-BTC", "THONG TU"): "TT",
    ("12", "TTLT-BTC-BNV", ""): "TTLT",
    ("12", "BTC", "Thông tư liên tịch"): "TTLT",
    ("12", "NĐ-CP", ""): "NĐ",
    ("12", "TTr-UBND", "Tờ trình"): "",
    ("12", "TB-UBND", "Thông báo"): "",
    ("12/2026", "UBND-VX", "Công văn"): "",
}


@pytest.mark.parametrize("case", SERIES, ids=lambda one: ascii(" ".join(one)))
def test_series(case):
    assert key(*case[:2], type_name=case[2]).series == SERIES[case]


def test_every_rule_has_a_source_and_a_name_of_its_own_and_is_needed():
    rules = documents.default_series()
    assert len({rule.name for rule in rules}) == len(rules)
    assert all("Điều 15" in rule.source for rule in rules)
    assert all(document_types.fold(name) in rule.types for rule in rules for name in rule.types)


def test_a_specialised_series_goes_by_its_notation():
    own = documents.read_series(
        '[[series]]\nname = "GP"\nnotations = ["gp"]\nsource = "30/2020/NĐ-CP Điều 15"'
    )
    assert documents.series("GP-STNMT", "", rules=own) == "GP"
    assert documents.series("CV", "Giấy phép", rules=own) == ""


written = st.text(st.sampled_from("0123456789aAbĐđðÐ/-– \u00a0\u200bsSốớ:.\u031b"), max_size=12)


@given(written, written)
def test_what_is_compared_is_compared_the_same_again(number, notation):
    plain_number, plain_notation, _ = documents.plain(number, notation, 2026)
    again = documents.plain(plain_number, plain_notation, 2026)
    if "/" not in plain_number + plain_notation:
        assert again[:2] == (plain_number, plain_notation)


@given(
    st.integers(1, 10**6), st.sampled_from(["CV", "UBND-VX", "QĐ-UBND", "TTĐT"]), st.integers(0, 3), st.data()
)
def test_however_it_is_written_it_is_one_document(number, notation, zeros, data):
    spaces = st.text(" \t\u00a0\u200b", max_size=2)
    written = "0" * zeros + str(number)
    ways = [(written, notation), (f"{written}/{notation}", ""), (written, f"{number}/{notation}")]
    given_number, given_notation = data.draw(st.sampled_from(ways))
    given_notation = data.draw(st.sampled_from([str.lower, str.upper]))(given_notation).replace(
        "-", data.draw(st.sampled_from("-–‑"))
    )
    found = key(data.draw(spaces) + given_number, given_notation + data.draw(spaces))
    assert found == key(str(number), notation)


# --- sent twice ---------------------------------------------------------------------------------------------------------

FIRST, SECOND, THIRD = UUID(int=11), UUID(int=12), UUID(int=13)
R = UUID(int=21)
OPEN = sorted({*lifecycle.STATES} - lifecycle.CLOSED)


def held(state="arrived", *, same=True, letter=FIRST, document_id="A", recipient=R, **further):
    return Held(
        recipient=recipient,
        letter=letter,
        document_id=document_id,
        state=state,
        same=same,
        **further,
    )


NEW = Sent(document_id="B")


@pytest.mark.parametrize("state", lifecycle.STATES)
def test_the_same_document_counts_again_only_where_the_first_ended(state):
    assert bool(documents.duplicates(NEW, [held(state)])) == (
        state not in {"refused", "withdrawn", "expired"}
    )


@pytest.mark.parametrize("state", lifecycle.STATES)
def test_other_content_always_counts(state):
    assert documents.duplicates(NEW, [held(state, same=False)]) == {}


def test_what_did_not_count_itself_holds_nothing_back():
    assert documents.duplicates(NEW, [held("refused"), held(duplicate=True, letter=SECOND)]) == {}
    assert documents.duplicates(NEW, [held("refused"), held(letter=SECOND)]) == {R: SECOND}


def test_recalled_after_registration_it_stays_counted_and_holds_the_document():
    for recalled in (True, False):
        found = documents.duplicates(NEW, [held("withdrawn", recalled=recalled)])
        assert found == ({R: FIRST} if recalled else {})


def test_a_replacement_for_nobody_takes_nothing_away():
    assert documents.duplicates(Sent(document_id="B", replaced={"A": ()}), [held("waiting")]) == {R: FIRST}


def test_each_recipient_for_itself():
    assert documents.duplicates(NEW, [held(), held(recipient=OTHER, same=False)]) == {R: FIRST}


REPLACED = {
    # concerned, state of the old delivery: the new one is no transfer of its own
    **{(True, state): state not in ("waiting", "arrived") for state in OPEN},
    **{(False, state): True for state in OPEN},
    **{(concerned, state): False for concerned in (True, False) for state in lifecycle.CLOSED},
}


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("case", sorted(REPLACED), ids=str)
def test_a_replacement_under_the_old_key(case, same):
    concerned, state = case
    to_all = Sent(document_id="B", replaced={"A": None})
    to_named = Sent(document_id="B", replaced={"A": {R if concerned else OTHER}})
    for sent in (to_named, to_all) if concerned else (to_named,):
        assert bool(documents.duplicates(sent, [held(state, same=same)])) == REPLACED[case]


def test_a_replacement_beside_a_document_that_it_does_not_replace():
    sent = Sent(document_id="B", replaced={"A": ()})
    assert documents.duplicates(sent, [held("done", same=False, document_id="C")]) == {}
    assert documents.duplicates(sent, [held("waiting", same=True, document_id="C")]) == {R: FIRST}


@given(
    st.lists(
        st.tuples(
            st.sampled_from([R, OTHER]), st.sampled_from(lifecycle.STATES), st.booleans(), st.booleans()
        ),
        max_size=6,
    )
)
def test_the_order_in_which_earlier_letters_are_told_decides_nothing(rows):
    told = [held(state, same=same, duplicate=twice, recipient=one) for one, state, same, twice in rows]
    assert {*documents.duplicates(NEW, told)} == {*documents.duplicates(NEW, told[::-1])}


def earlier(document_id="A", *, same=False, recipients=(R,)):
    return Earlier(document_id=document_id, day=DAY, same=same, recipients=recipients)


CAUTIONS = {
    # what came first: codes of what the sender is told
    "nothing": ((), []),
    "other content": ((earlier(),), ["duplicate_number"]),
    "other content, also to others only": ((earlier(recipients=(OTHER,)),), ["duplicate_number"]),
    "the same to the same": ((earlier(same=True),), ["document_sent_before"]),
    "the same to others": ((earlier(same=True, recipients=(OTHER,)),), []),
    "both": ((earlier(same=True), earlier("C")), ["document_sent_before", "duplicate_number"]),
    "an earlier round": ((earlier("B"),), []),
    "twice": ((earlier("A"), earlier("C")), ["duplicate_number"]),
}


@pytest.mark.parametrize("case", CAUTIONS)
def test_what_the_sender_is_told(case):
    before, expected = CAUTIONS[case]
    found = documents.cautions(NEW, "12/CV", [R], before)
    assert [one.code for one in found] == expected
    for one, language in itertools.product(found, ("vi", "en")):
        said = texts.say(f"finding.{one.code}", language, **one.facts)
        assert "12/CV" in said
        assert "02/03/2026" in said
        assert f"{one.facts['document_id']})" in said


def test_the_first_letter_is_the_one_that_is_told():
    (found,) = documents.cautions(NEW, "12/CV", [R], [earlier("A"), earlier("C")])
    assert found.facts["document_id"] == "A"


def test_what_is_replaced_is_no_number_used_twice():
    sent = Sent(document_id="B", replaced={"A": ()})
    assert documents.cautions(sent, "12/CV", [R], [earlier("A")]) == ()
