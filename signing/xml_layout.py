"""Where things stand in an XML signature, worked out once for all signatures of one shape.

Theory of operation. Signatures of one software are alike: the same elements with the same attributes in the same
places, with other values. So reading is done in two steps. A *layout* is worked out from a signature's shape alone
(`signing.xml_grammar.Shape`): whether the grammar holds, and at which places of the shape's nodes and attribute values
each value will be found. *Terms* are worked out from a layout and the names of algorithms that stand at its places:
what each reference asks for, or which of them is not accepted. Neither sees an element, a text, or any other value, so
neither can carry anything from one signature into another; that the places are right for another signature follows
from its shape being equal, tags and attribute names included.

Layouts are remembered with their terms, both bounded: small shapes only, and few terms of little length each. A layout
of a shape that is not remembered takes its terms with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from signing import algorithms, canonical, xml_grammar
from signing.algorithms import DS, ENVELOPED
from signing.canonical import INCLUSIVE, Form
from signing.xml_grammar import Shape
from signing.xml_rules import CERTIFICATES, GRAMMAR, NAMING, REFERENCES, TRANSFORMS

LAYOUTS, TERMS, LONGEST_TERMS = 256, 8, 4096


class Naming(NamedTuple):
    """An element that names an algorithm: its tag, and which of the layout's names it gives.

    `listed`: whether an InclusiveNamespaces stands in it; `prefixes` is then the name that is its PrefixList.
    """

    tag: object
    algorithm: int | None
    listed: bool
    prefixes: int | None


class Part(NamedTuple):
    """One reference: the places of its attributes' values and of the node with its digest, and what names its algorithms."""

    uri: int | None
    kind: int | None
    identifier: int | None
    digest: int
    steps: tuple[Naming, ...]
    method: Naming


class Step(NamedTuple):
    """How one signed part is brought to bytes, and by which digest; or the `fault` of what is asked for."""

    fault: str | None
    enveloped: bool = False
    form: Form = INCLUSIVE
    digest_algorithm: str = ""


class Terms(NamedTuple):
    """What a signature's algorithms are, with a step for each reference; or the `fault` of one of them, or of the grammar.

    Beside a fault the others say nothing.
    """

    fault: str | None
    form: Form = INCLUSIVE
    method: algorithms.Method = next(iter(algorithms.METHODS.values()))
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """The places of what is read of a signature: of nodes, or of attributes' values.

    `limit`: the budget that it exceeds; `fault`: the grammar's, `parts` are not known then. `value`, `certificates`:
    nodes of the first SignatureValue and of all certificates. `named`: values that name algorithms in SignedInfo, and
    `naming` what they are given by. `key_info`: the node that says more of the signer than certificates, or None.
    `objects`: tags of what Objects hold; text, and properties of more than one level, are `#other`. `foreign`: names of
    other namespaces.
    """

    limit: tuple[str, int] | None
    fault: str | None
    value: int | None
    certificates: tuple[int, ...]
    named: tuple[int, ...]
    naming: tuple[Naming, ...]
    parts: tuple[Part, ...]
    key_info: int | None
    objects: tuple[object, ...]
    nested: bool
    foreign: frozenset[tuple[str, str]]
    _terms: dict[tuple[str, ...], Terms] = field(default_factory=dict)

    def terms(self, values: Sequence[str]) -> Terms:
        """What the algorithms are that stand at this layout's places; the same names are understood once."""
        names = tuple([values[at] for at in self.named])
        known = self._terms.get(names)
        if known is None:
            known = _understood(self, names)
            if sum(map(len, names)) <= LONGEST_TERMS:
                if len(self._terms) >= TERMS:
                    self._terms.clear()
                self._terms[names] = known
        return known


def _understood(layout: Layout, names: Sequence[str]) -> Terms:
    for tag, algorithm, _, _ in layout.naming:
        table, why = NAMING[tag]
        if algorithm is None or names[algorithm] not in table:
            return Terms(why)
    if layout.fault:
        return Terms(layout.fault)
    canonical_form, method = layout.naming[:2]
    form = _form(canonical_form, names)
    if isinstance(form, str):
        return Terms(form)
    return Terms(
        None,
        form,
        algorithms.METHODS[names[method.algorithm or 0]],
        tuple([_step(part, names) for part in layout.parts]),
    )


def _step(part: Part, names: Sequence[str]) -> Step:
    enveloped = [names[one.algorithm or 0] == ENVELOPED for one in part.steps]
    rest = part.steps[1:] if any(enveloped[:1]) else part.steps
    if any(enveloped[1:]) or (len(rest) < len(part.steps) and part.steps[0].listed):
        return Step("enveloped_misplaced")
    if len(rest) > 1:
        return Step("transform_not_allowed")
    form = _form(rest[0], names) if rest else INCLUSIVE
    if isinstance(form, str):
        return Step(form)
    digest = algorithms.DIGESTS[names[part.method.algorithm or 0]]
    return Step(None, len(rest) < len(part.steps), form, digest)


def _form(one: Naming, names: Sequence[str]) -> Form | str:
    prefixes = "" if one.prefixes is None else names[one.prefixes]
    return canonical.form_of(names[one.algorithm or 0], prefixes if one.listed else None)


class _Tree:
    """A shape as a tree; nodes are their places in document order."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.texts, self.tails = frozenset(shape.texts), frozenset(shape.tails)
        self.below = xml_grammar.children(shape)
        self.names = xml_grammar.attribute_names(shape)
        self.starts = [end - width for end, width in zip(accumulate(shape.widths), shape.widths, strict=True)]

    def named(self, node: int, *names: str) -> list[int]:
        """The children with one of these names of XMLDSig."""
        tags = {f"{{{DS}}}{name}" for name in names}
        return [child for child in self.below[node] if self.shape.tags[child] in tags]

    def value(self, node: int, name: str) -> int | None:
        """The place of an attribute's value among all values."""
        names = self.names[node]
        return self.starts[node] + names.index(name) if name in names else None

    def inside(self, node: int) -> Iterator[int]:
        """The node and all in it, in document order."""
        yield node
        for child in self.below[node]:
            yield from self.inside(child)


def _laid_out(shape: Shape) -> Layout:
    tree = _Tree(shape)
    fault = xml_grammar.judged(shape, GRAMMAR, "Signature")
    values, infos = tree.named(0, "SignatureValue"), tree.named(0, "SignedInfo")
    named, naming = _naming(tree, infos[0]) if infos else ([], {})
    return Layout(
        limit=_limit(tree),
        fault=fault,
        value=values[0] if values else None,
        certificates=tuple(_certificates(tree)),
        named=tuple(named),
        naming=tuple(naming.values()),
        parts=() if fault else tuple([_part(tree, one, naming) for one in tree.named(infos[0], "Reference")]),
        key_info=_telling_key_info(tree),
        objects=tuple(_objects(tree)),
        nested=shape.tags.count(f"{{{DS}}}Signature") > 1,
        foreign=frozenset(_foreign(shape.tags)),
    )


_layouts = xml_grammar.Memory(_laid_out, LAYOUTS)
of = _layouts.of
"""The layout of a shape."""


def _limit(tree: _Tree) -> tuple[str, int] | None:
    budgets = (("Reference", REFERENCES, "references"), ("X509Certificate", CERTIFICATES, "certificates"))
    for name, most, limit in budgets:
        if tree.shape.tags.count(f"{{{DS}}}{name}") > most:
            return limit, most
    counted = zip(tree.shape.tags, tree.shape.counts, strict=True)
    many = any(tag == f"{{{DS}}}Transforms" and count > TRANSFORMS for tag, count in counted)
    return ("transforms", TRANSFORMS) if many else None


def _naming(tree: _Tree, info: int) -> tuple[list[int], dict[int, Naming]]:
    """The values that name algorithms, and the elements that they belong to by their nodes."""
    named: list[int] = []
    naming: dict[int, Naming] = {}

    def asked(node: int, name: str) -> int | None:
        place = tree.value(node, name)
        if place is None:
            return None
        named.append(place)
        return len(named) - 1

    for node in tree.inside(info):
        if tree.shape.tags[node] in NAMING:
            lists = tree.below[node][:1]
            naming[node] = Naming(
                tree.shape.tags[node],
                asked(node, "Algorithm"),
                bool(lists),
                asked(lists[0], "PrefixList") if lists else None,
            )
    return named, naming


def _part(tree: _Tree, node: int, naming: Mapping[int, Naming]) -> Part:
    *transforms, method, digest = tree.below[node]
    steps = [naming[step] for holder in transforms for step in tree.below[holder]]
    return Part(
        uri=tree.value(node, "URI"),
        kind=tree.value(node, "Type"),
        identifier=tree.value(node, "Id"),
        digest=digest,
        steps=tuple(steps),
        method=naming[method],
    )


def _certificates(tree: _Tree) -> Iterator[int]:
    for info in tree.named(0, "KeyInfo"):
        for data in tree.named(info, "X509Data"):
            yield from tree.named(data, "X509Certificate")


def _telling_key_info(tree: _Tree) -> int | None:
    for info in tree.named(0, "KeyInfo"):
        claims = [node for data in tree.named(info, "X509Data") for node in tree.below[data]]
        only = len(claims) == len(list(_certificates(tree))) and not tree.named(info, "KeyValue")
        return None if only else info
    return None


def _objects(tree: _Tree) -> Iterator[object]:
    tags = tree.shape.tags
    for holder in tree.named(0, "Object"):
        held = tree.below[holder]
        if holder in tree.texts or not tree.tails.isdisjoint(held):
            yield "#other"
        yield from (tags[child] if _is_flat(tree, child) else "#other" for child in held)


def _is_flat(tree: _Tree, child: int) -> bool:
    """Whether SignatureProperties hold nothing but values, as a signing time; of anything else it is not asked."""
    values = (value for named in tree.below[child] for value in tree.below[named])
    flat = not any(tree.below[value] for value in values)
    return flat or tree.shape.tags[child] != f"{{{DS}}}SignatureProperties"


def _foreign(tags: Sequence[object]) -> Iterator[tuple[str, str]]:
    """Namespace, or an empty text, and local name of all elements that are not of XMLDSig."""
    for tag in set(tags):
        if isinstance(tag, str) and not tag.startswith(f"{{{DS}}}"):
            namespace, _, name = tag.rpartition("}")
            yield namespace[1:], name
