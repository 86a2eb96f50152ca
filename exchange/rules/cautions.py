"""What both sides are warned of about a letter's signatures, as findings; none of it decides anything."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from exchange.errors import Finding
from exchange.rules import supply
from exchange.rules.signers import Standing
from signing.verdict import Remark


@dataclass(frozen=True, kw_only=True)
class Notes:
    """What is known of a letter beside its signatures: the files that must be signed, and how the main one was found."""

    parts: tuple[supply.Part, ...]
    inferred: bool
    named: str | None
    header_path: str
    signs_package: bool


def requirement(reason: str) -> Iterator[Finding]:
    """The warning that goes with a sub-reason; none when the requirement is met."""
    if reason:
        yield Finding(severity="warning", code=f"requirement_{reason}")


def of(notes: Notes, signatures: Sequence[supply.Signature], remarks: Iterable[Remark]) -> Iterator[Finding]:
    """Every other caution: about the main document, names, annexes, signers and the package."""
    yield from _main(notes)
    yield from _names(notes.parts)
    for signature in signatures:
        yield from _signature(signature)
    yield from _package(notes, signatures)
    yield from (
        Finding(severity=remark.severity, code=remark.code, path=remark.path, facts={"name": remark.where})
        for remark in remarks
    )


def _main(notes: Notes) -> Iterator[Finding]:
    main = next((part for part in notes.parts if part.main), None)
    if main is None:
        return
    if notes.inferred:
        yield Finding(severity="warning", code="main_inferred", path=main.path, facts={"name": main.name})
    if notes.named is not None and notes.named != main.name:
        yield Finding(severity="warning", code="main_not_as_named", facts={"name": notes.named})


def _names(parts: Iterable[supply.Part]) -> Iterator[Finding]:
    repeated = {part.name for part in parts if part.ambiguous}
    for name in sorted(repeated):
        yield Finding(severity="warning", code="name_repeated", facts={"name": name})


def _signature(signature: supply.Signature) -> Iterator[Finding]:
    verdict, signer = signature.verdict, signature.signer
    if signature.broken and signer.place == "annex":
        yield Finding(severity="warning", code="annex_broken", facts={"name": verdict.where})
    if verdict.passed and signer.place != "annex" and signer.organisation is Standing.OTHER:
        yield Finding(severity="warning", code="another_agency_signature", facts={"name": signer.name})
    if verdict.passed and verdict.provisional:
        yield Finding(severity="info", code="signature_provisional", facts={"name": verdict.where})


def _package(notes: Notes, signatures: Iterable[supply.Signature]) -> Iterator[Finding]:
    own = [
        signature.verdict
        for signature in signatures
        if signature.signer.place == "package"
        and signature.verdict.passed
        and not signature.broken
        and signature.signer.organisation is Standing.OWN
    ]
    if notes.signs_package and not own:
        yield Finding(severity="warning", code="package_unsigned", path=notes.header_path)
    if own and notes.header_path and not any(supply.covers(verdict, notes.header_path) for verdict in own):
        yield Finding(severity="warning", code="header_not_covered", path=notes.header_path)
