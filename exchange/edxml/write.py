"""A message to bytes: the layered form, byte for byte as the national Java library shapes it.

Default namespace on the root, prefix `edXML` bound on the envelope and again on the bytes of each file, its
order of elements, `Bussiness` so spelled, `cid:` in manifest and attachment, days as `yyyy/MM/dd`. The text is
put together here, not by an XML library, because libraries are free to move the prefixes.
Nothing is written for what is empty: empty and absent are the same, and the Java library fails at an empty number.
So `Paper` is written whenever it is declared, also as 0, and stands nowhere when nothing was declared: a 0 that
nobody declared would count as paperless (section 6.1). Hops stand before `Bussiness`, and ids before days in what
is answered, as in that library's samples. Numbers are plain integers, days are days: a text in their place, kept by
a tolerant reading, is not passed on.
What that library knows beyond the standard is written where it puts it; other extensions are left out.
Source: reference page edxml, sections 2 to 5, 10 and 11 (emit rules).
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date

from exchange.edxml import codes, dates, grammar, model

NAMESPACE = "http://www.mic.gov.vn/TBT/QCVN_102_2016"

_FORBIDDEN = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_INTEGER = re.compile(r"-?[0-9]{1,9}")
_ATTRIBUTES = {"edXMLManifest": ' version="1.0"'}
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})

Part = tuple[str, "str | list[Part]"]
"""An element: its name, and its text or the elements in it."""


def write(message: model.Message) -> bytes:
    """The message as UTF-8. Raises ValueError for a character that XML cannot carry."""
    return b"".join(line.encode() for line in _document(message))


def _document(message: model.Message) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<edXML xmlns="{NAMESPACE}">\n  <edXML:edXMLEnvelope xmlns:edXML="{NAMESPACE}">\n'
    header = _notice(message) if isinstance(message, model.Notice) else _letter(message)
    yield from _lines(header, "    ", "edXML:")
    files = () if isinstance(message, model.Notice) else message.attachments
    yield from _lines(_body(files), "    ", "edXML:")
    yield "  </edXML:edXMLEnvelope>\n"
    yield from _encoded(message, files)
    yield "</edXML>\n"


def _lines(parts: list[Part], indent: str, prefix: str) -> Iterator[str]:
    for name, inside in parts:
        if isinstance(inside, str):
            yield f"{indent}<{prefix}{name}>{_escaped(inside)}</{prefix}{name}>\n"
            continue
        yield f"{indent}<{prefix}{name}{_ATTRIBUTES.get(name, '')}>\n"
        yield from _lines(inside, indent + "  ", prefix)
        yield f"{indent}</{prefix}{name}>\n"


def forbidden(text: str) -> str:
    """The first character that XML cannot carry, as `U+001B`; empty if there is none."""
    found = _FORBIDDEN.search(text)
    return f"U+{ord(found[0]):04X}" if found else ""


def _escaped(text: str) -> str:
    found = forbidden(text)
    if found:
        raise ValueError(f"XML cannot carry {found}")
    return text.translate(_ESCAPES)


def _leaves(**texts: str) -> list[Part]:
    return [(name, text) for name, text in texts.items() if text]


def _branch(name: str, inside: list[Part]) -> list[Part]:
    return [(name, inside)] if inside else []


def _repeated(name: str, texts: Iterable[str]) -> list[Part]:
    return [(name, text) for text in texts if text]


def _letter(letter: model.Letter) -> list[Part]:
    header = _branch("MessageHeader", [*_addresses(letter), *_document_facts(letter), *_particulars(letter)])
    return _branch("edXMLHeader", [*header, *_branch("TraceHeaderList", _trace(letter))])


def _addresses(letter: model.Letter) -> list[Part]:
    recipients = (_party("To", party) for party in letter.recipients)
    return [*_party("From", letter.sender), *(part for parts in recipients for part in parts)]


def _party(name: str, party: model.Party) -> list[Part]:
    leaves = _leaves(
        OrganId=party.code,
        OrganizationInCharge=party.in_charge,
        OrganName=party.name,
        OrganAdd=party.address,
        Email=party.email,
        Telephone=party.telephone,
        Fax=party.fax,
        Website=party.website,
    )
    return _branch(name, leaves)


def _document_facts(letter: model.Letter) -> list[Part]:
    issued_on = _day(letter.issued_on)
    kind = _leaves(
        Type=_integer(letter.type_code), TypeDetail=_integer(letter.type_detail), TypeName=letter.type_name
    )
    signer = letter.signer
    return [
        *_leaves(DocumentId=letter.document_id),
        *_branch("Code", _leaves(CodeNumber=letter.number, CodeNotation=letter.notation)),
        *_branch("PromulgationInfo", _leaves(Place=letter.place, PromulgationDate=issued_on)),
        *_branch("DocumentType", kind),
        *_leaves(Subject=letter.subject, Content=letter.content),
        *_branch(
            "SignerInfo",
            _leaves(Competence=signer.competence, Position=signer.position, FullName=signer.name),
        ),
    ]


def _particulars(letter: model.Letter) -> list[Part]:
    other = _leaves(
        Priority=str(letter.priority),
        SphereOfPromulgation=letter.sphere,
        TyperNotation=letter.typist,
        PromulgationAmount=_count(letter.copies),
        PageAmount=_count(letter.pages),
        **_vendors(letter, "MessageHeader/OtherInfo", "Direction", "ReplyFors", "ReferenceCodes"),
    )
    answers = (_response_for(answer) for answer in letter.response_for)
    return [
        *_leaves(DueDate=_day(letter.due_on)),
        *_branch("OtherInfo", [*other, *_branch("Appendixes", _repeated("Appendix", letter.appendixes))]),
        *(part for parts in answers for part in parts),
        *_leaves(SteeringType=str(letter.steering)),
        *_branch("ResponseForTask", _leaves(**_vendors(letter, "MessageHeader/ResponseForTask", "TaskCode"))),
        *_leaves(**_vendors(letter, "MessageHeader", "ApplicationType")),
        *_branch("ToPlaces", _repeated("Place", letter.to_places)),
    ]


def _response_for(answer: model.ResponseFor) -> list[Part]:
    leaves = _leaves(
        OrganId=answer.code,
        Code=answer.reference,
        DocumentId=answer.document_id,
        PromulgationDate=_day(answer.issued_on),
    )
    return _branch("ResponseFor", leaves)


def _trace(letter: model.Letter) -> list[Part]:
    hops = (_branch("TraceHeader", _leaves(OrganId=hop.code, Timestamp=hop.at_text)) for hop in letter.traces)
    business = [
        *_leaves(
            DocumentId=letter.target_document_id,
            BussinessDocType=codes.CODE_OF[letter.operation],
            BussinessDocReason=letter.operation_reason,
        ),
        *_update(letter.update),
        *_leaves(Paper=_count(letter.paper)),
        *_staff(letter, "TraceHeaderList/Bussiness/StaffInfo"),
        *_branch("ReplacementInfoList", [part for item in letter.replaced for part in _replacement(item)]),
    ]
    return [*(part for parts in hops for part in parts), *_branch("Bussiness", business)]


def _update(update: model.Update | None) -> list[Part]:
    if update is None:
        return []
    receivers = [
        _branch("Receiver", _leaves(OrganId=receiver.code, ReceiverType=str(int(receiver.added))))
        for receiver in update.receivers
    ]
    flags = _leaves(DocumentInfo=str(int(update.document)), DocumentReceiver=str(int(update.recipients)))
    listed = _branch("ReceiverList", [part for parts in receivers for part in parts])
    return _branch("BussinessDocumentInfo", [*flags, *listed])


def _replacement(item: model.Replacement) -> list[Part]:
    agencies = _branch("OrganIdList", _repeated("OrganId", item.codes))
    return _branch("ReplacementInfo", [*_leaves(DocumentId=item.document_id), *agencies])


def _staff(message: model.Message, path: str) -> list[Part]:
    staff = message.staff or model.Staff()
    ids = _vendors(message, path, "DepartmentId", "StaffId") | _vendors(
        message, f"{path}[1]", "DepartmentId", "StaffId"
    )
    leaves = _leaves(
        Department=staff.department,
        DepartmentId=ids.get("DepartmentId", ""),
        Staff=staff.name,
        StaffId=ids.get("StaffId", ""),
        Email=staff.email,
        Mobile=staff.mobile,
    )
    return _branch("StaffInfo", leaves)


def _vendors(message: model.Message, path: str, *names: str) -> dict[str, str]:
    """The message's values of these elements at that place, by name."""
    told = {one.path: one.text for one in reversed(message.extensions)}
    return {name: told[f"{path}/{name}"] for name in names if f"{path}/{name}" in told}


def _notice(notice: model.Notice) -> list[Part]:
    at = dates.write_moment(notice.at) if notice.at else notice.at_text
    header = [
        *_party("From", notice.sender),
        *_response_for(notice.response_for),
        *_staff(notice, "MessageHeader/StaffInfo"),
        *_leaves(StatusCode=notice.status, Description=notice.description, Timestamp=at),
    ]
    return _branch("edXMLHeader", _branch("MessageHeader", header))


def _body(files: tuple[model.Attachment, ...]) -> list[Part]:
    references = [
        _leaves(
            ContentId=_cid(file),
            ContentType=file.content_type,
            Description=file.description,
            AttachmentName=file.name,
        )
        for file in files
    ]
    manifest = _branch("edXMLManifest", [("Reference", reference) for reference in references])
    return _branch("edXMLBody", manifest)


def _encoded(message: model.Message, files: tuple[model.Attachment, ...]) -> Iterator[str]:
    if not files:
        return
    yield "  <AttachmentEncoded>\n"
    for place, file in enumerate(files, start=1):
        more = f"AttachmentEncoded/Attachment[{place}]"
        yield "    <Attachment>\n"
        facts = _leaves(
            ContentId=_cid(file),
            AttachmentName=file.name,
            Description=file.description,
            **_vendors(message, more, "FieldName", "MimeType"),
            ContentType=file.transfer_type,
            **_vendors(message, more, "Format"),
        )
        yield from _lines(facts, "      ", "")
        yield f'      <edXML:{grammar.BYTES} xmlns:edXML="{NAMESPACE}">'
        yield _escaped(file.encoded)
        yield f"</edXML:{grammar.BYTES}>\n    </Attachment>\n"
    yield "  </AttachmentEncoded>\n"


def _cid(file: model.Attachment) -> str:
    return file.content_id and f"cid:{file.content_id}"


def _count(number: int | None) -> str:
    return "" if number is None else str(number)


def _integer(text: str) -> str:
    return text if _INTEGER.fullmatch(text) else ""


def _day(day: date | None) -> str:
    return dates.write_day(day) if day else ""
