"""The simulated rows: box scores, shots and minutes agree with each other and with the score, oddities
included."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nba_pipeline.sources.simulated.exhibitions import seconds_of
from nba_pipeline.sources.simulated.league import TEAMS
from nba_pipeline.sources.simulated.locations import distance_ft
from nba_pipeline_tests.sources.simulated.season import COUNTS

# Identities
# -------------------------------------------------------------------------------------------------------


def test_points_follow_from_makes_and_makes_from_attempts(played: pd.DataFrame) -> None:
    p = played
    assert (p["points"] == 2 * p["fg_makes"] + p["three_pt_makes"] + p["ft_makes"]).all()
    for made, tried in (
        ("fg_makes", "fg_attempts"),
        ("three_pt_makes", "three_pt_attempts"),
        ("ft_makes", "ft_attempts"),
    ):
        assert (p[made] <= p[tried]).all()
    assert (p["three_pt_attempts"] <= p["fg_attempts"]).all()
    assert (p["three_pt_makes"] <= p["fg_makes"]).all()
    assert (p["personal_fouls"] <= 6).all()
    assert (p[[c for c in COUNTS if c != "plus_minus"]] >= 0).all().all()


def test_players_add_up_to_the_score(played: pd.DataFrame, games: pd.DataFrame) -> None:
    points = played.groupby(["nba_game_id", "is_home"])["points"].sum().unstack()  # noqa: PD010
    final = games[games["status"] == "final"].set_index("nba_game_id")
    assert set(points.index) == set(final.index)
    assert (points[True] == final["home_score"].reindex(points.index)).all()
    assert (points[False] == final["away_score"].reindex(points.index)).all()
    assert (final["home_score"] != final["away_score"]).all()


def test_team_seconds_starters_and_players(competitive: pd.DataFrame) -> None:
    groups = competitive.groupby(["nba_game_id", "team_id"])
    over = groups["seconds_played"].sum() - 14_400
    assert (over % 1_500 == 0).all()
    assert (over >= 0).all()
    assert (over > 0).any()
    assert (over.groupby("nba_game_id").min() == over.groupby("nba_game_id").max()).all()
    assert (groups["is_starter"].sum() == 5).all()
    assert (
        (competitive["seconds_played"] > 0)
        .groupby([competitive["nba_game_id"], competitive["team_id"]])
        .sum()
        >= 8
    ).all()
    length = 2_880 + over / 5
    assert (groups["seconds_played"].max() <= length).all()


def test_plus_minus_adds_up_to_five_times_the_margin(competitive: pd.DataFrame) -> None:
    sums = competitive.groupby(["nba_game_id", "is_home"])[["points", "plus_minus"]].sum().unstack()  # noqa: PD010
    margin = sums["points"][True] - sums["points"][False]
    assert (sums["plus_minus"][True] == 5 * margin).all()
    assert (sums["plus_minus"][False] == -5 * margin).all()


def test_rebounds_do_not_exceed_misses_nor_steals_turnovers(competitive: pd.DataFrame) -> None:
    t = competitive.groupby(["nba_game_id", "is_home"])[COUNTS].sum()
    home, away = t.xs(True, level="is_home"), t.xs(False, level="is_home")
    for team, other in ((home, away), (away, home)):
        misses = team["fg_attempts"] - team["fg_makes"] + team["ft_attempts"] - team["ft_makes"]
        assert (team["offensive_rebounds"] + other["defensive_rebounds"] <= misses).all()
        assert (team["steals"] <= other["turnovers"]).all()


def test_shots_re_aggregate_to_the_box_score(competitive: pd.DataFrame, shots: pd.DataFrame) -> None:
    key = ["nba_game_id", "player_id"]
    box = competitive.set_index(key)

    def counted(rows: pd.DataFrame, player: str = "player_id") -> pd.Series:
        counts = rows.groupby(["nba_game_id", player]).size()
        assert counts.index.isin(box.index).all()
        return counts.rename_axis(key).reindex(box.index, fill_value=0)

    made, three = shots["is_made"], shots["is_three"]
    expected = {
        "fg_attempts": counted(shots),
        "fg_makes": counted(shots[made]),
        "three_pt_attempts": counted(shots[three]),
        "three_pt_makes": counted(shots[three & made]),
        "assists": counted(shots[shots["assist_player_id"].notna()], "assist_player_id"),
        "blocks": counted(shots[shots["block_player_id"].notna()], "block_player_id"),
    }
    for column, counts in expected.items():
        assert (box[column] == counts).all(), column


def test_assists_are_of_makes_by_teammates_and_blocks_of_misses_by_opponents(
    competitive: pd.DataFrame, shots: pd.DataFrame
) -> None:
    assert shots.loc[shots["assist_player_id"].notna(), "is_made"].all()
    assert not shots.loc[shots["block_player_id"].notna(), "is_made"].any()
    assert not (shots["assist_player_id"] == shots["player_id"]).any()
    team = competitive.set_index(["nba_game_id", "player_id"])["team_abbr"]

    def team_of(column: str) -> pd.Series:
        rows = shots[shots[column].notna()]
        index = pd.MultiIndex.from_arrays([rows["nba_game_id"], rows[column].astype("int64")])
        return pd.Series(team.reindex(index).to_numpy(), index=rows.index)

    assert (team_of("player_id") == shots["team_abbr"]).all()
    helped, blocked = team_of("assist_player_id"), team_of("block_player_id")
    assert (helped == shots["team_abbr"].reindex(helped.index)).all()
    assert blocked.notna().all()
    assert (blocked != shots["team_abbr"].reindex(blocked.index)).all()


# Shots in place and time
# ------------------------------------------------------------------------------------------


def test_shots_lie_within_their_zone(shots: pd.DataFrame) -> None:
    x, y, zone = shots["loc_x"].abs(), shots["loc_y"], shots["zone_basic"]
    radius = np.hypot(shots["loc_x"], shots["loc_y"])
    lane = (x <= 80) & (y <= 138)
    inside = {
        "Restricted Area": radius <= 40,
        "In The Paint (Non-RA)": lane & (radius >= 40),
        "Mid-Range": ~lane & (radius < 239),
        "Left Corner 3": (shots["loc_x"] <= -220) & (y <= 87),
        "Right Corner 3": (shots["loc_x"] >= 220) & (y <= 87),
        "Above the Break 3": (y > 87) & (y < 420) & (radius >= 236),
        "Backcourt": y >= 420,
    }
    assert set(zone) == set(inside)
    for name, condition in inside.items():
        assert condition[zone == name].all(), name
    assert (
        shots["is_three"] == zone.isin(["Left Corner 3", "Right Corner 3", "Above the Break 3", "Backcourt"])
    ).all()
    assert (shots["distance_ft"] == distance_ft(shots["loc_x"].to_numpy(), shots["loc_y"].to_numpy())).all()
    assert shots["loc_x"].between(-250, 250).all()


def test_events_run_with_the_clock(shots: pd.DataFrame, competitive: pd.DataFrame) -> None:
    ordered = shots.sort_values(["nba_game_id", "event_id"], kind="stable")
    length = np.where(ordered["period"] <= 4, 720, 300)
    assert ordered["seconds_remaining"].between(0, length).all()
    end = np.where(ordered["period"] <= 4, 720 * ordered["period"], 2_880 + 300 * (ordered["period"] - 4))
    elapsed = pd.Series(end - ordered["seconds_remaining"].to_numpy(), index=ordered.index)
    assert (elapsed.groupby(ordered["nba_game_id"]).diff().dropna() >= 0).all()
    periods = shots.groupby("nba_game_id")["period"].max()
    seconds = competitive[competitive["is_home"]].groupby("nba_game_id")["seconds_played"].sum()
    assert (periods <= 4 + (seconds - 14_400) / 1_500).all()
    assert set(periods.index) == set(seconds.index)


# Status, exhibitions and oddities
# ---------------------------------------------------------------------------------


def test_who_did_not_play_has_nothing_but_a_comment(season: dict[str, pd.DataFrame]) -> None:
    box = season["player_boxscores"]
    out = box[box["status"] != "played"]
    assert set(out["status"]) == {"dnp", "inactive"}
    assert out[[*COUNTS, "seconds_played", "seconds_source"]].isna().all().all()
    assert (out["minutes_text"] == "").all()
    assert (out["comment"] != "").all()
    assert not out["is_starter"].any()
    assert box.loc[box["status"] == "played", COUNTS].notna().all().all()


def test_minutes_texts_say_the_seconds(competitive: pd.DataFrame) -> None:
    assert competitive["minutes_text"].str.fullmatch(r"\d+:[0-5]\d").all()
    assert competitive["minutes_text"].map(seconds_of).eq(competitive["seconds_played"]).all()
    assert (competitive["seconds_source"] == "official").all()


def test_rising_stars_have_minutes_that_are_no_durations(
    season: dict[str, pd.DataFrame], games: pd.DataFrame, played: pd.DataFrame
) -> None:
    stars = games[games["game_type"] == "all_star"]
    assert len(stars) == 4
    codes = {*stars["home_team_abbr"], *stars["away_team_abbr"]}
    assert not codes & set(TEAMS)
    friday = played[played["game_date"] == pd.Timestamp(2024, 2, 16)]
    odd = friday["minutes_text"].map(seconds_of).isna()
    assert odd.any()
    assert friday.loc[odd, "seconds_played"].isna().all()
    assert friday.loc[odd, "seconds_source"].isna().all()
    assert friday["minutes_text"].isin(["0", "1"]).any()
    finalists = {*stars.iloc[2][["home_team_abbr", "away_team_abbr"]]}
    winners = {
        r.home_team_abbr if r.home_score > r.away_score else r.away_team_abbr
        for r in stars.iloc[:2].itertuples()
    }
    assert finalists == winners


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("38:34", 2314), ("0", 0), ("1", 60), ("96:08", 5768), ("-79:0-6", None), ("", None)],
)
def test_seconds_of(text: str, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


def test_exhibitions_have_no_shots(shots: pd.DataFrame) -> None:
    assert set(shots["nba_game_id"].str[2]) == {"2", "4", "5", "6"}


def test_only_finals_have_scores_and_players(season: dict[str, pd.DataFrame], games: pd.DataFrame) -> None:
    final = games["status"] == "final"
    assert games.loc[final, ["home_score", "away_score"]].notna().all().all()
    assert games.loc[~final, ["home_score", "away_score"]].isna().all().all()
    assert set(games.loc[~final, "status"]) == {"postponed", "cancelled", "not_needed"}
    for table in ("player_boxscores", "shot_attempts"):
        assert set(season[table]["nba_game_id"]) <= set(games.loc[final, "nba_game_id"])


def test_a_few_seconds_can_make_a_usage_rate_of_hundreds_but_never_overflow(
    competitive: pd.DataFrame,
) -> None:
    rows = competitive[competitive["seconds_played"] > 0].copy()
    plays = (rows["fg_attempts"] + 0.44 * rows["ft_attempts"] + rows["turnovers"]).astype(float)
    keys = [rows["nba_game_id"], rows["team_id"]]
    team_seconds = rows["seconds_played"].astype(float).groupby(keys).transform("sum")
    usage = (
        100
        * plays
        * (team_seconds / 5)
        / (rows["seconds_played"].astype(float) * plays.groupby(keys).transform("sum"))
    )
    assert usage.max() > 200
    assert usage.max() < 9_999.99
    assert (rows["seconds_played"] < 30).any()


def test_someone_has_a_statistic_in_no_seconds(competitive: pd.DataFrame) -> None:
    nobody = competitive[competitive["seconds_played"] == 0]
    assert 1 <= len(nobody) <= 40
    assert (nobody["personal_fouls"] == 1).all()
