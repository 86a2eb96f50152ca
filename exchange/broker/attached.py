"""Which signatures a letter's files hold and where each is judged: PDF, `.p7s` with its file, `.p7m`, ZIP, Office.

Theory of operation. `tasks` looks at every attachment once and answers what is to be done, in the order of the
attachments; nothing is verified there. `judge` does one task, in this process or in a worker.

    .p7s             signs the file beside it: `report.pdf.p7s` signs `report.pdf`, whether or not it fits; else
                     the only file whose digest it names; else the only file of that stem (`report.p7s`)
    .p7m             signs what it carries; a PDF inside is judged too. One whose content is also attached signs that
    ZIP              what is wrapped in the plain form was opened before; any other is not examined (a remark)
    Office           a signature is seen and told, never judged (a remark)

Nothing is opened twice: a signature inside a signature is a remark. A large letter's files stand on disk and come as
such (`edxml.spooled`); only the worker that judges a signature file reads it whole.
"""

import contextlib
import gc
import mmap
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from exchange.edxml import kinds, names, spooled
from exchange.edxml.spooled import Content
from signing import office, p7, pdf
from signing.algorithms import HASHES
from signing.trust import Trust
from signing.verdict import Remark, Report

MAGIC_WITHIN = 1024  # where readers look for the magic number (ISO 32000-2 annex I)
SEARCHED_BYTES = 50_000
"""A signature file up to this size is opened to find the file that it signs; a larger one goes by its name alone."""
MOST_SEARCHES = 16
"""So many signature files of a letter are opened for that; the rest go by their names."""

_CONTAINERS = frozenset({"zip", "docx", "xlsx", "pptx", "odf", "ole"})

File = tuple[str, Content]


@dataclass(frozen=True, kw_only=True)
class Task:
    """One file to be judged: a PDF, or a signature file with the content that stands beside it, if any.

    `light`: a small signature file with nothing inside, which needs no worker.
    """

    form: Literal["pdf", "p7"]
    raw: Content
    where: str
    carrier: str = ""
    content: Content | None = None
    light: bool = False


def tasks(files: Sequence[File]) -> tuple[Task | Remark, ...]:
    """What is to be judged of a letter's files (name, opened bytes), and remarks about what is not, in their order."""
    desk = _Desk(files)
    return tuple(one for position in range(len(files)) for one in _of(desk, position))


def judge(task: Task, trust: Trust, at: datetime) -> Report:
    """One task done. Raises TooComplexError."""
    if task.form == "pdf":
        return _pdf(task.raw, trust, at, task.where)
    return _signature_file(task, trust, at)


def is_signature_file(name: str) -> bool:
    """Whether a name is that of a CMS signature file."""
    return name.casefold().endswith(p7.ENDINGS)


def is_detached(name: str, raw: Content) -> bool:
    """Whether a file is only the signature of another one, hence no document itself."""
    if not is_signature_file(name):
        return False
    if len(raw) > SEARCHED_BYTES:
        return name.casefold().endswith(".p7s")
    held = p7.read(spooled.whole(raw))
    return held is None or held.inside is None


def holds_pdf(name: str, raw: Content) -> bool:
    """Whether a recipient may take a file for a PDF: by its first bytes, its name, or those inside a signature file."""
    start = raw[:MAGIC_WITHIN]
    if is_signature_file(name) and b"-----BEGIN" in start:
        start = p7.start(raw[: 4 * MAGIC_WITHIN], MAGIC_WITHIN)
    return pdf.MAGIC in start or names.ending(name) == "pdf"


class _Desk:
    """A letter's files side by side: each is hashed once at the most, and few signature files are opened here."""

    def __init__(self, files: Sequence[File]) -> None:
        self.files = files
        self.signed = [at for at, (name, _) in enumerate(files) if not is_signature_file(name)]
        self._digests: dict[tuple[int, str], bytes] = {}
        self._searches = MOST_SEARCHES

    def digest(self, at: int, name: str) -> bytes:
        if (at, name) not in self._digests:
            self._digests[at, name] = spooled.digest(self.files[at][1], name)
        return self._digests[at, name]

    def named_digests(self, at: int) -> frozenset[tuple[str, bytes]]:
        """The digests that a signature file's signers name, as far as it is opened for that."""
        raw = self.files[at][1]
        self._searches -= 1
        searched = self._searches >= 0 and len(raw) <= SEARCHED_BYTES
        held = p7.read(spooled.whole(raw)) if searched else None
        return frozenset(one for one in held.digests if one[0] in HASHES) if held else frozenset()


def is_container(raw: Content) -> bool:
    """Whether a file is a ZIP or an Office file: nothing that could be read as XML."""
    return kinds.kind(raw) in _CONTAINERS


def _of(desk: _Desk, position: int) -> Iterator[Task | Remark]:
    name, raw = desk.files[position]
    if is_signature_file(name):
        yield _paired(desk, position)
    elif pdf.MAGIC in raw[:MAGIC_WITHIN]:
        yield Task(form="pdf", raw=raw, where=name)
    else:
        yield from _unexamined(name, raw)


def _unexamined(name: str, raw: Content) -> Iterator[Remark]:
    """What is told of a file that is neither PDF nor signature file."""
    if office.signed(raw):
        yield Remark(code="office_signature", where=name)
    elif kinds.kind(raw) == "zip":
        severity = "info" if names.ending(name) == "zip" else "warning"
        yield Remark(code="zip_not_examined", where=name, severity=severity)


def _paired(desk: _Desk, position: int) -> Task:
    """The signature file with the file that it signs; alone, it is judged over what it carries."""
    name, raw = desk.files[position]
    signed = _file_of(desk, position)
    light = len(raw) <= SEARCHED_BYTES and is_detached(name, raw)
    if signed is None:
        return Task(form="p7", raw=raw, where=name, light=light)
    where, content = desk.files[signed]
    return Task(form="p7", raw=raw, where=where, carrier=name, content=content, light=light)


def _file_of(desk: _Desk, position: int) -> int | None:
    """Where the file stands that a signature file signs: by name, of several the one that it fits; by digest; by stem."""
    wanted = _folded(desk.files[position][0][: -len(p7.ENDINGS[0])])
    names_ = {at: _folded(desk.files[at][0]) for at in desk.signed}
    called = [at for at in desk.signed if names_[at] == wanted]
    if len(called) == 1:
        return called[0]
    fitting = _fitting(desk, position, called or desk.signed)
    if fitting is not None or called:
        return called[0] if fitting is None else fitting
    of_stem = [at for at in desk.signed if names_[at].rpartition(".")[0] == wanted]
    return of_stem[0] if len(of_stem) == 1 else None


def _fitting(desk: _Desk, position: int, among: Sequence[int]) -> int | None:
    """The only file whose digest a signer names; files of the same bytes are one."""
    named = desk.named_digests(position)
    found = [at for at in among if any(desk.digest(at, name) == digest for name, digest in named)]
    return found[0] if len({desk.digest(at, "sha256") for at in found}) == 1 else None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _signature_file(task: Task, trust: Trust, at: datetime) -> Report:
    """The signatures of a `.p7s` or `.p7m`, and those of the file inside it."""
    raw = spooled.whole(task.raw)
    held = p7.read(raw)
    inside = held.inside if held else None
    alone = not task.carrier or (inside is not None and not _same(task, inside))
    if not alone:
        content = task.content if isinstance(task.content, bytes | None) else task.content.path
        return p7.verify(raw, content, trust, at, where=task.where, carrier=task.carrier)
    name = task.carrier or task.where
    outer = p7.verify(raw, None, trust, at, where=name)
    within = _inside(inside, name, trust, at) if inside is not None else Report()
    return Report(verdicts=(*outer.verdicts, *within.verdicts), remarks=(*outer.remarks, *within.remarks))


def _pdf(raw: Content, trust: Trust, at: datetime, where: str) -> Report:
    """The signatures of a PDF; a large one is mapped, so that only what is looked at takes memory."""
    if isinstance(raw, bytes):
        return pdf.verify(raw, trust, at, where=where)
    with raw.path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        return pdf.verify(mapped, trust, at, where=where)
    finally:
        gc.collect()  # pyHanko's records hold each other, and with them the file
        with contextlib.suppress(BufferError):
            mapped.close()


def _same(task: Task, inside: bytes) -> bool:
    """Whether a `.p7m` carries the very file beside it; a `.p7s` is held to the file of its name in any case."""
    if task.carrier.casefold().endswith(".p7s"):
        return True
    return task.content is not None and spooled.same(inside, task.content)


def _inside(content: bytes, name: str, trust: Trust, at: datetime) -> Report:
    if pdf.MAGIC in content[:MAGIC_WITHIN]:
        return pdf.verify(content, trust, at, where=name)
    if p7.read(content) is not None:
        return Report(remarks=(Remark(code="not_examined", where=name),))
    return Report(remarks=tuple(_unexamined(name, content)))
