"""Letters that act on others, for tests: unsigned, quick to make, each naming its target."""

from province import quick_letter

KINDS = {"revoke": "1", "update": "2", "replace": "3"}


def document_id(number, sender="H13.01", on=None):
    """The id that `quick_letter` gives."""
    raw = quick_letter(number, sender=sender).decode()
    return raw.split("DocumentId>")[1].split("<")[0]


def operation(
    kind, number, target, *, own=None, recipients=("H13.02",), sender="H13.01", more="", subject="V/v thử"
):
    """A letter of that operation; `own`: its own number, else that of its target, `more`: elements of Bussiness."""
    raw = quick_letter(own or number, sender=sender, recipients=recipients, subject=subject).decode()
    raw = raw.replace("BussinessDocType>0", f"BussinessDocType>{KINDS[kind]}")
    named = f"<edXML:DocumentId>{target}</edXML:DocumentId>" if target and kind != "replace" else ""
    return raw.replace("<edXML:Paper>", f"{named}{more}<edXML:Paper>").encode()


def update_info(*, document=False, added=(), removed=()):
    """BussinessDocumentInfo."""
    listed = "".join(
        f"<edXML:Receiver><edXML:OrganId>{code}</edXML:OrganId><edXML:ReceiverType>{kind}</edXML:ReceiverType></edXML:Receiver>"
        for kind, codes in (("1", added), ("0", removed))
        for code in codes
    )
    receivers = f"<edXML:ReceiverList>{listed}</edXML:ReceiverList>" if listed else ""
    return (
        f"<edXML:BussinessDocumentInfo><edXML:DocumentInfo>{int(document)}</edXML:DocumentInfo>"
        f"<edXML:DocumentReceiver>{int(bool(listed))}</edXML:DocumentReceiver>{receivers}</edXML:BussinessDocumentInfo>"
    )


def replaced(target, *codes):
    """ReplacementInfoList of one document."""
    organs = "".join(f"<edXML:OrganId>{code}</edXML:OrganId>" for code in codes)
    listed = f"<edXML:OrganIdList>{organs}</edXML:OrganIdList>" if codes else ""
    return (
        "<edXML:ReplacementInfoList><edXML:ReplacementInfo>"
        f"<edXML:DocumentId>{target}</edXML:DocumentId>{listed}"
        "</edXML:ReplacementInfo></edXML:ReplacementInfoList>"
    )
