"""A walk of the API by its own description (schemathesis): every route with good and bad requests, all checks on."""

import copy
from collections import Counter
from dataclasses import dataclass, field

import schemathesis
from hypothesis import strategies
from province import quick_letter
from schemathesis import hooks
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.specs.openapi import media_types

SOUND, SPOILED = "application/xml", "text/xml"
LONGEST_WAIT = 1


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where the walk goes: address, key, and what there is to be found: letters, deliveries, agencies' codes."""

    url: str
    key: str
    letters: list
    deliveries: list
    agencies: list
    number: int


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
    checks = {"positive_data_acceptance": {"expected-statuses": ["2xx", "304", "403", "404", "409"]}}
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
            },
            "parameters": {
                "query.for": {"dictionary": "agencies", **some},
                "body.for": {"dictionary": "agencies", **some},
                "body.ids[*]": {"dictionary": "deliveries", **some},
            },
            "generation": {"max-examples": examples, "no-shrink": True, "database": "none"},
            "phases": {"stateful": {"enabled": True, "max-steps": steps}},
            "checks": checks,
            "operations": [
                {
                    "include-path-regex": "^/v1/messages/",
                    "parameters": {"path.id": {"dictionary": "letters", **some}},
                },
                {
                    "include-path-regex": "^/v1/deliveries/",
                    "parameters": {"path.id": {"dictionary": "deliveries", **some}},
                },
            ],
        }
    )


def walk(ground, description, *, seed, examples, steps=6):
    """Walk the whole description; `examples` is how many requests each operation gets in each way."""
    good = strategies.integers(ground.number, ground.number + 10_000).map(quick_letter)
    media_types.register_media_type(SOUND, good)
    media_types.register_media_type(SPOILED, spoiled(good))
    schema = schemathesis.openapi.from_dict(
        copy.deepcopy(description), config=configured(ground, seed, examples, steps)
    )

    for hook in (before_call, filter_failure):
        schemathesis.hook(hook)
    try:
        return followed(from_schema(schema).execute())
    finally:
        for hook in (before_call, filter_failure):
            hooks.unregister(hook)
        media_types.unregister_all()


def before_call(context, case, kwargs):
    """Nobody has a minute to wait for an empty inbox."""
    text = str((case.query or {}).get("wait", ""))
    if text.isascii() and text.isdecimal() and LONGEST_WAIT < int(text) <= 60:
        case.query["wait"] = LONGEST_WAIT


def filter_failure(context, failure, case, response):
    """A letter is more than its schema can say: the spoiled ones are refused, and that is right."""
    spoiled = case.media_type == SPOILED and response.status_code == 422
    return not (spoiled and isinstance(failure, RejectedPositiveData))


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
