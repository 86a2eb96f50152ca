"""Policies along a path: the level graph against the tree of RFC 5280 §6.1, built word by word, on random chains."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import policies
from signing.policies import ANY, Demand, Stated

A, B, C = "1.1", "1.2", "1.3"


@dataclass(eq=False)
class Node:
    """A node of the valid_policy_tree."""

    policy: str
    expected: set
    parent: object = None
    children: list = field(default_factory=list)

    def child(self, policy, expected):
        self.children.append(Node(policy, expected, self))


def at_depth(root, depth):
    level = [root] if root else []
    for _ in range(depth):
        level = [child for node in level for child in node.children]
    return level


def pruned(root, depth):
    """The tree without nodes above `depth` that lead nowhere; None when nothing is left."""
    for above in range(depth - 1, -1, -1):
        for node in at_depth(root, above):
            if not node.children:
                if node.parent is None:
                    return None
                node.parent.children.remove(node)
    return root


def oracle(chain, demand):
    """RFC 5280 §6.1.2 to §6.1.5, as far as policies go."""
    n = len(chain)
    tree = Node(ANY, {ANY})
    explicit = 0 if demand.explicit else n + 1
    inhibit_any = 0 if demand.any_inhibited else n + 1
    mapping = 0 if demand.mapping_inhibited else n + 1
    for i, cert in enumerate(chain, start=1):
        if cert.policies is None:
            tree = None
        if tree:
            above = at_depth(tree, i - 1)
            for policy in sorted(cert.policies - {ANY}):
                matched = [node for node in above if policy in node.expected]
                for node in matched or [node for node in above if node.policy == ANY]:
                    node.child(policy, {policy})
            if ANY in cert.policies and (inhibit_any > 0 or (i < n and cert.self_issued)):
                for node in above:
                    for expected in node.expected - {child.policy for child in node.children}:
                        node.child(expected, {expected})
            tree = pruned(tree, i)
        if not (explicit > 0 or tree):
            return False
        if i == n:
            break
        if any(ANY in pair for pair in cert.mappings):
            return False
        for ours in {pair[0] for pair in cert.mappings}:
            theirs = {pair[1] for pair in cert.mappings if pair[0] == ours}
            level = at_depth(tree, i)
            if mapping > 0:
                named = [node for node in level if node.policy == ours]
                for node in named:
                    node.expected = theirs
                if not named:
                    for node in [node for node in level if node.policy == ANY]:
                        node.parent.child(ours, theirs)
            else:
                for node in [node for node in level if node.policy == ours]:
                    node.parent.children.remove(node)
                tree = pruned(tree, i) if tree else None
        if not cert.self_issued:
            explicit, mapping, inhibit_any = (max(0, count - 1) for count in (explicit, mapping, inhibit_any))
        if cert.explicit_after is not None:
            explicit = min(explicit, cert.explicit_after)
        if cert.mapping_until is not None:
            mapping = min(mapping, cert.mapping_until)
        if cert.any_until is not None:
            inhibit_any = min(inhibit_any, cert.any_until)
    explicit = max(0, explicit - 1)
    if chain[-1].explicit_after == 0:
        explicit = 0
    if tree and demand.acceptable is not None:
        roots = [
            node for depth in range(1, n + 1) for node in at_depth(tree, depth) if node.parent.policy == ANY
        ]
        for node in roots:
            if node.policy != ANY and node.policy not in demand.acceptable:
                node.parent.children.remove(node)
        leaves = at_depth(tree, n)
        wild = [leaf for leaf in leaves if leaf.policy == ANY]
        tree = pruned(tree, n) if at_depth(tree, n) else None
        if wild and not demand.acceptable and all(leaf in wild for leaf in at_depth(tree, n)):
            tree = None
    return explicit > 0 or tree is not None


POLICIES = st.sampled_from([A, B, C])
CERTIFICATES = st.builds(
    Stated,
    self_issued=st.booleans(),
    policies=st.one_of(st.none(), st.frozensets(st.sampled_from([A, B, C, ANY]), min_size=1)),
    mappings=st.lists(st.tuples(POLICIES, POLICIES), max_size=3, unique=True).map(tuple),
    explicit_after=st.one_of(st.none(), st.integers(0, 2)),
    mapping_until=st.one_of(st.none(), st.integers(0, 2)),
    any_until=st.one_of(st.none(), st.integers(0, 2)),
)
DEMANDS = st.builds(
    Demand,
    acceptable=st.one_of(st.none(), st.frozensets(POLICIES, min_size=1)),
    explicit=st.booleans(),
    mapping_inhibited=st.booleans(),
    any_inhibited=st.booleans(),
)


@given(chain=st.lists(CERTIFICATES, min_size=1, max_size=4), demand=DEMANDS)
@settings(max_examples=600, deadline=None)
def test_as_the_tree_of_the_standard(chain, demand):
    assert policies.hold(chain, demand) == oracle(chain, demand)


def stated(*found, **how):
    return Stated(self_issued=False, policies=frozenset(found), **how)


def test_a_tree_that_would_not_end():
    """Each authority maps each of 40 policies to all others: 40 to the 8th paths, told apart by 40 x 40 sets."""
    many = [f"1.2.{number}" for number in range(40)]
    mapped = tuple((ours, theirs) for ours in many for theirs in many)
    chain = [stated(*many, mappings=mapped) for _ in range(8)] + [stated(many[0])]
    assert policies.hold(chain, Demand(explicit=True))
    assert not policies.hold([*chain[:-1], stated("9.9")], Demand(explicit=True))


@pytest.mark.parametrize(
    "demand",
    [Demand(), Demand(explicit=True), Demand(acceptable=frozenset({A})), Demand(any_inhibited=True)],
    ids=str,
)
def test_demands_are_told_apart(demand):
    assert policies.named(demand) == policies.named(Demand(**vars(demand)))
    assert (
        len(
            {
                policies.named(one)
                for one in (demand, Demand(mapping_inhibited=True), Demand(acceptable=frozenset()))
            }
        )
        == 3
    )
