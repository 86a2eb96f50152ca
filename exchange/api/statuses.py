"""POST /v1/deliveries/{id}/status: a notice said in JSON, for systems that do not write edXML. Shapes: contract.md."""

import json
from datetime import datetime
from typing import Any

from aiohttp import web

from exchange.api import auth, native, parameters
from exchange.api.parts import EXCHANGE
from exchange.broker import answer, send
from exchange.edxml import dates, model
from exchange.errors import Problem
from exchange.rules import paper_class

MAX_BYTES = 1 << 16
SHAPE = '{"code": "02", "reason"?: "…", "staff"?: {"department", "name", "phone", "email"}, "at"?: "2026-11-21T08:00:00+07:00", "remark"?: "…", "share_remark"?: false}'


async def post_status(request: web.Request) -> web.Response:
    """POST /v1/deliveries/{id}/status: what became of this delivery. Answers with the receipt of the notice."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    async with send.on_record(exchange, calling):
        parameters.check(request)
    calling, raw = await native.body(request, calling, MAX_BYTES, json=True)
    async with send.on_record(exchange, calling, raw):
        said = status(raw)
        if said is None:
            raise Problem("bad_request", SHAPE)
    return native.decided(await answer.status(exchange, calling, native.named(request), said, raw))


def status(raw: bytes) -> answer.Status | None:
    """What the body says; None if it is not of the shape."""
    try:
        body = json.loads(raw)
        return _status(body) if isinstance(body, dict) else None
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None


def _status(body: dict[str, Any]) -> answer.Status:
    staff = body.get("staff")
    return answer.Status(
        code=_text(body, "code"),
        reason=_text(body, "reason").strip(),
        staff=_staff(staff) if staff is not None else None,
        at=_moment(body["at"]) if body.get("at") is not None else None,
        remark=_text(body, "remark").strip(),
        share_remark=_flag(body, "share_remark"),
    )


def _staff(staff: object) -> model.Staff:
    if not isinstance(staff, dict):
        raise TypeError("staff")
    return model.Staff(
        department=_text(staff, "department"), name=_text(staff, "name"), mobile=_text(staff, "phone"),
        email=_text(staff, "email"),
    )  # fmt: skip


def _text(body: dict[str, Any], name: str) -> str:
    text = body.get(name)
    if not isinstance(text, str | None):
        raise TypeError(name)
    return text or ""


def _flag(body: dict[str, Any], name: str) -> bool:
    given = body.get(name)
    if not isinstance(given, bool | None):
        raise TypeError(name)
    return given or False


def _moment(text: str) -> datetime:
    """A moment with its zone, in a year that a message may name. Raises ValueError, TypeError or OverflowError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None or at.astimezone(paper_class.VIETNAM).year not in dates.YEARS:
        raise ValueError("at")
    return at.astimezone(paper_class.VIETNAM)
