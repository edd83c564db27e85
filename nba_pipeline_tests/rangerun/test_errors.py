"""Errors of code, source and store: each costs the days that it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from nba_pipeline.failures import FailureClass, UnparseableSource, WriteFailed
from nba_pipeline.sources.base import SourceFrame
from nba_pipeline.warehouse.memory import MemoryStore
from nba_pipeline_tests.rangerun.sound import SOUND, classes, pipeline
from nba_pipeline_tests.support import league
from nba_pipeline_tests.support.league import DAYS, FrameSource
from nba_pipeline_tests.support.pipeline import recipe_of
from nba_pipeline_tests.support.poison import (
    BOXSCORES,
    GAMES,
)


class TestErrors:
    """Errors of code, sources and stores."""

    def test_a_defect_in_code_is_isolated_to_the_day_that_shows_it(self) -> None:
        made = pipeline()
        made.run(DAYS, [GAMES])
        asked: list[int] = []

        def fragile(source: object, days: Sequence[date]) -> SourceFrame:
            asked.append(len(days))
            if league.THIRD in days:
                raise ZeroDivisionError("a defect")
            return SOUND.player_boxscores(days)

        outcome = made.run_plan(replace(recipe_of(BOXSCORES), read=fragile), DAYS)
        assert classes(outcome) == {league.THIRD: FailureClass.CODE_ERROR}
        assert set(outcome.stored) == set(DAYS) - {league.THIRD}
        assert "ZeroDivisionError at test_errors.py" in outcome.failed[league.THIRD].message
        assert "Traceback" in str(outcome.failed[league.THIRD].sample["message"].iloc[0])
        assert len(asked) <= 9  # bisection of ten days, not one attempt per day and range

    def test_a_defect_on_every_day_is_not_tried_for_ever(self) -> None:
        made = pipeline()
        days = [day.date() for day in pd.date_range(DAYS[0], periods=300)]
        attempts = []

        def broken(source: object, days: Sequence[date]) -> SourceFrame:
            attempts.append(days)
            raise RuntimeError("nothing works")

        outcome = made.run_plan(replace(recipe_of(GAMES), read=broken), days)
        assert set(classes(outcome).values()) == {FailureClass.CODE_ERROR}
        assert set(outcome.failed) == set(days)
        assert len(attempts) < 60

    def test_a_source_error_without_days_concerns_every_day(self) -> None:
        class Down(FrameSource):
            def games(self, days: Sequence[date]) -> SourceFrame:
                raise UnparseableSource("the archive is damaged")

        outcome = pipeline(Down(SOUND.frames)).run(DAYS, [GAMES])[GAMES]
        assert set(outcome.failed) == set(DAYS)
        assert set(classes(outcome).values()) == {FailureClass.UNPARSEABLE_SOURCE}

    def test_rows_without_a_date_belong_to_no_day_and_are_not_dropped(self) -> None:
        class Dateless(FrameSource):
            def player_boxscores(self, days: Sequence[date]) -> SourceFrame:
                frame = super().player_boxscores(days).frame
                return SourceFrame(
                    frame.assign(game_date=frame["game_date"].mask(np.arange(len(frame)) == 0))
                )

        outcome = pipeline(Dateless(SOUND.frames)).run([league.SECOND], [GAMES, BOXSCORES])[BOXSCORES]
        assert classes(outcome) == {league.SECOND: FailureClass.SCHEMA_DRIFT}

    def test_rows_of_days_that_were_not_asked_for_are_not_written(self) -> None:
        class Generous(FrameSource):
            def player_boxscores(self, days: Sequence[date]) -> SourceFrame:
                return super().player_boxscores(DAYS)

        made = pipeline(Generous(SOUND.frames))
        outcome = made.run([league.SECOND], [GAMES, BOXSCORES])[BOXSCORES]
        assert set(made.store.manifest(made.tables[BOXSCORES])) <= {league.SECOND}
        assert set(outcome.stored) | set(outcome.failed) == {league.SECOND}

    def test_a_store_that_refuses_the_write_fails_the_days_as_write_failed(self) -> None:
        class Full(MemoryStore):
            def replace_range(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
                raise WriteFailed("no space left")

        outcome = pipeline(store=Full()).run(DAYS, [GAMES])[GAMES]
        assert set(classes(outcome).values()) == {FailureClass.WRITE_FAILED}
        assert set(outcome.failed) == set(DAYS)
