"""The client for document systems and scripts: send, pull, take, acknowledge, answer, ask.

    async with sdk.connected("https://truc.example", key) as exchange:
        answer = await exchange.send(raw)                    # 201 new, 200 the same again; both with the receipt
        receipt = answer.facts()["receipt"]                  # RefusedError, if the exchange said no
        async for item in exchange.pending():                # what is open for us
            await exchange.fetch(item, file)                 # whole and checked, or not at all
            await exchange.ack([item["id"]])                 # only when the bytes are safe with us

When the outcome of a request is unknown (no answer, 429, 502, 503, 504), it is sent again, all attempts with one
`Idempotency-Key`. The key only tells attempts apart in logs; the real guard is what is sent: the same letter always
gets the same receipt, a status is known by its `at`, an acknowledgement by its delivery. Sending again is always safe.
"""

import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, BinaryIO, TypedDict, Unpack
from urllib.parse import quote

from exchange.links import connection, download, retry, upload
from exchange.links.answer import (
    AGAIN,
    Answer,
    DamagedError,
    RefusedError,
    StrangeAnswerError,
    UnavailableError,
    UntrustedError,
)
from exchange.links.connection import AddressError
from exchange.links.retry import ATTEMPTS
from exchange.links.upload import Progress, unseen

UPLOAD_ABOVE_BYTES = 1 << 20
"""Larger letters go up in parts."""


class Terms(TypedDict, total=False):
    """How to talk: attempts and seconds without progress until we give up (None: no such limit), TLS, language, …

    `tls` is `connection.tls_context(…)`; `insecure_http` allows plain http to another machine; `told` hears of failed
    attempts; `language` is that of sentences (vi, en).
    """

    attempts: int | None
    seconds: float | None
    tls: ssl.SSLContext | None
    insecure_http: bool
    language: str
    told: retry.Told


class Words(TypedDict, total=False):
    """What a status says beside its code. `remark` (bút phê) stays with the recipient unless `share_remark`."""

    reason: str
    staff: Mapping[str, str] | None
    remark: str
    share_remark: bool


@dataclass(frozen=True)
class Client:
    """One system's door to one exchange. Make it with `connected`."""

    line: connection.Line
    upload_above: int = UPLOAD_ABOVE_BYTES

    async def send(self, raw: bytes, *, progress: Progress = unseen, **beside: str | Sequence[str]) -> Answer:
        """Hand over one letter or notice; `beside` are the metadata parameters of the contract (main, copy, test, …).

        A parameter that may be repeated (purpose) takes a list.
        """
        parameters = _pairs(beside)
        if len(raw) > self.upload_above:
            answer = await upload.send(self.line, raw, parameters, progress)
            if answer is not None:
                return answer
        digest = base64.b64encode(hashlib.sha256(raw).digest()).decode()
        headers = {"Content-Type": "application/xml", "Content-Digest": f"sha-256=:{digest}:"}
        return await self.line.ask("POST", "/v1/messages", params=parameters, data=raw, headers=headers)

    async def inbox(
        self, agency: str | None = None, *, after: str | None = None, limit: int = 100, wait: int = 0
    ) -> Answer:
        """One page of what is open for an agency, or for all of the system's; `wait` seconds for something to come."""
        given = {"for": agency, "after": after, "limit": str(limit), "wait": str(wait)}
        parameters = {name: text for name, text in given.items() if text}
        return await self.line.ask("GET", "/v1/inbox", params=parameters, wait=wait)

    async def pending(
        self, agency: str | None = None, *, limit: int = 100
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Every item open for an agency, page by page, in one pass. Raises RefusedError."""
        after = None
        while True:
            page = (await self.inbox(agency, after=after, limit=limit)).facts()
            for item in page["items"]:
                yield item
            after = page["next"]
            if after is None:
                return

    async def body(self, letter: str) -> Answer:
        """A letter's bytes as they came, in one piece."""
        headers = {"Accept-Encoding": "identity"}
        return await self.line.ask("GET", f"/v1/messages/{_part(letter)}", headers=headers)

    async def fetch(
        self, item: Mapping[str, Any], into: BinaryIO, *, progress: Progress = unseen
    ) -> Answer | None:
        """Bring a file, which may hold the beginning already, to the bytes of an inbox item; None when it holds them.

        Otherwise the refusal: not_found, or gone when the letter was revoked meanwhile. Raises DamagedError.
        """
        wanted = download.Wanted(letter=item["letter"], sha256=item["sha256"], size=item["size"])
        return await download.fetch(self.line, wanted, into, progress)

    async def ack(self, ids: Sequence[str], agency: str | None = None) -> Answer:
        """These deliveries are in our hands."""
        body = {"ids": list(ids)} | ({"for": agency} if agency else {})
        return await self.line.ask("POST", "/v1/inbox/ack", json=body)

    async def status(
        self, delivery: str, code: str, *, at: datetime | None = None, **words: Unpack[Words]
    ) -> Answer:
        """What became of a delivery; the receipt of the notice. Asked again, it is the same notice: `at` is set here."""
        said = {name: word for name, word in words.items() if word}
        body = {"code": code, "at": (at or datetime.now(UTC)).isoformat(), **said}
        return await self.line.ask("POST", f"/v1/deliveries/{_part(delivery)}/status", json=body)

    async def about(self, letter: str, what: str, **asked: str) -> Answer:
        """`header`, `verdicts`, `trace` (with `why="1"`: why each delivery counts as it does) or `receipt` of a letter."""
        return await self.line.ask("GET", f"/v1/messages/{_part(letter)}/{what}", params=asked)

    async def paper(self, delivery: str, on: date | None, *, note: str = "", by: str = "") -> Answer:
        """Paper of a delivery came on that day; None, with a note: it did not."""
        said = {"on": on.isoformat() if on else None, "note": note, "by": by}
        return await self.line.ask("POST", f"/v1/deliveries/{_part(delivery)}/paper", json=said)

    async def ready(self) -> Answer:
        """Whether the exchange can accept letters now."""
        return await self.line.ask("GET", "/readyz")

    async def ask(self, method: str, path: str, **given: Any) -> Answer:  # noqa: ANN401 - aiohttp's own
        """Any other request of the contract, asked until its outcome is known; `given` is what aiohttp takes."""
        return await self.line.ask(method, path, **given)


def _part(text: str) -> str:
    """An id as one part of a path, whatever is in it."""
    return quote(text, safe="")


def _pairs(beside: Mapping[str, str | Sequence[str]]) -> list[tuple[str, str]]:
    lists = ((name, [said] if isinstance(said, str) else said) for name, said in beside.items())
    return [(name, one) for name, several in lists for one in several]


@asynccontextmanager
async def connected(server: str, key: str = "", **terms: Unpack[Terms]) -> AsyncIterator[Client]:
    """A client for `server` (such as `https://truc.example:8470`) with a system's key `cv_…`, a certificate, or both.

    Raises AddressError for an address that cannot be used, or not safely.
    """
    patience = retry.Patience(
        attempts=terms.get("attempts", ATTEMPTS),
        seconds=terms.get("seconds"),
        told=terms.get("told", retry.quietly),
    )
    address = connection.address(server, insecure_http=terms.get("insecure_http", False))
    headers = {"Accept-Language": terms.get("language", "vi")}
    headers |= {"Authorization": f"Bearer {key}"} if key else {}
    async with connection.opened(address, headers, tls=terms.get("tls")) as session:
        yield Client(connection.Line(session=session, patience=patience))


__all__ = [
    "AGAIN",
    "ATTEMPTS",
    "AddressError",
    "Answer",
    "Client",
    "DamagedError",
    "RefusedError",
    "StrangeAnswerError",
    "Terms",
    "UnavailableError",
    "UntrustedError",
    "Words",
    "connected",
]
