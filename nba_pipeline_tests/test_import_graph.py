"""The shape of the imports: no circle of files anywhere, and Dagster in one room."""

from __future__ import annotations

from nba_pipeline_tests.support.imports import ROOT, circles, files, import_graph, imported

DAGSTER_ELSEWHERE = {
    "nba_pipeline/build.py": "puts the parts into `dg.Definitions`",
    "nba_pipeline/definitions.py": "is the code location",
    "nba_pipeline/warehouse/bigquery/client.py": "the connection comes through dagster-gcp's resource",
}
"""Files outside ``orchestration/`` that may import Dagster, and why."""


def test_no_files_import_each_other_in_a_circle() -> None:
    """Imports for the type checker count as well: who reads one file would have to read all."""
    assert circles(import_graph("nba_pipeline", "nba_pipeline_tests")) == []


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_dagster_stays_in_its_room() -> None:
    """Annotations may name Dagster's types; whoever uses Dagster is in ``orchestration/`` or says here why
    not."""
    found = {
        str(path.relative_to(ROOT))
        for path in files("nba_pipeline").values()
        if any(n.split(".")[0] in ("dagster", "dagster_gcp") for n in imported(path, type_checking=False))
    }
    outside = {name for name in found if not name.startswith("nba_pipeline/orchestration/")}
    assert outside <= set(DAGSTER_ELSEWHERE)


def test_private_names_of_dagster_stand_in_one_module() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in files("nba_pipeline").values()
        if any(name.startswith("dagster._") for name in imported(path))
    }
    assert found == {"nba_pipeline/orchestration/dagster_private.py"}
