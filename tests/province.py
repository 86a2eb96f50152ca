"""A province for tests: the demo's directory, authority and systems in a database, and a real server on it."""

import contextlib
import os
import ssl
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from exchange.broker import directory as cases
from exchange.demo import agencies, authority, cast, letters, run
from exchange.links import sdk
from exchange.store import pool as pools

KINDS = {entry.code: entry.kind for entry in agencies.agencies()}
OLD = {entry.code: entry.code102 for entry in agencies.agencies()}


@dataclass
class Province:
    """What every test shares: who holds which certificate, the systems' keys by kind of agency, trust folders."""

    script: cast.Cast
    ours: authority.Authority
    keys: dict
    folder: Path
    template: str = ""

    def key_of(self, code):
        return self.keys[KINDS[code]]

    def letter(
        self, number=1, *, case="signed_pdf", sender="H13.01", recipients=("H13.02",), subject="V/v thử"
    ):
        """The bytes of one letter; different numbers are different documents."""
        draft = letters.Draft(
            case=case, sender=actor(sender), recipients=tuple(recipients), number=number, subject=subject,
            foreign=actor("H13.14") if case == "foreign_signature" else None,
        )  # fmt: skip
        return letters.compose(draft, self.ours, datetime.now(UTC))


def actor(code):
    entry = next(one for one in agencies.agencies() if one.code == code)
    return cast._actor(entry, old=False)


def quick_letter(number, *, sender="H13.01", recipients=("H13.02",), subject="V/v thử"):
    """An unsigned letter: cheap to make and to judge, for load; accepted as N."""
    today = datetime.now(UTC).date()
    parties = "".join(f"<edXML:To><edXML:OrganId>{code}</edXML:OrganId></edXML:To>" for code in recipients)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016"><edXML:edXMLEnvelope xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016"><edXML:edXMLHeader><edXML:MessageHeader><edXML:From><edXML:OrganId>{sender}</edXML:OrganId></edXML:From>{parties}<edXML:DocumentId>{sender},{today:%Y/%m/%d},{number}/CV</edXML:DocumentId><edXML:Code><edXML:CodeNumber>{number}</edXML:CodeNumber><edXML:CodeNotation>CV</edXML:CodeNotation></edXML:Code><edXML:PromulgationInfo><edXML:PromulgationDate>{today:%Y/%m/%d}</edXML:PromulgationDate></edXML:PromulgationInfo><edXML:Subject>{subject}</edXML:Subject></edXML:MessageHeader><edXML:TraceHeaderList><edXML:Bussiness><edXML:BussinessDocType>0</edXML:BussinessDocType><edXML:Paper>0</edXML:Paper></edXML:Bussiness></edXML:TraceHeaderList></edXML:edXMLHeader></edXML:edXMLEnvelope></edXML>
""".encode()


async def furnish(dsn, folder):
    """Fill a migrated database with the demo's directory and systems; trust and CRL files go to `folder`."""
    at = datetime.now(UTC)
    script = cast.cast()
    ours = authority.issue(script.seals, script.persons, script.odd, at)
    authority.publish(ours, folder / "trust", folder / "crl")
    keys = await run._furnish(dsn, script, ours, at, lambda *_args, **_facts: None)
    return Province(script, ours, keys, folder)


@dataclass
class Server:
    """`congvan serve` on a database of its own; `url` answers while the block lasts."""

    url: str
    dsn: str
    folder: Path
    process: subprocess.Popen
    environment: dict
    log: Path
    province: Province = field(repr=False)
    context: ssl.SSLContext | None = None

    def client(self, code="H13.01", *, attempts=3):
        return sdk.connected(self.url, self.province.key_of(code), attempts=attempts)

    def congvan(self, *arguments, check=False):
        """Run another `congvan` command against the same exchange."""
        command = [sys.executable, "-m", "exchange", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=check, timeout=120
        )

    def workers(self):
        """Process numbers of the workers that live now."""
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]

    def wait_ready(self, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(self.log.read_text(errors="replace")[-2000:])
            with contextlib.suppress(OSError):
                if (
                    urllib.request.urlopen(self.url + "/readyz", timeout=5, context=self.context).status
                    == 200
                ):
                    return
            time.sleep(0.05)
        raise AssertionError("not ready")

    def start(self, workers=2):
        """Start, and wait until every worker answers: tests may kill any of them at once."""
        before = self.answering()
        with self.log.open("ab") as file:
            command = [sys.executable, "-m", "exchange", "serve", "--workers", str(workers), "--allow-nobody"]
            self.process = subprocess.Popen(command, env=self.environment, stdout=file, stderr=file)
        self.wait_ready()
        deadline = time.monotonic() + 20
        while self.answering() < before + workers and time.monotonic() < deadline:
            time.sleep(0.02)

    def answering(self):
        """How many workers have said so far that they answer."""
        log = self.log.read_text(errors="replace") if self.log.exists() else ""
        return log.count('"event": "worker_ready"')


@contextlib.contextmanager
def serving(province, dsn, folder, *, workers=2, context=None, **settings):
    """A server of `workers` workers on that database; settings are environment variables.

    `context`: how a client speaks TLS with it; the settings name the server's certificate then.
    """
    port = run.free_port()
    environment = {
        **os.environ,
        "CONGVAN_DATA": str(folder),
        "CONGVAN_LISTEN": f"127.0.0.1:{port}",
        "CONGVAN_TRUST_DIR": str(province.folder / "trust"),
        "CONGVAN_CRL_DIR": str(province.folder / "crl"),
        "CONGVAN_LOG_LEVEL": "info",
        **settings,
    }
    if dsn:
        environment["CONGVAN_DATABASE_URL"] = dsn
    url = f"{'https' if context else 'http'}://127.0.0.1:{port}"
    server = Server(url, dsn, folder, None, environment, folder / "serve.log", province, context)
    try:
        server.start(workers)
        yield server
    finally:
        server.process.terminate()
        try:
            server.process.wait(45)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()


async def fetch(dsn, statement, *arguments):
    connection = await pools.connect(dsn)
    try:
        return await connection.fetch(statement, *arguments)
    finally:
        await connection.close()


TABLES = (
    "letter",
    "verdict",
    "delivery",
    "payload",
    "journal",
    "tally_delta",
    "tally_day",
    "register_row",
    "evidence",
)


async def table_counts(dsn):
    """Rows in every table that a letter could touch."""
    return {name: (await fetch(dsn, f"SELECT count(*) AS n FROM {name}"))[0]["n"] for name in TABLES}


__all__ = [
    "KINDS",
    "OLD",
    "Province",
    "Server",
    "cases",
    "fetch",
    "furnish",
    "quick_letter",
    "serving",
    "table_counts",
]
