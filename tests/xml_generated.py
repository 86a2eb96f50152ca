"""Documents by a seeded random source: namespaces declared, undeclared and redeclared at every depth, `xml:` attributes
to inherit, white space, entities, carriage returns, CDATA, long texts, Vietnamese, characters that marks are made of."""

TEXTS = (
    "", " ", "\n  ", "Ủy ban nhân dân phường", "a &amp; b &lt; c &gt; d", "dòng&#13;\n mới", "&#9;&#10;&#xE000;",
    "\ue0000000000000t0\ue000", "\ue0000000000001.", "<![CDATA[ <x> & ]]>", "e\u0301 \U0001f4e8 ]]&gt;", "\r\n\r", "&#xE000;0000000000b0\ue000",
)  # fmt: skip
VALUES = ("", "x", "giá trị", "&quot;&amp;&lt;&#9;&#10;&#13;", "  a  b ", "'", "\n", "\ue0000000000000")
PREFIXES = ("", "a", "b", "edXML")
URIS = ("urn:mot", "urn:hai", "http://www.mic.gov.vn/TBT/QCVN_102_2016", "urn:ba?x=1&amp;y=2")
NAMES = ("Muc", "Phan", "To", "x-1")
XML_ATTRIBUTES = (' xml:lang="vi"', ' xml:space="preserve"', ' xml:base="http://x.example/a"', ' xml:foo="ừ"')


def document(chance):
    """One document as bytes, and the values of its `Id` attributes outside the header."""
    identifiers = []
    body = "".join(element(chance, {}, 0, identifiers) for _ in range(chance.randint(1, 4)))
    around = 'xmlns:a="urn:mot" xmlns:unused="urn:khong-dung"'
    if chance.random() < 0.5:
        around += chance.choice(XML_ATTRIBUTES)
    default = f' xmlns="{URIS[2]}"' if chance.random() < 0.5 else ""
    header = f"<edXMLHeader>{text(chance)}<Phan>{text(chance)}</Phan>{text(chance)}</edXMLHeader>"
    return f"<edXML{default} {around}>{header}{text(chance)}{body}</edXML>".encode(), identifiers


def element(chance, scope, depth, identifiers):
    scope, declared = {**scope}, ""
    if depth == 0:
        scope["a"] = URIS[0]
    for prefix in chance.sample(PREFIXES, chance.choice((0, 0, 1, 2))):
        uri = chance.choice(URIS if prefix else (*URIS, ""))
        scope[prefix] = uri
        declared += f' xmlns{":" if prefix else ""}{prefix}="{uri}"'
    name = qualified(chance, scope)
    attributes = declared + plain_attributes(chance, scope)
    if depth == 0 or chance.random() < 0.3:
        identifiers.append(f"phan-{len(identifiers)}")
        attributes += f' Id="{identifiers[-1]}"'
        # Signed parts have names of their own: the same name at another place would count as wrapping.
        name += str(len(identifiers))
    inner = "".join(content(chance, scope, depth, identifiers) for _ in range(chance.randint(0, 4)))
    return f"<{name}{attributes}>{inner}</{name}>"


def qualified(chance, scope):
    prefix = chance.choice([prefix for prefix in scope if prefix] + [""])
    return f"{prefix}:{chance.choice(NAMES)}" if prefix else chance.choice(NAMES)


def plain_attributes(chance, scope):
    """Attributes by local names that cannot clash, some with a prefix, some in the `xml` namespace."""
    drawn = ""
    for number in range(chance.choice((0, 0, 1, 2, 3))):
        prefix = chance.choice([f"{prefix}:" for prefix in scope if prefix] + ["", ""])
        drawn += f' {prefix}n{chance.randint(0, 9)}-{number}="{chance.choice(VALUES)}"'
    return drawn + (chance.choice(XML_ATTRIBUTES) if chance.random() < 0.25 else "")


def content(chance, scope, depth, identifiers):
    if depth < 4 and chance.random() < 0.5:
        return element(chance, scope, depth + 1, identifiers)
    return text(chance)


def text(chance):
    drawn = chance.choice(TEXTS)
    return drawn * 700 + "JVBERi0x\n" * 500 if chance.random() < 0.1 else drawn
