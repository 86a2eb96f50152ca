"""Letters of every operation (mới, thu hồi, cập nhật, thay thế), and what both sides see of them over HTTP.

The sender is a department (H13.01), recipients are districts and what is under them (H13.31 …): two systems, one desk.
"""

import asyncio
import contextlib
import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from province import fetch

from exchange.broker import receipts
from exchange.edxml import model, read, write
from exchange.links import sdk
from exchange.store import pool
from exchange.tracker import check

SENDER = "H13.01"
TODAY = datetime.now(UTC).date()
AT = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
NUMBERS, SECONDS = count(1), count(1)
REGISTERED = ("03", "04", "05", "06")
STATE_OF = {"01": "arrived", "03": "registered", "04": "assigned", "05": "in_process", "06": "done"}
MISSING = "01900000-0000-7000-8000-000000000000"


def parties(codes):
    return tuple(model.Party(code=code) for code in codes)


def letter(*recipients, sender=SENDER, **changed):
    """A new letter without files: accepted as N. A number of its own, unless one is given."""
    number = changed.pop("number", None) or str(next(NUMBERS))
    said = model.Letter(
        sender=model.Party(code=sender),
        recipients=parties(recipients or ("H13.31",)),
        document_id=f"{sender},{TODAY:%Y/%m/%d},{number}/CV",
        number=number,
        notation="CV",
        issued_on=TODAY,
        subject="V/v thử nghiệm",
        type_name="Công văn",
        paper=0,
    )
    return replace(said, **changed)


def signed(province, *recipients, **changed):
    """A new letter with a PDF that person and organisation signed: accepted as E."""
    raw = province.letter(next(NUMBERS), recipients=recipients or ("H13.31",))
    return replace(read.read(raw).message, **changed)


def revoking(target, *recipients, **changed):
    """A letter that revokes another one, from its own recipients or from those given; a document of its own."""
    return _about(target, recipients, "revoke", {"target_document_id": target.document_id} | changed)


def updating(target, *recipients, document=False, added=(), removed=(), **changed):
    """A letter that changes facts of another one, its recipients, or both."""
    receivers = [
        model.Receiver(code=code, added=way)
        for way, codes in ((True, added), (False, removed))
        for code in codes
    ]
    update = model.Update(document=document, recipients=bool(receivers), receivers=tuple(receivers))
    facts = {"target_document_id": target.document_id, "update": update}
    return _about(target, recipients, "update", facts | changed)


def replacing(targets, *recipients, **changed):
    """A letter that replaces others: pairs of a letter and the agencies for which it is replaced; none: for all."""
    replaced = [model.Replacement(document_id=old.document_id, codes=tuple(codes)) for old, codes in targets]
    return _about(targets[0][0], recipients, "replace", {"replaced": tuple(replaced)} | changed)


def _about(target, recipients, operation, changed):
    number = str(next(NUMBERS))
    facts = {
        "recipients": parties(recipients) or target.recipients,
        "operation": operation,
        "operation_reason": "Nhầm nội dung",
        "number": number,
        "document_id": f"{target.sender.code},{TODAY:%Y/%m/%d},{number}/CV-{operation}",
        "notation": f"CV-{operation}",
        "attachments": (),
    }
    return replace(target, **(facts | changed))


def sealed(province, said, case="signed_pdf"):
    """The same letter with the main document of one of the demo's cases."""
    made = province.letter(int(said.number), case=case)
    return replace(said, attachments=read.read(made).message.attachments, subject="V/v thử")


def notice(document_id, code, *, sender="H13.31", to=SENDER, reason="Lý do", at=None):
    """The bytes of one notice; each has a second of its own, so that no two are the same unless `at` is given."""
    said = model.Notice(
        sender=model.Party(code=sender),
        response_for=model.ResponseFor(code=to, document_id=document_id),
        status=code,
        description=reason,
        at=at or AT + timedelta(seconds=next(SECONDS)),
    )
    return write.write(said)


def codes(answer, member="warnings"):
    """The codes of the findings in an answer."""
    return [one["code"] for one in answer.body[member]]


@dataclass
class Desk:
    """Both sides of one exchange: `sender` acts for the departments, `recipient` for the districts and communes."""

    server: object
    sender: sdk.Client
    recipient: sdk.Client
    stranger: sdk.Client
    before: dict

    async def send(self, said, **beside):
        """Hand over a letter, a model or bytes, in the name of the sender."""
        return await self.sender.send(said if isinstance(said, bytes) else write.write(said), **beside)

    async def sent(self, said, **beside):
        """The receipt of a letter that must be accepted."""
        answer = await self.send(said, **beside)
        assert answer.status == 201, answer.body
        return answer.body["receipt"]

    async def notify(self, about, code, agency="H13.31", **given):
        """Say a status of a letter (its receipt), by notice: by the recipient, 13 by the sender."""
        client, names = (self.recipient, (agency, SENDER))
        if code == "13":
            client, names = self.sender, (SENDER, agency)
        raw = notice(about["document_id"], code, sender=names[0], to=names[1], **given)
        return await client.send(raw)

    async def say(self, about, code, agency="H13.31", **given):
        """The same, and it must be accepted."""
        answer = await self.notify(about, code, agency, **given)
        assert answer.status == 201, (code, answer.body)
        return answer.body["receipt"]

    async def ack(self, about, *agencies):
        """Acknowledge a letter for agencies, as their systems do."""
        ids = [(await self.told(about, agency))["id"] for agency in agencies or ("H13.31",)]
        assert (await self.recipient.ack(ids)).body["acknowledged"] == ids

    async def at(self, about, code, *agencies):
        """Bring deliveries to the state that a status stands for; empty: leave them waiting."""
        for agency in agencies or ("H13.31",):
            if code == "01":
                await self.ack(about, agency)
            elif code:
                await self.say(about, code, agency)

    async def trace(self, about, client=None):
        """The whole trace of a letter, as its sender sees it."""
        return (await (client or self.sender).about(about["letter"], "trace")).body

    async def told(self, about, agency="H13.31", client=None):
        """What the trace tells of one recipient."""
        seen = (await self.trace(about, client))["deliveries"]
        (found,) = [one for one in seen if one["recipient"] == agency]
        return found

    async def states(self, about):
        """Every recipient's state."""
        return {one["recipient"]: one["state"] for one in (await self.trace(about))["deliveries"]}

    async def request(self, about, agency="H13.31"):
        """Kind and answer of the request that stands on a delivery; None without one."""
        found = (await self.told(about, agency))["request"]
        return found and (found["kind"], found["answer"])

    async def links(self, about, client=None):
        """What the trace links a letter with: (kind, letter)."""
        return {(one["kind"], one["letter"]) for one in (await self.trace(about, client)).get("links", ())}

    async def open(self, agency="H13.31", about=None):
        """The lines of an agency's inbox; about one letter only, if it is given."""
        items = [item async for item in self.recipient.pending(agency)]
        return [one for one in items if about is None or one["letter"] == about["letter"]]

    async def bytes_(self, about, client=None):
        """Status and problem of a recipient that asks for the bytes, and the bytes."""
        answer = await (client or self.recipient).body(about["letter"])
        return answer.status, answer.problem, answer.raw

    async def counted(self):
        """What `/v1/tally` counts by now, by view: classes and kinds of exclusion."""
        found = {}
        for view, client in (("out", self.sender), ("in", self.recipient)):
            told = (await client.ask("GET", f"/v1/tally?period={TODAY.year}&view={view}")).body
            found[view] = Counter(told["classes"]) + Counter(told["excluded"])
        return found

    async def tally(self):
        """What was counted since the desk was opened; both views must agree."""
        now = await self.counted()
        since = {}
        for view in now:
            now[view].subtract(self.before[view])
            since[view] = {name: n for name, n in now[view].items() if n}
        assert since["out"] == since["in"]
        return since["out"]

    async def faults(self):
        """What the self-check finds wrong, in words."""
        connection = await pool.connect(self.server.dsn)
        try:
            key = receipts.load(self.server.folder / "receipt.key", "")
            result = await check.check(connection, self.server.folder / "payloads", key)
        finally:
            await connection.close()
        assert result.letters > 0
        return [(fault.code, fault.where) for fault in result.faults]

    async def journal(self, about, agency=None):
        """How often each event stands in the journal about a letter, or one delivery of it."""
        found = await fetch(
            self.server.dsn,
            """SELECT event, count(*) AS n FROM journal LEFT JOIN agency ON agency.id = journal.agency
                WHERE letter::text = $1 AND ($2::text IS NULL OR (agency.code = $2 AND delivery IS NOT NULL))
                GROUP BY event""",
            about["letter"], agency,
        )  # fmt: skip
        return {row["event"]: row["n"] for row in found}

    async def rows(self):
        """How many rows each table has that a refusal could touch."""
        tables = ("letter", "delivery", "payload", "journal", "letter_link")
        found = {}
        for name in tables:
            found[name] = (await fetch(self.server.dsn, f"SELECT count(*) AS n FROM {name}"))[0]["n"]
        return found


@contextlib.asynccontextmanager
async def desk(server):
    """A desk; at its end the self-check must be content, whatever was done."""
    async with (
        server.client(SENDER) as sender,
        server.client("H13.31") as recipient,
        server.client("H13") as stranger,
    ):
        opened = Desk(server, sender, recipient, stranger, {})
        opened.before = await opened.counted()
        yield opened
        assert await opened.faults() == []


async def eventually(ask, wanted, seconds=30):
    """Wait until an answer is what it shall be: what a relay does, it does soon."""
    for _ in range(seconds * 10):
        if await ask() == wanted:
            return wanted
        await asyncio.sleep(0.1)
    assert await ask() == wanted
    return wanted


def digest(raw):
    return hashlib.sha256(raw).hexdigest()
