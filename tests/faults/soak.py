"""What a long run must not do: grow. Looks at the processes and connections of a running server, and compares quarters."""

import contextlib
import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from province import fetch

KINDS = ("memory", "files", "connections")


def status(number, field_):
    """A line of a process's status, as a number (memory in kB)."""
    text = Path(f"/proc/{number}/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith(field_)))


def files(number):
    """How many files a process has open."""
    return len(list(Path(f"/proc/{number}/fd").iterdir()))


def family(number):
    """A process and those it started."""
    found = [number]
    for children in Path(f"/proc/{number}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [one for child in children.read_text().split() for one in family(int(child))]
    return found


@dataclass
class Watch:
    """What was seen at every look: memory (kB) and open files of all workers together, connections to the database."""

    server: object
    seen: defaultdict = field(default_factory=lambda: defaultdict(list))

    async def look(self):
        workers = [one for worker in self.server.workers() for one in family(worker)]
        self.seen["memory"].append(sum(status(one, "VmRSS") for one in workers))
        self.seen["files"].append(sum(files(one) for one in workers))
        query = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()"
        self.seen["connections"].append((await fetch(self.server.dsn, query))[0]["n"])

    def growth(self, kind):
        """The last quarter's median as a multiple of the second's; the first is for warming up."""
        quarter = len(self.seen[kind]) // 4
        assert quarter >= 3, "too few looks"
        second, last = self.seen[kind][quarter : 2 * quarter], self.seen[kind][-quarter:]
        return statistics.median(last) / statistics.median(second)

    def told(self):
        quarter = len(self.seen["memory"]) // 4
        rows = {
            kind: [
                round(statistics.median(self.seen[kind][n * quarter : (n + 1) * quarter])) for n in range(4)
            ]
            for kind in KINDS
        }
        return {kind: f"{rows[kind]} × {self.growth(kind):.3f}" for kind in KINDS}
