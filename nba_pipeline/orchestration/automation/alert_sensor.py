"""The alert sensor: failed runs, rows in quarantine and standing checks that did not pass, one message per
backfill or tick.

Belongs here: reading what happened since the last tick. Does not belong here: words (``alerts.py``), delivery
(``channels.py``).
"""

# No `from __future__ import annotations`: Dagster looks at the type of a sensor's `context`.
import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from nba_pipeline.failures import FailureClass
from nba_pipeline.orchestration.automation.alerts import (
    DECLARED_GAP,
    QUARANTINED,
    STANDING_CHECK,
    Finding,
    Said,
    as_cursor,
    causes_of,
    news,
    worded,
)
from nba_pipeline.orchestration.automation.channels import Channel, channels_of, deliver
from nba_pipeline.orchestration.automation.inventory import JOB as INVENTORY_JOB
from nba_pipeline.orchestration.dagster_private import BACKFILL_ID_TAG, BULK_ACTION_TERMINAL_STATUSES
from nba_pipeline.orchestration.day_events import FAILURE_CLASS, FAILURE_MESSAGE, REJECTED_ROWS
from nba_pipeline.orchestration.instance.gaps import load_gaps
from nba_pipeline.rangerun.job import InvalidRows
from nba_pipeline.settings import AlertSettings

NAME = "alerts"
_FAILED, _SUCCEEDED = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS
_PAGE = 1000


def alert_sensor(settings: AlertSettings, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """The sensor. Without a configured channel it skips and sends nothing."""

    @dg.sensor(
        name=NAME,
        minimum_interval_seconds=60,
        default_status=status,
        description=(
            "One message per backfill, or per tick for other runs: causes, counts, first days, what to do."
            " Each is said once."
        ),
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        channels = channels_of(settings, context.log)
        if not channels:
            return dg.SkipReason("no channel is configured (NBA_PIPELINE_ALERTS)")
        cursor, sent = alert_tick(context.instance, context.cursor, channels, settings, time.time())
        context.update_cursor(cursor)
        return dg.SkipReason(f"{sent} message(s) sent")

    return sensor


def alert_tick(
    instance: dg.DagsterInstance,
    cursor: str | None,
    channels: Sequence[Channel],
    settings: AlertSettings,
    now: float,
) -> tuple[str, int]:
    """One tick: (the new cursor, messages sent). The first tick only notes the time: old failures are the
    inventory's matter."""
    if cursor is None:
        return as_cursor(now, (), Said()), 0
    known = json.loads(cursor)
    said = Said.from_json(known["said"])
    records = _ended_since(instance, known["after"])
    after = max([known["after"], *(record.update_timestamp.timestamp() for record in records)])
    runs = [record.dagster_run for record in records if _has_news(record.dagster_run)]
    waiting, groups = _grouped(instance, runs, set(known["waiting"]))
    sent = 0
    for title, findings, page in groups:
        causes = news(causes_of(findings), said, now)
        if causes:
            runs_of = sorted({f"runs/{f.run_id}" for c in causes for f in c.findings if f.run_id})
            pages = [page] if page else runs_of[:3]
            links = [f"{settings.ui_url}/{p}" if settings.ui_url else p for p in pages]
            deliver(channels, *worded(title, causes, said, links), dg.get_dagster_logger())
            sent += 1
    return as_cursor(after, waiting, said), sent


_Group = tuple[str, list[Finding], str]
"""Title of a message, what went wrong, and the UI's page about it (none: those of the runs)."""


def _grouped(
    instance: dg.DagsterInstance, runs: Sequence[dg.DagsterRun], waiting: set[str]
) -> tuple[set[str], list[_Group]]:
    """(backfills that go on, the messages to consider): one per backfill that has ended, one for other runs
    and one for declared gaps."""
    waiting |= {run.tags[BACKFILL_ID_TAG] for run in runs if BACKFILL_ID_TAG in run.tags}
    alone = [run for run in runs if BACKFILL_ID_TAG not in run.tags]
    groups: list[tuple[str, list[dg.DagsterRun], str]] = [("nba_pipeline", alone, "")] if alone else []
    for backfill_id in sorted(waiting):
        backfill = instance.get_backfill(backfill_id)
        if backfill is None or backfill.status in BULK_ACTION_TERMINAL_STATUSES:
            waiting.remove(backfill_id)
            tagged = dg.RunsFilter(statuses=[_FAILED, _SUCCEEDED], tags={BACKFILL_ID_TAG: backfill_id})
            members = [
                run for run in reversed(instance.get_runs(tagged)) if _has_news(run)
            ]  # oldest first, as in `alone`
            groups.append((f"nba_pipeline, backfill {backfill_id}", members, f"runs/b/{backfill_id}"))
    found = [
        (title, [f for run in of for f in findings_of(instance, run)], page) for title, of, page in groups
    ]
    return waiting, [*found, ("nba_pipeline", list(_gaps_in_use(instance)), "")]


def _ended_since(instance: dg.DagsterInstance, after: float) -> list[dg.RunRecord]:
    """Runs that failed or succeeded after a moment, oldest first."""
    ended = dg.RunsFilter(statuses=[_FAILED, _SUCCEEDED], updated_after=datetime.fromtimestamp(after, UTC))
    return sorted(instance.get_run_records(ended), key=lambda record: record.update_timestamp)


def _gaps_in_use(instance: dg.DagsterInstance) -> Iterator[Finding]:
    """The declared gaps that stored days are made without."""
    gaps = load_gaps(instance)
    used = {game for days in gaps.used.values() for games in days.values() for game in games}
    for gap in gaps.declared:
        if gap.game_id in used:
            yield Finding("nba_raw", DECLARED_GAP, gap.words, "")


def _has_news(run: dg.DagsterRun) -> bool:
    """Whether the run's events are worth reading: it failed, it counted, or it was told to put bad rows
    aside."""
    return run.status is _FAILED or run.job_name == INVENTORY_JOB or _puts_aside(run)


def _puts_aside(run: dg.DagsterRun) -> bool:
    ops: Any = run.run_config.get("ops") or {}
    return any(
        (op.get("config") or {}).get("on_invalid_rows") == InvalidRows.QUARANTINE.value for op in ops.values()
    )


def findings_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[Finding]:
    """What a finished run says went wrong: its failed days, or what killed it; rows put aside; its standing
    checks."""
    if run.job_name == INVENTORY_JOB and run.status is _SUCCEEDED:
        yield from _failed_checks(instance, run)
        return
    if run.status is _FAILED:
        days = list(_failed_days(instance, run))
        yield from days or [_death(instance, run)]
    if _puts_aside(run):
        yield from _quarantined_days(instance, run)


def _quarantined_days(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[Finding]:
    """Days that are stored without some rows, in the words of the first check that refused one."""
    words: dict[tuple[dg.AssetKey, str | None], str] = {}
    for event in _events(instance, run.run_id, dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        found = event.asset_check_evaluation_data
        if not found.passed and FAILURE_CLASS in found.metadata:
            said = f"{found.metadata[FAILURE_CLASS].value}: {found.metadata['first'].value}"
            words.setdefault((found.asset_key, found.partition), said)
    for event in _events(instance, run.run_id, dg.DagsterEventType.ASSET_MATERIALIZATION):
        made = event.step_materialization_data.materialization
        if REJECTED_ROWS in made.metadata and made.partition:
            table, rows = ".".join(made.asset_key.path), int(str(made.metadata[REJECTED_ROWS].value))
            message = words.get((made.asset_key, made.partition), "see the quarantine")
            yield Finding(table, QUARANTINED, message, run.run_id, date.fromisoformat(made.partition), rows)


def _failed_days(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[Finding]:
    for event in _events(instance, run.run_id, dg.DagsterEventType.ASSET_OBSERVATION):
        observation = event.asset_observation_data.asset_observation
        metadata = observation.metadata
        if FAILURE_CLASS in metadata and observation.partition:
            words = str(metadata[FAILURE_MESSAGE].value)
            table = ".".join(observation.asset_key.path)
            yield Finding(
                table,
                str(metadata[FAILURE_CLASS].value),
                words,
                run.run_id,
                date.fromisoformat(observation.partition),
            )


def _death(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Finding:
    """A run that ended without saying a word about days: killed, not launched, or a defect before the first
    day."""
    tables = sorted(".".join(key.path) for key in run.asset_selection or ())
    message = "the run ended without a reason in its log; look at it"
    for kind in (dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE):
        for event in _events(instance, run.run_id, kind):
            error = getattr(event.event_specific_data, "error", None)
            message = error.message.strip() if error else event.message or message
            return Finding(
                ", ".join(tables) or run.job_name, FailureClass.CODE_ERROR.value, message, run.run_id
            )
    return Finding(", ".join(tables) or run.job_name, FailureClass.CODE_ERROR.value, message, run.run_id)


def _failed_checks(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[Finding]:
    for event in _events(instance, run.run_id, dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        evaluation = event.asset_check_evaluation_data
        if not evaluation.passed:
            table = ".".join(evaluation.asset_key.path)
            yield Finding(
                table,
                STANDING_CHECK,
                f"{evaluation.check_name}: {evaluation.description or table}",
                run.run_id,
            )


def _events(
    instance: dg.DagsterInstance, run_id: str, kind: dg.DagsterEventType
) -> Iterator[dg.DagsterEvent]:
    """All events of a kind, page by page: a backfill of seasons may have thousands."""
    cursor: str | None = None
    while True:
        page = instance.get_records_for_run(run_id, cursor=cursor, of_type=kind, limit=_PAGE)
        yield from (
            r.event_log_entry.dagster_event
            for r in page.records
            if r.event_log_entry.dagster_event is not None
        )
        if not page.has_more:
            return
        cursor = page.cursor
