"""What operations do to a delivery (nghiệp vụ thu hồi, cập nhật, thay thế; lấy lại): tables by cause and state.

Who has not registered a letter yet loses it, or sees its new facts, at once. Who has registered it is asked, and answers
with 15 or 16 (edXML, section 5). What was refused or withdrawn is over, and stays as it is. A sender's take-back (13)
always asks. The first answer to a request stands; a request that would withdraw the letter is not put aside by one that
only restates its facts: that one is put off, whichever came first, and asked once the letter stays.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Effect = Literal["withdraw", "ask", "restate", "put_off"]

_GRID = """
            revoke    replace   remove    restate  take_back
waiting     withdraw  withdraw  withdraw  restate  ask
expired     withdraw  withdraw  withdraw  restate  ask
arrived     withdraw  withdraw  withdraw  restate  ask
registered  ask       ask       ask       ask      ask
assigned    ask       ask       ask       ask      ask
in_process  ask       ask       ask       ask      ask
done        ask       ask       ask       ask      ask
refused     -         -         -         -        -
withdrawn   -         -         -         -        -
"""
"""State and cause to the effect; `remove` and `restate` are what an update does, `-`: nothing."""

REQUESTS: Mapping[str, str] = MappingProxyType(
    {
        "revoke": "revoke",
        "replace": "replace",
        "remove": "update",
        "restate": "update",
        "take_back": "take_back",
    }
)
"""The kind of request that each cause opens."""

LINKS: Mapping[str, str] = MappingProxyType({"revoke": "revokes", "update": "updates", "replace": "replaces"})
"""How an operation is linked to its target."""


def _read(grid: str) -> Mapping[str, Mapping[str, Effect]]:
    known: Mapping[str, Effect] = {"withdraw": "withdraw", "ask": "ask", "restate": "restate"}
    causes, *states = (line.split() for line in grid.strip().splitlines())
    return MappingProxyType(
        {
            state: MappingProxyType(
                {cause: known[cell] for cause, cell in zip(causes, cells, strict=True) if cell in known}
            )
            for state, *cells in states
        }
    )


TABLE = _read(_GRID)

OVER = frozenset(state for state, effects in TABLE.items() if not effects)
"""States in which nothing is done to a delivery any more, also not by an answer that comes late."""


def answered(state: str, answer: str | None) -> str | None:
    """How a request ended: by its answer, `overtaken` where the letter is gone without one; None: it waits."""
    return answer or ("overtaken" if state in OVER else None)


def effect(state: str, cause: str, *, withdrawal_open: bool = False) -> Effect | None:
    """What a cause does to a delivery in that state; None: nothing.

    `withdrawal_open`: a request waits there that would withdraw the letter.
    """
    found = TABLE[state].get(cause)
    return "put_off" if found == "ask" and cause == "restate" and withdrawal_open else found
