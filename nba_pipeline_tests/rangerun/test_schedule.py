"""Why a day is empty, from its games alone."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from nba_pipeline.rangerun.schedule import SCHEDULE_COLUMNS, days_without_results, empty_reasons
from nba_pipeline.tables.vocabulary import EmptyReason

DAY, OTHER_DAY, SUMMER_DAY = date(2024, 1, 10), date(2024, 1, 11), date(2024, 8, 10)


def games(*rows: tuple[str, str]) -> pd.DataFrame:
    """Games of DAY, each with a type and a status."""
    frame = pd.DataFrame([(pd.Timestamp(DAY), *row) for row in rows], columns=list(SCHEDULE_COLUMNS))
    return frame.astype({"game_date": "datetime64[s]"})


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], EmptyReason.OFF_DAY),
        ([("regular", "final")], None),
        ([("cup_final", "scheduled")], None),
        ([("all_star", "final"), ("playoffs", "final")], None),
        ([("all_star", "final")], EmptyReason.EXHIBITION_ONLY),
        ([("preseason", "scheduled")], EmptyReason.EXHIBITION_ONLY),
        ([("preseason", "final"), ("regular", "postponed")], EmptyReason.EXHIBITION_ONLY),
        ([("regular", "postponed")], EmptyReason.POSTPONED),
        ([("preseason", "cancelled")], EmptyReason.POSTPONED),
        ([("playoffs", "not_needed")], EmptyReason.OFF_DAY),
    ],
)
def test_the_games_of_a_day_say_why_it_is_empty(
    rows: list[tuple[str, str]], reason: EmptyReason | None
) -> None:
    assert empty_reasons(games(*rows), [DAY, OTHER_DAY]) == {DAY: reason, OTHER_DAY: EmptyReason.OFF_DAY}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("regular", "scheduled")], EmptyReason.NOT_PLAYED_YET),
        ([("regular", "scheduled"), ("regular", "postponed")], EmptyReason.NOT_PLAYED_YET),
        ([("regular", "scheduled"), ("regular", "final")], None),
        ([("preseason", "scheduled")], EmptyReason.EXHIBITION_ONLY),
    ],
)
def test_a_day_whose_results_are_not_due_is_not_played_yet_until_a_game_is_final(
    rows: list[tuple[str, str]], reason: EmptyReason | None
) -> None:
    assert empty_reasons(games(*rows), [DAY], not_due=[DAY]) == {DAY: reason}
    assert days_without_results(games(*rows)) == {DAY}


def test_a_summer_day_is_off_season() -> None:
    assert empty_reasons(games(("regular", "final")), [SUMMER_DAY]) == {SUMMER_DAY: EmptyReason.OFF_SEASON}
