"""Writing days: one load into a staging table, one script that swaps rows and manifest together.

Belongs here: the Parquet of a write, its staging schema, its script, its ids, and ``Writer``.
Does not belong here: which days need a write (``bigquery.py``), retries and waiting (``bigquery_jobs.py``).

A write of one table costs two jobs, whatever the number of days:

1. a load (WRITE_TRUNCATE) into a staging table of its own, named after the write. The dataset of the staging
  tables lets
   them expire after a day, so what a crash leaves behind disappears by itself.
2. a script: a guard that counts what was staged, then in one transaction DELETE and INSERT of the days' rows
  and of their
   manifest rows, then DROP of the staging table. Rows and manifest change together or not at all.

A single day goes the same way. Loading it into ``table$YYYYMMDD`` would be one job less, but could not change
the manifest with it: a crash in between would leave a day whose manifest speaks of other rows.

The manifest rows travel in the staging table too, as rows whose ``manifest_content_hash`` is set and whose
other columns are NULL but for the day. So an empty day needs no special case, and the script's text does not
grow with the days.
"""

from __future__ import annotations

import hashlib
import io
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from google.cloud import bigquery

from nba_pipeline.tables.render.arrow import arrow_schema
from nba_pipeline.tables.render.bigquery import LABELS, MANIFEST_FIELDS, Address, quoted, schema_fields
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.base import ManifestEntry
from nba_pipeline.warehouse.bigquery.errors import REMOTE_ERRORS, Trouble, trouble_of
from nba_pipeline.warehouse.bigquery.jobs import Runner
from nba_pipeline.warehouse.bigquery.quota import write_cost
from nba_pipeline.warehouse.prepare import Prepared
from nba_pipeline.warehouse.quota import Cost

LOAD, SWAP = "nba_load_", "nba_swap_"
"""How the ids of the two jobs begin; the name of the write follows."""

_ROUNDS = 3  # of staging again, after the staging table was found gone
_MARK = "manifest_"
_MARKED = [f.name for f in MANIFEST_FIELDS if f.name != Table.partition_column]
_ARROW = {"INTEGER": pa.int64(), "STRING": pa.string(), "TIMESTAMP": pa.timestamp("us", tz="UTC")}


@dataclass(frozen=True)
class Write:
    """Some days of one table, about to replace what is stored for them."""

    prepared: Prepared
    days: Sequence[date]
    written_at: datetime
    base: Mapping[date, ManifestEntry]  # what was stored for these days when the write was planned

    @property
    def table(self) -> Table:
        return self.prepared.table

    @property
    def rows(self) -> int:
        return sum(self.prepared.days[day].row_count for day in self.days)

    def entry(self, day: date) -> ManifestEntry:
        new = self.prepared.days[day]
        return ManifestEntry(
            day, new.row_count, new.content_hash, self.prepared.schema_version, self.written_at, new.reason
        )

    def write_id(self, address: Address) -> str:
        """The name of this change: the same content over the same base has the same name in every process.

        So a repeated start is recognised by BigQuery (409), two processes that write the same thing do it
        once, and writing an older content back later is another change, because its base is another.
        """
        entries = [self.entry(day) for day in self.days]
        content = [(str(e.day), e.content_hash, e.schema_version, e.reason) for e in entries]
        base = [str(self.base[day].written_at) if day in self.base else None for day in self.days]
        digest = hashlib.sha256(json.dumps([address.data(self.table), content, base]).encode()).hexdigest()[
            :24
        ]
        return f"{write_name(address, self.table)}{digest}"


def write_name(address: Address, table: Table) -> str:
    """How the names of the table's writes begin."""
    return f"{address.prefix}{table.dataset}__{table.name}__"


def used_by(
    address: Address, tables: Iterable[Table], jobs: Iterable[tuple[str, Mapping[str, str]]]
) -> dict[str, Cost]:
    """What writes of these tables have used, from the ids and labels of the jobs that were started for
    them."""
    names = {write_name(address, table): table.full_name for table in tables}
    used: dict[str, Cost] = {}
    for job_id, labels in jobs:
        rest = job_id.removeprefix(LOAD).removeprefix(SWAP)
        table = names.get(rest[: rest.rfind("__") + 2])
        if table is None or rest == job_id:
            continue
        days = int(labels.get("days", "0"))
        cost = Cost(loads=1) if job_id.startswith(LOAD) else Cost(dml=write_cost(1).dml, partitions=days)
        used[table] = used.get(table, Cost()) + cost
    return used


def _labels(write: Write) -> dict[str, str]:
    return {**LABELS, "table": write.table.name[:63], "days": str(len(write.days))}


class Writer:
    """Carries out writes for one project and prefix."""

    def __init__(self, runner: Runner, address: Address) -> None:
        self._runner, self._address = runner, address

    def write(self, write: Write) -> bool:
        """Replace the days; True when a job of this write was found instead of started, so that somebody else
        may have done it. Raises what ``Runner.run`` raises; then the days are entirely old, or (an answer was
        lost) entirely new.
        """
        content = encoded(write)
        write_id = base_id = write.write_id(self._address)
        for turn in range(1, _ROUNDS + 1):
            try:
                return self._once(write, write_id, content)
            except REMOTE_ERRORS as error:
                # Another attempt of the same write may have ended (and dropped the table) since our load:
                # stage again.
                if turn == _ROUNDS or trouble_of(error) is not Trouble.STAGING_GONE:
                    self._discard(write_id)
                    raise
                write_id = f"{base_id}_{uuid.uuid4().hex[:8]}"
        raise AssertionError("unreachable")

    def _once(self, write: Write, write_id: str, content: bytes) -> bool:
        _, load_found = self._runner.run(
            f"{LOAD}{write_id}", lambda job_id: self._load(write, write_id, content, job_id)
        )
        script = swap_script(self._address, write.table, write_id, contiguous=_contiguous(write.days))
        _, script_found = self._runner.run(
            f"{SWAP}{write_id}", lambda job_id: self._swap(write, script, job_id)
        )
        return load_found or script_found

    def _load(self, write: Write, write_id: str, content: bytes, job_id: str) -> Any:
        config = bigquery.LoadJobConfig(
            schema=staging_fields(write.table),
            source_format=bigquery.SourceFormat.PARQUET,
            write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
            labels=_labels(write),
        )
        return self._runner.client.load_table_from_file(
            io.BytesIO(content),
            self._address.staging(write_id),
            size=len(content),
            num_retries=0,
            job_id=job_id,
            location=self._runner.location,
            job_config=config,
            timeout=self._runner.patience.upload,
        )

    def _swap(self, write: Write, script: str, job_id: str) -> Any:
        config = bigquery.QueryJobConfig(query_parameters=swap_parameters(write), labels=_labels(write))
        return self._runner.client.query(
            script,
            job_config=config,
            job_id=job_id,
            location=self._runner.location,
            retry=None,
            job_retry=None,
            timeout=self._runner.patience.call,
        )

    def _discard(self, write_id: str) -> None:
        """Drop a staging table that is of no use any more. If that fails too, it expires; the first error is
        the one to tell."""
        try:
            self._runner.client.delete_table(
                self._address.staging(write_id),
                not_found_ok=True,
                retry=None,
                timeout=self._runner.patience.call,
            )
        except REMOTE_ERRORS:
            return


# ---------------------------------------------------------------------------------------------- what is
# staged


def staging_fields(table: Table) -> list[bigquery.SchemaField]:
    """The table's columns and the manifest's, all NULLABLE: a staged row is either a row or a manifest
    entry."""
    marked = [
        bigquery.SchemaField(f"{_MARK}{f.name}", f.field_type) for f in MANIFEST_FIELDS if f.name in _MARKED
    ]
    return [*schema_fields(table, staging=True), *marked]


def encoded(write: Write) -> bytes:
    """The days and their manifest entries as one Parquet file; decimals as DECIMAL, the only type loaded into
    NUMERIC."""
    declared = arrow_schema(write.table, descriptions=False)
    marks = [pa.field(f"{_MARK}{f.name}", _ARROW[f.field_type]) for f in MANIFEST_FIELDS if f.name in _MARKED]
    schema = pa.schema([*(f.with_nullable(True) for f in declared), *marks])
    rows = _rows(write).select(declared.names)
    rows = pa.Table.from_arrays(
        [*rows.columns, *(pa.nulls(rows.num_rows, f.type) for f in marks)], schema=schema
    )
    entries = [write.entry(day) for day in write.days]
    filled = {Table.partition_column: list(write.days)} | {
        f"{_MARK}{name}": [getattr(e, name) for e in entries] for name in _MARKED
    }
    arrays = [
        pa.array(filled[f.name], f.type) if f.name in filled else pa.nulls(len(entries), f.type)
        for f in schema
    ]
    buffer = io.BytesIO()
    pq.write_table(
        pa.concat_tables([rows, pa.Table.from_arrays(arrays, schema=schema)]), buffer, compression="zstd"
    )
    return buffer.getvalue()


def _rows(write: Write) -> pa.Table:
    if len(write.days) == len(write.prepared.days):
        return write.prepared.ordered
    return pa.concat_tables([write.prepared.days[day].data for day in write.days])


# ---------------------------------------------------------------------------------------------- what is sent


def swap_parameters(write: Write) -> list[Any]:
    return [
        bigquery.ScalarQueryParameter("first_day", "DATE", min(write.days)),
        bigquery.ScalarQueryParameter("last_day", "DATE", max(write.days)),
        bigquery.ArrayQueryParameter("days", "DATE", list(write.days)),
        bigquery.ScalarQueryParameter("row_count", "INT64", write.rows),
        bigquery.ScalarQueryParameter("day_count", "INT64", len(write.days)),
    ]


def swap_script(address: Address, table: Table, write_id: str, *, contiguous: bool) -> str:
    """The script of one write. Names are checked and quoted; values are parameters.

    ``contiguous``: the days are all days of their span, so a BETWEEN of constants selects whole partitions,
    which costs nothing to delete; else the days are listed within that span.
    """
    staging, data, manifest = (
        quoted(n) for n in (address.staging(write_id), address.data(table), address.manifest(table))
    )
    columns = ", ".join(quoted(c) for c in table.column_names)
    names = [Table.partition_column, *_MARKED]
    marks = ", ".join(quoted(n if n == Table.partition_column else f"{_MARK}{n}") for n in names)
    mark = quoted(f"{_MARK}content_hash")
    these = f"{quoted(Table.partition_column)} BETWEEN @first_day AND @last_day"
    if not contiguous:
        these += f" AND {quoted(Table.partition_column)} IN UNNEST(@days)"
    return f"""
SELECT IF(COUNTIF({mark} IS NULL) = @row_count AND COUNTIF({mark} IS NOT NULL) = @day_count, TRUE,
  ERROR('the staging table does not hold what was sent')) FROM {staging};
BEGIN TRANSACTION;
DELETE FROM {data} WHERE {these};
INSERT INTO {data} ({columns}) SELECT {columns} FROM {staging} WHERE {mark} IS NULL;
DELETE FROM {manifest} WHERE {these};
INSERT INTO {manifest} ({", ".join(map(quoted, names))}) SELECT {marks}
FROM {staging} WHERE {mark} IS NOT NULL;
COMMIT TRANSACTION;
DROP TABLE IF EXISTS {staging};
""".strip()


def _contiguous(days: Sequence[date]) -> bool:
    return (max(days) - min(days)).days + 1 == len(days)
