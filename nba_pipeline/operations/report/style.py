"""How the report's page looks: colours, marks and the style sheet, for screens light and dark, for phones and
for paper.

Belongs here: looks. Does not belong here: what is on the page (``report_html.py``, ``report_calendar.py``).

No state is told by colour alone: all that are not ordinary have a mark as well, and every day has a title.
The colours of states also differ in lightness, so that they stay apart for the colour-blind and on a grey
printer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nba_pipeline.operations.report.content import BLOCKED, EMPTY, FAILED, GOOD, MISSING, RUNNING, STALE
from nba_pipeline.tables.vocabulary import EmptyReason

CELL = 9
"""A day is a square of so many units; marks are drawn in it."""


@dataclass(frozen=True)
class Look:
    """Fill on a light and on a dark ground, and a mark: a path in a cell, with its colour."""

    light: str
    dark: str
    mark: str = ""
    ink: str = "#fff"


LOOKS: Mapping[str, Look] = {
    GOOD: Look("#1f9e77", "#2fae86"),
    STALE: Look("#f3c623", "#ecc94b", "m3 4.5h3", "#4a3800"),
    FAILED: Look("#b3152f", "#e23c53", "m2 2l5 5m0-5l-5 5"),
    BLOCKED: Look("#f08a3c", "#f79a4b", "m2 7l5-5", "#3a1a00"),
    RUNNING: Look("#3568c4", "#5a88de", "m3.5 2.5l2.5 2l-2.5 2"),
    MISSING: Look("#fff", "#14181f"),
    EMPTY + EmptyReason.OFF_SEASON: Look("#e8ebef", "#2a303a"),
    EMPTY + EmptyReason.OFF_DAY: Look("#d0d7df", "#3d4653"),
    EMPTY + EmptyReason.EXHIBITION_ONLY: Look("#b3c3d6", "#566579", "m4.5 3v3m-1.5-1.5h3", "#1d2c3f"),
    EMPTY + EmptyReason.POSTPONED: Look("#d6c9b1", "#6a5d48", "m4.5 2.5v4", "#3b2f17"),
    EMPTY + EmptyReason.NOT_PUBLISHED: Look("#c9bfdc", "#5f527c", "m2.5 3.3h4m-4 2.4h4", "#2c2147"),
    EMPTY + EmptyReason.DECLARED_GAP: Look("#e3c6c2", "#6d4f4c", "m2.5 4.5h1m2 0h1", "#4a1f1a"),
    EMPTY + EmptyReason.NO_HISTORY: Look("#9aa6b8", "#75839a", "m3 3h3v3h-3z"),
    EMPTY + EmptyReason.NOT_PLAYED_YET: Look("#d9e8f6", "#35526f", "m4.5 3a1.5 1.5 0 1 0 .1 0z", "#2f5f94"),
}
_OTHER_EMPTY = Look("#cfc8c0", "#58524c", "m3 6l3-3", "#2c2721")


def look_of(what: str) -> Look:
    """The look of a day by what it is. A reason that nobody has given a look shares one with its like."""
    return _OTHER_EMPTY if what.startswith(EMPTY) and what not in LOOKS else LOOKS[what]


def css_class(what: str) -> str:
    """``empty: off_day`` -> ``off_day``: a name for the style sheet."""
    name = what.removeprefix(EMPTY)
    return name if what in LOOKS else "other"


def _fills(dark: bool) -> str:
    looks = {css_class(what): look for what, look in LOOKS.items()} | {"other": _OTHER_EMPTY}
    return "".join(f".{name}{{fill:{look.dark if dark else look.light}}}" for name, look in looks.items())


def _inks() -> str:
    looks = {css_class(what): look for what, look in LOOKS.items()} | {"other": _OTHER_EMPTY}
    return "".join(f".{name}-m{{stroke:{look.ink}}}" for name, look in looks.items() if look.mark)


STYLE = f"""
:root{{color-scheme:light dark}}
:root{{--ink:#1d2430;--dim:#5a6472;--line:#dfe3e9;--ground:#fff;--soft:#f3f5f8;--bad:#a31d1d;--link:#1f56a8;--edge:#aab3bf}}
{_fills(dark=False)}{_inks()}
@media screen and (prefers-color-scheme:dark){{
:root{{--ink:#dde3ec;--dim:#9aa5b5;--line:#2d3540;--ground:#14181f;--soft:#1f2530;--bad:#ff8f8f;--link:#8db8ff;--edge:#515c6b}}
{_fills(dark=True)}}}
*{{box-sizing:border-box}}
body{{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:1160px;padding:0 1em;color:var(--ink);background:var(--ground)}}
h1{{font-size:1.5em;margin:0}}h2{{font-size:1.15em;margin:2em 0 .5em;border-bottom:1px solid var(--line)}}
h3{{font-size:1em;margin:1.4em 0 .3em}}
a{{color:var(--link)}}code{{background:var(--soft);padding:0 .25em;overflow-wrap:anywhere}}
.dim{{color:var(--dim)}}.bad{{color:var(--bad);font-weight:600}}
nav{{margin:.8em 0}}nav a{{margin-right:1em;white-space:nowrap}}
.facts{{display:flex;flex-wrap:wrap;gap:.6em;margin:1em 0;padding:0}}
.facts div{{flex:1 1 8em;display:flex;flex-direction:column-reverse;justify-content:flex-end}}
.facts div{{background:var(--soft);border-radius:4px;padding:.5em .8em}}
.facts dd{{margin:0;font-size:1.35em;font-variant-numeric:tabular-nums}}.facts dt{{color:var(--dim);font-size:.9em}}
.wide{{overflow-x:auto}}
table{{border-collapse:collapse;width:100%}}
td,th{{text-align:left;padding:.25em .6em;border-bottom:1px solid var(--line);vertical-align:top}}
th{{color:var(--dim);font-weight:600;vertical-align:bottom}}th.n{{white-space:normal}}
.n{{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}}
.day{{white-space:nowrap;font-variant-numeric:tabular-nums}}.words{{overflow-wrap:anywhere;min-width:14em}}
h3,p,li,dt{{overflow-wrap:anywhere}}figure{{margin:0}}.seasons{{display:flex;flex-wrap:wrap;gap:.2em 1.4em}}
svg{{display:block;max-width:100%;height:auto}}svg text{{font:9px system-ui,sans-serif;fill:var(--dim)}}
.missing{{stroke:var(--edge);stroke-width:.7}}.m{{fill:none;stroke-width:1.3;pointer-events:none}}
svg a:focus path{{stroke:var(--ink);stroke-width:1.6}}
.legend{{display:flex;flex-wrap:wrap;gap:.2em 1.2em;margin:.4em 0}}
.legend span{{display:inline-flex;align-items:center;gap:.4em}}.legend svg{{width:14px;height:14px;flex:none}}
@media screen and (max-width:640px){{
body{{margin:1em auto}}svg text{{font-size:14px}}nav a{{display:inline-block;line-height:2}}
.stack tr{{display:block;padding:.4em 0;border-bottom:1px solid var(--line)}}.stack tr:has(th){{display:none}}
.stack td{{display:block;border:0;padding:0}}.stack .n{{text-align:left}}
.stack td:nth-child(-n+2){{display:inline;margin-right:.6em}}
.wide td,.wide th{{padding:.25em .4em}}}}
@media print{{
@page{{margin:12mm}}body{{margin:0;max-width:none;padding:0;font-size:9.5pt}}nav{{display:none}}td,th{{padding:.2em .4em}}
*{{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
h2,h3,.legend{{break-after:avoid}}tr,figure,.facts div,li{{break-inside:avoid}}thead{{display:table-header-group}}
.wide{{overflow:visible}}a{{color:inherit;text-decoration:none}}.facts div{{border:1px solid var(--line)}}
.seasons svg{{max-width:48%}}.words{{min-width:0}}svg text{{font-size:14px}}}}
"""
