"""B12: how long the embedded PostgreSQL takes to start; told, not bound.

First start (files of a new cluster, role, database), end, and start again on the same folder. All of it is
PostgreSQL's own work and the disk's; the anchor is the disk's flush.
"""

import shutil
import tempfile
import time
from pathlib import Path

import pytest
from bench import anchors

from exchange.store import embedded

ROUNDS = 3


@pytest.mark.bench
def test_b12_the_embedded_server_starts():
    rounds = []
    for _ in range(ROUNDS):
        place = Path(tempfile.mkdtemp(prefix="congvan-bench-"))
        place.chmod(0o711)
        try:
            rounds.append(_started(place))
        finally:
            shutil.rmtree(place, ignore_errors=True)
    told = anchors.medians(rounds)
    print(
        f"\nB12 embedded: first start {told['first']:.2f} s, again {told['again']:.2f} s, end {told['end']:.2f} s; "
        f"first ÷ again {told['first'] / told['again']:.1f} x; a flush takes {told['flush']:.2f} ms | reported only"
    )
    assert told["again"] < told["first"]


def _started(place):
    figures = {"flush": 1e3 / anchors.fdatasyncs(place, 0.2)}
    for name in ("first", "again"):
        begun = time.perf_counter()
        server = embedded.start(place / "data", allow_nobody=True)
        figures[name] = time.perf_counter() - begun
        begun = time.perf_counter()
        embedded.stop(server)
        figures["end"] = time.perf_counter() - begun
    return figures
