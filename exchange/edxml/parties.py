"""The agencies and persons of a message: sender, recipients, whom it answers, who handles it.

Source: reference page edxml, section 3.
"""

from exchange.edxml import agency_codes, model, values
from exchange.edxml.notes import Notes
from exchange.edxml.walk import Node

_PARTICULARS = {
    "OrganName": "name",
    "OrganizationInCharge": "in_charge",
    "OrganAdd": "address",
    "Email": "email",
    "Telephone": "telephone",
    "Fax": "fax",
    "Website": "website",
}


def sender(notes: Notes, header: Node) -> model.Party:
    """From (đơn vị gửi); its code is mandatory."""
    return _party(header.one("From"), values.required_code(notes, header, "From", "OrganId"))


def recipients(notes: Notes, header: Node) -> tuple[model.Party, ...]:
    """Every To with a code (đơn vị nhận), at least one; one named twice stays twice, with a warning."""
    nodes = header.many("To")
    found = tuple(_party(node, values.agency(node)) for node in nodes)
    if not any(party.code for party in found) and not (header.broken or _broken(nodes)):
        notes.error("missing", f"{header.path}/To/OrganId", header.line, element="OrganId")
    else:
        _note_doubtful(notes, nodes, found)
    return tuple(party for party in found if party.code)


def _broken(nodes: list[Node]) -> bool:
    return any(leaf.broken for node in nodes for leaf in node.many("OrganId"))


def _note_doubtful(notes: Notes, nodes: list[Node], found: tuple[model.Party, ...]) -> None:
    seen: set[str] = set()
    for node, party in zip(nodes, found, strict=True):
        leaf, code = node.one("OrganId"), agency_codes.compared(party.code)
        if not code and not _broken([node]):
            notes.warning("recipient_without_code", node.path, node.line, name=party.name)
        elif leaf and code and code in seen:
            notes.warning("duplicate_recipient", leaf.path, leaf.line, code=party.code)
        seen.add(code)


def _party(node: Node | None, code: str) -> model.Party:
    children = (
        node.children if node else {}
    )  # mostly a code alone: a letter to a thousand has a thousand of these
    return model.Party(
        code=code,
        **{_PARTICULARS[name]: nodes[0].text for name, nodes in children.items() if name in _PARTICULARS},
    )


def answered(notes: Notes, header: Node) -> tuple[model.ResponseFor, ...]:
    """Every document answered (văn bản được phản hồi) of which anything is said."""
    found = (response_for(notes, node) for node in header.many("ResponseFor"))
    return tuple(answer for answer in found if answer != model.ResponseFor())


def response_for(notes: Notes, node: Node) -> model.ResponseFor:
    """One document answered, all of it optional here."""
    return model.ResponseFor(
        code=values.agency(node),
        reference=values.text(node, "Code"),
        issued_on=values.day(notes, node, "PromulgationDate"),
        issued_on_text=values.text(node, "PromulgationDate"),
        document_id=values.text(node, "DocumentId"),
    )


def first_staff(notes: Notes, nodes: list[Node]) -> model.Staff | None:
    """The first that says anything; one library models a list, of which all others are noted."""
    found = [(node, one) for node, one in ((node, staff(node)) for node in nodes) if one]
    for node, _ in found[1:]:
        notes.warning("staff_passed_over", node.path, node.line)
    return found[0][1] if found else None


def staff(node: Node | None) -> model.Staff | None:
    """Who handles it (người xử lý), or None if nothing is said."""
    found = model.Staff(
        department=values.text(node, "Department"),
        name=values.text(node, "Staff"),
        mobile=values.text(node, "Mobile"),
        email=values.text(node, "Email"),
    )
    return None if found == model.Staff() else found
