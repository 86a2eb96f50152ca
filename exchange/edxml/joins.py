"""The attachments of a letter: each file's bytes joined with its line in the manifest.

Joined by ContentId, then by the line's `xlink:href`, then by name, then by position (`content_ids` tells which ids
are the same); what stays single, what differs and what is named dangerously is a warning, and so is an href that
names no file, or another one than the line is joined with; a file without bytes is an error.
Source: reference page edxml, section 10.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from exchange.edxml import content_ids, model, names, values
from exchange.edxml.notes import Notes
from exchange.edxml.walk import Node

Pairs = dict[int, int]
Key = Callable[[Node], str]


def attachments(
    notes: Notes, parts: Mapping[str, Node], limits: model.Limits
) -> tuple[model.Attachment, ...]:
    """The files in document order. Raises Unreadable `too_complex`."""
    manifest, encoded = parts.get("edXMLManifest"), parts.get("AttachmentEncoded")
    lines = manifest.many("Reference") if manifest else []
    files = encoded.many("Attachment") if encoded else []
    for nodes in (lines, files):
        if len(nodes) > limits.attachments:
            raise model.Unreadable("too_complex", "attachments", nodes[limits.attachments].line)
    joined = _join(lines, files)
    _note_single(notes, lines, files, joined)
    found = tuple(
        _attachment(notes, file, lines[joined[position]] if position in joined else None, position)
        for position, file in enumerate(files)
    )
    _note_hrefs(notes, lines, joined, found)
    _note_alike(notes, files, found)
    return found


def _join(lines: list[Node], files: list[Node]) -> Pairs:
    """Position of a file -> position of its line."""
    pairs: Pairs = {}
    for of_line, of_file in _KEYS:
        _join_by(of_line, of_file, lines, files, pairs)
    taken = set(pairs.values())
    for position in range(min(len(lines), len(files))):
        if position not in pairs and position not in taken:
            pairs[position] = position
    return pairs


def _join_by(of_line: Key, of_file: Key, lines: list[Node], files: list[Node], pairs: Pairs) -> None:
    taken = set(pairs.values())
    free: dict[str, list[int]] = {}
    for position, line in enumerate(lines):
        if position not in taken and of_line(line):
            free.setdefault(of_line(line), []).append(position)
    for position, file in enumerate(files):
        if free and position not in pairs and free.get(of_file(file)):
            pairs[position] = free[of_file(file)].pop(0)


def _folded_id(node: Node) -> str:
    return content_ids.folded(content_ids.of(node))


def _href(line: Node) -> str:
    """What the line's href names; nothing where two of them contradict each other."""
    said = content_ids.hrefs(line)
    return said[0] if len(said) == 1 else ""


def _folded_href(line: Node) -> str:
    return content_ids.folded(_href(line))


def _name(node: Node) -> str:
    return values.text(node, "AttachmentName")


def _folded_name(node: Node) -> str:
    return names.twin(_name(node))


_KEYS: Sequence[tuple[Key, Key]] = (
    (content_ids.of, content_ids.of),
    (_folded_id, _folded_id),
    (_href, content_ids.of),
    (_folded_href, _folded_id),
    (_name, _name),
    (_folded_name, _folded_name),
)
"""By what a line and a file are joined, in this order: what the line has, and what the file has."""


def _attachment(notes: Notes, file: Node, line: Node | None, position: int) -> model.Attachment:
    raw_name = _name(file) or (_name(line) if line else "")
    name = names.safe(raw_name, position)
    _note_names(notes, file, line, raw_name, name)
    transfer_type = values.text(file, "ContentType")
    _note_bytes(notes, file, name)
    return model.Attachment(
        name=name,
        raw_name="" if name == raw_name else raw_name,
        content_type=values.text(line, "ContentType") or transfer_type,
        transfer_type=transfer_type,
        description=values.text(file, "Description") or values.text(line, "Description"),
        content_id=content_ids.of(file) or (content_ids.of(line) or _href(line) if line else ""),
        encoded=values.text(file, "ContentTransferEncoded"),
        position=position,
        path=file.xpath,
        line=file.line,
    )


def _note_names(notes: Notes, file: Node, line: Node | None, raw_name: str, name: str) -> None:
    if not raw_name:
        notes.warning("nameless_attachment", file.path, file.line, name=name)
    elif name != raw_name:
        notes.warning("hostile_name", file.path, file.line, raw=raw_name[:300], name=name)
    if line and _name(line) and names.twin(raw_name) != names.twin(_name(line)):
        notes.warning("names_differ", file.path, file.line, name=raw_name[:300], other=_name(line)[:300])


def _note_bytes(notes: Notes, file: Node, name: str) -> None:
    encoded = file.one("ContentTransferEncoded")
    if encoded is None or not (encoded.text or encoded.broken):
        notes.error("missing_bytes", file.path, file.line, name=name)


def _note_single(notes: Notes, lines: list[Node], files: list[Node], joined: Pairs) -> None:
    for position, file in enumerate(files):
        if position not in joined:
            notes.warning("not_in_manifest", file.path, file.line, name=_name(file)[:300])
    for position, line in enumerate(lines):
        if position not in joined.values():
            notes.warning("not_attached", line.path, line.line, name=(_name(line) or _href(line))[:300])


def _note_hrefs(notes: Notes, lines: list[Node], joined: Pairs, found: Sequence[model.Attachment]) -> None:
    """Of the lines that are joined with a file; of one that is not was told already."""
    ids = {name for one in found for name in (one.content_id, content_ids.folded(one.content_id)) if name}
    for file, position in joined.items():
        line, name = lines[position], found[file].name
        for href in content_ids.hrefs(line):
            if content_ids.meet(href, found[file].content_id):
                continue
            if {href, content_ids.folded(href)} & ids:
                notes.warning("href_differs", line.path, line.line, href=href[:300], name=name)
            else:
                notes.warning("href_nowhere", line.path, line.line, href=href[:300], name=name)


def _note_alike(notes: Notes, files: list[Node], found: tuple[model.Attachment, ...]) -> None:
    """Names and ids are how verdicts and signatures speak of a file: two of one must be seen."""
    of_name = Counter(names.twin(attachment.name) for attachment in found)
    of_id = Counter(attachment.content_id for attachment in found if attachment.content_id)
    for file, attachment in zip(files, found, strict=True):
        if of_name[names.twin(attachment.name)] > 1:
            notes.warning("same_name", file.path, file.line, name=attachment.name)
        if of_id[attachment.content_id] > 1:
            notes.warning("same_content_id", file.path, file.line, content_id=attachment.content_id)
