"""Who may do what: every route x every kind of caller, in one table, generated from the routes themselves.

`GRID` is the whole statement; a route of `exchange.api.routes` without a row in it fails. What a caller may not see is
answered byte for byte like what does not exist, however the question is put and whoever asked before; a refusal leaves
one line in the journal, under the agency that answers for the caller, and moves nothing.
"""

import asyncio
import base64
import contextlib
import dataclasses
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

import aiohttp
import pytest
from province import OLD, fetch, quick_letter

from exchange import config, ids
from exchange.api import routes
from exchange.broker import answer as answers
from exchange.broker import caller as callers
from exchange.broker import declared, deliver, send, trace
from exchange.broker import directory as cases
from exchange.broker import exchange as parts
from exchange.edxml import model, write
from exchange.errors import Problem
from exchange.rules.directory import Directory
from exchange.rules.paper_class import local_day
from exchange.store import pool as pools

WORKERS = 1
"""One process answers everybody, so whoever asks second meets what was kept for the first."""

SENDER, RECIPIENT, SECOND, OFF = "H13.01", "H13.31", "H13.32", "H13.38"
AT = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
SUBJECT = "V/v ai được xem"
HALF = 100
CERTIFICATE = b"a certificate that the sender's system registered"
NUMBERS = count(1)
NEW = ids.Ids(lambda: datetime.now(UTC))

# --- the table -------------------------------------------------------------------------------------------------------

LEGEND = {
    "+": "done, or shown",
    "-": "an answer like any other, in which the thing asked for does not occur",
    ".": "404, byte for byte that of a thing that does not exist",
    "a": "403 not_allowed_to_act",
    "d": "403 disabled",
    "k": "401 unauthenticated",
    "c": "409 conflict",
    "w": "409 wrong_offset, as for an upload of one's own that has just begun",
}

GRID = """
                                                                  sender recipient second of_sender of_recipient of_both hub stranger ended later half_off
GET   /v1/messages/{letter}                                       +      +         +      +         +            +       .   .        .     .     .
GET   /v1/messages/{letter}                        letter-tag     +      +         +      +         +            +       .   .        .     .     .
GET   /v1/messages/{letter}                        in-part        +      +         +      +         +            +       .   .        .     .     .
HEAD  /v1/messages/{letter}                                       +      +         +      +         +            +       .   .        .     .     .
GET   /v1/messages/{letter}/header                                +      +         +      +         +            +       .   .        .     .     .
GET   /v1/messages/{letter}/verdicts                              +      +         +      +         +            +       .   .        .     .     .
GET   /v1/messages/{letter}/trace                                 +      +         +      +         +            +       .   .        .     .     .
GET   /v1/messages/{letter}/receipt                               +      +         +      +         +            +       .   .        .     .     .
GET   /v1/messages/{notice}                                       +      .         +      +         .            +       .   .        .     .     .
GET   /v1/messages/{notice}                        notice-tag     +      .         +      +         .            +       .   .        .     .     .
GET   /v1/messages/{notice}/header                                +      .         +      +         .            +       .   .        .     .     .
GET   /v1/messages/{notice}/verdicts                              +      .         +      +         .            +       .   .        .     .     .
GET   /v1/messages/{notice}/trace                                 +      .         +      +         .            +       .   .        .     .     .
GET   /v1/messages/{notice}/receipt                               +      .         +      +         .            +       .   .        .     .     .
GET   /v1/messages/{early}                                        +      +         .      +         +            +       .   .        .     .     .
GET   /v1/messages/{early}/trace                                  +      +         .      +         +            +       .   .        .     .     .
GET   /v1/messages/{nothing}                                      .      .         .      .         .            .       .   .        .     .     .
GET   /v1/messages/{delivery}                                     .      .         .      .         .            .       .   .        .     .     .
POST  /v1/messages                                 same-bytes     +      a         a      +         a            +       a   a        a     a     a
POST  /v1/messages                                 same-key       +      a         a      +         a            +       a   a        a     a     a
POST  /v1/messages                                 other-bytes    c      a         a      c         a            c       a   a        a     a     a
POST  /v1/messages                                 another-letter +      a         a      +         a            +       a   a        a     a     a
POST  /v1/messages                                 of-the-off     a      a         a      a         a            a       a   a        a     a     d
POST  /v1/messages                                 same-notice    .      .         +      .         .            .       .   .        .     .     .
POST  /v1/messages                                 another-notice .      +         .      .         +            +       .   .        .     .     .
POST  /v1/messages                                 take-back      +      .         .      +         .            +       .   .        .     .     .
GET   /v1/inbox                                    for-delivery   -      +         -      -         +            +       -   -        -     -     -
GET   /v1/inbox                                    for-notice     +      -         -      +         -            +       -   -        -     -     -
GET   /v1/inbox?for={agency}                       for-delivery   a      +         a      a         +            +       a   a        a     a     a
GET   /v1/inbox?for={off}                                         a      a         a      a         a            a       a   a        a     a     d
POST  /v1/inbox/ack                                of-delivery    -      +         -      -         +            +       -   -        -     -     -
POST  /v1/inbox/ack                                of-notice      +      -         -      +         -            +       -   -        -     -     -
POST  /v1/inbox/ack                                of-early       -      -         -      -         -            -       -   -        -     -     -
POST  /v1/inbox/ack                                for-agency     a      +         a      a         +            +       a   a        a     a     a
POST  /v1/inbox/ack                                for-off        a      a         a      a         a            a       a   a        a     a     d
POST  /v1/deliveries/{delivery}/status             03             .      +         .      .         +            +       .   .        .     .     .
POST  /v1/deliveries/{delivery}/status             13             +      .         .      +         .            +       .   .        .     .     .
POST  /v1/deliveries/{other}/status                03             .      .         +      .         .            .       .   .        .     .     .
POST  /v1/deliveries/{other}/status                13             +      .         .      +         .            +       .   .        .     .     .
POST  /v1/deliveries/{told}/status                 03             .      .         .      .         .            .       .   .        .     .     .
POST  /v1/deliveries/{early_off}/status            03             .      .         .      .         .            .       .   .        .     .     .
POST  /v1/deliveries/{letter}/status               03             .      .         .      .         .            .       .   .        .     .     .
GET   /v1/uploads/{half}                                          +      .         .      .         .            .       .   .        .     .     .
GET   /v1/uploads/{nothing}                                       .      .         .      .         .            .       .   .        .     .     .
PATCH /v1/uploads/{half}                           go-on          +      w         w      w         w            w       w   w        w     w     w
PATCH /v1/uploads/{half}                           from-start     w      +         +      +         +            +       +   +        +     +     +
POST  /v1/messages?upload={whole}                                 +      .         .      .         .            .       .   .        .     .     .
POST  /v1/messages?upload={half}                                  w      .         .      .         .            .       .   .        .     .     .
POST  /v1/messages:compose                         of-the-sender  +      a         a      +         a            +       a   a        a     a     a
GET   /v1/agencies                                                +      +         +      +         +            +       +   +        +     +     +
GET   /v1/tally?period={period}                    of-agency      -      +         -      -         +            +       -   -        -     -     -
GET   /v1/tally?period={period}&agency={agency}                   .      +         .      .         +            +       .   .        .     .     .
GET   /v1/tally?period={period}&agency={off}                      .      .         .      .         .            .       .   .        .     .     d
GET   /v1/signatures?period={period}&view=out      of-the-letter  +      -         -      +         -            +       -   -        -     -     -
GET   /v1/signatures?period={period}&view=in       of-the-letter  -      +         -      -         +            +       -   -        -     -     -
GET   /v1/signatures?period={period}&agency={agency}                .      +         .      .         +            +       .   .        .     .     .
GET   /v1/signatures?period={period}&agency={off}                 .      .         .      .         .            .       .   .        .     .     d
POST  /v1/deliveries/{delivery}/paper seen . + . . + + . . . . .
POST  /v1/deliveries/{other}/paper seen . . + . . . . . . . .
POST  /v1/deliveries/{early_off}/paper seen . . . . . . . . . . .
POST  /v1/messages/{letter}/paper said + . . + . + . . . . .
POST  /v1/attestations attests a + a a + + a a a a a
POST  /v1/attestations attests-off a a a a a a a a a a d
GET   /v1/measures?period={period}&agency={agency}  . + . . + + . . . . .
GET   /v1/measures?period={period}&agency={off}  . . . . . . . . . . d
GET   /v1/reports/BC-02?period={period}&agency={agency}  . + . . + + . . . . .
GET   /v1/reports/BC-02?period={period}&agency={off}  . . . . . . . . . . d
GET   /v1/reports/BC-02?period={period}&agency={agency}&format=xlsx  . + . . + + . . . . .
GET   /v1/reports/BC-15?period={period}&agency={agency}  . + . . + + . . . . .
GET   /v1/reports/BC-15?period={period}&agency={off}&format=docx  . . . . . . . . . . d
GET   /v1/transfers?period={period}&agency={agency}  . + . . + + . . . . .
GET   /v1/transfers?period={period}&agency={off}  . . . . . . . . . . d
GET   /v1/transfers/{letter}/{agency}/evidence  + + . + + + . . . . .
GET   /v1/receipt-key                                             +      +         +      +         +            +       +   +        +     +     +
GET   /openapi.json                                               +      +         +      +         +            +       +   +        +     +     +
GET   /metrics                                                    +      +         +      +         +            +       +   +        +     +     +
GET   /healthz                                                    +      +         +      +         +            +       +   +        +     +     +
GET   /readyz                                                     +      +         +      +         +            +       +   +        +     +     +
"""
"""Route, how it is asked (`KINDS`), and what each caller who got in is answered (`LEGEND`)."""

CALLERS = {
    "sender": [SENDER],
    "recipient": [RECIPIENT],
    "second": [SECOND],
    "of_sender": ["H13.02", SENDER],
    "of_recipient": ["H13.33", RECIPIENT],
    "of_both": ["H13.03", SENDER, RECIPIENT],
    "hub": [f"H13.{number:02}" for number in range(4, 23)],
    "stranger": ["H13.14.51"],
    "ended": [SENDER, RECIPIENT],
    "later": [SENDER, RECIPIENT],
    "half_off": [OFF, "H13.37"],
}
"""Systems and the agencies they act for; `ended` and `later` did and will, `half_off` acts for one switched off too."""

DOOR = {
    "nobody": "k",
    "no_bearer": "k",
    "cookie": "k",
    "told_certificate": "k",
    "wrong_secret": "k",
    "no_such_key": "k",
    "expired": "k",
    "not_yet": "k",
    "rotated": "k",
    "system_off": "d",
    "system_off_wrong_secret": "k",
    "agency_off": "d",
}
"""Who does not get in, and what they are answered on every route; each acts for the sender and the recipient.
`told_certificate` brings the sender's certificate in the header of a proxy that it is not; `agency_off` acts for a recipient that was switched off, and for nobody else."""

OPEN = {"/v1/receipt-key", "/healthz", "/readyz", "/metrics", "/openapi.json"}
"""Routes that ask nobody for a key; /metrics only from addresses in CONGVAN_METRICS_FROM."""

AWAITED: set[str] = set()
"""Routes with rows above that are not built yet; once they are, their names leave this set."""


# --- what is asked about ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Things:
    """One letter from SENDER to RECIPIENT and SECOND, with SECOND's notice about it; or the same, that never was.

    `early` is a signed letter to RECIPIENT and OFF from the time before OFF was switched off; `half` and `whole` are SENDER's
    uploads, the one with its first bytes there, the other with all.
    """

    letter: str
    notice: str
    early: str
    delivery: str
    other: str
    told: str
    early_off: str
    nothing: str
    agency: str
    off: str
    half: str
    whole: str
    document_id: str
    period: str = str(datetime.now(UTC).year)
    raw: bytes = field(repr=False)
    large: bytes = field(repr=False)
    notice_raw: bytes = field(repr=False)

    @property
    def texts(self):
        """Every text of it, by name."""
        return {name: one for name, one in dataclasses.asdict(self).items() if isinstance(one, str) and one}


def notice(document_id, code, *, sender, to, at=AT):
    about = model.ResponseFor(code=to, document_id=document_id)
    said = model.Notice(
        sender=model.Party(code=sender), response_for=about, status=code, description="Kiểm tra quyền", at=at
    )
    return write.write(said)


def never():
    """Things like any others, of which nothing was ever sent."""
    names = ("letter", "notice", "early", "delivery", "other", "told", "early_off", "nothing")
    number = next(NUMBERS)
    document_id = f"{SENDER},2026/11/21,{number}/CV"
    return Things(
        **{name: f"01900000-0000-7000-8000-{place:012}" for place, name in enumerate(names, 1)},
        half=uuid4().hex * 2, whole=uuid4().hex * 2, large=quick_letter(number), agency="H99.91", off="H99.92",
        document_id=document_id,
        raw=quick_letter(number, recipients=(RECIPIENT, SECOND), subject=SUBJECT),
        notice_raw=notice(document_id, "03", sender=SECOND, to=SENDER, at=AT + timedelta(seconds=number)),
    )  # fmt: skip


# --- how it is asked -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """What goes with a request, and whether a good answer has the thing in it."""

    given: Callable[[Things], dict] = lambda _things: {}
    shows: Callable[[dict, Things], bool] = lambda _body, _things: True


def tagged(name):
    return Kind(
        lambda things: {
            "headers": {"If-None-Match": f'"{hashlib.sha256(getattr(things, name)).hexdigest()}"'}
        }
    )


def posted(make, **headers):
    return Kind(lambda things: {"data": make(things), "headers": headers})


def status(code):
    return Kind(lambda _things: {"json": {"code": code, "reason": "Kiểm tra quyền", "at": AT.isoformat()}})


def listed(name):
    return Kind(shows=lambda body, things: getattr(things, name) in [one["id"] for one in body["items"]])


def acknowledged(name, agency=None):
    def given(things):
        named = {"for": getattr(things, agency)} if agency else {}
        return {"json": {"ids": [getattr(things, name)], **named}}

    return Kind(given, lambda body, things: getattr(things, name) not in body["unknown"])


def piece(start, end):
    def given(things):
        headers = {"Upload-Offset": str(start), "Upload-Length": str(len(things.large))}
        return {"data": things.large[start:end], "headers": headers}

    return Kind(given)


def composed(_things):
    facts = {"number": str(next(NUMBERS)), "notation": "CV", "issued_on": "2026-11-21", "subject": SUBJECT}
    return {"json": {"sender": SENDER, "recipients": [SECOND], **facts}}


def counts(body, things):
    """Whether a tally is of the agency, or, being of nobody, counts something all the same."""
    return things.agency in body["agencies"] or (not body["agencies"] and any(body["classes"].values()))


KINDS = {
    "": Kind(),
    "go-on": piece(HALF, None),
    "from-start": piece(0, 1),
    "of-the-sender": Kind(composed),
    "of-agency": Kind(shows=counts),
    "of-the-letter": Kind(shows=lambda body, things: things.early in json.dumps(body)),
    "letter-tag": tagged("raw"),
    "notice-tag": tagged("notice_raw"),
    "in-part": Kind(lambda _things: {"headers": {"Range": "bytes=0-9"}}),
    "same-bytes": posted(lambda things: things.raw),
    "same-key": posted(lambda things: things.raw, **{"Idempotency-Key": "one-operation"}),
    "other-bytes": posted(lambda things: things.raw.replace(SUBJECT.encode(), b"V/v khac")),
    "another-letter": posted(lambda _things: quick_letter(next(NUMBERS))),
    "of-the-off": posted(lambda _things: quick_letter(next(NUMBERS), sender=OFF)),
    "same-notice": posted(lambda things: things.notice_raw),
    "another-notice": posted(lambda things: notice(things.document_id, "03", sender=RECIPIENT, to=SENDER)),
    "take-back": posted(lambda things: notice(things.document_id, "13", sender=SENDER, to=RECIPIENT)),
    "for-delivery": listed("delivery"),
    "for-notice": listed("told"),
    "of-delivery": acknowledged("delivery"),
    "of-notice": acknowledged("told"),
    "of-early": acknowledged("early_off"),
    "for-agency": acknowledged("delivery", "agency"),
    "for-off": acknowledged("early_off", "off"),
    "seen": Kind(
        lambda _things: {"json": {"on": f"{local_day(datetime.now(UTC))}", "note": "Kiểm tra quyền"}}
    ),
    "said": Kind(lambda _things: {"json": {"paper": 0, "note": "Kiểm tra quyền"}}),
    "attests": Kind(lambda things: {"json": {"for": things.agency, "month": "2020-01"}}),
    "attests-off": Kind(lambda things: {"json": {"for": things.off, "month": "2020-01"}}),
    "03": status("03"),
    "13": status("13"),
}
"""How a row asks, by the word behind its route."""


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    method: str
    path: str
    kind: str
    cells: dict[str, str]

    def __str__(self):
        return " ".join(filter(None, (self.method, self.path, self.kind)))

    @property
    def names(self):
        """The things that stand in its path."""
        return set(re.findall(r"\{(\w+)\}", self.path))

    def is_of(self, route):
        """Whether this row asks that route; HEAD comes with every GET."""
        method = "GET" if self.method == "HEAD" else self.method
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route.path))
        return method == route.method and bool(re.fullmatch(pattern, self.path.partition("?")[0]))

    def expected(self, name):
        """What that caller is answered."""
        return self.cells[name] if name in self.cells else "+" if self.path in OPEN else DOOR[name]


def table():
    names, *lines = GRID.strip("\n").splitlines()
    assert names.split() == list(CALLERS)
    for line in lines:
        method, path, *words = line.split()
        kind, cells = words[: -len(CALLERS)], words[-len(CALLERS) :]
        yield Row(method, path, "".join(kind), dict(zip(CALLERS, cells, strict=True)))


ROWS = tuple(table())


@dataclass(frozen=True)
class Answered:
    """An answer as it went over the wire."""

    status: int
    headers: dict
    raw: bytes

    @property
    def body(self):
        return json.loads(self.raw) if self.raw[:1] == b"{" else {}

    def means(self, kind, things):
        """The sign of `LEGEND` for it, or the status and code that no sign is for."""
        if self.status < 400:
            return "+" if kind.shows(self.body, things) else "-"
        told = f"{self.status} {self.body.get('code', '')}".strip()
        return SIGNS.get(told, told)

    def without(self, things):
        """The answer without what differs between any two requests, and names of things where their ids stand."""
        text = re.sub(r'"request_id": "[^"]+"', "", self.raw.decode())
        for name, one in things.texts.items():
            text = text.replace(one, name)
        headers = {
            name: one for name, one in self.headers.items() if name.lower() not in {"date", "x-request-id"}
        }
        return self.status, headers, text


SIGNS = {
    "401 unauthenticated": "k", "401": "k", "403 not_allowed_to_act": "a", "403 disabled": "d", "403": "d",
    "404 not_found": ".", "404": ".", "409 conflict": "c",
    "409 wrong_offset": "w",
}  # fmt: skip
"""HEAD has no body, hence no code."""

CODES = {".": "not_found", "a": "not_allowed_to_act", "d": "disabled", "c": "conflict", "w": "wrong_offset"}


# --- the world -------------------------------------------------------------------------------------------------------

TABLES = (
    "letter",
    "verdict",
    "delivery",
    "payload",
    "evidence",
    "agency",
    "system_key",
    "acts_for",
    "register_row",
)
"""What a refusal may not touch. Housekeeping moves `lease` and `tally_*` by itself."""


@dataclass
class World:
    """A server and its callers: the header each calls with, and the system behind it with the agency that answers for it."""

    server: object
    session: aiohttp.ClientSession | None = None
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    systems: dict[UUID, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    early: dict[str, str] = field(default_factory=dict)

    async def ask(self, name, method, path, **given):
        """One request of that caller, without a client's courtesies."""
        given["headers"] = {"Accept-Encoding": "identity", **given.get("headers", {}), **self.headers[name]}
        async with self.session.request(method, path, allow_redirects=False, **given) as response:
            return Answered(response.status, dict(response.headers), await response.read())

    async def asked(self, name, row, things):
        """What that row asks of these things, asked by that caller."""
        kind = KINDS[row.kind]
        return await self.ask(name, row.method, row.path.format(**things.texts), **kind.given(things))

    async def order(self, statement, *arguments):
        return await fetch(self.server.dsn, statement, *arguments)

    async def deliveries(self, letter):
        """Ids of a letter's deliveries by the recipient's code."""
        found = await self.order(
            """SELECT delivery.id::text, agency.code FROM delivery JOIN agency ON agency.id = recipient
                WHERE letter = $1::uuid""",
            UUID(letter),
        )
        return {row["code"]: row["id"] for row in found}

    async def things(self):
        """A new letter and a notice about it."""
        number = next(NUMBERS)
        raw = quick_letter(number, recipients=(RECIPIENT, SECOND), subject=SUBJECT)
        letter = receipt(await self.ask("sender", "POST", "/v1/messages", data=raw))
        notice_raw = notice(
            letter["document_id"], "03", sender=SECOND, to=SENDER, at=AT + timedelta(seconds=number)
        )
        told = receipt(await self.ask("second", "POST", "/v1/messages", data=notice_raw))
        out, back = await self.deliveries(letter["letter"]), await self.deliveries(told["letter"])
        return Things(
            letter=letter["letter"], notice=told["letter"], delivery=out[RECIPIENT], other=out[SECOND], told=back[SENDER],
            nothing=never().nothing, agency=RECIPIENT, off=OFF, document_id=letter["document_id"], raw=raw,
            notice_raw=notice_raw, large=b"", half="", whole="", **self.early,
        )  # fmt: skip

    async def with_uploads(self, things):
        """Things with two uploads of SENDER's; a system may have 32 of them."""
        large, whole = (quick_letter(next(NUMBERS), recipients=(RECIPIENT,)) for _ in range(2))
        half, whole = await self.uploaded(large, HALF), await self.uploaded(whole, None)
        return replace(things, large=large, half=half, whole=whole)

    async def uploaded(self, raw, end):
        """Name of an upload of SENDER's, of which so much is there."""
        name = hashlib.sha256(raw).hexdigest()
        headers = {"Upload-Offset": "0", "Upload-Length": str(len(raw))}
        answer = await self.ask("sender", "PATCH", f"/v1/uploads/{name}", data=raw[:end], headers=headers)
        assert answer.status == 200, answer
        return name

    async def state(self):
        """A digest of everything that a refusal may not touch."""
        digests = ", ".join(
            f"(SELECT md5(string_agg(one::text, ',' ORDER BY one::text)) FROM {name} AS one) AS {name}"
            for name in TABLES
        )
        return dict((await self.order(f"SELECT {digests}"))[0])

    async def lines(self):
        """Journal lines: by which caller, under which agency, saying what."""
        found = await self.order(
            """SELECT journal.system, agency.code AS owner, event, journal.code, coalesce(letter, delivery) AS claimed
                 FROM journal JOIN agency ON agency.id = journal.agency WHERE journal.event NOT LIKE 'system_%'"""
        )
        return Counter(
            (self.systems.get(row["system"]), row["owner"], row["event"], row["code"], row["claimed"])
            for row in found
        )


def receipt(answer):
    assert answer.status == 201, answer
    return answer.body["receipt"]


async def add(world, opened, name, agencies, changed_by=""):
    """One caller more; `changed_by` is a statement about its system."""
    made = await cases.add_system(opened, name=name, acts_for=agencies, new_ids=NEW, at=datetime.now(UTC))
    world.systems[made.system], world.owners[name] = name, agencies[0]
    world.headers[name] = {"Authorization": f"Bearer {made.secret}"}
    if changed_by:
        await opened.execute(changed_by, made.system)
    return made


CHANGES = {
    "ended": "UPDATE acts_for SET valid_from = current_date - 9, valid_to = current_date - 2 WHERE system = $1",
    "later": "UPDATE acts_for SET valid_from = current_date + 2 WHERE system = $1",
    "expired": "UPDATE system_key SET valid_to = now() - interval '1 second' WHERE system = $1",
    "not_yet": "UPDATE system_key SET valid_from = now() + interval '1 hour' WHERE system = $1",
    "system_off": "UPDATE system SET disabled_at = now() WHERE id = $1",
    "system_off_wrong_secret": "UPDATE system SET disabled_at = now() WHERE id = $1",
}


async def furnished(server):
    """The callers, and the early letter; then OFF is switched off."""
    world, opened = World(server), await pools.open(server.dsn, size=1)
    async with aiohttp.ClientSession(server.url) as world.session, contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(opened.close)
        for name, agencies in CALLERS.items():
            await add(world, opened, name, agencies, CHANGES.get(name, ""))
        for name in ("expired", "not_yet", "rotated", "system_off", "system_off_wrong_secret"):
            made = await add(world, opened, name, [SENDER, RECIPIENT], CHANGES.get(name, ""))
            if name == "rotated":
                await cases.rotate(
                    opened, made.system, new_ids=NEW, at=datetime.now(UTC), both_for=timedelta(0)
                )
        await add(world, opened, "agency_off", [OFF])
        await opened.execute(
            "INSERT INTO system_certificate (sha256, system, valid_from) VALUES ($1, $2, now())",
            hashlib.sha256(CERTIFICATE).digest(),
            next(system for system, name in world.systems.items() if name == "sender"),
        )
        bearer = world.headers["sender"]["Authorization"]
        world.headers |= {
            "nobody": {},
            "no_bearer": {"Authorization": bearer.replace("Bearer", "Basic")},
            "cookie": {"Cookie": f"Authorization={bearer}; key={bearer.partition(' ')[2]}"},
            "told_certificate": {"Client-Cert": f":{base64.b64encode(CERTIFICATE).decode()}:"},
            "wrong_secret": {"Authorization": bearer[:-2] + "xy"},
            "no_such_key": {"Authorization": bearer.replace("cv_", "cv_7")},
            "system_off_wrong_secret": {
                "Authorization": world.headers["system_off_wrong_secret"]["Authorization"][:-2] + "xy"
            },
        }
        early = server.province.letter(next(NUMBERS), sender=SENDER, recipients=(RECIPIENT, OFF))
        letter = receipt(await world.ask("sender", "POST", "/v1/messages", data=early))["letter"]
        world.early = {"early": letter, "early_off": (await world.deliveries(letter))[OFF]}
        await opened.execute("UPDATE agency SET disabled_at = now() WHERE code = $1", OFF)
        await opened.execute("UPDATE directory_version SET version = version + 1")
    await asyncio.sleep(2.2)  # the age that a snapshot of the directory may have
    return world


@pytest.fixture(scope="module")
def furniture(shared_server):
    return asyncio.run(furnished(shared_server))


@pytest.fixture
async def world(furniture):
    async with aiohttp.ClientSession(
        furniture.server.url, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
    ) as furniture.session:
        yield furniture


# --- the tests -------------------------------------------------------------------------------------------------------


PUBLIC = {"/open/tally.json", "/open/tally.csv"}
"""Routes that look at no caller, and hold what is published: tests/api/test_figures.py."""


def test_every_route_stands_in_the_table():
    missing = [
        f"{route.method} {route.path}"
        for route in routes.ROUTES
        if route.path not in PUBLIC and not any(row.is_of(route) for row in ROWS)
    ]
    assert missing == []


def test_every_row_is_of_a_route():
    built = {str(row) for row in ROWS if any(row.is_of(route) for route in routes.ROUTES)}
    assert {str(row) for row in ROWS} - built == {
        str(row) for row in ROWS if row.path.partition("?")[0] in AWAITED
    }
    assert all(set(row.cells.values()) <= LEGEND.keys() for row in ROWS)


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=str(row)) for row in ROWS if row.path.partition("?")[0] not in AWAITED]
)
async def test_who_may(world, row):
    """Whoever may, asks first; then all the others, each once about the thing and once about one that never was."""
    kind, things, twin = KINDS[row.kind], await world.things(), never()
    things = await world.with_uploads(things) if {"half", "whole"} & row.names else things
    names = sorted((*CALLERS, *DOOR), key=lambda name: row.expected(name) != "+")
    seen, unequal, expected_lines = {}, [], Counter()
    before = None
    for name in names:
        if row.expected(name) != "+" and before is None:
            before = await world.state(), await world.lines()
        answer = await world.asked(name, row, things)
        seen[name] = answer.means(kind, things)
        cell = row.expected(name)
        likened = (
            cell in ".ak" or (cell == "w" and name != "sender") or (cell == "-" and row.method == "POST")
        )
        if likened:
            pair = answer.without(things), (await world.asked(name, row, twin)).without(twin)
            unequal += [(name, *pair)] if pair[0] != pair[1] else []
        if row.method == "POST" and name in CALLERS and cell in CODES:
            expected_lines[name, world.owners[name], "refused", CODES[cell], None] += 1 + likened
    assert seen == {name: row.expected(name) for name in names}
    assert unequal == []
    if before is not None:
        assert await world.state() == before[0]
        assert await world.lines() - before[1] == expected_lines


OWN = {"recipient": [RECIPIENT], "of_recipient": [RECIPIENT], "second": [SECOND]}
ALL = {name: [RECIPIENT, SECOND] for name in ("sender", "of_sender", "of_both")}


@pytest.mark.parametrize("name", [*OWN, *ALL])
async def test_a_recipient_sees_its_own_delivery_only(world, name):
    things = await world.things()
    texts = {RECIPIENT: "Riêng một nơi", SECOND: "Riêng nơi khác"}
    deliveries = {RECIPIENT: things.delivery, SECOND: things.other}
    for asks, agency in (("recipient", RECIPIENT), ("second", SECOND)):
        said = {"code": "16", "reason": texts[agency]}
        answer = await world.ask(asks, "POST", f"/v1/deliveries/{deliveries[agency]}/status", json=said)
        assert answer.status == 201
        await world.ask(asks, "GET", f"/v1/messages/{things.letter}")
    seen = await world.ask(name, "GET", f"/v1/messages/{things.letter}/trace")
    expected = {**OWN, **ALL}[name]
    assert [one["recipient"] for one in seen.body["deliveries"]] == expected
    for one in seen.body["deliveries"]:
        assert {said["from"] for said in one["statuses"]} == {one["recipient"]}
        assert {event["by"] for event in one["events"]} == {SENDER, one["recipient"]}
    text = seen.raw.decode()
    for other in {RECIPIENT, SECOND} - set(expected):
        assert [
            word for word in (f'"{other}"', texts[other], deliveries[other], things.notice) if word in text
        ] == []


async def test_what_stands_beside_a_letter_tells_a_recipient_of_nobody_whom_the_letter_does_not_name(world):
    raw = quick_letter(next(NUMBERS), recipients=(RECIPIENT, OLD[SECOND], "H99.99"))
    path = f"/v1/messages/{receipt(await world.ask('sender', 'POST', '/v1/messages', data=raw))['letter']}"
    named = {
        code for code in (*OLD, "H99.99") if re.search(rf">({code}|{OLD.get(code, code)})<".encode(), raw)
    }
    assert named == {SENDER, RECIPIENT, SECOND, "H99.99"}
    for what in ("header", "verdicts", "receipt"):
        told = (await world.ask("recipient", "GET", f"{path}/{what}")).raw.decode()
        assert {code for code in OLD if f'"{code}"' in told} <= named
        assert [one for one in (await world.deliveries(path[13:])).values() if one in told] == []


ENDS = {
    "acts-for": (
        "UPDATE acts_for SET valid_from = current_date - 9, valid_to = current_date - 2 WHERE system = $1",
        200,
    ),
    "system": ("UPDATE system SET disabled_at = now() WHERE id = $1", 403),
    "key": ("UPDATE system_key SET valid_to = now() WHERE system = $1", 401),
    "agency": (
        "UPDATE agency SET disabled_at = now() WHERE id IN (SELECT agency FROM acts_for WHERE system = $1)",
        403,
    ),
}
"""What may end, and what an open question is answered when it has."""


async def test_an_end_holds_at_once_for_every_process(server):
    """What was kept for a caller while it might ask is of no use to it afterwards, nor is a question put before."""
    world, opened = (
        World(server, early={"early": never().early, "early_off": never().early_off}),
        await pools.open(server.dsn, size=1),
    )
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(opened.close)
        world.session = await stack.enter_async_context(aiohttp.ClientSession(server.url))
        for name, agency in (("sender", SENDER), ("second", SECOND)):
            await add(world, opened, name, [agency])
        for end, (statement, status) in ENDS.items():
            ends = await add(world, opened, end, [RECIPIENT])
            things = await world.things()
            rows = [row for row in ROWS if "{letter}" in row.path and row.cells["recipient"] == "+"] * 4
            assert {(await world.asked(end, row, things)).status for row in rows} <= {200, 206, 304}
            await world.ask(end, "POST", "/v1/inbox/ack", json={"ids": [things.delivery]})
            waiting = asyncio.create_task(world.ask(end, "GET", "/v1/inbox?wait=4"))
            await asyncio.sleep(0.5)  # it is waiting
            await opened.execute(statement, ends.system)
            later = quick_letter(next(NUMBERS), recipients=(RECIPIENT, SECOND))
            receipt(await world.ask("sender", "POST", "/v1/messages", data=later))
            answer = await waiting
            assert (end, answer.status, answer.body.get("items", [])) == (end, status, [])
            gone = 404 if status == 200 else status
            assert [(await world.asked(end, row, things)).status for row in rows] == [gone] * len(rows)
            drained = await fetch(server.dsn, "UPDATE delivery SET open = false WHERE open RETURNING id")
            assert drained


async def test_who_is_switched_off_while_its_letter_comes_does_not_get_it_in(world):
    opened = await pools.open(world.server.dsn, size=1)
    try:
        made = await add(world, opened, "slow", [SENDER])
        raw = quick_letter(next(NUMBERS))

        async def slowly():
            yield raw[:200]
            await asyncio.sleep(1.2)
            await opened.execute("UPDATE system SET disabled_at = now() WHERE id = $1", made.system)
            yield raw[200:]

        answer = await world.ask("slow", "POST", "/v1/messages", data=slowly())
    finally:
        await opened.close()
    assert answer.means(KINDS[""], None) == "d"
    sent = await fetch(world.server.dsn, "SELECT FROM letter WHERE sha256 = $1", hashlib.sha256(raw).digest())
    assert sent == []


async def test_nobody_between_us_may_keep_an_answer(world):
    """A client certificate is no Authorization header: a proxy's cache would take such answers for everybody's."""
    things = await world.with_uploads(await world.things())
    for row in ROWS:
        if row.path.partition("?")[0] not in AWAITED and row.path.partition("?")[0] not in OPEN:
            answer = await world.asked("of_both", row, things)
            assert answer.headers["Cache-Control"] in {"no-store", "private, no-cache"}, row


async def test_what_was_not_sent_was_not_fetched(world):
    things = await world.things()
    fetched = "SELECT fetched_at FROM delivery WHERE id = $1::uuid"
    for method, taken in (("HEAD", False), ("GET", True)):
        await world.ask("recipient", method, f"/v1/messages/{things.letter}")
        (row,) = await fetch(world.server.dsn, fetched, UUID(things.delivery))
        assert (row["fetched_at"] is not None) == taken


class Counting:
    """A pool that counts the statements sent through it."""

    def __init__(self, pool):
        self._pool, self.statements = pool, 0

    @contextlib.asynccontextmanager
    async def acquire(self):
        async with self._pool.acquire() as connection:
            yield Counted(connection, self)


class Counted:
    def __init__(self, connection, pool):
        self._connection, self._pool = connection, pool

    def __getattr__(self, name):
        if name in {"fetch", "fetchrow", "fetchval", "execute", "executemany"}:
            self._pool.statements += 1
        return getattr(self._connection, name)


SAID = answers.Status(code="03", at=AT)
QUESTIONS = (
    lambda exchange, calling, of: deliver.body(exchange, calling, UUID(of.letter)),
    lambda exchange, calling, of: trace.trace(exchange, calling, UUID(of.letter)),
    lambda exchange, calling, of: trace.judged(exchange, calling, UUID(of.letter)),
    lambda exchange, calling, of: answers.status(exchange, calling, UUID(of.delivery), SAID, b""),
    lambda exchange, calling, of: answers.status(exchange, calling, UUID(of.delivery), replace(SAID, code="13"), b""),
    lambda exchange, calling, of: send.send(exchange, of.raw, calling, declared.Declared()),
    lambda exchange, calling, of: send.send(exchange, of.notice_raw, calling, declared.Declared()),
)  # fmt: skip


async def statements(exchange, calling, things):
    """How many statements each question costs."""
    await exchange.snapshot.current()
    pools_ = [Counting(exchange.pool) for _ in QUESTIONS]
    for question, counting in zip(QUESTIONS, pools_, strict=True):
        await question(replace(exchange, pool=counting), calling, things)
    return [counting.statements for counting in pools_]


async def system_of(exchange, world, name):
    shown = callers.Credentials(key=world.headers[name]["Authorization"].partition(" ")[2], certificate=None)
    return await callers.authenticate(exchange.pool, shown, exchange.clock())


async def test_a_stranger_and_nothing_cost_the_same_statements(world):
    """So that the time of an answer tells no more than its bytes."""
    things, twin = await world.things(), never()
    async with parts.opened(config.read(world.server.environment), world.server.dsn) as exchange:
        for name in ("hub", "stranger", "ended", "half_off"):
            calling = await system_of(exchange, world, name)
            assert await statements(exchange, calling, things) == await statements(exchange, calling, twin)
        calling = await system_of(exchange, world, "of_both")
        costs = await statements(exchange, calling, things), await statements(exchange, calling, twin)
        assert costs[0] != costs[1]


async def test_an_agency_that_is_new_to_another_process_is_no_crash(world):
    """Its system is known at once, the directory some seconds later; until then the answer is: come again."""
    things = await world.things()
    async with parts.opened(config.read(world.server.environment), world.server.dsn) as exchange:
        calling = await system_of(exchange, world, "recipient")
        known = (await exchange.snapshot.current()).agencies
        exchange.snapshot._held = Directory(
            version=(await exchange.snapshot.current()).version,
            agencies={one: agency for one, agency in known.items() if agency.code != RECIPIENT},
        )
        with pytest.raises(Problem, match="busy"):
            await answers.status(exchange, calling, UUID(things.delivery), SAID, b"")
