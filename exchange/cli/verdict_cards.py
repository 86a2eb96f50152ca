"""What `congvan verify` found out, for people: a conclusion, then one card a signature, then what else was seen.

A card is read from above: whether it holds, then what was signed, by whom, in whose name, when, why, and what to do.
It has two columns, so that it can be read on any screen.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from exchange import texts
from exchange.cli import screen
from exchange.cli.verdict_facts import Answer
from exchange.edxml import view
from exchange.rules import paper_class, requirements
from exchange.rules.signers import Signer, Standing
from signing import certificates
from signing.verdict import Indication, Verdict

_STYLES = {
    Indication.TOTAL_PASSED: "bold green",
    Indication.TOTAL_FAILED: "bold red",
    Indication.INDETERMINATE: "bold yellow",
}
_REQUIREMENTS = {"met": "bold green", "not_met": "bold red", "undetermined": "bold yellow"}
_COVERED = ("whole", "message", "revision")
_SHOWN_DIGITS = 16
_Row = tuple[str, str]


def show(answer: Answer, language: str) -> None:
    """Print everything."""
    console = screen.console()
    if answer.signers:
        _line(console, texts.say("cli.verify_title", language, file=answer.file), "bold")
    _line(console, conclusion(answer, language))
    if answer.signers:
        _line(console, texts.say("verify.judged_at", language, at=moment(answer.at)))
    if answer.signers and answer.directory is None:
        _line(console, texts.say("verify.no_directory", language))
    for number, (one, signer) in enumerate(answer.pairs, 1):
        console.print()
        _card(console, answer, number, (one, signer), language)
    remarks = [_remark(where, code, language) for where, code in _remarks(answer)]
    if answer.asks_policy and answer.judgement is not None:
        console.print()
        _requirement(console, answer, language)
    if remarks:
        console.print()
        _line(console, texts.say("verify.remarks", language), "bold")
        _bullets(console, remarks)


def conclusion(answer: Answer, language: str) -> str:
    """One sentence: how many signatures, and how they stand."""
    found = answer.looked.report.verdicts
    if not found:
        return texts.say("cli.no_signature", language)
    if answer.passed:
        return texts.say("verify.all_passed", language, count=len(found))
    counts = Counter(one.indication for one in found)
    parts = [
        texts.say(f"verify.count_{indication.value}", language, count=counts[indication])
        for indication in Indication
        if counts[indication]
    ]
    return texts.say("verify.counted", language, count=len(found), parts=", ".join(parts))


def moment(at: datetime) -> str:
    """A moment as people in Vietnam read it."""
    return f"{at.astimezone(paper_class.VIETNAM):%d/%m/%Y %H:%M:%S} (+07:00)"


def missing(code: str, language: str) -> str:
    """What the requirement lacks, in words; a code that has none is told as it stands."""
    what, _, name = code.partition(":")
    key = f"missing.{what.replace('.', '_')}"
    return texts.say(key, language, name=name) if key in texts.catalogue(language) else texts.clean(code)


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style=style))


def _bullets(console: Console, lines: Iterable[str]) -> None:
    table = Table.grid(padding=(0, 1))
    for one in lines:
        table.add_row(Text("·"), Text(one))
    console.print(table)


def _card(
    console: Console, answer: Answer, number: int, signature: tuple[Verdict, Signer], language: str
) -> None:
    one, _ = signature
    named = texts.say(f"indication.{one.indication.value}", language)
    codes = " / ".join(filter(None, (one.indication.value, one.sub_indication and one.sub_indication.value)))
    heading = (
        Text(f"{number}. ").append(named, style=_STYLES[one.indication]).append(f"  {codes}", style="dim")
    )
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, fact in _facts(answer, signature, language):
        if fact:
            table.add_row(Text(texts.say(f"verify.{label}", language)), Text(fact))
    console.print(heading)
    console.print(Padding(table, (0, 0, 0, 3)))


def _facts(answer: Answer, signature: tuple[Verdict, Signer], language: str) -> Iterator[_Row]:
    one, signer = signature
    yield "what", _what(one, language)
    yield "by", _by(answer, one, signer, language)
    yield "for", _for(answer, one, signer, language)
    if one.indication is not Indication.TOTAL_FAILED:
        yield (
            "when",
            texts.say(f"verify.time_{one.time_source}", language, at=moment(one.best_signature_time)),
        )
    if one.signed_at_claimed:
        yield "claimed", texts.say("verify.claims", language, at=moment(one.signed_at_claimed))
    yield "why", texts.say(f"verdict.{one.why}", language)
    yield "advice", texts.say(f"advice.{one.why}", language)
    yield "certificate", _certificate(one, language)


def _what(one: Verdict, language: str) -> str:
    where = texts.say("verify.package", language) if one.where == "package" else texts.clean(one.where)
    whole = "message" if one.where == "package" else "whole"
    detail = whole if one.coverage.whole else one.coverage.detail
    key = f"verify.covers_{detail if detail in _COVERED else 'part'}"
    parts = [f"{where}, {texts.say(key, language)}" if detail or one.coverage.paths else where]
    if one.changes_after:
        kinds = ", ".join(texts.say(f"change.{kind}", language) for kind in one.changes_after)
        parts.append(texts.say("verify.changed_after", language, kinds=kinds))
    if one.carrier:
        parts.append(texts.say("verify.carried_by", language, name=one.carrier))
    return "; ".join(parts)


def _by(answer: Answer, one: Verdict, signer: Signer, language: str) -> str:
    if not one.certificate:
        return texts.say("verify.by_nobody", language)
    name = texts.clean(signer.name or one.signer_name)
    if answer.directory is None:
        return name
    return f"{name} ({texts.say(f'signer.{signer.kind}', language)})"


def _for(answer: Answer, one: Verdict, signer: Signer, language: str) -> str:
    """In whose name: by the directory; without it only what the certificate says, and that it is no more than that."""
    if answer.directory is not None and signer.agency is not None:
        agency = answer.directory.agencies[signer.agency]
        said = texts.clean(f"{agency.name} ({agency.code})")
        if answer.judgement is not None and signer.standing is Standing.OTHER:
            said += "; " + texts.say("verify.not_the_sender", language)
        if signer.standing is Standing.UNCONFIRMED:
            said += "; " + texts.say("verify.unconfirmed", language)
        return said
    organisation = certificates.describe(one.certificate).organisation if one.certificate else ""
    if answer.directory is not None:
        return texts.say("verify.not_in_directory", language, organisation=organisation or "–")
    return texts.say("verify.by_certificate", language, organisation=organisation) if organisation else ""


def _certificate(one: Verdict, language: str) -> str:
    if not one.certificate:
        return ""
    said = certificates.describe(one.certificate)
    return texts.say(
        "verify.issued_by",
        language,
        authority=said.authority,
        first=f"{paper_class.local_day(said.valid_from):%d/%m/%Y}",
        last=f"{paper_class.local_day(said.valid_to):%d/%m/%Y}",
        sha256=one.certificate_sha256[:_SHOWN_DIGITS],
    )


def _remarks(answer: Answer) -> Iterator[tuple[str, str]]:
    yield from dict.fromkeys((one.where, one.code) for one in answer.looked.report.remarks)


def _remark(where: str, code: str, language: str) -> str:
    named = texts.say("verify.package", language) if where == "package" else texts.clean(where)
    return f"{named}: {texts.say(f'remark.{code}', language)}"


def _requirement(console: Console, answer: Answer, language: str) -> None:
    """Whether the letter is signed as it must be, why not, what is missing, and which file was taken for the main one."""
    judged = answer.judgement
    assert judged is not None
    named = texts.say(f"requirement.{judged.requirement}", language)
    heading = Text(texts.say("verify.requirement", language) + ": ", style="bold")
    console.print(heading.append(named, style=_REQUIREMENTS[judged.requirement]))
    _bullets(console, dict.fromkeys(_grounds(answer, judged, language)))


def _grounds(answer: Answer, judged: requirements.Judgement, language: str) -> Iterator[str]:
    if answer.directory is None:
        yield texts.say("verify.policy_no_directory", language)
    if judged.main:
        yield texts.say("verify.main", language, name=judged.main)
    yield from (missing(code, language) for code in judged.missing)
    about_signatures = {one.code for one in answer.looked.report.remarks}
    for one in judged.warnings:
        if one.code not in about_signatures:
            yield view.sentence(one, language)
