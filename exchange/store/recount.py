"""Everything the self-check walks through, in chunks by key: letters with their deliveries, verdicts and bytes."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from exchange.store.pool import Connection

CHUNK = 500
_NIL = UUID(int=0)


_JUDGED = """SELECT * FROM judgement
              WHERE judgement.sender = letter.sender AND judgement.letter = letter.id
              ORDER BY revision DESC LIMIT 1"""


_TOLD = """SELECT min(at) FILTER (WHERE event = 'arrived') AS arrived_at,
           coalesce(jsonb_agg(jsonb_build_array(event, code, detail->'was'))
               FILTER (WHERE event IN ('arrived', 'expired', 'status', 'withdrawn')), '[]') AS steps,
           coalesce(jsonb_agg(detail || jsonb_build_object('event', event))
               FILTER (WHERE event IN ('asked', 'agreed', 'refused_request')), '[]') AS requests,
           coalesce(jsonb_agg(coalesce(detail->>'shows', detail->>'letter'))
               FILTER (WHERE event IN ('updated', 'added', 'replaced')), '[]') AS updates,
           coalesce(jsonb_agg(detail || jsonb_build_object('event', event))
               FILTER (WHERE event = ANY($5::text[])), '[]') AS papers
      FROM journal
     WHERE agency = delivery.recipient AND journal.delivery = delivery.id
       AND journal.letter = delivery.letter
       AND event = ANY($5::text[] || ARRAY['arrived', 'expired', 'status', 'withdrawn', 'asked',
                       'agreed', 'refused_request', 'updated', 'added', 'replaced'])"""
"""What the journal tells of a delivery; $5: its events about paper."""


async def total(connection: Connection) -> dict[str, int]:
    """How many letters and deliveries there are."""
    record = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM letter) AS letters, (SELECT count(*) FROM delivery) AS deliveries"
    )
    assert record is not None
    return dict(record)


async def letters(connection: Connection) -> AsyncIterator[Any]:
    """Housekeeping: every letter, by key, with what it was worth at acceptance and by its newest judgement."""
    sender, letter = _NIL, _NIL
    while True:
        found = await connection.fetch(
            f"""SELECT letter.*, accepted.detail AS first, judged.requirement AS judged_requirement,
                       judged.reason AS judged_reason, judged.missing AS judged_missing,
                       judged.class_if_electronic AS judged_class, coalesce(judged.revision, 1) AS judged_revision,
                       coalesce((SELECT max(revision) FROM verdict
                                  WHERE verdict.sender = letter.sender AND verdict.letter = letter.id), 1)
                           AS verdict_revision
                  FROM letter
                  LEFT JOIN LATERAL (SELECT detail FROM journal
                                      WHERE agency = letter.sender AND journal.letter = letter.id
                                        AND event = 'accepted' LIMIT 1) AS accepted ON true
                  LEFT JOIN LATERAL ({_JUDGED}) AS judged ON true
                 WHERE (letter.sender, letter.id) > ($1, $2) ORDER BY letter.sender, letter.id LIMIT $3""",  # noqa: S608 - the statement is ours
            sender, letter, CHUNK,
        )  # fmt: skip
        for record in found:
            yield record
        if len(found) < CHUNK:
            return
        sender, letter = found[-1]["sender"], found[-1]["id"]


async def deliveries(connection: Connection, paper_events: Sequence[str]) -> AsyncIterator[Any]:
    """Housekeeping: every delivery, by key, with the facts of its letter and what the journal tells of it.

    `paper_events`: the journal's events about paper, whose lines come as `papers`.
    """
    last = (_NIL, _NIL, 0)
    while True:
        found = await connection.fetch(
            f"""SELECT delivery.*, letter.paper, letter.paper_reason, letter.no_paper_standing, letter.test,
                      delivery.recipient = ANY(letter.duplicates) AS duplicate,
                      coalesce(judged.reason, letter.reason) AS reason,
                      coalesce(judged.requirement, letter.requirement) AS letter_requirement,
                      coalesce(restating.document_type, letter.document_type) AS letter_type,
                      (coalesce(restating.number, letter.number), coalesce(restating.notation, letter.notation),
                       coalesce(restating.subject, letter.subject),
                       coalesce(restating.document_type, letter.document_type),
                       coalesce(restating.urgency, letter.urgency),
                       CASE WHEN restating.id IS NULL THEN letter.issued_on ELSE restating.issued_on END)
                       IS NOT DISTINCT FROM
                      (delivery.number, delivery.notation, delivery.subject, delivery.document_type,
                       delivery.urgency, delivery.issued_on) AS same_facts,
                      letter.accepted_at AS letter_accepted_at,
                      told.arrived_at AS journal_arrived_at, told.steps, told.requests, told.updates,
                      told.papers
                 FROM delivery LEFT JOIN letter ON letter.sender = delivery.sender AND letter.id = delivery.letter
                      LEFT JOIN LATERAL ({_JUDGED}) AS judged ON true
                      LEFT JOIN letter AS restating
                             ON restating.sender = delivery.sender AND restating.id = delivery.restated_by
                      CROSS JOIN LATERAL
                      ({_TOLD}) AS told
                WHERE (delivery.recipient, delivery.letter, delivery.round) > ($1, $2, $3)
                ORDER BY delivery.recipient, delivery.letter, delivery.round LIMIT $4""",  # noqa: S608 - the statement is ours
            *last, CHUNK, paper_events,
        )  # fmt: skip
        for record in found:
            yield record
        if len(found) < CHUNK:
            return
        last = (found[-1]["recipient"], found[-1]["letter"], found[-1]["round"])


STRAYS: Mapping[str, str] = {
    "letters_without_bytes": "letter WHERE NOT EXISTS (SELECT FROM payload WHERE payload.id = letter.id)",
    "letters_without_journal": (
        "letter WHERE NOT EXISTS (SELECT FROM journal WHERE agency = letter.sender AND journal.letter = letter.id "
        "AND event = 'accepted' AND journal.sha256 = letter.sha256)"
    ),
    "journal_without_letter": (
        "journal WHERE event = 'accepted' AND NOT EXISTS (SELECT FROM letter WHERE sender = journal.agency AND id "
        "= journal.letter)"
    ),
    "arrivals_without_delivery": (
        "journal WHERE event = 'arrived' AND NOT EXISTS (SELECT FROM delivery WHERE recipient = journal.agency "
        "AND id = journal.delivery AND arrived_at = journal.at)"
    ),
    "notices_without_status": (
        "letter WHERE operation = 'status' AND NOT EXISTS (SELECT FROM journal WHERE event = 'status' AND "
        "journal.sha256 = letter.sha256 AND detail->>'notice' = letter.id::text)"
    ),
    "statuses_without_notice": (
        "journal WHERE event = 'status' AND NOT EXISTS (SELECT FROM letter WHERE operation = 'status' AND "
        "letter.sha256 = journal.sha256 AND letter.id::text = detail->>'notice')"
    ),
    "letters_half_delivered": (
        "letter WHERE expanded_at IS NOT NULL AND cardinality(recipients) + (SELECT count(DISTINCT one) FROM "
        "letter_link JOIN letter AS updater ON updater.sender = letter_link.sender AND updater.id = "
        "letter_link.letter CROSS JOIN unnest(updater.added) AS one WHERE letter_link.sender = letter.sender AND "
        "letter_link.target = letter.id AND updater.effected_at IS NOT NULL) <> (SELECT count(*) FROM delivery "
        "WHERE delivery.letter = letter.id AND delivery.round = letter.round) AND NOT EXISTS (SELECT FROM "
        "letter_link JOIN letter AS pending ON pending.sender = letter_link.sender AND pending.id = "
        "letter_link.letter WHERE letter_link.sender = letter.sender AND letter_link.target = letter.id AND "
        "pending.effected_at IS NULL)"
    ),
    "links_without_letter": (
        "letter_link WHERE NOT EXISTS (SELECT FROM letter WHERE sender = letter_link.sender AND id = "
        "letter_link.letter) OR NOT EXISTS (SELECT FROM letter WHERE sender = letter_link.sender AND id = "
        "letter_link.target)"
    ),
    "operations_without_target": (
        "letter WHERE operation IN ('revoke', 'update', 'replace') AND NOT EXISTS (SELECT FROM letter_link WHERE "
        "sender = letter.sender AND letter = letter.id)"
    ),
    "evidence_missing": (
        "(SELECT DISTINCT unnest(evidence) AS sha256 FROM verdict) AS named WHERE NOT EXISTS (SELECT FROM "
        "evidence WHERE evidence.sha256 = decode(named.sha256, 'hex'))"
    ),
    "attested_without_attestation": (
        "delivery WHERE attested_at IS NOT NULL AND NOT EXISTS (SELECT FROM attestation WHERE attestation.agency "
        "= delivery.recipient AND cleared_at IS NULL AND month = date_trunc('month', arrived_at AT TIME ZONE "
        "INTERVAL '7 hours'))"
    ),
    "matches_without_register": (
        "delivery WHERE on_register IS NOT NULL AND EXISTS (SELECT FROM unnest(register_rows) AS one WHERE NOT "
        "EXISTS (SELECT FROM register_row WHERE register_row.id = one AND register_row.agency IN "
        "(delivery.recipient, delivery.sender)))"
    ),
    "payloads_outside_partitions": "payload_default",
}
"""What must not exist at all: its name, and behind FROM what is counted."""


async def strays(connection: Connection) -> dict[str, int]:
    """Housekeeping: counts of what must not exist at all, by name."""
    counts = ", ".join(f"(SELECT count(*) FROM {found}) AS {name}" for name, found in STRAYS.items())  # noqa: S608 - the table is ours
    record = await connection.fetchrow(f"SELECT {counts}")
    assert record is not None
    return dict(record)
