"""What a run in the command's own process may say on the console."""

from __future__ import annotations

import logging
import sys

import pytest
from dagster._core.errors import DagsterExecutionInterruptedError

from nba_pipeline.orchestration.launch import is_no_interrupt


def record_of(error: BaseException | None) -> logging.LogRecord:
    try:
        if error is not None:
            raise error
        info = None
    except BaseException:
        info = sys.exc_info()
    return logging.LogRecord(
        "sqlalchemy.pool", logging.ERROR, __file__, 1, "Exception closing connection", (), info
    )


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DagsterExecutionInterruptedError()])
def test_an_interrupt_inside_a_library_prints_no_traceback(error: BaseException) -> None:
    assert not is_no_interrupt(record_of(error))


@pytest.mark.parametrize("error", [None, OSError(28, "No space left on device"), SystemExit(1)])
def test_everything_else_is_still_said(error: BaseException | None) -> None:
    assert is_no_interrupt(record_of(error))
