"""`nba-pipeline report`: writing the page to a file or printing it. What it says is
``operations/report/content.py``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from nba_pipeline.cli.show import out
from nba_pipeline.failures import ConfigurationError
from nba_pipeline.operations.report.content import Report, gather
from nba_pipeline.operations.report.html import as_html
from nba_pipeline.operations.report.markdown import as_markdown
from nba_pipeline.operations.workspace import Workspace

FORMATS: Mapping[str, Callable[[Report], str]] = {"html": as_html, "md": as_markdown}


def write_report(w: Workspace, start: str | None, end: str | None, form: str, to: Path | None) -> None:
    """Gather, render and write; without a file to standard output."""
    if form not in FORMATS:
        raise ConfigurationError(f"--format {form!r} is unknown; it is {' or '.join(FORMATS)}")
    days = w.days(start, end)
    states = w.states(days)
    stale = w.stale(states)
    page = FORMATS[form](gather(w, days, states, stale, datetime.now(UTC)))
    if to is None:
        sys.stdout.write(page)
        return
    try:
        to.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--out {to} cannot be written: {error.strerror}") from error
    out.print(f"{to}: {len(page) / 1024:,.0f} KiB")
