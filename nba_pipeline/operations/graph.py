"""The graph of tables as the operations see it: order, parents, and which days are made from given days. Pure
functions.

Belongs here: questions about dependencies between days of tables. Does not belong here: Dagster and stores.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase

from nba_pipeline.failures import ConfigurationError
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.tables.registry import resolve


def select(recipes: Sequence[Recipe], names: Iterable[str] | None) -> list[Recipe]:
    """The plans named, in dependency order; all of them without names. A name may leave out the dataset."""
    if names is None:
        return list(recipes)
    wanted = resolve(names, [p.table for p in recipes])
    return [p for p in recipes if p.table in wanted]


def chosen(recipes: Sequence[Recipe], text: str | None) -> list[Recipe]:
    """The recipes that ``--tables`` names, in dependency order; all of them without the option.

    A comma-separated list of tables (the dataset may be left out), datasets (``nba_raw``) and patterns
    (``*zone*``); ``+`` before a name adds what it is made from, after it what is made from it.
    """
    if text is None:
        return list(recipes)
    words = [word.strip() for word in text.split(",")]
    if not all(word.strip("+") for word in words):
        raise ConfigurationError(f"--tables {text!r} names no table; leave the option out for all of them")
    wanted: set[str] = set()
    for word in words:
        named = _matching(recipes, word.strip("+"))
        wanted |= named
        if word.startswith("+"):
            wanted |= _inputs_of(recipes, named)
        if word.endswith("+"):
            wanted |= _made_from(recipes, named)
    return [recipe for recipe in recipes if recipe.table in wanted]


def _matching(recipes: Sequence[Recipe], name: str) -> set[str]:
    """The tables that a name, a dataset or a pattern means."""
    tables = [recipe.table for recipe in recipes]
    found = {
        table
        for table in tables
        if table.split(".")[0] == name or fnmatchcase(table, name) or fnmatchcase(table.split(".")[1], name)
    }
    return found or set(resolve([name], tables))


def _inputs_of(recipes: Sequence[Recipe], names: Collection[str]) -> set[str]:
    """These tables and all that they are made from."""
    found = set(names)
    for recipe in reversed(recipes):  # later tables first, so that each is seen before its inputs
        if recipe.table in found:
            found |= {given.table for given in recipe.inputs}
    return found


def _made_from(recipes: Sequence[Recipe], names: Collection[str]) -> set[str]:
    """These tables and all that are made from them."""
    found = set(names)
    for recipe in recipes:
        if any(given.table in found for given in recipe.inputs):
            found.add(recipe.table)
    return found


def days_depending_on(
    recipe: Recipe, days: Sequence[date], some: Mapping[str, Collection[date]]
) -> dict[date, str]:
    """Which of the days of this table are made from one of ``some`` days of its inputs, the same day or one
    in the look-back; each with the newest such day."""
    found: dict[date, str] = {}
    for table in dict.fromkeys(given.table for given in recipe.inputs):
        for day, theirs in recipe.made_from(table, days, some.get(table, ())).items():
            found.setdefault(day, f"{table} {theirs}")
    return found
