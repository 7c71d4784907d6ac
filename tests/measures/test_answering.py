"""Ways of answering compared: costs by hand, planted ways told apart, the pull of the first place, people beside."""

import polars as pl
import pytest

from ethogram.errors import ConfigError
from ethogram.language import scripted
from ethogram.measures.answering import compare_ways, expected_costs
from ethogram.policies.prompted.respondent import Respondent
from ethogram.questionnaires import Block, Choice, Questionnaire, Scale
from ethogram.simulation import simulate
from ethogram.worlds.coded.survey import Survey

ASKED = Questionnaire(
    title="Tea",
    block=[
        Block(
            name="all",
            item=[
                Choice(name="drink", text="Tea, coffee or water?", options=["tea", "coffee", "water"]),
                Scale(name="often", text="How often?", low=1, high=5),
            ],
        )
    ],
)
FIRST = 1.5


def rate(request):
    """Likes tea a little; prefers what is listed first."""
    lines = [line for line in request.messages[-1]["content"].splitlines() if line[1:3] == ". "]
    return [0.5 * line.endswith(". tea") + FIRST * (place == 0) for place, line in enumerate(lines)]


def respond(request):
    """Says tea and 5, within a grammar or freely; freely, nothing that fits to the scale."""
    drink = "coffee" in request.messages[-1]["content"]
    if request.schema is not None:
        return '{"verb": "drink", "answer": "tea"}' if drink else '{"verb": "often", "answer": 5}'
    return "I would like tea." if drink else "quite often"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ways")
    model = scripted(respond, rate)
    return {
        how: simulate(Survey(ASKED, 40), Respondent(model, how=how), seed=0, to=folder / how, progress=False)
        for how in ("score", "constrain", "read")
    }


def test_costs_by_hand():
    found = expected_costs(ASKED, ["x" * 40, "x" * 80], ["score", "constrain"], calibrate=True)
    letters = [60 + len("Tea, coffee or water?") + len("teacoffeewater") + 9, 60 + len("How often?") + 5 + 15]
    assert found["score"].calls == 2 * 2 * (3 + 5) and found["constrain"].calls == 4
    assert found["constrain"].tokens == 2 * sum(70 + length // 4 for length in letters)
    assert found["score"].money is None and str(found["constrain"]).startswith("about 4 calls and ")


def test_ways_are_told_apart(runs):
    found = compare_ways(ASKED, runs)
    assert found.effort["score"][:2] == (80, 80) and found.effort["read"].answered == 40
    assert found.effort["score"].calls == 40 * (3 + 5) and found.effort["read"].tries > 80
    same = found.apart["score", "constrain"]
    assert same.same.value < 0.7 and same.distance.value > 0.3 and same.beyond[0] == "often"
    assert found.apart["constrain", "read"].same.value == 1, "tea both ways; what was not answered does not count"
    said = " ".join(found.sentences())
    assert "By read 40 of 80 questions were answered" in said and "beyond it: often" in said
    table = found.table()
    assert table.filter(way="constrain", figure="share answered")["value"].to_list() == [1.0]
    assert table["way"].unique().sort().to_list()[0] == "constrain" and found.dump()["ways"]["score"]["calls"] == 320


def test_the_pull_of_the_first_place_is_told_from_what_options_say(runs):
    import numpy as np

    def first(options, liked):
        """P(first) less its share, over rotations of a list in which one option is liked."""
        shares = []
        for place in range(options):
            weights = np.exp([FIRST * (i == 0) + liked * (i == place) for i in range(options)])
            shares.append(weights[0] / weights.sum())
        return np.mean(shares) - 1 / options

    pull = compare_ways(ASKED, runs).first
    assert set(pull) == {"score"}
    assert pull["score"].value == pytest.approx((3 * first(3, 0.5) + 5 * first(5, 0.0)) / 8)
    assert not compare_ways(ASKED, runs, averaged=False).first


def test_beside_people(runs):
    people = pl.DataFrame({"drink": [1.0] * 37 + [2.0] * 3, "often": [5.0] * 36 + [4.0] * 4})
    found = compare_ways(ASKED, {name: runs[name] for name in ("score", "constrain")}, people=people, detect=False)
    assert set(found.cards) == {"score", "constrain"}
    assert found.sentences()[-1].startswith("From closest to people to furthest: constrain (")
    with pytest.raises(ConfigError, match="none of the columns drink, often"):
        compare_ways(ASKED, runs, people=pl.DataFrame({"other": [1.0]}))
    with pytest.raises(ConfigError, match="at least one way"):
        compare_ways(ASKED, {})
