"""The picture in docs/index.md, drawn from the imports: `python docs/draw_architecture.py docs/index.md`.

Prints or replaces the Mermaid graph between the two marks. Boxes are the packages and top modules of
nba_pipeline, from `cli` down to `tables`; an arrow is an import, left out where a longer way says it already
(transitive reduction). Standard library only.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "nba_pipeline"
BEGIN, END = "<!-- picture: begin -->", "<!-- picture: end -->"
LEFT_OUT = {"__init__", "instance", "definitions"}
"""The package itself, former addresses, and the one line that is the code location."""


def part(path: Path) -> str:
    """The box that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """The boxes that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
        yield from (n.split(".")[1] for n in names if n.startswith("nba_pipeline."))


def graph() -> dict[str, set[str]]:
    """Box -> the boxes that it imports."""
    found: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if (box := part(path)) not in LEFT_OUT:
            found.setdefault(box, set()).update(imported(path))
    return {box: {o for o in others if o in found and o != box} for box, others in found.items()}


def reachable(arrows: dict[str, set[str]], start: str) -> set[str]:
    """All boxes that can be reached from one."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for other in arrows[waiting.pop()] - seen:
            seen.add(other)
            waiting.append(other)
    return seen


def reduced(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without arrows that a longer way says already."""
    below = {box: reachable(arrows, box) for box in arrows}
    return {
        box: {o for o in others if not any(o in below[between] for between in others - {o})}
        for box, others in arrows.items()
    }


def mermaid() -> str:
    """The graph as Mermaid source."""
    arrows = reduced(graph())
    lines = [f"    {box} --> {other}" for box in sorted(arrows) for other in sorted(arrows[box])]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```"])


def with_picture(text: str) -> str:
    """A document with the present picture between its marks. ValueError when it has no marks."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{mermaid()}\n{END}{after}"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(with_picture(Path(name).read_text(encoding="utf-8")), encoding="utf-8")
    if not sys.argv[1:]:
        print(mermaid())
