"""`twin-2k-500`, the experiments: thirteen instruments with arms, and coded respondents whose effects are known exactly."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.language import model as open_model
from ethogram.measures import Estimate, mean_difference
from ethogram.measures.fidelity.effects import Contrast, compare_effects
from ethogram.policies.coded.scripted import Scripted
from ethogram.policies.prompted.respondent import Respondent
from ethogram.questionnaires import Asked, Number, Scale, answers, instrument
from ethogram.scene import Policies, scene
from ethogram.seeds import derive
from ethogram.studies import Lab
from ethogram.world import World
from ethogram.worlds.coded.survey import Survey

if TYPE_CHECKING:
    import polars as pl

    from ethogram.records import Run

__all__ = ["CODED", "EXPERIMENTS", "LISTED", "Experiment", "Planted", "Truth", "measured", "questioned", "truth"]

Array = NDArray[np.float64]
CODED = ("classic", "none", "reversed")
"""The coded respondents: effects as people have them in kind, no effects, and each effect turned round."""


class Experiment(NamedTuple):
    """A contrast between two arms, and the law that coded respondents answer by.

    A coded answer is k with probability proportional to exp(-(k - m)² / 2 s²) over the codes k that the item has, where m is
    `middle` plus a half of `effect` in the arm `one`, and less a half in the arm `other`.
    """

    name: str
    instrument: str
    arm: str
    one: str
    other: str
    items: tuple[str, ...]
    """The outcome is the mean of those that were answered."""
    middle: float
    effect: float
    spread: float


CARDS, ROLLS = (tuple(f"{word}_{i}" for i in range(1, n + 1)) for word, n in (("card", 10), ("roll", 6)))
EXPERIMENTS = (
    Experiment("disease framing", "disease-framing", "frame", "loss", "gain", ("plan_gain", "plan_loss"), 3.3, 1.0, 1.6),
    Experiment("anchoring: countries", "anchoring", "countries", "65", "12", ("countries_estimate",), 35, 14, 16),
    Experiment("anchoring: tree", "anchoring", "height", "1000", "85", ("height_estimate",), 400, 260, 250),
    Experiment(
        "sunk cost",
        "sunk-cost",
        "price",
        "paid the full price of $400 for",
        "were given, for nothing,",
        ("evenings",),
        9,
        3,
        6,
    ),
    Experiment("Allais", "allais", "pair", "uncertain", "certain", ("choice_certain", "choice_uncertain"), 1.5, 0.3, 0.5),
    Experiment(
        "Linda",
        "linda",
        "statement",
        "is a bank teller who is active in the women's movement",
        "is a bank teller",
        ("likely",),
        3.4,
        0.9,
        1.4,
    ),
    Experiment("outcome bias", "outcome-bias", "outcome", "he is well again", "he dies of it", ("decision",), 4.8, 0.8, 1.5),
    Experiment(
        "selling and buying risk",
        "buying-and-selling-risk",
        "offer",
        "exposure",
        "cure",
        ("pay_cure", "accept_exposure", "pay_part"),
        5,
        3,
        2.5,
    ),
    Experiment("less is more", "less-is-more", "otherwise", "lose 5 cents", "win nothing", ("attractive",), 2.8, 0.6, 1.2),
    Experiment(
        "proportion dominance",
        "proportion-dominance",
        "saves",
        "98 % of 150 people",
        "150 people",
        ("support",),
        3.6,
        0.6,
        1.1,
    ),
    Experiment("relative savings", "relative-savings", "price", "$15", "$125", ("drive",), 0.5, 0.35, 0.5),
    Experiment("base rates", "base-rates", "engineers", "70", "30", ("chance",), 55, 12, 22),
    Experiment("probability matching", "probability-matching", "game", "die", "cards", (*CARDS, *ROLLS), 0.35, 0.2, 0.6),
    Experiment(
        "myside bias",
        "myside-bias",
        "side",
        "The United States should ban a German car",
        "Germany should ban an American car",
        ("agree",),
        3.8,
        0.6,
        1.5,
    ),
)
"""All contrasts, each in the direction that people's effect has in the literature: `one` gives the higher answers."""

LISTED = tuple(
    e for e in EXPERIMENTS if not any(isinstance(instrument(e.instrument).items[item], Number) for item in e.items)
)
"""Those whose answers are options, which a language model can be asked by their scores."""


class Truth(NamedTuple):
    """What a coded respondent's law makes of a contrast, exactly."""

    difference: float
    d: float
    """Cohen's, with arms of one size."""


class Planted(Scripted):
    """Answers by the law of `Experiment`; items that are no outcome of one are answered at random.

    Args:
        name: of the instrument.
        kind: one of `CODED`.
    """

    def __init__(self, name: str, kind: str) -> None:
        super().__init__()
        form = instrument(name)
        self._items = form.items
        self._arms = form.combinations
        self._laws = {item: (e, kind) for e in EXPERIMENTS if e.instrument == name for item in e.items}

    def script(self, observation: Asked, space: Any, memory: dict[str, Any], rng: np.random.Generator) -> Any:
        """Draw a code, and say what it stands for."""
        item = self._items[observation.item]
        values = codes(item)
        if observation.item in self._laws:
            experiment, kind = self._laws[observation.item]
            chances = law(experiment, kind, self._arms[observation.form][experiment.arm], values)
        else:
            chances = np.full(len(values), 1 / len(values))
        place = int(rng.choice(len(values), p=chances))
        answer = int(values[place]) if isinstance(item, Number | Scale) else item.options[place]
        return space.load({"verb": observation.item, "answer": answer})


def codes(item: Any) -> Array:
    """The codes of all answers that an item may have, in order; shape (answers,)."""
    if isinstance(item, Number | Scale):
        assert item.low is not None and item.high is not None
        return np.arange(int(item.low), int(item.high) + 1, dtype=float)
    return np.array([item.column(option)[item.name] for option in item.options])


def law(experiment: Experiment, kind: str, level: str, values: Array) -> Array:
    """How likely a coded respondent gives each answer, in an arm; shape (answers,)."""
    sign = {experiment.one: 1, experiment.other: -1}.get(level, 0) * {"classic": 1, "none": 0, "reversed": -1}[kind]
    centre = experiment.middle + sign * experiment.effect / 2
    weights = np.exp(-0.5 * ((values - centre) / experiment.spread) ** 2)
    return weights / weights.sum()


def truth(experiment: Experiment, kind: str) -> Truth:
    """The difference and Cohen's d that a coded respondent has, by summing over all answers."""
    items = instrument(experiment.instrument).items
    moments = []
    for level in (experiment.one, experiment.other):
        values = codes(items[experiment.items[0]])  # all outcomes of a contrast have the same codes
        chances = law(experiment, kind, level, values)
        mean = float(chances @ values)
        given = _given(experiment, level)
        moments.append((mean, float(chances @ (values - mean) ** 2) / given))
    (a, v), (b, w) = moments
    return Truth(a - b, (a - b) / float(np.sqrt((v + w) / 2)))


def _given(experiment: Experiment, level: str) -> int:
    """Of how many answers the outcome in an arm is the mean."""
    form = instrument(experiment.instrument)
    arms: Mapping[str, str] = next(c for c in form.combinations if c[experiment.arm] == level)
    questions = form.form(0, 1, 0).questions
    return sum(q.item.name in experiment.items and form.asked(q, arms) for q in questions)


@scene
def questioned(name: str, who: str, respondents: int, cache: str = "") -> tuple[World, Policies]:
    """Respondents answer the instrument of an experiment.

    Args:
        name: of the instrument.
        who: one of `CODED`, or the spelling of a language model.
        respondents: how many.
        cache: file of the model's answers.
    """
    if who in CODED:
        return Survey(instrument(name), respondents), Planted(name, who)
    player = open_model(who, cache=cache) if cache else open_model(who)
    return Survey(instrument(name), respondents), Respondent(player)


def outcomes(run: Run, experiment: Experiment) -> pl.DataFrame:
    """A row a respondent: the level of the arm, and the `answer`."""
    import polars as pl

    table = answers(run, instrument(experiment.instrument))
    return table.select(pl.col(experiment.arm), pl.mean_horizontal(*experiment.items).alias("answer")).drop_nulls()


def effect(table: pl.DataFrame, experiment: Experiment) -> tuple[Estimate, Estimate | None]:
    """The difference of the arms' means (Welch), and Cohen's d; None where an arm has no spread or too few answers."""
    one, other = (
        table.filter(table[experiment.arm] == level)["answer"].to_numpy() for level in (experiment.one, experiment.other)
    )
    contrast = Contrast("answer", experiment.arm, experiment.one, experiment.other)
    found = compare_effects(table, table, [contrast])
    return mean_difference(one, other), found[0].people if found else None


def measured(item: dict[str, Any], lab: Lab) -> list[dict[str, Any]]:
    """Run all instruments with one kind of respondent and one seed.

    Returns:
        A record a contrast: `name`, `difference` and `d` (estimates as JSON values).
    """
    who, wanted = item["who"], [e for e in EXPERIMENTS if e.name in item["experiments"]]
    found: list[dict[str, Any]] = []
    for name, several in itertools.groupby(wanted, lambda e: e.instrument):
        count, episodes = item["respondents"], 1
        if who not in CODED:  # the same few names in each episode, so that a model is asked once and many answers are drawn
            arms = len(instrument(name).combinations)
            count, episodes = arms, -(-count // arms)
        made = questioned(name, who, count, item.get("cache", ""))
        seed = derive(item["seed"], name, _plain(who))  # of its own: equal luck would make the experiments one
        run = lab.simulate(f"{name}-{_plain(who)}-{item['seed']}", made, seed=seed, episodes=episodes)
        for experiment in several:
            difference, d = effect(outcomes(run, experiment), experiment)
            found.append({"name": experiment.name, "difference": difference.dump(), "d": d.dump() if d else None})
    return found


def _plain(who: str) -> str:
    return who if who in CODED else "model"


def names(experiments: Sequence[Experiment] = EXPERIMENTS) -> list[str]:
    """What contrasts are called."""
    return [e.name for e in experiments]
