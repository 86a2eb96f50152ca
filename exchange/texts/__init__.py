"""Every sentence for people, in Vietnamese (default) and English, by a flat dotted key.

A catalogue is the merge of `vi/*.toml` or `en/*.toml`; nested tables become dotted keys
(`[finding] not_xml = "…"` is `finding.not_xml`). Facts put into a sentence are foreign text: control,
bidirectional and terminal escape characters in them are made visible, never passed on.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

LANGUAGES = ("vi", "en")

_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\U000e0100-\U000e01ef]")
"""Letters and marks that take no ink: Unicode counts them as printable, a reader sees nothing."""

FEW = 1_000
"""Characters whose marks are put in order in no time, however many there are."""

MOST_MARKS = 100
_NO_LETTER = r"[^\w!-\x7f\xa1-\xac\xae-\u02ff]"
"""A mark, or what can stand between two: spaces, what is invisible, signs. Letters, digits and ASCII are none."""

_NO_LETTERS = re.compile(rf"(?<!{_NO_LETTER}){_NO_LETTER}{{{MOST_MARKS},}}")
"""A whole run of them, tried from its beginning alone."""

_RANGE = re.compile(
    r"\s*(\*|[A-Za-z]{1,8})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*[Qq]\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?"
)
"""A language range with its quality (RFC 9110 sections 12.4.2 and 12.5.4); of the range, its language."""


def say(key: str, language: str = "vi", /, **facts: object) -> str:
    """The sentence of `key`, with `facts` in it. An unknown key is a KeyError: a defect of ours, found by tests."""
    return catalogue(language)[key].format_map({name: clean(str(fact)) for name, fact in facts.items()})


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All sentences of one language by dotted key."""
    folder = files(__name__) / language
    sentences: dict[str, str] = {}
    for part in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if part.name.endswith(".toml"):
            sentences.update(_flatten("", tomllib.loads(part.read_text(encoding="utf-8"))))
    return sentences


def preferred(accepted: str) -> str:
    """The language for a client that sends this `Accept-Language`: English if it wants that more, else Vietnamese."""
    wanted: dict[str, float] = {}
    for part in accepted.split(","):
        if found := _RANGE.fullmatch(part):
            name, quality = found[1].lower(), float(found[2] or 1)
            wanted[name] = max(quality, wanted.get(name, 0.0))
    others = wanted.get("*", 0.0)
    return max(LANGUAGES, key=lambda name: wanted.get(name, others))


def heaped(text: str) -> bool:
    """Whether a long text has more marks upon one letter than any script: their order (NFC, NFD) takes the square of time.

    Source: UAX 15 section 13 (Stream-Safe Text Format), which allows 30.
    """
    if len(text) <= FEW or text.isascii():
        return False
    runs = (found.group() for found in _NO_LETTERS.finditer(text))
    return any(sum(map(bool, map(unicodedata.combining, run))) > MOST_MARKS for run in runs)


def clean(text: str) -> str:
    r"""Foreign text made safe to print, composed (NFC) as Vietnamese is written, unless marks are heaped in it.

    What a terminal acts on or a reader cannot see (category C, line ends too) becomes `\xNN`, `\uNNNN` or `\UNNNNNN`.
    """
    composed = text if heaped(text) else unicodedata.normalize("NFC", text)
    if composed.isprintable() and not _UNSEEN.search(composed):
        return composed
    return "".join(letter if harmless(letter) else _named(letter) for letter in composed)


def harmless(letter: str) -> bool:
    """Whether one letter of foreign text may be shown as it is: it has ink or is a space."""
    return (letter.isprintable() or unicodedata.category(letter) == "Zs") and not _UNSEEN.match(letter)


def _named(letter: str) -> str:
    number = ord(letter)
    if number <= 0xFF:  # noqa: PLR2004 - one byte
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:06x}"  # noqa: PLR2004 - the basic plane


def _flatten(prefix: str, table: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, entry in table.items():
        if isinstance(entry, Mapping):
            yield from _flatten(f"{prefix}{name}.", entry)
        else:
            yield prefix + name, str(entry)
