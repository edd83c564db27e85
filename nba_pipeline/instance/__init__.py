"""The former address of the Dagster instance, for homes whose ``dagster.yaml`` was written by an earlier
version.

Nothing belongs here. The instance is ``orchestration/instance/``; this package goes with version 1.0.
"""
