"""A transfer's whole evidence: who gets it, with what, and whether an auditor finds the verdicts again without the exchange."""

import asyncio
import copy
import hashlib
import io
import json
import zipfile

import aiohttp
import pytest
from province import fetch, quick_letter

from exchange.broker import evidence_check


async def asked(server, path, key):
    async with (
        aiohttp.ClientSession(server.url) as session,
        session.get(path, headers={"Authorization": f"Bearer {key}"}) as answer,
    ):
        return answer.status, answer.content_type, await answer.read()


def files(raw):
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        return {one.filename: packed.read(one) for one in packed.infolist()}


def zipped(held):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, raw in held.items():
            packed.writestr(name, raw)
    return file.getvalue()


def listed(held):
    """The files with a manifest that agrees with them: a forger's."""
    manifest = json.loads(held["manifest.json"])
    manifest["files"] = {
        name: {"sha256": hashlib.sha256(raw).hexdigest(), "size": len(raw)}
        for name, raw in held.items()
        if name != "manifest.json"
    }
    return {**held, "manifest.json": json.dumps(manifest).encode()}


@pytest.fixture
def check(tmp_path, shared_server):
    def checked(raw):
        file = tmp_path / "evidence.zip"
        file.write_bytes(raw)
        trusted = sorted((shared_server.province.folder / "trust").iterdir())
        return evidence_check.check(file, [one.read_bytes() for one in trusted if one.is_file()], [])

    return checked


@pytest.fixture(scope="module")
def sent(shared_server):
    """One signed letter of H13.01 to two agencies, its evidence as its sender gets it, and as an auditor does."""
    made = {}

    async def fill():
        async with shared_server.client("H13.01") as client:
            raw = shared_server.province.letter(
                1, recipients=["H13.02", "H13.31"], subject="V/v chuyện riêng"
            )
            made["raw"], answer = raw, await client.send(raw)
            made["letter"] = answer.body["receipt"]["letter"]
        system = shared_server.congvan(
            "system", "add", "--acts-for", "H13.48", "--name", "kiểm toán", "--json", check=True
        )
        made["auditor"] = json.loads(system.stdout)
        shared_server.congvan(
            "system", "monitor", made["auditor"]["system"], "--agency", "H13.01", check=True
        )
        for who in ("H13.01", "H13.02", "H13.31"):
            key = shared_server.province.key_of(who)
            made[who] = await asked(shared_server, f"/v1/transfers/{made['letter']}/H13.31/evidence", key)
        made["watched"] = await asked(
            shared_server, f"/v1/transfers/{made['letter']}/H13.31/evidence", made["auditor"]["secret"]
        )

    asyncio.run(fill())
    return made


def test_parties_get_the_bytes_and_a_monitor_does_not(sent):
    assert [sent[one][:2] for one in ("H13.01", "H13.31", "watched")] == [(200, "application/zip")] * 3
    whole, watched = files(sent["H13.01"][2]), files(sent["watched"][2])
    assert whole["letter.xml"] == sent["raw"]
    assert files(sent["H13.31"][2])["letter.xml"] == sent["raw"]
    assert "letter.xml" not in watched
    for name, raw in watched.items():
        assert "chuyện riêng" not in raw.decode("utf-8", errors="replace"), name
    assert {one.partition("/")[0] for one in watched} >= {
        "certificates",
        "revocation",
        "verdicts.json",
        "journal.json",
    }
    for member in ("receipt", "signature"):
        assert json.loads(whole["receipt.json"])[member] == json.loads(watched["receipt.json"])[member]
    transfer = json.loads(watched["transfer.json"])
    assert [one["recipient"] for one in transfer["deliveries"]] == ["H13.31"]


def told_in(raw, *, besides=()):
    """Everything that is told in words, but for the files `besides`."""
    return "\n".join(
        text.decode("utf-8", errors="replace") for name, text in files(raw).items() if name not in besides
    )


@pytest.fixture(scope="module")
def acted(shared_server):
    """A letter of H13.01 to two agencies with all that either side says of it; its evidence as each gets it."""
    made = {}

    async def fill():
        server = shared_server
        async with server.client("H13.01") as client:
            raw = server.province.letter(2, recipients=["H13.02", "H13.31"], subject="V/v chuyện riêng")
            sent = await client.send(raw, purpose=["H13.02:cooperate"])
            letter = sent.body["receipt"]["letter"]
        async with server.client("H13.31") as client:
            (one,) = [row for row in (await client.inbox()).body["items"] if row["letter"] == letter]
            await client.ack([one["id"]])
            said = {"on": one["accepted_at"][:10], "note": "ghi chú nơi nhận", "by": "Người Nơi Nhận"}
            assert (await client.ask("POST", f"/v1/deliveries/{one['id']}/paper", json=said)).status == 200
        async with server.client("H13.01") as client:
            said = {"paper": 0, "note": "ghi chú bên gửi", "by": "Người Bên Gửi", "to": ["H13.31"]}
            assert (await client.ask("POST", f"/v1/messages/{letter}/paper", json=said)).status == 200
        async with server.client("H13.31") as client:
            done = await client.ask(
                "POST",
                f"/v1/deliveries/{one['id']}/status",
                json={"code": "02", "reason": "lý do riêng của cơ quan"},
            )
            assert done.status == 201, done.body
        await fetch(
            server.dsn,
            """UPDATE delivery SET request_facts = '{"number": "9", "subject": "V/v trích yếu mới"}'::jsonb
                WHERE letter = $1::text::uuid""",
            letter,
        )
        system = json.loads(
            server.congvan(
                "system", "add", "--acts-for", "H13.48", "--name", "thanh tra", "--json", check=True
            ).stdout
        )
        server.congvan("system", "monitor", system["system"], "--agency", "H13.01", check=True)
        path = f"/v1/transfers/{letter}/H13.31/evidence"
        for who in ("H13.01", "H13.31"):
            made[who] = (await asked(server, path, server.province.key_of(who)))[2]
        made["watched"] = (await asked(server, path, system["secret"]))[2]

    asyncio.run(fill())
    return made


def test_a_monitor_reads_nothing_of_what_letters_and_answers_say(acted):
    named = {one["place"] for one in json.loads(files(acted["H13.01"])["verdicts.json"])} - {"package"}
    assert named
    told = told_in(acted["watched"], besides=("README.txt",))
    for words in (
        "chuyện riêng",
        "trích yếu mới",
        "lý do riêng",
        "ghi chú",
        "Người Nơi",
        "Người Bên",
        *named,
    ):
        assert words not in told, words
    both = told_in(acted["H13.01"])
    for words in ("trích yếu mới", "lý do riêng", *named):
        assert words in both, words
    places = {one["place"] for one in json.loads(files(acted["watched"])["verdicts.json"])}
    assert places <= {"package", "attachment 1"}


def test_persons_notes_and_other_recipients_stay_with_whose_they_are(acted):
    sender, recipient = told_in(acted["H13.01"]), told_in(acted["H13.31"])
    assert "ghi chú bên gửi" in sender
    assert "Người Bên Gửi" in sender
    assert "Nơi Nhận" not in sender
    assert "ghi chú nơi nhận" not in sender
    assert "Người Nơi Nhận" in recipient
    assert "Bên Gửi" not in recipient
    assert "ghi chú bên gửi" not in recipient
    for who in ("H13.31", "watched"):
        letter = json.loads(files(acted[who])["transfer.json"])["letter"]
        assert (letter["recipients"], letter["purposes"]) == (["H13.31"], ["act"])
        assert "H13.02" not in told_in(acted[who], besides=("receipt.json", "letter.xml"))
    letter = json.loads(files(acted["H13.01"])["transfer.json"])["letter"]
    assert letter["recipients"] == ["H13.02", "H13.31"]


async def test_who_is_no_party_of_the_row_gets_nothing(shared_server, sent):
    stranger = json.loads(
        shared_server.congvan(
            "system", "add", "--acts-for", "H13.48", "--name", "lạ", "--json", check=True
        ).stdout
    )
    for recipient in ("H13.31", "H13.02", "H13.48", "H99"):
        path = f"/v1/transfers/{sent['letter']}/{recipient}/evidence"
        assert (await asked(shared_server, path, stranger["secret"]))[0] == 404


def test_an_auditor_finds_it_sound_without_the_exchange(check, sent):
    found = check(sent["H13.01"][2])
    assert found.faults == ()
    assert found.signatures
    assert all(one.found == one.recorded for one in found.signatures)
    assert any(one.found == "TOTAL_PASSED" for one in found.signatures)
    assert found.sound
    watched = check(sent["watched"][2])
    assert (watched.sound, watched.contents, watched.signatures) == (True, False, ())


def changed_receipt(held):
    receipt = json.loads(held["receipt.json"])
    receipt["receipt"]["recipients"] = ["H13.99"]
    return {**held, "receipt.json": json.dumps(receipt, separators=(",", ":"), ensure_ascii=False).encode()}


def softened(held):
    rows = json.loads(held["verdicts.json"])
    for row in rows:
        row.update(indication="TOTAL_FAILED", sub_indication="HASH_FAILURE")
    return {**held, "verdicts.json": json.dumps(rows).encode()}


def without_lists(held):
    return {name: raw for name, raw in held.items() if not name.startswith("revocation/")}


FORGED = {
    "a letter changed": (lambda held: {**held, "letter.xml": held["letter.xml"].replace(b"Subject", b"Subjecu")}, "digest"),
    "a letter changed, and the manifest": (lambda held: listed({**held, "letter.xml": held["letter.xml"] + b"\n"}), "letter"),
    "a receipt changed": (lambda held: listed(changed_receipt(held)), "receipt"),
    "another key": (lambda held: listed({**held, "receipt-key.pem": b"x"}), "key"),
    "a file more": (lambda held: {**held, f"certificates/{'0' * 64}.der": b"x"}, "unlisted"),
    "a file less": (without_lists, "missing"),
    "a list that is none": (lambda held: listed({**held, f"revocation/{hashlib.sha256(b'x').hexdigest()}.crl": b"x"}), "revocation"),
    "verdicts changed": (lambda held: listed(softened(held)), None),
    "lists left out": (lambda held: listed(without_lists(held)), None),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED, ids=list(FORGED))
def test_what_was_changed_is_found(check, sent, name):
    change, fault = FORGED[name]
    found = check(zipped(change(copy.copy(files(sent["H13.01"][2])))))
    assert not found.sound
    if fault:
        assert fault in {code for code, _ in found.faults}
    else:
        assert found.faults == ()


def twice(held):
    file = io.BytesIO(zipped(held))
    with zipfile.ZipFile(file, "a") as packed, pytest.warns(UserWarning, match="Duplicate"):
        packed.writestr("receipt.json", b"{}")
    return file.getvalue()


HOSTILE = {
    "no zip": (lambda _: b"x" * 1_000, "no_zip"),
    "cut": (lambda held: zipped(held)[:-200], "no_zip"),
    "a way out": (lambda held: zipped({**held, "../../letter.xml": b"x"}), "strange_file"),
    "an absolute name": (lambda held: zipped({**held, "/etc/passwd": b"x"}), "strange_file"),
    "a folder": (lambda held: zipped({**held, "revocation/": b""}), "strange_file"),
    "a bomb": (lambda held: zipped({**held, f"certificates/{'0' * 64}.der": b"\0" * ((32 << 20) + 1)}), "too_large"),
    "too many": (lambda held: zipped({**held, **{f"certificates/{n:064x}.der": b"" for n in range(4_100)}}), "too_large"),
    "a name twice": (twice, "file_twice"),
    "without a receipt": (lambda held: zipped({k: v for k, v in held.items() if k != "receipt.json"}), "file_missing"),
    "a manifest that is none": (lambda held: zipped({**held, "manifest.json": b"[]"}), "no_manifest"),
    "no json": (lambda held: zipped({**held, "manifest.json": b"[" * 100_000}), "no_json"),
    "a receipt that is a list": (lambda held: zipped(listed({**held, "receipt.json": b"[]"})), "no_json"),
    "verdicts that are no rows": (lambda held: zipped(listed({**held, "verdicts.json": b'[{"revision": null}]'})), "no_json"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=list(HOSTILE))
def test_hostile_files_are_refused(check, sent, name):
    make, code = HOSTILE[name]
    with pytest.raises(evidence_check.UnfitError) as caught:
        check(make(files(sent["H13.01"][2])))
    assert caught.value.code == code


def test_operators_write_it_and_the_command_checks_it(shared_server, sent, tmp_path):
    file, bad = tmp_path / "a.zip", tmp_path / "b.zip"
    shared_server.congvan("evidence", sent["letter"], "--output", str(file), check=True)
    held = files(file.read_bytes())
    assert len(json.loads(held["transfer.json"])["deliveries"]) == 2
    trust = str(shared_server.province.folder / "trust")
    checked = shared_server.congvan("evidence", "--check", str(file), "--trust", trust, "--json")
    assert (checked.returncode, json.loads(checked.stdout)["sound"]) == (0, True)
    bad.write_bytes(zipped({**held, "letter.xml": quick_letter(1)}))
    shown = shared_server.congvan("evidence", "--check", str(bad), "--trust", trust)
    assert shown.returncode == 1
    assert "letter.xml" in shown.stdout
    bad.write_bytes(b"x")
    assert shared_server.congvan("evidence", "--check", str(bad)).returncode == 2
