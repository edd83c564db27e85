"""What a stored day was made with.

Belongs here: ``Provenance``. Does not belong here: computing it (``lineage.py``), keeping it
(``orchestration/instance/provenance.py``), judging it (``operations/status/staleness.py``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Provenance:
    """What a day of a table was made with.

    ``code``: digest of its formulas; ``schema``: of its declared columns; ``inputs``: of the contents of all
    days it was made from; ``source``: the source's name, for tables that are read from it; ``run_id``: the
    run that made it; ``awaits_results``: it was read from the source while games of the day were still to be
    played; ``fingerprint``: of all that the source held for the day when it was read, where the source can
    say.
    """

    code: str
    schema: str
    inputs: str
    source: str = ""
    run_id: str = ""
    awaits_results: bool = False
    fingerprint: str = ""
