"""Fetching in the background against a real server that plays the authority: calm weather, days of outage, and malice.

Time is a value: a story of ten days takes as long as its questions.
"""

import asyncio
import contextlib
import os
import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from authorities import BEGIN, access, issued, lists, site
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from province import fetch

from exchange import config
from exchange.broker import clock, receipts, renewal
from exchange.broker import exchange as parts
from exchange.links import client, revocation, revocation_plan
from exchange.store import revocation_sources
from signing import judge, keys, keys_revocation
from signing.fetched import Link
from signing.verdict import Indication, SubIndication

AT = BEGIN + timedelta(days=100)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ROOT_KEY, SUB_KEY, KEY, OTHER_KEY = (keys.new_key() for _ in range(4))
ROOT = keys.root("Gốc", key=ROOT_KEY, at=BEGIN)
STRANGER = keys.root("Kẻ lạ", key=OTHER_KEY, at=BEGIN)
DER = serialization.Encoding.DER


@dataclass
class Scene:
    """An exchange on a database of its own, an authority's site, and the certificates that name it."""

    site: object
    folder: Path
    dsn: str
    sub: keys.Issuer
    signers: list
    exchange: object = None
    asking: object = None
    memory: revocation.Memory = field(default_factory=revocation.Memory)
    now: datetime = AT
    held_at: datetime = AT
    chance: object = staticmethod(lambda: 0.0)

    def publish(self, *revoked, at=None, days=2, issuer=None, path="/sub.crl"):
        """The authority makes a new list."""
        at = at or self.now
        issuer = issuer or (ROOT if path == "/root.crl" else self.sub)
        made = keys.revocation_list(issuer, dict.fromkeys(revoked, at), at=at, days=days)
        self.site.files[path] = made
        return made

    async def round(self):
        """One round of one process, and what every process does afterwards."""
        asked = await revocation.round_of(self.exchange, self.asking, self.memory, self.chance)
        await self.settle(self.exchange)
        return asked

    async def settle(self, exchange):
        await renewal.mirror(exchange)
        rested(exchange.config.revocation_folder)
        return await renewal.renew(exchange)

    async def learn(self, *certificates):
        """Letters brought these certificates."""
        for one in certificates:
            await fetch(
                self.dsn,
                "INSERT INTO evidence VALUES ($1, 'certificate', $2, $3)",
                keys.fingerprint(one), keys.der(one), self.now,
            )  # fmt: skip

    def judged(self, certificate):
        return judge.certificate(certificate, (), self.exchange.trust, self.now)

    async def source(self, kind="crl", url="/sub.crl"):
        (row,) = await fetch(
            self.dsn, "SELECT * FROM revocation_source WHERE kind = $1 AND url LIKE '%' || $2", kind, url
        )
        return row


def rested(folder):
    """Files there were written a while ago."""
    for path in folder.iterdir() if folder.is_dir() else ():
        os.utime(path, (1, 1))


async def open_exchange(stack, scene, hosts=None):
    settings = config.read(
        {
            "CONGVAN_DATA": str(scene.folder / f"node{len(list(scene.folder.iterdir()))}"),
            "CONGVAN_TRUST_DIR": str(scene.folder / "trust"),
            "CONGVAN_RECEIPT_KEY_FILE": str(scene.folder / "receipt.key"),
            "CONGVAN_REVOCATION_HOSTS": scene.site.url if hosts is None else hosts,
        }
    )
    settings.data.mkdir()
    receipts.ensure(settings.receipt_key_file)
    opened = await stack.enter_async_context(parts.opened(settings, scene.dsn))
    return replace(opened, clock=lambda: scene.now)


@contextlib.asynccontextmanager
async def furnished(dsn, folder, *, sub_configured=True, signer=None, hosts=None):
    """A scene with two signers below an authority; `signer` makes a signer's extensions of the site's address."""
    async with site() as found, contextlib.AsyncExitStack() as stack:
        url = found.url
        names = signer or (lambda url: [lists(f"{url}/sub.crl"), access(ocsp=[f"{url}/ocsp"])])
        sub = keys.Issuer(
            certificate=issued(ROOT, "Cấp dưới", SUB_KEY, lists(f"{url}/root.crl"), serial=2, authority=True),
            key=SUB_KEY,
        )
        signers = [issued(sub, f"Cơ quan {n}", KEY, *names(url), serial=100 + n) for n in range(3)]
        (folder / "trust").mkdir()
        (folder / "trust" / "root.der").write_bytes(keys.der(ROOT.certificate))
        if sub_configured:
            (folder / "trust" / "sub.der").write_bytes(keys.der(sub.certificate))
        scene = Scene(found, folder, dsn, sub, signers)
        scene.publish(path="/root.crl", days=200)
        scene.publish()
        await scene.learn(*signers)
        scene.exchange = await open_exchange(stack, scene, hosts)
        scene.asking = await stack.enter_async_context(client.opened(scene.exchange.config.revocation_hosts))
        yield scene


@pytest.fixture
async def scene(database, tmp_path):
    async with furnished(database, tmp_path) as found:
        yield found


# --- calm weather ------------------------------------------------------------------------------------------------


async def test_lists_are_fetched_once_each_and_signatures_pass(scene):
    assert scene.judged(scene.signers[0]).sub_indication is SubIndication.TRY_LATER
    assert await scene.round() == 2
    assert [path for _, path, _, _ in scene.site.requests] == ["/root.crl", "/sub.crl"]
    assert {scene.judged(one).indication for one in scene.signers} == {Indication.TOTAL_PASSED}
    evidence = await fetch(scene.dsn, "SELECT body FROM evidence WHERE kind = 'crl'")
    assert {row["body"] for row in evidence} == {scene.site.files["/root.crl"], scene.site.files["/sub.crl"]}
    names = {path.name for path in scene.exchange.config.revocation_folder.iterdir()}
    assert names == {f"{keys_digest(scene.site.files[path])}.crl" for path in ("/root.crl", "/sub.crl")}


def keys_digest(raw):
    import hashlib

    return hashlib.sha256(raw).hexdigest()


async def test_nothing_is_asked_before_it_is_due_and_then_only_whether_it_changed(scene):
    await scene.round()
    assert await scene.round() == 0
    scene.now += 12 * HOUR
    assert await scene.round() == 2
    assert len(scene.site.requests) == 4
    assert all(
        "If-None-Match" in headers and "If-Modified-Since" in headers
        for _, _, headers, _ in scene.site.requests[2:]
    )
    assert ((await scene.source())["outcome"], (await scene.source())["failures"]) == ("unchanged", 0)


async def test_over_ten_days_the_list_at_hand_never_runs_out_and_few_questions_are_asked(scene):
    scene.chance = random.Random(7).random
    for hour in range(240):
        scene.now = AT + hour * HOUR
        if hour % 24 == 0:
            scene.publish(days=2)
        await scene.round()
        assert {scene.judged(one).indication for one in scene.signers} == {Indication.TOTAL_PASSED}
    assert 10 <= scene.site.asked("/sub.crl") <= 80


async def test_revoked_in_the_next_list_is_seen(scene):
    await scene.round()
    scene.now += 6 * HOUR
    scene.publish(scene.signers[1].serial_number)
    await scene.round()
    assert scene.judged(scene.signers[0]).indication is Indication.TOTAL_PASSED
    assert scene.judged(scene.signers[1]).sub_indication is SubIndication.REVOKED_NO_POE
    old = await fetch(scene.dsn, "SELECT count(*) AS n FROM evidence WHERE kind = 'crl'")
    assert old[0]["n"] == 3  # what verdicts named before is still there
    assert len(list(scene.exchange.config.revocation_folder.iterdir())) == 2


# --- outage ------------------------------------------------------------------------------------------------------


async def test_all_sources_away_for_days_and_back(scene):
    await scene.round()
    scene.site.away, scene.chance = True, random.Random(3).random
    before = len(scene.site.requests)
    held = scene.exchange.trust.sha256
    for half in range(1, 2 * 24 * 5):
        scene.now = AT + half * HOUR / 2
        await scene.round()
        assert scene.exchange.trust.sha256 == held
    assert scene.judged(scene.signers[0]).why == "revocation_stale"
    asked = scene.site.asked("/sub.crl")
    assert 5 * 24 * 0.6 < asked < 5 * 24 * 2.1
    row = await scene.source()
    assert (row["outcome"], row["failures"] > 60, row["held"] is not None) == ("http_503", True, True)
    assert len(scene.site.requests) - before < 5 * 24 * 10

    scene.site.away = False
    scene.publish()
    back = scene.now
    while scene.judged(scene.signers[0]).indication is not Indication.TOTAL_PASSED:
        scene.now += HOUR / 4
        await scene.round()
        assert scene.now - back <= 2 * HOUR
    assert (await scene.source())["failures"] == 0


async def test_a_server_that_is_gone_altogether(scene):
    async with client.opened(scene.exchange.config.revocation_hosts) as asking:
        scene.asking = replace(asking, origins=asking.origins)
        scene.site.files.clear()
        await scene.round()
    assert (await scene.source())["outcome"] == "http_404"
    assert scene.exchange.trust.revocation.all == ()


async def test_a_list_that_is_over_is_asked_for_without_conditions(scene):
    """Who answers 'unchanged' for ever freezes us only until the list runs out."""
    await scene.round()
    frozen = scene.site.files["/sub.crl"]
    scene.now += 3 * DAY
    await scene.round()
    (head,) = [headers for _, path, headers, _ in scene.site.requests[2:] if path == "/sub.crl"]
    assert "If-None-Match" not in head
    row = await scene.source()
    assert (row["outcome"], row["failures"]) == ("stale", 1)
    assert row["held"].hex() == keys_digest(frozen)


# --- malice ------------------------------------------------------------------------------------------------------


def namesake(sub):
    """An authority with the very name of ours and another key."""
    return keys.Issuer(certificate=sub.certificate, key=OTHER_KEY)


def of_attributes(issuer, at):
    scope = x509.IssuingDistributionPoint(None, None, False, False, None, False, True)
    return keys_revocation.revocation_list(issuer, {}, at=at, scope=scope)


def endless(raw):
    """A list without an end."""
    crl = x509.load_der_x509_crl(raw).public_bytes(DER)
    return crl + b"\x00"


HARM = {
    "another authority's list": (lambda s: keys.revocation_list(STRANGER, {}, at=s.now), "wrong_signer"),
    "a list by another key under our authority's name": (
        lambda s: keys.revocation_list(namesake(s.sub), {}, at=s.now), "wrong_signer"),
    "the list of the authority above": (lambda s: keys.revocation_list(ROOT, {}, at=s.now), "wrong_signer"),
    "an old list": (lambda s: keys.revocation_list(s.sub, {}, at=s.held_at - DAY, days=30), "older"),
    "a list of the same moment": (lambda s: keys.revocation_list(s.sub, {1: AT}, at=s.held_at, days=30), "older"),
    "a list from the future": (lambda s: keys.revocation_list(s.sub, {}, at=s.now + DAY), "from_future"),
    "a list of attribute certificates": (lambda s: of_attributes(s.sub, s.now), "unreadable"),
    "a list cut short": (lambda s: s.publish()[:-7], "unreadable"),
    "a list with bytes behind it": (lambda s: endless(s.publish()), "unreadable"),
    "a list with one bit turned": (lambda s: turned(s.publish()), "wrong_signer"),
    "garbage": (lambda _: random.Random(5).randbytes(5_000), "unreadable"),
    "nothing": (lambda _: b"", "unreadable"),
    "a page": (lambda _: b"<!DOCTYPE html><html>Log in, please</html>", "unreadable"),
    "half a PEM": (lambda _: b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "unreadable"),
    "a certificate": (lambda s: keys.der(s.sub.certificate), "unreadable"),
    "an OCSP response": (lambda s: keys_revocation.response(s.sub, s.signers[0], at=s.now), "unreadable"),
    "nesting": (lambda _: b"\x30\x80" * 50_000, "unreadable"),
    "a length beyond all": (lambda _: b"\x30\x84\x7f\xff\xff\xff" + b"\x00" * 100, "unreadable"),
    "gigantic": (lambda _: b"\x30" * (33 << 20), "too_large"),
}  # fmt: skip


def turned(raw):
    return raw[:-3] + bytes([raw[-3] ^ 1]) + raw[-2:]


async def test_what_is_held_is_never_replaced_by_harm(scene):
    for name, (make, outcome) in HARM.items():
        scene.publish()
        scene.held_at = scene.now
        await scene.round()
        held, trusted = await scene.source(), scene.exchange.trust.sha256
        assert (held["outcome"], held["failures"]) == ("kept", 0), name
        kept = await lists_kept(scene)

        scene.now += 12 * HOUR
        scene.site.files["/sub.crl"] = make(scene)
        await scene.round()
        row = await scene.source()
        assert (row["outcome"], row["failures"]) == (outcome, 1), name
        assert [row[one] for one in ("held", "this_update", "tag")] == [
            held[one] for one in ("held", "this_update", "tag")
        ], name
        assert (scene.exchange.trust.sha256, await lists_kept(scene)) == (trusted, kept), name
        scene.now += HOUR


async def lists_kept(scene):
    return (await fetch(scene.dsn, "SELECT count(*) AS n FROM evidence WHERE kind <> 'certificate'"))[0]["n"]


async def test_harm_is_not_kept_where_nothing_is_held(scene):
    link = Link(certificate=scene.signers[0], issuer=scene.sub.certificate)
    wanted = revocation_plan.Wanted(kind="crl", url="http://crl.example/", links=(link,))
    for name, (make, outcome) in HARM.items():
        if outcome not in {"older", "too_large"}:
            answer = client.Fetched(status=200, raw=make(scene), headers={})
            assert revocation.judged(wanted, answer, None, scene.now) == (outcome, None), name


async def test_a_pem_list_is_a_list(scene):
    crl = x509.load_der_x509_crl(scene.publish())
    scene.site.files["/sub.crl"] = crl.public_bytes(serialization.Encoding.PEM)
    await scene.round()
    assert (await scene.source())["outcome"] == "kept"
    assert scene.judged(scene.signers[0]).indication is Indication.TOTAL_PASSED


async def test_who_hangs_on_no_root_is_never_asked_about(scene):
    url = scene.site.url
    stranger = issued(
        STRANGER, "Kẻ lạ", KEY, lists(f"{url}/evil.crl"), access(ocsp=[f"{url}/evil"]), serial=5
    )
    named_alike = issued(namesake(scene.sub), "Giả", KEY, lists(f"{url}/evil.crl"), serial=6)
    over = issued(scene.sub, "Cũ", KEY, lists(f"{url}/evil.crl"), serial=7, days=50)
    await scene.learn(stranger, named_alike, over)
    await scene.round()
    assert {path for _, path, _, _ in scene.site.requests} == {"/root.crl", "/sub.crl"}


async def test_servers_that_are_not_listed_are_never_asked(database, tmp_path):
    async with furnished(database, tmp_path, hosts="http://crl.example") as scene:
        assert await scene.round() == 0
        assert scene.site.requests == []


async def test_older_never_replaces_newer_whoever_writes_last(scene):
    await scene.round()
    row = await scene.source()
    late = revocation_sources.Source(**dict(row))
    async with scene.exchange.pool.acquire() as connection:
        older = replace(late, this_update=late.this_update - DAY, held=None, outcome="kept")
        await revocation_sources.asked(connection, older)
    assert dict(await scene.source()) == dict(row)


# --- single questions --------------------------------------------------------------------------------------------


@pytest.fixture
async def asked_singly(database, tmp_path):
    """Signers that name no list, only a responder."""
    async with furnished(database, tmp_path, signer=lambda url: [access(ocsp=[f"{url}/ocsp"])]) as found:
        yield found


def responding(scene, make):
    """The responder answers with what `make` gives for the certificate asked about."""
    from aiohttp import web
    from cryptography.x509 import ocsp

    def answer(_request, body):
        serial = ocsp.load_der_ocsp_request(body).serial_number
        certificate = next(one for one in scene.signers if one.serial_number == serial)
        return web.Response(body=make(certificate))

    scene.site.files["/ocsp"] = answer


async def test_without_a_list_each_certificate_is_asked_about(asked_singly):
    scene = asked_singly
    responder = keys_revocation.responder(scene.sub, "Trả lời", at=BEGIN, serial=50)
    bad = scene.signers[2].serial_number
    revoked = keys_revocation.Revoked(AT - DAY)
    responding(
        scene,
        lambda one: keys_revocation.response(
            scene.sub, one, revoked if one.serial_number == bad else None, at=AT, days=1, responder=responder
        ),
    )
    assert await scene.round() == 4
    posts = [
        (method, headers["Content-Type"]) for method, _, headers, _ in scene.site.requests if method == "POST"
    ]
    assert posts == [("POST", "application/ocsp-request")] * 3
    assert len(scene.exchange.trust.responses.all) == 3
    assert len(list(scene.exchange.config.revocation_folder.glob("*.ocsp"))) == 3
    assert await scene.round() == 0


async def test_where_a_list_speaks_nobody_is_asked_singly_and_where_it_fails_everybody(scene):
    responding(scene, lambda one: keys_revocation.response(scene.sub, one, at=scene.now, days=1))
    await scene.round()
    assert scene.site.asked("/ocsp") == 0
    del scene.site.files["/sub.crl"]
    for hour in range(72):
        scene.now = AT + hour * HOUR
        await scene.round()
        if hour < 47:
            assert scene.site.asked("/ocsp") == 0, hour
    assert scene.site.asked("/ocsp") >= 3


OCSP_HARM = {
    "about another certificate": (
        lambda s, one: keys_revocation.response(s.sub, s.signers[one.serial_number - 101], at=AT), "not_asked"),
    "by a stranger": (lambda s, one: keys_revocation.response(
            s.sub, one, at=AT, responder=keys.Holder(certificate=STRANGER.certificate, key=OTHER_KEY)
        ), "wrong_signer"),
    "by a signer nobody delegated": (
        lambda s, one: keys_revocation.response(
            s.sub, one, at=AT, responder=keys.Holder(certificate=s.signers[0], key=KEY)), "wrong_signer"),
    "by the responder of another authority": (
        lambda s, one: keys_revocation.response(
            s.sub, one, at=AT, responder=keys_revocation.responder(STRANGER, "x", at=BEGIN, serial=9)),
        "wrong_signer"),
    "from the future": (lambda s, one: keys_revocation.response(s.sub, one, at=s.now + DAY), "from_future"),
    "no answer": (lambda _s, _one: bytes.fromhex("30030a0106"), "unreadable"),
    "garbage": (lambda _s, _one: b"\x30\x82garbage", "unreadable"),
    "a list": (lambda s, _one: s.site.files["/sub.crl"], "unreadable"),
    "gigantic": (lambda _s, _one: b"\x00" * (1 << 19), "too_large"),
}  # fmt: skip


async def test_an_answer_that_means_harm_is_not_kept(asked_singly):
    scene = asked_singly
    for name, (make, outcome) in OCSP_HARM.items():
        responding(scene, lambda one, make=make: make(scene, one))
        await scene.round()
        found = await fetch(scene.dsn, "SELECT outcome, held FROM revocation_source WHERE kind = 'ocsp'")
        assert [(row["outcome"], row["held"]) for row in found] == [(outcome, None)] * 3, name
        assert scene.exchange.trust.responses.all == (), name
        scene.now += HOUR


async def test_an_old_answer_is_not_taken_for_a_new_one(asked_singly):
    scene = asked_singly
    responding(scene, lambda one: keys_revocation.response(scene.sub, one, at=AT, days=1))
    await scene.round()
    scene.now = AT + 20 * HOUR
    revoked = keys_revocation.Revoked(AT + HOUR)
    responding(scene, lambda one: keys_revocation.response(scene.sub, one, revoked, at=scene.now, days=1))
    await scene.round()
    held = await fetch(scene.dsn, "SELECT held FROM revocation_source WHERE kind = 'ocsp'")
    scene.now += 20 * HOUR
    responding(scene, lambda one: keys_revocation.response(scene.sub, one, at=AT, days=9))
    await scene.round()
    found = await fetch(scene.dsn, "SELECT held, outcome FROM revocation_source WHERE kind = 'ocsp'")
    assert [row["held"] for row in found] == [row["held"] for row in held]
    assert {row["outcome"] for row in found} == {"older"}


# --- authorities' certificates -----------------------------------------------------------------------------------


@pytest.fixture
async def unconfigured(database, tmp_path):
    """The folders hold the root alone; the authority between came inside a letter's signature."""

    def names(url):
        return [lists(f"{url}/sub.crl"), access(issuers=[f"{url}/sub.crt"])]

    async with furnished(database, tmp_path, sub_configured=False, signer=names) as found:
        await found.learn(found.sub.certificate)
        yield found


async def test_an_authority_below_a_root_is_fetched_and_serves_those_who_bring_none(unconfigured):
    scene = unconfigured
    assert scene.judged(scene.signers[0]).why == "unknown_issuer"
    scene.site.files["/sub.crt"] = keys.der(scene.sub.certificate)
    await scene.round()
    assert scene.exchange.trust.intermediates == (scene.sub.certificate,)
    assert scene.exchange.trust.anchors == (ROOT.certificate,)
    assert scene.judged(scene.signers[0]).indication is Indication.TOTAL_PASSED


async def test_an_authority_among_others_in_pkcs7_is_found(unconfigured):
    scene = unconfigured
    bag = [STRANGER.certificate, ROOT.certificate, scene.sub.certificate]
    scene.site.files["/sub.crt"] = pkcs7.serialize_certificates(bag, DER)
    await scene.round()
    assert scene.exchange.trust.intermediates == (scene.sub.certificate,)
    assert scene.exchange.trust.anchors == (ROOT.certificate,)


async def test_what_the_folders_hold_is_not_fetched(database, tmp_path):
    def names(url):
        return [lists(f"{url}/sub.crl"), access(issuers=[f"{url}/sub.crt"])]

    async with furnished(database, tmp_path, signer=names) as scene:
        await scene.round()
        assert scene.site.asked("/sub.crt") == 0


def self_issued(scene):
    """The authority's own key under its own name: a root in the making."""
    subject = scene.sub.certificate.subject
    draft = keys._authority(keys._draft(subject, subject, SUB_KEY.public_key(), BEGIN, 900), None)
    return keys.der(draft.serial_number(77).sign(SUB_KEY, hashes.SHA256()))


ISSUER_HARM = {
    "a root": lambda _: keys.der(ROOT.certificate),
    "a stranger's root": lambda _: keys.der(STRANGER.certificate),
    "our authority as a root": self_issued,
    "an authority of the same name": lambda _: keys.der(
        issued(STRANGER, "Cấp dưới", OTHER_KEY, serial=9, authority=True)
    ),
    "a signer": lambda s: keys.der(s.signers[0]),
    "garbage": lambda _: b"-----BEGIN CERTIFICATE-----\n",
    "a hundred certificates": lambda s: b"".join([pem(s.signers[0])] * 100 + [pem(s.sub.certificate)]),
}


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


async def test_fetching_never_adds_trust(unconfigured):
    scene = unconfigured
    for name, make in ISSUER_HARM.items():
        scene.site.files["/sub.crt"] = make(scene)
        await scene.round()
        row = await scene.source("certificate", "/sub.crt")
        assert (row["outcome"] in {"wrong_signer", "unreadable"}, row["held"]) == (True, None), name
        assert scene.exchange.trust.anchors == (ROOT.certificate,), name
        assert scene.exchange.trust.intermediates == (), name
        scene.now += HOUR


async def test_a_root_that_lies_in_the_folder_of_what_was_fetched_is_no_root(scene):
    folder = scene.exchange.config.revocation_folder
    folder.mkdir(parents=True)
    for one in (STRANGER.certificate, scene.signers[0]):
        raw = keys.der(one)
        (folder / f"{keys_digest(raw)}.crt").write_bytes(raw)
    (folder / "root.pem").write_bytes(pem(STRANGER.certificate))
    await scene.round()
    assert scene.exchange.trust.anchors == (ROOT.certificate,)
    assert scene.exchange.trust.intermediates == (scene.sub.certificate,)


# --- several processes -------------------------------------------------------------------------------------------


async def test_one_process_asks_and_every_other_goes_by_what_it_got(scene):
    async with contextlib.AsyncExitStack() as stack:
        second = await open_exchange(stack, scene)
        seconds = replace(scene, exchange=second, memory=revocation.Memory())

        def job(one):
            async def fetching(exchange):
                await revocation.round_of(exchange, one.asking, one.memory, one.chance)

            return clock.leased(revocation.LEASE, fetching)

        await asyncio.gather(job(scene)(scene.exchange), job(seconds)(second))
        assert len(scene.site.requests) == 2
        await scene.settle(scene.exchange)
        await scene.settle(second)
        assert second.trust.sha256 == scene.exchange.trust.sha256
        assert len(second.trust.revocation.all) == 2

        scene.now += 12 * HOUR  # whoever held the lease is silent now
        scene.publish(100)
        seconds.now = scene.now
        await job(seconds)(replace(second, clock=lambda: scene.now))
        await scene.settle(scene.exchange)
        assert scene.judged(scene.signers[0]).sub_indication is SubIndication.REVOKED_NO_POE


async def test_who_lost_the_lease_stops_asking(scene):
    held = "INSERT INTO lease VALUES ('revocation', gen_random_uuid(), 9, $1)"
    await fetch(scene.dsn, held, scene.now + HOUR)
    await scene.round()
    assert scene.site.requests == []


# --- when ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [timedelta(seconds=1), HOUR, DAY, 30 * DAY, 3650 * DAY])
@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_a_good_document_is_looked_after_before_it_runs_out(left, chance):
    pause = revocation_plan.calm(AT + left, AT, lambda: chance)
    assert timedelta(seconds=30) < pause <= revocation_plan.LATEST
    assert pause < left or left < 2 * HOUR / 60


def test_failures_make_it_slower_up_to_an_hour():
    pauses = [revocation_plan.backoff(failures, lambda: 0.0) for failures in range(1, 2000)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (revocation_plan.FIRST_PAUSE, revocation_plan.LONGEST_PAUSE)
    assert len({revocation_plan.backoff(5, random.Random(n).random) for n in range(20)}) > 15
