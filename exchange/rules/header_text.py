"""Does the header say what the signed document says (số, ký hiệu, ngày ban hành, cơ quan ban hành)?

Theory of operation. Only the document is signed; the header is what a system typed beside it. Decree 30/2020/NĐ-CP
(annex I, part II) tells where a document says these things: the issuing agency stands top left, below it the line
with number and notation (`Số: 12/UBND-VX`), beside it place and day (`Cần Thơ, ngày 05 tháng 11 năm 2026`).
Text taken out of a PDF is in any order, lacks spaces or has too many, often lacks marks. So everything is compared
plain, the document's own line is told from the acts it cites, and whatever cannot be read clearly says nothing:
a warning that is wrong once a day is read by nobody. Nothing here refuses a letter.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from exchange.rules import folding

MOST_LINES = 400

_NUMBER = re.compile(
    r"(?:^|\s)so ?: ?(?P<number>\d*[a-z]?)[.…_ ]*/ ?(?P<rest>[^\s,;]*)"
    r"|^so (?P<bare>\d+[a-z]?) ?/ ?(?P<tail>[^\s,;]*)"
)
"""The line of number and notation: with a colon wherever it stands, without one at the start of a line only."""
_DAY = re.compile(r"[a-z],ngay(?P<day>\d{0,2})thang(?P<month>\d{1,2})nam(?P<year>\d{4})(?!\d)")
"""The document's own day, after a place and a comma, in text without spaces; acts that it cites have theirs without."""
_BEFORE = re.compile(r"^\d*/(?!$)")
_YEAR = re.compile(r"^(?:19|20)\d\d/")
_FEWEST_LETTERS = 8
"""A shorter name than this is found in other names."""
_GLUED = re.compile(r"[a-z]")


@dataclass(frozen=True, kw_only=True)
class Header:
    """What the header says. `agencies`: names under which its issuer may stand on the document."""

    number: str
    notation: str
    issued_on: date | None
    agencies: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One fact that differs: number, notation, date or agency; what the header says, what the document says."""

    fact: str
    said: str
    written: str


def differences(header: Header, page: str, others: Iterable[tuple[str, str]] = ()) -> tuple[Difference, ...]:
    """Where the text of a document's first page clearly says something else than its header.

    `others`: agencies that are neither the issuer nor above it, each as (`folding.written_out`, name).
    """
    lines = [folding.plain(line) for line in page.splitlines()[:MOST_LINES]]
    places = [at for at, line in enumerate(lines) if _NUMBER.search(line)]
    found: list[Difference] = []
    if places:
        told = [tuple(_number(header, lines[at])) for at in places]
        closest = min(told, key=len)
        found += closest
        found += _agency(header, " ".join(lines[: places[0]]), others)
    return (*found, *_day(header, "".join("".join(lines).split())))


def _number(header: Header, line: str) -> Iterator[Difference]:
    match = _NUMBER.search(line)
    assert match is not None
    number = (match["number"] or match["bare"] or "").lstrip("0")
    said_number = _plain_number(header.number)
    if number and said_number and number != said_number:
        yield Difference(fact="number", said=header.number, written=number)
    written = (match["rest"] or match["tail"] or "").rstrip(".")
    said = _plain_notation(header.notation)
    if written and said and not _same_notation(said, written):
        yield Difference(fact="notation", said=header.notation, written=written.upper())


def _plain_number(text: str) -> str:
    return "".join(folding.plain(text).split()).partition("/")[0].lstrip("0")


def _plain_notation(text: str) -> str:
    """The notation without what some systems put before it: the number, a stroke."""
    return _BEFORE.sub("", "".join(folding.plain(text).split()))


def _same_notation(said: str, written: str) -> bool:
    """Equal, with or without the year that normative documents carry; what goes on in letters may be the next word glued to it."""
    said, written = _YEAR.sub("", said), _YEAR.sub("", written)
    return written == said or bool(written.startswith(said) and _GLUED.match(written[len(said) :]))


def _day(header: Header, squeezed: str) -> Iterator[Difference]:
    found = _DAY.search(squeezed)
    if found is not None and header.issued_on is not None and not _is_day(found, header.issued_on):
        written = "/".join(filter(None, found.groups()))
        yield Difference(fact="date", said=f"{header.issued_on:%d/%m/%Y}", written=written)


def _is_day(match: re.Match[str], day: date) -> bool:
    """Whether that day is written; a day left open (to be stamped) is any of its month."""
    month = (int(match["month"]), int(match["year"])) == (day.month, day.year)
    return month and (not match["day"] or int(match["day"]) == day.day)


def _agency(header: Header, heading: str, others: Iterable[tuple[str, str]]) -> Iterator[Difference]:
    """Another known agency heads the document and the issuer does not; the longest name is the one that is meant."""
    own = [folding.written_out(name) for name in header.agencies]
    top = f" {folding.written_out(heading)} "
    if not own or any(f" {name} " in top for name in own):
        return
    heads = [
        (plain, name)
        for plain, name in others
        if len(plain) >= _FEWEST_LETTERS and f" {plain} " in top and not any(plain in one for one in own)
    ]
    if heads:
        _, written = max(heads, key=lambda one: len(one[0]))
        yield Difference(fact="agency", said=header.agencies[0], written=written)
