"""The embeddings of a growing list of texts, each distinct text held once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

__all__ = ["Embeds", "Vectors"]


class Embeds(Protocol):
    """What a memory needs of an embedder: a vector for a text that does not depend on the texts it is asked with."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """The embeddings of `texts`: (n, d), float32, each row of norm 1."""
        ...


class Vectors:
    """Embeddings in the order of the texts, computed when first needed and all at once.

    Args:
        embedder: gives rows of norm 1.
    """

    def __init__(self, embedder: Embeds) -> None:
        self.embedder = embedder
        self._row_of: dict[str, int] = {}
        self._rows = np.zeros(64, np.int32)
        self._count = 0
        self._waiting: list[str] = []
        self._matrix = np.zeros((0, 0), np.float32)

    def __len__(self) -> int:
        return self._count

    def add(self, text: str) -> None:
        """Append a text."""
        row = self._row_of.get(text)
        if row is None:
            row = self._row_of[text] = len(self._row_of)
            self._waiting.append(text)
        if self._count == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[self._count] = row
        self._count += 1

    def cosines(self, query: str) -> np.ndarray:
        """The cosine of each text with `query`: (n,), float32."""
        self._embed_waiting()
        distinct = len(self._row_of)
        vector = np.asarray(self.embedder.embed([query]), np.float32)[0]
        # vecdot runs at memory speed on rows; the BLAS product of a matrix and a vector takes more than twice as long.
        cosines = np.vecdot(self._matrix[:distinct], vector)
        return cosines if distinct == self._count else cosines[self._rows[: self._count]]

    def _embed_waiting(self) -> None:
        if not self._waiting:
            return
        fresh = np.asarray(self.embedder.embed(self._waiting), np.float32)
        end = len(self._row_of)
        if end > len(self._matrix):
            grown = np.zeros((max(64, end, 2 * len(self._matrix)), fresh.shape[1]), np.float32)
            if len(self._matrix):
                grown[: len(self._matrix)] = self._matrix
            self._matrix = grown
        self._matrix[end - len(fresh) : end] = fresh
        self._waiting.clear()
