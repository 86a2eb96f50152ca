"""When a signature is proven to have existed, and how its certificate stood then: the one place where both meet.

The best signature time (thời điểm chữ ký số được chứng minh) is the earliest moment proven: our receipt, or the moment
of a timestamp over the signature value that holds. A signing time that the signer claims proves nothing. The signer's
certificate is judged at that moment and no other, so what happens to it later lowers nothing (EN 319 102-1 §5.5).
A token that does not hold leaves the receipt and a remark.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from signing import judge, revocation, timestamp
from signing.judge import Judgement
from signing.trust import Trust

MOST_TOKENS = 8


@dataclass(frozen=True, kw_only=True)
class Settled:
    """The certificate's judgement at the best signature time; `time_source` is `receipt` or `timestamp`.

    `remarks` are codes for `Remark`, each once: the caller knows the place. `stamps` are the tokens as judged.
    """

    judgement: Judgement
    best_signature_time: datetime
    time_source: str
    remarks: tuple[str, ...] = ()
    stamps: tuple[timestamp.Stamp, ...] = ()


def judged(  # noqa: PLR0913, PLR0917 - one call for three formats; each fact comes from another place
    signer: x509.Certificate,
    others: Sequence[x509.Certificate],
    tokens: Sequence[bytes],
    value_digest_of: Callable[[str], bytes],
    trust: Trust,
    at: datetime,
    enclosed: revocation.Enclosed = revocation.NOTHING,
) -> Settled:
    """Judges the tokens over the signature value, then the signer's certificate at the earliest moment proven.

    `at` is the receipt; `others` and `enclosed` came with the signature and help both judgements.
    """
    if not tokens:
        return Settled(
            judgement=judge.certificate(signer, others, trust, at, enclosed=enclosed),
            best_signature_time=at,
            time_source="receipt",
        )
    stamps = [
        timestamp.check(token, value_digest_of, trust, at, enclosed=enclosed, extra=others)
        for token in tokens[:MOST_TOKENS]
    ]
    held = [stamp for stamp in stamps if stamp.moment is not None]
    earliest = min(held, key=_moment, default=None)
    moment = at if earliest is None else _moment(earliest)
    judgement = judge.certificate(signer, others, trust, moment, enclosed=enclosed)
    return Settled(
        judgement=_with(judgement, earliest),
        best_signature_time=moment,
        time_source="timestamp" if earliest else "receipt",
        remarks=("timestamp_not_valid",) if len(held) < len(tokens) else (),
        stamps=tuple(stamps),
    )


def _moment(stamp: timestamp.Stamp) -> datetime:
    assert stamp.moment is not None
    return stamp.moment


def _with(judgement: Judgement, stamp: timestamp.Stamp | None) -> Judgement:
    """The judgement with what the timestamp rests on: its evidence, and that it may have to be asked again."""
    if stamp is None:
        return judgement
    evidence = tuple(dict.fromkeys((*judgement.evidence, *stamp.evidence)))
    if not (stamp.provisional and judgement.sub_indication is None):
        return judgement._replace(evidence=evidence)
    return judgement._replace(evidence=evidence, provisional=True, why=judge.PASSED[True])
