"""OCSP and point-in-time cases of pyhanko-certvalidator: OpenSSL's OCSP responses, freshness, time slides.

OpenSSL's are of 2012 and signed with SHA-1: as they are, we refuse every one. So that they prove something about OCSP,
they are judged a second time with SHA-1 among the algorithms. Of freshness and time slides we take certificates, lists
and responses and ask what we are asked in operation: how stood the certificate at a moment, by this evidence? Their
own questions (cooling-off times, sliding back a control time through archived proofs) have no counterpart here.
"""

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import corpora
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import SignatureAlgorithmOID

from signing import algorithms, certificate_facts, judge, ocsp, path, trust

FIXTURES = corpora.path("certvalidator") / "tests" / "fixtures"
OPENSSL = FIXTURES / "openssl-ocsp"
CASES = {case["name"]: case for case in json.loads((OPENSSL / "openssl-ocsp.json").read_text())}


def certificate(file):
    """The certificate in DER, not read yet."""
    raw = file.read_bytes()
    inside = re.search(rb"-----BEGIN CERTIFICATE-----(.+?)-----END", raw, re.DOTALL)
    return base64.b64decode(inside[1]) if inside else raw


def openssl(name):
    """How a case ends: `why`. What it has no response about is trusted as it is, though another authority issued it."""
    case = CASES[name]
    responses = [base64.b64decode((OPENSSL / one).read_bytes()) for one in case["ocsps"]]
    chain = [
        path.readable(certificate(OPENSSL / one))
        for one in (case["cert"], *case.get("other_certs", ()), case["root"])
    ]
    if None in chain:
        return "unreadable"
    asked = chain[: len(responses)]
    trusted = replace(trust.load([], [], ocsp_files=responses), anchors=(chain[len(asked)],))
    return judge.certificate(asked[0], asked[1:], trusted, datetime.fromisoformat(case["moment"])).why


def signed(child, issuer):
    try:
        certificate_facts._verify(child, issuer)
    except InvalidSignature:
        return False
    return True


@pytest.fixture
def with_sha1(monkeypatch):
    """SHA-1 among the algorithms for as long as the test runs; what was read of certificates before is forgotten."""
    monkeypatch.setattr(algorithms, "CERTIFICATE_HASHES", (*algorithms.CERTIFICATE_HASHES, hashes.SHA1))
    monkeypatch.setattr(ocsp, "_ALGORITHMS", ocsp._ALGORITHMS | {SignatureAlgorithmOID.RSA_WITH_SHA1})
    monkeypatch.setattr(certificate_facts, "signed_by", signed)
    certificate_facts.read.cache_clear()
    yield
    certificate_facts.read.cache_clear()


BELOW_SERIAL_ZERO = {name for name, case in CASES.items() if case["root"] == "D3_Issuer_Root.pem"}


def test_openssl_as_it_is_has_weak_signatures():
    assert len(CASES) == 29
    assert {name: openssl(name) for name in CASES} == {
        name: "unreadable" if name in BELOW_SERIAL_ZERO else "weak_certificate" for name in CASES
    }


@pytest.mark.parametrize("name", sorted(CASES.keys() - BELOW_SERIAL_ZERO))
def test_openssl_if_sha1_were_allowed(with_sha1, name):
    case = CASES[name]
    if "error" not in case:
        assert openssl(name) in {"passed", "passed_provisionally"}
    else:
        stale = "not recent enough" in case["error"]["msg_regex"]
        assert openssl(name) == ("revocation_stale" if stale else "revocation_missing")


GOOD, LATER, STALE, MISSING = "passed", "passed_provisionally", "revocation_stale", "revocation_missing"
# Of which day the responses and lists are, at which moment, and how it ends. Responses hold for ten minutes of their
# day; lists of 10-01 from 09-22 to 10-02, of 11-29 from 11-21 to 12-01, of 12-10 from 12-01 to 12-11. Alice was
# revoked on 12-01, and an authority of the same name, `interm-revoked`, on the same day.
DAYS = {
    "the same day": (["10-01"], ["10-01"], "2020-10-01", LATER),
    "ten minutes later": (["10-01"], ["10-01"], "2020-10-01T00:10", LATER),
    "a quarter of an hour later": (["10-01"], ["10-01"], "2020-10-01T00:15", STALE),
    "days before": (["10-01"], ["10-01"], "2020-09-18", GOOD),
    "revoked, and told": (["12-10"], ["12-10"], "2020-12-10", "certificate_revoked"),
    "revoked, and told beside an old answer": (
        ["11-29", "12-10"],
        ["12-10"],
        "2020-12-10",
        "certificate_revoked",
    ),
    "revoked, and only an old answer": (["11-29"], ["12-10"], "2020-12-10", STALE),
    "before it was revoked, by later answers": (["11-29", "12-10"], ["11-29", "12-10"], "2020-11-29", GOOD),
    "a moment before it was revoked": (["12-10"], ["12-10"], "2020-11-30T23:59", GOOD),
    "as it was revoked": (["12-10"], ["12-10"], "2020-12-01", "certificate_revoked"),
    "no list of the root": (["12-10"], [], "2020-11-29", MISSING),
    "no answer": ([], ["12-10"], "2020-11-29", MISSING),
}


def of_day(folder, answers, lists, moment, intermediate="interm.crt", kind="root"):
    place = FIXTURES / folder
    held = trust.load(
        [certificate(place / "certs" / "root.crt")],
        [(place / f"{one}-2020-{day}.crl").read_bytes() for day in lists for one in kind.split()],
        ocsp_files=[(place / f"alice-2020-{day}.ors").read_bytes() for day in answers],
    )
    alice, above = (
        certificate_facts.load(certificate(place / "certs" / one)) for one in ("alice.crt", intermediate)
    )
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return judge.certificate(alice, [above], held, at).why


@pytest.mark.parametrize("folder", ["freshness", "ades/time-slide"])
@pytest.mark.parametrize("name", DAYS)
def test_points_in_time(folder, name):
    answers, lists, moment, expected = DAYS[name]
    assert of_day(folder, answers, lists, moment) == expected


@pytest.mark.parametrize("folder", ["freshness", "ades/time-slide"])
def test_the_authority_that_was_revoked(folder):
    told = (["12-10"], ["12-10"])
    assert of_day(folder, *told, "2020-11-29", "interm-revoked.crt") == GOOD
    assert of_day(folder, [], ["12-10"], "2020-12-05", "interm-revoked.crt") == "authority_revoked"


def test_lists_instead_of_answers():
    lists = ([], ["11-29", "12-10"], "2020-11-29", "interm.crt", "root interm")
    assert of_day("ades/time-slide", *lists) == GOOD
    assert (
        of_day("ades/time-slide", [], ["12-10"], "2020-12-02", "interm.crt", "root interm")
        == "certificate_revoked"
    )


def test_a_moment_with_fractions_of_a_second_is_not_read():
    """multitasking-ocsp: the library refuses such a `producedAt` (RFC 5280 §4.1.2.5.2 forbids fractions)."""
    place = FIXTURES / "multitasking-ocsp"
    for name in ("ocsp-resp-alice.der", "ocsp-resp-interm.der"):
        with pytest.raises(ValueError, match="produced_at"):
            ocsp.read((place / name).read_bytes())
