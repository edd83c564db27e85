"""The ``simulated`` source: a seeded, deterministic league whose numbers look like the NBA's.

How it is made, from the outside in: ``source`` picks the rows of days from months; ``block`` deals the games
of a month to players; ``season`` decides the games of a season; ``league`` holds the fixed facts and the
random streams.
"""

from nba_pipeline.sources.simulated.source import SimulatedSource

__all__ = ["SimulatedSource"]
