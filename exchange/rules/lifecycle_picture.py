"""The lifecycle as people read it (vòng đời của lượt gửi): a Markdown table for the help, made from the table itself."""

from collections.abc import Iterator

from exchange import texts
from exchange.rules import lifecycle

KEPT, UNKNOWN = "·", "–"


def markdown(language: str = "vi") -> str:
    """States down, events across: where each leads. Events that do the same everywhere share a column; then a legend."""
    together = list(_together())
    heads = [texts.say("lifecycle.state", language), *(" ".join(events) for events in together)]
    rows = [
        [
            f"**{texts.say(f'state.{state}', language)}**",
            *(_cell(state, one[0], language) for one in together),
        ]
        for state in lifecycle.STATES
    ]
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join([*(f"| {' | '.join(cells)} |" for cells in lines), "", *_legend(language)]) + "\n"


def _together() -> Iterator[tuple[str, ...]]:
    """Events with the same column, in the order of the table."""
    columns: dict[tuple[str | None, ...], list[str]] = {}
    for event in lifecycle.EVENTS:
        columns.setdefault(_column(event), []).append(event)
    yield from map(tuple, columns.values())


def _column(event: str) -> tuple[str | None, ...]:
    reached = ((state, lifecycle.advance(state, event)) for state in lifecycle.STATES)
    return tuple(KEPT if to == state else to for state, to in reached)


def _cell(state: str, event: str, language: str) -> str:
    reached = lifecycle.advance(state, event)
    if reached is None:
        return UNKNOWN
    return KEPT if reached == state else texts.say(f"state.{reached}", language)


def _legend(language: str) -> Iterator[str]:
    yield texts.say("lifecycle.legend", language, kept=KEPT, unknown=UNKNOWN)
    yield ""
    for event, actor in lifecycle.EVENTS.items():
        said = texts.say(f"lifecycle_event.{event}", language)
        yield f"- `{event}`: {said} ({texts.say(f'lifecycle_actor.{actor}', language)})"
