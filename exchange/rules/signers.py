"""Who signed (chữ ký số của cơ quan, tổ chức / của cá nhân): the directory's answer for one certificate.

Certificates of state agencies do not say whether an agency or a person holds them, so nothing is guessed
from them: a confirmed row of the directory decides, and the same certificate may have several rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from uuid import UUID

from exchange.rules import directory
from signing.verdict import Verdict


class Standing(IntEnum):
    """What a signer is to the sender (From); the best comes first.

    UNCONFIRMED: would be own or representing, but nobody confirmed the row. UNKNOWN: no row that counts.
    """

    OWN = 0
    REPRESENTING = 1
    UNCONFIRMED = 2
    OTHER = 3
    UNKNOWN = 4


@dataclass(frozen=True, kw_only=True)
class Signer:
    """One signer as the directory knows it. `place` is package, main or annex, where the signature stands.

    `kind`: organisation, individual, device or unknown. `name` is the directory's, else the certificate's.
    `organisation` and `individual` tell the standing of the certificate in each capacity, since one
    certificate may be registered as both.
    """

    kind: str
    name: str
    place: str
    standing: Standing
    organisation: Standing
    individual: Standing
    agency: UUID | None = None
    officer: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class _Row:
    certificate: directory.Certificate
    standing: Standing


def identify(verdict: Verdict, place: str, sender: UUID, snapshot: directory.Directory, on: date) -> Signer:
    """The signer behind a verdict's certificate, as of a day; of several rows the one closest to the sender."""
    rows = sorted(_rows(verdict, sender, snapshot, on), key=_rank)
    if not rows:
        return Signer(
            kind="unknown",
            name=verdict.signer_name,
            place=place,
            standing=Standing.UNKNOWN,
            organisation=Standing.UNKNOWN,
            individual=Standing.UNKNOWN,
        )
    best = rows[0].certificate
    return Signer(
        kind=best.kind,
        name=_name(best, snapshot) or verdict.signer_name,
        place=place,
        standing=rows[0].standing,
        organisation=_best(rows, "organisation"),
        individual=_best(rows, "individual"),
        agency=_home(best),
        officer=best.officer,
    )


def _rows(verdict: Verdict, sender: UUID, snapshot: directory.Directory, on: date) -> Iterable[_Row]:
    if not verdict.certificate:
        return
    for row in directory.signers(snapshot, bytes.fromhex(verdict.certificate_sha256), on):
        standing = _standing(row, sender, snapshot, on)
        if standing is not Standing.UNKNOWN:
            yield _Row(certificate=row, standing=standing)


def _standing(row: directory.Certificate, sender: UUID, snapshot: directory.Directory, on: date) -> Standing:
    """A proposed row counts for nothing; it is told apart where confirming it would make a good signer of it."""
    home = _home(row)
    standing = Standing.OTHER
    if home == sender:
        standing = Standing.OWN
    elif directory.represents(snapshot, home, sender, on):
        standing = Standing.REPRESENTING
    if row.confirmed:
        return standing
    wanted = standing is Standing.OWN or (standing is Standing.REPRESENTING and row.kind == "individual")
    return Standing.UNCONFIRMED if wanted else Standing.UNKNOWN


def _home(row: directory.Certificate) -> UUID:
    """The agency a signer belongs to: an officer's own, whichever agency the row was proposed by."""
    return row.officer_agency or row.agency


def _rank(row: _Row) -> tuple[Standing, int]:
    return row.standing, ("organisation", "individual", "device").index(row.certificate.kind)


def _best(rows: Iterable[_Row], kind: str) -> Standing:
    return min((row.standing for row in rows if row.certificate.kind == kind), default=Standing.UNKNOWN)


def _name(row: directory.Certificate, snapshot: directory.Directory) -> str:
    agency = snapshot.agencies.get(row.agency)
    return row.officer_name if row.kind == "individual" else agency.name if agency else ""
