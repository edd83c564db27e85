"""The BigQuery warehouse: jobs, patience, quotas, schema changes and the swap of whole days.

Belongs here: everything that speaks to BigQuery. Does not belong here: what every store does alike
(``warehouse/prepare.py``) and rendering statements (``tables/render/bigquery.py``).
"""
