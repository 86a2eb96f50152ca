"""A moment that remembers how far it could be moved without anybody noticing.

Judging a certificate asks nothing of a moment but on which side of some dates it lies: of the certificates, of the
revocation data, of a revocation. Each question narrows the span in which every answer would have been the same, so a
judgement holds for the whole span, and a later letter that falls into it need not be judged again. No date has to be
listed for that, hence none can be forgotten.
"""

from datetime import UTC, datetime, timedelta

_TICK = timedelta(microseconds=1)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Moment:
    """A moment `at`, and the span from `since` to before `until` in which nobody who asked would have seen another."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.since, self.until = _FIRST, _LAST

    def reached(self, date: datetime) -> bool:
        """Whether the moment is at `date` or later."""
        if date <= self.at:
            self.since = max(self.since, date)
            return True
        self.until = min(self.until, date)
        return False

    def passed(self, date: datetime) -> bool:
        """Whether the moment is later than `date`."""
        return date < _LAST and self.reached(date + _TICK)
