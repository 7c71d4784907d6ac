"""Attribution of a language model's choice to the parts of its prompt, and the controls that show what is only noise.

A prompt is a question with options and slots; a part fills some of them, and can be taken away: deleted, or replaced by
words of the same form that say nothing. `part_scores` asks for every coalition of parts in every order of the options; from
these scores follow the worths of coalitions with or without averaging over orders, and `measures.attribution` does the rest.
Of a chooser who goes by what matters, parts that are marked as noise get nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import ConfigError
from ethogram.measures.attribution import coalitions, efficiency_residual, leave_one_out, noise_share, shapley_values
from ethogram.measures.estimate import Estimate
from ethogram.measures.means import mean

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["Part", "PartedChoice", "Removed", "chances", "log_odds", "part_scores", "token_noise"]

Array = NDArray[np.float64]
Removed = Literal["deleted", "neutral"]
"""What becomes of a part that is taken away: its slots are left empty, or hold its neutral words."""


@dataclass(frozen=True)
class Part:
    """A part of a prompt."""

    texts: Mapping[str, str]
    """What stands in each of its slots."""
    neutral: Mapping[str, str]
    """What stands there in its stead; slots that are left out are empty."""
    noise: bool = False
    """Whether it says nothing that bears on the choice."""


@dataclass(frozen=True)
class PartedChoice:
    """A question and its options, with slots in braces that parts fill.

    Raises:
        ConfigError: a slot is filled by no part or by two, or a part fills one that is not there.
    """

    question: str
    options: tuple[str, ...]
    parts: Mapping[str, Part]

    def __post_init__(self) -> None:
        slots = {name for text in (self.question, *self.options) for _, name, _, _ in Formatter().parse(text) if name}
        filled = [slot for part in self.parts.values() for slot in part.texts]
        if wrong := (set(filled) ^ slots) | {slot for slot in filled if filled.count(slot) > 1}:
            raise ConfigError(f"the slot {min(wrong)!r} must be in the question or options, and be filled by one part")
        if wrong := {slot for part in self.parts.values() for slot in part.neutral} - slots:
            raise ConfigError(f"a part has neutral words for the slot {min(wrong)!r}, which is not there")

    @property
    def noise(self) -> list[bool]:
        """Which parts are noise, in order."""
        return [part.noise for part in self.parts.values()]

    def put(self, present: Collection[str], removed: Removed = "deleted") -> tuple[str, list[str]]:
        """The question and the options as they read with these parts."""
        words: dict[str, str] = {}
        for name, part in self.parts.items():
            for slot, text in part.texts.items():
                gone = part.neutral.get(slot, "") if removed == "neutral" else ""
                words[slot] = text if name in present else gone
        return self.question.format(**words), [option.format(**words) for option in self.options]


async def part_scores(
    model: LanguageModel, prompts: Sequence[PartedChoice], removed: Removed = "deleted", purpose: str = "attribution"
) -> Array:
    """The scores that a model gives options under each coalition of parts, in each order of the options.

    Prompts that read alike are asked for once, and in an order in which neighbours begin alike (the embedded model reads
    what is new).

    Args:
        model: the language model.
        prompts: of the same parts and number of options.
        removed: what becomes of absent parts.
        purpose: of the calls in records.

    Returns:
        Log-likelihoods of shape (prompts, 2^parts, orders, options); coalitions as in `coalitions`. Order r is rotated by r.
    """
    parts, options = list(prompts[0].parts), len(prompts[0].options)
    if any(list(one.parts) != parts or len(one.options) != options for one in prompts):
        raise ConfigError("part_scores: prompts that are asked together must have the same parts and number of options")
    asked = [[one.put(present, removed) for present in coalitions(parts)] for one in prompts]
    keys = {
        (text, tuple(listed[(place + turn) % options] for place in range(options)))
        for row in asked
        for text, listed in row
        for turn in range(options)
    }

    async def ask(text: str, listed: tuple[str, ...]) -> Array:
        rng = np.random.default_rng(0)  # only the scores are taken
        return (await model.choose(text, list(listed), rng=rng, average=False, purpose=purpose)).scores

    wanted = sorted(keys)
    found = dict(zip(wanted, await asyncio.gather(*(ask(*key) for key in wanted)), strict=True))
    scores = np.zeros((len(prompts), 2 ** len(parts), options, options))
    for p, row in enumerate(asked):
        for c, (text, listed) in enumerate(row):
            for turn in range(options):
                order = [(place + turn) % options for place in range(options)]
                scores[p, c, turn, order] = found[text, tuple(listed[i] for i in order)]
    return scores


def chances(scores: ArrayLike, orders: Sequence[int] | None = None) -> Array:
    """The probabilities of options, shape (..., options), by the mean of scores over some orders (all by default)."""
    some = _over(scores, orders)
    weights = np.exp(some - some.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def log_odds(scores: ArrayLike, option: int, orders: Sequence[int] | None = None) -> Array:
    """The log-odds of an option against all others, shape (...), by the mean of scores over some orders."""
    some = _over(scores, orders)
    rest = np.delete(some, option, axis=-1)
    best = rest.max(-1)
    return some[..., option] - best - np.log(np.exp(rest - best[..., None]).sum(-1))


def token_noise(
    worths: Mapping[str, ArrayLike], noise: Sequence[bool], crossed: Sequence[Sequence[str | int]] = (), seed: int = 0
) -> dict[str, dict[str, Estimate]]:
    """The token-noise controls: under each condition, how much of a choice meaningless parts decide.

    Args:
        worths: by condition (an order of options, a way of taking parts away), what coalitions are worth, shape
            (prompts, 2^parts).
        noise: which parts say nothing.
        crossed: as for `noise_share`.
        seed: of the bootstrap.

    Returns:
        By condition: `noise share` of Shapley values; `leave one out`, the same of that baseline; `residual`, the mean
        distance of the Shapley values' sum from what they share out; `left over`, the same of leave one out.
    """
    found: dict[str, dict[str, Estimate]] = {}
    for condition, table in worths.items():
        values, alone = shapley_values(table), leave_one_out(table)
        found[condition] = {
            "noise share": noise_share(values, noise, crossed, seed=seed),
            "leave one out": noise_share(alone, noise, crossed, seed=seed),
            "residual": mean(efficiency_residual(values, table)),
            "left over": mean(efficiency_residual(alone, table)),
        }
    return found


def _over(scores: ArrayLike, orders: Sequence[int] | None) -> Array:
    """Scores of shape (..., orders, options), averaged over some of the orders."""
    table = np.asarray(scores, dtype=float)
    return (table if orders is None else table[..., list(orders), :]).mean(-2)
