"""What the periodic report is made of, apart from how it is set: nothing here needs the libraries of paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchange.rules.periodic_report import Figures
from exchange.rules.ratios import Measure
from exchange.tracker.reports.report import Report

CODE = "BC-15"


@dataclass(frozen=True, kw_only=True)
class Periodic:
    """What was asked, as a report without rows; the figures; M1 by month; ready reports.

    `reports` are annexes by their codes (`periodic_report.ANNEXES`); which there are, is the caller's.
    """

    asked: Report
    figures: Figures
    months: Sequence[tuple[str, Measure]] = ()
    reports: Mapping[str, Report]
