# mypy: allow-untyped-calls
# asn1crypto ships no complete types.

"""CMS signature files (CAdES, EN 319 122-1): `.p7s` beside the file it signs, `.p7m` with the content inside.

Theory of operation. PEM or DER is opened, the SignedData parsed once, and each of its signers judged on its own:
`signing.cms` says whether the signature holds over the content, `signing.settled` how certificate and timestamps
stand. The content is what was given beside the file, else what the file carries. If both are there they must be the
same bytes: a reader may open either.

    SIGNED_DATA_NOT_FOUND   nothing was given and nothing is inside
    HASH_FAILURE            the content is not what was signed: final
    FORMAT_FAILURE          no SignedData, no signer, attributes missing: final

An encrypted message (EnvelopedData) holds no signature that could be looked at: a remark.
"""

import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TypeVar

from asn1crypto import cms as asn1_cms
from asn1crypto import core
from cryptography.hazmat.primitives import serialization

from signing import cms, cms_data, judge, settled
from signing.trust import Trust
from signing.verdict import Coverage, Remark, Report, SubIndication, TooComplexError, Verdict

MOST_SIGNERS = 8
MOST_BESIDE_CONTENT = 8 << 20
"""Bytes of certificates, revocation lists and signatures in one file."""
ENDINGS = (".p7s", ".p7m")

_PEM = re.compile(rb"\s*-----BEGIN (PKCS7|CMS)-----\r?\n([A-Za-z0-9+/=\s]+)-----END \1-----\s*")
_ENCRYPTED = frozenset({"enveloped_data", "encrypted_data", "authenticated_enveloped_data"})
_DAMAGED = cms.failed(SubIndication.FORMAT_FAILURE, "p7_damaged")
_NO_SIGNER = cms.failed(SubIndication.FORMAT_FAILURE, "p7_no_signer")
_OTHER_CONTENT = cms.failed(SubIndication.HASH_FAILURE, "p7_other_content")
_NO_CONTENT = cms.doubtful(SubIndication.SIGNED_DATA_NOT_FOUND, "p7_content_missing")
_NO_ATTRIBUTES = cms.failed(SubIndication.FORMAT_FAILURE, "p7_no_attributes")
_TOLD = {
    "cms_digest": cms.failed(SubIndication.HASH_FAILURE, "p7_digest"),
    "cms_value": cms.failed(SubIndication.SIG_CRYPTO_FAILURE, "p7_value"),
    "cms_not_detached": cms.failed(SubIndication.FORMAT_FAILURE, "p7_content_type"),
}
"""Findings of `signing.cms` that are told otherwise of a file than of a PDF."""
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a signature file holds: its content if it has one inside, and the digests that its signers name."""

    inside: bytes | None
    digests: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, kw_only=True)
class _File:
    """One file being judged: its bytes, the content given beside it, and the caller's trust, moment and names."""

    raw: bytes
    content: bytes | Path | None
    trust: Trust
    at: datetime
    where: str
    carrier: str


def verify(
    raw: bytes, content: bytes | Path | None, trust: Trust, at: datetime, *, where: str, carrier: str = ""
) -> Report:
    """Judges every signer of a `.p7s` or `.p7m` as of `at`: over `content`, or over what `raw` carries itself.

    A `content` too large for memory is given as the path of its file, and read through for its digests.
    `where` names the file that is signed, `carrier` the signature file when it is another one. What is no SignedData
    is one verdict of FORMAT_FAILURE. Raises TooComplexError (over 8 signers, 8 MiB beside the content, or out of
    memory), nothing else.
    """
    file = _File(raw=raw, content=content, trust=trust, at=at, where=where, carrier=carrier)
    return _guarded(lambda: _examine(file), Report(verdicts=(_told(file, cms.Checked(failure=_DAMAGED), 0),)))


def read(raw: bytes) -> Contents | None:
    """What a signature file holds, or None when it is no SignedData."""
    return _guarded(lambda: _contents(cms_data.content(opened(raw))), None)


def opened(raw: bytes) -> bytes:
    """The DER bytes of a file in DER or PEM (one block and nothing else). Raises ValueError."""
    if not raw[:64].lstrip().startswith(b"-----BEGIN"):
        return raw
    found = _PEM.fullmatch(raw)
    if not found:
        raise ValueError("not one PEM block")
    return binascii.a2b_base64(b"".join(found[2].split()), strict_mode=True)


def start(raw: bytes, most: int) -> bytes:
    """The first bytes of a file in DER or PEM, at least `most` of them if it has so many; of junk, nothing."""
    if not raw[:64].lstrip().startswith(b"-----BEGIN"):
        return raw[:most]
    lines = b"".join(raw[: 2 * most + 64].lstrip().partition(b"\n")[2].split())
    try:
        return binascii.a2b_base64(lines[: len(lines) // 4 * 4])
    except binascii.Error:
        return b""


def _guarded(work: Callable[[], _T], otherwise: _T) -> _T:
    """The one place where errors of the parser end: a hostile file is an answer, not a fault of ours."""
    try:
        return work()
    except TooComplexError:
        raise
    except MemoryError as problem:
        raise TooComplexError("memory") from problem
    except Exception:  # noqa: BLE001 - asn1crypto raises anything at all on hostile bytes
        return otherwise


def _examine(file: _File) -> Report:
    der = opened(file.raw)
    if asn1_cms.ContentInfo.load(der)["content_type"].native in _ENCRYPTED:
        return Report(remarks=(Remark(code="encrypted_p7", where=file.carrier or file.where),))
    data = cms_data.content(der)
    inside = cms_data.inside(data)
    if len(der) - len(inside or b"") > MOST_BESIDE_CONTENT:
        raise TooComplexError("signature_bytes", MOST_BESIDE_CONTENT)
    signers = data["signer_infos"]
    if len(signers) > MOST_SIGNERS:
        raise TooComplexError("signatures", MOST_SIGNERS)
    if not len(signers):
        return Report(verdicts=(_told(file, cms.Checked(failure=_NO_SIGNER), 0),))
    content = inside if file.content is None else file.content
    override = _missing(file, inside)
    terms = cms.Terms(digest_of=digests(content or b""), reference_required=False, place="either")
    checked = tuple(_checked(data, signer, terms, override) for signer in signers)
    settlements = tuple(_settled(file, one) for one in checked)
    return Report(
        verdicts=tuple(
            _told(file, one, position, settlements[position]) for position, one in enumerate(checked)
        ),
        remarks=tuple(_remarks(file, checked, settlements)),
    )


def _missing(file: _File, inside: bytes | None) -> cms.Failure | None:
    """What is wrong with the content before any signer is asked about it."""
    if file.content is None:
        return _NO_CONTENT if inside is None else None
    return _OTHER_CONTENT if inside is not None and not _same(inside, file.content) else None


def _same(inside: bytes, beside: bytes | Path) -> bool:
    if isinstance(beside, bytes):
        return inside == beside
    return digests(inside)("sha256") == digests(beside)("sha256")


def digests(content: bytes | Path) -> Callable[[str], bytes]:
    """The digest of a content by the hash's name, each computed once."""

    @cache
    def digest_of(name: str) -> bytes:
        if isinstance(content, bytes):
            return hashlib.new(name, content).digest()
        with content.open("rb") as file:
            return hashlib.file_digest(file, name).digest()

    return digest_of


def _checked(
    data: asn1_cms.SignedData, signer: asn1_cms.SignerInfo, terms: cms.Terms, override: cms.Failure | None
) -> cms.Checked:
    """One signer's finding; whatever it is, a content that is missing or another one is told instead."""
    if signer["signed_attrs"] is core.VOID:
        return cms.Checked(failure=override or _NO_ATTRIBUTES)
    checked = _guarded(lambda: cms.check_signer(data, signer, terms), cms.Checked(failure=_DAMAGED))
    failure = override or checked.failure
    return replace(checked, failure=_TOLD.get(failure.why, failure) if failure else None)


def _settled(file: _File, checked: cms.Checked) -> settled.Settled | None:
    """Certificate and time of a signature that holds."""
    if checked.failure or checked.certificate is None:
        return None
    return settled.judged(
        checked.certificate,
        checked.others,
        checked.timestamps,
        digests(checked.value),
        file.trust,
        file.at,
        checked.enclosed,
    )


def _told(file: _File, checked: cms.Checked, position: int, found: settled.Settled | None = None) -> Verdict:
    """The finding as a verdict."""
    signer = checked.certificate
    failure = judge.Judgement(*(checked.failure or _DAMAGED), provisional=False, evidence=())
    judgement = found.judgement if found else failure
    whole = checked.failure is not _NO_CONTENT and checked.failure is not _DAMAGED
    return Verdict(
        where=file.where,
        carrier=file.carrier,
        position=position,
        format="cades",
        indication=judgement.indication,
        sub_indication=judgement.sub_indication,
        why=judgement.why,
        best_signature_time=found.best_signature_time if found else file.at,
        time_source=found.time_source if found else "receipt",
        coverage=Coverage(whole=whole, detail="whole" if whole else ""),
        certificate=signer.public_bytes(serialization.Encoding.DER) if signer else None,
        signer_name=judge.name(signer) if signer else "",
        signed_at_claimed=checked.signed_at,
        provisional=judgement.provisional,
        evidence=judgement.evidence,
    )


def _remarks(
    file: _File, checked: Iterable[cms.Checked], settlements: Iterable[settled.Settled | None]
) -> Iterator[Remark]:
    """Signatures that hold without naming their certificate (plain CMS, not CAdES), and what is wrong with timestamps."""
    where = file.carrier or file.where
    if any(not one.failure and not one.referenced for one in checked):
        yield Remark(code="plain_cms", where=where, severity="info")
    for code in dict.fromkeys(code for one in settlements if one for code in one.remarks):
        yield Remark(code=code, where=where)


def _contents(data: asn1_cms.SignedData) -> Contents:
    return Contents(
        inside=cms_data.inside(data),
        digests=tuple(
            (signer["digest_algorithm"]["algorithm"].native, digest.native)
            for signer in list(data["signer_infos"])[:MOST_SIGNERS]
            for digest in cms_data.values(signer).get("message_digest", ())[:1]
        ),
    )
