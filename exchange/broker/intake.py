"""From a message that was read to the facts that rules decide on: pure, no I/O."""

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

from exchange.broker import attached
from exchange.broker.caller import Caller
from exchange.broker.declared import Declared
from exchange.edxml import attachments, model, spooled
from exchange.edxml.spooled import Content
from exchange.errors import Finding
from exchange.rules import (
    admission,
    directory,
    directory_succession,
    document_types,
    paper_class,
    requirements,
    routing,
)

NOWHERE = routing.Routing(recipients=())


@dataclass(frozen=True, kw_only=True)
class File:
    """One attachment (tệp đính kèm) with its decoded, unwrapped bytes, of a large letter in a file."""

    name: str
    path: str
    raw: Content

    @property
    def is_pdf(self) -> bool:
        """Whether a recipient may open it as PDF: types and names lie, so either will do."""
        return attached.holds_pdf(self.name, self.raw)


def day(at: datetime) -> date:
    """The local day on which directory rows must hold."""
    return paper_class.local_day(at)


def identity(message: model.Message) -> str:
    """The id of the document sent or answered, as it is compared: NFC, trimmed (design §6, settled 7)."""
    about = message.response_for if isinstance(message, model.Notice) else message
    return compared(about.document_id)


def compared(document_id: str) -> str:
    """An id as it is compared with others."""
    return unicodedata.normalize("NFC", document_id).strip()


def intake(
    snapshot: directory.Directory, reading: model.Reading, caller: Caller, declared: Declared, at: datetime
) -> admission.Intake:
    """What is known before any signature is looked at. An update also goes to the agencies that it lists."""
    letter, on = reading.message, day(at)
    assert isinstance(letter, model.Letter)
    sender = directory.find(snapshot, letter.sender.code, on)
    heir = None if sender else directory_succession.heir(snapshot, letter.sender.code, on)
    codes = [*(party.code for party in letter.recipients), *listed(letter)]
    return admission.Intake(
        sender=sender,
        acts_for=caller.acts_for,
        routing=routing.route(snapshot, sender.id, codes, on, declared.purposes) if sender else NOWHERE,
        findings=reading.findings,
        paper=letter.paper,
        no_paper_standing=sender is not None and directory.declared(snapshot, sender.id, "no_paper", on),
        merged=(directory.canonical(letter.sender.code), heir) if heir else None,
    )


def listed(letter: model.Letter) -> dict[str, bool]:
    """The agencies by code that an update adds (true) or removes; of one listed twice, the later word holds."""
    update = letter.update
    if letter.operation != "update" or update is None or not update.recipients:
        return {}
    return {directory.canonical(one.code): one.added for one in update.receivers}


def files(letter: model.Letter) -> tuple[File, ...] | Finding:
    """Every attachment opened, or the finding that says which one cannot be."""
    opened: list[File] = []
    try:
        for one, raw in zip(letter.attachments, attachments.contents(letter), strict=True):
            opened.append(File(name=one.name, path=one.path, raw=raw))
    except attachments.Damaged:
        one = letter.attachments[len(opened)]
        return Finding(severity="error", code="damaged_bytes", path=one.path, facts={"name": one.name})
    return tuple(opened)


def facts(
    reading: model.Reading, case: admission.Intake, declared: Declared, opened: tuple[File, ...]
) -> requirements.LetterFacts:
    """What the requirement depends on."""
    letter = reading.message
    assert isinstance(letter, model.Letter)
    assert case.sender is not None
    return requirements.LetterFacts(
        sender=case.sender.id,
        document_type_name=letter.type_name or document_types.named("", letter.notation),
        copy_form=declared.copy_form,
        attachments=tuple(
            requirements.AttachmentFacts(
                name=file.name,
                path=file.path,
                kind="pdf" if file.is_pdf else "other",
                sha256=spooled.digest(file.raw),
            )
            for file in opened
            if not attached.is_detached(file.name, file.raw)
        ),
        header_path=reading.header_path,
        main_named=declared.main,
        number=letter.number,
        notation=letter.notation,
        issued_on=letter.issued_on,
        signer_name=letter.signer.name,
        repaired=reading.repaired,
    )


def main_sha256(given: requirements.LetterFacts) -> bytes | None:
    """The digest of the main document, by which it is found again under another number."""
    main, _ = requirements.main_document(given)
    return main.sha256 if main else None
