"""Names: which spellings are one, and which names lie inside a constraint (RFC 5280 §7.1, §4.2.1.10)."""

import ipaddress
import unicodedata

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from signing import names, xml_text


def name(*parts, kind=NameOID.COMMON_NAME, **how):
    return x509.Name([x509.NameAttribute(kind, part, **how) for part in parts])


SAME = {
    "case": ("Ủy ban", "ỦY BAN"),
    "white space": ("Ủy  ban ", "Ủy\tban"),
    "composed and not": ("Ủy ban", unicodedata.normalize("NFD", "Ủy ban")),
}  # fmt: skip


@pytest.mark.parametrize("kind", SAME)
def test_spellings_of_one_name(kind):
    one, other = SAME[kind]
    assert one != other
    assert names.folded(name(one)) == names.folded(name(other))


def test_other_kinds_of_character_strings_are_the_same_name():
    printable = name("Root", _type=_ASN1Type.PrintableString)
    assert printable.public_bytes() != name("Root").public_bytes()
    assert names.folded(printable) == names.folded(name("Root"))


OTHER = [("Ủy ban", "Uy ban"), ("Ủy ban", "Ủyban"), ("Ủy ban", "Ủy ban A"), ("", "Ủy ban")]


@pytest.mark.parametrize("pair", OTHER, ids=str)
def test_names_that_are_not_one(pair):
    one, other = (name(*filter(None, [each])) for each in pair)
    assert names.folded(one) != names.folded(other)


def test_order_and_kind_tell_names_apart():
    assert names.folded(name("a", "b")) != names.folded(name("b", "a"))
    assert names.folded(name("a")) != names.folded(name("a", kind=NameOID.ORGANIZATION_NAME))


DNS, MAIL, URI = x509.DNSName, x509.RFC822Name, x509.UniformResourceIdentifier


def address(text):
    return x509.IPAddress(ipaddress.ip_address(text))


def network(text):
    return x509.IPAddress(ipaddress.ip_network(text))


def directory(*parts):
    return x509.DirectoryName(name(*parts))


REGISTERED = x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))
# A name, a subtree, whether it lies inside.
# fmt: off
WITHIN = [
    (directory("vn", "a"), directory("vn"), True),
    (directory("VN", "a"), directory("vn"), True),
    (directory("vn"), directory("vn"), True),
    (directory("vn"), directory("vn", "a"), False),
    (directory("a", "vn"), directory("vn"), False),
    (DNS("a.vn"), DNS("vn"), True),
    (DNS("A.VN"), DNS("vn"), True),
    (DNS("vn"), DNS("vn"), True),
    (DNS("a.vn"), DNS(".vn"), True),
    (DNS("avn"), DNS("vn"), False),
    (DNS("vn.a"), DNS("vn"), False),
    (DNS("a.vn"), DNS(""), True),
    (MAIL("x@a.vn"), MAIL("a.vn"), True),
    (MAIL("x@A.vn"), MAIL("a.VN"), True),
    (MAIL("x@b.a.vn"), MAIL("a.vn"), False),
    (MAIL("x@b.a.vn"), MAIL(".a.vn"), True),
    (MAIL("x@a.vn"), MAIL(".a.vn"), False),
    (MAIL("x@a.vn"), MAIL("x@a.vn"), True),
    (MAIL("y@a.vn"), MAIL("x@a.vn"), False),
    (URI("http://a.vn/x"), URI("a.vn"), True),
    (URI("http://a.vn:80/x"), URI("a.vn"), True),
    (URI("http://b.a.vn/x"), URI("a.vn"), False),
    (URI("http://b.a.vn/x"), URI(".a.vn"), True),
    (URI("http://a.vn/x"), URI(".a.vn"), False),
    (URI("http://x@b.vn/a.vn"), URI("a.vn"), False),
    (address("10.1.2.3"), network("10.0.0.0/8"), True),
    (address("11.1.2.3"), network("10.0.0.0/8"), False),
    (address("::1"), network("10.0.0.0/8"), False),
]
# fmt: on


@pytest.mark.parametrize("case", WITHIN, ids=lambda case: f"{case[0].value} in {case[1].value}")
def test_constraints(case):
    one, tree, inside = case
    permitted, excluded = (
        x509.NameConstraints(permitted_subtrees=[tree], excluded_subtrees=None),
        x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=[tree]),
    )
    assert names.allowed([one], permitted) is inside
    assert names.allowed([one], excluded) is not inside


# fmt: off
NEITHER = [
    (URI("urn:x"), URI("a.vn")),
    (URI("http://10.1.2.3/x"), URI("a.vn")),
    (URI("http://[::1]/x"), URI("a.vn")),
    (MAIL("x"), MAIL("a.vn")),
    (REGISTERED, REGISTERED),
]
# fmt: on


@pytest.mark.parametrize("case", NEITHER, ids=lambda case: f"{case[0].value} in {case[1].value}")
def test_what_cannot_be_compared_is_not_allowed(case):
    one, tree = case
    for sides in (
        {"permitted_subtrees": [tree], "excluded_subtrees": None},
        {"permitted_subtrees": None, "excluded_subtrees": [tree]},
    ):
        assert not names.allowed([one], x509.NameConstraints(**sides))


def test_constraints_bind_their_own_kind_only():
    constraints = x509.NameConstraints(permitted_subtrees=[DNS("vn")], excluded_subtrees=[DNS("a.vn")])
    assert names.allowed([MAIL("x@elsewhere.example"), directory("x"), REGISTERED, DNS("b.vn")], constraints)
    assert not names.allowed([DNS("b.vn"), DNS("x.a.vn")], constraints)


def test_mailboxes_inside_the_subject_are_bound_too():
    found = names.of(name("x@a.vn", kind=NameOID.EMAIL_ADDRESS), [DNS("vn")])
    assert MAIL("x@a.vn") in found
    assert DNS("vn") in found
    assert len(found) == 3


@pytest.mark.parametrize("text", ["Văn phòng <x@a.vn>", "x@a.vn@b.vn", "văn.phòng@a.vn", ""])
def test_a_mailbox_that_is_none_passes_no_constraint_on_mailboxes(text):
    subject = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, text or "x", _validate=False)])
    bound = names.of(subject, [])
    for sides in ((None, [MAIL("a.vn")]), ([MAIL("a.vn")], None)):
        constraints = x509.NameConstraints(*sides)
        assert not names.allowed(bound, constraints)
    assert names.allowed(bound, x509.NameConstraints([DNS("vn")], None))


def test_more_names_and_subtrees_than_are_compared():
    many = x509.NameConstraints(permitted_subtrees=[DNS("vn")] * 256, excluded_subtrees=None)
    assert names.allowed([DNS("vn")] * 256, many)
    assert not names.allowed([DNS("vn")] * 257, many)


HEAP = "a" + "\u0315\u0300" * 1_000


def test_a_name_with_marks_heaped_on_a_letter_is_compared_as_it_is():
    """To put 100,000 marks in order takes seconds, for each certificate that has them."""
    assert spelt(HEAP) == HEAP
    short = HEAP[: names.MOST_LETTERS]
    assert spelt(short) != short


def spelt(value):
    """The one value of a name as it is compared."""
    (((_, compared),),) = names.folded(name(value, kind=NameOID.STREET_ADDRESS))
    return compared


def test_an_endless_writing_of_a_name_is_a_writing_of_none():
    subject = name("Root")
    filler = "\\41" * xml_text.MOST_LETTERS
    assert xml_text.names("CN=Root," + filler[: 3 * (xml_text.MOST_LETTERS - 8)], subject)
    assert not xml_text.names("CN=Root," + filler, subject)
    assert not xml_text.names(f"CN=Root{HEAP}", subject)
    assert not xml_text.names("x", name(HEAP, kind=NameOID.STREET_ADDRESS))
