# mypy: allow-untyped-calls
# pyHanko and asn1crypto ship no complete types.

"""Document timestamps of a PDF (dấu thời gian của tệp, EN 319 142-1 5.4.3): until when is a revision proven to exist?

Theory of operation. A document timestamp covers all bytes before it, earlier ones included, and so proves that they
were there. The newest is judged as of our receipt; what it covers is then proven to be as old as it says, and the one
before it is judged as of that moment, and so on inwards. So a timestamp whose authority has long expired still counts
below a newer one. A timestamp that does not hold is passed over.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from asn1crypto import parser

from signing import pdf_coverage, timestamp
from signing.pdf_coverage import Hole

DigestOf = Callable[[str], bytes]
Check = Callable[[bytes, DigestOf, datetime], timestamp.Stamp]
"""Judges a token over what has these digests, as of the moment until which the token is proven to exist."""


class Token(NamedTuple):
    """A document timestamp as found: its field's name, and hole and contents when it covers what it must."""

    field: str
    hole: Hole | None
    contents: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A document timestamp judged: it covers the bytes before `start`."""

    field: str
    start: int
    stamp: timestamp.Stamp | None


class Proof(NamedTuple):
    """The earliest moment proven for some bytes, and on what that rests beyond the receipt."""

    moment: datetime
    evidence: tuple[str, ...] = ()
    provisional: bool = False


def judged(
    tokens: Iterable[Token], digests: pdf_coverage.Digests, check: Check, at: datetime
) -> tuple[Mark, ...]:
    """The document timestamps, the newest first, as of `at`."""
    marks: tuple[Mark, ...] = ()
    for token in sorted(tokens, key=_start, reverse=True):
        marks += (_mark(token, digests, check, proven(marks, _end(token), at).moment),)
    return marks


def proven(marks: Iterable[Mark], end: int, at: datetime) -> Proof:
    """What the marks prove for the bytes before `end`, which came to us at `at`."""
    proof = Proof(at)
    for mark in marks:
        stamp = mark.stamp
        if stamp and stamp.moment and end <= mark.start and stamp.moment < proof.moment:
            evidence = dict.fromkeys((*proof.evidence, *stamp.evidence))
            proof = Proof(stamp.moment, tuple(evidence), proof.provisional or stamp.provisional)
    return proof


def _mark(token: Token, digests: pdf_coverage.Digests, check: Check, at: datetime) -> Mark:
    hole, contents = token.hole, token.contents
    if hole is None:
        return Mark(field=token.field, start=0, stamp=None)
    plain = contents[: parser.peek(contents)] if contents else b""
    return Mark(
        field=token.field, start=hole.start, stamp=check(plain, lambda name: digests.of(name, hole), at)
    )


def _start(token: Token) -> int:
    return token.hole.start if token.hole else 0


def _end(token: Token) -> int:
    return token.hole.end if token.hole else 0
