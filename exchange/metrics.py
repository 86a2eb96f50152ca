"""Figures for a monitoring system, summed over the workers; no label ever names an agency, a system or a letter.

Workers of one `serve` write theirs into files of a shared folder (PROMETHEUS_MULTIPROC_DIR, set by `serve` before a
worker starts), so that any of them can answer for all.
"""

import os
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_OWN = CollectorRegistry()
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64)

REQUESTS = Counter(
    "congvan_http_requests", "Requests by route and status", ["method", "route", "status"], registry=_OWN
)
REQUEST_SECONDS = Histogram(
    "congvan_http_request_seconds",
    "Time to answer, long polls included",
    ["route"],
    buckets=_SECONDS,
    registry=_OWN,
)
PROBLEMS = Counter("congvan_problems", "Answers other than success, by code", ["code"], registry=_OWN)
MESSAGES = Counter(
    "congvan_messages", "Messages decided on, by what became of them", ["outcome"], registry=_OWN
)
ARRIVED = Counter("congvan_deliveries_arrived", "Deliveries acknowledged", registry=_OWN)
EXPANDED = Counter("congvan_deliveries_expanded", "Deliveries made by the relay", registry=_OWN)
VERDICTS = Counter("congvan_verdicts", "Signatures judged, by indication", ["indication"], registry=_OWN)
VERIFY_SECONDS = Histogram(
    "congvan_verify_seconds", "Time to judge a letter's signatures", buckets=_SECONDS, registry=_OWN
)
COMMIT_SECONDS = Histogram(
    "congvan_commit_seconds", "Time of one group commit", buckets=_SECONDS, registry=_OWN
)
COMMIT_LETTERS = Histogram(
    "congvan_commit_submissions", "Submissions in one group commit", buckets=_SIZES, registry=_OWN
)
FETCHES = Counter(
    "congvan_revocation_fetches",
    "Questions to authorities' servers, by how they ended",
    ["kind", "outcome"],
    registry=_OWN,
)


class _Now(Collector):
    """What holds at this moment, as figures without labels."""

    def __init__(self, figures: Mapping[str, tuple[str, float]]) -> None:
        self._figures = figures

    def collect(self) -> list[GaugeMetricFamily]:
        """One gauge for each figure."""
        return [
            GaugeMetricFamily(f"congvan_{name}", text, value=number)
            for name, (text, number) in self._figures.items()
        ]


def page(figures: Mapping[str, tuple[str, float]]) -> bytes:
    """The text of /metrics: all workers' figures, and `figures` (name -> help and number) of this moment."""
    registry = CollectorRegistry()
    if os.environ.get(FOLDER):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library's own lack
        text = generate_latest(registry)
    else:
        text = generate_latest(_OWN)
    now = CollectorRegistry()
    now.register(_Now(figures))
    return text + generate_latest(now)
