"""Whose a certificate seems to be (đề nghị): a guess from its names and from who sends letters signed with it.

Nothing here decides: a proposal counts for nothing until people confirm it. Names in certificates follow no rule
(reference/signing.md 1.3): an agency's certificate usually has the agency's name as CN, often a tax number in UID
(`MST:`) and the agency's mailbox; a person's has the person's name, sometimes an identity number (`CMND:`, `CCCD:`,
`HC:`) or a mailbox with that name. Authorities cut names at 64 bytes (RFC 5280 appendix A).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from exchange.rules import folding
from exchange.rules.directory_entries import AgencyEntry, OfficerEntry

NAME_BYTES = 64
_OF_AGENCIES = ("MST:", "MNS:")
_OF_PERSONS = ("CMND:", "CCCD:", "HC:")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A certificate as letters showed it: its names, and how many letters of which agency (by code) it signed."""

    certificate: str
    common_name: str
    subject: str
    issuer: str
    identifiers: tuple[str, ...]
    mailboxes: tuple[str, ...]
    valid_from: date
    valid_to: date
    letters: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Whose it seems to be, and `ground`, the code of why; `kind` is empty where nothing tells.

    An individual's needs an officer: empty, it cannot be written down as it is.
    """

    seen: Seen
    agency: str
    kind: str
    officer: str
    ground: str

    @property
    def letters(self) -> int:
        """How many letters it signed."""
        return sum(self.seen.letters.values())

    @property
    def lacks(self) -> str:
        """What people have to say before it can be written down; nothing if it can."""
        if not self.kind:
            return "kind"
        return "officer" if self.kind == "individual" and not self.officer else ""


class Names:
    """The directory's names as certificates may write them: without marks and case, cut or not."""

    def __init__(self, agencies: Iterable[AgencyEntry], officers: Iterable[OfficerEntry]) -> None:
        self._agencies: dict[str, list[str]] = {}
        self._officers: dict[tuple[str, str], list[str]] = {}
        for agency in agencies:
            for name in {folding.plain(agency.name), folding.plain(cut(agency.name))}:
                self._agencies.setdefault(name, []).append(agency.code)
        for officer in officers:
            key = officer.agency, folding.plain(officer.name)
            self._officers.setdefault(key, []).append(officer.code)

    def agencies(self, name: str) -> Sequence[str]:
        """The agencies of that name, by code."""
        return self._agencies.get(folding.plain(name), ())

    def officer(self, agency: str, name: str) -> str:
        """The only officer of an agency with that name; empty if there is none, or there are two."""
        found = self._officers.get((agency, folding.plain(name)), [])
        return found[0] if len(found) == 1 else ""

    def is_officer(self, agency: str, name: str) -> bool:
        """Whether an agency has an officer of that name."""
        return (agency, folding.plain(name)) in self._officers


def cut(name: str) -> str:
    """A name as it fits into a certificate."""
    return name.encode()[:NAME_BYTES].decode(errors="ignore").strip()


def propose(seen: Seen, names: Names) -> Proposal:
    """The guess for one certificate: the agency that its name is, else the one that sends most letters with it."""
    sender = max(sorted(seen.letters), key=lambda code: seen.letters[code])
    same_name = names.agencies(seen.common_name)
    named = next((code for code in same_name if code in seen.letters), next(iter(same_name), ""))
    agency = named or sender
    kind, ground = _kind(seen, agency, names, named=bool(named))
    officer = names.officer(agency, seen.common_name) if kind == "individual" else ""
    return Proposal(seen=seen, agency=agency, kind=kind, officer=officer, ground=ground)


def _kind(seen: Seen, agency: str, names: Names, *, named: bool) -> tuple[str, str]:
    if named:
        return "organisation", "name_of_agency"
    if names.is_officer(agency, seen.common_name):
        return "individual", "name_of_officer"
    # Of two numbers the person's tells more: it is somebody who acts for the other.
    if any(one.startswith(_OF_PERSONS) for one in seen.identifiers):
        return "individual", "identity_number"
    if any(one.startswith(_OF_AGENCIES) for one in seen.identifiers):
        return "organisation", "tax_number"
    if any(_personal(mailbox, seen.common_name) for mailbox in seen.mailboxes):
        return "individual", "mailbox"
    return "", "sender"


def _personal(mailbox: str, name: str) -> bool:
    """Whether a mailbox is called after a person: the given name, which Vietnamese say last, begins or ends it."""
    words = folding.plain(name).split()
    local = folding.plain(mailbox).partition("@")[0].replace("-", ".").replace("_", ".")
    return len(words) > 1 and (local.startswith(words[-1]) or local.endswith(words[-1]))
