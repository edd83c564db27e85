"""Which days may be exported, and reading them.

Belongs here: ``export_training``: from an opened pipeline to a training set and what is said of it. Does not
belong here: joining rows (``training.py``), the words of the card (``card.py``), files (``files.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from nba_pipeline.operations.export.card import manifest
from nba_pipeline.operations.export.training import NAMES, NOTES, TARGETS, Choice, TrainingSet, training_set
from nba_pipeline.operations.gaps import standings
from nba_pipeline.operations.workspace import Workspace
from nba_pipeline.ranges import span
from nba_pipeline.tables.columns.features import FEATURE_NAMES
from nba_pipeline.tables.names import FEATURES, PLAYERS

_REASON_DAYS = 365
"""How far back a player's last appearance is looked for, to say why he has no features."""
_NAMED = 5


class NotReady(Exception):
    """Days of the range are missing, failed or stale, or hold no row to export; the message says which, and
    what to do."""


@dataclass(frozen=True)
class Export:
    """The rows, and the manifest that describes them (JSON values only)."""

    training: TrainingSet
    manifest: dict[str, Any]


def export_training(
    w: Workspace, days: Sequence[date], choice: Choice, *, allow_incomplete: bool = False
) -> Export:
    """The training set of the days. Raises NotReady unless every day of features and results is stored and
    made from the inputs as they are now; ``allow_incomplete`` leaves such days out and says so."""
    unfit = _unfit(w, days)
    if unfit and not allow_incomplete:
        raise NotReady(_refusal(unfit))
    chosen = [day for day in days if day not in unfit]
    history = span(days[0] - timedelta(days=_REASON_DAYS), days[0] - timedelta(days=1))
    features = w.store.read(w.tables[FEATURES], chosen, [*NAMES, *NOTES, *FEATURE_NAMES])
    results = w.store.read(w.tables[PLAYERS], [*history, *chosen], _RESULTS)
    made = training_set(features, results, days[0], choice)
    if made.rows.empty:
        raise NotReady(
            f"no row to export: {FEATURES} has {len(features)} rows from {days[0]} to {days[-1]}, of which"
            f" {made.without_result} are of games without a box score, {made.left_out} are below --min-games"
            f" or --min-quality, and none of the others is of the population {choice.population}."
        )
    used = [s for s in standings(w.gaps()) if {FEATURES, PLAYERS} & set(s.used_by) or s.state == "holds"]
    return Export(made, manifest(w.tables, made, days, unfit, [s.words for s in used]))


_RESULTS = list(
    dict.fromkeys(
        "game_date game_id team_abbr player_id player_lookup season_year is_starter seconds_played".split()
        + list(TARGETS.values())
    )
)


def _unfit(w: Workspace, days: Sequence[date]) -> dict[date, str]:
    """Day -> why it cannot be exported."""
    recipes = [r for r in w.recipes if r.table in (FEATURES, PLAYERS)]
    states = w.states(days, recipes)
    stale = w.stale(states, recipes)
    found: dict[date, str] = {}
    for name, state in states.items():
        table = name.split(".")[1]
        found |= dict.fromkeys(state.missing, f"{table} is missing")
        found |= dict.fromkeys(state.in_progress, f"{table} is being made")
        found |= dict.fromkeys(state.blocked, f"{table} waits for other days")
        found |= dict.fromkeys(state.failed, f"{table} has failed")
        found |= {day: f"{table} is stale ({why})" for day, why in stale.get(name, {}).items()}
    return dict(sorted(found.items()))


def _refusal(unfit: Mapping[date, str]) -> str:
    named = "; ".join(f"{day}: {why}" for day, why in list(unfit.items())[:_NAMED])
    more = f"; and {len(unfit) - _NAMED} more" if len(unfit) > _NAMED else ""
    return (
        f"{len(unfit)} day(s) of the range are not as they should be, so nothing was exported: {named}{more}."
        f" `nba-pipeline backfill --start {min(unfit)} --end {max(unfit)}` makes them;"
        " --allow-incomplete leaves them out and says so in the manifest."
    )
