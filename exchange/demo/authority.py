"""The demo's own certification authority, and who holds which certificate: by rule, with keys made anew each time.

Nobody else trusts it, and it trusts nobody else. 411 agencies have a certificate of their own and 41 have none
(reference page rules_and_measures, section 0, finding 9); every leader and deputy has one.
"""

import base64
import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from signing import keys

WITHOUT_OWN_SEAL = 41
REVOKED_DAYS = 20
ISSUED_DAYS = 30
BASIS = "Quyết định cấp chứng thư (trình diễn)"
PARENT_SEAL = "Sử dụng con dấu của cơ quan cấp trên (trình diễn)"
ADMINISTRATORS = "quan.tri.1;quan.tri.2"


@dataclass(frozen=True, kw_only=True)
class Person:
    """An officer as the demo needs it: whose, code within the agency, name."""

    agency: str
    code: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Exceptions:
    """What is not as it should be: agency codes whose seal is unconfirmed or revoked, and child -> parent of a shared seal."""

    unconfirmed: frozenset[str] = frozenset()
    revoked: frozenset[str] = frozenset()
    shared: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A root, what it issued to agencies (by code) and persons (by agency and officer code), and the revoked serials."""

    root: keys.Issuer
    issuer: keys.Issuer
    seals: Mapping[str, keys.Holder]
    persons: Mapping[tuple[str, str], keys.Holder]
    revocations: tuple[bytes, ...]


def issue(seals: Mapping[str, str], persons: Iterable[Person], odd: Exceptions, at: datetime) -> Authority:
    """Certificates for agencies (code -> name) and persons, as of `at`."""
    start = at - timedelta(days=ISSUED_DAYS)
    root = keys.root("Root CA trình diễn", key=keys.new_key("p256"), at=start)
    issuer = keys.subordinate(root, "CA cơ quan nhà nước (trình diễn)", key=keys.new_key("p256"), at=start)
    serials = iter(range(1_000, 1_000_000))
    kinds = {code: "rsa2048" if position < 2 else "p256" for position, code in enumerate(seals)}  # noqa: PLR2004 - a few
    holders = {
        code: _holder(issuer, name, kinds[code], serial=next(serials), at=start)
        for code, name in seals.items()
    }
    people = {
        (one.agency, one.code): _holder(issuer, one.name, "p256", serial=next(serials), at=start)
        for one in persons
    }
    revoked = {
        holders[code].certificate.serial_number: at - timedelta(days=REVOKED_DAYS)
        for code in sorted(odd.revoked)
    }
    listed = at - timedelta(hours=1)
    lists = (keys.revocation_list(root, {}, at=listed), keys.revocation_list(issuer, revoked, at=listed))
    return Authority(root=root, issuer=issuer, seals=holders, persons=people, revocations=lists)


def _holder(issuer: keys.Issuer, name: str, kind: str, *, serial: int, at: datetime) -> keys.Holder:
    key = keys.new_key(kind)
    certificate = keys.certificate(issuer, _common_name(name), key.public_key(), at=at, serial=serial)
    return keys.Holder(certificate=certificate, key=key)


def _common_name(name: str) -> str:
    """The name as it fits into a certificate: at most 64 bytes (RFC 5280 appendix A), no letter cut in half."""
    return name.encode()[:64].decode(errors="ignore").strip()


def publish(authority: Authority, trust_folder: Path, crl_folder: Path) -> None:
    """Write what an exchange has to trust, as an operator would: root and issuer, and their revocation lists."""
    for folder in (trust_folder, crl_folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name, one in (("root", authority.root), ("issuer", authority.issuer)):
        (trust_folder / f"{name}.der").write_bytes(keys.Holder(certificate=one.certificate, key=one.key).der)
    for number, listed in enumerate(authority.revocations):
        (crl_folder / f"{number}.crl").write_bytes(listed)


def sheet(authority: Authority, odd: Exceptions, at: datetime) -> bytes:
    """Whose the certificates are, as the CSV that `congvan directory certificate import` takes."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["agency", "kind", "officer", "certificate", "valid_from", "basis", "confirmed_by"])
    day = (at - timedelta(days=ISSUED_DAYS)).date().isoformat()
    for code, holder in authority.seals.items():
        confirmed = "" if code in odd.unconfirmed else ADMINISTRATORS
        writer.writerow([code, "organisation", "", _text(holder), day, BASIS, confirmed])
    for child, parent in odd.shared:
        writer.writerow(
            [child, "organisation", "", _text(authority.seals[parent]), day, PARENT_SEAL, ADMINISTRATORS]
        )
    for (code, officer), holder in authority.persons.items():
        writer.writerow([code, "individual", officer, _text(holder), day, BASIS, ADMINISTRATORS])
    return file.getvalue().encode()


def _text(holder: keys.Holder) -> str:
    return base64.b64encode(holder.der).decode()
