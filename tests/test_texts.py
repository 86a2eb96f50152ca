"""No sentence is missing, and none says something else in the other language: codes are read out of the code itself."""

import ast
import re
import string
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

import exchange
import signing
from exchange import errors, texts
from exchange.demo import cast, letters
from exchange.rules import lifecycle, measures, paper_class, reasons, requirements, routing
from exchange.store import documents_check, periods, recount
from signing import judge, revocation, verdict, xmldsig

FOLDERS = [Path(package.__file__).parent for package in (exchange, signing)]
NOTES = {"error", "warning", "info"}

CODE_AT = {
    "Finding": {"code": None},
    "_finding": {"": 1},
    "finding": {"": 1},
    "_offence": {"": 0},
    "fault": {"": 1},
    "apart": {"": 1},
    "Unreadable": {"": 0},
    "Refused": {"code": None},
    "Problem": {"": 0},
    "Remark": {"code": None},
    "_remark": {"": 0},
    "Failure": {"why": None},
    "Outcome": {"why": None},
    "_constraint": {"": 0},
    "failed": {"": 1},
    "doubtful": {"": 1},
    "Fault": {"code": None},
    "Mistake": {"code": None},
    "Difference": {"fact": None},
    "SettingError": {"": 0},
    "DemoError": {"": 0},
    "EmbeddedError": {"": 0},
    "MigrationError": {"": 0},
    "TooComplexError": {"": 0},
}
"""Where a call names a code: by keyword, or at which place."""

PASSED_ON = {
    "Finding": {"_unreadable", "_why", "_finding", "__init__", "_add", "_offence", "_as_warning", "requirement", "of", "finding"},
    "Remark": {"_remark", "_remarks"},
    "Failure": {"failed", "doubtful", "_constraint", "_judged"},
    "TooComplexError": {"drafts"},
    "Fault": {"_strays", "check"},
    "Mistake": set(),
    "Unreadable": set(), "SettingError": set(), "DemoError": set(), "EmbeddedError": set(), "MigrationError": set(),
}  # fmt: skip
"""Functions that make one of these with a code they are given: it is collected where it is named, or from its table."""

EXCLUDED = ("secret", "test", "internal", "duplicate", "refused", "recalled", "undelivered")
"""What the schema admits in `delivery.excluded`."""


@cache
def calls(part: str = "") -> list[tuple[str, ast.Call, ast.AST]]:
    """Every call in the modules under `part`: name of what is called, the call, the function it stands in."""
    found = []
    for file in sorted(file for folder in FOLDERS for file in folder.rglob("*.py")):
        if part in file.as_posix():
            tree = ast.parse(file.read_text(encoding="utf-8"))
            found += [(name, call, within) for within in scopes(tree) for name, call in direct(within)]
    return found


def scopes(tree: ast.AST) -> Iterator[ast.AST]:
    yield tree
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def direct(scope: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """The calls of a scope that stand in no function within it."""
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", "")), node


def literals(expression: ast.AST | None, within: ast.AST) -> Iterator[str]:
    """The texts an expression may be: itself, either branch, or what its name is given in the same function."""
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        yield expression.value
    elif isinstance(expression, ast.IfExp):
        yield from literals(expression.body, within)
        yield from literals(expression.orelse, within)
    elif isinstance(expression, ast.Name):
        for node in ast.walk(within):
            if isinstance(node, ast.Assign):
                yield from (
                    one
                    for value in given(node.targets[0], node.value, expression.id)
                    for one in literals(value, ast.Pass())
                )


def given(target: ast.AST, value: ast.AST, name: str) -> Iterator[ast.AST]:
    """The values that `target = value` gives to `name`, also through a tuple and through either branch."""
    if isinstance(target, ast.Name) and target.id == name:
        yield value
    elif isinstance(target, ast.Tuple):
        for values in (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,):
            if isinstance(values, ast.Tuple):
                for one, its in zip(target.elts, values.elts, strict=True):
                    yield from given(one, its, name)


def named(*functions: str, part: str = "") -> set[str]:
    """The codes named in calls of these functions."""
    found: set[str] = set()
    for name, call, within in calls(part):
        if name in functions:
            for keyword, place in CODE_AT[name].items():
                argument = next((one.value for one in call.keywords if one.arg == keyword), None)
                if place is not None and place < len(call.args):
                    argument = call.args[place]
                found.update(literals(argument, within))
    return found - {""}


def noted() -> set[str]:
    """Codes noted while a message is read."""
    return {
        one
        for name, call, within in calls("exchange/edxml")
        if name in NOTES and call.args
        for one in literals(call.args[0], within)
    }


def sheet_codes() -> set[str]:
    """Codes of findings in sheets of the directory; some stand in tables there."""
    found = set()
    for file in FOLDERS[0].rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and str(node.value).startswith("sheet_"):
                found.add(node.value)
    return found


FINDINGS = (
    named("Finding", "_offence", "Unreadable", "fault", "apart")
    | named("_finding", part="edxml")
    | noted()
    | sheet_codes()
    | {f"requirement_{reason}" for reason in reasons.PRECEDENCE}
)
SILENT = {"advice.passed", "advice.passed_provisionally"}
"""Where nothing is to be done, nothing is advised."""

REMARKS = named("Remark", "_remark")
WHYS = (
    named("Failure", "Outcome", "_constraint", "failed", "doubtful", part="signing")
    | set(xmldsig.FAULTS)
    | set(judge.PASSED.values())
    | {why for told in revocation.TOLD.values() for _, why in told}
    | {revocation.STALE[1]}
)
LIMITS = (
    named("TooComplexError")
    | {"references", "certificates"}
    | {"bytes", "depth", "elements", "text", "marks", "namespace", "attachments"}
)
"""Budgets of signing (two stand in a table of `keep_budgets`) and of reading."""

FAULTS = (
    named("Fault")
    | set(recount.STRAYS)
    | set(periods.SUMS)
    | set(documents_check.CODES)
    | {"closed_members_differ"}
)
KEYS = sorted(
    named("SettingError", "DemoError")
    | {f"database.{key}" for key in named("EmbeddedError")}
    | {f"limit.{name}" for name in LIMITS}
    | {f"fault.{code}" for code in FAULTS}
    | {f"policy.{code}" for code in named("Mistake")}
    | {f"header_fact.{fact}" for fact in named("Difference")}
    | {f"problem.{code}" for code in errors.PROBLEMS}
    | {f"help.{code}" for code in errors.PROBLEMS}
    | {f"finding.{code}" for code in FINDINGS | REMARKS}
    | {f"remark.{code}" for code in REMARKS}
    | {f"{part}.{why}" for part in ("verdict", "advice") for why in WHYS}
    | {f"indication.{one.value}" for one in verdict.Indication}
    | {f"state.{state}" for state in lifecycle.STATES}
    | {f"class.{klass}" for klass in (*paper_class.CLASSES, "X")}
    | {f"excluded.{kind}" for kind in EXCLUDED}
    | {f"reason.{reason}" for reason in reasons.PRECEDENCE}
    | {f"requirement.{one}" for one in get_args(requirements.Requirement)}
    | {f"scope.{scope}" for scope in get_args(routing.Scope)}
    | {f"purpose.{purpose}" for purpose in routing.PURPOSES}
    | {f"measure.{name}" for name in measures.of_classes({})}
    | {f"demo_case.{case}" for case in letters.CASES}
    | {f"cli.view_{view}" for view in ("in", "out")}
)


def test_the_codes_of_the_code_are_found():
    assert {
        "missing",
        "unknown_code",
        "comment_in_value",
        "damaged_bytes",
        "not_xml",
        "main_inferred",
    } <= FINDINGS
    assert {"recipient_unknown", "recipient_disabled", "signature_wrapping", "sheet_code_taken"} <= FINDINGS
    assert {
        "placeholder_signature",
        "verification_timeout",
        "verification_too_slow",
        "not_examined",
        "unreadable_pdf",
    } <= REMARKS
    assert {"elements", "form_fields", "memory"} <= LIMITS
    assert {"bytes_differ", "tally_differs", "letters_without_bytes", "payloads_outside_partitions"} <= FAULTS
    assert {"policy.never_asked", "policy.not_some_of", "header_fact.agency"} <= set(KEYS)
    assert {"setting.listen", "demo_failure.ended", "database.in_use"} <= set(KEYS)
    assert {"passed", "digest_differs", "cms_digest", "pdf_byte_range", "unknown_root", "key_usage"} <= WHYS
    assert {"certificate_revoked", "authority_revoked", "revocation_stale", "weak_key"} <= WHYS


def test_every_case_of_the_demo_is_named_there():
    assert {draft.case for draft in cast.cast().drafts} | {"replay"} == set(letters.CASES)


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_code_has_its_sentence(language):
    sentences = texts.catalogue(language)
    assert [key for key in KEYS if key not in sentences] == []
    assert {key for key in KEYS if not sentences[key].strip()} <= SILENT


def test_every_problem_that_is_raised_is_in_the_table():
    assert {"conflict", "too_large", "unauthenticated", "busy"} <= named("Refused", "Problem")
    assert named("Refused", "Problem") <= set(errors.PROBLEMS)


def test_every_fault_of_an_xml_signature_is_in_its_table():
    """The stages of judging answer with a code; one that the table lacks would be a crash."""
    stages = {"xml_structure", "xml_targets", "xml_key", "xml_grammar", "xml_profiles", "xades"}
    returned = {
        one
        for name in stages
        for scope in scopes(ast.parse((FOLDERS[1] / f"{name}.py").read_text(encoding="utf-8")))
        for node in ast.walk(scope)
        if isinstance(node, ast.Return)
        for one in literals(node.value, scope)
    }
    codes = {one for one in returned if one.replace("_", "").isalpha() and one.islower()}
    assert {"foreign_content", "doubled_identifier", "several_certificates"} <= codes
    assert codes <= set(xmldsig.FAULTS)


def test_both_languages_say_the_same_things():
    vi, en = (texts.catalogue(language) for language in ("vi", "en"))
    assert set(vi) ^ set(en) == set()
    assert {key for key in vi if facts(vi[key]) != facts(en[key])} == set()


def facts(sentence: str) -> set[str]:
    """Names of the facts a sentence wants, as they stand between braces."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_facts_have_names():
    """A position or an attribute would let a fact choose what is shown."""
    wrong = {
        key
        for language in texts.LANGUAGES
        for key, sentence in texts.catalogue(language).items()
        if not all(name.isidentifier() for name in facts(sentence))
    }
    assert wrong == set()


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_what_is_said_literally_exists_and_gets_its_facts(language):
    said = list(literally_said())
    assert len(said) > 30
    missing = {key for key, _ in said if key not in texts.catalogue(language)}
    assert missing == set()
    assert {
        key for key, given in said if given is not None and not facts(texts.catalogue(language)[key]) <= given
    } == set()


def literally_said() -> Iterator[tuple[str, set[str] | None]]:
    """Keys in calls that say something, with the facts given there; None where they come from elsewhere."""
    for name, call, within in calls():
        if name in {"say", "fail", "refuse"} or name == "_refuse":
            place = 1 if name == "fail" else 0
            keywords = {one.arg for one in call.keywords}
            for key in literals(call.args[place] if len(call.args) > place else None, within):
                yield key, None if None in keywords else {str(one) for one in keywords}


def unnamed(calls_):
    """Where something is made with a code that cannot be read there: what, and in which function."""
    for name, call, within in calls_:
        if name in PASSED_ON:
            given_ = [one.value for one in call.keywords if one.arg in CODE_AT[name]]
            given_ += [
                call.args[at] for at in CODE_AT[name].values() if at is not None and at < len(call.args)
            ]
            if not any(True for one in given_ for _ in literals(one, within)):
                yield name, getattr(within, "name", "")


def test_codes_are_named_where_they_can_be_read():
    """A code made up at run time would have no sentence, and no test would know."""
    found = set(unnamed(calls()))
    assert {(name, function) for name, function in found if function not in PASSED_ON[name]} == set()
    planted = ast.parse("def new(code):\n    return Finding(severity='error', code=code + '_x')")
    ((name, call),) = list(direct(planted.body[0]))
    assert list(unnamed([(name, call, planted.body[0])])) == [("Finding", "new")]


ACCEPTED = {
    "": "vi",
    "vi": "vi",
    "en": "en",
    "EN-us": "en",
    "en-GB;q=0.9, vi;q=0.8": "en",
    "vi-VN,vi;q=0.9,en-US;q=0.6,en;q=0.5": "vi",
    "en-US,en;q=0.9,vi;q=0.8": "en",
    "vi;q=0.5, en;q=0.5": "vi",
    "en;q=0.1": "en",
    "fr": "vi",
    "fr, en;q=0.3": "en",
    "*": "vi",
    "en;q=0.8, *": "vi",
    "*;q=0.1, en;q=0.2": "en",
    "en;q=0": "vi",
    "vi;q=0, *": "en",
    "vi;q=0, en;q=0": "vi",
    "en;q=2": "vi",
    "en;q=nan": "vi",
    "en ; Q = 0.7 , vi ; q = 0.6": "en",
    "english": "vi",
    "en" + "-x" * 4000: "en",
    ",;,=": "vi",
}


@pytest.mark.parametrize("header", ACCEPTED, ids=lambda header: header[:40] or "none")
def test_the_language_a_client_prefers(header):
    assert texts.preferred(header) == ACCEPTED[header]


SHOWN = {
    "Ủy ban 😀 ❤️ x\u00a0y": "Ủy ban 😀 ❤️ x\u00a0y",
    unicodedata.normalize("NFD", "Ủy ban nhân dân"): "Ủy ban nhân dân",
    "\x1b[31m": "\\x1b[31m",
    "\x9b2J\x85\x7f\x00": "\\x9b2J\\x85\\x7f\\x00",
    "a\r\n\tb": "a\\x0d\\x0a\\x09b",
    "\u202e\u2066\u200b\u200d\ufeff": "\\u202e\\u2066\\u200b\\u200d\\ufeff",
    "\u2028\u2029": "\\u2028\\u2029",
    "\ud800": "\\ud800",
    "\U000e0041": "\\U0e0041",
    "\U0010ffff": "\\U10ffff",
    "\u0378\ue000": "\\u0378\\ue000",
    "\u3164\U000e0100\u034f": "\\u3164\\U0e0100\\u034f",
    "\xad": "\\xad",
}


@pytest.mark.parametrize("foreign", SHOWN, ids=ascii)
def test_foreign_text_is_made_visible(foreign):
    assert texts.clean(foreign) == SHOWN[foreign]
    assert texts.clean(texts.clean(foreign)) == SHOWN[foreign]


def test_every_character_of_category_c_is_made_visible():
    every = [chr(number) for number in range(0x110000)]
    harmful = [
        one
        for one in every
        if unicodedata.category(one)[0] == "C" or unicodedata.category(one) in {"Zl", "Zp"}
    ]
    assert not [one for one in harmful if texts.harmless(one)]
    assert len(texts.clean("".join(harmful))) > 4 * len(harmful)


def test_sentences_are_plain():
    """What a reader of many sentences notices: a notice called "thông báo", English left over, doubled spaces."""
    vi, en = (texts.catalogue(language) for language in texts.LANGUAGES)
    faults = {}
    for key, sentence in (*vi.items(), *en.items()):
        if sentence != unicodedata.normalize("NFC", sentence) or texts.clean(
            sentence.replace("\n", "")
        ) != sentence.replace("\n", ""):
            faults[key] = "characters"
        if re.search(r"\S  +\S| [.,;:](\s|$)", sentence):
            faults[key] = "spaces"
    faults |= {key: "thông báo" for key, sentence in vi.items() if "thông báo" in sentence.lower()}
    faults |= {
        key: "the same" for key in vi if vi[key] == en[key] and re.search("[a-z]{3}", facts_out(vi[key]))
    }
    faults |= {
        key: "no full stop"
        for key in vi
        if key.startswith(("help.", "finding.")) and vi[key][-1:] not in ".…:"
    }
    assert faults == {}


def facts_out(sentence: str) -> str:
    return re.sub(r"\{\w+\}", "", sentence)
