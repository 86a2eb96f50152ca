"""`congvan inbox`: what is open, into a folder, acknowledged only when it is safe there; crashes, hostile letters, bad lines."""

import asyncio
import hashlib
import json
import os
import signal
import stat
import time

import pytest
from clerk import congvan, environment, program, start
from province import KINDS, fetch, quick_letter
from weak_line import Fault, WeakLine, answering

from exchange.cli import taking

numbers = iter(range(30_000, 40_000))
SCHOOLS = iter(
    sorted(
        code for code, kind in KINDS.items() if kind == KINDS["H13.02"] and code not in {"H13.01", "H13.02"}
    )
)
HOSTILE = "../\u202e..\\x1b/CON"
ID = "01900000-0000-7000-8000-000000000001"


@pytest.fixture
def recipient():
    """An agency whose inbox is empty."""
    return next(SCHOOLS)


@pytest.fixture
def post(shared_server):
    """Sends letters to somebody; their bytes."""

    def send(recipient, count=1, *, padding=0, **given):
        raws = [quick_letter(next(numbers), recipients=[recipient], **given) for _ in range(count)]
        if padding:
            raws = [raw + b"<!--" + os.urandom(padding // 2).hex().encode() + b"-->" for raw in raws]

        async def go():
            async with shared_server.client() as client:
                return [(await client.send(raw)).facts()["receipt"]["letter"] for raw in raws]

        return dict(zip(asyncio.run(go()), raws, strict=True))

    return send


@pytest.fixture
def inbox(shared_server, recipient):
    """The command, for that agency."""

    def run(*options, **settings):
        return congvan(shared_server, "inbox", "--for", recipient, *options, code=recipient, **settings)

    return run


def files(folder):
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def test_a_table_and_json(inbox, post, recipient):
    assert (inbox().out, inbox().code) == ("0 open deliveries.\n", 0)
    letters = post(recipient, 3, subject="V/v tổ chức hội nghị")
    ran = inbox()
    assert ran.code == 0
    assert ran.out.count("V/v tổ chức hội nghị") == 3
    assert "3 open deliveries." in ran.out
    told = inbox("--json").json
    assert (len(told["items"]), told["more"]) == (3, False)
    assert {one["letter"] for one in told["items"]} == set(letters)
    assert all(one["id"] in ran.out for one in told["items"])
    cut = inbox("--json", "--limit", "2").json
    assert (len(cut["items"]), cut["more"]) == (2, True)
    assert "2 open deliveries shown; there are more." in inbox("--limit", "2").out


def test_in_vietnamese(inbox, post, recipient):
    post(recipient)
    said = inbox(CONGVAN_LANGUAGE="vi").out
    assert "1 lượt nhận đang chờ." in said
    assert "Trích yếu" in said


def test_a_notice_says_what_it_says(shared_server, post, recipient):
    post(recipient)
    (item,) = congvan(shared_server, "inbox", "--for", recipient, "--json", code=recipient).json["items"]
    assert congvan(shared_server, "status", item["id"], "03", code=recipient).code == 0
    said = congvan(shared_server, "inbox", "--for", "H13.01").out.splitlines()
    assert any("(notice) 03 Registered" in line and recipient in line for line in said), said


def test_many_pages(inbox, post, recipient, tmp_path):
    letters = post(recipient, 120)
    assert len(inbox("--json").json["items"]) == 120
    ran = inbox("--fetch", tmp_path, "--ack", "--json")
    assert (ran.code, len(files(tmp_path))) == (0, 120)
    assert {path.read_bytes() for path in files(tmp_path)} == set(letters.values())
    assert inbox("--json").json["items"] == []


def test_fetched_stays_open_until_acknowledged(inbox, post, recipient, tmp_path):
    ((letter, raw),) = post(recipient).items()
    ran = inbox("--fetch", tmp_path / "new" / "folder")
    (path,) = files(tmp_path / "new" / "folder")
    assert (ran.code, path.read_bytes(), path.name in ran.out) == (0, raw, True)
    again = inbox("--fetch", path.parent, "--json").json
    assert [(one["letter"], one["outcome"], one["acknowledged"]) for one in again["items"]] == [
        (letter, "already", False)
    ]
    done = inbox("--fetch", path.parent, "--ack", "--json").json
    assert [(one["outcome"], one["file"], one["acknowledged"]) for one in done["items"]] == [
        ("already", str(path), True)
    ]
    assert inbox("--json").json["items"] == []


@pytest.mark.parametrize(
    "options",
    [("--ack",), ("--follow",), ("--follow", "--fetch", "x"), ("--limit", "0"), ("--wait", "-1"), ("--fetch", "/etc/passwd"),
     ("--fetch", "/proc/x", "--ack"), ("--follow", "--ack", "--fetch", "x", "--limit", "1"), ("--wait", "x"), ("more",)],
)  # fmt: skip
def test_wrong_usage(options, tmp_path):
    os.chdir(tmp_path)
    with WeakLine() as line:
        ran = congvan(None, "inbox", *options, url=line.url, CONGVAN_SECRET="cv_a_planted")
        assert (ran.code, ran.out, line.connections) == (2, "", 0)
    assert ran.err
    assert "planted" not in ran.err


def test_another_agency_is_refused(shared_server):
    ran = congvan(shared_server, "inbox", "--for", "H13.31", code="H13.01")
    assert (ran.code, "not_allowed_to_act" in ran.err) == (1, True)
    ran = congvan(shared_server, "inbox", "--for", "H13.31", "--json", code="H13.01")
    assert (ran.code, ran.json["problem"]["code"], ran.err) == (1, "not_allowed_to_act", "")


def test_waiting_ends_when_something_comes(shared_server, inbox, post, recipient):
    process = start(
        "inbox", "--for", recipient, "--wait", "60", "--json", env=environment(shared_server, recipient)
    )
    time.sleep(2)
    assert process.poll() is None
    letters = post(recipient)
    out, _ = process.communicate(timeout=30)
    assert [one["letter"] for one in json.loads(out)["items"]] == list(letters)


def test_waiting_in_vain(inbox):
    started = time.monotonic()
    assert inbox("--wait", "2", "--json").json == {"items": [], "more": False}
    assert 2 <= time.monotonic() - started < 10


def test_a_large_letter_over_a_bad_line(inbox, post, recipient, tmp_path, shared_server):
    ((_, raw),) = post(recipient, padding=900_000).items()
    with WeakLine(shared_server.url, always=Fault(down=250_000)) as line:
        ran = inbox("--fetch", tmp_path, "--ack", "--json", url=line.url)
        assert line.down < 1.3 * len(raw)
    assert ran.code == 0
    assert [path.read_bytes() for path in files(tmp_path)] == [raw]


def killed_when(process, line, wanted):
    """Kill the command once that much of a request was heard on the line."""
    deadline = time.monotonic() + 40
    while wanted not in line.heard and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    process.communicate()


def test_killed_in_the_middle_of_a_letter(inbox, post, recipient, tmp_path, shared_server):
    """Nothing half under a name of its own; the next run goes on with what came."""
    ((_, raw),) = post(recipient, padding=800_000).items()
    with WeakLine(shared_server.url, [None], always=Fault("stall", down=300_000)) as line:
        line.faults = [Fault("stall", down=300_000)] * 9
        env = environment(shared_server, recipient, url=line.url)
        process = start("inbox", "--for", recipient, "--fetch", tmp_path, "--ack", env=env)
        killed_when(process, line, b"GET /v1/messages/")
    time.sleep(0.2)
    assert files(tmp_path) == []
    with WeakLine(shared_server.url) as line:
        assert inbox("--fetch", tmp_path, "--ack", url=line.url).code == 0
    assert [path.read_bytes() for path in files(tmp_path)] == [raw]
    assert list(tmp_path.iterdir()) == files(tmp_path)


def test_killed_before_the_acknowledgement(inbox, post, recipient, tmp_path, shared_server):
    """The bytes are here and the delivery is open: the next run acknowledges, without taking them again."""
    letters = post(recipient, 3)
    with WeakLine(shared_server.url, [Fault("stall", up=3_000)] * 9) as line:
        env = environment(shared_server, recipient, url=line.url)
        process = start("inbox", "--for", recipient, "--fetch", tmp_path, "--ack", env=env)
        deadline = time.monotonic() + 40
        while len(list(tmp_path.glob("*.edxml"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.communicate()
    assert {path.read_bytes() for path in files(tmp_path)} == set(letters.values())
    with WeakLine(shared_server.url) as line:
        ran = inbox("--fetch", tmp_path, "--ack", "--json", url=line.url)
        assert not [path for _, path in line.requests() if path.startswith("/v1/messages/")]
    assert {(one["outcome"], one["acknowledged"]) for one in ran.json["items"]} <= {("already", True)}
    assert inbox("--json").json["items"] == []
    assert len(files(tmp_path)) == 3


async def states(server, letters):
    found = await fetch(server.dsn, "SELECT state FROM delivery WHERE letter = ANY($1)", list(letters))
    return {row["state"] for row in found}


def test_nothing_is_acknowledged_that_is_not_stored(inbox, post, recipient, tmp_path, shared_server):
    """A folder where nothing can be written; a disk that is full; bytes that are others."""
    letters = post(recipient, 2)
    os.mkfifo(tmp_path / "fifo")
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    ran = inbox("--fetch", full)
    assert ran.code == 2
    folder = tmp_path / "readonly"
    folder.mkdir()
    for one in inbox("--json").json["items"]:
        (folder / f".{one['id']}.part").mkdir()
    ran = inbox("--fetch", folder, "--ack", "--json")
    assert ran.code == 1
    assert {(one["outcome"], one["acknowledged"]) for one in ran.json["items"]} == {("failed", False)}
    assert asyncio.run(states(shared_server, letters)) == {"waiting"}


def test_what_is_in_the_way_is_not_overwritten(inbox, post, recipient, tmp_path):
    ((_, raw),) = post(recipient).items()
    (path,) = [path for path in (inbox("--fetch", tmp_path), *files(tmp_path)) if hasattr(path, "name")]
    path.write_bytes(b"precious")
    assert inbox("--fetch", tmp_path, "--ack").code == 0
    assert {one.read_bytes() for one in files(tmp_path)} == {b"precious", raw}


def item(raw, **changes):
    return {
        "id": ID, "letter": ID, "kind": "letter", "number": HOSTILE, "notation": HOSTILE, "subject": HOSTILE * 50,
        "sender": HOSTILE, "sender_name": HOSTILE, "issued_on": HOSTILE, "accepted_at": HOSTILE, "size": len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
    } | changes  # fmt: skip


def page(*items):
    return answering(200, json.dumps({"items": items, "next": None, "more": False}).encode())


def harmless(ran):
    return not [one for one in ran.out + ran.err if not (one.isprintable() or one == "\n")]


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["words", "json"])
def test_a_hostile_letter_steers_no_terminal_and_leaves_no_folder(tmp_path, options):
    folder = tmp_path / "in" / "side"
    acked = answering(200, json.dumps({"acknowledged": [ID], "already": [], "unknown": []}).encode())
    with WeakLine(
        faults=[
            page(item(b"x")),
            page(item(b"x")),
            answering(200, b"x", content_type="application/xml"),
            acked,
        ]
    ) as line:
        listed = congvan(None, "inbox", *options, url=line.url, CONGVAN_SECRET="cv_a_b")
        ran = congvan(
            None, "inbox", "--fetch", folder, "--ack", *options, url=line.url, CONGVAN_SECRET="cv_a_b"
        )
    assert (listed.code, ran.code) == (0, 0)
    assert harmless(listed)
    assert harmless(ran)
    assert [path.name for path in files(folder)] == [f"x1b-CON-x1b-CON_{ID}.edxml"]
    assert list(tmp_path.rglob("*")) == [tmp_path / "in", folder, *files(folder)]
    assert stat.S_ISREG(files(folder)[0].lstat().st_mode)


STRANGE = {
    "no items": b"{}",
    "items no list": b'{"items": {}}',
    "no object": b'{"items": [1]}',
    "no id": json.dumps({"items": [item(b"x", id=None)]}).encode(),
    "id is a path": json.dumps({"items": [item(b"x", id="../../x")]}).encode(),
    "letter is a path": json.dumps({"items": [item(b"x", letter="../../readyz")]}).encode(),
    "no size": json.dumps({"items": [item(b"x", size="1")]}).encode(),
    "negative size": json.dumps({"items": [item(b"x", size=-1)]}).encode(),
    "no digest": json.dumps({"items": [item(b"x", sha256=None)]}).encode(),
    "html": b"<html>",
    "empty": b"",
}


@pytest.mark.parametrize("name", STRANGE)
def test_an_inbox_that_is_none(name, tmp_path):
    with WeakLine(always=answering(200, STRANGE[name])) as line:
        ran = congvan(
            None,
            "inbox",
            "--fetch",
            tmp_path,
            "--ack",
            url=line.url,
            CONGVAN_SECRET="cv_a_b",
            CONGVAN_PATIENCE="1",
        )
    assert ran.code == 3
    assert "does not answer like an exchange" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_other_bytes_than_announced_are_not_kept(tmp_path):
    other = answering(200, b"y", content_type="application/xml")
    with WeakLine(faults=[page(item(b"x")), other, other]) as line:
        ran = congvan(None, "inbox", "--fetch", tmp_path, "--ack", url=line.url, CONGVAN_SECRET="cv_a_b")
        assert not [path for _, path in line.requests() if path == "/v1/inbox/ack"]
    assert ran.code == 1
    assert "not those the exchange announced" in ran.err
    assert files(tmp_path) == []


def test_a_letter_revoked_meanwhile_is_told_and_no_failure(tmp_path):
    gone = answering(410, b'{"code": "gone", "title": "The letter was revoked"}')
    with WeakLine(faults=[page(item(b"x")), gone]) as line:
        ran = congvan(
            None, "inbox", "--fetch", tmp_path, "--ack", "--json", url=line.url, CONGVAN_SECRET="cv_a_b"
        )
    assert (ran.code, ran.json["items"][0]["outcome"]) == (0, "gone")
    assert list(tmp_path.iterdir()) == []


def test_unavailable_in_between_tells_what_was_done(post, recipient, tmp_path, shared_server):
    post(recipient, 1)
    post(recipient, 1, padding=600_000)
    with WeakLine(shared_server.url, [Fault(down=100_000)], always=Fault(up=0)) as line:
        ran = congvan(
            shared_server, "inbox", "--for", recipient, "--fetch", tmp_path, "--ack", "--json",
            code=recipient, url=line.url, CONGVAN_PATIENCE="1",
        )  # fmt: skip
    assert ran.code == 3
    assert ran.json["outcome"] == "unknown"
    assert [(one["outcome"], one["acknowledged"]) for one in ran.json["items"]] == [("fetched", False)]
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_following(post, recipient, tmp_path, shared_server, number):
    """Takes what is there and what comes; a signal ends it cleanly, in the middle of waiting."""
    letters = post(recipient, 2)
    env = environment(shared_server, recipient)
    process = start("inbox", "--for", recipient, "--fetch", tmp_path, "--ack", "--follow", "--json", env=env)
    lines = [json.loads(process.stdout.readline()) for _ in range(2)]
    letters |= post(recipient, 1)
    lines.append(json.loads(process.stdout.readline()))
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, b"", b"")
    assert [one["letter"] for one in lines] == list(letters)
    assert all(one["acknowledged"] for one in lines)
    assert {path.read_bytes() for path in files(tmp_path)} == set(letters.values())
    assert asyncio.run(states(shared_server, letters)) == {"arrived"}


def test_following_over_a_restart(server, tmp_path):
    """The exchange dies and comes back: the follower goes on."""

    async def send():
        async with server.client(attempts=50) as client:
            return (await client.send(quick_letter(next(numbers), recipients=["H13.31"]))).status

    env = environment(server, "H13.31", CONGVAN_PATIENCE="1")
    folder = tmp_path / "in"
    process = start("inbox", "--fetch", folder, "--ack", "--follow", "--json", env=env)
    assert asyncio.run(send()) == 201
    assert json.loads(process.stdout.readline())["acknowledged"]
    server.process.kill()
    server.process.wait()
    time.sleep(2.5)
    server.start()
    assert asyncio.run(send()) == 201
    assert json.loads(process.stdout.readline())["acknowledged"]
    process.terminate()
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, b"")
    assert b"Outcome unknown" in err
    assert len(files(folder)) == 2


def test_what_cannot_be_taken_is_not_asked_for_without_end(tmp_path, monkeypatch):
    """A delivery that stays open would answer every long poll at once."""
    monkeypatch.setattr(taking, "SHORT_PAUSE_SECONDS", 0.5)
    other = answering(200, b"y", content_type="application/xml")

    class Endless(list):
        def __bool__(self):
            return True

        def pop(self, _place):
            self.append(time.monotonic())
            return page(item(b"x")) if len(self) % 3 == 1 else other

    with WeakLine() as line:
        line.faults = Endless()
        env = environment(None, url=line.url, CONGVAN_SECRET="cv_a_b")
        process = start("inbox", "--fetch", tmp_path, "--ack", "--follow", env=env)
        time.sleep(6)
        process.terminate()
        process.communicate(timeout=20)
        assert process.returncode == 0
        assert 3 <= line.connections <= 15


def test_two_at_once_take_each_letter_once(post, recipient, tmp_path, shared_server):
    letters = post(recipient, 40)
    env = environment(shared_server, recipient)
    both = [
        start("inbox", "--for", recipient, "--fetch", tmp_path, "--ack", "--json", env=env) for _ in range(2)
    ]
    ends = [(one.communicate(timeout=90), one.returncode) for one in both]
    assert {code for _, code in ends} <= {0, 1}
    assert {path.read_bytes() for path in files(tmp_path)} == set(letters.values())
    assert len(files(tmp_path)) == len(letters)
    program(shared_server, "inbox", "--for", recipient, "--fetch", tmp_path, "--ack", code=recipient)
    assert asyncio.run(states(shared_server, letters)) == {"arrived"}
