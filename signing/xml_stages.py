"""The stages between reading XML signatures and judging their signers' certificates, for all signatures of a message.

Theory of operation. A signature goes through the stages in order, and the first that finds fault ends its way with a
code. All signatures take one stage before any takes the next: they do not depend on each other, and a processor does
the same work several times in a row much quicker than different work in turns. Most signatures of a message cover the
same parts: what is pointed at and digested once is remembered by `xml_targets.Spots` and `canonical.Skeleton`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from cryptography import x509
from lxml import etree

from signing import canonical, xades, xml_key, xml_profiles, xml_targets
from signing.canonical import Skeleton
from signing.xml_document import Document
from signing.xml_profiles import Profile
from signing.xml_structure import Signature
from signing.xml_targets import Spots, Target

_Before = TypeVar("_Before")
_After = TypeVar("_After")


class Examined(NamedTuple):
    """A signature whose digests and value hold: who made it, and what it covers."""

    signature: Signature
    signer: x509.Certificate
    targets: tuple[Target, ...]
    profile: Profile


class _Aimed(NamedTuple):
    """A signature, and what it covers."""

    signature: Signature
    targets: tuple[Target, ...]


class _Made(NamedTuple):
    """The same with the octets that the value is made over."""

    aimed: _Aimed
    signed: bytes


class _Signed(NamedTuple):
    """The same with who made it."""

    aimed: _Aimed
    signer: x509.Certificate


def each(work: Callable[[_Before], _After | str], many: Iterable[_Before | str]) -> list[_After | str]:
    """One stage for all signatures that no stage before has found fault with."""
    return [one if isinstance(one, str) else work(one) for one in many]


def examined(
    document: Document, skeleton: Skeleton, readings: Sequence[Signature | str]
) -> list[Examined | str]:
    """Who signed what, or what is wrong, for each reading: all that comes before the certificate itself is judged."""
    spots = Spots(document)
    aimed = each(lambda signature: _aimed(signature, spots), readings)
    whole = each(lambda one: _whole(one, skeleton), aimed)
    made = each(lambda one: _made(one, skeleton), whole)
    return each(_meant, each(_signed, made))


def _aimed(signature: Signature, spots: Spots) -> _Aimed | str:
    targets = xml_targets.resolve(signature, spots)
    return targets if isinstance(targets, str) else _Aimed(signature, targets)


def _whole(aimed: _Aimed, skeleton: Skeleton) -> _Aimed | str:
    """Whether every digest holds."""
    for reference, element, _ in aimed.targets:
        removed = aimed.signature.element if reference.enveloped else None
        try:
            digest = canonical.digest(skeleton, element, reference.form, removed, reference.digest_algorithm)
        except etree.C14NError:
            return "not_canonical"
        if digest != reference.digest:
            return "digest_differs"
    return aimed


def _made(aimed: _Aimed, skeleton: Skeleton) -> _Made | str:
    signature = aimed.signature
    try:
        return _Made(aimed, b"".join(canonical.octets(skeleton, signature.signed_info, signature.form)))
    except etree.C14NError:
        return "not_canonical"


def _signed(made: _Made) -> _Signed | str:
    signer = xml_key.signer(made.aimed.signature, made.signed)
    return signer if isinstance(signer, str) else _Signed(made.aimed, signer)


def _meant(one: _Signed) -> Examined | str:
    """What digests and value hold for, if it is one of the profiles: now that nobody changed it, whether it means something."""
    (signature, targets), signer = one
    if not any(target.content for target in targets):
        return "covers_nothing"
    profile, properties = xml_profiles.of(signature, targets), signature.properties
    if profile is None:
        return "profile_not_known"
    fault = xml_profiles.properties_fault(signature, targets)
    if not fault and properties:
        fault = xades.fault(properties, signer)
    return fault or Examined(signature, signer, targets, profile)
