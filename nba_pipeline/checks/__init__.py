"""What must hold of a day's rows before they are written, and who is to blame when it does not.

Belongs here: contracts, keys, conservation and history checks, as functions from frames to findings. Does not
belong here: what happens to a day that fails (``rangerun/``), showing checks in the UI (``orchestration/``).
"""
