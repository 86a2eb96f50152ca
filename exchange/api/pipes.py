"""What parent and worker say to each other, over two pipes: one ends with the parent, the other carries single letters.

lifeline   the parent holds the writing end and never writes: its end is the parent's end
ear        one for each worker, which writes READY when it answers, and LEAVING when it no longer takes connections
"""

import contextlib
import os
from dataclasses import dataclass

READY = b"r"
LEAVING = b"l"


@dataclass(frozen=True)
class Parent:
    """A worker's parent, as two numbers of open files."""

    lifeline: int
    ear: int

    def tell(self, letter: bytes) -> None:
        """Say how far we are; a parent that is gone need not know."""
        with contextlib.suppress(OSError):
            os.write(self.ear, letter)


@dataclass
class Ear:
    """The parent's side: what one worker said so far."""

    reading: int
    heard: bytes = b""

    def listen(self) -> bytes:
        """Everything that this worker has said until now; never waits."""
        with contextlib.suppress(OSError):  # nothing to read; or closed, and what was heard stays heard
            self.heard += os.read(self.reading, 16)
        return self.heard

    def close(self) -> None:
        """The worker is gone."""
        os.close(self.reading)
        self.reading = -1  # the number may be another file's soon


def ear() -> tuple[Ear, int]:
    """A new ear, and the end that its worker writes to, to be closed in the parent once the worker has it."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    return Ear(reading), writing
