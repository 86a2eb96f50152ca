"""Registers (sổ đăng ký văn bản) loaded, a file of one book at a time: all or nothing; `dry_run` does it all and takes it back.

Rows are loaded, matched and counted in one transaction under the agency's lock. That paper went beside a letter is told to
its delivery afterwards, some hundred a commit (`tell`): who is interrupted loads the same file again, or leaves the rest to
housekeeping (`register_watch`).
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import BinaryIO
from uuid import UUID

from exchange.errors import Finding
from exchange.rules import (
    paper_class,
    register_books,
    register_days,
    register_lines,
    register_parties,
    registers,
)
from exchange.rules.directory import Directory
from exchange.rules.register_parties import Known
from exchange.rules.registers import Taken
from exchange.store import directory, journal, register_rows, rows
from exchange.store import registers as store
from exchange.store.pool import Connection
from exchange.store.register_rows import RegisterRow
from exchange.tracker import register_counted, register_proof
from exchange.tracker.register_proof import Hand

CHUNK = 1_000
PIECE = 1 << 20
MOST_FINDINGS = 2_000
MOST_TWICE = 200
MOST_KEY = 200
"""Letters of a party and of an arrival number that rows are told apart by."""

Tell = Callable[[int], None]
"""Told how many rows are loaded so far."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is loaded: whose book of which year, what its rows are; `first` and `last`: the days it covers, if told; not
    those to come.

    `snapshot`: the directory of that year, from who loads many books and has read it.
    """

    agency: UUID
    book: str
    year: int
    lists: str
    name: str
    first: date | None = None
    last: date | None = None
    dry_run: bool = False
    snapshot: Directory | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a load did, or would do. `earlier`: the load of the same file, then nothing was done.

    `lines` were read, `skipped` of them gave nothing; `rows` are transfers: `known` from other loads of the book too, `matched`
    with deliveries, `paper_only` counted as such (fewer if they stand elsewhere too), `unknown_parties` of them to nobody in
    the directory. `told`: so many deliveries learnt that paper went.
    """

    load: UUID | None
    earlier: UUID | None = None
    lines: int = 0
    rows: int = 0
    skipped: int = 0
    known: int = 0
    matched: int = 0
    paper_only: int = 0
    unknown_parties: int = 0
    told: int = 0
    first: date | None = None
    last: date | None = None
    findings: tuple[Finding, ...] = ()
    dry_run: bool = False


@dataclass(kw_only=True)
class _Loading:
    """How far a load is."""

    order: Order
    load: UUID
    hand: Hand
    parties: Known
    position: int = 0
    lines: int = 0
    rows: int = 0
    known: int = 0
    skipped: set[int] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    more: int = 0

    def tell(self, findings: Iterable[Finding]) -> None:
        """Keep findings, as many as are shown."""
        for one in findings:
            if len(self.findings) < MOST_FINDINGS:
                self.findings.append(one)
            else:
                self.more += 1


async def load(connection: Connection, file: BinaryIO, order: Order, hand: Hand, tell: Tell) -> Outcome:
    """Load a file. Raises registers.RefusedError for one that is not taken; then nothing was written."""
    order = _spanned(order, paper_class.local_day(hand.at))
    sha256 = _digest(file)
    async with _kept(connection, dry_run=order.dry_run):
        await store.lock(connection, order.agency)
        earlier = await store.loaded(connection, order.agency, order.book, order.year, sha256)
        if earlier:
            outcome = Outcome(load=None, earlier=earlier)
        else:
            loading = await _begun(connection, order, sha256, hand)
            outcome = await _loaded(connection, file, loading, tell)
    if order.dry_run:
        return replace(outcome, load=None, dry_run=True)
    told = await register_proof.tell(connection, order.agency, hand)
    return replace(outcome, told=told)


def _spanned(order: Order, today: date) -> Order:
    """No book covers days to come; nor, but for what is handed over at the turn of the year, days of another year."""
    over = timedelta(days=register_days.HANDED_OVER)
    earliest, latest = date(order.year, 1, 1) - over, date(order.year, 12, 31) + over
    given = [on for on in (order.first, order.last) if on]
    if any(not earliest <= on <= latest for on in given) or (order.first and order.first > today):
        days = {"first": earliest, "last": min(latest, today)}
        told = {name: f"{on:%d/%m/%Y}" for name, on in days.items()}
        raise registers.RefusedError(
            [register_lines.finding("register_span", None, "error", year=order.year, **told)]
        )
    return replace(order, last=min(order.last, today)) if order.last else order


def _digest(file: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    while piece := file.read(PIECE):
        digest.update(piece)
    file.seek(0)
    return digest.digest()


@asynccontextmanager
async def _kept(connection: Connection, *, dry_run: bool) -> AsyncIterator[None]:
    """A transaction; what a dry run did is taken back."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    except BaseException:
        await transaction.rollback()
        raise
    await (transaction.rollback() if dry_run else transaction.commit())


async def _begun(connection: Connection, order: Order, sha256: bytes, hand: Hand) -> _Loading:
    snapshot = order.snapshot or await directory.read(connection, date(order.year, 1, 1))
    made = hand.ids.new()
    facts = (order.agency, made, order.book, order.year, order.lists, sha256, order.name)
    await store.add(connection, store.Load(*facts, 0, hand.at, hand.by, None, None))
    parties = register_parties.known(snapshot, order.agency)
    return _Loading(order=order, load=made, hand=hand, parties=parties)


async def _loaded(connection: Connection, file: BinaryIO, loading: _Loading, tell: Tell) -> Outcome:
    order = loading.order
    book = register_books.books()[order.book]
    asked = registers.Asked(book=book, year=order.year, today=paper_class.local_day(loading.hand.at))
    for taken in _chunks(registers.read(file, asked)):
        await _written(connection, loading, taken, book.direction)
        tell(loading.rows)
    held = await store.finish(connection, order.agency, loading.load, order.first, order.last)
    await register_counted.settled(connection, order.agency, book.direction, loading.hand)
    loading.known = await _known(connection, loading)
    loading.tell(await _used_twice(connection, loading))
    await _journalled(connection, loading, "register_loaded", held["n"])
    return await _outcome(connection, loading, held["first"], held["last"])


def _chunks(taken: Iterable[Taken]) -> Iterator[list[Taken]]:
    chunk: list[Taken] = []
    for one in taken:
        chunk.append(one)
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


async def _written(connection: Connection, loading: _Loading, taken: Sequence[Taken], direction: str) -> None:
    given = [row for one in taken for row in _rows(loading, one, direction)]
    for one in taken:
        loading.tell(one.findings)
        loading.lines += one.line > 0 and bool(one.rows or one.findings)
        if not one.rows and any(found.severity == "error" for found in one.findings):
            loading.skipped.add(one.line)
    new = await register_rows.write(connection, given)
    loading.rows += len(new)
    missed = [row for row in given if row.position not in new]
    there = await register_rows.twice(connection, missed)
    loading.skipped.update({row.line for row in missed} - {row.line for row in given if row.position in new})
    loading.tell(_twice(row, there[row.position]) for row in missed)


def _rows(loading: _Loading, taken: Taken, direction: str) -> Iterator[RegisterRow]:
    for row in taken.rows:
        for party in register_parties.parties(loading.parties, row.party, row.moved_on):
            loading.position += 1
            yield RegisterRow(
                agency=loading.order.agency, id=loading.hand.ids.new(), load=loading.load, direction=direction,
                position=loading.position, line=row.line, number=row.number, notation=row.notation,
                issued_on=row.issued_on, issued_year=row.year, series=row.series, number_key=row.number_key,
                notation_key=row.notation_key, document_type=row.document_type, subject=row.subject,
                other_party=party.name[: register_lines.MOST_TEXT], party_key=replace(row, party=party.name).party_key[:MOST_KEY],
                other_agency=party.agency, scope=party.scope, moved_on=row.moved_on, copies=row.copies,
                entry=row.entry[:MOST_KEY], signer=row.signer, kept_by=row.kept_by, handed_to=row.handed_to,
                handed_on=row.handed_on, signed_for=row.signed_for, note=row.note, loaded_at=loading.hand.at,
            )  # fmt: skip


def _twice(row: RegisterRow, line: int) -> Finding:
    document = _document(row.number, row.notation)
    return register_lines.finding(
        "register_row_twice", row.line, "warning", other=line, document=document, party=row.other_party
    )


def _document(number: str, notation: str) -> str:
    return f"{number}/{notation}" if notation else number


async def _known(connection: Connection, loading: _Loading) -> int:
    """Tell which rows other loads of the book have too; how many."""
    found = await register_rows.known(connection, loading.order.agency, loading.load, MOST_FINDINGS)
    loading.tell(
        register_lines.finding(
            "register_row_known", one["line"], "info", load=one["load"],
            document=_document(one["number"], one["notation"]), party=one["other_party"],
        )
        for one in found
    )  # fmt: skip
    n = found[0]["n"] if found else 0
    loading.more += n - len(found)
    return int(n)


async def _used_twice(connection: Connection, loading: _Loading) -> list[Finding]:
    found = await store.used_twice(connection, loading.order.agency, loading.load, MOST_TWICE)
    return [
        register_lines.finding(
            "register_number_twice", one["line"], "warning",
            number=one["number"], count=one["n"], documents=", ".join(one["documents"]),
        )
        for one in found
    ]  # fmt: skip


async def _journalled(connection: Connection, loading: _Loading, event: str, n: int) -> None:
    order = loading.order
    detail = {
        "load": str(loading.load),
        "book": order.book,
        "year": order.year,
        "lists": order.lists,
        "rows": n,
        "by": loading.hand.by,
    }
    line = rows.JournalRow(
        agency=order.agency, id=loading.hand.ids.new(), at=loading.hand.at, event=event, detail=detail
    )
    await journal.append(connection, [line])


async def _outcome(
    connection: Connection, loading: _Loading, first: date | None, last: date | None
) -> Outcome:
    held = await store.of_load(connection, loading.order.agency, loading.load)
    more = (
        [register_lines.finding("register_more_findings", None, count=loading.more)] if loading.more else []
    )
    return Outcome(
        load=loading.load, lines=loading.lines, rows=loading.rows, skipped=len(loading.skipped),
        known=loading.known, matched=held["matched"], paper_only=held["paper_only"], unknown_parties=held["unknown_parties"], first=first, last=last,
        findings=(*loading.findings, *more),
    )  # fmt: skip
