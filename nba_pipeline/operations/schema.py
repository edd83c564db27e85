"""What the warehouse's tables are, what they should be, and what would change: planning for `nba-pipeline
schema`.

Belongs here: ``plan_changes``, ``apply_changes`` and their
results as JSON. Does not belong here: a particular warehouse (``warehouse/``), differences themselves
(``tables/evolution.py``), printing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nba_pipeline.failures import SchemaDrift
from nba_pipeline.tables.evolution import Action, Change
from nba_pipeline.tables.spec import Table
from nba_pipeline.warehouse.base import SchemaStore


@dataclass(frozen=True)
class TableChanges:
    """The changes of one table, and the statements that make those which statements can make."""

    table: Table
    changes: tuple[Change, ...]
    statements: tuple[str, ...]

    @property
    def refused(self) -> list[Change]:
        return [c for c in self.changes if c.action is Action.REFUSE]

    @property
    def needed(self) -> list[Change]:
        """What must be done before days can be written."""
        return [c for c in self.changes if c.blocks]


def with_quarantine(tables: Iterable[Table]) -> list[Table]:
    """Each table followed by its quarantine table."""
    return [each for table in tables for each in (table, table.rejected())]


def plan_changes(store: SchemaStore, tables: Iterable[Table]) -> list[TableChanges]:
    """What separates the tables from their declarations. Changes nothing."""
    plans = []
    for table in tables:
        changes = store.changes(table)
        plans.append(TableChanges(table, tuple(changes), tuple(store.ddl(table, changes)) if changes else ()))
    return plans


def apply_changes(store: SchemaStore, plans: Sequence[TableChanges]) -> dict[str, list[Change]]:
    """Make the changes, table by table, and read each table back; returns what is left per table (never a
    blocking change).

    Raises ``SchemaDrift`` before anything is done when a change of any table is refused.
    """
    if refused := [p for p in plans if p.refused]:
        first = refused[0].refused[0]
        row = f". First row: {first.rows[0]}" if first.rows else ""
        more = f". {len(refused) - 1} more table(s) differ so as well" if len(refused) > 1 else ""
        raise SchemaDrift(f"{refused[0].table.full_name}: {first.text}{row}{more}. Nothing was changed.")
    store.create_datasets([p.table for p in plans])
    return {p.table.full_name: store.apply(p.table, p.changes) if p.changes else [] for p in plans}


def as_json(plans: Sequence[TableChanges]) -> dict[str, Any]:
    return {
        "tables": {
            p.table.full_name: {
                "changes": [
                    {
                        "action": str(c.action),
                        "column": c.column,
                        "text": c.text,
                        "blocks": c.blocks,
                        "rows": list(c.rows),
                    }
                    for c in p.changes
                ],
                "statements": list(p.statements),
            }
            for p in plans
        }
    }
