"""Taking a letter's bytes over a weak line: what arrived is kept, and the rest is asked for (RFC 9110 §14).

`Range` asks from where we are, `If-Range` with the letter's ETag makes the exchange send everything anew if those were
other bytes; at the end size and SHA-256 must be those the inbox announced.
"""

import hashlib
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import BinaryIO

import aiohttp

from exchange.links import connection, retry
from exchange.links.answer import AGAIN, Answer, DamagedError, NoAnswerError
from exchange.links.connection import Line
from exchange.links.upload import Progress, unseen

SILENCE_SECONDS = 30.0
"""How long a body may stand still before the line counts as cut."""

RESTARTS = 1
PIECE_BYTES = 1 << 20
_WHOLE, _PART, _BEYOND = 200, 206, 416


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A letter's bytes as the inbox announces them: id of the letter, SHA-256 in hexadecimal, size."""

    letter: str
    sha256: str
    size: int


@dataclass
class _Download:
    """One letter on its way down, into a file that may hold its beginning."""

    line: Line
    wanted: Wanted
    into: BinaryIO
    progress: Progress
    waiting: retry.Waiting = field(init=False)
    most: int = 0

    def __post_init__(self) -> None:
        self.waiting = retry.Waiting(self.line.patience)
        self.most = self.into.seek(0, 2)


async def fetch(line: Line, wanted: Wanted, into: BinaryIO, progress: Progress = unseen) -> Answer | None:
    """Bring `into` to exactly the bytes wanted; None when it holds them, else the refusal (not_found, gone).

    Patience begins anew with every byte that arrives. Raises UnavailableError when nothing more does, DamagedError when
    the bytes are others even after a new beginning.
    """
    download = _Download(line, wanted, into, progress)
    restarts = 0
    while not _holds(wanted, into):
        try:
            answer = await _attempt(download)
        except NoAnswerError as error:
            await download.waiting.pause(str(error))
            continue
        if answer is None or answer.status == _BEYOND:
            if not _holds(wanted, into):
                restarts += 1
                into.truncate(0)
                if restarts > RESTARTS:
                    raise DamagedError(wanted.letter)
        elif answer.status in AGAIN:
            await download.waiting.pause(f"HTTP {answer.status}", retry.retry_after(answer.headers))
        else:
            return answer
    return None


def _holds(wanted: Wanted, into: BinaryIO) -> bool:
    """Whether the file is what was announced, byte for byte."""
    if into.seek(0, 2) != wanted.size:
        return False
    into.seek(0)
    digest = hashlib.sha256()
    while piece := into.read(PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest() == wanted.sha256


async def _attempt(download: _Download) -> Answer | None:
    """Ask for what is missing and take it; the answer if it holds no bytes of the letter. Raises NoAnswerError."""
    have = download.into.seek(0, 2)
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": f'"{download.wanted.sha256}"'}
    async with AsyncExitStack() as stack:
        opening = download.line.answering("GET", f"/v1/messages/{download.wanted.letter}", headers=headers)
        response = await download.waiting.attempt(
            stack.enter_async_context(opening), connection.ANSWER_SECONDS
        )
        if response.status not in {_WHOLE, _PART}:
            return await download.waiting.attempt(connection.whole(response), connection.ANSWER_SECONDS)
        if response.status == _WHOLE or not _continues(response, have):
            download.into.seek(0)
            download.into.truncate()
        await _take(download, response)
    return None


def _continues(response: aiohttp.ClientResponse, have: int) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {have}-")


async def _take(download: _Download, response: aiohttp.ClientResponse) -> None:
    """Write what comes, up to one byte more than was announced. Raises NoAnswerError when it breaks off."""
    have = download.into.tell()
    while have <= download.wanted.size:
        part = await download.waiting.attempt(connection.piece(response), SILENCE_SECONDS)
        if not part:
            return
        download.into.write(part[: download.wanted.size + 1 - have])
        have = download.into.tell()
        if have > download.most:
            download.most = have
            download.waiting.progress()
            download.progress(min(have, download.wanted.size), download.wanted.size)
