"""What a formula comes to for one row, and the formula filled in with the numbers that it was worked out
with.

Belongs here: one row for `explain`. Does not belong here: whole columns (``arrays.py``), what a formula may
say (``language.py``), finding the numbers (``operations/explain/rows.py``). It shares no arithmetic with
``arrays.py``, which makes the tables: agreement of the two says something.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any

from nba_pipeline.formulas.language import called, is_null, is_over_rows, parsed, row_options

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Scope:
    """What names mean: ``values`` of the row and, for functions over rows, ``rows`` and those of the whole
    ``league``.

    ``rows`` None: there are none to look at (a game without published shots), so functions over them give
    NULL.
    """

    values: Row
    rows: Sequence[Row] | None = ()
    league: Sequence[Row] = ()


@dataclass(frozen=True)
class Worked:
    """What a formula comes to, and its text with numbers in the place of names."""

    value: Any
    numbers: str


@dataclass
class _Work:
    scope: Scope
    replaced: list[tuple[int, int, str]] = field(default_factory=list)


def work_out(formula: str, scope: Scope) -> Worked:
    """The value of a formula and the formula filled in. ValueError where it says what no formula may;
    KeyError for a name that nobody gave a meaning."""
    work = _Work(scope)
    value = _value(parsed(formula), scope.values, work)
    numbers = formula
    for start, end, text in sorted(work.replaced, reverse=True):
        numbers = f"{numbers[:start]}{text}{numbers[end:]}"
    return Worked(value, numbers)


def counted(formula: str, scope: Scope) -> list[Row] | None:
    """The rows that a formula which only counts rows counts; None if it does something else."""
    tree = parsed(formula)
    if not (isinstance(tree, ast.Call) and called(tree) == "count" and tree.args) or scope.rows is None:
        return None
    return [row for row in scope.rows if _value(tree.args[0], {**scope.values, **row}, None)]


def shown(value: Any) -> str:
    """A value as it stands in a filled-in formula."""
    if value is None:
        return "NULL"
    if isinstance(value, (bool, date)):
        return str(value)
    if isinstance(value, (int, float)):
        return f"{value:.8g}"
    return repr(str(value))


def _value(node: ast.expr, values: Row, work: _Work | None) -> Any:
    """What a node comes to. ``work`` is None inside a function over rows, where nothing is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float, str)):
        return node.value
    if isinstance(node, ast.Name):
        return _named(node, values, work)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _arithmetic(
            _OPERATORS[type(node.op)], _value(node.left, values, work), _value(node.right, values, work)
        )
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        operand = _value(node.operand, values, work)
        return not operand if isinstance(node.op, ast.Not) else _arithmetic(operator.sub, 0, operand)
    if isinstance(node, ast.BoolOp):
        parts = [bool(_value(v, values, work)) for v in node.values]
        return all(parts) if isinstance(node.op, ast.And) else any(parts)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _compared(node, values, work)
    if isinstance(node, ast.IfExp):
        asked = _value(node.test, values, work)
        yes, no = _value(node.body, values, work), _value(node.orelse, values, work)
        return yes if asked else no
    if isinstance(node, ast.Tuple):
        return tuple(_value(e, values, work) for e in node.elts)
    if isinstance(node, ast.Call):
        return _over_rows(node, work) if is_over_rows(node) and work else _function(node, values, work)
    raise ValueError(f"{ast.unparse(node)} is no arithmetic that a formula may hold")


def _named(node: ast.Name, values: Row, work: _Work | None) -> Any:
    if node.id == "NULL":
        return None
    value = values[node.id]
    if work:
        assert node.end_col_offset is not None
        work.replaced.append((node.col_offset, node.end_col_offset, shown(value)))
    return value


def _arithmetic(what: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    if isinstance(left, date) and isinstance(right, date):
        return (left - right).days
    try:
        return what(left, right)
    except ZeroDivisionError:
        return None


def _compared(node: ast.Compare, values: Row, work: _Work | None) -> bool:
    left, right = _value(node.left, values, work), _value(node.comparators[0], values, work)
    what = _COMPARISONS[type(node.ops[0])]
    if is_null(node.comparators[0]):
        return (left is None) == isinstance(node.ops[0], ast.Eq)
    return False if left is None or right is None else bool(what(left, right))


def _function(node: ast.Call, values: Row, work: _Work | None) -> Any:
    name = called(node)
    given = [_value(a, values, work) for a in node.args]
    if name == "missing":
        return ",".join(ast.unparse(a) for a, v in zip(node.args, given, strict=True) if v is None)
    if name in ("lowest", "highest"):
        return _extreme(name, {str(k.arg): _value(k.value, values, work) for k in node.keywords})
    if name == "or_zero":
        return 0 if given[0] is None else given[0]
    if name not in _FUNCTIONS or node.keywords:
        raise ValueError(f"{name}() is no function that a formula may call")
    return None if any(v is None for v in given) else _FUNCTIONS[name](*given)


def _extreme(name: str, given: Mapping[str, Any]) -> str | None:
    """The name of the lowest or highest known value, the first one when equal."""
    known = {k: v for k, v in given.items() if v is not None}
    return (min if name == "lowest" else max)(known, key=lambda k: known[k]) if known else None


def _over_rows(node: ast.Call, work: _Work) -> Any:
    name = called(node)
    rows: Sequence[Row] | None = work.scope.league if name == "league_sum" else work.scope.rows
    if rows is None:
        value, text = None, "NULL"
    else:
        options = row_options(node)
        rows = (
            rows[-options["last"] :]
            if "last" in options
            else rows[: -options["all_but"]]
            if "all_but" in options
            else rows
        )
        given = (
            [_value(node.args[0], {**work.scope.values, **row}, None) for row in rows]
            if node.args
            else [True] * len(rows)
        )
        constants = [ast.literal_eval(a) for a in node.args[1:]]
        value, text = _aggregate(name, given, constants)
    assert node.end_col_offset is not None
    work.replaced.append((node.col_offset, node.end_col_offset, text))
    return value


def _aggregate(name: str, given: Sequence[Any], constants: Sequence[float]) -> tuple[Any, str]:
    """(value, how it is shown): means and the like as the quotient that they are."""
    if name not in _QUOTIENTS:
        value = _OVER_ROWS["sum" if name == "league_sum" else name](given)
        return value, shown(value)
    parts = _QUOTIENTS[name](given, *constants)
    if parts.value is None:
        return None, "NULL"
    return (math.sqrt(parts.value), f"sqrt{parts}") if name == "std" else (parts.value, str(parts))


def _known(given: Sequence[Any]) -> list[float]:
    return [v for v in given if v is not None]


def _mean_of(given: Sequence[Any]) -> _Parts:
    known = _known(given)
    return _Parts(sum(known), len(known))


def _variance_of(given: Sequence[Any]) -> _Parts:
    """Squared distances from the mean, over n − 1: its root is the sample standard deviation."""
    mean = _mean_of(given).value
    return _Parts(
        0 if mean is None else sum((float(v) - mean) ** 2 for v in _known(given)),
        max(len(_known(given)) - 1, 0),
    )


def _slope_of(given: Sequence[Any]) -> _Parts:
    """Least-squares slope over the position of the row."""
    n, mean = len(given), _mean_of(given).value
    middle = (n - 1) / 2
    rise = 0 if mean is None else sum((i - middle) * (float(v) - mean) for i, v in enumerate(given))
    return _Parts(rise, sum((i - middle) ** 2 for i in range(n)))


def _ewma_of(given: Sequence[Any], half_life: float) -> _Parts:
    """Weighted sum over the sum of the weights; the k-th row back weighs 0.5 ** (k / half_life)."""
    weights = [0.5 ** (k / half_life) for k in reversed(range(len(given)))]
    return _Parts(sum(w * float(v) for w, v in zip(weights, given, strict=True)), sum(weights))


@dataclass(frozen=True)
class _Parts:
    """A quotient that is shown as one."""

    above: float
    below: float

    @property
    def value(self) -> float | None:
        return self.above / self.below if self.below else None

    def __str__(self) -> str:
        return f"({shown(self.above)} / {shown(self.below)})"


def _run(given: Sequence[Any]) -> int:
    """Rows at the end, one after the other, with the value of the last."""
    return next((n for n, v in enumerate(reversed(given)) if v != given[-1]), len(given))


_OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, many: one in many,
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "round": round,
    "clamp": lambda value, low, high: min(max(value, low), high),
    "listed": lambda text: len(text.split(",")) if text else 0,
}
_QUOTIENTS: Mapping[str, Callable[..., _Parts]] = {
    "mean": _mean_of,
    "std": _variance_of,
    "slope": _slope_of,
    "ewma": _ewma_of,
}
_OVER_ROWS: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "sum": lambda given: sum(_known(given)),
    "count": lambda given: sum(1 for v in given if v),
    "known": lambda given: len(_known(given)),
    "latest": lambda given: given[-1] if given else None,
    "run": _run,
    "back_to_backs": lambda given: sum(1 for a, b in pairwise(given) if (b - a).days == 1),
}
