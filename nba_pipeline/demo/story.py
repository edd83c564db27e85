"""The incident as a sequence of steps, each done by the functions behind a command and held against what it
should show.

Belongs here: the order of events and what must be true after each. Does not belong here: the faults
(``incident.py``), words and tables for people (``cli/demo.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from nba_pipeline.build import make_store
from nba_pipeline.demo import incident
from nba_pipeline.demo.incident import (
    DAYS,
    EXHIBITION,
    LAST,
    NARROW,
    OUTAGE,
    PARTIAL,
    STINT,
)
from nba_pipeline.operations.backfill.execute import InProcessRunner, TableResult, execute
from nba_pipeline.operations.backfill.retry import retry_request
from nba_pipeline.operations.backfill.tasks import Backfill
from nba_pipeline.operations.explain.explain import Explanation, explain
from nba_pipeline.operations.graph import select
from nba_pipeline.operations.report.content import gather
from nba_pipeline.operations.report.html import as_html
from nba_pipeline.operations.schema import apply_changes, plan_changes, with_quarantine
from nba_pipeline.operations.status.staleness import Stale
from nba_pipeline.operations.status.state import TableState
from nba_pipeline.operations.workspace import Workspace, open_with
from nba_pipeline.orchestration.automation.ticks import evaluate
from nba_pipeline.orchestration.day_events import asset_key
from nba_pipeline.orchestration.launch import execute_range
from nba_pipeline.ranges import contiguous
from nba_pipeline.recipes.recipe import Recipe
from nba_pipeline.settings import Settings
from nba_pipeline.tables.names import BOXSCORES, OFFENSE, PLAYERS
from nba_pipeline.tables.registry import TABLES, TableRegistry
from nba_pipeline.tables.vocabulary import EmptyReason

States = Mapping[str, TableState]
Results = Mapping[str, TableResult]
PHASE_4 = "nba_precompute."
_MOST_TICKS = 20


class UnexpectedOutcome(Exception):
    """The pipeline did something else than the demo tells: the demo has failed."""


@dataclass
class Step:
    """One step: a title, and what came out of it; a step has the kinds of output that its command has."""

    title: str
    command: str = ""
    results: Results = field(default_factory=dict)
    states: States = field(default_factory=dict)
    stale: Mapping[str, Mapping[date, Stale]] = field(default_factory=dict)
    explanation: Explanation | None = None
    ticks: list[dict[str, list[date]]] = field(default_factory=list)
    report: Path | None = None
    lines: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """What was asserted, for programs."""


def expect(what: str, expected: object, found: object) -> None:
    """Reality must be what is narrated."""
    if expected != found:
        raise UnexpectedOutcome(f"{what}: expected {expected}, found {found}")


class Story:
    """The pipeline in ``home`` (an empty folder), opened anew when its declarations change."""

    def __init__(self, home: Path) -> None:
        self._settings = Settings(
            start_date=incident.FIRST, warehouse_dir=home / "warehouse", dagster_home=home
        )
        self._home = home
        self._source = incident.incident_source()
        self._cursor: Any = None
        self._w: Workspace

    def steps(self) -> Iterator[Step]:
        """Every step, done when it is asked for. Raises ``UnexpectedOutcome`` at the first that differs."""
        with ExitStack() as opened:
            self._open(opened, NARROW)
            yield self._backfill()
            yield self._status()
            yield self._explain()
            opened.close()
            self._open(opened, TABLES)
            yield self._widen()
            yield self._heal()
            yield self._retry()
            yield self._phase4()
            yield self._report()

    def _open(self, opened: ExitStack, tables: TableRegistry) -> None:
        self._w = opened.enter_context(open_with(self._settings, tables, self._source))

    # ------------------------------------------------------------------------------------------------------
    # steps

    def _backfill(self) -> Step:
        names = [p.table for p in self._w.recipes if not p.table.startswith(PHASE_4)]
        recipes = select(self._w.recipes, names)
        results = self._execute(Backfill(recipes, {p.table: DAYS for p in recipes}))
        failed = {
            name: {d: f.failure_class for d, f in r.failed.items()} for name, r in results.items() if r.failed
        }
        expected = {
            BOXSCORES: {OUTAGE: "source_unavailable"},
            OFFENSE: {PARTIAL: "incomplete_input"},
            PLAYERS: {STINT: "type_overflow"},
        }
        expect("failed days and classes", expected, failed)
        expect("blocked days of player_game_summary", {OUTAGE, PARTIAL}, set(results[PLAYERS].blocked))
        entry = self._w.store.manifest(self._w.tables[PLAYERS])[EXHIBITION]
        expect(
            f"player_game_summary {EXHIBITION}",
            (0, EmptyReason.EXHIBITION_ONLY.value),
            (entry.row_count, entry.reason),
        )
        lines = self._w.store.read(
            self._w.tables[BOXSCORES], [EXHIBITION], ("minutes_text", "seconds_played")
        )
        nonsense = sorted({str(t) for t in lines.loc[lines["seconds_played"].isna(), "minutes_text"] if t})
        expect(f"{EXHIBITION} has minutes that are no duration", True, bool(nonsense))
        command = _backfill_command(recipes)
        facts = {
            "failed": _classes(failed),
            "exhibition": {"date": EXHIBITION.isoformat(), "rows": 0, "minutes": nonsense[:3]},
        }
        return Step(
            "Backfill of sources and analytics, a month in ranges", command, results=results, facts=facts
        )

    def _status(self) -> Step:
        states, stale = self._states()
        red = {
            name: {d: f.failure_class for d, f in s.failed.items()} for name, s in states.items() if s.failed
        }
        expect("days that status calls failed", 3, sum(map(len, red.values())))
        for name, state in states.items():
            days = (*state.materialized, *state.failed, *state.blocked, *state.in_progress, *state.missing)
            expect(f"every day of {name} is in exactly one state", sorted(DAYS), sorted(days))
        return Step(
            "Status: three red days, each with its class",
            "status",
            states=states,
            stale=stale,
            facts={"failed": _classes(red)},
        )

    def _explain(self) -> Step:
        failed = self._states()[0][PLAYERS].failed[STINT]
        lines = self._w.store.read(
            self._w.tables[BOXSCORES], [STINT], ("player_id", "player_name", "seconds_played")
        )
        (player,) = lines.loc[
            lines["seconds_played"].fillna(-1).eq(incident.STINT_SECONDS).to_numpy(dtype=bool), "player_name"
        ]
        (recipe,) = select(self._w.recipes, [PLAYERS])
        w, key = self._w, {"player": str(player)}
        found = explain(
            w.store,
            w.tables,
            recipe,
            STINT,
            key,
            "usage_rate",
            source=w.source,
            failed=failed,
            start=w.settings.start_date,
        )
        expect("the formula gives the refused value", True, found.agrees)
        expect("the value is too big for NUMERIC(5,2)", True, float(found.value) > 999.99)
        expect(
            "the message names value and player",
            True,
            f"{found.value:.2f}" in failed.message and str(player) in failed.message,
        )
        command = f'explain player_game_summary {STINT} --key "player={player}" --column usage_rate'
        return Step(
            "Explain the refused value",
            command,
            explanation=found,
            facts={"value": found.value, "player": player},
        )

    def _widen(self) -> Step:
        """The override goes; the warehouse is told, and no stored day is rewritten."""
        w = self._w
        declared = w.tables[PLAYERS].column("usage_rate").type
        expect("usage_rate's declaration", "NUMERIC(6,2)", str(declared))
        before = {d: e.written_at for d, e in w.store.manifest(w.tables[PLAYERS]).items()}
        schema = make_store(w.settings).schema
        assert schema is not None  # the demo's warehouse is Parquet
        plans = plan_changes(schema, with_quarantine(w.tables.values()))
        wide = [
            str(c.action)
            for p in plans
            for c in p.needed
            if p.table.full_name == PLAYERS and c.column == "usage_rate"
        ]
        expect("what the warehouse must do about usage_rate", ["widen"], wide)
        apply_changes(schema, plans)
        expect(
            "days that were rewritten",
            before,
            {d: e.written_at for d, e in w.store.manifest(w.tables[PLAYERS]).items()},
        )
        texts = [f"{p.table.full_name}: {c.action}: {c.text}" for p in plans for c in p.needed]
        title = "Widen the column: its declaration is NUMERIC(6,2) again, and the warehouse follows"
        return Step(
            title, "schema apply", lines=texts, facts={"usage_rate": str(declared), "days_rewritten": 0}
        )

    def _heal(self) -> Step:
        self._source.heal(PARTIAL, OUTAGE)
        return Step(
            "The source is repaired: it answers again, and the team is whole",
            facts={"healed": [str(PARTIAL), str(OUTAGE)]},
        )

    def _retry(self) -> Step:
        states, _ = self._states()
        due = {name: {*s.failed, *s.blocked} for name, s in states.items() if s.failed or s.blocked}
        results = self._execute(retry_request(self._w.recipes, states))
        expect(
            "days that are still red", {}, {name: set(r.failed) for name, r in results.items() if r.failed}
        )
        for name, days in due.items():
            expect(f"retry made the failed and blocked days of {name}", set(), days - results[name].good)
        more = {
            name: r.good - due.get(name, set())
            for name, r in results.items()
            if r.good - due.get(name, set())
        }
        refetched = {p.table: {PARTIAL} for p in self._w.recipes if p.table.startswith("nba_raw.")}
        expect("retry's other days: those of the input to blame, fetched again", refetched, more)
        again = retry_request(self._w.recipes, self._states()[0])
        expect("a second retry", 0, len(again.recipes))
        facts = {"made": {name: len(r.good) for name, r in results.items()}}
        return Step(
            "Retry: exactly the failed days and what they blocked", "retry", results=results, facts=facts
        )

    def _phase4(self) -> Step:
        """Ticks of the automation until one asks for nothing, each request run range by range as the daemon
        does."""
        w, ticks = self._w, []
        while requested := self._tick():
            ticks.append(requested)
            expect("the automation comes to rest", True, len(ticks) <= _MOST_TICKS)
            for table, days in requested.items():
                expect("what the automation makes is phase 4", True, table.startswith(PHASE_4))
                for first, last in contiguous(days):
                    execute_range(w.defs, w.instance, asset_key(table), first, last, {})
        states, stale = self._states()
        for name, state in states.items():
            expect(f"good days of {name}", set(DAYS), set(state.materialized))
            expect(f"stale days of {name}", {}, dict(stale[name]))
        made = {p.table: len(states[p.table].materialized) for p in w.recipes if p.table.startswith(PHASE_4)}
        title = "Phase 4 starts by itself: ticks of the automation until one asks for nothing"
        return Step(title, ticks=ticks, states=states, facts={"ticks": len(ticks), "made": made})

    def _report(self) -> Step:
        w = self._w
        states, stale = self._states()
        path = self._home / "report.html"
        page = as_html(gather(w, DAYS, states, stale, datetime.now(UTC)))
        path.write_text(page, encoding="utf-8")
        expect("the report names no failed day", True, "No day has failed." in page)
        return Step(
            "The report",
            f"report --start {DAYS[0]} --end {LAST} --out {path}",
            report=path,
            facts={"report": str(path)},
        )

    # --------------------------------------------------------------------------------------------------------
    # helpers

    def _execute(self, request: Backfill) -> dict[str, TableResult]:
        return execute(InProcessRunner(self._w.defs, self._w.instance), request)

    def _states(self) -> tuple[dict[str, TableState], dict[str, dict[date, Stale]]]:
        w = self._w
        states = w.states(DAYS)
        return states, w.stale(states, source=w.source.name)

    def _tick(self) -> dict[str, list[date]]:
        tick = evaluate(self._w.defs, self._w.instance, LAST + timedelta(days=1), self._cursor)
        self._cursor = tick.cursor
        return tick.requested


def _backfill_command(recipes: Sequence[Recipe]) -> str:
    return (
        f"backfill --start {DAYS[0]} --end {LAST} --tables {','.join(p.table.split('.')[1] for p in recipes)}"
    )


def _classes(failed: Mapping[str, Mapping[date, str]]) -> list[dict[str, str]]:
    return [
        {"table": name, "date": day.isoformat(), "class": what}
        for name, days in failed.items()
        for day, what in days.items()
    ]
