"""Left out: replacements under the number of what they replace, where the old letter stays counted after all.

A replacement of that number counts where it takes the old letter away. When the relay gets to it, a recipient may have
registered the old one meanwhile: then that one stays counted, and the new one is no transfer of its own there (C.2).
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from exchange import ids
from exchange.broker import effects
from exchange.broker.standings import Matter, settled
from exchange.broker.targets import Link
from exchange.rules import transfer
from exchange.store import documents, rows, transitions
from exchange.store.pool import Connection
from exchange.store.transitions import Key, Moved, Standing, Transition


def same_number(letter: rows.LetterRow, link: Link) -> bool:
    """Whether the operation replaces a document under that one's own number."""
    alike = all(getattr(letter, name) == getattr(link.target, name) for name in documents.KEY)
    return letter.operation == "replace" and letter.number_key is not None and alike


def keys(letter: rows.LetterRow, chosen: Sequence[UUID]) -> list[Key]:
    """The deliveries of the replacement that may have to be left out."""
    return [(recipient, letter.id, letter.round) for recipient in chosen]


async def where_it_stays(
    connection: Connection,
    cause: effects.Cause,
    pair: tuple[rows.LetterRow, Link],
    chosen: Sequence[UUID],
    new_ids: ids.Ids,
) -> list[Moved]:
    """Part of the transaction that did the effects: the new letter, with its link, to those who keep the old one."""
    letter, link = pair
    standing = await transitions.locked(
        connection, [(one, link.target.id, link.target.round) for one in chosen]
    )
    stays = [recipient for (recipient, _, _), one in standing.items() if _counted(one)]
    moves = [_transition(cause, letter, recipient, link.target.id, new_ids) for recipient in stays]
    moved = await transitions.apply(connection, moves)
    out = [line.agency for each in moved for line in each.lines]
    if out:
        await documents.note(connection, letter.sender, letter.id, out)
    return moved


def _counted(standing: Standing) -> bool:
    return standing.excluded is None and (standing.state in transfer.REGISTERED or standing.recalled)


def _transition(
    cause: effects.Cause, letter: rows.LetterRow, recipient: UUID, old: UUID, new_ids: ids.Ids
) -> Transition:
    def move(now: Standing) -> Moved:
        if now.excluded is not None:
            return Moved(standing=now)
        assert now.id is not None
        matter = Matter(letter=letter, recipient=recipient, delivery=now.id, scope=now.scope)
        line = effects.line(cause, matter, "duplicate", new_ids, of=str(old))
        return settled(matter, now, replace(now, excluded="duplicate"), [line], new_ids)

    return Transition(key=(recipient, letter.id, letter.round), move=move)
