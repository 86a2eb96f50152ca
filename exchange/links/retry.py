"""Asking again while the outcome is unknown: how long, how often, with what pauses.

No answer, a cut line, 502, 503 and 504 tell nothing about what the exchange did, 429 that it did nothing yet. The same
request is then sent again, with the same `Idempotency-Key`; what makes that harmless is not the key but what is sent:
a letter is known by its sender, DocumentId and round, a status by its `at`, an acknowledgement by its delivery.
Other answers are final: a refusal (4xx) is never tried again.

Pauses double from a tenth of a second to five, each shortened by chance so that many clients do not come back
together; a longer `Retry-After` is kept, and where it goes beyond our patience we end at once instead of waiting.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import TypeVar

from exchange.links.answer import AGAIN, Answer, NoAnswerError, UnavailableError

ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
LONGEST_ASKED_SECONDS = 60.0
"""How long a Retry-After we follow when our patience has no end of its own."""

Result = TypeVar("Result")
Told = Callable[[str, float], None]
"""Is told why an attempt failed, and how many seconds we wait before the next."""


def quietly(_why: str, _seconds: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long one operation may go on without progress: attempts, seconds, or both. None: no such limit."""

    attempts: int | None = ATTEMPTS
    seconds: float | None = None
    told: Told = quietly


@dataclass
class Waiting:
    """The attempts and pauses of one operation since it last made progress."""

    patience: Patience
    failures: int = 0
    began: float = field(default_factory=monotonic)

    def progress(self) -> None:
        """Something arrived: patience begins anew."""
        self.failures, self.began = 0, monotonic()

    def left(self) -> float | None:
        """Seconds of patience left, None without a limit."""
        seconds = self.patience.seconds
        return None if seconds is None else max(0.0, self.began + seconds - monotonic())

    async def attempt(self, asking: Awaitable[Result], seconds: float) -> Result:
        """One attempt of at most so many seconds, and no longer than our patience. Raises NoAnswerError."""
        left = self.left()
        try:
            async with asyncio.timeout(seconds if left is None else min(seconds, left)):
                return await asking
        except TimeoutError:
            raise NoAnswerError("timeout") from None

    async def pause(self, why: str, asked: float = 0.0) -> None:
        """Wait before the next attempt. Raises UnavailableError when patience is over, or would be by then."""
        _give_up_if_told()
        self.failures += 1
        limit, left = self.patience.attempts, self.left()
        seconds = pause(self.failures, asked if left is not None else min(asked, LONGEST_ASKED_SECONDS))
        if (limit is not None and self.failures >= limit) or (left is not None and seconds >= left):
            raise UnavailableError(why)
        self.patience.told(why, seconds)
        await asyncio.sleep(seconds)


def _give_up_if_told() -> None:
    """Being told to end may get lost in a library that is just connecting and calls it a failure of its own."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def until_known(once: Callable[[], Awaitable[Answer]], patience: Patience, seconds: float) -> Answer:
    """Ask until an answer tells the outcome, each time for at most so many seconds.

    When patience ends: the last answer if there was one (its status is in AGAIN), else UnavailableError.
    """
    waiting = Waiting(patience)
    while True:
        answer = None
        try:
            answer = await waiting.attempt(once(), seconds)
            if answer.status not in AGAIN:
                return answer
            await waiting.pause(f"HTTP {answer.status}", retry_after(answer.headers))
        except NoAnswerError as error:
            await waiting.pause(str(error))
        except UnavailableError:
            if answer is None:
                raise
            return answer


def pause(failures: int, asked: float, chance: float | None = None) -> float:
    """Seconds to wait after so many failures in a row; `asked` is what Retry-After said, `chance` from 0 to 1."""
    chance = random.random() if chance is None else chance  # noqa: S311 - spreads clients, keeps no secret
    grown = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 16))
    return max(grown * (1 + chance) / 2, asked + min(asked / 10, 1.0) * chance)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that an answer asks us to wait: a number or an HTTP date (RFC 9110 §10.2.3), 0 if it says neither.

    A date is compared with the answer's own Date, so that a wrong clock here does not matter.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    then = _moment(text)
    now = _moment(headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (then - now).total_seconds()) if then else 0.0


def _moment(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
