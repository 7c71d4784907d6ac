"""How long a retrieval from a memory stream takes: `python benchmarks/memory.py`.

All memories have texts and 256-d vectors of their own (the worst case: a real stream repeats itself, and a repeated text
is compared once), importances from 1 to 10 and ages up to 60 days; queries differ each time.
"""

from __future__ import annotations

import time

import numpy as np

from ethogram.policies.prompted.memory import RETRIEVALS, MemoryStream


class RandomVectors:
    """Unit vectors drawn at random, one a text."""

    def __init__(self, dimensions: int = 256) -> None:
        self.dimensions = dimensions
        self.rng = np.random.default_rng(0)

    def embed(self, texts: list[str]) -> np.ndarray:
        vectors = self.rng.standard_normal((len(texts), self.dimensions), dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def main() -> None:
    print(
        f"{'memories':>9} {'store us':>9} {'full ms':>9} {'(best)':>8} {'by rank ms':>11} {'random ms':>10} {'load ms':>9}"
    )
    for n in (1_000, 10_000, 100_000):
        rng = np.random.default_rng(1)
        stream = MemoryStream(RandomVectors())
        times, importance = np.sort(rng.uniform(0, 60 * 1440, n)), rng.integers(1, 11, n)
        start = time.perf_counter()
        for i in range(n):
            stream.add(f"memory {i}", kind="observation", created=times[i], importance=importance[i])
        store = (time.perf_counter() - start) / n
        stream.retrieve("first", now=60 * 1440)
        spent = {}
        for name, by in (("full", "full"), ("rank", "released"), ("random", "random")):
            runs = []
            for i in range(50):
                start = time.perf_counter()
                stream.retrieve(f"query {i}", now=60 * 1440, by=RETRIEVALS[by])
                runs.append(time.perf_counter() - start)
            spent[name] = (np.median(runs), min(runs))
        state = stream.state_dict()
        start = time.perf_counter()
        MemoryStream(RandomVectors()).load_state_dict(state)
        load = time.perf_counter() - start
        print(
            f"{n:>9} {store * 1e6:>9.2f} {spent['full'][0] * 1e3:>9.3f} {spent['full'][1] * 1e3:>8.3f} "
            f"{spent['rank'][0] * 1e3:>11.3f} {spent['random'][0] * 1e3:>10.3f} {load * 1e3:>9.1f}"
        )


if __name__ == "__main__":
    main()
