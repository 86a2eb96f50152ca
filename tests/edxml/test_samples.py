"""Files of real senders, of which persons, addresses and certificates were taken out, against what a person read there.

The facts are written by hand: never fill them from the program's output.
"""

from datetime import date
from pathlib import Path

import pytest

from exchange.edxml import attachments, model, read, view

FOLDER = Path(__file__).parent / "fixtures" / "samples"
OF_JAVA = "000.00.00.G22,2015/09/30,7816/VPCP-TTĐT"
OF_DOTNET = "9fbfbad2-f1f8-4256-a2eb-50fb1061cddb"

# file: operation, sender, recipients, number, notation, day, DocumentId, paper, hops, names of files, findings
LETTERS = {
    "new_dotnet_undeclared_prefix": (
        *("new", "002.00.20.H13", ["000.00.15.H51"], "12234555512", "PRO-TEST-CASE1", date(2019, 1, 17)),
        *(
            OF_DOTNET,
            None,
            ["01.02.G22"],
            ["GUIDE_INSTALL OPENVPN.SIGNED.PDF"],
            ["repaired", "damaged_bytes"],
        ),
    ),
    "new_gateway_three_attachments": (
        *("new", "vxp.saas.03", ["vxp.saas.02"], "20251020104803", "GW-AUTO", date(2025, 10, 20)),
        *("1da394ba-2117-4354-a23f-6ec3e47ba81b", 0, ["vxp.saas.03"]),
        *(["localA.txt", "localB.txt", "localC.txt"], []),
    ),
    "new_returned_by_axis_2019": (
        *("new", "000.00.15.H51", ["000.00.15.H51"], "1223412", "PRO-TEST-CASE1", date(2019, 1, 17)),
        *(OF_DOTNET, None, ["01.02.G22", "001.00.20.TT2"], ["GUIDE_INSTALL OPENVPN.SIGNED.PDF"], []),
    ),
    "new_sdk_java": (
        *("new", "000.00.00.A80", ["28.22.H17"], "74fass22", "VPCP-TTĐT", date(2019, 1, 16)),
        *(OF_JAVA, 0, None, ["1896_QD-TTg_m_294779.doc"], ["kind_differs"]),
    ),
    "revoke_sdk_java": (
        *(
            "revoke",
            "000.00.00.G22",
            ["000.00.00.H41", "000.00.00.H14", "000.00.00.G17"],
            "7816",
            "VPCP-TTĐT",
        ),
        *(date(2018, 9, 28), OF_JAVA, 0, ["000.00.00.G22"], ["1896_QD-TTg_m_294779.doc"], ["kind_differs"]),
    ),
}
NOTICES = {
    "status_01_arrived": "01",
    "status_02_refused": "02",
    "status_03_accepted": "03",
    "status_06_done": "06",
    "status_15_agree": "15",
}


def reading(name: str) -> model.Reading:
    return read.read((FOLDER / f"{name}.edxml").read_bytes())


def test_the_tables_name_every_file():
    assert {*LETTERS, *NOTICES} == {file.stem for file in FOLDER.iterdir()}


@pytest.mark.parametrize("name", LETTERS)
def test_letter(name):
    operation, sender, recipients, number, notation, day, document_id, paper, hops, files, codes = LETTERS[
        name
    ]
    found = reading(name)
    letter = found.message
    assert isinstance(letter, model.Letter)
    assert (letter.operation, letter.sender.code, [one.code for one in letter.recipients]) == (
        *(operation, sender),
        recipients,
    )
    assert (letter.number, letter.notation, letter.issued_on) == (number, notation, day)
    assert (letter.document_id, letter.paper) == (document_id, paper)
    assert [one.name for one in letter.attachments] == files
    assert hops is None or [hop.code for hop in letter.traces] == hops
    assert [one.code for one in view.findings(found)] == codes
    assert found.repaired == ("repaired" in codes)
    assert letter.target_document_id == (document_id if operation == "revoke" else "")
    assert letter.signer.name == "Nguyễn Văn A"


@pytest.mark.parametrize("name", NOTICES)
def test_notice(name):
    found = reading(name)
    notice = found.message
    assert isinstance(notice, model.Notice)
    assert (notice.status, notice.sender.code) == (NOTICES[name], "000.00.00.H41")
    answer = notice.response_for
    assert (answer.code, answer.reference, answer.issued_on) == (
        *("000.00.00.G22", "7816/VPCP-TTĐT"),
        date(2015, 9, 30),
    )
    assert (answer.document_id, notice.staff.name) == (OF_JAVA, "Trần Thị B")
    assert (notice.at_text, found.findings) == ("2015/09/20 11:08:36", ())


def test_what_the_gateway_wrapped():
    files = reading("new_gateway_three_attachments").message.attachments
    assert [attachments.inspect(file).wrapped for file in files] == [True, True, True]
    assert [attachments.inspect(file).size for file in files] == [25, 25, 25]


def test_what_the_java_library_always_writes():
    (extension,) = reading("revoke_sdk_java").message.extensions
    assert extension == model.Extension(
        path="MessageHeader/OtherInfo/Direction", name="Direction", text="false"
    )
