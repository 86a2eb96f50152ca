"""Keys in a token: what they sign our verifiers take, what they are asked for beyond that they refuse."""

import pdf_cases as cases
import pytest
import softhsm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from pkcs11 import Attribute, ObjectClass

from signing import p7, p7_write, pdf, pdf_write, seal, token, xmldsig
from signing.verdict import Indication


@pytest.fixture
def session():
    held = softhsm.token()
    with token.opened(held.module, softhsm.LABEL, softhsm.PIN) as opened:
        yield opened


@pytest.fixture(params=["rsa", "p256"])
def holder(request, session):
    certificate = token.certificate(session, request.param)
    assert certificate == softhsm.certificate_of(request.param)
    return token.key(session, request.param, certificate), certificate


def test_every_form_of_signature_passes(holder):
    key, certificate = holder
    how = {"at": cases.SIGNED_AT}
    reports = [
        xmldsig.verify(seal.sign_xml(b"<a><b>1</b></a>", key, certificate, **how), cases.TRUST, cases.AT),
        pdf.verify(
            pdf_write.sign(cases.page(), key, certificate, field="A", **how), cases.TRUST, cases.AT, where="a.pdf"
        ),
        p7.verify(
            p7_write.sign(b"x", [p7_write.Signer(key=key, certificate=certificate)], **how),
            b"x", cases.TRUST, cases.AT, where="x",
        ),
    ]  # fmt: skip
    assert [one.indication for report in reports for one in report.verdicts] == [Indication.TOTAL_PASSED] * 3


@pytest.mark.parametrize(
    "hash_", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()], ids=lambda one: one.name
)
def test_every_algorithm(session, hash_):
    key = token.key(session, "rsa", softhsm.certificate_of("rsa"))
    for how in (padding.PKCS1v15(), padding.PSS(padding.MGF1(hash_), hash_.digest_size)):
        key.public_key().verify(key.sign(b"message", how, hash_), b"message", how, hash_)
    curve = token.key(session, "p256", softhsm.certificate_of("p256"))
    curve.public_key().verify(curve.sign(b"message", ec.ECDSA(hash_)), b"message", ec.ECDSA(hash_))
    assert (key.key_size, curve.key_size, curve.curve.name) == (2048, 256, "secp256r1")


def test_the_key_stays_in_the_token(session, holder):
    key, _ = holder
    for ask in (
        key.private_numbers,
        lambda: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
        key.__copy__,
    ):
        with pytest.raises(token.TokenError, match="token_key_stays"):
            ask()
    for one in session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY}):
        assert one[Attribute.SENSITIVE]
        assert not one[Attribute.EXTRACTABLE]


def test_a_key_of_another_certificate_signs_nothing(session):
    for label in ("rsa", "p256"):
        other = cases.PERSON if label == "rsa" else cases.ORGANISATION
        key = token.key(session, label, other)
        with pytest.raises(token.TokenError, match="key_not_of_certificate"):
            p7_write.sign(b"x", [p7_write.Signer(key=key, certificate=other)], at=cases.SIGNED_AT)


def code(work):
    with pytest.raises(token.TokenError) as told:
        work()
    return told.value.code


def opened(**wrong):
    held = softhsm.token()
    given = {"module": held.module, "label": softhsm.LABEL, "pin": softhsm.PIN, **wrong}
    with token.opened(**given) as session:
        return session


def test_what_cannot_be_opened(session):
    assert code(lambda: opened(label="another")) == "token_absent"
    assert code(lambda: opened(module="/nowhere/lib.so")) == "token_module"
    assert code(lambda: opened(module=__file__)) == "token_module"
    assert code(lambda: token.key(session, "another", cases.PERSON)) == "token_key"
    assert code(lambda: token.certificate(session, "another")) == "token_key"
    assert code(lambda: token.certificate(session, "bare")) == "token_no_certificate"


def test_a_wrong_pin_is_told_without_it():
    with pytest.raises(token.TokenError) as told:
        opened(pin="999999")
    assert told.value.code == "token_pin"
    assert "999999" not in str(told.value)
    assert "999999" not in repr(told.value.__cause__)
