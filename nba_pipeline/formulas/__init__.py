"""What a computed column means: how formulas are written, evaluated, explained and versioned; windows of
history.

Belongs here: arithmetic over columns, and the one place that selects history, strictly before the day. Does
not belong here: which rows a table has and how tables are joined (``transforms/``), reading or writing,
Dagster.
"""
