"""Reading what commands print for people: lines of text, rows of an HTML page.

Belongs here: taking pages apart. Does not belong here: what must be on them.
"""

from __future__ import annotations

import re
from html import unescape


def html_rows(page: str) -> list[list[str]]:
    """The rows of all tables of an HTML page, each as the texts of its cells."""
    rows = (
        re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
        for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    )
    return [[plain(unescape(re.sub(r"<[^>]+>", "", cell))) for cell in row] for row in rows]


def plain(text: str) -> str:
    """Words alone: one space between them, no quotes around commands, and bars as Markdown's cells can hold
    them."""
    return " ".join(text.replace("`", "").replace("|", "/").split())
