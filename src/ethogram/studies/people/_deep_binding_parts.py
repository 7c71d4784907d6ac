"""The parts of `deep-binding` that are computed apart: planted pairs, told stories, and tuned models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.aio import run_coroutine
from ethogram.language.tuning import Lesson, predict, tune
from ethogram.policies.prompted.backstory import Story, interview
from ethogram.policies.prompted.consistency import StatementCritic, statements
from ethogram.policies.prompted.surrogate_writer import SurrogateWriter, WriterLaw
from ethogram.populations.matching import match, trait_weights
from ethogram.questionnaires import Block, Questionnaire, instrument
from ethogram.questionnaires.datasets.anes import LEVELS, STATES
from ethogram.seeds import derive, generator
from ethogram.studies import Lab
from ethogram.studies.people._deep_binding_people import (
    ITEMS,
    OPTIONS,
    SIDES,
    drawn,
    histogram,
    identities,
    lesson,
    primers,
    spread,
    tested,
    trained,
    turned,
)

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ARMS", "TRAITS", "Pair", "matched", "pairs", "read_out", "told", "tuned", "vetted"]

Array = NDArray[np.float64]

AGES = ("under 30", "30 to 39", "40 to 49", "50 to 59", "60 to 69", "70 and over")
TRAITS: Mapping[str, Sequence[str]] = {
    "identity": tuple(level for level in LEVELS["identity"] if level != "Independent"),
    "education": LEVELS["education"],
    "income": LEVELS["income"],
    "race": LEVELS["race"],
    "ages": AGES,
    "home": tuple(STATES.values()),
}
"""What virtual and real people are matched by, and its levels. How warmly anybody feels is not among them."""

ARMS: Mapping[str, tuple[bool, str]] = {
    "full": (True, "assignment"),
    "no critic": (False, "assignment"),
    "greedy": (True, "greedy"),
    "no matching": (True, "random"),
}
"""Arms of told stories: whether a critic vets them, and how they are matched to people."""

STATED = {
    "politics": "identity",
    "schooling": "education",
    "income": "income",
    "race": "race",
    "age": "ages",
    "home": "home",
}
"""The traits that statements of a story are about."""
DOUBT = 0.05
"""How much of a trait's probability is spread over all levels whatever was said."""


def _known(people: pl.DataFrame) -> pl.DataFrame:
    """The people with the traits they are matched by."""
    import polars as pl

    return people.with_columns(
        ages=pl.col("age").map_elements(_aged, return_dtype=pl.String),
        home=pl.col("state").replace_strict(STATES, default=None, return_dtype=pl.String),
    )


def _aged(age: int) -> str:
    return AGES[min(max(age // 10 - 2, 0), len(AGES) - 1)]


# --- planted pairs ---


def matched(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """Planted pairs: virtual people who are asked for their traits again and again, and answer wrongly at a known rate.

    No two people have all traits alike. Of each trait, a virtual person gives `asked` answers, each right with probability
    `right`, else any other level; their shares, with one answer more spread over all levels, are what is known.
    """
    rng = generator(item["seed"], "planted")
    people = _known(tested()).drop_nulls(list(TRAITS)).unique(list(TRAITS), keep="first", maintain_order=True)
    people = people[np.sort(rng.choice(people.height, item["people"], replace=False))]
    order = rng.permutation(people.height)
    probabilities = {}
    for trait, levels in TRAITS.items():
        true = np.array([levels.index(value) for value in people[trait].to_list()])[order]
        other = rng.integers(1, len(levels), (len(true), item["asked"]))
        right = rng.random((len(true), item["asked"])) < item["right"]
        said = (true[:, None] + np.where(right, 0, other)) % len(levels)
        counts = np.stack([(said == level).sum(1) for level in range(len(levels))], axis=1)
        probabilities[trait] = (counts + 1 / len(levels)) / (item["asked"] + 1)
    weights = trait_weights(probabilities, TRAITS, people)
    found: dict[str, Any] = {"people": people.height}
    for method in ("assignment", "greedy"):
        pairs = match(weights, method)
        found[method] = {"right": float((order[pairs.virtual] == pairs.real).mean()), "weight": pairs.weight}
    return found


# --- told stories ---


def told(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """Stories of people of the training years, told by law, stand for people of the last year.

    How warmly a story's teller feels is the law of the depth `story` for the party identification that is read out of the
    story, with the shares that its mentions have.
    """
    vetted, method = ARMS[item["arm"]]
    rng = generator(item["seed"], "told")
    pool, last = trained(), tested()
    pool = _known(pool[np.sort(rng.choice(pool.height, item["virtual"], replace=False))])
    last = last.filter(last["year"] == last["year"].max())
    people = _known(last[np.sort(rng.choice(last.height, item["people"], replace=False))])
    facts = {row["respondent"]: _facts(row) for row in pool.iter_rows(named=True)}
    writer = SurrogateWriter(facts, WriterLaw(slip=item["slip"], oblique=item["oblique"]), derive(item["seed"], "writer"))
    critic = StatementCritic() if vetted else None
    stories = [run_coroutine(interview(name, writer, critic, limit=item["limit"])) for name in facts]
    slips = [len(writer.contradictions(story)) for story in stories]
    read = [read_out(story) for story in stories]
    probabilities = {trait: np.stack([one[trait] for one in read]) for trait in TRAITS}
    weights = trait_weights(probabilities, TRAITS, people)
    if method == "random":
        virtual, real = rng.permutation(len(stories))[: people.height], np.arange(people.height)
    else:
        virtual, real, _ = match(weights, method)
    answers = np.einsum("pi,iqo->pqo", probabilities["identity"][virtual], identities())
    named = [TRAITS["identity"].index(value) for value in people["identity"].to_list()]
    return {
        "contradictory": float(np.mean(np.array(slips) > 0)),
        "contradictions": float(np.mean(slips)),
        "rejected": float(np.mean([len(story.rejected) for story in stories])),
        "identity": float(np.mean(probabilities["identity"][virtual].argmax(1) == np.array(named)[real])),
        "distance": _distances(answers, people[real.tolist()], last),
    }


def _facts(person: Mapping[str, Any]) -> dict[str, str]:
    """What a surrogate writer is given of a person of the survey."""
    known = {**person, "home": STATES.get(str(person.get("state")))}
    names = ("identity", "education", "area", "income", "race", "interest", "employment", "age", "home")
    return {name: str(known[name]) for name in names if known[name] is not None}


def read_out(story: Story) -> dict[str, Array]:
    """How likely each level of each trait is for whoever told a story: the shares of its mentions, less some doubt."""
    counts = {trait: np.zeros(len(levels)) for trait, levels in TRAITS.items()}
    for one in story.told:
        for statement in statements(one.answer):
            trait = STATED.get(statement.subject, "")
            value = _aged(int(statement.value)) if trait == "ages" else statement.value.replace("of another race", "other")
            place = next((i for i, level in enumerate(TRAITS.get(trait, ())) if level.casefold() == value.casefold()), None)
            if place is not None:
                counts[trait][place] += 1
    return {
        trait: (1 - DOUBT) * (n / n.sum() if n.any() else np.full(len(n), 1 / len(n))) + DOUBT / len(n)
        for trait, n in counts.items()
    }


def _distances(answers: Array, people: pl.DataFrame, real: pl.DataFrame) -> dict[str, float]:
    """Wasserstein-1 distance, as a share of the range, between simulated and real people of each party, mean over items."""
    found = {}
    for side in SIDES:
        mine, theirs = (people["party"] == side).to_numpy(), real.filter(real["party"] == side)
        gaps = []
        for place, item in enumerate(ITEMS):
            simulated, given = answers[mine, place].mean(0) @ spread(), histogram(theirs[item])
            gaps.append(float(np.abs(np.cumsum(simulated - given / given.sum()))[:-1].sum() / 100))
        found[side] = float(np.mean(gaps))
    return found


# --- critics on planted contradictions ---


class Pair(NamedTuple):
    """Two answers to the same question, after the same story: one that keeps to it, and one that does not."""

    story: Story
    question: str
    honest: str
    contradictory: str


BEFORE = ("origins", "family", "school", "work", "home")
"""What was asked before, in the form that critics are tried on."""


def pairs(n: int, seed: int, oblique: float) -> list[Pair]:
    """Planted contradictions: stories of people of the survey by a writer who never slips, and one who always does."""
    people = drawn(tested(), max(1, n // 20), seed)
    rng = generator(seed, "pairs")
    rows = people[np.sort(rng.choice(people.height, min(n, people.height), replace=False))].iter_rows(named=True)
    facts = {row["respondent"]: _facts(row) for row in rows}
    form = instrument("life-story")
    items = [name for name in form.items if name not in BEFORE]
    short = Questionnaire(title=form.title, block=[Block(name="life", item=[form.items[name] for name in BEFORE])])
    honest, lying = (SurrogateWriter(facts, WriterLaw(slip=slip, oblique=oblique), seed) for slip in (0.0, 1.0))
    found = []
    for place, name in enumerate(facts):
        story = run_coroutine(interview(name, honest, form=short))
        item = form.items[items[place % len(items)]]
        said = [run_coroutine(writer.answer(story, item.name, item.text, 0)) for writer in (honest, lying)]
        if said[0] != said[1]:
            found.append(Pair(story, item.text, said[0], said[1]))
    return found


def vetted(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """How often the coded critic rejects contradictory and honest answers."""
    tried = pairs(item["pairs"], item["seed"], item["oblique"])
    critic = StatementCritic()
    rejects = {
        kind: [bool(run_coroutine(critic.faults(one.story, one.question, getattr(one, kind)))) for one in tried]
        for kind in ("honest", "contradictory")
    }
    return {kind: [sum(found), len(found)] for kind, found in rejects.items()}


# --- tuned models ---


def tuned(item: dict[str, Any], lab: Lab) -> list[list[list[float]]]:
    """What a model, tuned on the training years at one depth, answers for each person of the tested years.

    Returns:
        Shares of the options for each person and thermometer, shape (people, items, options).
    """
    depth = item["depth"]
    folder = lab.made(f"tuned-{depth}-{derive(0, json.dumps(_training(item)))}", lambda place: _tune(item, place))
    people = drawn(tested(), item["each"], item["seed"])
    asked = [lesson(row, depth, which) for row in people.iter_rows(named=True) for which in ITEMS]
    return predicted(folder, asked, item["base"]).reshape(people.height, len(ITEMS), len(OPTIONS)).tolist()


def _training(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("base", "depth", "primers", "lessons", "epochs", "batch", "rate", "seed")}


def _tune(item: Mapping[str, Any], place: Path) -> None:
    people, rng = trained(), generator(item["seed"], "lessons")
    rows = rng.integers(people.height, size=item["lessons"])
    which = rng.integers(len(ITEMS), size=item["lessons"])
    lessons = [lesson(people.row(int(r), named=True), item["depth"], ITEMS[w]) for r, w in zip(rows, which, strict=True)]
    lessons += primers(item["primers"], item["seed"])
    settings = {name: item[name] for name in ("base", "epochs", "batch", "rate")}
    tune(lessons, place, **settings, seed=derive(item["seed"], "tuning") % 2**31)


def predicted(folder: Path | None, lessons: Sequence[Lesson], base: str) -> Array:
    """Shares of the options, each question in the rotation that its place gives it; what is asked twice is asked once."""
    made, orders = turned(lessons)
    places: dict[str, int] = {}
    index = [places.setdefault(json.dumps([one.messages, one.options]), len(places)) for one in made]
    first = [index.index(i) for i in range(len(places))]
    found = predict(folder, [made[i] for i in first], base=base)[index]
    back = np.empty_like(found)
    np.put_along_axis(back, orders, found, axis=1)
    return back
