"""`congvan trace ID --why`: the step of the procedure that decided a class, and the evidence, in words.

Everything comes from an exchange that may be older, newer or hostile: what is not known here stands for itself, cleaned.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from exchange import texts
from exchange.cli import client

_MARKS = ("conflict", "recalled")


def of_delivery(access: client.Access, delivery: Mapping[str, Any]) -> Iterator[str]:
    """Why the delivery counts as it does; nothing if that was not asked for, one line for what is no transfer."""
    if "why" not in delivery:
        return
    told = delivery["why"]
    if not isinstance(told, Mapping):
        yield access.say("why.no_transfer")
        return
    yield access.say("why.decided", step=_known(access, f"step_{told.get('step')}", told.get("step")))
    yield from _qualities(access, told)
    listed = told.get("evidence")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, Mapping):
            yield _evidence(access, one)


def _qualities(access: client.Access, told: Mapping[str, Any]) -> Iterator[str]:
    for name in ("grade", "justified"):
        if told.get(name):
            yield _known(access, f"{name}_{told[name]}", told[name])
    if told.get("class") == "S" and told.get("reason"):
        yield access.say(
            "why.paper_reason", reason=_known(access, f"reason_{told['reason']}", told["reason"])
        )
    for name in _MARKS:
        if told.get(name) is True:
            yield access.say(f"why.{name}")


def _evidence(access: client.Access, one: Mapping[str, Any]) -> str:
    kind = _known(access, f"evidence_{one.get('kind')}", one.get("kind"))
    detail, author = (texts.clean(str(one.get(name) or "")) for name in ("detail", "author"))
    note = texts.clean(str(one.get("note") or ""))
    by = texts.clean(str(one.get("by") or "-"))
    what = f"{kind} ({detail})" if detail else kind
    who = f"{by}, {author}" if author else by
    line = f"– {client.moment(one.get('at'))} · {what} · {who}"
    return f"{line} · {note}" if note else line


def _known(access: client.Access, key: str, otherwise: object) -> str:
    return texts.catalogue(access.language).get(f"why.{key}") or texts.clean(str(otherwise or "-"))
