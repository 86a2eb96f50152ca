"""A leader's remark (bút phê): said beside a status of a delivery, and kept within the recipient's agency.

It stands in the recipient's journal and is shown in the trace to that agency alone. It is no part of the notice, unless
whoever says it wants it shared: then it stands in the notice's Description after the reason. It is written after the
notice, under an id made of the notice's and its own words: said again, it is there once, and a request that got its
answer has both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange import ids
from exchange.broker.exchange import Exchange
from exchange.edxml import write
from exchange.rules import lifecycle
from exchange.store import commit, rows

EVENT = "remark"
MOST_LETTERS = 2_000


def fault(remark: str, code: str) -> str:
    """What is wrong with a remark beside a status of that code, as the detail of a problem; empty for nothing."""
    if not remark:
        return ""
    if lifecycle.EVENTS.get(code) == "sender":
        return f"{code}: remark"
    if len(remark) > MOST_LETTERS:
        return f"remark ≤ {MOST_LETTERS}"
    return "remark: XML 1.0 Char" if write.forbidden(remark) else ""


def described(reason: str, remark: str) -> str:
    """The Description of a notice that shares the remark: after the reason, if there is one."""
    return "\n".join(filter(None, (reason, remark)))


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """What a leader wrote, with the status that it stands beside."""

    text: str
    status: str
    system: UUID
    at: datetime


async def keep(exchange: Exchange, notice: UUID, delivery: Mapping[str, Any], remark: Instruction) -> None:
    """Put a remark on record beside its notice, durably. Raises Problem busy or outcome_unknown (send again)."""
    line = rows.JournalRow(
        agency=delivery["recipient"], id=ids.beside(notice, remark.text), at=remark.at, event=EVENT,
        letter=delivery["letter"], delivery=delivery["id"], system=remark.system, code=remark.status,
        detail={"notice": str(notice), "text": remark.text},
    )  # fmt: skip
    await exchange.committer.submit(commit.Submission(letter=None, refused=line))
