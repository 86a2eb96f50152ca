"""The trust set follows its folders while the exchange runs, and never becomes smaller by an accident."""

import functools
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from authorities import BEGIN, issued
from cryptography.hazmat.primitives import serialization

from exchange import config
from exchange.broker import trusted
from signing import keys, keys_revocation

AT = BEGIN + timedelta(days=100)
ROOT, SECOND, STAMPER = (
    keys.root(name, key=keys.new_key(), at=BEGIN) for name in ("Gốc", "Gốc hai", "Dấu thời gian")
)
SUB_KEY = keys.new_key()
SUB = keys.Issuer(certificate=issued(ROOT, "Dưới", SUB_KEY, serial=2, authority=True), key=SUB_KEY)
SIGNER = issued(SUB, "Cơ quan", SUB_KEY, serial=3)


def der(issuer):
    return keys.der(issuer.certificate)


def pem(*issuers):
    return b"".join(one.certificate.public_bytes(serialization.Encoding.PEM) for one in issuers)


@functools.cache
def crl(number=1):
    return keys.revocation_list(ROOT, {}, at=AT + timedelta(hours=number), number=number)


class Place:
    """Four folders and the one of what was fetched; files written here have rested unless they are `hot`."""

    def __init__(self, folder):
        self.folder = folder
        names = {
            "CONGVAN_TRUST_DIR": "trust",
            "CONGVAN_TSA_TRUST_DIR": "tsa",
            "CONGVAN_CRL_DIR": "crl",
            "CONGVAN_OCSP_DIR": "ocsp",
        }
        for name in names.values():
            (folder / name).mkdir()
        settings = {name: str(folder / path) for name, path in names.items()}
        self.settings = config.read({"CONGVAN_DATA": str(folder / "data"), **settings})
        self.write("trust/root.der", der(ROOT))

    def write(self, name, content, *, hot=False, age=100.0):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        moment = time.time() - (0 if hot else age)
        os.utime(path, (moment, moment))

    def fetched(self, content, suffix):
        self.write(f"data/revocation/{hashlib.sha256(content).hexdigest()}{suffix}", content)

    def remove(self, name):
        (self.folder / name).unlink()


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def looked(watch, times=1):
    for _ in range(times):
        watch.look()
    found = watch.trust
    return (
        {one.subject for one in found.anchors},
        {one.subject for one in found.intermediates},
        {one.subject for one in found.timestamping.anchors},
        {one.sha256 for one in found.revocation.all},
        {one.sha256 for one in found.responses.all},
    )


def names(*issuers):
    return {one.certificate.subject for one in issuers}


def digests(*raws):
    return {hashlib.sha256(raw).hexdigest() for raw in raws}


def test_every_folder_is_what_it_is_for(place):
    answer = keys_revocation.response(SUB, SIGNER, at=AT)
    place.write("tsa/stamper.pem", pem(STAMPER))
    place.write("crl/a.crl", crl())
    place.write("ocsp/a.ocsp", answer)
    place.fetched(crl(2), ".crl")
    place.fetched(der(SUB), ".crt")
    watch = trusted.opened(place.settings)
    assert looked(watch) == (names(ROOT), names(SUB), names(STAMPER), digests(crl(), crl(2)), digests(answer))
    assert watch.troubles == ()


def test_without_folders_nothing_is_trusted_and_nothing_is_wrong(tmp_path):
    watch = trusted.opened(config.read({"CONGVAN_DATA": str(tmp_path / "data")}))
    assert (looked(watch), watch.troubles) == ((set(),) * 5, ())


def test_a_file_that_comes_changes_or_goes_is_noticed(place):
    watch = trusted.opened(place.settings)
    before = watch.trust
    watch.look()
    assert watch.trust is before
    place.write("trust/second.pem", pem(SECOND))
    place.write("crl/a.crl", crl(1))
    assert looked(watch)[0] == names(ROOT, SECOND)
    place.write("crl/a.crl", crl(2))
    assert looked(watch)[3] == digests(crl(2))
    place.remove("trust/second.pem")
    assert looked(watch)[0] == names(ROOT, SECOND)  # people replace a file by deleting it first
    assert looked(watch)[0] == names(ROOT)
    assert watch.troubles == ()


def test_the_same_size_and_time_in_another_file_is_noticed(place):
    place.write("trust/a.pem", pem(ROOT).ljust(2000, b"\n"))
    watch = trusted.opened(place.settings)
    same = (place.folder / "trust/a.pem").stat()
    place.write("trust/.new", pem(SECOND).ljust(2000, b"\n"))
    os.utime(place.folder / "trust/.new", ns=(same.st_mtime_ns, same.st_mtime_ns))
    (place.folder / "trust/.new").rename(place.folder / "trust/a.pem")
    assert looked(watch)[0] == names(ROOT, SECOND)


def test_a_file_that_is_being_written_waits_until_it_rests(place):
    watch = trusted.opened(place.settings)
    whole = pem(ROOT, SECOND)
    place.write("trust/root.der", whole[: len(pem(ROOT))], hot=True)
    place.write("crl/a.crl", crl(), hot=True)
    assert (looked(watch)[0], looked(watch)[3], watch.troubles) == (names(ROOT), set(), ())
    place.write("trust/root.der", whole)
    place.write("crl/a.crl", crl())
    assert (looked(watch)[0], looked(watch)[3]) == (names(ROOT, SECOND), digests(crl()))


def test_a_file_with_a_time_to_come_is_not_waited_for_for_ever(place):
    watch = trusted.opened(place.settings)
    place.write("crl/a.crl", crl(), age=-86_400.0)
    assert looked(watch)[3] == digests(crl())


WRONG = {
    "nothing": b"",
    "garbage": b"\x00\xff" * 100,
    "half": der(SECOND)[:-20],
    "half a PEM": pem(SECOND)[:-40],
    "a signer": keys.der(SIGNER),
    "a list": crl(),
    "a page": b"<html>",
    "a long tale": b"-----BEGIN CERTIFICATE-----\n" + b"A" * 5_000_000,
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_read_leaves_the_last_good_bytes_and_is_told(place, name):
    place.write("trust/second.der", der(SECOND))
    watch = trusted.opened(place.settings)
    place.write("trust/second.der", WRONG[name])
    place.write("crl/a.crl", crl(3))
    assert looked(watch, 5)[0] == names(ROOT, SECOND)
    assert looked(watch)[3] == digests(crl(3))  # one bad file keeps nobody else out
    assert [(one.code, one.where) for one in watch.troubles] == [
        ("unreadable", str(place.folder / "trust/second.der"))
    ]
    assert watch.troubles[0].why
    place.write("trust/second.der", der(SECOND))
    assert (looked(watch)[0], watch.troubles) == (names(ROOT, SECOND), ())


def test_what_cannot_be_read_from_the_start_is_left_out_and_told(place):
    place.write("trust/bad.pem", b"-----BEGIN")
    place.write("crl/bad.crl", crl()[:-5])
    watch = trusted.opened(place.settings)
    assert looked(watch)[0] == names(ROOT)
    assert {one.where.rpartition("/")[2] for one in watch.troubles} == {"bad.pem", "bad.crl"}


@pytest.mark.parametrize("how", ["emptied", "gone"])
def test_a_folder_that_is_suddenly_empty_keeps_everything_and_is_told(place, how):
    place.write("crl/a.crl", crl())
    watch = trusted.opened(place.settings)
    before = watch.trust
    for folder in ("trust", "crl"):
        shutil.rmtree(place.folder / folder)
        if how == "emptied":
            (place.folder / folder).mkdir()
    looked(watch, 5)
    assert watch.trust is before
    assert {(one.code, one.where) for one in watch.troubles} == {
        ("gone", str(place.folder / "trust")), ("gone", str(place.folder / "crl"))
    }  # fmt: skip
    place.write("trust/second.der", der(SECOND))
    assert looked(watch, 2)[0] == names(SECOND)
    assert {one.where for one in watch.troubles} == {str(place.folder / "crl")}


def test_what_is_no_whole_file_is_passed_over(place):
    for name in (".hidden", "a.tmp", "a.part", "a~", ".a.crl.1234"):
        place.write(f"trust/{name}", der(SECOND))
    (place.folder / "trust" / "folder").mkdir()
    os.mkfifo(place.folder / "trust" / "pipe")
    (place.folder / "trust" / "nowhere").symlink_to(place.folder / "missing")
    watch = trusted.opened(place.settings)
    assert (looked(watch)[0], watch.troubles) == (names(ROOT), ())


def test_of_what_was_fetched_no_root_and_nothing_damaged_counts(place):
    place.fetched(der(SECOND), ".crt")
    place.fetched(keys.der(SIGNER), ".crt")
    place.fetched(crl(), ".crt")
    place.fetched(der(SUB), ".crl")
    place.fetched(pem(SECOND), ".pem")
    place.write(f"data/revocation/{'0' * 64}.crl", crl())
    place.write(f"data/revocation/{hashlib.sha256(crl(2)).hexdigest()}.crl", crl(2)[:-9])
    watch = trusted.opened(place.settings)
    assert looked(watch, 3) == (names(ROOT), set(), set(), set(), set())
    assert watch.troubles == ()


def test_the_digest_of_the_set_does_not_depend_on_names(place):
    place.write("crl/a.crl", crl(1))
    place.write("crl/b.crl", crl(2))
    watch = trusted.opened(place.settings)
    before = watch.trust.sha256
    (place.folder / "crl/a.crl").rename(place.folder / "crl/c.crl")
    looked(watch, 3)
    assert watch.trust.sha256 == before


WRITER = """
import os, sys
from pathlib import Path
from exchange.broker import renewal
content = bytes(range(256)) * 40_000
for line in sys.stdin:
    folder, *names = line.split()
    child = os.fork()
    if child == 0:
        while True:
            renewal._written(Path(folder), dict.fromkeys(names, content), [])
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""


def test_killed_while_writing_there_is_the_whole_file_or_none(tmp_path):
    """kill -9 at ten moments: what stands under a name is whole, and what does not is found to be left over."""
    content = bytes(range(256)) * 40_000
    name = f"{hashlib.sha256(content).hexdigest()}.crl"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    halves = 0
    with writer:
        for moment in range(10):
            folder = tmp_path / str(moment)
            print(folder, name, f"b{name}", file=writer.stdin, flush=True)
            child = int(writer.stdout.readline())
            while not folder.exists():
                time.sleep(0.001)
            time.sleep(moment * 0.004)
            os.kill(child, signal.SIGKILL)
            assert writer.stdout.readline() == "gone\n"
            for path in folder.iterdir():
                if path.name.startswith("."):
                    halves += 1
                else:
                    assert path.read_bytes() == content
            assert dict(trusted._listed(folder)).keys() <= {folder / name, folder / f"b{name}"}
    assert halves
