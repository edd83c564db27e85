"""The embedded warehouse: Parquet files, one per table and day, and DuckDB to query them.

Belongs here: files, their manifest, and schema changes of them. Does not belong here: what every store does
alike (``warehouse/prepare.py``).
"""
