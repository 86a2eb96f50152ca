"""Registers printed (sổ đăng ký văn bản đi, đến): one line for each document, the ten columns of Decree 30/2020/NĐ-CP Annex IV.

A document that went electronically to some and on paper to others is one line, as in a book (Decree 30 Art. 15(1), 16(2): one
register for paper and electronic documents, with all columns of the book). It stands in the register of the span in which it
first moved, with all that is known of it: the lines of twelve months are those of the year. A line of documents received is in
the span of its own day, an arrival number each.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from exchange import texts
from exchange.rules import paper_class
from exchange.store import register_print
from exchange.store.pool import Connection
from exchange.tracker.tally import Period


@dataclass(frozen=True)
class Said:
    """A sentence for a cell, to be said in the reader's language: its key and facts."""

    key: str
    facts: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True)
class Several:
    """What a cell says in several parts, one after the other."""

    parts: tuple[Said | str, ...]


Plain = str | int | date | None
Value = Plain | Several

ELECTRONIC, PAPER, BOTH = (Said(f"register.note_{name}") for name in ("electronic", "paper", "both"))


async def lines(
    connection: Connection, book: str, agency: UUID, period: Period
) -> AsyncIterator[tuple[Value, ...]]:
    """The lines of an agency's register of a period, in the book's columns; within a transaction."""
    found = register_print.entries(connection, book, agency, *_span(period))
    if book == "in":
        async for one in found:
            yield _came(one)
        return
    group: list[Any] = []
    async for one in found:
        if group and _document(one) != _document(group[0]):
            yield _sent(group)
            group = []
        group.append(one)
    if group:
        yield _sent(group)


async def summary(
    connection: Connection, book: str, agencies: Sequence[UUID] | None, period: Period
) -> list[Any]:
    """Each agency's register of a period on one line, as a book's cover tells: days and numbers from and to, how many lines."""
    return await register_print.summary(connection, book, agencies, *_span(period))


def _span(period: Period) -> tuple[tuple[date, date], tuple[datetime, datetime]]:
    end = period.last + timedelta(days=1)
    return (period.first, period.last), (paper_class.start_of(period.first), paper_class.start_of(end))


def _document(one: Any) -> tuple[object, ...]:  # noqa: ANN401 - a record
    """What entries of one document have in common; without a number each is its own."""
    if one["number_key"] is None:
        return one["source"], one["line"]
    return tuple(one[name] for name in ("issued_year", "series", "number_key", "notation_key"))


def _sent(group: Sequence[Any]) -> tuple[Value, ...]:
    first = group[0]
    letters, rows = [one for one in group if one["line"] == 0], [one for one in group if one["line"]]
    copies = {(one["source"], one["line"]): one["copies"] for one in rows if one["copies"]}
    moved = min(_day(one) for one in group)
    return (
        _numbered(first), next((one["issued_on"] for one in group if one["issued_on"]), None),
        next((said for one in group if (said := _summary(one))), ""), _joined(one["signer"] for one in group),
        _joined(party for one in group for party in (one["parties"] or "").split("; ")),
        _joined(one["kept_by"] for one in rows), sum(copies.values()) or None, moved,
        _receipts(letters, rows), _note(rows, electronic=bool(letters)),
    )  # fmt: skip


def _came(one: Any) -> tuple[Value, ...]:  # noqa: ANN401 - a record
    kind = BOTH if one["paper"] and one["electronic"] else PAPER if one["paper"] else ELECTRONIC
    return (
        _day(one), one["entry"], one["parties"], _numbered(one), one["issued_on"], _summary(one), one["handed_to"],
        one["handed_on"], one["signed_for"], Several((kind, one["note"])),
    )  # fmt: skip


def _day(one: Any) -> date:  # noqa: ANN401 - a record
    """The day of the book where it has one, else that of the exchange."""
    day: date | None = one["moved_on"]
    return day or paper_class.local_day(one["moved_at"])


def _numbered(one: Any) -> str:  # noqa: ANN401 - a record
    return "/".join(filter(None, (one["number"], one["notation"])))


def _summary(one: Any) -> str:  # noqa: ANN401 - a record
    kind, subject = one["document_type"] or "", one["subject"] or ""
    return subject if subject.casefold().startswith(kind.casefold()) else f"{kind} {subject}".strip()


def _joined(parts: Iterable[str | None]) -> str:
    return "; ".join(dict.fromkeys(filter(None, parts)))


def _receipts(letters: Sequence[Any], rows: Sequence[Any]) -> Several:
    """Who signed for the paper, and how many recipients' systems have the letter."""
    told = [Said("register.arrived", (("arrived", one["arrived"]), ("sent", one["sent"]))) for one in letters]
    return Several((*told, _joined(one["signed_for"] for one in rows)))


def _note(rows: Sequence[Any], *, electronic: bool) -> Several:
    paper = any(one["paper"] for one in rows)
    kind = BOTH if paper and electronic else PAPER if paper else ELECTRONIC
    return Several((kind, _joined(one["note"] for one in rows)))


def said(value: Value, language: str) -> Plain:
    """One cell in the reader's language."""
    if not isinstance(value, Several):
        return texts.clean(value) if isinstance(value, str) else value
    parts = (
        texts.say(part.key, language, **dict(part.facts)) if isinstance(part, Said) else texts.clean(part)
        for part in value.parts
    )
    return "; ".join(filter(None, parts))
