"""What can go wrong, whose fault it is, and the one sentence the outside may read.

`Finding` is something seen in a message; `Problem` is the only exception that crosses layers and
becomes an answer (RFC 9457). Both carry a stable code; sentences live in `exchange.texts`.

    Problem        an answer other than success: code, whose, temporary, findings
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Whose(StrEnum):
    """Who has to do something about an error."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    OPERATOR = "operator"
    US = "us"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing seen in a message (phát hiện): severity error | warning | info, where, and the facts of its sentence.

    The sentence is `texts.say("finding.<code>", language, **facts)`.
    """

    severity: str
    code: str
    path: str = ""
    line: int | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """One row of the table of problems: HTTP status, whose fault, worth trying again unchanged."""

    status: int
    whose: Whose
    temporary: bool = False


PROBLEMS: Mapping[str, Kind] = {
    "not_xml": Kind(422, Whose.SENDER),
    "forbidden_xml": Kind(422, Whose.SENDER),
    "not_edxml": Kind(422, Whose.SENDER),
    "too_complex": Kind(422, Whose.SENDER),
    "findings": Kind(422, Whose.SENDER),
    "too_large": Kind(413, Whose.SENDER),
    "incomplete_body": Kind(400, Whose.SENDER, temporary=True),
    "digest_mismatch": Kind(400, Whose.SENDER, temporary=True),
    "bad_request": Kind(400, Whose.SENDER),
    "unsupported_media_type": Kind(415, Whose.SENDER),
    "range_not_satisfiable": Kind(416, Whose.RECIPIENT),
    "wrong_offset": Kind(409, Whose.SENDER),
    "tls_required": Kind(403, Whose.OPERATOR),
    "unauthenticated": Kind(401, Whose.SENDER),
    "not_allowed_to_act": Kind(403, Whose.SENDER),
    "disabled": Kind(403, Whose.OPERATOR),
    "unknown_sender": Kind(422, Whose.SENDER),
    "no_routable_recipient": Kind(422, Whose.SENDER),
    "conflict": Kind(409, Whose.SENDER),
    "signature_broken": Kind(422, Whose.SENDER),
    "signature_of_another": Kind(422, Whose.SENDER),
    "signature_wrapping": Kind(422, Whose.SENDER),
    "not_found": Kind(404, Whose.SENDER),
    "method_not_allowed": Kind(405, Whose.SENDER),
    "state_secret": Kind(422, Whose.SENDER),
    "gone": Kind(410, Whose.SENDER),
    "wrong_state": Kind(409, Whose.RECIPIENT),
    "busy": Kind(503, Whose.US, temporary=True),
    "outcome_unknown": Kind(503, Whose.US, temporary=True),
    "starting": Kind(503, Whose.US, temporary=True),
    "rate_limited": Kind(429, Whose.SENDER, temporary=True),
    "internal": Kind(500, Whose.US, temporary=True),
}
"""Every code of `contract.md` with its row; codes are never renamed."""


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """An answer other than success. `detail` is public; what the log may know beyond it goes to the log only.

    `members` are facts of this very answer (RFC 9457 section 3.2), such as `offset` or `retry_after` (seconds).
    """

    def __init__(
        self, code: str, detail: str = "", findings: tuple[Finding, ...] = (), **members: int | str
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.findings = findings
        self.members = members

    @property
    def kind(self) -> Kind:
        """The row of the table of problems."""
        return PROBLEMS[self.code]
