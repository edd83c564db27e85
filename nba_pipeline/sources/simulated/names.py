"""Names of the simulated players: plausible, fictional, with the accents, hyphens, apostrophes and suffixes
of real ones.

Belongs here: the name lists, ``draw_names`` and ``player_lookup``.
Does not belong here: anything else about a player (``rosters.py``).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import numpy as np

_FIRST = """
Aaron Adrian Alonzo Amari Andre Anton Arnau Bakary Ben Bogdan Brandon Bryce Caleb Cameron Cedric Chris Cole Corey
Damon Dante Darius Davion Dejan DeShawn Deon Derrick Devin Dominic Dražen Elijah Emeka Emil Ethan Evan Ezra Facundo
Femi Franck Gary Gaël Grant Hamid Henri Hugo Ibrahim Isaiah Ivan Jabari Jace Jalen Jamal Jaren Jayden Jerome Joël
Jordan José Josh Julian Juwan Kameron Keegan Keon Kevin Khalil Kofi Kyle Lamar Lance Leandro Lonnie Lucas Luka Malik
Marcus Mateo Matías Max Micah Miles Moussa Nate Nico Nikola Noah Obi Omari Oskar Ousmane Patrick Paul Quentin Quincy
Rashad Raúl Reggie Rémi Rodney Royce Rui Sam Sébastien Shai Simone Soren Taj Terrence Théo Tobias Trae Tristan Tyrell
Usman Vasilije Vince Walker Wendell Xavier Yannick Yves Zach Zion Žiga D'Andre Ja'Marcus
"""
FIRST: Final = tuple(_FIRST.split())
_LAST = """
Abernathy Adebisi Akinola Alcaraz Alvarado Antić Arceneaux Ashby Babić Bagley-Stone Baldwin Banks Barlow Bassey
Beasley Bellamy Bertrand Blakely Booth Bošnjak Bouchard Braxton Brewer Broussard Burks Calloway Carrington Castellanos
Chambers Cissé Claxton Coleman Conley-Reid Crawford Croft D'Amico Dabo Dalembert Daniels Delacroix Diabaté Diallo
Dixon Djurić Doumbouya Draper Dubois Duval Edwards-Hale Ekwueme Ellison Eriksson Fall Farrow Fernández Finley Fofana
Fontaine Foster Gaines Garnier Gibson Godfrey Gómez Goodwin Graves Guerrero Hachimi Halvorsen Harkless Hartwell
Haywood Hendricks Hightower Holloway Hruby Ingles Ivanović Jefferson Jokinen Jovanović Kaminskas Kanté Keller Kessler
Kingsley Knežević Konaté Krause Kuzmić Lacroix Langford Lawson Lemaire Lindqvist Lofton Lozano Madsen Magette Marković
Mbaye McBride McKinnon Mendes Mensah Mercier Middlebrook Mitrović Monroe Montero Moreau Moutoussamy N'Diaye N'Dour
Nakamura Neal Nembhard Nikolić Norris Novák O'Bannon O'Rourke Oduya Okafor-James Okeke Okonjo Olynik Osei Overton
Pachón Pasecniks Pavlović Petrušev Pinson Poirier Porter-Lane Prescott Quarles Quiñones Radović Rakić Ramsey Redmond
Reyes Rhodes Ricci Robinson-Earle Roche Rollins Ruiz Sabonaitis Saint-Fleur Salaün Samanić Sanogo Šarić Satterfield
Schröter Sengün Sewell Shaw Simanović Sissoko Spencer Stanković Stewart Strickland Sumner Sylla Tavares Tellier
Thibault Thornton Tillman Tomić Touré Trent Tshiebwe Ujiri Underwood Valančiūnas-Roy Vasquez Vukčević Wainright Walton
Washington-Cole Weatherspoon Whitaker Wiltjer Yabusele Yeboah Youngblood Zagorac Zanelli Zubac-Hill
"""
LAST: Final = tuple(_LAST.split())
SUFFIXES: Final = ("Jr.", "II", "III", "IV")
SUFFIX_SHARE: Final = 0.05

_NOT_LOOKUP = re.compile(r"[^a-z0-9]")
# Letters that do not decompose into a base letter and an accent.
_UNDECOMPOSABLE = str.maketrans({"đ": "d", "Đ": "D", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ı": "i"})


def player_lookup(name: str) -> str:
    """The name for people and for joining sources without ids: accent-stripped, casefolded, a-z and 0-9
    only."""
    stripped = unicodedata.normalize("NFKD", name.translate(_UNDECOMPOSABLE))
    return _NOT_LOOKUP.sub("", "".join(c for c in stripped if not unicodedata.combining(c)).casefold())


def draw_names(rng: np.random.Generator, count: int, taken: frozenset[str] = frozenset()) -> list[str]:
    """``count`` names that are different from each other and from ``taken``."""
    used: set[str] = set(taken)
    names: list[str] = []
    while len(names) < count:
        name = f"{FIRST[int(rng.integers(len(FIRST)))]} {LAST[int(rng.integers(len(LAST)))]}"
        if rng.random() < SUFFIX_SHARE:
            name = f"{name} {SUFFIXES[int(rng.integers(len(SUFFIXES)))]}"
        if name not in used:
            used.add(name)
            names.append(name)
    return names
