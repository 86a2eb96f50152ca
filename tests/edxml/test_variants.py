"""The other forms that a tolerant reader takes, what is kept beside the fields, and values longer than expected."""

import unicodedata
from datetime import date
from pathlib import Path

import pytest

from exchange.edxml import codes, grammar, model, read

FIXTURES = Path(__file__).parent / "fixtures"
LETTER = (FIXTURES / "new_dotnet.edxml").read_text(encoding="utf-8")
NOTICE = (FIXTURES / "status_03_registered.edxml").read_text(encoding="utf-8")

FACTS = """<MessageHeader><From><OrganId>H99.01</OrganId></From><To><OrganId>H99.02</OrganId></To>
<Code><CodeNumber>7</CodeNumber><CodeNotation>CV-STN</CodeNotation></Code>
<PromulgationInfo><Place>Mẫu</Place><PromulgationDate>2024-03-05</PromulgationDate>%s</PromulgationInfo>
<DocumentType>%s</DocumentType><Subject>Thử</Subject><SignerInfo><%s>Lê Thị Mẫu</%s></SignerInfo>
<DocumentId>doc-7</DocumentId></MessageHeader>
<TraceHeaderList><TraceHeader><OrganId>H99.01</OrganId></TraceHeader>
<%s><%sDocType>0</%sDocType><Paper>0</Paper></%s></TraceHeaderList>"""
FLAT = FACTS % (
    *("<Promulgator>Sở Thử nghiệm</Promulgator>", "Công văn", "Signer", "Signer"),
    *("Bussiness", "Bussiness", "Bussiness", "Bussiness"),
)
LAYERED = FACTS % (
    *("", "<TypeName>Công văn</TypeName>", "FullName", "FullName"),
    *("Business", "Business", "Business", "Business"),
)
FILE = "<Attachment><FileName>a.pdf</FileName><FileType>application/pdf</FileType><Content>JVBERi0=</Content></Attachment>"
TWO_NAMES = FILE.replace("</FileName>", "</FileName><AttachmentName>b.pdf</AttachmentName>")
GO_VN = 'xmlns="http://www.go.vn/eDoc"'
SOAP = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns="http://www.e-doc.vn/Schema/" '
    'xmlns:xlink="http://www.w3.org/1999/xlink"><s:Header>%s</s:Header><s:Body>%s</s:Body></s:Envelope>'
)
LISTED = '<Manifest><Reference xlink:href="cid:dinhkem1"><AttachmentName>a.pdf</AttachmentName></Reference></Manifest>'

FORMS = {
    "files in the envelope": (f"<edXMLEnvelope {GO_VN}>{FLAT}{FILE}</edXMLEnvelope>", ["not_in_manifest"]),
    "files in the manifest": (
        f"<EdXMLEnvelope {GO_VN}>{FLAT}<Manifest>{FILE}</Manifest></EdXMLEnvelope>",
        ["not_in_manifest"],
    ),
    "SOAP without its MIME parts": (SOAP % (LAYERED, LISTED), ["not_attached"]),
}


def of(xml: str) -> model.Reading:
    return read.read(xml.encode())


def errors_of(found: model.Reading) -> list[str]:
    return [one.code for one in found.findings if one.severity == "error"]


def edited(old: str, new: str, text: str = LETTER) -> model.Reading:
    assert text.count(old) == 1
    return of(text.replace(old, new))


@pytest.mark.parametrize("form", FORMS)
def test_the_facts_of_other_forms(form):
    xml, findings = FORMS[form]
    found = of(xml)
    letter = found.message
    assert [one.code for one in found.findings] == findings
    assert (letter.sender.code, [one.code for one in letter.recipients]) == ("H99.01", ["H99.02"])
    assert (letter.number, letter.notation, letter.issued_on) == ("7", "CV-STN", date(2024, 3, 5))
    assert (letter.type_name, letter.subject, letter.signer.name) == ("Công văn", "Thử", "Lê Thị Mẫu")
    assert (letter.document_id, letter.operation, letter.paper) == ("doc-7", "new", 0)
    assert letter.place == "Mẫu"


@pytest.mark.parametrize("form", ["files in the envelope", "files in the manifest"])
def test_the_files_of_the_flat_form(form):
    letter = of(FORMS[form][0]).message
    (file,) = letter.attachments
    assert (file.name, file.content_type, file.encoded) == ("a.pdf", "application/pdf", "JVBERi0=")


def test_what_stands_in_a_repeated_element_tells_in_which():
    header = "<To><OrganId>A</OrganId></To><To><OrganId>B</OrganId><x>1</x></To>"
    (extension,) = of(f"<edXML><MessageHeader>{header}</MessageHeader></edXML>").message.extensions
    assert (extension.path, extension.text) == ("MessageHeader/To[2]/x", "1")


def test_extensions_are_bounded():
    many = "".join(f"<U{number}>{'x' * 3000}</U{number}>" for number in range(300))
    extensions = edited("</edXML:MessageHeader>", f"{many}</edXML:MessageHeader>").message.extensions
    assert len(extensions) == model.MOST_EXTENSIONS
    assert {len(one.text) for one in extensions} == {model.MOST_EXTENSION}


def test_unknown_elements_with_others_inside_or_without_text_are_not_kept():
    found = edited("</edXML:MessageHeader>", "<U><V>1</V></U><W/></edXML:MessageHeader>")
    assert found.message.extensions == ()


# --- lengths, nulls, several persons ---------------------------------------------------------------------


def test_a_subject_over_the_length_expected_warns_and_is_kept():
    found = edited("Về việc phê", "Về việc phê" + "ê" * 500)
    (finding,) = found.findings
    assert (finding.severity, finding.code) == ("warning", "over_long")
    assert finding.facts["element"] == "Subject"
    assert (finding.facts["most"], int(finding.facts["length"])) == ("500", len(found.message.subject))
    assert "ê" * 500 in found.message.subject
    assert found.sound


@pytest.mark.parametrize("element", codes.FIELDS)
def test_every_length_of_the_table_is_that_of_a_known_value(element):
    parent, _, name = element.rpartition("/")
    homes = (
        [parent]
        if parent
        else [home for home, row in grammar.CHILDREN.items() if name in row and row[name].name == name]
    )
    assert homes
    for home in homes:
        assert grammar.CHILDREN[home][name].most == int(codes.FIELDS[element]["most"])


@pytest.mark.parametrize("over", [0, 1])
def test_the_length_expected_is_none_too_long(over):
    place = "x" * (50 + over)
    found = of(
        f"<edXML><MessageHeader><PromulgationInfo><Place>{place}</Place></PromulgationInfo></MessageHeader></edXML>"
    )
    assert ("over_long" in [one.code for one in found.findings]) == bool(over)
    assert found.message.place == place


@pytest.mark.parametrize("null", ["null", "NULL", " Null "])
def test_null_is_no_agency(null):
    found = edited("<edXML:OrganId>H99.30<", f"<edXML:OrganId>{null}<")
    assert found.sound
    assert [one.code for one in found.findings] == ["recipient_without_code"]
    sender = f"<edXML><MessageHeader><From><OrganId>{null}</OrganId></From><To><OrganId>{null}</OrganId></To></MessageHeader></edXML>"
    places = [one.path.partition("MessageHeader/")[2] for one in of(sender).findings if one.code == "missing"]
    assert {"From/OrganId", "To/OrganId"} <= {*places}


def test_null_answers_nobody():
    old = "<edXML:OrganId>000.00.07.H99</edXML:OrganId>"
    found = edited(old, "<edXML:OrganId>null</edXML:OrganId>", NOTICE)
    assert errors_of(found) == ["missing"]
    assert found.message.response_for.code == ""


def test_several_persons_under_an_operation():
    staff = "<edXML:StaffInfo><edXML:Staff>%s</edXML:Staff></edXML:StaffInfo>"
    old = "</edXML:Bussiness>"
    text = LETTER.replace(old, staff % "A" + staff % "" + staff % "B" + old)
    found = of(text)
    own = of(LETTER).message.staff
    assert found.message.staff == (own or model.Staff(name="A"))
    assert {one.code for one in found.findings} == {"staff_passed_over"}


# --- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_ids_and_names_are_kept_as_they_were_written(form):
    written = unicodedata.normalize(form, "000.00.00.G22,2015/09/30,7816/VPCP-TTĐT-Ệ")
    found = of(f"<edXML><MessageHeader><To/><DocumentId>{written}</DocumentId></MessageHeader></edXML>")
    assert found.message.document_id == written


def test_ten_fields_of_five_thousand_letters_warn_each_and_are_kept():
    names = ("OrganName", "OrganizationInCharge", "OrganAdd", "Email", "Telephone", "Fax", "Website")
    sender = "".join(f"<{name}>{'ê' * 5_000}</{name}>" for name in names)
    others = "".join(f"<{name}>{'ê' * 5_000}</{name}>" for name in ("Subject", "Content", "DocumentId"))
    found = of(f"<edXML><MessageHeader><From>{sender}</From><To/>{others}</MessageHeader></edXML>")
    long = [one.facts["element"] for one in found.findings if one.code == "over_long"]
    assert sorted(long) == sorted([*names, "Subject", "Content", "DocumentId"])
    assert found.message.sender.name == "ê" * 5_000


@pytest.mark.parametrize("home", ["AttachmentEncoded", "edXMLManifest", "edXMLEnvelope"])
def test_ten_thousand_files_are_too_many_wherever_they_stand(home):
    files = "<Attachment><Content>QQ==</Content></Attachment>" * 10_000
    with pytest.raises(read.Unreadable, match="too_complex"):
        of(f"<edXML><MessageHeader/><{home}>{files}</{home}></edXML>")
