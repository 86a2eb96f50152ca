"""Facts and files out of a request's body: JSON with base64 in it, or multipart/form-data (RFC 7578).

Both say the same: an object of facts whose `files` are objects with name, type and bytes. The bytes are taken out of
JSON before it is decoded: as text they would take up to four times their size, for one letter outside of ASCII.
"""

import binascii
import json
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from email.utils import collapse_rfc2231_value
from typing import Any
from urllib.parse import unquote

from exchange.errors import Problem

JSON = "application/json"
MULTIPART = "multipart/form-data"
FACTS = "facts"
MOST_FACTS = 1 << 20
"""Bytes of facts without the files."""

MOST_PARTS = 1_000
MOST_HEAD = 8_192

_DATA = re.compile(rb'(?<!\\)"data"[ \t\r\n]*:[ \t\r\n]*"')
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_SHAPE = '{"sender": …, "recipients": […], …, "files": [{"name", "content_type", "data"}]}'

Facts = dict[str, Any]


@dataclass(frozen=True)
class Form:
    """How a body is written: JSON, or parts with this boundary between them."""

    boundary: str = ""


def form(content_type: str) -> Form:
    """What a Content-Type promises. Raises Problem unsupported_media_type, or bad_request for a boundary that is none."""
    header = Message()
    header["Content-Type"] = content_type or JSON
    kind = header.get_content_type()
    if kind.endswith("json"):
        return Form()
    if kind != MULTIPART:
        raise Problem("unsupported_media_type", f"Content-Type: {JSON} | {MULTIPART}")
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not _BOUNDARY.fullmatch(boundary):
        raise Problem("bad_request", f"Content-Type: {MULTIPART}; boundary=…")
    return Form(boundary)


def read(form: Form, raw: bytes) -> Facts:
    """The facts, with the bytes of files under `data` of each entry of `files`. Raises Problem bad_request, too_large.

    A text under `data` stands for bytes that are not base64.
    """
    return _of_parts(raw, form.boundary.encode()) if form.boundary else _of_json(raw)


def _of_json(raw: bytes) -> Facts:
    mark = secrets.token_hex(16)
    rest, spans = _aside(raw, mark)
    facts = _decoded(rest)
    held, files = memoryview(raw), facts.get("files")
    for file in files if isinstance(files, list) else ():
        text = file.get("data") if isinstance(file, dict) else None
        if isinstance(text, str) and text.startswith(mark):
            file["data"] = _unfolded(held[spans[int(text.removeprefix(mark))]])
    return facts


def _aside(raw: bytes, mark: str) -> tuple[bytes, list[slice]]:
    """JSON in which every text named `data` is only the mark and a number, and where those texts stand.

    A quote inside a text has a backslash before it, so what looks like the name is the name, if this is JSON at all.
    Nobody can know the mark, so no text of the sender's passes for one.
    """
    rest: list[bytes] = []
    spans: list[slice] = []
    position = 0
    while found := _DATA.search(raw, position):
        end = raw.find(b'"', found.end())
        if end == -1 or raw[end - 1 : end] == b"\\":
            end = found.end()  # no base64, whatever it is: left where it stands
            rest.append(raw[position:end])
        else:
            rest.append(raw[position : found.end()] + f"{mark}{len(spans)}".encode())
            spans.append(slice(found.end(), end))
        position = end
    return b"".join((*rest, raw[position:])), spans


def _decoded(text: bytes) -> Facts:
    """The one object in the text. A name twice in an object is refused: readers would differ on which of them holds."""
    if len(text) > MOST_FACTS:
        raise Problem("too_large", f"{FACTS} ≤ {MOST_FACTS}")
    try:
        facts = json.loads(text.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Problem("bad_request", "JSON") from None
    if not isinstance(facts, dict):
        raise Problem("bad_request", _SHAPE)
    return facts


def _object(pairs: list[tuple[str, Any]]) -> Facts:
    facts = dict(pairs)
    if len(facts) < len(pairs):
        ((name, times),) = Counter(name for name, _ in pairs).most_common(1)
        raise Problem("bad_request", f"{times} × {json.dumps(name[:100], ensure_ascii=False)}")
    return facts


def _no_number(text: str) -> float:
    raise ValueError(text)


def _unfolded(text: memoryview) -> bytes | str:
    """The bytes that base64 says, perhaps with JSON's escapes and line ends in it; an empty text if it is none."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        pass
    try:
        plain = json.loads(b'"' + bytes(text) + b'"', strict=False)
        return binascii.a2b_base64("".join(plain.split()), strict_mode=True)
    except ValueError:
        return ""


def _of_parts(raw: bytes, boundary: bytes) -> Facts:
    facts: list[Facts] = []
    files: list[Facts] = []
    for head, content in _parts(raw, boundary):
        name, file_name = _parameter(head, "name"), _parameter(head, "filename")
        if file_name is not None:
            kind = head.get("Content-Type", "").partition(";")[0].strip()
            files.append({"name": file_name, "content_type": kind, "data": content})
        elif name == FACTS:
            facts.append(_decoded(bytes(content[: MOST_FACTS + 1])))
        else:
            raise Problem("bad_request", f"{(name or '')[:100]}: {FACTS} | filename=…")
    if len(facts) != 1 or "files" in facts[0]:
        raise Problem("bad_request", f"1 × {FACTS}: {{…}}, n × filename=…")
    return {**facts[0], "files": files}


def _parts(raw: bytes, boundary: bytes) -> Iterator[tuple[Message, memoryview]]:
    """Each part: its header, and its bytes as a view of the body's. Raises Problem bad_request for what has no end."""
    held, mark = memoryview(raw), b"\r\n--" + boundary
    end = -len(b"\r\n") if raw.startswith(mark[2:]) else raw.find(mark)
    for _ in range(MOST_PARTS):
        start = end + len(mark)
        if raw.startswith(b"--", start):
            return
        head = raw.find(b"\r\n\r\n", start, start + MOST_HEAD)
        content = head + len(b"\r\n\r\n")
        end = raw.find(mark, content)
        if not raw.startswith(b"\r\n", start) or head == -1 or end == -1:
            break
        yield _head(raw[start + len(b"\r\n") : content]), held[content:end]
    raise Problem("bad_request", f"{MULTIPART}: --…--")


def _head(raw: bytes) -> Message:
    try:
        head = HeaderParser().parsestr(raw.decode())
    except UnicodeDecodeError:
        raise Problem("bad_request", "Content-Disposition: UTF-8") from None
    encoding = head.get("Content-Transfer-Encoding", "binary").strip().lower()
    if len(head.get_all("Content-Disposition", [])) != 1 or encoding not in {"binary", "8bit", "7bit"}:
        raise Problem("bad_request", "1 × Content-Disposition, Content-Transfer-Encoding: binary")
    return head


def _parameter(head: Message, name: str) -> str | None:
    """A parameter of Content-Disposition, also in the percent form that RFC 7578 section 4.2 admits for file names."""
    given = head.get_param(name, header="content-disposition")
    if given is None:
        return None
    text = str(collapse_rfc2231_value(given))
    if not text.isascii():
        return text
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text
