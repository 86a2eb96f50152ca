"""Bad certificates, lists, responses and tokens: nothing raises, nothing passes that should not, nothing costs much.

How much was tried is counted; cost is bounded by counting signature checks and by a ratio to a plain judgement.
"""

from collections import Counter
from datetime import timedelta

import pytest
import timestamp_cases as stamps
import xml_cases as cases
from cryptography import x509
from cryptography.x509.oid import NameOID

from signing import certificate_facts, crl, judge, keys, keys_revocation, ocsp, path, revocation, trust
from signing.verdict import Indication

AT, ROOT, AUTHORITY = cases.AT, cases.ROOT, cases.AUTHORITY
SIGNER = cases.CERTIFICATES["p256"]
HOUR = timedelta(hours=1)
BY_ROOT, BY_AUTHORITY = cases.lists(at=AT + HOUR)
ANSWER = keys_revocation.response(AUTHORITY, SIGNER, at=AT + HOUR)
BARE = trust.load(cases.TRUSTED, [BY_ROOT])
FULL = trust.load(cases.TRUSTED, [BY_ROOT, BY_AUTHORITY])


def mutants(der, step):
    """The bytes cut, with a bit flipped, a byte put in, a byte taken out and a length set to the largest, all over."""
    for position in range(0, len(der), step):
        yield "cut", der[:position]
        yield "flipped", der[:position] + bytes([der[position] ^ 1]) + der[position + 1 :]
        yield "put in", der[:position] + b"\x30" + der[position:]
        yield "taken out", der[:position] + der[position + 1 :]
        yield "largest", der[:position] + b"\xff" + der[position + 1 :]


def tried(counts):
    return sum(counts.values())


def test_changed_certificates_never_pass_as_others():
    counts = Counter()
    der = keys.der(SIGNER)
    for kind, changed in mutants(der, 3):
        certificate = path.readable(changed)
        if certificate is None:
            counts["unreadable"] += 1
            continue
        judged = judge.certificate(certificate, (), FULL, AT)
        counts[kind] += 1
        same = certificate.tbs_certificate_bytes == SIGNER.tbs_certificate_bytes
        assert same or judged.indication is not Indication.TOTAL_PASSED
    assert tried(counts) >= 800
    assert counts["flipped"] >= 60


def test_changed_intermediates_help_nobody():
    trusted = trust.load(cases.TRUSTED[:1], [BY_ROOT, BY_AUTHORITY])
    der = keys.der(AUTHORITY.certificate)
    assert judge.certificate(SIGNER, [AUTHORITY.certificate], trusted, AT).why == "passed"
    heard = 0
    for _, changed in mutants(der, 5):
        certificate = path.readable(changed)
        if (
            certificate is not None
            and certificate.tbs_certificate_bytes != AUTHORITY.certificate.tbs_certificate_bytes
        ):
            heard += 1
            assert (
                judge.certificate(SIGNER, [certificate], trusted, AT).indication
                is not Indication.TOTAL_PASSED
            )
    assert heard >= 50


def signed_part(kind, der):
    """What the signature is over; a bit string's count of unused bits, for one, is not in it."""
    if kind == "list":
        return x509.load_der_x509_crl(der).tbs_certlist_bytes
    return ocsp.read(der).parsed.tbs_response_bytes


@pytest.mark.parametrize("kind", ["list", "response"])
def test_changed_revocation_data_counts_as_none(kind):
    """A changed list or response may pass only where what is signed was left as it was."""
    der = BY_AUTHORITY if kind == "list" else ANSWER
    counts = Counter()
    for _, changed in mutants(der, 2):
        if changed == der:
            continue
        enclosed = revocation.Enclosed(**{"crls" if kind == "list" else "responses": (changed,)})
        judged = judge.certificate(SIGNER, (), BARE, AT, enclosed=enclosed)
        counts[judged.why] += 1
        assert not judged.why.startswith("passed") or signed_part(kind, changed) == signed_part(kind, der)
    assert tried(counts) >= 600
    assert counts["revocation_missing"] >= 0.99 * tried(counts)


@pytest.mark.parametrize("read", [crl.read, ocsp.read], ids=["list", "response"])
def test_garbage_is_refused_by_name(read):
    count = 0
    for garbage in (
        b"",
        b"\x00" * 64,
        b"\x30\x80" * 500,
        b"\x30\x84\xff\xff\xff\xff",
        b"-----BEGIN X509 CRL-----\n",
        bytes(range(256)),
    ):
        with pytest.raises(ValueError, match=r"."):
            read(garbage)
        count += 1
    assert count == 6


# Certificates with huge fields, odd dates, wrong usage.


def wide(**how):
    return cases.issued(serial=7, **how)


def mailboxes(number):
    return x509.SubjectAlternativeName(
        [x509.RFC822Name(f"a{one}@b.example.vn") for one in range(number)]
    ), False


def test_a_certificate_with_huge_fields_is_not_read():
    small, large = (wide(extensions=[mailboxes(number)]) for number in (100, 4000))
    assert len(keys.der(large)) > certificate_facts.MOST_BYTES
    assert path.readable(keys.der(small)) is not None
    assert path.readable(keys.der(large)) is None
    with pytest.raises(ValueError, match="more than 64 KiB"):
        certificate_facts.load(keys.der(large))


def test_large_certificates_are_not_remembered():
    large = wide(extensions=[mailboxes(900)])
    assert certificate_facts.REMEMBERED_BYTES < len(keys.der(large)) < certificate_facts.MOST_BYTES
    held = trust.load(cases.TRUSTED, [BY_ROOT, BY_AUTHORITY])
    assert judge.certificate(large, (), held, AT).why == "passed"
    assert not held.remembered
    assert judge.certificate(SIGNER, (), held, AT).why == "passed"
    assert len(held.remembered) == 1


def test_what_is_remembered_is_bounded():
    held = trust.load(cases.TRUSTED, [BY_ROOT, BY_AUTHORITY])
    der = keys.der(SIGNER)
    for _ in range(1100):
        judge.certificate(x509.load_der_x509_certificate(der), (), held, AT)
    assert len(held.remembered) <= 1024
    judge.certificate(SIGNER, [AUTHORITY.certificate] * 5, held, AT)
    assert not any(len(key) > 6 for key in held.remembered)


@pytest.mark.parametrize("years", [10, 100, 7000])
def test_dates_of_the_future(years):
    start = AT + timedelta(days=365 * years)
    certificate = wide(valid=(start, start + timedelta(days=1)))
    judged = judge.certificate(certificate, (), FULL, AT)
    assert (judged.indication, judged.why) == (Indication.TOTAL_FAILED, "certificate_not_yet_valid")


def test_a_certificate_for_ever():
    last = cases.AT.replace(year=9999, month=12, day=31)
    judged = judge.certificate(wide(valid=(cases.ISSUED, last)), (), FULL, AT)
    assert judged.why == "passed"


# What costs time.


def crowd(number):
    """Authorities that all bear one name and one key and have issued each other; none is below a root."""
    name, key = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vòng")]), keys.new_key()
    stranger = keys.root("Lạ", key=key, at=cases.ISSUED)
    loop = [
        cases.issued(stranger, key=key, subject=name, issuer_name=name, serial=one, extensions=[cases.CA])
        for one in range(1, number)
    ]
    return cases.issued(keys.Issuer(certificate=loop[0], key=key)), loop


def test_a_crowd_of_issuers_is_left_after_so_many_signatures(monkeypatch):
    leaf, loop = crowd(200)
    checks = Counter()
    signed_by = certificate_facts.signed_by

    def counted(child, issuer):
        checks["signatures"] += 1
        return signed_by(child, issuer)

    monkeypatch.setattr(certificate_facts, "signed_by", counted)
    assert judge.certificate(leaf, loop, FULL, AT).why == "path_too_complex"
    assert 0 < checks["signatures"] <= path.SIGNATURE_CHECKS


def test_a_crowd_of_lists_and_signers_is_left_too(monkeypatch):
    """Many signers of lists, each vouched for only by another's list: nobody is asked twice in one breath."""
    name = AUTHORITY.certificate.subject
    holders = []
    for serial in range(1, 13):
        key = keys.new_key()
        usage = [cases.CA, cases.usage("crl_sign", "key_cert_sign")]
        certificate = cases.issued(AUTHORITY, subject=name, key=key, serial=serial, extensions=usage)
        holders.append(keys.Issuer(certificate=certificate, key=key))
    lists = tuple(keys.revocation_list(one, {}, at=AT + HOUR) for one in holders)
    searches = Counter()
    search = path.search

    def counted(*given, **how):
        searches["paths"] += 1
        return search(*given, **how)

    monkeypatch.setattr(path, "search", counted)
    enclosed = revocation.Enclosed(crls=lists)
    judged = judge.certificate(SIGNER, [one.certificate for one in holders], BARE, AT, enclosed=enclosed)
    assert judged.why == "revocation_missing"
    assert searches["paths"] <= 3000


def test_every_changed_token_is_answered():
    token = stamps.stamped()
    counts = Counter()
    for kind, changed in mutants(token, 11):
        stamp = stamps.check(changed)
        assert stamp.moment in {None, AT - HOUR}
        counts[kind, stamp.moment is None] += 1
    assert tried(counts) >= 400
    assert sum(number for (_, refused), number in counts.items() if refused) >= 0.9 * tried(counts)
