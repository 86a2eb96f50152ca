"""What may become of a delivery (lượt gửi, lượt nhận): one table of states and events.

Statuses come from many systems, in any order, often skipping some, sometimes twice. So the table is made such that
their order does not matter: whatever a recipient says of a letter, in whichever order it arrives, the same state is
reached, and every notice is kept. A higher status moves a delivery on, a lower or repeated one changes nothing. A
refusal (02) is the highest: real systems say 03 at the first reading and 02 when the clerk then returns it, and once
all recipients have refused, the sender may have sent the next round - nothing that comes late brings this one back.

An acknowledgement by the recipient always succeeds, also long after the delivery expired. Answers to a take-back or a
change (15, 16) and the request itself (13) are kept and move nothing: when the recipient agrees, the exchange says
`withdraw`. A letter that was withdrawn stays so, and its recipient has nothing more to say of what became of it: what
the table does not know is `wrong_state`.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

Actor = Literal["recipient", "sender", "exchange"]

STATES = (
    "waiting",
    "arrived",
    "registered",
    "assigned",
    "in_process",
    "done",
    "refused",
    "withdrawn",
    "expired",
)

EVENTS: Mapping[str, Actor] = MappingProxyType(
    {
        "ack": "recipient",
        "01": "recipient",
        "02": "recipient",
        "03": "recipient",
        "04": "recipient",
        "05": "recipient",
        "06": "recipient",
        "13": "sender",
        "15": "recipient",
        "16": "recipient",
        "withdraw": "exchange",
        "expire": "exchange",
    }
)
"""Every event and who causes it; two digits are the status codes of notices (bản tin trạng thái)."""

_GRID = """
            ack        01         02       03          04        05          06    13 15 16 withdraw   expire
waiting     arrived    arrived    refused  registered  assigned  in_process  done  =  =  =  withdrawn  expired
expired     arrived    arrived    refused  registered  assigned  in_process  done  =  =  =  withdrawn  =
arrived     =          =          refused  registered  assigned  in_process  done  =  =  =  withdrawn  -
registered  =          =          refused  =           assigned  in_process  done  =  =  =  withdrawn  -
assigned    =          =          refused  =           =         in_process  done  =  =  =  withdrawn  -
in_process  =          =          refused  =           =         =           done  =  =  =  withdrawn  -
done        =          =          refused  =           =         =           =     =  =  =  withdrawn  -
refused     =          =          =        =           =         =           =     =  =  =  =          -
withdrawn   =          =          -        -           -         -           -     =  =  =  =          -
"""
"""The table as people read it: `=` kept and nothing changes, `-` unknown here."""


def _read(grid: str) -> Mapping[str, Mapping[str, str]]:
    events, *rows = (line.split() for line in grid.strip().splitlines())
    return MappingProxyType({state: MappingProxyType(_row(state, events, cells)) for state, *cells in rows})


def _row(state: str, events: list[str], cells: list[str]) -> dict[str, str]:
    known = ((event, cell) for event, cell in zip(events, cells, strict=True) if cell != "-")
    return {event: state if cell == "=" else cell for event, cell in known}


TABLE = _read(_GRID)
"""State and event to the next state; the same state again means: kept, nothing changes."""

CLOSED = frozenset({"refused", "withdrawn", "expired"})
"""When every delivery of a round is in one of these, the next letter under the same id opens a new round."""


REQUEST_ANSWERS: Mapping[str, str] = MappingProxyType({"15": "agreed", "16": "refused"})
"""What a recipient's notice says to an open request (take-back, revocation, update, replacement)."""


def answer(code: str, *, open_: bool) -> str | None:
    """Which of agreed and refused; None for another notice, and while no request is open: then it is kept and moves nothing."""
    return REQUEST_ANSWERS.get(code) if open_ else None


def advance(state: str, event: str) -> str | None:
    """The state after an event, the same one for a repeated or late event, None for what the table does not know."""
    return TABLE[state].get(event)


def replay(steps: Iterable[tuple[str, str]]) -> str | None:
    """The state to which steps lead from *waiting*, each an event and the state that it met; None if they are no path.

    Steps may be handed in in any order: no state is ever reached twice, so the states met put them in their order.
    A step that changes nothing must have met a state of that path.
    """
    met, moves = set[str](), dict[str, str]()
    for event, was in steps:
        reached = advance(was, event) if was in TABLE else None
        if was not in TABLE or (reached not in {None, was} and was in moves):
            return None
        met.add(was)
        if reached not in {None, was}:
            moves[was] = str(reached)
    path = ["waiting"]
    while path[-1] in moves:
        path.append(moves.pop(path[-1]))
    return path[-1] if not moves and met <= set(path) else None
