"""Names of namespaces, held to a length before anything is parsed.

Each element's tag is its namespace's name with its own, as a text of its own: a letter that says a name of 30 kB once and
uses it 6,000 times would take 180 MB, and a larger one all there is.
"""

LONGEST = 2_000
"""Bytes of a namespace's name; those in use have less than a hundred."""

_LOOK = 8_192
"""Bytes looked at before a long value: a text of many long quotations must not cost its length for each."""

_SPACE = b" \t\r\n"


def too_long(content: bytes) -> bool:
    """Whether some declaration names a namespace longer than that; ASCII must stand for itself in the encoding.

    Every quotation mark is looked at, also those in texts, so that none there can hide a declaration: what begins a long
    value behind `=`, in a tag with `xmlns`, is taken for one. Files in base64 have no quotation marks, and cost nothing.
    """
    return any(_long_from(content, quote) for quote in (b'"', b"'"))


def _long_from(content: bytes, quote: bytes) -> bool:
    place = content.find(quote)
    while place >= 0:
        # The last one near enough: those passed over are nearer to each other still.
        following = content.rfind(quote, place + 1, place + LONGEST + 2)
        if following < 0:
            following = content.find(quote, place + 1)
            far = following >= 0 or len(content) - place - 1 > LONGEST
            if far and _declares(content, place):
                return True
        place = following
    return False


def _declares(content: bytes, place: int) -> bool:
    """Whether a value that begins there may be that of a namespace declaration; of a very long tag it may."""
    before = content[max(0, place - _LOOK) : place].rstrip(_SPACE)
    if not before:  # nothing but space as far as is looked
        return place > _LOOK
    start = before.rfind(b"<")
    return before.endswith(b"=") and (start < 0 or b"xmlns" in before[start:])
