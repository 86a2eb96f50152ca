"""`congvan directory certificate …`: from letters seen to a confirmed certificate and back, on a running exchange."""

import asyncio
import base64
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from province import fetch
from rejudging import ODD, classes, faults, lists, now, sent, serial

from exchange.cli.main import main
from exchange.demo import agencies
from exchange.rules import folding, paper_class
from signing import keys

RECIPIENTS = ("H13.31", "H13.32", "H13.33")
WORKERS = 1
TWO = ("--by", "Lê An", "--by", "Trần Bình")


def digest(holder):
    return keys.fingerprint(holder.certificate).hex()


def seal(province, code=ODD):
    return digest(province.ours.seals[code])


def ran(server, *arguments, code=0, language="vi", stdin="", **settings):
    """One `congvan` command with the exchange's own environment."""
    told = ("--language", language, *map(str, arguments))
    environment = {**server.environment, "COLUMNS": "250", **settings}
    done = CliRunner(env=environment).invoke(main, told, input=stdin)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert code is None or done.exit_code == code, (done.stdout, done.stderr)
    return done


def certificates(server, *arguments, **more):
    return ran(server, "directory", "certificate", *arguments, **more)


def facts(server, *arguments, **more):
    return json.loads(certificates(server, *arguments, "--json", **more).stdout)


def counted(server, code=ODD):
    return asyncio.run(classes(server.dsn, code))


def written(server):
    """What could have been written: versions, judgements, reasons and due letters."""
    tables = ("directory_change", "judgement", "rejudgement", "rejudgement_due")
    return [asyncio.run(fetch(server.dsn, f"SELECT count(*) AS n FROM {table}"))[0]["n"] for table in tables]


def test_confirming_shows_its_effect_then_moves_n_to_e_and_undo_moves_it_back(server, province):
    for number in (1, 2):
        asyncio.run(sent(server, number, ODD, RECIPIENTS))
    assert counted(server) == {"N": 6}
    before = written(server)
    shown = certificates(server, "confirm", seal(province), *TWO, "--dry-run")
    effect = [
        f"~ chứng thư {seal(province)[:16]}… là của H13.10 (cơ quan, tổ chức), xác nhận bởi Lê An, Trần Bình",
        "N → E: 6 lượt gửi (Điện tử, chưa đủ chữ ký số hợp lệ → Hoàn toàn điện tử)",
    ]
    assert shown.stdout.splitlines() == [*effect, "Chạy thử, chưa ghi gì."]
    asked = certificates(server, "confirm", seal(province), *TWO, stdin="k\n", code=1)
    assert asked.stdout.splitlines() == effect
    assert "Chưa xác nhận, chưa ghi gì." in asked.stderr
    assert (written(server), counted(server)) == (before, {"N": 6})
    done = certificates(server, "confirm", seal(province)[:12], *TWO, stdin="c\n")
    assert done.stdout.splitlines()[3:] == [
        "Đã xét lại 2 gói tin, 2 gói tin có kết quả mới.",
        effect[1],
    ]
    assert counted(server) == {"E": 6}
    undone = ran(server, "directory", "undo", "--dry-run")
    assert counted(server) == {"E": 6}
    undone = ran(server, "directory", "undo")
    assert "E → N: 6 lượt gửi" in undone.stderr
    assert counted(server) == {"N": 6}
    revisions = asyncio.run(fetch(server.dsn, "SELECT revision, requirement FROM judgement ORDER BY 1"))
    assert [tuple(one) for one in revisions] == [(2, "met")] * 2 + [(3, "undetermined")] * 2
    assert "xác nhận chứng thư" in ran(server, "directory", "history").stdout
    assert asyncio.run(faults(server)) == set()


def test_two_persons_on_two_days(shared_server, province):
    server = shared_server
    told = certificates(server, "confirm", seal(province), "--by", "Lê An", "--yes", language="en")
    assert told.stdout.splitlines()[0].endswith("confirmed by Lê An; 1 more needed")
    assert (
        facts(server, "list", "--agency", ODD, "--kind", "organisation")["certificates"][0]["confirmed"]
        is False
    )
    again = certificates(server, "confirm", seal(province), "--by", "LE AN", "--yes", code=2)
    assert again.stderr.splitlines() == [
        f"{seal(province)[:16]}: LE AN đã xác nhận rồi. Cần một người khác.",
        "Có 1 điều cản trở: không ghi gì.",
    ]
    done = facts(server, "confirm", seal(province), "--by", "Trần Bình", "--yes")
    (one,) = done["certificates"]
    assert (one["confirmed_by"], one["confirmed"], one["wanting"]) == (["Lê An", "Trần Bình"], True, 0)
    (row,) = asyncio.run(
        fetch(
            server.dsn,
            "SELECT confirmed_by, confirmed_at FROM signer_certificate WHERE sha256 = $1",
            bytes.fromhex(seal(province)),
        )
    )
    assert (row["confirmed_by"], row["confirmed_at"] is not None) == (["Lê An", "Trần Bình"], True)


@pytest.mark.parametrize(
    "arguments, codes",
    [
        (("ff" * 32, *TWO), ["unknown"]),
        (("12", *TWO), ["no_digest"]),
        (("SEAL", "--by", "Lê An", "--by", "le an"), ["name_twice"]),
        (("SEAL", "--by", ""), ["bad_name"]),
        (("SEAL", *TWO, "--kind", "device"), ["wrong_kind"]),
        (("OTHER", *TWO), ["already"]),
        (("OTHER", "ff" * 32, "12", *TWO), ["already", "unknown", "no_digest"]),
    ],
    ids=["unknown", "short", "same_person", "no_name", "wrong_kind", "already", "all_at_once"],
)  # fmt: skip
def test_what_cannot_be_confirmed_is_told_whole_and_nothing_is_written(
    shared_server, province, arguments, codes
):
    given = {"SEAL": seal(province, "H13.14"), "OTHER": seal(province, "H13.02")}
    if "SEAL" in arguments:
        unconfirm = "UPDATE signer_certificate SET confirmed_at = NULL, confirmed_by = '{}' WHERE sha256 = $1"
        asyncio.run(fetch(shared_server.dsn, unconfirm, bytes.fromhex(given["SEAL"])))
    before = written(shared_server)
    told = facts(shared_server, "confirm", *(given.get(one, one) for one in arguments), "--yes", code=2)
    assert [one["code"] for one in told["obstacles"]] == codes
    assert all(one["text"] for one in told["obstacles"])
    assert (told["version"], written(shared_server)) == (None, before)


def test_a_seal_of_an_agency_that_is_switched_off_and_one_that_ended(shared_server, province):
    server, one = shared_server, bytes.fromhex(seal(province, "H13.17"))
    change = "UPDATE signer_certificate SET confirmed_at = NULL, confirmed_by = '{}', valid_to = $2 WHERE sha256 = $1"
    asyncio.run(fetch(server.dsn, change, one, now().date() - timedelta(days=2)))
    asyncio.run(fetch(server.dsn, "UPDATE agency SET disabled_at = now() WHERE code = 'H13.17'"))
    told = certificates(server, "confirm", one.hex(), *TWO, "--yes", language="en", code=2)
    assert [line.partition(": ")[2].split(".")[0] for line in told.stderr.splitlines()[:2]] == [
        "Agency H13",
        f"The certificate ended on {now() - timedelta(days=2):%d/%m/%Y}",
    ]
    asyncio.run(fetch(server.dsn, "UPDATE agency SET disabled_at = NULL WHERE code = 'H13.17'"))


def test_json_does_not_ask_and_without_trust_nothing_is_judged(shared_server, province):
    server, code = shared_server, "H13.18"
    asyncio.run(sent(server, 1, code, RECIPIENTS))
    change = "UPDATE signer_certificate SET confirmed_at = $2, confirmed_by = $3 WHERE sha256 = $1"
    own = bytes.fromhex(seal(province, code))
    asyncio.run(fetch(server.dsn, change, own, None, []))
    before = written(server)
    told = certificates(server, "confirm", seal(province, code), *TWO, "--json", code=2)
    assert "--yes" in told.stderr
    bare = {"CONGVAN_TRUST_DIR": "", "CONGVAN_CRL_DIR": ""}
    told = certificates(server, "confirm", seal(province, code), *TWO, "--yes", code=2, **bare)
    assert "CONGVAN_TRUST_DIR" in told.stderr
    assert written(server) == before
    assert "CONGVAN_TRUST_DIR" in ran(server, "recheck", code=2, **bare).stderr
    asyncio.run(fetch(server.dsn, change, own, now(), ["a", "b"]))


def test_what_letters_showed_is_proposed_confirmed_and_counts(shared_server, province):
    """Certificates nobody wrote down: the agency's by its name, the person's by the officer's."""
    server, code = shared_server, "H13.12"
    forget = "DELETE FROM signer_certificate WHERE agency = (SELECT id FROM agency WHERE code = $1)"
    person = next(one for one in agencies.officers() if one.agency == code)
    asyncio.run(fetch(server.dsn, forget, code))
    asyncio.run(fetch(server.dsn, "UPDATE directory_version SET version = version + 1"))
    asyncio.run(asyncio.sleep(2.1))  # until the worker knows
    asyncio.run(sent(server, 1, code, RECIPIENTS))
    assert counted(server, code) == {"N": 3}
    tried = facts(server, "propose", "--agency", code, "--dry-run")
    told = {one["certificate"]: one for one in tried["proposals"]}
    own, signer = digest(province.ours.seals[code]), digest(province.ours.persons[code, person.code])
    assert {(one["kind"], one["officer"], one["ground"]) for one in told.values()} == {
        ("organisation", None, "name_of_agency"),
        ("individual", person.code, "name_of_officer"),
    }
    assert (told.keys(), told[own]["letters"], told[own]["senders"]) == ({own, signer}, 1, {code: 1})
    assert (tried["version"], counted(server, code)) == (None, {"N": 3})
    done = certificates(server, "propose", "--agency", code)
    assert "đã ghi 2 đề nghị mới" in done.stdout
    assert facts(server, "propose", "--agency", code)["written"] == 0
    held = {
        one["certificate"]: one
        for one in facts(server, "list", "--agency", code, "--state", "proposed")["certificates"]
    }
    assert {one["letters"] for one in held.values()} == {1}
    assert held[own]["basis"] == "Đề nghị từ gói tin đã nhận"
    certificates(server, "confirm", signer, "--by", "Lê An", "--yes")
    assert counted(server, code) == {"N": 3}
    done = facts(server, "confirm", own, *TWO, "--yes")
    assert done["effect"]["counted"] == [{"from": "N", "to": "E", "transfers": 3}]
    assert counted(server, code) == {"E": 3}
    assert asyncio.run(faults(server)) == set()


def test_an_import_that_changes_signer_rows_moves_letters_too(shared_server, province, tmp_path):
    server, code = shared_server, "H13.13"
    asyncio.run(sent(server, 1, code, RECIPIENTS))
    assert counted(server, code) == {"E": 3}
    sheet = tmp_path / "seals.csv"
    day = paper_class.local_day(now() - timedelta(days=30))
    sheet.write_text(
        "agency,kind,certificate,valid_from,basis,confirmed_by\n"
        f"{code},organisation,{base64.b64encode(province.ours.seals[code].der).decode()},{day:%Y-%m-%d},QĐ,\n"
    )
    told = ran(server, "directory", "certificate", "import", sheet)
    assert "E → N: 3 lượt gửi" in told.stderr
    assert counted(server, code) == {"N": 3}
    undone = ran(server, "directory", "undo")
    assert "N → E: 3 lượt gửi" in undone.stderr
    assert counted(server, code) == {"E": 3}


def test_what_ends_soon_and_what_is_revoked(shared_server, province, tmp_path):
    server = shared_server
    code, last = "H13.15", paper_class.local_day(now()) + timedelta(days=10)
    asyncio.run(sent(server, 1, code, RECIPIENTS))
    change = "UPDATE signer_certificate SET valid_to = $2 WHERE sha256 = $1"
    asyncio.run(fetch(server.dsn, change, bytes.fromhex(seal(province, code)), last))
    (one,) = facts(server, "expiring", "--days", 20, "--agency", code, code=1)["certificates"]
    assert (one["certificate"], one["valid_to"]) == (seal(province, code), f"{last}")
    assert f"{last:%d/%m/%Y}" in certificates(server, "expiring", "--agency", code, code=1).stdout
    assert facts(server, "expiring", "--days", 9, "--agency", code)["certificates"] == []
    before = {
        one["certificate"] for one in facts(server, "revoked", "--agency", code, code=None)["certificates"]
    }
    assert seal(province, code) not in before
    for number, raw in enumerate(
        lists(province, {serial(province, code): now() - timedelta(hours=1)}, at=now())
    ):
        (tmp_path / f"{number}.crl").write_bytes(raw)
    told = facts(server, "revoked", "--agency", code, code=1, CONGVAN_CRL_DIR=str(tmp_path))
    (one,) = [one for one in told["certificates"] if one["certificate"] not in before]
    assert (one["certificate"], one["why"]) == (seal(province, code), "certificate_revoked")
    assert told["unknown"] > 0
    told = certificates(server, "revoked", "--agency", code, code=1, CONGVAN_CRL_DIR=str(tmp_path))
    assert "đã thu hồi" in told.stdout
    assert "chưa tra được" in told.stderr


def test_recheck_shows_what_it_would_do_then_does_it(shared_server, province, tmp_path):
    server, code = shared_server, "H13.16"
    asyncio.run(sent(server, 1, code, RECIPIENTS))
    for number, raw in enumerate(lists(province, {serial(province, code): now() - timedelta(hours=1)})):
        (tmp_path / f"{number}.crl").write_bytes(raw)
    newer = {"CONGVAN_CRL_DIR": str(tmp_path)}
    before = written(server)
    told = json.loads(ran(server, "recheck", "--dry-run", "--json", **newer).stdout)
    assert {"from": "E", "to": "N", "transfers": 3} in told["counted"]
    assert (written(server), counted(server, code)) == (before, {"E": 3})
    assert "E → N: 3 lượt gửi" in ran(server, "recheck", **newer).stdout
    assert counted(server, code) == {"N": 3}
    assert "Không có gói tin nào" in ran(server, "recheck", **newer).stdout
    assert "Hôm nay danh mục" in ran(server, "recheck", "--agency", "H99", code=2).stderr


def test_lists_take_codes_of_either_form_and_know_no_others(shared_server, province):
    old = next(one for one in agencies.agencies() if one.code == "H13.02").code102
    (one,) = facts(shared_server, "list", "--agency", old, "--kind", "organisation")["certificates"]
    assert (one["agency"], one["certificate"]) == ("H13.02", seal(province, "H13.02"))
    told = certificates(shared_server, "list", "--agency", "H99", code=2)
    assert "H99" in told.stderr
    shown = certificates(shared_server, "list", "--kind", "individual", "--agency", "H13.02").stdout
    assert folding.found("ca nhan", folding.plain(shown))
