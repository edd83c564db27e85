"""The Dagster instance: an event log that writes in batches, and the values the pipeline keeps beside it.

Belongs here: storage of events, counts and provenance. Does not belong here: deciding what to record
(``rangerun/``), reading states for people (``operations/status/``).
"""
