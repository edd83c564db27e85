"""The questions that the incident's engineers asked of the stored tables by hand, each with what is expected
and found.

Belongs here: the questions and their answers over what is stored. Does not belong here: the contract that is
enforced before a write (``checks/``), printing (``cli/``).

These questions trust nothing that a run recorded: they read the rows again. A warehouse that something else
has written to, restored from a copy or lost a folder of is found here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from nba_pipeline.rangerun.gaps import Gaps
from nba_pipeline.rangerun.lineage import readable_manifest
from nba_pipeline.ranges import described
from nba_pipeline.tables.names import GAMES, OFFENSE, PLAYERS
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.transforms.games import COUNTS, competitive_finals
from nba_pipeline.warehouse.base import Store

GAMES, OFFENSE, PLAYERS = (
    GAMES,
    OFFENSE,
    PLAYERS,
)
LEAST_PLAYERS = 5
"""A team plays with five, so fewer lines of a team in a game are fewer than can be."""
_SHOWN = 5
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    GAMES: ("game_date", "game_id", "game_type", "status", "home_team_abbr", "away_team_abbr"),
    OFFENSE: ("game_date", "game_id", "team_abbr", *COUNTS),
    PLAYERS: (
        "game_date",
        "game_id",
        "team_abbr",
        "player_id",
        "player_full_name",
        "seconds_played",
        "usage_rate",
        *COUNTS,
    ),
}


@dataclass(frozen=True)
class Answer:
    """One question: what must be so, what is so, whether that is the same, and the first exceptions in
    words."""

    question: str
    expected: str
    found: str
    passed: bool
    exceptions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stored:
    """What is asked about: stored days per table, rows of the tables of games, and the days in question."""

    days: Sequence[date]
    present: Mapping[str, set[date]]
    rows: Mapping[str, pd.DataFrame]
    failed: Mapping[str, Collection[date]]
    keys: Mapping[str, tuple[int, int, tuple[str, ...]]]
    """Per table: rows, rows whose key another row has as well, and examples of such keys."""
    left_out: frozenset[str] = frozenset()
    """Ids of games that the tables were made without: declared gaps."""


def read_stored(
    store: Store,
    tables: TableRegistry,
    days: Sequence[date],
    failed: Mapping[str, Collection[date]],
    gaps: Gaps | None = None,
) -> Stored:
    """Everything the questions need, of the tables that have any of the days. Damaged days count as not
    stored. Games that are declared gaps, and left out, are asked nothing."""
    wanted = set(days)
    present = {name: wanted & set(readable_manifest(store, table)) for name, table in tables.items()}
    rows = {
        name: store.read(tables[name], sorted(present[name]), columns) for name, columns in _COLUMNS.items()
    }
    keys = {
        name: _repeated(store.read(t, sorted(present[name]), t.key), t.key)
        for name, t in tables.items()
        if present[name]
    }
    left_out = frozenset(gaps.left_out()["game_id"]) if gaps else frozenset()
    gone = rows[GAMES]["game_id"].isin(left_out).to_numpy(dtype=bool)
    return Stored(
        days,
        present,
        rows | {GAMES: rows[GAMES][~gone]},
        failed,
        keys,
        frozenset(rows[GAMES]["game_id"][gone]),
    )


def validate(stored: Stored) -> list[Answer]:
    """All answers, in the order in which the incident's report gave them."""
    return [question(stored) for question in QUESTIONS]


def usage_coverage(stored: Stored) -> Answer:
    """Whoever has playing time has a usage rate."""
    players = stored.rows[PLAYERS]
    played = players[players["seconds_played"].fillna(0).to_numpy(dtype="float64") > 0]
    without = played[played["usage_rate"].isna()]
    share = 100.0 * (1 - len(without) / len(played)) if len(played) else 0.0
    return Answer(
        "usage_rate of players with minutes > 0",
        "present in every row, and rows wherever games were played",
        f"{len(played) - len(without):,} of {len(played):,} rows ({share:.2f} %)",
        without.empty and (len(played) > 0 or competitive_finals(stored.rows[GAMES]).empty),
        _lines(
            f"{r.game_date:%Y-%m-%d} {r.game_id} {r.player_full_name}: NULL"
            for r in without.head(_SHOWN).itertuples()
        ),
    )


def rows_per_date(stored: Stored) -> Answer:
    """Every competitive game that the schedule calls final has its two teams, each with at least five
    players."""
    games = competitive_finals(stored.rows[GAMES])
    wrong = []
    by_game = stored.rows[OFFENSE].groupby("game_id")["team_abbr"]
    teams = {game: set(of) for game, of in by_game}  # of `agg(set)` pandas 3 makes lists
    lines = stored.rows[PLAYERS].groupby(["game_id", "team_abbr"]).size()
    for game in games.itertuples():
        expected = {game.home_team_abbr, game.away_team_abbr}
        held = teams.get(game.game_id, set())
        if held != expected:
            wrong.append(
                f"{game.game_date:%Y-%m-%d} {game.game_id}: team rows of"
                f" {', '.join(sorted(held)) or 'no team'}"
            )
        counts = {team: int(lines.get((game.game_id, team), 0)) for team in sorted(expected)}
        few = [f"{team} {count}" for team, count in counts.items() if count < LEAST_PLAYERS]
        if few:
            wrong.append(f"{game.game_date:%Y-%m-%d} {game.game_id}: player rows: {', '.join(few)}")
    unscheduled = sorted(
        (set(stored.rows[OFFENSE]["game_id"]) | set(stored.rows[PLAYERS]["game_id"])) - set(games["game_id"])
    )
    wrong += [
        f"{game_id}: rows of a game that the schedule does not call competitive and final"
        for game_id in unscheduled
    ]
    return Answer(
        "rows per date against the schedule",
        f"2 team rows and at least {LEAST_PLAYERS} player rows per team for each of {len(games):,} final"
        " games",
        f"{len(stored.rows[OFFENSE]):,} team rows and {len(stored.rows[PLAYERS]):,} player rows; {len(wrong)}"
        " exceptions"
        + (f"; declared gaps, not asked: {', '.join(sorted(stored.left_out))}" if stored.left_out else ""),
        not wrong,
        _lines(wrong),
    )


def dates_stored(stored: Stored) -> Answer:
    """Every day in question is stored in every table and none is failed."""
    wrong, complete = [], 0
    for name, days in stored.present.items():
        absent = set(stored.days) - days
        failed = set(stored.failed.get(name, ())) & set(stored.days)
        if absent - failed:
            wrong.append(f"{name}: {len(absent - failed)} day(s) not stored: {described(absent - failed)}")
        if failed:
            wrong.append(f"{name}: {len(failed)} day(s) failed: {described(failed)}")
        complete += not absent and not failed
    return Answer(
        "the dates in question",
        f"{len(stored.days)} day(s) stored in all {len(stored.present)} tables, none failed",
        f"{complete} of {len(stored.present)} tables complete",
        not wrong,
        _lines(wrong, most=len(stored.present)),
    )


def game_ids(stored: Stored) -> Answer:
    """game_id is YYYYMMDD_AWAY_HOME of the row's own date, and of the schedule's away and home teams."""
    wrong: list[str] = []
    count = 0
    games = stored.rows[GAMES]
    built = (
        games["game_date"].dt.strftime("%Y%m%d")
        + "_"
        + games["away_team_abbr"].astype(str)
        + "_"
        + games["home_team_abbr"].astype(str)
    )
    bad = games[(games["game_id"].astype(object) != built.astype(object)).to_numpy(dtype=bool)]
    wrong += [
        f"{GAMES}: {r.game_id} of {r.away_team_abbr} at {r.home_team_abbr} on {r.game_date:%Y-%m-%d}"
        for r in bad.itertuples()
    ]
    for name, frame in stored.rows.items():
        count += len(frame)
        ids = frame["game_id"].astype(object).astype(str)
        formed = ids.str.fullmatch(r"[0-9]{8}_[A-Z]{3}_[A-Z]{3}") & (
            ids.str[:8] == frame["game_date"].dt.strftime("%Y%m%d")
        )
        wrong += [
            f"{name}: {r.game_id} on {r.game_date:%Y-%m-%d}"
            for r in frame[~formed.to_numpy(dtype=bool)].itertuples()
        ]
    return Answer(
        "game_id format",
        "YYYYMMDD_AWAY_HOME of its row's date",
        f"{count:,} rows; {len(wrong)} exceptions",
        not wrong,
        _lines(wrong),
    )


def team_reconstruction(stored: Stored) -> Answer:
    """The counts of a team's players add up to the team's row."""
    key = ["game_id", "team_abbr"]
    sums = stored.rows[PLAYERS].groupby(key)[list(COUNTS)].sum(min_count=1).astype("float64")
    teams = stored.rows[OFFENSE].set_index(key)[list(COUNTS)].astype("float64")
    both = sums.reindex(teams.index)
    differs = ~((both == teams) | (both.isna() & teams.isna()))
    wrong = [
        f"{game} {team}: {column} of players {_known(both.at[(game, team), column])}, of the team"
        f" {_known(teams.at[(game, team), column])}"
        for (game, team), row in differs[differs.any(axis=1)].iterrows()
        for column in list(row.index[row])[:1]
    ]
    return Answer(
        "team rows rebuilt from their players",
        f"{len(COUNTS)} counts equal in every team row",
        f"{len(teams) - len(wrong):,} of {len(teams):,} team rows equal",
        not wrong and (len(teams) > 0 or competitive_finals(stored.rows[GAMES]).empty),
        _lines(wrong),
    )


def duplicates(stored: Stored) -> Answer:
    """No two rows of a table share its key."""
    wrong = [
        f"{name}: {n} rows share a key, first {'; '.join(examples)}"
        for name, (_, n, examples) in stored.keys.items()
        if n
    ]
    rows = sum(rows for rows, _, _ in stored.keys.values())
    return Answer(
        "duplicate keys",
        "none in any table",
        f"{rows:,} rows of {len(stored.keys)} tables; {len(wrong)} with duplicates",
        not wrong,
        _lines(wrong),
    )


QUESTIONS: tuple[Callable[[Stored], Answer], ...] = (
    usage_coverage,
    rows_per_date,
    dates_stored,
    game_ids,
    team_reconstruction,
    duplicates,
)


def as_json(answers: Sequence[Answer]) -> dict[str, Any]:
    """The documented JSON of `nba-pipeline validate --json`."""
    return {
        "passed": all(a.passed for a in answers),
        "questions": [
            {
                "question": a.question,
                "expected": a.expected,
                "found": a.found,
                "passed": a.passed,
                "exceptions": list(a.exceptions),
            }
            for a in answers
        ],
    }


def _repeated(keys: pd.DataFrame, columns: Sequence[str]) -> tuple[int, int, tuple[str, ...]]:
    again = keys[keys.duplicated(list(columns), keep=False)]
    examples = [
        ", ".join(f"{c}={v}" for c, v in row.items())
        for row in again.drop_duplicates().head(2).astype(str).to_dict("records")
    ]
    return len(keys), len(again), tuple(examples)


def _known(value: float) -> str:
    return "not known" if value != value else f"{value:g}"


def _lines(lines: Any, most: int = _SHOWN) -> tuple[str, ...]:
    """The first lines, and how many more there are."""
    listed = list(lines)
    return tuple(listed[:most] + ([f"and {len(listed) - most} more"] if len(listed) > most else []))
