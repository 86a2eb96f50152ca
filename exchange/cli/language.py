"""In which language a command line speaks: `--language`, else CONGVAN_LANGUAGE, else Vietnamese."""

import os
from collections.abc import Sequence
from itertools import pairwise

import click

from exchange import texts

_CHOSEN = "exchange.cli.language"


def language() -> str:
    """The language of this command line; Vietnamese if the one it names is not ours."""
    context = click.get_current_context(silent=True)
    chosen = wanted(context) if context else _environment()
    return chosen if chosen in texts.LANGUAGES else texts.LANGUAGES[0]


def wanted(context: click.Context) -> str:
    """What was asked for, be it a language of ours or not."""
    return str(context.meta.get(_CHOSEN) or _environment())


def choose(context: click.Context, arguments: Sequence[str]) -> None:
    """Find out for a whole command line, before anything is parsed: help and errors need it."""
    context.meta[_CHOSEN] = _named(arguments)


def option(*, exposed: bool) -> click.Option:
    """`--language`, as every verb has it."""
    return click.Option(
        ["--language"],
        type=click.Choice(texts.LANGUAGES),
        default=lambda: wanted(click.get_current_context()),
        expose_value=exposed,
    )


def _named(arguments: Sequence[str]) -> str | None:
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    pairs = [*pairwise(ours), *(one.partition("=")[::2] for one in ours)]
    named = [value for name, value in pairs if name == "--language" and value in texts.LANGUAGES]
    return named[-1] if named else None


def _environment() -> str:
    return os.environ.get("CONGVAN_LANGUAGE", "").lower() or texts.LANGUAGES[0]
