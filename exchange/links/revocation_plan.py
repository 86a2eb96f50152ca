"""What is to be asked of authorities' servers, and how long to leave each alone: pure, for `links.revocation`."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from exchange.store import monitor
from exchange.store.revocation_sources import Source
from signing import keys, names, sources
from signing.fetched import Link
from signing.trust import Trust

SOONEST, LATEST = timedelta(minutes=1), timedelta(hours=6)
UNENDING = timedelta(days=7)
"""For how long something is good that names no end: an authority's certificate."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
PATIENCE = monitor.FAILING
"""Failures of a list's source after which its certificates are asked about singly."""

Key = tuple[str, str, bytes]
Chance = Callable[[], float]
"""Numbers from 0 to 1, each by chance."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One thing to ask for at one address, and the certificates for which it is wanted."""

    kind: str
    url: str
    links: tuple[Link, ...]
    about: bytes = b""

    @property
    def key(self) -> Key:
        """What tells it from others."""
        return self.kind, self.url, self.about


def plan(
    links: Collection[Link],
    trusted: Trust,
    known: Mapping[Key, Source],
    listed: Callable[[str], bool],
    at: datetime,
) -> list[Wanted]:
    """Everything that is wanted for these certificates, each address once: lists first, then the rest."""
    by_key: dict[Key, list[Link]] = {}
    for link in links:
        named = sources.of(link.certificate, link.issuer)
        lists = [url for url in named.crls if listed(url)]
        keys_of = [("crl", url, b"") for url in lists]
        if not _configured(link, trusted):
            keys_of += [("certificate", url, b"") for url in named.issuers if listed(url)]
        if _is_silent(lists, known) and not _spoken_of(link, trusted, at):
            about = keys.fingerprint(link.certificate)
            keys_of += [("ocsp", url, about) for url in named.ocsp if listed(url)]
        for key in keys_of:
            by_key.setdefault(key, []).append(link)
    ordered = sorted(by_key.items(), key=lambda one: one[0][0] == "ocsp")
    return [
        Wanted(kind=kind, url=url, about=about, links=tuple(those)) for (kind, url, about), those in ordered
    ]


def _configured(link: Link, trusted: Trust) -> bool:
    """Whether the folders already hold the authority above."""
    above = (trusted, trusted.timestamping)
    return any(link.issuer in (*one.anchors, *one.intermediates) for one in above)


def _is_silent(lists: Collection[str], known: Mapping[Key, Source]) -> bool:
    """Whether no list can be expected: none is named, or none of them could be had for some time."""
    states = [known.get(("crl", url, b"")) for url in lists]
    return all(one is not None and one.failures >= PATIENCE for one in states)


def _spoken_of(link: Link, trusted: Trust, at: datetime) -> bool:
    """Whether a list of the issuer's is at hand and in date."""
    lists = trusted.revocation.by_issuer.get(names.folded(link.issuer.subject), ())
    return any(one.next_update > at for one in lists)


def calm(next_update: datetime | None, at: datetime, chance: Chance) -> timedelta:
    """How long to leave a source alone whose document is good: half of the time that is left, or a little less."""
    left = next_update - at if next_update is not None else UNENDING
    return max(SOONEST, min(LATEST, left / 2)) * (1 - chance() / 4)


def backoff(failures: int, chance: Chance) -> timedelta:
    """How long to leave a source alone that failed so often: from half a minute up to an hour."""
    doubled = FIRST_PAUSE * (1 << min(failures - 1, 10))
    return min(LONGEST_PAUSE, doubled) * (1 - chance() / 2)
