"""Every code that the rules can say has its sentence in both languages."""

import re
from pathlib import Path

import pytest

import exchange.rules
from exchange import texts
from exchange.rules import lifecycle, measures, paper_class, reasons, routing

FOLDER = Path(exchange.rules.__file__).parent
MODULES = ("admission", "cautions")
REMARKS = ("placeholder_signature", "foreign_namespace", "empty_signature")


def _codes():
    """The codes written in the modules that make findings."""
    for module in MODULES:
        text = (FOLDER / f"{module}.py").read_text(encoding="utf-8")
        yield from re.findall(r'Finding\([^)]*code="(\w+)"', text)
        yield from re.findall(r'_offence\("(\w+)"', text)


KEYS = [
    *(f"class.{klass}" for klass in (*paper_class.CLASSES, "X")),
    *(f"requirement.{one}" for one in ("met", "not_met", "undetermined")),
    *(f"reason.{reason}" for reason in reasons.PRECEDENCE),
    *(f"finding.requirement_{reason}" for reason in reasons.PRECEDENCE),
    *(f"finding.{code}" for code in (*_codes(), *REMARKS, "recipient_unknown", "recipient_disabled")),
    *(f"state.{state}" for state in lifecycle.STATES),
    *(f"measure.{name}" for name in measures.of_classes({})),
    *(f"purpose.{purpose}" for purpose in routing.PURPOSES),
    *(f"scope.{scope}" for scope in ("internal", "same_root", "other_root", "outside_state")),
    *(f"missing.{part}.{whose}" for part in ("main", "annex") for whose in ("organisation", "individual")),
    *(f"grade.{grade}" for grade in "ABC"),
    "missing.document",
]


def test_the_codes_of_the_modules_are_found():
    assert {"main_inferred", "annex_broken", "package_broken_by_axis", "signature_wrapping"} <= set(_codes())


@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize("key", KEYS)
def test_every_code_has_its_sentence(key, language):
    facts = {"name": "tệp.pdf", "code": "H13", "signer": "Sở", "number": "12/UBND-VX", "purpose": "act",
             "successor": "H14", "since": "01/07/2026"}  # fmt: skip
    assert texts.say(key, language, **facts, fact="Số", said="12", written="13").strip()
