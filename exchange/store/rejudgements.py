"""Why letters are judged again, and which ones are due.

A reason (`rejudgement`) is written in the commit of what changed, and its letters with it as `rejudgement_due`: work that
outlives whoever began it. A due letter is taken for a while, judged, and its row removed in the commit of the judgement -
unless a newer reason came meanwhile: then it stays due. Rows are locked in the order of their keys, after letters and
deliveries. All of this is housekeeping.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from exchange.store.pool import Connection

_SIGNED = """SELECT DISTINCT sender, letter FROM verdict WHERE certificate_sha256 = ANY($1)"""
_SENT = "SELECT sender, id AS letter FROM letter WHERE sender = ANY($2) AND operation <> 'status'"

UNEXAMINED = "unexamined"
"""The cause of letters some of whose files could not be examined in time when they were accepted or judged again."""
FEW = 2
"""How many of these are taken at a time: whoever sends them may have made them slow."""


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why letters are judged again: those signed with one of these certificates, and those of these senders."""

    id: UUID
    cause: str
    at: datetime
    directory_version: int
    certificates: Sequence[bytes] = ()
    senders: Sequence[UUID] = ()


@dataclass(frozen=True, kw_only=True)
class Due:
    """A letter that is to be judged again, and the reason; `tries` counts this time too."""

    sender: UUID
    letter: UUID
    cause: str
    rejudgement: UUID
    tries: int


async def order(connection: Connection, reason: Reason, head_start: timedelta = timedelta()) -> int:
    """Write a reason down and make its letters due; how many. Within the transaction of what changed.

    Whoever made the change may judge them at once; others wait until the `head_start` is over.
    """
    await connection.execute(
        """INSERT INTO rejudgement (id, cause, at, directory_version, certificates, senders)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        reason.id, reason.cause, reason.at, reason.directory_version, list(reason.certificates), list(reason.senders),
    )  # fmt: skip
    return await _make_due(connection, reason, f"{_SIGNED} UNION {_SENT}", head_start)


async def _make_due(
    connection: Connection, reason: Reason, letters: str, head_start: timedelta = timedelta()
) -> int:
    found = await connection.fetchval(
        f"""WITH made AS (
                INSERT INTO rejudgement_due (sender, letter, cause, rejudgement, due_at)
                SELECT sender, letter, $3, $4, $5::timestamptz + $6::interval FROM ({letters}) AS concerned ORDER BY sender, letter
                ON CONFLICT (sender, letter) DO UPDATE
                   SET cause = excluded.cause, rejudgement = excluded.rejudgement, due_at = excluded.due_at, tries = 0
                RETURNING 1)
            SELECT count(*) FROM made""",  # noqa: S608 - the statements are ours
        list(reason.certificates), list(reason.senders), reason.cause, reason.id, reason.at, head_start,
    )  # fmt: skip
    return int(found)


async def add(connection: Connection, reason: Reason, letters: Sequence[tuple[UUID, UUID]]) -> int:
    """Make these letters (sender, letter) due; those that are due already stay so, for their own reason, unless that is only that they were not examined in time. How many."""
    if not letters:
        return 0
    senders, ids = zip(*letters, strict=True)
    found = await connection.fetch(
        """INSERT INTO rejudgement_due (sender, letter, cause, rejudgement, due_at)
           SELECT sender, letter, $3, $4, $5 FROM unnest($1::uuid[], $2::uuid[]) AS given (sender, letter)
            ORDER BY sender, letter
           ON CONFLICT (sender, letter) DO UPDATE SET cause = excluded.cause, rejudgement = excluded.rejudgement,
                                                      due_at = excluded.due_at, tries = 0
                                        WHERE rejudgement_due.cause = 'unexamined'
           RETURNING 1""",
        senders, ids, reason.cause, reason.id, reason.at,
    )  # fmt: skip
    return len(found)


async def settle(connection: Connection, before: datetime, at: datetime) -> int:
    """Look a second time for letters of reasons older than `before`: those judged by the directory of then. How many."""
    records = await connection.fetch(
        """SELECT id, cause, at, directory_version, certificates, senders FROM rejudgement
            WHERE settled_at IS NULL AND at < $1 ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED""",
        before,
    )
    missed = 0
    for record in records:
        reason = Reason(**record)
        letters = f"""SELECT late.sender, late.letter FROM ({_SIGNED} UNION {_SENT}) AS late
                        JOIN letter ON letter.sender = late.sender AND letter.id = late.letter
                       WHERE letter.directory_version < {int(reason.directory_version)}
                         AND letter.accepted_at > $5::timestamptz - interval '5 minutes'
                         AND NOT EXISTS (SELECT FROM rejudgement_due AS due
                                          WHERE due.sender = late.sender AND due.letter = late.letter)"""  # noqa: S608 - the number is ours
        missed += await _make_due(connection, reason, letters)
    await connection.execute(
        "UPDATE rejudgement SET settled_at = $2 WHERE id = ANY($1)", [one["id"] for one in records], at
    )
    return missed


async def take(
    connection: Connection, at: datetime, limit: int, rejudgement: UUID | None = None, *, first: bool = False
) -> list[Due]:
    """Due letters, of one reason or of any, for two minutes: then somebody else may take them. Each try waits longer.

    A few that were not examined in time only when there are no others; the pause between two tries with them grows
    faster. `first`: those, too, that nobody took yet and whose time has not come.
    """
    told = await connection.fetch(_TAKE.format(cause="<>", growth=2), at, limit, rejudgement, first)
    if not told:
        few = min(limit, FEW)
        told = await connection.fetch(_TAKE.format(cause="=", growth=4), at, few, rejudgement, first)
    return [Due(**one) for one in told]


_TAKE = f"""UPDATE rejudgement_due AS due
      SET due_at = $1::timestamptz + interval '2 minutes' * power({{growth}}, least(tries, 9)), tries = tries + 1
     FROM (SELECT sender, letter FROM rejudgement_due
            WHERE (due_at <= $1 OR $4 AND tries = 0) AND ($3::uuid IS NULL OR rejudgement = $3)
              AND cause {{cause}} '{UNEXAMINED}'
            ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS taken
    WHERE due.sender = taken.sender AND due.letter = taken.letter
   RETURNING due.sender, due.letter, due.cause, due.rejudgement, due.tries"""  # noqa: S608 - the cause is ours


async def waiting(connection: Connection, rejudgement: UUID | None = None) -> int:
    """How many letters are due, of one reason or of any, taken or not."""
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM rejudgement_due WHERE $1::uuid IS NULL OR rejudgement = $1", rejudgement
        )
    )


async def lock(connection: Connection, dues: Sequence[Due]) -> None:
    """Lock these rows in the order of their keys, as whoever makes letters due does."""
    await connection.execute(
        """SELECT FROM rejudgement_due AS due
             JOIN unnest($1::uuid[], $2::uuid[]) AS given (sender, letter) USING (sender, letter)
            ORDER BY sender, letter FOR UPDATE OF due""",
        [one.sender for one in dues], [one.letter for one in dues],
    )  # fmt: skip


async def again(connection: Connection, dues: Sequence[Due], at: datetime) -> None:
    """Whoever looks next may take these at once."""
    await connection.execute(
        """UPDATE rejudgement_due AS due SET due_at = $3
             FROM unnest($1::uuid[], $2::uuid[]) AS given (sender, letter)
            WHERE due.sender = given.sender AND due.letter = given.letter""",
        [one.sender for one in dues], [one.letter for one in dues], at,
    )  # fmt: skip


async def unexamined(connection: Connection, dues: Sequence[Due], rejudgement: UUID, at: datetime) -> None:
    """These are judged but for files that could not be examined this time: from then on they are due for those alone."""
    await connection.execute(
        f"""UPDATE rejudgement_due AS due SET cause = '{UNEXAMINED}', rejudgement = $4, due_at = $5, tries = 1
              FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS given (sender, letter, rejudgement)
             WHERE due.sender = given.sender AND due.letter = given.letter AND due.rejudgement = given.rejudgement""",  # noqa: S608 - the cause is ours
        [one.sender for one in dues], [one.letter for one in dues], [one.rejudgement for one in dues], rejudgement, at,
    )  # fmt: skip


async def done(connection: Connection, dues: Sequence[Due]) -> None:
    """These are judged; one that became due for a newer reason meanwhile stays due."""
    await connection.execute(
        """DELETE FROM rejudgement_due AS due
            USING unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS given (sender, letter, rejudgement)
            WHERE due.sender = given.sender AND due.letter = given.letter AND due.rejudgement = given.rejudgement""",
        [one.sender for one in dues], [one.letter for one in dues], [one.rejudgement for one in dues],
    )  # fmt: skip


async def reason_of(connection: Connection, version: int) -> UUID | None:
    """The reason that came with a version of the directory; None if it concerned no signature."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        "SELECT id FROM rejudgement WHERE directory_version = $1 AND cause = 'directory'", version
    )


async def of_officers(connection: Connection, officers: Sequence[UUID]) -> set[bytes]:
    """The certificates of these officers."""
    records = await connection.fetch(
        "SELECT DISTINCT sha256 FROM signer_certificate WHERE officer = ANY($1)", officers
    )
    return {one["sha256"] for one in records}


async def seals(connection: Connection, certificates: Sequence[bytes]) -> dict[bytes, set[UUID]]:
    """The agencies that hold each of these certificates as their seal."""
    held: defaultdict[bytes, set[UUID]] = defaultdict(set)
    for one in await connection.fetch(
        "SELECT sha256, agency FROM signer_certificate WHERE sha256 = ANY($1) AND kind = 'organisation'",
        certificates,
    ):
        held[one["sha256"]].add(one["agency"])
    return held


async def roots(connection: Connection) -> set[bytes]:
    """The roots by which letters were judged last."""
    return {one["sha256"] for one in await connection.fetch("SELECT sha256 FROM trusted_root")}


async def note_roots(connection: Connection, now: Collection[bytes], at: datetime) -> None:
    """From now on it is these."""
    await connection.execute("DELETE FROM trusted_root WHERE sha256 <> ALL($1)", list(now))
    await connection.execute(
        "INSERT INTO trusted_root (sha256, since) SELECT unnest($1::bytea[]), $2 ON CONFLICT DO NOTHING",
        sorted(now), at,
    )  # fmt: skip


async def by_roots(
    connection: Connection, gone: Collection[bytes], *, added: bool
) -> list[tuple[UUID, UUID]]:
    """Letters (sender, letter) that led to a root which is gone, and with `added` those that none did."""
    records = await connection.fetch(
        """SELECT DISTINCT sender, letter FROM verdict
            WHERE evidence && $1::text[]
               OR $2 AND sub_indication IN ('NO_CERTIFICATE_CHAIN_FOUND', 'CHAIN_CONSTRAINTS_FAILURE',
                                            'CERTIFICATE_CHAIN_GENERAL_FAILURE')""",
        [one.hex() for one in gone], added,
    )  # fmt: skip
    return [(one["sender"], one["letter"]) for one in records]


async def of_reason(connection: Connection, rejudgement: UUID | None) -> list[Due]:
    """Every letter that is due for a reason, or for any, in the order of their keys."""
    records = await connection.fetch(
        """SELECT sender, letter, cause, rejudgement, tries FROM rejudgement_due
            WHERE $1::uuid IS NULL OR rejudgement = $1 ORDER BY sender, letter""",
        rejudgement,
    )
    return [Due(**one) for one in records]
