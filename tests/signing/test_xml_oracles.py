"""Two independent verifiers, signxml and xmlsec, against ours: on documents that we signed and that they signed."""

import random
import re


import pytest
import signxml
import xml_cases as cases
import xml_generated
import xmlsec
from lxml import etree

from signing import keys
from signing.algorithms import DS, EXCLUSIVE, INCLUSIVE
from signing.verdict import SubIndication

ALGORITHMS = {
    "rsa2048": ("rsa-sha256", "rsa-sha384", "rsa-sha512", "pss-sha256", "pss-sha384", "pss-sha512"),
    "p256": ("ecdsa-sha256", "ecdsa-sha512"),
    "p384": ("ecdsa-sha384", "ecdsa-sha256"),
    "p521": ("ecdsa-sha512",),
}


def drawn(seed):
    """A generated document, signed by us with drawn terms."""
    chance = random.Random(seed)
    raw, identifiers = xml_generated.document(chance)
    kind = chance.choice(list(ALGORITHMS))
    parts = [f"#{one}" for one in chance.sample(identifiers, min(len(identifiers), chance.randint(1, 2)))]
    terms = {
        "references": chance.choice([("",), tuple(parts)]),
        "canonical": chance.choice(["exclusive", "inclusive"]),
        "algorithm": chance.choice(ALGORITHMS[kind]),
        "at": chance.choice([None, cases.SIGNED_AT]),
    }
    return cases.signed(raw, kind, **terms), cases.CERTIFICATES[kind], terms


def tampered(raw, covered):
    """One attribute added to the first covered element: it changes every canonical form."""
    root = cases.parsed(raw)
    target = root if covered == "" else root.find(f".//*[@Id='{covered[1:]}']")
    target.set("them", "1")
    return cases.written(root)


@pytest.mark.parametrize("seed", range(200))
def test_what_we_sign_passes_everywhere_and_tampered_nowhere(seed):
    raw, certificate, terms = drawn(seed)
    verdict = cases.only(raw)
    assert verdict.passed, verdict
    assert verdict.coverage.whole == (terms["references"] == ("",))
    assert cases.xmlsec_accepts(raw, certificate)
    # signxml forgets the xml: attributes that a part inherits in the inclusive form (C14N 1.0 §2.4).
    inherits = terms["canonical"] == "inclusive" and b"xml:" in raw
    assert inherits or cases.signxml_accepts(raw, certificate)

    bad = tampered(raw, terms["references"][0])
    assert cases.only(bad).sub_indication is SubIndication.HASH_FAILURE
    assert not cases.xmlsec_accepts(bad, certificate)
    assert not cases.signxml_accepts(bad, certificate)
