"""How XML signatures are made, as data: the profiles (hồ sơ chữ ký XML) that are accepted, and nothing beside them.

    xmldsig             parts of the message by Id, no enveloped transform, as state systems make it
    xmldsig-enveloped   the message, or an element of it, that the signature stands in
    xades-b, xades-t    either of them with signed properties (EN 319 132-1 baseline), and with a signature timestamp

A signature belongs to the first row that it meets; one that meets none is not evaluated further. What a row does not
name - a Manifest, a signed part of a signature beyond these, foreign content of an Object - no reader would
understand as this exchange does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from signing import xades
from signing.algorithms import DS
from signing.xml_structure import Signature
from signing.xml_targets import Target


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One way of making signatures.

    `enveloped`: whether a reference leaves the signature itself out (None: either). `properties`, `timestamp`: whether
    XAdES properties and a signature timestamp are there. `objects`: what Objects may hold. `own`: which parts of the
    signature itself may be signed too.
    """

    name: str
    format: Literal["xmldsig", "xades"]
    enveloped: bool | None
    properties: bool
    timestamp: bool
    objects: frozenset[str]
    own: frozenset[str]


_PROPERTIES = f"{{{DS}}}SignatureProperties"
_OWN = frozenset({f"{{{DS}}}Object", f"{{{DS}}}KeyInfo", _PROPERTIES, f"{{{DS}}}SignatureProperty"})
_SIGNED = f"{{{xades.XADES}}}SignedProperties"

PROFILES = (
    Profile(
        name="xmldsig",
        format="xmldsig",
        enveloped=False,
        properties=False,
        timestamp=False,
        objects=frozenset({_PROPERTIES}),
        own=_OWN,
    ),
    Profile(
        name="xmldsig-enveloped",
        format="xmldsig",
        enveloped=True,
        properties=False,
        timestamp=False,
        objects=frozenset({_PROPERTIES}),
        own=_OWN,
    ),
    Profile(
        name="xades-t",
        format="xades",
        enveloped=None,
        properties=True,
        timestamp=True,
        objects=frozenset({_PROPERTIES, xades.QUALIFYING}),
        own=_OWN | {_SIGNED},
    ),
    Profile(
        name="xades-b",
        format="xades",
        enveloped=None,
        properties=True,
        timestamp=False,
        objects=frozenset({_PROPERTIES, xades.QUALIFYING}),
        own=_OWN | {_SIGNED},
    ),
)


def of(signature: Signature, targets: Sequence[Target]) -> Profile | None:
    """The profile that the signature meets."""
    own = [target.element for target in targets if not target.content]
    for element in own:
        if signature.element not in element.iterancestors():
            return None
    properties = signature.properties
    facts = _Facts(
        any(target.reference.enveloped for target in targets),
        properties is not None,
        bool(properties and properties.stamps),
        signature.layout.objects,
        [element.tag for element in own],
    )
    for profile in PROFILES:
        if _meets(profile, facts):
            return profile
    return None


def properties_fault(signature: Signature, targets: Sequence[Target]) -> str | None:
    """Whether XAdES properties are signed: one reference of their Type, which points at them, and names this signature.

    A description of a signed part (DataObjectFormat) must name one of this signature's references.
    """
    properties = signature.properties
    if properties is None:
        return None
    typed = [target.element for target in targets if target.reference.kind == xades.SIGNED_PROPERTIES_TYPE]
    if typed != [properties.element] or properties.target != f"#{signature.element.get('Id', '')}":
        return "xades_not_signed"
    named = {f"#{target.reference.identifier}" for target in targets if target.reference.identifier}
    return None if named.issuperset(properties.described) else "xades_not_signed"


class _Facts(NamedTuple):
    """What a profile asks of a signature."""

    enveloped: bool
    properties: bool
    timestamp: bool
    objects: Sequence[object]
    own: Sequence[object]


def _meets(profile: Profile, facts: _Facts) -> bool:
    return (
        profile.enveloped in (None, facts.enveloped)
        and profile.properties == facts.properties
        and profile.timestamp == facts.timestamp
        and profile.objects.issuperset(facts.objects)
        and profile.own.issuperset(facts.own)
    )
