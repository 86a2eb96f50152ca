"""Sending a large letter over a weak line: in parts, by digest and offset, going on where the line was cut.

The exchange keeps what arrived, for a day and for this system only, also of a part that broke off. One loop, whose only
state is how much the exchange has:

    unknown        GET   /v1/uploads/{sha256}        how much is there; 404: nothing yet
    less than all  PATCH /v1/uploads/{sha256}        the next part; smaller ones after a failure
    all            POST  /v1/messages?upload=…       the letter is complete; the answer is the letter's

An upload has no identity of its own: the same bytes go on with the same upload, also in another run of the program.
Header names follow draft-ietf-httpbis-resumable-upload.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from exchange.links import retry
from exchange.links.answer import AGAIN, Answer, NoAnswerError, StrangeAnswerError
from exchange.links.connection import Line

PART_BYTES = 1 << 20
SMALLEST_PART_BYTES = 1 << 14
STEP_SECONDS = 45.0
"""How long one part may take, and how long the last word: what arrived of a part by then is kept."""

RESTARTS = 2
"""How often an upload that the exchange no longer has, or threw away as damaged, is begun again."""

NO_UPLOADS = frozenset({404, 405})
LOST = frozenset({"not_found", "digest_mismatch"})

Parameters = Sequence[tuple[str, str]]
Progress = Callable[[int, int], None]
"""Is told how many bytes are through, and how many there are."""


def unseen(_done: int, _total: int) -> None:
    """Show nothing."""


@dataclass
class _Upload:
    """One letter on its way up. `offset` is how much the exchange has, None when we do not know; `most` the most ever."""

    line: Line
    raw: bytes
    parameters: Parameters
    digest: str
    key: str
    part: int = PART_BYTES
    offset: int | None = None
    most: int = 0
    restarts: int = 0
    stuck: bool = False


async def send(line: Line, raw: bytes, parameters: Parameters, progress: Progress = unseen) -> Answer | None:
    """The answer to this letter, as POST /v1/messages would give it; None if this exchange takes no uploads.

    Patience begins anew with every byte that gets through. Raises UnavailableError when nothing more does.
    """
    upload = _Upload(line, raw, parameters, hashlib.sha256(raw).hexdigest(), str(uuid4()))
    waiting = retry.Waiting(line.patience)
    while True:
        try:
            answer = await waiting.attempt(_step(upload), STEP_SECONDS)
        except NoAnswerError as error:
            _after_failure(upload)
            await waiting.pause(str(error))
            continue
        if answer.status in AGAIN:
            await waiting.pause(f"HTTP {answer.status}", retry.retry_after(answer.headers))
        elif upload.offset == upload.most == 0 and answer.status in NO_UPLOADS:
            return None
        elif _is_final(upload, answer):
            return answer
        elif _advanced(upload, answer):
            waiting.progress()
            progress(upload.most, len(raw))
        elif upload.stuck:
            await waiting.pause(answer.problem or f"HTTP {answer.status}")


async def _step(upload: _Upload) -> Answer:
    """The one request that what we know calls for."""
    path, size = f"/v1/uploads/{upload.digest}", len(upload.raw)
    headers = {"Idempotency-Key": upload.key}
    if upload.offset is None:
        return await upload.line.once("GET", path)
    if upload.offset == size:
        parameters = [("upload", upload.digest), *upload.parameters]
        return await upload.line.once("POST", "/v1/messages", params=parameters, headers=headers)
    part = upload.raw[upload.offset : upload.offset + upload.part]
    headers |= {"Upload-Offset": str(upload.offset), "Upload-Length": str(size)}
    headers |= {"Content-Type": "application/partial-upload"}
    return await upload.line.once("PATCH", path, data=part, headers=headers)


def _after_failure(upload: _Upload) -> None:
    """Less at once; and unless all was there already, nobody knows how much of it arrived."""
    if upload.offset != len(upload.raw):
        upload.part = max(upload.part // 2, SMALLEST_PART_BYTES)
        upload.offset = None


def _is_final(upload: _Upload, answer: Answer) -> bool:
    """Whether this is the answer to the letter, or a refusal that ends the upload."""
    if answer.problem == "wrong_offset" or (upload.offset is None and answer.status in NO_UPLOADS):
        return False
    if upload.offset != len(upload.raw):
        return not answer.good
    return answer.problem not in LOST or upload.restarts >= RESTARTS


def _advanced(upload: _Upload, answer: Answer) -> bool:
    """Take over how much the exchange has; whether it is more than ever before. Raises StrangeAnswerError."""
    asked, upload.stuck = upload.offset is None, False
    if answer.problem in LOST or answer.status in NO_UPLOADS:
        upload.restarts += not asked
        upload.offset = upload.most = 0
        return False
    said = answer.body.get("offset") if isinstance(answer.body, dict) else None
    if type(said) is not int or not 0 <= said <= len(upload.raw):
        raise StrangeAnswerError(f"offset: {str(said)[:20]}")
    more = said > upload.most
    upload.offset, upload.most, upload.stuck = said, max(upload.most, said), not (asked or more)
    return more
