"""What the routes of figures take and answer: tally, measures, reports, transfers, evidence, open data. See `described`."""

from collections.abc import Mapping
from typing import get_args

from exchange.api.described_parts import (
    CSV,
    DOCX,
    JSON,
    PDF,
    PERIOD,
    TEXT,
    XLSX,
    ZIP,
    Answer,
    Facts,
    Operation,
    Parameter,
)
from exchange.rules import paper_class, routing
from exchange.tracker.forms import wanted
from exchange.tracker.reports import cuts
from exchange.tracker.reports.report import NAMES

WITH_FILE = frozenset({"indicators", "scores"})
"""Reports that need a file beside the question; only the command has them."""
PERIODIC = wanted.CODE
REPORTS = (*(name for name in NAMES if name not in WITH_FILE), PERIODIC)
PAPER = ("docx", "pdf")
FILES = ("xlsx", *PAPER)
FORMS = ("json", "csv", *FILES)
PERIODIC_FORMS = ("json", *PAPER)
"""BC-15 is a text with annexes, not a table."""
LETTERHEAD = ("place", "number", "position", "signer")
"""What an author gives of a document beside who issues it."""
CLASSES = (*paper_class.CLASSES, "X")


def _query(name: str, schema: Facts) -> Parameter:
    return Parameter(name=name, place="query", schema=schema)


def _path(name: str, schema: Facts) -> Parameter:
    return Parameter(name=name, place="path", schema=schema, required=True)


def _chosen(*choices: str) -> Facts:
    return {"type": "string", "enum": list(choices)}


def _several(one: Facts) -> Facts:
    return {"type": "array", "items": one, "maxItems": 50}


_LANGUAGE = Parameter(name="Accept-Language", place="header", schema=TEXT)
_REQUEST_ID = Parameter(name="X-Request-Id", place="header", schema=TEXT)
_KNOWN_TAG = Parameter(name="If-None-Match", place="header", schema=TEXT)
_ASKS = (_LANGUAGE, _REQUEST_ID)
_WORD: Facts = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\x00]+$"}
_SHORT: Facts = {"type": "string", "maxLength": 200, "pattern": "^[^\\x00]*$"}
_CUT = (
    Parameter(name="period", place="query", schema=PERIOD, required=True),
    _query("agency", _SHORT),
    _query("subtree", {**_chosen("0", "1"), "default": "0"}),
    _query("predecessors", {**_chosen("0", "1"), "default": "0"}),
    _query("kind", _several(_WORD)),
    _query("level", _several({"type": "integer", "minimum": 1, "maximum": 4})),
    _query("view", {**_chosen("out", "in"), "default": "out"}),
    _query("scope", {**_chosen("*", *get_args(routing.Scope)), "default": "*"}),
    _query("type", _several(_WORD)),
    _query("urgency", _several({"type": "integer", "minimum": 0, "maximum": 4})),
)
"""The filters of every figure."""
_PLACE = "^([0-9]{1,7}[.][0-9a-f]{32}[.][0-9a-f]{32}[.][0-9]{1,6})?$"

FIGURES: Mapping[tuple[str, str], Operation] = {
    ("GET", "/v1/tally"): Operation(
        name="get_tally",
        tag="figures",
        parameters=(*_CUT, *_ASKS),
        answers={200: Answer(body="tally")},
        refusals=("not_found",),
    ),
    ("GET", "/v1/measures"): Operation(
        name="get_measures",
        tag="figures",
        parameters=(*_CUT, *_ASKS),
        answers={200: Answer(body="measures")},
        refusals=("not_found", "busy"),
    ),
    ("GET", "/v1/reports/{report}"): Operation(
        name="get_report",
        tag="figures",
        parameters=(
            _path("report", _chosen(*REPORTS)),
            *_CUT,
            _query("periods", {"type": "integer", "minimum": 1, "maximum": cuts.LONGEST}),
            _query("format", {**_chosen(*FORMS), "default": "json"}),
            _query("target", {"type": "integer", "minimum": 0, "maximum": 100}),
            *(_query(name, _SHORT) for name in ("issuer", *LETTERHEAD)),
            *_ASKS,
        ),
        answers={200: Answer(body="report", media=JSON, also=(CSV, XLSX, DOCX, PDF))},
        refusals=("not_found", "busy", "too_large"),
    ),
    ("GET", "/v1/transfers"): Operation(
        name="get_transfers",
        tag="figures",
        parameters=(
            *_CUT,
            _query("class", _several(_chosen(*CLASSES))),
            _query("after", {"type": "string", "pattern": _PLACE}),
            _query("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}),
            *_ASKS,
        ),
        answers={200: Answer(body="transfers", links=("next_transfers",))},
        refusals=("not_found",),
    ),
    ("GET", "/v1/transfers/{letter}/{recipient}/evidence"): Operation(
        name="get_evidence",
        tag="figures",
        parameters=(_path("letter", {"type": "string", "format": "uuid"}), _path("recipient", TEXT), *_ASKS),
        answers={200: Answer(media=ZIP)},
        refusals=("not_found", "busy"),
    ),
    ("GET", "/open/tally.json"): Operation(
        name="get_open_json",
        tag="open",
        parameters=(_KNOWN_TAG, *_ASKS),
        answers={200: Answer(body="open_tally", headers=("ETag",)), 304: Answer(media="", headers=("ETag",))},
        refusals=("not_found", "rate_limited", "starting"),
        open=True,
    ),
    ("GET", "/open/tally.csv"): Operation(
        name="get_open_csv",
        tag="open",
        parameters=(_KNOWN_TAG, *_ASKS),
        answers={200: Answer(media=CSV, headers=("ETag",)), 304: Answer(media="", headers=("ETag",))},
        refusals=("not_found", "rate_limited", "starting"),
        open=True,
    ),
}
