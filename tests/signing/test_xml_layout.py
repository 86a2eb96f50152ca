"""Layouts: what is read by the places that a remembered shape tells is what a plain reading of the elements finds."""

import base64
import copy
import dataclasses
import random
import tracemalloc

import pytest
import xml_cases as cases
import xml_plain
from lxml import etree

from signing import keys, xml_document, xml_grammar, xml_layout, xml_structure
from signing.algorithms import CANONICAL_FORMS, DIGESTS, DS, ENVELOPED, EXCLUSIVE, METHODS
from signing.verdict import TooComplexError
from signing.xml_rules import GRAMMAR

COUNT, LONG_COUNT = 1_000, 8_000
PARTS = {"references": ("#header", "#file1")}
ALGORITHMS = [*METHODS, *DIGESTS, *CANONICAL_FORMS, ENVELOPED, "urn:x", ""]
NAMES = ["Id", "URI", "Type", "Algorithm", "PrefixList", "Encoding", f"{{{DS}}}Algorithm"]
TAGS = [
    f"{{{DS}}}{name}"
    for name in (
        *("SignedInfo", "Reference", "Transforms", "Transform", "DigestMethod", "DigestValue", "KeyName"),
        *("SignatureValue", "X509Data", "X509Certificate", "X509SubjectName", "KeyValue", "X509SKI"),
        *("Object", "SignatureProperties", "Signature"),
    )
] + [f"{{{EXCLUSIVE}}}InclusiveNamespaces", "Reference", "{urn:x}other"]
TEXTS = [None, "", "\n", "AAAA", "AA AA\n", "AAA=", "x", "\u00a0", "2026-01-05T08:00:00"]


def signed(*terms):
    raw = cases.LETTER
    for one in terms:
        raw = cases.signed(raw, one.pop("kind", "p256"), **one)
    return cases.parsed(raw)


def models():
    """Messages whose signatures are alike, and some that are not."""
    listed = signed({**PARTS}, {**PARTS})
    for place, transform in enumerate(listed.iter(f"{{{DS}}}Transform")):
        etree.SubElement(transform, f"{{{EXCLUSIVE}}}InclusiveNamespaces", PrefixList=f"p{place} edXML")
    told = signed({**PARTS}, {**PARTS, "kind": "rsa2048"})
    for place, data in enumerate(told.iter(f"{{{DS}}}X509Data")):
        etree.SubElement(data, f"{{{DS}}}X509SubjectName").text = f"CN={place}"
        etree.SubElement(data, f"{{{DS}}}X509SKI").text = f"AA{place}="
    return [
        signed({**PARTS}, {**PARTS}, {**PARTS, "kind": "rsa2048"}),
        signed({"canonical": "inclusive", **PARTS}, {"at": None}, {"xades": True, **PARTS}),
        listed,
        told,
    ]


def changed_value(chance, node):
    if node.attrib:
        name = chance.choice(list(node.attrib))
        node.set(name, chance.choice(ALGORITHMS if name == "Algorithm" else ["", "#header", "#x", "a b"]))


def changed_names(chance, node):
    """An attribute taken away, put in, or all in another order."""
    had = list(node.attrib.items())
    if had and chance.random() < 0.5:
        had.pop(chance.randrange(len(had)))
    if chance.random() < 0.5:
        had.append((chance.choice(NAMES), chance.choice(["", "x", *ALGORITHMS])))
    chance.shuffle(had)
    node.attrib.clear()
    for name, value in had:
        node.set(name, value)


def changed_text(chance, node):
    if chance.random() < 0.7:
        node.text = chance.choice(TEXTS)
    else:
        node.tail = chance.choice(TEXTS)


def changed_children(chance, node):
    kind, inside = chance.randrange(4), list(node)
    if kind == 0 and inside:
        node.remove(chance.choice(inside))
    elif kind == 1 and inside:
        node.insert(chance.randrange(len(inside)), copy.deepcopy(chance.choice(inside)))
    elif kind == 2:
        node.insert(chance.randrange(len(inside) + 1), etree.Element(chance.choice(TAGS)))
    else:
        node.insert(chance.randrange(len(inside) + 1), etree.Comment("x"))


CHANGES = [
    changed_value,
    changed_value,
    changed_value,
    changed_names,
    changed_text,
    changed_text,
    changed_children,
]


def mutant(chance, model):
    root = copy.deepcopy(model)
    for _ in range(chance.choice([0, 1, 1, 2, 3])):
        signature = chance.choice(root.findall(f".//{{{DS}}}Signature"))
        nodes = [node for node in signature.iter("*") if node is not signature or chance.random() < 0.3]
        chance.choice(CHANGES)(chance, chance.choice(nodes or [signature]))
    return cases.written(root)


def read(draft):
    """What `xml_plain.told` tells, by the way under test."""
    claim = xml_structure.claim(draft)
    if claim.placeholder:
        return ("placeholder",)
    found = xml_structure.read(draft, claim)
    if isinstance(found, str):
        return "fault", found
    info = found.key_info
    return {
        "form": found.form,
        "method": found.method,
        "references": [tuple(one) for one in found.references],
        "value": found.value,
        "objects": list(found.layout.objects),
        "properties": found.properties is not None,
        "nested": found.layout.nested,
        "foreign": set(found.layout.foreign),
        "certificates": list(info.certificates),
        "names": list(info.names),
        "numbers": list(info.numbers),
        "identifiers": list(info.identifiers),
        "lists": list(info.lists),
        "key_values": list(info.key_values),
    }


def compared(raw):
    """What a plain reading tells of each signature, after it was compared."""
    document = xml_document.parse(raw)
    document.hold_nodes()
    plain = [xml_plain.told(element) for element in document.signatures]
    limits = [one[1] for one in plain if "limit" in one]
    if limits:
        with pytest.raises(TooComplexError) as caught:
            list(xml_structure.drafts(document))
        assert caught.value.limit == limits[0]
    else:
        drafts = list(xml_structure.drafts(document))
        assert [draft.nodes[0] for draft in drafts] == list(document.signatures)
        assert [read(draft) for draft in drafts] == plain
    return plain


def campaign(count, seed):
    chance, bases, ends = random.Random(seed), models(), []
    for _ in range(count):
        ends += compared(mutant(chance, chance.choice(bases)))
    return ends


@pytest.mark.parametrize("letters", [xml_grammar.LONGEST_REMEMBERED, 0], ids=["remembered", "never"])
def test_places_tell_what_a_plain_reading_tells(letters, monkeypatch):
    monkeypatch.setattr(xml_grammar, "LONGEST_REMEMBERED", letters)
    ends = campaign(COUNT, 5)
    faults = {one[1] for one in ends if "fault" in one}
    whole = sum(isinstance(one, dict) for one in ends)
    assert 0.3 < whole / len(ends) < 0.9
    assert {
        "algorithm_not_allowed",
        "foreign_content",
        "malformed_signature",
        "enveloped_misplaced",
    } <= faults
    assert {"transform_not_allowed", "canonical_form_not_allowed", "comment_in_signed_content"} <= faults
    assert ("placeholder",) in ends


@pytest.mark.long
def test_places_tell_what_a_plain_reading_tells_of_thousands():
    assert campaign(LONG_COUNT, 6)


LATER = cases.SIGNED_AT + cases.timedelta(hours=3)


@pytest.mark.parametrize("inner", [f"{{{DS}}}Signature", f"{{{DS}}}Manifest", "edXML", "{urn:x}Signature"])
def test_what_an_object_holds_is_told(inner):
    root = signed({**PARTS}, {**PARTS})
    etree.SubElement(cases.part(cases.signature_of(root, 1), "SignatureProperty"), inner)
    first, second, *_ = compared(cases.written(root))
    assert first["nested"] is False
    assert second["nested"] is (inner == f"{{{DS}}}Signature")
    assert len(second["foreign"]) - len(first["foreign"]) == (not inner.startswith(f"{{{DS}}}"))


TWINS = cases.signed(cases.signed(**PARTS), at=LATER, **PARTS)
"""Two signatures of one shape by one signer, over the same parts."""


def swapped(node):
    """The same attributes in another order, which no canonical form shows."""
    had = list(node.attrib.items())
    node.attrib.clear()
    for name, value in (("Id", "reference-x"), *reversed(had)):
        node.set(name, value)


def of_first(name):
    """The text of the first signature's element in the second."""

    def change(root, second):
        cases.part(second, name).text = cases.part(cases.signature_of(root), name).text

    return change


def set_to(name, attribute, value, number=0):
    return lambda _root, second: cases.part(second, name, number).set(attribute, value)


def worded(name, text):
    return lambda _root, second: setattr(cases.part(second, name), "text", text)


SECOND = {
    "untouched": (lambda _root, _second: None, "passed"),
    "its value is the first's": (of_first("SignatureValue"), "signature_value_wrong"),
    "its last digest is the first's": (
        lambda root, second: setattr(
            cases.part(second, "DigestValue", 2), "text", cases.part(root, "DigestValue", 2).text
        ),
        "digest_differs",
    ),
    "points at the first's own part": (set_to("Reference", "URI", "#signing-time-0", 2), "digest_differs"),
    "points at another part": (set_to("Reference", "URI", "#file2", 1), "digest_differs"),
    "points nowhere": (set_to("Reference", "URI", "#none", 1), "target_missing"),
    "points outside": (set_to("Reference", "URI", "none", 1), "external_reference"),
    "another digest algorithm": (set_to("DigestMethod", "Algorithm", list(DIGESTS)[2]), "digest_differs"),
    "a digest algorithm that is not allowed": (
        set_to("DigestMethod", "Algorithm", "urn:x", 2),
        "algorithm_not_allowed",
    ),
    "another canonical form": (
        set_to("CanonicalizationMethod", "Algorithm", list(CANONICAL_FORMS)[1]),
        "signature_value_wrong",
    ),
    "another transform": (set_to("Transform", "Algorithm", "urn:x", 1), "transform_not_allowed"),
    "an enveloped transform": (set_to("Transform", "Algorithm", ENVELOPED), "enveloped_misplaced"),
    "another time": (worded("SigningTime", "2020-01-01T00:00:00+07:00"), "digest_differs"),
    "another certificate": (
        worded("X509Certificate", base64.b64encode(keys.der(cases.CERTIFICATES["rsa2048"])).decode()),
        "signature_value_wrong",
    ),
    "a comment": (
        lambda _root, second: cases.part(second, "SignedInfo").append(etree.Comment("x")),
        "comment_in_signed_content",
    ),
    "text behind its value": (
        lambda _root, second: setattr(cases.part(second, "SignatureValue"), "tail", "x"),
        "foreign_content",
    ),
    "attributes in another order": (
        lambda _root, second: swapped(cases.part(second, "Reference", 1)),
        "signature_value_wrong",
    ),
    "the root's name inside": (
        lambda _root, second: etree.SubElement(cases.part(second, "SignatureProperty"), "edXML"),
        "content_in_signature",
    ),
}


OF_FIRST = {"its value is the first's", "its last digest is the first's", "points at the first's own part"}
"""Changes that change nothing when they are done to the first."""


@pytest.mark.parametrize("name", SECOND)
@pytest.mark.parametrize("second", [1, 0], ids=["second", "first"])
def test_only_the_signature_that_was_changed_fails(name, second):
    change, why = SECOND[name]
    assert [one.why for one in cases.judged(TWINS).verdicts] == ["passed", "passed"]
    report = cases.judged(cases.changed(TWINS, lambda root: change(root, cases.signature_of(root, second))))
    ends = [one.why for one in report.verdicts]
    assert ends[second] == ("passed" if second == 0 and name in OF_FIRST else why)
    assert ends[1 - second] == "passed"


@pytest.mark.parametrize("second", [0, 1])
def test_an_identifier_doubled_in_one_signature_refuses_both(second):
    def change(root):
        cases.part(cases.signature_of(root, second), "KeyInfo").set("Id", "header")

    report = cases.judged(cases.changed(TWINS, change))
    assert [one.why for one in report.verdicts] == ["doubled_identifier", "doubled_identifier"]


def test_a_part_of_another_signature_is_no_part_of_ones_own():
    """Else the time that the first signer stated would be told as the second's."""
    raw = cases.signed(cases.signed(**PARTS), at=None, references=("#header", "#signing-time-0"))
    first, second = cases.judged(raw).verdicts
    assert (first.why, second.why) == ("passed", "profile_not_known")
    assert (first.signed_at_claimed, second.signed_at_claimed) == (cases.SIGNED_AT, None)


def test_each_signature_of_many_is_told_as_it_is_alone():
    """Other keys, times and parts, but one shape: nothing of one verdict is another's."""
    terms = [
        {"kind": kind, "references": parts, "at": cases.SIGNED_AT + cases.timedelta(minutes=minute)}
        for minute, (kind, parts) in enumerate(
            [
                ("p256", ("#header", "#file1")),
                ("p384", ("#file1", "#file2")),
                ("rsa2048", ("#file2", "#header")),
            ]
        )
    ]
    raw, alone = cases.LETTER, [cases.only(cases.signed(**one)) for one in terms]
    for one in terms:
        raw = cases.signed(raw, **one)
    verdicts = cases.judged(raw).verdicts
    assert [dataclasses.replace(one, position=0) for one in verdicts] == alone
    assert [one.position for one in verdicts] == [0, 1, 2]
    assert len({one.coverage.paths for one in verdicts}) == len({one.certificate for one in verdicts}) == 3


def shape_of(markup):
    nodes = list(etree.fromstring(markup).iter())
    return xml_grammar.see(nodes).shape


DIFFERENT = [
    '<a><b/><c x="1"/></a>',
    '<a><b x="1"/><c/></a>',
    '<a><b/><c y="1"/></a>',
    '<a><b/><c x="1" y="1"/></a>',
    '<a><b/><c y="1" x="1"/></a>',
    '<a><b><c x="1"/></b></a>',
    '<a><c/><b x="1"/></a>',
    '<a>t<b/><c x="1"/></a>',
    '<a><b>t</b><c x="1"/></a>',
    '<a><b/>t<c x="1"/></a>',
    '<a><b/><c x="1"/>t</a>',
    '<a><b/><c Id=""/></a>',
    '<a><b/><c Id="1"/></a>',
    '<a xmlns="urn:x"><b/><c x="1"/></a>',
    '<a><b/><c x="1"/><!----></a>',
    '<a><b/><c x="1"/><?x?></a>',
]


def test_what_differs_for_a_grammar_has_another_shape():
    assert len({shape_of(markup) for markup in DIFFERENT}) == len(DIFFERENT)


def test_what_differs_in_values_alone_has_one_shape():
    alike = [
        "<a><b>t</b><c x='1'/></a>",
        "<a>\n<b> other </b><c x=''/> </a>",
        "<a><b>t</b>\t<c x='t'></c></a>",
    ]
    assert len({shape_of(markup) for markup in alike}) == 1


def test_little_is_remembered_of_many_shapes_and_many_names():
    memory = xml_grammar.Memory(lambda shape, beside: (shape, beside), 3)
    for number in range(10):
        assert memory.of(shape_of(f"<a{number}/>"), number)[1] == number
        assert len(memory.known) <= 3
    before = dict(memory.known)
    assert memory.of(shape_of(f"<{'x' * xml_grammar.LONGEST_REMEMBERED}x/>"), 0)[1] == 0
    assert memory.of(shape_of(f"<a>{'<b/>' * xml_grammar.REMEMBERED}</a>"), 0)[1] == 0
    assert memory.known == before
    assert memory.of(next(iter(before))[0], 5) == (next(iter(before))[0], 5)


def hostile(number, nodes, names):
    """A signature of so many nodes, with so many attributes in each of some of them; no other number has their names."""
    many = " ".join(f'a{number}-{name:03x}=""' for name in range(names))
    inside = "".join(f"<ds:x{number} {many * (place % 64 == 0)}/>" for place in range(nodes - 1))
    return f'<ds:Signature xmlns:ds="{DS}">{inside}</ds:Signature>'


MOST = xml_grammar.REMEMBERED


@pytest.mark.parametrize("nodes, names", [(MOST, 0), (MOST, MOST // 4), (65, MOST), (4, 2_000)])
def test_hostile_shapes_hold_little_memory(nodes, names):
    layouts = xml_grammar.Memory(xml_layout._laid_out, xml_layout.LAYOUTS)
    faults = xml_grammar.Memory(xml_grammar.judged, xml_grammar.FAULTS)
    tracemalloc.start()
    try:
        for number in range(4):
            layouts.of(shape_of(hostile(number, nodes, names)))
            faults.of(shape_of(hostile(number, nodes, names)), GRAMMAR, "Signature")
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(layouts.known) == len(faults.known) == (4 if names <= MOST else 0)
    assert held / 8 * (layouts.most + faults.most) < 32 << 20


def test_little_is_remembered_of_the_terms_of_one_shape():
    model = signed({**PARTS})
    element = cases.signature_of(model)

    def layout_with(name):
        cases.part(element, "SignatureMethod").set("Algorithm", name)
        (draft,) = xml_structure.drafts(xml_document.parse(cases.written(model)))
        xml_structure.read(draft, xml_structure.claim(draft))
        return draft.layout

    layouts = [layout_with(f"urn:{number}") for number in range(2 * xml_layout.TERMS)]
    assert len(set(layouts)) == 1
    assert len(layouts[0]._terms) <= xml_layout.TERMS
    before = dict(layouts[0]._terms)
    assert layout_with("x" * xml_layout.LONGEST_TERMS)._terms == before
