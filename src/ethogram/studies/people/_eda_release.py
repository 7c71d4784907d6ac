"""Recorded games in the form in which the authors' release of the Entity-Deduction Arena writes them, and their marks.

A game is a text file. Its first line names the thing; each further line is one message:

    item: owl
    Turn 0, User: (the instructions)
    Turn 1, Assistant: Is it an animal?
    Turn 1, User: Yes.
    ...
    Turn 9, Assistant: Is it an owl?
    Turn 9, User: Bingo!

The marks are those of the release's evaluation, with its two oddities: an answer counts as a yes wherever the letters y-e-s
stand in a line of the judge's, and so do the instructions, which name the answers allowed. (The reward that the released
game itself computes counts one turn more than its evaluation does; here, as in the paper's tables, the evaluation counts.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ethogram.errors import DataError
from ethogram.guessing import MUST_GUESS, TURNS, Exchange, score

__all__ = ["WORKED", "Marks", "marks", "recorded", "session"]

_TURN = re.compile(r"Turn (\d+)")


class Marks(NamedTuple):
    """What the release's evaluation says of a game."""

    turns: int
    success: int
    yes: int
    """Lines of the judge with a yes in them; the instructions are one."""
    score: float


def session(item: str, task: str, said: Sequence[Exchange], turns: int = TURNS) -> str:
    """A game as the text that the release would have written."""
    lines = [f"item: {item}", f"Turn 0, User: {task}"]
    for number, one in enumerate(said, 1):
        answer = "Bingo!" if one.answer == "bingo" else f"{one.answer.capitalize()}."
        hurry = f" {MUST_GUESS}" if number == turns - 1 and one.answer != "bingo" else ""
        lines += [f"Turn {number}, Assistant: {one.asked}", f"Turn {number}, User: {answer}{hurry}"]
    return "\n".join(lines) + "\n"


def marks(text: str) -> Marks:
    """The marks of a game.

    Raises:
        DataError: the text is not of the form above.
    """
    lines = text.splitlines()
    last = _TURN.search(lines[-1]) if lines else None
    if last is None:
        raise DataError("the last line of a recorded game must be of the form 'Turn 9, User: Bingo!'")
    turns, won = int(last[1]), "bingo" in lines[-1].lower()
    yes = sum("User:" in line and "yes" in line.lower() for line in lines)
    return Marks(turns, int(won), yes, score(won, turns))


def recorded(folder: str | Path) -> dict[str, Marks]:
    """The marks of all recorded games (`*.txt`) in a folder and below it, by file.

    Raises:
        DataError: there is none, or one is not of the form; the message names it.
    """
    found: dict[str, Marks] = {}
    for path in sorted(Path(folder).rglob("*.txt")):
        try:
            found[str(path.relative_to(folder))] = marks(path.read_text(encoding="utf-8"))
        except (DataError, OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path} is not a recorded game: {error}") from None
    if not found:
        raise DataError(f"there are no recorded games (*.txt) in {folder}")
    return found


_OPENING = "Turn 0, User: Ask questions that can be answered by 'yes', 'no' or 'maybe'."


def _worked(turns: int, last: str, yes: int = 0) -> str:
    """A game of so many turns, in which the first `yes` answers are a yes and the last one is given."""
    lines = ["item: owl", _OPENING]
    for number in range(1, turns + 1):
        answer = last if number == turns else "Yes." if number <= yes else "No."
        lines += [f"Turn {number}, Assistant: Is it so ({number})?", f"Turn {number}, User: {answer}"]
    return "\n".join(lines) + "\n"


WORKED: tuple[tuple[str, Marks], ...] = (
    (_worked(1, "Bingo!"), Marks(1, 1, 1, 1.0)),
    (_worked(5, "Bingo!", 2), Marks(5, 1, 3, 1.0)),
    (_worked(6, "Bingo!", 1), Marks(6, 1, 2, 0.98)),
    (_worked(13, "Bingo!", 7), Marks(13, 1, 8, 0.84)),
    (_worked(20, "Bingo!", 10), Marks(20, 1, 11, 0.7)),
    (_worked(20, "No.", 3), Marks(20, 0, 4, 0.0)),
    (_worked(20, "Yes.", 3), Marks(20, 0, 5, 0.0)),
    (_worked(12, "Maybe.", 0), Marks(12, 0, 1, 0.0)),
)
"""Games with the marks that were worked out by hand from the release's rules; no game of the authors' is published."""
