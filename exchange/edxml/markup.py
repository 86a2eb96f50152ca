"""Bytes of a message, cut into its markup and the texts between, by searches of the C library alone.

Theory of operation. Where a document has no character that XML forbids, and `<` and `>` in turns, its markup can be told
from its texts without a parser; `&` may stand in texts, and is resolved when they are parted. The *shape* is that markup with the values of attributes left out. What a parser
says of one document holds for every document of the same shape, if the shape keeps the closed forms of `SHAPED`: a text
without `<`, `&` and `>`, a value without them and the quotation mark around it, cannot change where markup begins or ends
(XML 1.0, productions 10 and 14). So well-formedness, names, namespaces and order belong to the shape alone. Declarations
of namespaces keep their values; the declaration of XML, too.

Nearly all bytes of a letter are attached files. A text of more than two STRIDEs is never copied with the rest, it is
found by probing. Forbidden characters are looked for in one search for all of them, with the processor's wide registers.
"""

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

import stringzilla

STRIDE = 16_384
"""Bytes from probe to probe: a text of twice as many is met by one."""
MOST_SHORT = 1 << 18
"""Bytes beside long texts."""
MOST_PIECES = 512
MOST_REFERENCES = 256
"""References to characters, but for those at the ends of lines: each is looked at by itself, which a parser does quicker."""

_FORBIDDEN = bytes(code for code in range(0x20) if code not in b"\t\n\r")
_REFERENCE = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#(?:x0{0,4}([0-9a-fA-F]{1,6})|0{0,4}([0-9]{1,7})));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_NO_CHARACTER = re.compile("[^\t\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML forbids (2.2), and the end of a line, which is counted where it stands."""
_NO_ANGLES = bytes(code for code in range(256) if code not in b"<>")
_LONG = "\0"
"""Stands where a long text was: no document has it."""
_WORD = r"[A-Za-z_][A-Za-z0-9_.-]{0,63}"
_NAME = f"{_WORD}(?::{_WORD})?"
_SPACE = r"[ \t\n]"
SHAPED = re.compile(
    rf"(?P<end>/{_NAME}){_SPACE}*"
    rf"|(?P<start>{_NAME})(?:{_SPACE}+(?:xmlns(?::{_WORD})?=\"[^\"'\s]+\""
    rf'|(?![xX][mM][lL]){_NAME}=""))*{_SPACE}*(?P<empty>/?)'
    r"|!--(?P<comment>(?:[^-\"'=]|-[^-\"'=])*)--"
)
"""The markup of a shape that may be remembered; nothing of it can be said in another way by values left out."""
DECLARED = re.compile(
    r"""\?xml version=["']1\.0["'](?: encoding=["'][uU][tT][fF]-8["'])?(?: standalone=["'](?:yes|no)["'])?\?"""
)


class Cut(NamedTuple):
    """The shape, which is the declaration and all other pieces of markup, `<` between them; the texts around and between them, one more than pieces."""

    shape: str
    texts: list[str]
    pieces: list[str]
    """Texts and markup in turns; in place of a long text stands one character."""
    long: list[int]
    """Places of long texts."""
    broken: bool
    """Whether lines end inside of markup."""

    def line(self, piece: int, after: int, line: int) -> int:
        """The line on which a piece of markup ends, if that of the piece `after` is known."""
        told = self.pieces[2 * after + 2 : 2 * piece + 2 : 1 if self.broken else 2]
        long = [self.texts[place] for place in self.long if after < place <= piece]
        return line + "".join(told).count("\n") + sum([text.count("\n") for text in long if "\n" in text])


def cut(raw: bytes) -> Cut | None:
    """The parts of a document in UTF-8; None where only a parser can tell them."""
    content = raw.removeprefix(codecs.BOM_UTF8)
    if stringzilla.find_first_of(content, _FORBIDDEN) >= 0:
        return None
    runs = _runs(content)
    short = _LONG.encode().join(_others(content, runs)) if runs else content
    if len(short) > MOST_SHORT or not _has_turns(short):
        return None
    try:
        found = _parted(_lines(short.decode()), [_lines(_text(content, *run)) for run in runs])
        return _resolved(found) if found and b"&" in content else found
    except ValueError:
        return None


def _has_turns(short: bytes) -> bool:
    """Whether `<` and `>` stand in turns, and not too many of them."""
    angles = short.translate(None, _NO_ANGLES)
    pieces = len(angles) // 2
    return 0 < pieces <= MOST_PIECES and angles == b"<>" * pieces


def _runs(content: bytes) -> list[tuple[int, int]]:
    """From where to where long texts go, in order."""
    runs, probe, last = [], STRIDE, 0
    while (end := content.find(b"<", probe)) >= 0:
        if end - probe >= STRIDE:
            start = content.rfind(b">", last, probe) + 1
            if content.find(b">", probe, end) < 0 and content.rfind(b"<", start, probe) < 0:
                runs.append((start, end))
        probe, last = end + STRIDE, end
    return runs


def _others(content: bytes, runs: list[tuple[int, int]]) -> Iterator[bytes]:
    """What stands around the long texts."""
    ends = [0, *(end for _, end in runs)]
    starts = [*(start for start, _ in runs), len(content)]
    return (content[end:start] for end, start in zip(ends, starts, strict=True))


def _text(content: bytes, start: int, end: int) -> str:
    return str(memoryview(content)[start:end], "ascii")


def _lines(text: str) -> str:
    """The ends of lines as XML reads them (2.11). Raises ValueError where they are not those of Unix or Windows."""
    if "\r" not in text:
        return text
    text = text.replace("\r\n", "\n")
    if "\r" in text:
        raise ValueError(text[:0])
    return text


def _parted(short: str, long: list[str]) -> Cut | None:
    if "\ufffe" in short or "\uffff" in short:
        return None
    pieces = short.replace(">", "<").split("<")
    texts, markup = pieces[::2], "<".join(pieces[1::2])
    places = []
    for text in long:
        places.append(texts.index(_LONG))
        texts[places[-1]] = text
    first, _, rest = markup.partition("<") if markup.startswith("?") else ("", "", markup)
    if (first and texts[0]) or "&" in markup:
        return None
    return Cut(first + "<" + _shape(rest), texts, pieces, places, "\n" in markup)


def _resolved(found: Cut) -> Cut:
    """The same with characters in place of references (4.1, 4.6).

    Raises ValueError for any outside of the root, for one that is none, for the end of a line, and for too many.
    """
    markup, texts = found.pieces[1::2], list(found.texts)
    places = [place for place, text in enumerate(texts) if "&" in text]
    if not (any(map(_is_tag, markup[: places[0]])) and any(map(_is_tag, markup[places[-1] :]))):
        raise ValueError(found.shape[:0])
    left = MOST_REFERENCES
    for place in places:
        text = texts[place].replace("&#13;", "\r")  # in every line that Java writes
        left -= text.count("&")
        texts[place] = _told(text, left)
    return found._replace(texts=texts)


def _is_tag(piece: str) -> bool:
    return not piece.startswith(("?", "!"))


def _told(text: str, left: int) -> str:
    if "&" not in text:
        return text
    told, count = _REFERENCE.subn(_character, text) if left >= 0 else ("", 0)
    if count != text.count("&"):
        raise ValueError(text[:0])
    return told


def _character(reference: re.Match[str]) -> str:
    name, hexadecimal, decimal = reference.groups()
    found = _NAMED[name] if name else chr(int(hexadecimal, 16) if hexadecimal else int(decimal))
    if _NO_CHARACTER.match(found):
        raise ValueError(found[:0])
    return found


def _shape(markup: str) -> str:
    """The markup without what stands in quotation marks, but for the names of namespaces.

    Raises ValueError where quotation marks do not close in the piece of markup in which they open.
    """
    parts = markup.split('"')
    if "<" in "".join(parts[1::2]):
        raise ValueError(markup[:0])
    parts[1::2] = [
        value if "xmlns" in before else "" for before, value in zip(parts[::2], parts[1::2], strict=False)
    ]
    return '"'.join(parts)
