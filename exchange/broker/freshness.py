"""How fresh the revocation lists at hand are, authority by authority (độ mới của danh sách thu hồi)."""

from dataclasses import dataclass
from datetime import datetime

from signing.trust import Trust

NEAR = 8
"""A list is near its end when less than this part of its life is left: a week's list, for its last 21 hours."""


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """Of the newest list of each authority: how many there are, are over, are near their end; the first end, the oldest.

    `first_end` and `oldest` are None without any list.
    """

    issuers: int
    over: int
    near: int
    first_end: datetime | None
    oldest: datetime | None


def freshness(trusted: Trust, at: datetime) -> Freshness:
    """How things stand at `at`."""
    newest = [
        max(lists, key=lambda one: one.next_update)
        for lists in trusted.revocation.by_issuer.values()
        if lists
    ]
    over = [one for one in newest if one.next_update < at]
    near = [one for one in newest if at <= one.next_update < at + (one.next_update - one.this_update) / NEAR]
    return Freshness(
        issuers=len(newest),
        over=len(over),
        near=len(near),
        first_end=min((one.next_update for one in newest), default=None),
        oldest=min((one.this_update for one in newest), default=None),
    )
