"""Workbooks for tests, good and bad: built part by part, so that each can be wrong in one way."""

import io
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
AGENCY_HEADINGS = ("code", "name", "kind", "level", "valid_from")
AGENCY = ("H13.01", "Sở Nội vụ", "department", "2", "2019-01-01")


def rels(*relations):
    return (
        f'<Relationships xmlns="{PACKAGE}">'
        + "".join(
            f'<Relationship Id="{name}" Type="{OFFICE}/{kind}" Target="{target}"/>'
            for name, kind, target in relations
        )
        + "</Relationships>"
    )


def text(ref, words):
    escaped = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'<c r="{ref}" t="inlineStr"><is><t xml:space="preserve">{escaped}</t></is></c>'


def row(number, cells):
    return f'<row r="{number}">' + "".join(cells) + "</row>"


def sheet(rows, before="", after=""):
    return f'<worksheet xmlns="{MAIN}">{before}<sheetData>{"".join(rows)}</sheetData>{after}</worksheet>'


def lines(*given):
    """Rows of text cells, the first of them row 1."""
    return [
        row(number, [text(f"{chr(65 + at)}{number}", words) for at, words in enumerate(cells) if words])
        for number, cells in enumerate(given, 1)
    ]


def parts(**sheets):
    """The parts of a workbook with these sheets, by title; a sheet is its XML."""
    listed = "".join(
        f'<sheet name="{title}" sheetId="{number}" r:id="rId{number}"/>'
        for number, title in enumerate(sheets, 1)
    )
    relations = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(sheets) + 1)]
    return {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": rels(("rId1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": rels(*relations),
        **{f"xl/worksheets/sheet{n}.xml": raw for n, raw in enumerate(sheets.values(), 1)},
    }


def related(held, *more):
    """The parts with more relations of the workbook."""
    known = held["xl/_rels/workbook.xml.rels"]
    added = rels(*more).partition(">")[2].removesuffix("</Relationships>")
    return {
        **held,
        "xl/_rels/workbook.xml.rels": known.replace("</Relationships>", added + "</Relationships>"),
    }


def packed(held, compression=zipfile.ZIP_DEFLATED):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", compression) as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    return raw.getvalue()


def book(**sheets):
    return packed(parts(**sheets))


def agencies(*rows):
    """A workbook with one sheet of agencies: its headings and these rows of texts."""
    return book(Agencies=sheet(lines(AGENCY_HEADINGS, *rows)))
