"""Two independent verifiers, signxml and xmlsec, against ours: 200 documents that we signed and that they signed."""

import random

import pytest
import signxml
import xml_cases as cases
import xml_generated
import xmlsec
from lxml import etree

from signing import keys
from signing.algorithms import DS, EXCLUSIVE
from signing.verdict import SubIndication

ALGORITHMS = {
    "rsa2048": ("rsa-sha256", "rsa-sha384", "rsa-sha512", "pss-sha256", "pss-sha384", "pss-sha512"),
    "p256": ("ecdsa-sha256", "ecdsa-sha512"),
    "p384": ("ecdsa-sha384", "ecdsa-sha256"),
    "p521": ("ecdsa-sha512",),
}


def drawn(seed):
    chance = random.Random(seed)
    raw, identifiers = xml_generated.document(chance)
    parts = chance.sample(identifiers, min(len(identifiers), chance.randint(1, 2)))
    return chance, raw, [f"#{one}" for one in parts]


def tampered(raw, covered):
    """One attribute more on a covered element, and one letter more in its text: each changes every canonical form."""
    for change in (
        lambda node: node.set("them", "1"),
        lambda node: setattr(node, "text", f"{node.text or ''}x"),
    ):
        root = cases.parsed(raw)
        change(root if covered == "" else root.find(f".//*[@Id='{covered[1:]}']"))
        yield cases.written(root)


@pytest.mark.parametrize("seed", range(120))
def test_what_we_sign_passes_everywhere_and_tampered_nowhere(seed):
    chance, raw, parts = drawn(seed)
    kind = chance.choice(list(ALGORITHMS))
    references, form = chance.choice([[""], parts]), chance.choice(["exclusive", "inclusive"])
    algorithm, at = chance.choice(ALGORITHMS[kind]), chance.choice([None, cases.SIGNED_AT])
    signed = cases.signed(raw, kind, references=references, canonical=form, algorithm=algorithm, at=at)
    certificate = cases.CERTIFICATES[kind]

    verdict = cases.only(signed)
    assert verdict.passed, verdict
    assert verdict.coverage.whole == (references == [""])
    assert verdict.signed_at_claimed == at
    assert cases.xmlsec_accepts(signed, certificate)
    # In the inclusive form signxml lets lxml lose inherited xml: attributes and add xmlns="", in SignedInfo too.
    assert form == "inclusive" or cases.signxml_accepts(signed, certificate) in {True, None}

    for bad in tampered(signed, references[0]):
        assert cases.only(bad).sub_indication is SubIndication.HASH_FAILURE
        assert not cases.xmlsec_accepts(bad, certificate)
        assert not cases.signxml_accepts(bad, certificate)


def template(chance, root, references):
    """An empty signature for xmlsec to fill, at a drawn place, with drawn forms and prefix lists."""
    ds, form = (
        xmlsec.template,
        chance.choice([xmlsec.constants.TransformExclC14N, xmlsec.constants.TransformInclC14N]),
    )
    node = ds.create(root, form, xmlsec.constants.TransformEcdsaSha256, ns=chance.choice(["ds", None]))
    root.insert(chance.randint(0, len(root)), node)
    for uri in references:
        reference = ds.add_reference(node, xmlsec.constants.TransformSha256, uri=uri)
        if uri == "":
            ds.add_transform(reference, xmlsec.constants.TransformEnveloped)
        if chance.random() < 0.5:
            exclusive = ds.add_transform(reference, xmlsec.constants.TransformExclC14N)
            ds.transform_add_c14n_inclusive_namespaces(
                exclusive, chance.sample(["a", "b", "unused", "no"], 2)
            )
    ds.x509_data_add_certificate(ds.add_x509_data(ds.ensure_key_info(node)))
    return node


@pytest.mark.parametrize("seed", range(1000, 1040))
def test_what_xmlsec_signs_passes_with_us_and_tampered_does_not(seed):
    chance, raw, parts = drawn(seed)
    references = chance.choice([[""], parts])
    root = cases.parsed(raw)
    node = template(chance, root, references)
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(
        keys.private_pem(cases.KEYS["p256"]), xmlsec.constants.KeyDataFormatPem
    )
    pem = keys_pem(cases.CERTIFICATES["p256"])
    context.key.load_cert_from_memory(pem, xmlsec.constants.KeyDataFormatPem)
    context.sign(node)
    signed = cases.written(root)
    assert cases.only(signed).passed
    for bad in tampered(signed, references[0]):
        assert cases.only(bad).sub_indication is SubIndication.HASH_FAILURE


def keys_pem(certificate):
    return certificate.public_bytes(cases.Encoding.PEM)


@pytest.mark.parametrize("seed", range(2000, 2040))
def test_what_signxml_signs_passes_with_us_and_tampered_does_not(seed):
    chance, raw, _ = drawn(seed)
    kind = chance.choice(["rsa2048", "p256"])
    method = "ECDSA_SHA256" if kind == "p256" else chance.choice(["RSA_SHA256", "SHA512_RSA_MGF1"])
    signer = signxml.XMLSigner(signature_algorithm=signxml.SignatureMethod[method], c14n_algorithm=EXCLUSIVE)
    root = signer.sign(
        cases.parsed(raw),
        key=keys.private_pem(cases.KEYS[kind]),
        cert=[cases.CERTIFICATES[kind]],
        always_add_key_value=chance.random() < 0.5,
    )
    signed = cases.written(root)
    assert cases.only(signed).passed
    for bad in tampered(signed, ""):
        assert cases.only(bad).sub_indication is SubIndication.HASH_FAILURE


def test_names_with_vietnamese_letters_and_a_default_namespace_below_the_signature():
    raw = '<edXML xmlns="urn:q" xml:lang="vi"><đoạn Id="x"><mục xmlns=""/><Ừ/></đoạn></edXML>'.encode()
    signed = cases.signed(raw, references=["#x"], canonical="inclusive")
    unprefixed = signed.replace(b"ds:", b"").replace(b"xmlns:ds=", b"xmlns=")
    assert cases.only(signed).passed
    assert cases.xmlsec_accepts(signed, cases.CERTIFICATES["p256"])
    again = cases.resigned(unprefixed)
    assert etree.QName(cases.part(cases.parsed(again), "Signature")).namespace == DS
    assert cases.only(again).passed
