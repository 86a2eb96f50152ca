"""Operations in words (thu hồi, lấy lại, cập nhật, thay thế): what a receipt, an answer and a trace tell of them.

Everything comes from an exchange that may be older, newer or hostile: what is not known here stands for itself, cleaned.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from exchange import texts
from exchange.cli import client
from exchange.edxml import codes

ANSWERS = frozenset({"13", "15", "16"})
"""The statuses that ask for a letter back, or answer such a request."""


def name(operation: object, language: str) -> str:
    """The name of an operation other than *new*: `Thu hồi`; empty for what needs no word."""
    if operation in {"new", "status", None}:
        return ""
    known = codes.OPERATIONS.get(codes.CODE_OF.get(str(operation), ""))
    return known[f"name_{language}"] if known else texts.clean(str(operation))


def of_receipt(access: client.Access, receipt: Mapping[str, Any]) -> Iterator[str]:
    """What becomes of the letter that an accepted operation is about."""
    yield from _sentence(access, f"did_{receipt.get('operation')}")


def of_status(access: client.Access, code: str) -> Iterator[str]:
    """What a request or its answer sets in motion."""
    if code in ANSWERS:
        yield from _sentence(access, f"said_{code}")


def of_delivery(access: client.Access, delivery: Mapping[str, Any]) -> Iterator[str]:
    """What was asked of a recipient and what it answered, whether the letter was recalled, and by which replaced."""
    request = delivery.get("request")
    if isinstance(request, Mapping):
        yield _say(
            access, f"request_{request.get('answer') or 'open'}", kind=_kind(access, request.get("kind")),
            letter=request.get("letter"), at=client.moment(request.get("at")),
            answered=client.moment(request.get("answered_at")),
        )  # fmt: skip
    if delivery.get("recalled") is True:
        yield from _sentence(access, "recalled")
    if delivery.get("replaced_by"):
        yield _say(access, "replaced_by", letter=delivery["replaced_by"])


def of_link(access: client.Access, link: Mapping[str, Any]) -> str:
    """One letter that this one is linked with: how, its number, who sent it and when."""
    reference = "/".join(str(link[part]) for part in ("number", "notation") if link.get(part))
    return _say(
        access, "link", kind=_known(access, f"link_{link.get('kind')}", link.get("kind")), letter=link.get("letter"),
        reference=reference or link.get("document_id") or "-", sender=link.get("sender"), at=client.moment(link.get("at")),
    )  # fmt: skip


def _kind(access: client.Access, kind: object) -> str:
    return _known(access, f"kind_{kind}", kind)


def _known(access: client.Access, key: str, otherwise: object) -> str:
    return texts.catalogue(access.language).get(f"client_operation.{key}") or str(otherwise or "-")


def _sentence(access: client.Access, key: str) -> Iterator[str]:
    """A sentence without facts, if there is one."""
    said = texts.catalogue(access.language).get(f"client_operation.{key}")
    if said:
        yield said


def _say(access: client.Access, key: str, **facts: object) -> str:
    known = f"client_operation.{key}" in texts.catalogue(access.language)
    told = {name_: texts.clean(str(fact or "-")) for name_, fact in facts.items()}
    return texts.say(f"client_operation.{key if known else 'request_other'}", access.language, **told)
