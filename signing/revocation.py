"""Whether a certificate was revoked (thu hồi) before a moment, from revocation lists given to us (RFC 5280 §5, §6.3).

Theory of operation. A list is read once into a table serial -> entry, so asking costs the same for 10 and for
50,000 entries. It counts only when the issuer of the certificate signed it, its scope includes the certificate,
and it had not run out (`next_update`) at the moment asked about. A list made after that moment is the best
evidence there is; one made before it can only give a provisional "good", to be asked again with a later list.

No list, only run-out lists or only lists by somebody else: INDETERMINATE/TRY_LATER, never passed.
Delta lists, indirect lists and lists limited to some reasons are not read: they count as no list.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from signing import algorithms, crl, ocsp
from signing.verdict import SubIndication

MOST_ENCLOSED = 64
MOST_ENCLOSED_BYTES = 8 << 20
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension)
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Enclosed:
    """Revocation data that came inside a signature (DSS, XAdES, CMS), in DER; as evidence it is worth what configured
    data is worth, for what counts is whose key signed it. What cannot be read, or is too much, is passed over.
    """

    crls: tuple[bytes, ...] = ()
    responses: tuple[bytes, ...] = ()

    @cached_property
    def lists(self) -> crl.Lists:
        """The lists that can be read."""
        return crl.collect(_read(crl.read, _affordable(self.crls)))

    @cached_property
    def answers(self) -> ocsp.Responses:
        """The answers in the responses that can be read."""
        return ocsp.collect(_read(ocsp.read, _affordable(self.responses)))


def _affordable(files: Iterable[bytes]) -> Iterator[bytes]:
    left = MOST_ENCLOSED_BYTES
    for number, raw in enumerate(files):
        left -= len(raw)
        if left < 0 or number == MOST_ENCLOSED:
            return
        yield raw


def _read(parse: Callable[[bytes], _T], files: Iterable[bytes]) -> Iterator[_T]:
    for raw in files:
        with suppress(*_UNREADABLE):
            yield parse(raw)


class Standing(StrEnum):
    """What the lists say of a path."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the lists say of a whole path at a moment (kết quả tra cứu thu hồi).

    `provisional`: good by lists older than the moment. `evidence`: hex SHA-256 of the lists used.
    """

    standing: Standing
    provisional: bool = False
    sub_indication: SubIndication | None = None
    why: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What the lists say of one certificate; `used` decided it, `stale` means that only run-out lists were there."""

    standing: Standing
    used: crl.List | None = None
    stale: bool = False


def check(chain: Sequence[x509.Certificate], lists: crl.Lists, at: datetime) -> Outcome:
    """What `lists` say at `at` of a path, signer first and root last; the root itself is trusted by configuration."""
    answers = [_ask(certificate, issuer, lists, at) for certificate, issuer in pairwise(chain)]
    used = [answer.used for answer in answers if answer.used]
    evidence = tuple(dict.fromkeys(one.sha256 for one in used))
    for position, answer in enumerate(answers):
        if answer.standing is Standing.REVOKED:
            return _revoked(position, evidence)
    unknown = [answer for answer in answers if answer.standing is Standing.UNKNOWN]
    if unknown:
        why = "revocation_stale" if unknown[0].stale else "revocation_missing"
        return Outcome(
            standing=Standing.UNKNOWN, sub_indication=SubIndication.TRY_LATER, why=why, evidence=evidence
        )
    return Outcome(
        standing=Standing.GOOD, provisional=any(one.this_update < at for one in used), evidence=evidence
    )


def _revoked(position: int, evidence: tuple[str, ...]) -> Outcome:
    sub, why = (
        (SubIndication.REVOKED_CA_NO_POE, "authority_revoked")
        if position
        else (SubIndication.REVOKED_NO_POE, "certificate_revoked")
    )
    return Outcome(standing=Standing.REVOKED, sub_indication=sub, why=why, evidence=evidence)


def _ask(certificate: x509.Certificate, issuer: x509.Certificate, lists: crl.Lists, at: datetime) -> _Answer:
    """One certificate: any list may convict it, the newest that still had to name it may acquit it."""
    ours = [
        one
        for one in lists.by_issuer.get(_issuer_name(certificate), ())
        if _speaks_for(one, certificate, issuer)
    ]
    for position, one in enumerate(ours):
        since = one.revoked.get(certificate.serial_number)
        # A certificate on hold may have been released since: only the newest list tells.
        if since and since <= at and (position == 0 or not _on_hold(one, certificate)):
            return _Answer(standing=Standing.REVOKED, used=one)
    # Lists may drop certificates after their last day (RFC 5280 §3.3): later lists acquit nobody.
    acquitting = [
        one for one in ours if one.next_update >= at and one.this_update <= certificate.not_valid_after_utc
    ]
    if acquitting:
        return _Answer(standing=Standing.GOOD, used=acquitting[0])
    return _Answer(standing=Standing.UNKNOWN, stale=bool(ours))


def _speaks_for(one: crl.List, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    return _in_scope(one.scope, certificate) and _signed_by(one, issuer)


@lru_cache(maxsize=1024)
def _issuer_name(certificate: x509.Certificate) -> bytes:
    return certificate.issuer.public_bytes()


def _on_hold(one: crl.List, certificate: x509.Certificate) -> bool:
    entry = one.crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    reasons = [] if entry is None else [extension.value for extension in entry.extensions]
    return x509.CRLReason(x509.ReasonFlags.certificate_hold) in reasons


@lru_cache(maxsize=256)
def _signed_by(one: crl.List, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key signed the list and may do so; remembered, for a long list takes long to hash."""
    key = issuer.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return False
    if not (algorithms.key_is_strong(key) and algorithms.is_signed_strongly(one.crl)):
        return False
    usage = [extension.value for extension in issuer.extensions if isinstance(extension.value, x509.KeyUsage)]
    return all(allowed.crl_sign for allowed in usage) and one.crl.is_signature_valid(key)


def _in_scope(scope: x509.IssuingDistributionPoint | None, certificate: x509.Certificate) -> bool:
    if scope is None:
        return True
    values = [extension.value for extension in certificate.extensions]
    authority = any(isinstance(value, x509.BasicConstraints) and value.ca for value in values)
    if (scope.only_contains_ca_certs and not authority) or (scope.only_contains_user_certs and authority):
        return False
    if scope.relative_name:
        return False
    points = [point for value in values if isinstance(value, x509.CRLDistributionPoints) for point in value]
    names = {name for point in points if not point.crl_issuer for name in point.full_name or ()}
    return not scope.full_name or not names.isdisjoint(scope.full_name)
