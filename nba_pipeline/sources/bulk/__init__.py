"""The source over Parquet files of whole seasons.

Belongs here: finding, fingerprinting and reading those files. Does not belong here: other sources' formats.
"""
