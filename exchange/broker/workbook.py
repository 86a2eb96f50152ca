"""The directory as one workbook (XLSX): written for people to fill in, and read back, all or nothing."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from exchange import ids
from exchange.broker import certificates, imports
from exchange.broker.imports import Outcome
from exchange.rules import directory_book, directory_csv, directory_pages, xlsx_read, xlsx_write
from exchange.rules.directory_book import BOOK, Taken
from exchange.rules.xlsx_parts import UnreadableError
from exchange.store import directory_sheets
from exchange.store.pool import Connection, Pool


@dataclass(frozen=True, kw_only=True)
class Workbook:
    """A workbook's file, taken apart; `raw` is what was given."""

    raw: bytes = field(repr=False)
    taken: Taken

    @property
    def file_names(self) -> tuple[str, ...]:
        """The files of certificates that its rows name; they stand beside it."""
        sheet = self.taken.sheets.get("certificate")
        return certificates.file_names(sheet) if sheet else ()


def read(raw: bytes) -> Workbook:
    """Take a file apart, whatever it holds; what is wrong with it is among the findings."""
    try:
        taken = directory_book.taken(xlsx_read.read(raw))
    except UnreadableError as error:
        taken = Taken(findings=(directory_csv.finding(BOOK, error.code, None, "", **error.facts),))
    return Workbook(raw=raw, taken=taken)


async def load(
    pool: Pool,
    book: Workbook,
    files: Mapping[str, bytes],
    *,
    new_ids: ids.Ids,
    at: datetime,
    asked: imports.Asked,
) -> Outcome:
    """Judge all sheets together; without an error write what differs. `files`: certificates that rows name."""
    sheets = dict(book.taken.sheets)
    bodies: Mapping[bytes, bytes] = {}
    if "certificate" in sheets:
        bodies = certificates.bodies(sheets["certificate"], files)
        sheets["certificate"] = certificates.completed(sheets["certificate"], files)
    source = imports.Source(
        sheets=sheets,
        event="workbook",
        digests={"workbook": hashlib.sha256(book.raw).hexdigest()},
        findings=book.taken.findings,
        bodies=bodies,
    )
    return await imports.run(pool, source, new_ids=new_ids, at=at, asked=asked)


async def export(connection: Connection, notes: xlsx_write.Notes, language: str) -> bytes:
    """The whole directory; loaded again it changes nothing."""
    state = (await directory_sheets.stored(connection)).state
    return xlsx_write.write(notes, directory_pages.laid_out(state, language))
