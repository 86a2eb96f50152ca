"""Counted: the facts that one transfer adds to the tally, or takes from it.

The outgoing view is dated by the day of acceptance, the incoming one by the day of arrival (design §6, settled 5).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange import ids
from exchange.rules import paper_class
from exchange.store import rows


def facts(
    delivery: Mapping[str, Any],
    found: paper_class.Classification,
    arrived_at: datetime | None,
    new_ids: ids.Ids,
    n: int = 1,
) -> list[rows.DeltaRow]:
    """Both views of one transfer in that class, `n` times; nothing while it has no class."""
    if found.klass is None or arrived_at is None:
        return []
    views = (("out", delivery["sender"], delivery["accepted_at"]), ("in", delivery["recipient"], arrived_at))
    return [_fact(delivery, found, view, new_ids.new(), n) for view in views]


def _fact(
    delivery: Mapping[str, Any],
    found: paper_class.Classification,
    view: tuple[str, UUID, datetime],
    new_id: UUID,
    n: int,
) -> rows.DeltaRow:
    name, agency, at = view
    assert found.klass is not None
    return rows.DeltaRow(
        agency=agency, id=new_id, view=name, day=paper_class.local_day(at), scope=delivery["scope"],
        document_type=delivery["document_type"], urgency=delivery["urgency"], klass=found.klass,
        excluded=found.excluded, grade=found.grade, justified=found.justified, n=n,
    )  # fmt: skip
