"""Where raw rows come from: one package per source behind the protocol of ``base.py``.

Belongs here: reading what a publisher publishes, typed and unchanged in meaning. Does not belong here:
computing analytics (``transforms/``), storing rows (``warehouse/``), deciding when to ask
(``orchestration/``).
"""
