"""What formulas come to for all rows of a table at once.

Belongs here: ``Evaluation``: statements of columns in, one array per column out. Does not belong here: which
rows a table has and where other rows are found (``transforms/``), what a formula may say (``language.py``),
one row with its numbers filled in (``worked.py``), rounding (done when a frame is conformed to its table).

Values are float64 arrays with NaN for NULL (numbers, flags as 1 and 0, dates as days since 1970), boolean
arrays (comparisons, never NULL) or object arrays with None for NULL (texts). A name of the row's own table
means the value before rounding; a column that is taken over is as it is stored.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from nba_pipeline.formulas.language import (
    FormulaError,
    called,
    is_null,
    is_over_rows,
    parsed,
    row_options,
)
from nba_pipeline.formulas.windows import History, Slice, day_numbers, ratio
from nba_pipeline.tables.formula import AsStored, Formula, Lines, Past, Ref, Relation, Taken
from nba_pipeline.tables.registry import TABLES
from nba_pipeline.tables.spec import Kind, Table

Array = np.ndarray
Resolve = Callable[[str], Any]


class Inputs(Protocol):
    """Where an evaluation finds other rows."""

    def history(self, past: Past) -> History:
        """The facts of a kind of history, whatever the window."""

    def rows(self, table: str) -> pd.DataFrame:
        """The rows of a table of the same days or games."""

    def positions(self, rows: pd.DataFrame, table: str, relation: Relation) -> Array:
        """For each of ``rows``, the position of its player's, team's or opponent's row in the table; -1:
        none."""

    def groups(self, rows: pd.DataFrame, lines: Lines) -> tuple[Array, Array, Array]:
        """(group of each of ``rows``, group of each line, whether each row's game has any line); -1: no
        group."""


class Evaluation:
    """The computed columns of one table for a set of rows, each worked out once and only when it is needed.

    ``rows`` has what the table's rows are known by; it is not modified. ``carried``: table -> its columns
    that the rows carry already, because they were joined to find the rows; these are not looked up again.
    FormulaError, with the position, for a formula that asks for something that is not there.
    """

    def __init__(
        self,
        table: Table,
        rows: pd.DataFrame,
        inputs: Inputs,
        carried: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self.table, self.rows, self._inputs, self._carried = table, rows, inputs, dict(carried or {})
        self._known: dict[str, Any] = {}
        self._others: dict[str, Evaluation] = {}
        self._slices: dict[Past, Slice] = {}

    def column(self, name: str) -> Any:
        """All values of a column, not rounded."""
        if name not in self._known:
            self._known[name] = self._computed(name)
        return self._known[name]

    def reference(self, column: str, name: str) -> Any:
        """What a name of a column's formula that is no column of the row stands for."""
        statement = self.table.column(column).formula
        assert isinstance(statement, Formula)
        return self._referred(statement.refs[name])

    def _computed(self, name: str) -> Any:
        statement = self.table.column(name).formula
        if isinstance(statement, Taken):
            return self._referred(statement.ref)
        if isinstance(statement, Formula):
            return self._worked_out(statement)
        assert statement is None or isinstance(statement, AsStored)
        return values_of(self.table, self.rows, name)

    def _worked_out(self, formula: Formula) -> Any:
        def resolve(name: str) -> Any:
            if name == "day":
                return day_numbers(self.rows["game_date"]).astype("float64")
            ref = formula.refs.get(name)
            return self.column(name) if ref is None else self._referred(ref)

        work = _Arithmetic(formula.text, resolve, lambda call: self._over_rows(formula, call))
        return work.value(parsed(formula.text))

    def _referred(self, ref: Ref) -> Any:
        if ref.chosen_by is not None:
            return self._chosen(ref)
        if ref.unrounded:
            return self._other(ref.table).column(ref.column)
        if ref.table == self.table.full_name:
            positions = self._inputs.positions(self.rows, ref.table, ref.relation)
            return taken_at(self.column(ref.column), positions)
        if ref.relation is not Relation.OPPONENT and self._comes_with_rows(ref):
            return values_of(TABLES[ref.table], self.rows, ref.column)
        found = self._inputs.rows(ref.table)
        positions = self._inputs.positions(self.rows, ref.table, ref.relation)
        return taken_at(values_of(TABLES[ref.table], found, ref.column), positions)

    def _comes_with_rows(self, ref: Ref) -> bool:
        """Whether the rows carry that very column of that table: the transform has joined it already."""
        return ref.column in self._carried.get(ref.table, ())

    def _chosen(self, ref: Ref) -> Array:
        assert ref.chosen_by is not None
        table, column, words = ref.chosen_by
        choice = self._referred(Ref(table, column, Relation.PLAYER))
        result = np.full(len(self.rows), np.nan)
        for value, word in words:
            one = self._referred(replace(ref, column=ref.column.format(word), chosen_by=None))
            result = np.where(choice == value, one, result)
        return result

    def _other(self, table: str) -> Evaluation:
        """The same rows as rows of another table: for values of it before they were rounded."""
        if table == self.table.full_name:
            return self
        if table not in self._others:
            self._others[table] = Evaluation(TABLES[table], self.rows, self._inputs, self._carried)
            self._others[table]._slices = self._slices
        return self._others[table]

    # ------------------------------------------------------------------------------------ functions over rows

    def _over_rows(self, formula: Formula, call: ast.Call) -> Array:
        if isinstance(formula.rows, Past):
            return self._over_history(formula, formula.rows, call)
        if isinstance(formula.rows, Lines):
            return self._over_lines(formula, formula.rows, call)
        raise FormulaError(f"{called(call)}() has no rows to look at", formula.text, call)

    def _over_history(self, formula: Formula, past: Past, call: ast.Call) -> Array:
        if past not in self._slices:
            renamed = {"team_abbr": "opponent_team_abbr"} if past.relation is Relation.OPPONENT else None
            self._slices[past] = self._inputs.history(past).before(self.rows, past.window, renamed)
        games = _with_options(self._slices[past], row_options(call))
        name = called(call)
        if name == "count" and not call.args:
            return games.games.astype("float64")
        if not (call.args and isinstance(call.args[0], ast.Name)) or name not in _OVER_HISTORY:
            raise FormulaError(f"over past games {name}() takes one column", formula.text, call)
        if name == "ewma" and not (past.window.this_season and past.window.games is None):
            raise FormulaError("ewma() is defined over the season to date", formula.text, call)
        constants = [ast.literal_eval(a) for a in call.args[1:]]
        result = _OVER_HISTORY[name](games, call.args[0].id, *constants)
        return _over_the_league(self.rows, result) if name == "league_sum" else result

    def _over_lines(self, formula: Formula, lines: Lines, call: ast.Call) -> Array:
        found = self._inputs.rows(lines.table)
        mine, theirs, published = self._inputs.groups(self.rows, lines)
        if call.args:
            table = TABLES[lines.table]
            work = _Arithmetic(formula.text, lambda name: values_of(table, found, name), None)
            given = work.value(call.args[0])
        else:
            given = np.ones(len(found), dtype=bool)
        if called(call) == "count":
            terms = truth(given).astype("float64")
        elif called(call) == "sum":
            terms = np.nan_to_num(numbers(given), nan=0.0)
        else:
            raise FormulaError(f"{called(call)}() is not defined over rows of a game", formula.text, call)
        groups = int(max(mine.max(initial=-1), theirs.max(initial=-1))) + 1
        in_group = theirs >= 0
        total = np.bincount(theirs[in_group], weights=terms[in_group], minlength=groups)
        size = np.bincount(theirs[in_group], minlength=groups)
        result = np.where(mine >= 0, total[mine], 0.0) if groups else np.zeros(len(mine))
        known = published if lines.null_without else (mine >= 0) & (size[mine] > 0)
        return np.where(known, result, np.nan)


def _with_options(games: Slice, options: Mapping[str, int]) -> Slice:
    if "last" in options:
        return replace(games, start=np.maximum(games.start, games.stop - options["last"]))
    if "all_but" in options:
        return replace(games, stop=np.maximum(games.start, games.stop - options["all_but"]))
    return games


_OVER_HISTORY: Mapping[str, Callable[..., Array]] = {
    "sum": lambda games, column: games.total(column),
    "league_sum": lambda games, column: games.total(column),
    "mean": lambda games, column: games.mean(column),
    "known": lambda games, column: games.known(column).astype("float64"),
    "latest": lambda games, column: games.at_latest(games.history.numbers(column)),
    "std": lambda games, column: games.std(column),
    "slope": lambda games, column: games.slope(column),
    "ewma": lambda games, column, half_life: games.at_latest(games.history.season_ewma(column, half_life)),
    "run": lambda games, column: np.nan_to_num(games.at_latest(games.history.run_lengths(column)), nan=0.0),
    "back_to_backs": lambda games, _: games.back_to_backs().astype("float64"),
}


def _over_the_league(rows: pd.DataFrame, per_team: Array) -> Array:
    """Sum over the rows of the same day, for each row."""
    _, day = np.unique(day_numbers(rows["game_date"]), return_inverse=True)
    return np.bincount(day, weights=per_team)[day] if len(day) else per_team


def evaluate(text: str, values: Mapping[str, Any]) -> Any:
    """What a formula without functions over rows comes to, given arrays (or numbers) by name."""
    return _Arithmetic(text, values.__getitem__, None).value(parsed(text))


class _Arithmetic:
    """The value of a formula's tree, given what its names and its functions over rows come to."""

    def __init__(self, text: str, resolve: Resolve, over_rows: Callable[[ast.Call], Array] | None) -> None:
        self._text, self._resolve, self._over_rows = text, resolve, over_rows

    def value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return None if node.id == "NULL" else self._named(node)
        if isinstance(node, ast.BinOp):
            return _OPERATORS[type(node.op)](numbers(self.value(node.left)), numbers(self.value(node.right)))
        if isinstance(node, ast.UnaryOp):
            operand = self.value(node.operand)
            return ~truth(operand) if isinstance(node.op, ast.Not) else -numbers(operand)
        if isinstance(node, ast.BoolOp):
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return join.reduce([truth(self.value(v)) for v in node.values])
        if isinstance(node, ast.Compare):
            return self._compared(node)
        if isinstance(node, ast.IfExp):
            return chosen(truth(self.value(node.test)), self.value(node.body), self.value(node.orelse))
        if isinstance(node, ast.Tuple):
            return tuple(ast.literal_eval(e) for e in node.elts)
        assert isinstance(node, ast.Call)
        return self._call(node)

    def _named(self, node: ast.Name) -> Any:
        try:
            return self._resolve(node.id)
        except KeyError:
            raise FormulaError(f"{node.id} means nothing here", self._text, node) from None

    def _compared(self, node: ast.Compare) -> Array:
        (op,), (right_node,) = node.ops, node.comparators
        left = self.value(node.left)
        if is_null(right_node):
            return unknown(left) if isinstance(op, ast.Eq) else ~unknown(left)
        right = self.value(right_node)
        if isinstance(op, ast.In):
            return pd.Series(left).isin(right).to_numpy(dtype=bool)
        with np.errstate(invalid="ignore"):
            return (
                np.asarray(_COMPARISONS[type(op)](left, right), dtype=bool) & ~unknown(left) & ~unknown(right)
            )

    def _call(self, node: ast.Call) -> Any:
        name = called(node)
        if is_over_rows(node):
            if self._over_rows is None:
                raise FormulaError("a function over rows cannot hold another one", self._text, node)
            return self._over_rows(node)
        if name == "missing":
            marked = [unknown(self.value(a)) for a in node.args]
            return names_where(np.column_stack(marked), [ast.unparse(a) for a in node.args])
        if name in ("lowest", "highest"):
            given = {str(k.arg): numbers(self.value(k.value)) for k in node.keywords}
            return _extreme(name, given)
        return _FUNCTIONS[name](*(self.value(a) for a in node.args))


def numbers(value: Any) -> Any:
    """A value for arithmetic: a float64 array or a number; NULL is NaN."""
    if value is None:
        return np.nan
    return value.astype("float64") if isinstance(value, np.ndarray) and value.dtype != np.float64 else value


def truth(value: Any) -> Array:
    """A value as a condition: NULL is false."""
    value = np.asarray(np.nan if value is None else value)
    return (
        value if value.dtype == bool else (value.astype("float64") != 0) & ~np.isnan(value.astype("float64"))
    )


def unknown(value: Any) -> Array:
    """Where a value is NULL."""
    return np.asarray(pd.isna(value), dtype=bool)


def chosen(condition: Array, yes: Any, no: Any) -> Array:
    """``yes`` where the condition holds, else ``no``; texts stay texts."""
    if any(isinstance(v, str) or _kind(v) == "O" for v in (yes, no)):
        result = np.empty(len(condition), dtype=object)
        for where, value in ((condition, yes), (~condition, no)):
            result[where] = value[where] if isinstance(value, np.ndarray) and value.ndim else value
        return result
    both_flags = _kind(yes) == _kind(no) == "b"
    return np.where(condition, yes if both_flags else numbers(yes), no if both_flags else numbers(no))


def _kind(value: Any) -> str:
    """The letter of an array's kind; "" for what is no array."""
    return value.dtype.kind if isinstance(value, np.ndarray) else ""


def names_where(marked: Array, names: Sequence[str]) -> Array:
    """Comma-separated names (at most 62) of the marked columns of each row; "" when none is.

    Rows are grouped by their pattern, as one whole number, so that each text is built once.
    """
    codes = marked @ (np.int64(1) << np.arange(len(names), dtype="int64"))
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    listed = [",".join(n for n, m in zip(names, marked[i], strict=True) if m) for i in first]
    return np.array([*listed, ""], dtype=object)[which.reshape(-1)]


def _listed(texts: Array) -> Array:
    """How many names a comma-separated text holds."""
    codes, kinds = pd.factorize(texts)
    return np.array([len(k.split(",")) if k else 0 for k in kinds] or [0], dtype="float64")[codes]


def _extreme(name: str, given: Mapping[str, Array]) -> Array:
    """The name of the lowest or highest known value, the first one when equal; None when none is known."""
    values, names = np.column_stack(list(given.values())), np.array(list(given), dtype=object)
    nothing = np.isnan(values)
    ends = np.where(nothing, np.inf if name == "lowest" else -np.inf, values)
    result = names[ends.argmin(axis=1) if name == "lowest" else ends.argmax(axis=1)]
    result[nothing.all(axis=1)] = None
    return result


def values_of(table: Table, rows: pd.DataFrame, name: str) -> Array:
    """A column of a frame as an array for formulas. KeyError when it is not there."""
    column = rows[name]
    kind = table.column(name).type.kind if table.has(name) else Kind.FLOAT64
    if kind is Kind.DATE:
        return day_numbers(column).astype("float64")
    if kind is Kind.STRING:
        texts = column.astype(object)
        return texts.where(texts.notna(), None).to_numpy(dtype=object)
    return column.to_numpy(dtype="float64", na_value=np.nan)


def taken_at(values: Array, positions: Array) -> Array:
    """Values at those positions; NULL at -1."""
    found = values[np.maximum(positions, 0)] if len(values) else np.full(len(positions), np.nan)
    if found.dtype == object:
        found = found.copy()
        found[positions < 0] = None
        return found
    return np.where(positions >= 0, found, np.nan) if (positions < 0).any() else found


_OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: ratio,
}
_COMPARISONS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "min": lambda a, b: np.minimum(numbers(a), numbers(b)),
    "max": lambda a, b: np.maximum(numbers(a), numbers(b)),
    "abs": lambda a: np.abs(numbers(a)),
    "round": lambda a: np.rint(numbers(a)),
    "clamp": lambda value, low, high: np.clip(numbers(value), low, high),
    "listed": _listed,
    "or_zero": lambda a: np.nan_to_num(numbers(a), nan=0.0),
}
