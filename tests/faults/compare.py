"""The comparison after a campaign: the clients' ledger, the database, and what recipients took must say the same."""

from collections import Counter, defaultdict

from faults.ledger import Fault

EVENTS = ("accepted", "refused", "fetched", "arrived", "status")


async def compare(connection, ledger, folder):
    """Every difference. All letters in the database must be the ledger's; `folder` holds the large bodies."""
    found = list(ledger.faults)
    found += [Fault("unanswered", one.sender) for one in ledger.letters if not one.answered]
    found += await _letters(connection, ledger, folder)
    found += await _deliveries(connection, ledger)
    found += await _journal(connection, ledger)
    found += _taken(ledger)
    return found


def kinds(faults):
    """How many of each kind."""
    return dict(Counter(fault.kind for fault in faults))


async def _letters(connection, ledger, folder):
    rows = await connection.fetch(
        "SELECT letter.*, payload.body, payload.file FROM letter LEFT JOIN payload ON payload.id = letter.id"
    )
    stored = {str(row["id"]): row for row in rows}
    promised = {one.id: one for one in ledger.letters if one.answered}
    yes = [Fault("letter_lost", one) for one in promised.keys() - stored.keys()]
    yes += [Fault("letter_unpromised", one) for one in stored.keys() - promised.keys()]
    for name in promised.keys() & stored.keys():
        yes += _letter(promised[name], stored[name], folder)
    return yes


def _letter(letter, row, folder):
    where = letter.id
    if any(receipt != row["receipt"] for receipt in letter.receipts):
        yield Fault("receipt_differs", where)
    if letter.statuses.count(201) > 1:
        yield Fault("accepted_twice", where)
    if row["sha256"].hex() != letter.sha256 or _bytes(row, folder) != letter.raw:
        yield Fault("bytes_differ", where)


def _bytes(row, folder):
    if row["file"] is None:
        return row["body"]
    path = folder / row["file"]
    return path.read_bytes() if path.exists() else None


async def _deliveries(connection, ledger):
    rows = await connection.fetch(
        """SELECT delivery.id, letter, code, state, open FROM delivery JOIN agency ON agency.id = recipient"""
    )
    pairs = Counter((str(row["letter"]), row["code"]) for row in rows)
    found = [Fault("delivery_lost", repr(pair)) for pair in ledger.promised() - pairs.keys()]
    found += [Fault("delivery_unpromised", repr(pair)) for pair in pairs.keys() - ledger.promised()]
    found += [Fault("delivery_doubled", repr(pair)) for pair, n in pairs.items() if n > 1]
    states = ledger.states()
    for row in rows:
        if (row["state"] == "waiting") or row["open"]:
            found.append(Fault("delivery_open", str(row["id"])))
        elif row["state"] != states.get((str(row["letter"]), row["code"]), "arrived"):
            found.append(Fault("delivery_stands_elsewhere", str(row["id"])))
        if str(row["id"]) not in ledger.taken[(str(row["letter"]), row["code"])]:
            found.append(Fault("delivery_not_taken", str(row["id"])))
    return found


async def _journal(connection, ledger):
    """Every decision and arrival stands there once; beside them, only bodies that a client broke off."""
    rows = await connection.fetch(
        """SELECT event, CASE WHEN event = 'status' THEN detail->>'notice' ELSE coalesce(delivery, letter)::text END
                  AS about, code FROM journal WHERE event = ANY($1)""",
        EVENTS,
    )
    broken = ("refused", "incomplete_body")
    events = Counter((row["event"], row["about"]) for row in rows if (row["event"], row["code"]) != broken)
    wanted = {("accepted", one.id) for one in ledger.letters if one.answered}
    wanted |= {("status", one.id) for one in ledger.letters if one.answered and one.code}
    wanted |= {(event, one) for one in ledger.acknowledged for event in ("fetched", "arrived")}
    found = [Fault("journal_lacks", repr(event)) for event in wanted - events.keys()]
    found += [Fault("journal_tells_more", repr(event)) for event in events.keys() - wanted]
    return found + [Fault("journal_twice", repr(event)) for event, n in events.items() if n > 1]


def _taken(ledger):
    promised = ledger.promised()
    taken = {pair for pair, ids in ledger.taken.items() if ids}
    digests = defaultdict(set, {one.id: {one.sha256} for one in ledger.letters if one.answered})
    found = [Fault("not_received", repr(pair)) for pair in promised - taken]
    found += [Fault("received_unpromised", repr(pair)) for pair in taken - promised]
    found += [Fault("received_doubled", repr(pair)) for pair, ids in ledger.taken.items() if len(ids) > 1]
    found += [
        Fault("unacknowledged", one)
        for ids in ledger.taken.values()
        for one in ids
        if one not in ledger.acknowledged
    ]
    bodies = ledger.bodies.items()
    return found + [Fault("body_differs", letter) for letter, seen in bodies if seen != digests[letter]]
