"""What a terminal gets: consoles that take text as text, and the last word of a program that broke.

Rich reads `[red]` and `:smile:` in a string as orders to itself; a letter's subject may hold both. Consoles are made
here and nowhere else (`tests/cli/test_words.py`). Foreign text passes `texts.clean` on its way into a sentence.
"""

import sys
import traceback
from types import TracebackType
from typing import TextIO

import click
from rich.console import Console

from exchange import log, texts

PAGE = 160


def console(*, stderr: bool = False, file: TextIO | None = None) -> Console:
    """A console that interprets nothing in the strings it is given; into a file as wide as a page."""
    width = None if file is None else PAGE
    return Console(stderr=stderr, file=file, width=width, markup=False, emoji=False, highlight=False)


def line(text: str, *, err: bool = False) -> None:
    """One line of plain text that may hold foreign words."""
    click.echo(texts.clean(text), err=err)


def guard() -> None:
    """Let an error nobody expected be told without what strangers wrote into it steering the terminal."""
    sys.excepthook = _broken


def _broken(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    told = log.masked("".join(traceback.format_exception(kind, error, trace)))
    click.echo("\n".join(map(texts.clean, told.rstrip("\n").split("\n"))), err=True)
