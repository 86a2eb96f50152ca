"""Where too few registers are loaded no headline is in percent, in no form that a report is written in; where enough are, every one is."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from uuid import uuid4

import openpyxl
import paper_cases as paper
import pytest

from exchange.cli import report_table
from exchange.cli import tally as cli_tally
from exchange.rules import working_days
from exchange.store import rows
from exchange.store import tally as store
from exchange.tracker import signature_usage, tally
from exchange.tracker.forms import printed
from exchange.tracker.forms.wanted import Periodic
from exchange.tracker.measures import Means
from exchange.tracker.reports import make, periodic, periodic_made, periodic_said, workbook, written
from exchange.tracker.reports.report import Report, Table
from exchange.tracker.signature_usage import Asked
from signing import trust

AT = datetime(2026, 11, 21, 5, tzinfo=UTC)
FACTS = {"A": {"E": 5_000}, "B": {"E": 351, "S": 19, "P": 100}}
"""Two agencies of two kinds and levels: together 97,82 % fully electronic, 0,35 with paper beside, 98,17 electronic, 1,83 paper only."""
SHARES = ("97,82", "0,35", "98,17", "1,83")
NAMES = ("BC-01", "BC-02", "BC-03", "BC-04", "measures")
IN_CSV = ("BC-01", "BC-04", "measures")
"""In the others the headline is the last row or stands below the table, which CSV does not have."""
DOUBT = "chưa đủ căn cứ"
WRAPPED = r"│\s+chưa đủ căn\s+│.*\n.*│\s+cứ\s+│"
"""The same in a narrow column of a terminal."""
TRUST = trust.load([], [])


@pytest.fixture
async def connection(pool):
    async with pool.acquire() as connection:
        for level, (code, counts) in enumerate(FACTS.items(), 2):
            agency = uuid4()
            await connection.execute(
                """INSERT INTO agency (id, code, name, kind, level, counted, valid_from) VALUES ($1, $2, $2, $3, $4, true, '2010-01-01')""",
                agency, code, ("department", "commune")[level - 2], level,
            )  # fmt: skip
            common = {
                "scope": "same_root",
                "document_type": "Công văn",
                "urgency": 0,
                "excluded": "",
                "view": "out",
            }
            facts = [
                rows.DeltaRow(
                    agency=agency, id=uuid4(), day=date(2026, 3, 5), klass=klass, n=n, grade="B" if klass == "E" else "",
                    justified="no" if klass == "S" else "", **common,
                )
                for klass, n in counts.items()
            ]  # fmt: skip
            await store.append(connection, facts)
        yield connection


def asked():
    return Asked(period=tally.period("2026-03"), agencies=None, as_of=AT)


def workbook_of(made, folder):
    workbook.write(made, folder / "x.xlsx", "vi")
    book = openpyxl.load_workbook(folder / "x.xlsx")
    cells = [
        cell
        for sheet in book
        for row in sheet.iter_rows(values_only=True)
        for cell in row
        if cell is not None
    ]
    return "\n".join(
        f"{100 * one:.2f}".replace(".", ",") if isinstance(one, float) else str(one) for one in cells
    )


def cells(text):
    """The cells of a CSV file, each for itself, with decimal commas."""
    return "|".join(cell.replace(".", ",") for row in csv.reader(io.StringIO(text)) for cell in row)


def screen(made, _folder):
    """On a terminal that is wide enough to wrap nothing."""
    file = io.StringIO()
    report_table.show(made, "vi", file)
    return file.getvalue()


def paper_of(kind):
    def shown(made, folder):
        document = printed.of_report(made, {}, "vi", None)
        return on_paper(document, kind, folder)

    return shown


def on_paper(document, kind, folder):
    raw = printed.written(document, kind, str(folder))
    if kind == "pdf":
        return paper.flat("".join(paper.pages(raw)))
    charts = paper.chart_texts(raw) if hasattr(paper, "chart_texts") else ""
    return paper.flat("".join(paper.paragraphs(raw)) + charts)


FORMS = {
    "table": screen,
    "json": lambda made, _: json.dumps(written.as_json(made, "vi"), ensure_ascii=False),
    "csv": lambda made, _: cells(written.as_csv(made.table, "vi")),
    "xlsx": workbook_of,
    "docx": paper_of("docx"),
    "pdf": paper_of("pdf"),
}


@pytest.mark.parametrize("form", FORMS)
async def test_every_report_in_every_form(connection, tmp_path, monkeypatch, form):
    monkeypatch.setattr(report_table.screen, "PAGE", 900)
    if form == "pdf":
        paper.font()
    for name in NAMES:
        for percent in (90, 0):
            made = await make.make(connection, name, asked(), TRUST, [], make.Settings(percent=percent))
            assert made.sufficient is (percent == 0)
            shown = FORMS[form](made, tmp_path)
            text = paper.flat(shown)
            headline = form != "csv" or name in IN_CSV
            found = [
                text[text.index(share) - 30 : text.index(share) + 9] for share in SHARES if share in text
            ]
            assert bool(found) is (headline and not percent), (name, percent, found)
            doubted = paper.flat(DOUBT) in text or re.search(WRAPPED, shown) is not None
            assert doubted is (headline and bool(percent)), (name, percent)
            assert name != "BC-01" or form == "csv" or "5.351" in text or "5351" in text
            if name == "BC-01" and headline:
                body = written.as_json(made, "vi")
                assert {row["met"] for row in body["rows"]} == ({None} if percent else {None, "yes"})


@pytest.mark.parametrize("percent", [90, 0])
async def test_nothing_beside_an_overall_ratio_tells_it_either(connection, percent):
    made = await make.make(connection, "BC-03", asked(), TRUST, [], make.Settings(percent=percent))
    last = dict(zip([one.name for one in made.table.columns], made.table.total, strict=True))
    told = [last[name] is not None for name in ("highest", "lowest", "median", "met")]
    assert told == [percent == 0] * 4, last


async def periodic_report(connection, percent):
    gathered = await periodic.gather(
        connection, asked(), Means(calendar=working_days.default(), trust=TRUST), 92, percent
    )
    about = Report(
        code="BC-15", asked=asked(), scope=[], table=Table(name="BC-15", columns=(), rows=()),
        coverage=gathered.figures.registers, percent=percent,
    )  # fmt: skip
    return Periodic(asked=about, figures=gathered.figures, months=gathered.months, reports={})


@pytest.mark.parametrize("percent", [90, 0])
async def test_the_periodic_report_in_every_form(connection, tmp_path, percent):
    paper.font()
    made = await periodic_report(connection, percent)
    document = printed.of_period(made, {}, "vi")
    body = periodic_made.as_json(made, "vi")
    shown = {
        "json": json.dumps(body, ensure_ascii=False),
        "table": json.dumps(periodic_said.sections(made.figures, "vi"), ensure_ascii=False),
        **{kind: on_paper(document, kind, tmp_path) for kind in ("docx", "pdf")},
    }
    for form, text in shown.items():
        flat = paper.flat(text)
        assert any(share in flat for share in SHARES) is (not percent), form
        assert (paper.flat(DOUBT) in flat) is bool(percent), form
        assert "5.351" in flat
    assert body["coverage"] == {"registers": {"n": 0, "d": 2}, "percent": percent, "sufficient": not percent}


@pytest.mark.parametrize("percent", [90, 0])
async def test_the_tally_in_every_form(connection, capsys, percent):
    told = await signature_usage.told(connection, asked(), TRUST, percent)
    for form, show in cli_tally._PRINT.items():
        show({**written.doubted(told, "vi"), "agencies": []}, "vi")
        text = capsys.readouterr().out
        assert any(share in text for share in SHARES) is (not percent), form
        assert (DOUBT in text) is bool(percent), form
        assert "5351" in text or "5.351" in text
