"""For tests that judge letters again: benches with trust sets of their own, revocation lists of the province's authority."""

import contextlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from province import fetch

from exchange import ids
from exchange.broker import examined, receipts, verify
from exchange.rules import requirements
from exchange.store import pool as pools
from exchange.tracker import check
from signing import keys, trust

ODD = "H13.10"
"""The agency of the demo whose seal nobody confirmed."""
LATER = timedelta(minutes=1)
"""So much newer than every letter of a test are the lists of `newer`."""


def now():
    return datetime.now(UTC)


def serial(province, code):
    return province.ours.seals[code].certificate.serial_number


def lists(province, revoked=None, *, held=(), at=None):
    """Revocation lists of both authorities, made at that moment (None: in a minute); `held` serials are on hold."""
    made, ours = at or now() + LATER, province.ours
    root = keys.revocation_list(ours.root, {}, at=made, number=9)
    if not held:
        return [root, keys.revocation_list(ours.issuer, revoked or {}, at=made, number=9)]
    draft = x509.CertificateRevocationListBuilder().issuer_name(ours.issuer.certificate.subject)
    draft = draft.last_update(made).next_update(made + timedelta(days=7))
    reason = x509.CRLReason(x509.ReasonFlags.certificate_hold)
    for one in held:
        entry = x509.RevokedCertificateBuilder().serial_number(one).revocation_date(made - timedelta(hours=2))
        draft = draft.add_revoked_certificate(entry.add_extension(reason, critical=False).build())
    signed = draft.sign(ours.issuer.key, hashes.SHA256())
    return [root, signed.public_bytes(serialization.Encoding.DER)]


def authorities(province):
    ours = (province.ours.root, province.ours.issuer)
    return [keys.Holder(certificate=one.certificate, key=one.key).der for one in ours]


def newer(province, revoked=None, **more):
    """The province's trust set with lists that are newer than every letter."""
    return trust.load(authorities(province), lists(province, revoked, **more))


def other():
    """A trust set of somebody else, whom the province's certificates do not lead to."""
    at = now() - timedelta(days=1)
    root = keys.root("Gốc khác", key=keys.new_key(), at=at)
    return trust.load([keys.Holder(certificate=root.certificate, key=root.key).der], [])


@contextlib.asynccontextmanager
async def bench(dsn, trusted, *, size=4, clock=now, folder="/nowhere", keep=False):
    """A bench of its own on that database, as another process would have it."""
    opened = await pools.open(dsn, size=size)
    try:
        async with verify.VerifyPool(trusted, verify.Limits(workers=1)) as pool:
            yield examined.Bench(
                pool=opened, verifier=pool, policy=requirements.DEFAULT, ids=ids.Ids(clock), clock=clock,
                payload_folder=folder, keep=keep,
            )  # fmt: skip
    finally:
        await opened.close()


async def classes(dsn, code, view="out"):
    """What the tally counts of one agency in one view, folded or not."""
    found = await fetch(
        dsn,
        """SELECT class, sum(n)::int AS n FROM (SELECT agency, class, view, n FROM tally_day
             UNION ALL SELECT agency, class, view, n FROM tally_delta) AS facts
            WHERE view = $1 AND agency = (SELECT id FROM agency WHERE code = $2)
            GROUP BY class HAVING sum(n) <> 0""",
        view, code,
    )  # fmt: skip
    return {one["class"]: one["n"] for one in found}


async def history(dsn, letter):
    """Every judgement on record of a letter: what its verdicts said, revision by revision."""
    found = await fetch(
        dsn,
        """SELECT array_agg(coalesce(sub_indication, indication) ORDER BY position) AS said
             FROM verdict WHERE letter = $1::text::uuid GROUP BY revision ORDER BY revision""",
        letter,
    )
    return [one["said"] for one in found]


async def sent(server, number=1, sender="H13.01", recipients=("H13.31", "H13.32")):
    """A letter in the hands of its recipients: its id, and the receipt's bytes."""
    async with server.client(sender) as client, server.client("H13.31") as recipient:
        raw = server.province.letter(number, sender=sender, recipients=recipients)
        answer = await client.send(raw)
        assert answer.status == 201, answer.raw
        items = (await recipient.inbox(limit=500)).body["items"]
        await recipient.ack([one["id"] for one in items])
    return answer.body["receipt"]["letter"], answer.raw


async def about(server, letter, what, code="H13.01"):
    async with server.client(code) as client:
        return await client.about(letter, what)


async def faults(server):
    """What the self-check finds: every class and every figure must be what the events give."""
    connection = await pools.connect(server.dsn)
    try:
        key = receipts.load(server.folder / "receipt.key", "")
        return {one.code for one in (await check.check(connection, server.folder / "payloads", key)).faults}
    finally:
        await connection.close()
