import pytest
import xml_cases as cases
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from signing import keys, seal
from signing.algorithms import DS, ENVELOPED, EXCLUSIVE

KEY = keys.new_key()
CONTEXT = b"congvan-receipt-v1\n"


def test_the_signature_is_the_header_s_last_child():
    root = cases.parsed(cases.signed())
    header = cases.part(root, "edXMLHeader")
    assert header[-1].tag == f"{{{DS}}}Signature"
    assert len(root.findall(f".//{{{DS}}}Signature")) == 1


def test_without_a_header_it_is_the_root_s_last_child():
    root = cases.parsed(cases.signed(b"<a><b/>x</a>"))
    assert root[-1].tag == f"{{{DS}}}Signature"
    assert root[0].tail == "x"


def test_the_rest_of_the_message_stays_as_it_was():
    root = cases.parsed(cases.signed())
    signature = cases.signature_of(root)
    signature.getparent().remove(signature)
    before, after = (etree.tostring(one, method="c14n") for one in (cases.parsed(cases.LETTER), root))
    assert before == after


def test_a_whole_is_signed_with_transforms_and_a_part_in_the_inclusive_form_without():
    whole, part = (
        cases.parsed(cases.signed()),
        cases.parsed(cases.signed(references=["#header"], canonical="inclusive")),
    )
    named = [node.get("Algorithm") for node in cases.part(whole, "Transforms")]
    assert named == [ENVELOPED, EXCLUSIVE]
    assert part.find(f".//{{{DS}}}Transforms") is None


@pytest.mark.parametrize(("kind", "method"), [("rsa2048", "rsa-sha256"), ("p256", "ecdsa-sha256"), ("p384", "ecdsa-sha384"), ("p521", "ecdsa-sha512")])  # fmt: skip
def test_the_algorithm_follows_from_the_key(kind, method):
    root = cases.parsed(cases.signed(kind=kind))
    assert cases.part(root, "SignatureMethod").get("Algorithm").endswith("#" + method)


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [("p256", "rsa-sha256"), ("rsa2048", "ecdsa-sha256"), ("p256", "rsa-sha1"), ("rsa2048", "")],
)
def test_an_algorithm_that_does_not_fit_is_refused(kind, algorithm):
    with pytest.raises(ValueError, match="unknown or not for this kind"):
        cases.signed(kind=kind, algorithm=algorithm)


def test_a_missing_target_is_refused():
    with pytest.raises(ValueError, match="#nobody"):
        cases.signed(references=["#nobody"])


@pytest.mark.parametrize("raw", [b"", b"<!DOCTYPE a><a/>", b"<a>", b'<a xmlns="no-scheme"/>'])
def test_what_cannot_be_read_is_not_signed(raw):
    with pytest.raises(ValueError, match=r"."):
        cases.signed(raw)


def test_signatures_beside_each_other_have_names_of_their_own():
    raw = cases.LETTER.replace(b'Id="file2"', b'Id="signature-1"')
    for kind in ("p256", "rsa2048", "p384"):
        raw = cases.signed(raw, kind, references=["#header"])
    assert [verdict.passed for verdict in cases.judged(raw).verdicts] == [True] * 3
    names = [node.get("Id") for node in cases.parsed(raw).iter(f"{{{DS}}}Signature")]
    assert names == ["signature-0", "signature-2", "signature-3"]


def test_a_part_that_holds_the_signature_is_signed_enveloped():
    raw = cases.LETTER.replace(b"<edXML:edXMLHeader>", b'<edXML:edXMLHeader Id="all">')
    verdict = cases.only(cases.signed(raw, references=["#all"]))
    assert verdict.passed
    assert verdict.coverage.paths == ("/*/edXML:edXMLEnvelope/edXML:edXMLHeader",)


@given(st.binary(max_size=300))
def test_a_statement_is_believed_with_its_key_and_context_only(statement):
    signature = seal.sign_statement(statement, KEY, context=CONTEXT)
    public = KEY.public_key()
    assert len(signature) == 64
    assert seal.check_statement(statement, signature, public, context=CONTEXT)
    assert not seal.check_statement(statement + b"x", signature, public, context=CONTEXT)
    assert not seal.check_statement(statement, signature, public, context=b"other\n")
    assert not seal.check_statement(statement, signature, cases.KEYS["p256"].public_key(), context=CONTEXT)
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    public.verify(encode_dss_signature(r, s), CONTEXT + statement, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65), b"\xff" * 64])
def test_nonsense_is_no_signature(signature):
    assert not seal.check_statement(b"x", signature, KEY.public_key(), context=CONTEXT)


def test_any_bit_of_a_statement_s_signature_counts():
    signature = seal.sign_statement(b"x", KEY, context=CONTEXT)
    for position in range(64):
        wrong = bytearray(signature)
        wrong[position] ^= 1
        assert not seal.check_statement(b"x", bytes(wrong), KEY.public_key(), context=CONTEXT)
