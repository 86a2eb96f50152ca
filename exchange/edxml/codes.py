"""Code lists of the wire as data: `codes/*.csv`, each row with its source.

Source: reference page edxml, sections 3 to 6 and 8.
"""

import csv
import unicodedata
from collections.abc import Mapping
from importlib.resources import files

Row = Mapping[str, str]


def _table(name: str) -> tuple[Row, ...]:
    text = files("exchange.edxml").joinpath("codes", f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def _rows(name: str, key: str = "code") -> dict[str, Row]:
    return {row[key]: row for row in _table(name)}


OPERATIONS = _rows("operations")
STATUSES = _rows("statuses")
PRIORITIES = _rows("priorities")
STEERING = _rows("steering")
KINDS = _table("document_types")
"""All kinds of documents: the 29 of Decree 30, then the 4 normative ones of letter 775, which have no position."""
DOCUMENT_TYPES = {row["code"]: row for row in KINDS if row["code"]}
"""The 29 kinds of Decree 30 by their position there."""
CAPACITIES = _rows("capacities")
AGENCY_FORMS = _rows("agency_forms", key="form")
AGENCY_LEVELS = _rows("agency_levels")
FIELDS = _rows("fields", key="element")
"""How long a value is expected to be, by element or by the end of its way (`ToPlaces/Place`)."""

OPERATION_OF = {code: row["operation"] for code, row in OPERATIONS.items()}
CODE_OF = {operation: code for code, operation in OPERATION_OF.items()}

STATUS_ALIASES = {"14": "15", **{code.lstrip("0"): code for code in STATUSES if code.startswith("0")}}
"""What some libraries write for a status: 14 for "agrees", one digit for two."""
PRIORITY_ALIASES = {"5": "0"}
"""One hub writes 5 for normal."""
STEERING_ALIASES = {"3": "2"}
"""One mapping counts from 1; only its 3 can be told apart."""


def document_type(type_name: str, notation: str) -> str:
    """Our code of a document's type, from its name, else from the abbreviation in its notation, else empty.

    The code in the message is not used: two numberings are in use and nothing tells which.
    """
    name = _folded(type_name)
    parts = {_folded(part) for part in notation.replace("/", "-").split("-")}
    for code, row in DOCUMENT_TYPES.items():
        if name and name == _folded(row["name_vi"]):
            return code
    abbreviations = (
        code for code, row in DOCUMENT_TYPES.items() if _folded(row["abbreviation"] or "?") in parts
    )
    return "" if name else next(abbreviations, "")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().casefold()
