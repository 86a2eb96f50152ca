"""Log lines: JSON on standard error, one event a line, foreign text made safe, secrets never."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from exchange import texts

_SECRET = re.compile(
    r"cv_([a-z0-9]+)_[A-Za-z0-9_\-]+|(postgres(?:ql)?://[^:@/\s]*:)[^@\s]*@|-----BEGIN [A-Z ]*PRIVATE KEY"
)


def configure(level: str) -> None:
    """Set up the log of this process; `level` is debug, info, warning or error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            harmless,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def harmless(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Last step before a line is printed: keys and passwords are masked, control characters made visible."""
    return {name: _mask(entry) if isinstance(entry, str) else entry for name, entry in event.items()}


def _mask(text: str) -> str:
    return texts.clean(_SECRET.sub(_hidden, text))


def _hidden(match: re.Match[str]) -> str:
    if match.group(1):
        return f"cv_{match.group(1)}_***"
    return f"{match.group(2)}***@" if match.group(2) else "(private key)"
