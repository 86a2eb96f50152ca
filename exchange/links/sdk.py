"""The client for document systems and scripts: send, pull, acknowledge, answer, ask. One guarded connection pool.

When the outcome of a request is unknown (no answer, 503), it is sent again: a letter's identity makes that harmless,
and the same letter always gets the same receipt.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
ANSWER_SECONDS = 60.0
AGAIN = frozenset({429, 502, 503, 504})


class UnavailableError(Exception):
    """The exchange did not answer in time, however often it was asked; what was sent may be sent again."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status, body and headers of one answer; `problem` is its RFC 9457 code, or empty."""

    status: int
    raw: bytes
    body: Any
    headers: Mapping[str, str]

    @property
    def problem(self) -> str:
        """Code of the problem, or an empty text for success."""
        return self.body.get("code", "") if self.status >= 400 and isinstance(self.body, dict) else ""  # noqa: PLR2004 - HTTP


@dataclass(frozen=True)
class Client:
    """One system's door to one exchange. Make it with `connected`."""

    session: aiohttp.ClientSession
    attempts: int = ATTEMPTS

    async def send(self, raw: bytes, **beside: str) -> Answer:
        """Hand over one letter or notice; `beside` are the metadata parameters of the contract (main, copy, test, …)."""
        digest = base64.b64encode(hashlib.sha256(raw).digest()).decode()
        headers = {"Content-Type": "application/xml", "Content-Digest": f"sha-256=:{digest}:"}
        return await self._ask("POST", "/v1/messages", params=beside, data=raw, headers=headers)

    async def inbox(
        self, agency: str | None = None, *, after: str | None = None, limit: int = 100, wait: int = 0
    ) -> Answer:
        """One page of what is open for an agency, or for all of the system's."""
        given = {"for": agency, "after": after, "limit": str(limit), "wait": str(wait)}
        return await self._ask(
            "GET", "/v1/inbox", params={name: text for name, text in given.items() if text}
        )

    async def pending(
        self, agency: str | None = None, *, limit: int = 100
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Every item open for an agency, page by page, in one pass."""
        after = None
        while True:
            page = await self.inbox(agency, after=after, limit=limit)
            for item in page.body["items"]:
                yield item
            after = page.body["next"]
            if after is None:
                return

    async def ack(self, ids: Sequence[str], agency: str | None = None) -> Answer:
        """These deliveries are in our hands."""
        body: dict[str, Any] = {"ids": list(ids)}
        if agency:
            body["for"] = agency
        return await self._ask("POST", "/v1/inbox/ack", json=body)

    async def status(
        self,
        delivery: str,
        code: str,
        *,
        reason: str = "",
        staff: Mapping[str, str] | None = None,
        at: datetime | None = None,
    ) -> Answer:
        """What became of a delivery; the receipt of the notice. Asked again, it is the same notice: `at` is set here."""
        said: dict[str, Any] = {"code": code, "at": (at or datetime.now(UTC)).isoformat()}
        said |= {"reason": reason} if reason else {}
        said |= {"staff": dict(staff)} if staff else {}
        return await self._ask("POST", f"/v1/deliveries/{delivery}/status", json=said)

    async def body(self, letter: str) -> Answer:
        """A letter's bytes as they came."""
        return await self._ask("GET", f"/v1/messages/{letter}", headers={"Accept-Encoding": "identity"})

    async def about(self, letter: str, what: str) -> Answer:
        """`header`, `verdicts`, `trace` or `receipt` of a letter."""
        return await self._ask("GET", f"/v1/messages/{letter}/{what}")

    async def ready(self) -> Answer:
        """Whether the exchange can accept letters now."""
        return await self._ask("GET", "/readyz")

    async def _ask(self, method: str, path: str, **given: Any) -> Answer:  # noqa: ANN401 - aiohttp's own
        pause = FIRST_PAUSE_SECONDS
        for left in reversed(range(self.attempts)):
            try:
                answer = await self._once(method, path, **given)
                if answer.status not in AGAIN or not left:
                    return answer
                pause = max(pause, float(answer.headers.get("Retry-After", 0)))
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as error:
                if not left:
                    raise UnavailableError(f"{method} {path}: {type(error).__name__}") from error
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        raise UnavailableError(f"{method} {path}")

    async def _once(self, method: str, path: str, **given: Any) -> Answer:  # noqa: ANN401 - aiohttp's own
        async with self.session.request(method, path, allow_redirects=False, **given) as response:
            raw = await response.read()
            body = await response.json(content_type=None) if "json" in response.content_type else None
            return Answer(status=response.status, raw=raw, body=body, headers=response.headers)


@asynccontextmanager
async def connected(server: str, key: str, *, attempts: int = ATTEMPTS) -> AsyncIterator[Client]:
    """A client for `server` (such as `http://127.0.0.1:8470`) with a system's key `cv_…`."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=ANSWER_SECONDS + 60)
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(server, headers=headers, timeout=timeout) as session:
        yield Client(session, attempts)
