"""Daily-partitioned NBA analytics and ML-feature tables on Dagster.

From the ground up, each layer importing only those before it: ``tables`` (what a table is) and ``formulas``
(what its columns mean), ``transforms`` (rows and joins), ``sources`` and ``warehouse`` (where rows come from
and go to), ``recipes`` (how each table is made), ``checks`` (what must hold), ``rangerun`` (what happens to a
set of days), ``orchestration`` (all of Dagster), ``deployment`` and ``build`` (settings become definitions),
``operations`` (what a person does with them), ``demo``, and ``cli`` (options and printing).
"""
