"""Reports for who only watches (bên giám sát): figures and facts, and nothing of what letters say or people wrote."""

from collections.abc import Collection
from dataclasses import replace

from exchange.tracker.forms.wanted import Periodic
from exchange.tracker.reports import book
from exchange.tracker.reports.report import Report, Table
from exchange.tracker.reports.spooled import Changed, Row

CONTENTS = frozenset({"subject"})
"""Columns that only who sent or received a letter may read (trích yếu)."""
HIDDEN = {
    "BC-06": CONTENTS | {"reason", "recipient"},
    "BC-09": CONTENTS | {"reason"},
    "BC-11": frozenset[str](),
    "BC-12": frozenset({"place"}),
}
"""Such columns of reports with more or fewer: what people wrote, names of files; a subject that is a certificate's is none."""


def without_any(made: Periodic) -> Periodic:
    """BC-15 for a monitor: its sentences are made of counts alone; in its annexes what letters say is left out."""
    return replace(made, reports={code: without(one) for code, one in made.reports.items()})


def without(made: Report) -> Report:
    """The report for a monitor: what letters say is left out; of a register its cover is left, for its lines are a clerk's."""
    names = HIDDEN.get(made.code, CONTENTS)
    lines = made.annex if made.code not in book.CODES else None
    return replace(
        made,
        table=_bare(made.table, names),
        annex=_bare(lines, names) if lines else None,
        annexes=[_bare(one, names) for one in made.annexes],
    )


def _bare(table: Table, names: Collection[str]) -> Table:
    """The table without what somebody wrote in these columns; words of the catalogue and numbers stay."""
    hidden = {place for place, column in enumerate(table.columns) if column.name in names}

    def bare(row: Row) -> Row:
        return [
            None if place in hidden and isinstance(value, str) else value for place, value in enumerate(row)
        ]

    return replace(table, rows=Changed(table.rows, bare))
