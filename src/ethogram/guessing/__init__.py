"""Guessing games: what asker and judge have in common, and what things are like.

`vocabulary` has the verbs, what is seen, and the rules of names and scores; `knowledge` a base of things and their
properties, `recall` what the answers so far leave of it, and `many` games side by side, as arrays.
"""

from ethogram.guessing.knowledge import Knowledge, things
from ethogram.guessing.recall import Recall
from ethogram.guessing.vocabulary import (
    ANSWERS,
    MUST_GUESS,
    TURNS,
    Answer,
    Ask,
    AskFreely,
    Exchange,
    Guess,
    Heard,
    Questioning,
    asked,
    names_it,
    normalise,
    score,
)

__all__ = [
    "ANSWERS",
    "MUST_GUESS",
    "TURNS",
    "Answer",
    "Ask",
    "AskFreely",
    "Exchange",
    "Guess",
    "Heard",
    "Knowledge",
    "Questioning",
    "Recall",
    "asked",
    "names_it",
    "normalise",
    "score",
    "things",
]
