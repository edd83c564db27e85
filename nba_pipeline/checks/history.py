"""Checks of tables that look back: `history_complete`, `no_lookahead`, `population` and `zone_rates`.

Belongs here: rules about what a day's rows were made from. Does not belong here: selecting history
(``formulas/windows.py``) and the canary's attack (``transforms/look_ahead.py``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from nba_pipeline.checks.model import Evidence, combined, no_violations, row_labels, violations
from nba_pipeline.failures import FailureClass
from nba_pipeline.tables.names import CONTEXT
from nba_pipeline.tables.vocabulary import TEAM_IDS, ZONES
from nba_pipeline.transforms.look_ahead import leaking_columns

HISTORY_COMPLETE = "history_complete"
NO_LOOKAHEAD = "no_lookahead"
POPULATION = "population"
ZONE_RATES = "zone_rates"
_CONTEXT = CONTEXT
_FLOAT_EPSILON = 1e-6


def history_through(evidence: Evidence) -> pd.Series:
    """The newest day before each day of which any history input has rows; NaT where there is none."""
    dates = _history_dates(evidence)
    position = np.searchsorted(dates, evidence.days.to_numpy(), side="left") - 1
    newest = pd.Series(pd.NaT, index=evidence.days, dtype="datetime64[s]")
    newest[position >= 0] = dates[position[position >= 0]]
    return newest


def _history_dates(evidence: Evidence) -> np.ndarray:
    found = [evidence.inputs[name]["game_date"].unique() for name in sorted(evidence.history)]
    return (
        np.unique(np.concatenate([np.asarray(f, dtype="datetime64[s]") for f in found]))
        if found
        else np.array([], dtype="datetime64[s]")
    )


def days_of_history(evidence: Evidence) -> pd.Series:
    """How many days with games each day's look-back holds."""
    dates = _history_dates(evidence)
    return pd.Series(np.searchsorted(dates, evidence.days.to_numpy(), side="left"), index=evidence.days)


def find_incomplete_history(evidence: Evidence) -> pd.DataFrame:
    """Nothing: a day with a hole in its look-back is not computed at all, and the protocol records this check
    as failed."""
    return no_violations()


def sampled_rows(evidence: Evidence) -> pd.Series:
    """Rows recomputed by the canary: those of the sampled day."""
    day = _sampled_day(evidence)
    return (
        pd.Series(dtype="int64")
        if day is None
        else pd.Series({day: int((evidence.computed["game_date"] == day).sum())})
    )


def _sampled_day(evidence: Evidence) -> pd.Timestamp | None:
    """The newest day with rows whose own results are among what was read as history of later days of the
    range.

    A run of a single day reads nothing of that day or later, so there is nothing that could leak and no
    sample.
    """
    history = _history_dates(evidence)
    if evidence.recompute is None or not len(history):
        return None
    dates = evidence.computed["game_date"]
    reachable = dates[dates <= history[-1]]
    return reachable.max() if len(reachable) else None


def find_lookahead(evidence: Evidence) -> pd.DataFrame:
    """Recompute one day of the range with absurd results on and after it; a value that moves has seen the
    future."""
    day = _sampled_day(evidence)
    if day is None or evidence.recompute is None:
        return no_violations()
    recompute = evidence.recompute
    history = {name: evidence.inputs[name] for name in evidence.history}
    of_day = {
        name: frame[frame["game_date"] == day]
        for name, frame in evidence.inputs.items()
        if name not in evidence.history
    }
    columns = leaking_columns(lambda days, **frames: recompute(frames, days), day.date(), history, of_day)
    if not columns:
        return no_violations()
    what = f"{', '.join(columns[:8])} change when results of that day or later change"
    message = (
        f"{evidence.table.full_name} {day.date()}: {what}; every window must end strictly before the day"
    )
    return violations(NO_LOOKAHEAD, [day], FailureClass.CODE_ERROR, [message])


def slate_rows(evidence: Evidence) -> pd.Series:
    """Players of the slate per day."""
    return evidence.inputs[_CONTEXT]["game_date"].value_counts()


def find_other_population(evidence: Evidence) -> pd.DataFrame:
    """Players of the slate without a row, and rows of players who are not on the slate."""
    key = ["game_date", "player_id"]
    slate = evidence.inputs[_CONTEXT][key].assign(game_date=lambda f: f["game_date"].astype("datetime64[s]"))
    merged = evidence.conformed[key].reset_index().merge(slate, on=key, how="outer", indicator=True)
    absent = merged[merged["_merge"] == "right_only"]
    extra = merged[merged["_merge"] == "left_only"]
    said = [f"{evidence.table.full_name}: player {p} of the slate has no row" for p in absent["player_id"]]
    rows = extra["index"].astype("int64").to_numpy()
    more = [
        f"{evidence.table.full_name}: {label} is not on the slate"
        for label in row_labels(evidence.computed, rows)
    ]
    return combined(
        [
            violations(POPULATION, absent["game_date"], FailureClass.INCOMPLETE_INPUT, said),
            violations(POPULATION, extra["game_date"], FailureClass.IMPOSSIBLE_VALUE, more, rows=rows),
        ]
    )


def find_missing_teams(evidence: Evidence) -> pd.DataFrame:
    """Days with rows that do not have exactly the thirty teams."""
    teams = {day: set(rows) for day, rows in evidence.conformed.groupby("game_date")["team_abbr"]}
    bad = {day: named for day, named in teams.items() if named != set(TEAM_IDS)}
    messages = [
        f"{evidence.table.full_name} {day.date()}: not the thirty teams; "
        f"missing {sorted(set(TEAM_IDS) - t)}, unknown {sorted(t - set(TEAM_IDS))}"
        for day, t in bad.items()
    ]
    return violations(POPULATION, list(bad), FailureClass.INCOMPLETE_INPUT, messages)


def find_unbalanced_rates(evidence: Evidence) -> pd.DataFrame:
    """Rows whose three zone rates do not sum to 100 % (before rounding)."""
    rates = (
        evidence.computed[[f"{zone}_rate_last_10" for zone in ZONES]]
        .astype("float64")
        .sum(axis=1, min_count=1)
    )
    rows = evidence.computed.index[((rates - 100.0).abs() > 100 * _FLOAT_EPSILON).to_numpy()]
    labels = row_labels(evidence.computed, rows)
    messages = [
        f"{label}: the zone rates sum to {total:.4f} %, not 100 %"
        for label, total in zip(labels, rates.loc[rows], strict=True)
    ]
    return violations(
        ZONE_RATES,
        evidence.computed.loc[rows, "game_date"],
        FailureClass.IMPOSSIBLE_VALUE,
        messages,
        rows=rows.to_numpy(),
    )
