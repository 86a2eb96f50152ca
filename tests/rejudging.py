"""For tests that judge letters again: benches with trust sets of their own, revocation lists of the province's authority."""

import contextlib
from datetime import UTC, datetime, timedelta

from province import fetch

from exchange import ids
from exchange.broker import rejudge, verify
from exchange.rules import requirements
from exchange.store import pool as pools
from signing import keys, pdf, trust

ODD = "H13.10"
"""The agency of the demo whose seal nobody confirmed."""


def now():
    return datetime.now(UTC)


def revoked(province, serials, *, at=None, number=2, **more):
    """The files of a trust set: the province's, with a list that the issuer makes at that moment."""
    made, ours = at or now(), province.ours
    lists = [keys.revocation_list(one, serials if one is ours.issuer else {}, at=made, number=number, **more)
             for one in (ours.root, ours.issuer)]  # fmt: skip
    return [pdf_der(ours.root), pdf_der(ours.issuer)], lists


def pdf_der(issuer):
    return keys.Holder(certificate=issuer.certificate, key=issuer.key).der


def newer(province, serials=None, **more):
    """The province's trust set with lists that are as new as can be."""
    certificates, lists = revoked(province, serials or {}, **more)
    return trust.load(certificates, lists)


@contextlib.asynccontextmanager
async def bench(dsn, trusted, folder="/nowhere", *, size=4, clock=now):
    """A bench of its own on that database, as another process would have it."""
    opened = await pools.open(dsn, size=size)
    try:
        async with verify.VerifyPool(trusted, verify.Limits(workers=1)) as pool:
            yield rejudge.Bench(
                pool=opened, verifier=pool, policy=requirements.DEFAULT, ids=ids.Ids(clock), clock=clock,
                payload_folder=folder,
            )  # fmt: skip
    finally:
        await opened.close()


async def classes(dsn, view="out"):
    """What the tally counts in one view, folded or not."""
    found = await fetch(
        dsn,
        """SELECT class, sum(n)::int AS n FROM (SELECT class, view, n FROM tally_day
             UNION ALL SELECT class, view, n FROM tally_delta) AS facts
            WHERE view = $1 GROUP BY class HAVING sum(n) <> 0""",
        view,
    )
    return {one["class"]: one["n"] for one in found}


async def history(dsn, letter):
    """Every judgement on record of a letter: the verdicts' indications by revision."""
    found = await fetch(
        dsn,
        "SELECT revision, array_agg(indication ORDER BY position) AS said FROM verdict WHERE letter = $1::uuid GROUP BY 1 ORDER BY 1",
        letter,
    )
    return [one["said"] for one in found]


async def arrived(client, agency=None):
    """Acknowledge everything that waits for a system."""
    items = (await client.inbox(agency, limit=500)).body["items"]
    if items:
        await client.ack([one["id"] for one in items])
    return items


def hours(n):
    return timedelta(hours=n)


__all__ = ["ODD", "arrived", "bench", "classes", "history", "hours", "newer", "now", "pdf", "revoked"]
