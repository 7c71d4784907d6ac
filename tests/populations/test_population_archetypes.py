"""Many agents to few archetypes, and back."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from ethogram.errors import ConfigError, DataError
from ethogram.populations import Population, archetypes, from_margins


@pytest.fixture
def people() -> Population:
    table = pl.DataFrame(
        {"name": [*"abcdef"], "age": ["old", "young", "old", None, "young", "old"], "sex": [*"fmffmm"], "x": range(6)}
    )
    return Population(table)


def test_distinct_rows_with_counts(people: Population) -> None:
    kinds = archetypes(people, ["age", "sex"])
    assert kinds.population.table.rows() == [
        ("archetype-1", "old", "f", 2),
        ("archetype-2", "young", "m", 2),
        ("archetype-3", None, "f", 1),
        ("archetype-4", "old", "m", 1),
    ]
    assert kinds.group.tolist() == [0, 1, 0, 2, 1, 3]
    assert len(kinds) == 4 and kinds.counts.tolist() == [2, 2, 1, 1] and kinds.by == ("age", "sex")
    assert kinds.population.persona("archetype-2").render().startswith("archetype-2. Age: young. Sex: m.")
    assert kinds.expand([10, 20, 30, 40]).tolist() == [10, 20, 10, 30, 20, 40]
    assert kinds.expand(np.eye(4)).shape == (6, 4)
    assert archetypes(people, "sex").counts.tolist() == [3, 3]


def test_individuals_draw_from_the_answer_of_their_archetype() -> None:
    people = from_margins({"age": {"young": 1, "old": 1}}, 20_000, rng=1).population
    kinds = archetypes(people, ["age"])
    p = np.array([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0]])
    chosen = kinds.draw(p, rng=7)
    assert (chosen[kinds.group == 1] == 1).all()
    observed = np.bincount(chosen[kinds.group == 0], minlength=3)
    assert stats.chisquare(observed, p[0] * observed.sum()).pvalue > 1e-4
    assert kinds.draw(p, rng=7).tolist() == chosen.tolist() != kinds.draw(p, rng=8).tolist()


def test_a_million_agents_are_a_few_archetypes() -> None:
    people = from_margins({"age": {str(i): 1 for i in range(8)}, "sex": {"f": 4, "m": 4}}, 1_000_000, rng=1).population
    kinds = archetypes(people, ["age", "sex"])
    assert len(kinds) == 16 and kinds.counts.sum() == 1_000_000


@pytest.mark.parametrize(
    ("error", "act", "said"),
    [
        (ConfigError, lambda p: archetypes(p, []), "one or more columns"),
        (ConfigError, lambda p: archetypes(p, ["name"]), "other than name"),
        (DataError, lambda p: archetypes(p, ["shoe"]), "no column 'shoe'"),
        (DataError, lambda p: archetypes(p, ["sex"]).expand([1]), "each of 2 archetypes"),
        (DataError, lambda p: archetypes(p, ["sex"]).draw([[0.5, 0.4], [0.5, 0.5]], 1), "add up to 1"),
        (DataError, lambda p: archetypes(p, ["sex"]).draw([[1.0]], 1), "each of 2 archetypes"),
        (DataError, lambda p: archetypes(p, ["sex"]).draw([[1.5, -0.5], [0, 1]], 1), "add up to 1"),
    ],
)
def test_wrong_questions_are_refused(people: Population, error, act, said: str) -> None:
    with pytest.raises(error, match=said):
        act(people)
