"""`congvan system add --owner CODE --watches CODE`: a system that acts for nobody and only watches (giám sát)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import click

from exchange.broker import monitors
from exchange.cli import operators

OWNER = click.option("--owner", metavar="CODE", help="Who answers for a system that only watches.")
WATCHES = click.option("--watches", multiple=True, metavar="CODE", help="An agency that it is to watch.")
ALL = click.option("--watches-all", is_flag=True, help="It watches everything.")
SUBTREE = click.option("--subtree", is_flag=True, help="With all agencies below those of --watches.")
NOBODY = UUID(int=0)
add = monitors.add


def roles(given: Mapping[str, Any], *, acting: bool, language: str) -> list[monitors.Role]:
    """What a system without agencies is to watch; none for one that acts for some. Anything else ends the command (2)."""
    named = [*given["watches"], *([None] if given["watches_all"] else [])]
    fits = bool(named) and given["owner"] and not acting and (given["watches"] or not given["subtree"])
    if (named or given["owner"] or given["subtree"] or not acting) and not fits:
        operators.refuse("monitor.acting_or_watching", language)
    return [
        monitors.Role(system=NOBODY, code=one, subtree=given["subtree"] and one is not None) for one in named
    ]
