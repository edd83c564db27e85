"""Counts, names, ids and seasons that contradict each other are found on their day, and named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd
import pytest

from nba_pipeline.rangerun.outcome import DayFailure
from nba_pipeline_tests.support.league import (
    FIRST_DAY,
    OPENING,
    OVERTIME,
    SECOND,
    THIRD,
    FrameSource,
    hand_made_league,
)
from nba_pipeline_tests.support.pipeline import GAME_TABLES, Pipeline

Edit = Callable[[pd.DataFrame], pd.DataFrame]
DAYS = [OPENING, SECOND, THIRD, OVERTIME]


def failed(table: str, edit: Edit) -> dict[str, dict[date, DayFailure]]:
    """What failed of the tables of games, where the second day of ``table`` is edited."""
    league = hand_made_league()
    frame = league.frames[table]
    here = frame["game_date"] == pd.Timestamp(SECOND)
    changed = pd.concat([frame[~here], edit(frame[here].copy())]).sort_index()
    pipeline = Pipeline(FrameSource({**league.frames, table: changed}), FIRST_DAY)
    outcomes = pipeline.run(DAYS, GAME_TABLES)
    return {name.split(".")[1]: dict(o.failed) for name, o in outcomes.items() if o.failed}


def zeroed(*columns: str) -> Edit:
    return lambda f: f.assign(**{c: f[c] * 0 for c in columns})


BOX = {
    "no assists": (zeroed("assists"), "assists for"),
    "no free throw attempts": (zeroed("ft_attempts"), "ft_makes 2 is more than ft_attempts 0"),
    "no turnovers": (zeroed("turnovers"), "more steals"),
    "no rebounds": (zeroed("offensive_rebounds", "defensive_rebounds"), "were rebounded"),
    "no fouls": (zeroed("personal_fouls"), "free throws after 0 fouls"),
    "no steals": (zeroed("steals"), "no steals by either team"),
    "no plus/minus": (zeroed("plus_minus"), "not five times their margin"),
    "no starters": (lambda f: f.assign(is_starter=False), "0 starters instead of 5"),
    "a name for several": (
        lambda f: f.assign(player_name=f["player_name"].iloc[0], player_lookup=f["player_lookup"].iloc[0]),
        "several players of the team have this name",
    ),
    "another team's id": (lambda f: f.assign(team_id=f["team_id"].max()), "the id of another team"),
    "a name of somebody else": (
        lambda f: f.assign(name_elsewhere=["Ann Other", *[None] * (len(f) - 1)]),
        "on other days this player is Ann Other",
    ),
    "published rebounds": (
        lambda f: f.assign(published_rebounds=f["offensive_rebounds"] + f["defensive_rebounds"] + 1),
        "rebounds are published",
    ),
}


@pytest.mark.parametrize("name", BOX)
def test_a_contradiction_in_box_scores_fails_its_own_day(name: str) -> None:
    edit, words = BOX[name]
    found = failed("player_boxscores", edit)["player_boxscores"]
    assert list(found) == [SECOND]
    assert found[SECOND].failure_class == "impossible_value"
    assert any(words in message for message in found[SECOND].sample["message"])


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda f: f.assign(home_team_id=f["away_team_id"]), "the id of another team"),
        (lambda f: f.assign(season="2022-23"), "the source says another season"),
        (lambda f: f.assign(season_year=2022), "the calendar has the day in another season"),
        (lambda f: f.assign(code_date=f["game_date"] - pd.Timedelta(days=1)), "dates in UTC"),
        (lambda f: f.assign(home_score=f["away_score"]), "a final game has a winner"),
    ],
)
def test_a_contradiction_in_the_schedule_fails_its_own_day(edit: Edit, words: str) -> None:
    found = failed("games", edit)["games"]
    assert list(found) == [SECOND]
    assert words in found[SECOND].message


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda f: f.assign(assist_player_id=pd.NA), "assists, but 0 assisted shots"),
        (lambda f: f.assign(block_player_id=f["player_id"]), "0 blocks, but"),
        (lambda f: f.assign(is_three=False), "zone attempts sum to 0, three_pt_attempts"),
    ],
)
def test_shots_that_contradict_the_box_score_fail_the_team(edit: Edit, words: str) -> None:
    found = failed("shot_attempts", edit)["team_offense_game_summary"]
    assert list(found) == [SECOND]
    assert any(words in message for message in found[SECOND].sample["message"])


def test_half_a_slate_whose_results_are_due_is_no_day() -> None:
    """A game in the past without a result is due, also where the others of its day are over."""
    league = hand_made_league()
    games = league.frames["games"].copy()
    game = games.index[games["game_date"] == pd.Timestamp(OPENING)][0]
    games.loc[game, "status"] = "scheduled"
    games.loc[game, ["home_score", "away_score"]] = pd.NA
    lines = league.frames["player_boxscores"]
    lines = lines[lines["nba_game_id"] != games.loc[game, "nba_game_id"]]
    source = league.changed(games=games, player_boxscores=lines)
    due = Pipeline(source, FIRST_DAY, results_due=OPENING).run([OPENING], GAME_TABLES[:2])[GAME_TABLES[1]]
    assert due.failed[OPENING].failure_class == "incomplete_input"
    assert games.loc[game, "game_id"] in due.failed[OPENING].message
    tonight = Pipeline(source, FIRST_DAY, results_due=FIRST_DAY).run([OPENING], GAME_TABLES[:2])
    assert not tonight[GAME_TABLES[1]].failed
