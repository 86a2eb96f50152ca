"""What of a letter's records goes into its evidence: every column is decided upon, and every line tells each reader its own."""

from uuid import UUID

import pytest
from province import fetch

from exchange.broker import evidence_facts, evidence_pairs, receipts, why
from signing import keys

SENDER, RECIPIENT, OTHER = (UUID(int=n) for n in (1, 2, 3))
WITHHELD = {
    "letter": {"subject", "receipt", "effects_done"},
    "delivery": {"subject", "lease_until", "lease_token"},
    "verdict": set(),
    "journal": set(),
}
LISTS = {
    "letter": evidence_facts.LETTER,
    "delivery": evidence_facts.DELIVERY,
    "verdict": evidence_facts.VERDICT,
    "journal": evidence_facts.LINE,
}


@pytest.mark.parametrize("table", LISTS)
async def test_every_column_is_decided_upon(database, table):
    rows = await fetch(
        database,
        """SELECT attname FROM pg_attribute
            WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped""",
        table,
    )
    assert len(set(LISTS[table])) == len(LISTS[table])
    assert {one["attname"] for one in rows} == {*LISTS[table], *WITHHELD[table]}


def line(event, agency=RECIPIENT, **detail):
    return {
        **dict.fromkeys(evidence_facts.LINE),
        "event": event,
        "agency": agency,
        "delivery": OTHER,
        "detail": {"by": "Người", "why": "ghi chú", "text": "lời", **detail},
    }


def told(one, *agencies):
    to = evidence_facts.Reader(agencies=frozenset(agencies), sender=SENDER, own=frozenset({RECIPIENT}))
    found = evidence_facts.lines([one], [{"id": OTHER}], to)
    return set(found[0]["detail"]) if found else None


ACTS = {
    "paper_received": (line("paper_received"), RECIPIENT),
    "attested_undone": (line("attested_undone"), RECIPIENT),
    "paper_declared": (line("paper_declared"), SENDER),
    "paper_declared_undone": (line("paper_declared_undone"), SENDER),
    "register_matched": (line("register_matched", of=str(SENDER)), SENDER),
    "register_matched_undone": (line("register_matched_undone", of=str(RECIPIENT)), RECIPIENT),
    "an older line": (line("register_matched"), None),
}


@pytest.mark.parametrize("name", ACTS)
def test_persons_and_notes_are_told_to_who_acted(name):
    one, whose = ACTS[name]
    assert why.said_by(one, SENDER) == whose
    for agency in (SENDER, RECIPIENT):
        assert {"by", "why"} & told(one, agency) == ({"by", "why"} if agency == whose else set()), agency
        assert "text" in told(one, agency)
    assert {"by", "why", "text"} <= told(one, SENDER, RECIPIENT) or whose is None


@pytest.mark.parametrize("event", ["status", "asked", "withdrawn", "something new", *ACTS])
def test_a_monitor_gets_facts_without_words(event):
    one = line(event.partition(" ")[0], n=1, subject="trích yếu", letter="x", unheard="of")
    assert told(one) == {"n", "letter"}


def test_a_remark_is_its_agencys_alone():
    assert told(line("remark"), SENDER) is None
    assert told(line("remark")) is None
    assert "text" in told(line("remark"), RECIPIENT)


STATEMENT = receipts.statement(
    {"id": "r", "letter": "l", "recipients": ["H13.32"], "unroutable": ["Bà Ngoại"], "accepted_at": "a", "exchange": "e"},
    receipts.ReceiptKey(keys.new_statement_key(), "k", "e"), requirement="met", class_if_electronic="E",
    warnings=[{"severity": "warning", "code": "c", "message": "Bà Ngoại"}],
)  # fmt: skip


def test_a_monitor_reads_no_recipient_in_a_receipt():
    monitor, party, operator = (
        evidence_facts.Reader(agencies=agencies, sender=SENDER, own=frozenset({RECIPIENT}))
        for agencies in (frozenset(), frozenset({RECIPIENT}), None)
    )
    assert [evidence_facts.receipt(STATEMENT, one) for one in (party, operator)] == [STATEMENT] * 2
    told = evidence_facts.receipt(STATEMENT, monitor)
    assert receipts.left_out(receipts.read(told))
    assert not receipts.left_out(receipts.read(STATEMENT))
    for words in ("H13.32", "Ngoại", '"r"', "value", "message"):
        assert words not in told.decode(), words
    assert evidence_facts.receipt(b"H13.32, no JSON", monitor).count(b"H13.32") == 0


# --- signatures recorded, and found -----------------------------------------------------------------------------------


def known(where, word="TOTAL_PASSED", certificate="aa", carrier=""):
    return evidence_pairs.Known(where=where, carrier=carrier, certificate=certificate, word=word)


def beside(recorded, found):
    """Whether each signature was examined and whether it differs, by what it signs."""
    pairs = evidence_pairs.beside(recorded, found)
    return [(one.where, one.examined, one.differs) for one in pairs]


FILES = [
    known("package"),
    known("a.pdf"),
    known("b.pdf", "TOTAL_FAILED"),
    known("b.pdf", carrier="b.pdf.p7s"),
]


@pytest.mark.parametrize("missing", range(1, len(FILES)))
def test_a_file_that_was_not_examined_shifts_no_other(missing):
    found = beside([one for one in FILES if one is not FILES[missing]], FILES)
    assert found == [(one.where, one is not FILES[missing], False) for one in FILES]


DIFFERING = {
    "another verdict": (FILES, [*FILES[:2], known("b.pdf"), FILES[3]]),
    "not found again": (FILES, FILES[:2]),
    "a file not found again": (FILES, FILES[:3]),
    "nothing found": (FILES, []),
    "one more in a file that was examined": (FILES, [*FILES, known("a.pdf")]),
    "another certificate": (FILES[:2], [FILES[0], known("a.pdf", certificate="bb")]),
    "a signature of the message that is not on record": (FILES[1:], FILES),
}


@pytest.mark.parametrize("name", DIFFERING)
def test_what_differs_from_the_record_is_found(name):
    assert any(differs for _, _, differs in beside(*DIFFERING[name]))
    assert not any(differs for _, _, differs in beside(FILES, reversed(FILES)))
