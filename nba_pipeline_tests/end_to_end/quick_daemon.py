"""A home whose daemon looks every two seconds at backfills, for tests that wait for them.

Belongs here: the interval. Does not belong here: any other change of behaviour; what a test shows must hold
for the dagster.yaml of the repository.
"""

from __future__ import annotations

from pathlib import Path


def write_instance(dagster_yaml: Path, home: Path) -> None:
    """The repository's dagster.yaml with that interval."""
    text = dagster_yaml.read_text(encoding="utf-8")
    quick = text.replace("  interval_seconds: 5\n", "  interval_seconds: 2\n")
    assert quick != text
    (home / "dagster.yaml").write_text(quick, encoding="utf-8")
