"""Rows and joins: one module per table turns its inputs into frames. Pure functions, vectorized.

Belongs here: the population of a table, matching rows of its inputs, shaping the result. Does not belong
here: arithmetic over columns and windows of history (``formulas/``), reading or writing, Dagster.
"""
