"""The three shot zones. Arrays in, arrays out.

Belongs here: which zone a shot is from, and how that was decided. Does not belong here: counting shots
(``transforms/``) or distance bands of other providers, which are another set.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.tables.vocabulary import PAINT_LABELS

PAINT_MAX_DISTANCE_FT = 13
"""Unlabelled two-pointers up to this distance count as paint. Calibrated on the 326,667 labelled two-pointers
of 2021-24: 13 ft agrees with the label for 94.06 % of them, the best of all thresholds (12 ft: 93.62 %, 14
ft: 93.59 %); bench/calibrate_zones.py repeats the measurement."""


def shot_zones(is_three: Any, zone_basic: pd.Series, distance_ft: Any) -> tuple[np.ndarray, np.ndarray]:
    """(zone, method) of each shot.

    ``three`` whenever the shot was worth three, whatever the label; else by the league's label; else by
    distance, where an unknown distance is 0 ft: play-by-play texts leave the distance of shots at the rim
    out.
    """
    three = np.asarray(is_three, dtype=bool)
    labelled = zone_basic.notna().to_numpy()
    paint_label = zone_basic.isin(PAINT_LABELS).to_numpy()
    distance = pd.to_numeric(pd.Series(distance_ft)).to_numpy(dtype="float64", na_value=np.nan)
    near = np.nan_to_num(distance, nan=0.0) <= PAINT_MAX_DISTANCE_FT
    paint = np.where(labelled, paint_label, near)
    zone = np.where(three, "three", np.where(paint, "paint", "mid_range"))
    return zone, np.where(labelled | three, "label", "distance")
