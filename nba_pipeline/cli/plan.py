"""`nba-pipeline plan` and what `backfill` shows of its plan.

Belongs here: options, printing. Does not belong here: any decision (``operations/backfill/plan.py``,
``operations/backfill/timings.py``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nba_pipeline.cli.show import add_rows, out, table_of
from nba_pipeline.operations.backfill import plan as planning
from nba_pipeline.operations.backfill.history import history_of
from nba_pipeline.operations.backfill.plan import PipelinePlan, Why, make_plan
from nba_pipeline.operations.backfill.quota import forecast
from nba_pipeline.operations.backfill.timings import expectations, expected_clock, load_timings
from nba_pipeline.operations.backfill.workers import slots_for
from nba_pipeline.operations.graph import chosen
from nba_pipeline.orchestration.instance.identity import identity_of, known_identity, remember_identity
from nba_pipeline.rangerun.lineage import readable_manifest
from nba_pipeline.ranges import described
from nba_pipeline.tables.names import GAMES

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from nba_pipeline.operations.workspace import Workspace


def plan_of(
    w: Workspace,
    start: str | None,
    end: str | None,
    tables: str | None,
    *,
    force: bool,
    on_invalid_rows: str = "fail",
    with_history: bool = False,
) -> PipelinePlan:
    """The plan of a request as the command line makes it."""
    days, begin = w.days(start, end), w.settings.start_date
    names = {recipe.table for recipe in chosen(w.recipes, tables)}
    history = history_of(w.recipes, names, days[0], begin) if with_history else {}
    recipes = [recipe for recipe in w.recipes if recipe.table in names or recipe.table in history]
    # All tables are read even if only some were asked for: a blocked day is found through the tables before
    # it.
    states = w.states(sorted({*days, *(day for of in history.values() for day in of)}))
    stale = w.stale(states, recipes, w.source.name)
    return make_plan(
        recipes,
        states,
        stale,
        dict.fromkeys(names, days),
        force=force,
        on_invalid_rows=on_invalid_rows,
        days_per_run=w.settings.days_per_run,
        history=history,
        scheduled=readable_manifest(w.store, w.tables[GAMES]),
        start=begin,
    )


def lacking_words(plan: PipelinePlan) -> str:
    """Which days cannot be made for want of history, and the ways on; empty where there are none."""
    if not plan.lacking:
        return ""
    first = min(day for of in plan.lacking.values() for day in of.values())
    every = {day for of in plan.lacking.values() for day in of}
    return (
        f"{plan.lacking_days} table-days ({described(every)}) of {len(plan.lacking)} tables that look back"
        f" cannot be made: from {first} on days before them are neither stored nor planned. `--with-history`"
        f" plans these too; NBA_PIPELINE_START_DATE={min(every)} lets the history begin there."
    )


def print_switch(w: Workspace, start: str | None, end: str | None, tables: str | None, yes: bool) -> bool:
    """Say what a change of the home's source would do, or, with ``yes``, make it; whether it was made."""
    known = known_identity(w.instance, w.store, w.tables)
    before, now = known.source if known else "nothing yet", w.source.name
    if yes:
        remember_identity(w.instance, identity_of(w.instance, w.source.name, w.store, w.tables))
        return True
    out.print(f"The tables of this home are made from: {before}. With {now} this would be made again:\n")
    print_plan(w, plan_of(w, start, end, tables, force=False), as_json=False)
    out.print(f"\nNothing was done. `--switch-source --yes` does it: rows of {before} are replaced by {now}.")
    return False


def print_plan(w: Workspace, plan: PipelinePlan, as_json: bool) -> None:
    """Days per table with their reasons, runs, expected rows and time."""
    runs = {name: len(ranges) for name, ranges in plan.runs().items()}
    history = load_timings(w.instance, plan.tables)
    expected = expectations(plan, history)
    slots = slots_for(w, plan.request())
    seconds = expected_clock(plan, history, slots)
    quota = None
    if w.store.quota is not None and plan.table_days:
        quota = forecast(plan, w.tables, w.store.quota)
    if as_json:
        whole = {"expected_seconds": None if seconds is None else round(seconds, 1)}
        print(
            json.dumps(
                planning.as_json(plan, expected) | whole | ({"quota": quota} if quota else {}), indent=2
            )
        )
    elif not plan.table_days:
        print_nothing_to_do(plan)
    else:
        out.print(_plan_table(plan, runs, expected))
        _print_reasons(plan)
        if plan.lacking:
            out.print(f"[yellow]{lacking_words(plan)}[/]")
        _print_time(seconds, slots)
        if quota:
            _print_quota(quota)


def print_nothing_to_do(plan: PipelinePlan) -> None:
    if plan.lacking:
        out.print(f"[yellow]{lacking_words(plan)}[/]")
        return
    days = max((t.up_to_date for t in plan.tables.values()), default=0)
    out.print(
        f"Nothing to do: all {days} days of {len(plan.tables)} table(s) are stored, made with today's"
        " formulas and declarations from the inputs as they are now. `--force` makes them again."
    )


def _plan_table(plan: PipelinePlan, runs: dict[str, int], expected: dict[str, dict[str, Any]]) -> RichTable:
    rows = (
        (
            name,
            [
                str(len(t.reasons)),
                str(t.up_to_date),
                str(runs[name]),
                _known(expected[name]["expected_rows"], ",.0f"),
                _known(expected[name]["expected_seconds"], ".1f"),
            ],
        )
        for name, t in plan.tables.items()
    )
    return add_rows(
        table_of("Plan: days to make", ("to make", "up to date", "runs", "rows", "seconds")), rows
    )


def _print_quota(quota: dict[str, Any]) -> None:
    units = {"loads": "loads", "dml": "DML", "partitions": "partitions"}
    rows = (
        (
            name,
            [
                *(f"{t['planned'][unit]:,}+{t['used_today'][unit]:,}" for unit in units),
                str(t["most_queries"]),
                _known(None if t["bytes"] is None else t["bytes"] / 2**20, ",.1f"),
            ],
        )
        for name, t in quota["tables"].items()
    )
    out.print(add_rows(table_of("BigQuery: planned + used today", (*units.values(), "queries", "MiB")), rows))
    limits = ", ".join(f"{quota['limits'][unit]:,} {word}" for unit, word in units.items())
    out.print(f"Limits per table and day: {limits}. Quotas start again at {quota['again']}.")
    out.print(
        f"{quota['write_jobs']} jobs write; at most {quota['most_queries']} queries read, fewer where rows"
        " are still at hand."
    )
    if not quota["fits_today"]:
        out.print(
            f"[yellow]Not all of it fits today: {quota['shortages'][0]}. `backfill` does the oldest days that"
            " fit.[/]"
        )


def _known(value: float | None, form: str) -> str:
    return "?" if value is None else format(value, form)


def _print_reasons(plan: PipelinePlan) -> None:
    for why in Why:
        grouped: dict[str, list[str]] = {}
        for name, table in plan.tables.items():
            days = [day for day, reason in table.reasons.items() if reason is why]
            if days:
                grouped.setdefault(f"{len(days)} day(s), {described(days)}", []).append(name.split(".")[1])
        if grouped:
            out.print(f"[bold]{why}[/] [dim]({why.words})[/]")
        for days_, names in grouped.items():
            out.print(f"  {days_} [dim]in {', '.join(names)}[/]")


def _print_time(seconds: float | None, slots: int) -> None:
    if seconds is None:
        out.print("Time: not known yet for every table; this machine learns it from the first backfill.")
    else:
        at_once = "one run after the other" if slots == 1 else f"{slots} runs at once"
        out.print(f"Time: about {seconds:.0f} s with {at_once}, as measured on this machine.")
