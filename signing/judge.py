"""The certificate half of a verdict, the same for XML and PDF: dates, path, revocation, at one moment."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

from signing import crl, keys, path, revocation
from signing.trust import Trust
from signing.verdict import Indication, SubIndication

_NOTHING = revocation.Enclosed()
PASSED = {False: "passed", True: "passed_provisionally"}
_NAMES = (NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.ORGANIZATION_NAME)


class Judgement(NamedTuple):
    """How a signer's certificate stood at a moment (kết quả kiểm tra chứng thư chữ ký số).

    `why` is the code of the sentence `verdict.<why>`. `evidence` holds hex SHA-256 digests of the authorities'
    certificates and of the revocation lists used.
    """

    indication: Indication
    sub_indication: SubIndication | None
    why: str
    provisional: bool
    evidence: tuple[str, ...]


def certificate(
    leaf: x509.Certificate,
    extra: Sequence[x509.Certificate],
    trust: Trust,
    at: datetime,
    *,
    enclosed: revocation.Enclosed = _NOTHING,
    purpose: path.Purpose = "signer",
) -> Judgement:
    """How `leaf` stood at `at`; `extra` came with the signature and helps to build the path, never to trust it.

    `enclosed` is revocation data that came inside; `purpose` says which authorities may vouch, and for what use.
    """
    store = trust.timestamping if purpose == "timestamp" else trust
    found = path.build(leaf, extra, store, at, purpose=purpose)
    if isinstance(found, path.Failure):
        return Judgement(_indication(found.sub_indication), found.sub_indication, found.why, False, ())
    outcome = revocation.check(found.certificates, crl.joined(trust.revocation, enclosed.lists), at)
    authorities = tuple(keys.fingerprint(authority).hex() for authority in found.certificates[1:])
    return Judgement(
        _indication(outcome.sub_indication),
        outcome.sub_indication,
        outcome.why or PASSED[outcome.provisional],
        outcome.provisional,
        (*authorities, *outcome.evidence),
    )


def name(leaf: x509.Certificate) -> str:
    """What to call the signer on a page: the subject's common name, else its unit or organisation."""
    for kind in _NAMES:
        for attribute in leaf.subject.get_attributes_for_oid(kind):
            return str(attribute.value)
    return leaf.subject.rfc4514_string()


def _indication(sub_indication: SubIndication | None) -> Indication:
    """EN 319 102-1 5.1.3: proof that a signature is older than its certificate is final; all else may change."""
    if sub_indication is None:
        return Indication.TOTAL_PASSED
    final = sub_indication is SubIndication.NOT_YET_VALID
    return Indication.TOTAL_FAILED if final else Indication.INDETERMINATE
