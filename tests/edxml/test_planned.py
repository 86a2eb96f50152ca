"""Reading by a plan: whatever it answers is what the ordinary reading tells, to the last field; and it holds little memory.

The ordinary reading (`read.ordinary`) knows nothing of shapes: it parses and walks. Letters are changed in texts, values of
attributes and markup, so that a wrong belief about where markup ends shows as another letter, or as a letter at all.
"""

import dataclasses
import random
import re
import tracemalloc
from pathlib import Path

import letters_generated
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.edxml import codes, markup, model, planned, planning, read, write

FIXTURES = Path(__file__).parent / "fixtures"
LETTER = (FIXTURES / "revoke_java.edxml").read_bytes()
OF_MANY_FILES = (FIXTURES / "new_gateway_three_attachments.edxml").read_bytes()
TEXT = re.compile(rb">([^<>]*)<")
VALUE = re.compile(rb"=(\"[^\"]*\"|'[^']*')")
LONG = b"QUJD" * 10_000

TEXTS = (
    *(
        b"",
        b" ",
        b"null",
        b"2024/02/30",
        b"14/03/2024",
        b"0",
        b"2",
        b"9",
        b"-1",
        b"1e3",
        b"x" * 300,
        b"x" * 5_000,
    ),
    *("\u202ex".encode(), "\u00a0".encode(), " \u2003 ".encode(), "\u0085".encode(), "Đ".encode() * 200),
    *("\ufffe".encode(), "\uffff".encode(), b"\xff", b"\xed\xa0\x80", b"\0", b"\x0b", b"\x1f", b"\x7f"),
    *(
        b"a\r\nb",
        b"a\rb",
        b"a\nb\n",
        b"]]>",
        b"a > b",
        b"&amp;",
        b"&#x202e;",
        b"<!-- c -->",
        b"<?x?>",
        b"<x/>",
    ),
    *(b"cid:cid: x", b"a/b.pdf", b"con.txt", b'"q"', b"<![CDATA[x]]>", b"QUJD\n", b"\n" * 70_000, b"<a b='"),
    *(
        LONG,
        LONG + b"\n" + LONG,
        LONG + b"\r\n" + LONG,
        LONG + b"\r" + LONG,
        LONG + b"\x01",
        LONG + b">" + LONG,
    ),
    *(
        LONG + b"&amp;",
        LONG + "Đ".encode(),
        LONG + b"\n" * 20_000,
        b"\n" * 20_000,
        LONG * 3,
        LONG + b"]]>" + LONG,
        b"<a b='" + LONG,
        b"&#13;\n".join([LONG] * 3),
        LONG + b"&#10;" + LONG,
        LONG + b"&" + LONG,
    ),
    *(
        b"&lt;x/&gt;",
        b"&amp;amp;",
        b"&amp;#13;",
        b"&quot;&apos;",
        b"&#13;",
        b"a&#13;&#10;b",
        b"&#xA;",
        b"&#9;",
        b"&#32;",
    ),
    *(b"&#133;", b"&#160;", b"&#xe9;", b"&#x1F600;", b"&#x00000d;", b"&#0000065;", b"&#000000065;"),
    *(
        b"&#0;",
        b"&#1;",
        b"&#x1f;",
        b"&#127;",
        b"&#xFFFE;",
        b"&#xFFFF;",
        b"&#xD800;",
        b"&#x10FFFF;",
        b"&#x110000;",
        b"&#9999999;",
    ),
    *(
        b"&",
        b"& ",
        b"&;",
        b"&#;",
        b"&#x;",
        b"&#X41;",
        b"&amp",
        b"&nbsp;",
        b"&AMP;",
        b"&x;&amp;",
        b"&amp;" * 300,
        b"]]&gt;",
        b"]]>&amp;",
    ),
)
VALUES = (
    b'"x"',
    b"'x'",
    b'"a&amp;b"',
    b'"&#13;"',
    b'"&"',
    b"\"x y='b'\"",
    b"'x\" y=\"'",
    b'"a>b"',
    b'"a<b"',
    b'"&amp;"',
    b'"\n"',
    b'""',
    b'"',
    b"",
    b'"x>HELLO<z w="',
    b'"x" v="x>HELLO<z w="x"',
    b'"' + b"x" * 2_100 + b'"',
)
MARKUP = (
    *(
        b' a="1"',
        b"\n a='1'",
        b' xml:id="1"',
        b' Id="x" Id="y"',
        b' p:a="1"',
        b' xmlns:p="urn:p" p:a="1"',
        b"  ",
    ),
    *(
        b' xmlns=""',
        b' xmlns:q="a b"',
        b' xmlns="urn:other"',
        b' a = "1"',
        b"/",
        b' a="\n\n"',
        b"<",
        b">",
        b'"',
    ),
    *(b' xmlns:p="u" xmlns:q="u" p:a="" q:a=""', b"--", b"!--", b"?", b"&", b"\r\n", b'=""'),
)
STARTS = (
    *(b"", b"\n", b"x", b"\xef\xbb\xbf", b"<?xml version='1.0' encoding='utf-8'?>", b'<?xml version="1.1"?>'),
    *(
        b'<?xml version="1.0" encoding="us-ascii"?>',
        b' <?xml version="1.0"?>',
        b"<!-- c -->",
        b"<?x?>",
        b"<!DOCTYPE x>",
    ),
    *(
        b'<?xml version="1.0" standalone="no"?>',
        b'<?xml version="1.0" encoding="utf-16"?>',
        b"<!-- a='b' -->",
        b"<!--a--b-->",
    ),
    *(b"&#32;", b"<!-- c -->&#32;", b"<?xml version='1.0'?>&#32;<!-- c -->", b"<!-- &amp; -->"),
)
PLANNED_STARTS = (*STARTS[3:5], b'<?xml version="1.0" standalone="no"?>', b"<!-- c -->")
ENDS = (
    b"",
    b"&#32;",
    b"<!-- c -->&#32;",
    b"&#32;<!-- c -->",
    b"<!-- &amp; -->",
    b"\n",
    b"\r\n",
    b"x",
    b"<!-- c -->",
    b"<a/>",
    "\u00a0".encode(),
    b"\0",
    b"<",
    b">",
)


def outcome(reader, raw):
    """All that a reading tells, also what is left out of comparisons; or why there is none."""
    try:
        return told(reader(raw, model.LIMITS))
    except model.Unreadable as problem:
        return problem.code, problem.detail, problem.findings


def told(record):
    if dataclasses.is_dataclass(record):
        return type(record), *(told(getattr(record, field.name)) for field in dataclasses.fields(record))
    return tuple(map(told, record)) if isinstance(record, tuple) else record


def is_same(raw):
    """Whether a plan answered; it must not have answered anything else than the ordinary reading."""
    found = planned.read(raw, model.LIMITS)
    assert outcome(read.read, raw) == outcome(read.ordinary, raw)
    return found is not None


def put(raw, span, text):
    return raw[: span[0]] + text + raw[span[1] :]


def in_texts(raw, dice):
    found = [match.span(1) for match in TEXT.finditer(raw)]
    return put(raw, dice.choice(found), dice.choice(TEXTS)) if found else raw


def in_values(raw, dice):
    found = [match.span(1) for match in VALUE.finditer(raw)]
    return put(raw, dice.choice(found), dice.choice(VALUES)) if found else raw


def in_markup(raw, dice):
    found = [match.end(0) for match in re.finditer(rb"<[^\s<>]+", raw)]
    at = dice.choice(found) if found else 0
    return put(raw, (at, at), dice.choice(MARKUP))


def around(raw, dice):
    return dice.choice(STARTS) + raw.partition(b"?>")[2] + dice.choice(ENDS)


def in_lines(raw, _dice):
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


CHANGES = (in_texts, in_texts, in_texts, in_values, in_markup, around, in_lines)


@settings(max_examples=25, deadline=None)
@given(letters_generated.any_letter(), st.integers(0, 1 << 30))
def test_any_letter_is_read_as_without_a_plan(letter, seed):
    dice, raw = random.Random(seed), write.write(letter)
    is_same(raw)
    for _ in range(6):
        changed = dice.choice(CHANGES)(raw, dice)
        is_same(changed)
        is_same(dice.choice(CHANGES)(changed, dice))


@pytest.mark.parametrize("change", dict.fromkeys(CHANGES), ids=lambda change: change.__name__)
@pytest.mark.parametrize("raw", [LETTER, OF_MANY_FILES], ids=["revocation", "three files"])
def test_a_changed_letter_is_read_as_without_a_plan(raw, change):
    dice = random.Random(7)
    answered = [is_same(change(raw, dice)) for _ in range(60)]
    assert any(answered)
    assert change is in_lines or not all(answered)


@pytest.mark.long
def test_many_changed_letters_are_read_as_without_a_plan():
    files = sorted(FIXTURES.rglob("*.edxml"))
    for seed in range(20_000):
        dice = random.Random(seed)
        raw = dice.choice(files).read_bytes()
        for _ in range(dice.randint(1, 3)):
            raw = dice.choice(CHANGES)(raw, dice)
        is_same(raw)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize(
    "place", [b"<edXML:Subject>", b"</edXML:Subject>", b"<edXML:X509Certificate>", b"[QUJD]"]
)
def test_every_text_in_a_value_beside_in_a_signature_and_in_a_file(place, text):
    certificate = b"<edXML:Signature><edXML:X509Certificate>QUJD</edXML:X509Certificate></edXML:Signature>"
    raw = LETTER.replace(b"</edXML:edXMLHeader>", certificate + b"</edXML:edXMLHeader>")
    raw = raw.replace(b"</edXML:ContentTransferEncoded>", b"[QUJD]</edXML:ContentTransferEncoded>")
    assert raw.count(place) == 1
    assert is_same(raw)
    is_same(raw.replace(place, place + text))


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
@pytest.mark.parametrize("place", [b"<edXML:Subject a=", b"<Reference URI="])
def test_every_value(place, value):
    raw = LETTER.replace(b"<edXML:Subject", b'<edXML:Subject a=""')
    assert raw.count(place + b'""') == 1
    assert is_same(raw)
    is_same(raw.replace(place + b'""', place + value))
    bare = raw[: raw.index(b"<edXML:edXMLBody>")] + b"</edXML:edXMLEnvelope></edXML>"
    is_same(bare.replace(place + b'""', place + value))


@pytest.mark.parametrize("raw", [b"<>", b"x<>y", b"\xef\xbb\xbf<>", b"<><>", b"<?><>", b"<", b""])
def test_markup_without_any_name(raw):
    assert not is_same(raw)


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("operation", [b"0", b"1", b"2"])
def test_the_number_of_a_value_is_never_taken_for_a_code(before, operation):
    """The way stands first, so its values have the lowest numbers, and that of the operation is one of the codes."""
    ways, code = (
        re.search(rb"<(edXML:TraceHeaderList)>.*</\1>", LETTER, re.DOTALL),
        b"<edXML:OrganId>H1</edXML:OrganId>",
    )
    time = b"<edXML:Timestamp>2024/03/06 09:00:00</edXML:Timestamp>"
    hops = [code + time] * (before // 2) + [code] * (before % 2)
    made = b"".join(b"<edXML:TraceHeader>%b</edXML:TraceHeader>" % hop for hop in hops)
    way = re.sub(rb"<(edXML:TraceHeader)>.*</\1>", made, ways[0], flags=re.DOTALL)
    way = way.replace(b"DocType>1<", b"DocType>%b<" % operation)
    raw = LETTER.replace(ways[0], b"").replace(b"<edXML:MessageHeader>", way + b"<edXML:MessageHeader>")
    assert read.read(raw).message.operation == codes.OPERATION_OF[operation.decode()]
    assert is_same(raw)


def test_a_long_value_beside_a_namespace_is_refused_as_without_a_plan():
    """Which of a tag's values is the name of a namespace, nobody asks who looks at bytes alone."""
    raw = OF_MANY_FILES.replace(b"<edXML:edXMLManifest ", b'<edXML:edXMLManifest xmlns:q="u" a="" ', 1)
    assert raw != OF_MANY_FILES
    assert is_same(raw)
    assert not is_same(raw.replace(b'a=""', b'a="' + b"x" * 2_100 + b'"'))
    for text in (b"x='" + LONG, LONG + b'="' + LONG, LONG + b" = '", b"'" + LONG):
        file = raw.replace(b"</ContentTransferEncoded>", text + b"</ContentTransferEncoded>", 1)
        is_same(file)
        is_same(file.replace(b'a=""', b'a="x=\'"'))


class Walked(bytes):
    """Bytes that count how many of them are walked over backwards."""

    far = 0

    def rfind(self, sought, start, end):
        found = super().rfind(sought, start, end)
        self.far += end - max(found, start)
        return found


def test_looking_for_long_texts_takes_no_longer_than_their_length():
    hostile = Walked((b"a" * 2 * markup.STRIDE + b"<") * 100)
    assert markup._runs(hostile) == [(0, 2 * markup.STRIDE)]
    assert 0 < hostile.far < len(hostile)
    assert len(markup._runs(b"<a>" + hostile.replace(b"<", b"<b>"))) == 100


@pytest.mark.parametrize("length", [1, 15, 63, 64, 65, 130, 40_000])
def test_a_forbidden_character_is_found_wherever_it_stands(length):
    """At any distance from the edges of what a processor looks at in one step."""
    forbidden = [*(code for code in range(0x20) if code not in b"\t\n\r")]
    for place in {*range(min(length, 130)), length - 1, length // 2}:
        text = bytearray(b"x" * length)
        for code in forbidden:
            text[place] = code
            assert markup.cut(b"<a>%b</a>" % text) is None, (code, place)
        for code in {*range(0x80)} - {*forbidden, *b"<>&\r"}:
            text[place] = code
            assert markup.cut(b"<a>%b</a>" % text), (code, place)


@pytest.mark.parametrize("text", [b"&amp;", b"&#65;", b"&#x41;"])
def test_a_letter_of_many_references_is_the_parsers(text):
    """Some hundreds are read by the plan; thousands would take it many times as long as the parser."""

    def of(count):
        return LETTER.replace(
            b"</edXML:ContentTransferEncoded>", text * count + b"</edXML:ContentTransferEncoded>"
        )

    before = LETTER.count(b"&") - LETTER.count(b"&#13;")
    assert is_same(of(markup.MOST_REFERENCES - before))
    assert not is_same(of(markup.MOST_REFERENCES - before + 1))
    assert not is_same(of(200_000))


def test_every_angle_bracket_matters():
    places = [match.start() for match in re.finditer(rb"[<>]", LETTER)]
    for place in places[::3]:
        other = b"<" if LETTER[place] == ord(">") else b">"
        assert not is_same(put(LETTER, (place, place + 1), other))


@pytest.mark.parametrize("start", STARTS, ids=range(len(STARTS)))
def test_every_start_and_end(start):
    body = LETTER.partition(b"?>")[2]
    answered = [is_same(start + body + end) for end in ENDS]
    assert any(answered) == (start in STARTS[:2] or start in PLANNED_STARTS)


@pytest.mark.parametrize(
    "before",
    [b"", b"\n" * 20_000, LONG + b"\n" * 3, b"x\n" * 12_000],
    ids=["as it is", "lines", "long", "middle"],
)
def test_lines_are_counted_through_texts_of_every_length(before):
    raw = OF_MANY_FILES.replace(b"</ContentTransferEncoded>", b"\n" + LONG + b"\n</ContentTransferEncoded>")
    raw = raw.replace(
        b"<edXML:edXMLBody>",
        b"<edXML:Signature><a>" + before + b"</a></edXML:Signature>\n<edXML:edXMLBody>",
        1,
    )
    assert is_same(raw)


def test_budgets_are_those_of_the_caller():
    assert planned.read(OF_MANY_FILES, model.LIMITS)
    tight = {"bytes": len(OF_MANY_FILES) - 1, "elements": 50, "depth": 4, "attachments": 2, "text": 10}
    for name, most in tight.items():
        assert planned.read(OF_MANY_FILES, dataclasses.replace(model.LIMITS, **{name: most})) is None


def of_shape(number, names=0):
    """A letter with so many unusual attributes, and a name that no other number has."""
    unusual = b"".join(b' a%d-%d=""' % (number, name) for name in range(names or 1))
    return LETTER.replace(b"<edXML:TraceHeaderList", b"<edXML:TraceHeaderList" + unusual, 1)


def test_a_large_shape_is_not_remembered():
    before = planning._remembered.cache_info()
    assert is_same(of_shape(1, names=3_000)) is False
    many = LETTER.replace(
        b"</edXML:TraceHeader>", b"</edXML:TraceHeader>" + b"<edXML:TraceHeader/>" * markup.MOST_PIECES, 1
    )
    assert is_same(many) is False
    assert planning._remembered.cache_info() == before


def test_hostile_shapes_hold_little_memory():
    planning._remembered.cache_clear()
    tracemalloc.start()
    try:
        for number in range(40):
            assert planned.read(of_shape(number, names=1_000), model.LIMITS)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert planning._remembered.cache_info().currsize == 40
    assert held / 40 * planning.SHAPES < 32 << 20
    for number in range(planning.SHAPES + 10):
        planned.read(of_shape(number), model.LIMITS)
    assert planning._remembered.cache_info().currsize == planning.SHAPES
