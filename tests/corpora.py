"""Vectors that others wrote, fetched by pinned version and digest: `python tests/corpora.py FOLDER`; `path(name)` for tests.

    certvalidator    PKITS (NIST) with expected outcomes, OCSP and point-in-time cases   sdist of pyhanko-certvalidator
    signxml          W3C and IETF interop signatures, XAdES files                        sdist of signxml
    pyhanko          PDF files, good and hostile, and a PKI                              sdist of pyhanko
    xmlsec1          aleksey, merlin and phaos vectors with expected outcomes            Debian's source package

Source distributions come through pip from whatever index it is configured for, the Debian package from the mirrors
that the machine is configured for, by a private list with sources switched on. Nothing of them enters the repository.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("CONGVAN_CORPORA") or Path(sys.prefix) / "corpora")
REQUIRED = os.environ.get("CI") == "true" or "CONGVAN_REQUIRE_CORPORA" in os.environ
DEBIAN = Path("/etc/apt/sources.list.d/debian.sources")


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """One archive: who offers it, under which name and version, and the digest it must have."""

    offered_by: str
    project: str
    version: str
    archive: str
    sha256: str


CORPORA = {
    "certvalidator": Corpus(
        offered_by="pip",
        project="pyhanko-certvalidator",
        version="0.33.0",
        archive="pyhanko_certvalidator-0.33.0.tar.gz",
        sha256="a4c3309f99c77cdcad24532f75340bd8cc8b108aa8992b8102d44f250ebd449c",
    ),
    "signxml": Corpus(
        offered_by="pip",
        project="signxml",
        version="5.2.0",
        archive="signxml-5.2.0.tar.gz",
        sha256="18aa6c3dc6833c7f441d9d20875ea50fe50149402f87061c27d0b6ea7f039096",
    ),
    "pyhanko": Corpus(
        offered_by="pip",
        project="pyhanko",
        version="0.38.0",
        archive="pyhanko-0.38.0.tar.gz",
        sha256="267d6d3fa460b0f0e9c5362a2d7979dccbe1e6b1f8d89ba0818dd0c45b5f300e",
    ),
    "xmlsec1": Corpus(
        offered_by="debian",
        project="xmlsec1",
        version="1.2.37-2",
        archive="xmlsec1_1.2.37.orig.tar.gz",
        sha256="a75ba7aa698ebb6e1a7ed914896de27888c4f5cdf549cc0856e31585b4110c3c",
    ),
}


def path(name):
    """The unpacked folder of a corpus; without it the test is skipped, in CI it fails."""
    found = FOLDER / name
    if not found.is_dir():
        said = f"corpus {name} is missing: run `make corpora`"
        (pytest.fail if REQUIRED else pytest.skip)(said, allow_module_level=True)
    return found


def fetch(name, folder):
    """Download, compare the digest, unpack; a corpus that is there already stays."""
    corpus, target = CORPORA[name], folder / name
    if target.is_dir():
        return
    with tempfile.TemporaryDirectory() as place:
        archive = Path(place) / corpus.archive
        {"pip": _by_pip, "debian": _by_apt}[corpus.offered_by](corpus, archive.parent)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != corpus.sha256:
            raise SystemExit(f"{corpus.archive} has the digest {digest}, not {corpus.sha256}")
        _unpack(archive, target)


def _by_pip(corpus, place):
    wanted = f"{corpus.project}=={corpus.version}"
    options = ("--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(place))
    subprocess.run([sys.executable, "-m", "pip", "download", *options, wanted], check=True)


def _by_apt(corpus, place):
    lists, cache, sources = (
        place / "lists" / "partial",
        place / "cache" / "archives" / "partial",
        place / "deb.sources",
    )
    lists.mkdir(parents=True)
    cache.mkdir(parents=True)
    sources.write_text(DEBIAN.read_text().replace("Types: deb\n", "Types: deb-src\n"))
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": lists.parent,
        "Dir::Cache": cache.parent.parent,
        "APT::Sandbox::User": "root",
    }
    apt = [
        "apt-get",
        "-qq",
        *(part for name, value in settings.items() for part in ("-o", f"{name}={value}")),
    ]
    subprocess.run([*apt, "update"], check=True)
    wanted = f"{corpus.project}={corpus.version}"
    subprocess.run([*apt, "source", "--download-only", wanted], check=True, cwd=place)


def _unpack(archive, target):
    """The archive's one top folder becomes `target`; a run that is cut leaves nothing half there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as place:
        with tarfile.open(archive) as opened:
            opened.extractall(place, filter="data")
        (top,) = Path(place).iterdir()
        top.rename(target)


def main():
    """Fetch what can be had here; the Debian package only where apt knows Debian's mirrors."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for name, corpus in CORPORA.items():
        if corpus.offered_by == "debian" and not DEBIAN.is_file():
            sys.stderr.write(f"{name}: no Debian mirrors are configured here; its tests are skipped\n")
        else:
            fetch(name, folder)


if __name__ == "__main__":
    main()
