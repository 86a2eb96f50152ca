"""Verifying the XML signatures of a message (XMLDSig, RFC 3275) as a strict profile.

Theory of operation. Each signature is judged by stages (design §5, settled 2), and the first that finds fault gives
the verdict: message repaired; placeholder (a remark, no verdict); algorithms and transforms; grammar; targets and
wrapping; digests; signature value; profile (`signing.xml_profiles`) and XAdES properties; certificate. Structure is read for all signatures before the tree becomes a
skeleton (`signing.canonical`), so nothing is read from a marked tree.

A signature passes only with a certificate from its own KeyInfo whose key made the signature value and for which
`signing.judge` finds a path; a bare key never does. What it covers is told as element paths of this very message.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from cryptography import x509

from signing import (
    canonical,
    judge,
    revocation,
    settled,
    xades,
    xml_document,
    xml_stages,
    xml_structure,
    xml_text,
)
from signing.settled import Settled
from signing.trust import Trust
from signing.verdict import Coverage, Indication, Remark, Report, SubIndication, Verdict
from signing.xml_document import Document, Element
from signing.xml_stages import Examined
from signing.xml_structure import Draft, Signature
from signing.xml_targets import Target

_FORMAT = (Indication.TOTAL_FAILED, SubIndication.FORMAT_FAILURE)
_CRYPTO = (Indication.INDETERMINATE, SubIndication.CRYPTO_CONSTRAINTS_FAILURE)
_LIMITS = (Indication.INDETERMINATE, SubIndication.SIG_CONSTRAINTS_FAILURE)
_NO_DATA = (Indication.INDETERMINATE, SubIndication.SIGNED_DATA_NOT_FOUND)
_NO_SIGNER = (Indication.INDETERMINATE, SubIndication.NO_SIGNING_CERTIFICATE_FOUND)

FAULTS: Mapping[str, tuple[Indication, SubIndication]] = {
    "message_repaired": _FORMAT,
    "algorithm_not_allowed": _CRYPTO,
    "weak_key": _CRYPTO,
    "package_too_large": _LIMITS,
    "canonical_form_not_allowed": _LIMITS,
    "transform_not_allowed": _LIMITS,
    "covers_nothing": _LIMITS,
    "profile_not_known": _LIMITS,
    "xades_no_certificate": _LIMITS,
    "signature_policy": (Indication.INDETERMINATE, SubIndication.SIGNATURE_POLICY_NOT_AVAILABLE),
    "malformed_signature": _FORMAT,
    "foreign_content": _FORMAT,
    "comment_in_signed_content": _FORMAT,
    "enveloped_misplaced": _FORMAT,
    "not_canonical": _FORMAT,
    "key_value_differs": _FORMAT,
    "key_info_differs": _FORMAT,
    "xades_not_signed": _FORMAT,
    "nested_signature": _FORMAT,
    "content_in_signature": _FORMAT,
    "doubled_identifier": _FORMAT,
    "same_name_elsewhere": _FORMAT,
    "target_missing": _NO_DATA,
    "external_reference": _NO_DATA,
    "no_certificate": _NO_SIGNER,
    "several_certificates": _NO_SIGNER,
    "xades_other_certificate": _NO_SIGNER,
    "digest_differs": (Indication.TOTAL_FAILED, SubIndication.HASH_FAILURE),
    "signature_value_wrong": (Indication.TOTAL_FAILED, SubIndication.SIG_CRYPTO_FAILURE),
}
"""What can be wrong with a signature before its certificate is looked at: code -> how it ends."""

WRAPPING = frozenset(
    {"nested_signature", "content_in_signature", "doubled_identifier", "same_name_elsewhere"}
)


@dataclass(frozen=True, kw_only=True)
class _Case:
    """What is the same for all signatures of one message."""

    document: Document
    skeleton: canonical.Skeleton
    trust: Trust
    at: datetime
    where: str
    coverages: dict[tuple[Element, ...], Coverage] = field(default_factory=dict)


class _Ended(NamedTuple):
    """A signature that was examined, and how its signer's certificate stood."""

    examined: Examined
    settled: Settled


def verify(
    raw: bytes,
    trust: Trust,
    at: datetime,
    *,
    where: str = "package",
    repaired: bool = False,
    cut: bool = False,
) -> Report:
    """Judge every XML signature of a message as of `at`, an aware moment at which the signature proven existed.

    `repaired`: the reader could read the message only after repairing it; its signatures are not evaluated.
    `cut`: what was signed is too large, and `raw` is the message without its files: no signature can be evaluated.
    Raises TooComplexError over a budget - before any digest, but for the one on all digests together - and
    `xml_document.UnreadableXmlError` (a ValueError) for what is not XML or has a DTD.
    """
    document = xml_document.parse(raw, repaired=repaired)
    if not document.signatures and canonical.has_few_prefixes(document):
        return Report(remarks=tuple(xml_document.unjudged(document, where)))
    document.hold_nodes()
    drafts = list(xml_structure.drafts(document))
    fault = "message_repaired" if repaired else "package_too_large" if cut else ""
    readings = [fault for _ in drafts] if repaired else _readings(drafts, fault)
    # All reading ends here: the skeleton changes the tree.
    skeleton = canonical.prepare(document)
    case = _Case(document=document, skeleton=skeleton, trust=trust, at=at, where=where)
    told = [(draft.nodes[0], one) for draft, one in zip(drafts, readings, strict=True) if one is not None]
    ends = xml_stages.each(
        lambda one: _settled(case, one),
        xml_stages.examined(document, skeleton, [reading for _, reading in told]),
    )
    nobodys = [draft.nodes[0] for draft, one in zip(drafts, readings, strict=True) if one is None]
    return Report(
        verdicts=tuple(
            [
                _verdict(case, position, element, end)
                for position, ((element, _), end) in enumerate(zip(told, ends, strict=True))
            ]
        ),
        remarks=(
            *_stamp_remarks(case, ends),
            *[_remark("placeholder_signature", case, element) for element in nobodys],
            *xml_document.unjudged(document, where),
        ),
    )


def _readings(drafts: Sequence[Draft], fault: str) -> list[Signature | str | None]:
    """Signatures as records, or what is wrong with one or with all of them; None where nobody signed."""
    claims = [xml_structure.claim(draft) for draft in drafts]
    return [
        None if claim.placeholder else fault or xml_structure.read(draft, claim)
        for draft, claim in zip(drafts, claims, strict=True)
    ]


def _stamp_remarks(case: _Case, ends: Sequence[_Ended | str]) -> Iterator[Remark]:
    for end in ends:
        if not isinstance(end, str):
            for code in end.settled.remarks:
                yield _remark(code, case, end.examined.signature.element)


def _remark(code: str, case: _Case, element: Element) -> Remark:
    return Remark(code=code, where=case.where, path=case.document.path(element))


def _settled(case: _Case, examined: Examined) -> _Ended:
    """How the signer's certificate stood when the signature is proven to have existed.

    Tokens are over the value in the form of the first of them; one in another form does not hold.
    """
    signature, signer = examined.signature, examined.signer
    properties, info = signature.properties, signature.key_info
    stamps = properties.stamps if properties else ()

    def digest_of(algorithm: str) -> bytes:
        return canonical.digest(case.skeleton, signature.element[1], stamps[0].form, None, algorithm)

    enclosed = revocation.NOTHING
    if info.lists or properties:
        enclosed = revocation.Enclosed(
            crls=info.lists + (properties.lists if properties else ()),
            responses=properties.responses if properties else (),
        )
    found = settled.judged(
        signer,
        [one for one in _certificates(signature) if one is not signer and one != signer],
        [stamp.token for stamp in stamps],
        digest_of,
        case.trust,
        case.at,
        enclosed,
    )
    return _Ended(examined, found)


def _verdict(case: _Case, position: int, element: Element, end: _Ended | str) -> Verdict:
    if isinstance(end, str):
        return _refusal(case, position, element, end)
    examined, found = end
    signer, judgement = judge.shown(examined.signer), found.judgement
    return Verdict(
        where=case.where,
        position=position,
        format=examined.profile.format,
        indication=judgement.indication,
        sub_indication=judgement.sub_indication,
        why=judgement.why,
        best_signature_time=found.best_signature_time,
        time_source=found.time_source,
        coverage=_coverage(case, examined.targets),
        certificate=signer.der,
        signer_name=signer.name,
        signed_at_claimed=_claimed_time(examined),
        provisional=judgement.provisional,
        evidence=judgement.evidence,
        profile=examined.profile.name,
    )


def _refusal(case: _Case, position: int, element: Element, why: str) -> Verdict:
    indication, sub_indication = FAULTS[why]
    return Verdict(
        where=case.where,
        position=position,
        format="xades" if next(element.iter(xades.QUALIFYING), None) is not None else "xmldsig",
        indication=indication,
        sub_indication=sub_indication,
        why=why,
        best_signature_time=case.at,
        coverage=Coverage(whole=False, detail="not_evaluated"),
        wrapping=why in WRAPPING,
    )


def _coverage(case: _Case, targets: Sequence[Target]) -> Coverage:
    """What is covered; signatures over the same parts share one record."""
    covered = tuple(dict.fromkeys([target.element for target in targets if target.content]))
    known = case.coverages.get(covered)
    if known is None:
        whole = case.document.root in covered
        known = case.coverages[covered] = Coverage(
            whole=whole,
            detail="whole_message" if whole else "elements",
            paths=tuple(map(case.document.path, covered)),
        )
    return known


def _claimed_time(examined: Examined) -> datetime | None:
    """The signing time that the signature covers (SignatureProperty or XAdES); claimed by the signer, it proves nothing."""
    for target in examined.targets:
        if not target.content:  # of the signature itself: no profile allows parts of another
            for node in target.element.iter("{*}SigningTime"):
                return xml_text.moment(node.text or "")
    return None


def _certificates(signature: Signature) -> Iterator[x509.Certificate]:
    """Every certificate that came with a signature; who signed is not asked here."""
    yield from (one for one in signature.key_info.certificates if one)
    yield from signature.properties.certificates if signature.properties else ()
