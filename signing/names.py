"""Names in certificates, compared as RFC 5280 §7.1 demands, and name constraints (ràng buộc tên, §4.2.1.10).

Two spellings of a name are one when they differ in case, in white space or in the kind of character string only.
That is lenient and harmless: a name only proposes an issuer, whose key must then have signed.
"""

import re
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from cryptography import x509
from cryptography.x509.oid import NameOID

Folded: TypeAlias = tuple[frozenset[tuple[str, str | bytes]], ...]
MOST_COMPARISONS = 1 << 16
MOST_LETTERS = 2_000
"""Of one value of a name. Marks heaped on a letter take the square of time to be put in order; a longer value is as it is."""

_SPACE = re.compile(r"\s+")


def folded(name: x509.Name) -> Folded:
    """A name in the one spelling that all its spellings share."""
    return tuple(relative(one) for one in name.rdns)


def relative(part: x509.RelativeDistinguishedName) -> frozenset[tuple[str, str | bytes]]:
    """One part of a name in that spelling."""
    return frozenset((one.oid.dotted_string, _text(one.value)) for one in part)


def general(name: x509.GeneralName) -> object:
    """A general name such that equal ones mean the same, as far as revocation lists need it."""
    if isinstance(name, x509.DirectoryName):
        return folded(name.value)
    return name


def _text(value: str | bytes) -> str | bytes:
    if isinstance(value, bytes) or len(value) > MOST_LETTERS:
        return value
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", value).casefold()).strip()


def of(subject: x509.Name, alternative: Iterable[x509.GeneralName]) -> tuple[x509.GeneralName, ...]:
    """All names that constraints bind: the subject, the alternative names, mailboxes inside the subject."""
    others = tuple(alternative)
    mailboxes = subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)
    inside = [_mailbox(str(one.value)) for one in mailboxes]
    own = (x509.DirectoryName(subject),) if subject.rdns else ()
    return (*own, *others, *inside)


def _mailbox(text: str) -> x509.RFC822Name:
    """A mailbox of a subject; of one that is none, a name that no constraint on mailboxes lets pass."""
    try:
        return x509.RFC822Name(text)
    except ValueError:
        return x509.RFC822Name("unreadable")


def allowed(names: Iterable[x509.GeneralName], constraints: x509.NameConstraints) -> bool:
    """Whether every name lies in some permitted subtree of its kind, if there is one, and in no excluded subtree."""
    named = tuple(names)
    permitted, excluded = constraints.permitted_subtrees or (), constraints.excluded_subtrees or ()
    if len(named) * (len(permitted) + len(excluded)) > MOST_COMPARISONS:
        return False
    return all(_allowed(one, permitted, excluded) for one in named)


def _allowed(
    name: x509.GeneralName, permitted: Iterable[x509.GeneralName], excluded: Iterable[x509.GeneralName]
) -> bool:
    kind = type(name)
    inside = [tree for tree in permitted if type(tree) is kind]
    outside = [tree for tree in excluded if type(tree) is kind]
    within = _WITHIN.get(kind)
    if within is None or not (inside or outside):
        return not (inside or outside)
    try:
        return not any(within(name.value, tree.value) for tree in outside) and (
            not inside or any(within(name.value, tree.value) for tree in inside)
        )
    except ValueError:
        return False


def _in_directory(name: x509.Name, tree: x509.Name) -> bool:
    top = folded(tree)
    return folded(name)[: len(top)] == top


def _in_domain(host: str, tree: str) -> bool:
    host, tree = host.lower().rstrip("."), tree.lower().rstrip(".")
    return not tree or host == tree or host.endswith("." + tree.lstrip("."))


def _at_host(host: str, tree: str) -> bool:
    """A host alone means that host; a leading dot means the hosts below it."""
    host, tree = host.lower(), tree.lower()
    return host.endswith(tree) if tree.startswith(".") else host == tree


def _in_mailboxes(mailbox: str, tree: str) -> bool:
    local, at, host = mailbox.rpartition("@")
    if not at or not local:
        raise ValueError("not a mailbox")
    if "@" in tree:
        box, _, place = tree.rpartition("@")
        return local.casefold() == box.casefold() and host.lower() == place.lower()
    return _at_host(host, tree)


def _in_addresses(uri: str, tree: str) -> bool:
    host = urllib.parse.urlsplit(uri).hostname
    if not host or host.replace(".", "").isdigit() or ":" in host:
        raise ValueError("no host's name inside")
    return _at_host(host, tree)


def _in_network(address: object, network: object) -> bool:
    return address in network  # type: ignore[operator]  # the library's types: an address, a network


_WITHIN: Mapping[type[x509.GeneralName], Callable[..., bool]] = {
    x509.DirectoryName: _in_directory,
    x509.DNSName: _in_domain,
    x509.RFC822Name: _in_mailboxes,
    x509.UniformResourceIdentifier: _in_addresses,
    x509.IPAddress: _in_network,
}
"""Kinds of names that constraints are read for; a constraint on another kind lets no such name pass."""
