"""What the three sheets of the directory say of one agency, officer or certificate, and the columns they say it in.

An entry names agencies by their canonical code, so that it means the same in a file, in the plan and in the store.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from exchange.rules import directory
from exchange.rules.directory_csv import Bad, Column, Layout, Value, folded

MAX_TEXT = 500
MAX_CODE = 50
MAX_CERTIFICATE = 20_000
LEVELS = range(1, 5)
CONFIRMATIONS: Mapping[str, int] = {"organisation": 2, "device": 2, "individual": 1}
"""How many different persons confirm that a certificate is that signer's (design §6, settled 13)."""

_QCVN102 = re.compile(r"\d{3}\.\d{2}\.\d{2}\.[A-Z][A-Z0-9]{2}")
_QD20 = re.compile(r"[A-Z][A-Z0-9]{2}(\.[A-Z0-9]+)*")
_CODE = re.compile(r"[A-ZĐ0-9]+([.\-_][A-ZĐ0-9]+)*")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DAY = re.compile(
    r"(?P<d>\d{1,2})[/.-](?P<m>\d{1,2})[/.-](?P<y>\d{4})|(?P<Y>\d{4})-(?P<M>\d{2})-(?P<D>\d{2})"
)


@dataclass(frozen=True, kw_only=True)
class AgencyEntry:
    """An agency (cơ quan, tổ chức) as its line says it: one code in each form, its parent by code.

    `no_paper` (phát hành không kèm bản giấy) and `signs_package` (ký số cả gói tin) are dated statements whose
    ground is `basis`. Last days are included. `successor` (cơ quan kế thừa) is the code of the agency into which it was
    merged on the day after its last; `basis` is then the ground of that.
    """

    code: str
    name: str
    kind: str
    level: int
    valid_from: date
    valid_to: date | None = None
    code102: str = ""
    parent: str = ""
    sector: str = "state"
    own_clerk: bool = True
    counted: bool = True
    no_paper_from: date | None = None
    no_paper_to: date | None = None
    signs_package_from: date | None = None
    signs_package_to: date | None = None
    successor: str = ""
    basis: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """What a second import knows the same agency by."""
        return (self.code,)


@dataclass(frozen=True, kw_only=True)
class OfficerEntry:
    """An officer (cán bộ) who may sign for an agency; `code` is unique within the agency."""

    agency: str
    code: str
    name: str
    valid_from: date
    valid_to: date | None = None
    position: str = ""
    leader: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """What a second import knows the same officer by."""
        return (self.agency, self.code)


@dataclass(frozen=True, kw_only=True)
class CertificateEntry:
    """Whose a certificate is (chứng thư chữ ký số): `certificate` is the hex SHA-256 of its DER bytes.

    With too few names in `confirmed_by` it is a proposal and counts for nothing.
    """

    agency: str
    kind: str
    certificate: str
    valid_from: date
    basis: str
    valid_to: date | None = None
    officer: str = ""
    purpose: str = "exchange"
    confirmed_by: tuple[str, ...] = ()
    subject: str = ""
    issuer: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """What a second import knows the same statement by."""
        return (self.agency, self.certificate, self.valid_from.isoformat())

    @property
    def confirmed(self) -> bool:
        """Whether enough different persons confirmed it; names that differ in marks only are one person's."""
        return len({folded(name) for name in self.confirmed_by}) >= CONFIRMATIONS[self.kind]


def form(code: str) -> str:
    """Which form a canonical code has: qd20 (Decision 20/2020), qcvn102, or other (reference/edxml.md 8.2, 8.3)."""
    if _QCVN102.fullmatch(code):
        return "qcvn102"
    return "qd20" if _QD20.fullmatch(code) else "other"


def text(cell: str) -> Value | Bad:
    """A name or sentence, at most 500 characters; not what a spreadsheet would take for a formula."""
    if cell[0] in "=+-@":
        return Bad("sheet_formula")
    if not cell.isprintable():
        return Bad("sheet_bad_characters")
    return cell if len(cell) <= MAX_TEXT else Bad("sheet_too_long", str(MAX_TEXT))


def agency_code(cell: str) -> Value | Bad:
    """An agency's code in any form, made canonical; what it means is not read from it."""
    code = directory.canonical(cell)
    right = len(code) <= MAX_CODE and _CODE.fullmatch(code)
    return code if right else Bad("sheet_bad_code", "H13.01, 000.00.01.H13")


def day(cell: str) -> Value | Bad:
    """A date as 2019-01-31 or 31/01/2019."""
    found = _DAY.fullmatch(cell.removesuffix(" 00:00:00"))
    if found is None:
        return Bad("sheet_bad_date", "2019-01-31, 31/01/2019")
    parts = {name.lower(): int(number) for name, number in found.groupdict().items() if number}
    try:
        return date(parts["y"], parts["m"], parts["d"])
    except ValueError:
        return Bad("sheet_bad_date", "2019-01-31, 31/01/2019")


def level(cell: str) -> Value | Bad:
    """1 province or ministry, to 4."""
    return (
        int(cell)
        if cell.isascii() and cell.isdecimal() and int(cell) in LEVELS
        else Bad("sheet_bad_choice", "1, 2, 3, 4")
    )


def word(cell: str) -> Value | Bad:
    """A lower-case word in the manner of `clerk_unit`: kinds of agencies are data."""
    return cell if _WORD.fullmatch(cell) else Bad("sheet_bad_word", "department, clerk_unit")


def names(cell: str) -> Value | Bad:
    """Persons, with semicolons or bars between them; the same name twice is one."""
    parts = [part.strip() for part in re.split(r"[;|]", cell) if part.strip()]
    bad = [taken for part in parts if isinstance(taken := text(part), Bad)]
    first: dict[str, str] = {}
    for part in parts:
        first.setdefault(part.casefold(), part)
    return bad[0] if bad else tuple(first.values())


def certificate(cell: str) -> Value | Bad:
    """A hex SHA-256, base64 of DER, or a file's name; which of them is found out where files can be read."""
    return cell if len(cell) <= MAX_CERTIFICATE and cell.isprintable() else Bad("sheet_bad_certificate")


def choice(words: Mapping[str, Value]) -> Callable[[str], Value | Bad]:
    """A reader of listed words; they are compared without case and marks."""
    listed = {folded(each): value for each, value in words.items()}
    wanted = ", ".join(each for each in words if each.isascii() and len(each) > 1)
    return lambda cell: listed.get(folded(cell), Bad("sheet_bad_choice", wanted))


yes = choice({
    "yes": True, "no": False, "true": True, "false": False, "1": True, "0": False, "x": True,
    "có": True, "không": False,
})  # fmt: skip
sector = choice({
    "state": "state", "party": "party", "organisation": "organisation", "enterprise": "enterprise",
    "nhà nước": "state", "đảng": "party", "đoàn thể": "organisation", "tổ chức": "organisation",
    "doanh nghiệp": "enterprise",
})  # fmt: skip
signer = choice({
    "organisation": "organisation", "individual": "individual", "device": "device",
    "cơ quan, tổ chức": "organisation", "cơ quan": "organisation", "tổ chức": "organisation",
    "cá nhân": "individual", "thiết bị": "device",
})  # fmt: skip
purpose = choice({
    "exchange": "exchange", "treasury": "treasury", "other": "other",
    "gửi nhận văn bản": "exchange", "kho bạc": "treasury", "khác": "other",
})  # fmt: skip

_FROM = Column(name="valid_from", headings=("Hiệu lực từ", "Từ ngày"), read=day, needed=True)
_TO = Column(name="valid_to", headings=("Hiệu lực đến", "Đến ngày"), read=day, default=None)
_AGENCY = Column(name="agency", headings=("Mã cơ quan", "Cơ quan"), read=agency_code, needed=True)

AGENCIES = Layout(
    name="agency",
    columns=(
        Column(name="code", headings=("Mã định danh", "Mã", "Mã QĐ 20"), read=agency_code, needed=True),
        Column(name="code102", headings=("Mã QCVN 102", "Mã cũ"), read=agency_code),
        Column(name="name", headings=("Tên cơ quan", "Tên"), read=text, needed=True),
        Column(name="kind", headings=("Loại cơ quan", "Loại"), read=word, needed=True),
        Column(name="level", headings=("Cấp",), read=level, needed=True),
        Column(
            name="parent", headings=("Mã cơ quan cấp trên", "Cơ quan cấp trên", "Cấp trên"), read=agency_code
        ),
        Column(name="sector", headings=("Khối",), read=sector, default="state"),
        Column(name="own_clerk", headings=("Có văn thư riêng", "Văn thư riêng"), read=yes, default=True),
        Column(name="counted", headings=("Tính vào thống kê", "Thống kê"), read=yes, default=True),
        Column(name="no_paper_from", headings=("Không bản giấy từ",), read=day, default=None),
        Column(name="no_paper_to", headings=("Không bản giấy đến",), read=day, default=None),
        Column(
            name="signs_package_from", headings=("Ký gói tin từ", "signs package"), read=day, default=None
        ),
        Column(name="signs_package_to", headings=("Ký gói tin đến",), read=day, default=None),
        _FROM,
        _TO,
        Column(name="successor", headings=("Cơ quan kế thừa", "Nhập vào"), read=agency_code),
        Column(name="basis", headings=("Căn cứ",), read=text),
    ),
)
OFFICERS = Layout(
    name="officer",
    columns=(
        _AGENCY,
        Column(name="code", headings=("Mã cán bộ", "Mã"), read=text, needed=True),
        Column(name="name", headings=("Họ và tên", "Họ tên"), read=text, needed=True),
        Column(name="position", headings=("Chức vụ",), read=text),
        Column(name="leader", headings=("Lãnh đạo", "Là lãnh đạo"), read=yes, default=False),
        _FROM,
        _TO,
    ),
)
CERTIFICATES = Layout(
    name="certificate",
    columns=(
        _AGENCY,
        Column(name="kind", headings=("Loại chữ ký số", "Loại"), read=signer, needed=True),
        Column(name="officer", headings=("Mã cán bộ", "Cán bộ"), read=text),
        Column(
            name="certificate", headings=("Chứng thư", "Chứng thư chữ ký số"), read=certificate, needed=True
        ),
        Column(name="purpose", headings=("Mục đích",), read=purpose, default="exchange"),
        Column(name="valid_from", headings=_FROM.headings, read=day, default=None),
        _TO,
        Column(name="basis", headings=("Căn cứ",), read=text, needed=True),
        Column(name="confirmed_by", headings=("Người xác nhận", "Xác nhận"), read=names, default=()),
    ),
)
LAYOUTS: Mapping[str, Layout] = {layout.name: layout for layout in (AGENCIES, OFFICERS, CERTIFICATES)}
"""The sheets by name, in the order in which one needs the other."""
