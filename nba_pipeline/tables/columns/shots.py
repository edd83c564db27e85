"""Columns about single shots and their three zones (paint, mid_range, three).

Zone of a shot: `three` if it is a three-point attempt; else `paint` for the labels Restricted Area and In The
Paint (Non-RA); else `mid_range`. Where the league's label is missing the zone comes from the distance (see
``PAINT_MAX_DISTANCE_FT``).
"""

from __future__ import annotations

from nba_pipeline.tables.formula import Formula, Lines, Relation, taken
from nba_pipeline.tables.names import OFFENSE
from nba_pipeline.tables.names import SHOTS as SHOTS_TABLE
from nba_pipeline.tables.spec import BOOL, INT64, STRING, Column
from nba_pipeline.tables.vocabulary import PAINT_LABELS, ZONE_LABELS, ZONE_METHODS, ZONES

PAINT_MAX_DISTANCE_FT = 13
"""Unlabelled two-pointers up to this distance count as paint. Calibrated on the 326,667 labelled two-pointers
of 2021-24: 13 ft agrees with the label for 94.06 % of them, the best of all thresholds (12 ft: 93.62 %, 14
ft: 93.59 %); bench/calibrate_zones.py repeats the measurement."""


def shots_of(relation: Relation) -> Lines:
    """Published shots of the same game; where the game has none, nothing is known."""
    return Lines(SHOTS_TABLE, relation, null_without=True)


def zone_counts(relation: Relation) -> dict[str, Formula]:
    """``{zone}_makes`` and ``{zone}_attempts``, counted over published shots."""
    return {
        **{f"{z}_makes": Formula(f"count(zone == '{z}' and is_made)", shots_of(relation)) for z in ZONES},
        **{f"{z}_attempts": Formula(f"count(zone == '{z}')", shots_of(relation)) for z in ZONES},
    }


def blocks_by_zone(relation: Relation) -> dict[str, Formula]:
    """``blocks_{zone}``, counted over published shots."""
    text = "count(zone == '{}' and block_player_id != NULL)"
    return {f"blocks_{zone}": Formula(text.format(zone), shots_of(relation)) for zone in ZONES}


_ZONE_WORDS = {"paint": "in the paint", "mid_range": "from mid-range", "three": "from three-point range"}

_SINGLE_SHOT: tuple[Column, ...] = (
    Column("event_id", INT64, "Number of the event in the game's play-by-play.", nullable=False, minimum=0),
    Column("period", INT64, "Period, 1-4 and from 5 on overtime.", nullable=False, minimum=1, maximum=16),
    Column(
        "seconds_remaining",
        INT64,
        "Seconds left in the period.",
        unit="seconds",
        nullable=False,
        minimum=0,
        maximum=720,
    ),
    Column("is_made", BOOL, "The shot went in.", nullable=False),
    Column("is_three", BOOL, "The shot was worth three points.", nullable=False),
    Column(
        "distance_ft",
        INT64,
        "Distance from the hoop; NULL when not published.",
        unit="feet",
        minimum=0,
        maximum=94,
    ),
    Column(
        "loc_x",
        INT64,
        "Across the court from the hoop; NULL when not published.",
        unit="tenths of a foot",
        minimum=-300,
        maximum=300,
    ),
    Column(
        "loc_y",
        INT64,
        "Along the court from the hoop; NULL when not published.",
        unit="tenths of a foot",
        minimum=-100,
        maximum=950,
    ),
    Column(
        "zone_basic",
        STRING,
        "The league's SHOT_ZONE_BASIC label; NULL when not published.",
        allowed=ZONE_LABELS,
    ),
    Column(
        "zone",
        STRING,
        "Three-way zone: three if worth three; else paint (Restricted Area, In The Paint (Non-RA)) or"
        " mid_range.",
        nullable=False,
        allowed=ZONES,
        formula=Formula(
            f"'three' if is_three else ('paint' if zone_basic in {PAINT_LABELS} else 'mid_range')"
            " if zone_basic != NULL else 'paint' if or_zero(distance_ft) <="
            f" {PAINT_MAX_DISTANCE_FT} else 'mid_range'",
            note="An unknown distance is 0 ft: play-by-play texts omit the distance of shots at the rim.",
        ),
    ),
    Column(
        "zone_method",
        STRING,
        "How the zone was decided: the league's label, or the distance where the label is missing"
        " (two-pointers up to 13 ft are paint; that agrees with the label for 94.06 % of the labelled"
        " two-pointers of 2021-24).",
        nullable=False,
        allowed=ZONE_METHODS,
        formula=Formula("'label' if is_three or zone_basic != NULL else 'distance'"),
    ),
    Column("assist_player_id", INT64, "Player credited with the assist; only on makes.", minimum=1),
    Column("block_player_id", INT64, "Player credited with the block; only on misses.", minimum=1),
)


def _zone_counts(prefix: str, whose: str) -> list[Column]:
    columns = []
    for zone in ZONES:
        where = _ZONE_WORDS[zone]
        for what, words in (("makes", "made"), ("attempts", "attempted")):
            columns.append(
                Column(
                    f"{prefix}{zone}_{what}",
                    INT64,
                    f"Field goals {words} {where}{whose}; NULL, not 0, without shot data.",
                    unit="count",
                    minimum=0,
                    maximum=150,
                    formula=taken(OFFENSE, f"{zone}_{what}", Relation.OPPONENT) if prefix else None,
                )
            )
    return columns


SHOTS: tuple[Column, ...] = (
    *_SINGLE_SHOT,
    *_zone_counts("", ""),
    *_zone_counts("opp_", " by the opponent"),
    *(
        Column(
            f"blocks_{zone}",
            INT64,
            f"Blocks of shots taken {words}; NULL without shot data.",
            unit="count",
            minimum=0,
            maximum=50,
        )
        for zone, words in _ZONE_WORDS.items()
    ),
    Column(
        "assisted_fg_makes",
        INT64,
        "Field goals made off an assist; NULL without shot data.",
        unit="count",
        minimum=0,
        maximum=120,
        formula=Formula("count(is_made and assist_player_id != NULL)", shots_of(Relation.PLAYER)),
    ),
    Column(
        "unassisted_fg_makes",
        INT64,
        "Field goals made without an assist; NULL without shot data.",
        unit="count",
        minimum=0,
        maximum=120,
        formula=Formula("count(is_made and assist_player_id == NULL)", shots_of(Relation.PLAYER)),
    ),
    Column(
        "shot_data_complete",
        BOOL,
        "As many shot rows were found for the team as it has field goal attempts.",
        nullable=False,
        formula=Formula("count() == fg_attempts", shots_of(Relation.TEAM)),
    ),
)
