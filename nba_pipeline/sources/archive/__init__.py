"""The archive: exact bytes of every answer that a publisher gave, versions beside each other.

Belongs here: storing, finding and checking answers as files. Does not belong here: asking for them
(``operations/``), what an answer means (``sources/nba/``), raw rows.
"""
