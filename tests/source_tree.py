"""The modules of the source tree, parsed once in each process, and their nodes by type.

Parsing and walking all of them takes each process four seconds. So a rule can name words: it skips modules
that contain none of them.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("llamora", "accounts", "diary", "traces", "search")

Modules = Mapping[str, ast.Module]
Node = TypeVar("Node", bound=ast.AST)


def source_modules(*words: str) -> Modules:
    """Return the modules of the source tree by their dotted names, migrations left out; with words, those
    whose text has one of them."""
    return {
        name: _parse(name)
        for name, text in _read_texts().items()
        if not words or any(word in text for word in words)
    }


@cache
def _read_texts() -> Mapping[str, str]:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path.read_text()
        for path in paths
        if "migrations" not in path.parts
    }


@cache
def _parse(name: str) -> ast.Module:
    return ast.parse(_read_texts()[name])


def iter_nodes(tree: ast.AST, *kinds: type[Node]) -> Iterator[Node]:
    """Yield the nodes of these types, those of one type after those of another."""
    nodes = _group_nodes(tree)
    return chain.from_iterable(nodes.get(kind, ()) for kind in kinds)


@cache
def _group_nodes(tree: ast.AST) -> dict[type, list[Any]]:
    found = defaultdict(list)
    for node in ast.walk(tree):
        found[type(node)].append(node)
    return dict(found)


def get_dotted_name(node: ast.expr) -> str:
    """Return an expression like `a.b.c` as text; what comes before the first name is left out."""
    if isinstance(node, ast.Attribute):
        return f"{get_dotted_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
