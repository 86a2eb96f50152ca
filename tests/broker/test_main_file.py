"""The first page is read in a worker process, under its limits; whatever goes wrong there is silence."""

import os
import signal
import zlib

import pdf_cases as cases

from exchange.broker import verify
from signing import pdf_write

LINES = ["Số: 12/UBND-VX"]


def endless():
    """A page that takes many seconds to read: 90,000 texts in a file of 5 kB."""
    content = zlib.compress(b"BT /F 1 Tf (a) Tj ET\n" * 90_000)
    packed = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(content), content)
    plain = pdf_write.blank([])
    start, end = plain.index(b"4 0 obj\n") + 8, plain.index(b"\nendobj", plain.index(b"4 0 obj"))
    return plain[:start] + packed + plain[end:]


async def test_a_page_that_takes_too_long_is_silence_and_the_next_is_read():
    async with verify.VerifyPool(cases.TRUST, verify.Limits(workers=1, seconds=1.5)) as pool:
        assert await pool.first_page(pdf_write.blank(LINES)) == "So: 12/UBND-VX"
        assert await pool.first_page(endless()) == ""
        assert await pool.first_page(pdf_write.blank(LINES)) == "So: 12/UBND-VX"


async def test_a_worker_that_dies_is_silence_and_the_next_is_read():
    async with verify.VerifyPool(cases.TRUST, verify.Limits(workers=1)) as pool:
        await pool.first_page(b"")
        worker = pool._quick.free.get_nowait()
        pool._quick.free.put_nowait(worker)
        os.kill(worker.process, signal.SIGKILL)
        assert await pool.first_page(pdf_write.blank(LINES)) == ""
        assert await pool.first_page(pdf_write.blank(LINES)) == "So: 12/UBND-VX"
