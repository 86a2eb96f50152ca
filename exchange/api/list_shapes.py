"""From records to the JSON of the lists: pure, one function a body."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from exchange.api import shapes
from exchange.broker import agencies as listing
from exchange.broker import signature_use
from exchange.rules.directory import Directory
from exchange.rules.directory_succession import Heir
from exchange.store.signatures import Place

PACKAGE, ATTACHMENT = "package", "attachment"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLACE = re.compile(r"([0-9]{1,16})\.([0-9a-f]{32})\.([0-9]{1,6})")


def agencies(page: listing.Page, version: int) -> dict[str, Any]:
    """Body of GET /v1/agencies; `version` is the directory's, one for all pages of one pass or they must be read anew."""
    items = [_agency(listed) for listed in page.items]
    return {
        "version": version,
        "items": items,
        "next": items[-1]["code"] if page.more else None,
        "more": page.more,
    }


def _agency(listed: listing.Listed) -> dict[str, Any]:
    agency = listed.agency
    return {
        "code": agency.code,
        "other_codes": [{"code": row.code, "form": row.form} for row in listed.other_codes],
        "name": agency.name,
        "kind": agency.kind,
        "level": agency.level,
        "parent": listed.parent.code if listed.parent else None,
        "sector": agency.sector,
        "reachable": listed.reachable,
        "disabled": agency.disabled,
        "valid_from": shapes.moment(agency.valid_from),
        "valid_to": shapes.moment(agency.valid_to),
        "successor": _successor(listed.heir),
    }


def _successor(heir: Heir | None) -> dict[str, str] | None:
    """Whom to write to instead of an agency that has ended, and since when."""
    return {"code": heir.agency.code, "since": heir.since.isoformat()} if heir else None


def signatures(
    page: signature_use.Page, directory: Directory, language: str, *, named: bool
) -> dict[str, Any]:
    """Body of GET /v1/signatures; `totals` only on the first page. Not `named`: without the names of files."""
    items = [_signature(row, directory, language) for row in page.rows]
    return {
        "items": items if named else [_unnamed(one) for one in items],
        "next": cursor(page.last) if page.more and page.last else None,
        "more": page.more,
        "totals": _totals(page.totals) if page.totals else None,
    }


def _signature(row: Mapping[str, Any], directory: Directory, language: str) -> dict[str, Any]:
    verdict = shapes.verdict(row, directory, language)
    return {
        "letter": str(row["letter"]),
        "sender": shapes.code(directory, row["sender"]),
        "document_id": row["document_id"],
        "number": row["number"],
        "notation": row["notation"],
        "issued_on": shapes.moment(row["issued_on"]),
        "type": row["document_type"],
        "accepted_at": shapes.moment(row["accepted_at"]),
        "requirement": row["requirement"],
        "index": row["position"],
        **verdict,
        "signer": {**verdict["signer"], "position": row["officer_position"]},
    }


def _unnamed(item: Mapping[str, Any]) -> dict[str, Any]:
    where = item["where"] if item["where"] == PACKAGE else ATTACHMENT
    return {**item, "where": where, "carrier": ATTACHMENT if item["carrier"] else None}


def _totals(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "letters": {"all": found["letters"], "signed": found["letters_signed"], "met": found["letters_met"]},
        "signatures": found["signatures"],
        "indications": {
            "TOTAL_PASSED": found["total_passed"],
            "TOTAL_FAILED": found["total_failed"],
            "INDETERMINATE": found["indeterminate"],
        },
        "signer_kinds": {kind: found[kind] for kind in ("organisation", "individual", "device", "unknown")},
        "signers": {"organisation": found["organisations"], "individual": found["individuals"]},
    }


def cursor(place: Place) -> str:
    """A place as clients hand it back in `after`."""
    return f"{(place.accepted_at - _EPOCH) // _MICROSECOND}.{place.letter.hex}.{place.position}"


def place(text: str) -> Place | None:
    """The place that a cursor names; None for what is none."""
    found = _PLACE.fullmatch(text)
    if found is None:
        return None
    return Place(_EPOCH + int(found[1]) * _MICROSECOND, UUID(found[2]), int(found[3]))
