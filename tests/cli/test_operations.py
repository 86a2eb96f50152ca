"""What the client commands tell of revoking, taking back, updating and replacing; answers of exchanges of any kind."""

import hashlib
import json

import pytest
from clerk import congvan
from weak_line import WeakLine, answering

from exchange import texts
from exchange.broker import receipts
from exchange.edxml import codes
from signing import keys

ID = "01900000-0000-7000-8000-00000000000{}"
LETTER, REVOKING, NEW = (ID.format(n) for n in (1, 2, 3))
HOSTILE = "\u202e\x1b[31m\u009b2J\n[bold]đỏ[/bold]"
AT, ANSWERED = "2026-11-21T01:00:00+00:00", "2026-11-21T02:00:00+00:00"


def request(kind, answer=None):
    return {
        "kind": kind, "letter": REVOKING, "at": AT, "answer": answer, "answered_at": ANSWERED if answer else None,
    }  # fmt: skip


def delivery(recipient, state, **more):
    rest = {
        "class": "E",
        "statuses": [],
        "events": [],
        "request": None,
        "replaced_by": None,
        "recalled": False,
    }
    return {"recipient": recipient, "state": state, **rest, **more}


TRACE = {
    "letter": LETTER,
    "deliveries": [
        delivery("H13.31", "registered", request=request("revoke")),
        delivery("H13.32", "withdrawn", request=request("take_back", "agreed"), recalled=True, replaced_by=NEW),
        delivery("H13.33", "done", request=request("update", "refused")),
        delivery(
            "H13.34", "withdrawn", recalled=True,
            events=[{"event": name, "at": AT, "by": "H13.01", "detail": ""} for name in ("asked", "withdrawn", "added")],
        ),
        delivery("H13.35", "arrived"),
    ],
    "links": [
        {
            "kind": "replaced_by", "letter": NEW, "document_id": "x", "number": "12", "notation": "CV-STC",
            "operation": "replace", "sender": "H13.01", "at": AT,
        }
    ],
}  # fmt: skip


def ran(arguments, body, language="en", status=200):
    raw = json.dumps(body, ensure_ascii=False).encode()
    with WeakLine(always=answering(status, raw)) as line:
        return congvan(None, *arguments, url=line.url, CONGVAN_SECRET="cv_a_b", CONGVAN_LANGUAGE=language)


def lines(done):
    return [" ".join(line.split()) for line in done.out.splitlines() if line.strip()]


def test_a_trace_tells_requests_answers_recalls_and_links():
    done = ran(["trace", LETTER], TRACE)
    assert (done.code, done.err) == (0, "")
    found = lines(done)
    at = {code: next(n for n, line in enumerate(found) if line.startswith(f"{code} · ")) for code in
          ("H13.31", "H13.32", "H13.33", "H13.34", "H13.35")}  # fmt: skip
    assert found[at["H13.31"] + 1] == (
        f"Waits for an answer: revoke, asked 21/11/2026 08:00:00 (letter {REVOKING})."
    )
    assert found[at["H13.32"] + 1 : at["H13.33"]] == [
        f"Agreed 21/11/2026 09:00:00: take-back, asked 21/11/2026 08:00:00 (letter {REVOKING}).",
        "Recalled.",
        f"Replaced by letter {NEW}.",
    ]
    assert found[at["H13.33"] + 1].startswith("Refused 21/11/2026 09:00:00: update, asked")
    assert [line.split(" ", 2)[2] for line in found[at["H13.34"] + 2 : at["H13.35"]]] == [
        "Asked H13.01", "Withdrawn H13.01", "Added as recipient H13.01",
    ]  # fmt: skip
    assert found[at["H13.35"] + 1 :] == [
        "Linked letters",
        f"replaced by 12/CV-STC of H13.01, 21/11/2026 08:00:00 (letter {NEW})",
    ]


def test_a_trace_in_vietnamese():
    found = lines(ran(["trace", LETTER], TRACE, "vi"))
    assert f"Đang chờ trả lời: thu hồi, đề nghị lúc 21/11/2026 08:00:00 (gói tin {REVOKING})." in found
    assert f"Đã được thay thế bằng gói tin {NEW}." in found
    assert any(line.startswith("được thay thế bởi 12/CV-STC của H13.01") for line in found)


def test_an_exchange_that_knows_no_operations_is_shown_as_before():
    bare = {
        "deliveries": [{"recipient": "H13.31", "state": "done", "class": "E", "statuses": [], "events": []}]
    }
    assert lines(ran(["trace", LETTER], bare)) == ["H13.31 · Done · Fully electronic"]


STRANGE = {
    "hostile": {
        "deliveries": [
            {"recipient": "x", "recalled": HOSTILE, "replaced_by": HOSTILE, "request": dict.fromkeys(request(""), HOSTILE)},
        ],
        "links": [dict.fromkeys(TRACE["links"][0], HOSTILE)],
    },
    "shapes": {"deliveries": [{"request": [1], "replaced_by": {"a": 1}, "recalled": 1}], "links": [1, None, {}]},
    "no list": {"deliveries": [], "links": {"a": 1}},
    "lists in facts": {"deliveries": [{"request": {"kind": [1], "answer": ["agreed"]}}], "links": [{"kind": {}}]},
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGE)
def test_a_trace_that_lies_steers_no_terminal(name):
    done = ran(["trace", LETTER], STRANGE[name])
    assert done.code == 0
    assert not [one for one in done.out + done.err if not (one.isprintable() or one == "\n")]


def test_an_inbox_names_the_operation_of_a_line():
    kinds = ("new", "revoke", "update", "replace", "unheard_of")
    items = [
        {
            "id": ID.format(n),
            "letter": LETTER,
            "kind": "letter",
            "operation": kind,
            "subject": "V/v họp",
            "number": "1",
            "sha256": "0" * 64,
            "size": 1,
        }
        for n, kind in enumerate(kinds, 1)
    ]
    for language, names in (
        ("en", ["", "[Revoke]", "[Update]", "[Replace]", "[unheard_of]"]),
        ("vi", ["", "[Thu hồi]", "[Cập nhật]", "[Thay thế]", "[unheard_of]"]),
    ):
        done = ran(["inbox"], {"items": items, "next": None, "more": False}, language)
        assert (done.code, done.err) == (0, "")
        shown = [line for line in lines(done) if "V/v họp" in line]
        assert len(shown) == len(names)
        for line, name in zip(shown, names, strict=True):
            assert f"{name} V/v họp".strip() in line
            assert ("[" in line) is bool(name)


@pytest.mark.parametrize("code", codes.STATUSES)
def test_a_status_tells_what_it_sets_in_motion(code):
    told = {"13": "back", "15": "given back", "16": "stays as it is"}
    body = {"receipt": {"letter": LETTER}}
    done = ran(["status", LETTER, code, "--reason", "x"], body, status=201)
    assert done.code == 0
    assert len(done.out.splitlines()) == (2 if code in told else 1)
    assert told.get(code, "") in done.out
    assert ran(["status", LETTER, code, "--reason", "x", "--quiet"], body, status=201).out == ""


@pytest.mark.parametrize("operation", ["new", "revoke", "update", "replace"])
def test_sending_an_operation_tells_what_becomes_of_the_letter(tmp_path, operation):
    file = tmp_path / "letter.edxml"
    file.write_bytes(b"<edXML/>")
    body = receipted(file.read_bytes(), operation)
    told = {
        "revoke": "no longer read it",
        "update": "at once",
        "replace": "old letter is withdrawn",
        "new": "",
    }
    with WeakLine(always=answering(201, body)) as line:
        done = congvan(None, "send", file, url=line.url, CONGVAN_SECRET="cv_a_b")
    assert (done.code, done.err) == (0, "")
    assert told[operation] in done.out
    assert ("is asked" in done.out) is (operation != "new")
    assert ("Counted as" in done.out) is (operation in {"new", "replace"})  # the others are no documents


def receipted(raw, operation):
    said = {
        "id": ID.format(8), "letter": LETTER, "document_id": "x", "operation": operation, "round": 1, "sender": "H13.01",
        "recipients": ["H13.31"], "unroutable": [], "sha256": hashlib.sha256(raw).hexdigest(), "size": len(raw),
        "accepted_at": AT, "exchange": "thử",
    }  # fmt: skip
    made = keys.new_statement_key()
    key = receipts.ReceiptKey(made, keys.key_id(made), "thử")
    return receipts.statement(said, key, requirement="met", class_if_electronic="E", warnings=[])


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_operation_has_its_words(language):
    known = texts.catalogue(language)
    for name in ("revoke", "update", "replace"):
        assert f"client_operation.did_{name}" in known
        assert f"client_operation.kind_{name}" in known
    assert "client_operation.kind_take_back" in known
    for answer in ("agreed", "refused", "overtaken"):
        assert f"client_operation.request_{answer}" in known
