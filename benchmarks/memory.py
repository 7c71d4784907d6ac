"""How long a retrieval from an agent's memory stream takes.

Memories have distinct random 256-d vectors (the worst case: a real stream repeats itself, and a repeated text is compared
once),
importances 1..10 and ages over 60 days; queries differ each time.
"""

from __future__ import annotations

import statistics

import numpy as np

from benchmarks.measuring import Row, spent
from ethogram.policies.prompted.memory import RETRIEVALS, MemoryStream

NOW = 60.0 * 1440
"""Minutes."""
QUERIES = 50
WAYS = (("full", "full"), ("by rank", "released"), ("random", "random"))


class RandomVectors:
    """Unit vectors drawn at random, one a text."""

    def __init__(self, dimensions: int = 256) -> None:
        self.dimensions = dimensions
        self.rng = np.random.default_rng(0)

    def embed(self, texts: list[str]) -> np.ndarray:
        vectors = self.rng.standard_normal((len(texts), self.dimensions), dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def filled(n: int) -> MemoryStream:
    """A stream of `n` memories."""
    rng = np.random.default_rng(1)
    stream = MemoryStream(RandomVectors())
    times, importance = np.sort(rng.uniform(0, NOW, n)), rng.integers(1, 11, n)
    for i in range(n):
        stream.add(f"memory {i}", kind="observation", created=times[i], importance=importance[i])
    return stream


def measure() -> list[Row]:
    """CPU time to store a memory, to retrieve by each way of scoring, and to load a saved stream."""
    rows = []
    for n in (1_000, 10_000, 100_000):
        case, streams = f"{n:,} memories of an agent", []
        store = spent(lambda n=n, streams=streams: streams.append(filled(n))).cpu
        stream = streams[0]
        rows.append(Row("memory", case, "store one", store / n * 1e6, "µs"))
        stream.retrieve("first", now=NOW)
        for label, by in WAYS:
            times = [
                spent(lambda i=i, by=by, stream=stream: stream.retrieve(f"query {i}", now=NOW, by=RETRIEVALS[by]))
                for i in range(QUERIES)
            ]
            most = 5.0 if label == "full" else None
            figure = f"retrieve, {label}" + (" (recency, importance, relevance)" if label == "full" else "")
            rows.append(Row("memory", case, figure, 1e3 * statistics.median(t.cpu for t in times), "ms", most))
        state = stream.state_dict()
        load = spent(lambda state=state: MemoryStream(RandomVectors()).load_state_dict(state)).cpu
        rows.append(Row("memory", case, "load from a checkpoint", 1e3 * load, "ms"))
    return rows
