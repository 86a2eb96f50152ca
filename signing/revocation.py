"""Whether a certificate was revoked (thu hồi) before a moment: revocation lists and OCSP answers together.

Theory of operation. Everything at hand that speaks for a certificate becomes a statement: a list alone or with a
delta, an OCSP answer. A statement counts only when the certificate's issuer made it, or somebody whom the issuer's
root lets make lists or the issuer itself lets answer (`_Case.signer`, `_Case.responder`).

Any statement may convict: a revocation dated at or before the moment stands. A certificate on hold (tạm dừng) is
neither good nor lost until a newer statement no longer names it. The newest statements that had not run out
(`next_update`) at the moment acquit, as soon as together they speak of every reason. A statement made after the moment
is the best there is; one made before it gives a provisional "good", to be asked again later. Statements made after a
certificate's last day may have dropped it and acquit nobody (RFC 5280 §3.3).

Nothing at hand, only what has run out, or only words of others: INDETERMINATE/TRY_LATER, never passed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from signing import crl, crl_scope, keys, names, ocsp, path, statements
from signing.certificate_facts import Facts
from signing.moment import Moment
from signing.statements import Statement
from signing.trust import Authorities
from signing.verdict import SubIndication

MOST_NESTED = 3
MOST_ENCLOSED = 64
MOST_ENCLOSED_BYTES = 8 << 20
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension)
_DER = serialization.Encoding.DER
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

    def documents(self) -> Mapping[str, tuple[str, bytes]]:
        """What could be read, for keeping as evidence: hex SHA-256 -> (`crl` or `ocsp`, DER bytes)."""
        lists = {one.sha256: ("crl", one.der) for one in self.lists.all}
        return lists | {one.sha256: ("ocsp", one.der) for one in self.answers.all}


NOTHING = Enclosed()


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
    """What the statements say of a certificate or a path."""

    GOOD = "good"
    REVOKED = "revoked"
    HELD = "held"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the statements say of a whole path at a moment (kết quả tra cứu thu hồi).

    `provisional`: good by statements older than the moment. `evidence`: hex SHA-256 of the lists and responses used,
    and of the certificates of those who signed them for the issuer.
    """

    standing: Standing
    provisional: bool = False
    sub_indication: SubIndication | None = None
    why: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What is said of one certificate; `used` decided it, `stale` tells that only what has run out was said."""

    standing: Standing
    used: tuple[Statement, ...] = ()
    stale: bool = False


@dataclass(frozen=True, kw_only=True)
class Sources:
    """All that is at hand: lists, answers, whose lists may count, and who is being asked about already."""

    lists: tuple[crl.Lists, ...]
    answers: tuple[ocsp.Responses, ...]
    authorities: Authorities
    others: path.Chain
    asked: frozenset[Facts] = frozenset()


def check(chain: path.Chain, sources: Sources, moment: Moment) -> Outcome:
    """What is said at the moment of a path, signer first and root last; the root itself is trusted by configuration."""
    answers = [_ask(chain[position:], sources, moment) for position in range(len(chain) - 1)]
    used = [statement for answer in answers for statement in answer.used]
    evidence = tuple(dict.fromkeys(sha256 for one in used for sha256 in one.evidence))
    for standing, told in TOLD.items():
        for position, answer in enumerate(answers):
            if answer.standing is standing:
                sub_indication, why = STALE if answer.stale else told[position > 0]
                return Outcome(standing=standing, sub_indication=sub_indication, why=why, evidence=evidence)
    provisional = any(moment.passed(one.this_update) for one in used)
    return Outcome(standing=Standing.GOOD, provisional=provisional, evidence=evidence)


TOLD = {
    Standing.REVOKED: (
        (SubIndication.REVOKED_NO_POE, "certificate_revoked"),
        (SubIndication.REVOKED_CA_NO_POE, "authority_revoked"),
    ),
    Standing.HELD: (
        (SubIndication.TRY_LATER, "certificate_on_hold"),
        (SubIndication.TRY_LATER, "authority_on_hold"),
    ),
    Standing.UNKNOWN: 2 * ((SubIndication.TRY_LATER, "revocation_missing"),),
}
"""How each standing ends: of the signer's certificate, of an authority's. The worst comes first."""
STALE = (SubIndication.TRY_LATER, "revocation_stale")
"""How it ends when all that was said has run out."""


def _ask(chain: path.Chain, sources: Sources, moment: Moment) -> _Answer:
    """What is said of the first certificate of a chain."""
    said = [*_of_lists(chain, sources), *_of_answers(chain, sources)]
    said.sort(key=lambda one: one.this_update, reverse=True)
    named = [one for one in said if one.since and moment.reached(one.since)]
    for one in named:
        if not one.held:
            return _Answer(standing=Standing.REVOKED, used=(one,))
    for one in named:
        if not any(_releases(other, one) for other in said):
            return _Answer(standing=Standing.HELD, used=(one,))
    return _acquitted(chain[0], said, moment)


def _releases(other: Statement, held: Statement) -> bool:
    """Whether a later statement, which would have named a certificate still on hold, does not name it."""
    later = other.this_update > held.this_update
    return later and other.since is None and other.knows and statements.HOLD in other.reasons


def _acquitted(certificate: Facts, said: Sequence[Statement], moment: Moment) -> _Answer:
    open_, used = crl_scope.ALL, []
    for one in said:
        last = one.this_update > certificate.valid_to or not one.knows
        if last or moment.passed(one.next_update) or open_.isdisjoint(one.reasons):
            continue
        used.append(one)
        open_ -= one.reasons
        if not open_:
            return _Answer(standing=Standing.GOOD, used=tuple(used))
    return _Answer(standing=Standing.UNKNOWN, stale=bool(said))


def _of_lists(chain: path.Chain, sources: Sources) -> Iterator[Statement]:
    certificate = chain[0]
    for name in (certificate.issuer, *crl_scope.other_issuers(certificate)):
        heard: dict[crl.List, Facts] = {}
        for one in _lists_of(name, sources):
            signer = _list_signer(one, chain, sources) if crl_scope.reasons(one, certificate) else None
            if signer:
                heard[one] = signer
        for view in crl.views(heard):
            if heard[view.complete] is heard[view.newest]:
                yield statements.of_list(view, certificate, _by_other(heard[view.complete], chain[1]))


def _lists_of(name: names.Folded, sources: Sources) -> Iterator[crl.List]:
    for lists in sources.lists:
        yield from lists.by_issuer.get(name, ())


def _list_signer(one: crl.List, chain: path.Chain, sources: Sources) -> Facts | None:
    """Who signed a list: the certificate's issuer, or another whom the same root lets make lists (§6.3.3 f)."""
    issuer, root = chain[1], chain[-1]
    for close in (issuer, root):
        if close.subject == one.issuer and close.may_list and one.signed_by(close):
            return close
    if len(sources.asked) == MOST_NESTED:
        return None
    known = path.all_read(sources.authorities.intermediates)
    signers = (
        other
        for other in (*known, *sources.others)
        if other.subject == one.issuer and other not in sources.asked and one.signed_by(other)
    )
    return next((other for other in signers if _may_list(other, one, root, sources)), None)


def _may_list(other: Facts, one: crl.List, root: Facts, sources: Sources) -> bool:
    """Whether somebody else could sign lists when this one was made: by a path to the same root, not revoked."""
    moment = Moment(one.this_update)
    found = path.search(other, sources.others, sources.authorities, moment, purpose="lists")
    if isinstance(found, path.Failure) or found[-1] is not root:
        return False
    asked = replace(sources, asked=sources.asked | {other})
    return check(found, asked, moment).standing is Standing.GOOD


def _of_answers(chain: path.Chain, sources: Sources) -> Iterator[Statement]:
    certificate, issuer = chain[0], chain[1]
    for responses in sources.answers:
        for answer in responses.by_serial.get(certificate.serial, ()):
            if ocsp.is_about(answer, certificate.certificate, issuer.certificate):
                responder = _responder(answer.response, chain, sources)
                if responder:
                    yield statements.of_answer(answer, _by_other(responder, issuer))


def _responder(response: ocsp.Response, chain: path.Chain, sources: Sources) -> Facts | None:
    """Who signed a response: the issuer or its delegate, who must not have been revoked by what lists say."""
    issuer = chain[1]
    found = ocsp.responder(response, issuer)
    if found is None or found is issuer or found.no_check:
        return found
    if found in sources.asked or len(sources.asked) == MOST_NESTED:
        return None
    asked = replace(sources, answers=(), asked=sources.asked | {found})
    answer = _ask((found, *chain[1:]), asked, Moment(response.produced_at))
    return found if answer.standing is Standing.GOOD else None


def _by_other(signer: Facts, issuer: Facts) -> tuple[str, ...]:
    return () if signer is issuer else (keys.fingerprint(signer.certificate).hex(),)
