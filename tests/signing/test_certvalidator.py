"""Random chains against pyhanko-certvalidator: both pass the same ones."""

import random
from collections import Counter
from datetime import timedelta

import pytest
import xml_cases as cases
from cryptography import x509
from cryptography.x509.oid import NameOID

from signing import judge, keys, keys_revocation, trust
from signing.keys_revocation import COMPROMISED, HOLD, Revoked, scope
from signing.verdict import Indication

AT, ISSUED, ROOT = cases.AT, cases.ISSUED, cases.ROOT
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEYS = [keys.new_key() for _ in range(4)]
POLICIES = [x509.ObjectIdentifier(f"1.2.3.{number}") for number in range(2)]
ANY_POLICY = x509.ObjectIdentifier("2.5.29.32.0")


def directory(name):
    return x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))


def chosen(dice, *weighted):
    """The first nine times in ten, one of the others else."""
    return weighted[0] if dice.random() < 0.9 else dice.choice(weighted[1:])


def dates(dice):
    return chosen(dice, (ISSUED, AT + 300 * DAY), (ISSUED, AT - DAY), (AT + DAY, AT + 300 * DAY))


def stated(dice):
    found = dice.choice([[], [], POLICIES[:1], POLICIES, [ANY_POLICY]])
    return (
        [(x509.CertificatePolicies([x509.PolicyInformation(one, None) for one in found]), False)]
        if found
        else []
    )


def limits(dice):
    kinds = [
        (
            x509.PolicyConstraints(require_explicit_policy=dice.randint(0, 2), inhibit_policy_mapping=None),
            True,
        ),
        (x509.InhibitAnyPolicy(dice.randint(0, 1)), True),
        (x509.NameConstraints([directory(dice.choice(["Ai đó", "Khác"]))], None), True),
        (x509.NameConstraints(None, [directory(dice.choice(["Ai đó", "Khác"]))]), True),
    ]
    return [dice.choice(kinds)] if dice.random() < 0.3 else []


def authority(dice, issuer, depth):
    flags = chosen(
        dice, cases.CA, (x509.BasicConstraints(ca=True, path_length=dice.randint(0, 1)), True), cases.NOT_CA
    )
    usage = chosen(dice, ("key_cert_sign", "crl_sign"), ("key_cert_sign",), ("crl_sign",))
    extensions = [flags, cases.usage(*usage), *stated(dice), *limits(dice)]
    certificate = cases.issued(
        issuer, f"CA {depth}", KEYS[depth], serial=50 + depth, valid=dates(dice), extensions=extensions
    )
    return keys.Issuer(certificate=certificate, key=KEYS[depth])


def listed(dice, issuer, serial):
    entries = chosen(
        dice,
        {},
        {serial: Revoked(AT - DAY, COMPROMISED)},
        {serial: Revoked(AT - DAY, HOLD)},
        {serial + 1: Revoked(AT - DAY)},
    )
    at = chosen(dice, AT - HOUR, AT - 9 * DAY, AT + HOUR)
    terms = chosen(dice, {}, {"scope": scope(signers=True)}, {"scope": scope(authorities=True)})
    return keys_revocation.revocation_list(issuer, entries, at=at, **terms)


def drawn(seed):
    """A chain of up to three authorities below the root, and a list of each issuer (now and then none)."""
    dice = random.Random(seed)
    issuers, lists = [ROOT], []
    for depth in range(dice.randint(0, 3)):
        issuers.append(authority(dice, issuers[-1], depth))
    for position, issuer in enumerate(issuers):
        serial = 50 + position if position < len(issuers) - 1 else 4711
        lists += [listed(dice, issuer, serial)] if dice.random() < 0.97 else []
    usage = cases.usage(chosen(dice, "digital_signature", "content_commitment"))
    leaf = cases.issued(issuers[-1], valid=dates(dice), extensions=[usage, *stated(dice)])
    return leaf, [one.certificate for one in issuers[1:]], lists


def compared(seeds):
    counts, ours_only = Counter(), []
    for seed in seeds:
        leaf, extra, lists = drawn(seed)
        trusted = trust.load([keys.der(ROOT.certificate)], lists)
        ours = judge.certificate(leaf, extra, trusted, AT)
        theirs = cases.certvalidator_accepts(leaf, extra, lists)
        passed = ours.indication is Indication.TOTAL_PASSED
        counts[passed, theirs, "" if passed else ours.why] += 1
        ours_only += [seed] if passed and not theirs else []
    return counts, ours_only


def check(seeds):
    counts, ours_only = compared(seeds)
    assert ours_only == []
    assert {why for (passed, theirs, why) in counts if theirs and not passed} == set()
    return counts


def test_random_chains():
    counts = check(range(80))
    assert counts[True, True, ""] >= 15
    assert len({why for _, _, why in counts}) >= 8


@pytest.mark.long
def test_many_random_chains():
    counts = check(range(1000, 6000))
    assert counts[True, True, ""] >= 1000
