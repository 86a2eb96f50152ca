"""The records of which the table in `described` is made: parameters, answers, links, operations. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Facts = Mapping[str, Any]
"""Something as JSON has it, such as a JSON Schema."""

Place = Literal["path", "query", "header"]
JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of a request: its name, where it stands, and the JSON Schema of its text."""

    name: str
    place: Place
    schema: Facts
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Link:
    """From an answer to the next request: the operation, and where in this answer its parameters and body are."""

    operation: str
    parameters: Facts
    body: Any = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One success: its media type, empty if it has no body; for JSON its schema's name; its own headers; its links."""

    body: str | None = None
    media: str = JSON
    headers: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One route. `takes`: media types of the body with the name of its schema, None for bytes as they are.

    `bodiless`: the body may be left out. `refusals`: the codes it may answer beside those that every route may.
    `open`: anybody may ask.
    """

    name: str
    tag: str
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    takes: Mapping[str, str | None] | None = None
    bodiless: bool = False
    refusals: tuple[str, ...] = ()
    open: bool = False
