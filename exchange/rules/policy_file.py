"""A signature policy as a file (TOML): read whole, and everything that is wrong with it told at once.

A policy decides which letters replace paper, so nothing in it is guessed: a name that is not known, a word that is
misspelt, a rule that can never be asked is a mistake, and a policy with one is not used at all.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from exchange import texts
from exchange.rules import document_types
from exchange.rules.policy_terms import ANY, Policy, Rule

MOST_BYTES = 1 << 20
COPY_FORMS = ("original", "true_copy", "extract", "duplicate", ANY)
CAPACITIES = ("organisation", "individual")
ANNEX_KINDS = ("pdf", "other")
LATER_CHANGES = ("signature", "form", "annotation", "validation", "page_stamp", "page_content")
"""Kinds of changes that a policy may allow; `other` is everything nobody can explain, so it is none of them."""
AFTER_ORGANISATION = ("validation",)
"""What is no content: nobody answers for anything else that follows the agency's signature."""


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One mistake: its code in the catalogues (`policy.<code>`), where it stands, what is there, what would do."""

    code: str
    where: str
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def sentence(self, language: str) -> str:
        """The sentence for the operator."""
        return texts.say(f"policy.{self.code}", language, where=self.where, **self.facts)


class PolicyError(ValueError):
    """A policy file that cannot be used, with all its mistakes."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__(tuple(mistakes))
        self.mistakes = tuple(mistakes)

    def sentences(self, language: str = "vi") -> list[str]:
        """What is wrong, one sentence each."""
        return [one.sentence(language) for one in self.mistakes]

    def __str__(self) -> str:
        return " ".join(self.sentences("en"))


def read(raw: bytes) -> Policy:
    """The policy in these bytes. Raises PolicyError that tells every mistake."""
    given = _parsed(raw)
    mistakes = list(_mistakes(given))
    if mistakes:
        raise PolicyError(mistakes)
    policy = Policy(rules=tuple(_rule(row) for row in given["rule"]), **_frozen(given, _WHOLE))
    hidden = list(_never_asked(policy.rules))
    if hidden:
        raise PolicyError(hidden)
    return policy


def _parsed(raw: bytes) -> dict[str, Any]:
    if len(raw) > MOST_BYTES:
        raise PolicyError([Mistake(code="too_large", where="", facts={"most": str(MOST_BYTES)})])
    try:
        return tomllib.loads(raw.decode())
    except UnicodeDecodeError:
        raise PolicyError([Mistake(code="not_utf8", where="")]) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError([Mistake(code="not_toml", where="", facts={"why": str(error)})]) from None


def _mistakes(given: Mapping[str, Any]) -> Iterator[Mistake]:
    yield from _wrong(given, _WHOLE, "", also=("rule",))
    rows = given.get("rule")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        yield Mistake(code="no_rules", where="[[rule]]")
        return
    for number, row in enumerate(rows, 1):
        where = f"[[rule]] {number}: "
        yield from _wrong(row, _ROW, where)
        if (
            _is_day(row.get("valid_from"))
            and _is_day(row.get("valid_to"))
            and row["valid_to"] < row["valid_from"]
        ):
            yield Mistake(code="ends_before", where=f"{where}valid_to", facts=_held(row["valid_to"]))


Check = Callable[[str, Any], Iterator[Mistake]]


@dataclass(frozen=True, kw_only=True)
class _Key:
    """One name of the file: how what it holds is checked, and whether it must be there."""

    check: Check
    needed: bool = False


def _wrong(
    given: Mapping[str, Any], keys: Mapping[str, _Key], where: str, also: tuple[str, ...] = ()
) -> Iterator[Mistake]:
    for name in given:
        if name not in keys and name not in also:
            yield Mistake(code="unknown_key", where=where + name, facts={"known": ", ".join((*keys, *also))})
    for name, key in keys.items():
        if name in given:
            yield from key.check(where + name, given[name])
        elif key.needed:
            yield Mistake(code="missing_key", where=where + name)


def _text(where: str, held: object) -> Iterator[Mistake]:
    if not isinstance(held, str) or not held.strip():
        yield Mistake(code="not_text", where=where, facts=_held(held))


def _flag(where: str, held: object) -> Iterator[Mistake]:
    if not isinstance(held, bool):
        yield Mistake(code="not_flag", where=where, facts=_held(held))


def _day(where: str, held: object) -> Iterator[Mistake]:
    if not _is_day(held):
        yield Mistake(code="not_day", where=where, facts=_held(held))


def _kind(where: str, held: object) -> Iterator[Mistake]:
    """A kind of document of the table, or any."""
    if not isinstance(held, str) or (held != ANY and not document_types.known(held)):
        yield Mistake(code="unknown_type", where=where, facts=_held(held))


def _one_of(choices: tuple[str, ...]) -> Check:
    def check(where: str, held: object) -> Iterator[Mistake]:
        if held not in choices:
            yield Mistake(
                code="not_one_of", where=where, facts={**_held(held), "choices": ", ".join(choices)}
            )

    return check


def _some_of(choices: tuple[str, ...], *, none: bool = True) -> Check:
    """A list of these, each once; `none`: it may be empty."""

    def check(where: str, held: object) -> Iterator[Mistake]:
        entries = held if isinstance(held, list) else [None]
        known = all(one in choices for one in entries) and len(set(map(str, entries))) == len(entries)
        if not known or not (entries or none):
            yield Mistake(
                code="not_some_of", where=where, facts={**_held(held), "choices": ", ".join(choices)}
            )

    return check


_TERMS = {
    "annex_kinds": _Key(check=_some_of(ANNEX_KINDS)),
    "annex_demands": _Key(check=_some_of(CAPACITIES)),
    "later_changes": _Key(check=_some_of(LATER_CHANGES)),
    "after_organisation": _Key(check=_some_of(AFTER_ORGANISATION)),
}
_WHOLE = {
    "source": _Key(check=_text, needed=True),
    "accept_broken": _Key(check=_flag),
    "package_by_declaration": _Key(check=_flag),
    **_TERMS,
}
_ROW = {
    "copy_form": _Key(check=_one_of(COPY_FORMS), needed=True),
    "document_type": _Key(check=_kind, needed=True),
    "demands": _Key(check=_some_of(CAPACITIES, none=False), needed=True),
    "basis": _Key(check=_text, needed=True),
    "valid_from": _Key(check=_day),
    "valid_to": _Key(check=_day),
    **_TERMS,
}


def _is_day(held: object) -> bool:
    return isinstance(held, date) and not isinstance(held, datetime)


def _held(held: object) -> dict[str, str]:
    return {"held": str(held)}


def _frozen(given: Mapping[str, Any], keys: Mapping[str, _Key]) -> dict[str, Any]:
    return {
        name: tuple(given[name]) if isinstance(given[name], list) else given[name]
        for name in keys
        if name in given
    }


def _rule(row: Mapping[str, Any]) -> Rule:
    return Rule(**_frozen(row, _ROW))


def _never_asked(rules: Sequence[Rule]) -> Iterator[Mistake]:
    """Rules behind one that fits all that they fit: their author meant something that does not happen."""
    for number, rule in enumerate(rules, 1):
        for before, earlier in enumerate(rules[: number - 1], 1):
            if _takes_all(earlier, rule):
                yield Mistake(code="never_asked", where=f"[[rule]] {number}", facts={"earlier": str(before)})
                break


def _takes_all(earlier: Rule, rule: Rule) -> bool:
    kinds = document_types.fold(earlier.document_type), document_types.fold(rule.document_type)
    return (
        earlier.copy_form in (ANY, rule.copy_form)
        and kinds[0] in (ANY, kinds[1])
        and (earlier.valid_from or date.min) <= (rule.valid_from or date.min)
        and (rule.valid_to or date.max) <= (earlier.valid_to or date.max)
    )
