"""A letter that was accepted once, examined again: its bytes as they came, as of acceptance, by today's trust set.

What is judged again never takes turns with what its sender sends now: in the verify pool it is somebody else's.
"""

import asyncio
import contextlib
import functools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from exchange import ids
from exchange.broker import decisions, judging, main_file, rejudged, verify
from exchange.broker.declared import Declared
from exchange.edxml import model, spool
from exchange.edxml.spooled import SPOOLED_BYTES, Content
from exchange.rules import requirements
from exchange.rules.directory import Directory
from exchange.store import letters, payloads, rejudgements, rows, spools
from exchange.store.pool import Pool


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What judging again works with.

    `kept` are digests of evidence that is known to be stored. `together`: letters examined at once. `found`: what was found in letters before by this trust set; `keep` keeps it.
    """

    pool: Pool
    verifier: verify.VerifyPool
    policy: requirements.Policy
    ids: ids.Ids
    clock: Callable[[], datetime]
    payload_folder: Path
    kept: set[bytes] = field(default_factory=set)
    together: int = 2
    found: MutableMapping[UUID, judging.Found] = field(default_factory=dict)
    keep: bool = False

    @property
    def spool_folder(self) -> Path:
        """Where files of large letters stand while they are looked at: beside the letters."""
        return self.payload_folder.with_name("spool")


async def examined(
    at: Bench, letter: rows.LetterRow, before: Sequence[Mapping[str, Any]], book: Directory, cause: str
) -> judging.Found | None:
    """What is found in a letter whose standing verdicts are these; None if it cannot be examined now, which is told.

    `cause` is why it is judged again.
    """
    async with at.pool.acquire() as connection:
        raw = await payloads.get(connection, at.payload_folder, letter.id)
    assert raw is not None
    async with _folder(at, raw) as folder:
        reading = await decisions.beside(len(raw), spool.read_content, raw, folder)
        assert isinstance(reading.message, model.Letter)
        found = await judging.examine(
            at.verifier.of(("again", letter.system)),
            judging.Matter(
                raw=raw, reading=reading, case=rejudged.case(letter, book.agencies[letter.sender]),
                declared=Declared(main=letter.main_attachment, copy_form=letter.copy_form), at=letter.accepted_at,
            ),
            main_file.Asking(reused=functools.partial(_reused, at), before=letter.accepted_at),
        )  # fmt: skip
    if isinstance(found, judging.Unexaminable) or _uncertain(found, before, cause):
        structlog.get_logger().warning("letter_not_rejudged", letter=str(letter.id))
        return None
    if at.keep:
        at.found[letter.id] = found
    return found


@contextlib.asynccontextmanager
async def _folder(at: Bench, raw: Content) -> AsyncIterator[Path | None]:
    """A folder for the files of a large letter, made and taken away beside the loop; none for others."""
    if len(raw) <= SPOOLED_BYTES:
        yield None
        return
    begun = await asyncio.to_thread(spools.begin, at.spool_folder)
    try:
        yield begun.path
    finally:
        await asyncio.to_thread(spools.end, begun)


async def _reused(at: Bench, wanted: letters.MainFile) -> str | None:
    async with at.pool.acquire() as connection:
        return (await letters.reused(connection, [wanted])).get(wanted)


def _uncertain(found: judging.Found, before: Sequence[Mapping[str, Any]], cause: str) -> bool:
    """Whether it might be told another time what was not told now, and the judgement has to wait for that.

    It waits for what was told before; for other files only where nothing else is a cause to judge: else one file that never
    can be examined would keep its letter as it stands, whatever becomes of the signatures on the others.
    """
    lost = _lost(found, before)
    codes = {remark.code for remark in found.report.remarks}
    lacking = {remark.code for remark in found.report.remarks if remark.where in lost}
    if cause == rejudgements.UNEXAMINED:
        lacking |= codes & verify.POSTPONED
    return bool(lacking & {*verify.POSTPONED, verify.TOO_SLOW})


def _lost(found: judging.Found, before: Sequence[Mapping[str, Any]]) -> set[str]:
    """The files with signatures that were told before and are not now; another file of the name makes up for none."""
    now = Counter((one.where, one.carrier, one.certificate_sha256) for one in found.report.verdicts)
    then = Counter((row["place"], row["carrier"], (row["certificate_sha256"] or b"").hex()) for row in before)
    return {carrier or place for place, carrier, _ in then - now}
