"""The memory stream: everything an agent has perceived, thought, planned and talked about, and its retrieval.

References:
    Park et al. (2023), Generative Agents, section 4.1 (memory and retrieval) and its released code (`retrieve.py`), X
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ethogram.policies.prompted.vectors import Embeds, Vectors
from ethogram.seeds import generator

__all__ = ["RETRIEVALS", "Kind", "MemoryStream", "Node", "Retrieval", "Retrieved"]

Kind = Literal["observation", "thought", "plan", "chat"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Node:
    """One memory. It never changes; when it was last accessed is kept by the stream."""

    id: int
    kind: Kind
    text: str
    """A full sentence about the third person, as an outsider would write it."""
    created: float
    """Minutes since midnight of the first day."""
    importance: float
    """1 (mundane) to 10 (poignant)."""
    source: str = "own"
    """Who told it (an agent's name), `seen`, `own` (thought by the agent itself) or `planted` (by an experimenter)."""
    subject: str = ""
    predicate: str = ""
    object: str = ""
    """For speech, the words that were said."""
    evidence: tuple[int, ...] = ()
    """The memories that it was concluded from."""

    @property
    def words(self) -> str:
        """What it says, without the frame of who said it to whom."""
        return self.object if self.predicate == "said to" else self.text


class Retrieval(BaseModel):
    """How memories are ranked (section 4.1): score = sum of weight times term, each term scaled over the candidates.

    The defaults are the paper's. `RETRIEVALS` names the ablations.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recency: float = Field(default=1.0, ge=0, description="weight of decay^age")
    relevance: float = Field(default=1.0, ge=0, description="weight of the cosine of memory and query")
    importance: float = Field(default=1.0, ge=0, description="weight of the importance, 1 to 10")
    decay: float = Field(default=0.995, gt=0, le=1, description="recency lost per unit of age")
    age: Literal["hours", "rank"] = Field(
        default="hours", description="age in game hours since the last access, or as a rank: 1 for the latest accessed"
    )
    scaling: Literal["minmax", "none"] = Field(default="minmax", description="scale each term to [0, 1] over the candidates")
    chance: bool = Field(default=False, description="ignore all of the above and retrieve at random")


RETRIEVALS: dict[str, Retrieval] = {
    "full": Retrieval(),
    "recency": Retrieval(relevance=0, importance=0),
    "relevance": Retrieval(recency=0, importance=0),
    "importance": Retrieval(recency=0, relevance=0),
    "random": Retrieval(chance=True),
    "released": Retrieval(recency=0.5, relevance=3, importance=2, decay=0.99, age="rank"),
}
"""Retrieval by name: the paper's, its single terms, none at all, and the released code's with recency put right."""


class Retrieved(NamedTuple):
    """A memory with the score it was retrieved by and the scaled terms of that score."""

    node: Node
    score: float
    recency: float
    relevance: float
    importance: float


def minmax(values: np.ndarray) -> tuple[float, float]:
    """Slope and offset that scale `values` to [0, 1]; where all are equal (or there is one only) each becomes 0.5."""
    low, high = float(values.min()), float(values.max())
    return (1 / (high - low), -low / (high - low)) if high > low else (0.0, 0.5)


def top(scores: np.ndarray, k: int) -> np.ndarray:
    """The indices of the k highest scores, best first; among equals the later index first. Exact.

    A sort of all scores would cost more than the scores. The k-th highest of the maxima of small blocks cannot exceed the
    k-th highest score, so only scores from it on need to be sorted.
    """
    n, block = len(scores), 64
    whole = n // block * block
    if whole // block > 2 * k:
        floor = np.partition(scores[:whole].reshape(-1, block).max(axis=1), -k)[-k]
        chosen = np.flatnonzero(scores >= floor)
    else:
        chosen = np.arange(n)
    return chosen[np.lexsort((-chosen, -scores[chosen]))[:k]]


class MemoryStream:
    """The memories of one agent, in the order in which they came.

    Args:
        embedder: for the relevance of a memory to a query; texts are embedded when a retrieval first needs them, and each
            distinct text once.
        capacity: keep at most so many memories; beyond it the tenth with the least recency + importance (each min-max
            scaled, recency with the decay of `Retrieval`) is forgotten. None keeps all.
        seed: of retrieval at random, the only randomness.

    A retrieval is exact; for its time among 1,000 to 100,000 memories see `benchmarks/memory.py`.
    """

    def __init__(self, embedder: Embeds, *, capacity: int | None = None, seed: int = 0) -> None:
        self.embedder = embedder
        self.capacity = capacity
        self.seed = seed
        self._draws = 0
        self._next = 0
        self._rebuild([], np.zeros(0))

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes)

    def __getitem__(self, id: int) -> Node:
        return self._nodes[self._index[id]]

    def __contains__(self, id: object) -> bool:
        return id in self._index

    @property
    def nodes(self) -> Sequence[Node]:
        """All memories, oldest first."""
        return self._nodes

    def get(self, id: int) -> Node | None:
        """The memory with this id, or None where there is none (any more)."""
        return self[id] if id in self._index else None

    def accessed(self, id: int) -> float:
        """When the memory was last retrieved or, if never, created (minutes)."""
        return float(self._accessed[self._index[id]])

    def known(self, text: str) -> Node | None:
        """The latest memory with exactly this text, or None."""
        id = self._texts.get(text)
        return None if id is None else self[id]

    def add(
        self,
        text: str,
        *,
        kind: Kind,
        created: float,
        importance: float,
        source: str = "own",
        subject: str = "",
        predicate: str = "",
        object: str = "",
        evidence: Sequence[int] = (),
    ) -> Node:
        """Store a memory and return its node.

        Raises:
            ValueError: the text is empty, or evidence is cited that is no memory of this stream.
        """
        if not text.strip():
            raise ValueError("a memory needs a text")
        missing = [id for id in evidence if id not in self._index]
        if missing:
            raise ValueError(f"memory {text!r} cites {missing}, which are no memories of this stream")
        node = Node(
            self._next, kind, text, float(created), float(importance), source, subject, predicate, object, tuple(evidence)
        )
        self._next += 1
        self._append(node, node.created)
        if self.capacity is not None and len(self) > self.capacity:
            self._shed(node.created)
        return node

    def forget(self, ids: Iterable[int]) -> None:
        """Remove memories. What was concluded from them stays and goes on citing them."""
        gone = set(ids)
        keep = [i for i, node in enumerate(self._nodes) if node.id not in gone]
        self._rebuild([self._nodes[i] for i in keep], self._accessed[keep])

    def retrieve(
        self,
        query: str,
        *,
        now: float,
        k: int = 30,
        by: Retrieval = RETRIEVALS["full"],
        kinds: Sequence[Kind] | None = None,
        touch: bool = True,
    ) -> list[Retrieved]:
        """The k memories that score highest for `query`, best first; of equals the later one first.

        Args:
            query: what the memories should be relevant to; an empty one makes all equally relevant.
            now: minutes since midnight of the first day.
            k: how many at most.
            by: weights, decay and scaling.
            kinds: only memories of these kinds are candidates.
            touch: count this as an access, which makes the memories recent; an interview does not.
        """
        among = None if kinds is None else np.flatnonzero(np.isin(self._kinds[: len(self)], [KINDS.index(x) for x in kinds]))
        count = len(self) if among is None else len(among)
        if not count or k < 1:
            return []
        if by.chance:
            return self._by_chance(among, count, min(k, count), now, touch)
        terms = self._terms(query, now, by, among)
        scales = [minmax(term) if by.scaling == "minmax" else (1.0, 0.0) for term in terms]
        weights = (by.recency, by.relevance, by.importance)
        # weight * (slope * term + offset), summed: the constant part is the same for all and need not be added to each.
        score = sum(term * np.float32(w * slope) for w, term, (slope, _) in zip(weights, terms, scales, strict=True))
        best = top(np.asarray(score), min(k, count))
        index = best if among is None else among[best]
        if touch:
            self._accessed[index] = now
        shown = [slope * term[best] + offset for term, (slope, offset) in zip(terms, scales, strict=True)]
        totals = sum(w * term for w, term in zip(weights, shown, strict=True))
        rows = zip(np.asarray(totals).tolist(), *(term.tolist() for term in shown), strict=True)
        return [Retrieved(self._nodes[i], *row) for i, row in zip(index.tolist(), rows, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """All memories, as columns. Embeddings are left out: they are computed again when next needed."""
        nodes = self._nodes
        return {
            "id": np.array([n.id for n in nodes], np.int64),
            "kind": self._kinds[: len(nodes)].copy(),
            "created": np.array([n.created for n in nodes], np.float64),
            "accessed": self._accessed[: len(nodes)].copy(),
            "importance": np.array([n.importance for n in nodes], np.float64),
            "text": [n.text for n in nodes],
            "source": [n.source for n in nodes],
            "triple": [[n.subject, n.predicate, n.object] for n in nodes],
            "evidence": [list(n.evidence) for n in nodes],
            "next": self._next,
            "draws": self._draws,
            "seed": self.seed,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back the memories that `state_dict` gave."""
        columns = zip(
            *(np.asarray(state[name]).tolist() for name in ("id", "kind", "created", "importance")),
            *(state[name] for name in ("text", "source", "triple", "evidence")),
            strict=True,
        )
        nodes = [
            Node(id, KINDS[kind], text, created, importance, source, *triple, tuple(evidence))  # type: ignore[arg-type]
            for id, kind, created, importance, text, source, triple, evidence in columns
        ]
        self._next, self._draws, self.seed = int(state["next"]), int(state["draws"]), int(state["seed"])
        self._rebuild(nodes, np.asarray(state["accessed"], np.float64))

    # How it is kept: one list of nodes and, beside it, arrays that grow by doubling.

    def _rebuild(self, nodes: Sequence[Node], accessed: np.ndarray) -> None:
        room = max(64, len(nodes))
        self._nodes: list[Node] = []
        self._index: dict[int, int] = {}
        self._texts: dict[str, int] = {}
        self._kinds = np.zeros(room, np.int8)
        self._accessed = np.zeros(room, np.float64)
        self._importance = np.zeros(room, np.float32)
        self._vectors = Vectors(self.embedder)
        for node, time in zip(nodes, accessed.tolist(), strict=False):
            self._append(node, time)

    def _append(self, node: Node, accessed: float) -> None:
        i = len(self._nodes)
        if i == len(self._accessed):
            for name in ("_kinds", "_accessed", "_importance"):
                old = getattr(self, name)
                setattr(self, name, np.concatenate([old, np.zeros_like(old)]))
        self._kinds[i], self._accessed[i], self._importance[i] = KINDS.index(node.kind), accessed, node.importance
        self._nodes.append(node)
        self._index[node.id] = i
        self._texts[node.text] = node.id
        self._vectors.add(node.text)

    def _terms(
        self, query: str, now: float, by: Retrieval, among: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Recency, relevance and importance of the candidates, each float32, not yet scaled."""
        n = len(self)
        pick: Callable[[np.ndarray], np.ndarray] = (lambda x: x) if among is None else (lambda x: x[among])
        importance = pick(self._importance[:n])
        if not by.relevance or not query.strip():
            relevance = np.zeros(len(importance), np.float32)
        else:
            relevance = pick(self._vectors.cosines(query))
        accessed = pick(self._accessed[:n])
        if not by.recency:
            recency = np.zeros(len(importance), np.float32)
        elif by.age == "hours":
            recency = _decayed(by.decay, (now - accessed) / 60)
        else:
            rank = np.empty(len(accessed))
            rank[np.argsort(accessed, kind="stable")] = np.arange(len(accessed), 0, -1)
            recency = _decayed(by.decay, rank)
        return recency, relevance, importance

    def _by_chance(self, among: np.ndarray | None, count: int, k: int, now: float, touch: bool) -> list[Retrieved]:
        rng = generator(self.seed, "retrieval", self._draws)
        chosen = rng.choice(count, size=k, replace=False)
        index = chosen if among is None else among[chosen]
        if touch:
            self._draws += 1
            self._accessed[index] = now
        return [Retrieved(self._nodes[i], 0.0, 0.0, 0.0, 0.0) for i in index.tolist()]

    def _shed(self, now: float) -> None:
        n = len(self)
        recency, importance = _decayed(RETRIEVALS["full"].decay, (now - self._accessed[:n]) / 60), self._importance[:n]
        worth = minmax(recency)[0] * recency + minmax(importance)[0] * importance
        order = np.lexsort((np.arange(n), worth))
        self.forget(self._nodes[i].id for i in order[: max(1, n // 10)].tolist())


def _decayed(decay: float, age: np.ndarray) -> np.ndarray:
    """decay^age in float32, from ages in float64 (differences of large times must not be rounded before the power)."""
    return np.exp((age * np.log(decay)).astype(np.float32))
