"""Kinds of revocation lists: deltas over their base, indirect ones, some reasons, places, other signers, bounds."""

from datetime import timedelta

import pytest
import xml_cases as cases
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from signing import crl, judge, keys, keys_revocation, revocation, trust
from signing.keys_revocation import COMPROMISED, HOLD, RELEASED, Revoked, scope
from signing.verdict import Indication

AT, ISSUED, ROOT, AUTHORITY = cases.AT, cases.ISSUED, cases.ROOT, cases.AUTHORITY
SIGNER = cases.CERTIFICATES["p256"]
SERIAL = SIGNER.serial_number
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BY_ROOT = keys.revocation_list(ROOT, {}, at=AT + HOUR)
ALL_REASONS = frozenset(x509.ReasonFlags) - {x509.ReasonFlags.unspecified, RELEASED}
SOME = frozenset({x509.ReasonFlags.key_compromise, x509.ReasonFlags.ca_compromise})
HERE = [x509.UniformResourceIdentifier("http://x.example/a.crl")]

GOOD, LATER = "TOTAL_PASSED/None/passed", "TOTAL_PASSED/None/passed_provisionally"
REVOKED = "INDETERMINATE/REVOKED_NO_POE/certificate_revoked"
HELD = "INDETERMINATE/TRY_LATER/certificate_on_hold"
MISSING, STALE = "INDETERMINATE/TRY_LATER/revocation_missing", "INDETERMINATE/TRY_LATER/revocation_stale"


def listed(entries=None, at=AT + HOUR, issuer=AUTHORITY, **terms):
    named = {serial: Revoked(*entry) for serial, entry in (entries or {}).items()}
    return keys_revocation.revocation_list(issuer, named, at=at, **terms)


def base(entries=None, at=AT - DAY, number=5, **terms):
    return listed(entries, at, number=number, **terms)


def delta(entries=None, at=AT + HOUR, number=6, delta_of=5, **terms):
    return listed(entries, at, number=number, delta_of=delta_of, **terms)


def ended(lists, certificate=SIGNER, extra=(), trusted=cases.TRUSTED):
    held = trust.load(trusted, [BY_ROOT, *lists])
    return cases.ended(judge.certificate(certificate, extra, held, AT))


HOLDS, FREES, LOST = (
    {SERIAL: (AT - DAY, HOLD)},
    {SERIAL: (AT - HOUR, RELEASED)},
    {SERIAL: (AT - HOUR, COMPROMISED)},
)

# fmt: off
DELTAS = {
    "a base alone": ([base()], LATER),
    "a delta alone": ([delta()], MISSING),
    "a delta that is newer": ([base(), delta()], GOOD),
    "a delta made before the moment": ([base(), delta(at=AT - HOUR)], LATER),
    "a base run out, a delta in date": ([base(at=AT - 9 * DAY), delta()], GOOD),
    "a delta run out": ([base(at=AT - 9 * DAY), delta(at=AT - 8 * DAY)], STALE),
    "revoked since": ([base(), delta(LOST)], REVOKED),
    "revoked in the base, not told again": ([base({SERIAL: (AT - DAY, COMPROMISED)}), delta()], REVOKED),
    "another revoked since": ([base(), delta({SERIAL + 1: (AT - HOUR,)})], GOOD),
    "revoked after the moment": ([base(), delta({SERIAL: (AT + timedelta(seconds=1),)})], GOOD),
    "held in the base": ([base(HOLDS)], HELD),
    "held in the base, still": ([base(HOLDS), delta()], HELD),
    "held in the base, released since": ([base(HOLDS), delta(FREES)], GOOD),
    "held in the base, then revoked": ([base(HOLDS), delta(LOST)], REVOKED),
    "held since": ([base(), delta({SERIAL: (AT - HOUR, HOLD)})], HELD),
    "held, released, held": ([base(HOLDS), delta(FREES), delta({SERIAL: (AT - HOUR, HOLD)}, at=AT + 2 * HOUR, number=7)], HELD),
    "of a later base": ([base(), delta(FREES, delta_of=6, number=7)], LATER),
    "of an earlier base": ([base(HOLDS), delta(FREES, delta_of=3)], GOOD),
    "older than the base": ([base(HOLDS, number=9), delta(FREES, delta_of=3, number=8)], HELD),
    "of another scope": ([base(HOLDS), delta(FREES, scope=scope(signers=True))], HELD),
    "of the same scope": ([base(HOLDS, scope=scope(signers=True)), delta(FREES, scope=scope(signers=True))], GOOD),
    "of another issuer": ([base(HOLDS), delta(FREES, issuer=ROOT)], HELD),
    "of an impostor": ([base(HOLDS), delta(FREES, issuer=keys.root("Cơ quan chứng thực", key=keys.new_key(), at=ISSUED))], HELD),
}
REASONS = {
    "every reason": ([listed(scope=scope(reasons=ALL_REASONS))], GOOD),
    "some reasons only": ([listed(scope=scope(reasons=SOME))], STALE),
    "some, and the others in another": ([listed(scope=scope(reasons=SOME)), listed(scope=scope(reasons=ALL_REASONS - SOME))], GOOD),
    "some, and the others run out": ([listed(scope=scope(reasons=SOME)), listed(at=AT - 8 * DAY, scope=scope(reasons=ALL_REASONS - SOME))], STALE),
    "some, and the others made before": ([listed(scope=scope(reasons=SOME)), listed(at=AT - HOUR, scope=scope(reasons=ALL_REASONS - SOME))], LATER),
    "revoked for one of them": ([listed(LOST, scope=scope(reasons=SOME))], REVOKED),
    "held, and later a list of other reasons": ([listed(HOLDS), listed(at=AT + 2 * HOUR, scope=scope(reasons=SOME))], HELD),
}
# fmt: on


@pytest.mark.parametrize("name", DELTAS)
def test_deltas(name):
    lists, expected = DELTAS[name]
    assert ended(lists) == expected
    assert ended(lists[::-1]) == expected


@pytest.mark.parametrize("name", REASONS)
def test_lists_limited_to_some_reasons(name):
    lists, expected = REASONS[name]
    assert ended(lists) == expected
    assert ended(lists[::-1]) == expected


def test_the_evidence_names_base_and_delta():
    lists = [base(), delta()]
    held = trust.load(cases.TRUSTED, [BY_ROOT, *lists])
    evidence = judge.certificate(SIGNER, (), held, AT).evidence
    assert {crl.read(one).sha256 for one in lists} <= set(evidence)


def pointed(*points, serial=4711):
    return cases.issued(serial=serial, extensions=[(x509.CRLDistributionPoints(points), False)])


def point(full_name=None, *, reasons=None, issuer=None):
    named = issuer and [x509.DirectoryName(issuer.certificate.subject)]
    return x509.DistributionPoint(full_name, None, reasons, named)


OTHER = keys.subordinate(ROOT, "Cơ quan lập danh sách", key=keys.new_key(), at=ISSUED)
STRANGER = keys.root("Cơ quan lập danh sách", key=keys.new_key(), at=ISSUED)
TRUSTED = [*cases.TRUSTED, keys.der(OTHER.certificate)]


def indirect(entries=(), issuer=OTHER, at=AT + HOUR, *, flagged=True, named=AUTHORITY):
    """A list of `issuer` about certificates of `named`, which its first entry names."""
    draft = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    draft = draft.last_update(at).next_update(at + 7 * DAY)
    if flagged:
        draft = draft.add_extension(scope(full_name=HERE, indirect=True), critical=True)
    for position, serial in enumerate(entries):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(AT - HOUR)
        if position == 0:
            issuers = x509.CertificateIssuer([x509.DirectoryName(named.certificate.subject)])
            entry = entry.add_extension(issuers, critical=True)
        draft = draft.add_revoked_certificate(entry.build())
    return draft.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


BY_OTHER = pointed(point(HERE, issuer=OTHER))
# fmt: off
INDIRECT = {
    "by whom the certificate names": (BY_OTHER, [indirect()], GOOD),
    "and it names the certificate": (BY_OTHER, [indirect([4711])], REVOKED),
    "as the second of that issuer": (BY_OTHER, [indirect([1, 4711])], REVOKED),
    "the number of another issuer's": (BY_OTHER, [indirect([4711], named=ROOT)], GOOD),
    "by whom the certificate does not name": (cases.issued(), [indirect()], MISSING),
    "not said to be indirect": (BY_OTHER, [indirect(flagged=False)], MISSING),
    "by a stranger of that name": (BY_OTHER, [indirect(issuer=STRANGER)], MISSING),
    "a stranger of that name revokes": (BY_OTHER, [indirect([4711], issuer=STRANGER), indirect()], GOOD),
    "for another place": (pointed(point([x509.UniformResourceIdentifier("http://x.example/b")], issuer=OTHER)), [indirect()], MISSING),
    "for some reasons by the certificate's word": (pointed(point(HERE, issuer=OTHER, reasons=SOME)), [indirect()], STALE),
    "and its issuer's own for the others": (pointed(point(HERE, issuer=OTHER, reasons=SOME)), [indirect(), listed(scope=scope(reasons=ALL_REASONS - SOME))], GOOD),
}
# fmt: on


@pytest.mark.parametrize("name", INDIRECT)
def test_lists_of_others(name):
    certificate, lists, expected = INDIRECT[name]
    own = [listed(issuer=ROOT)]
    assert ended([*lists, *own], certificate, trusted=TRUSTED) == expected


def test_who_makes_lists_must_not_have_been_revoked_himself():
    lost = keys_revocation.revocation_list(
        ROOT, {OTHER.certificate.serial_number: Revoked(AT - DAY)}, at=AT + HOUR
    )
    held = trust.load(TRUSTED, [lost, indirect()])
    assert judge.certificate(BY_OTHER, (), held, AT).why == "revocation_missing"


def test_another_key_of_the_same_authority_may_sign_its_lists():
    """As after a change of keys (PKITS 4.5): its certificate comes along and has a path to the same root."""
    renewed = cases.issued(
        ROOT,
        subject=AUTHORITY.certificate.subject,
        key=cases.KEYS["p384"],
        extensions=[cases.usage("crl_sign")],
    )
    lists = [listed(issuer=keys.Issuer(certificate=renewed, key=cases.KEYS["p384"]))]
    assert ended(lists) == MISSING
    assert ended(lists, extra=[renewed]) == GOOD
    by_root = keys_revocation.revocation_list(ROOT, {4711: Revoked(AT - DAY)}, at=AT + HOUR)
    assert ended([*lists, by_root], extra=[renewed]) == MISSING


def test_lists_that_only_vouch_for_each_other_vouch_for_nobody():
    first, second = (keys.new_key() for _ in range(2))
    name = AUTHORITY.certificate.subject
    usage = [cases.CA, cases.usage("crl_sign", "key_cert_sign")]
    one = cases.issued(AUTHORITY, subject=name, key=first, serial=1, extensions=usage)
    two = cases.issued(AUTHORITY, subject=name, key=second, serial=2, extensions=usage)
    lists = [
        listed(issuer=keys.Issuer(certificate=holder, key=key))
        for holder, key in ((one, first), (two, second))
    ]
    assert ended(lists, extra=[one, two]) == MISSING


# Bounds, and what is not read.


def entries_with(extension, *, critical, serial=SERIAL + 1):
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(AT - HOUR)
    entry = entry.add_extension(extension, critical=critical).build()
    draft = x509.CertificateRevocationListBuilder().issuer_name(AUTHORITY.certificate.subject)
    draft = draft.last_update(AT + HOUR).next_update(AT + DAY).add_revoked_certificate(entry)
    return draft.sign(AUTHORITY.key, hashes.SHA256()).public_bytes(Encoding.DER)


UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


def test_an_unknown_extension_of_an_entry():
    assert ended([entries_with(UNKNOWN, critical=False)]) == GOOD
    with pytest.raises(ValueError, match="critical extension of an entry"):
        crl.read(entries_with(UNKNOWN, critical=True))
    with pytest.raises(ValueError, match="names issuers of entries wrongly"):
        crl.read(indirect([1], flagged=False))


def test_bytes_that_look_critical_by_chance_cost_only_time():
    serial = int.from_bytes(b"\x01\x01\xff\x04\x01\x01\xff\x04", "big")
    read = crl.read(listed({serial: (AT - HOUR,), SERIAL + 1: (AT - HOUR, COMPROMISED)}))
    (entries,) = read.revoked.values()
    assert set(entries) == {serial, SERIAL + 1}


def test_a_certificate_named_twice_was_revoked_the_first_time():
    draft = x509.CertificateRevocationListBuilder().issuer_name(AUTHORITY.certificate.subject)
    draft = draft.last_update(AT + HOUR).next_update(AT + DAY)
    for moment in (AT - HOUR, AT + HOUR):
        entry = x509.RevokedCertificateBuilder().serial_number(SERIAL).revocation_date(moment)
        draft = draft.add_revoked_certificate(entry.build())
    twice = draft.sign(AUTHORITY.key, hashes.SHA256()).public_bytes(Encoding.DER)
    assert ended([twice]) == REVOKED


def test_what_is_too_long_is_not_read(monkeypatch):
    read = listed(dict.fromkeys(range(1, 6), (AT - HOUR,)))
    monkeypatch.setattr(crl, "MOST_ENTRIES", 5)
    assert crl.read(read).number == 1
    monkeypatch.setattr(crl, "MOST_ENTRIES", 4)
    with pytest.raises(ValueError, match="more than a million entries"):
        crl.read(read)
    monkeypatch.setattr(crl, "MOST_BYTES", len(read) - 1)
    with pytest.raises(ValueError, match="more than 64 MiB"):
        crl.read(read)


def test_what_came_inside_a_signature_is_read_up_to_a_bound(monkeypatch):
    one, other = listed(), listed(at=AT + 2 * HOUR)
    assert len(revocation.Enclosed(crls=(one, other)).lists.all) == 2
    monkeypatch.setattr(revocation, "MOST_ENCLOSED_BYTES", len(one) + len(other) - 1)
    assert len(revocation.Enclosed(crls=(one, other)).lists.all) == 1
    monkeypatch.setattr(revocation, "MOST_ENCLOSED", 0)
    assert revocation.Enclosed(crls=(one,)).lists.all == ()


def test_enclosed_lists_that_cannot_be_read_harm_nobody():
    held = trust.load(cases.TRUSTED, [BY_ROOT])
    enclosed = revocation.Enclosed(
        crls=(b"", b"\x30\x00", listed()[:-1], entries_with(UNKNOWN, critical=True), listed())
    )
    found = judge.certificate(SIGNER, (), held, AT, enclosed=enclosed)
    assert found.indication is Indication.TOTAL_PASSED
    assert judge.certificate(SIGNER, (), held, AT).why == "revocation_missing"
