"""What is true now: the state of every day, stale days, runs in progress.

Belongs here: reading and summing up. Does not belong here: deciding what to do about it
(``operations/backfill/``).
"""
