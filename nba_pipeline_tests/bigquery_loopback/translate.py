"""One GoogleSQL statement into DuckDB's dialect (sqlglot), with tables, parameters and variables resolved.

Belongs here: the rewriting of a parsed statement, and BigQuery's rules that show in its text (partition
filters). Does not belong here: running it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from nba_pipeline_tests.bigquery_loopback.catalog import Table
from nba_pipeline_tests.bigquery_loopback.errors import invalid_query, not_modelled

Resolver = Callable[[exp.Table], "Table | str"]
"""A table's metadata, or the name of a prepared view (INFORMATION_SCHEMA)."""


@dataclass
class Names:
    """What the names in a statement stand for; parameters and variables are ready-made DuckDB literals."""

    resolve: Resolver
    parameters: dict[str, str]
    positional: list[str]
    variables: dict[str, str]


def parse_one(text: str) -> exp.Expr:
    try:
        found = sqlglot.parse_one(text, read="bigquery")
    except SqlglotError as wrong:
        raise invalid_query(f"Syntax error: {str(wrong).splitlines()[0]}") from wrong
    if isinstance(found, exp.Command):
        raise not_modelled(f"the statement {text[:60]!r}")
    if not isinstance(
        found,
        exp.Query
        | exp.DML
        | exp.DDL
        | exp.Alter
        | exp.Drop
        | exp.TruncateTable
        | exp.Merge
        | exp.Delete
        | exp.Update,
    ):
        # `SELEC 1` parses as the expression SELEC with the alias 1: production sees no statement.
        raise invalid_query(f'Syntax error: Unexpected identifier "{text.split()[0]}" at [1:1]')
    return found


def tables_of(tree: exp.Expr) -> list[exp.Table]:
    """The table references of a statement, without those to its own WITH clauses."""
    ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    return [
        node
        for node in tree.find_all(exp.Table)
        if isinstance(node.this, exp.Identifier) and (node.args.get("db") or node.name.lower() not in ctes)
    ]


def resolved(tree: exp.Expr, names: Names) -> tuple[exp.Expr, list[Table]]:
    """The statement for DuckDB and the tables it names; filters on partitions are checked on the way."""
    tree = tree.copy()
    used: list[Table] = []
    for node in tables_of(tree):
        target = names.resolve(node)
        if isinstance(target, Table):
            _check_partition_filter(tree, node, target)
            used.append(target)
            node.set("db", exp.to_identifier(f"{target.project}.{target.dataset}", quoted=True))
            node.set("this", exp.to_identifier(target.name, quoted=True))
        else:
            node.set("db", None)
            node.set("this", exp.to_identifier(target, quoted=True))
        node.set("catalog", None)
    _values(tree, names, used)
    _arithmetic(tree)
    return tree, used


def duck_sql(tree: exp.Expr) -> str:
    return tree.sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.IGNORE)


def _values(tree: exp.Expr, names: Names, used: list[Table]) -> None:
    for node in list(tree.find_all(exp.Parameter)):
        name = node.name.lower()
        if name not in names.parameters:
            raise invalid_query(f"Query parameter '{node.name}' not found")
        node.replace(_literal(names.parameters[name]))
    for position, mark in enumerate(list(tree.find_all(exp.Placeholder))):
        if position >= len(names.positional):
            raise invalid_query("Query has more positional parameters than were given")
        mark.replace(_literal(names.positional[position]))
    columns = {f["name"].lower() for table in used for f in table.schema}
    for column in list(tree.find_all(exp.Column)):
        name = column.name.lower()
        if (
            not column.table and name in names.variables and name not in columns
        ):  # DOC: a column hides a variable
            column.replace(_literal(names.variables[name]))


def _literal(duck: str) -> exp.Expr:
    return sqlglot.parse_one(duck, read="duckdb")


def _arithmetic(tree: exp.Expr) -> None:
    """Where the two dialects agree on the text and differ in the value."""
    for node in list(tree.find_all(exp.In)):
        if node.args.get("unnest"):
            # sqlglot's rewrite is a long CASE per row; this is the same three-valued answer.
            array = node.args["unnest"].expressions[0]
            node.replace(
                exp.In(
                    this=node.this,
                    query=exp.select(exp.Anonymous(this="UNNEST", expressions=[array])).subquery(),
                )
            )
    for kind in list(tree.find_all(exp.DataType)):
        if kind.this is exp.DataType.Type.BIGDECIMAL:
            raise not_modelled("BIGNUMERIC in a query")
        if kind.this is exp.DataType.Type.DECIMAL and not kind.expressions:
            kind.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(n)) for n in (38, 9)])
    for number in list(tree.find_all(exp.Literal)):
        # DOC: 1.5 is a FLOAT64; DuckDB would take it for a decimal.
        if (
            not number.is_string
            and not number.is_int
            and not isinstance(number.parent, exp.Cast | exp.DataTypeParam)
        ):
            number.replace(exp.cast(number.copy(), "DOUBLE"))
    for division in list(tree.find_all(exp.Div)):
        if not division.args.get("safe"):
            # DOC: a division by zero is an error, where DuckDB answers NULL.
            failure = exp.Anonymous(this="error", expressions=[exp.Literal.string("division by zero")])
            zero = exp.EQ(this=division.expression.copy(), expression=exp.Literal.number(0))
            division.set("expression", exp.paren(exp.Case().when(zero, failure).else_(division.expression)))


def _check_partition_filter(tree: exp.Expr, node: exp.Table, table: Table) -> None:
    """DOC: ``require_partition_filter`` wants a predicate on the partition column that can prune.

    ASSUMED: a comparison, BETWEEN or IN on that column in the WHERE (or ON) clause that covers the reference,
    at the top of its ANDs.
    """
    if not table.extra.get("requirePartitionFilter") or _is_insert_target(node):
        return
    day = (table.day_column or "").lower()
    scope = node.find_ancestor(exp.Select, exp.Delete, exp.Update, exp.Merge)
    clauses = []
    if scope is not None:
        where = scope.args.get("where")
        clauses = [where.this] if where else []
        clauses += [join.args["on"] for join in scope.args.get("joins") or [] if join.args.get("on")]
        if isinstance(scope, exp.Merge):
            clauses += [
                scope.args["on"],
                *(w.args["condition"] for w in scope.find_all(exp.When) if w.args.get("condition")),
            ]
    for clause in clauses:
        for part in clause.flatten() if isinstance(clause, exp.And) else [clause]:
            predicate = part.unnest()
            if isinstance(
                predicate, exp.EQ | exp.LT | exp.LTE | exp.GT | exp.GTE | exp.Between | exp.In
            ) and any(column.name.lower() == day for column in predicate.find_all(exp.Column)):
                return
    raise invalid_query(
        f"Cannot query over table '{table.sql_name}' without a filter over column(s) '{table.day_column}' "
        "that can be used for partition elimination"
    )


def _is_insert_target(node: exp.Table) -> bool:
    parent: Any = node.parent
    target: Any = node
    if isinstance(parent, exp.Schema):
        parent, target = parent.parent, parent
    return isinstance(parent, exp.Insert) and parent.this is target
