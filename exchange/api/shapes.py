"""From records to the JSON of the contract: pure, one function a body."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from aiohttp import web

from exchange import texts
from exchange.broker import receipts
from exchange.broker.deliver import Acknowledged, Page
from exchange.broker.trace import Judged
from exchange.rules import paper_class
from exchange.rules.directory import Directory


def json_response(body: Any, headers: Mapping[str, str] | None = None, status: int = 200) -> web.Response:  # noqa: ANN401 - whatever JSON holds
    """An answer in JSON. Half of a surrogate pair, which JSON admits and UTF-8 does not, goes out as it came in."""
    raw = json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace")
    return web.Response(status=status, body=raw, content_type="application/json", headers=headers)


def inbox(page: Page, directory: Directory) -> dict[str, Any]:
    """Body of GET /v1/inbox."""
    items = [_item(delivery, directory) for delivery in page.items]
    return {"items": items, "next": items[-1]["id"] if page.more else None, "more": page.more}


def _item(delivery: Mapping[str, Any], directory: Directory) -> dict[str, Any]:
    return {
        "id": str(delivery["id"]),
        "letter": str(delivery["letter"]),
        "kind": delivery["kind"],
        "operation": delivery["operation"],
        "document_id": delivery["document_id"],
        "number": delivery["number"],
        "notation": delivery["notation"],
        "issued_on": moment(delivery["issued_on"]),
        "type": delivery["document_type"],
        "subject": delivery["subject"],
        "sender": code(directory, delivery["sender"]),
        "sender_name": name(directory, delivery["sender"]),
        "recipient": code(directory, delivery["recipient"]),
        "purpose": delivery["purpose"],
        "accepted_at": moment(delivery["accepted_at"]),
        "urgency": delivery["urgency"],
        "sha256": delivery["sha256"].hex(),
        "size": delivery["size"],
        "class": delivery["class"],
        "requirement": delivery["requirement"],
        "status": delivery["status"],
        "copy": delivery["copy_form"],
    }


def acknowledged(result: Acknowledged, strange: Iterable[str]) -> dict[str, list[str]]:
    """Body of POST /v1/inbox/ack; texts that are no ids at all are unknown too."""
    return {
        "acknowledged": [str(one) for one in result.acknowledged],
        "already": [str(one) for one in result.already],
        "unknown": [*(str(one) for one in result.unknown), *strange],
    }


def verdicts(judged: Judged, directory: Directory, language: str) -> dict[str, Any]:
    """Body of GET /v1/messages/{id}/verdicts."""
    letter = judged.letter
    return {
        "signatures": [verdict(row, directory, language) for row in judged.verdicts],
        "requirement": letter["requirement"],
        "requirement_text": texts.say(f"requirement.{letter['requirement']}", language),
        "reason": letter["reason"],
        "reason_text": texts.say(f"reason.{letter['reason']}", language) if letter["reason"] else "",
        "missing": list(letter["missing"]),
        "missing_text": [missing(one, language) for one in letter["missing"]],
        "warnings": (receipts.read(letter["receipt"]) or {}).get("warnings", []),
    }


def missing(code: str, language: str) -> str:
    """What a requirement lacks, as a sentence; the name of an annex stands behind its code."""
    key, _, name = code.partition(":")
    return texts.say(f"missing.{key}", language, name=name)


def verdict(row: Mapping[str, Any], directory: Directory, language: str) -> dict[str, Any]:
    """One signature with what was found out about it."""
    return {
        "where": row["place"],
        "carrier": row["carrier"] or None,
        "main": row["main"],
        "format": row["format"],
        "indication": row["indication"],
        "sub_indication": row["sub_indication"],
        "signer": {
            "kind": row["signer_kind"],
            "name": row["signer_name"],
            "agency": code(directory, row["signer_agency"]) if row["signer_agency"] else None,
            "officer": str(row["officer"]) if row["officer"] else None,
        },
        "certificate_sha256": row["certificate_sha256"].hex() if row["certificate_sha256"] else None,
        "signed_at_claimed": moment(row["signed_at_claimed"]),
        "best_signature_time": moment(row["best_signature_time"]),
        "time_source": row["time_source"],
        "coverage": {"whole": row["covers_whole"], "detail": row["coverage"]},
        "provisional": row["provisional"],
        "changes_after": list(row["changes_after"]),
        "why": texts.say(f"verdict.{row['why']}", language),
        "advice": texts.say(f"advice.{row['why']}", language),
    }


def code(directory: Directory, agency: UUID) -> str:
    """Canonical code of an agency; its id while a snapshot does not know it yet."""
    known = directory.agencies.get(agency)
    return known.code if known else str(agency)


def name(directory: Directory, agency: UUID) -> str:
    """Name of an agency."""
    known = directory.agencies.get(agency)
    return known.name if known else ""


def moment(at: datetime | date | None) -> str | None:
    """ISO 8601; moments in Vietnam's zone (Decision 28/2018 Art. 14(4))."""
    if isinstance(at, datetime):
        return at.astimezone(paper_class.VIETNAM).isoformat(timespec="milliseconds")
    return at.isoformat() if at else None
