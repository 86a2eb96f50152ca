"""The year's letters as bytes: one edXML message each from a few templates per kind of agency, sealed by its sender.

Made in processes of their own (`Maker`): sealing 57,000 letters would hold up everything else.
"""

import multiprocessing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Self

from exchange.demo import letters, year_plan
from exchange.demo.year_plan import Document
from exchange.edxml import attachments, model, write
from exchange.rules.directory_entries import AgencyEntry
from signing import keys, pdf_write, seal

PDF = "application/pdf"
LABEL = "dựng lại theo số đã công bố"
"""What every letter says of itself: nothing of this year is a real document."""
SIGNER = "Người đứng đầu cơ quan (trình diễn)"

TEMPLATES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "department": (
        ("Công văn", "CV", "V/v hướng dẫn thực hiện nhiệm vụ của ngành"),
        ("Kế hoạch", "KH", "Kế hoạch kiểm tra định kỳ"),
        ("Báo cáo", "BC", "Báo cáo kết quả công tác"),
        ("Giấy mời", "GM", "Giấy mời họp triển khai công tác"),
    ),
    "district": (
        ("Công văn", "CV", "V/v triển khai nhiệm vụ trên địa bàn"),
        ("Báo cáo", "BC", "Báo cáo tình hình kinh tế - xã hội"),
        ("Kế hoạch", "KH", "Kế hoạch cải cách hành chính"),
    ),
    "commune": (
        ("Báo cáo", "BC", "Báo cáo tiếp công dân, giải quyết đơn thư"),
        ("Công văn", "CV", "V/v phối hợp xác minh hồ sơ"),
    ),
    "clerk_unit": (
        ("Báo cáo", "BC", "Báo cáo hoạt động chuyên môn"),
        ("Công văn", "CV", "V/v đăng ký nhu cầu"),
    ),
    "": (
        ("Công văn", "CV", "V/v cung cấp số liệu"),
        ("Báo cáo", "BC", "Báo cáo định kỳ"),
        ("Kế hoạch", "KH", "Kế hoạch phối hợp công tác"),
    ),
}
"""Kind of document, abbreviation and subject, by kind of agency; "" for all others."""


def template(entry: AgencyEntry, document: Document) -> tuple[str, str, str]:
    """Kind, notation and subject of a document."""
    several = TEMPLATES.get(entry.kind, TEMPLATES[""])
    kind, short, subject = several[document.template % len(several)]
    return kind, f"{short}-{entry.code.replace('.', '')}", subject


def registered(document: Document, code: str, at: datetime) -> bytes:
    """A document's first recipient says what became of it, to its sender."""
    sender, recipient = (_ENTRIES[one] for one in (document.sender, document.recipients[0]))
    _, notation, _ = template(sender, document)
    about = model.ResponseFor(
        code=sender.code,
        reference=f"{document.number}/{notation}",
        issued_on=document.issued_on,
        document_id=document_id(sender, document, notation),
    )
    party = model.Party(code=recipient.code, name=recipient.name)
    return write.write(model.Notice(sender=party, response_for=about, status=code, at=at))


_ENTRIES = year_plan.senders()


def document_id(sender: AgencyEntry, document: Document, notation: str) -> str:
    """As most writers make it (reference page edxml, 8.1)."""
    return letters.document_id(sender.code, document.issued_on, document.number, notation)


@dataclass(frozen=True, kw_only=True)
class Seal:
    """An agency's seal (con dấu) as it goes to another process: key in PEM, certificate in DER."""

    key: bytes
    certificate: bytes


def seals(holders: Mapping[str, keys.Holder]) -> dict[str, Seal]:
    """The seals of agencies by code."""
    return {code: Seal(key=keys.private_pem(one.key), certificate=one.der) for code, one in holders.items()}


class Writer:
    """Composes and seals; templates and keys are made once."""

    def __init__(self, given: Mapping[str, Seal]) -> None:
        self._seals = dict(given)
        self._held: dict[str, keys.Holder] = {}
        self._parties = [model.Party(code=one.code, name=one.name) for one in _ENTRIES]
        self._models: dict[tuple[int, str], model.Letter] = {}

    def write(self, document: Document) -> bytes:
        """One letter's bytes."""
        holder = self._holder(_ENTRIES[document.sender].code)
        return seal.sign_xml(
            write.write(self.letter(document)), holder.key, holder.certificate, at=document.at
        )

    def letter(self, document: Document) -> model.Letter:
        """One letter before it is sealed: its template with number, day, recipients and the document itself."""
        entry = _ENTRIES[document.sender]
        kind, notation, subject = template(entry, document)
        made, number, day = self._model(document.sender, kind), str(document.number), document.issued_on
        return replace(
            made,
            recipients=tuple(self._parties[one] for one in document.recipients),
            document_id=document_id(entry, document, notation),
            number=number,
            notation=notation,
            issued_on=day,
            subject=f"{subject} ({LABEL})",
            traces=(model.Trace(code=entry.code, at_text=f"{document.at:%Y/%m/%d %H:%M:%S}"),),
            paper=1 if document.klass == "S" else 0,
            attachments=(_page(entry, number, notation, day),),
        )

    def _model(self, sender: int, kind: str) -> model.Letter:
        if (sender, kind) not in self._models:
            party = self._parties[sender]
            self._models[sender, kind] = model.Letter(
                sender=party, recipients=(), document_id="", number="", notation="", issued_on=None,
                subject="", place="Cần Thơ", type_name=kind, signer=model.Signer(name=SIGNER),
            )  # fmt: skip
        return self._models[sender, kind]

    def _holder(self, code: str) -> keys.Holder:
        if code not in self._held:
            given = self._seals[code]
            self._held[code] = keys.Holder(
                certificate=keys.load_certificate(given.certificate), key=keys.load_private(given.key)
            )
        return self._held[code]


def _page(entry: AgencyEntry, number: str, notation: str, day: object) -> model.Attachment:
    lines = [entry.code, f"So {number}/{notation}", f"{day}", "Dung lai theo so da cong bo"]
    return attachments.encode("van_ban.pdf", pdf_write.blank(lines), PDF)


@dataclass(frozen=True, kw_only=True)
class Written:
    """A document and its bytes."""

    document: Document
    raw: bytes

    @property
    def at(self) -> datetime:
        """When it was sent."""
        return self.document.at


class Maker:
    """Processes that write letters ahead of who sends them: `with Maker(seals) as maker`."""

    def __init__(self, given: Mapping[str, Seal], processes: int = 1) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(dict(given),))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def written(
        self, chunks: Iterable[Sequence[Document]], ahead: int = 3
    ) -> Iterator[Future[list[Written]]]:
        """Chunks of letters in order, some of them being made ahead."""
        waiting: list[Future[list[Written]]] = []
        for chunk in chunks:
            waiting.append(self._pool.submit(_write, list(chunk)))
            if len(waiting) > ahead:
                yield waiting.pop(0)
        yield from waiting


# What follows runs in the processes.

_WRITERS: list[Writer] = []


def _begin(given: Mapping[str, Seal]) -> None:
    _WRITERS.append(Writer(given))


def _write(chunk: Sequence[Document]) -> list[Written]:
    return [Written(document=one, raw=_WRITERS[0].write(one)) for one in chunk]
