import contextlib
import io
import time
import tracemalloc
import zipfile
from datetime import date, datetime

import openpyxl
import pytest
import xlsx_cases as cases
from hypothesis import given
from hypothesis import strategies as st

from exchange import texts
from exchange.rules import xlsx_cells, xlsx_parts, xlsx_read
from exchange.rules.xlsx_cells import Cell
from exchange.rules.xlsx_parts import UnreadableError

MIDNIGHT = datetime.fromisoformat("2019-01-31")  # a spreadsheet knows no zones


def code(raw, budget=None):
    """The code with which a file is refused; its sentence exists in both languages."""
    with pytest.raises(UnreadableError) as refused:
        xlsx_read.read(raw, budget)
    for language in ("vi", "en"):
        assert texts.say(f"finding.{refused.value.code}", language, **refused.value.facts)
    return refused.value.code


def outcome(raw, budget=None):
    """The book, or the code with which the file is refused."""
    try:
        return xlsx_read.read(raw, budget)
    except UnreadableError as error:
        return error.code


def cells(raw):
    return [(number, list(held)) for number, held in xlsx_read.read(raw).sheets[0].lines]


def saved(fill):
    made = openpyxl.Workbook()
    fill(made.active)
    raw = io.BytesIO()
    made.save(raw)
    return raw.getvalue()


def test_what_a_spreadsheet_library_writes_is_read_with_its_kinds():
    def fill(sheet):
        sheet.append(["Mã", 1, 1.5, 2.0, True, MIDNIGHT, date(2020, 2, 29), "=1+1", None, " x "])
        sheet["A3"] = "H13.01"
        sheet["B3"] = MIDNIGHT.replace(hour=13, minute=45)

    assert cells(saved(fill)) == [
        (
            1,
            [
                Cell(text="Mã"), Cell(text="1", kind="number"), Cell(text="1.5", kind="number"),
                Cell(text="2", kind="number"), Cell(text="true", kind="boolean"), Cell(text="2019-01-31", kind="date"),
                Cell(text="2020-02-29", kind="date"), Cell(text="=1+1", kind="formula"), None, Cell(text=" x "),
            ],
        ),
        (3, [Cell(text="H13.01"), Cell(text="2019-01-31 13:45:00", kind="date")]),
    ]  # fmt: skip


@given(
    st.lists(
        st.one_of(
            st.text(
                st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30
            ),
            st.integers(-(10**12), 10**12),
            st.floats(-1e9, 1e9, allow_nan=False).map(lambda n: round(n, 6)),
            st.dates(date(1900, 3, 1), date(9999, 12, 31)),
            st.booleans(),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_every_value_comes_back_as_openpyxl_means_it(values):
    def fill(sheet):
        for column, value in enumerate(values, 1):
            cell = sheet.cell(1, column)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"

    shown = [None if cell is None else cell.text for _, held in cells(saved(fill)) for cell in held]
    wanted = [said(value) for value in values]
    while wanted and wanted[-1] is None:
        wanted.pop()
    assert shown == wanted


def said(value):
    if isinstance(value, str):
        return xlsx_cells.unescaped(value) if value.strip() else None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


@pytest.mark.parametrize(
    "attributes, held, expected",
    [
        ('t="n"', "<v>13.10</v>", Cell(text="13.1", kind="number")),
        ("", "<v>1E3</v>", Cell(text="1000", kind="number")),
        ("", "<v>0.10000000000000001</v>", Cell(text="0.1", kind="number")),
        ("", "<v>nan</v>", Cell(text="nan", kind="error")),
        ("", "<v>1e999</v>", Cell(text="1e999", kind="error")),
        ("", "<v>x</v>", Cell(text="x", kind="error")),
        ("", "<v></v>", None),
        ('s="7"', "", None),
        ('t="b"', "<v>1</v>", Cell(text="true", kind="boolean")),
        ('t="e"', "<v>#REF!</v>", Cell(text="#REF!", kind="error")),
        ('t="d"', "<v>2019-01-31</v>", Cell(text="2019-01-31", kind="date")),
        ('t="str"', "<v>abc</v>", Cell(text="abc")),
        ('t="str"', "<f>cmd|' /C calc'!A0</f><v>abc</v>", Cell(text="=cmd|' /C calc'!A0", kind="formula")),
        ("", '<f t="shared" si="0"/><v>3</v>', Cell(text="=", kind="formula")),
        ('t="inlineStr"', "<is><r><t>Sở </t></r><r><t>Nội vụ</t></r></is>", Cell(text="Sở Nội vụ")),
        ('t="inlineStr"', "<is><t>東</t><rPh><t>ひがし</t></rPh></is>", Cell(text="東")),
        ('t="inlineStr"', "<is><t>a_x000D_b_xD800_</t></is>", Cell(text="a\rb_xD800_")),
        ('t="inlineStr"', "<is><t>  </t></is>", None),
    ],
    ids=[
        "number", "exponent", "digits", "nan", "infinite", "no number", "empty", "formatted", "boolean", "error",
        "date", "result", "formula", "shared formula", "runs", "phonetic", "escapes", "blanks",
    ],
)  # fmt: skip
def test_a_cell_of_every_kind(attributes, held, expected):
    raw = cases.book(
        x=cases.sheet([f'<row r="1"><c r="A1" {attributes}>{held}</c><c r="B1"><v>1</v></c></row>'])
    )
    assert cells(raw)[0][1][0] == expected


STYLES = f"""<styleSheet xmlns="{cases.MAIN}"><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/>
<numFmt numFmtId="165" formatCode="&quot;day &quot;0.00"/><numFmt numFmtId="166" formatCode="[Red]0"/></numFmts>
<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/></cellXfs></styleSheet>"""


@pytest.mark.parametrize(
    "style, epoch, serial, expected",
    [
        (0, "0", "43496", Cell(text="43496", kind="number")),
        (1, "0", "43496", Cell(text="2019-01-31", kind="date")),
        (2, "0", "43496", Cell(text="2019-01-31", kind="date")),
        (3, "0", "43496", Cell(text="43496", kind="number")),
        (4, "0", "43496", Cell(text="43496", kind="number")),
        (9, "0", "43496", Cell(text="43496", kind="number")),
        (1, "1", "43496", Cell(text="2023-02-01", kind="date")),
        (1, "0", "1", Cell(text="1900-01-01", kind="date")),
        (1, "0", "61", Cell(text="1900-03-01", kind="date")),
        (1, "0", "43496.5", Cell(text="2019-01-31 12:00:00", kind="date")),
        (1, "0", "-1", Cell(text="-1", kind="error")),
        (1, "0", "99999999", Cell(text="99999999", kind="error")),
    ],
    ids=str,
)
def test_days_are_told_by_their_format(style, epoch, serial, expected):
    held = cases.parts(x=cases.sheet([f'<row r="1"><c r="A1" s="{style}"><v>{serial}</v></c></row>']))
    held["xl/workbook.xml"] = held["xl/workbook.xml"].replace(
        "<sheets>", f'<workbookPr date1904="{epoch}"/><sheets>'
    )
    held = cases.related({**held, "xl/styles.xml": STYLES}, ("rId90", "styles", "styles.xml"))
    assert cells(cases.packed(held)) == [(1, [expected])]


def test_rows_without_numbers_and_wrong_dimensions_are_read_all_the_same():
    rows = ["<row><c><v>1</v></c><c><v>2</v></c></row>", '<row r="5"><c r="B5"><v>3</v></c></row>']
    raw = cases.book(x=cases.sheet(rows, before='<dimension ref="A1:A1"/>'))
    assert [(number, [cell and cell.text for cell in held]) for number, held in cells(raw)] == [
        (1, ["1", "2"]),
        (5, [None, "3"]),
    ]


# ---- files that no honest program writes ------------------------------------------------------------------------

GOOD = cases.parts(Agencies=cases.sheet(cases.lines(cases.AGENCY_HEADINGS, cases.AGENCY)))
RAW = cases.packed(GOOD)
BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "1"><!ENTITY b "&a;&a;">]>'
SHEET = "xl/worksheets/sheet1.xml"


def changed(**given):
    names = {
        "sheet": SHEET,
        "book": "xl/workbook.xml",
        "rels": "xl/_rels/workbook.xml.rels",
        "root": "_rels/.rels",
    }
    return cases.packed({**GOOD, **{names[name]: content for name, content in given.items()}})


def rows(*each):
    return changed(sheet=cases.sheet(each))


def without(name):
    return cases.packed({part: content for part, content in GOOD.items() if part != name})


def with_part(name, content="x"):
    return cases.packed({**GOOD, name: content})


def doubled():
    raw = io.BytesIO(RAW)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(raw, "a") as archive:
        archive.writestr(SHEET, GOOD[SHEET])
    return raw.getvalue()


def flagged(bit):
    """Every entry says that it is encrypted, in both places where that is said."""
    raw = bytearray(RAW)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.find(mark)
        while at >= 0:
            raw[at + offset] |= bit
            at = raw.find(mark, at + 4)
    return bytes(raw)


def bent(at_share):
    raw = bytearray(cases.packed(GOOD, zipfile.ZIP_DEFLATED))
    at = raw.find(b"sheet1.xml") + 10 + int(100 * at_share)
    raw[at] ^= 0xFF
    return bytes(raw)


HOSTILE = {
    "nothing": (lambda: b"", "sheet_not_workbook"),
    "text": (lambda: b"code,name\nH13,x\n", "sheet_not_workbook"),
    "zeros": (lambda: bytes(10_000), "sheet_not_workbook"),
    "old xls, or encrypted": (lambda: bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1000), "sheet_workbook_locked"),
    "encrypted entries": (lambda: flagged(1), "sheet_workbook_locked"),
    "larger than any": (lambda: bytes(xlsx_parts.MAX_FILE_BYTES + 1), "sheet_too_large"),
    "cut in the middle": (lambda: RAW[: len(RAW) // 2], "sheet_not_workbook"),
    "cut at the end": (lambda: RAW[:-10], "sheet_not_workbook"),
    "another zip": (lambda: cases.packed({"a.txt": "x"}), "sheet_not_workbook"),
    "empty zip": (lambda: cases.packed({}), "sheet_not_workbook"),
    "a part twice": (doubled, "sheet_workbook_damaged"),
    "a part twice by case": (lambda: with_part("XL/Worksheets/SHEET1.xml"), "sheet_workbook_damaged"),
    "a part twice by path": (lambda: with_part("xl/./worksheets/../worksheets/sheet1.xml"), "sheet_workbook_damaged"),
    "too many parts": (lambda: cases.packed({**GOOD, **{f"x{n}": "" for n in range(600)}}), "sheet_workbook_damaged"),
    "bzip2": (lambda: cases.packed(GOOD, zipfile.ZIP_BZIP2), "sheet_workbook_damaged"),
    "lzma": (lambda: cases.packed(GOOD, zipfile.ZIP_LZMA), "sheet_workbook_damaged"),
    "bits flipped": (lambda: bent(0.3), "sheet_workbook_damaged"),
    "no workbook part": (lambda: without("xl/workbook.xml"), "sheet_workbook_damaged"),
    "no relations": (lambda: without("xl/_rels/workbook.xml.rels"), "sheet_not_workbook"),
    "no root relations": (lambda: without("_rels/.rels"), "sheet_not_workbook"),
    "no sheet part": (lambda: without(SHEET), "sheet_workbook_damaged"),
    "two workbooks": (
        lambda: changed(root=cases.rels(*[(f"r{n}", "officeDocument", "xl/workbook.xml") for n in (1, 2)])),
        "sheet_not_workbook",
    ),
    "binary workbook": (
        lambda: changed(root=cases.rels(("r1", "officeDocument", "xl/workbook.bin"))), "sheet_not_workbook"
    ),
    "macros": (lambda: with_part("xl/vbaProject.bin"), "sheet_workbook_macros"),
    "macros under another name": (
        lambda: cases.packed(cases.related(GOOD, ("rId9", "vbaProject", "x.dat"))), "sheet_workbook_macros"
    ),
    "old macro sheets": (lambda: with_part("xl/macrosheets/sheet1.xml"), "sheet_workbook_macros"),
    "entities in a sheet": (lambda: changed(sheet=BOMB + GOOD[SHEET]), "sheet_workbook_doctype"),
    "entities in the workbook": (lambda: changed(book=BOMB + GOOD["xl/workbook.xml"]), "sheet_workbook_doctype"),
    "entities in relations": (lambda: changed(rels=BOMB + GOOD["_rels/.rels"]), "sheet_workbook_doctype"),
    "outside entity": (
        lambda: changed(sheet='<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x">' + GOOD[SHEET]), "sheet_workbook_doctype"
    ),
    "no XML": (lambda: changed(sheet="sheet"), "sheet_workbook_damaged"),
    "empty XML": (lambda: changed(sheet=""), "sheet_workbook_damaged"),
    "unknown encoding": (
        lambda: changed(sheet='<?xml version="1.0" encoding="klingon"?>' + GOOD[SHEET]), "sheet_workbook_damaged"
    ),
    "not utf-8": (lambda: changed(sheet=GOOD[SHEET].encode() + b"\xff\xfe"), "sheet_workbook_damaged"),
    "undeclared entity": (lambda: changed(sheet=GOOD[SHEET].replace("Sở", "&lol;")), "sheet_workbook_damaged"),
    "strict namespace": (
        lambda: changed(book=GOOD["xl/workbook.xml"].replace(cases.MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main")),
        "sheet_not_workbook",
    ),
    "sheet in another namespace": (
        lambda: changed(sheet=GOOD[SHEET].replace(cases.MAIN, "urn:x")), "sheet_workbook_damaged"
    ),
    "no sheets": (lambda: changed(book=f'<workbook xmlns="{cases.MAIN}"/>'), "sheet_not_workbook"),
    "many sheets": (
        lambda: cases.book(**{f"s{n}": cases.sheet([]) for n in range(60)}), "sheet_workbook_damaged"
    ),
    "one part as two sheets": (
        lambda: changed(book=GOOD["xl/workbook.xml"].replace("<sheets>", '<sheets><sheet name="x" r:id="rId1"/>')),
        "sheet_workbook_damaged",
    ),
    "rows out of order": (lambda: rows('<row r="5"/>', '<row r="2"/>'), "sheet_workbook_damaged"),
    "a row twice": (lambda: rows('<row r="2"/>', '<row r="2"/>'), "sheet_workbook_damaged"),
    "row 0": (lambda: rows('<row r="0"/>'), "sheet_workbook_damaged"),
    "row -1": (lambda: rows('<row r="-1"/>'), "sheet_workbook_damaged"),
    "row beyond the last": (lambda: rows('<row r="1048577"/>'), "sheet_workbook_damaged"),
    "row number of 5,000 digits": (lambda: rows(f'<row r="{"9" * 5000}"/>'), "sheet_workbook_damaged"),
    "cell in another row": (lambda: rows('<row r="2"><c r="A3"/></row>'), "sheet_workbook_damaged"),
    "a cell twice": (
        lambda: rows('<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>'), "sheet_workbook_damaged"
    ),
    "cells out of order": (
        lambda: rows('<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>2</v></c></row>'), "sheet_workbook_damaged"
    ),
    "no such place": (lambda: rows('<row r="1"><c r="ZZZZ1"/></row>'), "sheet_workbook_damaged"),
    "beyond the last column": (lambda: rows('<row r="1"><c r="XFE1"/></row>'), "sheet_workbook_damaged"),
    "filled far out": (lambda: rows('<row r="1"><c r="XFD1"><v>1</v></c></row>'), "sheet_workbook_wide"),
    "no such shared string": (
        lambda: rows('<row r="1"><c r="A1" t="s"><v>7</v></c></row>'), "sheet_workbook_damaged"
    ),
    "a negative shared string": (
        lambda: rows('<row r="1"><c r="A1" t="s"><v>-1</v></c></row>'), "sheet_workbook_damaged"
    ),
    "too deep": (lambda: rows("<a>" * 100 + "</a>" * 100), "sheet_workbook_too_large"),
    "one huge tag": (lambda: rows(f'<row x="{"y" * (3 << 20)}"/>'), "sheet_workbook_too_large"),
    "too many rows": (
        lambda: rows(*(f"<row><c><v>{n}</v></c></row>" for n in range(xlsx_cells.MAX_LINES + 1))), "sheet_workbook_long"
    ),
    "too many shared strings": (
        lambda: cases.packed(
            cases.related(
                {**GOOD, "xl/sharedStrings.xml": f'<sst xmlns="{cases.MAIN}">{"<si/>" * 500_001}</sst>'},
                ("rId9", "sharedStrings", "sharedStrings.xml"),
            )
        ),
        "sheet_workbook_too_large",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_a_code(name):
    make, expected = HOSTILE[name]
    assert code(make()) == expected


OVER_BUDGET = {
    "a bomb of spaces": (lambda: rows(" " * 5_000_000), {"bytes": 1_000_000}),
    "a bomb of elements": (lambda: rows("<row>" + "<c/>" * 100_000), {"elements": 50_000}),
    "two parts over the budget together": (
        lambda: cases.book(**{title: cases.sheet([" " * 600_000]) for title in "ab"}), {"bytes": 1_000_000}
    ),
    "cells": (lambda: rows("<row>" + "<c><v>1</v></c>" * 90 + "</row>"), {"cells": 80}),
    "characters of cells": (lambda: rows("<row>" + "<c><v>12</v></c>" * 90 + "</row>"), {"characters": 170}),
    "one long string often": (
        lambda: cases.packed(
            cases.related(
                {
                    **GOOD,
                    "xl/sharedStrings.xml": f'<sst xmlns="{cases.MAIN}"><si><t>{"x" * 4_000}</t></si></sst>',
                    SHEET: cases.sheet(["<row>" + '<c t="s"><v>0</v></c>' * 50 + "</row>"]),
                },
                ("rId9", "sharedStrings", "sharedStrings.xml"),
            )
        ),
        {"characters": 100_000},
    ),
    "shared strings": (
        lambda: cases.packed(
            cases.related(
                {**GOOD, "xl/sharedStrings.xml": f'<sst xmlns="{cases.MAIN}">{"<si><t>1234</t></si>" * 300}</sst>'},
                ("rId9", "sharedStrings", "sharedStrings.xml"),
            )
        ),
        {"characters": 1_000},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OVER_BUDGET)
def test_a_file_that_takes_more_than_its_budget_is_refused(name):
    make, budget = OVER_BUDGET[name]
    raw = make()
    assert code(raw, xlsx_parts.Budget(**budget)) == "sheet_workbook_too_large"
    ample = xlsx_parts.Budget(**{part: most * 100 for part, most in budget.items()})
    assert outcome(raw, ample) != "sheet_workbook_too_large"


def test_the_same_parts_without_a_fault_are_read():
    assert len(cells(RAW)) == 2
    assert len(cells(with_part("xl/media/image1.png"))) == 2


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255), st.integers(0, len(RAW)))
def test_no_damaged_file_raises_anything_else(at, change, length):
    raw = bytearray(RAW)
    raw[at] ^= change
    for damaged in (bytes(raw), RAW[:length], bytes(raw)[:length] + RAW[length:]):
        read = outcome(damaged)
        assert read.startswith("sheet_") if isinstance(read, str) else len(read.sheets) <= 1


@given(st.binary(max_size=300))
def test_no_sheet_of_any_bytes_raises_anything_else(raw):
    held = {**GOOD, SHEET: f'<worksheet xmlns="{cases.MAIN}"><sheetData>'.encode() + raw}
    with pytest.raises(UnreadableError):
        xlsx_read.read(cases.packed(held))


TAGS = st.sampled_from(["row", "c", "v", "f", "is", "t", "rPh", "mergeCell", "sheetData", "x"])
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["r", "t", "s", "ref", "si"]),
    st.sampled_from(
        ["1", "2", "A1", "B1", "A2", "s", "inlineStr", "str", "b", "e", "d", "n", "", "-1", "ZZZ9"]
    ),
    max_size=3,
)


@given(
    st.recursive(
        st.text("aé1 ", max_size=3), lambda inner: st.tuples(TAGS, ATTRIBUTES, st.lists(inner, max_size=4))
    )
)
def test_no_tree_of_known_tags_raises_anything_else(tree):
    def written(node):
        if isinstance(node, str):
            return node
        name, attributes, inner = node
        said = "".join(f' {key}="{value}"' for key, value in attributes.items())
        return f"<{name}{said}>{''.join(map(written, inner))}</{name}>"

    read = outcome(rows(written(tree)))
    assert not isinstance(read, str) or read.startswith("sheet_workbook")


def peak(raw, budget=None):
    """The most memory that reading took, whatever came of it."""
    tracemalloc.start()
    try:
        with contextlib.suppress(UnreadableError):
            xlsx_read.read(raw, budget)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def empties(count):
    empty = "".join(f'<row r="{number}"><c r="A{number}" s="1"/></row>' for number in range(3, count))
    return rows(*cases.lines(cases.AGENCY_HEADINGS, cases.AGENCY), empty)


def test_formatted_empty_rows_take_no_memory():
    assert len(cells(empties(1_000))) == 2
    assert peak(empties(20_000)) < 1.5 * peak(empties(5_000))


def test_a_bomb_takes_no_memory_before_it_is_refused():
    def bomb(count):
        return rows("<row>" + "<c/>" * count)

    assert peak(bomb(100_000), xlsx_parts.Budget(elements=80_000)) < 1.5 * peak(bomb(20_000))


@pytest.mark.long
def test_a_million_formatted_empty_rows_are_passed_over():
    assert len(cells(empties(xlsx_cells.MAX_ROW))) == 2


@pytest.mark.long
def test_a_million_rows_of_ten_formatted_cells_are_too_many():
    inner = "".join(f'<c r="{letter}%d" s="1"/>' for letter in "ABCDEFGHIJ")
    empty = "".join(f'<row r="{n}">{inner.replace("%d", str(n))}</row>' for n in range(1, xlsx_cells.MAX_ROW))
    assert code(rows(empty)) == "sheet_workbook_too_large"


def test_text_in_many_pieces_costs_no_more_than_its_length():
    """A cell of as many pieces as text is as quick to the letter as one of few."""

    def took(raw):
        started = time.perf_counter()
        xlsx_read.read(raw)
        return time.perf_counter() - started

    def pieces(count):
        return rows(f'<row r="1"><c r="A1" t="inlineStr"><is><t>{"a<x/>" * count}</t></is></c></row>')

    few, many = pieces(4_000), pieces(40_000)
    assert min(took(many) for _ in range(3)) < 40 * min(took(few) for _ in range(3))


def test_the_letters_of_columns_go_both_ways():
    for number in (1, 26, 27, 52, 702, 703, 16_384):
        assert xlsx_cells.place(f"{xlsx_cells.letters(number)}7") == (7, number)
    assert [xlsx_cells.place(named) for named in ("A0", "1A", "a1", "XFE1", "A1048577", "")] == [None] * 6
