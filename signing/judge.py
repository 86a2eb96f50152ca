"""The certificate half of a verdict, the same for XML and PDF: dates, path, revocation, at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

from signing import certificate_facts, evidence, keys, path, revocation
from signing.certificate_facts import Facts
from signing.moment import Moment
from signing.revocation import Standing
from signing.trust import Authorities, Trust
from signing.verdict import Indication, SubIndication

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


_REMEMBERED, _REMEMBERED_EXTRA, _REMEMBERED_BYTES = 1024, 4, 1 << 14
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
    enclosed: revocation.Enclosed = revocation.NOTHING,
    purpose: path.Purpose = "signer",
) -> Judgement:
    """How `leaf` stood at `at`; `extra` came with the signature and helps to build the path, never to trust it.

    `enclosed` is revocation data that came inside; `purpose` says which authorities may vouch, and for what use.
    """
    if not (enclosed.crls or enclosed.responses):
        enclosed = revocation.NOTHING
    # Identity is enough and quick: what was read before from the same bytes is the same object.
    key = (id(leaf), purpose, *map(id, extra)) if extra else (id(leaf), purpose)
    known: _Known | None = trust.remembered.get(key) if enclosed is revocation.NOTHING else None
    if known and known[0] <= at < known[1]:
        return known[2]
    moment = Moment(at)
    judgement = _judge(leaf, extra, _Case(trust=trust, enclosed=enclosed, purpose=purpose), moment)
    if enclosed is revocation.NOTHING and len(extra) <= _REMEMBERED_EXTRA:
        _remember(trust, key, _Known(moment.since, moment.until, judgement, (leaf, *extra)))
    return judgement


class _Known(NamedTuple):
    """A judgement, the span of moments for which it holds, and its certificates: while it is kept, their ids are theirs."""

    since: datetime
    until: datetime
    judgement: Judgement
    certificates: tuple[x509.Certificate, ...]


def _remember(trust: Trust, key: tuple[object, ...], known: _Known) -> None:
    if sum(len(keys.der(one)) for one in known.certificates) <= _REMEMBERED_BYTES:
        if len(trust.remembered) >= _REMEMBERED:
            trust.remembered.clear()
        trust.remembered[key] = known


@dataclass(frozen=True, kw_only=True)
class _Case:
    """What a judgement rests on beside certificates and moment."""

    trust: Trust
    enclosed: revocation.Enclosed
    purpose: path.Purpose

    @property
    def store(self) -> Authorities:
        """The authorities that may vouch for this purpose."""
        return self.trust.timestamping if self.purpose == "timestamp" else self.trust


def _judge(
    leaf: x509.Certificate, extra: Sequence[x509.Certificate], case: _Case, moment: Moment
) -> Judgement:
    signer, others = certificate_facts.read(leaf), path.all_read(extra)
    if signer is None:
        return _UNREADABLE
    found = path.search(signer, others, case.store, moment, purpose=case.purpose)
    if not isinstance(found, path.Failure):
        return _told(found, _asked(found, others, case, moment), case)
    if found.sub_indication is SubIndication.OUT_OF_BOUNDS_NO_POE:
        return _expired(signer, others, case)
    return Judgement(_indication(found.sub_indication), found.sub_indication, found.why, False, ())


def _expired(signer: Facts, others: path.Chain, case: _Case) -> Judgement:
    """What had become of a certificate by its last day: revoked, or known not to be, is more than that it ran out."""
    last = Moment(signer.valid_to)
    found = path.search(signer, others, case.store, last, purpose=case.purpose)
    if isinstance(found, path.Failure):
        return _EXPIRED
    outcome = _asked(found, others, case, last)
    if outcome.standing is Standing.REVOKED:
        return _told(found, outcome, case)
    if outcome.standing is not Standing.GOOD:
        return _EXPIRED
    used = _told(found, outcome, case).evidence
    return _EXPIRED._replace(sub_indication=SubIndication.OUT_OF_BOUNDS_NOT_REVOKED, evidence=used)


def _asked(found: path.Chain, others: path.Chain, case: _Case, moment: Moment) -> revocation.Outcome:
    sources = revocation.Sources(
        lists=(case.trust.revocation, case.enclosed.lists),
        answers=(case.trust.responses, case.enclosed.answers),
        authorities=case.store,
        others=others,
    )
    return revocation.check(found, sources, moment)


def _told(found: path.Chain, outcome: revocation.Outcome, case: _Case) -> Judgement:
    """The judgement, whose evidence brings along what the trust set may lack."""
    authorities = tuple(evidence.certificate(authority.certificate) for authority in found[1:])
    inside = case.enclosed.documents() if outcome.evidence else {}
    used = [evidence.Brought(one, *inside[one]) if one in inside else one for one in outcome.evidence]
    return Judgement(
        _indication(outcome.sub_indication),
        outcome.sub_indication,
        outcome.why or PASSED[outcome.provisional],
        outcome.provisional,
        (*authorities, *used),
    )


class Shown(NamedTuple):
    """What a verdict shows of a signer."""

    certificate: x509.Certificate
    der: bytes
    name: str


_shown: dict[int, Shown] = {}


def shown(leaf: x509.Certificate) -> Shown:
    """The signer's certificate in DER and its name; small certificates are remembered by identity, as judgements are."""
    known = _shown.get(id(leaf))
    if known and known.certificate is leaf:
        return known
    found = Shown(leaf, keys.der(leaf), name(leaf))
    if len(found.der) <= _REMEMBERED_BYTES:
        if len(_shown) >= _REMEMBERED:
            _shown.clear()
        _shown[id(leaf)] = found
    return found


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
