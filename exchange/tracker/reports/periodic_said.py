"""The words of BC-15 (báo cáo định kỳ): its headings and computed sentences in the reader's language, for paper, screens, programs."""

from collections.abc import Sequence

from exchange import texts
from exchange.rules import periodic_report
from exchange.rules.periodic_report import Figures, Section, Sentence


def sections(figures: Figures, language: str) -> list[tuple[str, Sequence[str]]]:
    """Every heading with its sentences."""
    return [
        (heading(section, language), [said(one, language) for one in section.sentences])
        for section in periodic_report.sections(figures)
    ]


def heading(section: Section, language: str) -> str:
    """The heading of a part or a clause."""
    return texts.say(f"periodic.{section.heading}", language)


def said(sentence: Sentence, language: str) -> str:
    """One sentence."""
    match sentence:
        case Sentence(key="nothing" | "not_measured"):
            return texts.say(f"periodic.{sentence.key}", language)
        case Sentence(key=key, measure=name) if name:
            named = f"{name.partition('_')[0]}. {texts.say(f'measure.{name}', language)}"
            return texts.say(f"periodic.said.{key}", language, name=named, **sentence.facts)
        case _:
            return texts.say(f"periodic.said.{sentence.key}", language, **sentence.facts)
