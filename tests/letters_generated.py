"""Letters of every shape as hypothesis strategies: all facts, all operations, files of several kinds."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from exchange.edxml import attachments, codes, dates, model

letters = st.characters(exclude_categories=("C", "Zl", "Zp"), include_characters="\n\t&<>\"'")
texts = st.text(letters, max_size=30).map(str.strip)
shorts = st.text(letters, max_size=10).map(str.strip)
words = st.text(letters, min_size=1, max_size=30).map(str.strip).filter(bool)
codes_of_agencies = words.filter(lambda word: word.lower() != "null")
days = st.dates(date(1900, 1, 1), date(2199, 12, 30))
counts = st.none() | st.integers(0, 999_999_999)
integers = st.just("") | st.integers(-1, 999).map(str)
file_names = st.builds(
    "{}.{}".format,
    st.text("abcđêxyz 0-9_", min_size=1, max_size=20).map(str.strip).filter(bool),
    st.sampled_from(("pdf", "docx", "xlsx", "txt", "zip", "edxml")),
)


def up_to(number, strategy):
    return st.lists(strategy, max_size=number).map(tuple)


def parties(code):
    others = ("name", "in_charge", "address", "email", "telephone", "fax", "website")
    return st.builds(model.Party, code=code, **dict.fromkeys(others, texts))


answers = st.builds(
    model.ResponseFor, code=texts, reference=texts, issued_on=st.none() | days, document_id=texts
).filter(lambda answer: answer != model.ResponseFor())
staffs = st.none() | st.builds(model.Staff, department=texts, name=texts, mobile=texts, email=texts).filter(
    lambda staff: staff != model.Staff()
)
traces = st.builds(model.Trace, code=texts, at_text=days.map(dates.write_day) | st.just("")).filter(
    lambda hop: hop != model.Trace()
)
updates = st.builds(
    model.Update,
    document=st.booleans(),
    recipients=st.booleans(),
    receivers=up_to(3, st.builds(model.Receiver, code=codes_of_agencies, added=st.booleans())),
).filter(lambda update: update != model.Update())
replacements = st.builds(model.Replacement, document_id=words, codes=up_to(3, codes_of_agencies))


@st.composite
def files(draw):
    """Attachments as a sender makes them: different names, so different ids."""
    names = draw(st.lists(file_names, max_size=4, unique=True))
    return tuple(
        attachments.encode(name, draw(st.binary(min_size=1, max_size=60)), draw(words)) for name in names
    )


VENDORS = (
    "MessageHeader/OtherInfo/Direction",
    "MessageHeader/OtherInfo/ReplyFors",
    "MessageHeader/OtherInfo/ReferenceCodes",
    "MessageHeader/ResponseForTask/TaskCode",
    "MessageHeader/ApplicationType",
    "TraceHeaderList/Bussiness/StaffInfo[1]/DepartmentId",
    "TraceHeaderList/Bussiness/StaffInfo[1]/StaffId",
    "AttachmentEncoded/Attachment[1]/FieldName",
    "AttachmentEncoded/Attachment[1]/MimeType",
    "AttachmentEncoded/Attachment[1]/Format",
)
"""What the Java library knows beyond the standard, in the order in which it stands in a letter."""


@st.composite
def vendors(draw, attached):
    """Values beyond the standard, in document order."""
    paths = draw(st.lists(st.sampled_from(VENDORS), unique=True))
    return tuple(
        model.Extension(path=path, name=path.rpartition("/")[2], text=draw(words))
        for path in VENDORS
        if path in paths and (attached or not path.startswith("Attachment"))
    )


@st.composite
def any_letter(draw):
    operation = draw(st.sampled_from(model.OPERATIONS))
    attached = draw(files())
    codes_of_recipients = draw(st.lists(codes_of_agencies, min_size=1, max_size=4, unique_by=str.upper))
    return model.Letter(
        sender=draw(parties(codes_of_agencies)),
        recipients=tuple(draw(parties(st.just(code))) for code in codes_of_recipients),
        document_id=draw(words),
        number=draw(words),
        notation=draw(words),
        issued_on=draw(days),
        subject=draw(words),
        place=draw(texts),
        type_code=draw(integers),
        type_detail=draw(integers),
        type_name=draw(texts),
        content=draw(texts),
        signer=draw(st.builds(model.Signer, competence=texts, position=texts, name=texts)),
        due_on=draw(st.none() | days),
        priority=draw(st.integers(0, 4)),
        sphere=draw(texts),
        typist=draw(shorts),
        copies=draw(counts),
        pages=draw(counts),
        appendixes=draw(up_to(3, words)),
        response_for=draw(up_to(2, answers)),
        steering=draw(st.integers(0, 2)),
        to_places=draw(up_to(3, words)),
        traces=draw(up_to(3, traces)),
        operation=operation,
        operation_reason=draw(texts),
        target_document_id=draw(words) if operation in ("revoke", "update") else "",
        update=draw(st.none() | updates),
        replaced=draw(st.lists(replacements, min_size=operation == "replace", max_size=3).map(tuple)),
        staff=draw(staffs),
        paper=draw(st.sampled_from((None, 0, 1))),
        attachments=attached,
        extensions=draw(vendors(attached)),
    )


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def any_notice(*, slashed=False):
    """Notices of every status; a code with a slash in a take-back is read as another system's mistake."""
    addressees = codes_of_agencies if slashed else codes_of_agencies.filter(lambda word: "/" not in word)
    seconds = st.integers(-2_000_000_000, 7_000_000_000)
    return st.builds(
        model.Notice,
        sender=parties(codes_of_agencies),
        response_for=st.builds(
            model.ResponseFor,
            code=addressees,
            reference=texts.filter(lambda text: "/" not in text),
            issued_on=st.none() | days,
            document_id=words,
        ),
        status=st.sampled_from([*codes.STATUSES]),
        description=texts,
        staff=staffs,
        at=st.none() | seconds.map(lambda second: EPOCH + timedelta(seconds=second)),
    )
