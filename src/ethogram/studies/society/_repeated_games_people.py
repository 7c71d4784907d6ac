"""`repeated-games`: people against GPT-4; what the look-up tables say of their scores, and what the opponent's label means.

The authors' page (`human_experiment/experiment/js/script.js`, `begintrial`) draws anew in every round which of the two
tables answers, `llmVariation`, and keeps with a person's data the value of that variable at the end: the draw of the last
round of the second game. The label of the opponent is thus one of twenty draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.measures import Estimate, mean, mean_difference, proportion, proportion_difference
from ethogram.measures.linear import linear
from ethogram.measures.logistic import logistic
from ethogram.policies.coded.recorded_players import LookupPlayer, RecordedPlayer
from ethogram.records import Trajectories
from ethogram.records.repeated_games import Person
from ethogram.scene import Scene
from ethogram.simulation import rollouts
from ethogram.studies import Findings
from ethogram.studies.claims import Reported
from ethogram.studies.society._repeated_games_records import PAYOFFS, engine

__all__ = ["HUMAN", "consistent", "statistics", "tables_against_records"]

Tables = Mapping[tuple[str, str], Mapping[tuple[int, ...], int]]
SOURCE = "computed from all 195 people of the release, own"
HUMAN = {
    ("points", "PD"): Reported("6.21 against 6.11 (n.s.)", SOURCE, 0.10),
    ("points", "BoS"): Reported("5.08 against 4.34, t 3.48", SOURCE, 0.74),
    ("d", "BoS"): Reported("0.50", SOURCE, 0.50),
    ("coordination", "BoS"): Reported("0.62 against 0.54", SOURCE, 0.08),
    ("human", "PD"): Reported("64 against 49 %", SOURCE, 0.15),
    ("human", "BoS"): Reported("47 against 36 %", SOURCE, 0.11),
}


def tables_against_records(findings: Findings, persons: Sequence[Person], tables: Tables) -> None:
    """Let people's moves meet the tables in the engine, and compare the scores with those recorded."""
    for game in PAYOFFS:
        there = [one for one in persons if one.game == game]
        if not there:
            continue
        by_label = {label: [_scored(one, tables[game, label]) for one in there] for label in ("Base", "Prompted")}
        right, alike = [], []
        differ: dict[bool, list[list[float]]] = {False: [], True: []}  # by whether it is the last round
        for i, one in enumerate(there):
            own = by_label[one.opponent][i] == np.array(one.scores)
            same = _answers(one, tables[game, "Base"]) == _answers(one, tables[game, "Prompted"])
            right.append(float(own.mean()))
            if same.any():
                alike.append(own[same].mean())
            last = np.arange(len(own)) == len(own) - 1
            for final in differ:
                part = own[~same & (last == final)]
                differ[final].append([float(part.sum()), len(part)])
        rounds = sum(len(one.scores) for one in there)
        label = f"Scores of people in {game} as the table of the labelled opponent says, {rounds} rounds"
        value = mean(right)
        findings.estimate("lookup_agreement", value, label, arm=game, unit="%")
        label = "The same, in rounds in which both tables answer alike"
        findings.estimate("lookup_alike", mean(alike), label, arm=game, unit="%")
        label = "The same, in rounds in which the tables differ: all but the last round"
        findings.estimate("lookup_differ", ratio(differ[False]), label, arm=game, unit="%")
        if sum(n for _, n in differ[True]):
            label = "The same, in rounds in which the tables differ: the last round"
            findings.estimate("lookup_differ_last", ratio(differ[True]), label, arm=game, unit="%")
        expected = _expected(there, tables, game)
        label = "Agreement to be expected where a table is drawn in every round and the label is the very last draw"
        findings.estimate("lookup_expected", Estimate.exact(expected, rounds, "computed"), label, arm=game, unit="%")


def _expected(persons: Sequence[Person], tables: Tables, game: str) -> float:
    """The agreement that the authors' page leads to: each round alike counts 1, each other 1/2.

    The last round of the second game counts 1. Which game that was is not in the release: by its draw it is either, so the
    last round counts 3/4.
    """
    found = []
    for one in persons:
        same = _answers(one, tables[game, "Base"]) == _answers(one, tables[game, "Prompted"])
        chance = np.where(same, 1.0, 0.5)
        chance[-1] = 1.0 if same[-1] else 0.75
        found.append(chance.mean())
    return float(np.mean(found))


def _scored(one: Person, table: Mapping[tuple[int, ...], int]) -> NDArray[np.float64]:
    """What the person's moves earn against a table, by the engine. The person chooses rows in the game's second seat."""
    return met(one.game, one.moves, LookupPlayer(table))[1].rewards


def _answers(one: Person, table: Mapping[tuple[int, ...], int]) -> NDArray[np.int64]:
    return np.array([table[tuple(one.moves[:t])] for t in range(len(one.moves))])


def met(game: str, moves: Sequence[int], machine: LookupPlayer | RecordedPlayer) -> Trajectories:
    """A match between a machine, in the first seat, and recorded moves in the second: in BoS people like F better."""
    person = RecordedPlayer([(0, move) for move in moves])
    scene = Scene(engine(PAYOFFS[game], len(moves)), {"player 1": machine, "player 2": person})
    return rollouts(scene, episodes=1, progress=False)


def consistent(one: Person) -> list[tuple[int, int]] | None:
    """Moves of machine and person by round, where the recorded scores tell them; None where a score fits no move.

    Some recorded scores fit no cell of the payoffs: the person ran out of time, say.
    """
    payoffs = np.array(PAYOFFS[one.game], float)[:, :, 1]
    moves = []
    for move, score in zip(one.moves, one.scores, strict=True):
        fits = [other for other in (0, 1) if payoffs[other, move] == score]
        if len(fits) != 1:
            return None
        moves.append((fits[0], move))
    return moves


class _Groups(NamedTuple):
    """A number for each person, by the label of the opponent."""

    prompted: list[float]
    base: list[float]


def statistics(findings: Findings, persons: Sequence[Person]) -> None:
    """Differences between the labels: t over people, d, coordination, guesses; regressions with people as clusters."""
    for game in PAYOFFS:
        there = [one for one in persons if one.game == game]
        if len({one.opponent for one in there}) < 2:
            continue
        points = _by_label(there, lambda one: float(np.mean(one.scores)))
        _difference(findings, "points", game, points, "Points a round")
        findings.estimate("human_d", cohen(*points), "Cohen's d of points a round", arm=game, paper=HUMAN.get(("d", game)))
        without = _by_label(there, lambda one: float(np.mean(one.scores[:-1])))
        _difference(findings, "points_early", game, without, "Points a round without the last")
        same = _by_label(there, lambda one: float(np.mean([_same(one, t) for t in range(len(one.moves))])))
        _difference(findings, "coordination", game, same, "Rounds in which both did the same")
        judged = _by_label(there, lambda one: float(one.guess == "Human"))
        counts = tuple((int(sum(values)), len(values)) for values in judged)
        for label, (k, n) in zip(("Prompted", "Base"), counts, strict=True):
            findings.estimate("judged_human", proportion(k, n), "Took the other for human", arm=f"{game}, {label}", unit="%")
        findings.estimate(
            "human_difference",
            proportion_difference(counts[0], counts[1]),
            "Took the other for human, prompted minus base",
            arm=game,
            paper=HUMAN["human", game],
        )
        _regressions(findings, game, there)


def _regressions(findings: Findings, game: str, persons: Sequence[Person]) -> None:
    """Rounds as observations, people as clusters: what the label adds to points, and to the odds of doing the same."""
    rows = [
        (1.0, float(one.opponent == "Prompted"), t / 10, score, _same(one, t), i)
        for i, one in enumerate(persons)
        for t, score in enumerate(one.scores)
    ]
    data = np.array(rows)
    names = ("constant", "prompted", "round")
    label = "Points a round: prompted minus base, regression on rounds clustered by person"
    found = linear(data[:, :3], data[:, 3], data[:, 5], names=names)["prompted"]
    findings.estimate("clustered_points", found, label, arm=game)
    label = "Log-odds of doing the same: prompted minus base, clustered by person"
    found = logistic(data[:, :3], data[:, 4], data[:, 5], names=names)["prompted"]
    findings.estimate("clustered_same", found, label, arm=game)


def _same(one: Person, t: int) -> float:
    """Whether both did the same in a round, by the score."""
    payoffs = np.array(PAYOFFS[one.game], float)[:, :, 1]
    return float(payoffs[one.moves[t], one.moves[t]] == one.scores[t])


def _by_label(persons: Sequence[Person], measure: Callable[[Person], float]) -> _Groups:
    found: dict[str, list[float]] = {"Prompted": [], "Base": []}
    for one in persons:
        found[one.opponent].append(measure(one))
    return _Groups(found["Prompted"], found["Base"])


def _difference(findings: Findings, name: str, game: str, groups: _Groups, label: str) -> None:
    for arm, values in zip(("Prompted", "Base"), groups, strict=True):
        findings.estimate(f"{name}_by_label", mean(values), label, arm=f"{game}, {arm}")
    words = f"{label}, prompted minus base"
    findings.estimate(f"{name}_difference", mean_difference(*groups), words, arm=game, paper=HUMAN.get((name, game)))
    if name == "points":
        t = _t(*groups)
        label = "Student's t of the difference over people"
        findings.estimate(
            "points_t", Estimate(t, np.nan, np.nan, len(groups.base) + len(groups.prompted), "t"), label, arm=game
        )


def _t(a: Sequence[float], b: Sequence[float]) -> float:
    return cohen(a, b).value / float(np.sqrt(1 / len(a) + 1 / len(b)))


def cohen(a: Sequence[float], b: Sequence[float]) -> Estimate:
    """Cohen's d with the pooled deviation; interval by the normal approximation of Hedges and Olkin (1985)."""
    x, y = np.array(a), np.array(b)
    n, m = len(x), len(y)
    pooled = np.sqrt(((n - 1) * x.var(ddof=1) + (m - 1) * y.var(ddof=1)) / (n + m - 2))
    d = float((x.mean() - y.mean()) / pooled)
    half = 1.96 * float(np.sqrt((n + m) / (n * m) + d**2 / (2 * (n + m))))
    return Estimate(d, d - half, d + half, n + m, "Cohen's d, normal interval (Hedges and Olkin)")


def ratio(parts: Sequence[Sequence[float]], seed: int = 0, resamples: int = 1999) -> Estimate:
    """Sum of successes over sum of trials, of people who count as many trials as they have; bootstrap over people."""
    data = np.array(parts, float)
    drawn = data[np.random.default_rng(seed).integers(len(data), size=(resamples, len(data)))].sum(1)
    shares = drawn[:, 0] / np.maximum(drawn[:, 1], 1)
    low, high = np.quantile(shares, [0.025, 0.975])
    total = data.sum(0)
    return Estimate(float(total[0] / total[1]), float(low), float(high), len(data), "share of rounds, bootstrap over people")
