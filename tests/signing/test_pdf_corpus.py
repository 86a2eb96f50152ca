"""Every PDF of pyHanko's own tests: nothing crashes, nothing is judged more loosely than pyHanko judges it.

Their authorities are not ours, so nothing here passes for good; compared is whether a signature holds, and whether
something came after it that is neither a signature, a form filled in, nor validation material.
"""

import asyncio
import io
from collections import Counter
from datetime import UTC, datetime

import corpora
import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from signing import pdf, trust
from signing.verdict import SubIndication

AT = datetime(2026, 11, 21, tzinfo=UTC)
FOLDER = corpora.path("pyhanko") / "pyhanko_testing_commons" / "test_data" / "data" / "pdf"
FILES = {str(path.relative_to(FOLDER)): path for path in sorted(FOLDER.rglob("*.pdf"))}
WHOLE_REVISIONS = (SignatureCoverageLevel.ENTIRE_REVISION, SignatureCoverageLevel.ENTIRE_FILE)
BAD = {
    SubIndication.FORMAT_FAILURE,
    SubIndication.HASH_FAILURE,
    SubIndication.SIG_CRYPTO_FAILURE,
    SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
}
HARMLESS = {"signature", "form", "validation"}

STRICTER = {
    "ed448-disallowed-hash.pdf": "Ed448 is no algorithm of the circular",
    "ed448-shake256-nolen.pdf": "Ed448 is no algorithm of the circular",
    "extensions-direct.pdf": "the second signature is made with an algorithm that is not on our list",
    "extensions-indirect.pdf": "the second signature is made with an algorithm that is not on our list",
    "extensions-indirect-not-all-paths.pdf": "the second signature is made with an algorithm that is not on our list",
    "extensions-update-direct.pdf": "the second signature is made with an algorithm that is not on our list",
    "extensions-update-indirect.pdf": "the second signature is made with an algorithm that is not on our list",
    "sig-no-signed-attrs.pdf": "without signed attributes those of another signature could be passed off as a file",
}
"""Where a signature holds for pyHanko and not for us, and why."""


def by_pyhanko(raw):
    """Of each signature whether it holds, and whether what came after is harmless; None when the file is refused."""
    try:
        found = PdfFileReader(io.BytesIO(raw)).embedded_regular_signatures
    except Exception:  # noqa: BLE001 - it raises whatever it likes
        return None
    return [_status(signature) for signature in found]


def _status(signature):
    context = ValidationContext(trust_roots=[], moment=AT, allow_fetching=False)
    try:
        status = asyncio.run(async_validate_pdf_signature(signature, context))
    except Exception:  # noqa: BLE001 - as above
        return False, False
    sound = status.intact and status.valid and status.coverage in WHOLE_REVISIONS
    return sound, status.modification_level not in {None, ModificationLevel.OTHER}


def by_us(raw):
    verdicts = pdf.verify(raw, trust.Trust(), AT, where="a.pdf").verdicts
    return [(one.sub_indication not in BAD, HARMLESS.issuperset(one.changes_after)) for one in verdicts]


def test_there_are_as_many_as_we_know():
    assert len(FILES) == 132
    assert STRICTER.keys() <= FILES.keys()


def test_none_is_judged_more_loosely_and_the_stricter_are_listed():
    seen, stricter = Counter(), set()
    for name, path in FILES.items():
        raw = path.read_bytes()
        ours, theirs = by_us(raw), by_pyhanko(raw)
        if theirs is None:
            assert not any(sound for sound, _ in ours), name
            continue
        assert len(ours) == len(theirs), name
        for (sound, harmless), (holds, explained) in zip(ours, theirs, strict=True):
            assert holds or not sound, name
            assert explained or not harmless or not sound, name
            seen[sound, harmless] += 1
            if holds and not sound:
                stricter.add(name)
    assert stricter == set(STRICTER)
    assert seen[True, True] > 25
    assert seen[True, False] > 3
    assert seen[False, True] > 5


@pytest.mark.parametrize("name", ["circular-xref-chain.pdf", "form-tree-circular-ref-input.pdf"])
def test_loops_end(name):
    assert pdf.verify(FILES[name].read_bytes(), trust.Trust(), AT, where="a.pdf").verdicts == ()
