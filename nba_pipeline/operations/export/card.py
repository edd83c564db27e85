"""What is said of exported rows: the manifest (for programs) and the data card (for people).

Belongs here: counting and wording. Does not belong here: the rows (``training.py``), files (``files.py``).
Neither holds a time or a path, so the same call later gives the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from nba_pipeline.operations.export.training import KEYS, TARGETS, TrainingSet
from nba_pipeline.tables.names import FEATURES, PLAYERS
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.tables.render.arrow import schema_version

DRIFT = 0.2
"""A feature whose share of NULLs differs by more between training and another split is named."""


def manifest(
    tables: TableRegistry,
    made: TrainingSet,
    days: Sequence[date],
    unfit: Mapping[date, str],
    gaps: Sequence[str],
) -> dict[str, Any]:
    """Everything a reader needs to know of the rows, as JSON values."""
    rows, choice = made.rows, made.choice
    nulls = {
        str(split): part[list(choice.features)].isna().mean().round(4).to_dict()
        for split, part in rows.groupby("split")
    }
    return {
        "kind": "training",
        "start": days[0].isoformat(),
        "end": days[-1].isoformat(),
        "population": choice.population,
        "min_games": choice.min_games,
        "min_quality": choice.min_quality,
        "keys": KEYS,
        "targets": {f"y_{name}": f"{PLAYERS}.{TARGETS[name]}" for name in choice.targets},
        "features": {name: tables[FEATURES].column(name).description for name in choice.features},
        "rows": len(rows),
        "rows_by_split_and_season": _counts(rows, ["split", "season_year"]),
        "left_out_by_bounds": made.left_out,
        "slate_rows_without_box_score": made.without_result,
        "unmatched": _counts(made.unmatched, ["side", "reason"]),
        "null_share": nulls,
        "drift": _drift(nulls),
        "declared_gaps": list(gaps),
        "rows_with_history_gaps": int((rows["history_gaps"].fillna(0) > 0).sum()),
        "days_left_out": {day.isoformat(): why for day, why in unfit.items()},
        "feature_versions": sorted(rows["feature_version"].astype(str).unique()),
        "schema_versions": {name: schema_version(tables[name]) for name in (FEATURES, PLAYERS)},
        "content_hash": content_hash(rows),
    }


def content_hash(rows: pd.DataFrame) -> str:
    """SHA-256 over the rows' values and the columns' names, whatever file they are stored in."""
    digest = hashlib.sha256(",".join(rows.columns).encode())
    digest.update(pd.util.hash_pandas_object(rows.astype(_hashable(rows)), index=False).to_numpy().tobytes())
    return digest.hexdigest()


def _hashable(rows: pd.DataFrame) -> dict[str, str]:
    """Decimals and text hash by their words; numbers and dates as they are."""
    return {name: "string" for name in rows if not pd.api.types.is_numeric_dtype(rows[name])}


def _counts(rows: pd.DataFrame, by: Sequence[str]) -> dict[str, int]:
    sizes = rows.groupby(list(by)).size()
    return {" ".join(str(part) for part in key): int(count) for key, count in sizes.items()}


def _drift(nulls: Mapping[str, Mapping[str, float]]) -> list[str]:
    trained = nulls.get("train", {})
    return [
        f"{name}: NULL in {trained[name]:.0%} of the training rows and {share:.0%} of {split}"
        for split, shares in nulls.items()
        if split != "train" and trained
        for name, share in shares.items()
        if abs(share - trained[name]) > DRIFT
    ]


def card(told: Mapping[str, Any]) -> str:
    """The data card: Markdown."""
    lines = [
        "# Training rows of NBA players",
        "",
        f"{told['rows']:,} rows, {told['start']} to {told['end']}, population `{told['population']}`:"
        + (" players who appeared." if told["population"] == "played" else " players who were expected to."),
        "A row is a player's game. Features know results up to the day `known_at`, the day before.",
        "Columns `y_*` are what then happened and no features.",
        "",
        *_table("Rows", ["split and season", "rows"], told["rows_by_split_and_season"]),
        *_table("Targets", ["column", "from"], told["targets"]),
        *_table("Without a partner (unmatched.parquet)", ["side and reason", "rows"], told["unmatched"]),
        *_list("Drift", told["drift"], "No feature's share of NULLs differs much between the splits."),
        *_list("Declared gaps", told["declared_gaps"], "No game is a declared gap."),
        f"Rows whose windows hold a game that is a declared gap: {told['rows_with_history_gaps']:,}.",
        "",
        *_table("Days left out", ["day", "why"], told["days_left_out"]),
        *_table("Features (FLOAT64)", ["column", "meaning"], told["features"]),
        f"Feature version {', '.join(told['feature_versions'])}; content hash `{told['content_hash']}`.",
        "",
    ]
    return "\n".join(lines)


def _table(title: str, heads: Sequence[str], rows: Mapping[str, object]) -> list[str]:
    if not rows:
        return []
    body = [f"| {key} | {value} |" for key, value in rows.items()]
    return [f"## {title}", "", f"| {' | '.join(heads)} |", "|---|---|", *body, ""]


def _list(title: str, items: Sequence[str], without: str) -> list[str]:
    return [f"## {title}", "", *([f"- {item}" for item in items] or [without]), ""]
