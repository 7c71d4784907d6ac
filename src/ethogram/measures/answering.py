"""Ways of answering a questionnaire, compared: what each will cost, and, once all have answered, how they differ.

A language model can be made to answer by its scores of options, within a grammar, or freely (see `Respondent`). The same
people put through each way give different answers; `compare_ways` says how different, what each way took, and, where people
have answered too, which way comes closest to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ethogram.errors import ConfigError, DataError
from ethogram.measures.estimate import Estimate
from ethogram.measures.fidelity.card import Card, fidelity_card
from ethogram.measures.fidelity.individuals import agreement
from ethogram.measures.means import mean
from ethogram.measures.proportions import proportion

if TYPE_CHECKING:
    import polars as pl

    from ethogram.questionnaires import Questionnaire
    from ethogram.records import Run

__all__ = ["Apart", "Cost", "Effort", "Ways", "check_people", "compare_ways", "expected_costs"]

LETTERS, FRAME, REPLY = 4, 70, 30
"""Characters to a token; tokens of a prompt around question and persona; tokens of a reply. Rough, to say what may come."""
WORST = 5
"""How many items the sentences name."""


class Cost(NamedTuple):
    """What a way of answering takes, if every question is asked and no answer is refused."""

    calls: int
    tokens: int
    """Of prompts."""
    money: float | None
    """None where the model's prices are not known."""

    def __str__(self) -> str:
        """As in `about 120 calls and 20,400 tokens of prompts, 0.12 in money`."""
        price = "" if self.money is None else f", {self.money:.2f} in money"
        return f"about {self.calls:,} calls and {self.tokens:,} tokens of prompts{price}"


def expected_costs(
    questionnaire: Questionnaire,
    personas: Sequence[str],
    ways: Sequence[str],
    *,
    model: str = "",
    average: bool = True,
    calibrate: bool = False,
) -> dict[str, Cost]:
    """What each way will take, before anything is asked.

    Args:
        questionnaire: what is asked.
        personas: how each respondent is described (empty texts where they are not).
        ways: `score`, `constrain`, `read`.
        model: its spelling, for its prices.
        average: whether scores are averaged over orders of the options.
        calibrate: whether a question without content is asked as well.
    """
    from ethogram.language.budget import prices_of

    prices, people = prices_of(model) if model else None, len(personas)
    persona = sum(map(len, personas)) // max(people, 1)
    found = {}
    for way in ways:
        calls = tokens = 0
        for item in questionnaire.items.values():
            options = list(getattr(item, "options", ())) or item.points()
            each = 1
            if way == "score" and options and item.type != "allocation":
                orders = (2 if item.type == "multiple" else len(options)) if average else 1
                each = orders * (len(options) if item.type == "multiple" else 1) * (2 if calibrate else 1)
            calls += each
            length = persona + len(item.text) + sum(map(len, options)) + 3 * len(options)
            tokens += each * (FRAME + length // LETTERS)
        money = None if prices is None else people * prices.of(tokens, REPLY * calls)
        found[way] = Cost(people * calls, people * tokens, money)
    return found


class Effort(NamedTuple):
    """What a way took, and whether it led to answers."""

    asked: int
    """Questions that were put."""
    answered: int
    tries: int
    """Times they were put, those included in which an answer was refused."""
    calls: int
    tokens_in: int
    tokens_out: int

    @property
    def share(self) -> Estimate:
        """The share of questions that were answered."""
        return proportion(self.answered, self.asked)


class Apart(NamedTuple):
    """How far two ways are from each other."""

    same: Estimate | None
    """The share of answers that the same respondents gave alike; None where nobody answered both ways."""
    distance: Estimate | None
    """The mean distance of items (Wasserstein-1, as a share of the range); None where there are too few answers."""
    noise: float
    """Up to what, in 95 % of cases, an item of the first way differs from itself by sampling alone; mean over items."""
    beyond: list[str]
    """Items that differ beyond that, the furthest first."""


@dataclass
class Ways:
    """What came of the ways; `sentences` says it in words, `table` in numbers."""

    title: str
    answers: dict[str, pl.DataFrame]
    """By way: a row a respondent, as `questionnaires.answers` gives it, with what is known of them."""
    effort: dict[str, Effort]
    first: dict[str, Estimate]
    """By way that scored options in all orders: how much likelier than its share an option is for being listed first."""
    apart: dict[tuple[str, str], Apart]
    scores: dict[str, dict[str, Estimate]]
    """By way, the mean of each score of the questionnaire."""
    cards: dict[str, Card] = field(default_factory=dict)
    """By way, beside people."""

    def table(self) -> pl.DataFrame:
        """A row a figure: `way` (or two, joined by `and`), `figure`, `value`, `low`, `high`, `n`."""
        import polars as pl

        rows: list[dict[str, Any]] = []

        def add(way: str, figure: str, found: Estimate | float | None) -> None:
            if found is not None:
                one = found if isinstance(found, Estimate) else Estimate.exact(found)
                rows.append({"way": way, "figure": figure, "value": one.value, "low": one.low, "high": one.high, "n": one.n})

        for way, effort in self.effort.items():
            for name, value in effort._asdict().items():
                add(way, name, float(value))
            add(way, "share answered", effort.share if effort.asked else None)
            add(way, "pull of the first place", self.first.get(way))
            for name, score in self.scores[way].items():
                add(way, name, score)
            if way in self.cards:
                add(way, "distance from people", _distance(self.cards[way]))
        for pair, found in self.apart.items():
            add(" and ".join(pair), "same answers", found.same)
            add(" and ".join(pair), "distance", found.distance)
        schema: dict[str, Any] = {"way": pl.String, "figure": pl.String, "value": pl.Float64, "low": pl.Float64}
        return pl.DataFrame(rows, schema={**schema, "high": pl.Float64, "n": pl.Int64})

    def sentences(self) -> list[str]:
        """What was found, in plain words."""
        said = []
        for way, one in self.effort.items():
            again = f", {one.tries - one.asked:,} asked again" if one.tries > one.asked else ""
            took = f"{one.calls:,} calls, {one.tokens_in:,} tokens read and {one.tokens_out:,} written"
            said.append(f"By {way} {one.answered:,} of {one.asked:,} questions were answered{again}: {took}.")
        for way, pull in self.first.items():
            bounds = f" [{pull.low:+.1%}, {pull.high:+.1%}]" if pull.bounded else ""
            said.append(f"By {way} an option is {pull.value:+.1%}{bounds} likelier than its share where it is listed first.")
        for (one, other), found in self.apart.items():
            said += _of_a_pair(one, other, found)
        if len(self.cards) > 1:
            order = sorted(self.cards, key=lambda way: _distance(self.cards[way]).value)
            named = ", ".join(f"{way} ({_distance(self.cards[way]).value:.3f} of the range)" for way in order)
            said.append(f"From closest to people to furthest: {named}.")
        return said

    def dump(self) -> dict[str, Any]:
        """All but tables of answers, as JSON values."""
        return {
            "title": self.title,
            "ways": {way: {name: float(value) for name, value in one._asdict().items()} for way, one in self.effort.items()},
            "first": {way: one.dump() for way, one in self.first.items()},
            "apart": {" and ".join(pair): _dumped(found) for pair, found in self.apart.items()},
            "scores": {way: {name: one.dump() for name, one in found.items()} for way, found in self.scores.items()},
            "sentences": self.sentences(),
            "cards": {
                way: {
                    "sentences": card.sentences(),
                    "figures": {name: beside.value.dump() for name, beside in card.overall.items()}
                    | {name: estimate.dump() for name, estimate in card.estimates.items()},
                }
                for way, card in self.cards.items()
            },
        }


def compare_ways(
    questionnaire: Questionnaire,
    runs: Mapping[str, Run],
    *,
    attributes: pl.DataFrame | None = None,
    people: pl.DataFrame | None = None,
    key: str | None = None,
    groups: Sequence[str] = (),
    averaged: bool = True,
    detect: bool = True,
    seed: int = 0,
) -> Ways:
    """The report of several ways of answering one questionnaire.

    Args:
        questionnaire: what was asked.
        runs: by way, the record of the world `Survey`.
        attributes: what is known of respondents, a row each, with the column `respondent`.
        people: people's answers, a row a person, with columns as `questionnaires.answers` gives them.
        key: the column that says which person a respondent stands for.
        groups: columns whose effects are compared with people's.
        averaged: whether scores were asked for in all orders: only then can the pull of a place be told from content.
        detect: whether a classifier is to tell the ways from people (the slow part of a card).
        seed: of everything random.

    Raises:
        DataError: a run is no record of the questionnaire.
        ConfigError: no runs, or the table of people has none of its columns.
    """
    from ethogram.questionnaires import answers

    if not runs:
        raise ConfigError("compare_ways: give the run of at least one way of answering")
    tables, cards = {}, {}
    for way, run in runs.items():
        table = answers(run, questionnaire)
        tables[way] = table if attributes is None else table.join(attributes, on="respondent", how="left")
        if people is not None:
            cards[way] = _card(questionnaire, tables[way], people, key, groups, detect, seed)
    pulls = {way: _pull(run) for way, run in runs.items()} if averaged else {}
    return Ways(
        title=questionnaire.title,
        answers=tables,
        effort={way: _effort(questionnaire, run) for way, run in runs.items()},
        first={way: pull for way, pull in pulls.items() if pull is not None},
        apart={
            (one, other): _apart(questionnaire, tables[one], tables[other], seed) for one, other in combinations(tables, 2)
        },
        scores={way: _scores(questionnaire, table) for way, table in tables.items()},
        cards=cards,
    )


def _card(
    asked: Questionnaire,
    table: pl.DataFrame,
    people: pl.DataFrame,
    key: str | None,
    groups: Sequence[str],
    detect: bool,
    seed: int,
) -> Card:
    check_people(asked, people, table, key, groups)
    simulated = table.rename({"respondent": key}) if key and key not in table.columns else table
    items = [name for name in _items(asked, simulated) if name in people.columns]
    return fidelity_card(people, simulated, items=items, key=key, groups=groups, detect=detect, seed=seed)


def check_people(
    questionnaire: Questionnaire,
    people: pl.DataFrame,
    respondents: pl.DataFrame,
    key: str | None = None,
    groups: Sequence[str] = (),
) -> None:
    """Whether answers can be held beside people's; asked before there are any, it saves paying for them in vain.

    Args:
        questionnaire: what will be asked.
        people: people's answers, a row a person, with columns as `questionnaires.answers` gives them.
        respondents: what is known of those who will answer, a row each; `respondent`, their names, may be among it.
        key: the column that says which person a respondent stands for: of people, and of respondents or else their names.
        groups: columns whose effects will be compared.

    Raises:
        ConfigError: people have none of its columns, or text in one; a key or group is not there; a key is not unique.
    """
    shared = [name for name in _numbers(questionnaire) if name in people.columns]
    if not shared:
        raise ConfigError(f"the table of people has none of the columns {', '.join(questionnaire.columns()[:8])}")
    if worded := [name for name in shared if str(people.schema[name]) == "String"]:
        raise ConfigError(f"the table of people has text in the column {worded[0]!r}: code answers as numbers")
    for name in (*groups, *([key] if key else [])):
        if name not in people.columns:
            raise ConfigError(f"the table of people has no column {name!r}")
    own = {*respondents.columns, *questionnaire.arms, *questionnaire.columns()}
    if missing := [name for name in groups if name not in own]:
        raise ConfigError(
            f"nothing is known of {missing[0]!r} for those who answer: it is no arm, item or attribute of theirs"
        )
    for table, whose in ((people, "people"), (respondents, "those who answer")):
        if key and key in table.columns and (table[key].is_duplicated().any() or table[key].null_count()):
            raise ConfigError(f"the key {key!r} is missing or not unique in the table of {whose}")


def _numbers(asked: Questionnaire) -> list[str]:
    """The columns of answers that are numbers; scores, which follow from them, are not among them."""
    return [name for item in asked.items.values() if item.type != "open" for name in item.column(None)]


def _items(asked: Questionnaire, table: pl.DataFrame) -> list[str]:
    """Those of them in a table."""
    return [name for name in _numbers(asked) if name in table.columns and table.schema[name].is_numeric()]


def _effort(asked: Questionnaire, run: Run) -> Effort:
    import polars as pl

    from ethogram.questionnaires import asked as questions

    put = questions(run, asked)
    total = run.calls.select(pl.len().alias("calls"), pl.col("tokens_in", "tokens_out").sum()).collect().row(0)
    return Effort(put.height, int(put["answer"].count()), int(put["tries"].sum() or 0), *(int(n or 0) for n in total))


def _pull(run: Run) -> Estimate | None:
    """P(listed first) - 1 / options, mean over respondents; what options say cancels, for each was listed first once."""
    import polars as pl

    scored = pl.col("scores").is_not_null() & (pl.col("purpose") == "answer") & (pl.col("options").list.len() > 1)
    calls = run.calls.filter(scored).select("agent", "scores").collect()
    of: dict[str, list[float]] = {}
    for agent, scores in calls.iter_rows():
        values = np.array(scores, dtype=float)
        if np.isfinite(values).any():
            weights = np.exp(values - values.max())
            of.setdefault(agent, []).append(float(weights[0] / weights.sum()) - 1 / len(values))
    return mean([float(np.mean(one)) for one in of.values()]) if of else None


def _apart(asked: Questionnaire, one: pl.DataFrame, other: pl.DataFrame, seed: int) -> Apart:
    items = [name for name in _items(asked, one) if name in _items(asked, other)]
    distance, noise, beyond = None, float("nan"), []
    try:
        card = fidelity_card(one, other, items=items, detect=False, seed=seed, resamples=100)
        distance = _distance(card)
        noise = float(np.mean([found["distance"].high for found in card.items.values()]))
        far = [name for name, found in card.items.items() if found["distance"].value.low > found["distance"].high]
        beyond = sorted(far, key=lambda name: -card.items[name]["distance"].value.value)
    except DataError:  # too few answers for distributions
        pass
    return Apart(_same(items, one, other, seed), distance, noise, beyond)


def _same(items: list[str], one: pl.DataFrame, other: pl.DataFrame, seed: int) -> Estimate | None:
    at = ["episode", "respondent"]
    both = one.select(*at, *items).join(other.select(*at, *items), on=at, suffix=" again")
    first = both.select(items).to_numpy().astype(float)
    second = both.select([f"{name} again" for name in items]).to_numpy().astype(float)
    if not (np.isfinite(first) & np.isfinite(second)).any():
        return None
    low, high = np.zeros(len(items)), np.ones(len(items))  # answers are compared, not their distance
    return agreement(first, second, low, high, seed)["same"]


def _distance(card: Card) -> Estimate:
    """The mean distance of items; its interval is as wide as if all items erred together."""
    found = [beside["distance"].value for beside in card.items.values()]
    value, low, high = (float(np.mean([getattr(one, name) for one in found])) for name in ("value", "low", "high"))
    return Estimate(value, max(0.0, low), high, len(found), "mean over items, and of their intervals")


def _scores(asked: Questionnaire, table: pl.DataFrame) -> dict[str, Estimate]:
    values = {score.name: table[score.name].drop_nulls().to_list() for score in asked.scores}
    return {name: mean(some) for name, some in values.items() if some}


def _of_a_pair(one: str, other: str, found: Apart) -> list[str]:
    said = []
    if found.same is not None:
        bounds = f" [{found.same.low:.0%}, {found.same.high:.0%}]" if found.same.bounded else ""
        said.append(f"By {one} and by {other} {found.same.value:.0%}{bounds} of the answers are the same.")
    if found.distance is not None:
        worst = f"; beyond it: {', '.join(found.beyond[:WORST])}" if found.beyond else "; none is beyond it"
        said.append(
            f"Between {one} and {other} items differ by {found.distance.value:.3f} of their range on average, where "
            f"sampling alone gives up to {found.noise:.3f}{worst}."
        )
    return said


def _dumped(found: Apart) -> dict[str, Any]:
    return {
        "same": found.same and found.same.dump(),
        "distance": found.distance and found.distance.dump(),
        "noise": None if np.isnan(found.noise) else found.noise,
        "beyond": found.beyond,
    }
