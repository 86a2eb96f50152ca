"""B16: what reading letters with all findings costs against a bare parse of the same bytes by lxml.

The letters are of one programme, as nearly all are: alike but for their texts. Each has some 110 elements, a signature of
the whole package and one attached file; no two have the same day, number, recipients or file. The bare parse makes a tree
and looks at nothing. The reader makes none of a letter whose shape it has met: what it does instead is told in
`exchange.edxml.markup` and `planning`. Letters of shapes never met are read in the ordinary way, which is told beside.

The design asks for 1.3 at 200 kB. As in B4, the quickest call of each counts.
"""

import base64
import itertools
import random
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from bench import anchors
from bench.test_verify import timed
from lxml import etree

from exchange.edxml import model, read, write
from signing import keys, seal

FIXTURE = Path(__file__).parents[1] / "edxml" / "fixtures" / "new_dotnet.edxml"
BOUNDS = {143_000: 1.3, 2_000_000: 1.0}  # bytes of the attached file
ORDINARY = 6.0
CALLS = 150
NOW = datetime(2026, 5, 4, tzinfo=UTC)


def letter(number, size):
    """One of the letters, unsigned."""
    dice, message = random.Random(number), read.read(FIXTURE.read_bytes()).message
    encoded = base64.b64encode(dice.randbytes(size)).decode()
    file = replace(
        message.attachments[0], encoded=encoded, content_id=f"{number:032x}", name=f"van_ban_{number}.pdf"
    )
    return replace(
        message,
        document_id=f"000.00.07.H99,2024/03/14,{number}/STN-TTr",
        number=str(number),
        subject=f"Về việc phê duyệt kế hoạch kiểm thử số {number}",
        issued_on=date(2024, 1 + number % 12, 1 + number % 28),
        recipients=tuple(
            replace(one, code=f"H{dice.randrange(10, 99)}.{place}")
            for place, one in enumerate(message.recipients)
        ),
        attachments=(file,),
    )


def letters(size, count):
    """Letters of one shape, in the order of their numbers."""
    key = keys.new_key("p256")
    holder = keys.root("Con dấu", key=key, at=NOW)
    made = [write.write(letter(number, size)) for number in range(100, 100 + count)]
    return [seal.sign_xml(raw, key, holder.certificate, at=NOW) for raw in made]


@pytest.mark.bench
@pytest.mark.parametrize("size", BOUNDS)
def test_b16_reading_against_a_bare_parse(size):
    made = letters(size, 12)
    assert all(read.read(raw).sound for raw in made)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    works = {
        "read": read.read,
        "parse": lambda raw: etree.fromstring(raw, parser),
        "ordinary": lambda raw: read.ordinary(raw, model.LIMITS),
    }
    ours, bare, quickest = against(works, "read", made)
    first, parsed, _ = against(works, "ordinary", made)
    anchors.judge(
        f"B16 read: {quickest:.2f} x a bare parse for {len(made[0])} bytes"
        f" (medians {ours / bare:.2f}, {ours:.3f} ÷ {bare:.3f} ms; of a shape never met {first / parsed:.2f})",
        quickest,
        most=BOUNDS[size],
    )
    assert first < ORDINARY * parsed


def against(works, name, made):
    """Medians of a work and of the bare parse, each meeting another letter than the other just had; ratio of the quickest."""
    ours, bare = itertools.cycle(made), itertools.cycle(made[len(made) // 2 :] + made[: len(made) // 2])
    told = timed({name: lambda: works[name](next(ours)), "parse": lambda: works["parse"](next(bare))}, CALLS)
    (least, usual), (least_bare, usual_bare) = told[name], told["parse"]
    return usual, usual_bare, least / least_bare
