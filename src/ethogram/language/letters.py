"""Lessons in answering by letter, which a small model has to learn before it can learn anything else by letters.

Asked for the letter of an option that it has just been told, the untuned SmolLM2-135M is at chance. What is taught by
letters then waits for a skill that is missing, and a few hundred lessons pass without effect. These teach the skill and
nothing about people; `tune(..., start=...)` goes on from there. Measured (640 lessons of two options, rate 0.001, 150 s of
CPU): a loss of 0.85 nats at first and of 0.68, which is chance, after 40 updates; then it falls, to 0.27 at the 80th, and 24
of 24 new pairs are answered rightly.
"""

from __future__ import annotations

from ethogram.language.tuning import Lesson
from ethogram.seeds import generator

__all__ = ["letters"]

WORDS = tuple(
    "apple stone river yes no maybe often never agree disagree open closed left right tea coffee bread money night day buy "  # noqa: SIM905
    "sell wait leave stay walk fire water red blue seven eleven doctor farmer sister uncle winter summer north south early "
    "late more less strong weak true false happy angry quiet loud".split()
)
FRAMES = ("The answer is: {}.", "Choose: {}.", "She says: {}.")
SHARE = 0.98
"""Of the option that is named; the model is not taught to be certain."""


def letters(n: int = 640, options: int = 2, seed: int = 0) -> list[Lesson]:
    """Lessons in which one of the listed options has just been named: phrases of one to three random words.

    Args:
        n: how many; with 320 of two options the loss was still at chance.
        options: of each.
        seed: of the phrases.
    """
    rng = generator(seed, "letters")

    def phrase() -> str:
        return " ".join(rng.choice(WORDS, int(rng.integers(1, 4)), replace=False))

    found: list[Lesson] = []
    for _ in range(n):
        listed: dict[str, None] = {}
        while len(listed) < options:
            listed[phrase()] = None
        named = int(rng.integers(options))
        said = FRAMES[int(rng.integers(len(FRAMES)))].format(list(listed)[named])
        shares = tuple(SHARE if i == named else (1 - SHARE) / (options - 1) for i in range(options))
        messages = [{"role": "system", "content": "Answer."}, {"role": "user", "content": said}]
        found.append(Lesson(messages, tuple(listed), shares))
    return found
