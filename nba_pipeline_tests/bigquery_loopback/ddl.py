"""CREATE TABLE, ALTER TABLE and DROP TABLE.

Belongs here: data definition statements and their OPTIONS.
Does not belong here: the same changes through the API (``catalog.patch``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from nba_pipeline_tests.bigquery_loopback import catalog, fields
from nba_pipeline_tests.bigquery_loopback.answers import Answer
from nba_pipeline_tests.bigquery_loopback.catalog import Table
from nba_pipeline_tests.bigquery_loopback.errors import BigQueryError, invalid_query, not_modelled
from nba_pipeline_tests.bigquery_loopback.fields import Field

if TYPE_CHECKING:
    from nba_pipeline_tests.bigquery_loopback.interpreter import Interpreter


def run(interpreter: Interpreter, tree: exp.Expr) -> Answer:
    if str(tree.args.get("kind", "")).upper() not in {"TABLE", "SCHEMA"}:
        raise not_modelled(f"DDL of a {tree.args.get('kind')}")
    if isinstance(tree, exp.Create):
        return (
            _create_dataset(interpreter, tree)
            if str(tree.args["kind"]).upper() == "SCHEMA"
            else _create(interpreter, tree)
        )
    if isinstance(tree, exp.Drop):
        return _drop(interpreter, tree)
    assert isinstance(tree, exp.Alter)
    return _alter(interpreter, tree)


def _address(interpreter: Interpreter, node: exp.Table) -> tuple[str, str, str]:
    return interpreter.service.address(node, interpreter.job)


def _create_dataset(interpreter: Interpreter, tree: exp.Create) -> Answer:
    project = tree.this.args["catalog"].name if tree.this.args.get("catalog") else interpreter.job.project
    options = _options(tree.args["properties"].expressions) if tree.args.get("properties") else {}
    body = {
        "datasetReference": {"datasetId": tree.this.db},
        "location": options.get("location", interpreter.job.location),
    }
    try:
        interpreter.service.create_dataset(project, body)
    except BigQueryError as error:
        if error.reason != "duplicate" or not tree.args.get("exists"):
            raise
    return Answer("CREATE_SCHEMA")


def _create(interpreter: Interpreter, tree: exp.Create) -> Answer:
    service = interpreter.service
    node = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    project, dataset, name = _address(interpreter, node)
    home = service.catalog.dataset(project, dataset, interpreter.job.location)
    statement = "CREATE_TABLE_AS_SELECT" if tree.expression else "CREATE_TABLE"
    if name in home.tables and tree.args.get("exists"):
        return Answer(statement)
    body: dict[str, Any] = {"tableReference": {"projectId": project, "datasetId": dataset, "tableId": name}}
    rows = None
    if tree.expression:
        answer = interpreter.select(tree.expression)
        rows, schema = answer.rows, answer.schema or []
        body["schema"] = {
            "fields": [{**f, "mode": "NULLABLE"} if f["mode"] == "REQUIRED" else f for f in schema]
        }
    if isinstance(tree.this, exp.Schema):
        body["schema"] = {
            "fields": [_field(c) for c in tree.this.expressions if isinstance(c, exp.ColumnDef)]
        }
    _properties(interpreter, tree, body)
    if tree.args.get("replace") and name in home.tables:
        service.drop_table(home.tables[name])
    table = service.create_table(project, dataset, body)
    if rows is not None:
        service.storage.put(table, rows.rename_columns([f["name"] for f in table.schema]), delete=None)
    return Answer(statement)


def _properties(interpreter: Interpreter, tree: exp.Create, body: dict[str, Any]) -> None:
    properties = tree.args["properties"].expressions if tree.args.get("properties") else []
    for item in properties:
        if isinstance(item, exp.PartitionedByProperty):
            if not isinstance(item.this, exp.Identifier | exp.Column):
                raise not_modelled(f"PARTITION BY {item.this.sql(dialect='bigquery')}")
            body["timePartitioning"] = {"type": "DAY", "field": item.this.name}
        elif isinstance(item, exp.ClusterProperty | exp.Cluster):
            body["clustering"] = {"fields": [c.name for c in item.expressions]}
        elif isinstance(item, exp.LikeProperty):
            like = interpreter.resolve(item.this)
            assert isinstance(like, Table)
            # DOC: LIKE copies columns, partitioning, clustering and options, and no rows.
            body |= {
                "schema": {"fields": like.schema},
                **{k: v for k, v in like.extra.items() if k != "expirationTime"},
            }
            body |= {"timePartitioning": like.partitioning} if like.partitioning else {}
        elif type(item) is not exp.Property:
            raise not_modelled(f"{type(item).__name__} of CREATE TABLE")
    options = _options([p for p in properties if type(p) is exp.Property])
    if "partition_expiration_days" in options:
        body["timePartitioning"] = {
            **body.get("timePartitioning", {}),
            "expirationMs": str(int(options.pop("partition_expiration_days")) * 86_400_000),
        }
    body |= _table_options(options)


def _options(properties: list[exp.Expr]) -> dict[str, Any]:
    return {p.name.lower(): _value(p.args["value"]) for p in properties}


def _value(node: exp.Expr) -> Any:
    if isinstance(node, exp.Literal):
        return node.this if node.is_string else float(node.this) if "." in node.this else int(node.this)
    if isinstance(node, exp.Boolean):
        return node.this
    if isinstance(node, exp.Null):
        return None
    if isinstance(node, exp.Array | exp.Tuple):
        return [_value(e) for e in node.expressions]
    if isinstance(node, exp.Paren):
        return _value(node.this)
    return node  # an expression such as TIMESTAMP_ADD(...): whoever uses the option says so


def _table_options(options: dict[str, Any]) -> dict[str, Any]:
    """OPTIONS(...) as properties of the API's table resource."""
    body: dict[str, Any] = {}
    for name, value in options.items():
        if name == "labels":
            body["labels"] = dict(value or [])
        elif name == "expiration_timestamp":
            body["expirationTime"] = None if value is None else _expiration(value)
        elif name in {"description", "friendly_name", "require_partition_filter"}:
            body[
                {"friendly_name": "friendlyName", "require_partition_filter": "requirePartitionFilter"}.get(
                    name, name
                )
            ] = value
        else:
            raise not_modelled(f"the table option {name}")
    return body


def _expiration(value: Any) -> str:
    """Milliseconds of a TIMESTAMP literal, or of TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL n unit)."""
    import duckdb

    text = f"'{value}'" if isinstance(value, str) else value.sql(dialect="duckdb")
    try:
        found = duckdb.connect().execute(f"SELECT epoch_ms(CAST({text} AS TIMESTAMPTZ))").fetchall()[0][0]
    except duckdb.Error as wrong:
        raise invalid_query(f"expiration_timestamp: {wrong}") from wrong
    return str(found)


def _field(column: exp.ColumnDef) -> Field:
    kind = column.args["kind"]
    mode = "NULLABLE"
    if kind.this is exp.DataType.Type.ARRAY:
        kind, mode = kind.expressions[0], "REPEATED"
    name = kind.sql(dialect="bigquery").split("(")[0].upper()
    if name not in fields.SQL_NAMES:
        raise invalid_query(f"Type not found: {name}")
    found: Field = {"name": column.name, "type": fields.SQL_NAMES[name], "mode": mode}
    for parameter, value in zip(("precision", "scale"), kind.expressions, strict=False):
        found[parameter] = value.name
    for constraint in column.args.get("constraints") or []:
        inner = constraint.args["kind"]
        if isinstance(inner, exp.NotNullColumnConstraint):
            found["mode"] = "REQUIRED"
        elif isinstance(inner, exp.Properties):
            found |= {k: v for k, v in _options(inner.expressions).items() if k == "description"}
        else:
            raise not_modelled(f"the column constraint {inner.sql(dialect='bigquery')}")
    return fields.normalized(found)


def _drop(interpreter: Interpreter, tree: exp.Drop) -> Answer:
    if str(tree.args["kind"]).upper() != "TABLE":
        raise not_modelled("DROP SCHEMA")
    dropped = tree.args.get("tables") or [tree.this]  # sqlglot's newer releases take several
    if len(dropped) > 1:
        raise not_modelled("DROP TABLE of several tables")
    try:
        project, dataset, name = _address(interpreter, dropped[0])
        table = interpreter.service.catalog.table(project, dataset, name, interpreter.job.location)
    except BigQueryError as error:
        if error.reason == "notFound" and tree.args.get("exists"):
            return Answer("DROP_TABLE")
        raise
    with interpreter.service.writers.writing(table.full_name, interpreter.job.id):
        interpreter.service.drop_table(table)
    return Answer("DROP_TABLE")


def _alter(interpreter: Interpreter, tree: exp.Alter) -> Answer:
    table = interpreter.resolve(tree.this)
    assert isinstance(table, Table)
    service = interpreter.service
    with service.writers.writing(table.full_name, interpreter.job.id):
        service.counters.add(service.counters.metadata, table.full_name)
        for action in tree.args["actions"]:
            if isinstance(action, exp.ColumnDef):
                _add_column(interpreter, table, action)
            elif isinstance(action, exp.AlterColumn):
                _alter_column(interpreter, table, action)
            elif isinstance(action, exp.AlterSet):
                _set_options(table, action)
            elif isinstance(action, exp.Drop):
                _drop_column(interpreter, table, action)
            else:
                raise not_modelled(f"ALTER TABLE ... {action.sql(dialect='bigquery')}")
        table.touch()
    return Answer("ALTER_TABLE")


def _add_column(interpreter: Interpreter, table: Table, action: exp.ColumnDef) -> None:
    if table.column(action.name) is not None:
        if action.args.get("exists"):
            return
        raise invalid_query(f"Column already exists: {action.name} at [1:1]")
    found = _field(action)
    if found["mode"] == "REQUIRED":  # DOC
        raise invalid_query(f"Cannot add REQUIRED column {action.name} to an existing table")
    interpreter.service.storage.add_columns(table, [found])
    table.schema = [*table.schema, found]


def _alter_column(interpreter: Interpreter, table: Table, action: exp.AlterColumn) -> None:
    old = table.column(action.name)
    if old is None:
        raise invalid_query(f"Column not found: {action.name}")
    new = dict(old)
    if action.args.get("dtype"):
        asked = _field(exp.ColumnDef(this=exp.to_identifier(action.name), kind=action.args["dtype"]))
        new = {k: v for k, v in old.items() if k not in {"precision", "scale"}}
        new |= {k: asked[k] for k in ("type", "precision", "scale") if k in asked}
        if not fields.widened(old, new):
            raise invalid_query(
                "ALTER TABLE ALTER COLUMN SET DATA TYPE requires that the existing column type"
                f" ({fields.standard_type(old)}) is assignable to the new type ({fields.standard_type(new)})"
            )
        interpreter.service.storage.set_type(table, new)
    elif action.args.get("allow_null"):
        new["mode"] = "NULLABLE"
        if old["mode"] == "REQUIRED":
            interpreter.service.storage.drop_not_null(table, old["name"])
    else:
        raise not_modelled(f"ALTER COLUMN {action.sql(dialect='bigquery')}")
    table.schema = [new if f is old else f for f in table.schema]


def _drop_column(interpreter: Interpreter, table: Table, action: exp.Drop) -> None:
    column = table.column(action.this.name)
    if column is None:
        if action.args.get("exists"):
            return
        raise invalid_query(f"Column not found: {action.this.name}")
    if column["name"] == table.day_column or column["name"] in (table.extra.get("clustering") or {}).get(
        "fields", []
    ):  # DOC
        raise invalid_query(
            f"Column {column['name']} is a partitioning or clustering column and cannot be dropped"
        )
    interpreter.service.storage.drop_column(table, column["name"])
    table.schema = [f for f in table.schema if f is not column]


def _set_options(table: Table, action: exp.AlterSet) -> None:
    properties = [p for group in action.expressions for p in group.expressions]
    options = _options(properties)
    if "partition_expiration_days" in options and table.partitioning:
        days = options.pop("partition_expiration_days")
        kept = {k: v for k, v in table.partitioning.items() if k != "expirationMs"}
        table.partitioning = kept if days is None else kept | {"expirationMs": str(int(days) * 86_400_000)}
    for key, value in _table_options(options).items():
        if value in (None, {}, []):
            table.extra.pop(key, None)
        else:
            table.extra[key] = value
    catalog.check_clustering(table, table.extra.get("clustering"))
