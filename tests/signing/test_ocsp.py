"""OCSP answers: whose count, at which moment, and how they stand beside revocation lists."""

from datetime import timedelta

import pytest
import xml_cases as cases
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as library
from cryptography.x509.oid import ExtendedKeyUsageOID

from signing import judge, keys, keys_revocation, ocsp, revocation, trust
from signing.keys_revocation import COMPROMISED, HOLD, Revoked
from signing.verdict import Indication

AT, ISSUED, ROOT, AUTHORITY = cases.AT, cases.ISSUED, cases.ROOT, cases.AUTHORITY
SIGNER = cases.CERTIFICATES["p256"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BY_ROOT = keys.revocation_list(ROOT, {}, at=AT + HOUR)
IMPOSTOR = keys.root("Cơ quan chứng thực", key=keys.new_key(), at=ISSUED)
RESPONDER = keys_revocation.responder(AUTHORITY, "Trả lời OCSP", at=ISSUED, serial=900)
CHECKED = keys_revocation.responder(AUTHORITY, "Trả lời OCSP", at=ISSUED, serial=901, no_check=False)
OF_ROOT = keys_revocation.responder(ROOT, "Trả lời OCSP của gốc", at=ISSUED, serial=902)
OF_IMPOSTOR = keys_revocation.responder(IMPOSTOR, "Trả lời OCSP", at=ISSUED, serial=903)
LATE = keys_revocation.responder(AUTHORITY, "Trả lời OCSP", at=AT + DAY, serial=904)
ORDINARY = keys.Holder(certificate=SIGNER, key=cases.KEYS["p256"])
WEAK_KEY = keys.new_key("rsa1024")


def delegated(*purposes, usage=("digital_signature",), **how):
    """A responder's certificate of any shape."""
    key = how.pop("key", None) or keys.new_key()
    extensions = [(x509.ExtendedKeyUsage(purposes), False)] if purposes else []
    extensions += [cases.usage(*usage), (x509.OCSPNoCheck(), False), *how.pop("extensions", ())]
    return keys.Holder(certificate=cases.issued(key=key, extensions=extensions, **how), key=key)


ANY = delegated(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
NO_PURPOSE = delegated()
NO_USAGE = delegated(ExtendedKeyUsageOID.OCSP_SIGNING, usage=("key_encipherment",))
WEAK = delegated(ExtendedKeyUsageOID.OCSP_SIGNING, key=WEAK_KEY)
WEAKLY_ISSUED = delegated(
    ExtendedKeyUsageOID.OCSP_SIGNING,
    hash=hashes.SHA224(),
    issuer=ROOT,
    issuer_name=AUTHORITY.certificate.subject,
)
STRANGE = delegated(ExtendedKeyUsageOID.OCSP_SIGNING, extensions=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\5\0"), True)])  # fmt: skip


def answer(revoked=None, at=AT + HOUR, issuer=AUTHORITY, certificate=SIGNER, **terms):
    return keys_revocation.response(issuer, certificate, revoked, at=at, **terms)


def by_authority(revoked=None, at=AT + HOUR, **how):
    return keys.revocation_list(AUTHORITY, revoked or {}, at=at, **how)


def changed(der):
    return der[:-1] + bytes([der[-1] ^ 1])


def drawn(algorithm=None, digest=None, signer=RESPONDER, at=AT + HOUR):
    """An answer with other digests of the issuer's name and key, or signed with another digest."""
    draft = library.OCSPResponseBuilder().add_response(
        SIGNER, AUTHORITY.certificate, algorithm or hashes.SHA256(), library.OCSPCertStatus.GOOD, at, at + DAY, None, None
    )  # fmt: skip
    draft = draft.responder_id(library.OCSPResponderEncoding.HASH, signer.certificate)
    draft = draft.certificates([signer.certificate])
    return draft.sign(signer.key, digest or hashes.SHA256()).public_bytes(Encoding.DER)


SIGNER_SERIAL = SIGNER.serial_number
GOOD, LATER = "TOTAL_PASSED/None/passed", "TOTAL_PASSED/None/passed_provisionally"
REVOKED = "INDETERMINATE/REVOKED_NO_POE/certificate_revoked"
HELD = "INDETERMINATE/TRY_LATER/certificate_on_hold"
MISSING, STALE = "INDETERMINATE/TRY_LATER/revocation_missing", "INDETERMINATE/TRY_LATER/revocation_stale"

# fmt: off
TABLE = {
    "signed by the issuer": ([answer()], [], GOOD),
    "named by its name": ([answer(by_name=True)], [], GOOD),
    "made at the moment": ([answer(at=AT)], [], GOOD),
    "made before the moment": ([answer(at=AT - HOUR)], [], LATER),
    "run out: an old answer shown again": ([answer(at=AT - 8 * DAY)], [], STALE),
    "without a last moment, made before": ([answer(at=AT - HOUR, days=None)], [], STALE),
    "without a last moment, made after": ([answer(days=None)], [], GOOD),
    "by a delegate": ([answer(responder=RESPONDER)], [], GOOD),
    "by a delegate named by its name": ([answer(responder=RESPONDER, by_name=True)], [], GOOD),
    "by a delegate to be checked, unchecked": ([answer(responder=CHECKED)], [], MISSING),
    "by a delegate to be checked, and good": ([answer(responder=CHECKED, at=AT + 2 * HOUR)], [by_authority(at=AT - HOUR)], GOOD),
    "by a delegate that was revoked": ([answer(Revoked(AT - DAY), responder=CHECKED)], [by_authority({901: AT - DAY})], GOOD),
    "by a delegate revoked, nothing else": ([answer(responder=CHECKED)], [by_authority({901: AT - 10 * DAY}, at=AT - 9 * DAY)], STALE),
    "by a delegate of another": ([answer(responder=OF_ROOT)], [], MISSING),
    "by a delegate of an impostor": ([answer(responder=OF_IMPOSTOR)], [], MISSING),
    "by a delegate of later days": ([answer(responder=LATE)], [], MISSING),
    "by a signer, not delegated": ([answer(responder=ORDINARY)], [], MISSING),
    "by a key for any purpose": ([answer(responder=ANY)], [], MISSING),
    "by a key without a purpose": ([answer(responder=NO_PURPOSE)], [], MISSING),
    "by a key not for signatures": ([answer(responder=NO_USAGE)], [], MISSING),
    "by a weak key": ([answer(responder=WEAK)], [], MISSING),
    "by a delegate weakly issued": ([answer(responder=WEAKLY_ISSUED)], [], MISSING),
    "by a delegate with an unknown critical extension": ([answer(responder=STRANGE)], [], MISSING),
    "by an impostor": ([answer(issuer=IMPOSTOR)], [], MISSING),
    "with another signature": ([changed(answer())], [], MISSING),
    "about another": ([answer(certificate=cases.CERTIFICATES["p384"])], [], MISSING),
    "named with SHA-1": ([drawn(hashes.SHA1())], [], GOOD),
    "named with SHA-384": ([drawn(hashes.SHA384())], [], GOOD),
    "named with SHA-224": ([drawn(hashes.SHA224())], [], MISSING),
    "signed with SHA-224": ([drawn(digest=hashes.SHA224())], [], MISSING),
    "unknown to the responder": ([answer(unknown=True)], [], STALE),
    "unknown to the responder, good in the list": ([answer(unknown=True)], [by_authority()], GOOD),
    "revoked before": ([answer(Revoked(AT - HOUR, COMPROMISED))], [], REVOKED),
    "revoked at the moment": ([answer(Revoked(AT))], [], REVOKED),
    "revoked after": ([answer(Revoked(AT + HOUR))], [], GOOD),
    "revoked by an old answer": ([answer(Revoked(AT - 9 * DAY), at=AT - 8 * DAY), answer()], [], REVOKED),
    "revoked here, good in the list": ([answer(Revoked(AT - HOUR))], [by_authority(at=AT + 2 * HOUR)], REVOKED),
    "good here, revoked in the list": ([answer(at=AT + 2 * HOUR)], [by_authority({SIGNER_SERIAL: AT - HOUR})], REVOKED),
    "good here, the list made before": ([answer()], [by_authority(at=AT - HOUR)], GOOD),
    "made before, the list made after": ([answer(at=AT - HOUR)], [by_authority()], GOOD),
    "run out, the list in date": ([answer(at=AT - 8 * DAY)], [by_authority()], GOOD),
    "on hold": ([answer(Revoked(AT - HOUR, HOLD))], [], HELD),
    "on hold, released by a later answer": ([answer(Revoked(AT - HOUR, HOLD)), answer(at=AT + 2 * HOUR)], [], GOOD),
    "on hold, released by a later list": ([answer(Revoked(AT - HOUR, HOLD))], [by_authority(at=AT + 2 * HOUR)], GOOD),
    "on hold, good in an earlier list": ([answer(Revoked(AT - HOUR, HOLD), at=AT + 2 * HOUR)], [by_authority()], HELD),
    "on hold, later unknown": ([answer(Revoked(AT - HOUR, HOLD)), answer(at=AT + 2 * HOUR, unknown=True)], [], HELD),
    "put on hold later": ([answer(Revoked(AT + HOUR, HOLD), at=AT + 2 * HOUR)], [], GOOD),
}
# fmt: on


def judged(answers, lists, at=AT):
    trusted = trust.load(cases.TRUSTED, [BY_ROOT, *lists], ocsp_files=answers)
    return judge.certificate(SIGNER, (), trusted, at)


@pytest.mark.parametrize("name", TABLE)
def test_what_answers_say(name):
    answers, lists, expected = TABLE[name]
    found = judged(answers, lists)
    assert cases.ended(found) == expected
    assert found.provisional == (expected == LATER)


@pytest.mark.parametrize("name", TABLE)
def test_what_came_inside_the_signature_counts_alike(name):
    answers, lists, expected = TABLE[name]
    trusted = trust.load(cases.TRUSTED, [BY_ROOT])
    enclosed = revocation.Enclosed(crls=(b"no list", *lists), responses=(*answers, b"no answer"))
    found = judge.certificate(SIGNER, (), trusted, AT, enclosed=enclosed)
    assert cases.ended(found) == expected
    assert len(enclosed.documents()) == len(set(answers)) + len(lists)


def test_the_evidence_names_answer_and_delegate():
    der = answer(responder=RESPONDER)
    found = judged([der], [])
    delegate = keys.fingerprint(RESPONDER.certificate).hex()
    assert {delegate, ocsp.read(der).sha256} <= set(found.evidence)
    assert len(found.evidence) == 2 + 1 + 2  # authorities, the root's list, answer and delegate


def test_an_answer_about_the_authority():
    about = keys_revocation.response(ROOT, AUTHORITY.certificate, at=AT + HOUR)
    trusted = trust.load(cases.TRUSTED, [by_authority()], ocsp_files=[about])
    assert judge.certificate(SIGNER, (), trusted, AT).indication is Indication.TOTAL_PASSED
    revoked = keys_revocation.response(ROOT, AUTHORITY.certificate, Revoked(AT - HOUR), at=AT + HOUR)
    trusted = trust.load(cases.TRUSTED, [by_authority()], ocsp_files=[revoked])
    assert judge.certificate(SIGNER, (), trusted, AT).why == "authority_revoked"


BAD = {
    "nothing": b"",
    "a list": by_authority(),
    "cut": answer()[:-1],
    "more behind": answer() + b"\0",
    "no answer": library.OCSPResponseBuilder.build_unsuccessful(library.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER),
    "gigantic": answer() + bytes(ocsp.MOST_BYTES),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_answer(name):
    with pytest.raises(ValueError, match=r"."):
        ocsp.read(BAD[name])
    with pytest.raises(ValueError, match=r"OCSP response file 1: ."):
        trust.load([], [], ocsp_files=[answer(), BAD[name]])


def test_answers_belong_to_the_digest_and_travel():
    without, with_one = (
        trust.load(cases.TRUSTED, [BY_ROOT]),
        trust.load(cases.TRUSTED, [BY_ROOT], ocsp_files=[answer()]),
    )
    assert without.sha256 != with_one.sha256
    assert trust.of(trust.material(with_one)).sha256 == with_one.sha256
    (der,) = [content for kind, content in trust.documents(with_one).values() if kind == "ocsp"]
    assert ocsp.read(der).sha256 == with_one.responses.all[0].sha256
