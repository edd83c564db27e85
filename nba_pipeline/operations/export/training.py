"""Features of a day beside what then happened, row by row, and the rows that have no partner.

Belongs here: ``training_set``: frames in, frames out. Does not belong here: which days may be exported and
reading them (``request.py``), files (``files.py``).

A row is joined on day, game, team and player. By player and day alone, a player who was traded is trained on
another team's game: 313 labelled rows of five seasons were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from nba_pipeline.failures import ConfigurationError
from nba_pipeline.tables.columns.features import FEATURE_NAMES
from nba_pipeline.tables.names import FEATURES

KEYS = ["game_date", "game_id", "team_abbr", "player_id"]
NAMES = [*KEYS, "player_lookup", "opponent_team_abbr", "feature_version"]
NOTES = ["history_gaps", "feature_quality_score", "is_training_ready"]
TARGETS: Mapping[str, str] = {
    "points": "points",
    "rebounds": "rebounds",
    "assists": "assists",
    "minutes": "minutes_played",
    "three_pointers": "three_pt_makes",
    "steals": "steals",
    "blocks": "blocks",
    "turnovers": "turnovers",
}
"""Name of a target -> its column in player_game_summary."""
POPULATIONS = ("played", "slate")
ABSENT_DAYS = 30
"""A player who has not appeared for longer is on no slate, so he has no features."""
_COPIED_SHARE = 0.9
_ENOUGH = 100


class LookAhead(Exception):
    """The rows hold a value of the day that they are to predict."""


@dataclass(frozen=True)
class Choice:
    """Which rows: ``population`` played (players who appeared) or slate (all who were expected to);
    ``splits`` names validation and test seasons by their first year, all other rows are for training."""

    targets: tuple[str, ...] = ("points",)
    features: tuple[str, ...] = FEATURE_NAMES
    population: str = "played"
    min_games: int = 0
    min_quality: float = 0.0
    splits: Mapping[int, str] | None = None

    def __post_init__(self) -> None:
        _known("target", self.targets, TARGETS)
        _known("feature", self.features, FEATURE_NAMES)
        _known("population", [self.population], POPULATIONS)


@dataclass(frozen=True)
class TrainingSet:
    """``rows``: names, split, weight, ``known_at`` (the last day whose results the features may know), the
    features and the targets ``y_*``. ``unmatched``: results without features and features whose player
    appeared for another team, with the reason. ``without_result``: slate rows of games that have no box
    score. ``left_out``: rows below the choice's bounds."""

    rows: pd.DataFrame
    unmatched: pd.DataFrame
    without_result: int
    left_out: int
    choice: Choice

    def features(self, split: str | None = None) -> pd.DataFrame:
        """The features alone, (rows, features) FLOAT64, as scikit-learn takes them."""
        return self._of(split)[list(self.choice.features)]

    def target(self, name: str = "points", split: str | None = None) -> pd.Series:
        """One target, in the order of ``features(split)``."""
        return self._of(split)[f"y_{name}"]

    def _of(self, split: str | None) -> pd.DataFrame:
        return self.rows if split is None else self.rows[self.rows["split"] == split]


def training_set(features: pd.DataFrame, results: pd.DataFrame, first: date, choice: Choice) -> TrainingSet:
    """``features``: stored rows of the slate from ``first`` on. ``results``: lines of box scores, with a year
    of them before ``first``, so that the reasons of rows without features can be told. Raises LookAhead where
    a feature holds what it is to predict."""
    day = pd.Timestamp(first)
    results = results.assign(y_played=results["seconds_played"] > 0)
    asked = results[results["game_date"] >= day]
    lines = asked[[*KEYS, "season_year", "y_played", "is_starter", *dict.fromkeys(TARGETS.values())]]
    seasons = asked.drop_duplicates("game_id").set_index("game_id")["season_year"]
    played = asked[asked["y_played"]]

    joined = features.merge(lines.drop(columns="season_year"), on=KEYS, how="left", validate="one_to_one")
    joined["season_year"] = joined["game_id"].map(seasons)
    known = joined["season_year"].notna()
    elsewhere = known & _appeared_elsewhere(joined, played)
    rows = joined[known & ~elsewhere]
    rows = rows.assign(y_played=rows["y_played"].eq(True), y_started=rows["is_starter"].eq(True))
    if choice.population == "played":
        rows = rows[rows["y_played"]]
    kept = rows[_within(rows, choice)]
    made = _laid_out(kept, choice)
    refuse_look_ahead(made, choice)
    return TrainingSet(
        made, _unmatched(joined[elsewhere], features, results, day), int((~known).sum()),
        len(rows) - len(kept), choice,
    )  # fmt: skip


def _within(rows: pd.DataFrame, choice: Choice) -> pd.Series:
    games = rows["games_played_season"].fillna(0)
    return (games >= choice.min_games) & (
        rows["feature_quality_score"].astype("float64") >= choice.min_quality
    )


def _laid_out(rows: pd.DataFrame, choice: Choice) -> pd.DataFrame:
    season, splits = rows["season_year"].astype("int64"), choice.splits or {}
    sizes = rows.groupby(["game_id", "team_abbr"])["player_id"].transform("size")
    front = rows[NAMES].assign(
        season_year=season,
        split=season.map({year: splits.get(year, "train") for year in season.unique()}),
        known_at=rows["game_date"] - timedelta(days=1),
        weight=1.0,
        weight_team_game=1.0 / sizes,
        games_before=rows["games_played_season"].fillna(0).astype("int64"),
    )
    targets = {f"y_{name}": rows[TARGETS[name]].astype("float64") for name in choice.targets}
    outcome = rows[["y_played", "y_started"]].assign(**targets)
    made = pd.concat([front, rows[NOTES], rows[list(choice.features)].astype("float64"), outcome], axis=1)
    return made.sort_values(KEYS, ignore_index=True)


def refuse_look_ahead(rows: pd.DataFrame, choice: Choice) -> None:
    """LookAhead for a feature that equals a target in nearly all rows in which the target is not 0."""
    for target in choice.targets:
        values = rows[f"y_{target}"]
        counted = values.notna() & (values != 0)
        if counted.sum() < _ENOUGH:
            continue
        for name in choice.features:
            same = rows.loc[counted, name] == values[counted]
            if same.mean() > _COPIED_SHARE:
                row = rows.loc[same.idxmax()]
                raise LookAhead(
                    f"{FEATURES}.{name} equals y_{target} in {same.mean():.0%} of {len(same):,} rows, first"
                    f" for {row['player_lookup']} on {row['game_date'].date()} ({row[name]:g}): it holds the"
                    " result of the day that it is to predict. Nothing was exported."
                    " `nba-pipeline canary` names the formula; correct it, then make the table again."
                )


def _appeared_elsewhere(joined: pd.DataFrame, played: pd.DataFrame) -> pd.Series:
    """Rows whose player appeared that day, but in no game of this row's team."""
    on_day = pd.MultiIndex.from_frame(played[["game_date", "player_id"]])
    appeared = pd.MultiIndex.from_frame(joined[["game_date", "player_id"]]).isin(on_day)
    return pd.Series(appeared, joined.index) & ~joined["y_played"].eq(True)


def _unmatched(
    elsewhere: pd.DataFrame, features: pd.DataFrame, results: pd.DataFrame, day: pd.Timestamp
) -> pd.DataFrame:
    """Who appeared without features, and whose features are of a team that he did not play for."""
    played = results[results["y_played"]].sort_values(["player_id", "game_date", "game_id"])
    before = played.groupby("player_id").shift()
    lacking = (played["game_date"] >= day) & ~pd.MultiIndex.from_frame(played[KEYS]).isin(
        pd.MultiIndex.from_frame(features[KEYS])
    )
    away = (played["game_date"] - before["game_date"]).dt.days
    reasons = {
        "no_earlier_game": before["game_date"].isna(),
        "changed_team": before["team_abbr"] != played["team_abbr"],
        "season_opener": before["season_year"] != played["season_year"],
        f"absent_over_{ABSENT_DAYS}_days": away > ABSENT_DAYS,
    }
    holds = [told.fillna(False).to_numpy(dtype=bool) for told in reasons.values()]
    reason = np.select(holds, list(reasons), "not_on_the_slate")
    without = played.assign(reason=reason, side="result")[lacking]
    wrong = elsewhere.assign(reason="changed_team", side="features")
    found = pd.concat(
        [part[[*KEYS, "player_lookup", "side", "reason"]] for part in (without, wrong)], ignore_index=True
    )
    return found.sort_values([*KEYS, "side"], ignore_index=True)


def _known(what: str, names: Sequence[str], known: object) -> None:
    choices = list(known)  # type: ignore[call-overload]
    if not names or (wrong := [name for name in names if name not in choices]):
        raise ConfigurationError(
            f"{wrong[0]!r} is no {what}. There are: {', '.join(choices)}" if names else f"no {what} is named"
        )
