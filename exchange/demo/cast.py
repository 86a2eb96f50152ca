"""Who plays in the demo: systems and the kinds of agencies they act for, and the letters that are sent, in order."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchange.demo import agencies
from exchange.demo.authority import KEPT_SEAL, PARENT_SEAL, WITHOUT_OWN_SEAL, Exceptions, Person, Shared
from exchange.demo.letters import Actor, Draft
from exchange.rules.directory_entries import AgencyEntry

SYSTEMS: Mapping[str, tuple[str, ...]] = {
    "Văn phòng điện tử thành phố": ("province",),
    "i-Office sở, ban, ngành": ("department", "unit", "organisation"),
    "eOffice quận, huyện": ("district", "district_unit", "commune"),
    "Bàn văn thư": ("clerk_unit",),
}
"""Document systems (hệ thống quản lý văn bản) and the kinds of agencies that each acts for."""


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Everything that is decided before anything runs."""

    drafts: tuple[Draft, ...]
    odd: Exceptions
    seals: Mapping[str, str]
    persons: tuple[Person, ...]


def cast() -> Cast:
    """The demo's cast, by rule: the same every time."""
    everybody = agencies.agencies()
    kinds: defaultdict[str, list[AgencyEntry]] = defaultdict(list)
    for entry in everybody:
        kinds[entry.kind].append(entry)
    child = kinds["unit"][-1]
    superior = kinds["province"][0].code
    bare = {superior, child.code, *(entry.code for entry in kinds["clerk_unit"][1 - WITHOUT_OWN_SEAL :])}
    return Cast(
        drafts=tuple(_drafts(kinds, child)),
        odd=_odd(kinds, child),
        seals={entry.code: entry.name for entry in everybody if entry.code not in bare},
        persons=tuple(Person(agency=one.agency, code=one.code, name=one.name) for one in agencies.officers()),
    )


def _odd(kinds: Mapping[str, Sequence[AgencyEntry]], child: AgencyEntry) -> Exceptions:
    departments, clerks = kinds["department"], [entry.code for entry in kinds["clerk_unit"]]
    superior = kinds["province"][0].code
    return Exceptions(
        unconfirmed=frozenset({departments[9].code}),
        revoked=frozenset({departments[10].code}),
        lost=frozenset(clerks[80:85]),
        expired=frozenset(clerks[60:72]),
        expiring=frozenset(clerks[72:80]),
        people=frozenset((code, "02") for code in clerks[90:99]),
        shared=(
            Shared(agency=child.code, owner=_parent(child), basis=PARENT_SEAL),
            Shared(agency=superior, owner=departments[0].code, basis=KEPT_SEAL),
        ),
    )


def _parent(child: AgencyEntry) -> str:
    assert child.parent
    return child.parent


def _drafts(kinds: Mapping[str, Sequence[AgencyEntry]], child: AgencyEntry) -> list[Draft]:
    d, q = kinds["department"], kinds["district"]
    c, k, superior = kinds["commune"], kinds["clerk_unit"], kinds["province"][0]
    everybody = [entry for entries in kinds.values() for entry in entries if entry is not superior]
    rows: list[tuple[str, AgencyEntry, Sequence[AgencyEntry], str]] = [
        ("signed_pdf", d[0], d[1:3], "V/v báo cáo tình hình sử dụng chữ ký số"),
        ("signed_pdf", d[1], q, "V/v hướng dẫn công tác văn thư"),
        ("signed_pdf", d[2], [superior], "V/v góp ý dự thảo quy chế gửi, nhận văn bản điện tử"),
        ("signed_pdf", q[0], c[:3], "V/v triển khai một cửa điện tử"),
        ("signed_pdf", c[0], [q[0]], "V/v báo cáo kết quả tiếp công dân"),
        ("signed_pdf", k[0], [d[14]], "V/v kế hoạch năm học"),
        ("signed_pdf", d[3], k[:3], "V/v khảo sát nhu cầu chứng thư chữ ký số"),
        ("package_signed", d[4], [d[5], q[1]], "V/v phân bổ dự toán"),
        ("placeholder", d[5], [d[4]], "V/v cung cấp số liệu"),
        ("paper", d[6], q[2:4], "V/v bàn giao hồ sơ"),
        ("undeclared", d[7], [d[8]], "V/v phối hợp kiểm tra"),
        ("annex_unsigned", d[8], d[9:11], "V/v danh mục công trình kèm theo"),
        ("parent_seal", child, [d[1], d[2]], "V/v đăng ký tiêu chuẩn đo lường"),
        ("signer_unconfirmed", d[9], [d[0]], "V/v thẩm định hồ sơ"),
        ("signer_revoked", d[10], [d[0]], "V/v cập nhật phần mềm"),
        ("to_all", superior, everybody, "V/v gửi, nhận văn bản điện tử không kèm bản giấy"),
        ("forged", d[11], [d[0]], "V/v chi trả chế độ"),
        ("foreign_signature", d[12], [d[0]], "V/v tổ chức lễ hội"),
        ("returned", d[13], [d[0]], "V/v cấp phép khám bệnh, chữa bệnh"),
    ]
    return [_draft(number, row, kinds) for number, row in enumerate(rows, 101)]


def _draft(
    number: int,
    row: tuple[str, AgencyEntry, Sequence[AgencyEntry], str],
    kinds: Mapping[str, Sequence[AgencyEntry]],
) -> Draft:
    case, sender, recipients, subject = row
    return Draft(
        case=case,
        sender=_actor(sender, old=number % 2 == 0),
        recipients=tuple(entry.code102 if number % 3 == 0 else entry.code for entry in recipients),
        number=number,
        subject=subject,
        foreign=_actor(kinds["department"][13], old=False) if case == "foreign_signature" else None,
    )


def _actor(entry: AgencyEntry, *, old: bool) -> Actor:
    """An agency as a sender; `old`: its system still writes the code of QCVN 102."""
    officer = next(one for one in agencies.officers() if one.agency == entry.code)
    superior = entry.kind == "province"
    borrowed = entry.kind == "unit" and entry.parent != agencies.SUPERIOR
    return Actor(
        wire_code=entry.code102 if old else entry.code,
        code=entry.code,
        name=entry.name,
        officer=officer.code,
        officer_name=officer.name,
        seal_of=f"{entry.code}.01" if superior else _parent(entry) if borrowed else entry.code,
    )
