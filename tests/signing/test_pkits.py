"""PKITS of NIST, 246 paths with expected outcomes, through the production path: `trust.load`, then `judge.certificate`.

The expectations are pkits.json of pyhanko-certvalidator. A case that it lets pass and we do not stands in `STRICTER`
with the reason; none may be looser. What it holds of revocation is asked in every case: lists are always demanded.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import corpora
import pytest

from signing import crl, judge, path, policies, trust

FOLDER = corpora.path("certvalidator") / "tests" / "fixtures" / "nist_pkits"
CASES = {
    f"{number:03}-{case['id']}-{case['name']}": case
    for number, case in enumerate(json.loads((FOLDER / "pkits.json").read_text()))
}
AT = datetime(2022, 5, 1, tzinfo=UTC)

STRICTER = {
    "003-40104-valid_dsa_signatures_test4": "weak_key",  # DSA is not among our algorithms
    "004-40105-valid_dsa_parameter_inheritance_test5": "unreadable",  # nor are keys without their parameters
    "228-41430-valid_crlissuer_test30": "revocation_missing",  # the only list on who made the list is his own
}

UNREADABLE_LISTS = {
    "032-40408-invalid_unknown_crl_entry_extension_test8",
    "033-40409-invalid_unknown_crl_extension_test9",
    "034-40410-invalid_unknown_crl_extension_test10",
    "212-41414-invalid_onlycontainsattributecerts_crl_test14",
}
"""Cases of which a list is not loaded at all, so that the certificate is judged without it."""


@cache
def read(kind, name):
    return (FOLDER / kind / name).read_bytes()


def demand(params):
    acceptable = params.get("user_initial_policy_set")
    return policies.Demand(
        acceptable=frozenset(acceptable) if acceptable else None,
        explicit=params.get("initial_explicit_policy", False),
        mapping_inhibited=params.get("initial_policy_mapping_inhibit", False),
        any_inhibited=params.get("initial_any_policy_inhibit", False),
    )


def is_read(raw):
    try:
        crl.read(raw)
    except ValueError:
        return False
    return True


def judged(name):
    """How the case ends: the judgement's `why`, or `unreadable`."""
    case = CASES[name]
    lists = [read("crls", one) for one in ("TrustAnchorRootCRL.crl", *case.get("crls", ()))]
    readable = [raw for raw in lists if is_read(raw)]
    assert (len(readable) < len(lists)) == (name in UNREADABLE_LISTS)
    trusted = trust.load([read("certs", "TrustAnchorRootCertificate.crt")], readable)
    trusted = replace(trusted, demand=demand(case.get("params", {})))
    leaf, *extra = (path.readable(read("certs", one)) for one in (case["cert"], *case.get("other_certs", ())))
    if leaf is None:
        return "unreadable"
    return judge.certificate(leaf, list(filter(None, extra)), trusted, AT).why


@pytest.mark.parametrize("name", CASES)
def test_pkits(name):
    expected = "error" not in CASES[name]
    why = judged(name)
    if expected:
        assert why == STRICTER.get(name, "passed_provisionally")
    else:
        assert not why.startswith("passed")


def test_no_case_is_missing():
    assert len(CASES) == 246
    assert sum("error" in case for case in CASES.values()) == 136
    assert STRICTER.keys() | UNREADABLE_LISTS <= CASES.keys()
