"""Over HTTP: a letter whose From and To nobody signed is never shown as one whose header is signed.

Every construction of `xml_wrappings` is sent, on a letter that the sender's own seal signed, and letters of which only
something beside the header is signed. What the exchange answers is held against what was done to the letter.
"""

from collections import Counter
from datetime import UTC, datetime

import pytest
import xml_cases as cases
import xml_wrappings as wrappings
from xml_changes import worded

from exchange.demo import letters
from exchange.edxml import attachments, model, write
from signing import seal

SENDER = "H13.05"
FILES = tuple(attachments.encode(name, name.encode(), "text/plain") for name in ("mot.txt", "hai.txt"))
IDENTIFIED = {
    "MessageHeader": "header",
    "From": "from",
    "To": "to",
    "Subject": "subject",
    "TraceHeaderList": "trace",
}
ENDS = Counter()


def base(number):
    """A good letter with Ids, so that parts of it can be signed."""
    today = datetime.now(UTC).date()
    letter = model.Letter(
        sender=model.Party(code=SENDER),
        recipients=(model.Party(code="H13.02"),),
        document_id=letters.document_id(SENDER, today, number, "CV"),
        number=str(number),
        notation="CV",
        issued_on=today,
        place="Cần Thơ",
        type_code="18",
        type_name="Công văn",
        subject="V/v thử",
        paper=0,
        attachments=FILES,
    )
    root = cases.parsed(write.write(letter))
    for name, identifier in IDENTIFIED.items():
        cases.part(root, name).set("Id", identifier)
    for position in range(len(FILES)):
        cases.part(root, "Attachment", position).set("Id", f"file{position + 1}")
    return cases.written(root)


@pytest.fixture
def sign(province):
    holder = province.ours.seals[SENDER]
    return lambda raw, **terms: seal.sign_xml(
        raw, holder.key, holder.certificate, **{"at": datetime.now(UTC), **terms}
    )


async def sent(server, raw):
    """What is told of a letter: the answer's status, whether a package signature passed, whether the header is signed."""
    async with server.client(SENDER) as client:
        answer = await client.send(raw)
        if answer.status != 201:
            return answer.status, answer.body["code"], False, False
        warnings = {one["code"] for one in answer.body["warnings"]}
        verdicts = (await client.about(answer.body["receipt"]["letter"], "verdicts")).body["signatures"]
    package = [one for one in verdicts if one["where"] == "package"]
    passed = any(one["indication"] == "TOTAL_PASSED" for one in package)
    whole = any(one["coverage"]["whole"] for one in package)
    return 201, "", passed, (passed and "header_not_covered" not in warnings) or whole


HONEST = {"whole": {}, "header": {"references": ["#header"]}, "both": {"references": ["#header", "#trace"]}, "xades": {"xades": True}}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
async def test_a_signed_header_is_shown_as_signed(shared_server, sign, name):
    """What the tests below must not find, so that they can fail."""
    raw = sign(base(100 + list(HONEST).index(name)), **HONEST[name])
    assert (await sent(shared_server, raw)) == (201, "", True, True)


async def test_no_construction_shows_an_unsigned_header_as_signed(shared_server, sign):
    for number, (name, (parent, change, _)) in enumerate(wrappings.CONSTRUCTIONS.items(), 200):
        raw = cases.changed(wrappings.parent(parent, base(number), sign), change)
        status, code, passed, shown = await sent(shared_server, raw)
        ENDS[code or f"accepted, {'passed' if passed else 'not passed'}"] += 1
        assert not shown, (name, status, code)
    print(dict(ENDS))
    assert ENDS["signature_wrapping"] >= 5
    assert ENDS["findings"] >= 10  # the reader met the header twice, or in a place that is not its own
    assert ENDS["accepted, not passed"] >= 3


# What of a letter is signed beside its header, and a change to the header that nobody notices then.
BESIDE = {
    "the trace": ["#trace"],
    "the sender": ["#from"],
    "the recipients": ["#to"],
    "sender and recipients, not what is between": ["#from", "#to"],
    "the subject": ["#subject"],
    "a file": ["#file1"],
    "both files": ["#file1", "#file2"],
    "everything but the header": ["#trace", "#file1", "#file2"],
}
FORGERIES = {
    "unchanged": lambda _root: None,
    "another notation": worded("CodeNotation", wrappings.FORGED),
    "another recipient": lambda root: setattr(
        cases.part(cases.part(root, "To"), "OrganId"), "text", "H13.31"
    ),
}


@pytest.mark.parametrize("signed", BESIDE)
async def test_a_letter_signed_beside_its_header_is_told_so(shared_server, sign, signed):
    for place, change in enumerate(FORGERIES.values()):
        number = 400 + 10 * list(BESIDE).index(signed) + place
        raw = cases.changed(sign(base(number), references=BESIDE[signed]), change)
        status, code, passed, shown = await sent(shared_server, raw)
        if "#to" in BESIDE[signed] and place == 2:
            assert (status, code) == (422, "signature_broken")
        else:
            assert (status, passed, shown) == (201, True, False), (code, place)
