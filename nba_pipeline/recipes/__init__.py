"""How each table is made: its inputs, its transform, and why a day of it may be empty.

Belongs here: one ``Recipe`` per table. Does not belong here: executing recipes (``rangerun/``), Dagster.
"""
