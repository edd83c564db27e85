"""The distance threshold of unlabelled two-pointers, measured again on the labelled seasons of a bulk folder.

    python bench/calibrate_zones.py [FOLDER]      (FOLDER: NBA_PIPELINE_BULK_DIR when not given)

Prints how many labelled two-pointers each threshold puts into the same zone as the league's label does. The
best one is ``PAINT_MAX_DISTANCE_FT`` of nba_pipeline/tables/columns/shots.py; change it there, with the new
numbers, if this says so.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd

from nba_pipeline.tables.columns.shots import PAINT_MAX_DISTANCE_FT
from nba_pipeline.tables.vocabulary import PAINT_LABELS

COLUMNS = ["IS_THREE", "SHOT_ZONE_BASIC", "PBP_DISTANCE", "SHOT_DISTANCE"]
THRESHOLDS = range(8, 19)


def labelled_twos(folder: Path) -> pd.DataFrame:
    """(is_paint, distance) of every two-pointer with a label; a distance that is not published is 0."""
    files = sorted(folder.glob("shots_*.parquet"))
    if not files:
        raise SystemExit(f"{folder} has no shots_<season>.parquet")
    shots = pd.concat([pd.read_parquet(file, columns=COLUMNS) for file in files], ignore_index=True)
    twos = shots[~shots["IS_THREE"].astype(bool) & shots["SHOT_ZONE_BASIC"].notna()]
    distance = twos["PBP_DISTANCE"].fillna(twos["SHOT_DISTANCE"]).fillna(0)
    return pd.DataFrame(
        {"is_paint": twos["SHOT_ZONE_BASIC"].isin(PAINT_LABELS), "distance": distance.astype("float64")}
    )


def agreement(twos: pd.DataFrame) -> pd.Series:
    """Threshold in feet -> share of the shots on which it agrees with the label."""
    paint, distance = twos["is_paint"].to_numpy(), twos["distance"].to_numpy()
    return pd.Series({feet: float(np.mean((distance <= feet) == paint)) for feet in THRESHOLDS})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", default=os.environ.get("NBA_PIPELINE_BULK_DIR"))
    given = parser.parse_args().folder
    if not given:
        parser.error("name the folder with shots_<season>.parquet, or set NBA_PIPELINE_BULK_DIR")
    twos = labelled_twos(Path(given))
    shares = agreement(twos)
    print(f"{len(twos):,} labelled two-pointers, {twos['is_paint'].mean():.1%} of them in the paint\n")
    print("threshold  agrees with the label")
    for feet, share in shares.items():
        marks = [
            word
            for word, here in (("best", feet == shares.idxmax()), ("in use", feet == PAINT_MAX_DISTANCE_FT))
            if here
        ]
        print(f"{feet:>6} ft   {share:.2%}  {', '.join(marks)}")


if __name__ == "__main__":
    main()
