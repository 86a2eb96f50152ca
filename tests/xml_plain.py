"""XML signatures read plainly, element by element and with nothing remembered: what `signing.xml_structure` must tell too."""

import hashlib

from signing import algorithms, canonical, xades, xml_grammar, xml_key_info, xml_rules, xml_text
from signing.algorithms import DS, ENVELOPED
from signing.canonical import INCLUSIVE

LIMITS = (
    ("Reference", xml_rules.REFERENCES, "references"),
    ("X509Certificate", xml_rules.CERTIFICATES, "certificates"),
)


def told(element):
    """What is to be told of one signature: a limit, a placeholder, a fault, or everything that was read."""
    limit = _limit(element)
    if limit:
        return "limit", limit
    if _is_placeholder(element):
        return ("placeholder",)
    fault = _algorithm_fault(element) or _grammar_fault(element)
    return ("fault", fault) if fault else _read(element)


def _limit(element):
    for name, most, limit in LIMITS:
        if len(list(element.iter(f"{{{DS}}}{name}"))) > most:
            return limit
    holders = element.iter(f"{{{DS}}}Transforms")
    return "transforms" if any(len(holder) > xml_rules.TRANSFORMS for holder in holders) else None


def _is_placeholder(element):
    node = _first(element, "SignatureValue")
    if node is None:
        return False
    value = xml_text.squeezed(node)
    if (
        xml_text.decode(value) is None
        or hashlib.sha256(value.encode()).hexdigest() in algorithms.PLACEHOLDER_VALUES
    ):
        return True
    texts = [
        xml_text.squeezed(one)
        for info in element.iterchildren(f"{{{DS}}}KeyInfo")
        for data in info.iterchildren(f"{{{DS}}}X509Data")
        for one in data.iterchildren(f"{{{DS}}}X509Certificate")
    ]
    stubs = not algorithms.PLACEHOLDER_CERTIFICATES.isdisjoint(texts)
    return stubs or (bool(texts) and not any(map(xml_key_info.readable, texts)))


def _algorithm_fault(element):
    info = _first(element, "SignedInfo")
    for node in () if info is None else info.iter():
        if node.tag in xml_rules.NAMING:
            table, why = xml_rules.NAMING[node.tag]
            if node.get("Algorithm") not in table:
                return why
    return None


def _grammar_fault(element):
    nodes = list(element.iter())
    seen = xml_grammar.see(nodes)
    return xml_grammar.judged(seen.shape, xml_rules.GRAMMAR, "Signature")


def _read(element):
    info, value = element[0], xml_text.decode(xml_text.squeezed(element[1]))
    key_info, properties = _key_info(element), xades.read(element)
    form = canonical.named_form(info[0])
    references = [_reference(node) for node in info.iterchildren(f"{{{DS}}}Reference")]
    faults = [one for one in (form, *references, properties) if isinstance(one, str)]
    if faults or value is None or None in key_info["certificates"]:
        return "fault", faults[0] if faults else "malformed_signature"
    return {
        "form": form,
        "method": algorithms.METHODS[info[1].get("Algorithm")],
        "references": references,
        "value": value,
        "objects": list(_objects(element)),
        "properties": properties is not None,
        "nested": len(list(element.iter(f"{{{DS}}}Signature"))) > 1,
        "foreign": {name for node in element.iter("{*}*") if (name := _name(node))[0] != DS},
        **key_info,
    }


def _reference(node):
    steps = list(node[0]) if len(node) > len(("DigestMethod", "DigestValue")) else []
    enveloped = bool(steps) and steps[0].get("Algorithm") == ENVELOPED
    rest = steps[1:] if enveloped else steps
    if any(step.get("Algorithm") == ENVELOPED for step in rest) or (enveloped and len(steps[0])):
        return "enveloped_misplaced"
    if len(rest) > 1:
        return "transform_not_allowed"
    form = canonical.named_form(rest[0]) if rest else INCLUSIVE
    digest = xml_text.decode(xml_text.squeezed(node[-1]))
    if isinstance(form, str) or digest is None:
        return form if isinstance(form, str) else "malformed_signature"
    name = algorithms.DIGESTS[node[-2].get("Algorithm")]
    return node.get("URI"), node.get("Type", ""), node.get("Id", ""), enveloped, form, name, digest


def _key_info(element):
    info = _first(element, "KeyInfo")
    data = [] if info is None else [node for one in info.iterchildren(f"{{{DS}}}X509Data") for node in one]

    def texts(name):
        return [xml_text.squeezed(node) for node in data if node.tag == f"{{{DS}}}{name}"]

    return {
        "certificates": list(dict.fromkeys(map(xml_key_info.readable, texts("X509Certificate")))),
        "names": [node.text or "" for node in data if node.tag == f"{{{DS}}}X509SubjectName"],
        "numbers": [
            (node[0].text or "", (node[1].text or "").strip())
            for node in data
            if node.tag == f"{{{DS}}}X509IssuerSerial"
        ],
        "identifiers": list(map(xml_text.decode, texts("X509SKI"))),
        "lists": [found for found in map(xml_text.decode, texts("X509CRL")) if found],
        "key_values": [] if info is None else list(info.iterchildren(f"{{{DS}}}KeyValue")),
    }


def _objects(element):
    for holder in element.iterchildren(f"{{{DS}}}Object"):
        texts = (holder.text, *(child.tail for child in holder))
        if "".join(filter(None, texts)).strip(xml_grammar.XML_SPACE):
            yield "#other"
        for child in holder:
            values = (value for named in child for value in named)
            deep = child.tag == f"{{{DS}}}SignatureProperties" and any(len(value) for value in values)
            yield "#other" if deep else child.tag


def _name(node):
    namespace, _, name = node.tag.rpartition("}")
    return namespace[1:], name


def _first(element, name):
    return next(element.iterchildren(f"{{{DS}}}{name}"), None)
