"""What `congvan new` was told, as the facts of a letter or notice: from a facts file, earlier letters, and options.

Each later source speaks over the earlier ones: `--facts`, then `--original`, then the options.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NoReturn, TypedDict

from exchange.cli import answers
from exchange.cli.facts_file import Facts
from exchange.edxml import codes, dates, draft, model, read, view
from exchange.rules import paper_class

TAKE_BACK = "13"
_TYPES = {
    "pdf": "application/pdf",
    "xml": "application/xml",
    "zip": "application/zip",
    "txt": "text/plain",
    "p7s": "application/pkcs7-signature",
    "p7m": "application/pkcs7-mime",
}
_OFFICIAL_LETTER = codes.DOCUMENT_TYPES["18"]["name_vi"]
_OF_THE_DOCUMENT = (
    *("document_id", "number", "notation", "issued_on", "place", "type_code", "type_detail", "type_name"),
    *("subject", "content", "signer"),
)
"""Facts of the document itself: a revocation or an update says them again, a replacement has its own."""


class Given(TypedDict):
    """The options as click hands them over."""

    facts: Path | None
    files: Path | None
    sender: str
    from_name: str
    recipients: tuple[str, ...]
    number: str
    notation: str
    subject: str
    type_name: str
    issued: str | None
    place: str
    content: str
    competence: str
    position: str
    signer: str
    due: str | None
    priority: int | None
    paper: bool | None
    answers: Path | None
    operation: str | None
    original: Path | None
    target: tuple[str, ...]
    replaced_for: tuple[str, ...]
    add: tuple[str, ...]
    remove: tuple[str, ...]
    document_changes: bool
    reason: str
    status: str | None
    attach: tuple[Path, ...]
    out: Path
    as_json: bool


def of_letter(options: Given, base: Facts, at: datetime) -> Facts:
    """The facts of a letter, without those that nobody gave."""
    told = base | _from_original(options) | _options(options, base)
    operation = told.get("operation") or "new"
    told |= _operation(options, operation, told)
    if operation != "new" and not told.get("target_document_id") and not told.get("replaced"):
        answers.fail(answers.USAGE, "new.no_target", operation=operation)
    return _made_up(told, at) | told


def _made_up(told: Facts, at: datetime) -> Facts:
    """What stands for facts that nobody spoke of; what was said to be empty stays so."""
    notation = str(told.get("notation", ""))
    name = str(told.get("type_name", _type_name("", notation)))
    return {
        "issued_on": paper_class.local_day(at).isoformat(),
        "type_name": name,
        "type_code": codes.document_type(name, notation),
        "traces": [{"code": _code(told.get("sender")), "at_text": dates.write_moment(at)}],
    }


def of_notice(options: Given, base: Facts, at: datetime) -> Facts:
    """The facts of a notice: on the letter that it answers, or as the facts file says."""
    told = {"kind": "notice", "at": at.replace(microsecond=0).isoformat(), **base}
    if options["status"]:
        told["status"] = options["status"]
    if options["answers"]:
        told |= _answering(_letter(options["answers"]), told.get("status", ""), options)
    if options["sender"]:
        told["sender"] = _given(code=options["sender"], name=options["from_name"])
    return told | _given(description=options["reason"])


def _letter(path: Path) -> model.Letter:
    """The letter in a file; what cannot be read, or is a notice, ends the command (2)."""
    try:
        message = read.read(path.read_bytes()).message
    except read.Unreadable as problem:
        _unfit(path, str(problem.code))
    if not isinstance(message, model.Letter):
        _unfit(path, view.kind(message))
    return message


def _unfit(path: Path, why: str) -> NoReturn:
    answers.fail(answers.USAGE, "cli.unreadable", file=path, why=why)


def _from_original(options: Given) -> Facts:
    """What a letter about an earlier one says as that one did: from whom to whom and, if it is the same document, all of it."""
    if options["original"] is None:
        return {}
    if options["operation"] in (None, "new"):
        answers.fail(answers.USAGE, "new.which_operation")
    letter = _letter(options["original"])
    told = view.facts(model.Reading(message=letter))
    same = options["operation"] != "replace"
    kept = ("sender", "recipients", *(_OF_THE_DOCUMENT if same else ()))
    facts = {name: told[name] for name in kept}
    return facts | ({"target_document_id": letter.document_id} if same else {})


def _operation(options: Given, operation: str, told: Facts) -> Facts:
    """What the letter does to earlier ones."""
    if operation == "replace":
        return _given(replaced=_replaced(options), target_document_id="")
    target = options["target"]
    facts = _given(target_document_id=target[0] if target else "")
    if len(target) > 1:
        answers.fail(answers.USAGE, "new.one_target", operation=operation)
    said = options["add"] or options["remove"] or options["document_changes"]
    if operation == "update" and (said or not told.get("update")):
        facts["update"] = _update(options)
    return facts


def _update(options: Given) -> Facts:
    """Whom the document also goes to, or no longer; without either, it is the document's own facts that change."""
    receivers = [{"code": code, "added": True} for code in options["add"]]
    receivers += [{"code": code, "added": False} for code in options["remove"]]
    document = options["document_changes"] or not receivers
    return {"document": document, "recipients": bool(receivers), "receivers": receivers}


def _replaced(options: Given) -> list[Facts]:
    targets = list(options["target"])
    if options["original"]:
        targets.insert(0, _letter(options["original"]).document_id)
    return [{"document_id": target, "codes": list(options["replaced_for"])} for target in targets]


def _answering(letter: model.Letter, status: str, options: Given) -> Facts:
    """Who answers whom: a recipient the sender, but who takes back is the sender (status 13)."""
    recipients = [party.code for party in letter.recipients]
    one = options["recipients"][0] if options["recipients"] else ""
    recipient = one or (recipients[0] if len(recipients) == 1 else "")
    back = status == TAKE_BACK
    answer = {**_answered(letter), "code": recipient if back else letter.sender.code}
    told: Facts = {"response_for": answer}
    sender = letter.sender.code if back else recipient
    return told | ({"sender": sender} if sender else {})


def _answered(letter: model.Letter) -> Facts:
    return {
        "code": letter.sender.code,
        "reference": f"{letter.number}/{letter.notation}",
        "issued_on": letter.issued_on.isoformat() if letter.issued_on else None,
        "document_id": letter.document_id,
    }


def _known(told: object) -> Facts:
    """The facts that a file tells of something; what is no object tells none, and what is wrong with it is found later."""
    return told if isinstance(told, dict) else {}


def _options(options: Given, base: Facts) -> Facts:
    """The options as facts, without those that nobody gave."""
    name = _type_name(options["type_name"], options["notation"]) if options["type_name"] else ""
    signer = _given(competence=options["competence"], position=options["position"], name=options["signer"])
    answered = [_answered(_letter(options["answers"]))] if options["answers"] else []
    return _given(
        sender=_sender(options, base),
        recipients=list(options["recipients"]),
        number=options["number"],
        notation=options["notation"],
        subject=options["subject"],
        type_name=name,
        type_code=codes.document_type(name, options["notation"]) if name else "",
        issued_on=_day(options["issued"]),
        due_on=_day(options["due"]),
        place=options["place"],
        content=options["content"],
        signer={**_known(base.get("signer")), **signer} if signer else None,
        priority=options["priority"],
        paper=None if options["paper"] is None else int(options["paper"]),
        operation=options["operation"],
        operation_reason=options["reason"],
        response_for=answered,
        files=[*(base.get("files") or []), *map(_file, options["attach"])],
    )


def _sender(options: Given, base: Facts) -> Facts:
    """The sender named by options; a name alone is given to the one in the facts."""
    named = _given(name=options["from_name"])
    if options["sender"]:
        return {"code": options["sender"], **named}
    known = base.get("sender")
    return {**(known if isinstance(known, dict) else _given(code=known)), **named} if named else {}


def _given(**facts: Any) -> Facts:  # noqa: ANN401 - facts of many kinds
    """Those that somebody gave."""
    return {name: fact for name, fact in facts.items() if fact not in ("", None, {}, [])}


def _code(party: object) -> str:
    return str(party.get("code", "")) if isinstance(party, dict) else str(party or "")


def _type_name(name: str, notation: str) -> str:
    """The document's kind by its name or abbreviation, else as the notation tells.

    A notation that names no kind is an official letter's (Decree 30/2020/NĐ-CP, annex I part II, 3b).
    """
    for row in codes.DOCUMENT_TYPES.values():
        if name and name in (row["name_vi"], row["abbreviation"]):
            return row["name_vi"]
    code = codes.document_type("", notation)
    return name or (codes.DOCUMENT_TYPES[code]["name_vi"] if code else _OFFICIAL_LETTER)


def _day(text: str | None) -> str | None:
    """A day as ISO 8601, from that or from dd/mm/yyyy; another text is left for the draft to refuse."""
    if text is None:
        return None
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return _read_day(text, form).isoformat()
        except ValueError:
            continue
    return text


def _read_day(text: str, form: str) -> date:
    return datetime.strptime(text, form).replace(tzinfo=UTC).date()


def _file(path: Path) -> Facts:
    kind = _TYPES.get(path.suffix.casefold().lstrip("."), draft.UNNAMED_TYPE)
    return {"name": path.name, "content_type": kind, "data": path.read_bytes()}
