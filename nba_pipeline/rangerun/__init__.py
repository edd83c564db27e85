"""What happens to a set of days of one table: load once, compute once, check per day, write the good days.

Belongs here: the range protocol and what it records about each day. Does not belong here: Dagster
(``orchestration/`` runs the protocol as a step), choosing the days (``operations/``), the checks themselves
(``checks/``).
"""
