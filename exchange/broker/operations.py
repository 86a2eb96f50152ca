"""Operations: what a letter that revokes, updates or replaces another concerns (thu hồi, cập nhật, thay thế).

    found    broker.targets      the sender's own letters that are named, and who has a delivery of each
    plan     links, recipients added and removed, and what is to be said to the sender about it

Effects of up to 100 deliveries ride on the commit of the operation's letter. More, and those on a target that is not
expanded yet or that an older operation still waits for, are done by the relay (`broker.withdraw`).
"""

import functools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from exchange import ids
from exchange.broker import effects, expand, intake, numbered, targets
from exchange.broker.decisions import Given, Refused
from exchange.broker.exchange import Exchange
from exchange.broker.targets import Asking, Link, Target
from exchange.edxml import model
from exchange.errors import Finding
from exchange.rules import operations
from exchange.rules.directory import Directory
from exchange.rules.documents import Held
from exchange.store import operations as stored
from exchange.store import rows
from exchange.store.transitions import Transition


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


async def plan(
    exchange: Exchange, given: Given, sender: UUID, letter: model.Letter, recipients: Sequence[UUID]
) -> Plan | Refused:
    """What the operation concerns. `recipients` are those that its own letter goes to."""
    snapshot = await exchange.snapshot.current()
    asking = Asking(
        exchange=exchange, sender=sender, letter=letter, snapshot=snapshot, on=intake.day(given.at),
        test=given.declared.test,
    )  # fmt: skip
    if letter.operation == "replace":
        return await _replacement(asking, recipients)
    found = await targets.found(asking, targets.named_by(letter, test=asking.test))
    if not found:
        return Refused(code="not_found")
    if letter.operation == "revoke":
        return _revocation(asking, found)
    made = _update(asking, found, await targets.withdrawn(asking, found))
    used = (
        await numbered.taken(exchange, letter, found[0].letter) if made.restated and not asking.test else ()
    )
    return replace(made, findings=(*made.findings, *used))


def _revocation(asking: Asking, meant: Sequence[Target]) -> Plan:
    named = asking.agencies(party.code for party in asking.letter.recipients)
    reached = targets.reached(meant)
    severity = "error" if reached.isdisjoint(named) else "warning"
    without = [
        _finding(severity, "recipient_without_target", code)
        for one, code in named.items()
        if one not in reached
    ]
    links = [one.link(one.reach.recipients.intersection(named)) for one in meant]
    return _sized(Plan(operation="revoke", links=_acting(links), findings=tuple(without)), meant)


def _acting(links: Sequence[Link]) -> tuple[Link, ...]:
    """Those that concern somebody; the first, if none does."""
    return tuple(one for one in links if one.concerned) or tuple(links[:1])


def _update(asking: Asking, meant: Sequence[Target], gone: Collection[UUID]) -> Plan:
    """Who is added gets the newest of the letters; from whom it was withdrawn (`gone`) gets it no more."""
    update = asking.letter.update or model.Update()
    wanted, reached = intake.listed(asking.letter), targets.reached(meant)
    found = asking.agencies(wanted)
    unchanged = {one for one, code in found.items() if wanted[code] == (one in reached)}
    added = [one for one, code in found.items() if wanted[code] and one not in unchanged]
    routable = {one for one in added if asking.takes(one)}
    removed = {one for one, code in found.items() if not wanted[code] and one not in unchanged}
    severity = "warning" if update.document or added or removed else "error"
    findings = [
        _finding(severity, "recipient_withdrawn", found[one])
        if wanted[found[one]] and one in gone
        else _finding("warning", "recipient_unchanged", found[one])
        for one in found
        if one in unchanged
    ]
    if not update.document and not wanted:
        findings.append(Finding(severity="warning", code="nothing_updated"))
    links = [
        one.link(
            (one.reach.recipients if update.document else one.reach.recipients & removed)
            | (routable if one is meant[0] else set())
        )
        for one in meant
    ]
    return _sized(
        Plan(
            operation="update",
            links=_acting(links),
            added=targets.in_order(routable),
            removed=targets.in_order(removed),
            restated=update.document,
            findings=tuple(findings),
        ),
        meant,
    )


async def _replacement(asking: Asking, recipients: Sequence[UUID]) -> Plan | Refused:
    if not asking.letter.replaced:
        nothing = Finding(severity="error", code="nothing_replaced")
        return Plan(operation="replace", links=(), findings=(nothing,))
    concerned: dict[UUID, set[UUID]] = {}
    known: dict[UUID, Target] = {}
    findings = list[Finding]()
    for one in asking.letter.replaced:
        found = await targets.found(
            asking, stored.Named(ids=targets.compared(one.document_id), test=asking.test)
        )
        if not found:
            return Refused(code="not_found")
        named, reached = asking.agencies(one.codes), targets.reached(found)
        findings += [
            _finding("warning", "recipient_without_target", code)
            for agency, code in named.items()
            if agency not in reached
        ]
        meant = named if one.codes else recipients
        for target in found:
            known.setdefault(target.letter.id, target)
            concerned.setdefault(target.letter.id, set()).update(target.reach.recipients.intersection(meant))
    links = [known[name].link(each) for name, each in concerned.items()]
    return _sized(Plan(operation="replace", links=tuple(links), findings=tuple(findings)), known.values())


def _sized(made: Plan, meant: Iterable[Target]) -> Plan:
    ready = all(one.letter.expanded_at is not None and not one.reach.pending for one in meant)
    few = sum(len(link.concerned) for link in made.links) <= expand.INLINE_RECIPIENTS
    return replace(made, at_once=ready and few)


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
        delivery=one,
        line=line,
        twice=rows.like(line, id=new_ids.new(), event="duplicate", detail={}),
        ended=functools.partial(_ended, line, new_ids),
    )


def _ended(line: rows.JournalRow, new_ids: ids.Ids, late: Held) -> rows.JournalRow:
    of = {"of": str(line.letter)}
    return rows.like(
        line, id=new_ids.new(), event="duplicate", letter=late.letter, delivery=late.delivery, detail=of
    )
