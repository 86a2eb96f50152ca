"""Bodies of facts and files: JSON and multipart say the same, and what is neither is refused without a crash."""

import base64
import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.api import forms
from exchange.broker import compose
from exchange.edxml import write
from exchange.errors import Problem

PDF = b"%PDF-1.7 " + bytes(range(256))
MIXED = forms.form("multipart/form-data; boundary=xyz")
FACTS = b'{"number": "1"}'


def of_json(text):
    return forms.read(forms.form("application/json"), text if isinstance(text, bytes) else text.encode())


def part(content, disposition, *more):
    lines = "\r\n".join((f"Content-Disposition: form-data; {disposition}", *more))
    return b"--xyz\r\n" + lines.encode() + b"\r\n\r\n" + content + b"\r\n"


def of_parts(*parts, end=b"--xyz--\r\n"):
    return forms.read(MIXED, b"".join(parts) + end)


def refused(code, read, *given, **named):
    with pytest.raises(Problem) as caught:
        read(*given, **named)
    assert caught.value.code == code
    return caught.value.detail


def code_of(form, body):
    try:
        forms.read(form, body)
    except Problem as problem:
        return problem.code
    return ""


@pytest.mark.parametrize(
    "written",
    [
        base64.b64encode(PDF).decode(),
        base64.b64encode(PDF).decode().replace("/", "\\/"),
        base64.b64encode(PDF).decode().replace("+", "\\u002B").replace("=", "\\u003d"),
        base64.encodebytes(PDF).decode().replace("\n", "\\r\\n"),
    ],
    ids=["plain", "PHP", ".NET", "MIME"],
)
def test_base64_as_every_writer_of_json_has_it(written):
    facts = of_json('{"subject": "ế 😀", "files": [{"data" \n:\t"' + written + '", "name": "a"}]}')
    assert facts == {"subject": "ế 😀", "files": [{"data": PDF, "name": "a"}]}


@pytest.mark.parametrize(
    "written", ["*", "QQ", "QQ=", "QQ==QQ==", "QQ--", "=QQ=", "Q\\\\Q", "Q\\u", "ế", 'Q\\"Q', " "]
)
def test_what_is_not_base64_stays_a_text(written):
    (file,) = of_json('{"files": [{"data": "' + written + '"}]}')["files"]
    assert file["data"] == b"" if written == " " else isinstance(file["data"], str)


def test_a_text_that_looks_like_a_file_is_a_text():
    tricky = 'x", "data": "QUJD", \\"data\\": \\"QUJD'
    facts = {"subject": tricky, "content": '"data":"QUJD"', 'x"data': "QUJD", "data ": "QUJD"}
    assert of_json(json.dumps({**facts, "files": [{"data": "QUJD"}]})) == {
        **facts,
        "files": [{"data": b"ABC"}],
    }


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=6),
        st.text(st.sampled_from('"\\:data{}[],\n/ế'), max_size=30) | st.integers(),
        max_size=4,
    ),
    st.lists(st.binary(max_size=30), max_size=3),
    st.booleans(),
)
def test_json_is_read_as_it_was_written(facts, contents, escaped):
    facts.pop("files", None)
    files = [{"name": "data", "data": base64.b64encode(one).decode(), "x": "data"} for one in contents]
    body = json.dumps({**facts, "files": files, "data": "QUJD"}, ensure_ascii=escaped)
    read = of_json(body)
    assert [one["data"] for one in read.pop("files")] == contents
    assert {name: fact for name, fact in read.items() if name != "data"} == {
        name: fact for name, fact in facts.items() if name != "data"
    }


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", '"x"', "{", '{"a": 1}}', "{'a': 1}", '{"a": NaN}', '{"a": 1, }', '{"a": ' + "[" * 100_000,
        '{"a": ' + "9" * 5_000 + "}", '{"data": "QQ=="', '{"data": "QQ==', b'{"a": "\xff"}', b"\xff\xfe{\x00}\x00",
        '{"a": "\x01"}', '{"a": 1, "a": 1}', '{"files": [{"name": "a", "name": "b"}]}',
    ],
    ids=lambda text: repr(text)[:20],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(text):
    refused("bad_request", of_json, text)


def test_a_name_twice_is_told():
    assert refused("bad_request", of_json, '{"số": "1", "b": 1, "số": "2"}') == '2 × "số"'
    many = ", ".join(f'"{n}": 0' for n in range(50_000))
    assert refused("bad_request", of_json, '{"49999": 1, ' + many + "}") == '2 × "49999"'


def test_facts_have_a_size_of_their_own():
    data = base64.b64encode(bytes(3 << 20)).decode()
    assert len(of_json(json.dumps({"files": [{"data": data}]}))["files"][0]["data"]) == 3 << 20
    refused("too_large", of_json, json.dumps({"content": "x" * (1 << 20)}))
    refused("too_large", of_parts, part(b'{"x": "' + b"x" * (1 << 20) + b'"}', "name=facts"))


def test_parts_are_facts_and_files():
    facts = of_parts(
        part(FACTS, 'name="facts"', "Content-Type: application/json"),
        part(PDF, 'name="f"; filename="Văn bản.pdf"', "content-type: application/pdf; x=y"),
        part(b"", 'name="g"; filename="b.txt"'),
        part(b"\r\n--xy\r\n", "name=h; filename*=utf-8''%C4%91.doc", "Content-Transfer-Encoding: binary"),
        part(b"1", 'name="i"; filename="V%C4%83n b%E1%BA%A3n.pdf"'),
        part(b"1", 'name="j"; filename="50% \\"xong\\".pdf"'),
    )
    assert facts["number"] == "1"
    assert [(one["name"], one["content_type"], bytes(one["data"])) for one in facts["files"]] == [
        ("Văn bản.pdf", "application/pdf", PDF),
        ("b.txt", "", b""),
        ("đ.doc", "", b"\r\n--xy\r\n"),
        ("Văn bản.pdf", "", b"1"),
        ('50% "xong".pdf', "", b"1"),
    ]


def test_what_stands_before_and_after_the_parts_is_passed_over():
    whole = part(FACTS, "name=facts") + b"--xyz--"
    assert forms.read(MIXED, b"before\r\n" + whole + b"\r\nafter")["number"] == "1"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"--xyz", b"--xyz--", b"--xyz\r\n", b"xyz", b"--xyzz\r\n\r\n\r\n--xyz--",
        part(FACTS, "name=facts"),
        part(FACTS, "name=facts")[:-2] + b"--xyz--",
        part(FACTS, "name=facts") + part(FACTS, "name=facts") + b"--xyz--",
        part(FACTS, "name=fact") + b"--xyz--",
        part(PDF, "name=f; filename=a.pdf") + b"--xyz--",
        part(b'{"files": []}', "name=facts") + b"--xyz--",
        part(b"[]", "name=facts") + b"--xyz--",
        part(FACTS, "name=facts", "Content-Transfer-Encoding: base64") + b"--xyz--",
        part(FACTS, "name=facts", "Content-Disposition: form-data; filename=x") + b"--xyz--",
        part(FACTS, "name=facts; " + "x" * 9_000) + b"--xyz--",
        b"--xyz\r\n\r\n{}\r\n--xyz--",
        b"--xyz\r\nContent-Disposition: form-data; name=\xff\r\n\r\n{}\r\n--xyz--",
        b"".join(part(b"", "name=f; filename=a") for _ in range(1_001)) + part(FACTS, "name=facts") + b"--xyz--",
    ],
    ids=range(19),
)  # fmt: skip
def test_what_is_no_form_is_refused(body):
    refused("bad_request", forms.read, MIXED, body)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from([b"--xyz", b"\r\n", b"--", b"Content-Disposition: form-data; name=facts", b"filename*0*=", b";", b"=",
                         b"filename*=utf-9'x'%", b"{}", b"\r\n\r\n", b'"', b"\\", b"name=", b"\xc4\x83", b"\xff", b": ", b"x"]),
        max_size=14,
    ).map(b"".join)
)  # fmt: skip
def test_any_bytes_are_read_or_refused(raw):
    for form, body in (
        (MIXED, b"--xyz\r\n" + raw),
        (MIXED, raw + b"\r\n--xyz--"),
        (forms.form("text/json"), raw),
    ):
        assert code_of(form, body) in {"", "bad_request"}


@pytest.mark.parametrize(
    "header, code",
    [
        ("text/plain", "unsupported_media_type"), ("application/xml", "unsupported_media_type"), (";", "unsupported_media_type"),
        ("multipart/mixed; boundary=a", "unsupported_media_type"), ("multipart/form-data", "bad_request"),
        ("multipart/form-data; boundary=", "bad_request"), ("multipart/form-data; boundary=" + "a" * 71, "bad_request"),
        ('multipart/form-data; boundary="a\x01"', "bad_request"), ("multipart/form-data; boundary*=utf-8''a", "bad_request"),
        ("ế", "unsupported_media_type"),
    ],
)  # fmt: skip
def test_other_kinds_of_bodies_are_refused(header, code):
    refused(code, forms.form, header)


@pytest.mark.parametrize(
    "header", ["", "application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json"]
)
def test_kinds_of_json(header):
    assert forms.form(header) == forms.Form()


def whole(form, raw):
    """The steps of `broker.compose`, each without what the one before it used."""
    drafted = compose._drafted(forms.read(form, raw), 1 << 30)
    return write.write(drafted.letter)


@pytest.mark.parametrize("kind", ["json", "json with an image in its subject", "parts"])
def test_building_takes_at_most_three_times_the_letter(kind):
    size = 12 << 20
    facts = {
        "sender": "A",
        "recipients": ["B"],
        "number": "1",
        "notation": "C",
        "issued_on": "2026-11-21",
        "subject": "V/v ế",
    }
    if kind == "parts":
        body = b"".join(
            (
                part(json.dumps(facts).encode(), "name=facts"),
                part(bytes(size), "name=f; filename=a.pdf"),
                b"--xyz--",
            )
        )
        form = MIXED
    else:
        subject = "😀" if "image" in kind else "V/v ế"
        files = [{"name": "a.pdf", "data": base64.b64encode(bytes(size)).decode()}]
        body, form = (
            json.dumps({**facts, "subject": subject, "files": files}, ensure_ascii=False).encode(),
            forms.Form(),
        )
    tracemalloc.start()
    try:
        steps = [forms.read(form, body)]
        first = tracemalloc.get_traced_memory()[1] + len(body)
        del body
        tracemalloc.reset_peak()
        steps.append(compose._drafted(steps.pop(), 1 << 30))
        second = tracemalloc.get_traced_memory()[1] + (size if kind == "parts" else 0)
        tracemalloc.reset_peak()
        raw = write.write(steps.pop().letter)
        third = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    print(kind, [round(one / len(raw), 2) for one in (first, second, third)])
    assert max(first, second, third) < 3.1 * len(raw)
