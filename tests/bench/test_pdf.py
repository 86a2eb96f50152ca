"""B13: what examining a PDF with two signatures costs against pyHanko alone.

Files of 50 kB, 0.2 and 2 MB, made and signed by pyHanko as a person and an agency would, RSA-2048. Both sides are given
the same authorities and revocation lists, judge both signatures and look at what came between them; pyHanko requires
revocation data, as we always do. Its context is made anew for every file, as a process that serves strangers must.

CPU time of this process; the sides take turns file by file, and medians are compared. A third line tells what a file
costs whose signatures are broken: they are told from the bytes before any structure is read. It says nothing about
the pool of processes around it.
"""

import gc
import io
import random
import statistics
import time

import pdf_cases as cases
import pytest
from bench import anchors
from pyhanko.pdf_utils import generic, writer
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PageObject
from pyhanko.sign.validation import validate_pdf_signature

BOUND = 1.8
SIZES = {"50 kB": 50_000, "0.2 MB": 200_000, "2 MB": 2_000_000}
ROUNDS = 25


def page(size):
    """One page with so many bytes of content, which draw nothing."""
    filled = writer.PdfFileWriter()
    content = generic.StreamObject(
        stream_data=b"BT ET\n%" + random.Random(1).randbytes(size // 2).hex().encode()
    )
    filled.insert_page(PageObject(contents=filled.add_object(content), media_box=(0, 0, 595, 842)))
    output = io.BytesIO()
    filled.write(output)
    return output.getvalue()


def signed(size):
    return cases.pyhanko_signed(
        cases.pyhanko_signed(page(size), "Ca nhan", cases.PERSON_KEY, cases.PERSON),
        "Co quan",
        cases.SEAL_KEY,
        cases.SEAL,
    )


def by_us(raw):
    verdicts = cases.judged(raw, at=cases.LISTED_AT).verdicts
    assert [verdict.passed for verdict in verdicts] == [True, True]


def by_pyhanko(raw):
    context = cases.context(cases.LISTED_AT)
    for signature in PdfFileReader(io.BytesIO(raw)).embedded_signatures:
        status = validate_pdf_signature(signature, context)
        assert status.intact
        assert status.valid
        assert status.trusted


def broken(raw):
    return raw.replace(b"BT ET", b"BT  T", 1)


def measured(works):
    """Milliseconds of each work, the median."""
    taken = {name: [] for name in works}
    gc.collect()
    gc.disable()
    try:
        for _ in range(ROUNDS):
            for name, work in works.items():
                start = time.process_time()
                work()
                taken[name].append(1e3 * (time.process_time() - start))
            gc.collect()
    finally:
        gc.enable()
    return {name: statistics.median(each) for name, each in taken.items()}


@pytest.mark.bench
@pytest.mark.parametrize("size", SIZES)
def test_b13_two_signatures_cost_less_than_pyhanko_alone(size):
    raw = signed(SIZES[size])
    altered = broken(raw)
    assert not any(verdict.passed for verdict in cases.judged(altered).verdicts)
    told = measured(
        {
            "ours": lambda: by_us(raw),
            "pyhanko": lambda: by_pyhanko(raw),
            "broken": lambda: cases.judged(altered),
        }
    )
    ratio = told["pyhanko"] / told["ours"]
    anchors.judge(
        f"B13 PDF {size}: {ratio:.2f} x pyHanko's files a second, {told['ours']:.1f} ÷ {told['pyhanko']:.1f} ms; "
        f"a broken one {told['broken']:.1f} ms",
        ratio,
        least=BOUND,
    )
