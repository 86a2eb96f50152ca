"""What a letter's signatures must be, as data (chính sách chữ ký): asked by copy form, kind of document and day.

The policy in force is a file: `policy.toml` beside this module, Decree 30/2020/NĐ-CP as it stands, or the one that a
deployment gives (`policy_file` reads both). The day is that of acceptance, which we know: the day in a header is
whatever its sender writes, and would let a letter choose the rules it is judged by.
"""

from datetime import date
from importlib.resources import files

from exchange.rules import document_types, policy_file
from exchange.rules.policy_terms import ANY, Capacity, CopyForm, Policy, Rule, Wanted

__all__ = ["ANY", "DEFAULT", "Capacity", "CopyForm", "Policy", "Rule", "Wanted", "wanted"]

DEFAULT = policy_file.read(files("exchange.rules").joinpath("policy.toml").read_bytes())
"""Decree 30/2020/NĐ-CP: an original needs the competent person's and the agency's signature, a copy the agency's."""

_BOTH: tuple[Capacity, ...] = ("organisation", "individual")


def wanted(policy: Policy, copy_form: str, document_type: str, on: date) -> Wanted:
    """What a letter accepted on that day must be signed with. A policy without a matching rule demands both."""
    kind = document_types.fold(document_type)
    return _of(policy, next((one for one in policy.rules if _fits(one, copy_form, kind, on)), None))


def _fits(rule: Rule, copy_form: str, kind: str, on: date) -> bool:
    return (
        rule.copy_form in (ANY, copy_form)
        and document_types.fold(rule.document_type) in (ANY, kind)
        and rule.holds(on)
    )


def _of(policy: Policy, rule: Rule | None) -> Wanted:
    """A rule's own words, and the whole policy's where it has none."""
    own = rule or Rule(copy_form=ANY, document_type=ANY, demands=_BOTH, basis="")
    return Wanted(
        demands=own.demands,
        annex_kinds=policy.annex_kinds if own.annex_kinds is None else own.annex_kinds,
        annex_demands=policy.annex_demands if own.annex_demands is None else own.annex_demands,
        later_changes=policy.later_changes if own.later_changes is None else own.later_changes,
        after_organisation=policy.after_organisation
        if own.after_organisation is None
        else own.after_organisation,
        basis=own.basis,
    )
