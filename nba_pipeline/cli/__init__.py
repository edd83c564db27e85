"""The `nba-pipeline` command: options, printing and exit codes.

Belongs here: what a person types and reads. Does not belong here: any decision (``operations/``).
"""
