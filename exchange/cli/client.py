"""What the client verbs share: where the exchange is, who we are, how long we try, and how every ending is told.

    exit 0 yes · 1 the exchange said no · 2 usage, or a file that cannot be read · 3 unavailable, outcome unknown

Options come before environment: `--server`, `--system`, `--secret`, … or CONGVAN_SERVER, CONGVAN_SYSTEM, …
"""

import asyncio
import functools
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console

from exchange import texts
from exchange.cli import answers, screen
from exchange.edxml import codes
from exchange.links import connection, sdk
from exchange.rules import paper_class

PATIENCE_SECONDS = 120
MAX_SECRET_BYTES = 4096
MAX_FINDINGS = 50
PLAIN_WIDTH = 200
_KEY = re.compile(r"cv_[A-Za-z0-9]+_[A-Za-z0-9_-]+")
_WHO = frozenset({401, 403})

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OPTIONS = (
    click.option("--server", envvar="CONGVAN_SERVER", metavar="URL"),
    click.option("--system", "system_id", envvar="CONGVAN_SYSTEM", metavar="ID"),
    click.option("--secret", metavar="cv_…"),
    click.option("--secret-file", type=click.Path(exists=True, dir_okay=False, allow_dash=True)),
    click.option("--ca", "authorities", type=_FILE, envvar="CONGVAN_CA"),
    click.option("--certificate", type=_FILE, envvar="CONGVAN_CERTIFICATE"),
    click.option("--key", "certificate_key", type=_FILE, envvar="CONGVAN_CERTIFICATE_KEY"),
    click.option("--insecure-http", is_flag=True),
    click.option(
        "--patience",
        type=click.IntRange(1, 86_400),
        default=PATIENCE_SECONDS,
        show_default=True,
        envvar="CONGVAN_PATIENCE",
    ),
    click.option("--json", "as_json", is_flag=True),
    click.option("--quiet", is_flag=True),
    click.option("--language", type=click.Choice(texts.LANGUAGES), envvar="CONGVAN_LANGUAGE", default="vi"),
)


@dataclass(frozen=True, kw_only=True)
class Access:
    """How to reach the exchange as which system, and how to talk to the person. `secret` is the bearer key."""

    server: str
    system: str
    secret: str = field(repr=False)
    took_input: bool
    authorities: Path | None
    certificate: Path | None
    certificate_key: Path | None
    insecure_http: bool
    patience: int
    as_json: bool
    quiet: bool
    language: str

    def say(self, key: str, **facts: object) -> str:
        """A sentence in the user's language."""
        return texts.say(key, self.language, **facts)

    @property
    def watched(self) -> bool:
        """Whether a person looks at standard error, and wants to see progress there."""
        return sys.stderr.isatty() and not (self.as_json or self.quiet)


def talking(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all client verbs share; it gets them as one `access`."""

    @functools.wraps(command)
    def run(
        *,
        server: str | None,
        system_id: str | None,
        secret: str | None,
        secret_file: str | None,
        language: str,
        **given: Any,  # noqa: ANN401 - click's
    ) -> None:
        names = (
            "authorities",
            "certificate",
            "certificate_key",
            "insecure_http",
            "patience",
            "as_json",
            "quiet",
        )
        shared = {name: given.pop(name) for name in names}
        if not server:
            fail(language, "client.no_server")
        key = _secret(secret, secret_file, language)
        if not key and not shared["certificate"]:
            fail(language, "client.no_secret")
        access = Access(
            server=server, system=system_id or "", secret=key, took_input=_is_input(secret_file), language=language, **shared
        )  # fmt: skip
        command(access=access, **given)

    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), run)


def _secret(given: str | None, file: str | None, language: str) -> str:
    """The key from the command line, from a file (- is standard input), or from the environment; never told again."""
    if given and file:
        fail(language, "client.two_secrets")
    if not given:
        file = file or (None if os.environ.get("CONGVAN_SECRET") else os.environ.get("CONGVAN_SECRET_FILE"))
    text = given or (_held(file, language) if file else os.environ.get("CONGVAN_SECRET", ""))
    if text.strip() and not _KEY.fullmatch(text.strip()):
        fail(language, "client.bad_secret")
    return text.strip()


def _is_input(file: str | None) -> bool:
    return file == "-"


def _held(file: str, language: str) -> str:
    try:
        if file == "-":
            return sys.stdin.buffer.read(MAX_SECRET_BYTES).decode()
        with Path(file).open("rb") as opened:
            return opened.read(MAX_SECRET_BYTES).decode()
    except (OSError, ValueError) as error:
        fail(language, "client.unreadable", file=file, why=reason(error))


def run(access: Access, work: Callable[[sdk.Client], Awaitable[int]]) -> NoReturn:
    """Do the work over a connection, and end with the code it answers, or as its failure says."""
    try:
        code = asyncio.run(_connected(access, work))
    except sdk.AddressError as error:
        fail(access.language, f"client.{error.code}", what=error.what)
    except sdk.RefusedError as error:
        tell_refused(access, error.answer)
        code = answers.NO
    except sdk.UnavailableError as error:
        tell_unavailable(access, error)
        code = answers.UNAVAILABLE
    sys.exit(code)


async def _connected(access: Access, work: Callable[[sdk.Client], Awaitable[int]]) -> int:
    tls = None
    if access.server.lower().startswith("https"):
        tls = connection.tls_context(
            authorities=access.authorities, certificate=access.certificate, key=access.certificate_key
        )
    async with sdk.connected(
        access.server,
        access.secret,
        attempts=None,
        seconds=access.patience,
        tls=tls,
        insecure_http=access.insecure_http,
        language=access.language,
        told=_teller(access),
    ) as client:
        return await work(client)


def _teller(access: Access) -> Callable[[str, float], None]:
    """Says once why there is no answer, and again when the reason changes; only to a person who watches."""
    told: list[str] = []

    def tell(why: str, _seconds: float) -> None:
        if access.watched and why not in told[-1:]:
            told.append(why)
            click.echo(access.say("client.again", why=why, seconds=access.patience), err=True)

    return tell


def tell_refused(access: Access, answer: sdk.Answer) -> None:
    """The exchange said no: as JSON its problem, else its sentences."""
    if access.as_json:
        answers.show_json({"outcome": "refused", "problem": answer.body or {"status": answer.status}})
        return
    for line in refusal(access, answer):
        click.echo(line, err=True)


def refusal(access: Access, answer: sdk.Answer) -> Iterator[str]:
    """What the exchange said of its refusal: title, what to do, each finding with its line, the request's id."""
    body = answer.body if isinstance(answer.body, dict) else {}
    title = body.get("title") or access.say("client.no_reason")
    yield access.say("client.refused", title=title, status=answer.status, code=body.get("code", "-"))
    if body.get("detail"):
        yield texts.clean(f"  {body['detail']}")
    yield from findings(access, body.get("findings"))
    if answer.status in _WHO and access.system:
        yield access.say("client.as_system", system=access.system)
    if body.get("request_id"):
        yield access.say("client.request_id", request=body["request_id"])


def findings(access: Access, listed: object) -> Iterator[str]:
    """One line a finding: how grave, where, what to do."""
    told = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    for one in told[:MAX_FINDINGS]:
        key = "client.finding_at" if isinstance(one.get("line"), int) else "client.finding"
        severity = one.get("severity")
        known = severity if severity in {"error", "warning", "info"} else "info"
        yield texts.say(
            key, access.language, severity=access.say(f"client.{known}"), line=one.get("line"),
            text=one.get("text") or one.get("code") or "-",
        )  # fmt: skip
    if len(told) > MAX_FINDINGS:
        yield access.say("client.more_findings", n=len(told) - MAX_FINDINGS)


def tell_unavailable(access: Access, error: Exception) -> None:
    """There was no answer that tells the outcome."""
    sentence = unavailable(access, error)
    if access.as_json:
        answers.show_json({"outcome": "unknown", "text": sentence})
    else:
        click.echo(sentence, err=True)


def unavailable(access: Access, error: Exception) -> str:
    """Why not, and that sending again is safe."""
    known: dict[type[Exception], str] = {
        sdk.UntrustedError: "client.untrusted",
        sdk.StrangeAnswerError: "client.strange",
        sdk.DamagedError: "client.damaged",
    }
    key = known.get(type(error), "client.unavailable")
    return access.say(key, server=access.server, why=error, seconds=access.patience)


def final(answer: sdk.Answer) -> sdk.Answer:
    """An answer that tells the outcome. Raises UnavailableError for one that does not."""
    if answer.status in sdk.AGAIN or answer.status >= 500:  # noqa: PLR2004 - HTTP
        raise sdk.UnavailableError(f"HTTP {answer.status} {answer.problem}".strip())
    return answer


def console() -> Console:
    """Where tables are drawn: as wide as the terminal, and wide for a script that reads them."""
    made = screen.console()
    if not made.is_terminal:
        made.width = PLAIN_WIDTH
    return made


def moment(text: object) -> str:
    """A moment of the exchange as people here write it, in Vietnam's zone; what is none, as it came."""
    try:
        at = datetime.fromisoformat(str(text)).astimezone(paper_class.VIETNAM)
    except (ValueError, OverflowError):
        return texts.clean(str(text or ""))
    return f"{at:%d/%m/%Y %H:%M:%S}"


def status_name(code: str, language: str) -> str:
    """A status with its name: `03 Đã tiếp nhận`; the code alone if this version does not know it."""
    name = codes.STATUSES[code][f"name_{language}"] if code in codes.STATUSES else ""
    return f"{code} {name}".strip()


def reason(error: Exception) -> str:
    """What is wrong with a file, in the words of the operating system."""
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)


def fail(language: str, key: str, **facts: object) -> NoReturn:
    """One sentence about wrong usage on standard error, and exit 2."""
    click.echo(texts.say(key, language, **facts), err=True)
    sys.exit(answers.USAGE)
