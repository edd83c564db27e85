"""Columns that say which game, team, player and day a row is about, and what state a game or player is in."""

from __future__ import annotations

from nba_pipeline.tables.spec import BOOL, DATE, INT64, STRING, Column
from nba_pipeline.tables.vocabulary import GAME_STATUSES, GAME_TYPES, PLAYER_STATUSES, SECONDS_SOURCES

GAME_ID_PATTERN = r"[0-9]{8}_[A-Z]{3}_[A-Z]{3}"

IDENTITY: tuple[Column, ...] = (
    Column("game_date", DATE, "US Eastern calendar date of the slate; the partition.", nullable=False),
    Column(
        "game_id",
        STRING,
        "Game as `YYYYMMDD_AWAY_HOME`, built from the schedule's date and home/away codes.",
        nullable=False,
        pattern=GAME_ID_PATTERN,
    ),
    Column("nba_game_id", STRING, "The league's 10-digit game id.", nullable=False, pattern=r"[0-9]{10}"),
    Column(
        "season_year",
        INT64,
        "Year in which the season (Oct 1 .. Sep 30) starts.",
        nullable=False,
        minimum=1946,
        maximum=2100,
    ),
    Column(
        "game_type",
        STRING,
        "From the third digit of nba_game_id. Competitive games are regular, cup_final, play_in and"
        " playoffs.",
        nullable=False,
        allowed=GAME_TYPES,
    ),
    Column("home_team_abbr", STRING, "Home team's three-letter code.", nullable=False, pattern=r"[A-Z]{3}"),
    Column("away_team_abbr", STRING, "Away team's three-letter code.", nullable=False, pattern=r"[A-Z]{3}"),
    Column(
        "home_team_id", INT64, "Home team's league id; NULL for some opponents outside the league.", minimum=1
    ),
    Column(
        "away_team_id", INT64, "Away team's league id; NULL for some opponents outside the league.", minimum=1
    ),
    Column(
        "home_score",
        INT64,
        "Home team's final score; NULL until the game is final.",
        unit="points",
        minimum=0,
        maximum=300,
    ),
    Column(
        "away_score",
        INT64,
        "Away team's final score; NULL until the game is final.",
        unit="points",
        minimum=0,
        maximum=300,
    ),
    Column(
        "status",
        STRING,
        "State of the game (`not_needed`: an if-necessary playoff game that was never played) or of the"
        " player (`inactive`: not available at all); each table allows only its own values.",
        nullable=False,
        allowed=(*GAME_STATUSES, *PLAYER_STATUSES),
    ),
    Column("is_neutral", BOOL, "Played at a neutral site; NULL when the source does not say."),
    Column("source", STRING, "Name of the source the row was read from.", nullable=False),
    Column("team_id", INT64, "Team's league id.", nullable=False, minimum=1),
    Column("team_abbr", STRING, "Team's three-letter code.", nullable=False, pattern=r"[A-Z]{3}"),
    Column(
        "opponent_team_abbr", STRING, "Opponent's three-letter code.", nullable=False, pattern=r"[A-Z]{3}"
    ),
    Column("is_home", BOOL, "The team is the schedule's home team.", nullable=False),
    Column(
        "player_id", INT64, "The league's person id; the only key of a player.", nullable=False, minimum=1
    ),
    Column("player_name", STRING, "Player's name as published.", nullable=False),
    Column("player_full_name", STRING, "Player's name as published with the box score.", nullable=False),
    Column(
        "player_lookup",
        STRING,
        "Name without accents, case-folded, a-z and 0-9 only; for people and for sources without ids, never a"
        " key.",
        nullable=False,
        pattern=r"[a-z0-9]+",
    ),
    Column("is_starter", BOOL, "Started the game; NULL when the source does not say."),
    Column("comment", STRING, "Why the player did not play, as published."),
    Column("minutes_text", STRING, "Playing time as published."),
    Column(
        "seconds_source",
        STRING,
        "Where seconds_played comes from: the official box score, or the play-by-play where the box score"
        " only has whole minutes.",
        allowed=SECONDS_SOURCES,
    ),
    Column("win_flag", BOOL, "The team won the game.", nullable=False),
    Column(
        "margin_of_victory",
        INT64,
        "Team's points minus the opponent's; negative in a loss, never 0.",
        unit="points",
        nullable=False,
        minimum=-150,
        maximum=150,
    ),
)
