"""Files of office books for tests: lines as CSV in any encoding, or as a workbook; old fonts' text."""

import csv
import io

from openpyxl import Workbook

OUT = (
    "Số, ký hiệu", "Ngày tháng văn bản", "Tên loại và trích yếu nội dung văn bản", "Người ký", "Nơi nhận văn bản",
    "Đơn vị, người nhận bản lưu", "Số lượng bản", "Ngày chuyển", "Ký nhận", "Ghi chú",
)  # fmt: skip
IN = (
    "Ngày đến", "Số đến", "Tác giả", "Số, ký hiệu", "Ngày tháng văn bản", "Tên loại và trích yếu nội dung",
    "Đơn vị hoặc người nhận", "Ngày chuyển", "Ký nhận", "Ghi chú",
)  # fmt: skip
DISPATCH = ("Ngày chuyển", "Số, ký hiệu văn bản", "Nơi nhận văn bản", "Số lượng bì", "Ký nhận", "Ghi chú")


def out(
    document,
    party,
    *,
    issued="05/01/2026",
    moved="05/01/2026",
    summary="Công văn V/v thử",
    copies="1",
    note="",
):
    """A line of a register of documents sent."""
    return [document, issued, summary, "Nguyễn Văn Thử", party, "VT", copies, moved, "", note]


def came(document, author, entry, *, issued="05/01/2026", arrived="06/01/2026", summary="Công văn V/v thử"):
    """A line of a register of documents received."""
    return [arrived, entry, author, document, issued, summary, "Phòng Thử", arrived, "", ""]


def sent(document, party, *, moved="05/01/2026", envelopes="1"):
    """A line of a dispatch book."""
    return [moved, document, party, envelopes, "", ""]


def as_csv(lines, heading=OUT, *, separator=",", encoding="utf-8", above=()):
    """The bytes of a CSV file."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows([*above, heading, *lines])
    return text.getvalue().encode(encoding)


def as_xlsx(lines, heading=OUT, *, above=(), merged=(), title="Sổ", more=()):
    """The bytes of a workbook; `more` are further sheets: title and lines."""
    book = Workbook()
    sheet = book.active
    sheet.title = title
    for line in [*above, heading, *lines]:
        sheet.append(list(line))
    for cells in merged:
        sheet.merge_cells(cells)
    for name, rest in more:
        other = book.create_sheet(name)
        for line in rest:
            other.append(list(line))
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


_LETTERS = "àảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵ"
_OLD = "µ¶·¸¹¨»¼½¾Æ©ÇÈÉÊË®ÌÎÏÐÑªÒÓÔÕÖ×ØÜÝÞßáâãä«åæçèé¬êëìíîïñòóô\u00adõö÷øùúûüýþ"
_CAPITALS = dict(zip("ĂÂĐÊÔƠƯ", "¡¢§£¤¥¦", strict=True))
_TCVN3 = {**dict(zip(_LETTERS, _OLD, strict=True)), **_CAPITALS}


def tcvn3(text):
    """Unicode Vietnamese as TCVN 5712:1993 has it, shown by a program that takes it for Windows-1252."""
    return "".join(_TCVN3.get(one, _TCVN3.get(one.lower(), one)) for one in text)


_VNI = {
    **dict(zip("áàảãạ", ("aù", "aø", "aû", "aõ", "aï"), strict=True)), "ă": "aê",
    **dict(zip("ắằẳẵặ", ("aé", "aè", "aú", "aü", "aë"), strict=True)), "â": "aâ",
    **dict(zip("ấầẩẫậ", ("aá", "aà", "aå", "aã", "aä"), strict=True)), "đ": "ñ",
    **dict(zip("éèẻẽẹ", ("eù", "eø", "eû", "eõ", "eï"), strict=True)), "ê": "eâ",
    **dict(zip("ếềểễệ", ("eá", "eà", "eå", "eã", "eä"), strict=True)),
    **dict(zip("íìỉĩị", "íìæóò", strict=True)),
    **dict(zip("óòỏõọ", ("où", "oø", "oû", "oõ", "oï"), strict=True)), "ô": "oâ",
    **dict(zip("ốồổỗộ", ("oá", "oà", "oå", "oã", "oä"), strict=True)), "ơ": "ô",
    **dict(zip("ớờởỡợ", ("ôù", "ôø", "ôû", "ôõ", "ôï"), strict=True)),
    **dict(zip("úùủũụ", ("uù", "uø", "uû", "uõ", "uï"), strict=True)), "ư": "ö",
    **dict(zip("ứừửữự", ("öù", "öø", "öû", "öõ", "öï"), strict=True)),
    **dict(zip("ýỳỷỹỵ", ("yù", "yø", "yû", "yõ", "î"), strict=True)),
}  # fmt: skip


def vni(text):
    """Unicode Vietnamese as VNI fonts for Windows have it."""
    return "".join(
        _VNI.get(one) or (_VNI[one.lower()].upper() if one.lower() in _VNI else one) for one in text
    )
