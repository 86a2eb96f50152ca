"""Evidence checked where it lies, without the exchange: digests, our signatures, and the letter judged again.

What is trusted comes from the auditor, never from the ZIP: of that only revocation lists and OCSP responses are taken, which
their issuers signed. The same holds for the exchange's key: anybody can make a ZIP that agrees with itself, so one is *sound*
only by a key that the auditor names; without any it is *consistent*.
"""

import base64
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from exchange.broker import evidence_pairs, offline, receipts
from exchange.broker import evidence_zip as zips
from exchange.broker.evidence import CONTEXT, FORMAT
from exchange.broker.evidence_pairs import Judged, Known
from exchange.broker.evidence_zip import Held, UnfitError
from exchange.edxml import read, spooled
from signing import keys, seal, trust, verdict, xml_document

SOUND, CONSISTENT, UNSOUND = "sound", "consistent", "unsound"
Fault = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A key that the auditor knows to be the exchange's: the SHA-256 of its public half or the first digits of it, or all of it."""

    sha256: str
    key: keys.StatementPublicKey | None = None

    def fits(self, key: keys.StatementPublicKey) -> bool:
        """Whether it is this key."""
        return keys.public_key_sha256(key).startswith(self.sha256)


@dataclass(frozen=True, kw_only=True)
class Auditor:
    """What whoever checks brings along: whom to trust, for signatures and for timestamps, and the exchange's keys."""

    trust_files: Sequence[bytes] = ()
    timestamp_files: Sequence[bytes] = ()
    expected: Sequence[Expected] = ()


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a check found. `faults`: code of the catalogue's `evidence.fault_…` and the file it is about.

    `key_id` is the key that signed the whole, `receipt_key_id` the one that signed the receipt; `compared`: the auditor named any.
    `receipt_left_out`: the receipt is not for its reader, so that its digest and key stand there by the manifest's signature only.
    """

    letter: str
    key_id: str
    receipt_key_id: str
    compared: bool
    accepted_at: str
    contents: bool
    files: int
    receipt_left_out: bool = False
    faults: tuple[Fault, ...] = ()
    signatures: tuple[Judged, ...] = field(default=())

    @property
    def standing(self) -> str:
        """Sound; consistent, if nobody said whose key it must be; else unsound."""
        if self.faults or any(one.differs for one in self.signatures):
            return UNSOUND
        return SOUND if self.compared else CONSISTENT


def check(path: Path, auditor: Auditor) -> Checked:
    """Check a ZIP. Raises UnfitError for what is none of ours or beyond bounds, ValueError for trust that cannot be read."""
    with tempfile.TemporaryDirectory() as folder:
        return _checked(zips.read(path, Path(folder)), Path(folder), auditor)


def _checked(held: Held, folder: Path, auditor: Auditor) -> Checked:
    manifest, faults = _manifest(held)
    key_id, more = _sealed(held, auditor)
    receipt_key_id, wrong = _receipt(held, manifest, auditor)
    faults += more + wrong
    statement = _statement(held)["receipt"]
    signatures: tuple[Judged, ...] = ()
    if held.letter is not None:
        faults += _same_letter(held.letter, statement)
        trusted, bad = _trusted(held.files, auditor)
        signatures, unread = _again(held, folder, trusted, statement)
        faults += bad + unread
    return Checked(
        letter=str(statement.get("letter")), key_id=key_id, receipt_key_id=receipt_key_id,
        compared=bool(auditor.expected), accepted_at=str(statement.get("accepted_at")),
        contents=held.letter is not None, files=len(held.told), faults=tuple(faults), signatures=signatures,
        receipt_left_out=receipts.left_out(_statement(held)),
    )  # fmt: skip


def _json(held: Held, name: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return json.loads(held.files[name])
    except (ValueError, RecursionError):
        raise UnfitError("no_json", name) from None


def _statement(held: Held) -> Mapping[str, Any]:
    """The receipt. Raises UnfitError for what is none."""
    whole = _json(held, zips.RECEIPT)
    members = (whole.get("receipt"), whole.get("signature")) if isinstance(whole, dict) else (None,)
    if not all(isinstance(one, dict) for one in members):
        raise UnfitError("no_json", zips.RECEIPT)
    assert isinstance(whole, dict)
    return whole


def _manifest(held: Held) -> tuple[dict[str, Any], list[Fault]]:
    """The manifest, and where it does not agree with the files. Raises UnfitError for one of another format."""
    manifest = _json(held, zips.MANIFEST)
    if (
        not isinstance(manifest, dict)
        or manifest.get("format") != FORMAT
        or not isinstance(manifest.get("files"), dict)
    ):
        raise UnfitError("no_manifest")
    told, files = manifest["files"], held.told.keys() - {zips.MANIFEST, zips.SIGNATURE}
    faults = [("unlisted", name) for name in sorted(files - told.keys())]
    faults += [("missing", str(name)[:100]) for name in sorted(told.keys() - files)]
    faults += [("digest", name) for name in sorted(files & told.keys()) if told[name] != held.told[name]]
    faults += [
        ("misnamed", name) for name in sorted(files) if "/" in name and held.told[name]["sha256"] not in name
    ]
    if manifest.get("contents") is not (held.letter is not None):
        faults.append(("contents", zips.LETTER))
    return manifest, faults


def _sealed(held: Held, auditor: Auditor) -> tuple[str, list[Fault]]:
    """The id of the key that signed the manifest, and what is wrong with key or signature."""
    key = _key(held, zips.MANIFEST_KEY)
    if key is None:
        return "", [("key", zips.MANIFEST_KEY)]
    signature = _json(held, zips.SIGNATURE)
    try:
        value = base64.b64decode(str(signature["value"]), validate=True)
    except (ValueError, TypeError, KeyError):
        value = b""
    faults = []
    if not seal.check_statement(held.files[zips.MANIFEST], value, key, context=CONTEXT):
        faults.append(("manifest", zips.SIGNATURE))
    if auditor.expected and not any(one.fits(key) for one in auditor.expected):
        faults.append(("other_key", zips.MANIFEST_KEY))
    return keys.public_key_id(key), faults


def _key(held: Held, name: str) -> keys.StatementPublicKey | None:
    try:
        return keys.load_statement_public_key(held.files.get(name, b""))
    except ValueError:
        return None


def _receipt(held: Held, manifest: Mapping[str, Any], auditor: Auditor) -> tuple[str, list[Fault]]:
    """The id of the key that the receipt names, and what is wrong with the receipt."""
    statement = _statement(held)
    named = str(statement["signature"].get("key_id"))[:64]
    faults = []
    if zips.RECEIPT_KEY in held.files and _key(held, zips.RECEIPT_KEY) is None:
        faults.append(("key", zips.RECEIPT_KEY))
    if statement["receipt"].get("letter") != manifest.get("letter"):
        faults.append(("other_letter", zips.RECEIPT))
    return named, faults + _signed_receipt(held, statement, named, auditor)


def _signed_receipt(held: Held, statement: Mapping[str, Any], named: str, auditor: Auditor) -> list[Fault]:
    """What is wrong with the receipt's signature. Nobody who may have the letter gets the receipt without what is signed."""
    if receipts.left_out(statement) and held.letter is None:
        return []
    packed = (_key(held, name) for name in (zips.RECEIPT_KEY, zips.MANIFEST_KEY))
    known = [key for key in (*packed, *(one.key for one in auditor.expected)) if key is not None]
    key = next((one for one in known if keys.public_key_id(one) == named), None)
    if key is None:
        return [("no_key", named)]
    return [] if receipts.signed(held.files[zips.RECEIPT], key) else [("receipt", zips.RECEIPT)]


def _same_letter(raw: spooled.Content, statement: Mapping[str, Any]) -> list[Fault]:
    same = statement.get("sha256") == spooled.digest(raw).hex() and statement.get("size") == len(raw)
    return [] if same else [("letter", zips.LETTER)]


def _trusted(files: Mapping[str, bytes], auditor: Auditor) -> tuple[trust.Trust, list[Fault]]:
    """What the auditor trusts, with the ZIP's revocation data as far as they can be read."""
    lists = {name: raw for name, raw in files.items() if name.endswith(".crl")}
    responses = {name: raw for name, raw in files.items() if name.endswith(".ocsp")}
    bad = [name for name, raw in lists.items() if not _loads(lists=[raw])]
    bad += [name for name, raw in responses.items() if not _loads(responses=[raw])]
    found = trust.load(
        auditor.trust_files,
        [raw for name, raw in lists.items() if name not in bad],
        timestamp_files=auditor.timestamp_files,
        ocsp_files=[raw for name, raw in responses.items() if name not in bad],
    )
    return found, [("revocation", name) for name in bad]


def _loads(lists: Sequence[bytes] = (), responses: Sequence[bytes] = ()) -> bool:
    try:
        trust.load([], lists, ocsp_files=responses)
    except ValueError:
        return False
    return True


def _again(
    held: Held, folder: Path, trusted: trust.Trust, statement: Mapping[str, Any]
) -> tuple[tuple[Judged, ...], list[Fault]]:
    """Every signature as recorded last, beside what it is found to be as of the receipt's time."""
    assert held.letter is not None
    try:
        at = datetime.fromisoformat(str(statement.get("accepted_at")))
        if at.tzinfo is None:
            raise ValueError(at)  # noqa: TRY301 - told with the others
        looked = offline.look_at(held.letter, folder, trusted, at)
    except (ValueError, verdict.TooComplexError, read.Unreadable, xml_document.UnreadableXmlError):
        return (), [("unreadable", zips.LETTER)]
    now = [
        Known(
            where=one.where, carrier=one.carrier, certificate=one.certificate_sha256,
            word=_word(one.indication, one.sub_indication),
        )
        for one in looked.report.verdicts
    ]  # fmt: skip
    return evidence_pairs.beside(_recorded(held), now), []


def _recorded(held: Held) -> list[Known]:
    """The verdicts of the newest judgement, in their order."""
    rows = _json(held, zips.VERDICTS)
    known = [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []
    try:
        newest = max((int(one["revision"]) for one in known), default=0)
        last = sorted(
            (one for one in known if one["revision"] == newest), key=lambda one: int(one["position"])
        )
        return [_known(one) for one in last]
    except (KeyError, TypeError, ValueError):
        raise UnfitError("no_json", zips.VERDICTS) from None


def _known(row: Mapping[str, Any]) -> Known:
    return Known(
        where=str(row["place"]), carrier=str(row["carrier"] or ""), certificate=str(row["certificate_sha256"] or ""),
        word=_word(row["indication"], row["sub_indication"]),
    )  # fmt: skip


def _word(indication: object, sub_indication: object) -> str:
    return f"{indication} ({sub_indication})" if sub_indication else str(indication)
