"""Verbs that are read when they are asked for: a command should not wait for the code of all the others.

What a table names is as good as an import statement; tests load every entry (tests/cli/test_later.py).
"""

import importlib
import sys
from collections.abc import Iterator, Mapping, MutableMapping

import click

Table = Mapping[str, tuple[str, str]]
"""The name of a verb -> its module, and what it is called there."""


class Verbs(MutableMapping[str, click.Command]):
    """Commands by name, as a click group holds them."""

    def __init__(self, table: Table) -> None:
        self._table = dict(table)
        self._more: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        """The verb; its module is read now."""
        if name in self._more:
            return self._more[name]
        module, attribute = self._table[name]
        verb = getattr(importlib.import_module(module), attribute)
        assert isinstance(verb, click.Command)
        return verb

    def __setitem__(self, name: str, verb: click.Command) -> None:
        """One verb more, or in the place of another."""
        self._more[name] = verb

    def __delitem__(self, name: str) -> None:
        """One verb less."""
        del (self._more if name in self._more else self._table)[name]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._table | self._more)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._table | self._more)

    def __contains__(self, name: object) -> bool:
        """Whether there is such a verb; nothing is read for that."""
        return name in self._table or name in self._more

    def read(self) -> dict[str, click.Command]:
        """Those whose modules are read already."""
        return {
            name: self[name] for name in self if name in self._more or self._table[name][0] in sys.modules
        }
