"""The sheets of the directory's one workbook (trang tính): their titles, columns and closed lists of words.

Officers and certificates share a sheet, as the people who keep them think of them: one row is a certificate with the
officer whose it is; an officer without a certificate has the right half empty, an agency's seal has the left half
empty. An officer with two certificates has two rows; the second may leave the officer's facts empty.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from exchange.rules import directory_entries as entries
from exchange.rules.directory_csv import Bad, Column, Layout, Value, folded
from exchange.rules.directory_entries import AGENCIES, CERTIFICATES, OFFICERS
from exchange.rules.directory_systems import SYSTEMS


@dataclass(frozen=True, kw_only=True)
class Tab:
    """One sheet of the workbook: its titles by language, and its columns."""

    titles: Mapping[str, str]
    layout: Layout


def _empty_says_nothing(column: Column, name: str, headings: tuple[str, ...] = ()) -> Column:
    """A column of two kinds of entries: what an empty cell means depends on the rest of its row."""
    return replace(
        column, name=name, headings=headings or column.headings, needed=name == "agency", default=None
    )


OFFICER_PART: Mapping[str, str] = MappingProxyType(
    {
        "agency": "agency", "officer": "code", "name": "name", "position": "position", "leader": "leader",
        "officer_from": "valid_from", "officer_to": "valid_to",
    }
)  # fmt: skip
"""Columns of the shared sheet that tell of the officer, with their names in the officers' own sheet."""
CERTIFICATE_PART: Mapping[str, str] = MappingProxyType(
    {column.name: column.name for column in CERTIFICATES.columns}
)
_HEADINGS = {
    "officer_from": ("Cán bộ từ ngày", "officer from"),
    "officer_to": ("Cán bộ đến ngày", "officer to"),
    "officer": ("Mã cán bộ",),
    "kind": ("Loại chữ ký số", "Loại"),
}


def _columns(layout: Layout, part: Mapping[str, str], skipped: set[str]) -> tuple[Column, ...]:
    own = {column.name: column for column in layout.columns}
    return tuple(
        _empty_says_nothing(own[there], here, _HEADINGS.get(here, ()))
        for here, there in part.items()
        if here not in skipped
    )


PERSONS = Layout(
    name="person",
    columns=(
        *_columns(OFFICERS, OFFICER_PART, set()),
        *_columns(CERTIFICATES, CERTIFICATE_PART, {"agency", "officer"}),
    ),
)
ACCOUNTS = Layout(
    name="account",
    columns=(
        Column(name="login", headings=("Tên đăng nhập",), read=entries.text),
        Column(name="name", headings=("Họ và tên",), read=entries.text),
        Column(name="agency", headings=("Mã cơ quan",), read=entries.agency_code),
        Column(name="role", headings=("Vai trò",), read=entries.text),
        Column(name="valid_from", headings=("Hiệu lực từ",), read=entries.day, default=None),
        Column(name="valid_to", headings=("Hiệu lực đến",), read=entries.day, default=None),
    ),
)
"""Room for accounts (tài khoản): until they exist, a row there is refused."""

TABS = (
    Tab(titles={"vi": "Cơ quan", "en": "Agencies"}, layout=AGENCIES),
    Tab(titles={"vi": "Hệ thống", "en": "Systems"}, layout=SYSTEMS),
    Tab(titles={"vi": "Cán bộ – chứng thư", "en": "Officers – certificates"}, layout=PERSONS),
    Tab(titles={"vi": "Tài khoản", "en": "Accounts"}, layout=ACCOUNTS),
)
NOTES: Mapping[str, str] = {"vi": "Hướng dẫn", "en": "Read me"}
"""The first sheet tells how to fill in the others; it is never read."""

WORDS: Mapping[Callable[[str], Value | Bad], Mapping[Value, Mapping[str, str]]] = {
    entries.yes: {True: {"vi": "có", "en": "yes"}, False: {"vi": "không", "en": "no"}},
    entries.sector: {
        "state": {"vi": "nhà nước", "en": "state"},
        "party": {"vi": "đảng", "en": "party"},
        "organisation": {"vi": "đoàn thể", "en": "organisation"},
        "enterprise": {"vi": "doanh nghiệp", "en": "enterprise"},
    },
    entries.signer: {
        "organisation": {"vi": "tổ chức", "en": "organisation"},
        "individual": {"vi": "cá nhân", "en": "individual"},
        "device": {"vi": "thiết bị", "en": "device"},
    },
    entries.purpose: {
        "exchange": {"vi": "gửi nhận văn bản", "en": "exchange"},
        "treasury": {"vi": "kho bạc", "en": "treasury"},
        "other": {"vi": "khác", "en": "other"},
    },
    entries.level: {number: {"vi": str(number), "en": str(number)} for number in entries.LEVELS},
}
"""Closed lists by the reader of their cells: what is stored, and the word for it in each language."""


def tab(title: str) -> Tab | None:
    """The sheet with that title, in either language; None for one that we do not know."""
    for one in TABS:
        if folded(title) in {folded(each) for each in one.titles.values()}:
            return one
    return None


def is_notes(title: str) -> bool:
    """Whether a sheet is the one that tells how to fill in the others."""
    return folded(title) in {folded(each) for each in NOTES.values()}


def is_code(column: Column) -> bool:
    """Whether a column holds codes: what looks like a number there may have lost its zeros."""
    return column.read is entries.agency_code or column.name == "officer"


def is_day(column: Column) -> bool:
    """Whether a column holds dates."""
    return column.read is entries.day
