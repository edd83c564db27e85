"""Small random leagues: schedules and consistent facts of the analytics tables, for tests of look-back
transforms.

Belongs here: generating inputs. Does not belong here: expected results (the tests' slow references). A league
has everything that has gone wrong with histories: two seasons, trades, players who sit out, zero-second
lines, games without shot data, postponed and not yet played games, exhibitions, off days.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from nba_pipeline.tables.calendar import season_year_of
from nba_pipeline.tables.render.frames import STRING_DTYPE
from nba_pipeline.tables.vocabulary import TEAM_IDS, ZONES

ZONE_COUNTS = [f"{zone}_{what}" for zone in ZONES for what in ("makes", "attempts")]
SHOT_COUNTS = [
    *ZONE_COUNTS,
    "assisted_fg_makes",
    "unassisted_fg_makes",
    *(f"blocks_{zone}" for zone in ZONES),
]


@dataclass(frozen=True)
class League:
    """The frames a look-back transform may read, and the days of the second season on which to ask."""

    days: tuple[date, ...]
    games: pd.DataFrame
    player_games: pd.DataFrame
    team_games: pd.DataFrame
    defense_games: pd.DataFrame

    def changed(self, **frames: pd.DataFrame) -> League:
        return replace(self, **frames)

    def shuffled(self, seed: int) -> League:
        frames = {n: getattr(self, n) for n in ("games", "player_games", "team_games", "defense_games")}
        return replace(self, **{n: f.sample(frac=1, random_state=seed) for n, f in frames.items()})


def random_league(seed: int, *, teams: int = 4, players: int = 14, game_days: int = 16) -> League:
    """A league of ``teams`` teams over the end of one season and the beginning of the next."""
    rng = np.random.default_rng(seed)
    codes = list(TEAM_IDS)[:teams]
    home = dict(enumerate(rng.choice(codes, players), start=1))
    dates = [
        *_game_days(date(2022, 5, 20), game_days // 2, rng),
        *_game_days(date(2022, 10, 18), game_days, rng),
    ]
    schedule, lines = [], []
    for day in dates:
        home = {p: str(rng.choice(codes)) if rng.random() < 0.04 else t for p, t in home.items()}
        order = rng.permutation(codes)
        for away, host in zip(order[0::2], order[1::2], strict=True):
            if rng.random() < 0.2:
                continue
            game = _game(day, str(away), str(host), rng)
            schedule.append(game)
            if game["status"] == "final" and game["game_type"] in ("regular", "playoffs"):
                lines += _lines(game, home, rng)
    games = _frame(schedule)
    player_games = _typed(_frame(lines))
    team_games = _team_games(player_games)
    second = [d for d in dates if season_year_of(d) == 2022]
    days = tuple(second[0] + timedelta(days=i) for i in range((second[-1] - second[0]).days + 1))
    return League(days, games, player_games, team_games, _defense_games(team_games))


def _game_days(first: date, count: int, rng: np.random.Generator) -> list[date]:
    steps = np.cumsum(rng.choice([1, 1, 2, 3, 12], count, p=[0.4, 0.2, 0.2, 0.15, 0.05]))
    return [first + timedelta(days=int(s)) for s in steps]


def _game(day: date, away: str, host: str, rng: np.random.Generator) -> dict[str, object]:
    return {
        "game_id": f"{day:%Y%m%d}_{away}_{host}",
        "nba_game_id": f"{day:%Y%m%d}{TEAM_IDS[host] % 100:02d}",
        "game_date": day,
        "season_year": season_year_of(day),
        "game_type": str(rng.choice(["regular", "playoffs", "preseason"], p=[0.85, 0.1, 0.05])),
        "status": str(rng.choice(["final", "scheduled", "postponed"], p=[0.85, 0.07, 0.08])),
        "home_team_abbr": host,
        "away_team_abbr": away,
        "home_score": int(rng.integers(80, 140)),
        "away_score": int(rng.integers(80, 140)),
    }


def _lines(
    game: dict[str, object], home: dict[int, str], rng: np.random.Generator
) -> list[dict[str, object]]:
    has_shots = rng.random() < 0.85
    lines = []
    for own, other in (("home_team_abbr", "away_team_abbr"), ("away_team_abbr", "home_team_abbr")):
        squad = [p for p, t in home.items() if t == game[own] and rng.random() < 0.8]
        for player in squad or [900 + TEAM_IDS[str(game[own])] % 100]:
            ids = {c: game[c] for c in ("game_id", "nba_game_id", "game_date", "season_year", "game_type")}
            where = {
                "team_abbr": game[own],
                "opponent_team_abbr": game[other],
                "is_home": own == "home_team_abbr",
            }
            lines.append({**ids, **where, **_line(player, has_shots, rng)})
    return lines


def _line(player: int, has_shots: bool, rng: np.random.Generator) -> dict[str, object]:
    attempts = {zone: int(rng.integers(0, 5)) for zone in ZONES}
    makes = {zone: int(rng.integers(0, attempts[zone] + 1)) for zone in ZONES}
    fg, threes, ft_attempts = sum(makes.values()), makes["three"], int(rng.integers(0, 6))
    ft_makes, assisted = int(rng.integers(0, ft_attempts + 1)), int(rng.integers(0, fg + 1))
    shots = {f"{z}_{w}": v[z] for z in ZONES for w, v in (("makes", makes), ("attempts", attempts))}
    shots |= {"assisted_fg_makes": assisted, "unassisted_fg_makes": fg - assisted}
    shots |= {f"blocks_{z}": int(rng.integers(0, 3)) for z in ZONES}
    return {
        "player_id": player,
        "player_lookup": f"player{player}",
        "player_full_name": f"Player {player}",
        "is_starter": None if rng.random() < 0.1 else bool(rng.random() < 0.5),
        "seconds_played": int(
            rng.choice([0, rng.integers(1, 300), rng.integers(600, 2700)], p=[0.05, 0.15, 0.8])
        ),
        "fg_makes": fg,
        "fg_attempts": sum(attempts.values()),
        "three_pt_makes": threes,
        "ft_makes": ft_makes,
        "ft_attempts": ft_attempts,
        "points": 2 * fg + threes + ft_makes,
        "turnovers": int(rng.integers(0, 5)),
        "offensive_rebounds": int(rng.integers(0, 4)),
        "rebounds": int(rng.integers(4, 9)),
        "assists": int(rng.integers(0, 9)),
        "minus_one": 0,
        **(shots if has_shots else dict.fromkeys(shots)),
    }


def _frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows).drop(columns="minus_one", errors="ignore")
    frame["game_date"] = pd.to_datetime(frame["game_date"]).astype("datetime64[s]")
    strings = [c for c in frame if frame[c].dtype == object and c not in (*SHOT_COUNTS, "is_starter")]
    return frame.astype(dict.fromkeys(strings, STRING_DTYPE))


def _typed(lines: pd.DataFrame) -> pd.DataFrame:
    lines = lines.astype({**dict.fromkeys(SHOT_COUNTS, "Int64"), "is_starter": "boolean"})
    return lines.assign(plays_used=lines["fg_attempts"] + 0.44 * lines["ft_attempts"] + lines["turnovers"])


def _team_games(lines: pd.DataFrame) -> pd.DataFrame:
    keys = [
        "game_id",
        "nba_game_id",
        "game_date",
        "season_year",
        "game_type",
        "team_abbr",
        "opponent_team_abbr",
        "is_home",
    ]
    counts = ["points", "fg_attempts", "ft_attempts", "offensive_rebounds", "turnovers", "plays_used"]
    zones = [*ZONE_COUNTS, *(f"blocks_{z}" for z in ZONES)]
    grouped = lines.groupby(keys, sort=True)
    teams = pd.concat([grouped[counts].sum(), grouped[zones].sum(min_count=1)], axis=1).reset_index()
    own = teams["plays_used"] - teams["offensive_rebounds"]
    both = own.groupby(teams["game_id"]).transform("mean").round(2)
    rivals = teams.groupby("game_id")["points"].transform("sum") - teams["points"]
    overtime = teams["game_id"].str.slice(6, 8).astype("int64") % 5 == 0
    return teams.assign(
        possessions=both + 60.0,
        team_minutes=np.where(overtime, 265.0, 240.0),
        win_flag=(teams["points"] > rivals).astype(bool),
        points_allowed=rivals,
    )


def _defense_games(teams: pd.DataFrame) -> pd.DataFrame:
    """The same games from the other side of the ball."""
    swap = {"team_abbr": "opponent_team_abbr", "opponent_team_abbr": "team_abbr"}
    allowed = teams[["game_id", "team_abbr", "opponent_team_abbr", *ZONE_COUNTS]].rename(
        columns={**swap, **{c: f"opp_{c}" for c in ZONE_COUNTS}}
    )
    kept = ["game_id", "game_date", "season_year", "team_abbr", "points_allowed", "possessions"]
    return teams[[*kept, *(f"blocks_{z}" for z in ZONES)]].merge(allowed, on=["game_id", "team_abbr"])
