"""A small world for the rules: a province, agencies under it, strangers, and certificates with their rows."""

import hashlib
from datetime import UTC, date, datetime
from types import SimpleNamespace
from uuid import UUID

import pytest

from exchange.rules import directory, requirements
from signing.verdict import Coverage, Indication, Report, SubIndication, Verdict

ON = date(2026, 11, 21)
AT = datetime(2026, 11, 21, 3, tzinfo=UTC)
START = date(2020, 1, 1)
END = date(2025, 12, 31)


def _id(number: int) -> UUID:
    return UUID(int=number)


PROVINCE, DEPARTMENT, SECTION, COMMUNE = _id(1), _id(2), _id(3), _id(4)
MINISTRY, PARTY, OFF, ENDED = _id(5), _id(6), _id(7), _id(8)

_AGENCIES = [
    # id, code, parent, root, further
    (PROVINCE, "H13", None, PROVINCE, {"level": 1}),
    (DEPARTMENT, "H13.02", PROVINCE, PROVINCE, {}),
    (SECTION, "H13.02.01", DEPARTMENT, PROVINCE, {"own_clerk": False, "level": 3}),
    (COMMUNE, "H13.31", PROVINCE, PROVINCE, {}),
    (MINISTRY, "G09", None, MINISTRY, {"level": 1}),
    (PARTY, "A13.01", PROVINCE, PROVINCE, {"sector": "party"}),
    (OFF, "H13.09", PROVINCE, PROVINCE, {"disabled": True}),
    (ENDED, "H13.08", PROVINCE, PROVINCE, {"valid_to": END}),
]

_ROWS = [
    # certificate, agency, kind, further
    ("department seal", DEPARTMENT, "organisation", {}),
    ("department seal 2", DEPARTMENT, "organisation", {}),
    ("department person", DEPARTMENT, "individual", {}),
    ("department device", DEPARTMENT, "device", {}),
    ("proposed seal", DEPARTMENT, "organisation", {"confirmed": False}),
    ("proposed person", DEPARTMENT, "individual", {"confirmed": False}),
    ("both", DEPARTMENT, "organisation", {}),
    ("both", DEPARTMENT, "individual", {"valid_from": date(2020, 1, 2)}),
    ("former seal", DEPARTMENT, "organisation", {"valid_to": END}),
    ("shared seal", PROVINCE, "organisation", {"basis": "QĐ 1"}),
    ("shared seal", COMMUNE, "organisation", {"basis": "con dấu của cơ quan cấp trên"}),
    ("province seal", PROVINCE, "organisation", {}),
    ("province person", PROVINCE, "individual", {}),
    ("proposed province person", PROVINCE, "individual", {"confirmed": False}),
    ("proposed province seal", PROVINCE, "organisation", {"confirmed": False}),
    ("commune person", COMMUNE, "individual", {}),
    ("ministry seal", MINISTRY, "organisation", {}),
    ("ministry person", MINISTRY, "individual", {}),
    ("proposed by ministry", MINISTRY, "organisation", {"confirmed": False}),
]


def _agency(row) -> directory.Agency:
    id_, code, parent, root, further = row
    plain = {"name": f"Agency {code}", "kind": "department", "level": 2, "valid_from": START}
    return directory.Agency(**({"id": id_, "code": code, "parent": parent, "root": root} | plain | further))


def _certificate(row) -> directory.Certificate:
    name, agency, kind, further = row
    officer = {"officer": _id(100 + agency.int), "officer_agency": agency, "officer_name": "Officer"}
    plain = {"valid_from": START, "confirmed": True} | (officer if kind == "individual" else {})
    return directory.Certificate(sha256=sha256(name), agency=agency, kind=kind, **(plain | further))


def sha256(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def snapshot(**further) -> directory.Directory:
    plain = {
        "codes": [
            directory.Code(
                code="000.00.02.H13", form="qcvn102", agency=DEPARTMENT, valid_from=START, valid_to=None
            )
        ],
        "certificates": map(_certificate, _ROWS),
        "declarations": [
            directory.Declaration(agency=MINISTRY, kind="no_paper", valid_from=START, valid_to=END)
        ],
    }
    return directory.build(7, map(_agency, _AGENCIES), **(plain | further))


def verdict(by: str | None, where: str = "letter.pdf", fails: str = "", **further) -> Verdict:
    """A signature made with that certificate; `fails` names a sub-indication, else it is TOTAL_PASSED."""
    final = fails in {"HASH_FAILURE", "SIG_CRYPTO_FAILURE", "FORMAT_FAILURE"}
    failed = Indication.TOTAL_FAILED if final else Indication.INDETERMINATE
    plain = {
        "position": 0,
        "format": "xmldsig" if where == "package" else "pades",
        "indication": failed if fails else Indication.TOTAL_PASSED,
        "sub_indication": SubIndication(fails) if fails else None,
        "why": "passed",
        "best_signature_time": AT,
        "coverage": Coverage(whole=True),
        "certificate": by.encode() if by else None,
        "signer_name": by or "",
    }
    return Verdict(where=where, **(plain | further))


def attachment(
    name: str, kind: str = "pdf", content: str = "", place: int = 1
) -> requirements.AttachmentFacts:
    return requirements.AttachmentFacts(
        name=name, path=f"/*/*[2]/*[{place}]", kind=kind, sha256=sha256(content or name)
    )


def letter(*names: str, sender: UUID = DEPARTMENT, **further) -> requirements.LetterFacts:
    """A letter with these attachments, by default one PDF."""
    attachments = tuple(
        attachment(name, "pdf" if name.endswith(".pdf") else "other", place=place)
        for place, name in enumerate(names or ("letter.pdf",), start=1)
    )
    plain = {"document_type_name": "Công văn", "attachments": attachments, "header_path": "/*/*[1]/*[1]"}
    return requirements.LetterFacts(sender=sender, **(plain | further))


def judge(facts, *verdicts, remarks=(), policy=requirements.DEFAULT, **further):
    report = Report(verdicts=tuple(verdicts), remarks=tuple(remarks))
    return requirements.judge(facts, report, snapshot(**further), policy, ON)


@pytest.fixture
def world():
    """The builders above and the ids of the agencies."""
    return SimpleNamespace(**{name: entry for name, entry in globals().items() if not name.startswith("_")})
