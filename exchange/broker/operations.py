"""Operations: what a letter that revokes, updates or replaces another concerns (thu hồi, cập nhật, thay thế).

    target   the sender's own letter that is named: an id, else number, notation and day; nobody else's is ever found
    reach    who has a delivery of it, also by earlier updates that still wait for their effects
    plan     links, recipients added and removed, and what is to be said to the sender about it

Effects of up to 100 deliveries ride on the commit of the operation's letter. More, and those on a target that is not
expanded yet or that an older operation still waits for, are done by the relay (`broker.withdraw`).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from exchange import ids
from exchange.broker import effects, expand, intake
from exchange.broker.decisions import Given, Refused
from exchange.broker.exchange import Exchange
from exchange.edxml import model
from exchange.errors import Finding
from exchange.rules import directory, operations
from exchange.rules.directory import Directory
from exchange.store import operations as stored
from exchange.store import rows
from exchange.store.transitions import Transition


@dataclass(frozen=True, kw_only=True)
class Link:
    """One target: its row, whose deliveries are concerned, and the update whose facts it shows now, if any.

    `changes`: how often it had been changed when this was planned.
    """

    target: rows.LetterRow
    concerned: tuple[UUID, ...]
    shows: rows.LetterRow | None = None
    changes: int = 0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an operation does: on which letters, to whom; `at_once`: its effects may ride on its commit."""

    operation: str
    links: tuple[Link, ...]
    added: tuple[UUID, ...] = ()
    removed: tuple[UUID, ...] = ()
    restated: bool = False
    at_once: bool = True
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Asking:
    """One operation's letter with what its codes are resolved by."""

    exchange: Exchange
    sender: UUID
    letter: model.Letter
    snapshot: Directory
    on: date

    def agencies(self, codes: Iterable[str]) -> dict[UUID, str]:
        """The agencies of these codes, also those switched off: their deliveries are concerned all the same."""
        found = ((directory.find(self.snapshot, code, self.on), code) for code in codes)
        return {agency.id: directory.canonical(code) for agency, code in found if agency is not None}


async def plan(
    exchange: Exchange, given: Given, sender: UUID, letter: model.Letter, recipients: Sequence[UUID]
) -> Plan | Refused:
    """What the operation concerns. `recipients` are those that its own letter goes to."""
    snapshot = await exchange.snapshot.current()
    asking = _Asking(
        exchange=exchange, sender=sender, letter=letter, snapshot=snapshot, on=intake.day(given.at)
    )
    if letter.operation == "replace":
        return await _replacement(asking, recipients)
    found = await _target(asking, _named(letter))
    if found is None:
        return Refused(code="not_found")
    return (_revocation if letter.operation == "revoke" else _update)(asking, *found)


def _named(letter: model.Letter) -> stored.Named:
    """By the id beside the operation if there is one, and by nothing else: who names a document means no other.

    Else by the id in the header (where none stands beside the operation the model has that one), else by number,
    notation and day (edXML, section 4.3).
    """
    named, own = _ids(letter.target_document_id), _ids(letter.document_id)
    if named not in {(), own}:
        return stored.Named(ids=named)
    return stored.Named(
        ids=own,
        number=letter.number[: rows.MOST_NUMBER],
        notation=letter.notation[: rows.MOST_NUMBER],
        issued_on=letter.issued_on,
    )


def _ids(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(intake.compared, names))))


async def _target(asking: _Asking, named: stored.Named) -> tuple[rows.LetterRow, stored.Reach] | None:
    async with asking.exchange.pool.acquire() as connection:
        record = await stored.target(connection, asking.sender, named)
        if record is None:
            return None
        return expand.letter(record), await stored.reach(connection, asking.sender, record["id"])


def _revocation(asking: _Asking, target: rows.LetterRow, reach: stored.Reach) -> Plan:
    named = asking.agencies(party.code for party in asking.letter.recipients)
    concerned = [one for one in named if one in reach.recipients]
    severity = "warning" if concerned else "error"
    without = [
        _finding(severity, "recipient_without_target", code)
        for one, code in named.items()
        if one not in reach.recipients
    ]
    return _sized(
        Plan(
            operation="revoke",
            links=(_link(target, reach, concerned),),
            findings=tuple(without),
        ),
        [(target, reach)],
    )


def _update(asking: _Asking, target: rows.LetterRow, reach: stored.Reach) -> Plan:
    update = asking.letter.update or model.Update()
    wanted = intake.listed(asking.letter)
    found = asking.agencies(wanted)
    unchanged = {one for one, code in found.items() if wanted[code] == (one in reach.recipients)}
    added = [one for one, code in found.items() if wanted[code] and one not in unchanged]
    routable = [one for one in added if not asking.snapshot.agencies[one].disabled]
    removed = [one for one, code in found.items() if not wanted[code] and one not in unchanged]
    concerned = {*(reach.recipients if update.document else ()), *routable, *removed}
    findings = [_finding("warning", "recipient_unchanged", found[one]) for one in found if one in unchanged]
    if not update.document and not wanted:
        findings.append(Finding(severity="warning", code="nothing_updated"))
    return _sized(
        Plan(
            operation="update",
            links=(_link(target, reach, concerned),),
            added=_sorted(routable),
            removed=_sorted(removed),
            restated=update.document,
            findings=tuple(findings),
        ),
        [(target, reach)],
    )


async def _replacement(asking: _Asking, recipients: Sequence[UUID]) -> Plan | Refused:
    if not asking.letter.replaced:
        nothing = Finding(severity="error", code="nothing_replaced")
        return Plan(operation="replace", links=(), findings=(nothing,))
    concerned: dict[UUID, set[UUID]] = {}
    targets: dict[UUID, tuple[rows.LetterRow, stored.Reach]] = {}
    findings = list[Finding]()
    for one in asking.letter.replaced:
        found = await _target(asking, stored.Named(ids=_ids(one.document_id)))
        if found is None:
            return Refused(code="not_found")
        target, reach = targets.setdefault(found[0].id, found)
        named = asking.agencies(one.codes)
        findings += [
            _finding("warning", "recipient_without_target", code)
            for agency, code in named.items()
            if agency not in reach.recipients
        ]
        meant = named if one.codes else recipients
        concerned.setdefault(target.id, set()).update(each for each in meant if each in reach.recipients)
    links = [_link(*targets[name], each) for name, each in concerned.items()]
    made = Plan(operation="replace", links=tuple(links), findings=tuple(findings))
    return _sized(made, targets.values())


def _link(target: rows.LetterRow, reach: stored.Reach, concerned: Collection[UUID]) -> Link:
    shows = expand.letter(reach.restated_by) if reach.restated_by else None
    return Link(target=target, concerned=_sorted(concerned), shows=shows, changes=reach.changes)


def _sized(made: Plan, targets: Iterable[tuple[rows.LetterRow, stored.Reach]]) -> Plan:
    ready = all(target.expanded_at is not None and not reach.pending for target, reach in targets)
    few = sum(len(link.concerned) for link in made.links) <= expand.INLINE_RECIPIENTS
    return replace(made, at_once=ready and few)


def _sorted(agencies: Collection[UUID]) -> tuple[UUID, ...]:
    return tuple(sorted(agencies))


def _finding(severity: str, code: str, agency: str) -> Finding:
    return Finding(severity=severity, code=code, facts={"code": agency})


def links(made: Plan, letter: rows.LetterRow) -> tuple[rows.LinkRow, ...]:
    """The rows that name what the operation, stored as `letter`, acts on."""
    return tuple(
        rows.LinkRow(
            sender=letter.sender, letter=letter.id, kind=operations.LINKS[letter.operation],
            target=link.target.id, recipients=link.concerned,
        )
        for link in made.links
    )  # fmt: skip


def seen(made: Plan) -> tuple[stored.Seen, ...]:
    """What the operation was planned on."""
    return tuple(
        stored.Seen(target=link.target.id, changes=link.changes, requirement=link.target.requirement)
        for link in made.links
    )


def struck(
    letter: rows.LetterRow, link: Link, chosen: Sequence[UUID], cause: effects.Cause, new_ids: ids.Ids
) -> Iterator[Transition]:
    """The effects of the operation on the target's deliveries to these agencies; `cause` tells when and by whom."""
    for recipient in chosen:
        if recipient in letter.added:
            continue
        yield effects.transition(
            replace(cause, name=_cause(letter, recipient)), link.target, recipient, new_ids
        )


def _cause(letter: rows.LetterRow, recipient: UUID) -> str:
    if letter.operation != "update":
        return letter.operation
    return "remove" if recipient in letter.removed else "restate"


def cause(letter: rows.LetterRow) -> effects.Cause:
    """The operation as what acts, at its acceptance."""
    return effects.Cause(
        name=letter.operation,
        letter=letter.id,
        operation=letter.operation,
        at=letter.accepted_at,
        system=letter.system,
        facts=effects.facts(letter) if letter.restated else None,
    )


def given(
    letter: rows.LetterRow, link: Link, chosen: Sequence[UUID], snapshot: Directory, acts: effects.Cause,
    new_ids: ids.Ids,
) -> list[stored.Added]:  # fmt: skip
    """The deliveries of the target that an update gives to those of `chosen` whom it adds, with their lines.

    They show the facts that everybody's show by now.
    """
    added = tuple(one for one in chosen if one in letter.added)
    if not added:
        return []
    shows = letter if letter.restated else link.shows
    facts = {name: getattr(shows, name) for name in effects.SHOWN} if shows else {}
    source = replace(link.target, recipients=added, purposes=("act",) * len(added), **facts)
    made = expand.of_letter(source, snapshot, new_ids)
    deliveries = [rows.like(one, restated_by=shows.id if shows else None, added_at=acts.at) for one in made]
    return [_added(one, letter, acts, new_ids) for one in deliveries]


def _shown(one: rows.DeliveryRow, letter: rows.LetterRow) -> dict[str, str]:
    """The update whose facts it shows from the beginning, if it is another one than that which adds it."""
    return {"shows": str(one.restated_by)} if one.restated_by not in {None, letter.id} else {}


def _added(
    one: rows.DeliveryRow, letter: rows.LetterRow, acts: effects.Cause, new_ids: ids.Ids
) -> stored.Added:
    line = rows.JournalRow(
        agency=one.recipient, id=new_ids.new(), at=acts.at, event="added", letter=one.letter, delivery=one.id,
        system=acts.system, detail={"letter": str(letter.id), **_shown(one, letter)},
    )  # fmt: skip
    return stored.Added(
        delivery=one, line=line, twice=rows.like(line, id=new_ids.new(), event="duplicate", detail={})
    )
