"""The simulated league against three real seasons: every figure within a stated tolerance.

Needs the real seasons (Parquet files), which are not part of the project; skipped where they are absent.
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nba_pipeline.sources.bulk.layout import COUNT_NAMES
from nba_pipeline.sources.simulated import SimulatedSource

REPO_ROOT = Path(__file__).resolve().parents[2]
COMPETITIVE = ("regular", "playoffs", "play_in", "cup_final")
REAL_TYPES = {
    "Regular Season": "regular",
    "Playoffs": "playoffs",
    "PlayIn": "play_in",
    "IST Final": "cup_final",
}
FIRST, LAST = date(2021, 10, 19), date(2023, 6, 30)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
COUNTS = tuple(name for name in COUNT_NAMES.values() if name != "plus_minus")

# Allowed difference per figure: absolute, in the figure's own unit.
TOLERANCE = {
    "pace_mean": 1.0,
    "pace_sd": 0.6,
    "points_mean": 2.0,
    "points_sd": 1.2,
    "margin_sd": 1.2,
    "margin_abs_median": 1.5,
    "home_win_share": 0.03,
    "overtime_share": 0.02,
    "fg_attempts_mean": 1.5,
    "fg_attempts_sd": 1.0,
    "three_pt_attempts_mean": 1.5,
    "three_pt_attempts_sd": 1.0,
    "ft_attempts_mean": 1.5,
    "ft_attempts_sd": 1.0,
    "turnovers_mean": 0.8,
    "turnovers_sd": 0.5,
    "offensive_rebounds_mean": 0.8,
    "offensive_rebounds_sd": 0.6,
    "defensive_rebounds_mean": 1.2,
    "defensive_rebounds_sd": 1.0,
    "assists_mean": 1.2,
    "assists_sd": 0.8,
    "steals_mean": 0.5,
    "blocks_mean": 0.5,
    "personal_fouls_mean": 0.8,
    "ft_rate": 0.02,
    "offensive_rebound_share": 0.02,
    "ft_pct": 0.015,
    "players_used_mean": 0.5,
    "players_used_sd": 0.5,
    "games_per_date_mean": 0.7,
    "games_per_date_sd": 0.8,
    "usage_q05": 1.5,
    "usage_q25": 1.5,
    "usage_q50": 1.5,
    "usage_q75": 1.5,
    "usage_q95": 2.0,
    "usage_q99": 3.5,
    "usage_sd": 1.0,
    "minutes_q05": 1.5,
    "minutes_q25": 1.8,
    "minutes_q50": 1.5,
    "minutes_q75": 1.5,
    "minutes_q95": 1.5,
    "minutes_q99": 1.8,
    "starter_minutes_q50": 1.5,
    "bench_minutes_q50": 2.0,
    "player_points_q25": 1,
    "player_points_q50": 1,
    "player_points_q75": 1.5,
    "player_points_q95": 2,
    "player_points_q99": 3.5,
    "share_paint": 0.02,
    "share_mid_range": 0.015,
    "share_three": 0.02,
    "pct_paint": 0.02,
    "pct_mid_range": 0.025,
    "pct_three": 0.015,
    "assisted_share": 0.03,
    "blocked_share": 0.006,
    "season_leader_points": 4.0,
    "players_above_20_points": 14,
    "players_above_10_points": 25,
    "players_per_season": 45,
    "games_per_regular": 8.0,
    "within_player_points_sd": 0.8,
    "between_players_points_sd": 0.8,
    "within_player_minutes_sd": 1.2,
    "points_autocorrelation": 0.08,
    "short_stint_share": 0.008,
    "plus_minus_sd": 1.5,
}


def _bulk_folder() -> Path:
    return Path(os.environ.get("NBA_PIPELINE_TEST_BULK_DIR", REPO_ROOT.parent / "shared" / "nba_bulk"))


@pytest.fixture(scope="module")
def real() -> dict[str, float]:
    folder = _bulk_folder()
    if not (folder / "player_box.parquet").exists():
        pytest.skip(f"the real seasons are not in {folder.name}: set NBA_PIPELINE_TEST_BULK_DIR")
    box = pd.read_parquet(folder / "player_box.parquet")
    box = box[box["season_type"].isin(REAL_TYPES)]
    seconds = box["seconds_official"].fillna(box["seconds_pbp"])
    renamed = {
        "person_id": "player_id",
        "team_tricode": "team_abbr",
        **COUNT_NAMES,
    }
    box = box.rename(columns=renamed).assign(
        seconds_played=seconds,
        game_type=box["season_type"].map(REAL_TYPES),
        is_home=box["home_away"] == "home",
    )
    names = [
        "season",
        "season_year",
        "game_type",
        "game_id",
        "game_date",
        "player_id",
        "team_abbr",
        "is_home",
        "is_starter",
    ]
    box = box.assign(season_year=box["season"].str[:4].astype(int))
    shots = pd.concat(pd.read_parquet(folder / f"shots_{s}.parquet") for s in ("2022-23", "2023-24"))
    shots = shots[shots["SHOT_ZONE_BASIC"].notna()]
    shots = pd.DataFrame(
        {
            "zone_basic": shots["SHOT_ZONE_BASIC"],
            "is_three": shots["IS_THREE"],
            "is_made": shots["SHOT_MADE_FLAG"] == 1,
            "is_assisted": shots["ASSIST_PLAYER_ID"].notna() & (shots["ASSIST_PLAYER_ID"] > 0),
            "is_blocked": shots["BLOCK_PLAYER_ID"].notna() & (shots["BLOCK_PLAYER_ID"] > 0),
        }
    )
    return profile(box[[*names, "seconds_played", "plus_minus", *COUNTS]].copy(), shots)


@pytest.fixture(scope="module")
def simulated() -> dict[str, float]:
    source = SimulatedSource()
    days = [FIRST + timedelta(days=d) for d in range((LAST - FIRST).days + 1)]
    games = source.games(days).frame
    box = source.player_boxscores(days).frame.merge(
        games[["nba_game_id", "season_year", "game_type"]], on="nba_game_id"
    )
    shots = source.shot_attempts(days).frame
    shots = shots[shots["nba_game_id"].str[2] == "2"]
    shots = shots.assign(
        is_assisted=shots["assist_player_id"].notna(), is_blocked=shots["block_player_id"].notna()
    )
    return profile(box[box["game_type"].isin(COMPETITIVE)].assign(game_id=lambda d: d["nba_game_id"]), shots)


def profile(box: pd.DataFrame, shots: pd.DataFrame) -> dict[str, float]:
    """The figures that are compared, from player rows of competitive games and labelled shots."""
    box = box[box["seconds_played"].fillna(0) > 0].copy()
    numbers = ["seconds_played", "plus_minus", *COUNTS]
    box[numbers] = box[numbers].astype("float64")
    teams = _team_rows(box)
    figures = _team_figures(teams) | _player_figures(box, teams) | _season_figures(box) | _shot_figures(shots)
    per_date = box[box["game_type"] == "regular"].groupby("game_date")["game_id"].nunique()
    return figures | {"games_per_date_mean": per_date.mean(), "games_per_date_sd": per_date.std()}


def _team_rows(box: pd.DataFrame) -> pd.DataFrame:
    groups = box.groupby(["game_id", "is_home"])
    teams = groups[["seconds_played", *COUNTS]].sum()
    teams["players"] = groups.size()
    teams["overtimes"] = ((teams["seconds_played"] - 14_400) / 1_500).round()
    possessions = (
        teams["fg_attempts"] + 0.44 * teams["ft_attempts"] - teams["offensive_rebounds"] + teams["turnovers"]
    )
    teams["pace"] = 48 * possessions.groupby("game_id").transform("mean") / (48 + 5 * teams["overtimes"])
    return teams.reset_index()


def _team_figures(teams: pd.DataFrame) -> dict[str, float]:
    points = teams.pivot_table(index="game_id", columns="is_home", values="points")
    margin = points[True] - points[False]
    total = teams[list(COUNTS)].sum()
    figures = {
        f"{c}_{s}": getattr(teams[c], "mean" if s == "mean" else "std")()
        for c in ("pace", *COUNTS)
        for s in ("mean", "sd")
    }
    return figures | {
        "margin_sd": margin.std(),
        "margin_abs_median": margin.abs().median(),
        "home_win_share": (margin > 0).mean(),
        "overtime_share": (teams["overtimes"] > 0).mean(),
        "ft_rate": total["ft_makes"] / total["fg_attempts"],
        "ft_pct": total["ft_makes"] / total["ft_attempts"],
        "offensive_rebound_share": (
            total["offensive_rebounds"] / (total["offensive_rebounds"] + total["defensive_rebounds"])
        ),
        "players_used_mean": teams["players"].mean(),
        "players_used_sd": teams["players"].std(),
    }


def _player_figures(box: pd.DataFrame, teams: pd.DataFrame) -> dict[str, float]:
    rows = box.merge(teams, on=["game_id", "is_home"], suffixes=("", "_team"))
    plays = rows["fg_attempts"] + 0.44 * rows["ft_attempts"] + rows["turnovers"]
    team_plays = rows["fg_attempts_team"] + 0.44 * rows["ft_attempts_team"] + rows["turnovers_team"]
    minutes = rows["seconds_played"] / 60
    usage = (100 * plays * (48 + 5 * rows["overtimes"]) / (minutes * team_plays))[
        rows["seconds_played"] >= 300
    ]
    starter = rows["is_starter"].fillna(False).astype(bool)
    figures = {
        "usage_sd": usage.std(),
        "short_stint_share": (rows["seconds_played"] < 60).mean(),
        "plus_minus_sd": rows["plus_minus"].std(),
    }
    for name, values in (("usage", usage), ("minutes", minutes), ("player_points", rows["points"])):
        figures |= {f"{name}_q{round(100 * q):02d}": values.quantile(q) for q in QUANTILES}
    figures["starter_minutes_q50"] = minutes[starter].median()
    figures["bench_minutes_q50"] = minutes[~starter].median()
    return figures


def _season_figures(box: pd.DataFrame) -> dict[str, float]:
    regular = box[box["game_type"] == "regular"].sort_values("game_date", kind="stable")
    groups = regular.groupby(["season_year", "player_id"])
    seasons = groups.agg(
        games=("points", "size"),
        mean=("points", "mean"),
        sd=("points", "std"),
        minutes_sd=("seconds_played", "std"),
    )
    steady = seasons[seasons["games"] >= 40]
    years = steady.groupby("season_year")["mean"]
    previous = groups["points"].shift()
    return {
        "season_leader_points": years.max().mean(),
        "players_above_20_points": years.agg(lambda m: (m > 20).sum()).mean(),
        "players_above_10_points": years.agg(lambda m: (m > 10).sum()).mean(),
        "players_per_season": box.groupby("season_year")["player_id"].nunique().mean(),
        "games_per_regular": steady["games"].mean(),
        "within_player_points_sd": steady["sd"].mean(),
        "between_players_points_sd": steady["mean"].std(),
        "within_player_minutes_sd": steady["minutes_sd"].mean() / 60,
        "points_autocorrelation": float(
            np.corrcoef(regular["points"][previous.notna()], previous[previous.notna()])[0, 1]
        ),
    }


def _shot_figures(shots: pd.DataFrame) -> dict[str, float]:
    paint = shots["zone_basic"].isin(["Restricted Area", "In The Paint (Non-RA)"])
    three = shots["is_three"].astype(bool)
    zone = pd.Series(np.select([three, paint], ["three", "paint"], "mid_range"), index=shots.index)
    made = shots["is_made"].astype(bool)
    figures = {f"share_{z}": share for z, share in zone.value_counts(normalize=True).items()}
    figures |= {f"pct_{z}": pct for z, pct in made.groupby(zone).mean().items()}
    return figures | {
        "assisted_share": shots.loc[made, "is_assisted"].mean(),
        "blocked_share": shots["is_blocked"].mean(),
    }


@pytest.mark.bulk
@pytest.mark.parametrize("figure", sorted(TOLERANCE))
def test_figure_is_close_to_the_real_league(
    figure: str, real: dict[str, float], simulated: dict[str, float]
) -> None:
    assert simulated[figure] == pytest.approx(real[figure], abs=TOLERANCE[figure]), (
        f"{figure}: simulated {simulated[figure]:.3f}, real {real[figure]:.3f}"
    )


if __name__ == "__main__":  # the table of all figures, for whoever calibrates the simulation
    real_figures, simulated_figures = real.__wrapped__(), simulated.__wrapped__()  # type: ignore[attr-defined]
    for figure_name in sorted(TOLERANCE):
        r, s, t = real_figures[figure_name], simulated_figures[figure_name], TOLERANCE[figure_name]
        print(f"{figure_name:28s} {r:9.3f} {s:9.3f}  {t:6.3f} {'' if abs(r - s) <= t else '<<<'}")
