"""The year's outgoing registers (sổ đăng ký văn bản đi): one file for every agency, its lines what went on paper only.

An agency that sent nothing on paper has a register too: its one line is a document that stays in the office, which is
no transfer. So the registers of all agencies cover the year, and none adds to what was published.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from exchange.demo import year_letters, year_plan
from exchange.demo.year_plan import Document
from exchange.rules import register_books
from exchange.rules.directory_entries import AgencyEntry

FIRST, LAST = date(year_plan.YEAR, 1, 1), date(year_plan.YEAR, 12, 31)
KEPT_BY = "Văn thư"
STAYS = "Danh mục hồ sơ lưu tại cơ quan"


def books(documents: Iterable[Document]) -> Iterator[tuple[AgencyEntry, bytes]]:
    """Each agency's register as CSV; of the documents only those on paper only are in it."""
    held: defaultdict[int, list[Document]] = defaultdict(list)
    last: defaultdict[int, int] = defaultdict(int)
    for one in documents:
        last[one.sender] = one.number
        if one.klass == "P":
            held[one.sender].append(one)
    everybody = year_plan.senders()
    for place, entry in enumerate(everybody):
        lines = [_line(entry, one, everybody) for one in held[place]] or [_stays(entry, last[place] + 1)]
        yield entry, _file(lines)


def _line(entry: AgencyEntry, document: Document, everybody: Sequence[AgencyEntry]) -> dict[str, str]:
    kind, notation, subject = year_letters.template(entry, document)
    day = document.issued_on
    return {
        "document": f"{document.number}/{notation}",
        "issued_on": f"{day:%d/%m/%Y}",
        "summary": f"{kind}: {subject}",
        "party": "; ".join(everybody[one].code for one in document.recipients),
        "copies": str(len(document.recipients)),
        "moved_on": f"{day:%d/%m/%Y}",
        "note": year_letters.LABEL,
    }


def _stays(entry: AgencyEntry, number: int) -> dict[str, str]:
    day = LAST - timedelta(days=1)
    return {
        "document": f"{number}/DM-{entry.code.replace('.', '')}",
        "issued_on": f"{day:%d/%m/%Y}",
        "summary": STAYS,
        "kept_by": KEPT_BY,
        "moved_on": f"{day:%d/%m/%Y}",
        "note": year_letters.LABEL,
    }


def _file(lines: Iterable[dict[str, str]]) -> bytes:
    book = register_books.books()["out"]
    columns = book.columns[: book.printed]
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([one.heading for one in columns])
    writer.writerows([line.get(one.name, "") for one in columns] for line in lines)
    return file.getvalue().encode()
