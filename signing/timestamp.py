# mypy: allow-untyped-calls
# asn1crypto ships no complete types.

"""Timestamp tokens (dấu thời gian, RFC 3161): what moment a token proves for a digest, and whether it can be believed.

Theory of operation. A token is a CMS signature over a TSTInfo that holds somebody's digest and a moment. The signature
is checked like any other (`signing.cms`, with the reference to the certificate that RFC 5816 demands), then the digest
is compared with what the token is said to stamp, then the certificate is judged: for timestamps alone, up to an
authority of the store for timestamps, at the moment until which the token itself is proven to exist (our receipt, or
an outer token). Authorities of signers vouch for no timestamp.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from asn1crypto import cms as asn1_cms
from asn1crypto import tsp
from cryptography import x509

from signing import algorithms, cms, judge, keys, revocation
from signing.cms import Failure
from signing.trust import Trust
from signing.verdict import SubIndication

MOST_BYTES = 1 << 20
CLOCKS_DIFFER = timedelta(minutes=5)
"""A token this much later than our receipt is put down to clocks; its moment is then the receipt's."""

_BAD = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
_DAMAGED = cms.failed(SubIndication.FORMAT_FAILURE, "timestamp_damaged")
_OTHER_CONTENT = cms.failed(SubIndication.HASH_FAILURE, "timestamp_of_another")
_WEAK = cms.doubtful(SubIndication.CRYPTO_CONSTRAINTS_FAILURE, "timestamp_weak")
_LATER = cms.doubtful(SubIndication.TIMESTAMP_ORDER_FAILURE, "timestamp_later")


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """One token judged (dấu thời gian): `moment` is proven only without `failure`.

    `claimed` is the moment that the token states, believed or not. `evidence` holds hex SHA-256 digests as a judgement's.
    """

    moment: datetime | None
    failure: Failure | None
    certificate: bytes | None = None
    name: str = ""
    evidence: tuple[str, ...] = ()
    claimed: datetime | None = None
    provisional: bool = False


def check(
    token: bytes,
    digest_of: Callable[[str], bytes],
    trust: Trust,
    at: datetime,
    *,
    enclosed: revocation.Enclosed = revocation.NOTHING,
    extra: Sequence[x509.Certificate] = (),
) -> Stamp:
    """Judges `token` (ContentInfo in DER) over what has the digests `digest_of(hash name)`.

    `at`: until when the token is proven to exist. `extra`: more certificates that may help to build the path.
    """
    try:
        return _check(token, digest_of, _Case(trust=trust, at=at, enclosed=enclosed, extra=tuple(extra)))
    except _BAD:
        return Stamp(moment=None, failure=_DAMAGED)


@dataclass(frozen=True, kw_only=True)
class _Case:
    trust: Trust
    at: datetime
    enclosed: revocation.Enclosed
    extra: tuple[x509.Certificate, ...]


def _check(token: bytes, digest_of: Callable[[str], bytes], case: _Case) -> Stamp:
    if len(token) > MOST_BYTES:
        return Stamp(moment=None, failure=_DAMAGED)
    octets, stated = _stated(token)
    checked = cms.check(
        token,
        lambda name: hashlib.new(name, octets).digest(),
        reference_required=True,
        content_type="tst_info",
    )
    claimed = stated["gen_time"].native
    signer = checked.certificate
    failure = checked.failure or _imprint_failure(stated, digest_of)
    if failure is None and claimed - case.at > CLOCKS_DIFFER:
        failure = _LATER
    known = Stamp(
        moment=None,
        failure=failure,
        certificate=keys.der(signer) if signer else None,
        name=judge.name(signer) if signer else "",
        claimed=claimed,
    )
    return known if failure or signer is None else _judged(known, signer, checked.others, case)


def _stated(token: bytes) -> tuple[bytes, tsp.TSTInfo]:
    """What was signed: as octets and as read (RFC 3161 2.4.2). A critical extension is not understood."""
    content = asn1_cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"]
    octets = bytes(content)
    stated = tsp.TSTInfo.load(octets, strict=True)
    if stated["version"].native != "v1" or any(one["critical"].native for one in stated["extensions"]):
        raise ValueError("a timestamp of another kind")
    return octets, stated


def _imprint_failure(stated: tsp.TSTInfo, digest_of: Callable[[str], bytes]) -> Failure | None:
    imprint = stated["message_imprint"]
    name = imprint["hash_algorithm"]["algorithm"].native
    if name not in algorithms.HASHES:
        return _WEAK
    return None if imprint["hashed_message"].native == digest_of(name) else _OTHER_CONTENT


def _judged(known: Stamp, signer: x509.Certificate, others: Sequence[x509.Certificate], case: _Case) -> Stamp:
    """The token with its certificate judged; a moment after `at` by differing clocks proves `at`."""
    assert known.claimed is not None
    material = (*others, *case.extra)
    judgement = judge.certificate(
        signer, material, case.trust, case.at, enclosed=case.enclosed, purpose="timestamp"
    )
    if judgement.sub_indication is not None:
        failure = Failure(judgement.indication, judgement.sub_indication, judgement.why)
        return replace(known, failure=failure, evidence=judgement.evidence)
    return replace(
        known,
        moment=min(known.claimed, case.at),
        evidence=judgement.evidence,
        provisional=judgement.provisional,
    )
