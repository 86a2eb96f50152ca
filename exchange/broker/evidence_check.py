"""Evidence checked where it lies, without the exchange: digests, the receipt's signature, and the letter judged again.

What is trusted comes from the auditor, never from the ZIP: of that only revocation lists and OCSP responses are taken, which
their issuers signed. The receipt's key stands in the ZIP; whether it is the exchange's, `key_id` tells who compares it with
GET /v1/receipt-key.
"""

import hashlib
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from exchange.broker import offline, receipts
from exchange.broker.evidence import FORMAT
from exchange.edxml import read
from signing import keys, trust, verdict, xml_document

MOST_FILE_BYTES = 256 << 20
MOST_ENTRIES = 4_000
MOST_BYTES = 512 << 20
MOST_ENTRY = {"letter.xml": 256 << 20}
MOST_OTHER = 32 << 20
_NAME = re.compile(
    r"README\.txt|(manifest|receipt|verdicts|transfer|journal)\.json|letter\.xml|receipt-key\.pem"
    r"|certificates/[0-9a-f]{64}\.der|revocation/[0-9a-f]{64}\.(crl|ocsp)"
)
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
NEEDED = frozenset({"manifest.json", "receipt.json", "receipt-key.pem", "verdicts.json"})


class UnfitError(Exception):
    """A file that is no evidence of ours: `code` is one of the catalogue's `evidence.unfit_…`, `name` the entry."""

    def __init__(self, code: str, name: str = "") -> None:
        super().__init__(code, name)
        self.code = code
        self.name = name


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One signature: what was recorded of it, and what is found now; None where there is no such one."""

    where: str
    recorded: str | None
    found: str | None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a check found. `faults`: code of the catalogue's `evidence.fault_…` and the file it is about."""

    letter: str
    key_id: str
    accepted_at: str
    contents: bool
    files: int
    faults: tuple[tuple[str, str], ...] = ()
    signatures: tuple[Judged, ...] = field(default=())

    @property
    def sound(self) -> bool:
        """Whether everything is as it must be, and every signature judged as it was recorded."""
        return not self.faults and all(one.recorded == one.found for one in self.signatures)


def check(path: Path, trust_files: list[bytes], timestamp_files: list[bytes]) -> Checked:
    """Check a ZIP. Raises UnfitError for what is none of ours or beyond bounds, ValueError for trust that cannot be read."""
    held = _read(path)
    manifest, faults = _manifest(held)
    receipt = _json(held, "receipt.json")
    if not isinstance(receipt, dict) or not isinstance(receipt.get("receipt"), dict):
        raise UnfitError("no_json", "receipt.json")
    statement = receipt["receipt"]
    key_id, more = _receipt(held, manifest, statement)
    faults += more
    signatures: tuple[Judged, ...] = ()
    if "letter.xml" in held:
        faults += _same_letter(held["letter.xml"], statement)
        trusted, bad = _trusted(held, trust_files, timestamp_files)
        faults += bad
        signatures, unread = _again(held, trusted, statement)
        faults += unread
    return Checked(
        letter=str(statement.get("letter")), key_id=key_id, accepted_at=str(statement.get("accepted_at")),
        contents="letter.xml" in held, files=len(held), faults=tuple(faults), signatures=signatures,
    )  # fmt: skip


def _read(path: Path) -> dict[str, bytes]:
    """Every file of the ZIP, within bounds. Raises UnfitError."""
    if path.stat().st_size > MOST_FILE_BYTES:
        raise UnfitError("too_large")
    try:
        with zipfile.ZipFile(path) as packed:
            return _entries(packed)
    except UnfitError:
        raise
    except Exception as error:
        raise UnfitError("no_zip") from error


def _entries(packed: zipfile.ZipFile) -> dict[str, bytes]:
    entries = packed.infolist()
    if len(entries) > MOST_ENTRIES or sum(one.file_size for one in entries) > MOST_BYTES:
        raise UnfitError("too_large")
    found: dict[str, bytes] = {}
    for one in entries:
        if not _NAME.fullmatch(one.filename) or one.flag_bits & 1 or one.compress_type not in _METHODS:
            raise UnfitError("strange_file", one.filename[:100])
        if one.filename in found:
            raise UnfitError("file_twice", one.filename)
        most = MOST_ENTRY.get(one.filename, MOST_OTHER)
        with packed.open(one) as entry:
            raw = entry.read(most + 1)
        if len(raw) > most:
            raise UnfitError("too_large", one.filename)
        found[one.filename] = raw
    missing = sorted(NEEDED - found.keys())
    if missing:
        raise UnfitError("file_missing", missing[0])
    return found


def _json(held: Mapping[str, bytes], name: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return json.loads(held[name])
    except (ValueError, RecursionError):
        raise UnfitError("no_json", name) from None


def _manifest(held: Mapping[str, bytes]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The manifest, and where it does not agree with the files. Raises UnfitError for one of another format."""
    manifest = _json(held, "manifest.json")
    if (
        not isinstance(manifest, dict)
        or manifest.get("format") != FORMAT
        or not isinstance(manifest.get("files"), dict)
    ):
        raise UnfitError("no_manifest")
    told, files = manifest["files"], held.keys() - {"manifest.json"}
    faults = [("unlisted", name) for name in sorted(files - told.keys())]
    faults += [("missing", str(name)[:100]) for name in sorted(told.keys() - files)]
    for name in sorted(files & told.keys()):
        digest = hashlib.sha256(held[name]).hexdigest()
        if told[name] != {"sha256": digest, "size": len(held[name])}:
            faults.append(("digest", name))
        if "/" in name and name.partition("/")[2].partition(".")[0] != digest:
            faults.append(("misnamed", name))
    return manifest, faults


def _receipt(
    held: Mapping[str, bytes], manifest: Mapping[str, Any], statement: Mapping[str, Any]
) -> tuple[str, list[tuple[str, str]]]:
    """The id of the key by which the receipt is checked, and what is wrong with it."""
    try:
        key = keys.load_statement_public_key(held["receipt-key.pem"])
    except ValueError:
        return "", [("key", "receipt-key.pem")]
    faults = [] if receipts.signed(held["receipt.json"], key) else [("receipt", "receipt.json")]
    if statement.get("letter") != manifest.get("letter"):
        faults.append(("other_letter", "receipt.json"))
    return keys.public_key_id(key), faults


def _same_letter(raw: bytes, statement: Mapping[str, Any]) -> list[tuple[str, str]]:
    same = statement.get("sha256") == hashlib.sha256(raw).hexdigest() and statement.get("size") == len(raw)
    return [] if same else [("letter", "letter.xml")]


def _trusted(
    held: Mapping[str, bytes], trust_files: list[bytes], timestamp_files: list[bytes]
) -> tuple[trust.Trust, list[tuple[str, str]]]:
    """What the auditor trusts, with the ZIP's revocation data as far as they can be read."""
    lists = {name: raw for name, raw in held.items() if name.endswith(".crl")}
    responses = {name: raw for name, raw in held.items() if name.endswith(".ocsp")}
    bad = [name for name, raw in lists.items() if not _loads(lists=[raw])]
    bad += [name for name, raw in responses.items() if not _loads(responses=[raw])]
    found = trust.load(
        trust_files,
        [raw for name, raw in lists.items() if name not in bad],
        timestamp_files=timestamp_files,
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
    held: Mapping[str, bytes], trusted: trust.Trust, statement: Mapping[str, Any]
) -> tuple[tuple[Judged, ...], list[tuple[str, str]]]:
    """Every signature as recorded last, beside what it is found to be as of the receipt's time."""
    try:
        at = datetime.fromisoformat(str(statement.get("accepted_at")))
        if at.tzinfo is None:
            raise ValueError(at)  # noqa: TRY301 - told with the others
        looked = offline.look(offline.Named(name="letter.xml", raw=held["letter.xml"]), trusted, at)
    except (ValueError, verdict.TooComplexError, read.Unreadable, xml_document.UnreadableXmlError):
        return (), [("unreadable", "letter.xml")]
    now = [(one.where, _word(one.indication, one.sub_indication)) for one in looked.report.verdicts]
    recorded = _recorded(held)
    return tuple(
        Judged(
            where=(now[place] if place < len(now) else recorded[place])[0],
            recorded=recorded[place][1] if place < len(recorded) else None,
            found=now[place][1] if place < len(now) else None,
        )
        for place in range(max(len(now), len(recorded)))
    ), []


def _recorded(held: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """The verdicts of the newest judgement, in their order."""
    rows = _json(held, "verdicts.json")
    known = [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []
    try:
        newest = max((int(one["revision"]) for one in known), default=0)
        last = sorted(
            (one for one in known if one["revision"] == newest), key=lambda one: int(one["position"])
        )
        return [(str(one["place"]), _word(one["indication"], one["sub_indication"])) for one in last]
    except (KeyError, TypeError, ValueError):
        raise UnfitError("no_json", "verdicts.json") from None


def _word(indication: object, sub_indication: object) -> str:
    return f"{indication} ({sub_indication})" if sub_indication else str(indication)
