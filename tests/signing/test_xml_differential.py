"""Mutants of signed messages: what we accept, signxml and xmlsec accept; and the campaign finds a verifier that is broken."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import xml_campaign
import xml_mutants

TESTS = Path(xml_campaign.__file__).parent
SIGNING = Path(xml_campaign.xml_document.__file__).parent
ALL, SHORT = 6_000, 330

# A fault planted in a copy of the verifier: where, what is taken away, and what stands there then.
PLANTED = {
    "the digest is not compared": (
        "xml_stages.py",
        "if digest != reference.digest:",
        "if not digest:",
        ["elements: removed", "elements: moved", "white space: in text", "bytes: one flipped"],
    ),
    "an Id may stand twice": (
        "xml_targets.py",
        "if document.identifiers.doubled and",
        "if False and",
        ["attributes: an Id repeated", "elements: copied"],
    ),
    "the value is not compared": (
        "xml_key.py",
        "if algorithms.signature_is_valid(signature.method, key, signature.value, signed)",
        "if signature.value and signed",
        ["attributes: changed", "white space: in text", "bytes: one flipped"],
    ),
}


def judge(told, count):
    print("\n".join(xml_campaign.lines(told)))
    assert sum(told.made.values()) == count
    assert told.looser == []
    assert sum(told.digest_holds.values()) >= 0.3 * count
    assert len(told.made) == len(xml_mutants.KINDS)


def test_what_we_accept_the_others_accept():
    told = xml_campaign.run(SHORT, 3)
    judge(told, SHORT)
    assert told.all_accept >= 80


@pytest.mark.long
@pytest.mark.timeout(600)
def test_what_we_accept_the_others_accept_in_thousands():
    told = xml_campaign.run(ALL, 7)
    judge(told, ALL)
    assert told.all_accept >= 500


@pytest.mark.parametrize("name", PLANTED)
def test_the_campaign_finds_a_planted_fault(name, tmp_path):
    module, old, new, kinds = PLANTED[name]
    shutil.copytree(SIGNING, tmp_path / "signing", ignore=shutil.ignore_patterns("__pycache__"))
    source = (tmp_path / "signing" / module).read_text(encoding="utf-8")
    assert source.count(old) == 1
    (tmp_path / "signing" / module).write_text(source.replace(old, new), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{TESTS}"}
    command = [sys.executable, str(TESTS / "xml_campaign.py"), "120", "5", *kinds]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    looser, accepted, _ = json.loads(ran.stdout)
    assert looser > 0
    assert accepted > 0
