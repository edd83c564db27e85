"""From a request for days to runs: plan, tasks, workers, locks, timings, quotas, retries.

Belongs here: choosing and executing ranges of days. Does not belong here: what happens inside a run
(``rangerun/``), printing (``cli/``).
"""
