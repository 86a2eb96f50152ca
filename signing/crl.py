"""Revocation lists (danh sách chứng thư bị thu hồi, CRL): read once, sorted, asked many times (RFC 5280 §5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives import hashes


@dataclass(frozen=True, kw_only=True, eq=False)
class List:
    """One revocation list (CRL), read once: `revoked` is serial number -> moment, `scope` what it limits itself to."""

    crl: x509.CertificateRevocationList
    sha256: str
    this_update: datetime
    next_update: datetime
    scope: x509.IssuingDistributionPoint | None
    revoked: Mapping[int, datetime]


@dataclass(frozen=True, kw_only=True)
class Lists:
    """All revocation lists at hand, by the issuer's name in DER, newest first."""

    by_issuer: Mapping[bytes, tuple[List, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def all(self) -> tuple[List, ...]:
        """Every list, in no meaningful order."""
        return tuple(one for lists in self.by_issuer.values() for one in lists)


def read(der: bytes) -> List:
    """One list from DER. Raises ValueError when it cannot be read or is of a kind that we do not evaluate."""
    crl = x509.load_der_x509_crl(der)
    if crl.next_update_utc is None:
        raise ValueError("a revocation list without nextUpdate never runs out")
    return List(
        crl=crl,
        sha256=crl.fingerprint(hashes.SHA256()).hex(),
        this_update=crl.last_update_utc,
        next_update=crl.next_update_utc,
        scope=_scope(crl),
        revoked=MappingProxyType({entry.serial_number: entry.revocation_date_utc for entry in crl}),
    )


def collect(lists: Iterable[List]) -> Lists:
    """The lists sorted by issuer, newest first."""
    by_issuer: dict[bytes, list[List]] = {}
    for one in lists:
        by_issuer.setdefault(one.crl.issuer.public_bytes(), []).append(one)
    newest_first = {
        issuer: tuple(sorted(group, key=lambda one: one.this_update, reverse=True))
        for issuer, group in by_issuer.items()
    }
    return Lists(by_issuer=MappingProxyType(newest_first))


def joined(ours: Lists, theirs: Lists) -> Lists:
    """The lists of both."""
    return collect((*ours.all, *theirs.all)) if theirs.by_issuer else ours


def _scope(crl: x509.CertificateRevocationList) -> x509.IssuingDistributionPoint | None:
    scope = None
    for extension in crl.extensions:
        if isinstance(extension.value, x509.IssuingDistributionPoint):
            scope = extension.value
        elif isinstance(extension.value, x509.DeltaCRLIndicator) or extension.critical:
            raise ValueError("a delta list, or one with an unknown critical extension")
    if scope and (scope.indirect_crl or scope.only_some_reasons or scope.only_contains_attribute_certs):
        raise ValueError("an indirect list, or one limited to some reasons or to attribute certificates")
    return scope
