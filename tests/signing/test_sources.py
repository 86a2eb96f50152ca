"""Where a certificate says that its standing can be asked for; and the OCSP question."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from signing import keys, sources

AT = datetime(2026, 11, 21, tzinfo=UTC)
ROOT = keys.root("Gốc", key=keys.new_key(), at=AT)
OTHER = keys.root("Gốc khác", key=keys.new_key(), at=AT)
KEY = keys.new_key()
CRL = "http://crl.example/a.crl"


def stating(*extensions):
    """A certificate of ROOT with these extensions."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Cơ quan")])
    draft = x509.CertificateBuilder(
        issuer_name=ROOT.certificate.subject, subject_name=name, public_key=KEY.public_key(), serial_number=7,
        not_valid_before=AT, not_valid_after=AT.replace(year=2030),
    )  # fmt: skip
    for one in extensions:
        draft = draft.add_extension(one, critical=False)
    return draft.sign(ROOT.key, hashes.SHA256())


def uri(text):
    return (
        x509.UniformResourceIdentifier._init_without_validation(text)
        if not text.isascii()
        else (x509.UniformResourceIdentifier(text))
    )


def point(*urls, issuer=None):
    return x509.DistributionPoint([uri(one) for one in urls], None, None, issuer)


def access(**urls):
    methods = {
        "ocsp": AuthorityInformationAccessOID.OCSP,
        "issuers": AuthorityInformationAccessOID.CA_ISSUERS,
    }
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(methods[kind], uri(one)) for kind, many in urls.items() for one in many]
    )


def found(*extensions):
    return sources.of(stating(*extensions), ROOT.certificate)


def test_everything_that_is_stated_is_found_once_and_in_order():
    assert found(
        x509.CRLDistributionPoints([point(CRL, "https://b.example/b.crl"), point(CRL)]),
        x509.FreshestCRL([point("http://crl.example/delta.crl")]),
        access(ocsp=["http://ocsp.example"], issuers=["http://crl.example/root.crt"]),
    ) == sources.Sources(
        crls=(CRL, "https://b.example/b.crl", "http://crl.example/delta.crl"),
        ocsp=("http://ocsp.example",),
        issuers=("http://crl.example/root.crt",),
    )


def test_a_certificate_that_states_nothing_has_no_sources():
    assert found() == sources.Sources()


@pytest.mark.parametrize(
    "name, signer, kept",
    [("its issuer", ROOT, True), ("somebody else", OTHER, False)],
)
def test_a_list_that_somebody_else_signs_is_left_out(name, signer, kept):
    named = point(CRL, issuer=[x509.DirectoryName(signer.certificate.subject)])
    assert found(x509.CRLDistributionPoints([named])).crls == ((CRL,) if kept else ())


NO_ADDRESSES = {
    "ldap": "ldap://ldap.example/cn=CA?certificateRevocationList",
    "file": "file:///etc/passwd",
    "gopher": "gopher://127.0.0.1:6379/_SET%20a%20b",
    "no host": "http:///a.crl",
    "only a path": "/a.crl",
    "name and password": "http://crl.example:80@10.0.0.1/a.crl",
    "space": "http://crl.example/a b.crl",
    "line break": "http://crl.example/a\r\nX-Header: 1",
    "control": "http://crl.example/\x00",
    "backslash": "http://crl.example\\@10.0.0.1/",
    "fragment": "http://crl.example/#http://10.0.0.1/",
    "broken": "http://[::1",
    "long": "http://crl.example/" + "a" * 500,
    "empty": "",
}


@pytest.mark.parametrize("name", NO_ADDRESSES)
def test_what_is_no_plain_address_of_http_is_left_out(name):
    stated = found(
        x509.CRLDistributionPoints([point(NO_ADDRESSES[name], CRL)]),
        access(ocsp=[NO_ADDRESSES[name]], issuers=[NO_ADDRESSES[name]]),
    )
    assert stated == sources.Sources(crls=(CRL,))


def test_a_thousand_addresses_are_not_all_taken():
    many = [f"http://crl.example/{number}.crl" for number in range(1_000)]
    assert found(x509.CRLDistributionPoints([point(*many)])).crls == tuple(many[: sources.MOST])


def test_names_that_are_no_addresses_are_passed_over():
    names = [x509.DNSName("crl.example"), x509.RFC822Name("a@b.example"), uri(CRL)]
    assert found(x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])).crls == (CRL,)


def test_extensions_that_cannot_be_read_name_no_sources():
    unreadable = x509.UnrecognizedExtension(x509.ExtensionOID.CRL_DISTRIBUTION_POINTS, b"\x30\x03\x02")
    assert found(unreadable) == sources.Sources()


@pytest.mark.parametrize("digest, known", [("sha1", hashes.SHA1), ("sha256", hashes.SHA256)])
def test_the_question_names_certificate_and_issuer(digest, known):
    certificate = stating()
    asked = ocsp.load_der_ocsp_request(sources.ocsp_request(certificate, ROOT.certificate, digest))
    same = ocsp.OCSPRequestBuilder().add_certificate(certificate, ROOT.certificate, known()).build()
    assert isinstance(asked.hash_algorithm, known)
    assert (asked.serial_number, asked.issuer_key_hash) == (7, same.issuer_key_hash)
    assert list(asked.extensions) == []
