"""What the table in `described` is made of: records of parameters, answers, links and operations, and what they share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Facts = Mapping[str, Any]
"""Something as JSON has it, such as a JSON Schema."""

Place = Literal["path", "query", "header"]

JSON = "application/json"
XML = "application/xml"
PROBLEM = "application/problem+json"
BYTES = "application/octet-stream"
PLAIN = "text/plain"
CSV = "text/csv"
ZIP = "application/zip"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"
PARTS = "multipart/form-data"

TEXT: Facts = {"type": "string"}
ID: Facts = {"type": "string", "format": "uuid"}
SHA256: Facts = {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}
TAG: Facts = {"type": "string", "pattern": '^(W/)?"([0-9a-f]{64}|[0-9]+-[0-9]{8})"$'}
PERIOD: Facts = {
    "type": "string",
    "pattern": (
        "^(19|20|21)[0-9]{2}(-Q[1-4]|-H[12]|-W(0[1-9]|[1-4][0-9]|5[0-3])"
        "|-(0[13578]|1[02])(-(0[1-9]|[12][0-9]|3[01]))?|-(0[469]|11)(-(0[1-9]|[12][0-9]|30))?|-02(-(0[1-9]|[12][0-9]))?)?$"
    ),
    "examples": ["2026", "2026-Q3", "2026-H1", "2026-07", "2026-07-31", "2026-W05"],
}
"""A year and its parts; whether it has a 29th of February or a 53rd week, no pattern can say."""

COUNT: Facts = {"type": "integer", "minimum": 0}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of a request: its name, where it stands, and the JSON Schema of its text."""

    name: str
    place: Place
    schema: Facts
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Link:
    """From an answer to the next request: the operation, and where in this answer its parameters and body are."""

    operation: str
    parameters: Facts
    body: Any = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One success: its media type, empty if it has no body; for JSON its schema's name; its own headers; its links.

    `also`: further media types that the caller may choose.
    """

    body: str | None = None
    media: str = JSON
    also: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One route. `takes`: media types of the body with the name of its schema, None for bytes as they are.

    `parts`: of a form, of which media type each named part is. `bodiless`: the body may be left out. `refusals`: the codes it may answer beside those that every route may.
    `open`: anybody may ask.
    """

    name: str
    tag: str
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    takes: Mapping[str, str | None] | None = None
    parts: Mapping[str, str] | None = None
    bodiless: bool = False
    refusals: tuple[str, ...] = ()
    open: bool = False


PROBLEMS_OF_ALL = ("bad_request", "tls_required", "internal")
PROBLEMS_OF_CALLERS = ("unauthenticated", "disabled", "rate_limited", "starting")
"""Codes that every route, and every route that asks who calls, may answer beside its own."""

HEADERS: Mapping[str, Facts] = {
    "X-Request-Id": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    "Location": {"type": "string", "format": "uri-reference"},
    "ETag": TAG,
    "Retry-After": {"type": "integer", "minimum": 0},
    "WWW-Authenticate": TEXT,
    "Accept-Ranges": {"const": "bytes"},
    "Content-Range": {"type": "string", "pattern": "^bytes ([0-9]+-[0-9]+|[*])/[0-9]+$"},
    "Upload-Offset": COUNT,
    "Content-Language": {"type": "string", "enum": ["vi", "en"]},
}
"""Headers of answers. `X-Request-Id` is in all of them."""

HEADERS_OF: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    416: ("Content-Range",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
"""Headers that problems of a status carry."""

SECURITY: Mapping[str, Facts] = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "cv_id_secret"},
    "certificate": {"type": "mutualTLS"},
}
"""How a system shows who it is: either is enough."""

_LETTER = "$response.body#/receipt/letter"
_FIRST = "$response.body#/items/0"
LINKS: Mapping[str, Link] = {
    "bytes": Link(operation="get_message", parameters={"id": _LETTER}),
    "header": Link(operation="get_header", parameters={"id": _LETTER}),
    "verdicts": Link(operation="get_verdicts", parameters={"id": _LETTER}),
    "trace": Link(operation="get_trace", parameters={"id": _LETTER}),
    "receipt": Link(operation="get_receipt", parameters={"id": _LETTER}),
    "first_bytes": Link(operation="get_message", parameters={"id": f"{_FIRST}/letter"}),
    "first_status": Link(operation="post_status", parameters={"id": f"{_FIRST}/id"}, body={"code": "03"}),
    "next_agencies": Link(operation="get_agencies", parameters={"after": "$response.body#/next"}),
    "next_signatures": Link(
        operation="get_signatures",
        parameters={"period": "$request.query.period", "after": "$response.body#/next"},
    ),
    "next_transfers": Link(
        operation="get_transfers",
        parameters={"period": "$request.query.period", "after": "$response.body#/next"},
    ),
    "next_page": Link(operation="get_inbox", parameters={"after": "$response.body#/next"}),
    "acknowledge": Link(operation="post_ack", parameters={}, body={"ids": [f"{_FIRST}/id"]}),
    "status": Link(
        operation="post_status",
        parameters={"id": "$response.body#/deliveries/0/id"},
        body={"code": "13", "reason": "-"},
    ),
}
