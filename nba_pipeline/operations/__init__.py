"""What a person does with the pipeline, one package per task, without printing.

Belongs here: ``workspace`` (an opened pipeline), ``status``, ``backfill``, ``explain``, ``report``,
``audit``, ``export``, ``schema`` and ``quarantine``. Does not belong here: options and printing (``cli/``),
what a run does (``rangerun/``).
"""
