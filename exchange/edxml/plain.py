"""Plain facts, as JSON has them, made values and frozen records: readers, and readers made of readers.

A reader takes (notes, place, what was given) and answers with the value, or with None after a fault. Every fault is
noted as an error under its place, a JSON pointer (RFC 6901), so that all of them are told at once.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from exchange import texts
from exchange.edxml import dates, write
from exchange.edxml.model import LIMITS
from exchange.edxml.notes import Notes

Read = Callable[[Notes, str, object], Any]

_INTEGER = re.compile(r"-?[0-9]{1,9}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Row:
    """How one fact of a record is read, and whether it must be there: given, and not empty."""

    read: Read
    required: bool = False


def fault(notes: Notes, code: str, at: str, **facts: str) -> None:
    """Note that what stands there cannot be taken."""
    notes.error(code, at or "/", None, **{name: fact[:_LONGEST_NAME] for name, fact in facts.items()})


def text(notes: Notes, at: str, given: object) -> str | None:
    """A text, trimmed, of characters that XML can carry."""
    if not isinstance(given, str):
        fault(notes, "fact_not_text", at)
        return None
    trimmed = given.strip()
    unwritable = write.forbidden(given)
    if unwritable:
        fault(notes, "fact_unwritable", at, character=unwritable)
    elif len(trimmed) > LIMITS.text:
        fault(notes, "fact_too_long", at, most=str(LIMITS.text))
    elif texts.heaped(trimmed):
        fault(notes, "fact_heaped", at, most=str(texts.MOST_MARKS))
    else:
        return trimmed
    return None


def day(notes: Notes, at: str, given: object) -> date | None:
    """A day that exists, written `2026-11-21`."""
    found = _day(given) if isinstance(given, str) and _DAY.fullmatch(given) else None
    if found is None:
        fault(notes, "fact_not_day", at)
    return found


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year in dates.YEARS else None


def moment(notes: Notes, at: str, given: object) -> datetime | None:
    """A moment with its zone, written `2026-11-21T08:00:00+07:00`; to the second, as messages carry it."""
    found = _moment(given) if isinstance(given, str) else None
    if found is None:
        fault(notes, "fact_not_moment", at)
    return found


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        local = found.astimezone(dates.ZONE)
    except (ValueError, OverflowError):
        return None
    return found.replace(microsecond=0) if found.tzinfo and local.year in dates.YEARS else None


def integer(notes: Notes, at: str, given: object) -> str | None:
    """A whole number as text, as codes are; an empty text is as absent. Readers of letters fail at other texts."""
    found = text(notes, at, given)
    if not found or _INTEGER.fullmatch(found):
        return found
    fault(notes, "fact_not_integer", at)
    return None


def flag(notes: Notes, at: str, given: object) -> bool | None:
    """True or false."""
    if isinstance(given, bool):
        return given
    fault(notes, "fact_not_flag", at)
    return None


def whole(low: int, high: int) -> Read:
    """A whole number within these bounds; `2.0` is one too (JSON Schema, validation 6.1.1)."""

    def read(notes: Notes, at: str, given: object) -> int | None:
        number = int(given) if isinstance(given, float) and given.is_integer() else given
        if isinstance(number, int) and not isinstance(number, bool) and low <= number <= high:
            return number
        fault(notes, "fact_not_whole", at, low=str(low), high=str(high))
        return None

    return read


def choice(*known: str) -> Read:
    """One of these words."""

    def read(notes: Notes, at: str, given: object) -> str | None:
        if isinstance(given, str) and given in known:
            return given
        fault(notes, "fact_not_known", at, known=", ".join(known))
        return None

    return read


def many(one: Read, most: int = LIMITS.elements) -> Read:
    """A list of these, as a tuple."""

    def read(notes: Notes, at: str, given: object) -> tuple[Any, ...] | None:
        if not isinstance(given, list):
            fault(notes, "fact_not_list", at)
        elif len(given) > most:
            fault(notes, "fact_too_many", at, most=str(most))
        else:
            found = [one(notes, f"{at}/{position}", entry) for position, entry in enumerate(given)]
            return None if None in found else tuple(found)
        return None

    return read


def apart(read_list: Read, code: str, key: Callable[[object], str]) -> Read:
    """A list of which no two entries have one key; the second has the fault `code`. An empty key is nobody's."""

    def read(notes: Notes, at: str, given: object) -> Any | None:  # noqa: ANN401 - what `read_list` answers
        seen: set[str] = set()
        again = False
        for position, entry in enumerate(given if isinstance(given, list) else ()):
            name = key(entry)
            if name and name in seen:
                fault(notes, code, f"{at}/{position}", name=name)
                again = True
            seen.add(name)
        found = read_list(notes, at, given)
        return None if again else found

    return read


def record(make: Callable[..., Any], rows: Mapping[str, Row]) -> Read:
    """An object with these names and no others, handed to `make`; null is as absent."""

    def read(notes: Notes, at: str, given: object) -> Any | None:  # noqa: ANN401 - what `make` makes
        if not isinstance(given, dict):
            fault(notes, "fact_not_object", at)
            return None
        strange = [name for name in given if name not in rows]
        for name in strange:
            fault(notes, "fact_unknown", f"{at}/{_step(name)}", name=name)
        found = {
            name: row.read(notes, f"{at}/{name}", given[name])
            for name, row in rows.items()
            if given.get(name) is not None
        }
        missing = [name for name, row in rows.items() if row.required and found.get(name, "") in ("", ())]
        for name in missing:
            fault(notes, "fact_missing", f"{at}/{name}", name=name)
        return None if strange or missing or None in found.values() else make(**found)

    return read


def _step(name: str) -> str:
    """A name as one step of a pointer (RFC 6901 section 3)."""
    return name[:_LONGEST_NAME].replace("~", "~0").replace("/", "~1")
