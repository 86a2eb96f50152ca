"""What came inside a signature and was used stays with the verdict that names it."""

import hashlib
import pickle
from datetime import timedelta

from authorities import BEGIN, issued

from signing import evidence, judge, keys, keys_revocation, revocation, trust
from signing.verdict import Indication

AT = BEGIN + timedelta(days=100)
KEY = keys.new_key()
ROOT = keys.root("Gốc", key=keys.new_key(), at=BEGIN)
SUB = keys.Issuer(certificate=issued(ROOT, "Dưới", KEY, serial=2, authority=True), key=KEY)
SIGNER = issued(SUB, "Cơ quan", KEY, serial=3)
RESPONDER = keys_revocation.responder(SUB, "Trả lời", at=BEGIN, serial=4)
ROOT_LIST = keys.revocation_list(ROOT, {}, at=AT)
ANSWER = keys_revocation.response(SUB, SIGNER, at=AT, responder=RESPONDER)
TRUST = trust.load([keys.der(ROOT.certificate)], ())


def judged(trusted, extra, enclosed):
    return judge.certificate(SIGNER, extra, trusted, AT + timedelta(hours=1), enclosed=enclosed)


def test_everything_named_is_in_the_trust_set_or_came_along():
    enclosed = revocation.Enclosed(crls=(ROOT_LIST,), responses=(ANSWER,))
    found = judged(TRUST, (SUB.certificate,), enclosed)
    assert found.indication is Indication.TOTAL_PASSED
    along = {one: (one.kind, one.der) for one in evidence.brought(found.evidence)}
    assert all(hashlib.sha256(der).hexdigest() == digest for digest, (_, der) in along.items())
    assert set(found.evidence) <= along.keys() | trust.documents(TRUST).keys()
    assert set(along.values()) >= {
        ("certificate", keys.der(SUB.certificate)), ("certificate", RESPONDER.der), ("crl", ROOT_LIST), ("ocsp", ANSWER)
    }  # fmt: skip


def test_what_is_configured_is_named_and_not_carried_about():
    whole = trust.load(
        [keys.der(ROOT.certificate), keys.der(SUB.certificate)], [ROOT_LIST], ocsp_files=[ANSWER]
    )
    found = judged(whole, (), revocation.NOTHING)
    assert found.indication is Indication.TOTAL_PASSED
    assert {one.kind for one in evidence.brought(found.evidence)} == {"certificate"}
    documents = trust.documents(whole).keys() | set(evidence.brought(found.evidence))
    assert set(found.evidence) <= documents


def test_a_digest_keeps_its_document_on_the_way_between_processes():
    one = evidence.certificate(SIGNER)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(one, protocol))
        assert (again, again.kind, again.der) == (one, "certificate", keys.der(SIGNER))
    assert one == keys.fingerprint(SIGNER).hex()


def test_merging_keeps_what_comes_along():
    one = evidence.certificate(SIGNER)
    assert list(evidence.brought(dict.fromkeys(("00", one, one)))) == [one]
