"""Executing chunks of actions: part of each before the next is predicted, or an average over all that cover a step.

Source: Zhao et al. 2023 (ACT, arXiv:2304.13705), section IV-A and algorithm 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["Chunks", "ensemble_weights"]


def ensemble_weights(n: int, m: float) -> np.ndarray:
    """The weights `exp(-m i)` of `n` predictions for one step, the oldest (i = 0) first, summing to 1; (n,)."""
    weights = np.exp(-m * np.arange(n))
    return weights / weights.sum()


class Chunks:
    """Which action comes next, given the chunks predicted so far, for one agent.

    Args:
        execute: how many actions of a chunk are executed before the next chunk is due.
        ensemble: None, or the m of temporal ensembling: an action is then the weighted mean of what all chunks that cover
            the step say of it. A smaller m listens more to new ones.
    """

    def __init__(self, execute: int = 1, ensemble: float | None = None) -> None:
        self.execute = execute
        self.ensemble = ensemble
        self._chunks: list[np.ndarray] = []
        self._done: list[int] = []
        """How many steps ago each chunk was predicted."""

    @property
    def due(self) -> bool:
        """Whether the next action needs a new chunk."""
        return not self._chunks or self._done[-1] >= min(self.execute, len(self._chunks[-1]))

    def push(self, chunk: np.ndarray) -> None:
        """Take a new chunk (H, ...), predicted for the step that comes next and those after it."""
        if self.ensemble is None:
            self._chunks, self._done = [], []
        self._chunks.append(chunk)
        self._done.append(0)

    def pop(self) -> np.ndarray:
        """The action of the step that comes next, (...)."""
        said = np.stack([chunk[done] for chunk, done in zip(self._chunks, self._done, strict=True)])
        self._done = [done + 1 for done in self._done]
        action = said[0] if self.ensemble is None else np.tensordot(ensemble_weights(len(said), self.ensemble), said, 1)
        keep = [i for i, chunk in enumerate(self._chunks) if self._done[i] < len(chunk)]
        if len(keep) < len(self._chunks):
            self._chunks, self._done = [self._chunks[i] for i in keep], [self._done[i] for i in keep]
        return action.astype(said.dtype)

    def state_dict(self) -> dict[str, Any]:
        """The chunks that are not used up, and how far each is."""
        return {"chunks": [chunk.copy() for chunk in self._chunks], "done": list(self._done)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back a state that `state_dict` gave."""
        self._chunks = [np.asarray(chunk) for chunk in state["chunks"]]
        self._done = [int(done) for done in state["done"]]
