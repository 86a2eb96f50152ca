"""Changes to a message's tree, as values: each gives back a function that does it to a root (`xml_cases.changed`)."""

import base64
import copy

import xml_cases as cases
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from signing import keys
from signing.algorithms import DS, EXCLUSIVE


def named(name, attribute, value, number=0):
    """A change that sets an attribute of a part, or takes it away with None."""

    def change(root):
        node = cases.part(root, name, number)
        if value is None:
            del node.attrib[attribute]
        else:
            node.set(attribute, value)

    return change


def worded(name, value, number=0):
    return lambda root: setattr(cases.part(root, name, number), "text", value)


def put(parent, markup, at=0):
    return lambda root: cases.part(root, parent).insert(at, etree.fromstring(markup))


def noted(parent, at=0):
    return lambda root: cases.part(root, parent).insert(at, etree.Comment("x"))


def dropped(name, number=0):
    def change(root):
        node = cases.part(root, name, number)
        node.getparent().remove(node)

    return change


def steps(*algorithms_, number=0):
    """A change of a reference's transforms."""

    def change(root):
        holder = cases.part(root, "Transforms", number)
        for child in list(holder):
            holder.remove(child)
        for algorithm in algorithms_:
            etree.SubElement(holder, f"{{{DS}}}Transform", Algorithm=algorithm)

    return change


def with_certificate(certificate, *, beside=False):
    def change(root):
        node = cases.part(root, "X509Certificate")
        encoded = base64.b64encode(keys.der(certificate)).decode()
        if beside:
            etree.SubElement(node.getparent(), node.tag).text = encoded
        else:
            node.text = encoded

    return change


def with_key_value(key):
    numbers = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    markup = (
        f'<KeyValue xmlns="{DS}"><e:ECKeyValue xmlns:e="http://www.w3.org/2009/xmldsig11#">'
        f'<e:NamedCurve URI="urn:oid:1.2.840.10045.3.1.7"/>'
        f"<e:PublicKey>{base64.b64encode(numbers).decode()}</e:PublicKey></e:ECKeyValue></KeyValue>"
    )
    return put("KeyInfo", markup)


def with_rsa_key_value(key, exponent=None):
    numbers = key.public_key().public_numbers()
    modulus = base64.b64encode(numbers.n.to_bytes(256, "big")).decode()
    power = base64.b64encode((exponent or numbers.e).to_bytes(3, "big").lstrip(b"\0")).decode()
    markup = (
        f'<KeyValue xmlns="{DS}"><RSAKeyValue><Modulus>{modulus}</Modulus>'
        f"<Exponent>{power}</Exponent></RSAKeyValue></KeyValue>"
    )
    return put("KeyInfo", markup)


def twice(name, parent):
    """One more copy of a part, put first into its parent."""
    return lambda root: cases.part(root, parent).insert(0, copy.deepcopy(cases.part(root, name)))


def respelt(name, value):
    """An `Id` written `ID`."""

    def change(root):
        node = cases.part(root, name)
        del node.attrib["Id"]
        node.set("ID", value)

    return change


def prefix_list(name, prefixes, number=0):
    markup = f'<InclusiveNamespaces xmlns="{EXCLUSIVE}" PrefixList="{prefixes}"/>'
    return lambda root: cases.part(root, name, number).append(etree.fromstring(markup))
