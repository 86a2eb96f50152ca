"""Revocation lists (danh sách chứng thư bị thu hồi, CRL): read once, sorted, asked many times (RFC 5280 §5).

Theory of operation. A list is read once into a table serial number -> entry, so asking costs the same for 10 and for
50,000 entries; what an entry says is decoded when it is asked for. Lists that speak for several issuers (indirect)
have a table per issuer. A delta list says only what changed since a complete one (its base) and counts only together
with it: `views` gives each complete list alone and with every delta that fits.

What an entry is about may depend on critical extensions of entries. Few lists have any, and finding out costs as much
as reading the list, so their bytes are looked for first.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from signing import algorithms, names
from signing.certificate_facts import Facts

MOST_BYTES = 1 << 26
MOST_ENTRIES = 1 << 20
_CRITICAL = b"\x01\x01\xff\x04"  # BOOLEAN TRUE before an OCTET STRING: an extension that is critical
_REMOVED = x509.CRLReason(x509.ReasonFlags.remove_from_crl)
_HOLD = x509.CRLReason(x509.ReasonFlags.certificate_hold)
_KNOWN_IN_ENTRIES = (x509.CRLReason, x509.InvalidityDate, x509.CertificateIssuer)


@dataclass(frozen=True, kw_only=True, eq=False)
class List:
    """One revocation list (CRL), read once: `revoked` is issuer -> serial number -> entry, `scope` what it limits.

    `number` is the list's own, `base` for a delta the number of the complete list that it starts from.
    """

    crl: x509.CertificateRevocationList
    der: bytes
    sha256: str
    issuer: names.Folded
    this_update: datetime
    next_update: datetime
    scope: x509.IssuingDistributionPoint | None
    number: int | None
    base: int | None
    revoked: Mapping[names.Folded, Mapping[int, x509.RevokedCertificate]]
    _signers: dict[Facts, bool] = field(default_factory=dict, repr=False)

    def signed_by(self, signer: Facts) -> bool:
        """Whether this key signed the list and may do so; remembered, for a long list takes long to hash."""
        if signer not in self._signers:
            self._signers[signer] = signer.may_list and _is_signed(self.crl, signer)
        return self._signers[signer]


@dataclass(frozen=True, kw_only=True)
class Lists:
    """All revocation lists at hand, by the issuer's name in one spelling, newest first."""

    by_issuer: Mapping[names.Folded, tuple[List, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def all(self) -> tuple[List, ...]:
        """Every list, in no meaningful order."""
        return tuple(one for lists in self.by_issuer.values() for one in lists)


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """A complete list, alone or as changed by a delta: as new, and running out as late, as the newer of the two."""

    complete: List
    delta: List | None = None

    @property
    def newest(self) -> List:
        """The list by which this view stands and falls."""
        return self.delta or self.complete

    @property
    def lists(self) -> tuple[List, ...]:
        """The one or two lists."""
        return (self.complete, self.delta) if self.delta else (self.complete,)

    def entry(self, issuer: names.Folded, serial: int) -> x509.RevokedCertificate | None:
        """What it says of one certificate, or None when that is neither revoked nor held."""
        changed = _entry(self.delta, issuer, serial) if self.delta else None
        if changed is None:
            return _entry(self.complete, issuer, serial)
        return None if _has_reason(changed, _REMOVED) else changed


def read(der: bytes) -> List:
    """One list from DER. Raises ValueError when it cannot be read, is too long or is of a kind that we do not evaluate."""
    if len(der) > MOST_BYTES:
        raise ValueError("a revocation list of more than 64 MiB")
    crl = x509.load_der_x509_crl(der)
    if crl.next_update_utc is None:
        raise ValueError("a revocation list without nextUpdate never runs out")
    if len(crl) > MOST_ENTRIES:
        raise ValueError("a revocation list of more than a million entries")
    stated = _Stated(crl)
    issuer = names.folded(crl.issuer)
    return List(
        crl=crl,
        der=der,
        sha256=hashlib.sha256(der).hexdigest(),
        issuer=issuer,
        this_update=crl.last_update_utc,
        next_update=crl.next_update_utc,
        scope=stated.scope,
        number=stated.number,
        base=stated.base,
        revoked=_table(crl, der, issuer, indirect=bool(stated.scope and stated.scope.indirect_crl)),
    )


def collect(lists: Iterable[List]) -> Lists:
    """The lists sorted by issuer, newest first."""
    by_issuer: dict[names.Folded, list[List]] = {}
    for one in lists:
        by_issuer.setdefault(one.issuer, []).append(one)
    newest_first = {
        issuer: tuple(sorted(group, key=lambda one: one.this_update, reverse=True))
        for issuer, group in by_issuer.items()
    }
    return Lists(by_issuer=MappingProxyType(newest_first))


def joined(ours: Lists, theirs: Lists) -> Lists:
    """The lists of both."""
    return collect((*ours.all, *theirs.all)) if theirs.by_issuer else ours


def views(lists: Iterable[List]) -> Iterator[View]:
    """Each complete list of one issuer alone, and with each delta that fits it (RFC 5280 §5.2.4)."""
    held = tuple(lists)
    deltas = [one for one in held if one.base is not None]
    for one in held:
        if one.base is None:
            yield View(complete=one)
            yield from (View(complete=one, delta=delta) for delta in deltas if _fits(one, delta))


def is_hold(entry: x509.RevokedCertificate) -> bool:
    """Whether the certificate is only held (tạm dừng), and may be released."""
    return _has_reason(entry, _HOLD)


def _fits(complete: List, delta: List) -> bool:
    if complete.number is None or delta.number is None or delta.base is None:
        return False
    return complete.scope == delta.scope and delta.base <= complete.number < delta.number


def _is_signed(crl: x509.CertificateRevocationList, signer: Facts) -> bool:
    key = signer.certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return False
    strong = signer.key_strong and algorithms.is_signed_strongly(crl)
    return bool(strong and crl.is_signature_valid(key))


def _entry(one: List, issuer: names.Folded, serial: int) -> x509.RevokedCertificate | None:
    return one.revoked.get(issuer, {}).get(serial)


def _has_reason(entry: x509.RevokedCertificate, reason: x509.CRLReason) -> bool:
    try:
        return any(extension.value == reason for extension in entry.extensions)
    except (ValueError, x509.DuplicateExtension):
        return False


class _Stated:
    """What the list states of itself; ValueError for a critical extension that we do not know."""

    scope: x509.IssuingDistributionPoint | None = None
    number: int | None = None
    base: int | None = None

    def __init__(self, crl: x509.CertificateRevocationList) -> None:
        for extension in crl.extensions:
            match extension.value:
                case x509.IssuingDistributionPoint() as scope:
                    self.scope = scope
                case x509.CRLNumber(crl_number=number):
                    self.number = number
                case x509.DeltaCRLIndicator(crl_number=base):
                    self.base = base
                case _ if extension.critical:
                    raise ValueError("a revocation list with an unknown critical extension")
        if self.scope and self.scope.only_contains_attribute_certs:
            raise ValueError("a revocation list of attribute certificates")


def _table(
    crl: x509.CertificateRevocationList, der: bytes, issuer: names.Folded, *, indirect: bool
) -> Mapping[names.Folded, Mapping[int, x509.RevokedCertificate]]:
    entries = {entry.serial_number: entry for entry in crl}
    if not indirect and len(entries) == len(crl) and not _has_critical_entries(crl, der):
        return MappingProxyType({issuer: MappingProxyType(entries)})
    return _told_apart(crl, issuer, indirect=indirect)


def _has_critical_entries(crl: x509.CertificateRevocationList, der: bytes) -> bool:
    """Whether entries may have critical extensions: more bytes look like it than the list's own extensions explain."""
    own = len([extension for extension in crl.extensions if extension.critical])
    return der.count(_CRITICAL) > own


def _told_apart(
    crl: x509.CertificateRevocationList, issuer: names.Folded, *, indirect: bool
) -> Mapping[names.Folded, Mapping[int, x509.RevokedCertificate]]:
    """Entry by entry: whose certificate (§5.3.3: as the entry before, if not said), the earliest where there are two."""
    tables: dict[names.Folded, dict[int, x509.RevokedCertificate]] = {}
    for entry in crl:
        for extension in entry.extensions:
            if extension.critical and not isinstance(extension.value, _KNOWN_IN_ENTRIES):
                raise ValueError("a revocation list with an unknown critical extension of an entry")
            if isinstance(extension.value, x509.CertificateIssuer):
                issuer = _named(extension.value, indirect=indirect)
        table = tables.setdefault(issuer, {})
        known = table.get(entry.serial_number)
        if known is None or entry.revocation_date_utc < known.revocation_date_utc:
            table[entry.serial_number] = entry
    return MappingProxyType({name: MappingProxyType(table) for name, table in tables.items()})


def _named(value: x509.CertificateIssuer, *, indirect: bool) -> names.Folded:
    found = value.get_values_for_type(x509.DirectoryName)
    if not indirect or len(found) != 1:
        raise ValueError("a revocation list that names issuers of entries wrongly")
    return names.folded(found[0])
