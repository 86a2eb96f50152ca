"""`congvan system …` beyond keys: certificates, whom a system acts for, and the test of a connection."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import province
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization

from exchange.cli import main
from exchange.demo import cast
from signing import keys

SHEET = (
    "code,code102,name,kind,level,parent,valid_from\n"
    "H13.01,000.00.01.H13,Sở Nội vụ,department,2,H13,2019-01-01\n"
    "H13,000.00.00.H13,Ủy ban nhân dân,province,1,,2019-01-01\n"
)
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agencies.csv").write_text(SHEET)
    settings = {
        "CONGVAN_DATABASE_URL": database,
        "CONGVAN_LANGUAGE": "vi",
        "COLUMNS": "200",
        "CONGVAN_LISTEN": "127.0.0.1:1",
    }
    runner = CliRunner(env=settings)
    assert runner.invoke(main.main, ["directory", "agency", "import", "agencies.csv"]).exit_code == 0
    return lambda *arguments: runner.invoke(main.main, ["system", *map(str, arguments)])


@pytest.fixture
def certificate(tmp_path):
    key = keys.new_key()
    issuer = keys.root("Gốc thử nghiệm", key=key, at=NOW - 400 * DAY)

    def write(serial=1, *, at=NOW - DAY, days=30, form=serialization.Encoding.PEM):
        made = keys.certificate(issuer, "i-Office", key.public_key(), at=at, days=days, serial=serial)
        path = tmp_path / f"{serial}.pem"
        path.write_bytes(made.public_bytes(form))
        return path, keys.fingerprint(made).hex()

    return write


def added(run, *more):
    return json.loads(run("add", "--acts-for", "H13.01", "--name", "i-Office", "--json", *more).stdout)[
        "system"
    ]


def test_a_system_with_a_client_certificate_and_the_next_one(run, certificate):
    (first, digest), (second, other) = certificate(1), certificate(2, form=serialization.Encoding.DER)
    system = added(run, "--certificate", first)
    (listed,) = json.loads(run("list", "--json").stdout)["systems"]
    assert sorted(one["kind"] for one in listed["credentials"]) == ["certificate", "key"]
    assert {one["id"] for one in listed["credentials"] if one["kind"] == "certificate"} == {digest}
    rotated = run("rotate", system, "--certificate", second, "--both-for", "2")
    assert rotated.exit_code == 0
    assert f"cho hệ thống {system}" in rotated.stdout
    assert "Chứng thư cũ còn dùng được 2 giờ." in rotated.stdout
    (listed,) = json.loads(run("list", "--json").stdout)["systems"]
    assert {one["id"] for one in listed["credentials"] if one["kind"] == "certificate"} == {digest, other}
    assert "chứng thư" in run("list").stdout


def test_a_certificate_that_will_not_do_registers_nothing(run, certificate, tmp_path):
    good, _ = certificate(1)
    system = added(run, "--certificate", good)
    (tmp_path / "x.pem").write_text("x")
    for file, said in (
        (good, "đã được đăng ký"),
        (tmp_path / "x.pem", "Không đọc được chứng thư"),
        (certificate(3, at=NOW - 40 * DAY, days=10)[0], "đã hết hạn"),
        (certificate(4, at=NOW + DAY)[0], "chưa đến hạn"),
    ):
        for command in (("add", "--acts-for", "H13", "--name", "y"), ("rotate", system)):
            told = run(*command, "--certificate", file)
            assert (told.exit_code, told.stdout, said in told.stderr) == (2, "", True)
    assert len(json.loads(run("list", "--json").stdout)["systems"]) == 1


def test_no_secret_of_a_door_that_does_not_exist(run):
    told = run("add", "--acts-for", "H13", "--name", "y", "--vxp", "--language", "en")
    assert (told.exit_code, told.stdout) == (2, "")
    assert (
        told.stderr == "This release has no VXP door yet, so no VXP secret is given out. Leave --vxp away.\n"
    )
    assert json.loads(run("list", "--json").stdout) == {"systems": []}


@pytest.mark.parametrize(
    "name",
    ["", "   ", "i\x1b[31mOffice", "i\u202eOffice", "x" * 501],
    ids=["empty", "blank", "ansi", "bidi", "long"],
)
def test_a_name_that_is_none_is_refused(run, name):
    told = run("add", "--acts-for", "H13", "--name", name)
    assert (told.exit_code, told.stdout, "\x1b" in told.stderr) == (2, "", False)


def test_whom_a_system_acts_for_changes_with_dates(run):
    system = added(run)
    tried = run("acts-for", system, "--add", "H13", "--from", "01/01/2030", "--dry-run")
    assert tried.stdout.splitlines()[0] == f"+ thay mặt i-Office {system} H13 2030-01-01"
    done = run("acts-for", system, "--add", "000.00.00.H13", "--end", "H13.01", "--by", "Lê An", "--json")
    assert (json.loads(done.stdout)["added"], json.loads(done.stdout)["changed"]) == (1, 1)
    (listed,) = json.loads(run("list", "--json").stdout)["systems"]
    assert listed["acts_for"] == ["H13", "H13.01"]
    ended = run("acts-for", system, "--end", "H13.01", "--on", "2018-01-01")
    assert (ended.exit_code, "không thay mặt: H13.01" in ended.stderr) == (2, True)
    unknown = run("acts-for", system, "--add", "H99")
    assert (unknown.exit_code, "H99" in unknown.stderr) == (2, True)
    assert run("acts-for", system).exit_code == 2
    assert run("acts-for", UUID(int=1), "--add", "H13").exit_code == 2


def test_a_connection_without_an_exchange_is_wrong_and_says_what_to_do(run):
    system = added(run)
    told = run("test", system)
    assert told.exit_code == 1
    assert "Trục không trả lời tại http://127.0.0.1:1" in told.stdout
    assert "Chạy congvan serve" in told.stdout
    facts = json.loads(run("test", system, "--json").stdout)
    assert (facts["system"], facts["well"]) == (system, False)
    assert {check["code"]: check["severity"] for check in facts["checks"]} == {
        "enabled": "good", "credential_unending": "good", "agencies": "good", "never_seen": "warning", "open_none": "good",
        "refused_none": "good", "exchange_silent": "fault",
    }  # fmt: skip
    told = run("test", system, "--server", "ftp://x")
    assert (told.exit_code, "ftp://x" in told.stderr) == (2, True)
    run("disable", system)
    codes = {check["code"] for check in json.loads(run("test", system, "--json").stdout)["checks"]}
    assert "disabled" in codes
    assert run("test", UUID(int=1)).exit_code == 2
    assert run("test", "x").exit_code == 2


def test_a_connection_at_work_is_well_until_it_leaves_its_letters(server):
    """Against a running exchange: what waits and what was refused is seen, and the answer changes with it."""
    listed = json.loads(server.congvan("system", "list", "--json", check=True).stdout)["systems"]
    by_name = {one["name"]: one["id"] for one in listed}
    office = next(name for name, kinds in cast.SYSTEMS.items() if "department" in kinds)

    def tested():
        done = server.congvan("system", "test", by_name[office], "--json")
        return done.returncode, json.loads(done.stdout)

    code, facts = tested()
    assert (code, facts["well"], facts["open"]["count"]) == (0, True, 0)
    assert "exchange_ready" in {check["code"] for check in facts["checks"]}
    send(server, province.quick_letter(1, sender="H13.01", recipients=("H13.02",)), b"<x/>")
    code, facts = tested()
    assert (code, facts["open"]["count"]) == (0, 1)
    assert [
        (one["code"], one["text"].startswith("Không phải gói tin edXML: ")) for one in facts["refusals"]
    ] == [("not_edxml", True)]
    assert "refused" in {check["code"] for check in facts["checks"]}


def send(server, *letters):
    async def go():
        async with server.client("H13.01") as client:
            for letter in letters:
                await client.send(letter)

    asyncio.run(go())
