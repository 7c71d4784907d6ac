"""The fidelity card: figures worked by hand, planted differences found with their kind, none where there are none."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr, wasserstein_distance

from ethogram.errors import DataError
from ethogram.measures.fidelity import Contrast, agreement, compare_effects, compare_item, fidelity_card, summary_of_effects
from ethogram.measures.fidelity.effects import contrasts
from ethogram.measures.fidelity.samples import samples
from ethogram.measures.fidelity.structure import correlations, ranks
from ethogram.records.reference import reference

ITEMS = [f"q{i}" for i in range(12)]


def answers(n, seed, mean=0.0, sd=1.0, together=0.6, group=0.0):
    """Answers from 1 to 7 to twelve items in two factors, with a group that shifts the first six."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, 2)).repeat(6, axis=1)
    latent = np.sqrt(together) * factors + np.sqrt(1 - together) * rng.normal(size=(n, 12))
    party = rng.integers(2, size=n)
    latent[:, :6] += group * party[:, None]
    table = pl.DataFrame(np.clip(np.round(4 + mean + 1.3 * sd * latent), 1, 7), schema=ITEMS)
    return table.with_columns(pl.Series("party", np.array(["left", "right"])[party]), pl.Series("id", np.arange(n)))


BOUNDS = dict.fromkeys(ITEMS, (1.0, 7.0))


def test_one_item_by_hand():
    people, simulated = np.array([1.0, 1, 2, 3, 5, 5, 5, 5]), np.array([3.0, 3, 3, 3])
    found = compare_item(people, simulated, 4.0, np.random.default_rng(0), 200)
    assert found["distance"].value.value == pytest.approx((2 + 2 + 1 + 0 + 2 + 2 + 2 + 2) / 8 / 4)
    assert found["shift"].value.value == pytest.approx((3 - 27 / 8) / 4)
    assert found["spread"].value.value == 0
    far = compare_item(people, simulated + 1, 4.0, np.random.default_rng(0), 200)["distance"].value.value
    assert far == pytest.approx(wasserstein_distance(people, simulated + 1) / 4)


def test_noise_of_halves_is_that_of_samples_of_the_sizes_compared():
    """Between independent samples of 400 and 100 the distance is below the floor's upper end in about 97.5 % of cases."""
    rng = np.random.default_rng(1)
    floors, drawn = [], []
    for _ in range(150):
        x, y = rng.integers(1, 8, 400).astype(float), rng.integers(1, 8, 100).astype(float)
        found = compare_item(x, y, 6.0, rng, 100)["distance"]
        floors.append(found.high)
        drawn.append(found.value.value)
    below = np.mean(np.array(drawn) < np.array(floors))
    assert 0.93 <= below <= 1.0
    assert np.quantile(drawn, 0.975) == pytest.approx(np.mean(floors), rel=0.15)


def test_the_same_population_is_not_told_apart():
    card = fidelity_card(answers(500, 1), answers(500, 2), items=ITEMS, bounds=BOUNDS, resamples=100)
    assert card.share("distance") <= 0.1 and card.share("spread") <= 0.1
    assert not card.overall["structure error"].outside
    detection = card.overall["detection"].value
    assert detection.low < 0.53 < 0.62 and not card.overall["detection"].outside


@pytest.mark.parametrize(
    ("planted", "figure", "above"),
    [
        ({"mean": 0.7}, "shift", True),
        ({"mean": -0.7}, "shift", False),
        ({"sd": 0.5}, "spread", False),
        ({"sd": 1.6}, "spread", True),
    ],
)
def test_planted_differences_are_found_with_their_sign(planted, figure, above):
    card = fidelity_card(
        answers(400, 1), answers(400, 2, **planted), items=ITEMS, bounds=BOUNDS, resamples=100, detect=False
    )
    assert card.share(figure, above=above) == 1.0 and card.share(figure, above=not above) == 0.0
    other = {"shift": "spread", "spread": "shift"}[figure]
    assert card.share(other) <= 0.34


def test_another_structure_is_found_where_every_item_alone_is_right():
    card = fidelity_card(answers(600, 1), answers(600, 2, together=0.1), items=ITEMS, bounds=BOUNDS, resamples=80)
    assert card.share("distance") <= 0.1
    assert card.overall["structure error"].outside
    assert card.overall["detection"].value.low > 0.6
    assert any("hang together" in sentence for sentence in card.sentences())


def test_correlations_with_missing_answers_are_those_of_the_joint_rows():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(80, 3)) @ rng.normal(size=(3, 3))
    x[rng.random(x.shape) < 0.2] = np.nan
    r, n = correlations(x)
    both = np.isfinite(x[:, 0]) & np.isfinite(x[:, 1])
    assert n[0, 1] == both.sum()
    assert r[0, 1] == pytest.approx(np.corrcoef(x[both, 0], x[both, 1])[0, 1])
    whole = rng.normal(size=(50, 2))
    assert correlations(ranks(whole))[0][0, 1] == pytest.approx(np.asarray(spearmanr(whole))[0])
    weights = rng.integers(0, 3, 50).astype(float)
    repeated = np.repeat(whole, weights.astype(int), axis=0).T
    assert correlations(whole, weights)[0][0, 1] == pytest.approx(np.corrcoef(repeated[0], repeated[1])[0, 1])


def test_single_people_by_hand_and_against_dealt_ones():
    people = answers(300, 1)
    means = people.with_columns(pl.col(ITEMS).mean())
    own = people.with_columns(((pl.col(c) + 4) / 2).alias(c) for c in ITEMS)
    kept = fidelity_card(people, own, items=ITEMS, key="id", bounds=BOUNDS, resamples=60, detect=False).overall
    by_hand = 1 - np.abs(people.select(ITEMS).to_numpy() - own.select(ITEMS).to_numpy()).mean() / 6
    assert kept["accuracy"].value.value == pytest.approx(by_hand)
    assert kept["individual correlation"].value.value == pytest.approx(1.0)
    assert kept["accuracy"].outside and kept["accuracy"].high < by_hand
    guessed = fidelity_card(people, means, items=ITEMS, key="id", bounds=BOUNDS, resamples=60, detect=False).overall
    assert guessed["individual correlation"].value.value == 0
    assert guessed["accuracy"].value.value == pytest.approx(guessed["accuracy of the item mean"].value.value)
    shuffled = own.with_columns(pl.col("id").shuffle(seed=1))
    lost = fidelity_card(people, shuffled, items=ITEMS, key="id", bounds=BOUNDS, resamples=60, detect=False).overall
    assert abs(lost["individual correlation"].value.value) < 0.1


def test_effects_by_hand_and_their_size():
    people, half = answers(2000, 1, together=0.1, group=1.0), answers(2000, 2, together=0.1, group=0.5)
    card = fidelity_card(people, half, items=ITEMS, groups=["party"], bounds=BOUNDS, resamples=40, detect=False)
    assert len(card.effects) == 12
    first = card.effects[0]
    x, y = (people.filter(pl.col("party") == p)[ITEMS[0]].to_numpy() for p in ("left", "right"))
    pooled = np.sqrt(((len(x) - 1) * x.var(ddof=1) + (len(y) - 1) * y.var(ddof=1)) / (len(x) + len(y) - 2))
    assert first.people.value == pytest.approx((x.mean() - y.mean()) / pooled)
    assert first.replicated and first.same_sign
    assert 0.4 < card.estimates["effect slope"].value < 0.65 and card.estimates["effect slope"].high < 0.8
    assert card.estimates["sign agreement"].value == 1.0 and card.estimates["effect correlation"].value > 0.9
    reversed_ = compare_effects(
        people,
        people.with_columns(pl.col("party").replace({"left": "right", "right": "left"})),
        contrasts(people, "party", ITEMS[:6]),
    )
    assert summary_of_effects(reversed_)["replication"].value == 0.0
    assert compare_effects(people.head(12), people, [Contrast("q0", "party", "left", None)]) == []


def test_kindness_and_rationality():
    good = {name: 1 if i % 2 else -1 for i, name in enumerate(ITEMS)}
    people = answers(500, 1)
    kinder = people.with_columns((pl.col(c) + good[c]).clip(1, 7).alias(c) for c in ITEMS)
    card = fidelity_card(
        people, kinder, items=ITEMS, bounds=BOUNDS, good=good, right={"q0": 1.0}, resamples=40, detect=False
    )
    assert card.estimates["kindness"].above and card.estimates["kindness"].value == pytest.approx(0.15, abs=0.02)
    assert card.estimates["rationality of q0"].above
    assert any("good end" in s for s in card.sentences()) and any("normative answer" in s for s in card.sentences())
    with pytest.raises(DataError, match=r"\+1 or -1 for items that are compared"):
        fidelity_card(people, kinder, items=ITEMS, good={"q99": 1}, resamples=10, detect=False)


def test_answers_given_twice():
    first = np.array([[1.0, 5, np.nan], [2, 4, 3], [3, 3, 1]])
    second = np.array([[1.0, 4, 2], [2, 5, 3], [5, 3, np.nan]])
    found = agreement(first, second, np.ones(3), np.full(3, 5.0))
    assert found["same"].value == pytest.approx(4 / 7)
    assert found["accuracy"].value == pytest.approx(1 - (1 + 1 + 2) / 4 / 7)
    assert agreement(first, first, np.ones(3), np.full(3, 5.0))["correlation"].value == pytest.approx(1.0)
    with pytest.raises(DataError, match="no answer was given both times"):
        agreement(np.full((2, 2), np.nan), np.ones((2, 2)), np.ones(2), np.full(2, 5.0))


def test_tables_that_do_not_fit_are_refused():
    people = answers(50, 1)
    with pytest.raises(DataError, match="the item 'x' is not in the table of the people"):
        samples(people, people, ["x"])
    with pytest.raises(DataError, match="the item 'party' is String in the table of the people: code it as numbers"):
        samples(people, people, ["party"])
    with pytest.raises(DataError, match="the key 'id' is missing or not unique in the table of the simulated"):
        samples(people, people.with_columns(pl.lit(1).alias("id")), key="id")
    with pytest.raises(DataError, match=r"'q0' has answers from 2 to 7, out of its bounds \(1, 5\)"):
        samples(people, people, ["q0"], bounds={"q0": (1, 5)})
    with pytest.raises(DataError, match="there is nothing to compare"):
        samples(people.head(5), people)
    both = samples(people, people.head(20), key="id")
    assert both.people.shape == both.simulated.shape == (20, 12) and (both.people == both.simulated).all()


def test_few_and_constant_answers_are_no_trouble():
    people = answers(40, 1).with_columns(pl.lit(3.0).alias("q0"), pl.lit(None, pl.Float64).alias("q1"))
    card = fidelity_card(people, answers(40, 2), items=ITEMS, resamples=20, detect=False)
    assert card.left_out == ["q1"] and np.isinf(card.items["q0"]["spread"].value.value)
    assert card.items_table().height == 33 and card.table().height >= 2


@pytest.mark.slow
def test_recorded_twins_are_told_from_their_people():
    try:
        folder = reference("twin-mega-study")
    except DataError as error:
        pytest.skip(str(error))
    people, twins = (pl.read_csv(folder / f"combined_dv_{who}.csv", infer_schema_length=None) for who in ("human", "llm"))
    card = fidelity_card(people, twins, key="TWIN_ID", resamples=40)
    assert card.people == card.simulated and card.paired and not card.left_out
    assert card.share("spread", above=False) > 0.7  # too uniform
    assert card.overall["detection"].value.low > 0.9
    r = card.overall["individual correlation"].value
    assert r.low > 0.1 and r.high < 0.35  # some of the person, by far not all
    assert card.overall["accuracy"].value.value < card.overall["accuracy of the item mean"].value.value
