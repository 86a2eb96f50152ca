"""Certificate policies along a path (chính sách chứng thư): RFC 5280 §6.1, with the graph of RFC 9618 instead of a tree.

Theory of operation. The tree of RFC 5280 can grow without bound. What is asked of it is only which policies of the
root's domain lead to a policy of the signer's certificate. So one level is kept: for each policy that the next
certificate may state (`expected`), the policies at the root that led to it. `ANY` leads from itself to every policy.
An empty level is the empty tree; it matters once a certificate, or the caller, demands an explicit policy.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

_Level: TypeAlias = Mapping[str, frozenset[str]]

ANY = "2.5.29.32.0"


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a caller demands of policies: which at the root (None: any), one at all, and what must not be used."""

    acceptable: frozenset[str] | None = None
    explicit: bool = False
    mapping_inhibited: bool = False
    any_inhibited: bool = False


NOTHING = Demand()


def named(demand: Demand) -> bytes:
    """Bytes that tell one demand from another."""
    acceptable = ["any"] if demand.acceptable is None else sorted(demand.acceptable)
    return repr((acceptable, demand.explicit, demand.mapping_inhibited, demand.any_inhibited)).encode()


@dataclass(frozen=True, kw_only=True)
class Stated:
    """What a certificate states of policies; `policies` is None without the extension, the counts without theirs."""

    self_issued: bool
    policies: frozenset[str] | None = None
    mappings: tuple[tuple[str, str], ...] = ()
    explicit_after: int | None = None
    mapping_until: int | None = None
    any_until: int | None = None


@dataclass(kw_only=True)
class _State:
    """How many certificates may still come until something is demanded or forbidden, and the level of the graph."""

    explicit: int
    mapping: int
    any_policy: int
    expected: _Level


def hold(chain: Sequence[Stated], demand: Demand = NOTHING) -> bool:
    """Whether the certificates below a root, the root's own first and the signer's last, agree on policies."""
    after = len(chain) + 1
    state = _State(
        explicit=0 if demand.explicit else after,
        mapping=0 if demand.mapping_inhibited else after,
        any_policy=0 if demand.any_inhibited else after,
        expected={ANY: frozenset({ANY})},
    )
    for position, stated in enumerate(chain, start=1):
        final = position == len(chain)
        valid = _valid(state, stated, final=final)
        if not valid and not state.explicit:
            return False
        if final:
            return _concluded(state, stated, valid, demand)
        if any(ANY in pair for pair in stated.mappings):
            return False
        state.expected = _mapped(valid, stated.mappings, allowed=state.mapping > 0)
        _count(state, stated)
    return True


def _valid(state: _State, stated: Stated, *, final: bool) -> _Level:
    """Policies valid at this certificate, with where they come from (§6.1.3 d)."""
    expected, policies = state.expected, stated.policies
    if policies is None or not expected:
        return {}
    from_any = {ANY} if ANY in expected else set()
    valid = {
        one: expected.get(one) or frozenset({one}) for one in policies - {ANY} if one in expected or from_any
    }
    if ANY in policies and (state.any_policy > 0 or (stated.self_issued and not final)):
        valid |= {one: origins for one, origins in expected.items() if one not in valid}
    return valid


def _mapped(valid: _Level, mappings: Iterable[tuple[str, str]], *, allowed: bool) -> _Level:
    """What the next certificate may state (§6.1.4 b)."""
    renamed: dict[str, set[str]] = {}
    for ours, theirs in mappings:
        renamed.setdefault(ours, set()).add(theirs)
    level: dict[str, frozenset[str]] = {}
    for ours, origins in valid.items():
        targets = renamed.get(ours, {ours}) if allowed or ours not in renamed else set()
        for target in targets:
            level[target] = level.get(target, frozenset()) | origins
    if ANY in valid and allowed:
        for ours in renamed.keys() - valid.keys():
            for target in renamed[ours]:
                level[target] = level.get(target, frozenset()) | {ours}
    return level


def _count(state: _State, stated: Stated) -> None:
    """Counts down and takes over what this certificate limits (§6.1.4 h to j)."""
    step = 0 if stated.self_issued else 1
    state.explicit = _least(state.explicit - step, stated.explicit_after)
    state.mapping = _least(state.mapping - step, stated.mapping_until)
    state.any_policy = _least(state.any_policy - step, stated.any_until)


def _least(count: int, limit: int | None) -> int:
    return max(0, count if limit is None else min(count, limit))


def _concluded(state: _State, stated: Stated, valid: _Level, demand: Demand) -> bool:
    """§6.1.5: is a policy demanded, and does one that the caller accepts lead to the signer's certificate?"""
    explicit = max(0, state.explicit - 1)
    if stated.explicit_after == 0:
        explicit = 0
    if explicit:
        return True
    origins = frozenset().union(*valid.values()) if valid else frozenset()
    if demand.acceptable is None or ANY in origins:
        return bool(origins) and (demand.acceptable is None or bool(demand.acceptable))
    return not origins.isdisjoint(demand.acceptable)
