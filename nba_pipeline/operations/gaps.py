"""Declared gaps as the command line, the status and the report show them.

Belongs here: where each gap stands, as JSON and in words. Does not belong here: declaring one
(``orchestration/declared_gaps.py``), what it does to a day (``rangerun/gaps.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from nba_pipeline.rangerun.gaps import Gap, Gaps


@dataclass(frozen=True)
class Standing:
    """A gap, whether it holds, and the tables whose day is stored without its game."""

    gap: Gap
    state: str
    used_by: tuple[str, ...]

    @property
    def words(self) -> str:
        end = f", until {self.gap.until}" if self.gap.until else ""
        used = (
            f"left out of {', '.join(t.split('.')[1] for t in self.used_by)}" if self.used_by else "not used"
        )
        return f"{self.gap.words} ({self.state}{end}; {used})"


def standings(gaps: Gaps) -> list[Standing]:
    """Every gap that holds or is still used, by day."""
    found = []
    for gap in sorted(gaps.declared, key=lambda g: g.game_id):
        used = tuple(t for t, days in gaps.used.items() if gap.game_id in days.get(gap.day, ()))
        state = _state(gap, gaps.today)
        if used or state == "holds":
            found.append(Standing(gap, state, used))
    return found


def _state(gap: Gap, today: date) -> str:
    if gap.revoked_at is not None:
        return "revoked"
    return "holds" if gap.holds(today) else "over"


def as_json(gaps: Gaps) -> list[dict[str, Any]]:
    """The documented JSON of `nba-pipeline gaps list`, also in that of `status`."""
    return [
        {
            "game_id": s.gap.game_id,
            "nba_game_id": s.gap.nba_game_id,
            "date": s.gap.day.isoformat(),
            "tables": list(s.gap.tables),
            "reason": s.gap.reason,
            "accepted_at": s.gap.accepted_at,
            "until": s.gap.until and s.gap.until.isoformat(),
            "revoked_at": s.gap.revoked_at,
            "state": s.state,
            "used_by": list(s.used_by),
        }
        for s in standings(gaps)
    ]
