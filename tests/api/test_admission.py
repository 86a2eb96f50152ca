"""Every row of the admission table, and what a signature covers, over real HTTP: real keys, real PDFs, real verdicts."""

import asyncio
import base64
import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest
from province import actor, fetch, serving

from exchange.demo import cast, letters
from exchange.edxml import attachments, model, read, write
from exchange.rules import policy_file
from signing import keys, pdf_write, seal

SENDER, OTHER, THIRD = "H13.01", "H13.02", "H13.03"
DECLARED = "H13.04"  # declares to sign its packages, and to issue without paper
PDF = "application/pdf"
(UNCONFIRMED,) = cast.cast().odd.unconfirmed
(REVOKED,) = cast.cast().odd.revoked
TODAY = datetime.now(UTC).astimezone().date()


@pytest.fixture(scope="module")
def world(shared_server):
    """The province's server; one agency has made declarations, one seal is also registered as a person's."""
    asyncio.run(_declare(shared_server))
    return shared_server


async def _declare(server):
    both = server.province.ours.seals[THIRD]
    statements = [
        (
            """INSERT INTO agency_declaration (agency, kind, valid_from, basis) SELECT id, declared, $2, 'x'
                 FROM agency, unnest(ARRAY['no_paper', 'signs_package']) AS declared WHERE code = $1""",
            DECLARED,
            date(2026, 1, 1),
        ),
        (
            """INSERT INTO signer_certificate (sha256, agency, kind, officer, valid_from, basis, confirmed_at)
               SELECT $1, agency.id, 'individual', officer.id, $3, 'x', now()
                 FROM agency JOIN officer ON officer.agency = agency.id WHERE agency.code = $2 LIMIT 1""",
            keys.fingerprint(both.certificate),
            THIRD,
            date(2026, 1, 2),
        ),
        ("UPDATE directory_version SET version = version + 1",),
    ]
    for statement in statements:
        await fetch(server.dsn, *statement)
    await asyncio.sleep(2.5)  # a snapshot is asked for again every two seconds


def holder(province, who):
    """`seal`, `person`, `seal:H13.02`, `person:H13.02`, or who nobody knows."""
    kind, _, code = who.partition(":")
    code = code or SENDER
    if kind == "seal":
        return province.ours.seals[actor(code).seal_of]
    if kind == "person":
        return province.ours.persons[(code, actor(code).officer)]
    key = keys.new_key("p256")
    started = datetime.now(UTC) - timedelta(days=400)
    issuer = province.ours.issuer
    if kind == "strange-root":
        issuer = keys.root("Gốc lạ", key=keys.new_key("p256"), at=started)
    days = 30 if kind == "expired" else 4000
    made = keys.certificate(issuer, "Nguyễn Văn Lạ", key.public_key(), at=started, serial=77_000, days=days)
    return keys.Holder(certificate=made, key=key)


def document(province, *steps, lines=("Nội dung",)):
    """A PDF through these steps: who signs it, or `stamp:<text>`."""
    raw = pdf_write.blank(list(lines))
    for number, step in enumerate(steps):
        if step.startswith("stamp:"):
            raw = pdf_write.stamp(raw, step.removeprefix("stamp:"))
            continue
        one = holder(province, step)
        raw = pdf_write.sign(raw, one.key, one.certificate, at=datetime.now(UTC), field=f"F{number}")
    return raw


def letter(number, *files, sender=SENDER, recipients=(OTHER,), paper=0, **facts):
    """The bytes of a letter with these (name, bytes)."""
    plain = {
        "number": str(number),
        "notation": "CV-THU",
        "issued_on": TODAY,
        "subject": "V/v thử",
        "type_name": "Công văn",
        "document_id": f"{sender},{TODAY:%Y/%m/%d},{number}/CV-THU",
    }
    return write.write(
        model.Letter(
            sender=model.Party(code=sender),
            recipients=tuple(model.Party(code=code) for code in recipients),
            paper=paper,
            attachments=tuple(attachments.encode(name, raw, PDF) for name, raw in files),
            **{**plain, **facts},
        )
    )


def packaged(province, raw, who="seal"):
    """With a package signature more, over header and files by their ids: a second one breaks no first one."""
    one = holder(province, who)
    for name, known in ((b"AttachmentEncoded", b"tep"), (b"edXML:MessageHeader", b"dau")):
        raw = raw.replace(b"<%s>" % name, b'<%s Id="%s">' % (name, known), 1)
    return seal.sign_xml(raw, one.key, one.certificate, at=datetime.now(UTC), references=("#dau", "#tep"))


def codes(findings):
    return [one["code"] for one in findings if one["severity"] == "warning"]


async def sent(server, raw, code=SENDER, **beside):
    """What came of a letter: the sender's answer and what the verdicts say to sender and recipient."""
    async with server.client(code) as client:
        answer = await client.send(raw, **beside)
        if answer.status != 201:
            return answer, None
        return answer, (await client.about(answer.body["receipt"]["letter"], "verdicts")).body


def told(answer, judged):
    if answer.status != 201:
        return f"refused {answer.problem}"
    body = answer.body
    assert (body["requirement"], bool(judged["reason"])) == (
        judged["requirement"],
        body["requirement"] != "met",
    )
    return f"{body['requirement']} {judged['reason']} {body['class_if_electronic']}".replace("  ", " ")


# Row 1


async def test_row_1_refuses_whoever_signed(world, province):
    good = letter(1, ("a.pdf", document(province, "person", "seal")))
    cut = good.replace(b"<edXML:Subject>", b"<edXML:Subjekt>").replace(
        b"</edXML:Subject>", b"</edXML:Subjekt>"
    )
    deep = good.replace(b"<edXML:edXMLHeader>", b"<edXML:edXMLHeader>" + b"<x>" * 70 + b"</x>" * 70, 1)
    cases = {
        "not_xml": (b"<nothing", SENDER),
        "forbidden_xml": (b"<!DOCTYPE a><a/>", SENDER),
        "not_edxml": (b"<a/>", SENDER),
        "findings": (cut, SENDER),
        "too_complex": (deep, SENDER),
        "not_allowed_to_act": (good, "H13.31"),
        "unknown_sender": (letter(2, sender="H99.99"), SENDER),
        "no_routable_recipient": (letter(3, recipients=("H99.98", "H99.97")), SENDER),
    }
    for code, (raw, caller) in cases.items():
        answer, _ = await sent(world, raw, caller)
        assert answer.problem == code


# Rows 2 to 4: the main document's steps, an annex's or None, what is done to the package, what comes of it

MAIN = ("person", "seal")
CASES = {
    "usual flow": (("person", "stamp:Số: 1/CV-THU", "seal"), None, None, "met E"),
    "both": (MAIN, None, None, "met E"),
    "both in the package": ((), None, "seal person", "met E"),
    "person in the file, seal on the package": (("person",), None, "seal", "met E"),
    "nothing": ((), None, None, "not_met no_signature N"),
    "only the person": (("person",), None, None, "not_met organisation_missing N"),
    "only the seal": (("seal",), None, None, "not_met individual_missing N"),
    "the seal twice": (("seal", "seal"), None, None, "not_met individual_missing N"),
    "the seal before the person": (("seal", "person"), None, None, "not_met coverage N"),
    "main unsigned, annex signed": ((), ("person", "seal"), None, "not_met no_signature N"),
    "seal on the main one, person on the annex": (("seal",), ("person",), None, "not_met individual_missing N"),
    "person on the main one, seal on the annex": (("person",), ("seal",), None, "not_met organisation_missing N"),
    "annex unsigned": (MAIN, (), None, "not_met annex_unsigned N"),
    "annex signed": (MAIN, ("seal",), None, "met E"),
    "annex covered by the package": (MAIN, (), "seal", "met E"),
    "another person": (("person:H13.02", "seal"), None, None, "not_met signer_of_another N"),
    "another's seal only": (("person", "seal:H13.02"), None, None, "refused signature_of_another"),
    "another's seal on the package": (("person",), None, "seal:H13.02", "refused signature_of_another"),
    "another's seal beside the own": (("seal:H13.02", *MAIN), None, None, "met E"),
    "a stranger": (("person", "stranger"), None, None, "not_met signer_unknown N"),
    "another root": (("person", "strange-root"), None, None, "not_met no_path N"),
    "expired": (("person", "expired"), None, None, "not_met expired N"),
    "broken": (MAIN, None, "tamper main", "refused signature_broken"),
    "broken package": (MAIN, None, "seal;tamper package", "refused signature_broken"),
    "broken annex": (MAIN, ("seal",), "tamper annex", "not_met broken_annex N"),
    "wrapped": (MAIN, None, "wrap", "refused signature_wrapping"),
    "placeholder": ((), None, "placeholder", "not_met placeholder N"),
    "placeholder beside a good one": (MAIN, None, "placeholder", "met E"),
    "foreign namespace": ((), None, "foreign", "not_met foreign_namespace N"),
}  # fmt: skip
PLACEHOLDER = letters._PLACEHOLDER
FOREIGN = PLACEHOLDER.replace(b"http://www.w3.org/2000/09/xmldsig#", b"urn:la")


def tampered(raw, which):
    """One word changed: inside that file's bytes, or in the header."""
    if which == "package":
        return raw.replace("V/v thử".encode(), b"V/v thay", 1)
    position = 0 if which == "main" else 1
    encoded = read.read(raw).message.attachments[position].encoded
    changed = base64.b64decode(encoded).replace(b"/MediaBox [0 0 595", b"/MediaBox [0 0 596", 1)
    return raw.replace(encoded.encode(), base64.b64encode(changed), 1)


def wrapped(province, raw):
    """The id of what is signed stands a second time, on something else."""
    signed = packaged(province, raw)
    return signed.replace(b"<edXML:TraceHeaderList>", b'<edXML:TraceHeaderList Id="dau">', 1)


def done(province, raw, what):
    for step in (what or "").split(";"):
        name, _, which = step.partition(" ")
        if name == "tamper":
            raw = tampered(raw, which)
        elif name == "wrap":
            raw = wrapped(province, raw)
        elif name in ("placeholder", "foreign"):
            element = PLACEHOLDER if name == "placeholder" else FOREIGN
            raw = raw.replace(b"</edXML:edXMLHeader>", element + b"</edXML:edXMLHeader>", 1)
        else:
            for who in step.split():
                raw = packaged(province, raw, who)
    return raw


@pytest.mark.parametrize("number, case", list(enumerate(CASES, 100)), ids=CASES)
async def test_rows_2_to_4(world, province, number, case):
    main, annex, package, expected = CASES[case]
    files = [("chinh.pdf", document(province, *main, lines=(case,)))]
    if annex is not None:
        files.append(("phu-luc.pdf", document(province, *annex, lines=(case, "phụ lục"))))
    raw = done(province, letter(number, *files), package)
    answer, judged = await sent(world, raw, main="chinh.pdf")
    assert told(answer, judged) == expected
    if judged:
        assert codes(answer.body["warnings"])[:1] == (
            [f"requirement_{judged['reason']}"] if judged["reason"] else codes(answer.body["warnings"])[:1]
        )
        assert len(judged["missing_text"]) == len(judged["missing"])
        assert all(one["why"] and isinstance(one["advice"], str) for one in judged["signatures"])


async def test_one_certificate_for_both_is_one(world, province):
    raw = letter(200, ("a.pdf", document(province, f"seal:{THIRD}", f"seal:{THIRD}")), sender=THIRD)
    answer, judged = await sent(world, raw, THIRD)
    assert told(answer, judged) == "not_met same_certificate N"
    assert judged["missing"] == ["main.individual"]


@pytest.mark.parametrize(
    "code, expected", [(UNCONFIRMED, "undetermined signer_unconfirmed N"), (REVOKED, "not_met revoked N")]
)
async def test_signers_that_are_not_confirmed_or_revoked(world, province, code, expected):
    raw = letter(201, ("a.pdf", document(province, f"person:{code}", f"seal:{code}")), sender=code)
    answer, judged = await sent(world, raw, code)
    assert told(answer, judged) == expected


@pytest.mark.parametrize("copy", ["true_copy", "extract", "duplicate"])
async def test_a_copy_needs_the_agencys_signature_only(world, province, copy):
    raw = letter(
        {"true_copy": 211, "extract": 212, "duplicate": 213}[copy],
        ("a.pdf", document(province, "seal", lines=(copy,))),
    )
    assert told(*await sent(world, raw, copy=copy)) == "met E"


@pytest.mark.parametrize(
    "sender, paper, electronic, klass",
    [
        (SENDER, 0, "E", "E"),
        (SENDER, 1, "E", "S"),
        (SENDER, None, "U", "U"),
        (DECLARED, None, "E", "E"),
        (DECLARED, 1, "E", "S"),
    ],
)
async def test_row_3_what_is_declared_about_paper(world, province, sender, paper, electronic, klass):
    steps = (f"person:{sender}", f"seal:{sender}")
    raw = letter(
        f"22{paper}{sender[-1]}",
        ("a.pdf", document(province, *steps, lines=(f"{paper}",))),
        sender=sender,
        paper=paper,
    )
    answer, judged = await sent(world, raw, sender)
    assert told(answer, judged) == f"met {electronic}"
    rows = await fetch(
        world.dsn, "SELECT class FROM delivery WHERE letter = $1", answer.body["receipt"]["letter"]
    )
    assert [row["class"] for row in rows] == [klass]


async def test_row_5_some_recipients_unknown(world, province):
    raw = letter(230, ("a.pdf", document(province, *MAIN, lines=("230",))), recipients=(OTHER, "H99.99"))
    answer, judged = await sent(world, raw)
    assert told(answer, judged) == "met E"
    assert (answer.body["receipt"]["recipients"], answer.body["receipt"]["unroutable"]) == (
        [OTHER],
        ["H99.99"],
    )
    assert "recipient_unknown" in codes(answer.body["warnings"])


# One signed file under two numbers


async def test_an_old_signed_file_under_a_new_header(world, province):
    file = ("a.pdf", document(province, *MAIN, lines=("một lần",)))
    first = letter(240, file)
    answer, judged = await sent(world, first)
    assert told(answer, judged) == "met E"
    async with world.client() as client:
        assert (await client.send(first)).status == 200  # the same letter again is no second use
    answer, judged = await sent(world, letter(241, file))
    assert told(answer, judged) == "undetermined file_reused N"
    warned = {one["code"]: one["text"] for one in answer.body["warnings"]}
    assert "240/CV-THU" in warned["main_file_reused"]
    other = letter(242, ("a.pdf", document(province, *MAIN, lines=("một lần",))))
    assert told(*await sent(world, other)) == "met E"  # signed anew, it is another file
    async with world.client(OTHER) as recipient:
        seen = (await recipient.about(answer.body["receipt"]["letter"], "verdicts")).body
    assert codes(seen["warnings"]) == codes(answer.body["warnings"])
    assert seen["requirement_text"] == "Chưa đủ căn cứ kết luận về chữ ký số"


async def test_an_unsigned_file_may_come_again(world, province):
    file = ("a.pdf", document(province, lines=("mẫu",)))
    for number in (243, 244):
        answer, judged = await sent(world, packaged(province, letter(number, file)))
        assert told(answer, judged) == "not_met individual_missing N"
        assert codes(answer.body["warnings"]) == ["requirement_individual_missing"]


async def test_a_signed_file_of_a_training_letter_may_be_sent_in_earnest(world, province):
    file = ("a.pdf", document(province, *MAIN, lines=("tập huấn",)))
    await sent(world, letter(245, file), test="1")
    assert told(*await sent(world, letter(246, file))) == "met E"


async def test_a_notice_about_a_letter_has_no_main_file(world, province):
    raw = letter(247, ("a.pdf", document(province, *MAIN, lines=("trả lời",))))
    async with world.client() as client, world.client(OTHER) as recipient:
        held = (await client.send(raw)).body["receipt"]["letter"]
        items = [item async for item in recipient.pending(OTHER)]
        delivery = next(item["id"] for item in items if item["letter"] == held)
        await recipient.ack([delivery])
        assert (await recipient.status(delivery, "03")).status == 201
    rows = await fetch(
        world.dsn, "SELECT operation, main_sha256 IS NULL AS none FROM letter WHERE number = '247'"
    )
    assert {(row["operation"], row["none"]) for row in rows} == {("new", False), ("status", True)}


# The header against the signed page; names


def page(number="250", notation="CV-THU", on=TODAY, heading=None):
    heading = heading or actor(SENDER).name.upper()
    return (heading, f"Số: {number}/{notation}", f"Cần Thơ, ngày {on:%d} tháng {on:%m} năm {on:%Y}")


HEADERS = {
    "agrees": ({}, []),
    "another number": ({"number": "999"}, ["number"]),
    "another notation": ({"notation": "QĐ-UBND"}, ["notation"]),
    "another day": ({"on": TODAY - timedelta(days=40)}, ["date"]),
    "another agency": ({"heading": actor(OTHER).name.upper()}, ["agency"]),
}
FACTS = {"Số": "number", "Ký hiệu": "notation", "Ngày ban hành": "date", "Cơ quan ban hành": "agency"}


@pytest.mark.parametrize("number, case", list(enumerate(HEADERS, 250)), ids=HEADERS)
async def test_a_header_that_says_something_else_than_the_signed_page_is_a_warning(
    world, province, number, case
):
    further, expected = HEADERS[case]
    lines = page(**{"number": str(number), **further})
    answer, judged = await sent(world, letter(number, ("a.pdf", document(province, *MAIN, lines=lines))))
    assert told(answer, judged) == "met E"
    texts = [one["text"] for one in answer.body["warnings"] if one["code"] == "header_differs"]
    assert [FACTS[text.partition(" ở phần đầu")[0]] for text in texts] == expected


async def test_an_unsigned_page_contradicts_nobody(world, province):
    raw = packaged(province, letter(260, ("a.pdf", document(province, lines=page("999")))))
    answer, _ = await sent(world, raw)
    assert codes(answer.body["warnings"]) == ["requirement_individual_missing"]


async def test_the_signers_name_and_capacity(world, province):
    file = ("a.pdf", document(province, *MAIN, lines=("tên",)))
    name = actor(SENDER).officer_name
    signer = model.Signer(competence="KT. GIÁM ĐỐC", position="PHÓ GIÁM ĐỐC", name=name.upper())
    answer, _ = await sent(world, letter(261, file, signer=signer))
    assert codes(answer.body["warnings"]) == []
    async with world.client() as client:
        header = (await client.about(answer.body["receipt"]["letter"], "header")).body
    assert header["capacity"] == [{"code": "KT", "name": "Ký thay người đứng đầu"}]
    other = ("a.pdf", document(province, *MAIN, lines=("tên khác",)))
    answer, judged = await sent(world, letter(262, other, signer=model.Signer(name="Trịnh Khác Hẳn")))
    assert (told(answer, judged), codes(answer.body["warnings"])) == ("met E", ["signer_name_differs"])


# Declared package signatures


async def test_a_declared_package_signature_that_was_stripped_is_a_warning_on_both_sides(world, province):
    steps = (f"person:{DECLARED}", f"seal:{DECLARED}")
    plain = letter(270, ("a.pdf", document(province, *steps, lines=("270",))), sender=DECLARED)
    answer, judged = await sent(world, plain, DECLARED)
    assert (told(answer, judged), codes(answer.body["warnings"])) == ("met E", ["package_unsigned"])
    async with world.client(OTHER) as recipient:
        seen = (await recipient.about(answer.body["receipt"]["letter"], "verdicts")).body
    assert codes(seen["warnings"]) == ["package_unsigned"]
    whole = letter(271, ("a.pdf", document(province, *steps, lines=("271",))), sender=DECLARED)
    answer, judged = await sent(world, packaged(province, whole, f"seal:{DECLARED}"), DECLARED)
    assert (told(answer, judged), codes(answer.body["warnings"])) == ("met E", [])


# Verdicts in both languages


async def test_verdicts_are_complete_in_both_languages(world, province):
    raw = letter(
        280,
        ("chính.pdf", document(province, "person", lines=("280",))),
        ("phụ.pdf", document(province, "stranger")),
    )
    answer, _ = await sent(world, raw, main="chính.pdf")
    told_ = {}
    for language in ("vi", "en"):
        async with world.client() as client:
            path = f"/v1/messages/{answer.body['receipt']['letter']}/verdicts"
            told_[language] = (await client.ask("GET", path, headers={"Accept-Language": language})).body
    vi, en = told_["vi"], told_["en"]
    assert vi["missing"] == en["missing"] == ["main.organisation", "annex.organisation:phụ.pdf"]
    assert vi["missing_text"] == [
        "Chữ ký số của cơ quan, tổ chức trên văn bản chính",
        "Chữ ký số của cơ quan, tổ chức trên phụ lục phụ.pdf",
    ]
    assert en["missing_text"][1] == "The organisation's signature on the annex phụ.pdf"
    for key in ("requirement_text", "reason_text"):
        assert vi[key] != en[key]
    person, stranger = vi["signatures"]
    assert person["signer"]["kind"] == "individual"
    assert (person["signer"]["name"], person["signer"]["agency"]) == (actor(SENDER).officer_name, SENDER)
    assert person["signer"]["officer"]
    assert (person["main"], person["where"], stranger["main"], stranger["where"]) == (
        True,
        "chính.pdf",
        False,
        "phụ.pdf",
    )
    assert stranger["signer"] == {"kind": "unknown", "name": "Nguyễn Văn Lạ", "agency": None, "officer": None}
    assert [one["why"] for one in vi["signatures"]] != [one["why"] for one in en["signatures"]]


# A deployment with a policy of its own

POLICY = """source = "Quy chế của tỉnh"
accept_broken = true
later_changes = ["signature"]

[[rule]]
copy_form = "*"
document_type = "Giấy mời"
demands = ["organisation"]
valid_from = 2026-01-01
basis = "Điều 7"

[[rule]]
copy_form = "*"
document_type = "Thông cáo"
demands = ["organisation"]
valid_to = 2025-12-31
basis = "Điều 8"

[[rule]]
copy_form = "*"
document_type = "*"
demands = ["organisation", "individual"]
basis = "Điều 5"
"""


async def test_a_deployments_own_policy_decides_and_is_kept(province, province_database, tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text(POLICY, encoding="utf-8")
    expected = {
        ("Giấy mời", ("seal",), None): "met E",
        ("Thông cáo", ("seal",), None): "not_met individual_missing N",
        ("Công văn", ("seal",), None): "not_met individual_missing N",
        ("Công văn", MAIN, None): "met E",
        ("Công văn", MAIN, "tamper main"): "not_met broken_main N",
        ("Công văn", ("person", f"seal:{OTHER}"), None): "not_met signer_of_another N",
    }
    with serving(province, province_database, tmp_path, workers=1, CONGVAN_POLICY_FILE=str(file)) as server:
        for number, ((kind, steps, package), cell) in enumerate(expected.items(), 300):
            raw = letter(number, ("a.pdf", document(province, *steps, lines=(str(number),))), type_name=kind)
            assert told(*await sent(server, done(province, raw, package))) == cell
    own = policy_file.read(POLICY.encode())
    letters_ = await fetch(server.dsn, "SELECT DISTINCT policy_sha256 FROM letter")
    kept = await fetch(server.dsn, "SELECT sha256, body FROM signature_policy")
    assert [row["policy_sha256"] for row in letters_] == [own.sha256]
    assert {(row["sha256"], row["body"]) for row in kept} == {(own.sha256, own.text)}
    assert all(hashlib.sha256(row["body"].encode()).digest() == row["sha256"] for row in kept)
