"""Does a retrieval find what matters? Recall of evidence planted in synthetic memory streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ethogram.policies.prompted.memory import MemoryStream, Retrieval
from ethogram.seeds import generator

__all__ = ["planted_recall"]

WEEK = 7 * 24 * 60.0


class _Given:
    """The embeddings that the synthetic texts were made with."""

    def __init__(self, vectors: Mapping[str, np.ndarray]) -> None:
        self.vectors = vectors

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([self.vectors[text] for text in texts])


def planted_recall(
    retrievals: Mapping[str, Retrieval],
    *,
    streams: int = 100,
    memories: int = 400,
    evidence: int = 10,
    k: int = 10,
    dimensions: int = 64,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """The share of planted evidence among the k memories retrieved, for each retrieval and stream.

    A stream is a synthetic week. What one needs for the question asked is on its topic, tends to have been accessed lately
    and to be important; each distractor has one of these three qualities or none (a quarter each), as the small talk of
    today, a great event that has nothing to do with the question, or an old triviality about its subject:

    - on topic: the cosine to the question is about 0.48, else about 0, both with standard deviation 1/sqrt(dimensions);
    - lately accessed: exponentially distributed hours ago, 24 on average (at most a week), else uniform over the week;
    - important: 1 + binomial(9, 0.6), else 1 + binomial(9, 0.2).

    No single term can tell evidence from the distractors that share its quality, but their sum can: this tests that a
    retrieval puts its terms together rightly (sign, scale, weight), and says nothing about people.

    Args:
        retrievals: what to compare, by name; all are run on the same streams.
        streams: number of synthetic streams.
        memories: memories of a stream, the evidence included.
        evidence: planted memories of a stream.
        k: how many memories are retrieved.
        dimensions: of the embeddings.
        seed: of the streams.

    Returns:
        recall@k by name: an array of shape (streams,), each entry hits / evidence.
    """
    recalls = {name: np.zeros(streams) for name in retrievals}
    for s in range(streams):
        rng = generator(seed, "planted", s)
        kind = np.concatenate([np.full(evidence, 4), rng.integers(0, 4, memories - evidence)])
        topical, lately, important = (np.isin(kind, [quality, 4]) for quality in (1, 2, 3))
        hours = np.where(lately, np.minimum(rng.exponential(24, memories), 168), rng.uniform(0, 168, memories))
        importance = 1 + rng.binomial(9, np.where(important, 0.6, 0.2))
        question = _unit(rng.standard_normal(dimensions))
        vectors = _unit(
            rng.standard_normal((memories, dimensions)) + 0.55 * np.sqrt(dimensions) * topical[:, None] * question
        )
        order = np.argsort(-hours)
        texts = {f"memory {i}": vectors[i] for i in range(memories)} | {"question": question}
        for name, by in retrievals.items():
            stream = MemoryStream(_Given(texts), seed=s)
            for i in order.tolist():
                created = WEEK - 60 * float(hours[i])
                stream.add(f"memory {i}", kind="observation", created=created, importance=float(importance[i]))
            found = stream.retrieve("question", now=WEEK, k=k, by=by)
            recalls[name][s] = sum(int(r.node.text.split()[1]) < evidence for r in found) / evidence
    return recalls


def _unit(x: np.ndarray) -> np.ndarray:
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)
