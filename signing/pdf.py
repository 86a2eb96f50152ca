# mypy: allow-untyped-calls
# pyHanko ships no complete types.

"""Signatures in a PDF file (PAdES and the older adbe.pkcs7.detached): who signed, is it intact, what came after.

Theory of operation. pyHanko reads the file's structure; what is believed about a signature is checked here on
the raw bytes. The covered range must start with the first byte and leave out exactly one hole: this signature's
own `/Contents`, hexadecimal digits between `<` and `>` and nothing else. The digest of the rest goes to
`signing.cms`, the certificate to `signing.settled`. A range that reaches the last byte is `coverage.whole`; any
other must end where a revision ends, and `changes_after` tells what later ones changed (`signing.pdf_changes`).
Whether such changes are acceptable is policy, not ours.

    HASH_FAILURE, SIG_CRYPTO_FAILURE   covered bytes or the signer's statement were altered: final
    FORMAT_FAILURE                     range, container or revision are not what the formats allow: final
    others                             certificate, path, revocation: more material may settle them

Ranges, digests and containers come first, from the bytes alone (`signing.pdf_containers`). When every signature in
plain sight is broken, that is the answer and no structure is read.

Document timestamps are no signatures: they prove until when the revisions before them existed (`signing.pdf_times`),
and the report remarks them. Encrypted files are not opened.
"""

import dataclasses
import logging
from collections.abc import Iterator
from datetime import datetime

from pyhanko.pdf_utils.reader import PdfFileReader

from signing import (
    pdf_bytes,
    pdf_containers,
    pdf_coverage,
    pdf_form,
    pdf_guard,
    pdf_material,
    pdf_quick,
    pdf_signature,
    pdf_times,
    timestamp,
)
from signing.pdf_bytes import PdfBytes
from signing.pdf_signature import File, Found, Told
from signing.trust import Trust
from signing.verdict import Remark, Report, TooComplexError

MOST_SIGNATURES = pdf_containers.MOST_SIGNATURES
MOST_REVISIONS = 64
MAGIC = b"%PDF-"
_MOST_TABLES = 1024  # ends of tables in plain sight; files attached inside may have their own

# pyHanko writes what it dislikes about a file to its log; ours is the report.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)


def verify(raw: PdfBytes, trust: Trust, at: datetime, *, where: str) -> Report:
    """Judges every signature of a PDF as of `at`, in the order in which they were made; `where` names the file.

    A file without signatures gives an empty report, one that cannot be read the remark `unreadable_pdf`.
    Raises TooComplexError (over 8 signatures, 64 revisions, 20,000 fields, 200,000 objects, or out of memory),
    nothing else.
    """
    unreadable = Report(remarks=(Remark(code="unreadable_pdf", where=where),))
    if not pdf_coverage.complete(raw, len(raw)):
        return unreadable
    return pdf_guard.guarded(lambda: _examine(raw, trust, at, where), unreadable)


def _examine(raw: PdfBytes, trust: Trust, at: datetime, where: str) -> Report:
    file = File(raw=raw, containers=pdf_containers.Containers(raw), trust=trust, at=at, where=where)
    broken = file.containers.broken()
    if broken:
        found = (Found(checked=checked, end=hole.end) for hole, checked in broken)
        return _report([pdf_signature.told(file, position, one) for position, one in enumerate(found)])
    if pdf_bytes.count(raw, b"startxref") > _MOST_TABLES:
        raise TooComplexError("revisions", MOST_REVISIONS)
    with pdf_quick.strings():
        return _read(file)


def _read(file: File) -> Report:
    reader = PdfFileReader(pdf_bytes.stream(file.raw))
    if reader.encrypt_dict is not None:
        return Report(remarks=(Remark(code="encrypted_pdf", where=file.where),))
    if reader.total_revisions > MOST_REVISIONS:
        raise TooComplexError("revisions", MOST_REVISIONS)
    fields = [field for field in pdf_form.fields(reader) if field.kind == "/Sig" and field.key == field.owner]
    signed = [field for field in fields if field.signed]
    if len(signed) > MOST_SIGNATURES:
        raise TooComplexError("signatures", MOST_SIGNATURES)
    stamps = [field for field in signed if pdf_signature.is_timestamp(field)]
    signatures = [field for field in signed if field not in stamps]
    file = _furnished(file, reader, stamps)
    found = [
        _told(file, reader, field, position)
        for position, field in enumerate(sorted(signatures, key=lambda field: _age(reader, field)))
    ]
    return _report(found, (*_of_timestamps(file), *_of_fields(file, fields)))


def _report(found: list[Told], remarks: tuple[Remark, ...] = ()) -> Report:
    beside = (remark for one in found for remark in one.remarks)
    return Report(verdicts=tuple(one.verdict for one in found), remarks=(*beside, *remarks))


def _told(file: File, reader: PdfFileReader, field: pdf_form.Field, position: int) -> Told:
    return pdf_guard.guarded(
        lambda: pdf_signature.told(file, position, pdf_signature.find(file, reader, field)),
        pdf_signature.told(file, position, pdf_signature.DAMAGED),
    )


def _age(reader: PdfFileReader, field: pdf_form.Field) -> int:
    """The number of the revision that brought the signature."""
    return pdf_guard.guarded(lambda: int(reader.xrefs.get_last_change(field.node.raw_get("/V").reference)), 0)


def _furnished(file: File, reader: PdfFileReader, stamps: list[pdf_form.Field]) -> File:
    """The file with its validation material and its document timestamps judged."""
    material = pdf_guard.guarded(lambda: pdf_material.read(reader), file.material)

    def check(token: bytes, digest_of: pdf_times.DigestOf, at: datetime) -> timestamp.Stamp:
        return timestamp.check(
            token, digest_of, file.trust, at, enclosed=material.enclosed, extra=material.certificates
        )

    tokens = [_token(file, field) for field in stamps]
    marks = pdf_times.judged(tokens, file.containers.digests, check, file.at)
    return dataclasses.replace(file, material=material, marks=marks)


def _token(file: File, field: pdf_form.Field) -> pdf_times.Token:
    nothing = pdf_times.Token(field.name, None)
    return pdf_guard.guarded(
        lambda: pdf_times.Token(field.name, *pdf_signature.hole(file, field.node["/V"])), nothing
    )


def _of_timestamps(file: File) -> Iterator[Remark]:
    """Document timestamps, those that prove nothing among them."""
    for mark in reversed(file.marks):
        yield Remark(code="document_timestamp", where=file.where, path=mark.field, severity="info")
        if mark.stamp is None or mark.stamp.failure:
            yield Remark(code="timestamp_not_valid", where=file.where, path=mark.field)


def _of_fields(file: File, fields: list[pdf_form.Field]) -> Iterator[Remark]:
    """Fields that hold no signature, and signatures that no field shows."""
    for field in fields:
        if not field.signed:
            yield Remark(code="empty_signature_field", where=file.where, path=field.name, severity="info")
    if pdf_bytes.count(file.raw, b"/ByteRange") > sum(1 for field in fields if field.signed):
        yield Remark(code="hidden_signature", where=file.where)
