"""Who imports whom, read from the text of the files: for tests of the code's structure and for the picture of
it.

Belongs here: the graph of imports and its circles. Does not belong here: which arrows are allowed (tests
say).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def module_of(path: Path) -> str:
    """``nba_pipeline.tables.spec`` of its file; a package is named for its ``__init__.py``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files(*packages: str) -> dict[str, Path]:
    """Module -> file, of every Python file of the packages."""
    found = (path for package in packages for path in sorted((ROOT / package).rglob("*.py")))
    return {module_of(path): path for path in found}


def imported(path: Path, *, type_checking: bool = True) -> Iterator[str]:
    """The modules and names that a file imports, inside functions too; what only the type checker sees is
    left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        id(node)
        for guard in ast.walk(tree)
        if isinstance(guard, ast.If) and ast.unparse(guard.test) == "TYPE_CHECKING" and not type_checking
        for node in ast.walk(guard)
    }
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def import_graph(*packages: str) -> dict[str, set[str]]:
    """Module -> the modules of the packages that it imports.

    An import of a name from a package counts for the module that the name is, if it is one, else for the
    package.
    """
    known = files(*packages)
    graph: dict[str, set[str]] = {}
    for module, path in known.items():
        names = [name for name in imported(path) if name in known]
        inner = {name.rsplit(".", 1)[0] for name in names if name.rsplit(".", 1)[0] in names}
        graph[module] = {
            n for n in names if n != module and not (n in inner and known[n].name == "__init__.py")
        }
    return graph


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other, directly or not (Tarjan: strongly connected)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = []
            while not group or group[-1] != node:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found
