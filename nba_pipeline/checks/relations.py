"""`relations` of box scores: counts that speak of the same thing agree, per line, team, game and slate.

Belongs here: relations between counting columns that no bound of a single column sees. Does not belong
here: sums against the schedule and the shots (``conservation.py``), names and ids (``identity.py``).

Each rule holds on every one of the 7,924 team-games of 2021-24; the numbers beside the rules are the
extremes there. All of them come from inputs that somebody has published: assists a sixth of the truth, a
column of zeros.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from nba_pipeline.checks.model import Evidence, combined, row_labels, violations
from nba_pipeline.failures import FailureClass
from nba_pipeline.tables.columns.boxscore import OVERTIME_SECONDS, REGULATION_SECONDS
from nba_pipeline.tables.names import GAMES
from nba_pipeline.transforms.games import COUNTS, as_float, competitive_finals, participants, team_sides

RELATIONS = "relations"
_AT_MOST = (
    ("fg_makes", "fg_attempts"),
    ("three_pt_makes", "three_pt_attempts"),
    ("ft_makes", "ft_attempts"),
    ("three_pt_makes", "fg_makes"),
    ("three_pt_attempts", "fg_attempts"),
)
_SIDE = ["nba_game_id", "team_abbr"]
_SIDE_HAS = ("fg_makes", "assists", "defensive_rebounds", "turnovers", "personal_fouls")
"""No team has ended a game without one (fewest: 23, 8, 16, 1 and 4)."""
_GAME_HAS = (*_SIDE_HAS, "offensive_rebounds", "steals", "ft_attempts", "three_pt_attempts")
"""Nor two teams together without one of these (fewest: 2, 3, 2 and 25)."""
_SLATE_HAS = {
    "assists": 20,
    "turnovers": 8,
    "offensive_rebounds": 5,
    "defensive_rebounds": 30,
    "steals": 4,
    "blocks": 2,
    "personal_fouls": 12,
}
"""Fewest per game on average of a slate of several games (32, 14, 10, 48, 7, 3 and 22): about half of it."""
SLATE_GAMES = 3
STARTERS = 5
FEWEST_ASSISTS = 0.15
"""Of a team's field goals (fewest: 0.26)."""
FEWEST_REBOUNDS = 0.5
"""Of a team's missed field goals, by both teams' players (fewest: 0.69)."""
MOST_FREE_THROWS = 3
"""Per foul of the opponent (most: 1.92)."""
PLUS_MINUS_TOLERANCE = 60
"""Of a team's sum against five times its margin. Sources err on single stints: 47 team-games, by up to 55."""
_CLOCK_TOLERANCE = 5


def find_contradicting_lines(evidence: Evidence) -> pd.DataFrame:
    """For nba_raw.player_boxscores: lines, teams, games and slates whose counts contradict each other."""
    lines = evidence.computed
    lines = lines.assign(**as_float(evidence.conformed, [*COUNTS, "plus_minus", "seconds_played"]))
    sides = _sides(evidence, lines)
    competitive = competitive_finals(evidence.inputs[GAMES])["nba_game_id"]
    return combined(
        [
            _lines(lines, competitive),
            _rebounds(lines),
            _starters(lines, sides),
            _teams(sides),
            _slates(sides),
        ]
    )


def _sides(evidence: Evidence, lines: pd.DataFrame) -> pd.DataFrame:
    """A row per side of a final competitive game: its sums (NaN where a count of a participant is NULL), its
    opponent's as ``opp_*``, and its margin. Games whose lines do not amount to their score and time are left
    out: somebody is missing from them, and ``conservation`` of the teams says so.
    """
    columns = [*COUNTS, "plus_minus", "seconds_played"]
    took_part = lines[participants(evidence.conformed)]
    grouped = took_part.groupby(_SIDE)[columns]
    sums = grouped.sum().where(grouped.count().eq(grouped.size(), axis=0))
    schedule = team_sides(competitive_finals(evidence.inputs[GAMES]))
    sides = schedule.drop_duplicates(_SIDE).merge(sums.reset_index(), on=_SIDE)
    other = sides[["nba_game_id", "team_abbr", "scheduled_score", *columns]]
    other = other.rename(columns={c: f"opp_{c}" for c in other.columns if c not in _SIDE})
    other = other.rename(columns={"team_abbr": "opponent_team_abbr"})
    sides = sides.merge(other, on=["nba_game_id", "opponent_team_abbr"])
    sides = sides.assign(margin=(sides["scheduled_score"] - sides["opp_scheduled_score"]).astype("float64"))
    overtimes = np.rint((sides["seconds_played"] - REGULATION_SECONDS) / OVERTIME_SECONDS).clip(lower=0)
    off = (sides["seconds_played"] - REGULATION_SECONDS - OVERTIME_SECONDS * overtimes).abs()
    whole = (off <= _CLOCK_TOLERANCE) & (sides["points"] == sides["scheduled_score"].astype("float64"))
    return sides[whole.groupby(sides["nba_game_id"]).transform("all").to_numpy(dtype=bool)]


def _lines(lines: pd.DataFrame, competitive: pd.Series) -> pd.DataFrame:
    """Makes above attempts, and in games that count more seconds than the game had."""
    found = []
    for few, many in _AT_MOST:
        bad = lines[lines[few] > lines[many]]
        found.append(
            _of_rows(bad, few, [f"{few} {a:g} is more than {many} {b:g}" for a, b in _pairs(bad, few, many)])
        )
    team = lines.groupby(_SIDE)["seconds_played"].transform("sum")
    overtimes = np.rint((team - REGULATION_SECONDS) / OVERTIME_SECONDS).clip(lower=0)
    length = (REGULATION_SECONDS + OVERTIME_SECONDS * overtimes) / 5
    counts = lines["nba_game_id"].isin(competitive)
    long = lines[counts & (lines["seconds_played"] > length + _CLOCK_TOLERANCE)]
    said = [
        f"he played {s:g} s of a game of {n:g} s"
        for s, n in zip(long["seconds_played"], length[long.index], strict=True)
    ]
    return combined([*found, _of_rows(long, "seconds_played", said)])


def _rebounds(lines: pd.DataFrame) -> pd.DataFrame:
    """Published totals that are not the sum of their parts."""
    if "published_rebounds" not in lines:
        return combined([])
    total = as_float(lines, ["published_rebounds"])["published_rebounds"]
    parts = lines["offensive_rebounds"] + lines["defensive_rebounds"]
    bad = lines[(total != parts) & total.notna() & parts.notna()]
    said = [
        f"{a:g} rebounds are published, but {b:g} offensive and defensive ones"
        for a, b in zip(total[bad.index], parts[bad.index], strict=True)
    ]
    return _of_rows(bad, "offensive_rebounds", said)


def _starters(lines: pd.DataFrame, sides: pd.DataFrame) -> pd.DataFrame:
    """Sides with other than five starters, where the source says of every player who started."""
    started = lines["is_starter"].astype("boolean")
    counted = lines[_SIDE].assign(known=started.notna(), n=started.fillna(False).astype("int64"))
    by_side = counted.groupby(_SIDE).agg(known=("known", "all"), n=("n", "sum")).reset_index()
    bad = sides.merge(by_side[by_side["known"] & (by_side["n"] != STARTERS)], on=_SIDE)
    return _of_sides(bad, [f"{n} starters instead of {STARTERS}" for n in bad["n"]])


def _teams(sides: pd.DataFrame) -> pd.DataFrame:
    """Sides whose sums contradict each other or their opponent's."""
    s = sides
    missed = s["fg_attempts"] - s["fg_makes"]
    missed_fts = s["ft_attempts"] - s["ft_makes"]
    rebounds = s["offensive_rebounds"] + s["opp_defensive_rebounds"]
    rules = (
        (s["assists"] > s["fg_makes"], "more assists ({assists:g}) than field goals ({fg_makes:g})"),
        (s["assists"] < FEWEST_ASSISTS * s["fg_makes"], "{assists:g} assists for {fg_makes:g} field goals"),
        (
            s["steals"] > s["opp_turnovers"],
            "more steals ({steals:g}) than the opponent has turnovers ({opp_turnovers:g})",
        ),
        (
            s["blocks"] > s["opp_fg_attempts"] - s["opp_fg_makes"],
            "more blocks ({blocks:g}) than the opponent missed",
        ),
        (rebounds > missed + missed_fts, "more rebounds by both teams than its own missed shots"),
        (rebounds < FEWEST_REBOUNDS * missed, "less than half of its missed field goals were rebounded"),
        (
            s["ft_attempts"] > MOST_FREE_THROWS * s["opp_personal_fouls"],
            "{ft_attempts:g} free throws after {opp_personal_fouls:g} fouls of the opponent",
        ),
        (
            (s["plus_minus"] - 5 * s["margin"]).abs() > PLUS_MINUS_TOLERANCE,
            "plus/minus sums to {plus_minus:g} with a margin of {margin:g}",
        ),
        *((s[c] == 0, f"no {c} by any of its players") for c in _SIDE_HAS),
        *((s[c] + s[f"opp_{c}"] == 0, f"no {c} by either team") for c in _GAME_HAS if c not in _SIDE_HAS),
    )
    found = []
    for broken, words in rules:
        bad = s[broken.fillna(False).to_numpy(dtype=bool)]
        found.append(_of_sides(bad, [words.format(**row._asdict()) for row in bad.itertuples(index=False)]))
    return combined(found)


def _slates(sides: pd.DataFrame) -> pd.DataFrame:
    """Days on which a column is far below what games amount to, or plus/minus is wrong in most games: such
    a slate was not counted, whatever a single game of it may look like."""
    days, messages = [], []
    for day, slate in sides.groupby("game_date"):
        games = len(slate) / 2
        for column, fewest in _SLATE_HAS.items():
            total = slate[column].sum(skipna=False)
            if games >= SLATE_GAMES and total < fewest * games:
                days.append(day)
                messages.append(
                    f"{column} of {day.date()} are {total:g} in {games:g} games, below {fewest} per game"
                )
        known = slate[slate["plus_minus"].notna()]
        off = known["plus_minus"] != 5 * known["margin"]
        flat = bool((known["plus_minus"] == 0).all())
        if off.mean() > 0.5 and (games >= SLATE_GAMES or flat):
            days.append(day)
            messages.append(
                f"plus_minus of {day.date()}: {int(off.sum())} of {len(known)} teams' sums are not five times"
                " their margin"
            )
    return violations(RELATIONS, days, FailureClass.IMPOSSIBLE_VALUE, messages)


def _pairs(rows: pd.DataFrame, one: str, other: str) -> list[tuple[float, float]]:
    return list(zip(rows[one], rows[other], strict=True))


def _of_rows(rows: pd.DataFrame, column: str, said: list[str]) -> pd.DataFrame:
    labels = row_labels(rows, rows.index)
    return violations(
        RELATIONS,
        rows["game_date"],
        FailureClass.IMPOSSIBLE_VALUE,
        [f"{label}: {words}" for label, words in zip(labels, said, strict=True)],
        rows=rows.index.to_numpy(),
        column=column,
        values=rows[column].tolist(),
    )


def _of_sides(sides: pd.DataFrame, said: list[str]) -> pd.DataFrame:
    messages = [
        f"{row.game_id} {row.team_abbr}: {words}" for row, words in zip(sides.itertuples(), said, strict=True)
    ]
    return violations(RELATIONS, sides["game_date"], FailureClass.IMPOSSIBLE_VALUE, messages)
