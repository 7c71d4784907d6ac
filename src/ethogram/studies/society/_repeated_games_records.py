"""`repeated-games`: every released match played again by the engine, and what it earned, by family and by model."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ethogram.measures import Estimate, mean
from ethogram.measures.equilibria import equilibria, pure_equilibria
from ethogram.measures.ordinal_games import family
from ethogram.policies.coded.recorded_players import LookupPlayer, RecordedPlayer
from ethogram.policies.coded.strategies import strategy
from ethogram.records import Trajectories
from ethogram.records.reference import reference
from ethogram.records.repeated_games import LETTERS, Match, coded_matches, lookups, model_matches, ordinal_games
from ethogram.scene import Scene
from ethogram.simulation import rollouts
from ethogram.studies import Findings, Lab
from ethogram.studies.claims import Reported
from ethogram.worlds.coded.matrix_game import GAMES, MatrixGame

__all__ = [
    "FAMILY",
    "MODEL",
    "PAYOFFS",
    "baseline",
    "engine",
    "fingerprint",
    "in_peoples_place",
    "released",
    "replay",
    "replayed",
    "tables",
    "tell_replay",
]

PAYOFFS = {"PD": GAMES["prisoners-dilemma"][1], "BoS": GAMES["battle-of-the-sexes"][1]}
"""Of the two games that were looked at closely; J is the first option."""
SOURCE = "computed from all 144 released games, own"
FAMILY = {
    name: Reported(f"{value:.2f}", SOURCE, value)
    for name, value in {
        "Win-win": 0.87, "Biased": 0.73, "PD Family": 0.73, "Unfair": 0.71, "Cyclic": 0.70, "Second Best": 0.65,
        "Tragic": 0.63,
    }.items()
}  # fmt: skip
"""Normalised scores of all models, all games."""
MODEL = {
    name: Reported(f"{value:.3f}", SOURCE, value)
    for name, value in {"claude2": 0.775, "gpt4": 0.772, "claude1": 0.754, "gpt35": 0.742, "llama2": 0.684}.items()
}


@lru_cache(maxsize=1)
def released(data: str) -> list[Match]:
    """The matches between models, of the records with this fingerprint: read once a process."""
    return model_matches()


class Replay(NamedTuple):
    """A match as our engine plays it."""

    data: Trajectories
    """Of both players."""
    exact: int
    """Rounds in which both points and both totals are as recorded."""


def fingerprint() -> str:
    """Of the records that are there: parts of the study computed from others are not taken for these."""
    folder = reference("repeated-games")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    text = "\n".join(f"{path.relative_to(folder)} {path.stat().st_size}" for path in files)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def engine(payoffs: Any, rounds: int) -> MatrixGame:
    """The game as it was played: ten rounds, say, of two options J and F."""
    return MatrixGame(payoffs, list(LETTERS), rounds=rounds)


def replay(match: Match, payoffs: Any) -> Replay:
    """Play a recorded match: the moves are the record's, everything else is the engine's."""
    scene = Scene(engine(payoffs, len(match.moves)), RecordedPlayer(match.moves))
    data = rollouts(scene, episodes=1, progress=False)
    points = np.array([one.rewards for one in data]).T
    same = (points == np.array(match.points)) & (points.cumsum(0) == np.array(match.totals))
    return Replay(data, int(same.all(1).sum()))


def replayed(item: dict[str, Any], lab: Lab) -> list[dict[str, Any]]:
    """The matches of some games (a part of the study): rounds, exact ones, and the points of both as shares of the best."""
    games, chosen = ordinal_games(), set(item["games"])
    payoffs = {**PAYOFFS, **{str(number): game.payoffs for number, game in games.items()}}
    matches = [m for m in (*(coded_matches() if "PD" in chosen else ()), *released(item["records"])) if m.game in chosen]
    return [
        {
            "game": match.game,
            "players": list(match.players),
            "rounds": len(match.moves),
            "exact": (found := replay(match, payoffs[match.game])).exact,
            "scores": normalised(found.data, payoffs[match.game]),
        }
        for match in matches
    ]


def normalised(data: Trajectories, payoffs: Any) -> list[float]:
    """Points of each player as a share of what the best cell, had in every round, would bring."""
    best = np.max(np.array(payoffs, float), axis=(0, 1))
    return [float(one.rewards.sum() / (len(one.rewards) * best[i])) for i, one in enumerate(data)]


def baseline(item: dict[str, Any], lab: Lab) -> dict[str, dict[str, float]]:
    """Normalised scores of coded strategies in some games, all against all in both seats: by game, then by strategy."""
    games, names = ordinal_games(), item["strategies"]
    found: dict[str, dict[str, float]] = {}
    for number in item["games"]:
        payoffs = games[int(number)].payoffs
        world, scores = engine(payoffs, item["rounds"]), {name: [] for name in names}
        for i, one in enumerate(names):
            for j, other in enumerate(names):
                scene = Scene(world, {"player 1": strategy(one), "player 2": strategy(other)})
                seed = (item["seed"] + len(names) * i + j) % 2**31
                first, second = normalised(rollouts(scene, episodes=1, seed=seed, progress=False), payoffs)
                scores[one].append(first)
                scores[other].append(second)
        found[number] = {name: float(np.mean(values)) for name, values in scores.items()}
        found[number]["Nash"] = nash(payoffs)
    return found


def in_peoples_place(item: dict[str, Any], lab: Lab) -> dict[str, dict[str, list[float]]]:
    """Points a round of coded strategies in the seat that people had: by game, then by strategy, a number a match.

    In every round one of GPT-4's two tables is drawn to answer, as on the authors' page.
    """
    tables = lookups()
    found: dict[str, dict[str, list[float]]] = {}
    for game, payoffs in PAYOFFS.items():
        world, machine = engine(payoffs, 10), LookupPlayer(tables[game, "Base"], tables[game, "Prompted"])
        for name in item["strategies"]:
            scene = Scene(world, {"player 1": machine, "player 2": strategy(name)})
            data = rollouts(scene, episodes=item["matches"], seed=item["seed"] % 2**31, progress=False)
            points = [float(np.mean(one.rewards)) for one in data if one.agent == "player 2"]
            found.setdefault(game, {})[name] = points
    return found


def nash(payoffs: Any) -> float:
    """The normalised score of the equilibria: mean over those in pure strategies and both players; else of the mixed one."""
    cells = np.array(payoffs, float)
    share = cells / cells.max((0, 1))
    if pure := pure_equilibria(cells):
        return float(np.mean([share[cell] for cell in pure]))
    mixes = [np.einsum("i,j,ijk->k", row, column, share) for row, column in equilibria(cells)]
    return float(np.mean(mixes))


def tell_replay(findings: Findings, matches: Sequence[Mapping[str, Any]]) -> None:
    """How many rounds the engine scores as recorded."""
    rounds, exact = (sum(match[key] for match in matches) for key in ("rounds", "exact"))
    label = "Released rounds that the engine scores as recorded: points and totals of both players"
    findings.estimate("replayed_exactly", Estimate.exact(exact / rounds, rounds, "counted"), label, unit="%")
    findings.estimate("replayed_matches", Estimate.exact(len(matches)), "Released matches played again")


def families() -> tuple[dict[str, str], str, float]:
    """The family of each game by number, where it is from, and the share of named ones that the payoffs agree with."""
    games = ordinal_games()
    named = {number: game.family for number, game in games.items() if game.family}
    computed = {number: family(game.payoffs) for number, game in games.items()}
    origin = "the file's column" if len(named) == len(games) else "the file's column, and by payoffs where it is empty"
    agree = [computed[number] == name for number, name in named.items()]
    if not named:
        origin = "the payoffs (equilibria in pure strategies)"
    return {str(n): named.get(n) or computed[n] for n in games}, origin, float(np.mean(agree)) if agree else math.nan


def tables(
    findings: Findings, matches: Sequence[Mapping[str, Any]], baselines: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Normalised scores of models by family and by model, with coded strategies and Nash beside them.

    Where not all games are there, those that are count as a sample of all: the interval has the correction for a finite
    population, and is a point where none is missing. Intervals of families, and of models, hold together (Bonferroni).

    Returns:
        By family: the scores of each model and strategy.
    """
    import polars as pl

    kinds, origin, agree = families()
    rows = [
        {"game": m["game"], "family": kinds[m["game"]], "player": name, "score": score}
        for m in matches
        if m["game"] in kinds
        for name, score in zip(m["players"], m["scores"], strict=True)
    ]
    if not rows:
        return {}
    frame = pl.DataFrame(rows)
    by_game = frame.group_by("family", "game").agg(pl.col("score").mean()).sort("game")
    for name in FAMILY:
        there = by_game.filter(pl.col("family") == name)["score"].to_list()
        if there:
            total = sum(kind == name for kind in kinds.values())
            findings.estimate(
                "score_family",
                finite(there, total, len(FAMILY)),
                "Normalised score of all models",
                arm=name,
                paper=FAMILY[name],
            )
    by_model = frame.group_by("player", "game").agg(pl.col("score").mean()).sort("player", "game")
    for (name,), part in by_model.group_by("player", maintain_order=True):
        found = finite(part["score"].to_list(), len(kinds), len(MODEL))
        findings.estimate("score_model", found, "Normalised score", arm=str(name), paper=MODEL.get(str(name)))
    findings.note(
        f"The family of a game is from {origin}; what its payoffs say agrees in {agree:.1%} of the games that the file "
        "names (the others are games whose released payoffs are not four ranks: one rank is there twice)."
    )
    cells: dict[str, dict[str, float]] = {}
    for (kind, player), part in frame.group_by("family", "player"):
        cells.setdefault(str(kind), {})[str(player)] = part["score"].mean()  # type: ignore[assignment]
    for name in FAMILY:
        there = [scores for number, scores in baselines.items() if kinds[number] == name]
        for player in there[0] if there else ():
            cells.setdefault(name, {})[player] = float(np.mean([scores[player] for scores in there]))
    for player in next(iter(baselines.values()), {}):
        values = mean([scores[player] for scores in baselines.values()])
        findings.estimate("score_baseline", values, "Normalised score among coded strategies, all games", arm=player)
    players = [*sorted(frame["player"].unique()), *next(iter(baselines.values()), {})]
    order = [name for name in FAMILY if name in cells]
    columns = {player: [cells[kind].get(player) for kind in order] for player in players}
    findings.table(
        "scores",
        pl.DataFrame({"family": order, **columns}),
        "Normalised scores: recorded models among themselves, coded strategies among themselves, Nash: mean of equilibria",
    )
    return {kind: cells[kind] for kind in order}


def finite(values: Sequence[float], total: int, together: int) -> Estimate:
    """The mean of `total` games from some of them, taken as drawn at random: a t interval for a finite population.

    All of `together` such intervals hold with 95 %.
    """
    found, n = mean(values, level=1 - 0.05 / together), len(values)
    if n >= total:
        return Estimate.exact(found.value, n, "mean of all games")
    shrink = math.sqrt(1 - n / total)
    low, high = found.value - (found.value - found.low) * shrink, found.value + (found.high - found.value) * shrink
    method = f"mean of {n} of {total} games, t interval for a finite population, one of {together} that hold together"
    return Estimate(found.value, low, high, n, method, found.level)
