import random
import re

import pdf_cases as cases
import pytest
from asn1crypto import cms as asn1_cms
from pyhanko.pdf_utils import generic

NAME, ARRAY = generic.pdf_name, generic.ArrayObject


def loop_in_form(writer):
    field = writer.root["/AcroForm"]["/Fields"][0]
    field[NAME("/Kids")] = ARRAY([writer.root["/AcroForm"]["/Fields"].raw_get(0)] * 2)
    writer.update_container(field)


def loop_in_pages(writer):
    pages = writer.root["/Pages"]
    pages["/Kids"].append(writer.root.raw_get("/Pages"))
    writer.update_container(pages)


def deep(writer):
    value = ARRAY()
    for _ in range(400):
        value = ARRAY([value])
    writer.root[NAME("/Names")] = writer.add_object(value)
    writer.update_root()


@pytest.mark.parametrize(
    "change, kinds",
    [(loop_in_form, ("other",)), (loop_in_pages, ("page_content",)), (deep, ("other",))],
)
def test_loops_and_depths_end(change, kinds):
    verdict = cases.only(cases.updated(cases.by_person(), change))
    assert verdict.passed
    assert not verdict.coverage.whole
    assert verdict.changes_after == kinds


@pytest.mark.timeout(5)
@pytest.mark.parametrize("raw", [cases.page(), cases.by_person()])
def test_a_long_tail_without_a_line_end_costs_nothing(raw):
    tail = raw + b"%" * 50_000_000
    assert [remark.code for remark in cases.judged(tail).remarks] == ["unreadable_pdf"]
    assert [remark.code for remark in cases.judged(tail + b"%%EOF").remarks] == ["unreadable_pdf"]


def test_brackets_without_end():
    raw = cases.by_person()
    offset = raw.index(b"/Lang (vi")
    bomb = raw[:offset] + b"/Lang " + b"[" * 100_000 + raw[offset:]
    assert [remark.code for remark in cases.judged(bomb).remarks] == ["unreadable_pdf"]


def test_flipped_bits_never_pass_for_the_whole_file():
    raw, chance = cases.by_both(), random.Random(20260105)
    start, end = cases.hole_of(raw)
    original = bytes.fromhex(raw[start + 1 : end - 1].decode())
    passed = 0
    for _ in range(400):
        offset = chance.randrange(len(raw))
        altered = bytearray(raw)
        altered[offset] ^= 1 << chance.randrange(8)
        for verdict in cases.judged(bytes(altered)).verdicts:
            if verdict.passed and verdict.coverage.whole:
                passed += 1
                assert start < offset < end - 1
                left = bytes.fromhex(altered[start + 1 : end - 1].decode())
                assert left == original or essence(left) == essence(original)
    assert passed < 40  # a changed letter case of a hexadecimal digit, an unsigned detail of the container


def essence(contents):
    """What a signature says: signed attributes, value, certificates."""
    data = asn1_cms.ContentInfo.load(contents)["content"]
    signer = data["signer_infos"][0]
    return signer["signed_attrs"].dump(), signer["signature"].native, data["certificates"].dump()


def garbage(kind, raw, chance):
    if kind == "noise":
        return b"%PDF-1.7\n" + chance.randbytes(chance.randrange(3000))
    if kind == "shuffled":
        tokens = re.findall(rb"\S{1,40}\s*", raw)
        return b"%PDF-1.7\n" + b"".join(chance.choices(tokens, k=60)) + raw[-200:]
    if kind == "cut":
        return raw[: chance.randrange(len(raw) - 1)]
    altered = bytearray(raw)
    for _ in range(30):
        altered[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(altered)


@pytest.mark.parametrize("kind", ["noise", "shuffled", "cut", "peppered"])
def test_garbage_is_an_answer_and_passes_nothing(kind):
    raw, chance = cases.by_both(), random.Random(7)
    for _ in range(60):
        verdicts = cases.judged(garbage(kind, raw, chance)).verdicts
        assert not any(verdict.passed and verdict.coverage.whole for verdict in verdicts)
