"""A large message from a file to records, its attached files into files of their own; memory stays small.

Theory of operation. Expat goes through the file once, by pieces. What stands as text where an Attachment has its bytes is
decoded as it comes and written into the folder; in the message a number stands in its place. What is left, the
*skeleton*, is a small message with the same elements in the same lines, and takes the ordinary way of `read`: every
finding and every refusal is the one that a small message would get. Its attachments then get back what was cut out:
`spooled` names the file. Bytes that are no base64 get a text that is none either, and are found damaged when opened.

Expat knows nothing of namespaces, and need not; it is held to the budgets of elements and levels, meets no DOCTYPE,
and a piece of markup longer than 4 MiB is not waited for.
"""

import codecs
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO
from xml.parsers import expat

from exchange.edxml import attachments, grammar, model, prolog, read
from exchange.edxml.model import LIMITS, Limits
from exchange.edxml.spooled import PIECE_BYTES, SPOOLED_BYTES, Content

MOST_MARKUP = 4 << 20
_HEAD = 1 << 16
_QUAD = 4
_NO_BASE64 = "!"
_ATTACHMENT = "Attachment"


def read_content(content: Content, folder: Path | None = None, limits: Limits = LIMITS) -> model.Reading:
    """The message in bytes, or in a file, whose attached files are put into `folder`, else beside it.

    Raises Unreadable as `read` does.
    """
    if isinstance(content, bytes):
        return read.read(content, limits)
    return read_file(content.path, folder or content.path.parent, limits)


def read_file(path: Path, folder: Path, limits: Limits = LIMITS) -> model.Reading:
    """The message in a file; its attached files are put into `folder`, which is the caller's to take away.

    Raises Unreadable as `read` does; also `too_complex` when more than 16 MiB stand outside attached files.
    """
    with path.open("rb") as file:
        start = file.read(_HEAD)
        encoding = prolog.encoding(start)
        prolog.refuse_doctype(start)
        cutting = _Cutting(folder, limits, encoding)
        cutting.run(file)
        if cutting.returns:
            _count_lines(file, cutting.cuts, encoding)
        skeleton = _skeleton(file, cutting.cuts, encoding)
    reading = read.read(skeleton, replace(limits, bytes=len(skeleton)))
    message = reading.message
    if isinstance(message, model.Letter):
        files = tuple(_with_file(one, cutting.files) for one in message.attachments)
        message = replace(message, attachments=files)
    return replace(reading, message=message, skeleton=skeleton)


def _with_file(attachment: model.Attachment, files: "list[_File]") -> model.Attachment:
    if not attachment.encoded:
        return attachment
    file = files[int(attachment.encoded)]
    if file.damaged:
        return replace(attachment, encoded=_NO_BASE64)
    return replace(attachment, encoded="", spooled=file.path, size=file.size)


@dataclass
class _File:
    """One attached file on its way from base64 to disk: what is left of the last four characters, and how it stands."""

    path: Path
    number: int
    size: int = 0
    begun: bool = False
    damaged: bool = False
    _rest: str = ""
    _padded: bool = False
    _out: IO[bytes] | None = None

    def add(self, texts: list[str]) -> None:
        """The next characters; white space among them means nothing, as everywhere."""
        text = self._rest + "".join("".join(texts).split())
        self.begun = self.begun or bool(text)
        end = len(text) // _QUAD * _QUAD
        self._rest = text[end:]
        if end and not self.damaged:
            self._write(text[:end])

    def end(self) -> None:
        """No more comes."""
        self.damaged = self.damaged or bool(self._rest)
        self._rest = ""
        if self._out:
            self._out.close()

    def _write(self, text: str) -> None:
        try:
            decoded = attachments.unbased(text)
        except ValueError:
            decoded = b""
        self.damaged = self._padded or not decoded
        self._padded = text.endswith("=")
        if not self.damaged:
            self._out = self._out or self.path.open("wb")
            self._out.write(decoded)
            self.size += len(decoded)


@dataclass
class _Cut:
    """One run of characters to be left out of the skeleton: from where to where, how many line ends, of which file."""

    file: _File
    start: int
    end: int = 0
    lines: int = 0


@dataclass
class _Cutting:
    """One pass of expat over a file: budgets, the files in it, and where they stood; whether any line ends with a CR."""

    folder: Path
    limits: Limits
    encoding: str
    files: list[_File] = field(default_factory=list)
    cuts: list[_Cut] = field(default_factory=list)
    returns: bool = False
    _elements: int = 0
    _inside: list[tuple[str, _File | None]] = field(default_factory=list)
    _cut: _Cut | None = None
    _texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        # A protocol's word on the encoding: the one that `prolog` admitted, and no other.
        self._parser = parser = expat.ParserCreate(
            "utf-16" if self.encoding in prolog.WIDE else self.encoding
        )
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CommentHandler = self._aside
        parser.ProcessingInstructionHandler = self._aside
        parser.StartCdataSectionHandler = self._between
        parser.EndCdataSectionHandler = self._between
        parser.StartDoctypeDeclHandler = self._doctype

    def run(self, file: IO[bytes]) -> None:
        """The whole file. Raises Unreadable."""
        file.seek(0)
        fed = 0
        try:
            while piece := file.read(PIECE_BYTES):
                self.returns = self.returns or b"\r" in piece
                self._parser.Parse(piece, False)
                fed += len(piece)
                self._flush()
                if fed - self._parser.CurrentByteIndex > MOST_MARKUP + len(piece):
                    raise model.Unreadable("too_complex", "text")
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            detail = expat.ErrorString(error.code)
            raise model.Unreadable("not_xml", detail, error.lineno or None) from None
        finally:
            for one in self.files:
                one.end()

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._spend()
        parent = self._inside[-1][0] if self._inside else ""
        self._inside.append((grammar.standard(name), self._file() if _is_file(parent, name) else None))
        if len(self._inside) > self.limits.depth:
            raise model.Unreadable("too_complex", "depth")
        self._listen()

    def _end(self, _name: str) -> None:
        self._between()
        _, file = self._inside.pop()
        if file:
            file.end()
        self._listen()

    def _aside(self, *_content: str) -> None:
        """A comment or a processing instruction: it counts as an element does."""
        self._spend()
        self._listen()

    def _doctype(self, *_declared: object) -> None:
        raise model.Unreadable("forbidden_xml", "DOCTYPE")

    def _spend(self) -> None:
        self._between()
        self._elements += 1
        if self._elements > self.limits.elements:
            raise model.Unreadable("too_complex", "elements")

    def _file(self) -> _File:
        if len(self.files) > 2 * self.limits.attachments:  # some may stand where nothing is attached
            raise model.Unreadable("too_complex", "attachments")
        self.files.append(_File(self.folder / f"attached-{len(self.files)}", len(self.files)))
        return self.files[-1]

    def _listen(self) -> None:
        inside = bool(self._inside and self._inside[-1][1])
        self._parser.CharacterDataHandler = self._first if inside else None

    def _first(self, text: str) -> None:
        """Characters begin; those that follow go straight into the list."""
        _, file = self._inside[-1]
        assert file
        self._cut = _Cut(file, self._parser.CurrentByteIndex)
        self._texts.append(text)
        self._parser.CharacterDataHandler = self._texts.append

    def _between(self) -> None:
        """Something else than characters: the run that was cut ends before it."""
        if self._cut:
            self._flush()
            self._cut.end = self._parser.CurrentByteIndex
            self.cuts.append(self._cut)
            self._cut = None
            self._listen()

    def _flush(self) -> None:
        if self._cut and self._texts:
            self._cut.lines += sum(text.count("\n") for text in self._texts)
            self._cut.file.add(self._texts)
            self._texts.clear()


def _is_file(parent: str, name: str) -> bool:
    """Whether an element holds the bytes of a file, in whatever form of message; elsewhere its name means nothing."""
    if parent != _ATTACHMENT:
        return False
    entry = grammar.CHILDREN[_ATTACHMENT].get(grammar.standard(name))
    return entry is not None and entry.name == grammar.BYTES


def _count_lines(file: IO[bytes], cuts: list[_Cut], encoding: str) -> None:
    """The line ends in each cut as the parser of small messages counts them: a CR alone, to expat one, is none."""
    decoder = codecs.getincrementaldecoder(encoding)
    for cut in cuts:
        file.seek(cut.start)
        pieces, decode = _sized(cut.end - cut.start), decoder("replace").decode
        cut.lines = sum(decode(file.read(size)).count("\n") for size in pieces)


def _sized(size: int) -> Iterator[int]:
    """Sizes of pieces that are this together."""
    return (min(PIECE_BYTES, size - start) for start in range(0, size, PIECE_BYTES))


def _skeleton(file: IO[bytes], cuts: list[_Cut], encoding: str) -> bytes:
    """What is left, with a number where each file stood, in the same lines. Raises Unreadable `too_complex`."""
    size = file.seek(0, os.SEEK_END)
    if size - sum(cut.end - cut.start - cut.lines for cut in cuts) > SPOOLED_BYTES:
        raise model.Unreadable("too_complex", "text")
    wide = encoding if encoding in prolog.WIDE else "ascii"
    pieces, at, told = [], 0, set[int]()
    for cut in cuts:
        number = str(cut.file.number) if cut.file.begun and cut.file.number not in told else ""
        told.add(cut.file.number)
        pieces += [_part(file, at, cut.start), (number + "\n" * cut.lines).encode(wide)]
        at = cut.end
    return b"".join((*pieces, _part(file, at, size)))


def _part(file: IO[bytes], start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(end - start)
