"""Opening a pipeline and running it as `nba-pipeline` does, without printing.

Belongs here: what several end-to-end tests need to run and to read. Does not belong here: expectations.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from nba_pipeline.build import RECIPES, build_defs
from nba_pipeline.cli import main as cli
from nba_pipeline.operations.backfill.execute import InProcessRunner, TableResult, execute
from nba_pipeline.operations.backfill.retry import retry_request
from nba_pipeline.operations.backfill.tasks import Backfill
from nba_pipeline.operations.graph import select
from nba_pipeline.operations.status.state import TableState, read_state
from nba_pipeline.orchestration.day_events import asset_key
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.orchestration.table_asset import SOURCE, STORE
from nba_pipeline.settings import Settings
from nba_pipeline.tables.registry import TABLES, TableRegistry
from nba_pipeline.warehouse.base import Store

RAW = ("nba_raw.games", "nba_raw.player_boxscores", "nba_raw.shot_attempts")
TEAM_TABLES = ("nba_analytics.team_offense_game_summary", "nba_analytics.team_defense_game_summary")
PLAYERS, SLATE = "nba_analytics.player_game_summary", "nba_analytics.upcoming_player_game_context"
GAME_TABLES = (*RAW, *TEAM_TABLES, PLAYERS)
ANALYTICS_JOB = (*GAME_TABLES, SLATE)
"""The sources and the analytics tables; later tables are made from these."""


@dataclass
class Runs:
    """A pipeline whose runs happen in this process: definitions over a source and a store, and an
    instance."""

    settings: Settings
    store: Store
    instance: dg.DagsterInstance
    source: Any = None
    tables: TableRegistry = field(default_factory=lambda: TABLES)

    @property
    def defs(self) -> dg.Definitions:
        given = {STORE: self.store} | ({} if self.source is None else {SOURCE: self.source})
        return build_defs(self.settings, resources=given, tables=self.tables)

    def backfill(
        self, days: Sequence[date], names: Sequence[str] | None = None, policy: str = "fail"
    ) -> dict[str, TableResult]:
        recipes = select(RECIPES, names)
        return self._execute(Backfill(recipes, {p.table: days for p in recipes}, policy))

    def retry(self, days: Sequence[date], policy: str = "fail") -> dict[str, TableResult]:
        return self._execute(retry_request(RECIPES, self.state(days), policy))

    def state(self, days: Sequence[date]) -> dict[str, TableState]:
        return read_state(
            self.instance, self.store, self.tables, RECIPES, days, daily_partitions(self.settings.start_date)
        )

    def _execute(self, request: Backfill) -> dict[str, TableResult]:
        return execute(InProcessRunner(self.defs, self.instance), request)


@contextmanager
def environment(**values: object) -> Iterator[None]:
    """These settings in the environment and no other of the pipeline's."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SOURCE", "BULK_DIR", "WAREHOUSE", "WAREHOUSE_DIR", "START_DATE"):
            patch.delenv(f"NBA_PIPELINE_{name}", raising=False)
        for name, value in values.items():
            patch.setenv(name, str(value))
        yield


@dataclass(frozen=True)
class Answer:
    """What a command printed and returned."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def command(capture: pytest.CaptureFixture[str] | None, *arguments: str) -> Answer:
    """`nba-pipeline <arguments>` in this process, through the function that the console command calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["nba-pipeline", *arguments])
        code: object = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code or 0
    assert isinstance(code, int)
    printed = capture.readouterr() if capture else None
    return Answer(code, printed.out if printed else "", printed.err if printed else "")


def check_counts(home: Path) -> dict[tuple[str, str], Counter[tuple[str, bool]]]:
    """Per (table, check): how often each (status, has a day) was recorded in the instance of this home."""
    query = (
        "SELECT asset_key, check_name, execution_status, partition IS NOT NULL, count(*) FROM"
        " asset_check_executions GROUP BY 1, 2, 3, 4"
    )
    counts: dict[tuple[str, str], Counter[tuple[str, bool]]] = {}
    with sqlite3.connect(home / "history" / "runs" / "index.db") as database:
        for key, check, status, has_day, n in database.execute(query):
            counts.setdefault((".".join(json.loads(key)), check), Counter())[status, bool(has_day)] += n
    return counts


def materializations(
    instance: dg.DagsterInstance, table: str, days: Sequence[date]
) -> Mapping[date, dg.AssetMaterialization]:
    """The newest recorded materialization of each of these days."""
    wanted = dg.AssetRecordsFilter(asset_key=asset_key(table), asset_partitions=[d.isoformat() for d in days])
    found: dict[date, dg.AssetMaterialization] = {}
    for record in instance.fetch_materializations(wanted, limit=5000).records:
        made = record.asset_materialization
        assert made is not None
        assert made.partition is not None
        found.setdefault(date.fromisoformat(made.partition), made)
    return found


def failed(results: Mapping[str, TableResult]) -> dict[str, dict[date, str]]:
    """Failed days with their class, of the tables that have any."""
    return {
        name: {d: f.failure_class for d, f in r.failed.items()} for name, r in results.items() if r.failed
    }


def blocked(results: Mapping[str, TableResult]) -> dict[str, set[date]]:
    """Blocked days of the tables that have any."""
    return {name: set(r.blocked) for name, r in results.items() if r.blocked}
