"""The code location: the one name that ``workspace.yaml`` loads. Nothing else belongs here."""

from nba_pipeline.build import build_defs

defs = build_defs()
