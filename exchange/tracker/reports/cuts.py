"""By what each report can be cut (bộ lọc): a filter that it would only print, and not go by, is refused.

Every report goes by its agencies. Direction, scope, type and urgency are those of transfers: documents, people, certificates
and numbers have none. A report that tells of both leaves the others out where it is cut, or is not cut at all.
"""

from collections.abc import Mapping

from exchange.tracker.reports.report import NAMES
from exchange.tracker.signature_usage import Filters

EVERY = frozenset({"view", "scope", "type", "urgency"})
BOTH_WAYS = EVERY - {"view"}
"""For reports that tell of sending and receiving, or of sending alone."""

HONOURED: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        ("BC-01", "BC-02", "BC-03", "BC-04", "BC-05", "BC-07", "BC-09", "measures", "indicators"), EVERY
    ),
    **dict.fromkeys(("BC-06", "BC-08"), BOTH_WAYS),
    **{name: EVERY for name in NAMES if name.startswith("X-") and name != "X-secret"},
}
"""The filters of each report; one that is not named has none."""

WITH_LENGTH = frozenset({"BC-04", "ranks"})
"""Reports on a row of periods, which may be asked to be so long."""
LONGEST = 60


def refused(code: str, filters: Filters) -> list[str]:
    """What is asked of a report that it does not go by, as filters are named."""
    asked = {
        "view": filters.view != Filters.view,
        "scope": filters.scope is not None,
        "type": filters.types is not None,
        "urgency": filters.urgency is not None,
    }
    honoured = HONOURED.get(code, frozenset())
    return [name for name, given in asked.items() if given and name not in honoured]
