"""A small world of letters, deliveries, statuses, registers and tally facts, drawn by lot; and its measures by brute force.

The brute force reads plain dictionaries of whole tables and shares no code with what it checks: days off, deadlines,
documents and medians are worked out here once more, the slow way.
"""

import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

from exchange.store import insert, rows

VIETNAM = timezone(timedelta(hours=7))
ALWAYS = date(2010, 1, 1)
OFF = {date(2026, 2, day) for day in (16, 17, 18, 19, 20)}
TYPES = ("Công văn", "Quyết định", "Tờ trình")
SCOPES = ("same_root", "same_root", "other_root", "outside_state")
FIRST = datetime(2026, 2, 1, tzinfo=VIETNAM)
DAYS = 40
AT = datetime(2026, 11, 21, 5, tzinfo=UTC)


def local(at):
    return at.astimezone(VIETNAM)


class World:
    """Random agencies and everything they send each other; ids count up, so that a seed is a world."""

    def __init__(self, connection, random):
        self.connection, self.random, self.count = connection, random, 0
        self.agencies, self.letters, self.deliveries, self.lines, self.books, self.contacts = (
            [], [], [], [], [], {},
        )  # fmt: skip

    def new(self):
        self.count += 1
        return UUID(int=(7 << 76) | (2 << 62) | self.count)

    async def fill(self, agencies=6, letters=60):
        for number in range(agencies):
            await self.agency(f"H{number:02}", self.agencies[-1]["id"] if number % 3 else None)
        for _ in range(letters):
            await self.letter()
        for _ in range(letters // 4):
            await self.book()
        await self.tallied()
        return self

    async def agency(self, code, parent=None):
        random = self.random
        one = {
            "id": self.new(), "code": code, "name": f"Cơ quan {code}", "kind": random.choice(["department", "commune", "lạ"]),
            "level": 1 if parent is None else random.choice([2, 3]), "parent": parent, "counted": random.random() < 0.9,
            "valid_to": date(2026, 2, 20) if random.random() < 0.15 else None,
            "disabled_at": FIRST + timedelta(hours=random.randrange(60 * 24)) if random.random() < 0.2 else None,
        }  # fmt: skip
        await self.connection.execute(
            """INSERT INTO agency (id, code, name, kind, level, parent, counted, valid_from, valid_to, disabled_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
            one["id"], code, one["name"], one["kind"], one["level"], parent, one["counted"], ALWAYS, one["valid_to"], one["disabled_at"],
        )  # fmt: skip
        self.agencies.append(one)
        if random.random() < 0.7:
            await self.system(one["id"])

    async def system(self, agency):
        system, seen = (
            self.new(),
            self.random.choice([None, AT, FIRST + timedelta(days=self.random.randrange(60))]),
        )
        await self.connection.execute(
            "INSERT INTO system (id, name, owner_agency, created_at, seen_at) VALUES ($1, 'i-Office', $2, $3, $4)",
            system, agency, FIRST, seen,
        )  # fmt: skip
        await self.connection.execute(
            "INSERT INTO acts_for (system, agency, valid_from) VALUES ($1, $2, $3)", system, agency, ALWAYS
        )
        self.contacts[agency] = seen

    def moment(self):
        return FIRST + timedelta(minutes=self.random.randrange(DAYS * 24 * 60))

    async def letter(self):
        random, at, made = self.random, self.moment(), self.new()
        sender = random.choice(self.agencies)["id"]
        number, repeated = random.randrange(1, 25), random.random() < 0.15
        if repeated and self.letters:
            first = random.choice(self.letters)
            sender, number = first["sender"], int(first["number"])
        issued = random.choice([None, *[local(at).date() - timedelta(days=back) for back in (0, 0, 1, 3, 9)]])
        kind, test = random.choice(TYPES), random.random() < 0.08
        key = issued is not None
        known = {
            (one["sender"], one["issued_year"], one["number_key"])
            for one in self.letters
            if one["first_of_key"]
        }
        first = None if test or not key else (sender, 2026, str(number)) not in known
        recipients = random.sample(
            [one["id"] for one in self.agencies if one["id"] != sender], random.randint(1, 3)
        )
        facts = {
            "sender": sender, "id": made, "document_id": f"{number}-{made.int}", "operation": random.choice(["new"] * 8 + ["replace", "revoke"]),
            "round": 1 if random.random() < 0.9 else 2, "sha256": made.bytes * 2, "size": 1, "number": str(number), "notation": "CV",
            "issued_on": issued, "document_type": kind, "subject": "Về việc", "urgency": random.choice([0, 0, 0, 1, 3]),
            "target_document_id": None, "response_for": (), "main_attachment": None, "copy_form": "original",
            "paper": None, "paper_reason": random.choice([None, "listed", "other_law"]), "no_paper_standing": False, "test": test,
            "recipients": tuple(recipients), "purposes": (), "unroutable": (), "requirement": "met", "reason": "", "missing": (),
            "directory_version": 1, "policy_sha256": b"", "system": made, "accepted_at": at, "receipt": b"", "expanded_at": at,
            "issued_year": issued.year if key else None, "number_key": str(number) if key else None, "notation_key": "CV" if key else None,
            "first_of_key": first,
        }  # fmt: skip
        if facts["operation"] == "revoke":
            facts["first_of_key"] = None
        await insert.rows(self.connection, [rows.LetterRow(**facts)])
        self.letters.append(facts)
        await self.line(sender, "accepted", at, letter=made)
        for recipient in recipients:
            await self.delivery(facts, recipient)

    async def delivery(self, letter, recipient):
        random, at = self.random, letter["accepted_at"]
        arrived = (
            at + timedelta(minutes=random.choice([2, 90, 1500, 6000])) if random.random() < 0.85 else None
        )
        scope = "internal" if random.random() < 0.05 else random.choice(SCOPES)
        excluded = self._excluded(letter, scope)
        klass = "X" if excluded else random.choice("EEEESSNU")
        one = {
            "recipient": recipient, "letter": letter["id"], "round": letter["round"], "id": self.new(), "sender": letter["sender"],
            "kind": "letter", "operation": letter["operation"], "document_id": letter["document_id"], "number": letter["number"],
            "notation": letter["notation"], "issued_on": letter["issued_on"], "document_type": letter["document_type"],
            "subject": letter["subject"], "urgency": letter["urgency"], "purpose": "act", "sha256": letter["sha256"], "size": 1,
            "accepted_at": at, "requirement": "met", "klass": klass, "excluded": excluded, "scope": scope,
            "grade": random.choice("AB") if klass == "E" else "", "justified": random.choice(["yes", "no"]) if klass == "S" else "",
            "state": "waiting",
        }  # fmt: skip
        steps = self._steps(arrived)
        one["state"] = "waiting" if arrived is None else steps[-1][2] if steps else "arrived"
        recalled = arrived is not None and one["state"] != "refused" and random.random() < 0.07
        if one["state"] == "refused" and excluded is None:
            one |= {"klass": "X", "excluded": "refused", "grade": "", "justified": ""}
        await insert.rows(self.connection, [rows.DeliveryRow(**one)])
        one["class"] = one.pop("klass") if arrived and one["operation"] in ("new", "replace") else None
        one |= {"arrived_at": arrived, "recalled": recalled, "steps": steps, "by": None}
        await self.connection.execute(
            "UPDATE delivery SET arrived_at = $3, counted_class = $4, recalled = $5, open = $6 WHERE recipient = $1 AND id = $2",
            recipient, one["id"], arrived, one["class"], recalled, arrived is None,
        )  # fmt: skip
        if arrived:
            await self.line(recipient, "arrived", arrived, letter=letter["id"], delivery=one["id"])
        if recalled:
            one["by"] = random.choice(["revoke", "take_back", "replace", "update"])
            ended, detail = arrived + timedelta(days=9), {"letter": "x", "operation": one["by"]}
            await self.line(
                recipient, "withdrawn", ended, letter=letter["id"], delivery=one["id"], detail=detail
            )
        for code, moment, _ in steps:
            await self.line(recipient, "status", moment, letter=letter["id"], delivery=one["id"], code=code)
        self.deliveries.append(one)

    def _excluded(self, letter, scope):
        if letter["test"]:
            return "test"
        return "internal" if scope == "internal" else "duplicate" if self.random.random() < 0.04 else None

    def _steps(self, arrived):
        """Statuses of a delivery: code, moment, state."""
        if arrived is None or self.random.random() < 0.25:
            return []
        later = arrived + timedelta(minutes=self.random.choice([20, 60, 61, 400, 2000, 9000]))
        if self.random.random() < 0.1:
            return [("02", later, "refused")]
        steps = [(self.random.choice(["03", "05"]), later, "registered")]
        if self.random.random() < 0.4:
            done = later + timedelta(minutes=self.random.randrange(5000))
            steps.append(("06", done, "done"))
        return steps

    async def line(self, agency, event, at, **facts):
        made = rows.JournalRow(agency=agency, id=self.new(), at=at, event=event, **facts)
        await insert.rows(self.connection, [made])
        self.lines.append(made)

    async def book(self):
        random = self.random
        one = {
            "agency": random.choice(self.agencies)["id"], "id": self.new(), "direction": random.choice(["out", "out", "in"]),
            "number": random.choice(["", "0"]) + str(random.randrange(1, 30)), "notation": random.choice(["CV", " cv "]),
            "issued_on": random.choice([None, date(2025, 12, 30), *[date(2026, 2, random.randrange(1, 28))] * 3]), "document_type": random.choice(TYPES),
            "other_party": "Nơi nhận", "moved_on": (FIRST + timedelta(days=random.randrange(DAYS))).date(),
            "letter": self.new() if random.random() < 0.3 else None, "scope": random.choice(["", "", "internal", *SCOPES]),
        }  # fmt: skip
        await self.connection.execute(
            f"INSERT INTO register_row ({', '.join(one)}, loaded_at) VALUES ({', '.join(f'${n}' for n in range(1, 1 + len(one)))}, now())",
            *one.values(),
        )  # fmt: skip
        self.books.append(one)

    async def tallied(self):
        """The facts that the exchange would have written, some of them folded into days."""
        facts = await self.paper_facts()
        for one in self.deliveries:
            if one["class"] is None:
                continue
            told = {
                "scope": one["scope"], "document_type": one["document_type"], "urgency": one["urgency"], "klass": one["class"],
                "excluded": one["excluded"] or "", "grade": one["grade"], "justified": one["justified"], "n": 1,
            }  # fmt: skip
            days = {"out": (one["sender"], one["accepted_at"]), "in": (one["recipient"], one["arrived_at"])}
            for view, (agency, at) in days.items():
                facts.append(
                    rows.DeltaRow(agency=agency, id=self.new(), view=view, day=local(at).date(), **told)
                )
        await insert.rows(self.connection, facts)

    async def paper_facts(self):
        """Where the tally itself counts what went on paper, the facts of register rows without a letter."""
        counted = await self.connection.fetchval(
            "SELECT count(*) FROM information_schema.columns WHERE table_name = 'register_row' AND column_name = 'counted'"
        )
        if not counted:
            return []
        await self.connection.execute("UPDATE register_row SET counted = letter IS NULL")
        return [
            rows.DeltaRow(
                agency=one["agency"], id=self.new(), view=one["direction"], day=one["moved_on"], scope=one.get("scope", ""),
                document_type=one["document_type"], urgency=0, grade="", justified="", n=1,
                klass="X" if one.get("scope") == "internal" else "P", excluded="internal" if one.get("scope") == "internal" else "",
            )
            for one in self.books if one["letter"] is None
        ]  # fmt: skip


class Brute:
    """Figures of a world, a span and a cut, the slow way: `figures` by agency."""

    def __init__(
        self, world, first, last, agencies=None, *, view="out", scope=None, types=None, urgency=None
    ):
        self.world, self.first, self.last = world, first, last
        self.agencies, self.view, self.cut = agencies, view, (scope, types, urgency)
        self.found = defaultdict(Counter)
        for part in (
            self.classes,
            self.documents,
            self.sent,
            self.arrived,
            self.recalled,
            self.numbers,
            self.active,
        ):
            part()
        self.found = {agency: +one for agency, one in self.found.items() if +one}

    def within(self, at):
        return self.first <= local(at).date() <= self.last

    def mine(self, agency):
        return self.agencies is None or agency in self.agencies

    def left(self, one):
        scope, types, urgency = self.cut
        return (
            (scope is None or one.get("scope", "") == scope)
            and (types is None or one["document_type"] in types)
            and (urgency is None or one.get("urgency", 0) in urgency)
        )

    def transfers(self, view):
        side, when = {"out": ("sender", "accepted_at"), "in": ("recipient", "arrived_at")}[view]
        for one in self.world.deliveries:
            at = one[when]
            within = one["operation"] in ("new", "replace") and at and self.within(at)
            if within and self.left(one) and self.mine(one[side]):
                yield one[side], one

    def paper(self, view):
        for one in self.world.books:
            within = one["letter"] is None and self.first <= one["moved_on"] <= self.last
            if within and one["direction"] == view and self.mine(one["agency"]) and self.left(one):
                yield one

    def paper_only(self, view):
        return (one for one in self.paper(view) if one["scope"] != "internal")

    def classes(self):
        for agency, one in self.transfers(self.view):
            if one["class"] is None:
                continue
            name = one["class"] if one["class"] != "X" else f"X_{one['excluded']}"
            self.found[agency][name] += 1
            self.found[agency]["E_A"] += name == "E" and one["grade"] == "A"
            self.found[agency]["S_unjustified"] += name == "S" and one["justified"] == "no"
        for one in self.paper(self.view):
            self.found[one["agency"]]["X_internal" if one["scope"] == "internal" else "P"] += 1
        for agency, one in self.transfers("in"):
            if one["class"] in ("E", "S", "N", "U"):
                self.found[agency]["in_all"] += 1
                self.found[agency]["in_E"] += one["class"] == "E"
        for one in self.paper_only("in"):
            self.found[one["agency"]]["in_all"] += 1

    def documents(self):
        letters = {one["id"]: one for one in self.world.letters}
        groups = defaultdict(list)
        for agency, one in self.transfers("out"):
            if one["class"] in ("E", "S", "N", "U"):
                letter = letters[one["letter"]]
                name = (
                    (letter["issued_year"], letter["number_key"])
                    if letter["number_key"]
                    else letter["document_id"]
                )
                groups[agency, name].append(one["class"])
        for one in self.paper_only("out"):
            groups[one["agency"], self.key(one)].append("P")
        for (agency, _), classes in groups.items():
            self.found[agency]["documents"] += 1
            self.found[agency]["documents_E"] += set(classes) == {"E"}

    @staticmethod
    def key(book):
        return (book["issued_on"] or book["moved_on"]).year, str(int(book["number"]))

    @staticmethod
    def works(day):
        return day.isoweekday() < 6 and day not in OFF

    def next_day(self, day):
        day += timedelta(days=1)
        while not self.works(day):
            day += timedelta(days=1)
        return day

    def sent(self):
        scope = self.cut[0]
        for one in self.world.letters:
            at = local(one["accepted_at"])
            if (
                one["operation"] not in ("new", "replace")
                or one["round"] != 1
                or one["test"]
                or not self.within(at)
            ):
                continue
            if (one["number_key"] and not one["first_of_key"]) or not self.mine(one["sender"]):
                continue
            scopes = {each["scope"] for each in self.world.deliveries if each["letter"] == one["id"]}
            if not self.left({**one, "scope": scope if scope in scopes else "none"}):
                continue
            self.found[one["sender"]]["sent_documents"] += 1
            self.found[one["sender"]][self.timely(one["issued_on"], at)] += 1

    def timely(self, issued, at):
        if issued is None:
            return "undated"
        if at.date() <= issued:
            return "sent_same_day"
        until = datetime(*self.next_day(issued).timetuple()[:3], 12, tzinfo=VIETNAM)
        return "sent_next_morning" if at <= until else "sent_late"

    def countable(self, view):
        for agency, one in self.transfers(view):
            if one["excluded"] not in ("test", "internal", "duplicate"):
                yield agency, one

    def arrived(self):
        for agency, one in self.countable("in"):
            found, at = self.found[agency], local(one["arrived_at"])
            answered = next((local(moment) for _, moment, _ in one["steps"]), None)
            registered = next((moment for code, moment, _ in one["steps"] if code != "02"), None)
            late = not self.works(at.date()) or at.hour >= 17
            until = self.next_day(at.date()) if late else at.date()
            found["arrived"] += 1
            found["refused"] += one["state"] == "refused"
            found["answered_same_day"] += answered is not None and answered.date() == at.date()
            found["answered_in_time"] += answered is not None and answered.date() <= until
            found["urgent"] += one["urgency"] > 0
            quick = registered is not None and registered - one["arrived_at"] <= timedelta(minutes=60)
            found["urgent_at_once"] += one["urgency"] > 0 and quick

    def took(self):
        """M14: the sorted seconds of each span, by name."""
        found = defaultdict(list)
        for _, one in self.countable("in"):
            moments = {code: moment for code, moment, _ in reversed(one["steps"])}
            registered = min((moment for code, moment in moments.items() if code != "02"), default=None)
            found["M14_arrival"].append(one["arrived_at"] - one["accepted_at"])
            if registered:
                found["M14_registered"].append(registered - one["arrived_at"])
            if "06" in moments:
                found["M14_done"].append(moments["06"] - registered)
        return {name: sorted(one.total_seconds() for one in spans) for name, spans in found.items()}

    def recalled(self):
        for agency, one in self.countable("out"):
            self.found[agency]["sent"] += 1
            self.found[agency]["recalled"] += one["by"] in ("revoke", "take_back")

    def numbers(self):
        groups = defaultdict(set)
        for one in self.world.letters:
            carries = one["operation"] in ("new", "replace") and not one["test"] and one["number_key"]
            if not carries or not self.mine(one["sender"]):
                continue
            if one["issued_on"].year == self.last.year and one["issued_on"] <= self.last:
                groups[one["sender"]].add(int(one["number"]))
        for one in self.world.books:
            issued = one["issued_on"] or one["moved_on"]
            known = one["direction"] == "out" and issued <= self.last and issued.year == self.last.year
            if known and self.mine(one["agency"]):
                groups[one["agency"]].add(int(one["number"]))
        for agency, numbers in groups.items():
            self.found[agency]["numbers_known"] += len(numbers)
            self.found[agency]["numbers_highest"] += max(numbers)

    def active(self):
        end = datetime(*(self.last + timedelta(days=1)).timetuple()[:3], tzinfo=VIETNAM)
        for one in self.world.agencies:
            ended = one["valid_to"] is not None and one["valid_to"] < self.last
            off = one["disabled_at"] and one["disabled_at"] < min(end, AT)
            if not self.mine(one["id"]) or ended or off or not one["counted"]:
                continue
            since = end - timedelta(days=7)
            seen = self.world.contacts.get(one["id"])
            calls = [line.at for line in self.world.lines if line.agency == one["id"]]
            self.found[one["id"]]["agencies"] += 1
            recent = [at for at in (seen, *calls) if at and since <= at < end]
            self.found[one["id"]]["agencies_connected"] += bool(recent)


def plain(value):
    """Something that can be looked at when worlds differ."""
    return json.loads(json.dumps({str(name): one for name, one in value.items()}, default=str))
