"""The gate: is this GoogleSQL, against these tables? Asked of ZetaSQL, Google's own analyzer (the package is
alpha: pinned).

Belongs here: the analysis of statements, schemas as ZetaSQL's catalog, parameters as its types.
Does not belong here: which statements the pipeline sends (the tests of the warehouse collect those).

What it says and does not say: names, types, functions and the grammar are judged by the analyzer that
BigQuery is built on; BigQuery's own restrictions (a WHERE clause on every DELETE, quotas, partition filters,
which OPTIONS exist) are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import pytest
from google.cloud import bigquery

try:
    import wasmtime
    import zetasql.core.wasm_client as wasm_client
    import zetasql.types as zt
    from zetasql.api import Analyzer, CatalogBuilder, TableBuilder, TypeFactory
    from zetasql.core.local_service import ZetaSqlLocalService

    ABSENT = ""
except ImportError as missing:
    ABSENT = f"zetasql 0.1.5 is not installed here ({missing}); no statement was checked by Google's analyzer"

Schemas = Mapping[str, Iterable[bigquery.SchemaField]]
"""Full table name as SQL writes it without the backticks (``project.dataset.table``) -> its columns."""
Parameters = Sequence[bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter]


class NotGoogleSql(AssertionError):
    """The analyzer refuses a statement: its words, and the text from the refused statement on."""


def check(text: str, schemas: Schemas, parameters: Parameters = ()) -> list[str]:
    """Analyse every statement of ``text``; returns their kinds (``["BeginStmt", "DeleteStmt", ...]``).

    Raises NotGoogleSql for the first statement that is refused. Skips the test, with the reason, without the
    package.
    """
    if ABSENT:
        pytest.skip(ABSENT)
    service = (
        _service()
    )  # before anything else: the package's helpers make one of their own, uncached, if there is none
    analyzer = Analyzer(_options(parameters), _catalog(schemas), service)
    location = zt.ParseResumeLocation(input=text, byte_position=0)
    size, kinds = len(text.encode()), []
    # find_statement_boundaries() swallows errors; this loop meets each of them.
    while (location.byte_position or 0) < size and text.encode()[location.byte_position or 0 :].strip():
        before = location.byte_position or 0
        try:
            statement = analyzer.analyze_next_statement(location)
        except Exception as refused:
            raise NotGoogleSql(f"{refused}\n{text.encode()[before:].decode()}") from refused
        if statement is None or (location.byte_position or 0) <= before:
            raise NotGoogleSql(
                f"the analyzer stopped without a word at byte {before}\n{text.encode()[before:].decode()}"
            )
        kinds.append(type(statement).__name__.removeprefix("Resolved"))
    return kinds


@cache
def _service() -> Any:
    """The analyzer: 13 to 20 s to compile for the first time on a machine, a second from wasmtime's cache
    after that."""

    class Cached(wasmtime.Config):
        def __init__(self) -> None:
            super().__init__()
            self.cache = True

    original, wasm_client.Config = wasm_client.Config, Cached
    try:
        return ZetaSqlLocalService.get_instance()
    finally:
        wasm_client.Config = original


@cache
def _language() -> Any:
    """All released features in the external product mode: INT64 and FLOAT64, no INT32 and DOUBLE, as in
    BigQuery."""
    language = zt.LanguageOptions.maximum_features()
    language.product_mode = zt.ProductMode.PRODUCT_EXTERNAL
    language.name_resolution_mode = zt.NameResolutionMode.NAME_RESOLUTION_DEFAULT
    # BigQuery has it (DOC), the analyzer counts it among the unfinished ones.
    language.enabled_language_features.append(zt.LanguageFeature.FEATURE_ALTER_COLUMN_SET_DATA_TYPE)
    return language


def _options(parameters: Parameters) -> Any:
    found = zt.AnalyzerOptions(language_options=_language(), parameter_mode=zt.ParameterMode.PARAMETER_NAMED)
    for parameter in parameters:
        resource = parameter.to_api_repr()
        kind = resource["parameterType"]
        element = _type(
            kind["arrayType"]["type"] if kind["type"] == "ARRAY" else kind["type"],
            repeated=kind["type"] == "ARRAY",
        )
        found.query_parameters.append(zt.AnalyzerOptions.QueryParameter(name=resource["name"], type=element))
    return found


def _catalog(schemas: Schemas) -> Any:
    builder = CatalogBuilder("bigquery")
    for name, columns in schemas.items():
        # A table's name is one backticked path in all that we send, which is one name to ZetaSQL.
        table = TableBuilder(name)
        for column in columns:
            table.add_column(column.name, _type(column.field_type, repeated=column.mode == "REPEATED"))
        builder.add_table(table.build())
    return builder.with_builtin_functions(
        zt.ZetaSQLBuiltinFunctionOptions(language_options=_language())
    ).build()


_STANDARD = {"INTEGER": "INT64", "FLOAT": "DOUBLE", "FLOAT64": "DOUBLE", "BOOLEAN": "BOOL"}


def _type(name: str, *, repeated: bool) -> Any:
    kind = getattr(zt.TypeKind, f"TYPE_{_STANDARD.get(name, name)}")
    found = TypeFactory.create_simple_type(kind)
    return TypeFactory.create_array_type(found) if repeated else found
