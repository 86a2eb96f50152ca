"""Room for bodies: how many bytes of requests one worker holds in memory at a time.

A letter is held about three times while it is judged, so this bounds the worker's memory. Who finds no room is told
`busy` and comes again; nobody waits in line holding half a letter.
"""

from dataclasses import dataclass


@dataclass
class Room:
    """So many bytes may be held, and so many are."""

    limit: int
    held: int = 0

    def take(self, amount: int) -> bool:
        """Take this much if it fits beside what is held; what comes when nothing is held always fits."""
        if self.held and self.held + amount > self.limit:
            return False
        self.held += amount
        return True

    def give(self, amount: int) -> None:
        """Give back what was taken."""
        self.held -= amount
