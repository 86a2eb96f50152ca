"""Extensions (phần mở rộng): what vendors and newer versions add to a letter; kept as it came, up to a number and a length."""

from collections.abc import Iterator, Mapping

from exchange.edxml import grammar, model
from exchange.edxml.walk import Node


def of(parts: Mapping[str, Node]) -> tuple[model.Extension, ...]:
    """What no field of the standard holds, vendors' elements and unknown ones without any inside."""
    found = (one for name, node in parts.items() for one in _extensions(node, name))
    return tuple(one for one, _ in zip(found, range(model.MOST_EXTENSIONS), strict=False))


def _extensions(node: Node, path: str) -> Iterator[model.Extension]:
    for name, children in node.children.items():
        entry = grammar.CHILDREN[node.name][name]
        for child in children:
            way = f"{path}/{name}" + (f"[{child.place}]" if child.place else "")
            if entry.vendors:
                yield from _extension(child, way)
            elif entry.inside:
                yield from _extensions(child, way)
    for other in node.others:
        yield from _extension(other, f"{path}/{other.name}")


def _extension(node: Node, path: str) -> Iterator[model.Extension]:
    if node.text:
        yield model.Extension(path=path, name=node.name, text=node.text[: model.MOST_EXTENSION])
