"""`nba-pipeline explain`: printing where a value comes from. Finding it out is ``operations/explain.py``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from rich.markup import escape

from nba_pipeline.cli.show import out
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.instance.made import recall_made
from nba_pipeline.operations.explain import Explanation, as_json, explain
from nba_pipeline.operations.graph import select
from nba_pipeline.operations.state import read_state
from nba_pipeline.operations.workspace import Workspace
from nba_pipeline.settings import parse_day


def print_explanation(w: Workspace, table: str, day_text: str, key: str, column: str, asked_json: bool) -> None:
    """Explain one value and print it."""
    found = explanation(w, table, parse_day(day_text, "DAY"), _parsed(key), column)
    if asked_json:
        print(json.dumps(as_json(found), indent=2, default=str))
    else:
        show(found)


def explanation(w: Workspace, table: str, day: date, key: Mapping[str, str], column: str) -> Explanation:
    """What is known of one value of this workspace."""
    (plan,) = select(w.plans, [table])
    made = recall_made(w.instance, plan.table, [day]).get(day)
    failed = read_state(w.instance, w.store, w.tables, [plan], [day], w.partitions)[plan.table].failed.get(day)
    return explain(w.store, w.tables, plan, day, key, column, made=made, source=w.source, failed=failed, start=w.settings.start_date)


def _parsed(key: str) -> dict[str, str]:
    """``player=Quinones,team=GSW`` as a mapping."""
    parts = [part.partition("=") for part in key.split(",") if part]
    if any(not sign or not value for _, sign, value in parts):
        raise ConfigurationError(f"--key {key!r} is not column=value[,column=value]")
    return {name.strip(): value.strip() for name, _, value in parts}


def show(found: Explanation) -> None:
    """Print an explanation."""
    keys = ", ".join(f"{k}={v}" for k, v in found.key.items())
    out.print(f"[bold]{found.table}.{found.column}[/] on {found.day} ({escape(keys)})")
    where = "" if found.stored else ", as a run computes it now; not stored"
    out.print(f"  value:   [bold]{'NULL' if found.value is None else found.value}[/]{where}")
    if found.failed:
        out.print(f"  [bold red]refused[/]: {found.failed.failure_class}: {escape(found.failed.message)}")
    out.print(f"  meaning: {escape(found.description)}")
    if found.formula:
        out.print(f"  formula: {escape(found.formula)}")
    if found.numbers:
        out.print(f"         = {escape(found.numbers)}\n         = {found.worked_out}")
    if found.agrees is False:
        out.print("  [bold red]the formula does not give the stored value[/]: it was made with other inputs or other code (see `status`)")
    if found.window:
        out.print(f"  window:  {found.window.window}, {found.window.of}: {len(found.window.games)} game(s)")
        for game in found.window.games:
            out.print(f"    {_line(game)}")
        if found.window.numbers:
            out.print(f"         = {found.window.numbers}\n         = {found.window.worked_out}")
    for name, rows in found.inputs.items():
        out.print(f"  input {name}: {len(rows)} row(s)")
        for row in rows[:3]:
            out.print(f"    [dim]{escape(_line(row))}[/]")
    if found.stored:
        out.print(f"  stored:  {found.stored['location']}, content {found.stored['content_hash']}, written {found.stored['written_at']}")
    if found.made and found.stored:
        out.print(f"  made by: run {found.made.run_id}, code {found.made.code}, schema {found.stored['schema_version']}")
    for file, digest in found.source.get("files", {}).items():
        out.print(f"  source:  {file} sha256 {digest[:16]}… as it is now")
    if found.source and not found.source["files"]:
        out.print(f"  source:  {found.source['name']}, which reads no files")


def _line(row: dict[str, Any]) -> str:
    return ", ".join(f"{k}={str(v)[:10] if k == 'game_date' else v}" for k, v in row.items() if v is not None)
