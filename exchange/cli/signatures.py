"""`congvan verify` and `congvan sign`: signatures of a file, offline, without a database."""

import hashlib
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from exchange import config, texts
from exchange.cli import answers, screen
from exchange.edxml import attachments, model, read, view
from exchange.errors import Finding
from signing import keys, pdf, pdf_write, seal, trust, verdict, xml_document, xmldsig

PDF_MAGIC = b"%PDF-"


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--trust", "trust_folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--crl", "crl_folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--at", "moment", default=None, help="judge at this ISO 8601 moment; default: now")
@click.option("--json", "as_json", is_flag=True)
def verify(
    *, file: Path, trust_folder: Path | None, crl_folder: Path | None, moment: str | None, as_json: bool
) -> None:
    """Judge every signature in FILE: a letter (edXML) with its attachments, another signed XML, or a PDF.

    Exit 0: at least one real signature, and all of them TOTAL_PASSED. 1: not so. 2: FILE cannot be read.
    Nothing is trusted without --trust; without --crl no signature passes.
    """
    given = answers.settings()
    at = _moment(moment)
    trusted = _trusted(trust_folder, crl_folder)
    try:
        report = judge(file.read_bytes(), trusted, at)
    except (ValueError, verdict.TooComplexError, read.Unreadable) as error:
        answers.fail(answers.USAGE, "cli.unreadable", file=file.name, why=_why(error, given.language))
    if as_json:
        answers.show_json({"file": file.name, "at": at.isoformat(), **as_facts(report, given.language)})
    else:
        _print(report, file.name, given.language)
    passed = bool(report.verdicts) and all(one.passed for one in report.verdicts)
    sys.exit(answers.YES if passed else answers.NO)


def _trusted(trust_folder: Path | None, crl_folder: Path | None) -> trust.Trust:
    """What is trusted; a file among it that cannot be read ends the command (2)."""
    try:
        return trust.load(config.files(trust_folder), config.files(crl_folder))
    except ValueError as error:
        answers.fail(answers.USAGE, "cli.trust_unreadable", why=error)


def _why(error: Exception, language: str) -> str:
    match error:
        case read.Unreadable(findings=(found,)):
            return view.sentence(found, language)
        case verdict.TooComplexError():
            facts = {"detail": str(error)}
            return view.sentence(Finding(severity="error", code="too_complex", facts=facts), language)
        case xml_document.UnreadableXmlError(code=code, detail=detail):
            return view.sentence(Finding(severity="error", code=code, facts={"detail": detail}), language)
        case _:
            return str(error)


def judge(raw: bytes, trusted: trust.Trust, at: datetime) -> verdict.Report:
    """All signatures of a file: those of a PDF, or those of an XML document and of the PDFs a letter carries."""
    if raw.startswith(PDF_MAGIC):
        return pdf.verify(raw, trusted, at, where="file")
    try:
        reading = read.read(raw)
    except read.Unreadable as error:
        if error.code != "not_edxml":
            raise
        return xmldsig.verify(raw, trusted, at)
    package = xmldsig.verify(raw, trusted, at, repaired=reading.repaired)
    reports = [package, *_attached(reading.message, trusted, at)]
    return verdict.Report(
        verdicts=tuple(one for report in reports for one in report.verdicts),
        remarks=tuple(one for report in reports for one in report.remarks),
    )


def _attached(message: model.Message, trusted: trust.Trust, at: datetime) -> Sequence[verdict.Report]:
    if isinstance(message, model.Notice):
        return []
    contents = [(one.name, attachments.content(one)) for one in message.attachments]
    return [pdf.verify(raw, trusted, at, where=name) for name, raw in contents if raw.startswith(PDF_MAGIC)]


def as_facts(report: verdict.Report, language: str) -> dict[str, Any]:
    """The report as JSON, with the names of EN 319 102-1."""
    return {
        "signatures": [_signature(one, language) for one in report.verdicts],
        "findings": [
            {
                "severity": one.severity,
                "code": one.code,
                "where": one.where,
                "text": texts.say(f"remark.{one.code}", language),
            }
            for one in report.remarks
        ],
    }


def _signature(one: verdict.Verdict, language: str) -> dict[str, Any]:
    return {
        "where": one.where,
        "format": one.format,
        "indication": one.indication.value,
        "sub_indication": one.sub_indication.value if one.sub_indication else None,
        "signer": {"kind": "unknown", "name": one.signer_name, "agency": None, "officer": None},
        "certificate_sha256": one.certificate_sha256 or None,
        "signed_at_claimed": one.signed_at_claimed.isoformat() if one.signed_at_claimed else None,
        "best_signature_time": one.best_signature_time.isoformat(),
        "time_source": one.time_source,
        "coverage": {"whole": one.coverage.whole, "detail": one.coverage.detail},
        "provisional": one.provisional,
        "changes_after": list(one.changes_after),
        "why": texts.say(f"verdict.{one.why}", language),
        "advice": texts.say(f"advice.{one.why}", language),
    }


def _print(report: verdict.Report, name: str, language: str) -> None:
    console = screen.console()
    table = Table(
        title=texts.say("cli.verify_title", language, file=name), title_justify="left", show_lines=True
    )
    for column in ("where", "signer", "verdict", "covers", "why"):
        table.add_column(texts.say(f"cli.column_{column}", language), overflow="fold")
    for one in report.verdicts:
        said = texts.say(f"verdict.{one.why}", language)
        advice = "" if one.passed else ". " + texts.say(f"advice.{one.why}", language)
        covers = texts.say("cli.covers_whole" if one.coverage.whole else "cli.covers_part", language)
        indication = texts.say(f"indication.{one.indication.value}", language)
        named = f"{indication}\n{one.indication.value}" + (
            f"\n{one.sub_indication.value}" if one.sub_indication else ""
        )
        table.add_row(texts.clean(one.where), texts.clean(one.signer_name), named, covers, said + advice)
    console.print(table if report.verdicts else texts.say("cli.no_signature", language))
    for remark in report.remarks:
        console.print(f"· {texts.clean(remark.where)}: {texts.say(f'remark.{remark.code}', language)}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM key"
)
@click.option("--certificate", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--field", default="Signature1", show_default=True, help="name of the signature field of a PDF")
@click.option("--json", "as_json", is_flag=True)
def sign(*, file: Path, key: Path, certificate: Path, out: Path, field: str, as_json: bool) -> None:
    """Sign FILE (XML or PDF) with a PEM key and certificate, and write the signed file to --out."""
    raw, at = file.read_bytes(), datetime.now(UTC)
    try:
        private = keys.load_private(key.read_bytes())
        signer = keys.load_certificate(certificate.read_bytes())
        if raw.startswith(PDF_MAGIC):
            signed = pdf_write.sign(raw, private, signer, at=at, field=field)
        else:
            signed = seal.sign_xml(raw, private, signer, at=at)
    except ValueError as error:
        answers.fail(answers.USAGE, "cli.unreadable", file=file.name, why=error)
    out.write_bytes(signed)
    if as_json:
        digest, size = hashlib.sha256(signed).hexdigest(), len(signed)
        made = {"certificate_sha256": keys.fingerprint(signer).hex(), "signed_at": at.isoformat()}
        answers.show_json({"file": file.name, "out": str(out), "sha256": digest, "size": size, **made})


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        answers.fail(answers.USAGE, "cli.bad_moment", moment=text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
