import hashlib
import re

import pdf_cases as cases
import pytest
from pyhanko.pdf_utils import generic

from signing import pdf_coverage, pdf_write
from signing.verdict import Indication, SubIndication

FORMAT = SubIndication.FORMAT_FAILURE


RAW = b"0123456<AAbb0C>fghij"


@pytest.mark.parametrize(
    "raw, numbers, contents",
    [
        (RAW, (7, 7, 15, 5), b"\xaa\xbb\x0c"),
        (RAW, (0, 7, 15, 5), b"\xaa\xbb\x0d"),
        (RAW, (0, 7, 15, 5), b"\xaa\xbb"),
        (RAW, (0, 7, 15, 6), b"\xaa\xbb\x0c"),
        (RAW, (0, 7, 15, -1), b"\xaa\xbb\x0c"),
        (RAW, (0, 0, 15, 5), b"\xaa\xbb\x0c"),
        (RAW.replace(b"bb", b"g!"), (0, 7, 15, 5), b"\xaa\xbb\x0c"),
        (RAW.replace(b"0C", b"  "), (0, 7, 15, 5), b"\xaa\xbb"),
        (RAW.replace(b"<", b"("), (0, 7, 15, 5), b"\xaa\xbb\x0c"),
        (RAW.replace(b">", b")"), (0, 7, 15, 5), b"\xaa\xbb\x0c"),
        (RAW[:-5], (0, 7, 15, 5), b"\xaa\xbb\x0c"),
    ],
)
def test_holes_that_are_none(raw, numbers, contents):
    byte_range = generic.ArrayObject(map(generic.NumberObject, numbers))
    assert pdf_coverage.hole(raw, byte_range, contents) is None


def test_a_hole_and_the_digest_around_it():
    byte_range = generic.ArrayObject(map(generic.NumberObject, (0, 7, 15, 4)))
    hole = pdf_coverage.hole(RAW, byte_range, b"\xaa\xbb\x0c")
    assert hole == (7, 15, 19)
    assert pdf_coverage.Digests(RAW).of("sha256", hole) == hashlib.sha256(b"0123456fghi").digest()
    assert pdf_coverage.hole(RAW, generic.NumberObject(7), b"\xaa\xbb\x0c") is None
    fractions = generic.ArrayObject(map(generic.FloatObject, (0, 7, 15, 4)))
    assert pdf_coverage.hole(RAW, fractions, b"\xaa\xbb\x0c") is None


def covering(byte_range):
    """A file whose signature is right for the bytes that `byte_range` of (start, stop, end) names."""
    raw = cases.with_contents(lambda _: None)
    numbers = byte_range(*cases.hole_of(raw), len(raw))
    place = list(re.finditer(rb"(?<=/ByteRange )\[[^]]*\] *", raw))[-1]
    text = b"[%s]" % b" ".join(b"%d" % number for number in numbers)
    raw = raw[: place.start()] + text.ljust(len(place[0])) + raw[place.end() :]
    pieces = zip(numbers[::2], numbers[1::2], strict=False)
    digest = hashlib.sha256(b"".join(raw[start : start + length] for start, length in pieces)).digest()
    contents = pdf_write.signed_data(digest, cases.value_of, [cases.asn1(cases.ORGANISATION)])
    start, end = cases.hole_of(raw)
    return raw[: start + 1] + contents.hex().encode().ljust(end - start - 2, b"0") + raw[end - 1 :]


@pytest.mark.parametrize(
    "byte_range",
    [
        lambda start, stop, size: (1, start - 1, stop, size - stop),
        lambda start, stop, size: (0, start - 20, stop, size - stop),
        lambda start, stop, size: (0, start, stop + 5, size - stop - 5),
        lambda start, stop, size: (0, start + 1, stop, size - stop),
        lambda start, stop, size: (0, start, stop - 1, size - stop + 1),
        lambda start, stop, size: (0, start, stop, size - stop + 1),
        lambda start, _stop, _size: (0, start),
        lambda start, stop, size: (0, start, stop, 5, stop + 5, size - stop - 5),
        lambda start, stop, size: (0, stop, start, size - start),
        lambda _start, _stop, _size: (),
    ],
)
def test_a_range_that_skips_or_repeats_bytes(byte_range):
    expected = (Indication.TOTAL_FAILED, FORMAT, "pdf_byte_range")
    assert cases.ending(cases.only(covering(byte_range))) == expected


def test_a_range_that_ends_before_its_revision_does():
    verdict = cases.only(covering(lambda start, stop, size: (0, start, stop, size - stop - 6)))
    assert cases.ending(verdict) == (Indication.TOTAL_FAILED, FORMAT, "pdf_revision")
    assert cases.only(covering(lambda start, stop, size: (0, start, stop, size - stop))).passed
