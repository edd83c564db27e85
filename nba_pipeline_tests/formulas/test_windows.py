"""Windows: every kind against plain Python, exactness, and the refusal of histories that have no order."""

from __future__ import annotations

import statistics
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.formulas import windows as w
from nba_pipeline.tables import formula as f
from nba_pipeline.tables.calendar import season_year_of

FIRST = date(2022, 8, 15)
_offsets = st.integers(0, 120)
_facts = st.dictionaries(
    st.tuples(st.integers(1, 3), _offsets), st.tuples(st.integers(0, 60), st.integers(0, 9_999)), max_size=60
)
_as_of = st.lists(st.tuples(st.integers(1, 4), _offsets), max_size=30)
_kinds = st.sampled_from(
    [
        f.last_games(1),
        f.last_games(3),
        f.last_games(10),
        f.season_to_date(),
        f.last_days(7),
        f.last_days(60),
        f.last_appearance(),
        f.last_appearance(9),
    ]
)


def day(offset: int) -> date:
    return FIRST + timedelta(days=offset)


def frame(rows: dict[tuple[int, int], tuple[int, int]]) -> pd.DataFrame:
    """Facts with a whole-number column, one in hundredths and one with NULLs (odd points)."""
    columns = {"player_id": [k[0] for k in rows], "game_date": [np.datetime64(day(k[1]), "s") for k in rows]}
    points = pd.array([v[0] for v in rows.values()], dtype="Int64")
    facts = pd.DataFrame({**columns, "points": points, "plays": [v[1] / 100 for v in rows.values()]})
    facts["game_date"] = facts["game_date"].astype("datetime64[s]")
    return facts.assign(
        sometimes=facts["points"].mask(facts["points"] % 2 == 1), player_id=facts["player_id"].astype("int64")
    )


def asked(rows: list[tuple[int, int]]) -> pd.DataFrame:
    days = pd.Series([np.datetime64(day(r[1]), "s") for r in rows], dtype="datetime64[s]")
    return pd.DataFrame({"player_id": pd.Series([r[0] for r in rows], dtype="int64"), "game_date": days})


def by_hand(
    rows: dict[tuple[int, int], tuple[int, int]], player: int, at: int, window: f.Window
) -> list[tuple[date, int, int]]:
    """The facts of the window, oldest first."""
    mine = sorted((day(o), *v) for (p, o), v in rows.items() if p == player and o < at)
    if window.this_season:
        mine = [m for m in mine if season_year_of(m[0]) == season_year_of(day(at))]
    if window.days is not None:
        mine = [m for m in mine if (day(at) - m[0]).days <= window.days]
    return mine if window.games is None else mine[-window.games :]


def same(got: float, want: float | None) -> bool:
    return bool(np.isnan(got)) if want is None else got == pytest.approx(want, rel=1e-9, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(_facts, _as_of, _kinds)
def test_every_window_holds_what_plain_python_says(facts: Any, rows: Any, window: f.Window) -> None:
    seen = w.History(frame(facts), ["player_id"], {"plays": 2}).before(asked(rows), window)
    points, plays = seen.total("points"), seen.total("plays")
    mean, std, slope, since = (
        seen.mean("sometimes"),
        seen.std("points"),
        seen.slope("points"),
        seen.days_since(),
    )
    for i, (player, at) in enumerate(rows):
        want = by_hand(facts, player, at, window)
        values = [fact[1] for fact in want]
        even = [v for v in values if v % 2 == 0]
        assert seen.games[i] == len(want)
        assert points[i] == sum(values)
        assert plays[i] == sum(fact[2] for fact in want) / 100
        assert same(mean[i], sum(even) / len(even) if even else None)
        assert same(std[i], statistics.stdev(values) if len(values) > 1 else None)
        assert same(
            slope[i], float(np.polyfit(range(len(values)), values, 1)[0]) if len(values) >= 2 else None
        )
        assert same(since[i], (day(at) - want[-1][0]).days if want else None)


@settings(max_examples=40, deadline=None)
@given(_facts, _as_of)
def test_weighted_mean_and_runs_restart_with_the_season(facts: Any, rows: Any) -> None:
    history = w.History(frame(facts), ["player_id"], {"plays": 2})
    seen = history.before(asked(rows), f.season_to_date())
    ewma, run = (
        seen.at_latest(history.season_ewma("points", 8.0)),
        seen.at_latest(history.run_lengths("points")),
    )
    for i, (player, at) in enumerate(rows):
        values = [fact[1] for fact in by_hand(facts, player, at, f.season_to_date())][::-1]
        weights = [0.5 ** (k / 8) for k in range(len(values))]
        assert same(
            ewma[i],
            sum(v * x for v, x in zip(values, weights, strict=True)) / sum(weights) if values else None,
        )
        same_as_last = next((k for k, v in enumerate(values) if v != values[0]), len(values))
        assert same(run[i], same_as_last if values else None)


@settings(max_examples=25, deadline=None)
@given(_facts, _as_of, st.randoms())
def test_results_are_the_same_bytes_in_any_row_order_and_company(facts: Any, rows: Any, random: Any) -> None:
    mixed = list(facts.items())
    random.shuffle(mixed)
    others = {(p + 10, o): v for (p, o), v in facts.items()}
    for window in (f.last_games(5), f.last_days(30)):
        one = w.History(frame(facts), ["player_id"], {"plays": 2}).before(asked(rows), window)
        two = w.History(frame({**others, **dict(mixed)}), ["player_id"], {"plays": 2}).before(
            asked(rows), window
        )
        for a, b in ((one.total("plays"), two.total("plays")), (one.std("points"), two.std("points"))):
            assert a.tobytes() == b.tobytes()
        assert one.slope("points").tobytes() == two.slope("points").tobytes()


def test_head_to_head_takes_the_pair_of_player_and_opponent() -> None:
    facts = frame({(1, 1): (10, 0), (1, 3): (20, 0), (1, 5): (40, 0)}).assign(opponent=["BOS", "NYK", "BOS"])
    rows = asked([(1, 5), (1, 6), (1, 6)]).assign(other=["BOS", "BOS", "MIA"])
    seen = w.History(facts, ["player_id", "opponent"]).before(rows, f.head_to_head(), {"opponent": "other"})
    assert seen.total("points").tolist() == [10, 50, 0]
    assert seen.games.tolist() == [1, 2, 0]


def test_two_facts_of_an_entity_on_one_day_are_refused() -> None:
    facts = frame({(1, 1): (10, 0), (2, 1): (20, 0)})
    with pytest.raises(ValueError, match="1 facts share entity and day"):
        w.History(facts.assign(player_id=1), ["player_id"])


def test_a_squad_has_no_last_games() -> None:
    squads = w.History(frame({(1, 1): (10, 0), (2, 1): (20, 0)}), ["player_id"]).by("points")
    with pytest.raises(ValueError, match="not defined"):
        squads.before(asked([]).assign(points=[]), f.last_games(3))


def test_a_column_finer_than_its_scale_is_refused() -> None:
    facts = frame({(1, 1): (10, 0)}).assign(plays=0.12345)
    with pytest.raises(ValueError, match="more than 2 decimals"):
        w.History(facts, ["player_id"], {"plays": 2}).before(asked([(1, 5)]), f.season_to_date()).total(
            "plays"
        )


@pytest.mark.parametrize("n", [0, -1])
def test_a_window_that_reaches_nowhere_or_into_the_future_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        f.last_days(n)


def test_the_day_itself_is_never_in_its_window_and_a_planted_off_by_one_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = w.History(frame({(1, 5): (10, 0)}), ["player_id"])
    kinds = [f.last_games(3), f.season_to_date(), f.last_days(7), f.last_appearance(), f.head_to_head()]
    assert [int(history.before(asked([(1, 5)]), k).games[0]) for k in kinds] == [0] * 5
    monkeypatch.setattr(
        w, "_end_of_history", lambda facts, as_of: np.searchsorted(facts, as_of, side="right")
    )
    assert [int(history.before(asked([(1, 5)]), k).games[0]) for k in kinds] == [1] * 5
