"""One declaration, rendered for each system that needs it: pandas, pandera, Arrow, BigQuery, DuckDB,
Markdown.

Belongs here: pure functions from a ``Table`` to another system's words. Does not belong here: talking to that
system (``warehouse/``, ``checks/``, ``orchestration/``).
"""
