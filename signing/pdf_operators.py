"""The operators of a PDF content stream with their operands (ISO 32000-2 7.8.2), read from decoded bytes.

Operands are told by their Python type: a number is a `float`, a name is its `bytes` without the slash, a string is
the `int` of how many bytes it holds (what they say does not matter here), an array is a `list`, a dictionary is None.
An inline image is one operator `BI`, its data passed over.
"""

import re
from collections.abc import Iterator

Operand = float | bytes | int | list["Operand"] | None

_SPACE, _DELIMITER = rb"\0\t\n\f\r ", rb"()<>\[\]{}/%"
_TOKEN = re.compile(
    rb"(?P<space>[%(s)s]+|%%[^\r\n]*)"
    rb"|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?=[%(s)s%(d)s]|$))"
    rb"|/(?P<name>[^%(s)s%(d)s]*)"
    rb"|(?P<open><<|\[)|(?P<close>>>|\])"
    rb"|<(?P<digits>[0-9A-Fa-f%(s)s]*)>"
    rb"|(?P<string>\()"
    rb"|(?P<operator>[^%(s)s%(d)s]+)" % {b"s": _SPACE, b"d": _DELIMITER}
)
_IN_STRING = re.compile(rb"\\.|[()]", re.DOTALL)
_IMAGE_END = re.compile(rb"[%s]EI(?=[%s]|$)" % (_SPACE, _SPACE))
_DEEPEST = 16


class UnreadableError(Exception):
    """The content is not made of operators and operands, or ends within one."""


def read(content: bytes) -> Iterator[tuple[bytes, list[Operand]]]:
    """Operators in their order, each with the operands before it. Raises UnreadableError."""
    levels: list[list[Operand]] = [[]]
    position = 0
    while position < len(content):
        token = _TOKEN.match(content, position)
        if token is None or len(levels) > _DEEPEST:
            raise UnreadableError
        kind, position = token.lastgroup, token.end()
        if kind == "operator":
            if len(levels) != 1:
                raise UnreadableError
            yield token[0], levels[0]
            levels = [[]]
            position = _behind_image(content, position) if token[0] == b"BI" else position
        elif kind == "string":
            levels[-1].append(_length(content, position))
            position = _closing(content, position)
        else:
            _operand(kind, token, levels)
    if len(levels) != 1 or levels[0]:
        raise UnreadableError


def _operand(kind: str | None, token: re.Match[bytes], levels: list[list[Operand]]) -> None:
    if kind == "number":
        levels[-1].append(float(token["number"]))
    elif kind == "name":
        levels[-1].append(token["name"])
    elif kind == "digits":
        levels[-1].append((len(b"".join(token["digits"].split())) + 1) // 2)
    elif kind == "open":
        levels.append([])
    elif kind == "close":
        inside = levels.pop()
        if not levels:
            raise UnreadableError
        levels[-1].append(inside if token[0] == b"]" else None)


def _closing(content: bytes, position: int) -> int:
    """The place behind the bracket that closes a string begun before `position`."""
    depth = 1
    for found in _IN_STRING.finditer(content, position):
        depth += {b"(": 1, b")": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    raise UnreadableError


def _length(content: bytes, position: int) -> int:
    """How many bytes a string holds at most: escapes may make them fewer."""
    return _closing(content, position) - position - 1


def _behind_image(content: bytes, position: int) -> int:
    found = _IMAGE_END.search(content, position)
    if found is None:
        raise UnreadableError
    return found.end()
