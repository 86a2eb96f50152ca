"""Code lists, days and moments."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.edxml import codes, dates, model


def test_the_lists_are_whole_and_every_row_has_a_source():
    assert [*codes.OPERATIONS] == ["0", "1", "2", "3"]
    assert tuple(codes.OPERATION_OF.values()) == model.OPERATIONS
    assert [*codes.STATUSES] == ["01", "02", "03", "04", "05", "06", "13", "15", "16"]
    assert [code for code, row in codes.STATUSES.items() if row["sent_by"] == "sender"] == ["13"]
    assert [*codes.PRIORITIES] == ["0", "1", "2", "3", "4"]
    assert [*codes.STEERING] == ["0", "1", "2"]
    assert [*codes.DOCUMENT_TYPES] == [str(number) for number in range(1, 30)]
    lists = (codes.OPERATIONS, codes.STATUSES, codes.PRIORITIES, codes.STEERING, codes.AGENCY_LEVELS)
    for rows in (*lists, codes.AGENCY_FORMS, {row["name_vi"] + row["remark"]: row for row in codes.KINDS}):
        for row in rows.values():
            assert row["source"]
            assert row["name_vi"]
            assert None not in row


@pytest.mark.parametrize(
    "name, notation, code",
    [
        *(
            ("Công văn", "STN-VP", "18"),
            ("CÔNG VĂN", "", "18"),
            (" tờ trình ", "", "16"),
            ("Quyết định", "CT", "2"),
        ),
        *(("", "QĐ-UBND", "2"), ("", "BC-STN", "14"), ("", "STN-VP", ""), ("", "TTr-STN", "16")),
        *(("Thông tư", "QĐ-UBND", ""), ("Cong van", "", ""), ("Tờ trình", "", "16")),
    ],
)
def test_document_types(name, notation, code):
    assert codes.document_type(name, notation) == code


@pytest.mark.parametrize(
    "text, moment",
    [
        ("2024/03/05 14:08:36", datetime(2024, 3, 5, 7, 8, 36, tzinfo=UTC)),
        ("05/03/2024 14:08:36", datetime(2024, 3, 5, 7, 8, 36, tzinfo=UTC)),
        ("2024-03-05T14:08:36.123", datetime(2024, 3, 5, 7, 8, 36, tzinfo=UTC)),
        ("2024-03-05T14:08:36Z", datetime(2024, 3, 5, 14, 8, 36, tzinfo=UTC)),
        ("2024-03-05T14:08:36-02:30", datetime(2024, 3, 5, 16, 38, 36, tzinfo=UTC)),
        ("2024/03/05 7:08", datetime(2024, 3, 5, 0, 8, tzinfo=UTC)),
        ("2024/03/05", datetime(2024, 3, 4, 17, tzinfo=UTC)),
    ],
)
def test_moments(text, moment):
    assert dates.moment(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "null",
            "2024/02/30",
            "2023/02/29",
            "1899/12/31",
            "2200/01/01",
            "2024/03/05 25:00:00",
            "2024/03/05 24:00:00",
        ),
        *(
            "2024/03/05 14:60:00",
            "2024/03/05x",
            "x2024/03/05",
            "2024/03/05 14",
            "2024.03.05",
            "24/03/05",
            "2024/003/05",
        ),
        *(
            "２０２４/03/05",
            "2024-03-05T14:08:36+25:00",
            "2024/03/05 14:08:36 PM",
            "2024/-3/05",
            "1/1/1",
            "2024/03/05T",
        ),
    ],
)
def test_no_moments(text):
    assert dates.moment(text) is None
    assert dates.day(text) is None


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_days_are_read_as_written(day):
    assert dates.day(dates.write_day(day)) == day


@given(st.integers(-2_000_000_000, 7_000_000_000))
def test_moments_are_read_as_written(second):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    assert dates.moment(dates.write_moment(moment)) == moment


def test_the_kinds_are_the_decrees_29_and_the_4_normative_ones():
    assert [row["code"] for row in codes.KINDS[29:]] == [""] * 4
    assert [row["name_vi"] for row in codes.KINDS[29:]] == [
        "Thông tư",
        "Thông tư liên tịch",
        "Nghị quyết",
        "Quyết định",
    ]
    assert sum(row["without_paper"] == "yes" for row in codes.KINDS) == 26


def test_every_level_1_code_is_three_characters_and_every_length_a_number():
    assert {len(code) for code in codes.AGENCY_LEVELS} == {3}
    assert all(int(row["most"]) > 0 and row["source"] for row in codes.FIELDS.values())
    assert codes.AGENCY_LEVELS["G22"]["name_vi"] == "Văn phòng Chính phủ"
