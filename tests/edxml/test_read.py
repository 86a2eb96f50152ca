"""Reading: what is tolerated, what is an error, and that no value is ever taken first-wins."""

import copy
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from exchange.edxml import model, read

FIXTURES = Path(__file__).parent / "fixtures"
NAMESPACE = "{http://www.mic.gov.vn/TBT/QCVN_102_2016}"
LETTER = (FIXTURES / "new_dotnet.edxml").read_bytes()
NOTICE = (FIXTURES / "status_03_registered.edxml").read_bytes()

MANDATORY_IN_LETTER = {
    "From/OrganId": lambda letter: letter.sender.code,
    "DocumentId": lambda letter: letter.document_id,
    "Code/CodeNumber": lambda letter: letter.number,
    "Code/CodeNotation": lambda letter: letter.notation,
    "PromulgationInfo/PromulgationDate": lambda letter: letter.issued_on,
    "Subject": lambda letter: letter.subject,
}
MANDATORY_IN_NOTICE = {
    "From/OrganId": lambda notice: notice.sender.code,
    "ResponseFor/OrganId": lambda notice: notice.response_for.code,
    "ResponseFor/DocumentId": lambda notice: notice.response_for.document_id,
    "StatusCode": lambda notice: notice.status,
}
MANDATORY = [
    *((LETTER, way, fact) for way, fact in MANDATORY_IN_LETTER.items()),
    *((NOTICE, way, fact) for way, fact in MANDATORY_IN_NOTICE.items()),
]
of_all_mandatory = pytest.mark.parametrize(
    "raw, way, fact",
    MANDATORY,
    ids=[("letter " if raw is LETTER else "notice ") + way for raw, way, _ in MANDATORY],
)


def tree_of(raw: bytes) -> etree._Element:
    return etree.fromstring(raw)


def find(root: etree._Element, way: str) -> etree._Element:
    header = root.find(f".//{NAMESPACE}MessageHeader")
    return header.find("/".join(NAMESPACE + name for name in way.split("/")))


def reading(root: etree._Element) -> model.Reading:
    return read.read(etree.tostring(root, encoding="UTF-8", xml_declaration=True))


def errors_of(found: model.Reading) -> list[tuple[str, str]]:
    """Code and last step of the path of each error."""
    return [(f.code, f.path.rpartition("/")[2]) for f in found.findings if f.severity == "error"]


def edited(raw: bytes, old: str, new: str) -> model.Reading:
    assert raw.count(old.encode()) == 1
    return read.read(raw.replace(old.encode(), new.encode()))


# --- mandatory facts -------------------------------------------------------------------------------------


@of_all_mandatory
def test_missing(raw, way, fact):
    root = tree_of(raw)
    element = find(root, way)
    element.getparent().remove(element)
    found = reading(root)
    assert errors_of(found) == [("missing", way.rpartition("/")[2])]
    assert not fact(found.message)


@of_all_mandatory
@pytest.mark.parametrize("text", ["", "  \n\t", "\u00a0"])
def test_empty_is_missing(raw, way, fact, text):
    root = tree_of(raw)
    find(root, way).text = text
    found = reading(root)
    assert errors_of(found) == [("missing", way.rpartition("/")[2])]
    assert not fact(found.message)


@pytest.mark.parametrize(
    "raw, way, fact",
    [row for row in MANDATORY if "/" in row[1]],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_missing_parent_names_the_whole_way(raw, way, fact):
    root = tree_of(raw)
    parent = find(root, way.rpartition("/")[0])
    parent.getparent().remove(parent)
    found = reading(root)
    assert f"edXML/edXMLEnvelope/edXMLHeader/MessageHeader/{way}" in [f.path for f in found.findings]
    assert not fact(found.message)


SPELLINGS = {
    "same": lambda name: NAMESPACE + name,
    "lower case": lambda name: NAMESPACE + name.lower(),
    "upper case": lambda name: NAMESPACE + name.upper(),
    "no namespace": lambda name: name,
    "foreign namespace": lambda name: "{urn:other}" + name,
    "foreign namespace, lower case": lambda name: "{urn:other}" + name.lower(),
}


@of_all_mandatory
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("text", ["another", ""])
@pytest.mark.parametrize("first", [True, False])
def test_doubled_beside_itself(raw, way, fact, spelling, text, first):
    root = tree_of(raw)
    element = find(root, way)
    other = etree.Element(SPELLINGS[spelling](way.rpartition("/")[2]))
    other.text = text
    element.getparent().insert(element.getparent().index(element) + (not first), other)
    found = reading(root)
    assert [code for code, _ in errors_of(found)] == ["twice"]
    assert not fact(found.message)


def strays():
    """Every mandatory fact with every element where a copy of it has no business."""
    for raw, way, _ in MANDATORY:
        name = way.rpartition("/")[2]
        for layer in ("edXMLHeader", "edXMLEnvelope", "edXML", "TraceHeaderList"):
            yield raw, name, layer
        if "/" in way and name != "DocumentId":
            yield raw, name, "MessageHeader"
        if name in ("CodeNumber", "CodeNotation", "Subject", "StatusCode"):
            yield raw, name, "Signature"


@pytest.mark.parametrize(
    "raw, name, layer", list(strays()), ids=lambda value: value if isinstance(value, str) else ""
)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_doubled_in_another_layer(raw, name, layer, spelling):
    """Nobody may read the copy for the fact: it is an error wherever the copy stands."""
    root = tree_of(raw)
    place = next(root.iter(NAMESPACE + layer), None)
    if place is None:
        header = next(root.iter(NAMESPACE + "edXMLHeader"))
        place = etree.SubElement(header, NAMESPACE + layer)
    etree.SubElement(place, SPELLINGS[spelling](name)).text = "another"
    assert {code for code, _ in errors_of(reading(root))} in ({"twice"}, {"misplaced"})


@pytest.mark.parametrize(
    "name",
    [
        *("edXMLEnvelope", "edXMLHeader", "MessageHeader", "edXMLBody", "edXMLManifest", "AttachmentEncoded"),
        *("TraceHeaderList", "Bussiness", "BussinessDocType", "Paper"),
        *("From", "Code", "PromulgationInfo", "DocumentType", "OtherInfo", "SteeringType", "DueDate"),
    ],
)
@pytest.mark.parametrize("change", [str, str.lower, lambda name: name.replace("Bussiness", "Business")])
def test_once_only_elements_doubled(name, change):
    root = tree_of(LETTER)
    element = next(root.iter(NAMESPACE + name))
    again = copy.deepcopy(element)
    again.tag = NAMESPACE + change(name)
    element.addnext(again)
    found = reading(root)
    assert ("twice", change(name)) in errors_of(found)
    assert "missing" not in [code for code, _ in errors_of(found)]


def test_two_papers_in_their_two_places():
    found = edited(LETTER, "</edXML:Bussiness>", "</edXML:Bussiness><edXML:Paper>1</edXML:Paper>")
    assert errors_of(found) == [("twice", "Paper")]
    assert found.message.paper is None


def test_doubled_optional_facts_are_not_taken_either():
    found = edited(
        LETTER, "<edXML:PageAmount>7<", "<edXML:pageamount>8</edXML:pageamount><edXML:PageAmount>7<"
    )
    assert errors_of(found) == [("twice", "PageAmount")]
    assert found.message.pages is None


def test_a_second_header_inside_a_signature():
    root = tree_of(LETTER)
    header = next(root.iter(NAMESPACE + "MessageHeader"))
    signature = etree.SubElement(header.getparent(), "{http://www.w3.org/2000/09/xmldsig#}Signature")
    etree.SubElement(signature, "{http://www.w3.org/2000/09/xmldsig#}Object").append(copy.deepcopy(header))
    assert ("twice", "MessageHeader") in errors_of(reading(root))


def test_a_header_hidden_in_an_unknown_element_only():
    root = tree_of(LETTER)
    header = next(root.iter(NAMESPACE + "MessageHeader"))
    wrapper = etree.SubElement(header.getparent(), NAMESPACE + "Extra")
    wrapper.append(header)
    found = reading(root)
    assert errors_of(found) == [("misplaced", "MessageHeader"), ("missing", "MessageHeader")]
    assert found.header_path == ""


@of_all_mandatory
@pytest.mark.parametrize(
    "inside, code",
    [
        ("<!-- x -->", "comment_in_value"),
        ("<?x y?>", "comment_in_value"),
        ("<b>x</b>", "element_in_value"),
        ("<!-- x --><b/>", "element_in_value"),
    ],
)
def test_markup_inside_a_value(raw, way, fact, inside, code):
    root = tree_of(raw)
    element = find(root, way)
    text = element.text
    broken = etree.fromstring(f"<x>{text[:1]}{inside}{text[1:]}</x>")
    element.text = broken.text
    element.extend(broken.iterchildren())
    found = reading(root)
    assert errors_of(found) == [(code, way.rpartition("/")[2])]
    assert not fact(found.message)


def test_no_recipient():
    root = tree_of(LETTER)
    header = next(root.iter(NAMESPACE + "MessageHeader"))
    for party in header.findall(NAMESPACE + "To"):
        header.remove(party)
    assert errors_of(reading(root)) == [("missing", "OrganId")]


def test_a_recipient_without_code_beside_one_with():
    found = edited(LETTER, "<edXML:OrganId>H99.30</edXML:OrganId>", "<edXML:OrganId />")
    assert found.sound
    assert [party.code for party in found.message.recipients] == ["000.00.00.G99"]
    assert [(f.code, f.facts["name"]) for f in found.findings] == [
        ("recipient_without_code", "UBND huyện Ví Dụ")
    ]


def test_a_recipient_named_twice_stays_twice_with_a_warning():
    found = edited(
        LETTER, "<edXML:OrganId>H99.30</edXML:OrganId>", "<edXML:OrganId>000.00.00.g99</edXML:OrganId>"
    )
    assert found.sound
    assert [party.code for party in found.message.recipients] == ["000.00.00.G99", "000.00.00.g99"]
    (finding,) = found.findings
    assert finding.code == "duplicate_recipient"
    assert finding.path == "edXML/edXMLEnvelope/edXMLHeader/MessageHeader/To[2]/OrganId"


def test_a_code_doubled_in_a_recipient():
    found = edited(
        LETTER, "<edXML:OrganId>H99.30<", "<edXML:OrganId>H99.31</edXML:OrganId><edXML:OrganId>H99.30<"
    )
    assert errors_of(found) == [("twice", "OrganId")]
    assert [party.code for party in found.message.recipients] == ["000.00.00.G99"]


# --- dates and codes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["2024/02/30", "2024/13/01", "0000/01/01", "31/04/2024", "5 March", "2024/3", "20240314"]
)
def test_an_impossible_mandatory_day(text):
    found = edited(LETTER, "<edXML:PromulgationDate>14/03/2024<", f"<edXML:PromulgationDate>{text}<")
    assert errors_of(found) == [("bad_date", "PromulgationDate")]
    assert (found.message.issued_on, found.message.issued_on_text) == (None, text)


@pytest.mark.parametrize(
    "text, day",
    [
        ("2024/03/14", date(2024, 3, 14)),
        ("14/03/2024", date(2024, 3, 14)),
        ("2024-03-14", date(2024, 3, 14)),
        ("2024-03-14T23:30:00", date(2024, 3, 14)),
        ("2024-03-14T23:30:00.000Z", date(2024, 3, 14)),
        ("2024/03/14 00:00:00", date(2024, 3, 14)),
        ("3/4/2024 7:05", date(2024, 4, 3)),
    ],
)
def test_days_as_they_are_written(text, day):
    found = edited(LETTER, "<edXML:PromulgationDate>14/03/2024<", f"<edXML:PromulgationDate>{text}<")
    assert (found.message.issued_on, found.findings) == (day, ())


def test_an_optional_day_that_is_none_is_kept_as_text():
    found = edited(LETTER, "<edXML:DueDate><", "<edXML:DueDate>sớm<")
    assert found.sound
    assert (found.message.due_on, found.message.due_on_text) == (None, "sớm")
    assert [(f.severity, f.code, f.facts["text"]) for f in found.findings] == [("warning", "bad_date", "sớm")]


def test_an_operation_nobody_knows_is_an_error():
    found = edited(LETTER, "<edXML:BussinessDocType>0<", "<edXML:BussinessDocType>4<")
    assert errors_of(found) == [("unknown_code", "BussinessDocType")]


@pytest.mark.parametrize("text", ["", "<edXML:BussinessDocType />"])
def test_no_operation_means_new(text):
    found = edited(LETTER, "<edXML:BussinessDocType>0</edXML:BussinessDocType>", text)
    assert (found.message.operation, found.findings) == ("new", ())


@pytest.mark.parametrize(
    "text, paper, findings",
    [
        ("0", 0, []),
        ("1", 1, []),
        ("", None, []),
        ("2", None, ["unclear_paper"]),
        ("có", None, ["unclear_paper"]),
    ],
)
def test_paper(text, paper, findings):
    found = edited(LETTER, "<edXML:Paper>1<", f"<edXML:Paper>{text}<")
    assert found.message.paper == paper
    assert [finding.code for finding in found.findings] == findings


def test_paper_directly_under_the_trace_list():
    old = "<edXML:Paper>1</edXML:Paper>\n        </edXML:Bussiness>"
    found = edited(LETTER, old, "</edXML:Bussiness><edXML:Paper>1</edXML:Paper>")
    assert (found.message.paper, found.findings) == (1, ())


@pytest.mark.parametrize(
    "old, text, attribute, value, code",
    [
        ("Priority>3", "Priority>5", "priority", 0, "unusual_code"),
        ("Priority>3", "Priority>9", "priority", 0, "unknown_code"),
        ("SteeringType>0", "SteeringType>3", "steering", 2, "unusual_code"),
        ("SteeringType>0", "SteeringType>x", "steering", 0, "unknown_code"),
        ("PageAmount>7", "PageAmount>bảy", "pages", None, "not_a_number"),
        ("PageAmount>7", "PageAmount>-7", "pages", None, "not_a_number"),
        ("edXML:Type>1", "edXML:Type>CV", "type_code", "CV", "not_a_number"),
        ("2024/03/14 16:00:00", "hôm qua", "paper", 1, "bad_date"),
    ],
)
def test_doubtful_values_are_warnings(old, text, attribute, value, code):
    found = edited(LETTER, f"{old}<", f"{text}<")
    assert getattr(found.message, attribute) == value
    assert [(f.severity, f.code) for f in found.findings] == [("warning", code)]


@pytest.mark.parametrize(
    "text, status, findings", [("3", "03", ["unusual_code"]), ("14", "15", ["unusual_code"])]
)
def test_statuses_spelt_otherwise(text, status, findings):
    found = edited(NOTICE, "StatusCode>03<", f"StatusCode>{text}<")
    assert (found.message.status, [f.code for f in found.findings]) == (status, findings)


@pytest.mark.parametrize("text", ["00", "07", "99", "ok", "0 3"])
def test_a_status_nobody_knows_is_an_error(text):
    found = edited(NOTICE, "StatusCode>03<", f"StatusCode>{text}<")
    assert errors_of(found) == [("unknown_code", "StatusCode")]
    assert found.message.status == ""


def test_two_answers_in_a_notice():
    root = tree_of(NOTICE)
    element = find(root, "ResponseFor")
    element.addnext(copy.deepcopy(element))
    found = reading(root)
    assert errors_of(found) == [("twice", "ResponseFor[2]")]
    assert found.message.response_for == model.ResponseFor()


def test_letter_and_notice_in_one():
    found = edited(
        LETTER, "<edXML:SteeringType>", "<edXML:StatusCode>01</edXML:StatusCode><edXML:SteeringType>"
    )
    assert "two_in_one" in [code for code, _ in errors_of(found)]


@pytest.mark.parametrize(
    "inside, kind",
    [
        *(("<To/>", model.Letter), ("<Code/>", model.Letter), ("<PromulgationInfo/>", model.Letter)),
        *(("<Subject>x</Subject><StaffInfo/>", model.Letter), ("<To/><StatusCode/>", model.Letter)),
        *(("<Code/><Description/>", model.Letter), ("<PromulgationInfo/><Timestamp/>", model.Letter)),
        *(("", model.Letter), ("<ResponseFor/>", model.Letter)),
        *(("<StatusCode>01</StatusCode>", model.Notice), ("<StatusCode/>", model.Notice)),
        *(("<Timestamp/>", model.Notice), ("<StaffInfo/>", model.Notice), ("<Description/>", model.Notice)),
    ],
)
def test_what_tells_letters_from_notices(inside, kind):
    found = read.read(f"<edXML><MessageHeader>{inside}</MessageHeader></edXML>".encode())
    assert isinstance(found.message, kind)
    assert not found.sound


def test_a_take_back_with_code_and_reference_exchanged():
    raw = (FIXTURES / "status_13_take_back.edxml").read_bytes()
    swapped = raw.replace(b"<edXML:OrganId>000.00.00.G99<", b"<edXML:OrganId>218/STN-VP<").replace(
        b"<edXML:Code>218/STN-VP<", b"<edXML:Code>000.00.00.G99<"
    )
    found = read.read(swapped)
    answer = found.message.response_for
    assert (answer.code, answer.reference) == ("000.00.00.G99", "218/STN-VP")
    assert [finding.code for finding in found.findings] == ["swapped_code"]


# --- tolerance -------------------------------------------------------------------------------------------


def renamed(change):
    def rename(root):
        for element in root.iter(etree.Element):
            element.tag = change(etree.QName(element).localname, etree.QName(element).namespace)
        return root

    return rename


def reversed_children(root):
    for element in root.iter(etree.Element):
        if etree.QName(element).localname not in (
            "edXML",
            "MessageHeader",
            "TraceHeaderList",
            "Bussiness",
            "From",
        ):
            continue
        children = list(element.iterchildren(etree.Element))
        repeated = [child for child in children if etree.QName(child).localname in ("To", "TraceHeader")]
        others = [child for child in children if child not in repeated]
        element[:] = [*reversed(others), *repeated]
    return root


def without_layer(*names):
    def unwrap(root):
        for name in names:
            for element in root.findall(f".//{NAMESPACE}{name}"):
                for child in list(element):
                    element.addprevious(child)
                element.getparent().remove(element)
        return root

    return unwrap


def only_envelope(root):
    envelope = root[0]
    envelope.extend(root[1:])
    return envelope


SHAPES = {
    "lower case": renamed(lambda name, space: f"{{{space}}}{name.lower()}"),
    "upper case": renamed(lambda name, space: f"{{{space}}}{name.upper()}"),
    "no namespace": renamed(lambda name, _: name),
    "other namespace": renamed(lambda name, _: f"{{http://www.e-doc.vn/Schema/}}{name}"),
    "Business": renamed(lambda name, space: f"{{{space}}}{name.replace('Bussiness', 'Business')}"),
    "reversed": reversed_children,
    "no header layer": without_layer("edXMLHeader"),
    "no body layer": without_layer("edXMLBody"),
    "no inner layers": without_layer("edXMLHeader", "edXMLBody"),
    "no layers": without_layer("edXMLHeader", "edXMLBody", "edXMLEnvelope"),
    "envelope as root": only_envelope,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "name", ["new_java", "new_dotnet", "revoke_java", "update_java", "replace_java", "status_02_refused"]
)
def test_shapes_that_say_the_same(shape, name):
    raw = (FIXTURES / f"{name}.edxml").read_bytes()
    found = reading(SHAPES[shape](tree_of(raw)))
    assert found.message == read.read(raw).message
    assert found.findings == ()


def test_undeclared_prefixes_are_repaired():
    raw = LETTER.replace(b' xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016"', b"")
    found = read.read(raw)
    assert found.repaired
    assert found.message == read.read(LETTER).message
    assert [(finding.severity, finding.code) for finding in found.findings] == [("warning", "repaired")]


def test_elements_nobody_knows_are_left_alone():
    found = edited(LETTER, "<edXML:SteeringType>", "<edXML:Bogus><a>1</a></edXML:Bogus><edXML:SteeringType>")
    assert found.message == read.read(LETTER).message
    assert [(f.severity, f.code, f.facts["element"]) for f in found.findings] == [
        ("info", "unknown_element", "Bogus")
    ]


def test_text_between_elements_is_noted():
    found = edited(LETTER, "<edXML:CodeNumber>", "stray <edXML:CodeNumber>")
    assert [(f.severity, f.code, f.facts["element"]) for f in found.findings] == [
        ("warning", "text_ignored", "Code")
    ]


def test_cdata_and_character_references_are_text():
    found = edited(LETTER, "Tờ trình</edXML:TypeName>", "<![CDATA[T&]]>&#x1EDD; trình</edXML:TypeName>")
    assert (found.message.type_name, found.findings) == ("T&ờ trình", ())


@pytest.mark.parametrize("letter", ["\u202e", "\u200b", "\u0085", "\ufeff"])
def test_hidden_characters_are_noted(letter):
    found = edited(LETTER, "Về việc phê", f"Về{letter}việc phê")
    assert [(f.severity, f.code) for f in found.findings] == [("warning", "hidden_characters")]


def test_paths_and_lines_lead_to_the_place():
    found = edited(LETTER, "Priority>3<", "Priority>9<")
    (finding,) = found.findings
    assert finding.path == "edXML/edXMLEnvelope/edXMLHeader/MessageHeader/OtherInfo/Priority"
    line = LETTER.decode().splitlines()[finding.line - 1]
    assert "<edXML:Priority>" in line


def test_findings_are_bounded_and_errors_come_first():
    unknown = "".join(f"<edXML:U{number}/>" for number in range(500))
    found = edited(LETTER, "<edXML:Subject>", f"{unknown}<edXML:Subject/><edXML:Subject>")
    assert len(found.findings) == 102
    assert found.findings[0].code == "twice"
    assert (found.findings[-1].code, found.findings[-1].facts["count"]) == ("more_findings", "400")


def test_headerless():
    found = read.read(b"<edXML/>")
    assert errors_of(found) == [("missing", "MessageHeader")]
    assert found.message.document_id == ""
