"""What a manifest calls a file: its ContentId, and what the line's `xlink:href` says beside it.

Writers of the Java and .NET libraries put `cid:` before either, before neither or twice; others write the id as MIME
does, in angle brackets, or as a URL does, with `%40` for `@`. An id is compared first as it stands and then without
regard to all that, so that a near miss never wins over the file that is really meant.
Source: reference page edxml, sections 10 and 11 (form C); RFC 2392 section 2; RFC 2045 section 7.
"""

import re

from exchange.edxml import names, values
from exchange.edxml.walk import Node

HREF = "href"

_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")

LONGEST_FOLDED = 1_000
"""Characters of an id that is also compared without regard to case and escapes."""


def bare(content_id: str) -> str:
    """An id without any number of leading `cid:` and of angle brackets around it, however many: in one pass."""
    start, end = 0, len(content_id)
    while True:
        if content_id[start : min(start + 4, end)].lower() == "cid:":
            start += 4
        elif end - start > 1 and content_id[start] == "<" and content_id[end - 1] == ">":
            start, end = start + 1, end - 1
        elif start < end and content_id[start].isspace():
            start += 1
        elif start < end and content_id[end - 1].isspace():
            end -= 1
        else:
            return content_id[start:end]


def of(node: Node) -> str:
    """What ContentId says in a line of the manifest, or beside a file's bytes."""
    return bare(values.text(node, "ContentId"))


def hrefs(line: Node) -> tuple[str, ...]:
    """What the attributes `href` of a line say, of XLink or of nobody; one only, unless they contradict each other."""
    said = (bare(str(value)) for name, value in line.element.items() if is_href(str(name)))
    return tuple(dict.fromkeys(filter(None, said)))


def is_href(attribute: str) -> bool:
    """Whether an attribute is called so, in any namespace, case and prefix."""
    return attribute.rpartition("}")[2].rpartition(":")[2].lower() == HREF


def folded(content_id: str) -> str:
    """What is the same of ids that differ in case, in percent-encoding, in NFC and NFD; of an endless one nothing is."""
    if len(content_id) > LONGEST_FOLDED:
        return ""
    return names.twin(bare(_unescaped(content_id)))


def _unescaped(content_id: str) -> str:
    """Percent-encoding taken off (RFC 3986 section 2.1); bytes that are no UTF-8 stay apart from each other."""
    escaped = content_id.encode(errors="surrogateescape")
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), escaped).decode(
        errors="surrogateescape"
    )


def meet(one: str, other: str) -> bool:
    """Whether two ids name the same."""
    return one == other or folded(one) == folded(other) != ""
