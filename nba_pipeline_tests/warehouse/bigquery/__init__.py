"""Tests of the BigQuery warehouse, and the loopback server (``fake``) they run against."""
