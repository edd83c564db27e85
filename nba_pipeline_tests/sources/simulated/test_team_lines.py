"""Team totals of the simulated league: what holds in every game, however unlikely the draw."""

from __future__ import annotations

import numpy as np

from nba_pipeline.sources.simulated.team_lines import FREE_THROWS_PER_FOUL, STYLES, Strengths, draw

GAMES = 20_000


def test_nobody_shoots_free_throws_without_fouls() -> None:
    teams = 30
    even = Strengths(*(np.zeros(teams) for _ in range(4)))
    rng = np.random.default_rng(7)
    home, away = rng.integers(0, teams, (2, GAMES))
    lines = draw(rng, home, away, even, STYLES["regular"], np.zeros(GAMES, dtype=bool))
    assert (lines.ft_attempts <= FREE_THROWS_PER_FOUL * lines.fouls[:, ::-1]).all()
    assert (lines.ft_makes <= lines.ft_attempts).all()
    assert (lines.zone_makes <= lines.zone_attempts).all()
    assert (lines.points[:, 0] != lines.points[:, 1]).all()
