"""Rules about the code itself, read from its text: who imports whom, sizes, docstrings, environment, machine
paths."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nba_pipeline.build import RECIPES, build_defs
from nba_pipeline.settings import Settings
from nba_pipeline.tables.registry import TABLES

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "nba_pipeline"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 40
BLIND = {"Exception", "BaseException"}

ORDER = (
    "failures",
    "clock",
    "ranges",
    "tables",
    "formulas",
    "transforms",
    "environment",
    "settings",
    "sources",
    "warehouse",
    "recipes",
    "checks",
    "rangerun",
    "orchestration",
    "deployment",
    "build",
    "definitions",
    "operations",
    "demo",
    "cli",
)
"""The parts of the package from the ground up: none may import a later one."""
OLD_NAMES = "instance"
"""Holds nothing but former addresses."""
ONLY_LIBRARIES: dict[str, set[str]] = {"formulas": {"numpy", "pandas"}, "transforms": {"numpy", "pandas"}}
every_module = pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def part(path: Path) -> str:
    """The package or top module a file belongs to: ``tables``, ``build``, ..."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Every module imported anywhere in the file, relative imports excluded by another test."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            yield str(node.module)


def of_project(path: Path) -> set[str]:
    names = (name.split(".") for name in imports(path))
    return {name[1] for name in names if name[0] == "nba_pipeline" and len(name) > 1}


@every_module
def test_imports_point_in_one_direction(path: Path) -> None:
    mine, theirs = part(path), of_project(path)
    if mine in ("__init__", OLD_NAMES):
        return
    assert not theirs & set(ORDER[ORDER.index(mine) + 1 :])


@every_module
def test_formulas_and_transforms_know_no_framework_no_files_and_no_clock(path: Path) -> None:
    allowed = ONLY_LIBRARIES.get(part(path))
    if allowed is None:
        return
    libraries = {name.split(".")[0] for name in imports(path)} - {"nba_pipeline"}
    pure = set("__future__ collections dataclasses datetime enum functools hashlib itertools math".split())
    pure |= {"types", "typing", "ast", "operator"}  # formulas are read in Python syntax
    if path.name == "versions.py":  # hashes the source of the transforms: a changed formula is a new version
        pure |= {"importlib", "inspect"}
    assert libraries <= allowed | pure
    clock = {"now", "today", "utcnow"}
    assert not [n.attr for n in ast.walk(tree(path)) if isinstance(n, ast.Attribute) and n.attr in clock]


def test_one_module_reads_the_environment() -> None:
    readers = {
        str(path.relative_to(PACKAGE))
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")
    }
    assert readers == {"environment.py"}


@every_module
def test_a_module_says_what_it_is_and_stays_readable(path: Path) -> None:
    text, module = path.read_text(encoding="utf-8"), tree(path)
    if text.strip():
        assert ast.get_docstring(module), "no module docstring"
    assert len(text.splitlines()) <= MAX_FILE_LINES
    functions = [n for n in ast.walk(module) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    long = {
        f.name: f.end_lineno - f.lineno + 1
        for f in functions
        if f.end_lineno and f.end_lineno - f.lineno >= MAX_FUNCTION_LINES
    }
    assert long == {}


@every_module
def test_no_error_is_swallowed_without_a_name(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        names = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else BLIND
        silent = all(isinstance(statement, (ast.Pass, ast.Continue)) for statement in node.body)
        assert not (silent and names & BLIND), f"line {node.lineno}"


def test_every_table_is_an_asset_and_every_asset_a_table() -> None:
    assert [recipe.table for recipe in RECIPES] == list(TABLES)
    known: set[str] = set()
    for recipe in RECIPES:
        assert {i.table for i in recipe.inputs} <= known, (
            f"{recipe.table} is made from a table that comes later"
        )
        known.add(recipe.table)
        assert all(TABLES[recipe.table].has(column) for column in recipe.summary_columns)
        for given in recipe.inputs:
            assert all(TABLES[given.table].has(column) for column in given.columns or ())


def test_an_asset_says_where_it_is_stored_and_links_to_what_it_is_made_from() -> None:
    graph = build_defs(Settings(warehouse="memory")).resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        assert graph.get(key).kinds == {"pandas", "memory"}
        links = re.findall(
            r"\]\(/assets/([^)]+)\)", getattr(graph.get(key).metadata.get("made_from"), "value", "")
        )
        assert {tuple(link.split("/")) for link in links} == {
            tuple(parent.path) for parent in graph.get(key).parent_keys
        }, key


def test_levels_follow_the_graph() -> None:
    level = {recipe.table: recipe.level for recipe in RECIPES}
    for recipe in RECIPES:
        assert all(level[given.table] < recipe.level for given in recipe.inputs), recipe.table


def test_the_licence_is_there() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


_MACHINE_PATH = re.compile(
    r"(?<![\w.~$}/-])/(?:" + "|".join(("work", "tmp", "root", "home", "Users")) + r")/\w"
)


def test_texts_and_settings_name_no_path_of_a_machine() -> None:
    patterns = ("*.md", "*.toml", "*.yaml", "*.txt", "docs/**/*.md", ".ci/*", "bench/*.py")
    texts = [path for pattern in patterns for path in ROOT.glob(pattern)]
    named = {
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*texts, *MODULES]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if _MACHINE_PATH.search(line)
    }
    assert named == set()
