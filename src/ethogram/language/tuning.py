"""Tuning a small language model to choose as people, or a law, choose: LoRA on the letters or words of listed options.

A `Lesson` is a question, its options and how often each was chosen. At each visit the options are listed as
`language.choice.arrangements` lists them, in a rotation drawn at random, so that no letter and no place is worth anything;
the loss is the cross-entropy between the shares and the softmax over the scores of the letters, or of the options where each
is one token, at the answer's first token. `choose` asks in the same way, so that what is tuned is what is used.

Nothing heavy is imported before a function is called.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ethogram.errors import ConfigError, not_installed
from ethogram.language.choice import Arrangement, arrangements, softmax
from ethogram.language.request import Messages, normalised

if TYPE_CHECKING:
    from ethogram.language.bases import Base

__all__ = ["Lesson", "predict", "scoring_model", "tune"]

Progress = Callable[[int, int, float], None]
"""Told after each update: updates done, updates in all, loss of the batch in nats."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A question and what was answered to it.

    Args:
        messages: text, or messages, the last one of the user; without the list of options.
        options: at least two, all different, at most 26.
        shares: how often each was chosen; not negative, sum 1.
        by: what answers, as in `choose`: an option's letter (`label`), or the option itself (`text`), which must then be one
            token, as `yes`, `no` or a digit is. A small model learns by words what by letters it does not.

    Raises:
        ConfigError: they do not fit together.
    """

    messages: Messages
    options: tuple[str, ...]
    shares: tuple[float, ...]
    by: str = "label"

    def __post_init__(self) -> None:
        n = len(self.options)
        if n < 2 or len(set(self.options)) < n or len(self.shares) != n:
            raise ConfigError(
                f"a lesson has options {self.options!r} and {len(self.shares)} shares: give two or more, one each"
            )
        if min(self.shares) < 0 or not math.isclose(sum(self.shares), 1, abs_tol=1e-6):
            raise ConfigError(f"a lesson has shares {self.shares!r}: give numbers from 0 that sum to 1")

    def arranged(self, turns: bool = True) -> list[Arrangement]:
        """The ways of asking it: all rotations of the list of options, or the order as given."""
        return arrangements(normalised(self.messages), list(self.options), self.by, turns, "")


def tune(
    lessons: Sequence[Lesson],
    folder: str | Path,
    *,
    base: str = "smollm2",
    rank: int = 8,
    epochs: int = 1,
    rate: float = 5e-4,
    batch: int = 8,
    seed: int = 0,
    start: str | Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Tune a base on lessons.

    Killed at any moment and called again with the same arguments, it goes on from its last checkpoint and ends with the same
    adapter; called once more, it returns at once. About 190 tokens of prompt a second and core with `smollm2` in bfloat16.

    Args:
        lessons: what is to be learned.
        folder: where the adapter is written; `model(f"tuned:{folder}")` then uses it.
        base: `smollm2`, or `tiny` (random weights, for tests).
        rank: of the adapters.
        epochs: visits to each lesson.
        rate: highest learning rate of AdamW; 0.003 suits `tiny`.
        batch: lessons an update.
        seed: of the adapters' beginning, the order of lessons and the rotations.
        start: a folder that `tune` wrote, of the same base and rank, from whose adapter this one begins.
        progress: told of each update.

    Returns:
        The folder.

    Raises:
        ConfigError: no lessons, an option that answers is not one token, a number makes no sense, or the extra `tune` is not
            installed.
        RunError: the folder holds a tuning of other lessons or settings.
        DataError: the folder's files are damaged, or the loss is not finite.
        ModelError: there is no such base.
    """
    if not lessons or min(rank, epochs, batch) < 1 or rate <= 0:
        raise ConfigError(
            f"{len(lessons)} lessons, rank={rank}, epochs={epochs}, batch={batch}, rate={rate}: give at least one, and "
            "numbers above 0"
        )
    settings = {"base": base, "rank": rank, "epochs": epochs, "rate": rate, "batch": batch, "seed": seed}
    try:
        from ethogram.language import updates
    except ModuleNotFoundError as error:
        raise not_installed(error, "tuning a language model") from error
    updates.run(list(lessons), Path(folder), settings, progress, None if start is None else Path(start))
    return Path(folder)


def predict(
    folder: str | Path | None, lessons: Sequence[Lesson], *, base: str = "smollm2", average: bool = False, batch: int = 16
) -> np.ndarray:
    """How likely a tuned model chooses each option; what `model("tuned:FOLDER").choose` gives, in batches and without a run.

    Args:
        folder: what `tune` wrote; None for the base as it is.
        lessons: whose questions are asked. Their shares are not looked at.
        base: where there is no folder.
        average: over all rotations of the list, as `choose` does by default (one pass an option); else the order as given.
        batch: prompts a pass.

    Returns:
        Shape (lessons, most options); rows sum to 1, and options that a lesson does not have are 0.
    """
    if not lessons:
        raise ConfigError("there are no lessons to predict: give at least one")
    scorer = scoring_model(None if folder is None else Path(folder), base)
    asked = [(i, arrangement) for i, lesson in enumerate(lessons) for arrangement in lesson.arranged(average)]
    scores = _answer_scores(scorer, [a for _, a in asked], batch)
    total = np.zeros((len(lessons), max(len(lesson.options) for lesson in lessons)))
    for (i, arrangement), row in zip(asked, scores, strict=True):
        total[i, arrangement.order] += row
    chosen = np.zeros_like(total)
    for i, lesson in enumerate(lessons):
        n = len(lesson.options)
        chosen[i, :n] = softmax(total[i, :n] / (n if average else 1))
    return chosen


def scoring_model(folder: Path | None, base: str = "smollm2") -> Base:
    """A base with the adapters of a folder in it, or without; kept in memory.

    Raises:
        DataError: the adapters are absent, damaged or of another base.
    """
    if folder is None:
        return _loaded(None, base, "")
    from ethogram.language.files import facts

    known = facts(folder)
    return _loaded(folder.resolve(), known["base"], known["digest"])


@lru_cache(maxsize=2)
def _loaded(folder: Path | None, base: str, digest: str) -> Base:
    try:
        from ethogram.language.adapters import read
        from ethogram.language.bases import Base
    except ModuleNotFoundError as error:
        raise not_installed(error, "a tuned language model") from error
    made = Base(base)
    if folder is not None:
        read(folder, made)
    return made


def _answer_scores(base: Base, asked: list[Arrangement], batch: int) -> list[np.ndarray]:
    """The scores of letters or words, up to a constant, in the order of each list; prompts of like length go together."""
    import torch

    rows = [base.prompts.tokens(a.messages) for a in asked]
    found: list[np.ndarray] = [np.empty(0)] * len(rows)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            part = order[start : start + batch]
            hidden = base.hidden([rows[i] for i in part])
            for i, vector in zip(part, hidden, strict=True):
                found[i] = base.logits(vector[None], base.words(asked[i].answers))[0].double().numpy()
    return found
