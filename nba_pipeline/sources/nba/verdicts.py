"""``examine``: what one answer is worth. A status of 200 proves nothing; the content and the schedule do.

Belongs here: the verdicts, their classes, and the order in which they are found. Does not belong here: the
shape of each endpoint's answer (``shapes.py``), what is done about a verdict (``operations/``).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from nba_pipeline.sources.nba import boxes, plays, seasons
from nba_pipeline.sources.nba.endpoints import Endpoint
from nba_pipeline.sources.nba.shapes import Found, Kind, KnownGame, Verdict

_EXAMINERS: dict[Endpoint, Callable[[Any, str, KnownGame | None], Verdict]] = {
    Endpoint.STATS_BOX: boxes.examine_stats,
    Endpoint.CDN_BOX: boxes.examine_cdn,
    Endpoint.STATS_PLAYS: plays.examine_stats,
    Endpoint.CDN_PLAYS: plays.examine_cdn,
    Endpoint.STATS_SCHEDULE: seasons.examine_schedule,
    Endpoint.CDN_SCHEDULE: seasons.examine_schedule,
    Endpoint.STATS_LOG: seasons.examine_log,
    Endpoint.CDN_SCOREBOARD: seasons.examine_scoreboard,
}


def examine(
    endpoint: Endpoint,
    key: str,
    status: int,
    content_type: str,
    body: bytes,
    game: KnownGame | None = None,
) -> Verdict:
    """The verdict on one answer. Pure; raises nothing for any body.

    Args:
        endpoint: what was asked.
        key: the game's id, or the season of a schedule; others are not looked at.
        status: HTTP status. Anything but 200 is never ``ok``.
        content_type: of the answer, or empty. Only for the words: the bytes decide.
        body: the bytes after any transfer and content encoding.
        game: what the schedule says of the game, and what its box says when plays are examined. Without it
            an empty answer is ``not_played`` and sums are compared only within the answer.
    """
    if status == 206:
        return Verdict(Kind.TRUNCATED, detail="HTTP 206: a part of the answer")
    if status != 200:
        return Verdict(Kind.NOT_JSON, detail=f"HTTP {status} ({content_type or 'no content type'})")
    try:
        value = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return _unreadable(body, content_type, error)
    if not isinstance(value, dict):
        return Verdict(Kind.DRIFT, "", f"the answer is {type(value).__name__}, not an object")
    if not value:
        kind = Kind.EMPTY_FOR_FINAL if game and game.final else Kind.DRIFT
        return Verdict(kind, "", "the answer is {}")
    try:
        return _EXAMINERS[endpoint](value, key, game)
    except Found as found:
        return found.verdict


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _unreadable(body: bytes, content_type: str, error: Exception) -> Verdict:
    start = body[:200].lstrip()
    open_end = body.rstrip()[-1:] not in (b"}", b"]") or _ends_early(error)
    if start[:1] in (b"{", b"[") and open_end:
        return Verdict(Kind.TRUNCATED, detail=f"ends in the middle after {len(body):,} bytes")
    shown = start[:40].decode("utf-8", "replace")
    return Verdict(Kind.NOT_JSON, detail=f"{content_type or 'no content type'}, begins with {shown!r}")


def _ends_early(error: Exception) -> bool:
    return isinstance(error, json.JSONDecodeError) and error.pos >= len(error.doc.rstrip())
