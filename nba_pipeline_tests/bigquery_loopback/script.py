"""GoogleSQL text into statements: a small lexer, the procedural frame (IF, BEGIN ... END), and spelling
rules.

Belongs here: cutting scripts, and refusing what is DuckDB's SQL and not GoogleSQL.
Does not belong here: the meaning of a statement (``statements``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from nba_pipeline_tests.bigquery_loopback.errors import invalid_query, not_modelled
from nba_pipeline_tests.bigquery_loopback.fields import SQL_NAMES
from nba_pipeline_tests.bigquery_loopback.functions import FUNCTIONS

_TOKEN = re.compile(
    r"(?P<space>\s+|--[^\n]*|\#[^\n]*|/\*.*?\*/)"
    r"|(?P<string>(?:[rR][bB]?|[bB][rR]?)?(?:'''(?:\\.|(?!''').)*'''|\"\"\"(?:\\.|(?!\"\"\").)*\"\"\"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"))"
    r"|(?P<quoted>`[^`]+`)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<mark>::|<=|>=|<>|!=|\|\||=>|@@|[-+*/%<>=(),.;:@?&|^~\[\]{}])",
    re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The keyword it may be, in capitals; empty for strings, numbers and quoted names."""
        return self.text.upper() if self.kind in {"word", "mark"} else ""


@dataclass(frozen=True)
class Statement:
    text: str


@dataclass(frozen=True)
class If:
    branches: list[tuple[str, list[Node]]]
    otherwise: list[Node]


@dataclass(frozen=True)
class Block:
    body: list[Node]
    handler: list[Node] | None = None


Node = Statement | If | Block

_UNMODELLED = {
    "LOOP",
    "WHILE",
    "REPEAT",
    "FOR",
    "CALL",
    "EXECUTE",
    "RAISE",
    "RETURN",
    "LEAVE",
    "BREAK",
    "CONTINUE",
    "ITERATE",
    "CASE",
}


def tokens(text: str) -> list[Token]:
    found, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise invalid_query(
                f'Syntax error: Illegal input character "{text[position]}" at {place(text, position)}'
            )
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), match.start(), match.end()))
        position = match.end()
    return found


def place(text: str, position: int) -> str:
    """``[line:column]``, as messages end."""
    before = text[:position]
    return f"[{before.count(chr(10)) + 1}:{position - before.rfind(chr(10))}]"


def parse(text: str) -> list[Node]:
    """The statements of a query's text, in order."""
    reader = _Reader(text)
    nodes = reader.nodes(set())
    if not nodes:
        raise invalid_query("Syntax error: Unexpected end of statement at [1:1]")
    return nodes


@dataclass
class _Reader:
    text: str
    position: int = 0
    tokens: list[Token] = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = tokens(self.text)
        check_spelling(self.text, self.tokens)

    def word(self, ahead: int = 0) -> str:
        at = self.position + ahead
        return self.tokens[at].word if at < len(self.tokens) else ""

    def skip(self, *words: str) -> None:
        for word in words:
            if self.word() != word:
                at = self.tokens[self.position].start if self.position < len(self.tokens) else len(self.text)
                raise invalid_query(f"Syntax error: Expected {word} at {place(self.text, at)}")
            self.position += 1

    def nodes(self, ends: set[str]) -> list[Node]:
        found: list[Node] = []
        while self.position < len(self.tokens) and self.word() not in ends:
            word = self.word()
            if word == ";":
                self.position += 1
            elif word == "IF":
                found.append(self.conditional())
            elif word == "BEGIN" and self.word(1) not in {"TRANSACTION", ";", ""}:
                found.append(self.block())
            elif word in _UNMODELLED:
                raise not_modelled(f"the procedural statement {word}")
            else:
                found.append(Statement(self.until(";")))
        return found

    def until(self, end: str) -> str:
        """The text up to the word ``end`` outside parentheses and CASE, which is left to be read."""
        first, depth = self.position, 0
        while self.position < len(self.tokens):
            word = self.word()
            if depth == 0 and word == end:
                break
            depth += {"(": 1, ")": -1, "CASE": 1, "END": -1}.get(word, 0)
            self.position += 1
        if first == self.position:
            raise invalid_query(f"Syntax error: Unexpected {end}")
        return self.text[self.tokens[first].start : self.tokens[self.position - 1].end]

    def conditional(self) -> If:
        self.skip("IF")
        branches = [(self.until("THEN"), self._after("THEN", {"ELSEIF", "ELSE", "END"}))]
        otherwise: list[Node] = []
        while self.word() == "ELSEIF":
            self.skip("ELSEIF")
            branches.append((self.until("THEN"), self._after("THEN", {"ELSEIF", "ELSE", "END"})))
        if self.word() == "ELSE":
            otherwise = self._after("ELSE", {"END"})
        self.skip("END", "IF")
        return If(branches, otherwise)

    def _after(self, word: str, ends: set[str]) -> list[Node]:
        self.skip(word)
        return self.nodes(ends)

    def block(self) -> Block:
        self.skip("BEGIN")
        body, handler = self.nodes({"EXCEPTION", "END"}), None
        if self.word() == "EXCEPTION":
            self.skip("EXCEPTION", "WHEN", "ERROR")
            handler = self._after("THEN", {"END"})
        self.skip("END")
        return Block(body, handler)


def check_spelling(text: str, found: list[Token]) -> None:
    """Refuse what the engine underneath would take and production would not: ``::``, foreign functions and
    type names."""
    casts: list[int] = []
    depth = 0
    for i, token in enumerate(found):
        following = found[i + 1].word if i + 1 < len(found) else ""
        if token.word == "::":
            raise invalid_query(
                f'Syntax error: Expected end of input but got ":" at {place(text, token.start)}'
            )
        if token.word == "(":
            depth += 1
            if i and found[i - 1].word in {"CAST", "SAFE_CAST"}:
                casts.append(depth)
        elif token.word == ")":
            if casts and casts[-1] == depth:
                casts.pop()
            depth -= 1
        elif token.word == "AS" and casts and casts[-1] == depth:
            if following not in SQL_NAMES and following not in {"ARRAY", "STRUCT"}:
                raise invalid_query(
                    f"Type not found: {found[i + 1].text} at {place(text, found[i + 1].start)}"
                )
        elif token.kind == "word" and following == "(" and not _is_called(found, i):
            raise invalid_query(f"Function not found: {token.text} at {place(text, token.start)}")


def _is_called(found: list[Token], i: int) -> bool:
    """Whether the word before a parenthesis is one that GoogleSQL has (or no function at all, as in ``INSERT
    INTO t (``)."""
    before = found[i - 1].word if i else ""
    if before in {"INTO", "INSERT", "TABLE", "AS", "."}:
        return True
    return found[i].word in FUNCTIONS or before == "WITH"
