"""A walk of the API by its own description (schemathesis): every route with good and bad requests, all checks on."""

import copy
import gzip
import itertools
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import schemathesis
from hypothesis import strategies
from province import quick_letter
from schemathesis import hooks
from schemathesis.config import SchemathesisConfig
from schemathesis.core import NOT_SET
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.engine import Status, events, from_schema
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.specs.openapi import media_types

from exchange.api.described_figures import FILES, LETTERHEAD, PAPER, PERIODIC, PERIODIC_FORMS
from exchange.rules import paper_class
from exchange.tracker.reports import cuts

SOUND, SPOILED = "application/xml", "text/xml"
LONGEST_WAIT = 1
LONGEST_TEXT = 1_000
COMPOSE = "POST /v1/messages:compose"
EXAMPLE = "15"
BEYOND = {
    "unknown_sender", "no_routable_recipient", "recipient_twice", "file_same_name", "file_unsafe_name",
    "too_long", "more_findings", "nothing_replaced", "recipient_without_target",
}  # fmt: skip
"""Why a composed letter is refused for what its schema cannot say."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where the walk goes: address, key, and what there is to be found: letters, deliveries, agencies' codes.

    `pieces` are letters by digest, to be uploaded in pieces; those in `whole` have been, all of them.
    """

    url: str
    key: str
    letters: list
    deliveries: list
    agencies: list
    number: int
    pieces: dict
    whole: list


@dataclass
class Walked:
    """What was asked and answered: requests by operation and status, and what no description allows for."""

    asked: Counter = field(default_factory=Counter)
    failures: list = field(default_factory=list)

    @property
    def requests(self):
        return sum(self.asked.values())

    def statuses(self, label):
        return {status for (operation, status) in self.asked if operation == label}

    def statuses_of_all(self):
        found = Counter()
        for (_, status), times in self.asked.items():
            found[status] += times
        return found


def configured(ground, seed, examples, steps):
    """The settings of a walk; each exclusion has its reason beside it."""
    some = {"probability": 0.5}
    accepted = ["2xx", "304", "403", "404", "409"]

    def also(status):
        return {"checks": {"positive_data_acceptance": {"expected-statuses": [*accepted, status]}}}

    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "base-url": ground.url,
            "workers": 1,
            "continue-on-failure": True,
            "request-timeout": 20,
            "auth": {"openapi": {"bearer": {"bearer": ground.key}}},
            "dictionaries": {
                "letters": {"values": ground.letters},
                "deliveries": {"values": ground.deliveries},
                "agencies": {"values": ground.agencies},
                "digests": {"values": list(ground.pieces)},
                "files": {"values": ["a.pdf", "Văn bản.docx", "b.csv", "c"]},
                "ranges": {"values": ["bytes=0-9", "bytes=10-", "bytes=-5", "bytes=999999999-", "bytes=2-1"]},
                "tags": {"values": ["*", '"x", W/"y"', f'"{next(iter(ground.pieces))}"']},
            },
            "parameters": {
                "path.sha256": {"dictionary": "digests", **some},
                "query.agency": {"dictionary": "agencies", **some},
                "query.code": {"dictionary": "agencies", **some},
                "query.for": {"dictionary": "agencies", **some},
                "body.sender": {"dictionary": "agencies", **some},
                "body.recipients[*]": {"dictionary": "agencies", **some},
                "body.files[*].name": {"dictionary": "files", **some},
                "body.facts.sender": {"dictionary": "agencies", **some},
                "body.facts.recipients[*]": {"dictionary": "agencies", **some},
                "body.for": {"dictionary": "agencies", **some},
                "body.ids[*]": {"dictionary": "deliveries", **some},
                "header.Range": {"dictionary": "ranges", **some},
                "header.If-None-Match": {"dictionary": "tags", **some},
            },
            "generation": {"max-examples": examples, "no-shrink": True, "database": "none"},
            "phases": {
                "coverage": {"generate-duplicate-query-parameters": True},
                "stateful": {"enabled": True, "max-steps": steps},
            },
            "checks": {"positive_data_acceptance": {"expected-statuses": accepted}},
            "operations": [
                {
                    "include-path-regex": "^/v1/messages/.*/",
                    "parameters": {"path.id": {"dictionary": "letters", **some}},
                },
                {
                    "include-operation-id": "get_message",
                    "parameters": {"path.id": {"dictionary": "letters", **some}},
                    **also("416"),  # whether a range is within the letter, its schema cannot say
                },
                {
                    "include-operation-id": "get_evidence",
                    "parameters": {
                        "path.letter": {"dictionary": "letters", **some},
                        "path.recipient": {"dictionary": "agencies", **some},
                    },
                },
                # how much of an upload is left, no schema can say
                {"include-operation-id": "patch_upload", **also("413")},
                {
                    "include-path-regex": "^/v1/deliveries/",
                    "parameters": {"path.id": {"dictionary": "deliveries", **some}},
                },
                {
                    "include-operation-id": "post_paper",
                    "parameters": {"path.id": {"dictionary": "deliveries", **some}},
                    **also("400"),  # on which days paper can have come, its schema cannot say
                },
                {"include-operation-id": "post_attestation", **also("400")},  # nor which months have ended
            ],
        }
    )


def walk(ground, description, *, seed, examples, steps=6):
    """Walk the whole description; `examples` is how many requests each operation gets in each way."""
    good = strategies.integers(ground.number, ground.number + 10_000).map(quick_letter)
    media_types.register_media_type(SOUND, good)
    media_types.register_media_type(SPOILED, spoiled(good))
    schema = schemathesis.openapi.from_dict(
        within_reach(description), config=configured(ground, seed, examples, steps)
    )

    numbers = itertools.count(ground.number)

    def before_call(context, case, kwargs):
        """What hangs together beyond a schema is made to; nobody has a minute to wait for an empty inbox."""
        waited(case)
        added(case, ground)
        renumbered(case, numbers)
        if case._meta is None or case._meta.generation.mode.is_positive:
            folded(case)
            handed_over(case, ground)
            lettered(case, ground, numbers)
            asked_for(case, ground, numbers)
            topped(case, ground)
            cut(case, ground, numbers)
        case._record_starting_state()  # what was good stays good, what was bad stays bad

    for hook in (before_call, filter_failure):
        schemathesis.hook(hook)
    try:
        return followed(from_schema(schema).execute())
    finally:
        for hook in (before_call, filter_failure):
            hooks.unregister(hook)
        media_types.unregister_all()


def topped(case, ground):
    """A subtree is that of an agency, which then has to be named."""
    if case.query and case.query.get("subtree") == "1" and not case.query.get("agency"):
        case.query["agency"] = ground.agencies[0]


def cut(case, ground, numbers):
    """A report is asked for by what it goes by, in a form that it has: the description says in words that it refuses the rest.

    Of what is to be written as a file most is asked for as JSON: each takes a second.
    """
    if case.query and case.operation.label == "GET /v1/reports/{report}":
        report, form = case.path_parameters["report"], case.query.get("format", "json")
        if form in FILES and next(numbers) % 8:
            form = case.query["format"] = "json"
        strange = cuts.EVERY - cuts.HONOURED.get(report, frozenset())
        strange |= set() if report in cuts.WITH_LENGTH else {"periods"}
        strange |= set() if form in PAPER else {"target", "issuer", *LETTERHEAD}
        strange |= {"format"} if report == PERIODIC and form not in PERIODIC_FORMS else set()
        for name in strange - ({"target"} if report == PERIODIC else set()):
            case.query.pop(name, None)
        if case.query.get("issuer"):
            case.query["issuer"] = ground.agencies[0]


def within_reach(description):
    """The description without the bounds of texts so long that making one by its pattern takes a minute."""
    description = copy.deepcopy(description)
    for schema in description["components"]["schemas"].values():
        if schema.get("maxLength", 0) > LONGEST_TEXT:
            del schema["maxLength"]
    return description


def waited(case):
    text = str((case.query or {}).get("wait", ""))
    if text.isascii() and text.isdecimal() and LONGEST_WAIT < int(text) <= 60:
        case.query["wait"] = LONGEST_WAIT


def folded(case):
    """A body that says it is folded is; JSON, which is folded by nobody here, does not say so."""
    if (case.headers or {}).get("Content-Encoding") == "gzip":
        if isinstance(case.body, bytes):
            case.body = gzip.compress(case.body)
        else:
            del case.headers["Content-Encoding"]


def added(case, ground):
    """A piece is added to one of our uploads, at its own length: a system may not begin any number of them."""
    if case.operation.label == "PATCH /v1/uploads/{sha256}" and is_digest(case.path_parameters.get("sha256")):
        digests = sorted(set(ground.pieces) - set(ground.whole))
        digest = digests[int(case.path_parameters["sha256"][:4], 16) % len(digests)]
        case.path_parameters["sha256"] = digest
        if re.fullmatch("[1-9][0-9]{0,14}", str((case.headers or {}).get("Upload-Length"))):
            case.headers["Upload-Length"] = str(len(ground.pieces[digest]))


def handed_over(case, ground):
    """An upload that is handed over is whole, and then there is no body; or there is a body, and no upload."""
    if is_digest((case.query or {}).get("upload")):
        if int(case.query["upload"][:4], 16) % 2:
            del case.query["upload"]
        else:
            case.query["upload"] = ground.whole[0]
            case.body = b""


def renumbered(case, numbers):
    """The letter of the description's example is a new one each time: its faults would hide behind a conflict."""
    facts = case.body.get("facts", case.body) if isinstance(case.body, dict) else None
    if case.operation.label == COMPOSE and isinstance(facts, dict) and facts.get("number") == EXAMPLE:
        case.body = copy.deepcopy(case.body)
        case.body.get("facts", case.body)["number"] = f"{EXAMPLE}.{next(numbers)}"


def lettered(case, ground, numbers):
    """Facts make a new letter of ours, to somebody known, three times of four: else most would stop at a stranger."""
    number = next(numbers)
    if (
        case.operation.label == "POST /v1/deliveries/{id}/paper"
        and number % 2
        and isinstance(case.body, dict)
    ):
        case.body = {**case.body, "on": f"{paper_class.local_day(datetime.now(UTC))}"}
    if case.operation.label == COMPOSE and number % 4 and isinstance(case.body, dict):
        case.body = copy.deepcopy(case.body)
        facts = case.body.get("facts", case.body)
        known = any(entry in ground.agencies for entry in facts["recipients"])
        facts |= {"sender": ground.agencies[0], "number": str(number), "document_id": None}
        facts["recipients"] = facts["recipients"] if known else [ground.agencies[1]]


def asked_for(case, ground, numbers):
    """Every third good question is after something there is, and nobody has it yet: few draws would find one."""
    if next(numbers) % 3:
        return
    for name in {"Range", "If-None-Match"} & set(case.headers or {}):
        del case.headers[name]
    path = case.operation.path
    if path.startswith("/v1/messages/{id}"):
        case.path_parameters["id"] = ground.letters[-1]
    elif path.startswith("/v1/deliveries/{id}"):
        case.path_parameters["id"] = ground.deliveries[0]
    elif path.startswith("/v1/transfers/{letter}"):
        case.path_parameters |= {"letter": ground.letters[-1], "recipient": ground.agencies[-1]}
    elif path == "/v1/attestations" and isinstance(case.body, dict):
        last_month = paper_class.local_day(datetime.now(UTC)).replace(day=1) - timedelta(days=1)
        case.body = {**case.body, "for": ground.agencies[0], "month": f"{last_month:%Y-%m}"}


def is_digest(text):
    return re.fullmatch("[0-9a-fA-F]{64}", str(text)) is not None


def _remark_beside_a_request(body):
    return isinstance(body, dict) and body.get("code") == "13" and bool(body.get("remark"))


def filter_failure(context, failure, case, response):
    """Failures that are none, each for its reason."""
    letterless = case.body is NOT_SET and case.operation.label == "POST /v1/messages"
    if isinstance(failure, RejectedPositiveData) and (letterless or case.media_type == SPOILED):
        return response.status_code != 422  # a letter is more than its schema can say
    if isinstance(failure, RejectedPositiveData) and str((case.query or {}).get("state_secret", "0")) == "1":
        return response.status_code != 422  # what is declared a state secret is refused
    if isinstance(failure, RejectedPositiveData) and _remark_beside_a_request(case.body):
        return response.status_code != 400  # a sender has no remark to keep: the description says so in words
    if isinstance(failure, RejectedPositiveData) and case.operation.label == COMPOSE:
        return not beyond(response.json())
    if isinstance(failure, RejectedPositiveData) and "period" in (case.query or {}):
        return not str(case.query["period"]).endswith(("-02-29", "-W53"))  # the year decides on them
    if isinstance(failure, AcceptedNegativeData):
        return not linked(case.body)  # the body that a link brings took the place of a bad one
    return True


def beyond(problem):
    """Whether a composed letter was refused for what no schema can say: who is who, and what stands there twice."""
    told = {one["code"] for one in problem["findings"]}
    return problem["code"] in BEYOND or (problem["code"] == "findings" and told and told <= BEYOND)


def linked(body):
    """Whether a body is as the links of the description make it."""
    if not isinstance(body, dict):
        return False
    ids = body.get("ids")
    named = isinstance(ids, list) and all(isinstance(one, str) for one in ids)
    return body in ({"code": "03"}, {"code": "13", "reason": "-"}) or (set(body) == {"ids"} and named)


def spoiled(good):
    """Letters cut off or with a part left out, and what never was one."""
    cut = strategies.tuples(good, strategies.integers(0, 600)).map(lambda pair: pair[0][: pair[1]])
    part = strategies.sampled_from([b"<edXML:To>", b"Subject>", b"H13.02", b"2012", b"</edXML>", b"edXML:"])
    without = strategies.tuples(good, part).map(lambda pair: pair[0].replace(pair[1], b""))
    return strategies.one_of(cut, without, strategies.binary(max_size=200))


def followed(stream):
    walked = Walked()
    for event in stream:
        if isinstance(event, events.ScenarioFinished):
            noted(walked, event)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            walked.failures.append(str(getattr(event, "info", None) or event.exception))
        elif isinstance(event, events.EngineFinished):
            walked.failures += [f"stopped: {event.stop_reason}"] if event.stop_reason != "completed" else []
    return walked


def noted(walked, event):
    recorder = event.recorder
    for case_id, interaction in recorder.interactions.items():
        case = recorder.cases[case_id].value
        status = interaction.response.status_code if interaction.response else None
        walked.asked[case.operation.label, status] += 1
    for checks in recorder.checks.values():
        for check in checks:
            if check.status == Status.FAILURE:
                walked.failures.append(
                    f"{event.phase.value}: {check.failure_info.failure}\n{check.failure_info.code_sample}"
                )
