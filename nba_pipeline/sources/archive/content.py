"""What is the same in two answers: the content digest, and the differences between two contents.

Belongs here: pure functions of bytes. Does not belong here: files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

VOLATILE_OF_GAME = frozenset({"duration", "attendance"})
"""Parts of a game's answer that change without a change of the game, besides ``meta`` (when it was
rendered)."""
_ABSENT = "(absent)"


def content_digest(body: bytes) -> str:
    """SHA-256 (hex) of what an answer says: its JSON without the volatile parts, whatever the order of the
    keys and the white space; of the bytes themselves where they are not JSON."""
    try:
        value = stable(json.loads(body))
    except (ValueError, RecursionError):  # not JSON, or not UTF-8: then only equal bytes say the same
        return hashlib.sha256(body).hexdigest()
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def stable(value: Any) -> Any:
    """A parsed answer without its volatile parts."""
    if not isinstance(value, dict):
        return value
    kept = {key: part for key, part in value.items() if key != "meta"}
    game = kept.get("game")
    if isinstance(game, dict):
        kept["game"] = {key: part for key, part in game.items() if key not in VOLATILE_OF_GAME}
    return kept


def differences(earlier: bytes, later: bytes) -> list[tuple[str, Any, Any]]:
    """(path, value before, value after) of everything that differs between two JSON contents.

    Raises ValueError if one of them is not JSON.
    """
    return list(_differences(stable(json.loads(earlier)), stable(json.loads(later)), ""))


def _differences(old: Any, new: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            inner = f"{path}.{key}" if path else key
            yield from _differences(old.get(key, _ABSENT), new.get(key, _ABSENT), inner)
    elif isinstance(old, list) and isinstance(new, list):
        for place in range(max(len(old), len(new))):
            before = old[place] if place < len(old) else _ABSENT
            after = new[place] if place < len(new) else _ABSENT
            yield from _differences(before, after, f"{path}[{place}]")
    elif type(old) is not type(new) or old != new:
        yield path, old, new
