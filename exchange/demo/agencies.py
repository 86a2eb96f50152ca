"""A province by rule: the 452 agencies of the seven kinds that Cần Thơ counted in 2019, and the one above them.

Nothing here is drawn by lot and no person is real: the same calls give the same sheets, as `congvan directory
agency import` takes them. Codes have both forms (reference/edxml.md 8.2, 8.3), one made from the other by turning the
groups round; that holds for this province because we made it so, not in general. H13 for Cần Thơ is likely, not
confirmed.

    H13                     1   the People's Committee: province, level 1, not counted
    H13.01 … H13.22        22   department        000.00.01.H13 …
    H13.23 … H13.28         6   organisation      sector organisation
    H13.31 … H13.39         9   district
    H13.41 … H13.48         8   unit under the city, and 15 under departments: H13.01.01, 000.01.01.H13 …
    H13.31.01 … H13.39.14 126   district_unit, 14 a district
    H13.31.21 …            85   commune
    H13.31.05.001 …       170   clerk_unit: schools under the district's education office, 001.05.31.H13 …
    H13.14.51 …            11   clerk_unit: hospitals and health centres under the department of health
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain

from exchange.rules import directory_csv, directory_entries
from exchange.rules.directory_entries import AgencyEntry, OfficerEntry

SUPERIOR = "H13"
CITY = "thành phố Cần Thơ"
COMMUNICATIONS_DEPARTMENT, HEALTH_DEPARTMENT = 11, 14  # their places among the departments
EDUCATION_OFFICE = 5  # its place among a district's units
SINCE = date(2004, 1, 1)
KINDS: Mapping[str, int] = {
    "department": 22,
    "unit": 23,
    "organisation": 6,
    "district": 9,
    "district_unit": 126,
    "commune": 85,
    "clerk_unit": 181,
}
"""The seven kinds and how many agencies of each the demo has: 452 together."""

DEPARTMENTS = (
    "Văn phòng Ủy ban nhân dân", "Sở Nội vụ", "Sở Tư pháp", "Sở Kế hoạch và Đầu tư", "Sở Tài chính",
    "Sở Công Thương", "Sở Nông nghiệp và Phát triển nông thôn", "Sở Giao thông vận tải", "Sở Xây dựng",
    "Sở Tài nguyên và Môi trường", "Sở Thông tin và Truyền thông", "Sở Lao động - Thương binh và Xã hội",
    "Sở Văn hóa, Thể thao và Du lịch", "Sở Y tế", "Sở Giáo dục và Đào tạo", "Sở Khoa học và Công nghệ",
    "Sở Ngoại vụ", "Thanh tra", "Ban Dân tộc", "Ban Quản lý các khu chế xuất và công nghiệp",
    "Văn phòng Hội đồng nhân dân", "Viện Kinh tế - Xã hội",
)  # fmt: skip
ORGANISATIONS = (
    "Ủy ban Mặt trận Tổ quốc Việt Nam", "Liên đoàn Lao động", "Hội Nông dân",
    "Hội Liên hiệp Phụ nữ", "Thành Đoàn", "Hội Cựu chiến binh",
)  # fmt: skip
CITY_UNITS = (
    "Ban Quản lý dự án đầu tư xây dựng", "Ban Quản lý dự án ODA", "Quỹ Đầu tư phát triển",
    "Trung tâm Xúc tiến Đầu tư và Thương mại", "Trung tâm Phát triển quỹ đất",
    "Đài Phát thanh và Truyền hình", "Trường Cao đẳng nghề", "Vườn ươm công nghệ công nghiệp",
)  # fmt: skip
DEPARTMENT_UNITS = (
    (2, "Chi cục Văn thư - Lưu trữ"), (2, "Ban Thi đua - Khen thưởng"), (2, "Ban Tôn giáo"),
    (3, "Trung tâm Trợ giúp pháp lý nhà nước"), (6, "Trung tâm Khuyến công"), (7, "Chi cục Thủy lợi"),
    (7, "Chi cục Trồng trọt và Bảo vệ thực vật"), (7, "Chi cục Chăn nuôi và Thú y"), (7, "Chi cục Phát triển nông thôn"),
    (10, "Chi cục Quản lý đất đai"), (10, "Chi cục Bảo vệ môi trường"), (11, "Trung tâm Công nghệ thông tin và Truyền thông"),
    (14, "Chi cục Dân số - Kế hoạch hóa gia đình"), (14, "Chi cục An toàn vệ sinh thực phẩm"),
    (16, "Chi cục Tiêu chuẩn Đo lường Chất lượng"),
)  # fmt: skip
DISTRICT_UNITS = (
    "Văn phòng Hội đồng nhân dân và Ủy ban nhân dân", "Phòng Nội vụ", "Phòng Tư pháp", "Phòng Tài chính - Kế hoạch",
    "Phòng Giáo dục và Đào tạo", "Phòng Tài nguyên và Môi trường", "Phòng Kinh tế", "Phòng Quản lý đô thị",
    "Phòng Văn hóa và Thông tin", "Phòng Lao động - Thương binh và Xã hội", "Phòng Y tế", "Thanh tra",
    "Ban Quản lý dự án đầu tư xây dựng", "Trung tâm Văn hóa - Thể thao và Truyền thanh",
)  # fmt: skip
DISTRICTS: Sequence[tuple[str, str, str]] = (
    ("quận Ninh Kiều", "phường", "An Bình, An Cư, An Hòa, An Hội, An Khánh, An Lạc, An Nghiệp, An Phú, Cái Khế, Hưng Lợi, Tân An, Thới Bình, Xuân Khánh"),
    ("quận Bình Thủy", "phường", "An Thới, Bình Thủy, Bùi Hữu Nghĩa, Long Hòa, Long Tuyền, Thới An Đông, Trà An, Trà Nóc"),
    ("quận Cái Răng", "phường", "Ba Láng, Hưng Phú, Hưng Thạnh, Lê Bình, Phú Thứ, Tân Phú, Thường Thạnh"),
    ("quận Ô Môn", "phường", "Châu Văn Liêm, Long Hưng, Phước Thới, Thới An, Thới Hòa, Thới Long, Trường Lạc"),
    ("quận Thốt Nốt", "phường", "Tân Hưng, Tân Lộc, Thạnh Hòa, Thốt Nốt, Thới Thuận, Thuận An, Thuận Hưng, Trung Kiên, Trung Nhứt"),
    ("huyện Phong Điền", "xã", "Giai Xuân, Mỹ Khánh, Nhơn Ái, Nhơn Nghĩa, Tân Thới, Trường Long, thị trấn Phong Điền"),
    ("huyện Cờ Đỏ", "xã", "Đông Hiệp, Đông Thắng, Thạnh Phú, Thới Đông, Thới Hưng, Thới Xuân, Trung An, Trung Hưng, Trung Thạnh, thị trấn Cờ Đỏ"),
    ("huyện Thới Lai", "xã", "Định Môn, Đông Bình, Đông Thuận, Tân Thạnh, Thới Tân, Thới Thạnh, Trường Thắng, Trường Thành, Trường Xuân, Trường Xuân A, Trường Xuân B, Xuân Thắng, thị trấn Thới Lai"),
    ("huyện Vĩnh Thạnh", "xã", "Thạnh An, Thạnh Lộc, Thạnh Lợi, Thạnh Mỹ, Thạnh Quới, Thạnh Thắng, Thạnh Tiến, Vĩnh Bình, Vĩnh Trinh, thị trấn Thạnh An, thị trấn Vĩnh Thạnh"),
)  # fmt: skip
HOSPITALS = ("Bệnh viện Đa khoa", "Bệnh viện Nhi đồng")
SCHOOLS = ("Tiểu học", "Trung học cơ sở")

FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Phan", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương")
MIDDLE = ("Văn", "Thị", "Minh", "Ngọc", "Thanh", "Hữu", "Kim", "Quốc", "Mỹ", "Hoàng", "Xuân")
GIVEN = (
    "An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Hải", "Hạnh", "Hiếu", "Hòa", "Khánh", "Lan", "Linh", "Long", "Mai",
    "Nam", "Nga", "Phúc", "Quân", "Sơn", "Tâm", "Thảo", "Trang",
)  # fmt: skip
POSITIONS: Mapping[str, tuple[str, str]] = {
    "province": ("Chủ tịch", "Phó Chủ tịch"),
    "department": ("Giám đốc", "Phó Giám đốc"),
    "unit": ("Giám đốc", "Phó Giám đốc"),
    "organisation": ("Chủ tịch", "Phó Chủ tịch"),
    "district": ("Chủ tịch", "Phó Chủ tịch"),
    "district_unit": ("Trưởng phòng", "Phó Trưởng phòng"),
    "commune": ("Chủ tịch", "Phó Chủ tịch"),
    "clerk_unit": ("Thủ trưởng đơn vị", "Phó Thủ trưởng đơn vị"),
}
"""Positions of the leader and the deputy of an agency, by kind."""


def agencies() -> tuple[AgencyEntry, ...]:
    """The superior and the 452, parents before children."""
    districts = range(31, 31 + len(DISTRICTS))
    return tuple(
        chain(
            [replace(_agency((), "province", f"Ủy ban nhân dân {CITY}"), counted=False)],
            _city(1, "department", DEPARTMENTS),
            _city(23, "organisation", ORGANISATIONS),
            _city(41, "unit", CITY_UNITS),
            _department_units(),
            *(_district(number, *about) for number, about in zip(districts, DISTRICTS, strict=True)),
            _health_units(),
        )
    )


def officers() -> tuple[OfficerEntry, ...]:
    """A leader (01) and a deputy (02) of every agency, under invented names that do not repeat."""
    posts = [(agency, rank) for agency in agencies() for rank in (0, 1)]
    return tuple(_officer(number, agency, rank) for number, (agency, rank) in enumerate(posts))


def agency_sheet() -> bytes:
    """The agencies as `congvan directory agency import` takes them."""
    return directory_csv.write(directory_entries.AGENCIES, agencies())


def officer_sheet() -> bytes:
    """The officers as `congvan directory officer import` takes them."""
    return directory_csv.write(directory_entries.OFFICERS, officers())


def code(*numbers: int) -> str:
    """The Decision 20/2020 form: `code(31, 5, 1)` is H13.31.05.001."""
    return ".".join([SUPERIOR, *_groups(numbers)])


def code102(*numbers: int) -> str:
    """The QCVN 102 form of the same, most specific group first: 001.05.31.H13."""
    groups = [*_groups(numbers), *("00", "00", "000")[len(numbers) :]]
    return ".".join([*reversed(groups), SUPERIOR])


def _groups(numbers: Sequence[int]) -> list[str]:
    return [f"{number:0{width}}" for number, width in zip(numbers, (2, 2, 3), strict=False)]


def _agency(numbers: tuple[int, ...], kind: str, name: str) -> AgencyEntry:
    return AgencyEntry(
        code=code(*numbers),
        code102=code102(*numbers),
        name=name,
        kind=kind,
        level=len(numbers) + 1,
        parent=code(*numbers[:-1]) if numbers else "",
        sector="organisation" if kind == "organisation" else "state",
        signs_package_from=SINCE if numbers == (COMMUNICATIONS_DEPARTMENT,) else None,
        valid_from=SINCE,
    )


def _city(first: int, kind: str, names: Sequence[str]) -> Iterator[AgencyEntry]:
    for number, name in enumerate(names, first):
        yield _agency((number,), kind, f"{name} {CITY}")


def _department_units() -> Iterator[AgencyEntry]:
    for number, (department, name) in enumerate(DEPARTMENT_UNITS, 1):
        yield _agency((department, number), "unit", f"{name} {CITY}")


def _district(number: int, name: str, prefix: str, communes: str) -> Iterator[AgencyEntry]:
    """A district with its units, its communes, and two schools named after each commune."""
    yield _agency((number,), "district", f"Ủy ban nhân dân {name}")
    for unit, title in enumerate(DISTRICT_UNITS, 1):
        yield _agency((number, unit), "district_unit", f"{title} {name}")
    places = communes.split(", ")
    for commune, place in enumerate(places, 21):
        full = place if place.startswith("thị trấn") else f"{prefix} {place}"
        yield _agency((number, commune), "commune", f"Ủy ban nhân dân {full}, {name}")
    schools = [f"Trường {grade} {place}, {name}" for place in places for grade in SCHOOLS]
    for school, title in enumerate(schools, 1):
        yield _agency((number, EDUCATION_OFFICE, school), "clerk_unit", title)


def _health_units() -> Iterator[AgencyEntry]:
    names = [
        *(f"{name} {CITY}" for name in HOSPITALS),
        *(f"Trung tâm Y tế {district}" for district, _, _ in DISTRICTS),
    ]
    for number, name in enumerate(names, 51):
        yield _agency((HEALTH_DEPARTMENT, number), "clerk_unit", name)


def _officer(number: int, agency: AgencyEntry, rank: int) -> OfficerEntry:
    lists = (FAMILY, MIDDLE, GIVEN)  # of lengths without a common divisor: no name comes twice
    return OfficerEntry(
        agency=agency.code,
        code=f"{rank + 1:02}",
        name=" ".join(names[number % len(names)] for names in lists),
        position=POSITIONS[agency.kind][rank],
        leader=rank == 0,
        valid_from=SINCE,
    )
