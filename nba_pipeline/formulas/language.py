"""What a formula may say: its grammar, the names in it, and errors that name a position.

Belongs here: reading a formula's text. Does not belong here: what it comes to for whole columns
(``arrays.py``) or for one row (``worked.py``), and the formulas themselves (``tables/``).

A formula is a Python expression of names, numbers, texts, comparisons, ``a if condition else b`` and the
functions below. Functions over rows work their argument out for each row of ``Past`` or ``Lines``, oldest
first; a name there is a column of that row. NULL: arithmetic with it and division by zero give NULL, a
comparison with it is false, functions over rows skip it; ``x == NULL`` asks for it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

OVER_ROWS = frozenset("sum mean count known latest run back_to_backs std slope ewma league_sum".split())
"""Functions over rows: sum, mean and the like of their first argument."""
OF_VALUES = frozenset("min max abs round clamp listed missing lowest highest or_zero".split())
"""Functions of values of the row."""
ROW_OPTIONS = frozenset(("last", "all_but"))
"""``last=n``: only the latest n rows; ``all_but=n``: all but those."""

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.USub, ast.Not, ast.And, ast.Or)
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In)
_ALLOWED = (
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.keyword),
    *(ast.Name, ast.Load, ast.Constant, ast.Tuple),
    *_OPERATORS,
    *_COMPARISONS,
)


class FormulaError(ValueError):
    """A formula that says what no formula may; the message shows the text and marks the place."""

    def __init__(self, message: str, text: str, node: ast.AST | None = None) -> None:
        at = getattr(node, "col_offset", 0)
        super().__init__(f"{message}, at position {at + 1} of the formula\n  {text}\n  {' ' * at}^")


@cache
def parsed(text: str) -> ast.expr:
    """The formula as a tree. FormulaError where it says what no formula may."""
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        at = ast.Constant(None, col_offset=max((error.offset or 1) - 1, 0))
        raise FormulaError(f"this is no expression ({error.msg})", text, at) from None
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            said = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
            raise FormulaError(f"{said} is no arithmetic that a formula may hold", text, node)
        if isinstance(node, ast.Constant) and not isinstance(node.value, (int, float, str)):
            raise FormulaError(f"{node.value!r} is no number or text", text, node)
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            raise FormulaError("a comparison has two sides; use `and` for more", text, node)
        if isinstance(node, ast.Call):
            _require_function(node, text)
    return tree


def _require_function(call: ast.Call, text: str) -> None:
    name = called(call)
    if name not in OVER_ROWS | OF_VALUES:
        known = ", ".join(sorted(OVER_ROWS | OF_VALUES))
        raise FormulaError(f"{name}() is no function that a formula may call (there are {known})", text, call)
    if name in OVER_ROWS and any(k.arg not in ROW_OPTIONS for k in call.keywords):
        raise FormulaError(f"{name}() takes no option but {' and '.join(sorted(ROW_OPTIONS))}", text, call)


def called(call: ast.Call) -> str:
    """The name of the function that is called."""
    return call.func.id if isinstance(call.func, ast.Name) else ast.unparse(call.func)


def is_over_rows(node: ast.AST) -> bool:
    """Whether the node is a function over rows."""
    return isinstance(node, ast.Call) and called(node) in OVER_ROWS


def is_null(node: ast.expr) -> bool:
    """Whether the node is the word NULL."""
    return isinstance(node, ast.Name) and node.id == "NULL"


def row_options(call: ast.Call) -> dict[str, int]:
    """The options of a function over rows: ``last`` or ``all_but``."""
    return {str(k.arg): int(ast.literal_eval(k.value)) for k in call.keywords}


def names_in(text: str) -> tuple[list[str], list[str]]:
    """(names outside functions over rows, names inside them), in order of their first appearance."""
    tree = parsed(text)
    inside = [n for call in ast.walk(tree) if is_over_rows(call) for a in call.args for n in _names(a)]  # type: ignore[attr-defined]
    inner = {id(n) for n in inside}
    outside = [n for n in _names(tree) if id(n) not in inner]
    return _in_order(outside), _in_order(inside)


def uses_league(text: str) -> bool:
    """Whether the formula sums over the whole league."""
    return any(isinstance(n, ast.Call) and called(n) == "league_sum" for n in ast.walk(parsed(text)))


def _names(tree: ast.AST) -> Iterator[ast.Name]:
    functions = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    yield from (
        n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id != "NULL" and id(n) not in functions
    )


def _in_order(names: list[ast.Name]) -> list[str]:
    return list(dict.fromkeys(n.id for n in sorted(names, key=lambda n: n.col_offset)))
