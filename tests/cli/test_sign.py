"""`congvan sign` with keys in files and in a token: what it makes, `congvan verify` accepts; what it cannot, it says."""

import hashlib
import io
import json

import pdf_cases as cases
import pytest
import softhsm
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer

from exchange.cli import main
from signing import keys, p7, pdf_write


def congvan(*arguments, typed=None, **environment):
    environment = {"COLUMNS": "140", "CONGVAN_LANGUAGE": "en", "CONGVAN_TOKEN_PIN": "", **environment}
    return CliRunner().invoke(main.main, [str(one) for one in arguments], env=environment, input=typed)


RAW = {
    "a.xml": b"<a><b>1</b></a>",
    "a.pdf": pdf_write.blank(["ky thu"]),
    "a.docx": b"PK\x03\x04 some other file",
}
FORMS = {"a.xml": "xml", "a.pdf": "pdf", "a.docx": "p7s"}


@pytest.fixture
def desk(tmp_path):
    """A folder with files to sign, and what our test authority is trusted by."""
    for name, raw in RAW.items():
        (tmp_path / name).write_bytes(raw)
    for folder, files in (("trust", cases.TRUSTED), ("crl", cases.lists())):
        (tmp_path / folder).mkdir()
        for number, raw in enumerate(files):
            (tmp_path / folder / str(number)).write_bytes(raw)
    for name, key, certificate in (
        ("person", cases.PERSON_KEY, cases.PERSON),
        ("agency", cases.ORGANISATION_KEY, cases.ORGANISATION),
    ):
        (tmp_path / f"{name}.pem").write_bytes(keys.private_pem(key))
        (tmp_path / f"{name}.der").write_bytes(keys.der(certificate))
    return tmp_path


def by_file(desk, name="person"):
    return "--key", desk / f"{name}.pem", "--certificate", desk / f"{name}.der"


def by_token(label):
    return "--pkcs11", softhsm.token().module, "--token", softhsm.LABEL, "--key-label", label


def holds(desk, file, *more):
    """Whether `congvan verify` passes it as of the moment when the lists were made."""
    trusted = ("--trust", desk / "trust", "--crl", desk / "crl", "--at", cases.AT.isoformat())
    done = congvan("verify", file, *trusted, *more, "--json")
    return done.exit_code, {one["indication"] for one in json.loads(done.output)["signatures"]}


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize("whose", ["person", "agency", "token_rsa", "token_p256"])
def test_what_sign_makes_verify_accepts(desk, name, whose):
    out = desk / f"signed-{name}{'.p7s' if name == 'a.docx' else ''}"
    kind, _, label = whose.partition("_")
    key = by_token(label) if kind == "token" else by_file(desk, kind)
    made = congvan("sign", desk / name, *key, "--out", out, "--json", CONGVAN_TOKEN_PIN=softhsm.PIN)
    assert made.exit_code == 0, made.output
    told = json.loads(made.output)
    raw = out.read_bytes()
    assert (told["file"], told["out"], told["form"]) == (name, str(out), FORMS[name])
    assert (told["sha256"], told["size"]) == (hashlib.sha256(raw).hexdigest(), len(raw))
    held = {"person": cases.PERSON, "agency": cases.ORGANISATION}
    certificate = held.get(whose) or softhsm.certificate_of(label)
    assert told["certificate_sha256"] == keys.fingerprint(certificate).hex()
    assert holds(desk, out, *(("--content", desk / name) if name == "a.docx" else ())) == (
        0,
        {"TOTAL_PASSED"},
    )


def test_several_files_stand_beside_theirs(desk):
    done = congvan("sign", *(desk / name for name in RAW), *by_file(desk))
    assert done.exit_code == 0
    made = [desk / "a.signed.xml", desk / "a.signed.pdf", desk / "a.docx.p7s"]
    assert all(path.exists() for path in made)
    assert done.output.count("is signed") == 3
    assert holds(desk, made[2]) == (0, {"TOTAL_PASSED"})
    assert [(desk / name).read_bytes() for name in RAW] == list(RAW.values())


def test_a_person_and_an_agency_sign_one_pdf_without_naming_fields(desk):
    once, twice = desk / "once.pdf", desk / "twice.pdf"
    assert congvan("sign", desk / "a.pdf", *by_file(desk, "person"), "--out", once).exit_code == 0
    assert congvan("sign", once, *by_file(desk, "agency"), "--out", twice).exit_code == 0
    assert holds(desk, twice) == (0, {"TOTAL_PASSED"})
    again = congvan("sign", once, *by_file(desk, "agency"), "--out", desk / "x.pdf", "--field", "Signature1")
    assert (again.exit_code, (desk / "x.pdf").exists()) == (2, False)


def test_forms_may_be_chosen(desk):
    out = desk / "a.pdf.p7m"
    assert congvan("sign", desk / "a.pdf", *by_file(desk), "--form", "p7m").exit_code == 0
    assert p7.read(out.read_bytes()).inside == RAW["a.pdf"]
    assert holds(desk, out) == (0, {"TOTAL_PASSED"})
    assert congvan("sign", desk / "a.docx", *by_file(desk), "--form", "xml").exit_code == 2


def test_a_chain_goes_along(desk):
    (desk / "authority.der").write_bytes(keys.der(cases.AUTHORITY.certificate))
    chained = (*by_file(desk), "--chain", desk / "authority.der")
    assert congvan("sign", desk / "a.docx", *chained).exit_code == 0
    assert len(p7.cms_data.content((desk / "a.docx.p7s").read_bytes())["certificates"]) == 2


UNFIT = {
    "no_key": lambda _: (),
    "two_keys": lambda desk: (*by_file(desk), *by_token("rsa")),
    "no_certificate": lambda desk: ("--key", desk / "person.pem"),
    "no_label": lambda _: ("--pkcs11", "x.so"),
    "another_certificate": lambda desk: ("--key", desk / "person.pem", "--certificate", desk / "agency.der"),
    "no_key_inside": lambda desk: ("--key", desk / "a.pdf", "--certificate", desk / "person.der"),
    "no_module": lambda _: ("--pkcs11", "/nowhere.so", "--token", "x", "--key-label", "x"),
    "no_such_token": lambda _: (*by_token("rsa")[:2], "--token", "x", "--key-label", "rsa"),
    "no_such_key": lambda _: by_token("x"),
    "no_certificate_inside": lambda _: by_token("bare"),
    "key_of_another": lambda desk: (*by_token("rsa"), "--certificate", desk / "person.der"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_nothing_is_written_when_it_cannot_be_signed(desk, name):
    before = set(desk.iterdir())
    done = congvan("sign", desk / "a.docx", *UNFIT[name](desk), CONGVAN_TOKEN_PIN=softhsm.PIN)
    assert done.exit_code == 2, done.output
    assert done.stderr.strip()
    assert "Traceback" not in done.output
    assert set(desk.iterdir()) == before


def encrypted(raw):
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(raw)))
    writer.encrypt(owner_pass="chủ", user_pass="")
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def locked_key():
    kind = serialization.BestAvailableEncryption(b"secret")
    return cases.PERSON_KEY.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, kind)


REASONS = {
    "it is encrypted. Save a copy": lambda desk: ("locked.pdf", *by_file(desk)),
    "has a password": lambda desk: ("a.pdf", "--key", desk / "locked.pem", "--certificate", desk / "person.der"),
    "field Signature1 is filled already": lambda desk: ("once.pdf", *by_file(desk), "--field", "Signature1"),
    "does not belong to the certificate": lambda desk: (
        "a.pdf", "--key", desk / "person.pem", "--certificate", desk / "agency.der",
    ),
    "torn.pdf cannot be read": lambda desk: ("torn.pdf", *by_file(desk)),
    "a.docx cannot be read": lambda desk: ("a.docx", *by_file(desk), "--form", "xml"),
}  # fmt: skip


@pytest.mark.parametrize("reason", REASONS)
def test_the_real_reason_is_told(desk, reason):
    (desk / "locked.pdf").write_bytes(encrypted(RAW["a.pdf"]))
    (desk / "torn.pdf").write_bytes(RAW["a.pdf"][:300])
    (desk / "locked.pem").write_bytes(locked_key())
    once = pdf_write.sign(
        RAW["a.pdf"], cases.PERSON_KEY, cases.PERSON, at=cases.SIGNED_AT, field="Signature1"
    )
    (desk / "once.pdf").write_bytes(once)
    file, *more = REASONS[reason](desk)
    before = set(desk.iterdir())
    done = congvan("sign", desk / file, *more)
    assert (done.exit_code, set(desk.iterdir())) == (2, before)
    assert reason in " ".join(done.stderr.split())


def test_one_out_for_several_files_is_refused(desk):
    done = congvan("sign", desk / "a.xml", desk / "a.pdf", *by_file(desk), "--out", desk / "x")
    assert (done.exit_code, (desk / "x").exists()) == (2, False)


def test_the_pin_is_asked_for_and_never_shown(desk):
    asked = congvan("sign", desk / "a.docx", *by_token("p256"), typed=softhsm.PIN + "\n")
    assert asked.exit_code == 0, asked.output
    assert "PIN" in asked.stderr
    wrong = congvan("sign", desk / "a.docx", *by_token("p256"), CONGVAN_TOKEN_PIN="13572468")
    assert wrong.exit_code == 2
    for done in (asked, wrong):
        assert softhsm.PIN not in done.output
        assert "13572468" not in done.output


def test_no_option_takes_the_pin():
    help_ = congvan("sign", "--help").output
    assert not [word for word in help_.split() if word.startswith("--") and "pin" in word]
