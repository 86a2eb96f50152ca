"""The help's tables, made from what the program itself goes by, so that a page cannot say something else.

Between `<!-- table: NAME -->` and `<!-- end -->` a page holds the table of that name; `refresh` writes them anew, and a
test fails while a page is behind. Pages are Vietnamese; those in `en/` are English.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from exchange import texts
from exchange.edxml import codes
from exchange.errors import PROBLEMS
from exchange.rules import lifecycle_picture

OPEN, CLOSE = "<!-- table: ", "<!-- end -->"
PAGES = (
    "index",
    "connect",
    "operate",
    "certificates",
    "settings",
    "codes",
    "lifecycle",
    "operations",
    "paper",
    "signatures",
    "reports",
    "monitoring",
    "registers",
)


def page(name: str, language: str) -> str:
    """The Markdown of a page. KeyError for a page there is not."""
    if name not in PAGES:
        raise KeyError(name)
    return _file(name, language).read_text(encoding="utf-8")


def filled(text: str, language: str) -> str:
    """A page with its tables made anew."""
    return "\n".join(_lines(text.split("\n"), language))


def refresh() -> None:
    """Write every page's tables anew, in the source tree."""
    for language in texts.LANGUAGES:
        for name in PAGES:
            path = Path(str(_file(name, language)))
            path.write_text(filled(path.read_text(encoding="utf-8"), language), encoding="utf-8")


def _file(name: str, language: str) -> Traversable:
    folder = files("exchange.web") / "help"
    return folder / f"{name}.md" if language == "vi" else folder / language / f"{name}.md"


def _lines(lines: Iterable[str], language: str) -> Iterator[str]:
    inside = False
    for line in lines:
        inside = inside and line != CLOSE
        if not inside:
            yield line
        if line.startswith(OPEN):
            yield TABLES[line.removeprefix(OPEN).removesuffix(" -->")](language)
            inside = True


def _table(language: str, headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = [texts.say(f"manual.{name}", language) for name in headings]
    return "\n".join(map(_row, (head, ["---"] * len(head), *rows)))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(' '.join(cell.replace('|', '/').split()) for cell in cells)} |"


def _part(prefix: str, language: str) -> dict[str, str]:
    """Every sentence of one part of the catalogue, by what follows the prefix."""
    return {
        key.removeprefix(prefix): sentence
        for key, sentence in sorted(texts.catalogue(language).items())
        if key.startswith(prefix)
    }


def _problems(language: str) -> str:
    """Every code of an answer: its status, what it says, whether the same again may help, what to do."""
    rows = [
        (
            f'<a id="{code}"></a>`{code}`',
            str(kind.status),
            texts.say(f"problem.{code}", language),
            texts.say(f"manual.{'again' if kind.temporary else 'not_again'}", language),
            texts.say(f"help.{code}", language),
        )
        for code, kind in PROBLEMS.items()
    ]
    return _table(language, ("code", "http", "means", "same_again", "to_do"), rows)


def _settings(language: str) -> str:
    rows = [(f"`{name}`", sentence) for name, sentence in _part("setting_help.", language).items()]
    return _table(language, ("setting", "is"), rows)


def _sentences(prefix: str) -> Callable[[str], str]:
    """The table of a part of the catalogue: code and sentence."""

    def table(language: str) -> str:
        rows = [(f"`{code}`", sentence) for code, sentence in _part(prefix, language).items()]
        return _table(language, ("code", "means"), rows)

    return table


def _verdicts(language: str) -> str:
    """Every reason of a verdict on a signature, with what to do."""
    rows = [
        (f"`{why}`", sentence, texts.say(f"advice.{why}", language))
        for why, sentence in _part("verdict.", language).items()
    ]
    return _table(language, ("code", "means", "to_do"), rows)


def _statuses(language: str) -> str:
    rows = [(f"`{code}`", row[f"name_{language}"]) for code, row in codes.STATUSES.items()]
    return _table(language, ("code", "means"), rows)


TABLES: Mapping[str, Callable[[str], str]] = {
    "problems": _problems,
    "settings": _settings,
    "findings": _sentences("finding."),
    "verdicts": _verdicts,
    "statuses": _statuses,
    "states": _sentences("state."),
    "classes": _sentences("class."),
    "excluded": _sentences("excluded."),
    "reasons": _sentences("reason."),
    "lifecycle": lifecycle_picture.markdown,
}

if __name__ == "__main__":
    refresh()
