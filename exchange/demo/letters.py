"""The demo's letters: one for every way a letter can end, as bytes that a document system would send.

Each case is a row of `CASES`: what it shows, and how it must end. `compose` makes the bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from exchange.demo.authority import Authority
from exchange.edxml import attachments, model, read, write
from signing import keys, pdf_write, seal

PDF = "application/pdf"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """An agency that sends in the demo: its code in the form used on the wire, name, seal's owner and signing officer."""

    wire_code: str
    code: str
    name: str
    officer: str
    officer_name: str
    seal_of: str


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One letter to be made: case, sender, recipients' codes, number, and whose seal is used instead of the sender's."""

    case: str
    sender: Actor
    recipients: tuple[str, ...]
    number: int
    subject: str
    foreign: Actor | None = None


@dataclass(frozen=True, kw_only=True)
class Expected:
    """How a case ends: accepted with this class, refused with this code, or replayed."""

    answer: str
    klass: str = ""
    code: str = ""


CASES: Mapping[str, Expected] = {
    "signed_pdf": Expected(answer="accepted", klass="E"),
    "package_signed": Expected(answer="accepted", klass="E"),
    "placeholder": Expected(answer="accepted", klass="E"),
    "paper": Expected(answer="accepted", klass="S"),
    "undeclared": Expected(answer="accepted", klass="U"),
    "annex_unsigned": Expected(answer="accepted", klass="N"),
    "parent_seal": Expected(answer="accepted", klass="E"),
    "signer_unconfirmed": Expected(answer="accepted", klass="N"),
    "signer_revoked": Expected(answer="accepted", klass="N"),
    "to_all": Expected(answer="accepted", klass="E"),
    "forged": Expected(answer="refused", code="signature_broken"),
    "foreign_signature": Expected(answer="refused", code="signature_of_another"),
    "returned": Expected(answer="accepted", klass="X"),
    "replay": Expected(answer="replayed"),
}
"""Every case, with how it must end; a hand-written table that the demo's own test compares with what happened."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What differs from case to case: how the main document is signed, the paper flag, annexes, the finished bytes."""

    seal_on_pdf: bool = True
    paper: int | None = 0
    annex: bool = False
    finish: Callable[[bytes, Draft, Authority, datetime], bytes] | None = None


def compose(draft: Draft, authority: Authority, at: datetime) -> bytes:
    """The bytes of one letter."""
    parts = _PARTS.get(draft.case, Parts())
    files = [attachments.encode("van_ban.pdf", _main(draft, authority, at, parts), PDF)]
    if parts.annex:
        files.append(attachments.encode("phu_luc.pdf", pdf_write.blank([f"Phu luc {draft.number}"]), PDF))
    raw = write.write(_letter(draft, at, parts.paper, tuple(files)))
    return parts.finish(raw, draft, authority, at) if parts.finish else raw


def document_id(code: str, on: date, number: int, notation: str) -> str:
    """As most writers make it (reference page edxml, 8.1)."""
    return f"{code},{on:%Y/%m/%d},{number}/{notation}"


def notation(draft: Draft) -> str:
    """Ký hiệu of the demo's official letters."""
    return "CV-" + draft.sender.code.replace(".", "")


def _letter(
    draft: Draft, at: datetime, paper: int | None, files: tuple[model.Attachment, ...]
) -> model.Letter:
    today = at.date()
    return model.Letter(
        sender=model.Party(code=draft.sender.wire_code, name=draft.sender.name),
        recipients=tuple(model.Party(code=code) for code in draft.recipients),
        document_id=document_id(draft.sender.wire_code, today, draft.number, notation(draft)),
        number=str(draft.number),
        notation=notation(draft),
        issued_on=today,
        place="Cần Thơ",
        type_code="18",
        type_name="Công văn",
        subject=draft.subject,
        signer=model.Signer(name=draft.sender.officer_name),
        traces=(model.Trace(code=draft.sender.wire_code, at_text=f"{at:%Y/%m/%d %H:%M:%S}"),),
        paper=paper,
        attachments=files,
    )


def _main(draft: Draft, authority: Authority, at: datetime, parts: Parts) -> bytes:
    """The main document: the person signs, then the organisation covers the whole."""
    lines = [draft.sender.name, f"So {draft.number}/{notation(draft)}", draft.subject]
    person = authority.persons[(draft.sender.code, draft.sender.officer)]
    signed = pdf_write.sign(pdf_write.blank(lines), person.key, person.certificate, at=at, field="Person")
    if not parts.seal_on_pdf:
        return signed
    holder = _seal(draft, authority)
    return pdf_write.sign(signed, holder.key, holder.certificate, at=at, field="Organisation")


def _seal(draft: Draft, authority: Authority) -> keys.Holder:
    return authority.seals[draft.foreign.code if draft.foreign else draft.sender.seal_of]


def _sign_package(raw: bytes, draft: Draft, authority: Authority, at: datetime) -> bytes:
    holder = _seal(draft, authority)
    return seal.sign_xml(raw, holder.key, holder.certificate, at=at)


def _add_placeholder(raw: bytes, _draft: Draft, _authority: Authority, _at: datetime) -> bytes:
    """What a well-known sample of a kit carries instead of a signature (reference page edxml, section 7)."""
    return raw.replace(b"</edXML:edXMLHeader>", _PLACEHOLDER + b"</edXML:edXMLHeader>", 1)


_PLACEHOLDER = (
    b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>'
    b'<CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>'
    b'<SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"/>'
    b'<Reference URI=""><Transforms>'
    b'<Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/></Transforms>'
    b'<DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/>'
    b"<DigestValue>AAAAAAAAAAAAAAAAAAAAAAAAAAA=</DigestValue></Reference></SignedInfo>"
    b"<SignatureValue>AAAA</SignatureValue><KeyInfo><X509Data>"
    b"<X509Certificate>MIIFqTCCBJG</X509Certificate></X509Data></KeyInfo></Signature>"
)


def _tamper(raw: bytes, draft: Draft, _authority: Authority, _at: datetime) -> bytes:
    """Change one word inside the signed PDF, as somebody on the way might."""
    letter = read_letter(raw)
    original = attachments.decode(letter.attachments[0])
    changed = original.replace(f"{draft.number}/".encode(), f"{draft.number + 1}/".encode(), 1)
    assert changed != original
    forged = attachments.encode("van_ban.pdf", changed, PDF, letter.attachments[0].content_id)
    return raw.replace(letter.attachments[0].encoded.encode(), forged.encoded.encode(), 1)


def read_letter(raw: bytes) -> model.Letter:
    """A letter of our own, read again."""
    message = read.read(raw).message
    assert isinstance(message, model.Letter)
    return message


_PARTS: Mapping[str, Parts] = {
    "package_signed": Parts(seal_on_pdf=False, finish=_sign_package),
    "placeholder": Parts(finish=_add_placeholder),
    "paper": Parts(paper=1),
    "undeclared": Parts(paper=None),
    "annex_unsigned": Parts(annex=True),
    "forged": Parts(finish=_tamper),
}


def replayed(draft: Draft) -> Draft:
    """The same letter, sent once more."""
    return replace(draft, case="replay")
