"""The certificate half of a verdict, the same for XML and PDF: dates, path, revocation, at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

from signing import certificate_facts, keys, path, revocation
from signing.certificate_facts import Facts
from signing.moment import Moment
from signing.revocation import Standing
from signing.trust import Authorities, Trust
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


_UNDECIDED = (Standing.UNKNOWN, Standing.HELD)
_UNREADABLE = Judgement(
    Indication.INDETERMINATE, SubIndication.CHAIN_CONSTRAINTS_FAILURE, "certificate_extension", False, ()
)
_EXPIRED = Judgement(
    Indication.INDETERMINATE, SubIndication.OUT_OF_BOUNDS_NO_POE, "certificate_expired", False, ()
)


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
    signer = certificate_facts.read(leaf)
    if signer is None:
        return _UNREADABLE
    case = _Case(trust=trust, store=store, others=path.all_read(extra), enclosed=enclosed, purpose=purpose)
    return _judge(signer, case, Moment(at))


@dataclass(frozen=True, kw_only=True)
class _Case:
    """What a judgement rests on beside certificate and moment."""

    trust: Trust
    store: Authorities
    others: path.Chain
    enclosed: revocation.Enclosed
    purpose: path.Purpose


def _judge(signer: Facts, case: _Case, moment: Moment) -> Judgement:
    found = path.search(signer, case.others, case.store, moment, purpose=case.purpose)
    if not isinstance(found, path.Failure):
        return _told(found, _asked(found, case, moment))
    if found.sub_indication is SubIndication.OUT_OF_BOUNDS_NO_POE:
        return _expired(signer, case)
    return Judgement(_indication(found.sub_indication), found.sub_indication, found.why, False, ())


def _expired(signer: Facts, case: _Case) -> Judgement:
    """What had become of a certificate by its last day: revoked, or known not to be, is more than that it has run out."""
    last = Moment(signer.valid_to)
    found = path.search(signer, case.others, case.store, last, purpose=case.purpose)
    outcome = None if isinstance(found, path.Failure) else _asked(found, case, last)
    if isinstance(found, path.Failure) or outcome is None or outcome.standing in _UNDECIDED:
        return _EXPIRED
    if outcome.standing is Standing.REVOKED:
        return _told(found, outcome)
    sub_indication = SubIndication.OUT_OF_BOUNDS_NOT_REVOKED
    known = _told(found, outcome)
    return known._replace(
        indication=_indication(sub_indication),
        sub_indication=sub_indication,
        why="certificate_expired",
        provisional=False,
    )


def _asked(found: path.Chain, case: _Case, moment: Moment) -> revocation.Outcome:
    sources = revocation.Sources(
        lists=(case.trust.revocation, case.enclosed.lists),
        answers=(case.trust.responses, case.enclosed.answers),
        authorities=case.store,
        others=case.others,
    )
    return revocation.check(found, sources, moment)


def _told(found: path.Chain, outcome: revocation.Outcome) -> Judgement:
    authorities = tuple(keys.fingerprint(authority.certificate).hex() for authority in found[1:])
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
