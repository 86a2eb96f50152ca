"""What each route takes and answers, one row a route: the table from which `openapi` makes the description.

A row names its parts only. Their sentences stand in the catalogue `api`, the shapes of bodies in `schemas/api/*.json`,
the status of a problem's code in `exchange.errors.PROBLEMS`. The keys are those of `routes.ROUTES`, all of them.
"""

from collections.abc import Mapping

from exchange.api.described_parts import JSON, Answer, Facts, Link, Operation, Parameter
from exchange.broker import declared

XML = "application/xml"
PROBLEM = "application/problem+json"
BYTES = "application/octet-stream"
PLAIN = "text/plain"

TEXT: Facts = {"type": "string"}
ID: Facts = {"type": "string", "format": "uuid"}
SHA256: Facts = {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}
TAG: Facts = {"type": "string", "pattern": '^(W/)?"[0-9a-f]{64}"$'}
COUNT: Facts = {"type": "integer", "minimum": 0}


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
    "next_page": Link(operation="get_inbox", parameters={"after": "$response.body#/next"}),
    "acknowledge": Link(operation="post_ack", parameters={}, body={"ids": [f"{_FIRST}/id"]}),
    "status": Link(
        operation="post_status",
        parameters={"id": "$response.body#/deliveries/0/id"},
        body={"code": "13", "reason": "-"},
    ),
}

_ID = Parameter(name="id", place="path", schema=ID, required=True)
_LANGUAGE = Parameter(name="Accept-Language", place="header", schema=TEXT)
_KNOWN_TAG = Parameter(name="If-None-Match", place="header", schema=TEXT)
_DIGEST = Parameter(name="Content-Digest", place="header", schema=TEXT)
_REQUEST_ID = Parameter(name="X-Request-Id", place="header", schema=TEXT)
_CODING = Parameter(
    name="Content-Encoding", place="header", schema={"type": "string", "pattern": "^(gzip|identity)?$"}
)
_ONCE = Parameter(name="Idempotency-Key", place="header", schema=TEXT)
_SHA256 = Parameter(name="sha256", place="path", schema=SHA256, required=True)
_ASKS = (_LANGUAGE, _REQUEST_ID)
_SENDS = (_DIGEST, _CODING, _ONCE, *_ASKS)
_BODY = ("too_large", "incomplete_body", "digest_mismatch", "unsupported_media_type", "busy")
_RECEIPT_LINKS = ("bytes", "header", "verdicts", "trace", "receipt")


_MANY: Facts = {"type": "integer", "minimum": 0, "maximum": 999_999_999_999_999}


def _query(name: str, schema: Facts) -> Parameter:
    return Parameter(name=name, place="query", schema=schema)


def _chosen(*choices: str) -> Facts:
    return {"type": "string", "enum": list(choices)}


TABLE: Mapping[tuple[str, str], Operation] = {
    ("POST", "/v1/messages"): Operation(
        name="post_message",
        tag="messages",
        parameters=(
            _query("main", TEXT),
            _query("copy", {**_chosen(*declared.COPY_FORMS), "default": "original"}),
            _query(
                "purpose",
                {"type": "array", "items": {"type": "string", "pattern": f"^.+:({'|'.join(declared.PURPOSES)})$"}},
            ),
            _query("paper_reason", _chosen(*declared.PAPER_REASONS)),
            _query("resend", {"type": "integer", "minimum": 0, "maximum": 99_999}),
            _query("test", {**_chosen("0", "1"), "default": "0"}),
            _query("upload", SHA256),
            *_SENDS,
        ),
        takes={XML: None, "text/xml": None},
        bodiless=True,
        answers={
            201: Answer(body="receipt_statement", headers=("Location",), links=_RECEIPT_LINKS),
            200: Answer(body="receipt_statement", headers=("Location",), links=_RECEIPT_LINKS),
        },
        refusals=(
            *_BODY, "not_xml", "forbidden_xml", "not_edxml", "too_complex", "findings", "unsupported",
            "unknown_sender", "no_routable_recipient", "not_allowed_to_act", "not_found", "conflict", "wrong_state",
            "signature_broken", "signature_of_another", "signature_wrapping", "wrong_offset", "outcome_unknown",
        ),
    ),
    ("GET", "/v1/messages/{id}"): Operation(
        name="get_message",
        tag="messages",
        parameters=(
            _ID,
            _KNOWN_TAG,
            Parameter(name="Range", place="header", schema=TEXT),
            Parameter(name="If-Range", place="header", schema=TEXT),
            *_ASKS,
        ),
        answers={
            200: Answer(media=XML, headers=("ETag", "Accept-Ranges")),
            206: Answer(media=XML, headers=("ETag", "Accept-Ranges", "Content-Range")),
            304: Answer(media="", headers=("ETag",)),
        },
        refusals=("not_found", "range_not_satisfiable"),
    ),
    ("GET", "/v1/messages/{id}/header"): Operation(
        name="get_header",
        tag="messages",
        parameters=(_ID, *_ASKS),
        answers={200: Answer(body="header")},
        refusals=("not_found",),
    ),
    ("GET", "/v1/messages/{id}/verdicts"): Operation(
        name="get_verdicts",
        tag="messages",
        parameters=(_ID, *_ASKS),
        answers={200: Answer(body="verdicts")},
        refusals=("not_found",),
    ),
    ("GET", "/v1/messages/{id}/trace"): Operation(
        name="get_trace",
        tag="messages",
        parameters=(_ID, *_ASKS),
        answers={200: Answer(body="trace", links=("status",))},
        refusals=("not_found",),
    ),
    ("GET", "/v1/messages/{id}/receipt"): Operation(
        name="get_receipt",
        tag="messages",
        parameters=(_ID, *_ASKS),
        answers={200: Answer(body="receipt_statement")},
        refusals=("not_found",),
    ),
    ("GET", "/v1/uploads/{sha256}"): Operation(
        name="get_upload",
        tag="messages",
        parameters=(_SHA256, *_ASKS),
        answers={200: Answer(body="upload", headers=("Upload-Offset",))},
        refusals=("not_found",),
    ),
    ("PATCH", "/v1/uploads/{sha256}"): Operation(
        name="patch_upload",
        tag="messages",
        parameters=(
            _SHA256,
            Parameter(name="Upload-Offset", place="header", schema=_MANY, required=True),
            Parameter(name="Upload-Length", place="header", schema={**_MANY, "minimum": 1}, required=True),
            _ONCE,
            *_ASKS,
        ),
        takes={BYTES: None},
        answers={200: Answer(body="upload", headers=("Upload-Offset",))},
        refusals=("not_found", "too_large", "incomplete_body", "unsupported_media_type", "wrong_offset", "busy"),
    ),
    ("GET", "/v1/inbox"): Operation(
        name="get_inbox",
        tag="inbox",
        parameters=(
            _query("for", TEXT),
            _query("after", ID),
            _query("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}),
            _query("wait", {"type": "integer", "minimum": 0, "maximum": 60, "default": 0}),
            *_ASKS,
        ),
        answers={200: Answer(body="inbox", links=("first_bytes", "first_status", "next_page", "acknowledge"))},
        refusals=("not_allowed_to_act",),
    ),
    ("POST", "/v1/inbox/ack"): Operation(
        name="post_ack",
        tag="inbox",
        parameters=_SENDS,
        takes={JSON: "ack"},
        answers={200: Answer(body="acknowledged")},
        refusals=(*_BODY, "not_allowed_to_act"),
    ),
    ("POST", "/v1/deliveries/{id}/status"): Operation(
        name="post_status",
        tag="inbox",
        parameters=(_ID, *_SENDS),
        takes={JSON: "status"},
        answers={
            201: Answer(body="receipt_statement", headers=("Location",), links=_RECEIPT_LINKS),
            200: Answer(body="receipt_statement", headers=("Location",), links=_RECEIPT_LINKS),
        },
        refusals=(*_BODY, "not_found", "findings", "wrong_state", "outcome_unknown"),
    ),
    ("GET", "/openapi.json"): Operation(
        name="get_description",
        tag="exchange",
        parameters=(_KNOWN_TAG, *_ASKS),
        answers={
            200: Answer(body="description", headers=("ETag", "Content-Language")),
            304: Answer(media="", headers=("ETag",)),
        },
        open=True,
    ),
    ("GET", "/healthz"): Operation(
        name="get_health",
        tag="exchange",
        parameters=(_REQUEST_ID,),
        answers={200: Answer(body="health")},
        open=True,
    ),
    ("GET", "/readyz"): Operation(
        name="get_ready",
        tag="exchange",
        parameters=(_REQUEST_ID,),
        answers={200: Answer(body="ready"), 503: Answer(body="ready", headers=("Retry-After",))},
        open=True,
    ),
    ("GET", "/metrics"): Operation(
        name="get_metrics",
        tag="exchange",
        parameters=_ASKS,
        answers={200: Answer(media=PLAIN)},
        refusals=("not_found",),
        open=True,
    ),
}  # fmt: skip
