"""What comes back from an exchange: an answer, or no answer; in both cases a value or an error with a name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AGAIN = frozenset({429, 502, 503, 504})
"""Answers after which the outcome is unknown, or nothing was done yet: the same request is sent again."""


class NoAnswerError(Exception):
    """One attempt had no answer: no connection, a cut line, or silence. The exchange may or may not have acted."""


class UnavailableError(Exception):
    """The exchange did not answer in time, however often it was asked; what was sent may be sent again."""


class UntrustedError(UnavailableError):
    """The server's certificate does not prove that it is the exchange. Nothing was sent, and it is not tried again."""


class StrangeAnswerError(UnavailableError):
    """What answered is no exchange, or one of another version."""


class DamagedError(UnavailableError):
    """Bytes came that are not those the exchange announced, twice."""


class RefusedError(Exception):
    """The exchange said no; `answer` holds its problem."""

    def __init__(self, answer: "Answer") -> None:
        super().__init__(answer.problem or str(answer.status))
        self.answer = answer


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status, bytes and headers of one answer; `body` is its JSON, None if it has none."""

    status: int
    raw: bytes
    body: Any
    headers: Mapping[str, str]

    @property
    def good(self) -> bool:
        """Whether what was asked was done."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP

    @property
    def problem(self) -> str:
        """Code of the problem (RFC 9457), or an empty text for success."""
        return str(self.body.get("code", "")) if self.status >= 400 and isinstance(self.body, dict) else ""  # noqa: PLR2004 - HTTP

    def facts(self) -> dict[str, Any]:
        """The JSON object of a good answer. Raises RefusedError for another answer, StrangeAnswerError for no object."""
        if not self.good:
            raise RefusedError(self)
        if not isinstance(self.body, dict):
            raise StrangeAnswerError(f"HTTP {self.status}")
        return self.body


def parsed(raw: bytes, content_type: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The JSON in an answer, None if its type is another or it cannot be read."""
    if "json" not in content_type:
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
