"""The one place where errors of the PDF parsers end: a hostile file is an answer, not a fault of ours."""

from collections.abc import Callable
from typing import TypeVar

from signing.verdict import TooComplexError

_T = TypeVar("_T")


def guarded(work: Callable[[], _T], otherwise: _T) -> _T:
    """What `work` answers, or `otherwise` where the bytes are beyond it. Raises TooComplexError, also for memory."""
    try:
        return work()
    except TooComplexError:
        raise
    except MemoryError as problem:
        raise TooComplexError("memory") from problem
    except Exception:  # noqa: BLE001 - pyHanko and asn1crypto raise anything at all on hostile bytes
        return otherwise
