"""Is a letter signed as it must be (yêu cầu chữ ký)? Verdicts and directory in, one judgement out.

Theory of operation. The policy turns a letter into demands: the main document needs the agency's signature
and a person's (Decree 30/2020/NĐ-CP Art. 5(1)), by different certificates; each separate annex of a bound
kind needs the agency's. Each demand looks for one signature without obstacles (`supply`). Then:

    met            every demand is supplied, and nothing voids the letter
    undetermined   what is missing would be supplied once a signer is confirmed or revocation data arrive
    not_met        anything else

The agency's signature counts in the file itself, covering the whole final file, or in the package where its
references cover the attachment's bytes; a person's likewise, except that a PDF may have been changed after it
in the ways the policy names, as long as the agency's signature covers the result.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from exchange.errors import Finding
from exchange.rules import cautions, directory, policy, reasons, signers, supply
from exchange.rules.policy import DEFAULT, Policy
from exchange.rules.signers import Signer
from signing.verdict import Report, Verdict

__all__ = ["DEFAULT", "AttachmentFacts", "Judgement", "LetterFacts", "Policy", "judge"]

Requirement = Literal["met", "not_met", "undetermined"]


@dataclass(frozen=True, kw_only=True)
class AttachmentFacts:
    """One attachment (tệp đính kèm): `path` is the element's `getpath`, `sha256` of its decoded bytes.

    `name` is what verdicts name in `where`. `kind` is pdf or other.
    """

    name: str
    path: str
    kind: Literal["pdf", "other"]
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class LetterFacts:
    """What the requirement depends on in a letter (gói tin văn bản), taken from its header and from beside it.

    `main_named`: the attachment the sender calls the main document. `repaired`: the XML was readable only
    with recovery. `reused`: the same signed main document came earlier under another number.
    """

    sender: UUID
    document_type_name: str
    copy_form: str = "original"
    attachments: tuple[AttachmentFacts, ...] = ()
    header_path: str = ""
    main_named: str | None = None
    number: str = ""
    notation: str = ""
    issued_on: date | None = None
    sender_from_axis: bool = False
    repaired: bool = False
    reused: bool = False


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Whether the requirement is met and, if not, why: `reason` is the one sub-reason of class N.

    `missing` holds codes: `document` without any, `main.individual`, `annex.organisation:<name>`. `signers` stand in the
    order of the report's verdicts. `main` names the main document, `main_inferred` when nobody said so.
    """

    requirement: Requirement
    reason: str
    missing: tuple[str, ...]
    signers: tuple[Signer, ...]
    main: str | None
    main_inferred: bool
    warnings: tuple[Finding, ...]


def judge(
    letter: LetterFacts, report: Report, snapshot: directory.Directory, rules: Policy, on: date
) -> Judgement:
    """The judgement of a letter's signatures by one directory and policy, as of the local day `on`.

    `report` holds all verdicts and remarks of the letter, package and attachments, in order.
    """
    main, inferred = _main_document(letter)
    signatures = tuple(_identified(report.verdicts, main, letter.sender, snapshot, on))
    wanted = policy.demands(rules, letter.copy_form, letter.document_type_name)
    terms = supply.Terms(
        later_changes=frozenset(rules.later_changes if "organisation" in wanted else ()),
        after_organisation=frozenset(rules.after_organisation),
        package_counts=not rules.package_by_declaration
        or directory.declared(snapshot, letter.sender, "signs_package", on),
    )
    demands = tuple(_demands(letter, main, wanted, rules))
    unmet = reasons.unmet(demands, signatures, terms, report.remarks)
    void = _void(letter, main, signatures)
    requirement, reason = _answer(unmet, void, reused=letter.reused)
    notes = cautions.Notes(
        parts=tuple(demand.part for demand in demands),
        inferred=inferred,
        named=letter.main_named,
        header_path=letter.header_path,
        signs_package=directory.declared(snapshot, letter.sender, "signs_package", on),
    )
    return Judgement(
        requirement=requirement,
        reason=reason,
        missing=_missing(main, unmet),
        signers=tuple(signature.signer for signature in signatures),
        main=main.name if main else None,
        main_inferred=inferred,
        warnings=(*cautions.requirement(reason), *cautions.of(notes, signatures, report.remarks)),
    )


def _main_document(letter: LetterFacts) -> tuple[AttachmentFacts | None, bool]:
    """The only PDF, else the one the sender names, else the first (of the PDFs, if any), inferred."""
    pdfs = [attachment for attachment in letter.attachments if attachment.kind == "pdf"]
    if len(pdfs) == 1:
        return pdfs[0], False
    named = [attachment for attachment in letter.attachments if attachment.name == letter.main_named]
    if named:
        return named[0], False
    first = next(iter(pdfs or letter.attachments), None)
    return first, first is not None


def _identified(
    verdicts: Iterable[Verdict],
    main: AttachmentFacts | None,
    sender: UUID,
    snapshot: directory.Directory,
    on: date,
) -> Iterator[supply.Signature]:
    for verdict in verdicts:
        signer = signers.identify(verdict, _place(verdict, main), sender, snapshot, on)
        yield supply.Signature(verdict=verdict, signer=signer)


def _place(verdict: Verdict, main: AttachmentFacts | None) -> str:
    """Where a signature stands. The format decides about the package: an attachment may be called that too."""
    if verdict.where == "package" and verdict.format in supply.XML_FORMATS:
        return "package"
    return "main" if main is not None and verdict.where == main.name else "annex"


def _demands(
    letter: LetterFacts, main: AttachmentFacts | None, wanted: Iterable[policy.Capacity], rules: Policy
) -> Iterator[supply.Demand]:
    for attachment in letter.attachments:
        part = _part(letter, attachment, main=attachment is main)
        if part.main:
            yield from (supply.Demand(part=part, capacity=capacity) for capacity in wanted)
        elif attachment.kind in rules.annex_kinds:
            yield from (supply.Demand(part=part, capacity=capacity) for capacity in rules.annex_demands)


def _part(letter: LetterFacts, attachment: AttachmentFacts, *, main: bool) -> supply.Part:
    same_name = Counter(other.sha256 for other in letter.attachments if other.name == attachment.name)
    return supply.Part(name=attachment.name, path=attachment.path, main=main, ambiguous=len(same_name) > 1)


def _void(
    letter: LetterFacts, main: AttachmentFacts | None, signatures: Iterable[supply.Signature]
) -> frozenset[str]:
    """What no good signature elsewhere makes up for. The axis re-serialises packages: theirs may be broken."""
    found = {
        f"broken_{one.signer.place}"
        for one in signatures
        if one.broken and not (letter.sender_from_axis and one.broken_package)
    }
    if letter.repaired and any(signature.signer.place == "package" for signature in signatures):
        found.add("repaired")
    if main is None:
        found.add("no_document")
    return frozenset(found)


def _answer(
    unmet: tuple[reasons.Unmet, ...], void: frozenset[str], *, reused: bool
) -> tuple[Requirement, str]:
    if not unmet and not void:
        return ("undetermined", "file_reused") if reused else ("met", "")
    seen = void.union(*(one.reasons for one in unmet))
    if not void and all(one.temporary for one in unmet):
        return "undetermined", reasons.first(seen & supply.TEMPORARY)
    return "not_met", reasons.first(seen)


def _missing(main: AttachmentFacts | None, unmet: Iterable[reasons.Unmet]) -> tuple[str, ...]:
    return tuple(one.demand.code for one in unmet) if main is not None else ("document",)
