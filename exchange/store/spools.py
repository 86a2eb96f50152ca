"""Folders for what is too large for memory: a letter on its way in, and the files cut out of it.

Each use has a folder of its own, gone when it ends. Its lock dies with the process, so what a crash leaves behind is
known as such at once, and swept when a process starts and every while after.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

YOUNG_SECONDS = 60.0
"""A folder is locked right after it was made; one this young is left alone."""


@dataclass(frozen=True)
class Folder:
    """A folder that is in use while `descriptor` is open."""

    path: Path
    descriptor: int


def begin(parent: Path) -> Folder:
    """A new folder in `parent`, in use."""
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(dir=parent))
    descriptor = os.open(path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return Folder(path, descriptor)


def end(folder: Folder) -> None:
    """Done with it."""
    shutil.rmtree(folder.path, ignore_errors=True)
    os.close(folder.descriptor)


@contextmanager
def folder(parent: Path) -> Iterator[Path]:
    """A folder for the time of the block."""
    begun = begin(parent)
    try:
        yield begun.path
    finally:
        end(begun)


def sweep(parent: Path) -> int:
    """Delete the folders of processes that are gone; how many."""
    gone = [path for path in parent.glob("*/") if _abandoned(path)]
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)
    return len(gone)


def _abandoned(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return path.stat().st_mtime < time.time() - YOUNG_SECONDS
    except OSError:  # in use, or just gone
        return False
    finally:
        os.close(descriptor)
