"""The client verbs over https: whom they trust, who they are, what they never send to a stranger."""

import asyncio
import hashlib
import time

import pytest
import tls
from clerk import congvan
from province import fetch, quick_letter, serving
from weak_line import WeakLine


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return tls.issue(tmp_path_factory.mktemp("tls"), "authority", ca=True)


@pytest.fixture(scope="module")
def clerk(authority, tmp_path_factory):
    return tls.issue(tmp_path_factory.mktemp("tls"), "i-office", authority)


@pytest.fixture
def secure(province, province_database, tmp_path, authority):
    """A server that speaks TLS."""
    ours = tls.issue(tmp_path, "server", authority, server=True)
    settings = {
        "CONGVAN_TLS_CERT": str(ours.certificate),
        "CONGVAN_TLS_KEY": str(ours.key),
        "CONGVAN_TLS_CLIENT_CA": str(authority.certificate),
    }
    with serving(
        province, province_database, tmp_path, context=tls.context(authority), **settings
    ) as running:
        yield running


@pytest.fixture
def letter(tmp_path):
    path = tmp_path / "letter.edxml"
    path.write_bytes(quick_letter(90_001))
    return path


def register(server, identity):
    key_id = server.province.key_of("H13.01").split("_")[1]
    statement = "INSERT INTO system_certificate SELECT $1, system, now() - interval '1 hour', NULL FROM system_key WHERE id = $2"
    asyncio.run(fetch(server.dsn, statement, hashlib.sha256(identity.der).digest(), key_id))


def test_keys_and_certificates_over_tls(secure, authority, clerk, letter):
    """One story, for a server costs seconds: an authority we trust, a key, a certificate instead of it, both, strangers."""
    trusting = {"CONGVAN_CA": authority.certificate}
    assert congvan(secure, "send", letter, "--ca", authority.certificate).out.startswith(
        f"{letter}: accepted."
    )
    assert congvan(secure, "send", letter, **trusting).code == 0

    certificate = ["--certificate", clerk.certificate, "--key", clerk.key]
    unknown = congvan(secure, "inbox", *certificate, CONGVAN_SECRET=None, **trusting)
    assert (unknown.code, "unauthenticated" in unknown.err) == (1, True)
    register(secure, clerk)
    assert congvan(secure, "inbox", *certificate, CONGVAN_SECRET=None, **trusting).code == 0
    assert congvan(secure, "send", letter, *certificate, **trusting).code == 0
    named = {"CONGVAN_CERTIFICATE": clerk.certificate, "CONGVAN_CERTIFICATE_KEY": clerk.key}
    assert congvan(secure, "inbox", CONGVAN_SECRET=None, **named, **trusting).code == 0
    other = congvan(secure, "inbox", *certificate, code="H13.31", **trusting)
    assert other.code == 1  # the key of one system beside the certificate of another

    started = time.monotonic()
    untrusted = congvan(secure, "send", letter)
    assert (untrusted.code, "does not prove that it is the exchange" in untrusted.err) == (3, True)
    assert time.monotonic() - started < 5  # at once: no time makes a stranger trustworthy
    assert congvan(secure, "send", letter, "--ca", clerk.certificate).code == 3
    localhost = secure.url.replace("127.0.0.1", "localhost")
    assert congvan(secure, "send", letter, url=localhost, **trusting).code == 0
    plain = secure.url.replace("https", "http")
    assert congvan(secure, "send", letter, url=plain, CONGVAN_PATIENCE="1").code == 3


def test_no_key_goes_to_a_stranger(letter):
    """What answers in plain text where TLS was wanted hears nothing of the key."""
    with WeakLine() as line:
        url = line.url.replace("http", "https")
        ran = congvan(None, "send", letter, url=url, CONGVAN_SECRET="cv_a_planted", CONGVAN_PATIENCE="1")
        assert ran.code == 3
        assert b"planted" not in line.heard
