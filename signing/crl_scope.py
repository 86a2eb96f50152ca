"""Which certificates a revocation list speaks for, and for which reasons (RFC 5280 §6.3.3 b to e)."""

from collections.abc import Iterable, Iterator

from cryptography import x509

from signing import names
from signing.certificate_facts import Facts
from signing.crl import List

Reasons = frozenset[x509.ReasonFlags]

ALL: Reasons = frozenset(x509.ReasonFlags) - {x509.ReasonFlags.unspecified, x509.ReasonFlags.remove_from_crl}


def reasons(one: List, certificate: Facts) -> Reasons:
    """The reasons for which the list would name this certificate; none when it does not speak for it."""
    if not _for_kind(one.scope, certificate):
        return frozenset()
    limited = (one.scope.only_some_reasons if one.scope else None) or ALL
    found: Reasons = frozenset()
    for point in (*certificate.points, None):
        if _matches(one, certificate, point):
            found |= limited & ((point.reasons if point else None) or ALL)
    return found


def other_issuers(certificate: Facts) -> frozenset[names.Folded]:
    """Who else than its issuer may list this certificate, by its own words."""
    named = (one for point in certificate.points for one in _directory(point.crl_issuer or ()))
    return frozenset(named) - {certificate.issuer}


def _for_kind(scope: x509.IssuingDistributionPoint | None, certificate: Facts) -> bool:
    if scope is None:
        return True
    return not (
        (scope.only_contains_ca_certs and not certificate.authority)
        or (scope.only_contains_user_certs and certificate.authority)
    )


def _matches(one: List, certificate: Facts, point: x509.DistributionPoint | None) -> bool:
    """Whether the list is of this distribution point; without one, of the place that the issuer's name stands for."""
    named = tuple(_directory(point.crl_issuer)) if point and point.crl_issuer else ()
    if named:
        if one.issuer not in named or not (one.scope and one.scope.indirect_crl):
            return False
    elif one.issuer != certificate.issuer:
        return False
    places = _places(one.scope, one.issuer)
    return not places or not places.isdisjoint(_pointed(point, certificate, named))


def _pointed(
    point: x509.DistributionPoint | None, certificate: Facts, named: tuple[names.Folded, ...]
) -> frozenset[object]:
    """Places where the certificate says its list is."""
    if point is None:
        return frozenset({certificate.issuer})
    return _places(point, named[0] if named else certificate.issuer) or frozenset(named)


def _places(
    point: x509.DistributionPoint | x509.IssuingDistributionPoint | None, issuer: names.Folded
) -> frozenset[object]:
    if point is None:
        return frozenset()
    if point.relative_name:
        return frozenset({(*issuer, names.relative(point.relative_name))})
    return frozenset(names.general(one) for one in point.full_name or ())


def _directory(given: Iterable[x509.GeneralName]) -> Iterator[names.Folded]:
    return (names.folded(one.value) for one in given if isinstance(one, x509.DirectoryName))
