"""What an answer is worth: every recorded answer, and what servers, caches and changes can do to it."""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nba_pipeline.failures import FailureClass
from nba_pipeline.sources.nba.boxes import SUMMED
from nba_pipeline.sources.nba.endpoints import Endpoint, season_of_game
from nba_pipeline.sources.nba.shapes import Kind, KnownGame, Verdict
from nba_pipeline.sources.nba.verdicts import examine

FINAL = KnownGame(final=True)
GAME = "0022400695"
V3_GAME = "0022200552"
Change = Callable[[Any], object]


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def _examine(endpoint: Endpoint, key: str, body: bytes, game: KnownGame | None = None) -> Verdict:
    return examine(endpoint, key, 200, "application/json", body, game)


@pytest.fixture(scope="module")
def bodies(payload_dir: Path) -> dict[Endpoint, bytes]:
    """One good answer of each endpoint of games."""
    day = payload_dir / "days" / "2025-02-02"
    return {
        Endpoint.CDN_BOX: _bytes(day / f"cdn_boxscore_{GAME}.json.gz"),
        Endpoint.CDN_PLAYS: _bytes(day / f"cdn_playbyplay_{GAME}.json.gz"),
        Endpoint.STATS_BOX: _bytes(payload_dir / "stats" / f"boxscoretraditionalv3_{V3_GAME}.json.gz"),
        Endpoint.STATS_PLAYS: _bytes(payload_dir / "stats" / f"playbyplayv3_{V3_GAME}.json.gz"),
    }


def _game(endpoint: Endpoint) -> str:
    return GAME if endpoint.startswith("cdn") else V3_GAME


def _known(endpoint: Endpoint, bodies: dict[Endpoint, bytes]) -> KnownGame:
    cdn = endpoint.startswith("cdn")
    box = Endpoint.CDN_BOX if cdn else Endpoint.STATS_BOX
    home, away = (127, 119) if cdn else (145, 134)
    return KnownGame(True, home, away, _examine(box, _game(box), bodies[box]).totals)


def test_every_game_of_the_recorded_days_is_ok(payload_dir: Path) -> None:
    seen = 0
    for path in sorted((payload_dir / "days").rglob("cdn_boxscore_*")):
        game_id = path.name.removeprefix("cdn_boxscore_").removesuffix(".json.gz")
        box = _examine(Endpoint.CDN_BOX, game_id, _bytes(path), FINAL)
        assert box.ok and box.failure_class is None, f"{game_id}: {box}"
        plays = path.with_name(f"cdn_playbyplay_{game_id}.json.gz")
        verdict = _examine(Endpoint.CDN_PLAYS, game_id, _bytes(plays), KnownGame(True, totals=box.totals))
        assert verdict.ok, f"{game_id}: {verdict}"
        seen += 1
    assert seen == 11


def test_stats_answers_are_ok_and_agree_with_each_other(bodies: dict[Endpoint, bytes]) -> None:
    for endpoint in (Endpoint.STATS_BOX, Endpoint.STATS_PLAYS):
        verdict = _examine(endpoint, V3_GAME, bodies[endpoint], _known(endpoint, bodies))
        assert verdict.ok, str(verdict)


RECORDED = [
    (Endpoint.STATS_SCHEDULE, "2024-25", "stats/scheduleleaguev2_2024-25_final.json.gz", None, "ok"),
    (
        Endpoint.CDN_SCHEDULE,
        "2026-27",
        "stats/scheduleleaguev2_2025-26_2025-07-17.json.gz",
        None,
        "wrong_game",
    ),
    (Endpoint.STATS_LOG, "x", "stats/leaguegamelog_P_2025-03-15.json.gz", None, "ok"),
    (Endpoint.STATS_LOG, "x", "stats/leaguegamelog_T_2026-27_empty.json", None, "not_played"),
    (Endpoint.CDN_SCOREBOARD, "x", "live/cdn_todaysScoreboard_2026-01-08_ppd.json.gz", None, "ok"),
    (
        Endpoint.CDN_PLAYS,
        "0022500775",
        "live/cdn_playbyplay_0022500775_halftime.json.gz",
        None,
        "in_progress",
    ),
    (Endpoint.CDN_PLAYS, "0022500775", "live/cdn_playbyplay_0022500775_halftime.json.gz", FINAL, "truncated"),
    (
        Endpoint.STATS_BOX,
        "0062600001",
        "stats/boxscoretraditionalv3_0062600001_not_played.json",
        None,
        "not_played",
    ),
    (
        Endpoint.STATS_BOX,
        "0062600001",
        "stats/boxscoretraditionalv3_0062600001_not_played.json",
        FINAL,
        "empty_for_final",
    ),
    (Endpoint.STATS_PLAYS, "0062600001", "stats/playbyplayv3_0062600001_not_played.json", None, "not_played"),
    (
        Endpoint.STATS_PLAYS,
        "0062600001",
        "stats/playbyplayv3_0062600001_not_played.json",
        FINAL,
        "empty_for_final",
    ),
    (Endpoint.STATS_PLAYS, V3_GAME, "errors/playbyplayv2_retired.json", FINAL, "empty_for_final"),
    (Endpoint.STATS_PLAYS, V3_GAME, "errors/playbyplayv2_retired.json", None, "drift"),
    (Endpoint.STATS_BOX, V3_GAME, "errors/stats_200_message.json", None, "drift"),
    (Endpoint.CDN_BOX, GAME, "errors/cdn_403_access_denied.html", None, "not_json"),
]


@pytest.mark.parametrize(("endpoint", "key", "file", "game", "kind"), RECORDED)
def test_a_recorded_answer_has_its_verdict(
    payload_dir: Path, endpoint: Endpoint, key: str, file: str, game: KnownGame | None, kind: str
) -> None:
    verdict = _examine(endpoint, key, _bytes(payload_dir / file), game)
    assert verdict.kind.value == kind, str(verdict)


def test_only_a_status_of_200_can_be_ok(bodies: dict[Endpoint, bytes]) -> None:
    for status, kind in (
        (206, Kind.TRUNCATED),
        (301, Kind.NOT_JSON),
        (403, Kind.NOT_JSON),
        (500, Kind.NOT_JSON),
    ):
        verdict = examine(Endpoint.CDN_BOX, GAME, status, "text/html", bodies[Endpoint.CDN_BOX])
        assert verdict.kind is kind and verdict.failure_class is FailureClass.UNPARSEABLE_SOURCE


@pytest.mark.parametrize(
    "endpoint", [Endpoint.CDN_BOX, Endpoint.CDN_PLAYS, Endpoint.STATS_BOX, Endpoint.STATS_PLAYS]
)
def test_what_is_cut_or_anothers_is_never_ok(bodies: dict[Endpoint, bytes], endpoint: Endpoint) -> None:
    body, game = bodies[endpoint], _known(endpoint, bodies)
    for length in (1, 2, 100, len(body) // 2, len(body.rstrip()) - 1):
        assert _examine(endpoint, _game(endpoint), body[:length], game).kind is Kind.TRUNCATED, length
    assert _examine(endpoint, _game(endpoint), b"", game).kind is Kind.NOT_JSON
    other = _examine(endpoint, "0022400700", body, game)
    assert other.kind is Kind.WRONG_GAME and _game(endpoint) in other.detail


def _line(value: Any) -> Any:
    return value["game"]["homeTeam"]["players"][0]["statistics"]


CHANGES: list[tuple[str, Endpoint, Change, str]] = [
    ("missing", Endpoint.CDN_BOX, lambda v: _line(v).pop("steals"), "drift"),
    ("renamed", Endpoint.CDN_BOX, lambda v: v["game"].update(home=v["game"].pop("homeTeam")), "drift"),
    ("retyped", Endpoint.CDN_BOX, lambda v: _line(v).update(points="12"), "drift"),
    ("true", Endpoint.CDN_BOX, lambda v: _line(v).update(blocks=False), "drift"),
    ("minutes", Endpoint.CDN_BOX, lambda v: _line(v).update(minutes="21"), "drift"),
    ("one more", Endpoint.CDN_BOX, lambda v: _line(v).update(assists=4), "disagrees"),
    ("his points", Endpoint.CDN_BOX, lambda v: _line(v).update(points=13), "disagrees"),
    ("score", Endpoint.CDN_BOX, lambda v: v["game"]["homeTeam"].update(score=128), "disagrees"),
    (
        "no starter",
        Endpoint.CDN_BOX,
        lambda v: v["game"]["homeTeam"]["players"][0].update(starter="0"),
        "disagrees",
    ),
    (
        "twice",
        Endpoint.CDN_BOX,
        lambda v: v["game"]["homeTeam"]["players"].append(v["game"]["homeTeam"]["players"][0]),
        "disagrees",
    ),
    ("status 2 Final", Endpoint.CDN_BOX, lambda v: v["game"].update(gameStatus=2), "truncated"),
    ("no actions", Endpoint.CDN_PLAYS, lambda v: v["game"].update(actions=[]), "empty_for_final"),
    ("shuffled", Endpoint.CDN_PLAYS, lambda v: random.Random(1).shuffle(v["game"]["actions"]), "ok"),
    (
        "repeated",
        Endpoint.CDN_PLAYS,
        lambda v: v["game"]["actions"].extend(copy.deepcopy(v["game"]["actions"][:99])),
        "ok",
    ),
    ("cut", Endpoint.CDN_PLAYS, lambda v: v["game"]["actions"].pop(), "truncated"),
    ("no place", Endpoint.STATS_PLAYS, lambda v: [a.pop("xLegacy") for a in v["game"]["actions"]], "drift"),
    ("shuffled", Endpoint.STATS_PLAYS, lambda v: random.Random(1).shuffle(v["game"]["actions"]), "ok"),
    (
        "no players",
        Endpoint.STATS_BOX,
        lambda v: [v["boxScoreTraditional"][s].update(players=[]) for s in ("homeTeam", "awayTeam")],
        "empty_for_final",
    ),
    ("new key", Endpoint.STATS_BOX, lambda v: v["boxScoreTraditional"].update(fresh=1), "ok"),
]


@pytest.mark.parametrize(
    ("endpoint", "change", "kind"), [c[1:] for c in CHANGES], ids=[f"{c[1]}: {c[0]}" for c in CHANGES]
)
def test_a_changed_answer_has_its_verdict(
    bodies: dict[Endpoint, bytes], endpoint: Endpoint, change: Change, kind: str
) -> None:
    value = json.loads(bodies[endpoint])
    change(value)
    verdict = _examine(endpoint, _game(endpoint), json.dumps(value).encode(), _known(endpoint, bodies))
    assert verdict.kind.value == kind, str(verdict)


@pytest.mark.parametrize("endpoint", [Endpoint.CDN_PLAYS, Endpoint.STATS_PLAYS])
def test_no_single_shot_can_be_lost_moved_or_turned_unseen(
    bodies: dict[Endpoint, bytes], endpoint: Endpoint
) -> None:
    """With the box at hand, each change of who shot, what it was worth and whether it went in is found."""
    game, value = _known(endpoint, bodies), json.loads(bodies[endpoint])
    shots = [place for place, a in enumerate(value["game"]["actions"]) if a["isFieldGoal"] == 1]
    for place in shots[:: len(shots) // 12]:
        shot = value["game"]["actions"][place]
        turned = {"Made": "Missed", "Missed": "Made"}[shot["shotResult"]]
        for changed in ({"isFieldGoal": 0}, {"shotResult": turned}, {"personId": shot["personId"] + 1}):
            value["game"]["actions"][place] = {**shot, **changed}
            verdict = _examine(endpoint, _game(endpoint), json.dumps(value).encode(), game)
            assert verdict.kind is Kind.DISAGREES, f"{place} {changed}: {verdict}"
        value["game"]["actions"][place] = shot


def test_no_random_change_of_a_counted_value_is_ok(bodies: dict[Endpoint, bytes]) -> None:
    """Another number or type of a count of a player ends the examination; none raises."""
    rng = random.Random(20250202)
    for endpoint, path in ((Endpoint.CDN_BOX, "game"), (Endpoint.STATS_BOX, "boxScoreTraditional")):
        good, game = json.loads(bodies[endpoint]), _known(endpoint, bodies)
        for _ in range(40):
            value = copy.deepcopy(good)
            player = rng.choice(value[path][rng.choice(["homeTeam", "awayTeam"])]["players"])
            name, statistics = rng.choice(SUMMED), player["statistics"]
            new = rng.choice([None, "x", -1, statistics[name] + 1, 1.5, [], {}, True])
            statistics[name] = new
            verdict = _examine(endpoint, _game(endpoint), json.dumps(value).encode(), game)
            assert verdict.kind in (Kind.DRIFT, Kind.DISAGREES), f"{name} = {new!r}: {verdict}"


def test_a_game_belongs_to_the_season_of_its_id() -> None:
    assert [season_of_game(g) for g in (GAME, "0029900001", "0024600001")] == [
        "2024-25",
        "1999-00",
        "1946-47",
    ]
    with pytest.raises(ValueError, match="ten digits"):
        season_of_game("401584701")
