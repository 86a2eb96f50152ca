"""Letters judged again, over real HTTP and PostgreSQL: the tally moves, both judgements stay on record."""

from province import fetch
from rejudging import arrived, bench, classes, history, hours, newer, now

from exchange.broker import recheck

RECIPIENTS = ("H13.31", "H13.32")


async def sent(server, province, number=1, sender="H13.01", recipients=RECIPIENTS, **case):
    """A letter in the hands of its recipients: its id, the receipt's bytes."""
    async with server.client(sender) as client, server.client("H13.31") as recipient:
        answer = await client.send(province.letter(number, sender=sender, recipients=recipients, **case))
        assert answer.status == 201, answer.raw
        await arrived(recipient)
    return answer.body["receipt"]["letter"], answer.raw


async def about(server, letter, what, code="H13.01"):
    async with server.client(code) as client:
        return (await client.about(letter, what)).body


def sound(server):
    checked = server.congvan("check", "--json")
    assert checked.returncode == 0, checked.stdout


async def test_revoked_an_hour_before_receipt_and_only_in_the_next_list(server, province):
    letter, receipt = await sent(server, province)
    assert await classes(server.dsn) == await classes(server.dsn, "in") == {"E": 2}
    serial = province.ours.seals["H13.01"].certificate.serial_number
    async with bench(server.dsn, newer(province, {serial: now() - hours(1)})) as at:
        effect = await recheck.turn(at)
        assert (effect.letters, effect.changed, dict(effect.counted)) == (1, 1, {("E", "N"): 2})
        assert (await recheck.turn(at)).letters == 0
    assert await classes(server.dsn) == await classes(server.dsn, "in") == {"N": 2}
    assert await history(server.dsn, letter) == [["TOTAL_PASSED"] * 2, ["TOTAL_PASSED", "INDETERMINATE"]]
    shown = await about(server, letter, "verdicts")
    assert (shown["requirement"], shown["missing"]) == ("not_met", ["main.organisation"])
    assert [one["sub_indication"] for one in shown["signatures"]] == [None, "REVOKED_NO_POE"]
    trace = await about(server, letter, "trace")
    assert [one["class"] for one in trace["deliveries"]] == ["N", "N"]
    assert ("rejudged", "revocation") in [
        (one["event"], one["detail"]) for one in trace["deliveries"][0]["events"]
    ]
    async with server.client("H13.01") as client:
        assert (await client.about(letter, "receipt")).raw == receipt
    (line,) = await fetch(server.dsn, "SELECT detail FROM journal WHERE event = 'rejudged'")
    assert line["detail"]["from"] == {"requirement": "met", "reason": "", "class_if_electronic": "E"}
    assert line["detail"]["to"] == {
        "requirement": "not_met",
        "reason": "revoked",
        "class_if_electronic": "N",
    }
    sound(server)
