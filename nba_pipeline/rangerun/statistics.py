"""Numbers about a day's rows for its partition's metadata, all days of a range at once.

Belongs here: NULL counts, summaries that the UI can plot, and what a source could not use.
Does not belong here: judgement (``checks/``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from nba_pipeline.tables.spec import Kind, Table


def day_statistics(
    table: Table, frame: pd.DataFrame, summary_columns: Sequence[str], days: Sequence[date]
) -> dict[date, dict[str, object]]:
    """Per day: ``null_counts`` (columns with NULLs only), and ``max_``, ``mean_`` and ``null_share_`` of the
    summary columns: numbers, because the UI plots these along the days."""
    if frame.empty:
        return {day: {} for day in days}
    stamps = frame["game_date"]
    is_null = frame.isna()
    nulls, shares = is_null.groupby(stamps).sum(), is_null[list(summary_columns)].groupby(stamps).mean()
    nulls = nulls.loc[:, (nulls > 0).any()]
    numbers = [c for c in summary_columns if table.column(c).type.kind is not Kind.BOOL]
    numeric = (
        frame[numbers].apply(lambda s: s.astype("float64") if s.dtype != "float64" else s)
        if numbers
        else frame[[]]
    )
    highest, means = numeric.groupby(stamps).max(), numeric.groupby(stamps).mean()
    result: dict[date, dict[str, object]] = {day: {} for day in days}
    for position, stamp in enumerate(nulls.index):
        stats: dict[str, object] = {"null_counts": {c: int(n) for c, n in nulls.iloc[position].items() if n}}
        stats |= {
            f"null_share_{column}": round(float(shares[column].iloc[position]), 4)
            for column in summary_columns
        }
        for column in numbers:
            if highest[column].iloc[position] == highest[column].iloc[position]:
                stats[f"max_{column}"] = float(highest[column].iloc[position])
                stats[f"mean_{column}"] = round(float(means[column].iloc[position]), 4)
        result[stamp.date()] = stats
    return result


def unusable_by_day(unusable: pd.DataFrame) -> dict[date, list[Mapping[str, object]]]:
    """What the source held and could not use, per day: reason, count and a sample."""
    notes: dict[date, list[Mapping[str, object]]] = {}
    for row in unusable.itertuples():
        notes.setdefault(row.game_date.date(), []).append(
            {"reason": row.reason, "count": int(row.count), "sample": str(row.sample)}
        )
    return notes
