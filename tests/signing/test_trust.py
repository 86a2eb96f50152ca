import pytest
import xml_cases as cases
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signing import crl, judge, keys, trust
from signing.verdict import Indication

ROOT, AUTHORITY = cases.ROOT.certificate, cases.AUTHORITY.certificate
ROOT_PEM, AUTHORITY_PEM = (one.public_bytes(Encoding.PEM) for one in (ROOT, AUTHORITY))
LISTS = cases.lists()
LIST_PEM = x509.load_der_x509_crl(LISTS[0]).public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    "files",
    [
        [ROOT_PEM, AUTHORITY_PEM],
        [ROOT_PEM + AUTHORITY_PEM],
        [b"subject=/C=VN\n" + AUTHORITY_PEM + b"\n" + ROOT_PEM],
        [keys.der(ROOT), keys.der(AUTHORITY), ROOT_PEM],
    ],
    ids=["pem", "several in a file", "text between", "der, and one twice"],
)
def test_roots_and_intermediates_are_told_apart(files):
    loaded = trust.load(files, LISTS)
    assert loaded.anchors == (ROOT,)
    assert loaded.intermediates == (AUTHORITY,)
    assert (
        judge.certificate(cases.CERTIFICATES["p256"], (), loaded, cases.AT).indication
        is Indication.TOTAL_PASSED
    )


def test_lists_in_pem_and_der_are_the_same():
    der, pem = trust.load([], LISTS), trust.load([], [LISTS[1], LIST_PEM + LIST_PEM])
    assert der.sha256 == pem.sha256
    assert {one.sha256 for one in der.revocation.all} == {one.sha256 for one in pem.revocation.all}


def test_the_digest_names_the_set_and_not_its_order():
    one = trust.load([ROOT_PEM, AUTHORITY_PEM], LISTS)
    assert one.sha256 == trust.load([AUTHORITY_PEM, ROOT_PEM, ROOT_PEM], LISTS[::-1]).sha256
    others = [trust.Trust(), trust.load([ROOT_PEM], LISTS), trust.load([ROOT_PEM, AUTHORITY_PEM], LISTS[:1])]
    assert len({one.sha256, *(other.sha256 for other in others)}) == 4
    assert len(one.sha256) == 32


def test_nothing_is_trusted_without_configuration():
    judged = judge.certificate(cases.CERTIFICATES["p256"], [AUTHORITY, ROOT], trust.Trust(), cases.AT)
    assert judged.indication is Indication.INDETERMINATE
    assert trust.load([], []).sha256 == trust.Trust().sha256


SELF_SIGNED = cases.issued(
    keys.Issuer(certificate=ROOT, key=cases.KEYS["p256"]),
    subject=x509.Name([]),
    issuer_name=x509.Name([]),
    extensions=[cases.NOT_CA],
)
BAD = {
    "nothing": b"",
    "text": b"khong co gi",
    "pem of another thing": keys.private_pem(cases.KEYS["p256"]),
    "cut": keys.der(ROOT)[:-1],
    "a signer's certificate": keys.der(cases.CERTIFICATES["p256"]),
    "signed by itself, but no authority": keys.der(SELF_SIGNED),
    "a list": LISTS[0],
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_named(name):
    with pytest.raises(ValueError, match=r"certificate file 1: .") as caught:
        trust.load([ROOT_PEM, BAD[name]], LISTS)
    assert "revocation" not in str(caught.value)


@pytest.mark.parametrize("raw", [b"", ROOT_PEM, LIST_PEM[:100], LISTS[0][:-1]])
def test_a_bad_list_is_named(raw):
    with pytest.raises(ValueError, match=r"revocation list file 2: ."):
        trust.load([ROOT_PEM], [*LISTS, raw])


def test_everything_in_the_set_can_be_kept_as_evidence():
    loaded = trust.load([ROOT_PEM, AUTHORITY_PEM], LISTS)
    documents = trust.documents(loaded)
    assert documents[keys.fingerprint(ROOT).hex()] == ("certificate", keys.der(ROOT))
    assert documents[crl.read(LISTS[1]).sha256] == ("crl", LISTS[1])
    assert len(documents) == 4
    judged = judge.certificate(cases.CERTIFICATES["p256"], (), loaded, cases.AT)
    assert set(judged.evidence) <= set(documents)
