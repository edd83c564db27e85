"""Versions that formulas give themselves: a digest that changes when, and only when, a result could.

Belongs here: turning statements of columns, code and declarations into short digests. Does not belong here:
version numbers written by hand, which somebody forgets to raise.

What makes a table's version: the statement of each of its columns and of those of other tables that are
worked out with them; the bounds of its columns; the code that finds its rows; and the code that works
statements out. So an edit of one column's formula is a new version of the tables that use it, and of no
other.

Of code, what does not count: comments, docstrings, annotations, layout, the names of private functions and
classes, the Python version. What counts: every constant, operator, call and public name. An edit that
reorders functions or renames a variable also makes a new version: too many versions are harmless, too few are
not.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import itertools
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.abc import InspectLoader
from types import CodeType, FunctionType
from typing import Any

from nba_pipeline.formulas.dependencies import statements_behind
from nba_pipeline.formulas.language import parsed
from nba_pipeline.tables.columns.features import FEATURE_NAMES
from nba_pipeline.tables.formula import Formula, Statement, Taken
from nba_pipeline.tables.names import CACHE, COMPOSITES, CONTEXT, FEATURES, PLAYER_ZONES, TEAM_ZONES
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.spec import Column, Table

_IRRELEVANT_FIELDS = {"ctx", "kind", "type_comment", "type_params", "annotation", "returns"}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_FORMULAS = ("nba_pipeline.transforms.", "nba_pipeline.formulas.")
_CONSTANTS = ("nba_pipeline.tables.vocabulary", "nba_pipeline.tables.calendar")
_NO_FORMULA = ("nba_pipeline.formulas.versions", "nba_pipeline.transforms.look_ahead")
_EVALUATION = (
    "nba_pipeline.formulas.arrays",
    "nba_pipeline.formulas.windows",
    "nba_pipeline.formulas.language",
)
"""The code that works statements out."""


@cache
def code_version(*modules: str) -> str:
    """Ten hex digits for the code of the named modules. ValueError when a module's source cannot be had."""
    return _digest((f"{name}\n{_normalized_module(name)}" for name in modules), 10)


def formula_version(table: Table, *functions: Callable[..., Any] | None) -> str:
    """Ten hex digits for all that decides a table's values: its statements, the ``functions`` that find its
    rows, and the semantic bounds of its columns. Types are left out, they are the schema version's.
    ValueError when a source cannot be had.
    """
    parts = [statements_version(table.full_name), code_version(*_EVALUATION)]
    for function in functions:
        if function is not None:
            own, modules = _behind(function)
            parts += [*own, *(f"{name}\n{_normalized_module(name)}" for name in modules)]
    bounds = (f"{c.name} {c.minimum} {c.maximum} {c.allowed} {c.pattern}" for c in table.columns)
    return _digest(itertools.chain(parts, bounds), 10)


@cache
def statements_version(table: str) -> str:
    """Ten hex digits for the statements of a table's columns, and of those of other tables that are worked
    out with them. Notes and layout do not count."""
    return _digest(
        (f"{of}.{column} {_written(statement)}" for of, column, statement in statements_behind(table)), 10
    )


def _written(statement: Statement) -> str:
    if not isinstance(statement, Formula):
        return repr(statement) if isinstance(statement, Taken) else "as stored"
    refs = [(name, repr(statement.refs[name])) for name in sorted(statement.refs)]
    return f"{ast.dump(parsed(statement.text))} {statement.rows!r} {refs}"


def calculation_version() -> str:
    """``c`` and a digest of the composite factors' formulas, with the usage and windows that they rest on."""
    return "c" + _digest((statements_version(COMPOSITES), code_version(*_EVALUATION)), 10)


def feature_version() -> str:
    """``f<number of features>-<digest of their declarations>-<digest of the formulas behind them>``."""
    table = TABLES[FEATURES]
    declared = columns_version(table.column(name) for name in FEATURE_NAMES)
    behind = (FEATURES, CACHE, COMPOSITES, PLAYER_ZONES, TEAM_ZONES, CONTEXT)
    digest = _digest((*(statements_version(name) for name in behind), code_version(*_EVALUATION)), 10)
    return f"f{len(FEATURE_NAMES)}-{declared}-{digest}"


def formula_modules(compute: Callable[..., Any]) -> tuple[str, ...]:
    """The modules whose code decides what ``compute`` returns, in order of their names."""
    return _behind(compute)[1]


def _behind(compute: Callable[..., Any]) -> tuple[list[str], tuple[str, ...]]:
    """(the code of the functions on the way to the formulas, the modules of the formulas and of all they
    import)."""
    own: list[str] = []
    modules: set[str] = set()
    waiting: list[Any] = [compute]
    seen: set[int] = set()
    while waiting:
        function = waiting.pop(0)
        if id(function) in seen or not isinstance(function, FunctionType):
            continue
        seen.add(id(function))
        if _counts(function.__module__):
            modules.add(function.__module__)
            continue
        own.append(_normalized_function(function.__module__, function.__code__.co_firstlineno))
        found = (function.__globals__.get(name) for name in _names_in(function.__code__))
        waiting.extend(f for f in found if str(getattr(f, "__module__", "")).startswith("nba_pipeline."))
    return own, tuple(sorted(modules.union(*(_reached(name) for name in modules))))


def _names_in(code: CodeType) -> list[str]:
    """Global names that a function uses, those of functions inside it included."""
    inner = (
        name for constant in code.co_consts if isinstance(constant, CodeType) for name in _names_in(constant)
    )
    return [*code.co_names, *inner]


@cache
def _reached(module: str) -> frozenset[str]:
    """The counting modules that a module imports, directly or not."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        for name in _imported(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return frozenset(found)


def _imported(module: str) -> Iterator[str]:
    """What a module imports or names in a string: tables that store a version of code list its modules so."""
    for node in ast.walk(ast.parse(_source(module))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (
                n
                for n in (node.module, *(f"{node.module}.{a.name}" for a in node.names))
                if _counts(n) and _exists(n)
            )
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if _counts(a.name))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value if node.value.startswith("nba_pipeline.") else f"nba_pipeline.{node.value}"
            if _counts(name) and name.replace(".", "").replace("_", "").isalnum() and _exists(name):
                yield name


def _counts(module: str) -> bool:
    return (module.startswith(_FORMULAS) or module in _CONSTANTS) and module not in _NO_FORMULA


def _exists(module: str) -> bool:
    """Whether the name is a module: ``from package import name`` may name a function as well."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its parent is a module and no package
        return False


@cache
def _normalized_module(module: str) -> str:
    return normalized(_source(module))


@cache
def _normalized_function(module: str, line: int) -> str:
    """The function or lambda that starts on a line of a module; everything on the line if there are
    several."""
    starting = [
        node
        for node in ast.walk(ast.parse(_source(module)))
        if isinstance(node, (ast.Lambda, ast.FunctionDef))
        and line == min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    ]
    if not starting:
        raise ValueError(
            f"{module} has no function on line {line}: its source has changed since it was imported"
        )
    return "\n".join(_normalized_tree(node) for node in starting)


def columns_version(columns: Iterable[Column]) -> str:
    """Eight hex digits for names, types, nullability and bounds of the columns in their order, not for
    descriptions."""
    return _digest(
        (f"{c.name} {c.type} {c.nullable} {c.minimum} {c.maximum} {c.allowed} {c.pattern}" for c in columns),
        8,
    )


def normalized(source: str) -> str:
    """The code as one text, equal for two sources that differ only in what cannot change a result."""
    return _normalized_tree(ast.parse(source))


def _normalized_tree(tree: ast.AST) -> str:
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, _DEFINITIONS) and node.name.startswith("_") and not node.name.startswith("__"):
            names.setdefault(node.name, f"_private_{len(names)}")
    return _text(tree, names)


def _text(value: Any, names: dict[str, str]) -> str:
    if isinstance(value, list):
        return "[" + ",".join(_text(v, names) for v in value if not _is_docstring(v)) + "]"
    if isinstance(value, ast.AST):
        # Written out here, because ast.dump prints the same tree differently from one Python version to the
        # next.
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
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _source(module: str) -> str:
    spec = importlib.util.find_spec(module)
    source = spec.loader.get_source(module) if spec and isinstance(spec.loader, InspectLoader) else None
    if source is None:
        raise ValueError(f"the source of {module} is not available, so its formulas have no version")
    return source


def _digest(parts: Iterable[str], length: int) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:length]
