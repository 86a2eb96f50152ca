"""`congvan sign`: a signature more in a file (XML, PDF), or one beside it (`.p7s`), with a PEM key or a token's.

    --key FILE --certificate FILE               a key in a PEM file: tests, demo, service accounts
    --pkcs11 MODULE --token LABEL --key-label   a key in a token or HSM, which it never leaves

The PIN comes from CONGVAN_TOKEN_PIN or is asked for; a command line would show it to everybody on the machine.
Exit 0: signed. 2: it could not be; nothing is written then.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any, TypedDict

import click

from exchange import texts
from exchange.cli import answers, screen
from exchange.cli.language import language
from signing import keys, p7_write, pdf, pdf_write, seal, token, xml_document
from signing.p7_write import Signer

PIN = "CONGVAN_TOKEN_PIN"
FIELDS = tuple(f"Signature{number}" for number in range(1, pdf.MOST_SIGNATURES + 1))
FORMS = ("auto", "xml", "pdf", "p7s", "p7m")
_ENDINGS = {"p7s": ".p7s", "p7m": ".p7m"}

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OPTIONS = (
    click.argument("files", nargs=-1, required=True, type=_FILE),
    click.option("--key", type=_FILE),
    click.option("--certificate", type=_FILE),
    click.option("--chain", type=_FILE, multiple=True),
    click.option("--pkcs11", "module", metavar="MODULE"),
    click.option("--token", "token_label", metavar="LABEL"),
    click.option("--key-label", metavar="LABEL"),
    click.option("--form", type=click.Choice(FORMS), default=FORMS[0], show_default=True),
    click.option("--out", type=click.Path(dir_okay=False, path_type=Path)),
    click.option("--field", default=None),
    click.option("--json", "as_json", is_flag=True),
)


class Given(TypedDict):
    """The options as click hands them over."""

    files: tuple[Path, ...]
    key: Path | None
    certificate: Path | None
    chain: tuple[Path, ...]
    module: str | None
    token_label: str | None
    key_label: str | None
    form: str
    out: Path | None
    field: str | None
    as_json: bool


@dataclass(frozen=True, kw_only=True)
class _Signed:
    """One file signed: where it goes, in which form, its bytes."""

    source: Path
    out: Path
    form: str
    raw: bytes


@click.command()
@lambda command: reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), command)
def sign(**given: Any) -> None:  # noqa: ANN401 - click's
    """Sign each FILE (XML, PDF, or any other as .p7s beside it) with a PEM key or with the key in a token.

    Without --out the signed file stands beside FILE: letter.signed.edxml, report.pdf.p7s.
    """
    options, at = Given(**given), datetime.now(UTC)  # type: ignore[typeddict-item]  # click gives each, of its type
    _refuse_unfit(options)
    with _signer(options) as signer:
        made = [_signed(path, signer, options, at) for path in options["files"]]
    for one in made:
        one.out.write_bytes(one.raw)
    certificate = keys.fingerprint(signer.certificate).hex()
    told = [_facts(one, certificate, at) for one in made]
    if options["as_json"]:
        answers.show_json(told[0] if len(told) == 1 else {"signed": told})
        return
    for one in made:
        screen.line(texts.say("sign.signed", language(), file=one.source.name, out=one.out))


def _refuse_unfit(options: Given) -> None:
    """Options that say two things, or not enough, end the command (2)."""
    if options["out"] and len(options["files"]) > 1:
        answers.fail(answers.USAGE, "sign.one_out")
    by_file, by_token = bool(options["key"]), bool(options["module"])
    if by_file == by_token:
        answers.fail(answers.USAGE, "sign.which_key")
    if by_file and not options["certificate"]:
        answers.fail(answers.USAGE, "sign.no_certificate")
    if by_token and not (options["token_label"] and options["key_label"]):
        answers.fail(answers.USAGE, "sign.which_token")


@contextmanager
def _signer(options: Given) -> Iterator[Signer]:
    """Key and certificate; a token stays open as long as there is something to sign."""
    try:
        chain = tuple(_certificate(path) for path in options["chain"])
        given = _certificate(options["certificate"]) if options["certificate"] else None
        if options["key"] and given:
            key = keys.load_private(options["key"].read_bytes())
            yield Signer(key=_belonging(key, given), certificate=given, chain=chain)
            return
        module, label = str(options["module"]), str(options["key_label"])
        with token.opened(module, str(options["token_label"]), _pin()) as session:
            certificate = given or token.certificate(session, label)
            yield Signer(key=token.key(session, label, certificate), certificate=certificate, chain=chain)
    except token.TokenError as error:
        answers.fail(answers.USAGE, f"sign.{error.code}", detail=error.detail)
    except keys.LockedKeyError:
        answers.fail(answers.USAGE, "sign.locked_key", file=str(options["key"]))
    except ValueError as error:
        answers.fail(answers.USAGE, "sign.bad_key", why=error)


def _pin() -> str:
    """The token's PIN, from the environment, else from whoever sits there; never from the command line."""
    return os.environ.get(PIN) or click.prompt(texts.say("sign.pin", language()), hide_input=True, err=True)


def _certificate(path: Path) -> Any:  # noqa: ANN401 - a certificate of `cryptography`, which stays in signing
    return keys.load_certificate(path.read_bytes())


def _belonging(key: keys.PrivateKey, certificate: Any) -> keys.PrivateKey:  # noqa: ANN401 - as above
    if keys.public_key_id(certificate.public_key()) != keys.key_id(key):
        raise token.TokenError("key_not_of_certificate")
    return key


def _signed(path: Path, signer: Signer, options: Given, at: datetime) -> _Signed:
    """One file signed in its form; what cannot be signed ends the command (2)."""
    raw = path.read_bytes()
    form = _form(raw) if options["form"] == "auto" else options["form"]
    out = options["out"] or _beside(path, form)
    try:
        return _Signed(source=path, out=out, form=form, raw=_BY_FORM[form](raw, signer, options["field"], at))
    except token.TokenError:
        raise
    except pdf_write.FilledError:
        answers.fail(answers.USAGE, "sign.field_filled", file=path.name, field=options["field"] or FIELDS[-1])
    except pdf_write.LockedError:
        answers.fail(answers.USAGE, "sign.locked", file=path.name)
    except (pdf_write.UnreadableError, xml_document.UnreadableXmlError) as error:
        answers.fail(answers.USAGE, "cli.unreadable", file=path.name, why=error)
    except Exception as error:  # noqa: BLE001 - pyHanko raises anything at all on a bad PDF
        answers.fail(answers.USAGE, "sign.not_signed", file=path.name, why=str(error) or type(error).__name__)


def _form(raw: bytes) -> str:
    if raw.startswith(pdf.MAGIC):
        return "pdf"
    return "xml" if raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else "p7s"


def _beside(path: Path, form: str) -> Path:
    if form in _ENDINGS:
        return path.with_name(path.name + _ENDINGS[form])
    return path.with_name(f"{path.stem}.signed{path.suffix}")


def _xml(raw: bytes, signer: Signer, _field: str | None, at: datetime) -> bytes:
    return seal.sign_xml(raw, signer.key, signer.certificate, at=at)


def _pdf(raw: bytes, signer: Signer, field: str | None, at: datetime) -> bytes:
    """In the field named, else in the first of ours that is free: a person and a clerk both sign without naming one."""
    for name in () if field else FIELDS[:-1]:
        with suppress(pdf_write.FilledError):
            return pdf_write.sign(raw, signer.key, signer.certificate, at=at, field=name, chain=signer.chain)
    return pdf_write.sign(
        raw, signer.key, signer.certificate, at=at, field=field or FIELDS[-1], chain=signer.chain
    )


def _p7s(raw: bytes, signer: Signer, _field: str | None, at: datetime) -> bytes:
    return p7_write.sign(raw, [signer], at=at)


def _p7m(raw: bytes, signer: Signer, _field: str | None, at: datetime) -> bytes:
    return p7_write.sign(raw, [signer], at=at, inside=True)


_BY_FORM: dict[str, Callable[[bytes, Signer, str | None, datetime], bytes]] = {
    "xml": _xml,
    "pdf": _pdf,
    "p7s": _p7s,
    "p7m": _p7m,
}


def _facts(one: _Signed, certificate: str, at: datetime) -> dict[str, Any]:
    return {
        "file": one.source.name,
        "out": str(one.out),
        "form": one.form,
        "sha256": hashlib.sha256(one.raw).hexdigest(),
        "size": len(one.raw),
        "certificate_sha256": certificate,
        "signed_at": at.isoformat(),
    }
