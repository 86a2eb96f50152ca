# mypy: allow-untyped-calls
# pyHanko ships no complete types.

"""Signatures in a PDF file (PAdES and the older adbe.pkcs7.detached): who signed, is it intact, what came after.

Theory of operation. pyHanko reads the file's structure; what is believed about a signature is checked here on
the raw bytes. The covered range must start with the first byte and leave out exactly one hole: this signature's
own `/Contents`, hexadecimal digits between `<` and `>` and nothing else. The digest of the rest goes to
`signing.cms`, the certificate to `signing.judge`. A range that reaches the last byte is `coverage.whole`; any
other must end where a revision ends, and `changes_after` tells what later ones changed (`signing.pdf_changes`).
Whether such changes are acceptable is policy, not ours.

Ranges, digests and containers come first, from the bytes alone (`signing.pdf_containers`). When every signature in
plain sight is broken, that is the answer and no structure is read.

Ranges, digests and containers come first, from the bytes alone. When every signature found so is broken, that is the
answer, and no structure is read. Otherwise the results wait for the fields that show these signatures.

    HASH_FAILURE, SIG_CRYPTO_FAILURE   covered bytes or the signer's statement were altered: final
    FORMAT_FAILURE                     range, container or revision are not what the formats allow: final
    others                             certificate, path, revocation: more material may settle them

Document timestamps are not judged (a remark), encrypted files not opened.
"""

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from signing import cms, judge, pdf_changes, pdf_containers, pdf_coverage, pdf_form, pdf_quick
from signing.trust import Trust
from signing.verdict import Coverage, Remark, Report, SubIndication, TooComplexError, Verdict

MOST_REVISIONS = 64
MAGIC = b"%PDF-"

_DETACHED = {"/ETSI.CAdES.detached": True, "/adbe.pkcs7.detached": False}
"""SubFilter -> whether the attribute that names the certificate is mandatory."""
_SHA1_ONLY = frozenset({"/adbe.pkcs7.sha1", "/adbe.x509.rsa_sha1"})
_BAD_RANGE = cms.failed(SubIndication.FORMAT_FAILURE, "pdf_byte_range")
_BAD_REVISION = cms.failed(SubIndication.FORMAT_FAILURE, "pdf_revision")
_UNKNOWN_FORMAT = cms.failed(SubIndication.FORMAT_FAILURE, "pdf_subfilter")
_OLD_ALGORITHM = cms.doubtful(SubIndication.CRYPTO_CONSTRAINTS_FAILURE, "cms_algorithm")
_DETAILS = {True: "whole", False: "revision"}
_ANYTHING: tuple[str, ...] = ("other",)
_T = TypeVar("_T")

# pyHanko writes what it dislikes about a file to its log; ours is the report.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)


@dataclass(frozen=True, kw_only=True)
class _File:
    """One file being judged: its bytes and containers, and the caller's trust, moment and name for it."""

    raw: bytes
    containers: pdf_containers.Containers
    trust: Trust
    at: datetime
    where: str


@dataclass(frozen=True, kw_only=True)
class _Finding:
    """What was found about one signature before its certificate is judged; `end` is the first byte not covered."""

    checked: cms.Checked
    end: int = 0
    changes_after: tuple[str, ...] = ()


def verify(raw: bytes, trust: Trust, at: datetime, *, where: str) -> Report:
    """Judges every signature of a PDF as of `at`, in the order in which they were made; `where` names the file.

    A file without signatures gives an empty report, one that cannot be read the remark `unreadable_pdf`.
    Raises TooComplexError (over 8 signatures, 64 revisions, 20,000 fields, 200,000 objects, or out of memory),
    nothing else.
    """
    unreadable = Report(remarks=(Remark(code="unreadable_pdf", where=where),))
    if not pdf_coverage.complete(raw, len(raw)):
        return unreadable
    return _guarded(lambda: _examine(raw, trust, at, where), unreadable)


def _guarded(work: Callable[[], _T], otherwise: _T) -> _T:
    """The one place where errors of the parsers end: a hostile file is an answer, not a fault of ours."""
    try:
        return work()
    except TooComplexError:
        raise
    except MemoryError as problem:
        raise TooComplexError("memory") from problem
    except Exception:  # noqa: BLE001 - pyHanko and asn1crypto raise anything at all on hostile bytes
        return otherwise


def _examine(raw: bytes, trust: Trust, at: datetime, where: str) -> Report:
    file = _File(raw=raw, containers=pdf_containers.Containers(raw), trust=trust, at=at, where=where)
    broken = file.containers.broken()
    if broken:
        found = (_Finding(checked=checked, end=hole.end) for hole, checked in broken)
        return Report(verdicts=tuple(_told(file, position, one) for position, one in enumerate(found)))
    with pdf_quick.strings():
        return _read(file)


def _read(file: _File) -> Report:
    reader = PdfFileReader(io.BytesIO(file.raw))
    if reader.encrypt_dict is not None:
        return Report(remarks=(Remark(code="encrypted_pdf", where=file.where),))
    if reader.total_revisions > MOST_REVISIONS:
        raise TooComplexError("revisions", MOST_REVISIONS)
    fields = [field for field in pdf_form.fields(reader) if field.kind == "/Sig" and field.key == field.owner]
    signed = [field for field in fields if field.signed]
    if len(signed) > pdf_containers.MOST_SIGNATURES:
        raise TooComplexError("signatures", pdf_containers.MOST_SIGNATURES)
    judged = sorted(
        (field for field in signed if not _is_timestamp(field)), key=lambda field: _age(reader, field)
    )
    return Report(
        verdicts=tuple(_verdict(file, reader, field, position) for position, field in enumerate(judged)),
        remarks=_remarks(file, fields),
    )


def _is_timestamp(field: pdf_form.Field) -> bool:
    value = pdf_form.entry(field.node, "/V")
    return isinstance(value, generic.DictionaryObject) and value.get("/Type") == "/DocTimeStamp"


def _age(reader: PdfFileReader, field: pdf_form.Field) -> int:
    """The number of the revision that brought the signature."""
    return _guarded(lambda: reader.xrefs.get_last_change(field.node.raw_get("/V").reference), 0)


def _remarks(file: _File, fields: list[pdf_form.Field]) -> tuple[Remark, ...]:
    """Fields that hold no signature to judge, and signatures that no field shows."""
    remarks = [
        Remark(code="document_timestamp", where=file.where, path=field.name, severity="info")
        if field.signed
        else Remark(code="empty_signature_field", where=file.where, path=field.name, severity="info")
        for field in fields
        if not field.signed or _is_timestamp(field)
    ]
    if file.raw.count(b"/ByteRange") > sum(1 for field in fields if field.signed):
        remarks.append(Remark(code="hidden_signature", where=file.where))
    return tuple(remarks)


def _verdict(file: _File, reader: PdfFileReader, field: pdf_form.Field, position: int) -> Verdict:
    damaged = _Finding(checked=cms.Checked(failure=pdf_containers.DAMAGED))
    return _told(file, position, _guarded(lambda: _find(file, reader, field), damaged))


def _told(file: _File, position: int, found: _Finding) -> Verdict:
    """The finding as a verdict, its certificate judged."""
    signer = found.checked.certificate
    whole = found.end == len(file.raw)
    judgement = _judge(file, found.checked)
    return Verdict(
        where=file.where,
        position=position,
        format="pades",
        indication=judgement.indication,
        sub_indication=judgement.sub_indication,
        why=judgement.why,
        best_signature_time=file.at,
        coverage=Coverage(whole=whole, detail=_DETAILS[whole] if found.end else ""),
        certificate=signer.public_bytes(serialization.Encoding.DER) if signer else None,
        signer_name=judge.name(signer) if signer else "",
        signed_at_claimed=found.checked.signed_at,
        provisional=judgement.provisional,
        changes_after=found.changes_after,
        evidence=judgement.evidence,
    )


def _judge(file: _File, checked: cms.Checked) -> judge.Judgement:
    if checked.failure or checked.certificate is None:
        return judge.Judgement(*(checked.failure or pdf_containers.DAMAGED), provisional=False, evidence=())
    return judge.certificate(checked.certificate, checked.others, file.trust, file.at)


def _find(file: _File, reader: PdfFileReader, field: pdf_form.Field) -> _Finding:
    """Format, range, container and revision of one signature; the first failure ends it."""
    value = field.node["/V"]
    kind = str(pdf_form.entry(value, "/SubFilter"))
    if kind not in _DETACHED:
        failure = _OLD_ALGORITHM if kind in _SHA1_ONLY else _UNKNOWN_FORMAT
        return _Finding(checked=cms.Checked(failure=failure))
    contents = value.raw_get("/Contents", decrypt=generic.EncryptedObjAccess.RAW).original_bytes
    hole = pdf_coverage.hole(file.raw, value["/ByteRange"], contents)
    if hole is None:
        return _Finding(checked=cms.Checked(failure=_BAD_RANGE))
    checked = file.containers.checked(hole, contents, reference_required=_DETACHED[kind])
    if checked.signed_at is None:
        checked = replace(checked, signed_at=_guarded(lambda: _date(value), None))
    if checked.failure or hole.end == len(file.raw):
        return _Finding(checked=checked, end=hole.end)
    return _after(file.raw, EmbeddedPdfSignature(reader, field.node, field.name), checked, hole.end)


def _after(raw: bytes, embedded: EmbeddedPdfSignature, checked: cms.Checked, end: int) -> _Finding:
    """What came after the covered bytes, where they end as a revision does."""
    if not (pdf_coverage.complete(raw, end) and _covers_revision(embedded)):
        return _Finding(checked=replace(checked, failure=_BAD_REVISION), end=end)
    # What cannot be compared may be anything.
    changes = _guarded(lambda: pdf_changes.after(embedded), _ANYTHING)
    return _Finding(checked=checked, end=end, changes_after=changes)


def _covers_revision(embedded: EmbeddedPdfSignature) -> bool:
    """Whether the covered bytes are a whole revision with all before it, as pyHanko finds by their tables."""
    level: SignatureCoverageLevel = embedded.evaluate_signature_coverage()
    return level in (SignatureCoverageLevel.ENTIRE_REVISION, SignatureCoverageLevel.ENTIRE_FILE)


def _date(value: generic.DictionaryObject) -> datetime | None:
    """The moment that the signature dictionary claims (`/M`), when it names its time zone."""
    moment = generic.parse_pdf_date(value["/M"], strict=False)
    return moment if moment.tzinfo else None
