"""The quarantine: refused rows in ``<dataset>.<table>__rejected``, so that rows in = stored + rejected,
always.

Belongs here: building and writing rejected rows. Does not belong here: deciding what is refused
(``range_run.py``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

import pandas as pd

from nba_pipeline.checks.model import plain
from nba_pipeline.tables.spec import REJECTED_COLUMNS, Table
from nba_pipeline.warehouse.base import Store


def write_rejected(
    store: Store, table: Table, computed: pd.DataFrame, violations: pd.DataFrame, good: Sequence[date]
) -> dict[date, int]:
    """Replace the quarantine of the good days by the rows refused now; returns rejected rows per day.

    A day that has no refused rows any more gets an empty quarantine, so a repaired day leaves nothing behind.
    Written before the accepted rows: a crash in between leaves rows in quarantine that are still stored as
    well, which a retry settles, and never a row in neither place.
    """
    rejected = table.rejected()
    refused = violations.dropna(subset=["row"])
    stale = {day for day, entry in store.manifest(rejected).items() if entry.row_count}
    days = sorted((set(refused["date"]) | stale) & set(good))
    if not days:
        return {}
    rows = rejected_rows(table, computed, refused)
    store.replace_range(rejected, rows, days)
    return {d: int(n) for d, n in rows["game_date"].dt.date.value_counts().items()}


def rejected_rows(table: Table, computed: pd.DataFrame, violations: pd.DataFrame) -> pd.DataFrame:
    """One row of the quarantine table per refused row; a row that broke several rules is named for the
    first."""
    first = violations.drop_duplicates("row").sort_values("row")
    source = computed.loc[first["row"].astype("int64")]
    records = source[[c for c in computed.columns if c in table.column_names]].to_dict("records")
    values = [{name: plain(value) for name, value in record.items()} for record in records]
    frame = pd.DataFrame(
        {
            "game_date": first["day"].to_numpy(),
            "failure_class": first["failure_class"].astype(str).to_numpy(),
            "check_name": first["check"].to_numpy(),
            "column_name": first["column"].to_numpy(),
            "message": first["message"].to_numpy(),
            "row_key": [json.dumps({k: record[k] for k in table.key}) for record in values],
            "row_values": [json.dumps(record) for record in values],
            "inputs": first["inputs"].to_numpy(),
        }
    )
    frame["row_number"] = frame.groupby("game_date").cumcount()
    return frame[[c.name for c in REJECTED_COLUMNS]]
