"""Why a run that the UI or a backfill starts for a table takes the table's standing checks along.

Two behaviours of Dagster together leave no other way. When one of these tests fails,
`orchestration/automation/inventory.py` can do better.
"""

from __future__ import annotations

import dagster as dg
import pytest
from dagster_shared.check import CheckError

from nba_pipeline.build import build_defs
from nba_pipeline.orchestration.automation.inventory import NO_PARTITIONS_LEFT_FAILED, OP
from nba_pipeline.orchestration.day_events import asset_key
from nba_pipeline.settings import Settings

TABLE = "nba_raw.games"


def test_a_run_that_names_no_checks_takes_all_of_its_tables_and_one_that_names_them_only_these() -> None:
    """Backfills and `Materialize` name none, or all that a table's page lists."""
    repository = build_defs(Settings(warehouse="memory")).get_repository_def()
    job, key = repository.get_implicit_global_asset_job_def(), asset_key(TABLE)
    own = frozenset(spec.key for spec in repository.assets_defs_by_key[key].check_specs)
    assert dg.AssetCheckKey(key, NO_PARTITIONS_LEFT_FAILED) not in own
    assert OP in {node.name for node in job.get_subset(asset_selection={key}).nodes}
    assert OP not in {
        node.name for node in job.get_subset(asset_selection={key}, asset_check_selection=own).nodes
    }


def test_a_check_that_only_a_job_of_its_own_could_record_cannot_be_declared() -> None:
    """Without a computation it would be in no run, and the inventory could report it; Dagster takes none."""
    spec = dg.AssetCheckSpec("standing", asset="table")
    declared = dg.AssetChecksDefinition(
        keys_by_input_name={},
        keys_by_output_name={},
        node_def=None,
        check_specs_by_output_name={"standing": spec},
        specs=[],
    )
    assert not declared.is_executable
    with pytest.raises(CheckError):
        dg.Definitions(assets=[dg.AssetSpec("table")], asset_checks=[declared]).get_repository_def()
