"""Judging a letter: its signatures examined, and weighed by a directory and a policy. The same for a letter that comes
in and for one that is judged again: only what is asked of it, and what follows, differ.
"""

from dataclasses import dataclass
from datetime import datetime

from exchange.broker import intake, main_file, verify
from exchange.broker.decisions import beside
from exchange.broker.declared import Declared
from exchange.edxml import model, spooled
from exchange.edxml.spooled import Content
from exchange.errors import Finding
from exchange.rules import admission, requirements
from exchange.rules.directory import Directory
from exchange.rules.requirements import Judgement, LetterFacts
from signing import xml_document
from signing.verdict import Report, TooComplexError


@dataclass(frozen=True, kw_only=True)
class Matter:
    """A letter to be judged: its bytes, what was read in them, what is known beside them, and as of when."""

    raw: Content
    reading: model.Reading
    case: admission.Intake
    declared: Declared
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a letter holds, as far as rules ask, and the report on its signatures by one trust set."""

    facts: LetterFacts
    report: Report
    trust_sha256: bytes


@dataclass(frozen=True, kw_only=True)
class Unexaminable:
    """A letter that cannot be examined: the code of the problem, and what is wrong with it."""

    code: str
    findings: tuple[Finding, ...]


async def examine(
    verifier: verify.Verifier, matter: Matter, asking: main_file.Asking
) -> Found | Unexaminable:
    """Open every attachment and examine every signature, as of the matter's moment; then ask about a signed main document."""
    assert isinstance(matter.reading.message, model.Letter)
    files = await beside(len(matter.raw), intake.files, matter.reading.message)
    if isinstance(files, Finding):
        return Unexaminable(code="findings", findings=(files,))
    skeleton = matter.reading.skeleton
    try:
        examined = await verify.letter(
            verifier,
            spooled.whole(matter.raw) if skeleton is None else skeleton,
            [(file.name, file.raw) for file in files],
            matter.at,
            repaired=matter.reading.repaired,
            cut=skeleton is not None,
        )
    except TooComplexError as error:
        return _unreadable("too_complex", str(error))
    except xml_document.UnreadableXmlError as error:
        return _unreadable(error.code, error.detail)
    facts = intake.facts(matter.reading, matter.case, matter.declared, files)
    identity, verdicts = intake.identity(matter.reading.message), examined.report.verdicts
    facts = await main_file.asked(asking, facts, identity, files, verdicts)
    return Found(facts=facts, report=examined.report, trust_sha256=examined.trust_sha256)


def weigh(found: Found, directory: Directory, policy: requirements.Policy, at: datetime) -> Judgement:
    """What the signatures are worth by this directory, as of the day of acceptance."""
    return requirements.judge(found.facts, found.report, directory, policy, intake.day(at))


def _unreadable(code: str, detail: str) -> Unexaminable:
    """The verifier is stricter than the reader: it has budgets of its own, and judges signatures in UTF-8 only."""
    finding = Finding(severity="error", code=code, facts={"detail": detail})
    return Unexaminable(code=code, findings=(finding,))
