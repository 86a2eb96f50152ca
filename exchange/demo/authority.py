"""The demo's own certification authorities, and who holds which certificate: by rule, with keys made anew each time.

Nobody else trusts them, and they trust nobody else. Of the 452 agencies 411 have a certificate of their own and 41 have
none (reference page rules_and_measures, section 0, finding 9); every leader and deputy has one, 300 of them an earlier one
too and 38 another for the treasury: 1,655 certificates, 411 of organisations and 1,244 of persons. The superior seals with
the certificate of its office, which keeps its seal.

    issuer     the authority of today: the city's own agencies, and what was issued in the last three years
    former     what is older; a new certificate of the same person replaces an earlier one
    treasury   certificates for payments, which sign no letters
"""

import base64
import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from exchange.rules import paper_class
from signing import keys

WITHOUT_OWN_SEAL = 41
EARLIER = 300
FOR_TREASURY = 38
ISSUED_DAYS = 30
YEAR = 365
LIFE_DAYS = 5 * YEAR
REVOKED_DAYS = 20
LONG_REVOKED_DAYS = 400
EXPIRED_DAYS, EXPIRING_DAYS = 50, 20
FIRST_SERIAL = 0x5401_0A00_0000_1000
BASIS = "Quyết định cấp chứng thư (trình diễn)"
PARENT_SEAL = "Sử dụng con dấu của cơ quan cấp trên (trình diễn)"
KEPT_SEAL = "Văn phòng giữ con dấu của Ủy ban nhân dân (trình diễn)"
ADMINISTRATORS = "quan.tri.1;quan.tri.2"


@dataclass(frozen=True, kw_only=True)
class Person:
    """An officer as the demo needs it: whose, code within the agency, name."""

    agency: str
    code: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Shared:
    """An agency that uses another's certificate, and why it may."""

    agency: str
    owner: str
    basis: str


@dataclass(frozen=True, kw_only=True)
class Exceptions:
    """What is not as it should be, by agency code: seals unconfirmed, revoked, lost (revoked too), expired, soon to expire.

    `people` are persons whose certificate was revoked long ago: (agency, code).
    """

    unconfirmed: frozenset[str] = frozenset()
    revoked: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    expired: frozenset[str] = frozenset()
    expiring: frozenset[str] = frozenset()
    people: frozenset[tuple[str, str]] = frozenset()
    shared: tuple[Shared, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Further:
    """A certificate that a person holds beside the one in use: an earlier one, or one for the treasury."""

    agency: str
    officer: str
    purpose: str
    holder: keys.Holder


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A root and its authorities, what they issued to agencies (by code) and persons (by agency and officer code).

    `issuer` is the authority of today, `others` the former one and the treasury's; `further` are persons' other certificates.
    """

    root: keys.Issuer
    issuer: keys.Issuer
    others: tuple[keys.Issuer, ...]
    seals: Mapping[str, keys.Holder]
    persons: Mapping[tuple[str, str], keys.Holder]
    further: tuple[Further, ...]
    revocations: tuple[bytes, ...]

    @property
    def certificates(self) -> int:
        """How many certificates there are."""
        return len(self.seals) + len(self.persons) + len(self.further)


@dataclass(frozen=True, kw_only=True)
class _Authorities:
    """The authorities while they issue: serial numbers, and whom they called revoked since when."""

    at: datetime
    root: keys.Issuer
    issuer: keys.Issuer
    former: keys.Issuer
    treasury: keys.Issuer
    serials: Iterator[int]
    revoked: dict[str, dict[int, datetime]]

    def issue(self, name: str, days: int, kind: str = "p256", *, treasury: bool = False) -> keys.Holder:
        """A certificate issued so many days ago, for five years, by the authority of that time."""
        at = self.at - timedelta(days=days)
        issuer = self.treasury if treasury else self.issuer if days < 3 * YEAR else self.former
        return _holder(issuer, name, kind, serial=next(self.serials), at=at)

    def revoke(self, holder: keys.Holder, days: int) -> None:
        """Call a certificate revoked, so many days ago."""
        issuer = holder.certificate.issuer.rfc4514_string()
        self.revoked.setdefault(issuer, {})[holder.certificate.serial_number] = self.at - timedelta(days=days)

    def lists(self) -> tuple[bytes, ...]:
        """A revocation list of each, made an hour ago."""
        listed = self.at - timedelta(hours=1)
        named = [(one, one.certificate.subject.rfc4514_string()) for one in self.everybody]
        return tuple(keys.revocation_list(one, self.revoked.get(name, {}), at=listed) for one, name in named)

    @property
    def everybody(self) -> tuple[keys.Issuer, ...]:
        """Root and authorities."""
        return self.root, self.issuer, self.former, self.treasury


def issue(
    seals: Mapping[str, str], persons: Iterable[Person], odd: Exceptions, at: datetime, *, rsa: int = 2
) -> Authority:
    """Certificates for agencies (code -> name) and persons, as of `at`; the first `rsa` seals have RSA keys."""
    ours, people = _authorities(at), tuple(persons)
    kinds = {code: "rsa2048" if position < rsa else "p256" for position, code in enumerate(seals)}
    holders = {
        code: ours.issue(name, _age(code, odd, position), kinds[code])
        for position, (code, name) in enumerate(seals.items())
    }
    held = {
        (one.agency, one.code): ours.issue(one.name, _years(one.agency, n)) for n, one in enumerate(people)
    }
    further = (*_earlier(ours, people[:EARLIER]), *_for_treasury(ours, people))
    for code in sorted(odd.revoked | odd.lost):
        ours.revoke(holders[code], REVOKED_DAYS)
    for key in sorted(odd.people):
        ours.revoke(held[key], LONG_REVOKED_DAYS)
    return Authority(
        root=ours.root,
        issuer=ours.issuer,
        others=(ours.former, ours.treasury),
        seals=holders,
        persons=held,
        further=further,
        revocations=ours.lists(),
    )


def _authorities(at: datetime) -> _Authorities:
    start = at - timedelta(days=12 * YEAR)
    root = keys.root("Root CA trình diễn", key=keys.new_key("p256"), at=start, days=20 * YEAR)
    names = (
        "CA cơ quan nhà nước (trình diễn)",
        "CA cơ quan nhà nước G1 (trình diễn)",
        "CA Kho bạc (trình diễn)",
    )
    issuer, former, treasury = (
        keys.subordinate(root, name, key=keys.new_key("p256"), at=start, days=20 * YEAR) for name in names
    )
    return _Authorities(
        at=at,
        root=root,
        issuer=issuer,
        former=former,
        treasury=treasury,
        serials=count(FIRST_SERIAL),
        revoked={},
    )


def _age(code: str, odd: Exceptions, position: int) -> int:
    """How many days ago a seal's certificate was issued."""
    if code in odd.expired:
        return LIFE_DAYS + EXPIRED_DAYS
    if code in odd.expiring:
        return LIFE_DAYS - EXPIRING_DAYS
    return _years(code, position)


def _years(agency: str, position: int) -> int:
    """The city's own agencies renewed a month ago; the others in one of the last four years."""
    return ISSUED_DAYS if agency.count(".") < 2 else ISSUED_DAYS + position % 4 * YEAR  # noqa: PLR2004 - levels


def _earlier(ours: _Authorities, people: Iterable[Person]) -> Iterator[Further]:
    """What came before: run out some years ago, and every tenth revoked because the device was lost."""
    for position, one in enumerate(people):
        holder = ours.issue(one.name, LIFE_DAYS + EXPIRED_DAYS + position % 4 * YEAR)
        if position % 10 == 0:
            ours.revoke(holder, LIFE_DAYS)
        yield Further(agency=one.agency, officer=one.code, purpose="exchange", holder=holder)


def _for_treasury(ours: _Authorities, people: Sequence[Person]) -> Iterator[Further]:
    """Leaders who sign payments too: the first agencies', every other year one more."""
    leaders = [one for one in people if one.code == "01"]
    for position, one in enumerate(leaders[:FOR_TREASURY]):
        holder = ours.issue(one.name, 4 * ISSUED_DAYS + position % 3 * YEAR, treasury=True)
        yield Further(agency=one.agency, officer=one.code, purpose="treasury", holder=holder)


def _holder(issuer: keys.Issuer, name: str, kind: str, *, serial: int, at: datetime) -> keys.Holder:
    key = keys.new_key(kind)
    certificate = keys.certificate(issuer, _common_name(name), key.public_key(), at=at, serial=serial)
    return keys.Holder(certificate=certificate, key=key)


def _common_name(name: str) -> str:
    """The name as it fits into a certificate: at most 64 bytes (RFC 5280 appendix A), no letter cut in half."""
    return name.encode()[:64].decode(errors="ignore").strip()


def publish(authority: Authority, trust_folder: Path, crl_folder: Path) -> None:
    """Write what an exchange has to trust, as an operator would: root and authorities, and their revocation lists."""
    for folder in (trust_folder, crl_folder):
        folder.mkdir(parents=True, exist_ok=True)
    everybody = (authority.root, authority.issuer, *authority.others)
    for name, one in zip(("root", "issuer", "former", "treasury"), everybody, strict=True):
        (trust_folder / f"{name}.der").write_bytes(keys.Holder(certificate=one.certificate, key=one.key).der)
    for number, listed in enumerate(authority.revocations):
        (crl_folder / f"{number}.crl").write_bytes(listed)


def sheet(authority: Authority, odd: Exceptions) -> bytes:
    """Whose the certificates are, as the CSV that `congvan directory certificate import` takes.

    Rows begin and end with their certificates; the use of somebody else's begins a day later.
    """
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(
        ["agency", "kind", "officer", "certificate", "purpose", "valid_from", "basis", "confirmed_by"]
    )
    for code, holder in authority.seals.items():
        confirmed = "" if code in odd.unconfirmed else ADMINISTRATORS
        writer.writerow([code, "organisation", "", _text(holder), "exchange", "", BASIS, confirmed])
    for one in odd.shared:
        owned = authority.seals[one.owner]
        begun = paper_class.local_day(owned.certificate.not_valid_before_utc)
        day = (begun + timedelta(days=1)).isoformat()
        writer.writerow(
            [one.agency, "organisation", "", _text(owned), "exchange", day, one.basis, ADMINISTRATORS]
        )
    held = [(agency, officer, holder, "exchange") for (agency, officer), holder in authority.persons.items()]
    held += [(one.agency, one.officer, one.holder, one.purpose) for one in authority.further]
    for agency, officer, holder, purpose in held:
        writer.writerow([agency, "individual", officer, _text(holder), purpose, "", BASIS, ADMINISTRATORS])
    return file.getvalue().encode()


def _text(holder: keys.Holder) -> str:
    return base64.b64encode(holder.der).decode()
