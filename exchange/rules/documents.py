"""Which document (văn bản) a letter carries, and when sending it again is no transfer of its own.

Theory of operation. A document is what an office issued under one number: issuer, year, series, number and notation
(Decree 30/2020/NĐ-CP Art. 15(1): number and notation are unique in a year). Systems write these as they like, so they
are compared plain: `012/ubnd – vx`, `12` with `UBND-VX`, and `12/UBND-VX` beside an empty notation are one. Only how
it is written is levelled, never what: HD and HĐ are two kinds, 34 and 34E31 two numbers, and a year that is not the
year of issue stays where it stands. What cannot be told apart for certain is two documents, and both count.

Which numbers belong together is data: `series.toml`. A document is sent to one agency once: the same file under the
same key, to somebody who holds it already, is X *duplicate* (rules_and_measures C.2); other content under the same
key counts, and the sender is told. Rounds of one id are one document; what expired is the duplicate of what follows it. A replacement under the key of what it replaces is no second document either, where
the old one stays counted. An update that gives another number gives it to the document: to all letters that are one with
what it names, and to no others under the old number (`store.renumbered`).
"""

import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

from exchange.errors import Finding
from exchange.rules import document_types, lifecycle, operations

MOST = 200
"""Letters of a number or a notation; what is longer is none."""

DOCUMENTS = frozenset({"new", "replace"})
"""Operations whose letters carry a document of their own: transfers that are counted, in rounds, and what others act on.

A revocation or an update is about one; those and notices are never counted.
"""


@dataclass(frozen=True, kw_only=True)
class Key:
    """What tells documents apart (khóa văn bản). `issuer`: From's canonical agency; `year`: of the day of issue."""

    issuer: UUID
    year: int
    series: str
    number: str
    notation: str


@dataclass(frozen=True, kw_only=True)
class Series:
    """One rule of `series.toml`: what has a series of its own. `types` are folded, `notations` upper case."""

    name: str
    types: frozenset[str] = frozenset()
    notations: frozenset[str] = frozenset()
    year_written: bool = False
    source: str = ""


def key(issuer: UUID, number: str, notation: str, issued_on: date | None, type_name: str = "") -> Key | None:
    """The key of a document as its header tells it; None without a number or a day, or with endless ones."""
    if issued_on is None or len(number) > MOST or len(notation) > MOST:
        return None
    plain_number, plain_notation, year_written = plain(number, notation, issued_on.year)
    if not plain_number:
        return None
    return Key(
        issuer=issuer,
        year=issued_on.year,
        series=series(plain_notation, type_name, year_written=year_written),
        number=plain_number,
        notation=plain_notation,
    )


def plain(number: str, notation: str, year: int) -> tuple[str, str, bool]:
    """Number and notation as they are compared, and whether the year of issue stands between them."""
    head, *more = _parts(number) or ("",)
    parts = _parts(notation)
    head = _OPENING.sub("", head)
    written = more[:1] == [str(year)]
    more = more[written:]
    if len(parts) > 2 and _same(parts[0], head):  # noqa: PLR2004 - 12/2026/QĐ-UBND, all of it in the notation
        parts = parts[1:]
    if len(parts) > 1 and (parts[0] == str(year) or _same(parts[0], head)):
        written = written or parts[0] == str(year)
        parts = parts[1:]
    if more and parts and more != parts:
        return _whole("/".join((head, *more))), "/".join(parts), written
    return _whole(head), "/".join(more or parts), written


def series(
    notation: str, type_name: str, *, year_written: bool = False, rules: Iterable[Series] | None = None
) -> str:
    """The name of the series that a document is in; empty for the one of its agency and year. `notation` is plain."""
    kind, opening = document_types.fold(type_name), notation.partition("-")[0]
    for rule in default_series() if rules is None else rules:
        if (kind in rule.types or opening in rule.notations) and (year_written or not rule.year_written):
            return rule.name
    return ""


@cache
def default_series() -> tuple[Series, ...]:
    """The rules that come with the exchange."""
    return read_series(files(__package__).joinpath("series.toml").read_text(encoding="utf-8"))


def read_series(text: str) -> tuple[Series, ...]:
    """Rules from a file like `series.toml`. Raises ValueError or KeyError for what is none."""
    return tuple(_series(row) for row in tomllib.loads(text)["series"])


def _series(row: Mapping[str, Any]) -> Series:
    return Series(
        name=row["name"],
        types=frozenset(map(document_types.fold, row.get("types", ()))),
        notations=frozenset(map(_level, row.get("notations", ()))),
        year_written=row.get("year_written", False),
        source=row["source"],
    )


_ALIKE = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
        **dict.fromkeys("\u2044\u2215\uff0f", "/"),
        **dict.fromkeys("\u00d0\u0189", "Đ"),  # Eth and African D: what old fonts had for it
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
    }
)
_EDGE = ".,:;-_/"
_OPENING = re.compile(r"^SỐ[:.]?(?=\d)")
_ZEROS = re.compile(r"^0+(?=[0-9])")


def _level(text: str) -> str:
    """Upper case, composed, without spaces and what is invisible, one kind of dash and stroke, clean ends."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.upper()).translate(_ALIKE)
        text = "".join(letter for letter in text if unicodedata.category(letter) not in _INVISIBLE)
        text = unicodedata.normalize("NFC", text)  # what stood between a letter and its mark is gone
    return "".join(text.upper().split()).strip(_EDGE)


def _parts(text: str) -> list[str]:
    return [part for one in _level(text).split("/") if (part := one.strip(_EDGE))]


_INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


def _whole(number: str) -> str:
    return _ZEROS.sub("", number)


def _same(one: str, other: str) -> bool:
    return _whole(one) == _whole(other)


@dataclass(frozen=True, kw_only=True)
class Held:
    """An agency that a letter goes to has a letter of the same key already, or will: the delivery's state.

    `same`: its main file is the same (or, without files, all of it), or both are rounds of one. `duplicate`: that one
    was none of its own. `recalled`: it was registered before it was withdrawn, so it stays counted. `counts`: nothing
    else leaves it out, once it arrives. `delivery`: None before it is expanded.
    """

    recipient: UUID
    letter: UUID
    document_id: str
    state: str
    same: bool
    duplicate: bool = False
    recalled: bool = False
    counts: bool = True
    round: int = 1
    delivery: UUID | None = None

    @property
    def key(self) -> tuple[UUID, UUID, int]:
        """Recipient, letter, round."""
        return self.recipient, self.letter, self.round


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a letter is beside its key, as far as sending twice goes.

    `replaced`: the documents it replaces by id, each with the agencies for which it does; None: for all.
    """

    document_id: str
    replaced: Mapping[str, Collection[UUID] | None] = field(default_factory=dict)


def duplicates(sent: Sent, held: Iterable[Held]) -> dict[UUID, UUID]:
    """The recipients for whom this letter is no transfer of its own, each with the letter that is."""
    found: dict[UUID, UUID] = {}
    for one in held:
        if (one.state not in lifecycle.CLOSED or one.recalled) and _stands(sent, one):
            found.setdefault(one.recipient, one.letter)
    return found


def ended(sent: Sent, held: Iterable[Held]) -> list[Held]:
    """What expired, and must not count any more when it is taken in after all: the document went there again."""
    return [one for one in held if one.state == "expired" and one.counts and _stands(sent, one)]


def _stands(sent: Sent, one: Held) -> bool:
    """Whether what the recipient has is the same document, and is not taken away."""
    if one.duplicate:
        return False
    if one.document_id not in sent.replaced:
        return one.same
    concerned = sent.replaced[one.document_id]
    at_once = operations.effect(one.state, "replace") == "withdraw"
    return not (at_once and (concerned is None or one.recipient in concerned))


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """A letter under the same key that came first, as the sender may be told of it; `recipients` are all of it."""

    document_id: str
    day: date
    same: bool
    recipients: tuple[UUID, ...] = ()


def cautions(
    sent: Sent, number: str, recipients: Collection[UUID], earlier: Sequence[Earlier]
) -> tuple[Finding, ...]:
    """What the sender is warned of, each at most once: the number is used, or the document was sent before.

    Other rounds of the same document id and what the letter replaces are neither.
    """
    others = [
        one for one in earlier if one.document_id != sent.document_id and one.document_id not in sent.replaced
    ]
    found: dict[str, Finding] = {}
    for one in others:
        again = sum(recipient in recipients for recipient in one.recipients)
        if not one.same or again:
            told = _caution(one, number, again)
            found.setdefault(told.code, told)
    return tuple(found.values())


def _caution(one: Earlier, number: str, again: int) -> Finding:
    facts = {"number": number, "day": f"{one.day:%d/%m/%Y}", "document_id": one.document_id}
    if one.same:
        return Finding(severity="warning", code="document_sent_before", facts=facts | {"count": str(again)})
    return Finding(severity="warning", code="duplicate_number", facts=facts)
