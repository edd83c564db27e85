"""Bringing in what other people have downloaded.

Belongs here: one module per format. Does not belong here: options and printing (``cli/``), what an answer is
worth (``sources/nba/``).
"""
