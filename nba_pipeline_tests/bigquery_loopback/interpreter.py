"""Scripts, statement by statement: variables, conditions, transactions, and what each statement answers.

Belongs here: the procedural language and transactions.
Does not belong here: single statements of data definition (``ddl``), translation (``translate``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
from sqlglot import exp

from nba_pipeline_tests.bigquery_loopback import encode, fields, translate
from nba_pipeline_tests.bigquery_loopback.answers import Answer, query_error
from nba_pipeline_tests.bigquery_loopback.catalog import Table
from nba_pipeline_tests.bigquery_loopback.errors import BigQueryError, invalid_query, not_modelled
from nba_pipeline_tests.bigquery_loopback.fields import Field
from nba_pipeline_tests.bigquery_loopback.quotas import PARTITIONS_PER_TRANSACTION, TABLES_PER_TRANSACTION
from nba_pipeline_tests.bigquery_loopback.script import Block, If, Node, Statement, parse

if TYPE_CHECKING:
    from nba_pipeline_tests.bigquery_loopback.jobs import Job
    from nba_pipeline_tests.bigquery_loopback.service import Service

_BEGIN = re.compile(r"BEGIN(\s+TRANSACTION)?", re.IGNORECASE)
_COMMIT = re.compile(r"COMMIT(\s+TRANSACTION)?", re.IGNORECASE)
_ROLLBACK = re.compile(r"ROLLBACK(\s+TRANSACTION)?", re.IGNORECASE)
_DECLARE = re.compile(
    r"DECLARE\s+(?P<names>\w+(?:\s*,\s*\w+)*)(?:\s+(?P<type>(?!DEFAULT\b)[\w<>(),"
    r" ]+?))?(?:\s+DEFAULT\s+(?P<value>.+))?",
    re.IGNORECASE | re.DOTALL,
)
_SET = re.compile(r"SET\s+(?P<name>\w+)\s*=\s*(?P<value>.+)", re.IGNORECASE | re.DOTALL)
_ASSERT = re.compile(
    r"ASSERT\b(?P<condition>.+?)(?:\s+AS\s+(?P<message>'[^']*'|\"[^\"]*\"))?", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class Statements:
    """What runs single statements, handed to the interpreter: changes of rows, and definitions of tables."""

    change: Callable[[Interpreter, exp.Expr], Answer]
    define: Callable[[Interpreter, exp.Expr], Answer]


class Interpreter:
    """Runs the text of one query job on a cursor of its own."""

    def __init__(
        self,
        service: Service,
        job: Job,
        parameters: dict[str, str],
        positional: list[str],
        statements: Statements,
    ) -> None:
        self.service, self.job, self.statements = service, job, statements
        self.cursor: duckdb.DuckDBPyConnection = service.storage.cursor()
        self.variables: dict[str, str] = {}
        self.parameters, self.positional = parameters, positional
        self.transaction: set[str] | None = None
        self.partitions_changed = 0
        self.answers: list[Answer] = []

    def run(self, text: str) -> list[Answer]:
        """All answers in order. An error ends the script, and an open transaction with it (DOC)."""
        nodes = parse(text)
        try:
            for node in nodes:
                self.node(node)
            if self.transaction is not None:
                self.rollback()  # DOC: a script that ends inside a transaction rolls it back
        except BaseException:
            self.rollback()
            raise
        finally:
            self.service.writers.release(self.job.id)
        return self.answers

    def node(self, node: Node) -> None:
        self.job.check_cancelled()
        if isinstance(node, Statement):
            self.service.between_statements(self.job, node.text)
            self.statement(node.text)
        elif isinstance(node, If):
            chosen = next(
                (body for condition, body in node.branches if self.scalar(condition) is True), node.otherwise
            )
            for inner in chosen:
                self.node(inner)
        elif isinstance(node, Block):
            self.block(node)

    def block(self, node: Block) -> None:
        try:
            for inner in node.body:
                self.node(inner)
        except BigQueryError:
            if node.handler is None:
                raise
            for inner in node.handler:
                self.node(inner)

    def statement(self, text: str) -> None:
        if _BEGIN.fullmatch(text):
            return self.begin()
        if _COMMIT.fullmatch(text):
            return self.commit()
        if _ROLLBACK.fullmatch(text):
            if self.transaction is None:
                raise invalid_query("There is no transaction to roll back.")
            return self.rollback()
        if found := _DECLARE.fullmatch(text):
            return self.declare(found)
        if found := _SET.fullmatch(text):
            if found["name"].lower() not in self.variables:
                raise invalid_query(f"Undeclared variable: {found['name']}")
            self.variables[found["name"].lower()] = self.literal(found["value"])
            return None
        if found := _ASSERT.fullmatch(text):
            if self.scalar(found["condition"]) is not True:
                raise invalid_query((found["message"] or "'Assertion failed'")[1:-1])
            return None
        self.answers.append(self.sql(translate.parse_one(text)))
        return None

    # --- transactions
    # -------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        if self.transaction is not None:
            raise invalid_query("Transaction control statement not allowed: a transaction is already active.")
        self.cursor.execute("BEGIN TRANSACTION")
        self.transaction = set()
        self.partitions_changed = 0

    def commit(self) -> None:
        if self.transaction is None:
            raise invalid_query("There is no transaction to commit.")
        try:
            self.cursor.execute("COMMIT")
        except duckdb.TransactionException as conflict:
            raise invalid_query("Transaction is aborted due to concurrent update.") from conflict
        finally:
            self.transaction = None
            self.service.writers.release(self.job.id)

    def rollback(self) -> None:
        if self.transaction is not None:
            self.transaction = None
            self.cursor.execute("ROLLBACK")
            self.service.writers.release(self.job.id)

    # --- expressions
    # --------------------------------------------------------------------------------------------------

    def declare(self, found: re.Match[str]) -> None:
        value = self.literal(found["value"]) if found["value"] else "NULL"
        if found["type"] and value != "NULL" and "<" not in found["type"]:
            name = found["type"].split("(")[0].strip().upper()
            if name not in fields.SQL_NAMES:
                raise invalid_query(f"Type not found: {found['type']}")
            value = (
                f"CAST({value} AS {fields.duck_type({'type': fields.SQL_NAMES[name], 'mode': 'NULLABLE'})})"
            )
        for name in found["names"].split(","):
            self.variables[name.strip().lower()] = value

    def scalar(self, expression: str) -> Any:
        answer = self.select(translate.parse_one(f"SELECT ({expression})"))
        assert answer.rows is not None
        return answer.rows.column(0)[0].as_py()

    def literal(self, expression: str) -> str:
        """The value of an expression as a DuckDB literal."""
        sql, _ = self.resolved(translate.parse_one(f"SELECT ({expression}) AS v"))
        return str(
            self.execute(f"SELECT to_literal FROM (SELECT {_LITERAL} AS to_literal FROM ({sql}))").fetchall()[
                0
            ][0]
        )

    # --- statements
    # ---------------------------------------------------------------------------------------------------

    def names(self) -> translate.Names:
        return translate.Names(self.resolve, self.parameters, self.positional, self.variables)

    def resolve(self, node: exp.Table) -> Table | str:
        return self.service.resolve(node, self.job, self.cursor)

    def resolved(self, tree: exp.Expr) -> tuple[str, list[Table]]:
        found, used = translate.resolved(tree, self.names())
        return translate.duck_sql(found), used

    def sql(self, tree: exp.Expr) -> Answer:
        if isinstance(tree, exp.Insert | exp.Update | exp.Delete | exp.Merge | exp.TruncateTable):
            return self.statements.change(self, tree)
        if isinstance(tree, exp.Create | exp.Drop | exp.Alter):
            if self.transaction is not None:  # DOC: only temporary objects may be made in a transaction
                raise invalid_query(
                    "DDL statements are not supported in a transaction, except for those on temporary"
                    " entities."
                )
            return self.statements.define(self, tree)
        if isinstance(tree, exp.Query):
            return self.select(tree)
        raise not_modelled(f"the statement {type(tree).__name__}")

    def select(self, tree: exp.Expr) -> Answer:
        sql, used = self.resolved(tree)
        self.check_queryable(used)
        try:
            relation = self.cursor.sql(sql)
            schema = [
                encode.result_field(n, str(t), i)
                for i, (n, t) in enumerate(zip(relation.columns, relation.types, strict=True))
            ]
            rows = relation.to_arrow_table()
        except duckdb.Error as wrong:
            raise query_error(wrong) from wrong
        return Answer("SELECT", _named(schema, tree), rows)

    def check_queryable(self, used: list[Table]) -> None:
        for table in used:
            if any(f["type"] == "BIGNUMERIC" for f in table.schema):
                raise not_modelled(f"queries of {table.sql_name}, which has a BIGNUMERIC column")

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        try:
            return self.cursor.execute(sql)
        except duckdb.Error as wrong:
            raise query_error(wrong) from wrong

    def writing(self, table: Table) -> None:
        """Make this job the one that changes ``table``: until the end of the transaction, or of the
        statement."""
        self.service.writers.acquire(table.full_name, self.job.id, transaction=self.transaction is not None)
        if self.transaction is not None:
            self.transaction.add(table.full_name)
            if len(self.transaction) > TABLES_PER_TRANSACTION:
                raise invalid_query(f"A transaction can mutate at most {TABLES_PER_TRANSACTION} tables.")

    def changed_partitions(self, count: int) -> None:
        self.partitions_changed += count
        if self.transaction is not None and self.partitions_changed > PARTITIONS_PER_TRANSACTION:
            raise invalid_query(f"A transaction can modify at most {PARTITIONS_PER_TRANSACTION} partitions.")

    def written(self) -> None:
        if self.transaction is None:
            self.service.writers.release(self.job.id)


_LITERAL = """CASE WHEN v IS NULL THEN 'NULL'
WHEN typeof(v) IN ('VARCHAR', 'DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'TIME')
THEN 'CAST(''' || replace(CAST(v AS VARCHAR), '''', '''''') || ''' AS ' || typeof(v) || ')'
WHEN typeof(v) LIKE 'DATE[]' THEN 'CAST(''' || CAST(v AS VARCHAR) || ''' AS DATE[])'
ELSE 'CAST(''' || replace(CAST(v AS VARCHAR), '''', '''''') || ''' AS ' || typeof(v) || ')' END"""


def _named(schema: list[Field], tree: exp.Expr) -> list[Field]:
    """DOC: a column without a name of its own is called f0_, f1_, ...; DuckDB would show its expression."""
    if not isinstance(tree, exp.Query) or any(isinstance(s, exp.Star) or s.is_star for s in tree.selects):
        return schema
    names = [select.alias_or_name for select in tree.selects]
    anonymous = 0
    for position, item in enumerate(schema):
        if position < len(names) and names[position] and names[position] != "*":
            continue
        item["name"], anonymous = f"f{anonymous}_", anonymous + 1
    return schema
