"""Which days and columns of the simulated league its tests look at. No fixtures (conftest.py) and no
tests."""

from datetime import date, timedelta

TABLES = ("games", "player_boxscores", "shot_attempts")
COMPETITIVE = frozenset({"regular", "playoffs", "play_in", "cup_final"})
COUNTS = [
    *("fg_makes", "fg_attempts", "three_pt_makes", "three_pt_attempts", "ft_makes", "ft_attempts"),
    *(
        "offensive_rebounds",
        "defensive_rebounds",
        "assists",
        "steals",
        "blocks",
        "turnovers",
        "personal_fouls",
        "points",
        "plus_minus",
    ),
]
SEASON_DAYS = [date(2023, 10, 1) + timedelta(days=d) for d in range(290)]
CHOSEN_DAY = date(2023, 12, 9)  # the Cup final
