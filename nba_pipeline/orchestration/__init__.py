"""All of Dagster: assets, checks, partitions, IO manager, resources, runs; ``instance/`` and ``automation/``.

Belongs here: whatever imports ``dagster``. Does not belong here: what a day goes through (``rangerun/``) and
what a table means (``tables/``, ``recipes/``), which must stay usable without it.
"""
