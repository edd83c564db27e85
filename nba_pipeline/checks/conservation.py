"""`conservation`: identities that hold on every real game, so a break means wrong or missing input.

Belongs here: sums that must agree (points, players against team, team against schedule, seconds, usage,
zones). Does not belong here: whether rows exist at all (``completeness.py``).

A sum that falls short is `incomplete_input` (somebody is missing); a sum that is too large, or sums that are
off in both directions within one game, are `impossible_value` (something is wrong or swapped). No identity
has a tolerance but the seconds, whose source rounds each player's time: the official seconds of 5,464
team-games of 2021-24 differ from 14,400 + 1,500·OT by -2 to +4.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from nba_pipeline.checks.model import Evidence, combined, no_violations, violations
from nba_pipeline.failures import FailureClass
from nba_pipeline.tables.columns.boxscore import OVERTIME_SECONDS, REGULATION_SECONDS
from nba_pipeline.tables.names import GAMES, OFFENSE, SHOTS
from nba_pipeline.transforms.games import COUNTS, as_float, competitive_finals, team_sides

CONSERVATION = "conservation"
SECONDS_TOLERANCE = 5
"""Seconds per team-game; one more than the largest difference in 5,464 real team-games."""
_FLOAT_EPSILON = 1e-6
"""Rounding noise of double precision in a sum of some fifteen shares; not a tolerance on the data."""
_SIDE = ["nba_game_id", "team_abbr"]


def find_unbalanced_teams(evidence: Evidence) -> pd.DataFrame:
    """For team_offense_game_summary: points identity, points against the schedule's score, seconds, zones."""
    frame = evidence.computed.assign(
        **as_float(evidence.computed, [*COUNTS, *_zone("attempts"), *_zone("makes")])
    )
    return combined(
        [
            _points_identity(frame, "points", "fg_makes", "three_pt_makes", "ft_makes"),
            _against_schedule(frame, evidence.inputs[GAMES]),
            _seconds(frame),
            _zones(frame),
            _team_credits(frame, evidence.inputs[SHOTS]),
        ]
    )


def find_unbalanced_defense(evidence: Evidence) -> pd.DataFrame:
    """For team_defense_game_summary: points identity and zones of the opponent's offense."""
    opponent = "fg_makes fg_attempts three_pt_makes three_pt_attempts ft_makes".split()
    counts = ["points_allowed", *(f"opp_{name}" for name in opponent)]
    zones = [f"opp_{c}" for c in (*_zone("attempts"), *_zone("makes"))]
    frame = evidence.computed.assign(**as_float(evidence.computed, [*counts, *zones]))
    identity = _points_identity(frame, "points_allowed", "opp_fg_makes", "opp_three_pt_makes", "opp_ft_makes")
    return combined([identity, _zones(frame, "opp_")])


def find_unbalanced_players(evidence: Evidence) -> pd.DataFrame:
    """For player_game_summary: points identity and zones of each row; sums against the team's row; usage
    shares."""
    columns = [
        *COUNTS,
        "seconds_played",
        "usage_rate",
        "plays_used",
        "team_plays_used",
        "team_minutes",
        *_zone("attempts"),
        *_zone("makes"),
    ]
    frame = evidence.computed.assign(**as_float(evidence.computed, columns))
    return combined(
        [
            _points_identity(frame, "points", "fg_makes", "three_pt_makes", "ft_makes"),
            _zones(frame),
            _player_credits(frame, evidence.inputs[SHOTS]),
            _against_team(frame, evidence.inputs[OFFENSE]),
            _usage_shares(frame),
        ]
    )


def team_games(evidence: Evidence) -> pd.Series:
    """Team-games per day whose sums were compared."""
    return evidence.computed.drop_duplicates(_SIDE)["game_date"].value_counts()


def _zone(what: str) -> list[str]:
    return [f"paint_{what}", f"mid_range_{what}", f"three_{what}"]


def _rows(
    frame: pd.DataFrame,
    bad: np.ndarray,
    failure_class: FailureClass | list[FailureClass],
    messages: list[str],
) -> pd.DataFrame:
    if not bad.any():
        return no_violations()
    return violations(
        CONSERVATION, frame.loc[bad, "game_date"], failure_class, messages, rows=frame.index[bad].to_numpy()
    )


def _points_identity(frame: pd.DataFrame, points: str, fg: str, three: str, ft: str) -> pd.DataFrame:
    expected = 2 * frame[fg] + frame[three] + frame[ft]
    bad = (frame[points] != expected).to_numpy() & expected.notna().to_numpy()
    messages = [
        f"{row.game_id} {row.team_abbr}{_player(row)}: {points} {_n(getattr(row, points))}, but 2·FGM + 3PM +"
        f" FTM = {_n(total)}"
        for row, total in zip(frame[bad].itertuples(), expected[bad], strict=True)
    ]
    return _rows(frame, bad, FailureClass.IMPOSSIBLE_VALUE, messages)


def _player(row: object) -> str:
    name = getattr(row, "player_full_name", None)
    return f" {name}" if name else ""


def _n(value: float) -> str:
    return "NULL" if value is None or pd.isna(value) else f"{value:g}"


def _against_schedule(frame: pd.DataFrame, games: pd.DataFrame) -> pd.DataFrame:
    scores = team_sides(competitive_finals(games))[[*_SIDE, "scheduled_score"]].drop_duplicates(_SIDE)
    merged = (
        frame[[*_SIDE, "game_id", "game_date", "points"]]
        .merge(scores, on=_SIDE, how="left")
        .set_axis(frame.index)
    )
    difference = merged["points"] - merged["scheduled_score"].to_numpy(dtype="float64", na_value=np.nan)
    bad = (difference != 0).to_numpy() & difference.notna().to_numpy()
    too_many = (difference > 0).groupby(merged["nba_game_id"]).transform("any")
    classes = [
        FailureClass.IMPOSSIBLE_VALUE if excess else FailureClass.INCOMPLETE_INPUT for excess in too_many[bad]
    ]
    messages = [
        f"{row.game_id} {row.team_abbr}: the players' points sum to {_n(row.points)}, the schedule says"
        f" {_n(row.scheduled_score)}"
        for row in merged[bad].itertuples()
    ]
    return _rows(frame, bad, classes, messages)


def _seconds(frame: pd.DataFrame) -> pd.DataFrame:
    """Seconds of each team, and the same overtimes for both teams of a game."""
    expected = REGULATION_SECONDS + OVERTIME_SECONDS * frame["overtime_periods"]
    difference = frame["player_seconds"] - expected
    off = difference.abs().to_numpy() > SECONDS_TOLERANCE
    classes = [
        FailureClass.INCOMPLETE_INPUT if d < 0 else FailureClass.IMPOSSIBLE_VALUE for d in difference[off]
    ]
    messages = [
        f"{row.game_id} {row.team_abbr}: the players' seconds sum to {_n(row.player_seconds)}, {_n(abs(d))}"
        f" {'less' if d < 0 else 'more'} than {REGULATION_SECONDS} +"
        f" {OVERTIME_SECONDS}·{_n(row.overtime_periods)} OT (tolerance {SECONDS_TOLERANCE})"
        for row, d in zip(frame[off].itertuples(), difference[off], strict=True)
    ]
    by_game = frame.groupby("nba_game_id")["overtime_periods"]
    uneven = (by_game.transform("nunique") > 1).to_numpy()
    overtime = [
        f"{row.game_id}: the teams' seconds amount to different overtimes ({_n(low)} and {_n(high)})"
        for row, low, high in zip(
            frame[uneven].itertuples(),
            by_game.transform("min")[uneven],
            by_game.transform("max")[uneven],
            strict=True,
        )
    ]
    return combined(
        [_rows(frame, off, classes, messages), _rows(frame, uneven, FailureClass.INCOMPLETE_INPUT, overtime)]
    )


def _zones(frame: pd.DataFrame, prefix: str = "") -> pd.DataFrame:
    """Zone attempts sum to FGA, makes to FGM, and threes are 3PA and 3PM, where the game has shot data."""
    found = []
    for what, kind in product(("attempts", "makes"), ("fg", "three_pt")):
        total = f"{prefix}{kind}_{what}"
        zones = _zone(what) if kind == "fg" else [f"three_{what}"]
        zone_sum = frame[[f"{prefix}{c}" for c in zones]].sum(axis=1, min_count=len(zones))
        difference = zone_sum - frame[total]
        bad = (difference != 0).to_numpy() & zone_sum.notna().to_numpy()
        classes = [
            FailureClass.INCOMPLETE_INPUT if d < 0 else FailureClass.IMPOSSIBLE_VALUE for d in difference[bad]
        ]
        messages = [
            f"{row.game_id} {row.team_abbr}{_player(row)}: the shots' zone {what} sum to {_n(s)}, {total} is"
            f" {_n(getattr(row, total))}"
            for row, s in zip(frame[bad].itertuples(), zone_sum[bad], strict=True)
        ]
        found.append(_rows(frame, bad, classes, messages))
    return combined(found)


def _credited(shots: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The shots with an assist and those with a block."""
    found = []
    for name in ("assist_player_id", "block_player_id"):
        credited = shots[shots[name].notna()]
        found.append(credited.assign(player_id=credited[name]))
    return found[0], found[1]


def _team_credits(frame: pd.DataFrame, shots: pd.DataFrame) -> pd.DataFrame:
    """Assists against assisted makes of the team's shots, blocks against blocked shots of the opponent's."""
    assisted, blocked = _credited(shots)
    given = frame.assign(assisted=frame["team_abbr"], blocked=frame["opponent_team_abbr"])
    found = []
    for column, credited, side in (("assists", assisted, "assisted"), ("blocks", blocked, "blocked")):
        counted = credited.groupby(_SIDE).size()
        key = pd.MultiIndex.from_arrays([given["nba_game_id"], given[side]])
        found.append(_credits(frame, column, counted.reindex(key), credited, side))
    return combined(found)


def _player_credits(frame: pd.DataFrame, shots: pd.DataFrame) -> pd.DataFrame:
    """The same of each player."""
    assisted, blocked = _credited(shots)
    key = pd.MultiIndex.from_arrays([frame["nba_game_id"], frame["player_id"].astype("Int64")])
    found = []
    for column, credited, side in (("assists", assisted, "assisted"), ("blocks", blocked, "blocked")):
        counted = credited.groupby(["nba_game_id", "player_id"]).size()
        found.append(_credits(frame, column, counted.reindex(key), credited, side))
    return combined(found)


def _credits(
    frame: pd.DataFrame, column: str, counted: pd.Series, credited: pd.DataFrame, word: str
) -> pd.DataFrame:
    expected = counted.fillna(0).to_numpy(dtype="float64")
    told = frame["paint_attempts"].notna().to_numpy(dtype=bool)
    if "shot_data_complete" in frame:  # else `_zones` says what is missing
        whole = frame["shot_data_complete"].groupby(frame["nba_game_id"]).transform("all")
        told = told & whole.to_numpy(dtype=bool, na_value=False)  # pandas 3: its arrays are read-only
    bad = told & (frame[column].to_numpy() != expected) & frame[column].notna().to_numpy()
    messages = [
        f"{row.game_id} {row.team_abbr}{_player(row)}: {_n(getattr(row, column))} {column}, but"
        f" {_n(n)} {word} shots"
        for row, n in zip(frame[bad].itertuples(), expected[bad], strict=True)
    ]
    return _rows(frame, bad, FailureClass.IMPOSSIBLE_VALUE, messages)


def _against_team(frame: pd.DataFrame, offense: pd.DataFrame) -> pd.DataFrame:
    columns = [*COUNTS, "seconds_played"]
    teams = offense.rename(columns={"player_seconds": "seconds_played"})
    teams = (
        pd.concat([teams[_SIDE], as_float(teams, columns)], axis=1).drop_duplicates(_SIDE).set_index(_SIDE)
    )
    sums = frame.groupby(_SIDE)[columns].sum()
    difference = (sums - teams.reindex(sums.index)).fillna(0.0)
    bad = difference[(difference != 0).any(axis=1)]
    if bad.empty:
        return no_violations()
    said, classes = {}, {}
    for side, row in bad.iterrows():
        off = row[row != 0]
        said[side] = ", ".join(
            f"{name} {_n(sums.at[side, name])} instead of {_n(sums.at[side, name] - d)}"
            for name, d in off.items()
        )
        classes[side] = FailureClass.INCOMPLETE_INPUT if (off < 0).all() else FailureClass.IMPOSSIBLE_VALUE
    sides = pd.MultiIndex.from_frame(frame[_SIDE])
    hit = sides.isin(bad.index)
    messages = [
        f"{row.game_id} {row.team_abbr}: players do not sum to the team:"
        f" {said[(row.nba_game_id, row.team_abbr)]}"
        for row in frame[hit].itertuples()
    ]
    return _rows(frame, hit, [classes[side] for side in sides[hit]], messages)


def _usage_shares(frame: pd.DataFrame) -> pd.DataFrame:
    """Σ usage_rate · minutes / (team_minutes/5) = 100. Plays of a player without playing time (who has no
    usage rate) are added as their share, or the free throws of a 0-second stint would be missing from the
    sum."""
    minutes = frame["seconds_played"] / 60.0
    share = frame["usage_rate"] * minutes / (frame["team_minutes"] / 5.0)
    untimed = 100.0 * frame["plays_used"] / frame["team_plays_used"]
    share = share.where(frame["usage_rate"].notna(), untimed.fillna(0.0))
    total = share.groupby([frame["nba_game_id"], frame["team_abbr"]]).transform("sum")
    bad = (total - 100.0).abs().to_numpy() > 100 * _FLOAT_EPSILON
    messages = [
        f"{row.game_id} {row.team_abbr}: usage shares sum to {t:.4f} %, not 100 %"
        for row, t in zip(frame[bad].itertuples(), total[bad], strict=True)
    ]
    return _rows(frame, bad, FailureClass.IMPOSSIBLE_VALUE, messages)
