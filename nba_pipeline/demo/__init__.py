"""The incident, replayed on simulated data: `nba-pipeline demo` and its test are this package.

``incident`` is what is wrong, ``story`` what happens. Nothing of the pipeline imports it.
"""
