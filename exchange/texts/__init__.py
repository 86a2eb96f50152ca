"""Every sentence for people, in Vietnamese (default) and English, by a flat dotted key.

A catalogue is the merge of `vi/*.toml` or `en/*.toml`; nested tables become dotted keys
(`[finding] not_xml = "…"` is `finding.not_xml`). Facts put into a sentence are foreign text: control,
bidirectional and terminal escape characters in them are made visible, never passed on.
"""

import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

LANGUAGES = ("vi", "en")


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


def clean(text: str) -> str:
    r"""Foreign text made safe to print: characters of category C become `\xNN` or `\uNNNN`, also line ends."""
    if text.isprintable():
        return text
    return "".join(_visible(letter) for letter in text)


def _visible(letter: str) -> str:
    if letter.isprintable() or unicodedata.category(letter) == "Zs":
        return letter
    number = ord(letter)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"  # noqa: PLR2004 - one byte


def _flatten(prefix: str, table: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, entry in table.items():
        if isinstance(entry, Mapping):
            yield from _flatten(f"{prefix}{name}.", entry)
        else:
            yield prefix + name, str(entry)
