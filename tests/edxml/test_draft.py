"""Letters said as facts: what was told of a letter makes it again, and every fault is told at once with its place."""

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from letters_generated import any_letter

from exchange.edxml import attachments, draft, model, names, read, view, write
from exchange.edxml.notes import Notes
from exchange.rules import routing

SMALL = {
    "sender": "H13.01",
    "recipients": ["H13.02"],
    "number": "15",
    "notation": "CV-STC",
    "issued_on": "2026-11-21",
    "subject": "V/v thử",
}


def drafted(facts):
    notes = Notes()
    return draft.read(notes, facts), notes.findings()


def faults(**facts):
    """Code and place of everything that is wrong with a small letter of these facts."""
    made, found = drafted({**SMALL, **facts})
    assert made is None
    assert {one.severity for one in found} == {"error"}
    return [(one.code, one.path) for one in found]


def told(letter):
    """The facts of a letter as another system reads them (GET …/header), its files beside them."""
    facts = json.loads(json.dumps(view.facts(read.read(write.write(letter)))))
    files = [
        {
            "name": one["name"],
            "content_type": one["content_type"],
            "description": one["description"],
            "data": attachments.content(attachment),
        }
        for one, attachment in zip(facts.pop("attachments"), letter.attachments, strict=True)
    ]
    return {**facts, "files": files}


def sealed(made):
    files = (
        replace(attachments.encode(one.name, one.data, one.content_type), description=one.description)
        for one in made.files
    )
    return replace(made.letter, attachments=tuple(files))


@settings(deadline=None)
@given(any_letter())
def test_what_is_told_of_a_letter_makes_it_again(letter):
    folded = {one.name.casefold() for one in letter.attachments}
    if len(folded) < len(letter.attachments):
        return  # names that differ by case alone are refused: a case of its own
    made, found = drafted(told(letter))
    assert found == ()
    again = read.read(write.write(sealed(made)))
    assert again.findings == ()
    assert again.message == letter
    assert view.facts(again) == view.facts(read.read(write.write(letter)))


@settings(deadline=None, max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*draft.FACTS, "code", "name", "data", "x"]), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_whatever_is_said_is_a_letter_or_told_faults(facts):
    for whole in (facts, {**SMALL, **facts} if isinstance(facts, dict) else facts):
        made, found = drafted(whole)
        assert (made is None) == bool(found)
        if made is not None:
            assert read.read(write.write(sealed(made))).sound


def test_the_same_facts_in_another_order_are_the_same_bytes():
    facts = {
        **SMALL,
        "staff": {"name": "A", "email": "a@b"},
        "priority": 1,
        "files": [{"name": "a.pdf", "data": b"%PDF-"}],
    }
    other = {name: facts[name] for name in sorted(facts, reverse=True)}
    first, second = (write.write(sealed(drafted(one)[0])) for one in (facts, other))
    assert first == second


def test_what_is_not_said_is_made_up_from_what_is():
    made, _ = drafted(SMALL)
    assert made.letter.document_id == "H13.01,2026/11/21,15/CV-STC"
    assert made.letter.traces == (model.Trace(code="H13.01"),)
    assert (made.letter.paper, made.letter.operation, made.purposes) == (None, "new", {})
    named, _ = drafted({**SMALL, "document_id": " x ", "traces": []})
    assert (named.letter.document_id, named.letter.traces) == ("x", ())


def test_a_recipient_is_a_code_or_an_object_with_what_is_wanted_of_it():
    made, _ = drafted({**SMALL, "recipients": ["A", {"code": " B ", "purpose": "inform", "name": "Sở B"}]})
    assert made.letter.recipients == (model.Party(code="A"), model.Party(code="B", name="Sở B"))
    assert made.purposes == {"B": "inform"}
    assert draft.PURPOSES == routing.PURPOSES


@pytest.mark.parametrize(
    "facts, expected",
    [
        ({"number": 15}, [("fact_not_text", "/number")]),
        ({"number": " \n "}, [("fact_missing", "/number")]),
        ({"number": None}, [("fact_missing", "/number")]),
        ({"subject": "a\x1b[2Jb"}, [("fact_unwritable", "/subject")]),
        ({"subject": "\x1cV/v thử\x1f"}, [("fact_unwritable", "/subject")]),
        ({"subject": "\ud83d"}, [("fact_unwritable", "/subject")]),
        ({"content": "x" * 100_001}, [("fact_too_long", "/content")]),
        ({"issued_on": "2026-02-30"}, [("fact_not_day", "/issued_on")]),
        ({"issued_on": "21/11/2026"}, [("fact_not_day", "/issued_on")]),
        ({"issued_on": "20261121"}, [("fact_not_day", "/issued_on")]),
        ({"issued_on": "0026-11-21"}, [("fact_not_day", "/issued_on")]),
        ({"due_on": 20261121}, [("fact_not_day", "/due_on")]),
        ({"paper": True}, [("fact_not_whole", "/paper")]),
        ({"paper": 2}, [("fact_not_whole", "/paper")]),
        ({"priority": 1.5}, [("fact_not_whole", "/priority")]),
        ({"priority": float("inf")}, [("fact_not_whole", "/priority")]),
        ({"pages": -1}, [("fact_not_whole", "/pages")]),
        ({"kind": "notice"}, [("fact_not_known", "/kind")]),
        ({"operation": "xoá"}, [("fact_not_known", "/operation")]),
        ({"sender": []}, [("fact_not_object", "/sender")]),
        ({"sender": {"name": "Sở"}}, [("fact_missing", "/sender/code")]),
        ({"recipients": []}, [("fact_missing", "/recipients")]),
        ({"recipients": "H13.02"}, [("fact_not_list", "/recipients")]),
        ({"recipients": [None]}, [("fact_not_object", "/recipients/0")]),
        ({"recipients": ["A", "a "]}, [("recipient_twice", "/recipients/1")]),
        ({"recipients": [{"code": "A", "purpose": "đọc"}]}, [("fact_not_known", "/recipients/0/purpose")]),
        ({"signer": {"full/name~": "A"}}, [("fact_unknown", "/signer/full~1name~0")]),
        ({"attachments": []}, [("fact_unknown", "/attachments")]),
        ({"update": {"receivers": [{"code": "A", "added": 1}]}}, [("fact_not_flag", "/update/receivers/0/added")]),
        ({"files": {}}, [("fact_not_list", "/files")]),
        ({"files": [{"name": "a.pdf"}]}, [("fact_missing", "/files/0/data")]),
        ({"files": [{"name": "a.pdf", "data": "*"}]}, [("file_not_base64", "/files/0/data")]),
        ({"files": [{"name": "a.pdf", "data": 1}]}, [("file_not_base64", "/files/0/data")]),
        ({"files": [{"name": "a.pdf", "data": b""}]}, [("file_empty", "/files/0/data")]),
        ({"files": [{"name": "../a.pdf", "data": b"1"}]}, [("file_unsafe_name", "/files/0/name")]),
        ({"files": [{"name": "a\u202efdp.exe", "data": b"1"}]}, [("file_unsafe_name", "/files/0/name")]),
        ({"files": [{"name": "a\0.pdf", "data": b"1"}]}, [("fact_unwritable", "/files/0/name")]),
        ({"files": [{"name": "CON|x", "data": b"1"}]}, [("file_unsafe_name", "/files/0/name")]),
        ({"files": [{"name": name, "data": b"1"} for name in ("ế.pdf", "E\u0302\u0301.PDF")]}, [("file_same_name", "/files/1")]),
        ({"files": [{"name": f"{n}.zip", "data": b"1"} for n in range(201)]}, [("fact_too_many", "/files")]),
    ],
    ids=str,
)  # fmt: skip
def test_a_fault_is_told_with_its_place(facts, expected):
    assert faults(**facts) == expected


def test_a_whole_number_may_be_written_with_a_fraction_of_nothing():
    assert (
        drafted({**SMALL, "priority": 1.0, "copies": 684435450.0})[0]
        == drafted({**SMALL, "priority": 1, "copies": 684435450})[0]
    )


def test_all_faults_are_told_at_once():
    found = faults(
        number=1, issued_on="x", sender={"code": "", "mã": 1}, recipients=[{}, 5],
        files=[{"name": "a", "data": "*"}, {"name": "a", "data": b""}],
    )  # fmt: skip
    assert sorted(path for _, path in found) == [
        "/files/0/data", "/files/1", "/files/1/data", "/issued_on", "/number", "/recipients/0/code", "/recipients/1",
        "/sender/code", "/sender/mã",
    ]  # fmt: skip


@pytest.mark.parametrize("facts", [None, [], "x", 1])
def test_what_is_no_object_is_one_fault(facts):
    assert [(one.code, one.path) for one in drafted(facts)[1]] == [("fact_not_object", "/")]


def test_a_safer_name_is_told_and_is_safe():
    _, (found,) = drafted({**SMALL, "files": [{"name": "C:\\mật\\a?.pdf", "data": b"1"}]})
    assert found.facts["safe"] == "a_.pdf"
    assert names.safe(found.facts["safe"], 0) == found.facts["safe"]


def test_many_thousand_recipients_and_names_do_not_take_long():
    codes = [f"H{n}" for n in range(100_000)]
    made, _ = drafted({**SMALL, "recipients": codes})
    assert len(made.letter.recipients) == 100_000
    assert drafted({**SMALL, "recipients": codes + codes})[0] is None
    assert date(2026, 11, 21) == made.letter.issued_on
