"""The released records of "Playing repeated games with large language models" (Akata et al. 2025, Nature Human Behaviour).

The folder is a copy of the authors' repository, or has the same files without its folders (`PLACES`). Each has a header, and
columns and rows in any order; other columns are ignored:

- `games.csv`: the ordinal games: `game_number`, `game_name`, perhaps `game_family`, and payoffs `r1_c1_p1` … `r2_c2_p2`;
- `game_NNN.csv`, anywhere below `all_games`: rounds between models, whose options have the letters `choice_option1` (row or
  column 1 of the game) and `choice_option2`;
- `experiment_pd.csv`, `experiment_bos.csv`: rounds between models and coded players, whose options are J (first) and F;
- `lookups/{pd,bos}[_variation_predict]_gpt4_lookup.json`: what GPT-4, asked as it is or to predict first, answers to each
  history of the other player's moves;
- `humans.csv`: rounds of people, in the order in which they were played (or with a column `round`): `id`, `game`, `action`
  (1: J, 0: F), `score`, `opponent` (Base, Prompted), `guess` (Human, LLM).

No number of games, rounds, models or people is presumed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ethogram.errors import DataError
from ethogram.records.reference import reference

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "LETTERS",
    "PLACES",
    "Match",
    "OrdinalGame",
    "Person",
    "coded_matches",
    "lookups",
    "model_matches",
    "ordinal_games",
    "people",
]

LETTERS = ("J", "F")
"""First and second option in the experiments on two games; in the prisoner's dilemma J cooperates."""
GAMES = {"PD": "pd", "BoS": "bos"}
VARIANTS = {"Base": "", "Prompted": "_variation_predict"}
PAYOFFS = [f"r{row}_c{column}_p{player}" for row in (1, 2) for column in (1, 2) for player in (1, 2)]
ROUNDS = ("round", "player1", "player2", "answer1", "answer2", "points1", "points2", "total1", "total2")
SEPARATORS = ",;\t"
PLACES = {
    "games.csv": "all_games/144_games_info.csv",
    "experiment_pd.csv": "pd/experiment_pd.csv",
    "experiment_bos.csv": "bos/experiment_bos.csv",
    "lookups": "human_experiment/experiment/lookups",
    "humans.csv": "human_experiment/analysis/repgames.csv",
}
"""Where each file is in the authors' repository."""


class OrdinalGame(NamedTuple):
    """A 2×2 game."""

    number: int
    name: str
    family: str
    """As in the file; empty where it does not say."""
    payoffs: list[list[list[float]]]
    """`payoffs[row][column]` is (player 1's, player 2's)."""


class Match(NamedTuple):
    """Rounds of two players in one game."""

    game: str
    """The number of an ordinal game, or PD or BoS."""
    players: tuple[str, str]
    moves: list[tuple[int, int]]
    """By round; 0 is the first option."""
    points: list[tuple[float, float]]
    """By round, as recorded."""
    totals: list[tuple[float, float]]
    """Running sums, as recorded."""


class Person(NamedTuple):
    """What a participant did in one game."""

    id: str
    game: str
    """PD or BoS."""
    opponent: str
    """The label of the opponent: Base or Prompted."""
    guess: str
    """What it was taken for: Human or LLM."""
    moves: list[int]
    """By round; 0 is J, the first option."""
    scores: list[float]
    """By round, as recorded."""


def ordinal_games(folder: str | Path | None = None) -> dict[int, OrdinalGame]:
    """The games of `games.csv` by number.

    Args:
        folder: of the records; None: the reference data set. So for all functions here.

    Raises:
        DataError: the file is missing or not of the form that the module describes. So for all functions here.
    """
    path = _file(folder, "games.csv")
    frame = _read(path, ["game_number", "game_name", *PAYOFFS])
    frame = _numbers(path, frame, ["game_number", *PAYOFFS])
    families = frame["game_family"].to_list() if "game_family" in frame.columns else [""] * frame.height
    found = {}
    for row, family in zip(frame.iter_rows(named=True), families, strict=True):
        number, cells = int(row["game_number"]), iter([row[name] for name in PAYOFFS])
        if number in found:
            raise DataError(f"{path}: game {number} is there twice")
        payoffs = [[[next(cells), next(cells)] for _ in range(2)] for _ in range(2)]
        found[number] = OrdinalGame(number, row["game_name"], family or "", payoffs)
    return dict(sorted(found.items()))


def model_matches(folder: str | Path | None = None) -> list[Match]:
    """All matches between models in ordinal games, in the order of games and players."""
    root = _folder(folder) / "all_games"
    paths = [path for path in sorted(root.rglob("*.csv")) if re.fullmatch(r"game_\d+", path.stem)]
    if not paths:
        raise DataError(f"there is no file game_NNN.csv below {root}: it needs the records of matches between models")
    found: list[Match] = []
    for path in paths:
        frame = _numbered(path, _read(path, ["game_number", *ROUNDS, "choice_option1", "choice_option2"]))
        for (game,), rows in frame.group_by("game_number"):
            found += _matches(path, str(game), rows, ("choice_option1", "choice_option2"))
    return sorted(found, key=lambda match: (int(match.game), match.players))


def coded_matches(folder: str | Path | None = None) -> list[Match]:
    """All matches in the two games between models and coded players (`defect_once`, `j`, `f`, `jf`, `fj`)."""
    import polars as pl

    found: list[Match] = []
    for game, name in GAMES.items():
        path = _file(folder, f"experiment_{name}.csv")
        frame = _numbered(path, _read(path, ROUNDS)).with_columns(first=pl.lit(LETTERS[0]), second=pl.lit(LETTERS[1]))
        found += _matches(path, game, frame, ("first", "second"))
    return found


def lookups(folder: str | Path | None = None) -> dict[tuple[str, str], dict[tuple[int, ...], int]]:
    """What GPT-4 answers, by game and opponent's label: from the other's moves so far (0: J) to its own move."""
    found = {}
    for (game, stem), (label, variant) in ((g, v) for g in GAMES.items() for v in VARIANTS.items()):
        path = _file(folder, "lookups") / f"{stem}{variant}_gpt4_lookup.json"
        try:
            table = json.loads(path.read_text("utf-8"))
            found[game, label] = {tuple(map(LETTERS.index, key)): LETTERS.index(move) for key, move in table.items()}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise DataError(f"{path} is not a table from histories in J and F to J or F: {error}") from error
    return found


def people(folder: str | Path | None = None) -> list[Person]:
    """The people's games, in the order of their ids and of games."""
    path = _file(folder, "humans.csv")
    frame = _read(path, ["id", "game", "action", "score", "opponent", "guess"])
    frame = _numbers(path, frame, ["action", "score", *(["round"] if "round" in frame.columns else [])])
    if "round" in frame.columns:
        frame = frame.sort("round", maintain_order=True)
    for column, allowed in (("game", GAMES), ("opponent", VARIANTS), ("guess", ("Human", "LLM")), ("action", (0, 1))):
        _one_of(path, column, frame[column], allowed)
    found = []
    for (person, game), rows in frame.group_by("id", "game", maintain_order=True):
        if rows["opponent"].n_unique() > 1 or rows["guess"].n_unique() > 1:
            raise DataError(f"{path}: opponent or guess of person {person} changes within the game {game}")
        moves = [1 - int(action) for action in rows["action"]]
        found.append(
            Person(str(person), str(game), rows["opponent"][0], rows["guess"][0], moves, [float(s) for s in rows["score"]])
        )
    return sorted(found, key=lambda one: (len(one.id), one.id, one.game))


def _folder(folder: str | Path | None) -> Path:
    return reference("repeated-games") if folder is None else Path(folder)


def _file(folder: str | Path | None, name: str) -> Path:
    """Where a file or folder is: by its own name, or where the authors' repository has it."""
    path = _folder(folder) / name
    there = _folder(folder) / PLACES[name]
    return there if there.exists() and not path.exists() else path


def _read(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """A table as text, cells stripped; it has at least these columns, and no empty cell in them."""
    import polars as pl

    try:
        with path.open(encoding="utf-8-sig") as file:
            head = file.readline()
        separator = max(SEPARATORS, key=head.count)
        frame = pl.read_csv(path, separator=separator, infer_schema=False)
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path} cannot be read as a table: {str(error).splitlines()[0]}") from error
    frame = frame.rename({name: name.strip().removeprefix("\ufeff") for name in frame.columns})
    missing = [name for name in columns if name not in frame.columns]
    if missing or frame.height == 0:
        what = f"lacks the columns {', '.join(missing)}" if missing else "has no rows"
        raise DataError(f"{path} {what}: it needs a header and rows with {', '.join(columns)}")
    frame = frame.with_columns(pl.all().str.strip_chars())
    for name in columns:
        if frame[name].null_count():
            row = int(frame[name].is_null().arg_max() or 0)
            raise DataError(f"{path}, line {row + 2}: {name} is empty")
    return frame


def _numbers(path: Path, frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The table with these columns as finite numbers."""
    import polars as pl

    for name in columns:
        values = frame[name].cast(pl.Float64, strict=False)
        bad = (values.is_null() | ~values.is_finite()).fill_null(True)
        if bad.any():
            row = int(bad.arg_max() or 0)
            raise DataError(f"{path}, line {row + 2}: {name} is {frame[name][row]!r}, not a number")
        frame = frame.with_columns(values.alias(name))
    return frame


def _numbered(path: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """A table of rounds with what must be numbers as numbers."""
    return _numbers(path, frame, ["round", "points1", "points2", "total1", "total2"])


def _one_of(path: Path, column: str, values: pl.Series, allowed: Sequence[Any] | Mapping[str, Any]) -> None:
    strange = [value for value in values.unique() if value not in allowed]
    if strange:
        raise DataError(f"{path}: {column} is {strange[0]!r}, and must be one of {', '.join(map(str, allowed))}")


def _matches(path: Path, game: str, frame: pl.DataFrame, options: tuple[str, str]) -> list[Match]:
    """The matches in a table of rounds; `options` are the columns that hold the letters of first and second option."""
    found = []
    for (one, other), rows in frame.sort("round").group_by("player1", "player2", maintain_order=True):
        rounds = rows["round"].to_list()
        if rounds != list(range(1, len(rounds) + 1)):
            raise DataError(f"{path}: the rounds of {one} against {other} are not 1, 2, … to {len(rounds)}, each once")
        moves = []
        for row in rows.iter_rows(named=True):
            letters = (row[options[0]], row[options[1]])
            for answer in (row["answer1"], row["answer2"]):
                if answer not in letters:
                    raise DataError(
                        f"{path}: in round {row['round']:g} of {one} against {other} the answer {answer!r} is none of the "
                        f"options {' and '.join(letters)}"
                    )
            moves.append((letters.index(row["answer1"]), letters.index(row["answer2"])))
        points = list(zip(rows["points1"].to_list(), rows["points2"].to_list(), strict=True))
        totals = list(zip(rows["total1"].to_list(), rows["total2"].to_list(), strict=True))
        names = (str(one).removeprefix("act_"), str(other).removeprefix("act_"))
        found.append(Match(game, names, moves, points, totals))
    return sorted(found, key=lambda match: match.players)
