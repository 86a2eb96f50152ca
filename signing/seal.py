"""Making signatures: XMLDSig and XAdES into a message (`congvan sign`, demo, tests), and our own signed statements (biên nhận).

An XML signature is put at the end of the edXML header, else of the root, in the form that is met in the field:
a signing time in a signed `Object`, one certificate, no transforms where the inclusive form goes without saying.
The message is written out once with an empty signature and read again, so that what is digested is what any reader
will parse.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Literal, NotRequired, TypedDict, Unpack
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from signing import algorithms, canonical, seal_xades, xml_document, xml_structure
from signing.algorithms import DS, ENVELOPED, EXCLUSIVE, INCLUSIVE, Method
from signing.canonical import Form
from signing.keys import PrivateKey
from signing.xml_document import Document, Element

_HEADER = "edxmlheader"
_NAMES = {
    f"{'rsa' if method.family == 'pkcs1' else method.family}-{method.hash_name}": uri
    for uri, method in algorithms.METHODS.items()
}
_DIGEST_URIS = {name: uri for uri, name in algorithms.DIGESTS.items()}
_BY_CURVE = {"secp256r1": "ecdsa-sha256", "secp384r1": "ecdsa-sha384", "secp521r1": "ecdsa-sha512"}
_HALF = 32

_SIGNATURE = """<ds:Signature xmlns:ds="{ds}" Id="signature-{number}">
<ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="{canonical}"/>
<ds:SignatureMethod Algorithm="{method}"/>
{references}</ds:SignedInfo>
<ds:SignatureValue/>
<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
{time}</ds:Signature>"""
_REFERENCE = '<ds:Reference{identifier}{kind} URI="{uri}">{transforms}<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue/></ds:Reference>\n'
_TIME = (
    '<ds:Object Id="signing-time-{number}"><ds:SignatureProperties>'
    '<ds:SignatureProperty Target="#signature-{number}"><SigningTime xmlns="urn:congvan:signature-properties">{moment}</SigningTime>'
    "</ds:SignatureProperty></ds:SignatureProperties></ds:Object>\n"
)


class Terms(TypedDict):
    """How to sign: the claimed moment (or None), what (`""` all, `"#Id"` a part), canonical form, algorithm.

    `algorithm` is `auto`, or `rsa-`, `pss-`, `ecdsa-` with `sha256`, `sha384` or `sha512`. `xades`: with signed
    properties (XAdES-B), and with `stamper`, which makes a token over a digest, also timestamped (XAdES-T).
    """

    at: datetime | None
    references: NotRequired[Sequence[str]]
    canonical: NotRequired[Literal["exclusive", "inclusive"]]
    algorithm: NotRequired[str]
    xades: NotRequired[bool]
    stamper: NotRequired[seal_xades.Stamper]


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """The terms with everything filled in; `number` makes the signature's own identifiers unique."""

    at: datetime | None
    references: tuple[str, ...]
    form: Form
    method_uri: str
    number: int
    xades: bool


def sign_xml(raw: bytes, key: PrivateKey, certificate: x509.Certificate, **terms: Unpack[Terms]) -> bytes:
    """The message with one more signature by `key`, stated to be `certificate`'s.

    Raises ValueError when the message cannot be read or has no canonical form, a target is missing, or the algorithm is
    unknown or not the key's.
    """
    document = xml_document.parse(raw)
    plan = _plan(key, document, terms)
    place = _place_for(document.root)
    place.append(etree.fromstring(_empty_signature(plan, place, document, certificate)))
    empty = _written(document)
    signature = _of_number(document, plan.number)
    try:
        _fill_values(signature, plan, key, xml_document.parse(empty))
    except etree.C14NError as problem:
        raise ValueError(f"no canonical form: {problem}") from problem
    if plan.xades and "stamper" in terms:
        reread = xml_document.parse(_written(document))
        seal_xades.stamp(signature, _of_number(reread, plan.number), reread, plan.form, terms["stamper"])
    return _written(document)


def sign_statement(statement: bytes, key: ec.EllipticCurvePrivateKey, *, context: bytes) -> bytes:
    """ECDSA P-256/SHA-256 over `context` + `statement`, as 64 bytes r||s (IEEE P1363, ES256 of RFC 7518)."""
    r, s = decode_dss_signature(key.sign(context + statement, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")


def check_statement(
    statement: bytes, signature: bytes, public_key: ec.EllipticCurvePublicKey, *, context: bytes
) -> bool:
    """Whether `sign_statement` made this signature, with the key that belongs to `public_key` and this context."""
    if len(signature) != 2 * _HALF:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
    try:
        public_key.verify(encode_dss_signature(r, s), context + statement, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _plan(key: PrivateKey, document: Document, terms: Terms) -> _Plan:
    name = terms.get("algorithm", "auto")
    if name == "auto":
        name = "rsa-sha256" if isinstance(key, rsa.RSAPrivateKey) else _BY_CURVE[key.curve.name]
    if name not in _NAMES or name.startswith("ecdsa") != isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"algorithm {name} is unknown or not for this kind of key")
    taken = document.identifiers.values
    return _Plan(
        at=terms["at"],
        references=tuple(terms.get("references", ("",))),
        form=Form(exclusive=terms.get("canonical", "exclusive") == "exclusive"),
        method_uri=_NAMES[name],
        number=next(n for n in count() if taken.isdisjoint(_identifiers(n))),
        xades=terms.get("xades", False),
    )


def _identifiers(number: int) -> set[str]:
    """The Ids that signature `number` may give itself; those of its references go on after the last one."""
    return {f"signature-{number}", f"signing-time-{number}", seal_xades.identifier(number)} | {
        f"reference-{number}-{place}" for place in range(xml_structure.REFERENCES)
    }


def _place_for(root: Element) -> Element:
    """The edXML header, else the root: where the signature goes, as its last child."""
    headers = (node for node in root.iter("{*}*") if etree.QName(node).localname.casefold() == _HEADER)
    return next(headers, root)


def _empty_signature(plan: _Plan, place: Element, document: Document, certificate: x509.Certificate) -> str:
    references = [
        _reference(uri, plan, position, enveloped=_encloses(uri, place, document))
        for position, uri in enumerate(plan.references)
    ]
    own, time = _own(plan, certificate)
    references += [_reference(uri, plan, len(references), enveloped=False) for uri in own]
    return _SIGNATURE.format(
        ds=DS,
        number=plan.number,
        canonical=EXCLUSIVE if plan.form.exclusive else INCLUSIVE,
        method=plan.method_uri,
        references="".join(references),
        certificate=base64.b64encode(certificate.public_bytes(Encoding.DER)).decode(),
        time=time,
    )


def _own(plan: _Plan, certificate: x509.Certificate) -> tuple[list[str], str]:
    """What of the signature itself is to be signed, and the Object that holds it."""
    if plan.xades:
        described = [f"reference-{plan.number}-{position}" for position in range(len(plan.references))]
        return [f"#{seal_xades.identifier(plan.number)}"], seal_xades.properties(
            certificate, plan.number, plan.at, described
        )
    if plan.at is None:
        return [], ""
    moment = plan.at.isoformat(timespec="seconds")
    return [f"#signing-time-{plan.number}"], _TIME.format(number=plan.number, moment=moment)


def _encloses(uri: str, place: Element, document: Document) -> bool:
    """Whether the target holds the place of the signature; raises ValueError when there is no such target."""
    target = document.identifiers.elements.get(uri[1:]) if uri else document.root
    if target is None:
        raise ValueError(f"no element for the reference {uri}")
    return target is place or target in place.iterancestors()


def _reference(uri: str, plan: _Plan, position: int, *, enveloped: bool) -> str:
    """One reference; the inclusive form is the default of XMLDSig and stays unsaid."""
    steps = [ENVELOPED] * enveloped + [EXCLUSIVE] * plan.form.exclusive
    transforms = "".join(f'<ds:Transform Algorithm="{step}"/>' for step in steps)
    return _REFERENCE.format(
        identifier=f' Id="reference-{plan.number}-{position}"' if plan.xades else "",
        kind=seal_xades.reference_type(uri, plan.number),
        uri=escape(uri, {'"': "&quot;"}),
        transforms=f"<ds:Transforms>{transforms}</ds:Transforms>" if steps else "",
        digest=_DIGEST_URIS[algorithms.METHODS[plan.method_uri].hash_name],
    )


def _fill_values(signature: Element, plan: _Plan, key: PrivateKey, reread: Document) -> None:
    """Fill digests and value into `signature`, computed on the message as it will be read."""
    mirror, method = _of_number(reread, plan.number), algorithms.METHODS[plan.method_uri]
    skeleton = canonical.prepare(reread)
    for reference, mirrored in zip(_references(signature), _references(mirror), strict=True):
        uri = mirrored.get("URI", "")
        part = reread.identifiers.elements[uri[1:]] if uri else reread.root
        digest = canonical.digest(skeleton, part, plan.form, mirror, method.hash_name)
        reference[-1].text = mirrored[-1].text = base64.b64encode(digest).decode()
    signed = b"".join(canonical.octets(skeleton, mirror[0], plan.form))
    signature[1].text = base64.b64encode(_value(key, method, signed)).decode()


def _value(key: PrivateKey, method: Method, signed: bytes) -> bytes:
    chosen = algorithms.HASHES[method.hash_name]
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(signed, algorithms.rsa_padding(method), chosen)
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(chosen)))
    size = algorithms.coordinate_size(key.public_key())
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _references(signature: Element) -> list[Element]:
    return list(signature[0].iterchildren(f"{{{DS}}}Reference"))


def _of_number(document: Document, number: int) -> Element:
    return next(
        node for node in document.root.iter(f"{{{DS}}}Signature") if node.get("Id") == f"signature-{number}"
    )


def _written(document: Document) -> bytes:
    return etree.tostring(document.root.getroottree(), xml_declaration=True, encoding="UTF-8")
