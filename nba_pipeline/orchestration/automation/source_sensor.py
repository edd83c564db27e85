"""The source sensor: asks the source which days changed, and requests exactly those raw days as ranges.

Belongs here: comparing fingerprints with those remembered, the cursor, run requests. Does not belong here:
fingerprints themselves (``sources/``), what follows from a changed raw day (``conditions.py``).
"""

# No `from __future__ import annotations`: Dagster looks at the type of a sensor's `context`.
import zlib
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

import dagster as dg

from nba_pipeline.orchestration.day_events import asset_key
from nba_pipeline.orchestration.instance.source_state import Seen
from nba_pipeline.orchestration.table_asset import SOURCE, STORE
from nba_pipeline.ranges import contiguous, span
from nba_pipeline.sources.base import Polled
from nba_pipeline.tables.names import BOXSCORES, GAMES, SHOTS
from nba_pipeline.tables.registry import TableRegistry
from nba_pipeline.tables.vocabulary import EmptyReason
from nba_pipeline.warehouse.base import Store

NAME, JOB = "source_changes", "raw_days"
RAW_TABLES = (GAMES, BOXSCORES, SHOTS)
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
POLL_SECONDS = 60


def due_days(
    held: Mapping[date, str], seen: Seen | None, stored: Iterable[date]
) -> tuple[list[date], dict[date, str]]:
    """(days to fetch, oldest first; fingerprints that count as fetched).

    Without a cursor the days that are stored are the baseline: what the source says of them now is taken as
    what they were made from, because nothing else is known and a history that is fetched again for that
    reason is a flood.
    """
    known = dict(seen.days) if seen is not None else {day: held[day] for day in stored if day in held}
    return sorted(day for day, digest in held.items() if known.get(day) != digest), known


def source_sensor(
    tables: TableRegistry,
    partitions: dg.DailyPartitionsDefinition,
    limit: int,
    longest: int,
    status: dg.DefaultSensorStatus,
) -> dg.SensorDefinition:
    """The sensor. ``limit``: how many days a tick may request; ``longest``: how many of them one run may
    hold.

    Restart-safe: the cursor is stored together with the tick's requests. Idempotent: a run's key is made of
    its days and their fingerprints, so the same content is never fetched twice because of a repeated tick.
    """

    @dg.sensor(
        name=NAME,
        job_name=JOB,
        minimum_interval_seconds=POLL_SECONDS,
        default_status=status,
        required_resource_keys={SOURCE, STORE},
        description=(
            "Asks the source for days whose content changed (new finals, late corrections) and fetches"
            " exactly those."
        ),
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        source, store = getattr(context.resources, SOURCE), getattr(context.resources, STORE)
        if not isinstance(source, Polled):
            return dg.SkipReason(
                f"the source {source.name!r} cannot say what changed; use the morning schedule or"
                " `nba-pipeline backfill`"
            )
        days = [date.fromisoformat(key) for key in partitions.get_partition_keys()]
        return _tick(context.cursor, source, days, lambda: _stored(store, tables), limit, longest)

    return sensor


def _tick(
    cursor: str | None,
    source: Polled,
    days: list[date],
    stored: Callable[[], Iterable[date]],
    limit: int,
    longest: int,
) -> dg.SensorResult | dg.SkipReason:
    """What one look at the source requests. ``stored`` is asked only where there is no cursor."""
    revision = f"{source.revision()} {days[-1] if days else ''}"  # a new partition is news as well
    seen = Seen.from_cursor(cursor) if cursor else None
    if seen is not None and seen.revision == revision:
        return dg.SkipReason("nothing changed at the source")
    held = source.fingerprints(days)
    due, known = due_days(held, seen, stored() if seen is None else ())
    requested = due[:limit]
    known |= {day: held[day] for day in requested}
    said = Seen(revision if len(requested) == len(due) else "", known).to_cursor()
    if not requested:
        reason = dg.SkipReason(f"{len(held)} days at the source, none of them changed")
        return dg.SensorResult(skip_reason=reason, cursor=said)
    runs = [_request(first, last, held) for first, last in contiguous(requested, longest)]
    return dg.SensorResult(run_requests=runs, cursor=said)


def raw_job() -> Any:
    """The job that the sensor and the morning schedule launch: the raw tables of a range of days, in one
    run."""
    return dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(*(asset_key(name) for name in RAW_TABLES)),
        description="The raw tables of some days, as the source has them now.",
    )


def range_tags(first: date, last: date) -> dict[str, str]:
    """The tags that make a run one of a range, ahead of backfills in the queue: tonight's games before
    history."""
    return {RANGE_START: first.isoformat(), RANGE_END: last.isoformat(), "dagster/priority": "10"}


def _request(first: date, last: date, held: Mapping[date, str]) -> dg.RunRequest:
    content = f"{zlib.crc32(' '.join(held[day] for day in span(first, last)).encode()):08x}"
    return dg.RunRequest(run_key=f"{first}_{last}_{content}", tags=range_tags(first, last))


def _stored(store: Store, tables: TableRegistry) -> set[date]:
    """The days that all raw tables have, without those that were stored before their games were played."""
    early = EmptyReason.NOT_PLAYED_YET
    held = [
        {day for day, entry in store.manifest(tables[name]).items() if entry.reason != early}
        for name in RAW_TABLES
    ]
    return set.intersection(*held)
