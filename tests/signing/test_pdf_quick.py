import io
import random

import pdf_cases as cases
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic

from signing import pdf_quick

SLOWLY = generic.read_hex_string_from_stream


def outcome(read, text):
    """Value and place after it, or the kind of error."""
    stream = io.BytesIO(text)
    try:
        found = read(stream)
    except Exception as problem:  # noqa: BLE001 - whatever pyHanko raises, ours must raise the same
        return type(problem), str(problem)
    return type(found), found.original_bytes, stream.tell()


@given(
    st.text(alphabet="0123456789abcdefABCDEF \n\r\t\f\0%>g<(", max_size=40),
    st.text(alphabet="> 0z", max_size=4),
)
def test_reads_as_pyhanko_does(inside, after):
    text = b"<" + inside.encode() + after.encode()
    assert outcome(pdf_quick.read, text) == outcome(SLOWLY, text)


@pytest.mark.parametrize("size", [0, 1, 2, 32766, 32767, 32768, 32769, 98303, 98304, 98305])
@pytest.mark.parametrize("end", [b">", b"> endobj", b""])
def test_lengths_around_the_pieces_read(size, end):
    digits = random.Random(size).randbytes(size).hex().encode()[:size]
    assert outcome(pdf_quick.read, b"<" + digits + end) == outcome(SLOWLY, b"<" + digits + end)


def inside_and_out():
    with pdf_quick.strings():
        assert generic.read_hex_string_from_stream is pdf_quick.read
        raise KeyError


def test_only_within_the_block():
    with pytest.raises(KeyError):
        inside_and_out()
    assert generic.read_hex_string_from_stream is SLOWLY
    cases.judged(cases.by_both())
    assert generic.read_hex_string_from_stream is SLOWLY
