"""The two consoles that commands print to. They load nothing else, for commands that must answer at once."""

from __future__ import annotations

from rich.console import Console

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
