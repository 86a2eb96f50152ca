"""Letters said as facts: what was told of a letter makes it again, and every fault is told at once with its place."""

import base64
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from letters_generated import VENDORS, any_letter, any_notice

from exchange.edxml import draft, model, names, read, view, write
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
    """The facts of a letter with its files, as another system has them: `congvan show --json --embed`."""
    reading = read.read(write.write(letter))
    facts = json.loads(json.dumps({**view.facts(reading), "files": view.files(reading.message)}))
    return {**facts, "files": [{**one, "data": base64.b64decode(one["data"])} for one in facts["files"]]}


sealed = draft.sealed


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
        ({"attachment": []}, [("fact_unknown", "/attachment")]),
        ({"attachments": [{"name": "a.pdf"}]}, [("files_missing", "/files")]),
        ({"attachments": [{"name": "a.pdf"}], "files": None}, [("files_missing", "/files")]),
        ({"type_code": "Công văn"}, [("fact_not_integer", "/type_code")]),
        ({"type_detail": "1.0"}, [("fact_not_integer", "/type_detail")]),
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


FOLDERS = [Path(__file__).parent / "fixtures"]
READABLE = sorted(
    path
    for folder in FOLDERS
    for path in folder.rglob("*.edxml")
    if path.name not in {"doctype.edxml", "flat_other_vocabulary.edxml", "garbage_before_declaration.edxml"}
)
UNSAYABLE = {"not_a_number", "damaged_bytes", "same_name"}
"""What a letter cannot be made again with: it was a finding when it was read, and is a fault when it is said."""


def facts_of(raw):
    reading = read.read(raw)
    facts = json.loads(json.dumps(view.facts(reading)))
    if isinstance(reading.message, model.Letter):
        files = view.files(reading.message)
        facts["files"] = [{**one, "data": base64.b64decode(one["data"] or "*")} for one in files]
    return reading, facts


def without_shape(facts):
    """Facts but what tells of the message's own shape, which the writer has only one of."""
    own = ("findings", "repaired", "files", "issued_on_text", "due_on_text", "at_text")
    kept = {name: fact for name, fact in facts.items() if name not in own}
    kept["extensions"] = [one for one in kept["extensions"] if one["path"] in VENDORS]
    for one in kept.get("attachments", []):
        for name in ("transfer_type", "wrapped", "raw_name"):
            del one[name]
    for one in (kept["response_for"], *kept.get("response_for", ())):
        if isinstance(one, dict):
            one.pop("issued_on_text", None)
    return kept


@pytest.mark.parametrize("path", READABLE, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_readable_fixture_is_made_again_from_its_facts(path):
    reading, facts = facts_of(path.read_bytes())
    notes = Notes()
    if isinstance(reading.message, model.Notice):
        made = draft.notice(notes, facts)
    else:
        drafted = draft.read(notes, facts)
        made = drafted and sealed(drafted)
    if made is None:
        assert UNSAYABLE & {one.code for one in view.findings(reading)} or not reading.sound
        return
    again, told_again = facts_of(write.write(made))
    assert without_shape(told_again) == without_shape(facts)
    assert not {one.code for one in again.findings} - {one.code for one in reading.findings}


SMALL_NOTICE = {
    "kind": "notice",
    "sender": "H13.02",
    "response_for": {"code": "H13.01", "document_id": "7"},
    "status": "03",
}


def noticed(facts):
    notes = Notes()
    made = draft.notice(notes, facts)
    return made, [(one.code, one.path) for one in notes.findings()]


@settings(deadline=None)
@given(any_notice())
def test_what_is_told_of_a_notice_makes_it_again(notice):
    reading = read.read(write.write(notice))
    made, found = noticed(json.loads(json.dumps(view.facts(reading))))
    assert found == []
    assert made == reading.message == notice


@pytest.mark.parametrize(
    "facts, expected",
    [
        ({"kind": "letter"}, [("fact_not_known", "/kind")]),
        ({"kind": None}, [("fact_missing", "/kind")]),
        ({"status": "14"}, [("fact_not_known", "/status")]),
        ({"status": None}, [("fact_missing", "/status")]),
        ({"response_for": {"code": "H13.01"}}, [("fact_missing", "/response_for/document_id")]),
        ({"response_for": {"document_id": "7"}}, [("fact_missing", "/response_for/code")]),
        ({"at": "2026-11-21T08:00:00"}, [("fact_not_moment", "/at")]),
        ({"at": "0001-01-01T00:00:00+14:00"}, [("fact_not_moment", "/at")]),
        ({"at": 5}, [("fact_not_moment", "/at")]),
        ({"recipients": ["H13.01"]}, [("fact_unknown", "/recipients")]),
    ],
    ids=str,
)
def test_a_fault_of_a_notice_is_told_with_its_place(facts, expected):
    assert noticed({**SMALL_NOTICE, **facts}) == (None, expected)


def test_a_moment_is_kept_to_the_second():
    made, _ = noticed({**SMALL_NOTICE, "at": "2026-11-21T08:00:00.75Z"})
    assert made.at == datetime(2026, 11, 21, 8, tzinfo=UTC)


def test_an_id_within_the_letter_and_a_description_stay():
    file = {"name": "a.pdf", "data": b"%PDF-", "content_id": "tep-1", "description": "Văn bản"}
    (one,) = sealed(drafted({**SMALL, "files": [file]})[0]).attachments
    assert (one.content_id, one.description, one.content_type) == ("tep-1", "Văn bản", draft.UNNAMED_TYPE)
