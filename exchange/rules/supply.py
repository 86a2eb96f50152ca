"""Does one signature supply one thing the policy demands, and if not, what stands in the way?

Every question of the requirement comes down to this: a demand is a file and a capacity (the agency's, a
person's signature), a signature is a verdict and its signer. The answer lists all obstacles, so that those
which time or a confirmation may remove (`TEMPORARY`) can be told from the rest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exchange.rules.policy import Capacity
from exchange.rules.signers import Signer, Standing
from signing.verdict import Indication, SubIndication, Verdict

XML_FORMATS = frozenset({"xmldsig", "xades"})

TEMPORARY = frozenset({"signer_unconfirmed", "no_revocation_data"})

_UNSOUND: Mapping[SubIndication | None, str] = {
    SubIndication.HASH_FAILURE: "broken",
    SubIndication.SIG_CRYPTO_FAILURE: "broken",
    SubIndication.FORMAT_FAILURE: "format",
    SubIndication.SIGNED_DATA_NOT_FOUND: "format",
    SubIndication.REVOKED_NO_POE: "revoked",
    SubIndication.REVOKED_CA_NO_POE: "revoked",
    SubIndication.OUT_OF_BOUNDS_NO_POE: "expired",
    SubIndication.OUT_OF_BOUNDS_NOT_REVOKED: "expired",
    SubIndication.NOT_YET_VALID: "not_yet_valid",
    SubIndication.CRYPTO_CONSTRAINTS_FAILURE: "weak_algorithm",
    SubIndication.CHAIN_CONSTRAINTS_FAILURE: "no_path",
    SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE: "no_path",
    SubIndication.NO_CERTIFICATE_CHAIN_FOUND: "no_path",
    SubIndication.NO_SIGNING_CERTIFICATE_FOUND: "no_certificate",
    SubIndication.SIG_CONSTRAINTS_FAILURE: "format",
    SubIndication.TIMESTAMP_ORDER_FAILURE: "format",
    SubIndication.TRY_LATER: "no_revocation_data",
}
"""The sub-reason of class N for every way not to pass; a way without its row is `format`."""

_BROKEN = frozenset({SubIndication.HASH_FAILURE, SubIndication.SIG_CRYPTO_FAILURE})

_GOOD: Mapping[Capacity, frozenset[Standing]] = {
    "organisation": frozenset({Standing.OWN}),
    "individual": frozenset({Standing.OWN, Standing.REPRESENTING}),
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file of a letter that must be signed. `ambiguous`: another file has its name, so a name proves nothing."""

    name: str
    path: str
    main: bool
    ambiguous: bool = False


@dataclass(frozen=True, kw_only=True)
class Demand:
    """A signature that the policy asks for: whose, and on what."""

    part: Part
    capacity: Capacity

    @property
    def code(self) -> str:
        """The stable code of what is missing: `main.individual`, `annex.organisation:<name>`."""
        return f"main.{self.capacity}" if self.part.main else f"annex.{self.capacity}:{self.part.name}"


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A verdict with its signer."""

    verdict: Verdict
    signer: Signer

    @property
    def broken(self) -> bool:
        """Whether content or signature value is not what was signed, or the structure hides what was."""
        return self.verdict.wrapping or self.verdict.sub_indication in _BROKEN

    @property
    def broken_package(self) -> bool:
        """Whether it is the package's and broken as re-serialising breaks it: the structure hides nothing."""
        return self.signer.place == "package" and self.broken and not self.verdict.wrapping


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the policy allows here: kinds of changes after a person's signature and after the agency's, package signatures."""

    later_changes: frozenset[str]
    after_organisation: frozenset[str]
    package_counts: bool


def is_candidate(signature: Signature, demand: Demand) -> bool:
    """Whether a signature might have been meant for this demand: in the right place, by such a signer or nobody known."""
    signer = signature.signer
    if signer.kind != "unknown" and _standing(signer, demand.capacity) is Standing.UNKNOWN:
        return False
    if _in_package(signature):
        return demand.part.main or _xml_covers(signature.verdict, demand.part)
    return signature.verdict.where == demand.part.name


def obstacles(signature: Signature, demand: Demand, terms: Terms) -> Iterator[str]:
    """Everything that keeps a candidate from supplying a demand; nothing when it does."""
    verdict = signature.verdict
    if verdict.wrapping:
        yield "broken"
    elif verdict.indication is not Indication.TOTAL_PASSED:
        yield _UNSOUND.get(verdict.sub_indication, "format")
    yield from _wrong_signer(signature.signer, demand.capacity)
    yield from _uncovered(signature, demand, terms)


def covers(verdict: Verdict, path: str) -> bool:
    """Whether an XML signature covers the element at `path` (of `lxml`'s `getpath`): it or one above it is signed."""
    return verdict.coverage.whole or any(
        path == signed or path.startswith(signed.rstrip("/") + "/") for signed in verdict.coverage.paths
    )


def _standing(signer: Signer, capacity: Capacity) -> Standing:
    return signer.organisation if capacity == "organisation" else signer.individual


def _wrong_signer(signer: Signer, capacity: Capacity) -> Iterator[str]:
    standing = _standing(signer, capacity)
    if standing in _GOOD[capacity]:
        return
    if standing is Standing.UNCONFIRMED:
        yield "signer_unconfirmed"
    else:
        yield "signer_unknown" if standing is Standing.UNKNOWN else "signer_of_another"


def _uncovered(signature: Signature, demand: Demand, terms: Terms) -> Iterator[str]:
    verdict = signature.verdict
    if _in_package(signature):
        if not terms.package_counts:
            yield "package_not_declared"
        if not _xml_covers(verdict, demand.part):
            yield "coverage"
    elif demand.part.ambiguous:
        yield "ambiguous_name"
    elif not verdict.coverage.whole:
        yield from _changed_later(verdict, demand.capacity, terms)


def _changed_later(verdict: Verdict, capacity: Capacity, terms: Terms) -> Iterator[str]:
    """An agency's signature covers the whole final file; a person's may be followed by what the terms allow."""
    if verdict.changes_after and terms.after_organisation.issuperset(verdict.changes_after):
        return
    if capacity == "organisation" or not terms.later_changes:
        yield "coverage"
    elif not terms.later_changes.issuperset(verdict.changes_after):
        yield "changed_after_signing"


def _in_package(signature: Signature) -> bool:
    return signature.signer.place == "package"


def _xml_covers(verdict: Verdict, part: Part) -> bool:
    return bool(part.path) and covers(verdict, part.path)
