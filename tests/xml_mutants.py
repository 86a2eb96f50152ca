"""Signed messages of every profile, and seeded changes to them by kind: bytes, elements, attributes, namespaces, white
space, other writings of the same, what nothing covers, and signatures changed and made anew by their signer.

A kind is a function of a random source and a `Good` message; it gives bytes back, or None where it does not apply.
"""

import copy
from dataclasses import dataclass

import xml_cases as cases
import xml_generated
from lxml import etree
from xml_changes import named, noted, prefix_list, put, twice, worded

from signing import keys_timestamp
from signing.algorithms import DS, ENVELOPED, EXCLUSIVE, INCLUSIVE

STAMPER = keys_timestamp.authority(
    cases.ROOT, "Dấu thời gian", key=cases.keys.new_key(), at=cases.ISSUED, serial=77
)
PIECES = [b"", b"<", b"</a>", b"&amp;", b"<!--x-->", b"<?x y?>", b"<![CDATA[x]]>", b" ", b"\r\n", b"&#13;", b'"', b" Id='x'", b'xmlns="urn:b"', b"AAAA"]  # fmt: skip
MORE = "http://www.w3.org/2001/04/xmldsig-more#"


@dataclass(frozen=True, kw_only=True)
class Good:
    """A message that passes: its profile, which key signed, and the Ids of what is signed (none: the whole)."""

    raw: bytes
    profile: str
    kind: str
    references: tuple[str, ...]
    exclusive: bool


def good(chance):
    """A signed message by a seeded random source: a letter as edXML has it, or a document of odd namespaces."""
    if chance.random() < 0.5:
        raw, parts = cases.LETTER, ["header", "file1"]
    else:
        raw, identifiers = xml_generated.document(chance)
        parts = chance.sample(identifiers, min(len(identifiers), chance.randint(1, 2)))
    whole, exclusive = chance.random() < 0.4, chance.random() < 0.7
    level = chance.choice(["", "", "b", "t"])
    terms = {"xades": bool(level), "at": chance.choice([None, cases.SIGNED_AT])}
    if level == "t":
        terms["stamper"] = lambda digest: keys_timestamp.token(STAMPER, digest, at=cases.SIGNED_AT)
    kind = chance.choice(["p256", "p256", "rsa2048"])
    references = () if whole else tuple(f"#{one}" for one in parts)
    form = "exclusive" if exclusive else "inclusive"
    signed = cases.signed(raw, kind, references=references or ("",), canonical=form, **terms)
    profile = f"xades-{level}" if level else "xmldsig-enveloped" if whole else "xmldsig"
    return Good(raw=signed, profile=profile, kind=kind, references=references, exclusive=exclusive)


def _tree(change):
    """A kind that changes the tree; a change that does not apply there says so with an IndexError or None."""

    def kind(chance, one):
        root = cases.parsed(one.raw)
        try:
            changed = change(chance, root, one)
        except (IndexError, ValueError, AttributeError, TypeError):
            return None
        return None if changed is None else cases.written(root)

    return kind


def _any(chance, root, *, below=None):
    nodes = [node for node in (root if below is None else below).iter() if isinstance(node.tag, str)]
    return chance.choice(nodes)


def _outside(root):
    """Elements that are neither in the signature nor the root."""
    signature = cases.signature_of(root)
    inside = {*signature.iter(), *signature.iterancestors()}
    return [node for node in root.iter() if isinstance(node.tag, str) and node not in inside]


# bytes


def flipped(chance, one):
    position = chance.randrange(len(one.raw))
    changed = bytearray(one.raw)
    changed[position] ^= chance.choice((0x01, 0x20, 0x80))
    return bytes(changed)


def pieced(chance, one):
    start = chance.randrange(len(one.raw))
    return one.raw[:start] + chance.choice(PIECES) + one.raw[start + chance.choice((0, 0, 1, 4)) :]


def cut(chance, one):
    start = chance.randrange(len(one.raw))
    return one.raw[:start] + one.raw[start + chance.randint(1, 200) :]


def doubled(chance, one):
    start = chance.randrange(len(one.raw))
    stop = start + chance.randint(1, 60)
    return one.raw[:stop] + one.raw[start:]


# elements


def moved(chance, root, _one):
    node, target = _any(chance, root), _any(chance, root)
    if node is root or target in node.iter():
        return None
    target.insert(chance.randint(0, len(target)), node)
    return True


def copied(chance, root, _one):
    node, target = _any(chance, root), _any(chance, root)
    target.insert(chance.randint(0, len(target)), copy.deepcopy(node))
    return True


def removed(chance, root, _one):
    node = _any(chance, root)
    node.getparent().remove(node)
    return True


def renamed(chance, root, _one):
    node = _any(chance, root)
    node.tag = (
        node.tag + chance.choice("xX")
        if chance.random() < 0.5
        else f"{{urn:la}}{etree.QName(node).localname}"
    )
    return True


def wrapped(chance, root, _one):
    node = _any(chance, root)
    around = etree.Element(chance.choice(["bao", f"{{{DS}}}Object", f"{{{cases.NS}}}edXML"]))
    node.getparent().replace(node, around)
    around.append(node)
    return True


def swapped(chance, root, _one):
    first, second = chance.sample([node for node in root.iter() if node is not root], 2)
    if first in second.iterancestors() or second in first.iterancestors():
        return None
    marker = etree.Element("marker")
    first.getparent().replace(first, marker)
    second.getparent().replace(second, first)
    marker.getparent().replace(marker, second)
    return True


# attributes


def attribute_changed(chance, root, _one):
    node = chance.choice([node for node in root.iter() if isinstance(node.tag, str) and node.attrib])
    name = chance.choice(list(node.attrib))
    node.set(name, chance.choice(["", "x", node.get(name) + " ", node.get(name).upper()]))
    return True


def attribute_added(chance, root, _one):
    _any(chance, root).set(
        chance.choice(["Id", "ID", "id", "moi", "{urn:x}Id"]), f"moi-{chance.randint(0, 3)}"
    )
    return True


def identifier_repeated(chance, root, _one):
    held = [node.get("Id") for node in root.iter() if isinstance(node.tag, str) and node.get("Id")]
    node = chance.choice([node for node in _outside(root) if not node.get("Id")])
    name = chance.choice(["Id", "Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id"])
    node.set(name, chance.choice(held))
    return True


# namespaces


def declared(chance, root, _one):
    """A prefix more on an element: an inclusive form shows it, an exclusive one does not."""
    node = _any(chance, root)
    made = etree.Element(
        node.tag, attrib=dict(node.attrib), nsmap={**node.nsmap, f"moi{chance.randint(0, 9)}": "urn:moi"}
    )
    made.text, made.tail = node.text, node.tail
    made.extend(list(node))
    node.getparent().replace(node, made)
    return True


def namespace_changed(chance, one):
    old = chance.choice([cases.NS, DS, "urn:mot", "urn:hai", EXCLUSIVE]).encode()
    places = one.raw.count(old)
    if not places:
        return None
    position = -1
    for _ in range(chance.randint(1, places)):
        position = one.raw.index(old, position + 1)
    return one.raw[:position] + old + b"x" + one.raw[position + len(old) :]


def prefix_changed(chance, one):
    return one.raw.replace(b"ds:", b"chuky:").replace(b"xmlns:ds=", b"xmlns:chuky=")


# white space


def spaced(chance, root, _one):
    node = _any(chance, root)
    name = chance.choice(["text", "tail"])
    setattr(node, name, (getattr(node, name) or "") + chance.choice([" ", "\n", "\t"]))
    return True


def spaced_base64(chance, root, _one):
    name = chance.choice(["DigestValue", "SignatureValue", "X509Certificate", "X509Certificate"])
    node = cases.part(root, name)
    position = chance.randrange(len(node.text))
    node.text = node.text[:position] + chance.choice([" ", "\n", "\r\n", "\t  "]) + node.text[position:]
    return True


def spaced_tags(chance, one):
    """White space that no canonical form shows: inside tags."""
    return one.raw.replace(b"<ds:Reference", b"<ds:Reference \n").replace(
        b"></", b" ></" if chance.random() < 0.3 else b"></"
    )


# other writings of the same


def written_again(chance, one):
    root = cases.parsed(one.raw)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=chance.random() < 0.5)


def canonically(_chance, one):
    return etree.tostring(cases.parsed(one.raw), method="c14n")


def with_mark(_chance, one):
    return b"\xef\xbb\xbf" + one.raw


def other_quotes(_chance, one):
    head, mark, tail = one.raw.partition(b' URI="')
    value, _, rest = tail.partition(b'"')
    return head + b" URI='" + value + b"'" + rest if mark else None


def as_references(chance, one):
    """A character written by its number."""
    places = [n for n, byte in enumerate(one.raw) if one.raw[n - 1 : n] == b">" and chr(byte).isalnum()]
    position = chance.choice(places)
    return one.raw[:position] + b"&#x%X;" % one.raw[position] + one.raw[position + 1 :]


def as_cdata(chance, one):
    texts = [b"UBND-VX", b"H13.01", b"JVBERi0x", b"JVBERi0y"]
    text = chance.choice(texts)
    return one.raw.replace(b">" + text + b"<", b"><![CDATA[" + text + b"]]><") if text in one.raw else None


def line_ends(_chance, one):
    return one.raw.replace(b"\n", b"\r\n")


# what nothing covers


def beside(chance, root, one):
    """Content changed outside what is signed, where parts are signed."""
    signed_parts = [root.find(f".//*[@Id='{name[1:]}']") for name in one.references]
    covered = {node for part in signed_parts for node in (*part.iter(), *part.iterancestors())}
    node = chance.choice([node for node in _outside(root) if node not in covered])
    node.text = (node.text or "") + chance.choice(["x", " ", "văn bản khác"])
    return True


def signature_moved(chance, root, _one):
    signature = cases.signature_of(root)
    target = chance.choice([root, signature.getparent()])
    tail, signature.tail = signature.tail, None
    target.insert(chance.randint(0, len(target)), signature)
    return not tail or None


def told_beside(chance, root, _one):
    """Something in KeyInfo, which no reference covers."""
    markup = chance.choice(
        [
            f'<KeyName xmlns="{DS}">x</KeyName>',
            f'<KeyName xmlns="{DS}">{"y" * chance.randint(1, 40)}</KeyName>',
            f'<X509Data xmlns="{DS}"><X509SubjectName>CN=ai khác</X509SubjectName></X509Data>',
            f'<KeyValue xmlns="{DS}"><RSAKeyValue><Modulus>AAAA</Modulus><Exponent>AQAB</Exponent></RSAKeyValue></KeyValue>',
        ]
    )
    put("KeyInfo", markup, chance.randint(0, 1))(root)
    return True


# signatures made anew by their signer


def _again(*changes):
    def kind(chance, one):
        root = cases.parsed(one.raw)
        try:
            chance.choice(changes)(chance, root, one)
            return cases.resigned(cases.written(root), kind=one.kind)
        except (IndexError, AttributeError, ValueError, TypeError, cases.xmlsec.Error):
            return None

    return kind


def _text_changed(chance, root, _one):
    node = chance.choice(_outside(root))
    node.text = (node.text or "") + chance.choice(["x", "Ủy ban", "&", "\r", "]]>"])


def _structure_changed(chance, root, _one):
    node = chance.choice(_outside(root))
    etree.SubElement(node, chance.choice(["them", "{urn:x}them"]), moi="1").text = "x"


def _method(chance, root, one):
    names = (
        ["rsa-sha256", "rsa-sha384", "rsa-sha512"]
        if one.kind.startswith("rsa")
        else ["ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512"]
    )
    old = [DS + "rsa-sha1"] if one.kind.startswith("rsa") else [MORE + "ecdsa-sha1"]
    uri = chance.choice([MORE + name for name in names] + (old if chance.random() < 0.3 else []))
    named("SignatureMethod", "Algorithm", uri)(root)


def _form(chance, root, _one):
    name = chance.choice([EXCLUSIVE, INCLUSIVE, EXCLUSIVE + "WithComments", INCLUSIVE + "#WithComments"])
    named("CanonicalizationMethod", "Algorithm", name)(root)


def _steps(chance, root, _one):
    node = cases.part(root, "Transform", chance.randint(0, 1))
    node.set("Algorithm", chance.choice([EXCLUSIVE, INCLUSIVE, ENVELOPED, INCLUSIVE + "#WithComments"]))


def _prefixes(chance, root, _one):
    prefix_list(
        chance.choice(["CanonicalizationMethod", "Transform"]),
        chance.choice(["a", "b ds", "#default", "khong-co"]),
    )(root)


def _comment(chance, root, _one):
    noted(chance.choice(["CodeNumber", "DigestValue", "edXMLHeader", "SignedInfo"]))(root)


def _identifier_spelt(chance, root, _one):
    held = [node.get("Id") for node in root.iter() if isinstance(node.tag, str) and node.get("Id")]
    chance.choice(_outside(root)).set(chance.choice(["ID", "id"]), chance.choice([*held, "moi"]))


def _reference_dropped(chance, root, _one):
    found = root.findall(f".//{{{DS}}}Reference")
    chosen = chance.choice(found)
    chosen.getparent().remove(chosen)


def _digest(chance, root, _one):
    found = root.findall(f".//{{{DS}}}Reference/{{{DS}}}DigestMethod")
    uri = chance.choice([MORE + "sha384", "http://www.w3.org/2001/04/xmlenc#sha512", DS + "sha1"])
    chance.choice(found).set("Algorithm", uri)


def _repeated(_chance, root, _one):
    info = cases.part(root, "SignedInfo")
    info.append(copy.deepcopy(info[2]))


def _key_info(chance, root, _one):
    twice(chance.choice(["KeyInfo", "Object"]), "Signature")(root)


def _typed(chance, root, _one):
    node = chance.choice(root.findall(f".//{{{DS}}}Reference"))
    node.set("Type", chance.choice(["http://uri.etsi.org/01903#SignedProperties", DS + "Object", ""]))


def _time(_chance, root, _one):
    worded("SigningTime", "2020-01-01T00:00:00Z")(root)


KINDS = {
    "bytes: one flipped": flipped,
    "bytes: a piece put in": pieced,
    "bytes: some cut": cut,
    "bytes: some doubled": doubled,
    "elements: moved": _tree(moved),
    "elements: copied": _tree(copied),
    "elements: removed": _tree(removed),
    "elements: renamed": _tree(renamed),
    "elements: wrapped": _tree(wrapped),
    "elements: swapped": _tree(swapped),
    "attributes: changed": _tree(attribute_changed),
    "attributes: added": _tree(attribute_added),
    "attributes: an Id repeated": _tree(identifier_repeated),
    "namespaces: declared": _tree(declared),
    "namespaces: changed": namespace_changed,
    "namespaces: prefix changed": prefix_changed,
    "white space: in text": _tree(spaced),
    "white space: in base64": _tree(spaced_base64),
    "white space: in tags": spaced_tags,
    "writing: by lxml": written_again,
    "writing: canonical": canonically,
    "writing: byte order mark": with_mark,
    "writing: quotes": other_quotes,
    "writing: numbered characters": as_references,
    "writing: CDATA": as_cdata,
    "writing: line ends": line_ends,
    "uncovered: content": _tree(beside),
    "uncovered: signature moved": _tree(signature_moved),
    "uncovered: KeyInfo": _tree(told_beside),
    "signed anew: as it was": _again(lambda *_: None),
    "signed anew: other text": _again(_text_changed),
    "signed anew: other structure": _again(_structure_changed),
    "signed anew: method": _again(_method, _digest),
    "signed anew: forms": _again(_form, _steps, _prefixes),
    "signed anew: comments": _again(_comment),
    "signed anew: Ids": _again(_identifier_spelt),
    "signed anew: references": _again(_reference_dropped, _repeated, _typed),
    "signed anew: parts of the signature": _again(_key_info, _time),
}
