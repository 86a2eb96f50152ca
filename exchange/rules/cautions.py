"""What both sides are warned of about a letter's signatures, as findings; none of it decides anything."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from exchange.errors import Finding
from exchange.rules import directory, header_text, person_names, supply
from exchange.rules.letter_facts import AttachmentFacts, LetterFacts
from exchange.rules.signers import Standing
from signing.verdict import Remark


@dataclass(frozen=True, kw_only=True)
class Notes:
    """What is known of a letter beside its signatures: its facts, the files that must be signed, how the main one was found.

    `signs_package`: the sender has declared, for that day, that it signs its packages.
    """

    letter: LetterFacts
    parts: tuple[supply.Part, ...]
    main: AttachmentFacts | None
    inferred: bool
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


def of_header(
    notes: Notes, signatures: Sequence[supply.Signature], snapshot: directory.Directory
) -> Iterator[Finding]:
    """What the header says otherwise than the signed document and its signatures do."""
    letter, main = notes.letter, notes.main
    if main is not None and any(signature.signer.place == "main" for signature in signatures):
        header, others = _header(letter, snapshot), _others(letter, snapshot)
        for one in header_text.differences(header, letter.first_page, others):
            facts = {"fact": one.fact, "said": one.said, "written": one.written, "name": main.name}
            yield Finding(severity="warning", code="header_differs", path=letter.header_path, facts=facts)
    yield from _signer_name(letter, signatures)


def _header(letter: LetterFacts, snapshot: directory.Directory) -> header_text.Header:
    sender = snapshot.agencies.get(letter.sender)
    return header_text.Header(
        number=letter.number,
        notation=letter.notation,
        issued_on=letter.issued_on,
        agencies=(sender.name,) if sender else (),
    )


def _others(letter: LetterFacts, snapshot: directory.Directory) -> Iterator[tuple[str, str]]:
    """Whose document it may be instead: a superior's name stands above that of every agency below it."""
    near = {letter.sender, *(agency.id for agency in directory.ancestors(snapshot, letter.sender))}
    return ((plain, agency.name) for plain, agency in snapshot.written_out if agency.id not in near)


def _signer_name(letter: LetterFacts, signatures: Iterable[supply.Signature]) -> Iterator[Finding]:
    """The header names who signed; of the persons whose signatures stand on it, one should bear that name."""
    names = {
        name: None
        for one in signatures
        if one.signer.place != "annex" and one.verdict.passed and one.signer.kind == "individual"
        for name in (one.verdict.signer_name, one.signer.name)
    }
    if letter.signer_name and names and not any(person_names.same(letter.signer_name, one) for one in names):
        facts = {"said": letter.signer_name, "signer": next(iter(names))}
        yield Finding(severity="warning", code="signer_name_differs", path=letter.header_path, facts=facts)


def _main(notes: Notes) -> Iterator[Finding]:
    main, named = notes.main, notes.letter.main_named
    if main is None:
        return
    if notes.inferred:
        yield Finding(severity="warning", code="main_inferred", path=main.path, facts={"name": main.name})
    if named is not None and named != main.name:
        yield Finding(severity="warning", code="main_not_as_named", facts={"name": named})
    if notes.letter.reused:
        facts = {"name": main.name, "number": notes.letter.reused_as}
        yield Finding(severity="warning", code="main_file_reused", path=main.path, facts=facts)


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
    path = notes.letter.header_path
    if notes.signs_package and not own:
        yield Finding(severity="warning", code="package_unsigned", path=path)
    if own and path and not any(supply.covers(verdict, path) for verdict in own):
        yield Finding(severity="warning", code="header_not_covered", path=path)
