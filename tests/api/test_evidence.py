"""A transfer's whole evidence: who gets it, with what, and whether an auditor finds the verdicts again without the exchange."""

import asyncio
import base64
import copy
import functools
import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from uuid import UUID

import aiohttp
import pytest
from click.testing import CliRunner
from province import fetch, quick_letter

from exchange import config
from exchange.broker import evidence, evidence_check, evidence_zip, receipts
from exchange.cli.main import main
from exchange.store import evidence as store
from exchange.store import pool as pools
from signing import crl, keys, ocsp, seal


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
        if name not in {"manifest.json", "manifest-signature.json"}
    }
    return {**held, "manifest.json": json.dumps(manifest).encode()}


def forged(held, change=lambda held: held):
    """A forger's own evidence, changed and then signed anew throughout, with a key of its own."""
    key = keys.new_statement_key()
    public, name = keys.public_pem(key.public_key()), keys.key_id(key)

    def signature(statement, context):
        value = base64.b64encode(seal.sign_statement(statement, key, context=context)).decode()
        return {"algorithm": "ES256", "key_id": name, "value": value}

    whole = json.loads(held["receipt.json"])
    member = json.dumps(whole["receipt"], ensure_ascii=False, separators=(",", ":")).encode()
    whole["signature"] = signature(member, receipts.CONTEXT)
    receipt = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
    own = {**held, "receipt.json": receipt, "receipt-key.pem": public, "manifest-key.pem": public}
    own = listed(change(own))
    return {
        **own,
        "manifest-signature.json": json.dumps(signature(own["manifest.json"], evidence.CONTEXT)).encode(),
    }


@pytest.fixture
def check(tmp_path, shared_server):
    def checked(raw, *, expected=True):
        file = tmp_path / "evidence.zip"
        file.write_bytes(raw)
        own = evidence_check.Expected(sha256=own_key(shared_server).key_id)
        auditor = evidence_check.Auditor(
            trust_files=config.files(shared_server.province.folder / "trust"),
            expected=[own] if expected is True else expected,
        )
        return evidence_check.check(file, auditor)

    return checked


def own_key(server):
    return receipts.load(server.folder / "receipt.key", "")


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
    transfer = json.loads(watched["transfer.json"])
    assert [one["recipient"] for one in transfer["deliveries"]] == ["H13.31"]


def test_a_monitor_gets_the_digest_of_a_receipt_and_whom_it_is_not_about_it_does_not_learn(sent, check):
    whole, watched = json.loads(files(sent["H13.31"][2])["receipt.json"]), files(sent["watched"][2])
    told = json.loads(watched["receipt.json"])
    member = json.dumps(whole["receipt"], ensure_ascii=False, separators=(",", ":")).encode()
    assert told["receipt_sha256"] == hashlib.sha256(member).hexdigest()
    assert set(told["receipt"]) == {"letter", "accepted_at", "exchange"}
    assert set(told["signature"]) == {"algorithm", "key_id"}
    assert told["receipt"].items() <= whole["receipt"].items()
    assert told["signature"].items() <= whole["signature"].items()
    for name, raw in watched.items():
        assert b"H13.02" not in raw, name
        assert whole["receipt"]["id"].encode() not in raw, name  # by it the digest could be guessed
    found = check(sent["watched"][2])
    assert (found.standing, found.receipt_left_out, found.receipt_key_id) == ("sound", True, found.key_id)
    assert found.accepted_at == whole["receipt"]["accepted_at"]
    assert not check(sent["H13.31"][2]).receipt_left_out


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
        own = ("receipt.json", "letter.xml") if who == "H13.31" else ()
        assert "H13.02" not in told_in(acted[who], besides=own)
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
    assert (found.standing, found.key_id) == ("sound", found.receipt_key_id)
    watched = check(sent["watched"][2])
    assert (watched.standing, watched.contents, watched.signatures) == ("sound", False, ())


def test_without_a_key_to_compare_nothing_is_sound(check, sent, shared_server):
    own, stranger = own_key(shared_server).key.public_key(), keys.new_statement_key().public_key()
    whole = evidence_check.Expected(sha256=keys.public_key_sha256(own), key=own)
    other = evidence_check.Expected(sha256=keys.public_key_sha256(stranger), key=stranger)
    for raw in (sent["H13.01"][2], sent["watched"][2]):
        found = check(raw, expected=[])
        assert (found.standing, found.compared, found.faults) == ("consistent", False, ())
        assert check(raw, expected=[other, whole]).standing == "sound"
        found = check(raw, expected=[other])
        assert found.standing == "unsound"
        assert ("other_key", "manifest-key.pem") in found.faults


def test_what_anybody_can_make_is_not_the_exchanges(check, sent):
    made = zipped(forged(files(sent["H13.01"][2])))
    found = check(made)
    assert (found.standing, found.faults) == ("unsound", (("other_key", "manifest-key.pem"),))
    assert check(made, expected=[]).standing == "consistent"
    held = files(sent["H13.01"][2])
    mixed = {**held, **{name: raw for name, raw in forged(held).items() if name.startswith("manifest")}}
    assert check(zipped(mixed)).standing == "unsound"


def changed_receipt(held):
    receipt = json.loads(held["receipt.json"])
    receipt["receipt"]["recipients"] = ["H13.99"]
    return {**held, "receipt.json": json.dumps(receipt, separators=(",", ":"), ensure_ascii=False).encode()}


def softened(held):
    rows = json.loads(held["verdicts.json"])
    for row in rows:
        row.update(indication="TOTAL_FAILED", sub_indication="HASH_FAILURE")
    return {**held, "verdicts.json": json.dumps(rows).encode()}


def left_out(held, **more):
    """The receipt as a monitor gets it."""
    receipt = json.loads(held["receipt.json"])
    member = {name: receipt["receipt"][name] for name in ("letter", "accepted_at", "exchange")}
    told = {**receipt, "receipt": {**member, **more}, "receipt_sha256": "0" * 64}
    told["signature"] = {"algorithm": "ES256", "key_id": receipt["signature"]["key_id"]}
    return {**held, "receipt.json": json.dumps(told).encode()}


def without_lists(held):
    return {name: raw for name, raw in held.items() if not name.startswith("revocation/")}


def without_the_letter(held):
    return {name: raw for name, raw in held.items() if name != "letter.xml"}


FORGED = {
    "a letter changed": (lambda held: {**held, "letter.xml": held["letter.xml"].replace(b"Subject", b"Subjecu")}, "digest"),
    "a letter changed, and the manifest": (lambda held: listed({**held, "letter.xml": held["letter.xml"] + b"\n"}), "letter"),
    "a receipt changed": (lambda held: listed(changed_receipt(held)), "receipt"),
    "a receipt left out beside the letter": (lambda held: listed(left_out(held)), "receipt"),
    "a receipt left out, of another letter": (
        lambda held: listed(left_out(without_the_letter(held), letter="x")), "other_letter"
    ),
    "a receipt left out, unlike the manifest": (lambda held: left_out(without_the_letter(held)), "digest"),
    "a receipt left out, and the manifest changed": (lambda held: listed(left_out(without_the_letter(held))), "manifest"),
    "a digest of it in a receipt that was changed": (
        lambda held: listed({**held, "receipt.json": changed_receipt(held)["receipt.json"][:-1] + b',"receipt_sha256":""}'}), "receipt"
    ),
    "no key": (lambda held: listed({**held, "manifest-key.pem": b"x"}), "key"),
    "no key of the receipt": (lambda held: listed({**held, "receipt-key.pem": b"x"}), "key"),
    "a key of the receipt that it does not name": (
        lambda held: listed({**held, "receipt.json": held["receipt.json"].replace(b'"key_id":"', b'"key_id":"0')}), "no_key"
    ),
    "a list without a letter": (lambda held: listed(without_the_letter(held)), "contents"),
    "verdicts changed, and the letter gone": (lambda held: listed(without_the_letter(softened(held))), "manifest"),
    "a journal changed": (lambda held: listed({**held, "journal.json": b"[]"}), "manifest"),
    "a signature that is none": (lambda held: {**held, "manifest-signature.json": b'{"value": "eA=="}'}, "manifest"),
    "a signature that is a list": (lambda held: {**held, "manifest-signature.json": b"[]"}, "manifest"),
    "half a character": (
        lambda held: listed({**held, "receipt.json": held["receipt.json"].replace(b'"document_id":"', b'"document_id":"\\ud800')}),
        "receipt",
    ),
    "a file more": (lambda held: {**held, f"certificates/{'0' * 64}.der": b"x"}, "unlisted"),
    "a file less": (without_lists, "missing"),
    "a list that is none": (lambda held: listed({**held, f"revocation/{hashlib.sha256(b'x').hexdigest()}.crl": b"x"}), "revocation"),
    "verdicts changed": (lambda held: forged(held, softened), None),
    "lists left out": (lambda held: forged(held, without_lists), None),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED, ids=list(FORGED))
def test_what_was_changed_is_found(check, sent, name):
    change, fault = FORGED[name]
    found = check(zipped(change(copy.copy(files(sent["H13.01"][2])))))
    assert found.standing == "unsound"
    if fault:
        assert fault in {code for code, _ in found.faults}
    else:
        assert found.faults == (("other_key", "manifest-key.pem"),)
        assert any(one.found != one.recorded for one in found.signatures)


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
    "a bomb": (lambda held: zipped({**held, f"certificates/{'0' * 64}.der": b"\0" * (evidence_zip.MOST_FILE_BYTES + 1)}), "too_large"),
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
    with pytest.raises(evidence_zip.UnfitError) as caught:
        check(make(files(sent["H13.01"][2])))
    assert caught.value.code == code


def test_operators_write_it_and_the_command_checks_it(shared_server, sent, tmp_path):
    file, bad, key = tmp_path / "a.zip", tmp_path / "b.zip", tmp_path / "key.pem"
    own = own_key(shared_server)
    key.write_text(receipts.public_pem(own))
    shared_server.congvan("evidence", sent["letter"], "--output", str(file), check=True)
    held = files(file.read_bytes())
    assert len(json.loads(held["transfer.json"])["deliveries"]) == 2
    assert (
        json.loads(held["manifest.json"])["exchange"]
        == json.loads(held["receipt.json"])["receipt"]["exchange"]
        != ""
    )
    trust = str(shared_server.province.folder / "trust")

    def checked(*more, zip_=file):
        done = shared_server.congvan("evidence", "--check", str(zip_), "--trust", trust, "--json", *more)
        return done.returncode, json.loads(done.stdout)["standing"]

    assert checked("--key", own.key_id) == (0, "sound")
    assert checked("--key", str(key), "--key", "0" * 16) == (0, "sound")
    assert checked("--key", "0" * 16) == (1, "unsound")
    assert checked() == (1, "consistent")
    bad.write_bytes(sent["watched"][2])
    shown = shared_server.congvan("evidence", "--check", str(bad), "--trust", trust, "--key", own.key_id)
    assert (shown.returncode, "biên nhận nêu mọi nơi nhận" in shown.stdout) == (0, True)
    shown = shared_server.congvan("evidence", "--check", str(file), "--trust", trust)
    assert own.key_id in shown.stdout
    assert "--key" in shown.stdout
    bad.write_bytes(zipped({**held, "letter.xml": quick_letter(1)}))
    shown = shared_server.congvan("evidence", "--check", str(bad), "--trust", trust)
    assert shown.returncode == 1
    assert "letter.xml" in shown.stdout
    bad.write_bytes(b"x")
    assert shared_server.congvan("evidence", "--check", str(bad)).returncode == 2
    assert shared_server.congvan("evidence", "--check", str(file), "--key", str(bad)).returncode == 2


def command(server, *arguments, **settings):
    """The command in this process, with other settings than the server's."""
    environment = {**server.environment, **settings}
    return CliRunner().invoke(main, ["evidence", *arguments], env=environment, prog_name="congvan")


def test_what_stops_the_command_is_told_and_leaves_nothing_half(shared_server, sent, tmp_path):
    file, folder = tmp_path / "a.zip", tmp_path / "trust"
    file.write_bytes(b"before")
    done = command(
        shared_server, sent["letter"], "--output", str(file), CONGVAN_RECEIPT_KEY_FILE=str(tmp_path / "none")
    )
    assert (done.exit_code, file.read_bytes()) == (2, b"before")
    assert "CONGVAN_RECEIPT_KEY_FILE" in done.stderr
    done = command(shared_server, sent["letter"], "--output", str(tmp_path / "no" / "a.zip"))
    assert done.exit_code == 2
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); from exchange.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", limited, "evidence", sent["letter"], "--output", str(file)],
        env=shared_server.environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, file.read_bytes()) == (2, b"before"), done.stderr
    assert str(file) in done.stderr
    assert "Traceback" not in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["a.zip"]
    other, pipe = tmp_path / "other.zip", tmp_path / "pipe"
    other.symlink_to(file)
    assert command(shared_server, sent["letter"], "--output", str(other)).exit_code == 0
    assert (other.is_symlink(), zipfile.is_zipfile(file)) == (True, True)
    os.mkfifo(pipe)
    assert command(shared_server, sent["letter"], "--output", str(pipe)).exit_code == 2
    assert pipe.is_fifo()
    file.write_bytes(b"before")
    folder.mkdir()
    (folder / "a.pem").symlink_to(
        "/proc/self/mem"
    )  # a file that nobody can read from its beginning, root neither
    command(shared_server, sent["letter"], "--output", str(file))
    done = command(shared_server, "--check", str(file), "--trust", str(folder))
    assert (done.exit_code, type(done.exception)) == (2, SystemExit)


async def test_a_file_of_bytes_that_is_gone_is_told_as_such(shared_server, tmp_path):
    async with shared_server.client("H13.01") as client:
        answer = await client.send(quick_letter(77, recipients=["H13.02"]))
    letter = answer.body["receipt"]["letter"]
    await fetch(
        shared_server.dsn,
        "UPDATE payload SET body = NULL, file = 'gone.edxml' WHERE id = $1::text::uuid",
        letter,
    )
    done = await asyncio.to_thread(command, shared_server, letter, "--output", str(tmp_path / "a.zip"))
    assert done.exit_code == 2
    assert "gone.edxml" in done.stderr
    assert not (tmp_path / "a.zip").exists()


async def test_only_asking_about_it_takes_nothing(shared_server):
    async with shared_server.client("H13.01") as client:
        answer = await client.send(quick_letter(78, recipients=["H13.31"]))
    letter = answer.body["receipt"]["letter"]
    path = f"/v1/transfers/{letter}/H13.31/evidence"
    headers = {"Authorization": f"Bearer {shared_server.province.key_of('H13.31')}"}

    async def fetched():
        rows = await fetch(
            shared_server.dsn, "SELECT event FROM journal WHERE letter = $1::text::uuid", letter
        )
        return "fetched" in [one["event"] for one in rows]

    async with aiohttp.ClientSession(shared_server.url, headers=headers) as session:
        async with session.head(path) as answer:
            assert (answer.status, answer.content_type) == (200, "application/zip")
            assert f"{letter}.zip" in answer.headers["Content-Disposition"]
        assert not await fetched()
        async with session.get(path) as answer:
            assert answer.status == 200
            await answer.read()
        assert await fetched()
        async with session.head(path.replace("H13.31", "H13.02")) as answer:
            assert answer.status == 404


async def test_what_an_earlier_key_signed_stays_sound(shared_server, sent, check):
    new = keys.new_statement_key()
    sealed = evidence.Seal(
        key=receipts.ReceiptKey(new, keys.key_id(new), "khác"), at=datetime.now(UTC), codes={}
    )
    expected = [evidence_check.Expected(sha256=keys.key_id(new))]

    async def made():
        connection = await pools.connect(shared_server.dsn)
        try:
            row = await store.letter(connection, UUID(sent["letter"]))
            deliveries = await store.deliveries(connection, row["id"], None)
            package = await evidence.gathered(connection, row, deliveries, None)
            file = io.BytesIO()
            whole = evidence.with_bytes(package, sent["raw"])
            await evidence.write(whole, sealed, functools.partial(store.document, connection), file)
            return file.getvalue()
        finally:
            await connection.close()

    raw, own = await made(), own_key(shared_server)
    found = check(raw, expected=expected)
    assert (found.standing, found.faults) == ("sound", ())
    assert (found.key_id, found.receipt_key_id) == (keys.key_id(new), own.key_id)
    kept = await fetch(shared_server.dsn, "DELETE FROM receipt_key RETURNING *")
    assert [one["id"] for one in kept] == [own.key_id]
    raw = await made()
    assert "receipt-key.pem" not in files(raw)
    found = check(raw, expected=expected)
    assert (found.standing, found.faults) == ("unsound", (("no_key", own.key_id),))
    mine = evidence_check.Expected(sha256=own.key_id, key=own.key.public_key())
    assert check(raw, expected=[*expected, mine]).standing == "sound"
    await fetch(shared_server.dsn, "INSERT INTO receipt_key VALUES ($1, $2, $3)", *kept[0].values())


def test_documents_of_the_newest_judgement_come_first():
    def verdict(revision, *named):
        return {"revision": revision, "certificate_sha256": None, "evidence": [one * 32 for one in named]}

    named = evidence._named([verdict(1, "01", "02"), verdict(2, "02", "03"), verdict(2, "04")])
    assert [one.hex()[:2] for one in named] == ["02", "03", "04", "01"]
    half = evidence_zip.MOST_DOCUMENT_BYTES // 2
    sizes = [{"size": one} for one in (half, half, 1)]
    assert evidence._fitting(sizes) == tuple(sizes[:2])
    many = [{"size": 1}] * (evidence_zip.MOST_DOCUMENTS + 1)
    assert len(evidence._fitting(many)) == evidence_zip.MOST_DOCUMENTS


def test_what_may_be_written_may_be_read():
    assert max(crl.MOST_BYTES, ocsp.MOST_BYTES) <= evidence_zip.MOST_FILE_BYTES
    assert evidence_zip.MOST_DOCUMENT_BYTES + 2 * evidence_zip.MOST_FILE_BYTES <= evidence_zip.MOST_BYTES
    assert evidence_zip.MOST_DOCUMENTS < evidence_zip.MOST_ENTRIES
