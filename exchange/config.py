"""Settings, read once from the environment into one frozen record. Names: `contract.md`, "Environment"."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from exchange import texts

Networks = tuple[IPv4Network | IPv6Network, ...]

MEGABYTE = 1 << 20
DEFAULT_LISTEN = "127.0.0.1:8470"
CLOSE_DAYS = tuple(dict.fromkeys(map(str, (5, *range(1, 29)))))
"""Days of a month that every month has; the usual one first (rules_and_measures.md C.8)."""
_LAST_PORT = 65_535
_PORTS = {"http": 80, "https": 443}
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?))"
    r"(?::(?P<port>[0-9]{1,5}))?/?(?:=(?P<within>[0-9a-f:./]+))?"
)
_HOST = re.compile(r"(?:\[[0-9a-fA-F:.]*\]|[^\[\]:]*)(?::[0-9]+)?")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A server that we may ask: scheme, host, port. Without `within` only at public addresses, else only at those."""

    scheme: str
    host: str
    port: int
    within: Networks = ()


class SettingError(ValueError):
    """A setting that cannot be used: which, what it holds, what would do. `key` is one of the catalogue's `setting.…`."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key, facts)
        self.key = key
        self.facts = facts

    def sentence(self, language: str = "vi") -> str:
        """The sentence for the operator."""
        return texts.say(self.key, language, **self.facts)

    def __str__(self) -> str:
        return self.sentence("en")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything an exchange is told from outside. Sizes in bytes, times in days, quotas a minute."""

    data: Path
    database_url: str | None = field(repr=False)
    database_user: str | None
    host: str
    port: int
    tls_certificate: Path | None
    tls_key: Path | None
    tls_client_ca: Path | None
    trusted_proxies: Networks
    metrics_from: Networks
    trust_folder: Path | None
    tsa_trust_folder: Path | None
    crl_folder: Path | None
    ocsp_folder: Path | None
    revocation_hosts: tuple[Origin, ...]
    policy_file: Path | None
    calendar_file: Path | None = None
    league_file: Path | None = None
    receipt_key_file: Path
    max_letter_bytes: int
    inline_bytes: int
    language: str
    expire_days: int
    close_day: int
    log_level: str
    notify: bool
    quota_requests: int
    quota_bytes: int
    coverage_percent: int
    open_data: bool = False

    @property
    def revocation_folder(self) -> Path:
        """Where revocation lists, OCSP responses and authorities' certificates stand that we fetched ourselves."""
        return self.data / "revocation"

    @property
    def tls(self) -> bool:
        """Whether we speak TLS ourselves."""
        return self.tls_certificate is not None


def read(environment: Mapping[str, str] = os.environ) -> Config:
    """The settings of one process; SettingError names the first that cannot be used."""
    data = Path(environment.get("CONGVAN_DATA") or _default_data(environment)).absolute()
    host, port = _listen(environment.get("CONGVAN_LISTEN") or DEFAULT_LISTEN)
    certificate, key, client_ca = _tls(environment)
    return Config(
        data=data,
        database_url=_database_url(environment.get("CONGVAN_DATABASE_URL") or ""),
        database_user=environment.get("CONGVAN_DB_USER") or None,
        host=host,
        port=port,
        tls_certificate=certificate,
        tls_key=key,
        tls_client_ca=client_ca,
        trusted_proxies=_networks(environment, "CONGVAN_TRUSTED_PROXIES", ""),
        metrics_from=_networks(environment, "CONGVAN_METRICS_FROM", "127.0.0.0/8,::1"),
        trust_folder=_folder(environment, "CONGVAN_TRUST_DIR"),
        tsa_trust_folder=_folder(environment, "CONGVAN_TSA_TRUST_DIR"),
        crl_folder=_folder(environment, "CONGVAN_CRL_DIR"),
        ocsp_folder=_folder(environment, "CONGVAN_OCSP_DIR"),
        revocation_hosts=_origins(environment, "CONGVAN_REVOCATION_HOSTS"),
        policy_file=_file(environment, "CONGVAN_POLICY_FILE", "TOML"),
        calendar_file=_file(environment, "CONGVAN_CALENDAR_FILE", "TOML"),
        league_file=_file(environment, "CONGVAN_LEAGUE_FILE", "TOML"),
        receipt_key_file=Path(environment.get("CONGVAN_RECEIPT_KEY_FILE") or data / "receipt.key"),
        max_letter_bytes=_whole(environment, "CONGVAN_MAX_LETTER_MB", 100) * MEGABYTE,
        inline_bytes=_whole(environment, "CONGVAN_INLINE_BYTES", MEGABYTE),
        language=_choice(environment, "CONGVAN_LANGUAGE", ("vi", "en")),
        expire_days=_whole(environment, "CONGVAN_EXPIRE_DAYS", 30),
        close_day=int(_choice(environment, "CONGVAN_CLOSE_DAY", CLOSE_DAYS)),
        log_level=_choice(environment, "CONGVAN_LOG_LEVEL", ("info", "debug", "warning", "error")),
        notify=_choice(environment, "CONGVAN_NOTIFY", ("on", "off")) == "on",
        quota_requests=_whole(environment, "CONGVAN_QUOTA_REQUESTS", 12_000),
        quota_bytes=_whole(environment, "CONGVAN_QUOTA_MB", 6_000) * MEGABYTE,
        coverage_percent=_whole(environment, "CONGVAN_COVERAGE_PERCENT", 90, most=100),
        open_data=_choice(environment, "CONGVAN_OPEN_DATA", ("off", "on")) == "on",
    )


def files(folder: Path | None) -> list[bytes]:
    """The bytes of every file in a folder of certificates or lists, by name; none without a folder."""
    return [path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()] if folder else []


def _default_data(environment: Mapping[str, str]) -> str:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return "/var/lib/congvan"
    home = environment.get("XDG_DATA_HOME") or Path(environment.get("HOME", ".")) / ".local" / "share"
    return str(Path(home) / "congvan")


def _database_url(text: str) -> str | None:
    """A DSN, perhaps of several hosts. It holds a password: what is wrong with it is told without any part of it."""
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("//")
    hosts = parts.netloc.rpartition("@")[2].split(",")
    if text and not (parts.scheme in {"postgresql", "postgres"} and all(map(_HOST.fullmatch, hosts))):
        raise SettingError("setting.database_url")
    return text or None


def _listen(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal():
        raise SettingError("setting.listen", held=text, example=DEFAULT_LISTEN)
    return host.strip("[]"), int(port)


def _tls(environment: Mapping[str, str]) -> tuple[Path | None, Path | None, Path | None]:
    """Certificate and key go together; clients' certificates are asked for when their authorities are named."""
    certificate, key, client_ca = (
        _file(environment, f"CONGVAN_TLS_{name}") for name in ("CERT", "KEY", "CLIENT_CA")
    )
    if (certificate is None) != (key is None):
        raise SettingError("setting.tls_pair")
    if client_ca and not certificate:
        raise SettingError("setting.tls_client_ca")
    return certificate, key, client_ca


def _file(environment: Mapping[str, str], name: str, kind: str = "PEM") -> Path | None:
    text = environment.get(name)
    if text and not Path(text).is_file():
        raise SettingError("setting.file", name=name, held=text, kind=kind)
    return Path(text) if text else None


def _networks(environment: Mapping[str, str], name: str, default: str) -> Networks:
    text = environment.get(name, default)
    try:
        return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())
    except ValueError:
        raise SettingError("setting.networks", name=name, held=text) from None


def _origins(environment: Mapping[str, str], name: str) -> tuple[Origin, ...]:
    """Servers with commas between: scheme://host[:port], and =network where a host has addresses of a closed network."""
    text = environment.get(name) or ""
    try:
        return tuple(_origin(one.strip().lower()) for one in text.split(",") if one.strip())
    except ValueError:
        raise SettingError("setting.origins", name=name, held=text) from None


def _origin(text: str) -> Origin:
    found = _ORIGIN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    host, port = found["host"] or str(ip_address(found["six"])), int(found["port"] or _PORTS[found["scheme"]])
    if not 0 < port <= _LAST_PORT:
        raise ValueError(text)
    if host.replace(".", "").isdigit():
        ip_address(host)
    within = (ip_network(found["within"]),) if found["within"] else ()
    return Origin(scheme=found["scheme"], host=host, port=port, within=within)


def _folder(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name)
    if not text:
        return None
    if not Path(text).is_dir():
        raise SettingError("setting.folder", name=name, held=text)
    return Path(text)


def _whole(environment: Mapping[str, str], name: str, default: int, most: int | None = None) -> int:
    text = environment.get(name) or str(default)
    if not text.isdecimal() or int(text) == 0 or (most is not None and int(text) > most):
        raise SettingError("setting.whole", name=name, held=text, example=default)
    return int(text)


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    text = (environment.get(name) or choices[0]).lower()
    if text not in choices:
        raise SettingError("setting.choice", name=name, held=text, choices=", ".join(choices))
    return text
