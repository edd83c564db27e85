"""What the league's public endpoints answer: their names, and what an answer is worth.

Belongs here: pure functions of answers. Does not belong here: asking (``operations/``), storing
(``sources/archive/``).
"""
