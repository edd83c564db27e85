"""Rows for models, taken out of the warehouse so that they can be trusted and made again.

Belongs here: joining features with results (``training``), what is said about the rows (``card``), the files
(``files``). Does not belong here: making features (``tables/``, ``transforms/``), fitting models.
"""
