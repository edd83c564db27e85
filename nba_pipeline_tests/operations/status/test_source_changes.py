"""What the source changes after a day was read is seen: late shots and corrected box scores."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from nba_pipeline.cli.plan import plan_of
from nba_pipeline.operations.backfill.execute import InProcessRunner, execute
from nba_pipeline.operations.backfill.plan import Why
from nba_pipeline.operations.workspace import open_workspace
from nba_pipeline.tables.names import BOXSCORES, GAMES, SHOTS

FIRST, LAST, CHANGED = date(2023, 1, 11), date(2023, 1, 14), date(2023, 1, 13)
RAW = "games,player_boxscores,shot_attempts"


@pytest.mark.slow  # five backfills
def test_what_the_source_corrects_or_adds_is_planned_and_fetched(
    bulk_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "games.parquet": "game_date",
        "player_box.parquet": "game_date",
        "shots_2022-23.parquet": "GAME_DATE",
    }
    folder = tmp_path / "bulk"
    folder.mkdir()
    for name, dated in files.items():
        rows = pd.read_parquet(bulk_dir / name, filters=[(dated, ">=", str(FIRST)), (dated, "<=", str(LAST))])
        late = (rows[dated] == str(CHANGED)) & (dated == "GAME_DATE")
        rows[~late].to_parquet(folder / name)
    home = tmp_path / "home"
    home.mkdir()
    given = {
        "SOURCE": "bulk",
        "BULK_DIR": folder,
        "START_DATE": FIRST,
        "END_DATE": LAST,
        "WAREHOUSE": "parquet",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"NBA_PIPELINE_{name}", str(value))
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with open_workspace() as w:

        def fetch() -> None:
            plan = plan_of(w, None, None, RAW, force=False)
            results = execute(InProcessRunner(w.defs, w.instance), plan.request())
            assert not any(r.failed for r in results.values())

        fetch()
        assert w.states()[SHOTS].empty == {"not_published": 1}
        assert plan_of(w, None, None, RAW, force=False).table_days == 0

        shots = pd.read_parquet(
            bulk_dir / "shots_2022-23.parquet",
            filters=[("GAME_DATE", ">=", str(FIRST)), ("GAME_DATE", "<=", str(LAST))],
        )
        shots.to_parquet(folder / "shots_2022-23.parquet")
        plan = plan_of(w, None, None, RAW, force=False)
        assert plan.tables[SHOTS].reasons == {CHANGED: Why.SOURCE_CHANGED}
        assert w.stale(w.states())[SHOTS] == {CHANGED: "source_changed"}
        fetch()
        assert w.states()[SHOTS].empty == {}

        lines = pd.read_parquet(folder / "player_box.parquet")
        corrected = lines.index[(lines["game_date"] == str(CHANGED)) & (lines["turnovers"] > 1)][0]
        lines.loc[corrected, "turnovers"] -= 1
        lines.to_parquet(folder / "player_box.parquet")
        plan = plan_of(w, None, None, RAW, force=False)
        assert plan.tables[BOXSCORES].reasons == {CHANGED: Why.SOURCE_CHANGED}
        fetch()
        assert plan_of(w, None, None, RAW, force=False).table_days == 0

        (folder / "games.parquet").write_bytes(b"torn")  # nothing is compared, and nothing is called changed
        assert w.stale(w.states())[GAMES] == {}
