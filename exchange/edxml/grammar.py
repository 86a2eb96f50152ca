"""The layered form of an edXML message as a table: what may stand where, and how often.

Elements are known by local name, in any case, namespace or prefix; `Business…` is `Bussiness…`.
Source: reference page edxml, sections 2 to 5, 10 and 11.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from lxml import etree

from exchange.edxml import codes

_PARTY = "OrganId OrganizationInCharge OrganName OrganAdd Email Telephone Fax Website"
_BLOCKS = "MessageHeader> TraceHeaderList> edXMLManifest> AttachmentEncoded> Signature# DigitalSignature# Attachment>*"
_FORM = {
    "edXML": f"edXMLEnvelope> edXMLHeader> edXMLBody> {_BLOCKS}",
    "edXMLEnvelope": f"edXMLHeader> edXMLBody> {_BLOCKS}",
    "edXMLHeader": _BLOCKS,
    "edXMLBody": _BLOCKS,
    "MessageHeader": (
        "From> To>* DocumentId Code> PromulgationInfo> DocumentType> Subject Content SignerInfo> DueDate OtherInfo> "
        "ResponseFor>* SteeringType ToPlaces> ResponseForTask> ApplicationType~ "
        "StaffInfo> StatusCode Description Timestamp"
    ),
    "From": _PARTY,
    "To": _PARTY,
    "Code": "CodeNumber CodeNotation",
    "PromulgationInfo": "Place PromulgationDate Promulgator~",
    "DocumentType": "Type TypeDetail TypeName",
    "SignerInfo": "Competence Position FullName",
    "OtherInfo": (
        "Priority SphereOfPromulgation TyperNotation PromulgationAmount PageAmount Direction~ ReplyFors~ "
        "ReferenceCodes~ Appendixes>"
    ),
    "Appendixes": "Appendix*",
    "ResponseFor": "OrganId Code PromulgationDate DocumentId",
    "ResponseForTask": "TaskCode~",
    "ToPlaces": "Place*",
    "StaffInfo": "Department DepartmentId~ Staff StaffId~ Mobile Email",
    "TraceHeaderList": "TraceHeader>* Bussiness> Paper",
    "TraceHeader": "OrganId Timestamp",
    "Bussiness": (
        "BussinessDocType BussinessDocReason BussinessDocumentInfo> DocumentId StaffInfo>* Paper "
        "ReplacementInfoList>"
    ),
    "BussinessDocumentInfo": "DocumentInfo DocumentReceiver ReceiverList>",
    "ReceiverList": "Receiver>*",
    "Receiver": "OrganId ReceiverType",
    "ReplacementInfoList": "ReplacementInfo>*",
    "ReplacementInfo": "DocumentId OrganIdList>",
    "OrganIdList": "OrganId*",
    "edXMLManifest": "Reference>* Attachment>*",
    "Reference": "ContentId ContentType Description AttachmentName",
    "AttachmentEncoded": "Attachment>*",
    "Attachment": (
        "ContentId AttachmentName Description FieldName~ MimeType~ ContentType Format~ ContentTransferEncoded"
    ),
}
"""Element -> what may stand in it: `>` has elements inside, `*` may repeat, `#` is not looked into, `~` is a vendor's."""

_OTHER_NAMES = {
    "Attachment": {
        "FileName": "AttachmentName",
        "FileType": "ContentType",
        "Content": "ContentTransferEncoded",
    },
    "SignerInfo": {"Signer": "FullName"},
}
"""What the flat form of go.vn calls a child: element -> its word -> the standard's (section 11, B)."""

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_SOAP_LAYERS = {"Envelope": "edXMLEnvelope", "Header": "edXMLHeader", "Body": "edXMLBody"}
"""SOAP 1.1 around the same blocks, as one older hub sends them (section 11, C)."""
_NOT_OURS = "http://www.w3.org/"
"""Namespaces of XML signatures, which have a Manifest of their own."""

TYPED = "DocumentType"
"""It has elements inside, or, in the flat form, the type's name as its text."""

ROOTS = ("edXML", "edXMLEnvelope")
LAYERS = ("edXML", "edXMLEnvelope", "edXMLHeader", "edXMLBody")
"""Wrappers without facts; all but the root are optional."""

LONGEST_REMEMBERED = 256
"""Characters of an element's name with its namespace."""

LONGEST_SHOWN = 100
"""Characters of an element's name in paths and sentences: one may have millions, and stand in every path."""

BYTES = "ContentTransferEncoded"

UNIQUE = frozenset(
    [
        *("edXML", "edXMLEnvelope", "edXMLHeader", "edXMLBody"),
        *("MessageHeader", "TraceHeaderList", "edXMLManifest", "AttachmentEncoded"),
        *("From", "CodeNumber", "CodeNotation", "PromulgationInfo", "DocumentType", "Subject", "SignerInfo"),
        *("DueDate", "OtherInfo", "Priority", "SteeringType", "StatusCode"),
        *("Bussiness", "BussinessDocType", "BussinessDocumentInfo", "ReplacementInfoList", "Paper"),
    ]
)
"""Names that may stand once in a whole document, wherever that is."""

SETTLED = UNIQUE | {"To", "Code", "DocumentId", "PromulgationDate", "OrganId", "ResponseFor", "Attachment"}
"""Names that, in a known element, must not stand where the table does not have them."""


@dataclass(frozen=True)
class Entry:
    """One child of one element: has elements inside, may repeat, is not looked into, a vendor's; letters expected."""

    name: str
    inside: bool
    many: bool
    opaque: bool
    vendors: bool
    most: int


def _row(parent: str, words: str) -> dict[str, Entry]:
    row = {entry.name: entry for entry in (_entry(parent, word) for word in words.split())}
    return row | {other: row[name] for other, name in _OTHER_NAMES.get(parent, {}).items()}


def _entry(parent: str, word: str) -> Entry:
    name = word.rstrip(">*#~")
    field = codes.FIELDS.get(f"{parent}/{name}") or codes.FIELDS.get(name)
    most = int(field["most"]) if field and ">" not in word else 0
    return Entry(name, ">" in word, "*" in word, "#" in word, "~" in word, most)


CHILDREN: Mapping[str, Mapping[str, Entry]] = {name: _row(name, words) for name, words in _FORM.items()}


def _spellings(names: Iterable[str]) -> dict[str, str]:
    return {name.lower(): name for name in names}


_SPELLINGS = _spellings([*CHILDREN, *(child for row in CHILDREN.values() for child in row)])


def local_name(element: etree._Element) -> str:
    """The name without its namespace and without a prefix that recovery left in it; of an endless one the beginning."""
    return _bare(str(element.tag))[1][:LONGEST_SHOWN]


def standard_name(element: etree._Element) -> str:
    """The standard's spelling of the name, or the local name itself where nobody knows it."""
    return standard(str(element.tag))


def standard(tag: str) -> str:
    """The same of a tag; what is longer than any name of the standard is not remembered."""
    return _remembered(tag) if len(tag) <= LONGEST_REMEMBERED else _standard_of(tag)


@lru_cache(maxsize=1024)
def _remembered(tag: str) -> str:
    return _standard_of(tag)


def _standard_of(tag: str) -> str:
    space, name = _bare(tag)
    return _layer(space, name) or _standard(name)


def _bare(tag: str) -> tuple[str, str]:
    """Namespace and local name."""
    space, _, name = tag.rpartition("}")
    return space.removeprefix("{"), name.rpartition(":")[2]


def _layer(space: str, name: str) -> str:
    """The standard's name for what another form calls otherwise."""
    if space == SOAP:
        return _SOAP_LAYERS.get(name, "")
    return "edXMLManifest" if name.lower() == "manifest" and not space.startswith(_NOT_OURS) else ""


def _standard(name: str) -> str:
    lower = name.lower() if name.isascii() else name
    if lower.startswith("business"):
        lower = lower.replace("business", "bussiness", 1)
    return _SPELLINGS.get(lower, name)


def in_soap(element: etree._Element) -> bool:
    """Whether SOAP's namespace is the element's."""
    return str(element.tag).startswith(f"{{{SOAP}}}")


def line_of(element: etree._Element) -> int | None:
    """Line of the file, counted from 1."""
    return cast("int | None", element.sourceline)  # the stubs give it no type


def belongs(name: str, parent: str) -> bool:
    """Whether the table has `name` in `parent`."""
    return name in CHILDREN.get(parent, ())
