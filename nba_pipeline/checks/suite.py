"""Which checks each table has, and running them all: the one place where a computed range meets its contract.

Belongs here: the list of checks per table and ``examine``. Does not belong here: the rules themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from nba_pipeline.checks import completeness, conservation, history, identity, keys, relations, usage
from nba_pipeline.checks.contract import SCHEMA_CONTRACT, conform, find_contract_violations
from nba_pipeline.checks.history import history_through
from nba_pipeline.checks.model import Check, Evidence, combined
from nba_pipeline.tables.names import (
    BOXSCORES,
    CACHE,
    COMPOSITES,
    CONTEXT,
    DEFENSE,
    FEATURES,
    GAMES,
    OFFENSE,
    PLAYER_ZONES,
    PLAYERS,
    TEAM_ZONES,
)
from nba_pipeline.tables.spec import Table

_SCHEMA_CONTRACT = Check(
    SCHEMA_CONTRACT,
    "Every column is there with its type, required values are present, NUMERIC values fit their type, values"
    " keep their bounds, codes and patterns. Protects against one value failing a whole load without a name.",
    find_contract_violations,
)
_UNIQUE_KEY = Check(
    keys.UNIQUE_KEY,
    "No two rows share the key. Protects against duplicates after an append or a source that repeats rows.",
    keys.find_duplicate_keys,
)
_GAME_ID_FORMAT = Check(
    keys.GAME_ID_FORMAT,
    "game_id is YYYYMMDD_AWAY_HOME of the row's own date and teams, and competitive games are between teams"
    " of the league. Protects against home and away swapped and against unknown teams.",
    keys.find_bad_game_ids,
)
_ONE_GAME_A_DAY = Check(
    keys.ONE_GAME_A_DAY,
    "Nobody plays two competitive games on one day. Protects against dates in UTC, which put an evening game"
    " on the next day.",
    keys.find_two_games_a_day,
)
_GENERAL = (_SCHEMA_CONTRACT, _UNIQUE_KEY, _GAME_ID_FORMAT)


def _completeness(
    description: str, find: object, *, compares: str = "team-games", population: object = None
) -> Check:
    return Check(completeness.COMPLETENESS, description, find, compares, population)  # type: ignore[arg-type]


def _conservation(description: str, find: object) -> Check:
    return Check(conservation.CONSERVATION, description, find, "team-games", conservation.team_games)  # type: ignore[arg-type]


_LOOKING_BACK = (
    Check(
        history.HISTORY_COMPLETE,
        "Every day in the look-back that the schedule says had games is there; a day with a hole in its"
        " history is not computed. Protects against features made from half a history.",
        history.find_incomplete_history,
        "days of history",
        history.days_of_history,
    ),
    Check(
        history.NO_LOOKAHEAD,
        "A day of each run is recomputed with absurd results on and after it, and nothing may move. Protects"
        " against the windows with `<=` that once made a four-season feature history useless.",
        history.find_lookahead,
        "recomputed rows",
        history.sampled_rows,
    ),
)
_POPULATION = Check(
    history.POPULATION,
    "Exactly the players of the slate have a row. Protects against players dropped because something about"
    " them is unknown.",
    history.find_other_population,
    "players of the slate",
    history.slate_rows,
)


def find_contradictions(evidence: Evidence) -> pd.DataFrame:
    """For nba_raw.player_boxscores: contradictions between counts and between names and ids."""
    return combined(
        [relations.find_contradicting_lines(evidence), identity.find_contradicting_players(evidence)]
    )


_SPECIFIC: dict[str, tuple[Check, ...]] = {
    GAMES: (
        _ONE_GAME_A_DAY,
        Check(
            relations.RELATIONS,
            "Team ids and codes name the same team; id, source and calendar the same season. Protects against"
            " rows that are about another team or season than they say.",
            identity.find_contradicting_games,
        ),
    ),
    BOXSCORES: (
        Check(
            relations.RELATIONS,
            "Counts agree with each other (makes and attempts, assists and field goals, steals and turnovers,"
            " plus/minus and margin, five starters, no slate without a block), names with ids. Protects"
            " against a column that was zeroed or scaled, and against lines under a wrong name.",
            find_contradictions,
        ),
        _completeness(
            "Every final competitive game has both teams with at least five players who played, and no line"
            " contradicts the schedule. Protects against success reported with too few rows.",
            completeness.find_incomplete_boxscores,
            population=completeness.scheduled_sides,
        ),
    ),
    OFFENSE: (
        _ONE_GAME_A_DAY,
        _completeness(
            "Every final competitive game has both teams with at least five players who played.",
            completeness.find_incomplete_teams,
            population=completeness.scheduled_sides,
        ),
        _conservation(
            "Points = 2·FGM + 3PM + FTM and equal the schedule's score; seconds are 14,400 + 1,500·OT; zones"
            " sum to FGA and FGM. Protects against missing players, swapped teams and truncated shot files.",
            conservation.find_unbalanced_teams,
        ),
    ),
    DEFENSE: (
        _completeness("Every game of the offense table has two teams.", completeness.find_incomplete_defense),
        _conservation(
            "Points allowed and the opponent's zones keep the same identities. Protects against joining a"
            " team to the wrong opponent.",
            conservation.find_unbalanced_defense,
        ),
    ),
    PLAYERS: (
        _ONE_GAME_A_DAY,
        Check(
            usage.USAGE_RATE_RANGE,
            "usage_rate fits its NUMERIC type, and no player used more plays than his team had: at most"
            " 100·(team_minutes/5)/minutes. The incident: one true value too large for NUMERIC(5,2) failed"
            " whole dates without naming the row.",
            usage.find_usage_out_of_range,
        ),
        Check(
            usage.USAGE_RATE_COVERAGE,
            "Every row with playing time has a usage_rate (100 %). Protects against usage silently becoming"
            " NULL.",
            usage.find_missing_usage,
            "rows with playing time",
            usage.rows_with_time,
        ),
        _completeness(
            "Every team-game of the offense table has at least five players here.",
            completeness.find_incomplete_players,
        ),
        _conservation(
            "Points identity, zones, players summing to their team in every count and second, usage shares"
            " summing to 100 %. Protects against players dropped on the way.",
            conservation.find_unbalanced_players,
        ),
    ),
    CONTEXT: _LOOKING_BACK,
    TEAM_ZONES: (
        *_LOOKING_BACK,
        Check(
            history.POPULATION,
            "Every date with competitive games has exactly the league's thirty teams.",
            history.find_missing_teams,
        ),
    ),
    PLAYER_ZONES: (
        *_LOOKING_BACK,
        _POPULATION,
        Check(
            history.ZONE_RATES, "The rates of the three zones sum to 100 %.", history.find_unbalanced_rates
        ),
    ),
    COMPOSITES: (*_LOOKING_BACK, _POPULATION),
    CACHE: (*_LOOKING_BACK, _POPULATION),
    FEATURES: (*_LOOKING_BACK, _POPULATION),
}


def checks_of(table: Table) -> tuple[Check, ...]:
    """The checks of a table, in the order in which they are shown."""
    general = tuple(c for c in _GENERAL if c is not _GAME_ID_FORMAT or table.has("game_id"))
    return (*general, *_SPECIFIC.get(table.full_name, ()))


@dataclass(frozen=True)
class Examination:
    """A conformed range, what is wrong with it, how much each check compared per day (check name -> counts by
    day), and for tables that look back the newest day of history before each day."""

    conformed: pd.DataFrame
    violations: pd.DataFrame
    compared: Mapping[str, pd.Series]
    history_through: pd.Series | None = None


def examine(
    table: Table,
    days: pd.DatetimeIndex,
    computed: pd.DataFrame,
    inputs: Mapping[str, pd.DataFrame],
    *,
    history: frozenset[str] = frozenset(),
    recompute: Callable[[Mapping[str, pd.DataFrame], Sequence[date]], pd.DataFrame] | None = None,
) -> Examination:
    """Conform a computed range to its table and run every check of the table over it. Writes nothing.

    ``history`` and ``recompute`` are described at ``Evidence``.
    """
    computed = computed.reset_index(drop=True)
    conformed, uncastable = conform(table, computed)
    evidence = Evidence(table, days, computed, conformed, inputs, history, recompute)
    found, compared = [uncastable], {}
    rows = conformed["game_date"].value_counts()
    for check in checks_of(table):
        if check is _SCHEMA_CONTRACT:
            found.append(_without_usage_range(table, find_contract_violations(evidence, uncastable)))
        else:
            found.append(check.find(evidence))
        compared[check.name] = rows if check.population is None else check.population(evidence)
    return Examination(conformed, combined(found), compared, history_through(evidence) if history else None)


def _without_usage_range(table: Table, found: pd.DataFrame) -> pd.DataFrame:
    """Out-of-range usage rates are reported by ``usage_rate_range``, which knows their inputs; once is
    enough."""
    if usage.USAGE_RATE_RANGE not in {c.name for c in checks_of(table)}:
        return found
    ranged = found["failure_class"].isin(["type_overflow", "impossible_value"])
    return found[~((found["column"] == "usage_rate") & ranged)]
