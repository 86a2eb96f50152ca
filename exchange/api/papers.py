"""What document systems say about paper: the recipient that it came, or that a month went without; the sender's correction.

All three may be said again: what stands already changes nothing, and is answered the same.
"""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from aiohttp import web

from exchange.api import auth, native, parameters, shapes
from exchange.api.parts import EXCHANGE
from exchange.broker import attestations, paper, send
from exchange.broker.caller import Caller
from exchange.broker.declared import PAPER_REASONS
from exchange.broker.paper import Declaration, Observed
from exchange.broker.paper_acts import Author
from exchange.edxml import write
from exchange.errors import Problem
from exchange.rules import directory_succession, paper_class
from exchange.rules.directory import Directory

MAX_BYTES = 1 << 18
MOST_TO = 1_000
RECEIVED = '{"on": "2026-11-21" | null, "note"?: "…", "by"?: "…"}'
ATTESTED = '{"for": "…", "month": "2026-10", "undo"?: false, "note"?: "…", "by"?: "…"}'
DECLARED = '{"paper": 0 | 1 | null, "reason"?: "…", "note": "…", "to"?: ["…"], "by"?: "…"}'

Said = Mapping[str, Any]
Read = TypeVar("Read")


async def post_paper(request: web.Request) -> web.Response:
    """POST /v1/deliveries/{id}/paper: the recipient got paper of this delivery on a day; null: it did not."""
    exchange = request.app[EXCHANGE]
    calling, said = await _said(request, _received, RECEIVED)
    author = _author(said, calling, request)
    done = await paper.received(
        paper.desk(exchange), sorted(calling.agencies), native.named(request), _day(said["on"]), author
    )
    return shapes.json_response(_observed(await _answered(request, calling, done)))


async def post_declaration(request: web.Request) -> web.Response:
    """POST /v1/messages/{id}/paper: the sender corrects what its letter declares about paper."""
    exchange = request.app[EXCHANGE]
    calling, said = await _said(request, _declared, DECLARED)
    found = _recipients(said, await exchange.snapshot.current(), paper_class.local_day(exchange.clock()))
    to = frozenset(one for one in found.values() if one) if "to" in said and said["to"] is not None else None
    declaration = Declaration(paper=said["paper"], reason=said.get("reason"), to=to)
    author = _author(said, calling, request)
    done = await paper.declare(
        paper.desk(exchange), sorted(calling.agencies), native.named(request), declaration, author
    )
    done = await _answered(request, calling, done)
    reached = {one.key[0] for one in done}
    unknown = [code for code, agency in found.items() if agency not in reached]
    classes = paper.classes(done)
    return shapes.json_response({"changed": classes.total(), "classes": classes, "unknown": unknown})


async def post_attestation(request: web.Request) -> web.Response:
    """POST /v1/attestations: a recipient attests of a month that has ended that no other paper came, or takes it back."""
    exchange = request.app[EXCHANGE]
    calling, said = await _said(request, _attested, ATTESTED)
    async with send.on_record(exchange, calling):
        (agency,) = await auth.acting_for(request, calling, said["for"])
    first = attestations.month(said["month"])
    assert first is not None
    case = attestations.undo if said.get("undo") else attestations.attest
    done = await case(paper.desk(exchange), agency, first, _author(said, calling, request))
    done = await _answered(request, calling, done)
    told = {
        "attestation": str(done.id),
        "for": shapes.code(await exchange.snapshot.current(), agency),
        "month": f"{first:%Y-%m}",
        "changed": done.changed,
        "classes": done.classes,
    }
    return shapes.json_response(told)


async def _answered(request: web.Request, calling: Caller, done: Read | send.Refused) -> Read:
    """What was done. Raises Problem for a refusal, on record."""
    if not isinstance(done, send.Refused):
        return done
    await send.refuse(request.app[EXCHANGE], calling, done, size=request.content_length or 0)
    raise Problem(done.code, done.detail)


async def _said(request: web.Request, wanted: Callable[[Said], bool], shape: str) -> tuple[Caller, Said]:
    """The body and who says it. Raises Problem bad_request with the shape, on record."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    async with send.on_record(exchange, calling):
        parameters.check(request)
    calling, raw = await native.body(request, calling, MAX_BYTES, json=True)
    async with send.on_record(exchange, calling, raw):
        return calling, _read(raw, wanted, shape)


def _read(raw: bytes, wanted: Callable[[Said], bool], shape: str) -> Said:
    try:
        body = json.loads(raw)
        fits = isinstance(body, dict) and _words(body) and wanted(body)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        fits = False
    if not fits:
        raise Problem("bad_request", shape)
    assert isinstance(body, dict)
    return body


def _words(body: Said) -> bool:
    """Whether note and name are words that can be kept."""
    limits = (("note", paper.MOST_WORDS), ("by", paper.MOST_NAME))
    texts = [(body.get(name) or "", most) for name, most in limits]
    return all(
        isinstance(text, str) and len(text) <= most and not write.forbidden(text) for text, most in texts
    )


def _noted(body: Said) -> bool:
    return bool((body.get("note") or "").strip())


def _received(body: Said) -> bool:
    return _noted(body) if body["on"] is None else _day(body["on"]) is not None


def _day(text: str | None) -> date | None:
    """A day as ISO 8601 writes it in full. Raises ValueError or TypeError."""
    if text is None:
        return None
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError(text)
    return day


def _declared(body: Said) -> bool:
    to = body.get("to")
    codes = to is None or (
        isinstance(to, list) and len(to) <= MOST_TO and all(isinstance(one, str) for one in to)
    )
    paper_ = body["paper"]
    known = paper_ is None or (isinstance(paper_, int) and not isinstance(paper_, bool) and paper_ in {0, 1})
    reason = body.get("reason")
    return known and codes and (reason is None or (reason in PAPER_REASONS and paper_ == 1)) and _noted(body)


def _attested(body: Said) -> bool:
    undo = body.get("undo")
    if not isinstance(undo, bool | None) or not isinstance(body["for"], str) or not body["for"]:
        return False
    return attestations.month(body["month"]) is not None and (not undo or _noted(body))


def _author(said: Said, calling: Caller, request: web.Request) -> Author:
    return Author(
        name=(said.get("by") or "").strip(), at=request.app[EXCHANGE].clock(), system=calling.system,
        why=(said.get("note") or "").strip(),
    )  # fmt: skip


def _recipients(said: Said, snapshot: Directory, on: date) -> dict[str, UUID | None]:
    found = {code: directory_succession.last_with(snapshot, code, on) for code in said.get("to") or ()}
    return {code: agency.id if agency else None for code, agency in found.items()}


def _observed(one: Observed) -> dict[str, Any]:
    found, seen = one.found, one.standing.paper_seen_on
    return {
        "delivery": str(one.delivery),
        "on": seen.isoformat() if seen else None,
        "class": found.klass,
        "grade": found.grade,
        "justified": found.justified,
        "conflict": found.conflict,
        "changed": one.changed,
    }
