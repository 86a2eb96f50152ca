"""Letters damaged at random: in bytes, in elements, in encodings. The same seed is the same damage everywhere.

Also a campaign: `python tests/edxml/damage.py 20000` reads so many in a process of its own, with a cap on its memory and a
second for each, and prints how many it tried and how they ended (`make fuzz`).
"""

import copy
import random
import resource
import signal
import sys
from collections import Counter
from pathlib import Path

from lxml import etree

from exchange.edxml import read, view

FIXTURES = Path(__file__).parent / "fixtures"
FILES = sorted(FIXTURES.rglob("*.edxml"))
ALIVE = [file.read_bytes() for file in FILES]
CODES = frozenset({"not_xml", "forbidden_xml", "not_edxml", "too_complex"})
SECONDS = 1
CAP = 1 << 30
"""Bytes of address space in which a campaign must live."""

MARKUP = (
    *(
        b"<!-- x -->",
        b"<?x?>",
        b"<![CDATA[x]]>",
        b"&lt;",
        b"&x;",
        b"&#x202e;",
        b"&#0;",
        b"<x:y/>",
        b"<To/>",
        b"\0",
    ),
    *(
        b"]]>",
        b"<edXML:Subject>x</edXML:Subject>",
        b"<Paper>2</Paper>",
        b"<!DOCTYPE x>",
        b"</edXML:To>",
        b"cid:",
    ),
    *(b"\xed\xa0\x80", b"\xff\xfe", "Đ".encode(), "e\u0302\u0301".encode(), b"null", b"2024/02/30", b"1212"),
)
FACTS = ("null", "\u202e", "1e3", "2024/02/30", "Đ", "\u00a0", "0", "99", "")
HREFS = ("cid:tep-1", "CID:TEP-1", "cid:%74ep-1", "cid:<tep-1>", "tep-2", "cid:%FF", "file:///etc/passwd")
HEAP = "a" + "\u0315\u0300" * 40_000
"""Marks whose order takes seconds where somebody puts them in one."""

NAMES = (
    *(
        "MessageHeader",
        "from",
        "To",
        "OrganId",
        "DocumentId",
        "Bussiness",
        "business",
        "Manifest",
        "Attachment",
    ),
    *("Content", "Signature", "edXML", "StatusCode", "ResponseFor", "Paper", "x:Subject", "Envelope"),
)
ENCODINGS = (
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "utf-7",
    "latin-1",
    "cp1258",
    "shift_jis",
)


def damaged(seed: int) -> bytes:
    """The damaged letter of that number."""
    dice = random.Random(seed)
    raw = dice.choice(ALIVE)
    for _ in range(dice.randint(1, 3)):
        raw = dice.choice((_in_bytes, _in_bytes, _in_elements, _in_elements, _in_encoding))(raw, dice)
    return raw


def _in_bytes(raw: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(raw) + 1)
    piece = raw[start : start + dice.choice((1, 1, 2, 8, 64, 512))]
    before, after = raw[:start], raw[start + len(piece) :]
    return dice.choice(
        (
            before + dice.randbytes(len(piece)) + after,
            before + after,
            before + piece * dice.choice((2, 3, 200)) + after,
            after + piece + before,
            before + dice.choice(MARKUP) + piece + after,
            before,
        )
    )


def _in_elements(raw: bytes, dice: random.Random) -> bytes:
    try:
        root = etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return raw
    elements = list(root.iter(etree.Element))
    one, other = dice.choice(elements), dice.choice(elements)
    dice.choice((_copied, _dropped, _renamed, _filled, _nested, _beside, _said))(one, other, dice)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=dice.random() < 0.5)


def _copied(one: etree._Element, other: etree._Element, dice: random.Random) -> None:
    other.append(copy.deepcopy(one))


def _dropped(one: etree._Element, other: etree._Element, dice: random.Random) -> None:
    parent = one.getparent()
    if parent is not None:
        parent.remove(one)


def _renamed(one: etree._Element, other: etree._Element, dice: random.Random) -> None:
    one.tag = dice.choice((*NAMES[:-2], etree.QName("urn:x", "Subject").text, other.tag))


def _filled(one: etree._Element, other: etree._Element, dice: random.Random) -> None:
    one.text = dice.choice((*FACTS, "x" * 5_000, HEAP))


def _said(one: etree._Element, other: etree._Element, dice: random.Random) -> None:
    """Attributes, of which only what an href says means anything."""
    name = dice.choice(("href", "{http://www.w3.org/1999/xlink}href", "HREF", "Id", "version"))
    one.set(name, dice.choice((*FACTS, *HREFS, HEAP, "cid:" * 10_000, "<" * 10_000 + ">" * 10_000)))


def _nested(one: etree._Element, other: etree._Element, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 30, 70))):
        one = etree.SubElement(one, dice.choice(NAMES[:10]))


def _beside(one: etree._Element, other: etree._Element, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 5, 300))):
        one.append(etree.Element(dice.choice(NAMES[:10])))


def _in_encoding(raw: bytes, dice: random.Random) -> bytes:
    text = raw.decode(errors="replace")
    if dice.random() < 0.5:
        text = text.partition("?>")[2] or text
    return text.encode(dice.choice(ENCODINGS), errors="replace")


def outcome(raw: bytes) -> str:
    """How the reading ends: `sound`, `unsound`, or the code; anything else is raised."""
    try:
        found = read.read(raw)
    except read.Unreadable as problem:
        return problem.code
    view.facts(found, "en")
    return "sound" if found.sound else "unsound"


def _too_slow(_signal: int, _frame: object) -> None:
    raise TimeoutError(f"over {SECONDS} s")


def campaign(number: int) -> Counter[str]:
    """Read that many; the seed of one that ends otherwise is told, to be made a fixture."""
    resource.setrlimit(resource.RLIMIT_AS, (CAP, CAP))
    signal.signal(signal.SIGVTALRM, _too_slow)
    ends: Counter[str] = Counter()
    for seed in range(number):
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        try:
            ends[outcome(damaged(seed))] += 1
        except BaseException:
            sys.stderr.write(f"damage of seed {seed}\n")
            raise
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return ends


if __name__ == "__main__":
    tried = int(sys.argv[1])
    told = campaign(tried)
    sys.stdout.write(f"{tried} damaged letters read: {dict(told.most_common())}\n")
