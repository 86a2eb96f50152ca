"""What `congvan verify` found out, as JSON: the contract's verdicts, with the names of ETSI EN 319 102-1."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exchange import texts
from exchange.broker import offline
from exchange.edxml import view
from exchange.rules import directory, requirements
from exchange.rules.signers import Signer
from signing.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class Answer:
    """All that was asked and found out about one file; `signers` stand in the order of the verdicts.

    `directory` is None when none was given: then nobody knows whose a signature is. `judgement` of letters only.
    """

    file: str
    at: datetime
    looked: offline.Looked
    signers: tuple[Signer, ...]
    judgement: requirements.Judgement | None
    directory: directory.Directory | None
    asks_policy: bool

    @property
    def passed(self) -> bool:
        """Whether there is a real signature, and all of them are TOTAL_PASSED."""
        verdicts = self.looked.report.verdicts
        return bool(verdicts) and all(one.passed for one in verdicts)

    @property
    def good(self) -> bool:
        """The answer to what was asked."""
        if self.asks_policy and self.judgement is not None:
            return self.judgement.requirement == "met"
        return self.passed

    @property
    def pairs(self) -> Iterator[tuple[Verdict, Signer]]:
        """Every signature with its signer."""
        return zip(self.looked.report.verdicts, self.signers, strict=True)

    def is_main(self, verdict: Verdict, signer: Signer) -> bool:
        """Whether a signature stands in the main document; a file by itself is its own."""
        if self.judgement is None:
            return not verdict.carrier or verdict.carrier != verdict.where
        return signer.place == "main"


def facts(answer: Answer, language: str) -> dict[str, Any]:
    """One JSON object."""
    asked = answer.judgement if answer.asks_policy else None
    return {
        "file": answer.file,
        "form": answer.looked.form,
        "at": answer.at.isoformat(),
        "passed": answer.passed,
        "signatures": [_signature(answer, verdict, signer, language) for verdict, signer in answer.pairs],
        "requirement": asked.requirement if asked else None,
        "reason": asked.reason if asked else None,
        "missing": list(asked.missing) if asked else [],
        "main": asked.main if asked else None,
        "warnings": [view.finding(one, language) for one in asked.warnings] if asked else [],
        "findings": [
            {
                "severity": one.severity,
                "code": one.code,
                "where": one.where,
                "text": texts.say(f"remark.{one.code}", language),
            }
            for one in answer.looked.report.remarks
        ],
    }


def _signature(answer: Answer, one: Verdict, signer: Signer, language: str) -> dict[str, Any]:
    return {
        "where": one.where,
        "carrier": one.carrier or None,
        "main": answer.is_main(one, signer),
        "format": one.format,
        "indication": one.indication.value,
        "sub_indication": one.sub_indication.value if one.sub_indication else None,
        "signer": {
            "kind": signer.kind,
            "name": signer.name,
            "agency": _code(answer, signer),
            "officer": str(signer.officer) if signer.officer else None,
        },
        "certificate_sha256": one.certificate_sha256 or None,
        "signed_at_claimed": one.signed_at_claimed.isoformat() if one.signed_at_claimed else None,
        "best_signature_time": one.best_signature_time.isoformat(),
        "time_source": one.time_source,
        "coverage": {"whole": one.coverage.whole, "detail": one.coverage.detail},
        "provisional": one.provisional,
        "changes_after": list(one.changes_after),
        "why": texts.say(f"verdict.{one.why}", language),
        "advice": texts.say(f"advice.{one.why}", language),
    }


def _code(answer: Answer, signer: Signer) -> str | None:
    if answer.directory is None or signer.agency is None:
        return None
    return answer.directory.agencies[signer.agency].code
