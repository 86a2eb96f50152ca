"""What else is asked about a signed main document (văn bản chính): was this file sent before, and what does it say.

Both questions are asked only of a file that carries a signature: one signed file under two numbers would be two
documents by one signature, and only what is signed can contradict a header. An unsigned file is not met anyway.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from exchange.broker import intake
from exchange.broker.exchange import Exchange
from exchange.rules import requirements
from exchange.store import letters
from signing.verdict import Verdict


async def asked(
    exchange: Exchange,
    facts: requirements.LetterFacts,
    document_id: str,
    opened: Sequence[intake.File],
    verdicts: Iterable[Verdict],
    *,
    before: datetime | None = None,
) -> requirements.LetterFacts:
    """The facts of a letter with `reused` and `first_page`; `before`: as of a moment, when a letter is judged again."""
    main, _ = requirements.main_document(facts)
    if main is None or not any(requirements.stands_on(verdict, main) for verdict in verdicts):
        return facts
    raw = next(file.raw for file in opened if file.path == main.path)
    wanted = letters.MainFile(facts.sender, document_id, main.sha256, before)
    page, earlier = await asyncio.gather(
        exchange.verifier.first_page(raw) if main.kind == "pdf" else _nothing(),
        exchange.reused.answer(wanted),
    )
    return replace(facts, first_page=page, reused=earlier is not None, reused_as=earlier or "")


async def _nothing() -> str:
    return ""
