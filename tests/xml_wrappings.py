"""Wrapping: constructions on a signed letter, each a change to its tree, with what is signed in the parent and how it ends.

The signed bytes stay as they are, and something else is put where a reader looks: every digest, often every value,
holds for some verifier. `CONSTRUCTIONS` are (parent, change, reason); a parent is what `sign` is asked for.
"""

import copy

import xml_cases as cases
from lxml import etree
from xml_changes import named, put

from signing.algorithms import DS
from signing.xades import XADES

NS, FORGED = cases.NS, "GIA-MAO"
PARENTS = {
    "root": {"references": ["#doc"], "at": None},
    "whole": {"at": None},
    "header": {"references": ["#header"], "at": None},
    "header, inclusive": {"references": ["#header"], "canonical": "inclusive", "at": None},
    "header, time": {"references": ["#header"]},
    "header, xades": {"references": ["#header"], "xades": True},
    "whole, xades": {"xades": True},
}


def parent(name, raw, sign):
    """A good letter: `sign(raw, **terms)` signs `raw`, in which the header has the Id `header`."""
    if name == "root":
        raw = raw.replace(b"<edXML ", b'<edXML Id="doc" ', 1)
    return sign(raw, **PARENTS[name])


def forged(root):
    """A copy of the message without its signature, that says something else."""
    evil = copy.deepcopy(root)
    signature = cases.signature_of(evil)
    signature.getparent().remove(signature)
    cases.part(evil, "CodeNotation").text = FORGED
    for node in evil.iterdescendants():
        node.attrib.pop("Id", None)
    return evil


def forged_header(root, name="{" + NS + "}MessageHeader"):
    evil = copy.deepcopy(cases.part(root, "MessageHeader"))
    del evil.attrib["Id"]
    cases.part(evil, "CodeNotation").text = FORGED
    evil.tag = name
    return evil


def in_object(identifier):
    """The original into an Object of its signature, which a forged root then carries."""

    def change(root):
        evil = forged(root)
        signature = cases.signature_of(root)
        signature.getparent().remove(signature)
        evil.set("Id", identifier)
        etree.SubElement(signature, f"{{{DS}}}Object").append(root)
        cases.part(evil, "edXMLHeader").append(signature)
        return evil

    return change


def under_new_root(root):
    evil = forged(root)
    evil.attrib.pop("Id", None)
    evil.append(root)
    return evil


def beside_forged_content(root):
    """The signed root as the first child of a forged one, its signature taken out to where readers look."""
    evil, signature = forged(root), cases.signature_of(root)
    evil.attrib.pop("Id", None)
    cases.part(evil, "edXMLHeader").append(signature)
    evil.insert(0, root)
    return evil


def signature_as_root(root):
    """The enveloping form: the signature is the root, the message stands in its Object."""
    signature = cases.signature_of(root)
    signature.getparent().remove(signature)
    signature.tail = None
    etree.SubElement(signature, f"{{{DS}}}Object").append(root)
    return etree.fromstring(etree.tostring(signature))  # lxml's document had the old root


def aside(to, name="{" + NS + "}MessageHeader", *, before=True):
    """The signed header moved to `to(root)`, a forged one of some name in its place."""

    def change(root):
        header = cases.part(root, "MessageHeader")
        (header.addprevious if before else header.addnext)(forged_header(root, name))
        to(root).append(header)

    return change


def without_forged(to):
    """The signed header moved away, and none in its place."""
    return lambda root: to(root).append(cases.part(root, "MessageHeader"))


def an(name, number=0):
    return lambda root: cases.part(root, name, number)


def new(parent_name, tag):
    return lambda root: etree.SubElement(cases.part(root, parent_name), tag)


def to_bogus_signature(root):
    """An Object of another signature, which nobody made."""
    bogus = etree.SubElement(cases.part(root, "edXMLEnvelope"), f"{{{DS}}}Signature")
    etree.SubElement(bogus, f"{{{DS}}}SignedInfo")
    etree.SubElement(bogus, f"{{{DS}}}SignatureValue").text = "AAAA"
    return etree.SubElement(bogus, f"{{{DS}}}Object")


def second_envelope(root):
    """Around the header all that was around it, under another name at the top."""
    envelope = cases.part(root, "edXMLEnvelope")
    second = copy.deepcopy(envelope)
    second.tag = f"{{{NS}}}edXMLEnvelope2"
    for node in cases.part(second, "edXMLHeader"):
        node.getparent().remove(node)
    cases.part(second, "edXMLHeader").append(cases.part(root, "MessageHeader"))
    cases.part(root, "edXMLHeader").insert(0, forged_header(second))
    envelope.addnext(second)


def inner_signature(root):
    holder = etree.SubElement(cases.signature_of(root), f"{{{DS}}}Object")
    holder.append(copy.deepcopy(cases.signature_of(root)))


def signature_twice(root):
    cases.signature_of(root).addnext(copy.deepcopy(cases.signature_of(root)))


def signature_in_signature(root):
    signature = cases.signature_of(root)
    outer = etree.Element(f"{{{DS}}}Signature")
    signature.addprevious(outer)
    etree.SubElement(outer, f"{{{DS}}}Object").append(signature)


def identified(attribute):
    """A forged header whose identifier is that of the signed one, in some spelling."""

    def change(root):
        evil = forged_header(root)
        evil.set(attribute, "header")
        cases.part(root, "MessageHeader").addprevious(evil)

    return change


def retargeted(uri):
    return lambda root: cases.part(root, "Reference").set("URI", uri)


def properties_twice(root):
    first = cases.part(root, "QualifyingProperties")
    second = copy.deepcopy(first)
    second[0].attrib.pop("Id")
    cases.part(second, "SigningTime").text = "2020-01-01T00:00:00Z"
    first.addprevious(second)


def properties_aside(root):
    """The signed properties kept in an unsigned place, others where they are looked for."""
    holder = cases.part(root, "QualifyingProperties")
    evil = copy.deepcopy(holder[0])
    evil.attrib.pop("Id")
    holder.insert(0, evil)


def properties_out(root):
    """The signed properties moved out of the signature, forged ones in their place."""
    holder = cases.part(root, "QualifyingProperties")
    evil = copy.deepcopy(holder[0])
    evil.set("Id", "other")
    holder.insert(0, evil)
    root.append(holder[1])


def time_aside(root):
    """The signed time kept in a second Object, another one in the first."""
    first = cases.part(root, "Object")
    evil = copy.deepcopy(first)
    evil.attrib.pop("Id")
    cases.part(evil, "SigningTime").text = "2020-01-01T00:00:00Z"
    first.addprevious(evil)
    root.append(first)


OBJECT = f'<Object xmlns="{DS}">{{}}</Object>'
UNSIGNED = f'<x:UnsignedProperties xmlns:x="{XADES}"><x:UnsignedSignatureProperties>{{}}</x:UnsignedSignatureProperties></x:UnsignedProperties>'

# fmt: off
CONSTRUCTIONS = {
    # the whole document
    "original in an object, other Id": ("root", in_object("doc2"), "content_in_signature"),
    "original in an object, same Id": ("root", in_object("doc"), "doubled_identifier"),
    "signed document under a new root": ("root", under_new_root, "same_name_elsewhere"),
    "signed root beside forged content": ("root", beside_forged_content, "enveloped_misplaced"),
    "signature as the root around the message": ("root", signature_as_root, "enveloped_misplaced"),
    "signature of the whole as the root around the message": ("whole", signature_as_root, "enveloped_misplaced"),
    "whole under a new root": ("whole", under_new_root, "digest_differs"),
    "whole in an object": ("whole", in_object("doc"), "content_in_signature"),
    "content of the message in an object": ("whole", put("Signature", OBJECT.format(f'<Code xmlns="{NS}"/>'), 3), "content_in_signature"),
    "another root in an object": ("whole", put("Signature", OBJECT.format('<edXML xmlns="urn:x"/>'), 3), "content_in_signature"),
    "header of another namespace in an object": ("whole", put("Signature", OBJECT.format('<MessageHeader xmlns="urn:x"/>'), 3), "profile_not_known"),
    "a manifest in an object": ("whole", put("Signature", OBJECT.format("<Manifest/>"), 3), "profile_not_known"),
    "signature in a signature": ("whole", inner_signature, "nested_signature"),
    "signature inside a bogus one": ("whole", signature_in_signature, "nested_signature"),
    # the header, a forged one in its place
    "header aside in an attachment": ("header", aside(an("Attachment")), "same_name_elsewhere"),
    "header aside, forged one after it": ("header", aside(an("Attachment"), before=False), "same_name_elsewhere"),
    "header aside in the root": ("header", aside(lambda root: root), "same_name_elsewhere"),
    "header aside in the envelope": ("header", aside(an("edXMLEnvelope")), "same_name_elsewhere"),
    "header aside in the last attachment": ("header", aside(an("Attachment", 1)), "same_name_elsewhere"),
    "header aside in something new": ("header", aside(new("edXMLHeader", "luu")), "same_name_elsewhere"),
    "header aside in something foreign": ("header", aside(new("edXMLEnvelope", "{urn:x}luu")), "same_name_elsewhere"),
    "header aside in a second envelope": ("header", second_envelope, "same_name_elsewhere"),
    "header aside, inclusive form": ("header, inclusive", aside(an("Attachment")), "same_name_elsewhere"),
    "header aside, with a signed time": ("header, time", aside(an("Attachment")), "same_name_elsewhere"),
    "header aside, xades": ("header, xades", aside(an("Attachment")), "same_name_elsewhere"),
    "header aside, forged one in capitals": ("header", aside(an("Attachment"), f"{{{NS}}}MESSAGEHEADER"), "same_name_elsewhere"),
    "header aside, forged one in small letters": ("header", aside(an("Attachment"), f"{{{NS}}}messageheader"), "same_name_elsewhere"),
    "header aside, forged one of another namespace": ("header", aside(an("Attachment"), "{urn:x}MessageHeader"), "same_name_elsewhere"),
    "header aside, forged one of no namespace": ("header", aside(an("Attachment"), "MessageHeader"), "same_name_elsewhere"),
    # the header into the signature
    "header into an object": ("header", aside(new("Signature", f"{{{DS}}}Object")), "content_in_signature"),
    "header into an object, none in its place": ("header", without_forged(new("Signature", f"{{{DS}}}Object")), "content_in_signature"),
    "header into a bogus signature": ("header", aside(to_bogus_signature), "covers_nothing"),
    "header into a bogus signature, none in its place": ("header", without_forged(to_bogus_signature), "covers_nothing"),
    "header into the key info": ("header", aside(an("KeyInfo")), "foreign_content"),
    "header into the certificate's data": ("header", aside(an("X509Data")), "foreign_content"),
    "header into the signed info": ("header", aside(an("SignedInfo")), "foreign_content"),
    "header into its reference": ("header", aside(an("Reference")), "foreign_content"),
    "header into the value": ("header", aside(an("SignatureValue")), "foreign_content"),
    "header into unsigned properties": ("header, xades", aside(new("QualifyingProperties", f"{{{XADES}}}UnsignedProperties")), "foreign_content"),
    "header into the signing time": ("header, time", aside(new("SignatureProperty", "luu")), "content_in_signature"),
    # identifiers
    "Id twice on a forged header": ("header", identified("Id"), "doubled_identifier"),
    "ID like the Id": ("header", identified("ID"), "doubled_identifier"),
    "id like the Id": ("header", identified("id"), "doubled_identifier"),
    "xml:id like the Id": ("header", identified("{http://www.w3.org/XML/1998/namespace}id"), "doubled_identifier"),
    "Id of an attachment": ("header", named("Attachment", "Id", "header"), "doubled_identifier"),
    "Id of the signature's own part taken": ("header, time", named("Attachment", "Id", "signing-time-0"), "doubled_identifier"),
    "Id of the signed properties taken": ("header, xades", named("Attachment", "Id", "signed-properties-0"), "doubled_identifier"),
    "Id of the signature taken": ("header, xades", named("Attachment", "Id", "signature-0"), "doubled_identifier"),
    "signature twice": ("header, time", signature_twice, "doubled_identifier"),
    # references
    "pointer to the forged header": ("header", retargeted("#xpointer(id('header'))"), "target_missing"),
    "pointer to the root": ("header", retargeted("#xpointer(/)"), "target_missing"),
    "Id in another writing": ("header", retargeted("#he%61der"), "target_missing"),
    "the whole instead": ("header", retargeted(""), "digest_differs"),
    "another part instead": ("header", retargeted("#file1"), "digest_differs"),
    "a file instead": ("header", retargeted("header.xml#header"), "external_reference"),
    # properties of the signature
    "properties twice": ("whole, xades", properties_twice, "malformed_signature"),
    "forged properties before the signed ones": ("whole, xades", properties_aside, "malformed_signature"),
    "signed properties out of the signature": ("header, xades", properties_out, "same_name_elsewhere"),
    "signed time out of the signature": ("header, time", time_aside, "same_name_elsewhere"),
    "unsigned properties with content": ("whole, xades", put("QualifyingProperties", UNSIGNED.format(f'<Code xmlns="{NS}"/>'), 1), "foreign_content"),
}
# fmt: on
