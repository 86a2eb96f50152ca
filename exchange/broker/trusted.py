"""The trust set that is in force, kept up with the files it is made of while the exchange runs.

Theory of operation. `Watch.look` compares what lies in the folders with what it saw before (name, size, time, inode)
and reads only what changed. A file counts once it has rested for a second, so that one which is still being written is
not taken for whole. What then cannot be read leaves the last good bytes of that file in force; a file that is gone is
let go at the second look, for people replace files by deleting them; a folder that held files and holds none any more
(not mounted, emptied by a script) keeps all of them in force. Each of these is a trouble that the operator is told of:
the set never becomes smaller by an accident, and whoever wants it empty restarts the exchange.

The last folder is our own: what `links.revocation` fetched, each file named by its digest. It gives lists, responses
and intermediate authorities, and never a root, whatever lies in it.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from exchange.config import Config
from signing import fetched, trust
from signing.trust import Trust

SETTLED_SECONDS = 1.0
LOOKS_MISSING = 2
_UNFINISHED = (".tmp", ".part", ".swp", "~")
_FETCHED = "fetched"
SUFFIXES = {"certificate": ".crt", "crl": ".crl", "ocsp": ".ocsp"}
"""How files in the folder of what was fetched are named by their kind, as table `evidence` calls it."""

Stamp = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Folder:
    """One folder: what its files are (`trust`, `timestamp`, `crl`, `ocsp`, `fetched`)."""

    kind: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What is wrong, as the catalogue's `trust.<code>` says it: `unreadable` or `gone`, where, and why."""

    code: str
    where: str
    why: str = ""


@dataclass(kw_only=True)
class _File:
    """One file as it was last seen; `good` are its last bytes that could be read."""

    stamp: Stamp
    good: bytes | None = None
    wrong: str = ""
    missing: int = 0


@dataclass(kw_only=True)
class Watch:
    """What one process has read so far; `trust` is made of it. Looks block, and come one after another."""

    folders: tuple[Folder, ...]
    trust: Trust = field(default_factory=Trust)
    troubles: tuple[Trouble, ...] = ()
    looked: bool = False
    _held: dict[Folder, dict[Path, _File]] = field(default_factory=dict)
    _content: frozenset[tuple[str, bytes]] = frozenset()

    def look(self) -> None:
        """Read what changed; afterwards `trust` and `troubles` say how things stand."""
        self.troubles = tuple(trouble for folder in self.folders for trouble in self._folder(folder))
        self.looked = True
        content = frozenset(self._contents())
        if content != self._content:
            self.trust = _loaded(content)
            self._content = content

    def _folder(self, folder: Folder) -> Iterator[Trouble]:
        held = self._held.setdefault(folder, {})
        found = dict(_listed(folder.path))
        if held and not found and folder.kind != _FETCHED:
            yield Trouble(code="gone", where=str(folder.path))
            return
        for path, file in list(held.items()):
            file.missing = 0 if path in found else file.missing + 1
            if file.missing >= (1 if folder.kind == _FETCHED else LOOKS_MISSING):
                del held[path]
        for path, stamp in found.items():
            self._file(folder, path, stamp)
        if folder.kind == _FETCHED:
            return
        yield from (
            Trouble(code="unreadable", where=str(path), why=file.wrong)
            for path, file in held.items()
            if file.wrong
        )

    def _file(self, folder: Folder, path: Path, stamp: Stamp) -> None:
        held = self._held[folder]
        known = held.get(path)
        if (known is not None and known.stamp == stamp) or (self.looked and _hot(stamp)):
            return
        try:
            raw = path.read_bytes()
            if folder.kind == _FETCHED and hashlib.sha256(raw).hexdigest() != path.stem:
                raise ValueError("not what its name says")  # noqa: TRY301 - damaged is unreadable
            _PARSERS.get(_kind(folder, path), _stranger)(raw)
        except Exception as problem:  # noqa: BLE001 - whatever one file does to its parser, the others count
            good, wrong = known.good if known else None, str(problem) or repr(problem)
            held[path] = _File(stamp=stamp, good=good, wrong=wrong)
        else:
            held[path] = _File(stamp=stamp, good=raw)

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        for folder, files in self._held.items():
            for path, file in files.items():
                if file.good is not None:
                    yield _kind(folder, path), file.good


def folders(settings: Config) -> tuple[Folder, ...]:
    """The folders of these settings; what was fetched comes last."""
    named = {
        "trust": settings.trust_folder,
        "timestamp": settings.tsa_trust_folder,
        "crl": settings.crl_folder,
        "ocsp": settings.ocsp_folder,
        _FETCHED: settings.revocation_folder,
    }
    return tuple(Folder(kind=kind, path=path) for kind, path in named.items() if path is not None)


def opened(settings: Config) -> Watch:
    """A watch that has looked once. It blocks."""
    watch = Watch(folders=folders(settings))
    watch.look()
    return watch


def trust_set(settings: Config) -> Trust:
    """The trust set that the settings name, with what was fetched. Raises ValueError for a file that cannot be read."""
    watch = opened(settings)
    if watch.troubles:
        raise ValueError("; ".join(f"{one.where}: {one.why or one.code}" for one in watch.troubles))
    return watch.trust


def _listed(folder: Path) -> Iterator[tuple[Path, Stamp]]:
    """Files that are whole by their names; a folder or file that vanishes meanwhile is not there."""
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return
    for path in paths:
        if path.name.startswith(".") or path.name.endswith(_UNFINISHED):
            continue
        try:
            status = path.stat()
            if path.is_file():
                yield path, (status.st_size, status.st_mtime_ns, status.st_ino)
        except OSError:
            continue


def _hot(stamp: Stamp) -> bool:
    """Whether a file was written to a moment ago; a time to come is somebody's wrong clock, and no reason to wait."""
    return 0 <= time.time() - stamp[1] / 1e9 < SETTLED_SECONDS


def _kind(folder: Folder, path: Path) -> str:
    return folder.kind if folder.kind != _FETCHED else f"{_FETCHED}{path.suffix}"


def _authorities(raw: bytes) -> None:
    trust.load([raw], ())


def _list(raw: bytes) -> None:
    trust.load((), [raw])


def _intermediate(raw: bytes) -> None:
    if not fetched.intermediate(raw):
        raise ValueError("no intermediate authority")


def _stranger(_raw: bytes) -> None:
    raise ValueError("not a file of ours")


def _response(raw: bytes) -> None:
    trust.load((), (), ocsp_files=[raw])


_PARSERS: Mapping[str, Callable[[bytes], None]] = {
    "trust": _authorities,
    "timestamp": _authorities,
    "crl": _list,
    "ocsp": _response,
    "fetched.crl": _list,
    "fetched.ocsp": _response,
    "fetched.crt": _intermediate,
}


def _loaded(content: Iterable[tuple[str, bytes]]) -> Trust:
    """The set made of files that can be read, each by itself."""
    by_kind: dict[str, list[bytes]] = {}
    for kind, raw in sorted(content, key=lambda one: (one[0], hashlib.sha256(one[1]).digest())):
        by_kind.setdefault(kind, []).append(raw)

    def of(*kinds: str) -> list[bytes]:
        return [raw for kind in kinds for raw in by_kind.get(kind, ())]

    return trust.load(
        of("trust", "fetched.crt"),
        of("crl", "fetched.crl"),
        timestamp_files=of("timestamp", "fetched.crt") if "timestamp" in by_kind else (),
        ocsp_files=of("ocsp", "fetched.ocsp"),
    )
