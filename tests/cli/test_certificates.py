"""`congvan directory certificate …`: from letters seen to a confirmed certificate and back, on a running exchange."""

import json

from province import fetch
from rejudging import ODD, classes

from signing import keys

SEAL = "seal"


def seal(province, code=ODD):
    return keys.fingerprint(province.ours.seals[code].certificate).hex()


async def sent(server, province, number=1, recipients=("H13.31", "H13.32", "H13.33")):
    async with server.client(ODD) as client, server.client("H13.31") as recipient:
        answer = await client.send(province.letter(number, sender=ODD, recipients=recipients))
        assert answer.body["class_if_electronic"] == "N"
        await arrived(recipient)
    return answer.body["receipt"]["letter"]


def ran(server, *arguments, code=0, language="vi"):
    done = server.congvan("directory", *arguments, "--language", language)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done


def facts(server, *arguments, code=0):
    return json.loads(ran(server, *arguments, "--json", code=code).stdout)


async def test_confirming_moves_n_to_e_and_undo_moves_it_back(server, province):
    digest = seal(province)
    for number in (1, 2):
        await sent(server, province, number)
    assert await classes(server.dsn, ODD) == {"N": 6}
    shown = ran(server, "certificate", "confirm", digest, "--by", "Lê An", "--by", "Trần Bình", "--dry-run")
    assert shown.stdout.splitlines() == [
        f"~ chứng thư {digest[:16]}… là của H13.10 (cơ quan, tổ chức), xác nhận bởi Lê An, Trần Bình",
        "N → E: 6 lượt gửi (Điện tử, chưa đủ chữ ký số hợp lệ → Hoàn toàn điện tử)",
        "Chạy thử, chưa ghi gì.",
    ]
    assert await classes(server.dsn, ODD) == {"N": 6}
    assert (
        await fetch(server.dsn, "SELECT FROM judgement")
        == await fetch(server.dsn, "SELECT FROM rejudgement_due")
        == []
    )
    done = facts(server, "certificate", "confirm", digest, "--by", "Lê An", "--by", "Trần Bình", "--yes")
    assert await classes(server.dsn, ODD) == await classes(server.dsn, ODD) == {"E": 6}
    assert done["certificates"][0]["confirmed_by"] == ["Lê An", "Trần Bình"]
    undone = ran(server, "undo")
    assert "E → N: 6" in undone.stderr
    assert await classes(server.dsn, ODD) == {"N": 6}
    assert {one["revision"] for one in await fetch(server.dsn, "SELECT revision FROM judgement")} == {2, 3}
    assert server.congvan("check").returncode == 0
