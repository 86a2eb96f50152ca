"""Which letters a change of the directory concerns: those whose signers it says something else of than before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from exchange import ids
from exchange.rules.directory_images import Difference, Image
from exchange.store import directory_sheets, rejudgements
from exchange.store.directory_changes import Version
from exchange.store.pool import Connection
from exchange.store.rejudgements import Reason


async def reason(connection: Connection, made: Version, differences: Sequence[Difference]) -> Reason | None:
    """Why letters are to be judged again after that version, which is written already; None: no signature is concerned.

    A seal that several agencies use lets the officers of one sign for another: all their letters are concerned.
    """
    told = [each for each in differences if _told(each.kind, each.before) != _told(each.kind, each.after)]
    certificates = {bytes.fromhex(each.key[1]) for each in told if each.kind == "certificate"}
    officers = [_row(each) for each in told if each.kind == "officer" and each.before]
    certificates |= await rejudgements.of_officers(connection, officers)
    senders = {_row(each) for each in told if each.kind == "agency" and each.before}
    senders |= await _sharing(connection, told)
    if not certificates and not senders:
        return None
    return Reason(
        id=ids.Ids(lambda: made.at).new(), cause="directory", at=made.at, directory_version=made.version,
        certificates=sorted(certificates), senders=sorted(senders),
    )  # fmt: skip


def _told(kind: str, image: Image | None) -> object:
    """What an entry says about signatures; an agency's parent and statements, an officer's days and name."""
    if image is None:
        return None
    if kind == "certificate":
        names = ("agency", "kind", "officer", "valid_from", "valid_to")
        return [*(image[name] for name in names), image["confirmed_at"] is not None]
    if kind == "officer":
        return [image[name] for name in ("name", "valid_from", "valid_to")]
    if kind == "agency":
        signing = [said[:3] for said in image["statements"] if said[0] == "signs_package"]
        return [image["parent"], signing]
    return None


def _row(difference: Difference) -> UUID:
    image = difference.after or difference.before or {}
    return UUID(image["row"])


async def _sharing(connection: Connection, told: Iterable[Difference]) -> set[UUID]:
    """The agencies that share a seal which the change is about, as it stands or as it stood."""
    about = [each for each in told if each.kind == "certificate"]
    named: defaultdict[bytes, set[str]] = defaultdict(set)
    for each in about:
        if any(image and image["kind"] == "organisation" for image in (each.before, each.after)):
            named[bytes.fromhex(each.key[1])].add(each.key[0])
    held = await rejudgements.seals(connection, list(named))
    codes: Mapping[str, Any] = await directory_sheets.agency_ids(
        connection, {code for each in named.values() for code in each}
    )
    using = [held[one] | {codes[code] for code in named[one] if code in codes} for one in named]
    return {agency for agencies in using if len(agencies) > 1 for agency in agencies}
