"""Questions about what is stored: does it hold what it should, and does any value look ahead?

Belongs here: ``validate`` and the leak canary. Does not belong here: checks before the write (``checks/``).
"""
