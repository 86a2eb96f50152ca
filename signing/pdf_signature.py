# mypy: allow-untyped-calls
# pyHanko ships no complete types.

"""One signature of a PDF: from its field to what is found about it, from there to its verdict.

Theory of operation. `find` looks at format, range, container and revision, in that order; the first failure ends it.
What came after the revision is told by `signing.pdf_changes`. `told` judges the certificate, at the earliest moment
proven: by timestamps in the container (`signing.settled`), below document timestamps (`signing.pdf_times`).
"""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from signing import (
    cms,
    judge,
    pdf_changes,
    pdf_containers,
    pdf_coverage,
    pdf_form,
    pdf_guard,
    pdf_material,
    pdf_times,
    revocation,
    settled,
)
from signing.pdf_bytes import PdfBytes
from signing.trust import Trust
from signing.verdict import Coverage, Remark, SubIndication, Verdict

_DETACHED = {"/ETSI.CAdES.detached": True, "/adbe.pkcs7.detached": False}
"""SubFilter -> whether the attribute that names the certificate is mandatory."""
_SHA1_ONLY = frozenset({"/adbe.pkcs7.sha1", "/adbe.x509.rsa_sha1"})
_TIMESTAMP = ("/DocTimeStamp", "/ETSI.RFC3161")
_BAD_RANGE = cms.failed(SubIndication.FORMAT_FAILURE, "pdf_byte_range")
_BAD_REVISION = cms.failed(SubIndication.FORMAT_FAILURE, "pdf_revision")
_UNKNOWN_FORMAT = cms.failed(SubIndication.FORMAT_FAILURE, "pdf_subfilter")
_OLD_ALGORITHM = cms.doubtful(SubIndication.CRYPTO_CONSTRAINTS_FAILURE, "cms_algorithm")
_DETAILS = {True: "whole", False: "revision"}
_ANYTHING: tuple[str, ...] = ("other",)


@dataclass(frozen=True, kw_only=True)
class File:
    """One file being judged: its bytes and containers, what it brings along, and the caller's trust, moment, name."""

    raw: PdfBytes
    containers: pdf_containers.Containers
    trust: Trust
    at: datetime
    where: str
    material: pdf_material.Material = field(default_factory=pdf_material.Material)
    marks: tuple[pdf_times.Mark, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found about one signature before its certificate is judged; `end` is the first byte not covered."""

    checked: cms.Checked
    end: int = 0
    changes_after: tuple[str, ...] = ()
    field: str = ""


class Told(NamedTuple):
    """A verdict, and what is remarked beside it."""

    verdict: Verdict
    remarks: tuple[Remark, ...]


DAMAGED = Found(checked=cms.Checked(failure=pdf_containers.DAMAGED))


def is_timestamp(found: pdf_form.Field) -> bool:
    """Whether a signed field holds a document timestamp, by what it says of itself in either way."""
    value = pdf_form.entry(found.node, "/V")
    if not isinstance(value, generic.DictionaryObject):
        return False
    return any(pdf_form.named(value, name) in _TIMESTAMP for name in ("/Type", "/SubFilter"))


def hole(file: File, value: generic.DictionaryObject) -> tuple[pdf_coverage.Hole | None, bytes]:
    """The hole of a signature dictionary, if its range leaves out exactly its contents; the contents."""
    contents = value.raw_get("/Contents", decrypt=generic.EncryptedObjAccess.RAW).original_bytes
    return pdf_coverage.hole(file.raw, value["/ByteRange"], contents), contents


def find(file: File, reader: PdfFileReader, sought: pdf_form.Field) -> Found:
    """Format, range, container and revision of one signature. Raises pyHanko's and asn1crypto's errors on damage."""
    value = sought.node["/V"]
    kind = str(pdf_form.entry(value, "/SubFilter"))
    if kind not in _DETACHED:
        failure = _OLD_ALGORITHM if kind in _SHA1_ONLY else _UNKNOWN_FORMAT
        return Found(checked=cms.Checked(failure=failure))
    left_out, contents = hole(file, value)
    if left_out is None:
        return Found(checked=cms.Checked(failure=_BAD_RANGE))
    checked = file.containers.checked(left_out, contents, reference_required=_DETACHED[kind])
    if checked.signed_at is None:
        checked = replace(checked, signed_at=pdf_guard.guarded(lambda: _date(value), None))
    found = Found(checked=checked, end=left_out.end, field=sought.name)
    if checked.failure or found.end == len(file.raw):
        return found
    return _after(file.raw, EmbeddedPdfSignature(reader, sought.node, sought.name), found)


def _after(raw: PdfBytes, embedded: EmbeddedPdfSignature, found: Found) -> Found:
    """What came after the covered bytes, where they end as a revision does."""
    if not (pdf_coverage.complete(raw, found.end) and _covers_revision(embedded)):
        return replace(found, checked=replace(found.checked, failure=_BAD_REVISION))
    # What cannot be compared may be anything.
    return replace(found, changes_after=pdf_guard.guarded(lambda: pdf_changes.after(embedded), _ANYTHING))


def _covers_revision(embedded: EmbeddedPdfSignature) -> bool:
    """Whether the covered bytes are a whole revision with all before it, as pyHanko finds by their tables."""
    level: SignatureCoverageLevel = embedded.evaluate_signature_coverage()
    return level in (SignatureCoverageLevel.ENTIRE_REVISION, SignatureCoverageLevel.ENTIRE_FILE)


def _date(value: generic.DictionaryObject) -> datetime | None:
    """The moment that the signature dictionary claims (`/M`), when it names its time zone."""
    moment = generic.parse_pdf_date(value["/M"], strict=False)
    return moment if moment.tzinfo else None


def told(file: File, position: int, found: Found) -> Told:
    """The finding as a verdict, its certificate judged."""
    signer = found.checked.certificate
    whole = found.end == len(file.raw)
    known = _settle(file, found)
    judgement = known.judgement
    verdict = Verdict(
        where=file.where,
        position=position,
        format="pades",
        indication=judgement.indication,
        sub_indication=judgement.sub_indication,
        why=judgement.why,
        best_signature_time=known.best_signature_time,
        time_source=known.time_source,
        coverage=Coverage(whole=whole, detail=_DETAILS[whole] if found.end else ""),
        certificate=signer.public_bytes(serialization.Encoding.DER) if signer else None,
        signer_name=judge.name(signer) if signer else "",
        signed_at_claimed=found.checked.signed_at,
        provisional=judgement.provisional,
        changes_after=found.changes_after,
        evidence=judgement.evidence,
    )
    useless = Remark(code="timestamp_not_valid", where=file.where, path=found.field)
    return Told(verdict, (useless,) if known.remarks else ())


def _settle(file: File, found: Found) -> settled.Settled:
    """Certificate and time. A signature that does not hold is not worth its timestamps."""
    checked = found.checked
    if checked.failure or checked.certificate is None:
        failure = checked.failure or pdf_containers.DAMAGED
        judgement = judge.Judgement(*failure, provisional=False, evidence=())
        return settled.Settled(judgement=judgement, best_signature_time=file.at, time_source="receipt")
    proof = pdf_times.proven(file.marks, found.end, file.at)
    known = settled.judged(
        checked.certificate,
        (*checked.others, *file.material.certificates),
        checked.timestamps,
        lambda name: hashlib.new(name, checked.value).digest(),
        file.trust,
        proof.moment,
        _enclosed(checked.enclosed, file.material.enclosed),
    )
    return _with(known, proof, file.at)


def _enclosed(own: revocation.Enclosed, files: revocation.Enclosed) -> revocation.Enclosed:
    """Revocation data from the container and from the file; the file's is read once for all signatures."""
    if not (own.crls or own.responses):
        return files
    return revocation.Enclosed(crls=own.crls + files.crls, responses=own.responses + files.responses)


def _with(known: settled.Settled, proof: pdf_times.Proof, at: datetime) -> settled.Settled:
    """What was settled, with what the document timestamps add to it."""
    if proof.moment == at:
        return known
    judgement = known.judgement
    judgement = judgement._replace(evidence=tuple(dict.fromkeys((*judgement.evidence, *proof.evidence))))
    if proof.provisional and judgement.sub_indication is None:
        judgement = judgement._replace(provisional=True, why=judge.PASSED[True])
    return replace(known, judgement=judgement, time_source="timestamp")
