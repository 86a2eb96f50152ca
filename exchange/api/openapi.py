"""The description of the API (OpenAPI 3.1), built of the table in `described`: pure, records in, JSON out.

Problems are grouped by status, each with the codes that the operation may answer with it, so that a client may rely on
them and a test can walk the API by them. Sentences are of the language asked for; names are the same in both.
"""

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from exchange import texts
from exchange.api import described, described_parts
from exchange.api.described_parts import Answer, Facts, Link, Operation, Parameter
from exchange.errors import PROBLEMS

Json = dict[str, Any]

FILE_ONLY = frozenset({"$schema", "$id"})
"""What makes a file of `schemas/api` whole by itself, and is of no use within the description."""


@dataclass(frozen=True)
class Description:
    """The whole description as it is answered: UTF-8 JSON, and its hex SHA-256."""

    raw: bytes
    sha256: str


@functools.cache
def description(language: str) -> Description:
    """The description in one language, made once."""
    raw = json.dumps(build(described.TABLE, language), ensure_ascii=False).encode()
    return Description(raw, hashlib.sha256(raw).hexdigest())


def build(table: Mapping[tuple[str, str], Operation], language: str) -> Json:
    """The OpenAPI document of a table of operations."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": _say("title", language),
            "version": version("congvan"),
            "description": _say("about", language),
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in described_parts.SECURITY],
        "tags": [
            {"name": tag, "description": _say(f"tag.{tag}", language)}
            for tag in dict.fromkeys(operation.tag for operation in table.values())
        ],
        "paths": _paths(table, language),
        "components": {
            "securitySchemes": _told(described_parts.SECURITY, "security", language),
            "headers": {
                name: {"schema": schema, "required": True, "description": _say(f"header.{key(name)}", language)}
                for name, schema in described_parts.HEADERS.items()
            },
            "schemas": schemas(language),
        },
    }  # fmt: skip


def _paths(table: Mapping[tuple[str, str], Operation], language: str) -> Json:
    paths: Json = {}
    for (method, path), operation in table.items():
        paths.setdefault(path, {})[method.lower()] = _operation(operation, language)
    return paths


def _operation(operation: Operation, language: str) -> Json:
    found: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": _say(f"summary.{operation.name}", language),
        "description": _say(f"operation.{operation.name}", language),
    }
    if operation.open:
        found["security"] = []
    if operation.parameters:
        found["parameters"] = [_parameter(one, language) for one in operation.parameters]
    if operation.takes:
        content = {media: _body(media, name, operation) for media, name in operation.takes.items()}
        found["requestBody"] = {"required": not operation.bodiless, "content": content}
    answers = {str(status): _answer(status, one, language) for status, one in operation.answers.items()}
    return {**found, "responses": {**answers, **_problems(refusals(operation), language)}}


def _parameter(parameter: Parameter, language: str) -> Json:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "schema": parameter.schema,
        "description": _say(f"parameter.{key(parameter.name)}", language),
    }


def _body(media: str, schema: str | None, operation: Operation) -> Json:
    if media != described_parts.PARTS or not operation.parts:
        return _content(schema)
    kinds = {name: {"contentType": kind} for name, kind in operation.parts.items()}
    return {**_content(schema), "encoding": kinds}


def _content(schema: str | None) -> Json:
    return {"schema": _reference("schemas", schema)} if schema else {}


def _answer(status: int, answer: Answer, language: str) -> Json:
    found: Json = {
        "description": _say(f"answer.{answer.body or key(answer.media or 'unchanged')}_{status}", language),
        "headers": _headers(answer.headers),
    }
    if answer.media:
        found["content"] = {answer.media: _content(answer.body), **{media: {} for media in answer.also}}
    if answer.links:
        found["links"] = {name: _link(name, described_parts.LINKS[name], language) for name in answer.links}
    return found


def _link(name: str, link: Link, language: str) -> Json:
    body = {} if link.body is None else {"requestBody": link.body}
    told = _say(f"link.{name}", language)
    return {"operationId": link.operation, "parameters": link.parameters, **body, "description": told}


def refusals(operation: Operation) -> tuple[str, ...]:
    """Every code that an operation may answer with."""
    callers = () if operation.open else described_parts.PROBLEMS_OF_CALLERS
    return tuple(dict.fromkeys((*operation.refusals, *callers, *described_parts.PROBLEMS_OF_ALL)))


def _problems(codes: Iterable[str], language: str) -> Json:
    """Problems by status, in the order of statuses."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    return {str(status): _problem(status, by_status[status], language) for status in sorted(by_status)}


def _problem(status: int, codes: list[str], language: str) -> Json:
    kind = {"type": "object", "properties": {"status": {"const": status}, "code": {"enum": codes}}}
    return {
        "description": "; ".join(f"`{code}`: {texts.say(f'problem.{code}', language)}" for code in codes),
        "headers": _headers(described_parts.HEADERS_OF.get(status, ())),
        "content": {described_parts.PROBLEM: {"schema": {"allOf": [_reference("schemas", "problem"), kind]}}},
    }


def _headers(names: Iterable[str]) -> Json:
    return {name: _reference("headers", name) for name in (*names, "X-Request-Id")}


def schemas(language: str) -> Json:
    """Every body by name, with a sentence for each and for each of its members."""
    folder = files("schemas") / "api"
    names = sorted(
        entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")
    )
    found = {name: json.loads((folder / f"{name}.json").read_bytes()) for name in names}
    found["problem"]["properties"]["code"]["enum"] = list(PROBLEMS)
    found["problem"]["x-codes"] = {code: _code(code, language) for code in PROBLEMS}
    return {
        name: {**_within(name, schema, language), "description": _say(f"schema.{name}", language)}
        for name, schema in found.items()
    }


def _code(code: str, language: str) -> Json:
    """One row of the table of problems, as people and programs read it."""
    kind, title = PROBLEMS[code], texts.say(f"problem.{code}", language)
    return {
        "status": kind.status, "whose": kind.whose.value, "temporary": kind.temporary,
        "title": title, "advice": texts.say(f"help.{code}", language),
    }  # fmt: skip


def _within(name: str, schema: Any, language: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """A schema as it stands in the description: references point into it, members have their sentences."""
    if isinstance(schema, list):
        return [_within(name, one, language) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {word: _within(name, one, language) for word, one in schema.items() if word not in FILE_ONLY}
    if isinstance(found.get("$ref"), str):
        found |= _reference("schemas", found["$ref"].removesuffix(".json"))
    if "type" in found and isinstance(found.get("properties"), dict):
        found["properties"] = {
            member: {**one, "description": member_text(name, member, language)}
            for member, one in found["properties"].items()
        }
    return found


def member_text(schema: str, member: str, language: str) -> str:
    """What a member of a body is: a sentence of this schema's own, else the one for all members of that name."""
    own = f"api.member_of.{schema}.{member}"
    return texts.say(own if own in texts.catalogue(language) else f"api.member.{member}", language)


def _told(parts: Mapping[str, Facts], kind: str, language: str) -> Json:
    return {name: {**part, "description": _say(f"{kind}.{name}", language)} for name, part in parts.items()}


def _reference(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}


def key(name: str) -> str:
    """A header's or media type's name as catalogues write it."""
    return name.lower().replace("-", "_").replace("/", "_")


def _say(name: str, language: str) -> str:
    return texts.say(f"api.{name}", language)
