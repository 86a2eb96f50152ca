"""`congvan ack`, `status` and `trace`: what a recipient says, and what a sender reads of it."""

import asyncio
import json
import re

import pytest
from clerk import congvan, program
from province import KINDS, quick_letter
from weak_line import Fault, WeakLine, answering

from exchange import texts
from exchange.edxml import codes

numbers = iter(range(40_000, 50_000))
SCHOOLS = iter(
    sorted(
        (
            code
            for code, kind in KINDS.items()
            if kind == KINDS["H13.02"] and code not in {"H13.01", "H13.02"}
        ),
        reverse=True,
    )
)
HOSTILE = "\u202e\x1b[31m\u009b2J\n[bold]đỏ[/bold] :smile:"
ID = "01900000-0000-7000-8000-000000000001"


@pytest.fixture
def recipient():
    return next(SCHOOLS)


@pytest.fixture
def deliveries(shared_server, recipient):
    """Sends so many letters; delivery ids with their letters."""

    def make(count=1, **given):
        async def go():
            async with shared_server.client() as sender, shared_server.client(recipient) as client:
                for _ in range(count):
                    await sender.send(quick_letter(next(numbers), recipients=[recipient], **given))
                return {one["id"]: one["letter"] async for one in client.pending(recipient)}

        return asyncio.run(go())

    return make


def test_acknowledging(shared_server, recipient, deliveries):
    first, second, third = deliveries(3)
    ran = congvan(shared_server, "ack", first, second, "--for", recipient, code=recipient)
    assert (ran.code, ran.out) == (0, "Acknowledged 2; acknowledged before: 0.\n")
    ran = congvan(shared_server, "ack", second, third, ID, "nonsense", "--json", code=recipient)
    assert (ran.code, ran.json) == (
        1,
        {"acknowledged": [third], "already": [second], "unknown": [ID, "nonsense"]},
    )
    ran = congvan(shared_server, "ack", first, ID, code=recipient)
    assert (ran.code, ran.out, ran.err) == (
        1, "Acknowledged 0; acknowledged before: 1.\n", f"Unknown: {ID}\n",
    )  # fmt: skip
    assert congvan(shared_server, "ack", first, "--quiet", code=recipient).out == ""
    assert congvan(shared_server, "ack", first, code="H13.31").code == 1  # somebody else's is unknown


def test_ids_from_standard_input(shared_server, recipient, deliveries):
    ids = list(deliveries(3))
    ran = program(
        shared_server, "ack", "-", "--json", code=recipient, stdin="\r\n ".join([*ids, *ids]).encode()
    )
    assert (ran.code, ran.json["acknowledged"]) == (0, ids)
    for stdin, options in ((b"", ("-",)), (b"\xff", ("-",)), (b"x", ("-", "-"))):
        assert congvan(shared_server, "ack", *options, stdin=stdin).code == 2


def test_more_ids_than_one_request_takes(shared_server):
    ids = [f"no-{number}" for number in range(1_201)]
    with WeakLine(shared_server.url) as line:
        ran = congvan(shared_server, "ack", "-", "--json", stdin=" ".join(ids).encode(), url=line.url)
        assert len(line.requests()) == 3
    assert (ran.code, ran.json["unknown"]) == (1, ids)


def test_hostile_ids(shared_server):
    ran = congvan(shared_server, "ack", HOSTILE.replace("\n", ""))
    assert ran.code == 1
    assert harmless(ran)


def harmless(ran):
    return not [one for one in ran.out + ran.err if not (one.isprintable() or one == "\n")]


def test_a_status_and_its_trace(shared_server, recipient, deliveries):
    """The sender reads what, when and by whom; asked twice over a line that loses the answer it is one notice."""
    ((delivery, letter),) = deliveries().items()
    with WeakLine(shared_server.url, [Fault(down=1), Fault(down=1)]) as line:
        ran = congvan(
            shared_server, "status", delivery, "02", "--reason", "Không thuộc thẩm quyền", "--name", "Lê Mẫu",
            "--department", "Văn thư", "--phone", "0900", "--email", "vt@mau.example", "--json", code=recipient, url=line.url,
        )  # fmt: skip
        assert line.connections == 3
    assert (ran.code, ran.json["receipt"]["operation"]) == (0, "status")
    told = congvan(shared_server, "trace", letter, "--json").json
    assert [
        (one["code"], "Không thuộc thẩm quyền" in one["text"]) for one in told["deliveries"][0]["statuses"]
    ] == [("02", True)]
    said = congvan(shared_server, "trace", letter)
    assert said.code == 0
    lines = [re.sub(r" {2,}", "  ", one.strip()) for one in said.out.splitlines() if one.strip()]
    assert lines[0].startswith(f"{recipient} · ")
    assert any(re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d  Accepted  H13\.01", one) for one in lines), (
        lines
    )
    assert any("Notice: 02 Refused: " in one and one.endswith(recipient) for one in lines), lines


def test_words_of_a_status(shared_server, recipient, deliveries):
    (delivery,) = deliveries()
    ran = congvan(shared_server, "status", delivery, "3", code=recipient, CONGVAN_LANGUAGE="vi")
    assert ran.code == 0
    assert ran.out.startswith("Đã báo: 03 Đã tiếp nhận.")
    ran = congvan(
        shared_server, "status", delivery, "06", "--at", "2026-01-02T03:04:05", "--quiet", code=recipient
    )
    assert (ran.code, ran.out) == (0, "")


def test_the_exchange_says_what_a_status_wants(shared_server, recipient, deliveries):
    (delivery,) = deliveries()
    ran = congvan(shared_server, "status", delivery, "02", code=recipient)
    assert ran.code == 1
    assert "Refused: " in ran.err
    assert congvan(shared_server, "status", ID, "03", code=recipient).code == 1
    assert congvan(shared_server, "status", delivery, "03", code="H13.31").code == 1


def test_a_moment_without_zone_is_vietnams():
    with WeakLine(always=answering(201, b'{"receipt": {}}')) as line:
        for at in ("2026-11-21T08:00:00", "2026-11-21T01:00:00Z", "2026-11-21T08:00:00+07:00"):
            assert (
                congvan(None, "status", ID, "03", "--at", at, url=line.url, CONGVAN_SECRET="cv_a_b").code == 0
            )
        said = re.findall(rb'"at": ?"([^"]*)"', line.heard)
    assert set(said) == {b"2026-11-21T01:00:00+00:00"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", ID), ("status", "x", "03"), ("status", "../../readyz", "03"), ("status", ID, "07"), ("status", ID, ""),
        ("status", ID, HOSTILE), ("status", ID, "03", "--at", "yesterday"), ("status", ID, "03", "--at", HOSTILE),
        ("status", ID, "03", "--at", "0001-01-01T00:00:00"), ("trace",), ("trace", "x"), ("trace", "../inbox"), ("ack",),
    ],
)  # fmt: skip
def test_wrong_usage(arguments):
    with WeakLine() as line:
        ran = congvan(None, *arguments, url=line.url, CONGVAN_SECRET="cv_a_planted", CONGVAN_PATIENCE="1")
        assert (ran.code, ran.out, line.connections) == (2, "", 0)
    assert "planted" not in ran.err


def test_a_stranger_sees_no_trace(shared_server, deliveries):
    (letter,) = deliveries().values()
    ran = congvan(shared_server, "trace", letter, code="H13.31")
    assert (ran.code, "not_found" in ran.err) == (1, True)
    assert congvan(shared_server, "trace", ID).code == 1


TRACES = {
    "hostile": {
        "deliveries": [
            {
                "recipient": HOSTILE, "state": HOSTILE, "class": HOSTILE, "statuses": [{"text": HOSTILE, "code": HOSTILE}, {"text": [1]}],
                "events": [{"event": "status", "at": HOSTILE, "by": HOSTILE, "detail": HOSTILE}, {"event": HOSTILE}, {"event": "status", "detail": 2}],
            }
        ]
    },
    "shapes": {"deliveries": [1, None, {"events": 5, "statuses": {}}, {"events": [1, {}]}]},
    "nothing": {},
    "no list": {"deliveries": "x"},
    "far": {"deliveries": [{"events": [{"at": "9999-12-31T23:59:59Z"}, {"at": "0001-01-01T00:00:00+07:00"}]}]},
}  # fmt: skip


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["words", "json"])
def test_a_trace_that_lies_steers_no_terminal(name, options):
    body = json.dumps(TRACES[name], ensure_ascii=False).encode()
    with WeakLine(always=answering(200, body)) as line:
        ran = congvan(None, "trace", ID, *options, url=line.url, CONGVAN_SECRET="cv_a_b")
    assert ran.code == 0
    assert harmless(ran)
    if options:
        assert ran.json == TRACES[name]
    elif name == "hostile":
        assert "[bold]" in ran.out


@pytest.mark.parametrize("arguments", [("ack", ID), ("status", ID, "03"), ("trace", ID), ("inbox",)])
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["words", "json"])
def test_unavailable_is_3_everywhere(arguments, options):
    ran = congvan(
        None, *arguments, *options, url="http://127.0.0.1:9", CONGVAN_SECRET="cv_a_b", CONGVAN_PATIENCE="1"
    )
    assert ran.code == 3
    if options:
        assert (ran.json["outcome"], ran.err) == ("unknown", "")
    else:
        assert (ran.out, "Sending again is safe." in ran.err) == ("", True)


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_help_names_every_status(language):
    said = " ".join(texts.catalogue(language)["cli_help.status"].lower().split())
    assert [code for code in codes.STATUSES if f"{code} " not in said] == []


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_help_warns_of_a_key_on_the_command_line(language):
    sentence = texts.catalogue(language)["cli_option.secret"]
    assert "--secret-file" in sentence
    assert "CONGVAN_SECRET" in sentence
