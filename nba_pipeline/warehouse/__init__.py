"""Where tables are stored: three stores behind the protocol of ``base.py``, and what all of them do alike.

Belongs here: writing, reading and describing days of tables. Does not belong here: what a column means, when
days are materialized, Dagster (its IO manager is ``orchestration/io_manager.py``).
"""
