"""Small values of the pipeline in the Dagster instance's key-value table.

Belongs here: reading and writing many values safely. Does not belong here: what they mean (``provenance.py``,
``operations/``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # only named here: reading values needs an instance, and whoever has one has loaded Dagster
    import dagster as dg

_AT_ONCE = 300  # keys per statement: SQLite allows 999 parameters in its oldest builds


def read_values(instance: dg.DagsterInstance, names: Iterable[str]) -> dict[str, str]:
    """The values of those names that have one."""
    found: dict[str, str] = {}
    for piece in _pieces(sorted(set(names))):
        found |= instance.daemon_cursor_storage.get_cursor_values(set(piece))
    return found


def write_values(instance: dg.DagsterInstance, values: Mapping[str, str]) -> None:
    """Set every value, new and known names alike.

    Dagster inserts all of a call and, where one name exists, updates the existing ones and drops the new: so
    the two are told apart here. A name that another process inserted in between is found by reading and
    written again.
    """
    open_names = sorted(values)
    while open_names:
        known = read_values(instance, open_names)
        for of_one_kind in ([n for n in open_names if n in known], [n for n in open_names if n not in known]):
            for piece in _pieces(of_one_kind):
                instance.daemon_cursor_storage.set_cursor_values({name: values[name] for name in piece})
        stored = read_values(instance, open_names)
        open_names = [name for name in open_names if name not in stored]


def _pieces(names: list[str]) -> Iterable[list[str]]:
    return (names[n : n + _AT_ONCE] for n in range(0, len(names), _AT_ONCE))
