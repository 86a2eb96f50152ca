"""Log lines: JSON on standard error, one event a line, foreign text made safe, secrets never."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from exchange import texts

_SECRET = re.compile(
    r"cv_([a-z0-9]+)_[A-Za-z0-9_\-]+"
    r"|(postgres(?:ql)?://[^:@/\s]*:)[^@\s]*@"
    r"|(\bpassword=)[^&\s]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
"""A system's key, the password of a DSN in either of its places, a whole private key."""


def configure(level: str) -> None:
    """Set up the log of this process; `level` is debug, info, warning or error.

    Libraries write the same lines, from warnings on: what they say may hold what strangers and settings say.
    """
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_STAMPS, *_ENDING],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(
            file=sys.stderr
        ),  # one write a line: workers share the file
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, *_STAMPS],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_ENDING],
    )
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(formatter)
    logging.basicConfig(handlers=[libraries], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)


def harmless(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Last step before a line is printed: keys and passwords are masked, control characters made visible."""
    return {name: _plain(entry) for name, entry in event.items()}


def masked(text: str) -> str:
    """The text without keys and passwords."""
    return _SECRET.sub(_hidden, text)


_STAMPS: list[structlog.typing.Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_ENDING: list[structlog.typing.Processor] = [
    structlog.processors.format_exc_info,
    harmless,
    structlog.processors.JSONRenderer(ensure_ascii=False),
]


def _plain(entry: object) -> object:
    return (
        entry if entry is None or isinstance(entry, bool | int | float) else texts.clean(masked(str(entry)))
    )


def _hidden(match: re.Match[str]) -> str:
    if match.group(1):
        return f"cv_{match.group(1)}_***"
    if match.group(2):
        return f"{match.group(2)}***@"
    return f"{match.group(3)}***" if match.group(3) else "(private key)"
