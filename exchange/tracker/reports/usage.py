"""BC-10, use of signatures by agency (sử dụng chữ ký số): reference page rules_and_measures, D.2."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar
from uuid import UUID

from exchange.rules import signature_measures
from exchange.rules.certificate_use import NEVER, Held
from exchange.rules.signature_measures import Documents, Signer, Usage
from exchange.rules.working_days import Days
from exchange.tracker.reports.report import Column, Pair, Report, Table, Value
from exchange.tracker.signature_usage import Asked

_One = TypeVar("_One")

COLUMNS = (
    Column(name="agency", keeps=True),
    Column(name="seals", numeric=True),
    Column(name="persons", numeric=True),
    Column(name="used", numeric=True, parts=("used_seals", "used_persons")),
    Column(name="idle", numeric=True, facts={"days": str(Days().idle)}),
    Column(name="documents", numeric=True),
    Column(name="organisation", numeric=True),
    Column(name="individual", numeric=True),
    Column(name="both", numeric=True),
    Column(name="failed", numeric=True),
    Column(name="undetermined", numeric=True),
    Column(name="m8", numeric=True, ratio=True),
    Column(name="m9", numeric=True, ratio=True),
    Column(name="leaders", numeric=True, parts=("leaders_used", "leaders_all")),
)


def columns(idle: int) -> list[Column]:
    """The columns, where a certificate is idle after so many days."""
    return [replace(one, facts={"days": str(idle)}) if one.name == "idle" else one for one in COLUMNS]


def report(usage: Usage, asked: Asked, scope: Sequence[str], idle: int) -> Report:
    """`idle`: after so many days without use a certificate is. One row an agency that is active or has sent anything or holds a certificate, and the sum of all."""
    documents = _by(usage.documents, lambda one: one.sender)
    held = _by(usage.own, lambda one: one.owner)
    people = _by(signature_measures.signers(usage), lambda one: one.agency)
    shown = [
        agency
        for agency in sorted((usage.agencies[one] for one in usage.scope), key=lambda one: one.code)
        if agency.active or agency.id in documents or agency.id in held
    ]
    rows = [
        _row(_Whose(agency.code, idle), usage, documents[agency.id], held[agency.id], people[agency.id])
        for agency in shown
    ]
    every = [one for group in people.values() for one in group]
    return Report(
        code="BC-10",
        asked=asked,
        scope=scope,
        table=Table(
            name="BC-10",
            columns=columns(idle),
            rows=rows,
            total=_row(_Whose("", idle), usage, usage.documents, usage.own, every),
        ),
        measures=signature_measures.measures(usage),
    )


def _by(things: Iterable[_One], of: Callable[[_One], UUID]) -> defaultdict[UUID, list[_One]]:
    groups: defaultdict[UUID, list[_One]] = defaultdict(list)
    for one in things:
        groups[of(one)].append(one)
    return groups


class _Whose(NamedTuple):
    """The first cell of a row, and after how many days a certificate is idle."""

    code: str
    idle: int


def _row(
    whose: _Whose,
    usage: Usage,
    documents: Sequence[Documents],
    held: Sequence[Held],
    people: Sequence[Signer],
) -> list[Value]:
    valid = [one for one in held if signature_measures.in_force(usage, one)]
    used = [one for one in held if usage.uses.get(one.sha256, NEVER).documents]
    leaders = signature_measures.using([one for one in people if one.leader], usage.used)
    m8 = signature_measures.signed(documents, individual=False)
    m9 = signature_measures.signed(documents, individual=True)
    return [
        whose.code,
        _kind(valid, "organisation"),
        _kind(valid, "individual"),
        Pair(_kind(used, "organisation"), _kind(used, "individual")),
        sum(signature_measures.idle(usage, one, whose.idle) for one in held),
        m8.d,
        m8.n,
        sum(row.n for row in documents if row.individual),
        m9.n,
        sum(row.n for row in documents if row.failed),
        sum(row.n for row in documents if row.undetermined),
        m8,
        m9,
        Pair(leaders.n, leaders.d),
    ]


def _kind(held: Iterable[Held], kind: str) -> int:
    return sum(one.kind == kind for one in held)
