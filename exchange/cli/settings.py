"""`congvan config`: every setting, what it holds, and where that came from; secrets are masked.

Names come out of `config.read` itself, which is handed an environment that notes what it is asked for: a new setting
appears here by being read. `VALUES` says how what is in force is written, which tells the defaults too.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

import click
from rich import box
from rich.table import Table
from rich.text import Text

from exchange import config, log, texts
from exchange.cli import answers, client, given_files
from exchange.config import Config

PREFIX = "CONGVAN_"
HIDDEN = "***"
CLIENT = (
    "CONGVAN_SERVER",
    "CONGVAN_SYSTEM",
    "CONGVAN_SECRET",
    "CONGVAN_SECRET_FILE",
    "CONGVAN_CA",
    "CONGVAN_CERTIFICATE",
    "CONGVAN_CERTIFICATE_KEY",
    "CONGVAN_PATIENCE",
)
"""What the client verbs read; see `client`."""


def _listed(networks: Iterable[object]) -> str | None:
    return ",".join(map(str, networks)) or None


def _origin(one: config.Origin) -> str:
    host = f"[{one.host}]" if ":" in one.host else one.host
    return f"{one.scheme}://{host}:{one.port}" + "".join(f"={network}" for network in one.within)


VALUES: Mapping[str, Callable[[Config], object]] = {
    "CONGVAN_DATA": lambda given: given.data,
    "CONGVAN_DATABASE_URL": lambda given: given.database_url,
    "CONGVAN_DB_USER": lambda given: given.database_user,
    "CONGVAN_LISTEN": lambda given: f"{f'[{given.host}]' if ':' in given.host else given.host}:{given.port}",
    "CONGVAN_TLS_CERT": lambda given: given.tls_certificate,
    "CONGVAN_TLS_KEY": lambda given: given.tls_key,
    "CONGVAN_TLS_CLIENT_CA": lambda given: given.tls_client_ca,
    "CONGVAN_TRUSTED_PROXIES": lambda given: _listed(given.trusted_proxies),
    "CONGVAN_METRICS_FROM": lambda given: _listed(given.metrics_from),
    "CONGVAN_TRUST_DIR": lambda given: given.trust_folder,
    "CONGVAN_TSA_TRUST_DIR": lambda given: given.tsa_trust_folder,
    "CONGVAN_CRL_DIR": lambda given: given.crl_folder,
    "CONGVAN_OCSP_DIR": lambda given: given.ocsp_folder,
    "CONGVAN_REVOCATION_HOSTS": lambda given: _listed(map(_origin, given.revocation_hosts)),
    "CONGVAN_POLICY_FILE": lambda given: given.policy_file,
    "CONGVAN_CALENDAR_FILE": lambda given: given.calendar_file,
    "CONGVAN_LEAGUE_FILE": lambda given: given.league_file,
    "CONGVAN_RECEIPT_KEY_FILE": lambda given: given.receipt_key_file,
    "CONGVAN_MAX_LETTER_MB": lambda given: given.max_letter_bytes // config.MEGABYTE,
    "CONGVAN_INLINE_BYTES": lambda given: given.inline_bytes,
    "CONGVAN_LANGUAGE": lambda given: given.language,
    "CONGVAN_EXPIRE_DAYS": lambda given: given.expire_days,
    "CONGVAN_CLOSE_DAY": lambda given: given.close_day,
    "CONGVAN_LOG_LEVEL": lambda given: given.log_level,
    "CONGVAN_NOTIFY": lambda given: "on" if given.notify else "off",
    "CONGVAN_QUOTA_REQUESTS": lambda given: given.quota_requests,
    "CONGVAN_QUOTA_MB": lambda given: given.quota_bytes // config.MEGABYTE,
    "CONGVAN_COVERAGE_PERCENT": lambda given: given.coverage_percent,
    "CONGVAN_OPEN_DATA": lambda given: "on" if given.open_data else "off",
}
"""What is in force under each name."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting. `source` is `environment` or `default`; a value of None means: none."""

    name: str
    value: str | None
    source: str
    part: str


class _Noting(Mapping[str, str]):
    """An environment that notes the names of ours it is asked for, in that order."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.asked: dict[str, None] = {}

    def __getitem__(self, name: str) -> str:
        if name.startswith(PREFIX):
            self.asked[name] = None
        return self.environment[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.environment)

    def __len__(self) -> int:
        return len(self.environment)


def names() -> tuple[str, ...]:
    """Every setting that the exchange reads."""
    noting = _Noting({})
    config.read(noting)
    return tuple(noting.asked)


def settings(environment: Mapping[str, str], given: Config | None) -> Iterator[Setting]:
    """Every setting with its value; without a `Config` (it cannot be read) only what the environment holds."""
    for name in names():
        raw = environment.get(name) or None
        value = VALUES[name](given) if given is not None and name in VALUES else raw
        if name == "CONGVAN_DATABASE_URL" and given is None and raw:
            value = HIDDEN  # nobody knows where in it the password stands
        yield _setting(name, value, raw, "exchange")
    for name in CLIENT:
        raw = environment.get(name) or None
        default = client.PATIENCE_SECONDS if name == "CONGVAN_PATIENCE" else None
        yield _setting(name, raw or default, raw, "client")


def _setting(name: str, value: object, raw: str | None, part: str) -> Setting:
    text = None if value is None else _masked(name, str(value))
    return Setting(name=name, value=text, source="environment" if raw else "default", part=part)


def _masked(name: str, text: str) -> str:
    plain = str(log.harmless(None, "", {"text": text})["text"])
    if name == "CONGVAN_SECRET" and not re.fullmatch(r"cv_[a-z0-9]+_\*\*\*", plain):
        return HIDDEN
    if name == "CONGVAN_SERVER":
        return re.sub(r"//[^/]*@", f"//{HIDDEN}@", plain)
    return plain


@click.command("config")
@click.option("--json", "as_json", is_flag=True)
@click.option("--language", type=click.Choice(texts.LANGUAGES), envvar="CONGVAN_LANGUAGE", default="vi")
def show(*, as_json: bool, language: str) -> None:
    """Every setting, its value and where that came from; secrets are masked. Exit 2: one of them cannot be used."""
    given, wrong = _read(language)
    found = list(settings(os.environ, given))
    unknown = sorted(
        name for name in os.environ if name.startswith(PREFIX) and name not in {one.name for one in found}
    )
    if as_json:
        answers.show_json({"settings": [asdict(one) for one in found], "unknown": unknown, "wrong": wrong})
    else:
        _print(found, language)
        for name in unknown:
            click.echo(texts.say("client.config_unknown", language, name=name), err=True)
        if wrong:
            click.echo(texts.clean(wrong), err=True)
    sys.exit(answers.USAGE if wrong else answers.YES)


def _read(language: str) -> tuple[Config | None, str | None]:
    try:
        given = config.read()
    except config.SettingError as error:
        return None, error.sentence(language)
    return given, " ".join([*given_files.wrong_policy(given), *given_files.wrong(given)]) or None


def _print(found: list[Setting], language: str) -> None:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("name", "value", "source"):
        table.add_column(
            texts.say(f"client.config_{name}", language), no_wrap=name == "name", overflow="fold"
        )
    for one in found:
        source = texts.say(f"client.config_from_{one.source}", language)
        value = texts.say("client.config_none", language) if one.value is None else texts.clean(one.value)
        table.add_row(Text(one.name), Text(value), Text(source))
    client.console().print(table)
