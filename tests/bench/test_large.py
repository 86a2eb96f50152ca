"""Memory and neighbours of letters far too large for memory, over real HTTP, one worker.

A letter with one file of 200 MB is sent, sent again, fetched and shown. The bound is on what the serving process and its
verify workers take over what they held before, at their worst moment: the kernel's own high-water mark, set back after
a warm-up. Pages of a file that is only looked at (a PDF mapped by its worker) belong to the system's cache and are told
beside.
"""

import asyncio
import base64
import contextlib
import hashlib
import io
import json
import re
import statistics
import threading
import time
from pathlib import Path

import aiohttp
import pdf_cases as cases
import province as provinces
import pytest
import uvloop
from bench import anchors
from bench.test_ceiling import PLENTY
from large_letters import MB, letter, with_encoded

from signing import pdf_write

MOST_MB = 64
SIZE = 200 * MB
SETTINGS = {"CONGVAN_MAX_LETTER_MB": "300"}
HOLE = b"\0HOLE\0"


def descendants(pid):
    found = [pid]
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                found += descendants(int(path.parent.name))
    return found


def status(pid, field):
    """A line of a process's status in MB; nothing of one that is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) / 1024
    return 0


class Peak:
    """The memory of processes over what they held when the block began: anonymous (looked at all the time), and all."""

    def __init__(self, pid):
        self.pids = descendants(pid)
        self.idle = {field: sum(status(one, field) for one in self.pids) for field in ("VmRSS", "RssAnon")}
        self.anonymous = 0.0
        self._ended = threading.Event()

    def __enter__(self):
        for pid in self.pids:
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._ended.set()
        self._thread.join()
        self.all = sum(status(one, "VmHWM") for one in self.pids) - self.idle["VmRSS"]

    def _watch(self):
        while not self._ended.wait(0.005):
            now = sum(status(one, "RssAnon") for one in self.pids)
            self.anonymous = max(self.anonymous, now - self.idle["RssAnon"])


def drawing(path):
    block = hashlib.shake_256(b"bench").digest(MB)
    with path.open("wb") as file:
        for _ in range(SIZE // MB):
            file.write(block)


def signed_pdf(path):
    """A PDF with an object of 200 MB, signed behind it."""
    raw = pdf_write.blank(["a"])
    root, before = re.search(rb"/Root\s+(\d+ \d+ R)", raw)[1], re.findall(rb"startxref\s+(\d+)", raw)[-1]
    image = b"900 0 obj\n<< /Length %d >>\nstream\n" % SIZE + bytes(SIZE) + b"\nendstream\nendobj\n"
    table = (
        b"xref\n900 1\n%010d 00000 n \ntrailer\n<< /Size 901 /Root %s /Prev %s >>\nstartxref\n%d\n%%%%EOF\n"
    )
    grown = raw + image + table % (len(raw), root, before, len(raw) + len(image))
    path.write_bytes(
        pdf_write.sign(grown, cases.PERSON_KEY, cases.PERSON, at=cases.SIGNED_AT, field="Person")
    )


async def stream(number, path):
    """A letter with this file, as it goes over the line."""
    before, _, behind = with_encoded(provinces.quick_letter(number), (path.name, HOLE)).partition(HOLE)
    yield before
    with path.open("rb") as file:
        while data := file.read(3 * MB):
            yield base64.b64encode(data)
            await asyncio.sleep(0)
    yield behind


async def _sent(server, number, path):
    headers = {"Authorization": f"Bearer {server.province.key_of('H13.01')}"}
    async with aiohttp.ClientSession(server.url, timeout=aiohttp.ClientTimeout(600)) as session:
        async with session.post("/v1/messages", data=stream(number, path), headers=headers) as answer:
            body = await answer.json(content_type=None)
            assert answer.status in (200, 201), body
        place = f"/v1/messages/{body['receipt']['letter']}"
        size = 0
        async with session.get(place, headers=headers | {"Accept-Encoding": "identity"}) as answer:
            async for piece in answer.content.iter_chunked(MB):
                size += len(piece)
        async with session.get(f"{place}/header", headers=headers) as answer:
            (file,) = json.loads(await answer.read())["attachments"]
        async with session.get(f"{place}/verdicts", headers=headers) as answer:
            verdicts = json.loads(await answer.read())["signatures"]
    assert (size > SIZE, file["size"]) == (True, path.stat().st_size)
    return len(verdicts)


def warm(server):
    """Everything that is loaded and started once."""
    for number in range(1, 4):
        raw = letter(number, ("a.bin", bytes(17 * MB)), ("a.pdf", pdf_write.blank(["a"])))
        uvloop.run(_posted(server, io.BytesIO(raw)))


async def _posted(server, body, code="H13.01"):
    headers = {"Authorization": f"Bearer {server.province.key_of(code)}"}
    async with (
        aiohttp.ClientSession(server.url) as session,
        session.post("/v1/messages", data=body, headers=headers) as answer,
    ):
        return answer.status, (await answer.json(content_type=None)).get("code")


KINDS = {"drawing": (drawing, "ban_ve.bin", 0), "signed PDF": (signed_pdf, "ban_ve.pdf", 1)}


@pytest.mark.bench
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_200_mb_takes_little_memory(province, province_database, tmp_path, kind):
    make, name, signatures = KINDS[kind]
    make(tmp_path / name)
    with provinces.serving(province, province_database, tmp_path, workers=1, **SETTINGS) as server:
        warm(server)
        with Peak(server.process.pid) as peak:
            assert uvloop.run(_sent(server, 9, tmp_path / name)) == signatures
            uvloop.run(_sent(server, 9, tmp_path / name))
    anchors.judge(
        f"200 MB {kind}: {peak.anonymous:.0f} MB over idle, with the pages of files {peak.all:.0f} MB",
        peak.anonymous if signatures else peak.all,
        most=MOST_MB,
    )


PLAIN = provinces.quick_letter(50, sender="H13.03")
LEVELS = b"<a>" * 200_000 + b"</a>" * 200_000
HOSTILE = {
    "10,000 attachments": with_encoded(PLAIN, *((f"{number}.bin", b"QUJD") for number in range(10_000))),
    "10,000 large ones": with_encoded(PLAIN, *((f"{number}.bin", b"QUJD" * 500) for number in range(10_000))),
    "200,000 levels": PLAIN.replace(b"V/v th", LEVELS + b"V/v th", 1),
    "200,000 levels behind a large file": letter(51, ("a.bin", bytes(17 * MB)), sender="H13.03").replace(
        b"</AttachmentEncoded>", LEVELS + b"</AttachmentEncoded>"
    ),
}
CALM, ATTACKED, WARM, BOUND = 120, 120, 20, 2


@pytest.mark.bench
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_neighbour_notices_nothing(postgres, province, province_database, tmp_path, kind):
    """Median of small letters while such a letter is refused over and over, against their own 99th percentile before."""
    with (
        provinces.serving(province, province_database, tmp_path, workers=2, **SETTINGS | PLENTY) as server,
        anchors.Stopwatch(ours=[server.process.pid], database=[postgres.pid]) as watch,
    ):
        calm, attacked, refused = uvloop.run(_neighbour(server, HOSTILE[kind]))
    p99, half = sorted(calm)[int(0.99 * len(calm))], statistics.median(attacked)
    anchors.judge(
        f"{kind}: a small letter takes {half:.1f} ms = {half / p99:.2f} x its own p99 of {p99:.1f} ms (median "
        f"{statistics.median(calm):.1f}); {refused} refused, {watch.span.wall / max(1, refused):.2f} s each at the most",
        half / p99,
        most=BOUND,
        spans=[watch.span],
    )


async def _neighbour(server, hostile):
    raws = [provinces.quick_letter(1_000 + number) for number in range(WARM + CALM + ATTACKED)]
    ending, refused = asyncio.Event(), []

    async def attack():
        while not ending.is_set():
            answered, code = await _posted(server, io.BytesIO(hostile), "H13.03")
            assert (answered, code) == (422, "too_complex")
            refused.append(answered)

    async with server.client() as good:
        await _timed(good, raws[:WARM])
        calm = await _timed(good, raws[WARM : WARM + CALM])
        attacking = asyncio.create_task(attack())
        await asyncio.sleep(0.5)
        attacked = await _timed(good, raws[WARM + CALM :])
        ending.set()
        await attacking
    return calm, attacked, len(refused)


async def _timed(client, raws):
    taken = []
    for raw in raws:
        started = time.perf_counter()
        answer = await client.send(raw)
        taken.append(1e3 * (time.perf_counter() - started))
        assert answer.status == 201, answer.raw
    return taken
