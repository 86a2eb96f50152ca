"""Mutants of signed files: whatever passes still covers, byte for byte, what was signed, and holds for pyHanko too."""

import asyncio
import hashlib
import io
from collections import Counter
from random import Random

import pdf_cases as cases
import pdf_lasting as lasting
import pdf_stamps as stamps
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing import pdf_coverage, pdf_write

TRUSTED = lasting.trusted(cases.AT)
BASES = {
    "person and organisation": cases.by_both,
    "with a stamp between": lambda: cases.by_organisation(pdf_write.stamp(cases.by_person(), "Số: 12")),
    "lasting": lambda: lasting.signed("LTA"),
}


def flip(raw, at, chance):
    return raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :]


def drop(raw, at, chance):
    return raw[:at] + raw[at + chance.randrange(1, 9) :]


def insert(raw, at, chance):
    return raw[:at] + chance.choice((b" ", b"0", b"\n% x\n", b"<<", b"endobj\n")) + raw[at:]


def repeat(raw, at, chance):
    size = chance.randrange(1, 400)
    return raw[: at + size] + raw[at : at + size] + raw[at + size :]


def blank(raw, at, chance):
    size = chance.randrange(1, 40)
    return raw[:at] + b" " * len(raw[at : at + size]) + raw[at + size :]


def renumber(raw, at, chance):
    """One digit near the place becomes another: lengths, offsets, object numbers, ranges."""
    place = next((one for one in range(at, len(raw)) if raw[one : one + 1].isdigit()), at)
    return raw[:place] + b"%d" % chance.randrange(10) + raw[place + 1 :]


def cut(raw, at, _):
    return raw[:at] + b"\nstartxref\n0\n%%EOF\n"


def update(raw, _, chance):
    """A revision more, of one kind or another."""
    change = chance.choice(UPDATES)
    return stamps.drawn(raw, change)


def changed_title(page):
    page.writer.set_info(generic.DictionaryObject({generic.pdf_name("/Title"): generic.pdf_string("x")}))


def field_gone(page):
    del page.writer.root["/AcroForm"]["/Fields"][0]
    page.writer.update_container(page.writer.root["/AcroForm"]["/Fields"])


def signature_rewritten(page):
    value = page.writer.root["/AcroForm"]["/Fields"][0]["/V"]
    value[generic.pdf_name("/Reason")] = generic.pdf_string("x")
    page.writer.update_container(value)


UPDATES = (
    lambda page: page.name().put(),
    stamps.whited_out,
    changed_title,
    field_gone,
    signature_rewritten,
)
KINDS = (flip, drop, insert, repeat, blank, renumber, cut, update)


def covered(raw):
    """Digests of what each hole in plain sight leaves, and where it ends."""
    digests = pdf_coverage.Digests(raw)
    return [(digests.of("sha256", hole), hole.end) for hole in pdf_coverage.holes(raw)]


def held_by_pyhanko(raw):
    """How many signatures are intact and valid for it; one that it cannot read is not."""
    reader = PdfFileReader(io.BytesIO(raw))
    found = [
        (name, reference) for name, value, reference in enumerate_sig_fields(reader) if value is not None
    ]
    return sum(_holds(reader, name, reference.get_object()) for name, reference in found)


def _holds(reader, name, field):
    try:
        signature = EmbeddedPdfSignature(reader, field, name)
        if signature.sig_object_type != "/Sig":
            return False
        context = lasting.context(cases.LISTED_AT)
        status = asyncio.run(async_validate_pdf_signature(signature, context, skip_diff=True))
    except Exception:  # noqa: BLE001 - it raises whatever it likes
        return False
    return status.intact and status.valid


def campaign(base, count, seed):
    raw, chance, seen = BASES[base](), Random(seed), Counter()
    signed = {digest for digest, _ in covered(raw)}
    assert hashlib.sha256(raw).digest() not in signed
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        mutant = kind(raw, chance.randrange(len(raw)), chance)
        if mutant == raw:
            continue
        report = cases.judged(mutant, TRUSTED)
        passed = [verdict for verdict in report.verdicts if verdict.passed]
        kept = [end for digest, end in covered(mutant) if digest in signed]
        assert len(passed) <= len(kept), kind
        if any(verdict.coverage.whole for verdict in passed):
            assert len(mutant) in kept, kind
        # A damaged timestamp ends a signature for pyHanko; for us it leaves the receipt as its time.
        if passed and "timestamp_not_valid" not in cases.codes(report):
            assert len(passed) <= held_by_pyhanko(mutant), kind
        seen[kind.__name__, bool(passed)] += 1
    return seen


@pytest.mark.parametrize("base", BASES)
def test_no_mutant_passes_for_what_it_is_not(base):
    seen = campaign(base, 120, 20260105)
    assert seen["update", True] > 8  # what was signed is still there
    assert sum(count for (_, passed), count in seen.items() if not passed) > 40


def test_a_damaged_parameter_that_nothing_covers_is_no_signature():
    damaged = cases.by_person().replace(b"2A864886F70D01010B0500", b"2A864886F70D01010B2500")
    damaged = damaged.replace(b"2a864886f70d01010b0500", b"2a864886f70d01010b2500")
    assert damaged != cases.by_person()
    assert not cases.only(damaged).passed
    assert held_by_pyhanko(damaged) == 0


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("base", BASES)
def test_no_mutant_passes_for_what_it_is_not_in_thousands(base):
    seen = campaign(base, 2000, 7)
    print(f"\n{base}: {dict(seen)}")
    assert seen["update", True] > 150
