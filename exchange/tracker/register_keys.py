"""Which documents rows of registers tell of (định danh văn bản theo sổ đăng ký)."""

from collections.abc import Iterable, Mapping
from typing import Any

from exchange.rules import documents
from exchange.rules.documents import Key


def keys(rows: Iterable[Mapping[str, Any]]) -> list[Key]:
    """The documents of register rows, each once."""
    return list(dict.fromkeys(one for row in rows if (one := _key(row))))


def _key(row: Mapping[str, Any]) -> Key | None:
    """As it was stored when the row was loaded; of rows of before, which have none, as what they show tells."""
    if row["number_key"] is None:
        return documents.key(
            row["agency"], row["number"], row["notation"], row["issued_on"] or row["moved_on"], row["document_type"]
        )  # fmt: skip
    year = row["of_year"] or row["issued_year"]
    return Key(
        issuer=row["agency"], year=year, series=row["series"], number=row["number_key"], notation=row["notation_key"]
    )  # fmt: skip
