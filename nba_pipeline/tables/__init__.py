"""What each table is: columns, types, bounds, keys, and the renderings of one declaration for other systems.

Belongs here: declarations, the vocabulary they share, schema changes between two of them. Does not belong
here: computing anything, reading or writing anything, Dagster.
"""
