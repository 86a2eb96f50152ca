"""What one source says of one certificate: a revocation list, a list with its delta, or an OCSP answer."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from signing import crl, crl_scope, ocsp
from signing.certificate_facts import Facts
from signing.crl_scope import Reasons

HOLD = x509.ReasonFlags.certificate_hold


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One list, list with delta, or OCSP answer on one certificate; `since` when it names it as revoked or held."""

    this_update: datetime
    next_update: datetime
    reasons: Reasons
    evidence: tuple[str, ...]
    since: datetime | None = None
    held: bool = False
    knows: bool = True


def of_list(view: crl.View, certificate: Facts, by_other: tuple[str, ...]) -> Statement:
    """What a list says, alone or with its delta; `by_other` names who signed it for the issuer."""
    entry = view.entry(certificate.issuer, certificate.serial)
    return Statement(
        this_update=view.newest.this_update,
        next_update=view.newest.next_update,
        reasons=crl_scope.reasons(view.complete, certificate),
        evidence=(*(one.sha256 for one in view.lists), *by_other),
        since=entry.revocation_date_utc if entry else None,
        held=bool(entry and crl.is_hold(entry)),
    )


def of_answer(answer: ocsp.Answer, by_other: tuple[str, ...]) -> Statement:
    """What an OCSP answer says; `by_other` names who signed it for the issuer."""
    single = answer.single
    revoked = single.certificate_status is ocsp.Status.REVOKED
    return Statement(
        this_update=answer.this_update,
        next_update=answer.next_update,
        reasons=crl_scope.ALL,
        evidence=(answer.response.sha256, *by_other),
        since=single.revocation_time_utc if revoked else None,
        held=revoked and single.revocation_reason is HOLD,
        knows=single.certificate_status is not ocsp.Status.UNKNOWN,
    )
