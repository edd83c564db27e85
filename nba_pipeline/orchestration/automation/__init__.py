"""What runs by itself: conditions, sensors, schedules, standing checks and alerts.

Belongs here: when days are requested without a person, and who is told when something fails. Does not belong
here: what a run then does (``rangerun/``), commands (``operations/``).
"""
