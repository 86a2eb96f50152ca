"""The description of the API: whole, in both languages, true of every answer, and walked without an unexpected one."""

import base64
import copy
import hashlib
import json
import os
import re
from datetime import UTC, datetime
from typing import get_args

import aiohttp
import api_walk
import jsonschema_rs
import pytest
from province import quick_letter
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from exchange import texts
from exchange.api import (
    described,
    described_figures,
    described_parts,
    figures,
    lists,
    native,
    openapi,
    parameters,
    question,
    routes,
)
from exchange.broker import declared, deliver
from exchange.edxml import codes, draft, model
from exchange.edxml.notes import Notes
from exchange.errors import PROBLEMS
from exchange.rules import directory, lifecycle, measures, paper_class, routing
from exchange.tracker import tally
from signing import verdict

SEED = int(os.environ.get("CONGVAN_WALK_SEED", "20260"))
SETTINGS = {"CONGVAN_OPEN_DATA": "on"}
ELSEWHERE = {"method_not_allowed"}
"""Codes of no operation: of a method that a path does not know; of letters revoked, which nobody can revoke yet."""


@pytest.fixture(scope="module", params=texts.LANGUAGES)
def document(request):
    return json.loads(openapi.description(request.param).raw)


def within(value, path=""):
    """Every object in a JSON document, with its path."""
    if isinstance(value, dict):
        yield path, value
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from within(part, f"{path}/{name}")


def schema_of(document, name):
    return document["components"]["schemas"][name]


# --- the table and the document --------------------------------------------------------------------------------------


def test_every_route_is_described_and_nothing_else():
    served = {(route.method, route.path): route.handler.__name__ for route in routes.ROUTES}
    assert {key: operation.name for key, operation in described.TABLE.items()} == served


def test_the_document_is_openapi(document):
    OPENAPI_31_VALIDATOR.validate(document)
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})


def test_every_reference_leads_somewhere_and_nothing_lies_idle(document):
    named = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "headers")
        for name in document["components"][kind]
    }
    assert {part["$ref"] for _, part in within(document) if isinstance(part.get("$ref"), str)} == named
    links = {
        name
        for operation in described.TABLE.values()
        for one in operation.answers.values()
        for name in one.links
    }
    assert links == set(described_parts.LINKS)
    assert {one.operation for one in described_parts.LINKS.values()} <= {
        one.name for one in described.TABLE.values()
    }


def test_everything_has_a_sentence_and_every_sentence_is_used(document):
    told = {"summary", "description"}
    silent = [
        path
        for path, part in within(document["paths"])
        if part.keys() & {"operationId", "in"} and not all(str(part.get(name, "x")).strip() for name in told)
    ]
    assert silent == []
    shown = {text for _, part in within(document) for text in part.values() if isinstance(text, str)}
    for language in texts.LANGUAGES:
        ours = {text for key, text in texts.catalogue(language).items() if key.startswith("api.")}
        if document["info"]["title"] in ours:
            assert ours - shown == set()


def test_names_are_the_same_in_both_languages():
    def nameless(value):
        if isinstance(value, dict):
            return {
                name: nameless(part)
                for name, part in value.items()
                if name not in {"title", "advice", "summary"}
                and not (name == "description" and isinstance(part, str))
            }
        return [nameless(part) for part in value] if isinstance(value, list) else value

    vi, en = (json.loads(openapi.description(language).raw) for language in texts.LANGUAGES)
    assert vi != en
    assert nameless(vi) == nameless(en)


def test_problems_are_those_of_the_table(document):
    problem = schema_of(document, "problem")
    assert problem["properties"]["code"]["enum"] == list(PROBLEMS)
    assert {code: row["status"] for code, row in problem["x-codes"].items()} == {
        code: kind.status for code, kind in PROBLEMS.items()
    }
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                for content in answer.get("content", {}).values():
                    if "allOf" in content.get("schema", {}):
                        kind = content["schema"]["allOf"][1]["properties"]
                        assert {PROBLEMS[code].status for code in kind["code"]["enum"]} == {int(status)}
                        assert kind["status"]["const"] == int(status)
    told = {code for one in described.TABLE.values() for code in openapi.refusals(one)}
    assert set(PROBLEMS) - told == ELSEWHERE


def test_lists_of_values_are_those_of_the_code(document):
    def values(name, *members):
        schema = schema_of(document, name)
        for member in members:
            schema = schema["items"] if member == "[]" else schema["properties"][member]
        return tuple(one for one in schema["enum"] if one is not None)

    assert values("trace_delivery", "state") == lifecycle.STATES
    assert values("trace_delivery", "class") == (*paper_class.CLASSES, "X")
    assert values("trace_delivery", "statuses", "[]", "code") == tuple(codes.STATUSES)
    assert values("status", "code") == values("inbox_item", "status") == tuple(codes.STATUSES)
    assert values("inbox_item", "purpose") == routing.PURPOSES == declared.PURPOSES
    assert values("letter_facts", "operation") == model.OPERATIONS
    assert (
        values("receipt", "operation") == values("inbox_item", "operation") == (*model.OPERATIONS, "status")
    )
    assert values("indication") == tuple(verdict.Indication)
    assert values("sub_indication") == tuple(verdict.SubIndication)
    assert values("compose", "operation") == model.OPERATIONS
    assert values("recipient_said", "purpose") == draft.PURPOSES
    assert values("agency", "sector") == get_args(directory.Sector)
    assert values("tally", "view") == question.VIEWS
    assert values("tally", "scope") == question.SCOPES
    assert tuple(schema_of(document, "tally")["properties"]["classes"]["required"]) == paper_class.CLASSES
    assert set(schema_of(document, "tally")["properties"]["measures"]["required"]) == set(
        measures.of_classes({})
    )


def test_facts_of_a_letter_are_those_that_are_read(document):
    """Names, which of them are needed and how much of them there may be, down to the last member."""
    compose = schema_of(document, "compose")
    assert {*compose["properties"]} == {*draft.FACTS, *draft.TOLD}
    properties = compose["properties"]
    rows = [
        (compose, draft.FACTS),
        (schema_of(document, "party_said"), draft.PARTY),
        (schema_of(document, "recipient_said"), {**draft.PARTY, "purpose": draft.TEXT}),
        (schema_of(document, "file_said"), draft.FILE),
        (properties["signer"], draft.SIGNER),
        (properties["staff"], draft.STAFF),
        (properties["response_for"]["items"], draft.ANSWERED),
        (properties["traces"]["items"], draft.HOP),
        (properties["replaced"]["items"], draft.REPLACED),
        (properties["update"], draft.UPDATE),
        (properties["update"]["properties"]["receivers"]["items"], draft.RECEIVER),
    ]
    for schema, facts in rows:
        assert schema["additionalProperties"] is False
        assert {*schema["properties"]} - draft.TOLD == {*facts}
        assert {*schema.get("required", ())} == {name for name, row in facts.items() if row.required}
    for name in ("priority", "steering", "copies", "pages"):
        notes = Notes()
        low, high = properties[name]["minimum"], properties[name]["maximum"]
        taken = [draft.FACTS[name].read(notes, "/", given) for given in (low - 1, low, high, high + 1)]
        assert taken == [None, low, high, None]
    assert properties["files"]["maxItems"] == model.LIMITS.attachments
    for name in ("xml_text", "xml_words"):
        assert schema_of(document, name)["maxLength"] == model.LIMITS.text


PARAMETERS = {
    "POST /v1/messages": "main copy purpose paper_reason resend test state_secret upload",
    "POST /v1/messages:compose": "main copy paper_reason resend test state_secret",
    "GET /v1/messages/{id}/trace": "why",
    "GET /v1/inbox": "for after limit wait",
    "GET /v1/agencies": "q code after limit",
    "GET /v1/tally": "period agency subtree predecessors kind level view scope type urgency",
    "GET /v1/measures": "period agency subtree predecessors kind level view scope type urgency",
    "GET /v1/reports/{report}": "period agency subtree predecessors kind level view scope type urgency periods format target issuer place number position signer",
    "GET /v1/transfers": "period agency subtree predecessors kind level view scope type urgency class after limit",
    "GET /v1/signatures": "period agency view after limit",
}
"""Names that clients rely on."""


def test_query_parameters_are_those_of_the_contract():
    known = {" ".join(route): names for route, names in parameters.KNOWN.items() if names}
    assert known == {route: frozenset(names.split()) for route, names in PARAMETERS.items()}
    assert sorted(parameters.REPEATED) == ["class", "kind", "level", "purpose", "type", "urgency"]


def asked_of(path):
    return {one.name: one.schema for one in described.TABLE["GET", path].parameters}


def test_bounds_are_those_of_the_code():
    for path, most, default in (
        ("/v1/inbox", deliver.MAX_PAGE, native.DEFAULT_LIMIT),
        ("/v1/agencies", lists.MOST_AGENCIES, lists.DEFAULT_LIMIT),
        ("/v1/signatures", lists.MOST_SIGNATURES, lists.DEFAULT_LIMIT),
        ("/v1/transfers", figures.MOST_TRANSFERS, figures.DEFAULT_LIMIT),
    ):
        assert (asked_of(path)["limit"]["maximum"], asked_of(path)["limit"]["default"]) == (most, default)
    assert asked_of("/v1/inbox")["wait"]["maximum"] == native.MAX_WAIT_SECONDS
    for name in ("q", "code", "after"):
        assert asked_of("/v1/agencies")[name]["maxLength"] == question.MOST_TEXT
    for path in ("/v1/tally", "/v1/signatures"):
        assert tuple(asked_of(path)["view"]["enum"]) == question.VIEWS
    assert tuple(asked_of("/v1/tally")["scope"]["enum"]) == question.SCOPES


def test_periods_are_those_that_are_understood():
    """Every day, week and longer span of some years, written rightly; but for days and weeks that do not exist."""
    pattern = re.compile(asked_of("/v1/tally")["period"]["pattern"])
    parts = [f"-{a:02}" for a in range(15)] + [f"-{a:02}-{b:02}" for a in range(15) for b in range(34)]
    parts += [f"-{letter}{n}" for letter in "QHWX" for n in (*range(6), *(f"{n:02}" for n in range(56)))]
    for year in (1899, 1900, 2019, 2020, 2026, 2199, 2200):
        for text in (str(year), *(f"{year}{part}" for part in parts)):
            try:
                tally.period(text)
                assert pattern.fullmatch(text), text
            except ValueError:
                strange = text.endswith(("-02-29", "-W53"))
                assert strange or not pattern.fullmatch(text), text


# --- over HTTP -------------------------------------------------------------------------------------------------------


async def got(url, language="vi", tag=None):
    headers = {"Accept-Language": language, **({"If-None-Match": tag} if tag else {})}
    async with (
        aiohttp.ClientSession(url) as session,
        session.get("/openapi.json", headers=headers) as response,
    ):
        return response.status, response.headers, await response.read()


async def test_anybody_may_read_it_in_both_languages(shared_server):
    seen = {}
    for language in texts.LANGUAGES:
        status, headers, raw = await got(shared_server.url, language)
        assert (status, headers["Content-Language"]) == (200, language)
        assert "Accept-Language" in headers["Vary"]
        assert json.loads(raw) == json.loads(openapi.description(language).raw)
        seen[headers["ETag"]] = language
    assert len(seen) == 2
    for tag, language in seen.items():
        status, headers, raw = await got(shared_server.url, language, tag)
        assert (status, headers["ETag"], raw) == (304, tag, b"")
    strange = next(tag for tag, language in seen.items() if language == "en")
    assert (await got(shared_server.url, "vi", strange))[0] == 200


class Reader:
    """Asks, and holds every answer against the description: its status, its headers, its body to the last member."""

    def __init__(self, url, document):
        self.url = url
        self.document = closed(document)
        self.seen = set()

    def operation(self, method, path):
        for template, methods in self.document["paths"].items():
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
            if re.fullmatch(pattern, path.partition("?")[0]) and method.lower() in methods:
                return methods[method.lower()]
        raise AssertionError(f"{method} {path} is not described")

    async def __call__(self, method, path, key=None, **given):
        operation = self.operation(method, path)
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **given.pop("headers", {})}
        async with (
            aiohttp.ClientSession(self.url) as session,
            session.request(method, path, headers=headers, **given) as response,
        ):
            raw = await response.read()
        answer = operation["responses"].get(str(response.status))
        assert answer, (method, path, response.status, raw)
        self.seen.add((operation["operationId"], response.status))
        return self.checked(answer, response, raw)

    def checked(self, answer, response, raw):
        assert [name for name in answer["headers"] if name not in response.headers] == []
        content = answer.get("content")
        if content is None:
            assert raw == b""
            return None
        media = response.content_type
        assert media in content
        if not media.endswith("json"):
            return raw
        body = json.loads(raw)
        schema = {**content[media]["schema"], "components": self.document["components"]}
        jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(body)
        return body


def closed(document):
    """The description, but for objects that hold members nobody told of."""
    document = copy.deepcopy(document)
    for _, schema in list(within(document["components"]["schemas"])):
        if "object" in schema.get("type", ()) and isinstance(schema.get("properties"), dict):
            schema.setdefault("additionalProperties", False)
    return document


def composed(number, *, form=False):
    """A body for messages:compose with every fact that is described but those of other operations."""
    facts = {
        "kind": "letter", "repaired": False, "findings": [], "operation_name": "", "priority_name": "",
        "steering_name": "", "type": "", "sender": {"code": "H13.01", "name": "Sở A"},
        "recipients": ["H13.02", {"code": "H13.31", "purpose": "inform"}], "number": str(number), "notation": "CV-GHEP",
        "issued_on": "2026-11-21", "issued_on_text": "", "place": "Cần Thơ", "subject": "V/v thử", "priority": 1,
        "signer": {"name": "Nguyễn Văn A", "position": None}, "due_on": "2026-12-01", "copies": 0, "pages": 2,
        "response_for": [{"code": "H13.02", "reference": "7/CV", "issued_on": "2026-11-01", "document_id": "x"}],
        "appendixes": ["a"], "to_places": [], "traces": [{"code": "H13.01", "at_text": ""}], "steering": 0, "paper": 0,
        "operation": "new", "staff": {"department": "Văn phòng"}, "typist": None,
    }  # fmt: skip
    if not form:
        data = base64.b64encode(b"a,b").decode()
        return {"json": {**facts, "files": [{"name": "b.csv", "content_type": "text/csv", "data": data}]}}
    with aiohttp.MultipartWriter("form-data") as writer:
        writer.append_json(facts).set_content_disposition("form-data", name="facts")
        writer.append(b"a,b").set_content_disposition("form-data", name="file", filename="b.csv")
    return {"data": writer}


async def test_every_success_is_as_described(shared_server):
    key = shared_server.province.key_of("H13.01")
    ask = Reader(shared_server.url, json.loads(openapi.description("vi").raw))
    raw = shared_server.province.letter(1, recipients=["H13.02"])
    odd = quick_letter(2, recipients=["H13.02", "H99"])
    sent = (await ask("POST", "/v1/messages", key, data=raw))["receipt"]
    again = (await ask("POST", "/v1/messages?test=0", key, data=raw))["receipt"]
    assert again == sent
    await ask("POST", "/v1/messages", key, data=odd)
    there = f"/v1/messages/{sent['letter']}"
    for what in ("", "/header", "/verdicts", "/trace", "/receipt"):
        await ask("GET", there + what, key)
    await ask("GET", there, key, headers={"If-None-Match": f'"{sent["sha256"]}"'})
    assert await ask("GET", there, key, headers={"Range": "bytes=1-9"}) == raw[1:10]
    digest = hashlib.sha256(raw).hexdigest()
    for first, last in ((0, 1_000), (1_000, len(raw))):
        offsets = {"Upload-Offset": str(first), "Upload-Length": str(len(raw))}
        await ask("PATCH", f"/v1/uploads/{digest}", key, data=raw[first:last], headers=offsets)
        await ask("GET", f"/v1/uploads/{digest}", key)
    assert (await ask("POST", f"/v1/messages?upload={digest}", key))["receipt"] == sent
    (item,) = [
        one
        for one in (await ask("GET", "/v1/inbox?for=H13.02", key))["items"]
        if one["letter"] == sent["letter"]
    ]
    await ask("POST", "/v1/inbox/ack", key, json={"ids": [item["id"], "x"], "for": "H13.02"})
    said = {"code": "02", "reason": "Sai", "at": "2026-11-21T08:00:00+07:00", "staff": {"name": "Thử"}}
    for _ in range(2):
        notice = await ask("POST", f"/v1/deliveries/{item['id']}/status", key, json=said)
    await ask("GET", f"/v1/messages/{notice['receipt']['letter']}/header", key)
    await ask("GET", f"{there}/trace", key)
    await ask("GET", f"{there}/trace?why=1", key)
    day = f"{paper_class.local_day(datetime.now(UTC))}"
    for on in (day, None):
        await ask(
            "POST", f"/v1/deliveries/{item['id']}/paper", key, json={"on": on, "note": "vì", "by": "Thử"}
        )
    await ask(
        "POST",
        f"{there}/paper",
        key,
        json={"paper": 1, "reason": "listed", "note": "vì", "to": ["H13.02", "x"]},
    )
    await ask("GET", f"{there}/trace?why=1", key)
    for undo in (False, True):
        months = {"for": "H13.02", "month": "2026-01", "undo": undo, "note": "vì"}
        await ask("POST", "/v1/attestations", key, json=months)
    for number in (1, 1, 2, 2):
        await ask("POST", "/v1/messages:compose?copy=true_copy", key, **composed(number, form=number == 2))
    (office,) = (await ask("GET", "/v1/agencies?q=h13.01 van phong&code=H13.01&limit=1", key))["items"]
    assert office["code"] == "H13.01"
    page = await ask("GET", "/v1/agencies?after=H13.01&limit=2", key)
    await ask("GET", f"/v1/agencies?after={page['next']}&limit=1000", key)
    await ask("GET", "/v1/agencies", key, headers={"If-None-Match": "*"})
    period = f"period={datetime.now(UTC).year}"
    for more in ("", "&agency=H13.01&view=in&scope=same_root"):
        await ask("GET", f"/v1/tally?{period}{more}", key)
    page = await ask("GET", f"/v1/signatures?{period}&agency=H13.01&limit=1", key)
    page = await ask("GET", f"/v1/signatures?{period}&agency=H13.01&after={page['next']}", key)
    assert page["items"][0]["letter"] == sent["letter"]
    for more in ("", "&agency=H13.01&view=in&scope=same_root&level=2&kind=department&type=x&urgency=0"):
        await ask("GET", f"/v1/measures?{period}{more}", key)
    for name in described_figures.REPORTS:
        await ask("GET", f"/v1/reports/{name}?{period}", key)
    for form, start in {"csv": b"\xef\xbb\xbf", "xlsx": b"PK", "docx": b"PK"}.items():
        assert (await ask("GET", f"/v1/reports/BC-02?{period}&format={form}", key)).startswith(start)
    page = await ask("GET", f"/v1/transfers?{period}&limit=1", key)
    await ask("GET", f"/v1/transfers?{period}&after={page['next'] or ''}", key)
    await ask("GET", f"/v1/transfers/{sent['letter']}/H13.02/evidence", key)
    for form in ("json", "csv"):
        await ask("GET", f"/open/tally.{form}")
        await ask("GET", f"/open/tally.{form}", headers={"If-None-Match": "*"})
    described_ = await ask("GET", "/openapi.json")
    assert described_["info"]["version"]
    _, headers, _ = await got(shared_server.url)
    await ask("GET", "/openapi.json", headers={"If-None-Match": headers["ETag"]})
    await ask("GET", "/healthz")
    await ask("GET", "/v1/receipt-key")
    await ask("GET", "/readyz")
    await ask("GET", "/metrics")
    successes = {
        (one.name, status) for one in described.TABLE.values() for status in one.answers if status < 400
    }
    assert ask.seen == successes


REFUSED = [
    ("POST", "/v1/messages", {"data": b"x"}, 422, "not_xml"),
    ("POST", "/v1/messages?state_secret=1", {"data": b"x"}, 422, "state_secret"),
    ("POST", "/v1/messages?copy=photo", {"data": b"x"}, 400, "bad_request"),
    ("POST", "/v1/messages", {"data": quick_letter(9, sender="H13.31")}, 403, "not_allowed_to_act"),
    ("POST", "/v1/messages", {"data": quick_letter(9).replace(b"Subject", b"Object")}, 422, "findings"),
    ("GET", f"/v1/messages/{'0' * 8}-0000-7000-8000-{'0' * 12}", {}, 404, "not_found"),
    ("GET", "/v1/inbox?limit=0", {}, 400, "bad_request"),
    ("GET", "/v1/inbox?for=H13.31", {}, 403, "not_allowed_to_act"),
    ("POST", "/v1/inbox/ack", {"json": {}}, 400, "bad_request"),
    ("POST", "/v1/messages:compose", {"json": {}}, 422, "findings"),
    ("POST", "/v1/messages:compose", {"data": b"x"}, 415, "unsupported_media_type"),
    ("POST", "/v1/messages:compose?purpose=H13.02:act", {"json": {}}, 400, "bad_request"),
    ("GET", "/v1/agencies?limit=1001", {}, 400, "bad_request"),
    ("GET", "/v1/tally", {}, 400, "bad_request"),
    ("GET", "/v1/tally?period=2026&agency=H13.31", {}, 404, "not_found"),
    ("GET", "/v1/tally?period=2026&view=", {}, 400, "bad_request"),
    ("GET", "/v1/signatures?period=2026&after=x", {}, 400, "bad_request"),
    ("POST", "/v1/deliveries/x/status", {"json": {"code": "03"}}, 404, "not_found"),
    (
        "POST",
        "/v1/deliveries/x/status",
        {"data": b"{}", "headers": {"Content-Type": "text/plain"}},
        415,
        "unsupported_media_type",
    ),
    ("POST", "/v1/inbox/ack?for=H13.01", {"json": {"ids": []}}, 400, "bad_request"),
    ("GET", "/v1/inbox?for=H13.01&for=H13.02", {}, 400, "bad_request"),
    ("GET", f"/v1/uploads/{'0' * 64}", {}, 404, "not_found"),
    ("PATCH", f"/v1/uploads/{'0' * 64}", {"data": b"x"}, 400, "bad_request"),
    (
        "PATCH",
        f"/v1/uploads/{'0' * 64}",
        {"data": b"x", "headers": {"Upload-Offset": "1", "Upload-Length": "2"}},
        409,
        "wrong_offset",
    ),
    ("POST", f"/v1/messages?upload={'1' * 64}", {}, 404, "not_found"),
]


@pytest.mark.parametrize(
    "method, path, given, status, code", REFUSED, ids=[f"{one[0]} {one[1]} {one[4]}" for one in REFUSED]
)
async def test_refusals_are_as_described(shared_server, method, path, given, status, code):
    ask = Reader(shared_server.url, json.loads(openapi.description("vi").raw))
    for key in (shared_server.province.key_of("H13.01"), None):
        body = await ask(method, path, key, **given)
        assert (body["status"], body["code"]) == ((status, code) if key else (401, "unauthenticated"))


CALLED = [(method, path) for (method, path), one in described.TABLE.items() if not one.open]


@pytest.mark.parametrize("method, path", CALLED, ids=[f"{method} {path}" for method, path in CALLED])
async def test_a_query_parameter_is_taken_where_it_is_described_and_nowhere_else(shared_server, method, path):
    key = shared_server.province.key_of("H13.01")
    ask = Reader(shared_server.url, json.loads(openapi.description("vi").raw))
    one = re.sub(r"\{[^}]+\}", "0" * 64, path)
    mine = {one.name for one in described.TABLE[method, path].parameters if one.place == "query"}
    every = {one.name for row in described.TABLE.values() for one in row.parameters if one.place == "query"}
    for names in ({*every, "x-y"}, {"x-y"}):
        query = "&".join(f"{name}=" for name in sorted(names))
        body = await ask(method, f"{one}?{query}", key)
        assert (body["code"], body["detail"]) == (
            "bad_request", ", ".join(f"?{name}" for name in sorted(names - mine))
        )  # fmt: skip


# --- the walk --------------------------------------------------------------------------------------------------------


async def ground(server):
    """Some letters with deliveries, so that ids are those of something."""
    async with server.client("H13.01") as client:
        sent = [await client.send(server.province.letter(900))]
        sent += [await client.send(quick_letter(901 + n, recipients=["H13.02", "H13.03"])) for n in range(6)]
        inbox = (await client.inbox()).body["items"]
    pieces = {hashlib.sha256(raw).hexdigest(): raw for raw in (quick_letter(910 + n) for n in range(6))}
    whole = list(pieces)[:2]
    ask = Reader(server.url, json.loads(openapi.description("vi").raw))
    for digest in whole:
        offsets = {"Upload-Offset": "0", "Upload-Length": str(len(pieces[digest]))}
        key = server.province.key_of("H13.01")
        await ask("PATCH", f"/v1/uploads/{digest}", key, data=pieces[digest], headers=offsets)
    return api_walk.Ground(
        url=server.url,
        key=server.province.key_of("H13.01"),
        letters=[one.body["receipt"]["letter"] for one in sent],
        deliveries=[one["id"] for one in inbox],
        agencies=["H13.01", "H13.02", "H13.03"],
        number=1_000,
        pieces=pieces,
        whole=whole,
    )


def expect_nothing_unexpected(server, walked):
    """No failed check, every operation reached beyond its door, and the exchange sound after it."""
    assert walked.failures == [], f"CONGVAN_WALK_SEED={SEED}\n" + "\n\n".join(walked.failures[:10])
    for (method, path), operation in described.TABLE.items():
        seen = walked.statuses(f"{method} {path}")
        assert seen & {200, 201, 206}, (method, path)
        assert operation.open or 401 in seen, (method, path)
        assert "{" not in path or 404 in seen, (method, path)
        assert method == "GET" or 400 in seen, (method, path)
    log = server.log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in log
    assert '"event": "internal"' not in log
    checked = server.congvan("check")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.timeout(600)
async def test_the_api_is_walked_by_its_description(shared_server):
    place = await ground(shared_server)
    _, _, raw = await got(shared_server.url)
    walked = api_walk.walk(place, json.loads(raw), seed=SEED, examples=8, steps=4)
    expect_nothing_unexpected(shared_server, walked)
    assert walked.requests > 500


@pytest.mark.long
@pytest.mark.timeout(3_600)
async def test_the_api_is_walked_for_long(server):
    place = await ground(server)
    _, _, raw = await got(server.url)
    walked = api_walk.walk(place, json.loads(raw), seed=SEED, examples=700)
    print(f"{walked.requests} requests, seed {SEED}: {dict(walked.statuses_of_all())}")
    expect_nothing_unexpected(server, walked)
    assert walked.requests >= 10_000
