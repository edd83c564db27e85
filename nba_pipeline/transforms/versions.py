"""Versions that formulas give themselves: a digest of their code that changes when, and only when, a result could.

Belongs here: turning modules and declarations into short digests. Does not belong here: the list of modules behind a
version (it stands beside the formulas), or version numbers written by hand, which somebody forgets to raise.

What does not count: comments, docstrings, annotations, layout, the names of private functions and classes, the Python
version. What counts: every constant, operator, call and public name. So an edit that reorders functions or renames a
variable also makes a new version: too many versions are harmless, too few are not.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.abc import InspectLoader
from typing import Any

from nba_pipeline.tables.spec import Column

_IRRELEVANT_FIELDS = {"ctx", "kind", "type_comment", "type_params", "annotation", "returns"}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@cache
def code_version(*modules: str) -> str:
    """Ten hex digits for the code of the named modules. ValueError when a module's source cannot be had."""
    return _digest((f"{name}\n{normalized(_source(name))}" for name in modules), 10)


def columns_version(columns: Iterable[Column]) -> str:
    """Eight hex digits for names, types, nullability and bounds of the columns in their order, not for descriptions."""
    return _digest((f"{c.name} {c.type} {c.nullable} {c.minimum} {c.maximum} {c.allowed} {c.pattern}" for c in columns), 8)


def normalized(source: str) -> str:
    """The code as one text, equal for two sources that differ only in what cannot change a result."""
    tree = ast.parse(source)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, _DEFINITIONS) and node.name.startswith("_") and not node.name.startswith("__"):
            names.setdefault(node.name, f"_private_{len(names)}")
    return _text(tree, names)


def _text(value: Any, names: dict[str, str]) -> str:
    if isinstance(value, list):
        return "[" + ",".join(_text(v, names) for v in value if not _is_docstring(v)) + "]"
    if isinstance(value, ast.AST):
        # Written out here, because ast.dump prints the same tree differently from one Python version to the next.
        return f"{type(value).__name__}({','.join(f'{k}={_text(v, names)}' for k, v in _fields(value))})"
    if isinstance(value, str):
        return repr(names.get(value, value))
    return repr(value)


def _fields(node: ast.AST) -> Iterator[tuple[str, Any]]:
    for name, value in ast.iter_fields(node):
        if name not in _IRRELEVANT_FIELDS and value is not None and value != []:
            yield name, value
    if isinstance(node, ast.Constant) and node.value is None:
        yield "value", "None"


def _is_docstring(node: Any) -> bool:
    """A bare text as a statement: the docstring of a definition, or of the constant above it."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _source(module: str) -> str:
    spec = importlib.util.find_spec(module)
    source = spec.loader.get_source(module) if spec and isinstance(spec.loader, InspectLoader) else None
    if source is None:
        raise ValueError(f"the source of {module} is not available, so its formulas have no version")
    return source


def _digest(parts: Iterable[str], length: int) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:length]
