"""Every file in `fixtures/` against what a person read out of it.

The files have the shapes met in the field (national Java and .NET libraries, a gateway, the axis) with invented
content. The table is written by hand: never fill it from the program's output.
"""

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from exchange.edxml import attachments, model, read, view

FOLDER = Path(__file__).parent / "fixtures"
HANOI = timezone(timedelta(hours=7))

# file: operation, sender, recipients, number/notation, day, paper, attachments (name, kind, size, wrapped), findings
LETTERS = {
    "new_java.edxml": (
        *("new", "000.00.07.H99", ["000.00.00.G99"], "218a/STN-VP", date(2024, 3, 5), 0),
        [("bao-cao.doc", "zip", 136, False)],
        ["kind_differs"],
    ),
    "new_dotnet.edxml": (
        *("new", "000.00.07.H99", ["000.00.00.G99", "H99.30"], "15/2024/STN-TTr", date(2024, 3, 14), 1),
        [("to-trinh.signed.pdf", "pdf", 125, False)],
        [],
    ),
    "new_dotnet_undeclared_prefix.edxml": (
        *("new", "000.00.07.H99", ["000.00.00.G99", "H99.30"], "15/2024/STN-TTr", date(2024, 3, 14), 0),
        [("to-trinh.signed.pdf", "pdf", 125, False)],
        ["repaired"],
    ),
    "new_gateway_three_attachments.edxml": (
        *("new", "cong.thu.03", ["cong.thu.02"], "20240311090000/CT-TUDONG", date(2024, 3, 11), 0),
        [(f"ghi-chu-{number}.txt", "text", 16, True) for number in (1, 2, 3)],
        [],
    ),
    "new_returned_by_axis.edxml": (
        *("new", "000.00.07.H99", ["000.00.07.H99"], "221/STN-KT", date(2024, 3, 12), None),
        [("HUONG DAN.SIGNED.PDF", "pdf", 125, True)],
        [],
    ),
    "revoke_java.edxml": (
        *(
            "revoke",
            "000.00.07.H99",
            ["000.00.00.G99", "H99.30", "G12.18"],
            "218/STN-VP",
            date(2024, 3, 5),
            0,
        ),
        [("cong-van.pdf", "pdf", 125, False)],
        [],
    ),
    "update_java.edxml": (
        *("update", "000.00.07.H99", ["000.00.00.G99", "H99.30"], "219/STN-VP", date(2024, 3, 7), 1),
        [],
        [],
    ),
    "replace_java.edxml": (
        *("replace", "000.00.07.H99", ["000.00.00.G99"], "220/QĐ-STN", date(2024, 3, 8), 0),
        [],
        [],
    ),
}

# file: status, sender, addressee, findings
NOTICES = {
    "status_01_arrived.edxml": ("01", "000.00.00.G99", "000.00.07.H99", []),
    "status_02_refused.edxml": ("02", "000.00.00.G99", "000.00.07.H99", []),
    "status_03_registered.edxml": ("03", "000.00.00.G99", "000.00.07.H99", []),
    "status_04_assigned.edxml": ("04", "000.00.00.G99", "000.00.07.H99", []),
    "status_05_in_progress.edxml": ("05", "000.00.00.G99", "000.00.07.H99", []),
    "status_06_done.edxml": ("06", "000.00.00.G99", "000.00.07.H99", []),
    "status_13_take_back.edxml": ("13", "000.00.07.H99", "000.00.00.G99", []),
    "status_14_agree_dotnet.edxml": ("15", "000.00.00.G99", "000.00.07.H99", ["unusual_code"]),
    "status_15_agree.edxml": ("15", "000.00.00.G99", "000.00.07.H99", []),
    "status_16_disagree.edxml": ("16", "000.00.00.G99", "000.00.07.H99", []),
}

UNREADABLE = {
    "garbage_before_declaration.edxml": ("not_xml", 1),
    "doctype.edxml": ("forbidden_xml", None),
    "flat_other_vocabulary.edxml": ("not_edxml", 2),
}


def reading(name: str) -> model.Reading:
    return read.read((FOLDER / name).read_bytes())


def test_the_table_names_every_file():
    assert {*LETTERS, *NOTICES, *UNREADABLE} == {file.name for file in FOLDER.iterdir() if file.is_file()}


@pytest.mark.parametrize("name", LETTERS)
def test_letter(name):
    operation, sender, recipients, reference, day, paper, files, findings = LETTERS[name]
    found = reading(name)
    letter = found.message
    assert isinstance(letter, model.Letter)
    assert (letter.operation, letter.sender.code, [party.code for party in letter.recipients]) == (
        *(operation, sender),
        recipients,
    )
    assert (f"{letter.number}/{letter.notation}", letter.issued_on, letter.paper) == (reference, day, paper)
    opened = [attachments.inspect(attachment) for attachment in letter.attachments]
    names = [attachment.name for attachment in letter.attachments]
    held = [(name, one.kind, one.size, one.wrapped) for name, one in zip(names, opened, strict=True)]
    assert held == files
    assert [finding.code for finding in view.findings(found)] == findings
    assert found.sound
    assert found.repaired == ("repaired" in findings)
    assert found.header_path == "/*/edXML:edXMLEnvelope/edXML:edXMLHeader/edXML:MessageHeader"


@pytest.mark.parametrize("name", NOTICES)
def test_notice(name):
    status, sender, addressee, findings = NOTICES[name]
    found = reading(name)
    notice = found.message
    assert isinstance(notice, model.Notice)
    assert (notice.status, notice.sender.code, notice.response_for.code) == (status, sender, addressee)
    assert notice.response_for == model.ResponseFor(
        code=addressee,
        reference="218/STN-VP",
        issued_on=date(2024, 3, 5),
        document_id="000.00.07.H99,2024/03/05,218/STN-VP",
    )
    assert notice.staff == model.Staff(
        department="Phòng Hành chính",
        name="Đỗ Thị Thử",
        mobile="0990000002",
        email="hanhchinh@mau.example.vn",
    )
    assert notice.at == datetime(2024, 3, 5, 14, 8, 36, tzinfo=HANOI)
    assert [finding.code for finding in found.findings] == findings


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable(name):
    code, line = UNREADABLE[name]
    with pytest.raises(read.Unreadable) as caught:
        reading(name)
    assert caught.value.code == code
    assert [(finding.severity, finding.code, finding.line) for finding in caught.value.findings] == [
        ("error", code, line)
    ]


def test_all_facts_of_one_letter():
    """Each fact once, so that none can be left out or taken from its neighbour."""
    letter = reading("new_java.edxml").message
    contact = {
        "address": "12 phố Thử Nghiệm",
        "email": "vanthu@mau.example.vn",
        "telephone": "(84-99) 1234 567",
        "fax": "0990000001",
        "website": "mau.example.vn",
    }
    (attachment,) = letter.attachments
    assert attachment.path == "/*/*[2]/*"
    assert letter == model.Letter(
        sender=model.Party(
            code="000.00.07.H99", name="Sở Thử nghiệm tỉnh Mẫu", in_charge="UBND tỉnh Mẫu", **contact
        ),
        recipients=(
            model.Party(code="000.00.00.G99", name="Bộ Kiểm thử", in_charge="Bộ Kiểm thử", **contact),
        ),
        document_id="000.00.07.H99,2024/03/05,218/STN-VP",
        number="218a",
        notation="STN-VP",
        issued_on=date(2024, 3, 5),
        subject="V/v báo cáo tình hình thử nghiệm & kiểm thử",
        place="Thành phố Mẫu",
        type_code="1",
        type_detail="0",
        type_name="Công văn",
        content="V/v báo cáo tình hình thử nghiệm & kiểm thử",
        signer=model.Signer(competence="TL. GIÁM ĐỐC", position="Chánh Văn phòng", name="Lê Thị Mẫu"),
        due_on=date(2024, 3, 20),
        priority=1,
        sphere="Toàn tỉnh",
        typist="LTM",
        copies=5,
        pages=3,
        appendixes=("Phụ lục I: biểu mẫu",),
        steering=1,
        to_places=("Các phòng chuyên môn", "Lưu: VT"),
        traces=(model.Trace(code="000.00.07.H99", at_text="2024/03/05 08:30:00"),),
        operation="new",
        operation_reason="Văn bản mới",
        staff=model.Staff(
            department="Văn thư", name="Phạm Văn Thử", mobile="0990000009", email="thu@mau.example.vn"
        ),
        paper=0,
        attachments=(
            model.Attachment(
                name="bao-cao.doc",
                content_type="application/zip",
                transfer_type="application/zip",
                description="Báo cáo",
                content_id="301",
                encoded=attachment.encoded,
            ),
        ),
        extensions=(
            model.Extension(path="MessageHeader/OtherInfo/Direction", name="Direction", text="false"),
        ),
    )


def test_a_revocation_without_a_target_means_its_own_document():
    letter = reading("revoke_java.edxml").message
    assert letter.target_document_id == letter.document_id == "000.00.07.H99,2024/03/05,218/STN-VP"
    assert letter.operation_reason == "Thu hồi do ban hành nhầm"
    assert letter.response_for == (
        model.ResponseFor(
            code="000.00.00.G99",
            reference="77/BKT-VP",
            issued_on=date(2024, 2, 29),
            document_id="000.00.00.G99,2024/02/29,77/BKT-VP",
        ),
    )


def test_the_stray_target_of_a_new_letter_is_nothing():
    assert reading("new_java.edxml").message.target_document_id == ""


def test_what_an_update_changes():
    letter = reading("update_java.edxml").message
    assert letter.target_document_id == "000.00.07.H99,2024/03/05,218/STN-VP"
    assert letter.update == model.Update(
        recipients=True,
        receivers=(
            model.Receiver(code="H99.30", added=True),
            model.Receiver(code="G12.18", added=False),
        ),
    )


def test_what_a_replacement_replaces():
    letter = reading("replace_java.edxml").message
    assert letter.target_document_id == ""
    assert letter.replaced == (
        model.Replacement(
            document_id="000.00.07.H99,2024/03/05,218/STN-VP", codes=("000.00.00.G99", "H99.30")
        ),
        model.Replacement(document_id="000.00.07.H99,2024/03/07,219/STN-VP"),
    )


def test_hops_with_nonsense_are_kept():
    traces = reading("new_returned_by_axis.edxml").message.traces
    assert [hop.code for hop in traces] == ["000.00.07.H99", "null"]


def test_files_are_unwrapped_to_their_bytes():
    letter = reading("new_gateway_three_attachments.edxml").message
    assert [attachments.content(file).decode() for file in letter.attachments] == [
        f"Ghi chú số {number}\n" for number in (1, 2, 3)
    ]
