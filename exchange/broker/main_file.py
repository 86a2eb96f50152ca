"""What else is asked about a signed main document (văn bản chính): was this file sent before, and what does it say.

Both questions are asked only of a file that carries a signature: one signed file under two numbers would be two
documents by one signature, and only what is signed can contradict a header. An unsigned file is not met anyway.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from exchange.broker import intake, verify
from exchange.rules import requirements
from exchange.store import letters
from signing.verdict import Verdict

Reused = Callable[[letters.MainFile], Awaitable[str | None]]
"""Asks under which number a file came before."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who is asked: whoever knows what came before (`before` a moment, or ever), and the pool that reads pages.

    Without a `reader` no page is read: its text decides nothing, so nobody asks for it when a letter is judged again.
    """

    reused: Reused
    reader: verify.Verifier | None = None
    before: datetime | None = None


async def asked(
    asking: Asking,
    facts: requirements.LetterFacts,
    document_id: str,
    opened: Sequence[intake.File],
    verdicts: Iterable[Verdict],
) -> requirements.LetterFacts:
    """The facts of a letter with `reused` and `first_page`."""
    main, _ = requirements.main_document(facts)
    if main is None or not any(requirements.stands_on(verdict, main) for verdict in verdicts):
        return facts
    raw = next(file.raw for file in opened if file.path == main.path)
    wanted = letters.MainFile(facts.sender, document_id, main.sha256, asking.before)
    page, earlier = await asyncio.gather(
        asking.reader.first_page(raw) if asking.reader and main.kind == "pdf" else _nothing(),
        asking.reused(wanted),
    )
    return replace(facts, first_page=page, reused=earlier is not None, reused_as=earlier or "")


async def _nothing() -> str:
    return ""
