"""Uploads over HTTP: GET /v1/uploads/{sha256} tells where to go on, PATCH adds from there. Names: contract.md.

Header names after the IETF's draft on resumable uploads. When all bytes are there, POST /v1/messages?upload={sha256}
with an empty body hands the letter over.
"""

import re

from aiohttp import web

from exchange.api import auth, bodies, parameters, shapes
from exchange.api.parts import EXCHANGE
from exchange.broker import uploads
from exchange.errors import Problem
from exchange.store.uploads import Upload

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_MOST_DIGITS = 15


async def get_upload(request: web.Request) -> web.Response:
    """GET /v1/uploads/{sha256}: how much of it is there."""
    calling = await auth.system(request)
    found = uploads.find(request.app[EXCHANGE], calling.system, digest(request.match_info["sha256"]))
    if found is None:
        raise Problem("not_found")
    return _said(found)


async def patch_upload(request: web.Request) -> web.Response:
    """PATCH /v1/uploads/{sha256}: the next bytes, at Upload-Offset of Upload-Length."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    parameters.check(request)
    sha256 = digest(request.match_info["sha256"])
    offset, size = _number(request, "Upload-Offset", 0), _number(request, "Upload-Length", 1)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem("unsupported_media_type", "Content-Encoding: identity")
    upload = uploads.begun(exchange, calling.system, sha256, size)
    await bodies.welcome(request)
    try:
        return _said(await uploads.add(upload, offset, bodies.chunks(request)))
    except bodies.BrokenError as error:
        raise Problem(error.code, error.detail) from None


def digest(text: str) -> bytes:
    """The SHA-256 in a path or parameter; what is none names nothing. Raises Problem not_found."""
    if not _SHA256.fullmatch(text):
        raise Problem("not_found")
    return bytes.fromhex(text)


def _said(upload: Upload) -> web.Response:
    return shapes.json_response(
        {
            "sha256": upload.sha256.hex(),
            "offset": upload.offset,
            "size": upload.size,
            "expires_at": shapes.moment(uploads.expires(upload)),
        },
        {"Upload-Offset": str(upload.offset)},
    )


def _number(request: web.Request, name: str, least: int) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) >= least):
        raise Problem("bad_request", f"{name}: {least}…")
    return int(text)
