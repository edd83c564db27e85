"""Where one stored value comes from: its formula with the numbers filled in, its input rows, its source.

Belongs here: finding and tracing a value. Does not belong here: formulas (``formulas/``), printing
(``cli/``).
"""
