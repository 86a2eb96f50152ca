"""B20 to B22: what judging a certificate costs.

B20  A certificate judged before: reading its bytes and judging it at a new moment, against one RSA-2048 verification.
B21  A revocation list of 50,000 entries, once: loading it, checking its signature and making its table, against the
    library's own loading and going through the entries' numbers.
B22  Asking about a certificate, with nothing remembered, where the list has 50,000 entries and where it has 10.

CPU time of this thread; the sides take turns call by call, and the quickest call of each counts.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
import xml_cases as cases
from bench import anchors
from bench.test_verify import timed
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from signing import certificate_facts, crl, judge, keys, path, trust

WARM_BOUND, LIST_BOUND, LOOK_UP_BOUND = 0.05, 2, 1.5
ENTRIES, FEW = 50_000, 10
ROUNDS = 200  # warm judgements in one call, for a clock that ticks in microseconds


def listed(entries):
    """A list that does not name the signer, and certificates by their numbers: the first and the last that it names."""
    numbers = [7919 * number + (1 << 120) for number in range(entries)]
    revoked = dict.fromkeys(numbers, cases.AT - timedelta(days=1))
    return keys.revocation_list(cases.AUTHORITY, revoked, at=cases.LISTED_AT), numbers


@pytest.mark.bench
def test_b6_a_certificate_judged_before_costs_next_to_nothing():
    key, der = cases.KEYS["rsa2048"], keys.der(cases.CERTIFICATES["rsa2048"])
    value, public = key.sign(b"signed", padding.PKCS1v15(), hashes.SHA256()), key.public_key()
    copies = [bytes(bytearray(der)) for _ in range(ROUNDS)]
    moments = iter([cases.AT + timedelta(microseconds=number) for number in range(400 * ROUNDS)])

    def warm():
        for copy in copies:
            judge.certificate(path.readable(copy), (), cases.TRUST, next(moments))

    def verify():
        for _ in copies:
            public.verify(value, b"signed", padding.PKCS1v15(), hashes.SHA256())

    warm()
    assert judge.certificate(path.readable(der), (), cases.TRUST, cases.AT).why == "passed"
    told = timed({"warm": warm, "verify": verify}, 50)
    ratio = told["warm"][0] / told["verify"][0]
    anchors.judge(
        f"B20 certificate: {ratio:.3f} x one RSA-2048 verification, "
        f"{1e3 * told['warm'][0] / ROUNDS:.2f} ÷ {1e3 * told['verify'][0] / ROUNDS:.1f} µs",
        ratio,
        most=WARM_BOUND,
    )


@pytest.mark.bench
def test_b7_a_long_list_costs_little_more_than_going_through_it():
    der, _ = listed(ENTRIES)
    authority = certificate_facts.read(cases.AUTHORITY.certificate)

    def ours():
        assert crl.read(der).signed_by(authority)

    def library():
        assert len([entry.serial_number for entry in x509.load_der_x509_crl(der)]) == ENTRIES

    told = timed({"ours": ours, "library": library}, 15)
    ratio = told["ours"][0] / told["library"][0]
    anchors.judge(
        f"B21 list of {ENTRIES} entries: {ratio:.2f} x the library's own, {told['ours'][0]:.1f} ÷ {told['library'][0]:.1f} ms",
        ratio,
        most=LIST_BOUND,
    )


@pytest.mark.bench
def test_b8_asking_costs_the_same_for_ten_and_for_fifty_thousand():
    works, ends = {}, {}
    for entries in (FEW, ENTRIES):
        der, numbers = listed(entries)
        held = trust.load(cases.TRUSTED, [cases.lists()[0], der])
        for name, serial in (("good", 4711), ("revoked", numbers[-1])):
            certificate = cases.issued(serial=serial)
            ends[name, entries] = judge.certificate(certificate, (), held, cases.AT).why

            def ask(certificate=certificate, held=held):
                judge.certificate(certificate, (), replace(held), cases.AT)

            works[name, entries] = ask
    assert {(name, end) for (name, _), end in ends.items()} == {
        ("good", "passed"),
        ("revoked", "certificate_revoked"),
    }
    told = timed(works, 200)
    for name in ("good", "revoked"):
        many, few = told[name, ENTRIES][0], told[name, FEW][0]
        anchors.judge(
            f"B22 asking of {name}: {many / few:.2f} x as long with {ENTRIES} entries, {1e3 * many:.0f} ÷ {1e3 * few:.0f} µs",
            many / few,
            most=LOOK_UP_BOUND,
        )
