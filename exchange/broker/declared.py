"""What a sender says beside the bytes: query parameters of POST /v1/messages, for facts that edXML cannot carry.

They are stored beside the bytes and are no part of a letter's identity. Source: contract.md, "Metadata".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from exchange.errors import Problem

COPY_FORMS = ("original", "true_copy", "extract", "duplicate")
PAPER_REASONS = ("government", "listed", "other_law", "recipient_unable", "other")
PURPOSES = ("act", "cooperate", "inform")
MAX_NAME = 500


class Parameters(Protocol):
    """Query parameters by name, each with one or more texts."""

    def getall(self, key: str, default: list[str]) -> Sequence[str]:
        """All texts of a name."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """The main attachment, copy form (bản chính, sao y, trích sao, sao lục), purposes by agency code, and more."""

    main: str | None = None
    copy_form: str = "original"
    purposes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    paper_reason: str | None = None
    resend: int | None = None
    test: bool = False


def declared(given: Parameters) -> Declared:
    """What the parameters declare. Raises Problem bad_request that names the one that cannot be read.

    Raises Problem state_secret for what must not come here at all (Decision 28/2018 Art. 1(2)): before a body is read,
    for edXML has no element for it and only the sender knows.
    """
    if _chosen(given, "state_secret", ("0", "1")) == "1":
        raise Problem("state_secret")
    resend = _one(given, "resend")
    if resend is not None and not (resend.isascii() and resend.isdecimal() and len(resend) < 6):  # noqa: PLR2004 - digits
        raise Problem("bad_request", "resend=n")
    return Declared(
        main=(_one(given, "main") or "")[:MAX_NAME] or None,
        copy_form=_chosen(given, "copy", COPY_FORMS) or "original",
        purposes=_purposes(given.getall("purpose", [])),
        paper_reason=_chosen(given, "paper_reason", PAPER_REASONS),
        resend=int(resend) if resend else None,
        test=_chosen(given, "test", ("0", "1")) == "1",
    )


def _one(given: Parameters, name: str) -> str | None:
    texts = given.getall(name, [])
    if len(texts) > 1:
        raise Problem("bad_request", f"{name}: 1")
    return texts[0] if texts else None


def _chosen(given: Parameters, name: str, choices: tuple[str, ...]) -> str | None:
    text = _one(given, name)
    if text is not None and text not in choices:
        raise Problem("bad_request", f"{name}: {' | '.join(choices)}")
    return text


def _purposes(texts: Sequence[str]) -> Mapping[str, str]:
    pairs = {_purpose(text) for text in texts}
    purposes = dict(pairs)
    if len(purposes) < len(pairs):
        raise Problem("bad_request", "purpose: 1 × CODE")
    return MappingProxyType({code: purposes[code] for code, _ in map(_purpose, texts)})


def _purpose(text: str) -> tuple[str, str]:
    code, _, purpose = text.rpartition(":")
    if not code or purpose not in PURPOSES:
        raise Problem("bad_request", f"purpose=CODE:{'|'.join(PURPOSES)}")
    return code, purpose
