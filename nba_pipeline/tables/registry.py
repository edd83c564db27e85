"""The registry: every declared table, by full name, and nothing that is not declared.

Belongs here: the collection and look-ups in it. Does not belong here: declarations or renderings.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping

from nba_pipeline.failures import ConfigurationError
from nba_pipeline.tables.analytics import ANALYTICS_TABLES
from nba_pipeline.tables.precompute import PRECOMPUTE_TABLES
from nba_pipeline.tables.raw import RAW_TABLES
from nba_pipeline.tables.spec import Table


class TableRegistry(Mapping[str, Table]):
    """Tables by ``dataset.name``, in pipeline order. Immutable; ``with_column`` returns a changed copy."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._tables: dict[str, Table] = {}
        for table in tables:
            if table.full_name in self._tables:
                raise ValueError(f"{table.full_name} is declared twice")
            self._tables[table.full_name] = table

    def __getitem__(self, full_name: str) -> Table:
        return self._tables[full_name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def with_column(self, full_name: str, column: str, **changes: object) -> TableRegistry:
        """This registry with one column of one table declared differently."""
        changed = self[full_name].with_column(column, **changes)
        return TableRegistry(changed if t.full_name == full_name else t for t in self.values())


def resolve(names: Iterable[str], known: Iterable[str]) -> set[str]:
    """The full names that people mean: ``dataset.table``, or ``table`` alone. ``ConfigurationError`` for a
    name that is not known."""
    full_names, wanted = list(known), set()
    for name in (given.strip() for given in names):
        matches = [full for full in full_names if name in (full, full.split(".")[1])]
        if not matches:
            near = difflib.get_close_matches(
                name, {n: 0 for full in full_names for n in (full, full.split(".")[1])}, n=1
            )
            meant = (
                f"did you mean {next(full for full in full_names if full.endswith(near[0]))}? There"
                if near
                else "there"
            )
            raise ConfigurationError(f"there is no table {name!r}; {meant} are {', '.join(full_names)}")
        wanted.update(matches)
    return wanted


TABLES = TableRegistry((*RAW_TABLES, *ANALYTICS_TABLES, *PRECOMPUTE_TABLES))
"""Every table of the project."""
