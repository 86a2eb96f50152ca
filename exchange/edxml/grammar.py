"""The layered form of an edXML message as a table: what may stand where, and how often.

Elements are known by local name, in any case, namespace or prefix; `Business…` is `Bussiness…`.
Source: reference page edxml, sections 2 to 5, 10 and 11.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from lxml import etree

_PARTY = "OrganId OrganizationInCharge OrganName OrganAdd Email Telephone Fax Website"
_BLOCKS = "MessageHeader> TraceHeaderList> edXMLManifest> AttachmentEncoded> Signature# DigitalSignature#"
_FORM = {
    "edXML": f"edXMLEnvelope> edXMLHeader> edXMLBody> {_BLOCKS}",
    "edXMLEnvelope": f"edXMLHeader> edXMLBody> {_BLOCKS}",
    "edXMLHeader": _BLOCKS,
    "edXMLBody": _BLOCKS,
    "MessageHeader": (
        "From> To>* DocumentId Code> PromulgationInfo> DocumentType> Subject Content SignerInfo> DueDate OtherInfo> "
        "ResponseFor>* SteeringType ToPlaces> ResponseForTask# ApplicationType "
        "StaffInfo> StatusCode Description Timestamp"
    ),
    "From": _PARTY,
    "To": _PARTY,
    "Code": "CodeNumber CodeNotation",
    "PromulgationInfo": "Place PromulgationDate",
    "DocumentType": "Type TypeDetail TypeName",
    "SignerInfo": "Competence Position FullName",
    "OtherInfo": (
        "Priority SphereOfPromulgation TyperNotation PromulgationAmount PageAmount Direction ReplyFors "
        "ReferenceCodes Appendixes>"
    ),
    "Appendixes": "Appendix*",
    "ResponseFor": "OrganId Code PromulgationDate DocumentId",
    "ToPlaces": "Place*",
    "StaffInfo": "Department DepartmentId Staff StaffId Mobile Email",
    "TraceHeaderList": "TraceHeader>* Bussiness> Paper",
    "TraceHeader": "OrganId Timestamp",
    "Bussiness": (
        "BussinessDocType BussinessDocReason BussinessDocumentInfo> DocumentId StaffInfo> Paper ReplacementInfoList>"
    ),
    "BussinessDocumentInfo": "DocumentInfo DocumentReceiver ReceiverList>",
    "ReceiverList": "Receiver>*",
    "Receiver": "OrganId ReceiverType",
    "ReplacementInfoList": "ReplacementInfo>*",
    "ReplacementInfo": "DocumentId OrganIdList>",
    "OrganIdList": "OrganId*",
    "edXMLManifest": "Reference>*",
    "Reference": "ContentId ContentType Description AttachmentName",
    "AttachmentEncoded": "Attachment>*",
    "Attachment": (
        "ContentId AttachmentName Description FieldName MimeType ContentType Format ContentTransferEncoded"
    ),
}
"""Element -> what may stand in it: `>` has elements inside, `*` may repeat, `#` is not looked into."""

ROOTS = ("edXML", "edXMLEnvelope")
LAYERS = ("edXML", "edXMLEnvelope", "edXMLHeader", "edXMLBody")
"""Wrappers without facts; all but the root are optional."""

LONGEST_REMEMBERED = 256
"""Characters of an element's name with its namespace."""

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
    """One child of one element: has elements inside, may repeat, is not looked into."""

    name: str
    inside: bool
    many: bool
    opaque: bool


def _row(words: str) -> dict[str, Entry]:
    return {
        word.rstrip(">*#"): Entry(word.rstrip(">*#"), ">" in word, "*" in word, "#" in word)
        for word in words.split()
    }


CHILDREN: Mapping[str, Mapping[str, Entry]] = {name: _row(words) for name, words in _FORM.items()}


def _spellings(names: Iterable[str]) -> dict[str, str]:
    return {name.lower(): name for name in names}


_SPELLINGS = _spellings([*CHILDREN, *(child for row in CHILDREN.values() for child in row)])


def local_name(element: etree._Element) -> str:
    """The name without its namespace and without a prefix that recovery left in it."""
    return _names(str(element.tag))[0]


def standard_name(element: etree._Element) -> str:
    """The standard's spelling of the name, or the local name itself where nobody knows it."""
    return _names(str(element.tag))[1]


def standard(tag: str) -> str:
    """The same of a name as it stands in the document, prefix and all."""
    return _names(tag)[1]


def _names(tag: str) -> tuple[str, str]:
    """The local and the standard name; what is longer than any name of the standard is not remembered."""
    return _remembered(tag) if len(tag) <= LONGEST_REMEMBERED else _read(tag)


@lru_cache(maxsize=1024)
def _remembered(tag: str) -> tuple[str, str]:
    return _read(tag)


def _read(tag: str) -> tuple[str, str]:
    name = tag.rpartition("}")[2].rpartition(":")[2]
    return name, _standard(name)


def _standard(name: str) -> str:
    lower = name.lower() if name.isascii() else name
    if lower.startswith("business"):
        lower = lower.replace("business", "bussiness", 1)
    return _SPELLINGS.get(lower, name)


def line_of(element: etree._Element) -> int | None:
    """Line of the file, counted from 1."""
    return cast("int | None", element.sourceline)  # the stubs give it no type


def belongs(name: str, parent: str) -> bool:
    """Whether the table has `name` in `parent`."""
    return name in CHILDREN.get(parent, ())
