"""INSERT, UPDATE, DELETE, MERGE and TRUNCATE: the rules before the statement runs, and the counts after it.

Belongs here: one mutating statement.
Does not belong here: transactions (``interpreter``), who may write (``storage.Writers``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp

from nba_pipeline_tests.bigquery_loopback import encode, fields, translate
from nba_pipeline_tests.bigquery_loopback.answers import Answer, query_error
from nba_pipeline_tests.bigquery_loopback.catalog import Table
from nba_pipeline_tests.bigquery_loopback.errors import invalid_query
from nba_pipeline_tests.bigquery_loopback.quotas import PARTITIONS_PER_JOB, too_many_partitions

if TYPE_CHECKING:
    from nba_pipeline_tests.bigquery_loopback.interpreter import Interpreter

# DOC: the implicit coercions of query results into columns.
_COERCES = {
    ("INTEGER", "NUMERIC"),
    ("INTEGER", "FLOAT"),
    ("NUMERIC", "FLOAT"),
    ("DATE", "DATETIME"),
    ("DATE", "TIMESTAMP"),
    ("STRING", "JSON"),
}

_NAMES: dict[type, str] = {
    exp.Insert: "INSERT",
    exp.Update: "UPDATE",
    exp.Delete: "DELETE",
    exp.Merge: "MERGE",
    exp.TruncateTable: "TRUNCATE_TABLE",
}


def run(interpreter: Interpreter, tree: exp.Expr) -> Answer:
    target = _target(interpreter, tree)
    interpreter.writing(target)
    try:
        interpreter.service.counters.add(interpreter.service.counters.dml, target.full_name)
        if isinstance(tree, exp.Delete | exp.Update) and not tree.args.get("where"):  # DOC
            raise invalid_query(f"{type(tree).__name__.upper()} must have a WHERE clause at [1:1]")
        if target.streamed and not isinstance(tree, exp.Insert):  # DOC: for up to 30 minutes; here for good
            raise invalid_query(
                f"{_NAMES.get(type(tree), 'UPDATE or DELETE')} statement over table {target.sql_name} would"
                " affect rows in the streaming buffer, which is not supported"
            )
        tree = tree.copy()
        _spell_out(interpreter, tree, target)
        kind = _NAMES[type(tree)]
        if isinstance(tree, exp.TruncateTable):
            tree = exp.delete(exp.to_table(target.sql_name, dialect="bigquery"))
        found, used = translate.resolved(tree, interpreter.names())
        interpreter.check_queryable(used)
        if isinstance(tree, exp.Insert):
            _check_types(interpreter, tree, found, target)
        _count_partitions(interpreter, tree, found, target)
        try:
            result = interpreter.cursor.execute(translate.duck_sql(found)).fetchall()
        except duckdb.TransactionException as conflict:
            raise invalid_query(
                f"Transaction is aborted due to concurrent update against table {target.full_name}."
            ) from conflict
        except duckdb.Error as wrong:
            raise query_error(wrong) from wrong
    finally:
        interpreter.written()
    affected = int(result[0][0]) if result else 0
    counts = {"INSERT": "insertedRowCount", "UPDATE": "updatedRowCount", "DELETE": "deletedRowCount"}
    return Answer(kind, affected=affected, dml={counts[kind]: str(affected)} if kind in counts else {})


def _target(interpreter: Interpreter, tree: exp.Expr) -> Table:
    node = tree.expressions[0] if isinstance(tree, exp.TruncateTable) else tree.this
    node = node.this if isinstance(node, exp.Schema) else node
    table = interpreter.resolve(node)
    if not isinstance(table, Table):
        raise invalid_query(f"{node.name} cannot be changed")
    return table


def _spell_out(interpreter: Interpreter, tree: exp.Expr, target: Table) -> None:
    """DOC: an INSERT without a column list, and MERGE's INSERT ROW, mean all columns of the table in
    order."""
    names = [exp.Identifier(this=f["name"], quoted=True) for f in target.schema]
    if isinstance(tree, exp.Insert) and not isinstance(tree.this, exp.Schema):
        tree.set("this", exp.Schema(this=tree.this, expressions=names))
    if isinstance(tree, exp.Insert):
        for column in tree.this.expressions:
            if target.column(column.name) is None:
                raise invalid_query(f"Column {column.name} is not present in table {target.sql_name}")
    if isinstance(tree, exp.Merge):
        source = tree.args["using"].alias_or_name
        for insert in tree.find_all(exp.Insert):
            if insert.this is None or (
                isinstance(insert.this, exp.Var) and insert.this.name.upper() == "ROW"
            ):
                insert.set("this", exp.Tuple(expressions=names))
                insert.set(
                    "expression",
                    exp.Tuple(expressions=[exp.column(n.name, table=source, quoted=True) for n in names]),
                )


def _check_types(interpreter: Interpreter, tree: exp.Insert, found: exp.Expr, target: Table) -> None:
    """DOC: a query's column is inserted if its type is the column's or coerces to it; literals and parameters
    coerce further."""
    query = found.expression
    if not isinstance(query, exp.Query):
        return
    try:
        relation = interpreter.cursor.sql(translate.duck_sql(query))
        given = [
            encode.result_field(n, str(t), i)
            for i, (n, t) in enumerate(zip(relation.columns, relation.types, strict=True))
        ]
    except duckdb.Error as wrong:
        raise query_error(wrong) from wrong
    columns = [target.column(c.name) for c in tree.this.expressions]
    if len(given) != len(columns):
        raise invalid_query(f"Inserted row has wrong column count; Has {len(given)}, expected {len(columns)}")
    literal = (
        [isinstance(s.unalias(), exp.Literal | exp.Null | exp.Cast | exp.Neg) for s in query.selects]
        if isinstance(query, exp.Select)
        else []
    )
    for position, (column, source) in enumerate(zip(columns, given, strict=True)):
        assert column is not None
        fine = source["type"] == column["type"] or (source["type"], column["type"]) in _COERCES
        if not fine and not (len(literal) == len(given) and literal[position]):
            raise invalid_query(
                f"Query column {position + 1} has type {fields.standard_type(source)} which cannot be"
                f" inserted into column {column['name']}, which has type"
                f" {fields.standard_type({**column, 'mode': 'NULLABLE'}).split('(')[0]}"
            )


def _count_partitions(interpreter: Interpreter, tree: exp.Expr, found: exp.Expr, target: Table) -> None:
    """DOC: one statement changes at most 4,000 partitions. Counted for INSERT ... SELECT and DELETE."""
    day = target.day_column
    if day is None:
        return
    if isinstance(tree, exp.Insert) and isinstance(found.expression, exp.Query):
        names = [c.name.lower() for c in tree.this.expressions]
        if day.lower() not in names:
            return
        aliases = ", ".join(f"c{i}" for i in range(len(names)))
        query = (
            f"SELECT COUNT(DISTINCT c{names.index(day.lower())}) FROM"
            f" ({translate.duck_sql(found.expression)}) AS q({aliases})"
        )
    elif isinstance(tree, exp.Delete):
        where = found.args.get("where")
        query = (
            f'SELECT COUNT(DISTINCT "{day}") FROM {translate.duck_sql(found.this)}'
            f" {translate.duck_sql(where) if where else ''}"
        )
    else:
        return
    partitions = int(interpreter.execute(query).fetchall()[0][0])
    if partitions > PARTITIONS_PER_JOB:
        raise too_many_partitions(partitions)
    interpreter.changed_partitions(partitions)
