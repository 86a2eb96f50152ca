"""A small world of agencies, officers, certificates and letters, written straight into the tables; and its measures by brute force.

The brute force reads plain dictionaries of whole tables, as an export holds them, and shares no code with what it checks.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

from cryptography.hazmat.primitives import serialization

from exchange.rules import documents
from exchange.store import insert, rows
from signing import keys, trust

VIETNAM = timezone(timedelta(hours=7))
KEY = keys.new_key()
ROOT = keys.root("Gốc thử nghiệm", key=keys.new_key(), at=datetime(2015, 1, 1, tzinfo=UTC), days=9000)
ISSUERS = tuple(
    keys.subordinate(ROOT, name, key=keys.new_key(), at=datetime(2015, 1, 1, tzinfo=UTC), days=8000)
    for name in ("Nơi cấp A", "Nơi cấp B")
)
ALWAYS = date(2010, 1, 1)


def local(at):
    return at.astimezone(VIETNAM).date()


@dataclass
class World:
    """Everything added so far; ids count up, so that the same steps make the same world."""

    connection: object
    at: datetime = datetime(2026, 11, 21, 5, tzinfo=UTC)
    revoked: dict = field(default_factory=lambda: defaultdict(dict))
    facts: dict = field(default_factory=dict)
    count: int = 0

    def new(self):
        self.count += 1
        return UUID(int=(7 << 76) | (2 << 62) | self.count)

    async def agency(self, code, *, parent=None, level=2, counted=True, disabled=None, until=None):
        made = self.new()
        await self.connection.execute(
            "INSERT INTO agency (id, code, name, kind, level, parent, counted, valid_from, valid_to, disabled_at) "
            "VALUES ($1, $2, $2, 'department', $3, $4, $5, $6, $7, $8)",
            made, code, level, parent, counted, ALWAYS, until, disabled,
        )  # fmt: skip
        return made

    async def officer(self, agency, *, leader=False, since=ALWAYS, until=None):
        made = self.new()
        await self.connection.execute(
            "INSERT INTO officer (id, agency, code, name, position, is_leader, valid_from, valid_to) "
            "VALUES ($1, $2, $3, $4, 'Trưởng phòng', $5, $6, $7)",
            made, agency, str(self.count), f"Người {self.count}", leader, since, until,
        )  # fmt: skip
        return made

    async def certificate(self, *, since=date(2024, 1, 1), days=1825, revoked=None, issuer=0, kept=True):
        """A real certificate; its digest. `kept`: the exchange holds its bytes."""
        self.count += 1
        start = datetime(since.year, since.month, since.day, tzinfo=VIETNAM).astimezone(UTC)
        made = keys.certificate(
            ISSUERS[issuer], f"Chủ thể {self.count}", KEY.public_key(), at=start, days=days, serial=self.count
        )
        digest, body = keys.fingerprint(made), made.public_bytes(serialization.Encoding.DER)
        if revoked:
            self.revoked[issuer][made.serial_number] = revoked
        if kept:
            await self.connection.execute(
                "INSERT INTO evidence VALUES ($1, 'certificate', $2, $3)", digest, body, self.at
            )
            self.facts[digest] = (start, start + timedelta(days=days), revoked)
        return digest

    async def held(self, sha256, agency, *, kind="organisation", officer=None, since=date(2024, 1, 1), until=date(2028, 12, 30),
                   confirmed=True, purpose="exchange"):  # fmt: skip
        await self.connection.execute(
            "INSERT INTO signer_certificate (sha256, agency, kind, officer, subject, issuer, purpose, valid_from, valid_to, "
            "basis, confirmed_at) VALUES ($1, $2, $3, $4, 'CN=x', 'CN=y', $5, $6, $7, '', $8)",
            sha256, agency, kind, officer, purpose, since, until, self.at if confirmed else None,
        )  # fmt: skip
        return sha256

    async def seal(self, agency, **changed):
        """A certificate of an agency, registered."""
        return await self.held(await self.certificate(), agency, **changed)

    async def pen(self, agency, officer, **changed):
        """A certificate of an officer, registered."""
        return await self.held(
            await self.certificate(), agency, kind="individual", officer=officer, **changed
        )

    async def letter(
        self, sender, number, at, *signatures, missing=(), revision=1, issued_on=date(2026, 3, 1), **changed
    ):
        """A letter with its signatures: (kind, certificate, indication) and more of a verdict's columns. Its id."""
        made = self.new()
        facts = {
            "sender": sender, "id": made, "document_id": f"{number}-{made.int}", "operation": "new", "round": 1,
            "sha256": made.bytes * 2, "size": 1, "number": str(number), "notation": "CV", "issued_on": issued_on,
            "document_type": "Công văn", "subject": "", "urgency": 0, "target_document_id": None, "response_for": (),
            "main_attachment": "van_ban.pdf", "copy_form": "original", "paper": 0, "paper_reason": None,
            "no_paper_standing": False, "test": False, "recipients": (), "purposes": (), "unroutable": (),
            "requirement": "not_met" if missing else "met", "reason": "no_signature" if missing else "",
            "missing": tuple(missing), "directory_version": 1, "policy_sha256": b"", "system": made, "accepted_at": at,
            "receipt": b"", "expanded_at": at,
        }  # fmt: skip
        row = rows.LetterRow(**{**facts, **changed})
        key = documents.key(sender, row.number, row.notation, row.issued_on, row.document_type)
        if key:
            kept = {"issued_year": key.year, "number_key": key.number, "notation_key": key.notation}
            row = replace(row, **kept, series=row.series or key.series)
        await insert.rows(self.connection, [row])
        await self.judge(sender, made, at, *signatures, revision=revision)
        return made

    async def judge(self, sender, letter, at, *signatures, revision=2):
        """One revision of a letter's verdicts."""
        verdicts = []
        for position, (kind, sha256, indication, *more) in enumerate(signatures):
            beside = more[0] if more else {}
            facts = {
                "sender": sender, "letter": letter, "revision": revision, "position": position, "place": "van_ban.pdf", "carrier": "",
                "main": True, "format": "pades", "indication": indication,
                "sub_indication": {"TOTAL_FAILED": "HASH_FAILURE", "INDETERMINATE": "TRY_LATER"}.get(indication),
                "why": {"TOTAL_FAILED": "digest_differs", "INDETERMINATE": "revocation_missing"}.get(indication, "passed"),
                "signer_kind": kind, "signer_name": "", "signer_agency": sender, "officer": None,
                "certificate_sha256": sha256, "signed_at_claimed": None, "best_signature_time": at, "time_source": "receipt",
                "covers_whole": True, "coverage": "", "changes_after": (), "provisional": False, "wrapping": False,
                "evidence": (), "trust_sha256": b"", "policy_sha256": b"", "verifier": "", "judged_at": at,
            }  # fmt: skip
            verdicts.append(rows.VerdictRow(**{**facts, **beside}))
        await insert.rows(self.connection, verdicts)

    def trust(self):
        """The roots, and one list of each issuer as of now."""
        authorities = [one.certificate.public_bytes(serialization.Encoding.PEM) for one in (ROOT, *ISSUERS)]
        lists = [
            keys.revocation_list(issuer, self.revoked[n], at=self.at) for n, issuer in enumerate(ISSUERS)
        ]
        return trust.load(authorities, lists)


async def exported(connection):
    """Whole tables as dictionaries."""
    tables = ("agency", "officer", "signer_certificate", "letter", "verdict")
    return {name: [dict(row) for row in await connection.fetch(f"SELECT * FROM {name}")] for name in tables}


@dataclass
class Brute:
    """Measures of one period and scope, row by row out of an export. `facts`: certificate -> (from, to, revoked)."""

    tables: dict
    facts: dict
    first: date
    last: date
    scope: set | None
    now: datetime

    def __post_init__(self):
        start = datetime(self.first.year, self.first.month, self.first.day, tzinfo=VIETNAM)
        after = self.last + timedelta(days=1)
        self.start = start
        self.end = min(datetime(after.year, after.month, after.day, tzinfo=VIETNAM), max(self.now, start))
        self.moment = self.end - timedelta(microseconds=1)
        self.day = max(local(self.moment), self.first)
        self.everybody = {row["id"]: row for row in self.tables["agency"]}
        self.people = {row["id"]: row for row in self.tables["officer"]}
        if self.scope is None:
            self.scope = set(self.everybody)
        self.newest = {}
        for row in self.tables["verdict"]:
            key = row["sender"], row["letter"]
            self.newest[key] = max(self.newest.get(key, 0), row["revision"])

    def verdicts(self, letter):
        key = letter["sender"], letter["id"]
        return [
            row for row in self.tables["verdict"]
            if (row["sender"], row["letter"]) == key and row["revision"] == self.newest[key]
        ]  # fmt: skip

    def letters(self, senders):
        return [
            row for row in self.tables["letter"]
            if row["sender"] in senders and not row["test"] and row["operation"] not in ("status", "revoke")
            and row["accepted_at"] < self.end
        ]  # fmt: skip

    def document(self, row):
        if row["operation"] == "update":
            same = [
                other for other in self.tables["letter"]
                if (other["sender"], other["document_id"]) == (row["sender"], row["target_document_id"])
                and other["operation"] in ("new", "replace")
            ]  # fmt: skip
            row = max(same, key=lambda other: other["round"], default=row)
        if row["number"] and row["issued_on"]:
            number, notation = row["number"].strip().upper().lstrip("0"), row["notation"].strip().upper()
            return row["sender"], row["issued_on"].year, row["series"], number, notation
        return row["sender"], row["document_id"]

    def documents(self):
        """(sender, organisation, individual, failed, undetermined) of each document of the period."""
        together = defaultdict(list)
        for row in self.letters(self.scope):
            together[self.document(row)].append(row)
        found = []
        for letters in together.values():
            letters.sort(key=lambda row: (row["operation"] != "update", row["accepted_at"], row["id"].bytes))
            if min(row["accepted_at"] for row in letters) >= self.start:
                found.append((letters[0]["sender"], *self.signed(letters[-1])))
        return found

    def signed(self, letter):
        verdicts = self.verdicts(letter)
        passed = [
            row for row in verdicts
            if row["indication"] == "TOTAL_PASSED"
            and (row["main"] or (row["place"] == "package" and row["format"] in ("xmldsig", "xades")))
        ]  # fmt: skip
        lacks = set(letter["missing"])
        organisation = any(
            row["signer_kind"] == "organisation" and row["signer_agency"] == letter["sender"]
            for row in passed
        )
        individual = [row["certificate_sha256"] for row in passed if row["signer_kind"] == "individual"]
        if letter["copy_form"] != "original":
            confirmed = {row["sha256"] for row in self.tables["signer_certificate"] if row["confirmed_at"]}
            individual = [one for one in individual if one in confirmed]
        failed = any(row["indication"] == "TOTAL_FAILED" for row in verdicts)
        return (
            organisation and not lacks & {"document", "main.organisation"},
            bool(individual) and not lacks & {"document", "main.individual"},
            failed,
            not failed and any(row["indication"] == "INDETERMINATE" for row in verdicts),
        )

    def rows(self):
        """Directory rows with the home of an officer, dated as long as everybody concerned is there."""
        for row in self.tables["signer_certificate"]:
            officer = self.people.get(row["officer"])
            home = officer["agency"] if officer else row["agency"]
            since = max(row["valid_from"], officer["valid_from"]) if officer else row["valid_from"]
            ends = [row["valid_to"], officer and officer["valid_to"], self.everybody[home]["valid_to"]]
            yield {
                **row,
                "home": home,
                "since": since,
                "until": min([one for one in ends if one], default=None),
            }

    def owned(self):
        """Certificate -> the rows of its owner."""
        together = defaultdict(list)
        for row in self.rows():
            together[row["sha256"]].append(row)
        found = {}
        for sha256, rows_ in together.items():
            best = [row for row in rows_ if row["confirmed_at"]] or rows_
            earliest = min(row["since"] for row in best)
            owner = min(
                (self.everybody[row["home"]]["level"], str(row["home"]))
                for row in best
                if row["since"] == earliest
            )[1]
            mine = sorted((row for row in rows_ if str(row["home"]) == owner), key=lambda row: row["since"])
            found[sha256] = mine
        return found

    def state(self, sha256, rows_):
        own = self.facts.get(sha256)
        if own and own[2] and own[2] <= self.moment:
            return "revoked"
        if own and own[1] < self.moment:
            return "expired"
        if not own and rows_[-1]["until"] and rows_[-1]["until"] < self.day:
            return "expired"
        told = set()
        for row in rows_:
            if row["until"] and row["until"] < self.day:
                told.add("ended")
            elif row["since"] > self.day or (own and own[0] > self.moment):
                told.add("not_yet")
            else:
                told.add("valid" if row["confirmed_at"] else "proposed")
        return next(name for name in ("valid", "proposed", "ended", "not_yet") if name in told)

    def issued(self, sha256, rows_):
        own = self.facts.get(sha256)
        return local(own[0]) if own else rows_[0]["since"]

    def certificates(self):
        """Owned by an agency of the scope, and issued by the day: (certificate, owner's rows)."""
        return [
            (sha256, rows_) for sha256, rows_ in self.owned().items()
            if rows_[0]["home"] in self.scope and self.issued(sha256, rows_) <= self.day
        ]  # fmt: skip

    def use(self):
        """(certificate, officer, day, document) of every valid signature in letters of those who could use the certificates."""
        mine = {row["sha256"] for row in self.tables["signer_certificate"] if row["agency"] in self.scope}
        senders = self.scope | {
            row["agency"] for row in self.tables["signer_certificate"] if row["sha256"] in mine
        }
        return [
            (row["certificate_sha256"], row["officer"], letter["accepted_at"], self.document(letter))
            for letter in self.letters(senders) for row in self.verdicts(letter)
            if row["indication"] == "TOTAL_PASSED" and row["certificate_sha256"]
        ]  # fmt: skip

    def signers(self):
        found = {}
        for sha256, rows_ in self.certificates():
            row = rows_[-1]
            if row["kind"] == "individual" and row["purpose"] == "exchange" and self.during(sha256, rows_):
                found[row["officer"]] = self.people[row["officer"]]["is_leader"]
        return found

    def during(self, sha256, rows_):
        """Day by day: was it in force on one of them?"""
        own, day = self.facts.get(sha256), self.first
        while day <= self.day:
            alive = own is None or (
                local(own[0]) <= day <= local(own[1]) and (own[2] is None or day <= local(own[2]))
            )
            if alive and any(
                row["confirmed_at"] and row["since"] <= day and (row["until"] is None or day <= row["until"])
                for row in rows_
            ):
                return True
            day += timedelta(days=1)
        return False

    def measures(self):
        documents, signers = self.documents(), self.signers()
        used = {officer for _, officer, at, _ in self.use() if officer and at >= self.start}
        leaders = {officer for officer, leads in signers.items() if leads}
        holders = {
            rows_[0]["home"] for sha256, rows_ in self.certificates()
            if rows_[-1]["kind"] == "organisation" and rows_[-1]["purpose"] == "exchange"
            and self.state(sha256, rows_) == "valid"
        }  # fmt: skip
        active = {
            one for one in self.scope if (row := self.everybody[one])["counted"]
            and (row["disabled_at"] is None or row["disabled_at"] > self.moment)
            and row["valid_from"] <= self.day and (row["valid_to"] is None or self.day <= row["valid_to"])
        }  # fmt: skip
        return {
            "M8": (sum(row[1] for row in documents), len(documents)),
            "M9": (sum(row[1] and row[2] for row in documents), len(documents)),
            "M10": (len(used & set(signers)), len(signers)),
            "M10_leaders": (len(used & leaders), len(leaders)),
            "M11": (len(active & holders), len(active)),
        }
