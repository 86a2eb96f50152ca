"""Clients at work while the exchange is being killed: senders that want a receipt, systems that empty their inboxes.

An answer 503 or none at all is an unknown outcome: the same bytes are sent again until an answer comes.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from random import Random

from faults.ledger import Ledger, Letter
from faults.moments import until
from province import quick_letter

from exchange.demo import agencies
from exchange.edxml import model, write
from exchange.links import sdk

CODES = tuple(entry.code for entry in agencies.agencies())
SENDERS = CODES[1:13]
MANY = (101, 160)
PAUSE_SECONDS = 0.1
PAGE = 200
MANY_EVERY = 30
HANG_UP, REPLAY, LONG, SIGNED, ANSWERED, REFUSED = 0.05, 0.1, 0.15, 0.01, 0.1, 0.02
"""Shares: clients that hang up, letters sent again for no reason, letters kept in files, letters with signatures,
deliveries about which their recipient says some statuses, or that it refuses."""

STATUSES = ("01", "03", "04", "05", "06")
REFUSAL = "02"


@dataclass
class Load:
    """Who sends how fast, until `ending` is set; recipients stop when cancelled. `attempts` are the SDK's own.

    Nobody sends on while more than `most` deliveries are not acknowledged: a slow machine has less to do, not later.
    """

    grounds: object
    ledger: Ledger
    random: Random
    pause: float = 0.06
    senders: int = 5
    signed: bool = False
    attempts: int = 1
    hang_up: float = HANG_UP
    most: int = 2_000
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: count = field(default_factory=lambda: count(1))

    async def send(self):
        """One sender: letter after letter, each until it is answered."""
        code = self.random.choice(SENDERS)
        async with self.grounds.client(code, attempts=self.attempts) as client:
            while not self.ending.is_set():
                letter = self._letter(code)
                self.ledger.letters.append(letter)
                await self.deliver(client, letter)
                if self.random.random() < REPLAY:
                    await self.deliver(client, letter)
                await asyncio.sleep(self.random.uniform(0, 2 * self.pause))
                await until(self._may_send, 600)

    def _may_send(self):
        return self.ledger.outstanding <= self.most or self.ending.is_set()

    async def deliver(self, client, letter):
        """One letter, until it is answered; sometimes we hang up, and ask again."""
        if self.random.random() < self.hang_up:
            with contextlib.suppress(TimeoutError, sdk.UnavailableError):
                async with asyncio.timeout(self.random.uniform(0, 0.03)):
                    await client.send(letter.raw)
            self.ledger.unknown += 1
        self.ledger.sent(letter, await self.answered(lambda: client.send(letter.raw)))

    def _letter(self, code):
        number, others = next(self.numbers), [one for one in CODES if one != code]
        many = number % MANY_EVERY == 3  # the third, and so on: every campaign has some for the relay
        size = self.random.randint(*MANY) if many else self.random.randint(1, 3)
        recipients = tuple(self.random.sample(others, size))
        if self.signed and self.random.random() < SIGNED:
            raw = self.grounds.province.letter(number, sender=code, recipients=recipients)
        else:
            subject = "V/v thử " + "a" * (3000 if self.random.random() < LONG else 0)
            raw = quick_letter(number, sender=code, recipients=recipients, subject=subject)
        return Letter(raw, code, recipients)

    async def answered(self, ask):
        """The answer to a request that is repeated while its outcome is unknown."""
        while True:
            started = time.monotonic()
            answer = None
            with contextlib.suppress(sdk.UnavailableError):
                answer = await ask()
            self.ledger.slowest = max(self.ledger.slowest, time.monotonic() - started)
            if answer is not None and answer.status not in sdk.AGAIN:
                return answer
            self.ledger.unknown += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def receive(self, code):
        """The system that acts for `code`: pull, take bodies, acknowledge and answer, for all its agencies."""
        async with self.grounds.client(code, attempts=self.attempts) as client:
            while True:
                items = await self._pull(client)
                for letter in sorted({item["letter"] for item in items}):
                    await self._take(client, letter)
                if items:
                    await self._acknowledge(client, [item["id"] for item in items])
                for item in items:
                    await self._answer(client, item)

    async def _answer(self, client, item):
        """Sometimes what became of it, in any order; a notice is not answered."""
        codes = ()
        if item["kind"] == "letter" and (chance := self.random.random()) < ANSWERED:
            codes = self.random.sample(STATUSES, 2) if chance > REFUSED else (REFUSAL,)
        for code in codes:
            raw = notice(item, code)
            about = (item["letter"], item["recipient"])
            self.ledger.letters.append(Letter(raw, item["recipient"], (item["sender"],), code, about))
            await self.deliver(client, self.ledger.letters[-1])

    async def _pull(self, client):
        while True:
            asked = time.monotonic()
            with contextlib.suppress(sdk.UnavailableError):
                answer = await client.inbox(limit=PAGE, wait=2)
                if answer.status == 200:
                    self.ledger.shown(answer.body["items"], asked)
                    return answer.body["items"]
                if answer.status not in sdk.AGAIN:
                    self.ledger.strange("inbox", answer)
            self.ledger.unknown += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def _take(self, client, letter):
        answer = await self.answered(lambda: client.body(letter))
        if answer.status == 200:
            self.ledger.held(letter, answer.raw)
        else:
            self.ledger.strange("body", answer)

    async def _acknowledge(self, client, ids):
        answer = await self.answered(lambda: self._ack(client, ids))
        if answer.status == 200:
            self.ledger.acked(answer.body)
        else:
            self.ledger.strange("ack", answer)

    async def _ack(self, client, ids):
        """One attempt; until it is answered, these deliveries may be acknowledged or not."""
        try:
            answer = await client.ack(ids)
        except sdk.UnavailableError:
            self.ledger.unsure.update(ids)
            raise
        if answer.status in sdk.AGAIN:
            self.ledger.unsure.update(ids)
        return answer


def notice(item, code):
    """The bytes by which the recipient of an inbox item says what became of it."""
    said = model.Notice(
        sender=model.Party(code=item["recipient"]),
        response_for=model.ResponseFor(code=item["sender"], document_id=item["document_id"]),
        status=code,
        description="Sai thẩm quyền" if code == REFUSAL else "",
        at=datetime.now(UTC),
    )
    return write.write(said)


def systems(province):
    """One agency's code for each system."""
    by_key = {province.key_of(code): code for code in CODES}
    return list(by_key.values())
