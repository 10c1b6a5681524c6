"""The modules of the source tree, parsed once in each process, and their nodes by type.

Many rules read every module: walking all of them takes longer than a rule does.
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


@cache
def source_modules() -> Modules:
    """Return every module of the source tree by its dotted name, migrations left out."""
    found = {}
    for path in (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))):
        if "migrations" not in path.parts:
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = ast.parse(path.read_text())
    return found


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
