"""Reports as files over HTTP: the command's own, without contents for who only watches; nobody waits for one, nothing stays behind."""

import asyncio
import contextlib
import io
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import aiohttp
import clerk
import openpyxl
import paper_cases as paper
import pytest
from province import fetch, quick_letter

from exchange import config
from exchange.api import app, connections, described_parts, report_files
from exchange.api.described_figures import FILES, PERIODIC, PERIODIC_FORMS, REPORTS
from exchange.broker import exchange as parts
from exchange.tracker.forms import apart, compose
from exchange.tracker.reports import handed
from exchange.tracker.reports.report import Word
from exchange.tracker.reports.spooled import BATCH, Changed, Rows

WORKERS = 1
YEAR = str((datetime.now(UTC) + timedelta(hours=7)).year)
SECRET = "bí mật riêng"
MEDIA = {"xlsx": described_parts.XLSX, "docx": described_parts.DOCX, "pdf": described_parts.PDF}
MOMENT = re.compile(r"\d\d/\d\d/\d{4} ?\d\d:\d\d")


def read(raw, form):
    """What stands in a file, in order, but for the moment of making and white space, which paper lays anew."""
    if form == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(raw))
        told = [
            (sheet.title, cell.coordinate, cell.value, cell.number_format)
            for sheet in book
            for row in sheet.iter_rows()
            for cell in row
        ]
        return [tuple(MOMENT.sub("", one) if isinstance(one, str) else one for one in each) for each in told]
    said = paper.pages(raw) if form == "pdf" else paper.paragraphs(raw)
    return MOMENT.sub("", "".join(said).replace("\n", " ")).split()


def text(raw, form):
    """All of it as one text without white space."""
    return paper.flat(str(read(raw, form))) if form == "xlsx" else "".join(read(raw, form))


async def got(url, path, key, **headers):
    async with (
        aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {key}", **headers}) as session,
        session.get(path) as answer,
    ):
        return answer.status, await answer.read(), answer.headers


async def file(server, path, key, **headers):
    status, raw, told = await got(server.url, path, key, **headers)
    assert status == 200, raw[:300]
    assert int(told["Content-Length"]) == len(raw)
    return raw


def monitor(server, name, *watched):
    """The key of a system that sends nothing here, and watches."""
    made = server.congvan("system", "add", "--acts-for", "H13.48", "--name", name, "--json", check=True)
    told = json.loads(made.stdout)
    server.congvan("system", "monitor", told["system"], *watched, check=True)
    return told["secret"]


@pytest.fixture(scope="module")
def filled(shared_server):
    """A letter, one that was refused, and one on paper only, each with something that nobody else may read."""
    paper.font()
    asyncio.run(_fill(shared_server))
    shared_server.watching = monitor(shared_server, "giám sát", "--all")
    yield shared_server
    log = shared_server.log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in log
    assert '"event": "internal"' not in log
    assert [*(shared_server.folder / "spool").glob("*")] == []


async def _fill(server):
    async with server.client("H13.01") as client:
        for number in (1, 2):
            raw = quick_letter(number, recipients=["H13.31"], subject=f"V/v {SECRET}")
            assert (await client.send(raw)).status in (200, 201)
    async with server.client("H13.31") as client:
        one, *_ = (await client.inbox()).body["items"]
        said = {"code": "02", "reason": f"vì {SECRET}"}
        assert (await client.ask("POST", f"/v1/deliveries/{one['id']}/status", json=said)).status == 201
    await fetch(
        server.dsn,
        """INSERT INTO register_row (agency, id, direction, number, notation, subject, other_party, moved_on, loaded_at, counted, note)
           SELECT id, gen_random_uuid(), 'out', '77', 'CV', $1, 'Công ty B', $2, now(), true, $1 FROM agency WHERE code = 'H13.01'""",
        SECRET, date(int(YEAR), 1, 2),
    )  # fmt: skip


@pytest.fixture
def command(filled, tmp_path):
    """The file that `congvan report` writes of the same question."""

    def wrote(name, form, options):
        there = tmp_path / f"there.{form}"
        reported(filled, name, "--format", form, "--output", there, *options)
        return there.read_bytes()

    return lambda name, form, *options: asyncio.to_thread(wrote, name, form, options)


@pytest.fixture
def printed(filled):
    """What `congvan report --json` prints of the same question."""
    return lambda name, *options: asyncio.to_thread(reported, filled, name, "--json", *options)


def reported(server, name, *options):
    ours = {name: text for name, text in server.environment.items() if name.startswith("CONGVAN_")}
    settings = {**ours, "CONGVAN_DATABASE_URL": server.dsn, "CONGVAN_LANGUAGE": "vi"}
    done = clerk.congvan(None, "report", name, "--period", YEAR, *options, **settings)
    assert done.code == 0, done.err
    return done.out


ASKED = [
    ("BC-02", "xlsx", "", ()),
    ("BC-06", "docx", "&target=92", ("--target", "92")),
    ("BC-02", "pdf", "&level=2", ("--level", "2")),
    (
        PERIODIC,
        "docx",
        "&target=92&issuer=H13.01&place=Cần Thơ&number=12/BC-SA&position=Giám đốc&signer=Trần Văn Mẫu",
        ("--target", "92", "--issuer", "H13.01", "--place", "Cần Thơ", "--number", "12/BC-SA", "--position", "Giám đốc",
         "--signer", "Trần Văn Mẫu"),
    ),
    (PERIODIC, "pdf", "", ()),
]  # fmt: skip


@pytest.mark.parametrize(
    "name, form, query, options", ASKED, ids=[f"{name}-{form}" for name, form, *_ in ASKED]
)
async def test_the_file_is_the_commands(filled, command, name, form, query, options):
    query, options = f"&agency=H13.01{query}", ("--agency", "H13.01", *options)
    path, key = f"/v1/reports/{name}?period={YEAR}&format={form}{query}", filled.province.key_of("H13.01")
    status, raw, headers = await got(filled.url, path, key)
    assert status == 200, raw
    assert (headers["Content-Type"], headers["Cache-Control"]) == (MEDIA[form], "no-store")
    assert headers["Content-Disposition"] == f'attachment; filename="{name}.{form}"'
    assert int(headers["Content-Length"]) == len(raw)
    assert read(raw, form) == read(await command(name, form, *options), form)
    if form == "xlsx":
        english = await file(filled, path, key, **{"Accept-Language": "en"})
        assert text(english, form) != text(raw, form)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("name", REPORTS)
async def test_every_report_opens_in_every_form_and_tells_a_monitor_no_contents(filled, command, name):
    for form in FILES:
        if name == PERIODIC and form not in PERIODIC_FORMS:
            continue
        raw = await file(
            filled, f"/v1/reports/{name}?period={YEAR}&format={form}&agency=H13.01", filled.watching
        )
        assert paper.flat(SECRET) not in text(raw, form), form
        own = f"/v1/reports/{name}?period={YEAR}&format={form}&agency=H13.01"
        raw = await file(filled, own, filled.province.key_of("H13.01"))
        assert read(raw, form) == read(await command(name, form, "--agency", "H13.01"), form), form


HELD = [("BC-06", "xlsx"), ("BC-06", "docx"), (PERIODIC, "json"), (PERIODIC, "docx"), (PERIODIC, "pdf")]


@pytest.mark.parametrize("name, form", HELD, ids=["-".join(one) for one in HELD])
async def test_who_only_watches_sees_no_contents_in_any_form(filled, name, form):
    """What the sender reads in its own report is not in the monitor's; the rest of it is."""
    path = f"/v1/reports/{name}?period={YEAR}&format={form}&agency=H13.01"
    shown = {}
    for who, key in (("own", filled.province.key_of("H13.01")), ("monitor", filled.watching)):
        status, raw, _ = await got(filled.url, path, key)
        assert status == 200, raw
        shown[who] = paper.flat(raw.decode()) if form == "json" else text(raw, form)
    assert paper.flat(SECRET) in shown["own"]
    assert paper.flat(SECRET) not in shown["monitor"]
    assert "CôngtyB" not in shown["monitor"]
    assert "H13.01" in shown["monitor"]
    if name == PERIODIC:
        for book in ("sổ đăng ký văn bản đi", "sổ đăng ký văn bản đến"):
            assert paper.flat(book).casefold() in shown["monitor"].casefold()


async def test_the_periodic_report_for_programs_is_the_commands(filled, printed):
    path = f"/v1/reports/{PERIODIC}?period={YEAR}&agency=H13.01&target=92"
    _, raw, _ = await got(filled.url, path, filled.province.key_of("H13.01"))
    done = await printed(PERIODIC, "--agency", "H13.01", "--target", "92")

    def timeless(value):
        if isinstance(value, dict):
            return {name: timeless(one) for name, one in value.items() if name != "as_of"}
        return [timeless(one) for one in value] if isinstance(value, list) else value

    assert timeless(json.loads(raw)) == timeless(json.loads(done))
    assert {one["target"] for one in json.loads(raw)["annexes"]["BC-02"]["rows"]} == {92}


REFUSED = [
    (f"{PERIODIC}?format=csv", 400, "json | docx | pdf"),
    (f"{PERIODIC}?format=xlsx", 400, "json | docx | pdf"),
    ("BC-02?format=ods", 400, "json | csv | xlsx | docx | pdf"),
    ("BC-02?format=xlsx&signer=A", 400, "signer: format=docx | pdf"),
    ("BC-02?format=json&issuer=H13.01", 400, "issuer: format=docx | pdf"),
    (f"{PERIODIC}?number=1", 400, "number: format=docx | pdf"),
    ("BC-02?target=92", 400, "target: BC-15, format=docx | pdf"),
    ("BC-02?format=pdf&target=101", 400, "target: 0…100"),
    (f"BC-02?format=pdf&place={'x' * 201}", 400, "place"),
    (f"{PERIODIC}?format=pdf&view=in", 400, "view"),
    (f"{PERIODIC}?format=docx&periods=3", 400, "periods"),
    ("BC-10?format=xlsx&type=x", 400, "type"),
    ("BC-99?format=xlsx", 404, ""),
    ("BC-02?format=xlsx&agency=H13.02.X", 404, ""),
    ("BC-02?format=docx&issuer=NOBODY", 404, ""),
    ("BC-02?format=docx&issuer=H13.31", 404, ""),
    (f"{PERIODIC}?format=pdf&agency=H13.31", 404, ""),
]  # fmt: skip


@pytest.mark.parametrize("path, status, said", REFUSED, ids=[str(one) for one in range(len(REFUSED))])
async def test_what_cannot_be_is_refused_with_what_can(filled, path, status, said):
    status_, raw, _ = await got(
        filled.url, f"/v1/reports/{path}&period={YEAR}", filled.province.key_of("H13.48")
    )
    told = json.loads(raw)
    assert (status_, told["code"]) == (status, "bad_request" if status == 400 else "not_found")
    assert said in told["detail"]


async def test_a_head_asks_for_nothing_to_be_written(filled):
    key = filled.province.key_of("H13.01")
    async with aiohttp.ClientSession(filled.url, headers={"Authorization": f"Bearer {key}"}) as session:
        for form in FILES:
            async with session.head(f"/v1/reports/BC-02?period={YEAR}&format={form}") as answer:
                assert (answer.status, answer.headers["Content-Type"]) == (200, MEDIA[form])


# --- the writer, and who waits for it ------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def beside(filled, folder, monkeypatch, writer="", **limits):
    """The same exchange once more in this process, with a folder of its own; `writer`: what stands in for the writing process."""
    if writer:
        (folder / "stand_in.py").write_text(f"{STAND_IN}\n{writer}\n", encoding="utf-8")
        monkeypatch.setenv(
            "PYTHONPATH", os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        )
        monkeypatch.setattr(apart, "MODULE", "stand_in")
    monkeypatch.setattr(report_files, "LIMITS", apart.Limits(**limits))
    shutil.copy(filled.folder / "receipt.key", folder)
    settings = config.read({**filled.environment, "CONGVAN_DATA": str(folder)})
    async with parts.opened(settings, filled.dsn) as exchange:
        runner = connections.runner(app.application(exchange), 5)
        await runner.setup()
        try:
            site = app.web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            yield exchange, f"http://{host}:{port}"
        finally:
            await runner.cleanup()


STAND_IN = """
import os, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
here = Path(__file__).parent
(here / f"begun-{os.getpid()}").touch()
"""
WAITS = """
parent = os.getppid()
while not (here / "go").exists():
    time.sleep(0.02)
    if os.getppid() != parent:
        sys.exit(1)
(folder / "file").write_bytes(b"x" * 10)
"""
"""Writes when it is told to."""


async def until(what, seconds=30):
    async with asyncio.timeout(seconds):
        while not (found := what()):  # noqa: ASYNC110 - what another process does
            await asyncio.sleep(0.02)
    return found


def left(exchange):
    """What lies in the spool folder, and what of it this process still holds."""
    held = []
    for one in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed while we looked
            held.append(str(one.readlink()))
    there = [*exchange.spool_folder.iterdir()] if exchange.spool_folder.exists() else []
    return there, [one for one in held if str(exchange.spool_folder) in one]


def runs(marker):
    """Whether the writer that left this marker still runs."""
    told = subprocess.run(
        ["ps", "-o", "stat=", "-p", marker.name.partition("-")[2]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return told.stdout.strip() not in {"", "Z"}


async def broken_off(url, path, key, after):
    """Ask, and reset the connection once `after` says so."""
    host, _, port = url.removeprefix("http://").partition(":")
    reading, writing = await asyncio.open_connection(host, int(port), limit=1 << 12)
    writing.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
    await after(reading)
    opened = writing.get_extra_info("socket")
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writing.transport.abort()


PATH = f"/v1/reports/BC-02?period={YEAR}&agency=H13.01&format=docx"


async def test_who_breaks_off_while_it_is_written_ends_the_writer(filled, tmp_path, monkeypatch):
    key = filled.province.key_of("H13.01")
    async with beside(filled, tmp_path, monkeypatch, WAITS) as (exchange, url):
        seen = []

        async def begun(_reading):
            seen.extend(await until(lambda: [*tmp_path.glob("begun-*")]))

        await broken_off(url, PATH, key, begun)
        await until(lambda: not runs(seen[0]))  # it would wait for ever
        await until(lambda: left(exchange) == ([], []))
        (tmp_path / "go").touch()
        assert (await got(url, PATH, key))[:2] == (200, b"x" * 10)


async def test_for_who_breaks_off_in_line_nothing_is_made(filled, tmp_path, monkeypatch):
    key, gate = filled.province.key_of("H13.01"), report_files.gate()
    monkeypatch.setattr(report_files, "gate", lambda: gate)
    async with beside(filled, tmp_path, monkeypatch, WAITS) as (exchange, url):
        first = asyncio.create_task(got(url, PATH, key))
        await until(lambda: [*tmp_path.glob("begun-*")])

        async def in_line(_reading):
            await until(lambda: gate._here == 2)

        await broken_off(url, PATH, key, in_line)
        (tmp_path / "go").touch()
        assert (await first)[0] == 200
        await until(lambda: gate._here == 0 and left(exchange) == ([], []))
        assert len([*tmp_path.glob("begun-*")]) == 1


async def test_who_breaks_off_while_it_is_sent_leaves_nothing(filled, tmp_path, monkeypatch):
    key = filled.province.key_of("H13.01")
    async with beside(filled, tmp_path, monkeypatch, "(folder / 'file').write_bytes(bytes(64 << 20))") as (
        exchange,
        url,
    ):

        async def some(reading):
            assert (await reading.readexactly(1 << 14)).startswith(b"HTTP/1.1 200")
            assert left(exchange)[0] == []  # it has no name while it is sent
            assert len(left(exchange)[1]) == 1

        for _ in range(2 + report_files.IN_LINE):
            await broken_off(url, PATH, key, some)
        await until(lambda: left(exchange) == ([], []))


async def test_so_many_wait_the_rest_are_told_and_figures_go_on(filled, tmp_path, monkeypatch):
    """A file that is written holds no connection, and no place among those who ask for figures."""
    key, gate = filled.province.key_of("H13.01"), report_files.gate()
    monkeypatch.setattr(report_files, "gate", lambda: gate)
    async with beside(filled, tmp_path, monkeypatch, WAITS) as (exchange, url):
        many = report_files.AT_ONCE + report_files.IN_LINE
        waiting = [asyncio.create_task(got(url, PATH, key)) for _ in range(many)]
        await until(lambda: [*tmp_path.glob("begun-*")] and gate.full)
        async with asyncio.timeout(20):
            status, raw, headers = await got(url, PATH, key)
        assert (status, json.loads(raw)["code"], headers["Retry-After"]) == (503, "busy", "5")
        assert exchange.pool.get_idle_size() == exchange.pool.get_size()
        for _ in range(3):
            assert (await got(url, PATH.replace("docx", "json"), key))[0] == 200
        assert len([*tmp_path.glob("begun-*")]) == report_files.AT_ONCE
        (tmp_path / "go").touch()
        assert [(await one)[0] for one in waiting] == [200] * many
        assert left(exchange) == ([], [])


ENDS = [
    ("xlsx", ("os._exit(4)", {}), (413, "too_large", "1.048.574")),
    ("pdf", ("os._exit(4)", {}), (413, "too_large", "congvan report")),
    ("pdf", ("os._exit(3)", {}), (500, "internal", "")),
    ("docx", ("raise SystemExit(1)", {}), (500, "internal", "")),
    ("docx", (WAITS, {"seconds": 0.3}), (503, "busy", "")),
    ("pdf", ("", {"cpu_seconds": 1}), (413, "too_large", "1 giây")),
]


@pytest.mark.parametrize(
    "form, writer, told",
    ENDS,
    ids=["large-xlsx", "large-pdf", "no-font", "failed", "slow", "real"],
)
async def test_what_cannot_be_written_is_told(filled, tmp_path, monkeypatch, form, writer, told):
    async with beside(filled, tmp_path, monkeypatch, writer[0], **writer[1]) as (exchange, url):
        path = f"/v1/reports/BC-02?period={YEAR}&format={form}"  # of the whole province: 452 rows
        status, raw, _ = await got(url, path, filled.watching)
        said = json.loads(raw)
        assert (status, said["code"]) == told[:2]
        assert told[2] in said["detail"]
        assert left(exchange) == ([], [])


async def test_a_list_longer_than_a_sheet_is_told_at_once(filled, tmp_path, monkeypatch):
    monkeypatch.setattr(apart, "MOST_IN_SHEET", 3)
    async with beside(filled, tmp_path, monkeypatch, "os._exit(0)") as (_, url):
        status, raw, _ = await got(url, f"/v1/reports/BC-02?period={YEAR}&format=xlsx", filled.watching)
    assert (status, json.loads(raw)["code"]) == (413, "too_large")
    assert [*tmp_path.glob("begun-*")] == []


def test_a_writer_ends_with_who_started_it(tmp_path):
    order = apart.Order(form="pdf", language="vi", own_fonts="")
    handed.put(tmp_path, (paper.usage_report(452), order, apart.Limits()))
    process = subprocess.Popen([sys.executable, "-m", apart.MODULE, str(tmp_path)], stdin=subprocess.PIPE)
    process.stdin.close()
    assert process.wait(60) == 1
    assert not (tmp_path / apart.FILE).exists()


def test_a_server_loads_no_libraries_of_paper():
    """They take as long to load as the rest of it; the writer loads them."""
    code = "import sys; from exchange.api import app; print([one for one in ('docx', 'reportlab') if one in sys.modules])"  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_as_many_rows_are_laid_down_as_are_printed():
    assert apart.MOST_PRINTED == compose.MOST_ROWS


@pytest.mark.parametrize("n", [0, 1, BATCH - 1, BATCH, 2 * BATCH + 1])
def test_rows_are_handed_over_as_they_were(tmp_path, n):
    rows = Rows(tmp_path)
    for one in range(n):
        rows.add([one, "chữ", Word("a.b"), None])
    for place, value in enumerate((rows, Changed(rows, lambda row: [-row[0], *row[1:]]))):
        folder = tmp_path / str(place)
        folder.mkdir()
        handed.put(folder, {"a": value, "b": [value, n]})
        taken = handed.taken(folder)
        assert taken["b"][1] == n
        for each in (taken["a"], taken["b"][0]):
            assert (len(each), list(each), list(each)) == (n, list(value), list(value))
            assert each[:3] == list(value)[:3]
            assert n == 0 or each[n - 1] == list(value)[-1]
    few = tmp_path / "few"
    few.mkdir()
    handed.put(few, rows, 3)
    assert (len(handed.taken(few)), handed.taken(few)[:5]) == (n, list(rows)[:3])
