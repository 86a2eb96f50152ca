"""Our verifier against signxml and xmlsec on mutants: `python tests/xml_campaign.py COUNT SEED` prints what came out.

Whatever we accept, both must accept; `EXCEPTIONS` are the reasons for which one of them may refuse what we take.
"""

import itertools
import json
import random
import sys
import warnings
from collections import Counter
from dataclasses import dataclass, field

import xml_cases as cases
import xml_mutants

from signing import xml_document
from signing.verdict import TooComplexError

EXCEPTIONS = {
    "signxml reads a part again with the text behind it": lambda _one, _raw, found: found["signxml"] is None,
    "lxml loses or adds namespaces and xml: attributes of a part in the inclusive form, in signxml": lambda one, raw, found: (
        found["signxml"] is False and found["xmlsec"] and (not one.exclusive or b"REC-xml-c14n" in raw)
    ),
    "signxml does not read a PrefixList": lambda _one, raw, found: (
        found["signxml"] is False and found["xmlsec"] and b"PrefixList=" in raw
    ),
}
"""Reason -> whether it explains that somebody refused what we accepted."""


@dataclass(kw_only=True)
class Told:
    """What came out of a campaign; `looser` are the mutants that we alone accept."""

    made: Counter = field(default_factory=Counter)
    ours: Counter = field(default_factory=Counter)
    digest_holds: Counter = field(default_factory=Counter)
    all_accept: int = 0
    excepted: Counter = field(default_factory=Counter)
    looser: list = field(default_factory=list)


def we_accept(raw):
    """Whether every signature of the message passes, and there is one."""
    try:
        report = cases.judged(raw)
    except (xml_document.UnreadableXmlError, TooComplexError):
        return False
    placeholders = any(remark.code == "placeholder_signature" for remark in report.remarks)
    return bool(report.verdicts) and not placeholders and all(one.passed for one in report.verdicts)


def others(raw, certificate):
    """What the two others say; None of signxml: it cannot read a part again."""
    try:
        root = cases.parsed(raw)
        cases.signature_of(root)
    except (cases.etree.XMLSyntaxError, IndexError):
        return {"xmlsec": False, "signxml": False}
    try:
        signxml_says = cases.signxml_accepts(raw, certificate)
    except (TypeError, KeyError, AttributeError, IndexError, cases.etree.LxmlError):
        signxml_says = False
    try:
        xmlsec_says = cases.xmlsec_accepts(raw, certificate)
    except (ValueError, TypeError):
        xmlsec_says = False
    return {"xmlsec": xmlsec_says, "signxml": signxml_says}


def run(count, seed, kinds=None):
    """A campaign of `count` mutants, the kinds in turn, the same for the same seed but for keys and values."""
    told, chosen = Told(), itertools.cycle(kinds or xml_mutants.KINDS)
    chance = random.Random(seed)
    while sum(told.made.values()) < count:
        one, name = xml_mutants.good(chance), next(chosen)
        raw = xml_mutants.KINDS[name](chance, one)
        if raw is not None:
            _tell(told, name, one, raw)
    return told


def _tell(told, name, one, raw):
    told.made[name] += 1
    ours, found = we_accept(raw), others(raw, cases.CERTIFICATES[one.kind])
    told.ours[name] += ours
    told.digest_holds[name] += bool(found["xmlsec"])
    told.all_accept += bool(ours and found["xmlsec"] and found["signxml"])
    if ours and not (found["xmlsec"] and found["signxml"]):
        why = next((why for why, holds in EXCEPTIONS.items() if holds(one, raw, found)), None)
        if why:
            told.excepted[why] += 1
        else:
            told.looser.append((name, one.profile, found, raw.decode("utf-8", "replace")))


def lines(told):
    """The figures for people, a line for each kind."""
    for name, made in sorted(told.made.items()):
        yield f"{name:36} {made:5} made, {told.digest_holds[name]:5} with digests that hold, {told.ours[name]:5} accepted by us"
    total = sum(told.made.values())
    holds = sum(told.digest_holds.values())
    yield f"{total} mutants, {100 * holds // total} % with digests that hold, {told.all_accept} accepted by all three"
    for why, times in told.excepted.items():
        yield f"excepted {times}: {why}"
    yield f"{len(told.looser)} accepted by us alone"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    outcome = run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or None)
    sys.stderr.write("\n".join(lines(outcome)) + "\n")
    sys.stdout.write(json.dumps([len(outcome.looser), outcome.all_accept, outcome.looser[:5]]))
