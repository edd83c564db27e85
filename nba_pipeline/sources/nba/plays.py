"""Examining play-by-plays of both providers.

Belongs here: the shape of shots, whether the feed is over, whether its counts are the box's. Does not belong
here: raw rows.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from nba_pipeline.sources.nba.shapes import (
    Found,
    Kind,
    KnownGame,
    Verdict,
    at,
    count,
    disagrees,
    empty,
    require_game,
)

_CLOCK = re.compile(r"PT(\d{2})M(\d{2}\.\d{2})S")
_VALUES = {"2pt": 2, "3pt": 3}


def examine_stats(value: Any, key: str, game: KnownGame | None) -> Verdict:
    """playbyplayv3. Assists are words there, blocks rows of their own: neither is counted here."""
    actions = _actions(value, key)
    if not actions:
        return empty(game, "no actions")
    last = max(actions, key=lambda action: action["actionId"])
    over = last.get("actionType") == "period" and last.get("subType") == "end" and last["period"] >= 4
    if not over or last.get("scoreHome") == last.get("scoreAway"):
        return _not_over(game, last)
    _require_score(game, last)
    shots = _shots(actions, stats=True)
    _require_totals(game, shots, (0, 1, 2, 3))
    return Verdict(Kind.OK)


def examine_cdn(value: Any, key: str, game: KnownGame | None) -> Verdict:
    """liveData playbyplay."""
    actions = _actions(value, key, order="orderNumber")
    if not actions:
        return empty(game, "no actions")
    last = max(actions, key=lambda action: action["orderNumber"])
    if last.get("actionType") != "game" or last.get("subType") != "end":
        return _not_over(game, last)
    _require_score(game, last)
    shots = _shots(actions, stats=False)
    _require_totals(game, shots, (0, 1, 2, 3, 4, 5))
    return Verdict(Kind.OK)


def _actions(value: Any, key: str, order: str = "actionId") -> list[dict[str, Any]]:
    held = at(value, "game", "", dict)
    require_game(held, key, "game")
    actions: list[dict[str, Any]] = at(held, "actions", "game", list)
    for place, action in enumerate(actions):
        path = f"game.actions[{place}]"
        for name in (order, "actionNumber", "period", "isFieldGoal"):
            count(action, name, path)
        at(action, "actionType", path, str)
        if not _CLOCK.fullmatch(at(action, "clock", path, str)):
            raise Found(Verdict(Kind.DRIFT, f"{path}.clock", repr(action["clock"])))
    return actions


def _not_over(game: KnownGame | None, last: dict[str, Any]) -> Verdict:
    kind = Kind.TRUNCATED if game and game.final else Kind.IN_PROGRESS
    return Verdict(kind, detail=f"the feed ends in period {last['period']} at {last['clock']}")


def _require_score(game: KnownGame | None, last: dict[str, Any]) -> None:
    for side, known in (
        ("scoreHome", game.home_points if game else None),
        ("scoreAway", game.away_points if game else None),
    ):
        held = at(last, side, "game.actions[last]", str)
        if known is not None and held != str(known):
            raise disagrees(f"{side} of the last action {held}, by the schedule {known}")


def _shots(actions: list[dict[str, Any]], stats: bool) -> list[dict[str, Any]]:
    """The field goals, each once: a feed repeats actions. Two that differ under one number disagree."""
    found: dict[int, dict[str, Any]] = {}
    for place, action in enumerate(actions):
        if action["isFieldGoal"] != 1:
            continue
        shot = _shot(action, f"game.actions[{place}]", stats)
        if found.setdefault(action["actionNumber"], shot) != shot:
            raise disagrees(f"two different shots have the actionNumber {action['actionNumber']}")
    return list(found.values())


def _shot(action: dict[str, Any], path: str, stats: bool) -> dict[str, Any]:
    for name in ("personId", "teamId"):
        if count(action, name, path) == 0:
            raise Found(Verdict(Kind.DRIFT, f"{path}.{name}", "0 of a shot"))
    for name in ("xLegacy", "yLegacy"):
        at(action, name, path, int)
    result = at(action, "shotResult", path, str)
    if result not in ("Made", "Missed"):
        raise Found(Verdict(Kind.DRIFT, f"{path}.shotResult", repr(result)))
    value = count(action, "shotValue", path) if stats else _VALUES.get(action["actionType"])
    if value not in (2, 3):
        where = "shotValue" if stats else "actionType"
        raise Found(Verdict(Kind.DRIFT, f"{path}.{where}", repr(action[where])))
    shot = {name: action[name] for name in ("personId", "teamId", "xLegacy", "yLegacy", "period", "clock")}
    shot |= {"made": result == "Made", "value": value}
    for name in () if stats else ("assistPersonId", "blockPersonId"):
        shot[name] = count(action, name, path) if name in action else 0
    return shot


def _require_totals(game: KnownGame | None, shots: list[dict[str, Any]], held: tuple[int, ...]) -> None:
    """Each player's counts are the box's; ``held``: which of ``boxes.TOTALS`` the feed shows."""
    if game is None or game.totals is None:
        return
    counts: Counter[tuple[int, int]] = Counter()
    for shot in shots:
        person, three, made = shot["personId"], shot["value"] == 3, shot["made"]
        counts.update({(person, 0): made, (person, 1): 1, (person, 2): made and three, (person, 3): three})
        if made and shot.get("assistPersonId"):
            counts[shot["assistPersonId"], 4] += 1
        if not made and shot.get("blockPersonId"):
            counts[shot["blockPersonId"], 5] += 1
    for person in {*game.totals, *(person for person, _ in counts)}:
        box = game.totals.get(person)
        for place in held:
            if counts[person, place] != (box[place] if box else 0):
                name = ("made", "attempted", "threes made", "threes attempted", "assists", "blocks")[place]
                raise disagrees(
                    f"player {person}: {name} {counts[person, place]} in the play-by-play,"
                    f" {box[place] if box else 'no line'} in the box"
                )
