"""The memory stream: the retrieval formula by hand, its ablations, and that nothing is lost."""

from __future__ import annotations

import json
import math
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.policies.prompted.memory import RETRIEVALS, MemoryStream, Retrieval, minmax, top
from ethogram.policies.prompted.planted import planted_recall

ROOT = 1 / math.sqrt(2)


class Table:
    """Embeddings by hand; counts how often it is asked."""

    def __init__(self, **vectors: tuple[float, ...]) -> None:
        self.vectors = vectors
        self.asked: list[str] = []

    def embed(self, texts):
        self.asked += texts
        return np.array([self.vectors[text] for text in texts], np.float32)


class Hashed:
    """Some unit vector for any text, the same each time."""

    def embed(self, texts):
        rows = [np.random.default_rng(crc32(t.encode())).standard_normal(8) for t in texts]
        return np.array([r / np.linalg.norm(r) for r in rows], np.float32)


def three() -> MemoryStream:
    """Memories a, b, c, accessed 0, 10 and 20 hours after midnight."""
    stream = MemoryStream(Table(a=(1.0, 0.0), b=(0.0, 1.0), c=(ROOT, ROOT), q=(1.0, 0.0)))
    for text, hour, importance in (("a", 0, 3), ("b", 10, 9), ("c", 20, 6)):
        stream.add(text, kind="observation", created=60 * hour, importance=importance)
    return stream


def by_text(found):
    return {r.node.text: r for r in found}


def test_formula_of_the_paper_by_hand():
    found = by_text(three().retrieve("q", now=20 * 60))
    # recency 0.995^(20, 10, 0 h), relevance cos = 1, 0, 0.7071, importance 3, 9, 6, each min-max scaled
    middle = (0.995**10 - 0.995**20) / (1 - 0.995**20)
    expected = {"a": (0.0, 1.0, 0.0), "b": (middle, 0.0, 1.0), "c": (1.0, ROOT, 0.5)}
    for text, terms in expected.items():
        assert found[text][2:] == pytest.approx(terms, abs=1e-5)
        assert found[text].score == pytest.approx(sum(terms), abs=1e-5)
    assert [r.node.text for r in three().retrieve("q", now=20 * 60)] == ["c", "b", "a"]


def test_weights_decay_and_no_scaling_by_hand():
    by = Retrieval(recency=0.5, relevance=3, importance=2, decay=0.9, scaling="none")
    found = by_text(three().retrieve("q", now=20 * 60, by=by))
    assert found["b"].score == pytest.approx(0.5 * 0.9**10 + 3 * 0 + 2 * 9, rel=1e-5)
    assert found["c"].score == pytest.approx(0.5 * 1 + 3 * ROOT + 2 * 6, rel=1e-5)


def test_by_rank_the_latest_accessed_is_the_most_recent():
    by = Retrieval(relevance=0, importance=0, decay=0.99, age="rank", scaling="none")
    stream = three()
    found = by_text(stream.retrieve("q", now=20 * 60, by=by, touch=False))
    assert [found[x].recency for x in "cba"] == pytest.approx([0.99, 0.99**2, 0.99**3], rel=1e-5)
    stream.retrieve("q", now=21 * 60, k=1, by=RETRIEVALS["relevance"])  # accesses a
    found = by_text(stream.retrieve("q", now=21 * 60, by=by))
    assert found["a"].recency == pytest.approx(0.99, rel=1e-5)


def test_terms_that_say_nothing_are_one_half():
    stream = MemoryStream(Table(a=(1.0, 0.0), b=(0.0, 1.0), q=(1.0, 0.0)))
    stream.add("a", kind="thought", created=0, importance=4)
    assert stream.retrieve("q", now=600)[0][1:] == (1.5, 0.5, 0.5, 0.5)
    stream.add("b", kind="thought", created=0, importance=4)
    found = by_text(stream.retrieve("", now=600))
    assert found["a"].relevance == found["b"].relevance == 0.5
    assert minmax(np.array([7.0, 7.0], np.float32)) == (0.0, 0.5)


def test_access_makes_recent_unless_it_is_an_interview():
    stream = three()
    assert stream.accessed(0) == 0
    stream.retrieve("q", now=1500, k=1, by=RETRIEVALS["relevance"], touch=False)
    assert stream.accessed(0) == 0
    stream.retrieve("q", now=1500, k=1, by=RETRIEVALS["relevance"])
    assert [stream.accessed(i) for i in range(3)] == [1500, 600, 1200]


def test_ablations_rank_by_their_own_term():
    first = {
        name: three().retrieve("q", now=1200, by=by)[0].node.text for name, by in RETRIEVALS.items() if name != "random"
    }
    assert first == {"full": "c", "recency": "c", "relevance": "a", "importance": "b", "released": "c"}
    stream = three()
    orders = {tuple(r.node.text for r in stream.retrieve("q", now=0, by=RETRIEVALS["random"])) for _ in range(60)}
    assert len(orders) == 6  # all orders of three come up


def test_of_equals_the_later_comes_first_and_kinds_filter():
    stream = MemoryStream(Hashed())
    for i in range(200):
        stream.add("same", kind="thought" if i % 2 else "chat", created=0, importance=5)
    assert [r.node.id for r in stream.retrieve("q", now=0, k=3)] == [199, 198, 197]
    assert [r.node.id for r in stream.retrieve("q", now=0, k=3, kinds=["chat"])] == [198, 196, 194]
    assert stream.retrieve("q", now=0, kinds=["plan"]) == []


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=2000),
    st.integers(1, 40),
)
@settings(max_examples=60, deadline=None)
def test_top_is_the_head_of_the_sorted_list(values, k):
    scores = np.array(values, np.float32)
    expected = sorted(range(len(values)), key=lambda i: (-values[i], -i))[:k]
    assert top(scores, k).tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5000), st.integers(1, 10)), min_size=1, max_size=300))
@settings(max_examples=25, deadline=None)
def test_retrieval_equals_a_plain_computation(items):
    stream = MemoryStream(Hashed())
    items = sorted(items, key=lambda x: x[1])
    for word, created, importance in items:
        stream.add(f"text {word}", kind="observation", created=created, importance=importance)
    q = Hashed().embed(["q"])[0]
    terms = np.array([[0.995 ** ((6000 - c) / 60), float(Hashed().embed([f"text {w}"])[0] @ q), i] for w, c, i in items])
    span = terms.max(0) - terms.min(0)
    plain = np.where(span > 1e-7, (terms - terms.min(0)) / np.where(span > 1e-7, span, 1), 0.5).sum(1)
    found = stream.retrieve("q", now=6000, k=7)
    assert [r.score for r in found] == pytest.approx(sorted(plain, reverse=True)[:7], abs=2e-4)
    assert [plain[r.node.id] for r in found] == pytest.approx([r.score for r in found], abs=2e-4)


def test_each_distinct_text_is_embedded_once():
    table = Table(a=(1.0, 0.0), q=(1.0, 0.0))
    stream = MemoryStream(table)
    for i in range(70):
        stream.add("a", kind="observation", created=i, importance=1)
        stream.retrieve("q", now=i)
    assert table.asked.count("a") == 1


def test_bad_memories_are_refused():
    stream = three()
    with pytest.raises(ValueError, match="needs a text"):
        stream.add(" ", kind="thought", created=0, importance=1)
    with pytest.raises(ValueError, match=r"cites \[9\]"):
        stream.add("b", kind="thought", created=0, importance=1, evidence=[1, 9])


def test_forgetting_and_capacity():
    stream = three()
    stream.forget([1])
    assert [n.text for n in stream] == ["a", "c"] and stream.known("b") is None and 1 not in stream
    assert [r.node.text for r in stream.retrieve("q", now=1200)] == ["c", "a"]
    small = MemoryStream(Hashed(), capacity=20)
    small.add("the wedding", kind="observation", created=0, importance=10)
    for i in range(100):
        small.add(f"trifle {i}", kind="observation", created=60 * i, importance=1 + i % 2)
    assert len(small) <= 20
    assert small.known("the wedding") and small.known("trifle 99") and not small.known("trifle 2")


@pytest.mark.parametrize("name", ["full", "random"])
def test_state_round_trip_goes_on_identically(name):
    def go_on(stream):
        found = []
        for i in range(10):
            stream.add(f"later {i}", kind="chat", created=3000 + i, importance=i % 10 + 1, evidence=[0])
            found.append([tuple(r) for r in stream.retrieve(f"query {i}", now=3000 + i, k=5, by=RETRIEVALS[name])])
        return found

    stream = MemoryStream(Hashed(), seed=7)
    for i in range(100):
        stream.add(f"text {i % 60}", kind="observation", created=i, importance=i % 10 + 1, source="seen", subject="Ana")
        stream.retrieve(f"query {i}", now=i, k=3, by=RETRIEVALS[name])
    stream.forget([3, 4])
    state = stream.state_dict()
    lists = {key: value for key, value in state.items() if not isinstance(value, np.ndarray)}
    assert json.loads(json.dumps(lists)) == lists
    copy = MemoryStream(Hashed())
    copy.load_state_dict(state)
    assert copy.nodes == stream.nodes
    assert go_on(copy) == go_on(stream)


def test_full_retrieval_beats_each_single_term_on_planted_evidence():
    recall = planted_recall({n: RETRIEVALS[n] for n in ("full", "recency", "relevance", "importance", "random")}, streams=40)
    for name in ("recency", "relevance", "importance", "random"):
        gain = recall["full"] - recall[name]  # paired: the same streams
        low = gain.mean() - 2.02 * gain.std(ddof=1) / math.sqrt(len(gain))  # Student t, 39 degrees of freedom, 95 %
        assert low > 0.2, name
    inverted = planted_recall({"wrong": RETRIEVALS["full"].model_copy(update={"decay": 1 / 0.995})}, streams=20)
    assert inverted["wrong"].mean() < recall["full"][:20].mean() - 0.2  # recency the wrong way round is noticed
