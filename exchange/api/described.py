"""What each route takes and answers, one row a route: the table from which `openapi` makes the description.

A row names its parts only. Their sentences stand in the catalogue `api`, the shapes of bodies in `schemas/api/*.json`,
the status of a problem's code in `exchange.errors.PROBLEMS`. The keys are those of `routes.ROUTES`, all of them.
"""

from collections.abc import Mapping

from exchange.api import described_paper
from exchange.api.described_figures import FIGURES
from exchange.api.described_parts import (
    BYTES,
    ID,
    JSON,
    PARTS,
    PERIOD,
    PLAIN,
    SHA256,
    TEXT,
    XML,
    Answer,
    Facts,
    Operation,
    Parameter,
)
from exchange.broker import declared

_ID = described_paper.ID_NAMED
_KNOWN_TAG = Parameter(name="If-None-Match", place="header", schema=TEXT)
_REQUEST_ID, _ONCE = described_paper.REQUEST_ID, described_paper.ONCE
_SHA256 = Parameter(name="sha256", place="path", schema=SHA256, required=True)
_ASKS, _SENDS, _BODY = described_paper.ASKS, described_paper.SENDS, described_paper.BODY
_RECEIPT_LINKS = ("bytes", "header", "verdicts", "trace", "receipt")


_MANY: Facts = {"type": "integer", "minimum": 0, "maximum": 999_999_999_999_999}


def _query(name: str, schema: Facts) -> Parameter:
    return Parameter(name=name, place="query", schema=schema)


def _chosen(*choices: str) -> Facts:
    return {"type": "string", "enum": list(choices)}


_BESIDE = (
    _query("main", TEXT),
    _query("copy", {**_chosen(*declared.COPY_FORMS), "default": "original"}),
    _query("paper_reason", _chosen(*declared.PAPER_REASONS)),
    _query("resend", {"type": "integer", "minimum": 0, "maximum": 99_999}),
    _query("test", {**_chosen("0", "1"), "default": "0"}),
    _query("state_secret", {**_chosen("0", "1"), "default": "0"}),
)
_PURPOSES = {"type": "string", "pattern": f"^.+:({'|'.join(declared.PURPOSES)})$"}
_PURPOSE = _query("purpose", {"type": "array", "items": _PURPOSES})
_SHORT: Facts = {"type": "string", "maxLength": 200}
_PERIOD = Parameter(name="period", place="query", schema=PERIOD, required=True)
_VIEW = _query("view", {**_chosen("out", "in"), "default": "out"})

TABLE: Mapping[tuple[str, str], Operation] = {
    ("POST", "/v1/messages"): Operation(
        name="post_message",
        tag="messages",
        parameters=(
            *_BESIDE,
            _PURPOSE,
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
            *_BODY, "not_xml", "forbidden_xml", "not_edxml", "too_complex", "findings", "state_secret",
            "unknown_sender", "no_routable_recipient", "not_allowed_to_act", "not_found", "conflict", "wrong_state",
            "signature_broken", "signature_of_another", "signature_wrapping", "wrong_offset", "outcome_unknown",
        ),
    ),
    ("POST", "/v1/messages:compose"): Operation(
        name="post_compose",
        tag="messages",
        parameters=(*_BESIDE, *_SENDS),
        takes={JSON: "compose", PARTS: "compose_parts"},
        parts={"facts": JSON},
        answers={
            201: Answer(body="receipt_statement", headers=("Location",), links=_RECEIPT_LINKS),
            200: Answer(body="receipt_statement", headers=("Location",), links=_RECEIPT_LINKS),
        },
        refusals=(
            *_BODY, "too_complex", "findings", "state_secret", "unknown_sender", "no_routable_recipient",
            "not_allowed_to_act", "not_found", "conflict", "signature_broken", "signature_of_another",
            "signature_wrapping", "outcome_unknown",
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
        refusals=("not_found", "gone", "range_not_satisfiable"),
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
        parameters=(_ID, _query("why", {**_chosen("0", "1"), "default": "0"}), *_ASKS),
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
    **described_paper.TABLE,
    ("GET", "/v1/agencies"): Operation(
        name="get_agencies",
        tag="lists",
        parameters=(
            _query("q", _SHORT),
            _query("code", _SHORT),
            _query("after", _SHORT),
            _query("limit", {"type": "integer", "minimum": 1, "maximum": 1_000, "default": 100}),
            _KNOWN_TAG,
            *_ASKS,
        ),
        answers={
            200: Answer(body="agencies", headers=("ETag",), links=("next_agencies",)),
            304: Answer(media="", headers=("ETag",)),
        },
    ),
    ("GET", "/v1/signatures"): Operation(
        name="get_signatures",
        tag="lists",
        parameters=(
            _PERIOD,
            _query("agency", _SHORT),
            _VIEW,
            _query("after", {"type": "string", "pattern": "^([0-9]{1,16}[.][0-9a-f]{32}[.][0-9]{1,6})?$"}),
            _query("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}),
            *_ASKS,
        ),
        answers={200: Answer(body="signatures", links=("next_signatures",))},
        refusals=("not_found",),
    ),
    ("GET", "/v1/receipt-key"): Operation(
        name="get_receipt_key",
        tag="exchange",
        parameters=_ASKS,
        answers={200: Answer(body="receipt_key")},
        open=True,
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
    **FIGURES,
}  # fmt: skip
