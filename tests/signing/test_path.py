"""Paths: what may stand above a signer's certificate, and what is said when nothing may."""

import warnings
from datetime import timedelta

import pytest
import xml_cases as cases
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signing import judge, keys, path, trust
from signing.verdict import Indication, SubIndication

ROOT, AUTHORITY, AT, ISSUED = cases.ROOT, cases.AUTHORITY, cases.AT, cases.ISSUED
SIGNER = cases.CERTIFICATES["p256"]
PURPOSES = ExtendedKeyUsageOID
CONSTRAINTS, GENERAL = (
    SubIndication.CHAIN_CONSTRAINTS_FAILURE,
    SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE,
)
NO_CHAIN, CRYPTO = SubIndication.NO_CERTIFICATE_CHAIN_FOUND, SubIndication.CRYPTO_CONSTRAINTS_FAILURE
OTHER_ROOT = keys.root("Gốc khác", key=keys.new_key(), at=ISSUED)
IMPOSTOR = keys.root("Cơ quan chứng thực", key=keys.new_key(), at=ISSUED)


def purposes(*oids, critical=True):
    return x509.ExtendedKeyUsage(oids), critical


def unknown(critical):
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), critical


def policies(demand):
    return x509.PolicyConstraints(require_explicit_policy=demand, inhibit_policy_mapping=0), True


SIGNERS = {
    "plain": (SIGNER, "found"),
    "nothing stated": (cases.issued(), "found"),
    "signature only": (cases.issued(extensions=[cases.usage("digital_signature")]), "found"),
    "non-repudiation only": (cases.issued(extensions=[cases.usage("content_commitment")]), "found"),
    "encryption only": (cases.issued(extensions=[cases.usage("key_encipherment")]), "key_usage"),
    "issuing only": (cases.issued(extensions=[cases.usage("key_cert_sign")]), "key_usage"),
    "purposes of the state authority": (cases.issued(extensions=[purposes(PURPOSES.CLIENT_AUTH, PURPOSES.EMAIL_PROTECTION)]), "found"),
    "time stamps only": (cases.issued(extensions=[purposes(PURPOSES.TIME_STAMPING)]), "key_usage"),
    "time stamps, not binding": (cases.issued(extensions=[purposes(PURPOSES.TIME_STAMPING, critical=False)]), "found"),
    "unknown and critical": (cases.issued(extensions=[unknown(critical=True)]), "certificate_extension"),
    "unknown": (cases.issued(extensions=[unknown(critical=False)]), "found"),
    "from this second": (cases.issued(valid=(AT, AT + timedelta(hours=1))), "found"),
    "expired": (cases.issued(valid=(ISSUED, AT - timedelta(seconds=1))), "certificate_expired"),
    "not yet valid": (cases.issued(valid=(AT + timedelta(seconds=1), AT + timedelta(days=1))), "certificate_not_yet_valid"),
    "weak key": (cases.issued(key=keys.new_key("rsa1024")), "weak_key"),
    "signed with SHA-224": (cases.issued(issuer=ROOT, hash=hashes.SHA224()), "weak_certificate"),
    "of an unknown authority": (cases.issued(issuer=OTHER_ROOT), "unknown_issuer"),
    "issuer's name borrowed": (cases.issued(issuer=IMPOSTOR), "wrong_issuer"),
    "signed by itself": (keys.root("Tôi", key=cases.KEYS["p256"], at=ISSUED).certificate, "key_usage"),
}  # fmt: skip


def why(found):
    return "found" if isinstance(found, path.Path) else found.why


@pytest.mark.parametrize("name", SIGNERS)
def test_a_signer(name):
    certificate, expected = SIGNERS[name]
    assert why(path.build(certificate, (), cases.TRUST, AT)) == expected


def authority(name="CA thử", *, issuer=ROOT, key=None, **how):
    key = key or keys.new_key()
    how.setdefault("extensions", [cases.CA, cases.usage("key_cert_sign", "crl_sign")])
    return keys.Issuer(certificate=cases.issued(issuer, name=name, key=key, **how), key=key)


def length(value):
    return x509.BasicConstraints(ca=True, path_length=value), True


SHORT = authority("CA ngắn", extensions=[length(0)])
UNLIMITED = authority("CA dài", extensions=[length(None)])
OURS, THEIRS = (
    x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
    for name in ("AI ĐÓ", "Khác")
)


def names(permitted=None, excluded=None, *, critical=True):
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=excluded), critical


RENEWED = authority("Cơ quan chứng thực", issuer=AUTHORITY, subject=AUTHORITY.certificate.subject)
AUTHORITIES = {
    "good": ([authority()], "found"),
    "without key usage": ([authority(extensions=[cases.CA])], "found"),
    "no authority": ([authority(extensions=[cases.NOT_CA])], "issuer_not_authority"),
    "says nothing": ([authority(extensions=[])], "issuer_not_authority"),
    "may not issue": ([authority(extensions=[cases.CA, cases.usage("crl_sign")])], "issuer_key_usage"),
    "a signer as issuer": ([keys.Issuer(certificate=SIGNER, key=cases.KEYS["p256"])], "issuer_not_authority"),
    "expired": ([authority(valid=(ISSUED, AT - timedelta(days=1)))], "issuer_out_of_dates"),
    "not yet valid": ([authority(valid=(AT + timedelta(days=1), AT + timedelta(days=2)))], "issuer_out_of_dates"),
    "weak key": ([authority(key=keys.new_key("rsa1024"))], "weak_certificate"),
    "signed with SHA-224": ([authority(hash=hashes.SHA224())], "weak_certificate"),
    "unknown and critical": ([authority(extensions=[cases.CA, unknown(critical=True)])], "issuer_extension"),
    "for names of this kind only": ([authority(extensions=[cases.CA, names([OURS])])], "found"),
    "for other names only": ([authority(extensions=[cases.CA, names([THEIRS])])], "name_constraints"),
    "for other names only, not critical": ([authority(extensions=[cases.CA, names([THEIRS], critical=False)])], "name_constraints"),
    "for all names but these": ([authority(extensions=[cases.CA, names(None, [OURS])])], "name_constraints"),
    "for all names but others": ([authority(extensions=[cases.CA, names(None, [THEIRS])])], "found"),
    "about names that the signer has not": ([authority(extensions=[cases.CA, names([x509.DNSName("vn")])])], "found"),
    "demands a policy": ([authority(extensions=[cases.CA, policies(0)])], "policies"),
    "forbids mapping": ([authority(extensions=[cases.CA, policies(None)])], "found"),
    "below a short one": ([SHORT, authority(issuer=SHORT)], "path_too_long"),
    "below an unlimited one": ([UNLIMITED, authority(issuer=UNLIMITED)], "found"),
    "renewed by itself, not counted": ([RENEWED], "found"),
    "below an unknown root": ([authority(issuer=OTHER_ROOT)], "unknown_issuer"),
    "the unknown root beside": ([OTHER_ROOT, authority(issuer=OTHER_ROOT)], "unknown_root"),
    "only the unknown root": ([OTHER_ROOT], "unknown_root"),
}  # fmt: skip


@pytest.mark.parametrize("name", AUTHORITIES)
def test_authorities_above_a_signer(name):
    """The last authority issues; those before it, and it, come only with the signature."""
    chain, expected = AUTHORITIES[name]
    certificate = cases.issued(chain[-1])
    found = path.build(certificate, [one.certificate for one in chain], cases.TRUST, AT)
    assert why(found) == expected
    if expected == "found":
        assert found.certificates[0] == certificate
        assert found.certificates[-1] == ROOT.certificate


@pytest.mark.parametrize("name", SIGNERS)
def test_a_signer_who_passes_with_us_passes_with_pyhanko_certvalidator(name):
    certificate, expected = SIGNERS[name]
    accepted = cases.certvalidator_accepts(certificate, [AUTHORITY.certificate], cases.lists())
    assert accepted or expected != "found"


def test_what_comes_with_a_signature_is_no_root():
    extra = [ROOT.certificate, AUTHORITY.certificate]
    assert why(path.build(SIGNER, extra, trust.Trust(), AT)) == "unknown_root"
    assert why(path.build(SIGNER, (), trust.Trust(), AT)) == "unknown_issuer"


def test_an_expired_root_vouches_for_nobody():
    old = keys.root("Gốc cũ", key=keys.new_key(), at=ISSUED, days=30)
    trusted = trust.load([keys.der(old.certificate)], [])
    assert why(path.build(cases.issued(old), (), trusted, AT)) == "issuer_out_of_dates"


def test_a_bundle_made_to_cost_time_is_left():
    """Authorities that all bear one name and have issued each other, none of them below a root."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vòng")])
    key = keys.new_key()
    loop = [
        keys.Issuer(certificate=cases.issued(OTHER_ROOT, key=key, subject=name, issuer_name=name, serial=n, extensions=[cases.CA]), key=key)
        for n in range(1, 30)
    ]  # fmt: skip
    ours = [authority("Vòng", issuer=loop[0], key=key, subject=name, serial=n) for n in range(100, 130)]
    leaf = cases.issued(keys.Issuer(certificate=loop[0].certificate, key=key))
    found = path.build(leaf, [one.certificate for one in (*ours, *loop)], cases.TRUST, AT)
    assert why(found) == "path_too_complex"


def test_one_good_way_among_bad_ones_is_found():
    bad = [authority("Nhiều", key=None, serial=n) for n in range(1, 6)]
    good = authority("Nhiều", serial=6)
    extra = [one.certificate for one in (*bad, good)]
    assert path.build(cases.issued(good), extra, cases.TRUST, AT).certificates[1] == good.certificate


ENDS = {
    "certificate_not_yet_valid": (Indication.TOTAL_FAILED, SubIndication.NOT_YET_VALID),
    "certificate_expired": (Indication.INDETERMINATE, SubIndication.OUT_OF_BOUNDS_NO_POE),
    "weak_key": (Indication.INDETERMINATE, CRYPTO),
    "weak_certificate": (Indication.INDETERMINATE, CRYPTO),
    "wrong_issuer": (Indication.INDETERMINATE, NO_CHAIN),
    "unknown_issuer": (Indication.INDETERMINATE, NO_CHAIN),
    "key_usage": (Indication.INDETERMINATE, CONSTRAINTS),
    "certificate_extension": (Indication.INDETERMINATE, CONSTRAINTS),
    "found": (Indication.TOTAL_PASSED, None),
}


@pytest.mark.parametrize("name", SIGNERS)
def test_how_a_signer_ends(name):
    certificate, expected = SIGNERS[name]
    judged = judge.certificate(certificate, (), cases.TRUST, AT)
    assert (judged.indication, judged.sub_indication) == ENDS[expected]
    assert judged.why == ("passed" if expected == "found" else expected)


def test_an_expired_issuer_ends_undecided():
    old = AUTHORITIES["expired"][0][0]
    judged = judge.certificate(cases.issued(old), [old.certificate], cases.TRUST, AT)
    assert (judged.indication, judged.sub_indication) == (Indication.INDETERMINATE, GENERAL)


@pytest.mark.parametrize("der", [b"", b"\x30\x00", keys.der(SIGNER)[:-1], keys.der(SIGNER) + b"\x00"])
def test_what_is_no_certificate(der):
    assert path.readable(der) is None


def test_a_serial_number_that_is_not_positive_is_not_readable():
    der = keys.der(cases.issued(serial=1))
    zero = der.replace(b"\xa0\x03\x02\x01\x02\x02\x01\x01", b"\xa0\x03\x02\x01\x02\x02\x01\x00", 1)
    assert zero != der
    assert path.readable(der) is not None
    assert path.readable(zero) is None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in operation, where the library only warns
        assert path.readable(zero) is None


def test_the_last_second_counts():
    assert why(path.build(cases.issued(valid=(ISSUED, AT)), (), cases.TRUST, AT)) == "found"
