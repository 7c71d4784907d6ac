"""`repeated-games`: which strategies recorded players, people and planted players follow; and a clone of people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from gymnasium import Space

from ethogram.measures import Estimate, mean, paired_difference, proportion
from ethogram.measures.strategies import StrategyClassifier
from ethogram.policies.coded.recorded_players import LookupPlayer, RecordedPlayer
from ethogram.policies.coded.strategies import STRATEGIES, Strategy
from ethogram.policy import Policy
from ethogram.records import Trajectories
from ethogram.records.repeated_games import Match, Person, coded_matches, lookups, people
from ethogram.scene import Scene
from ethogram.seeds import derive, generator
from ethogram.simulation import rollouts
from ethogram.studies import Findings, Lab
from ethogram.studies.society._repeated_games_people import consistent
from ethogram.studies.society._repeated_games_records import PAYOFFS, engine, replay
from ethogram.world import Agent

__all__ = [
    "ZOO",
    "Trembling",
    "cloned",
    "named",
    "planted",
    "shared",
    "tell_clone",
    "tell_planted",
    "tell_shares",
    "tell_types",
    "tell_unforgiving",
    "typed",
]

NAMES = (
    "always first", "always second", "turn taker", "defect once", "random", "tit for tat", "suspicious tit for tat",
    "tit for two tats", "two tits for tat", "generous tit for tat", "win-stay lose-shift", "grim trigger",
)  # fmt: skip
TURNS = "turn taker, second first"
ZOO: dict[str, Callable[[], Policy]] = {
    **{name: STRATEGIES[name] for name in NAMES},
    TURNS: lambda: Strategy(lambda match: 1 - len(match.mine) % 2),
}
"""What a player may be. Best replies and level k are left out: in the dilemma they are "always second" by another name."""
TRUE = {"j": "always first", "f": "always second", "defect_once": "defect once", "jf": "turn taker", "fj": TURNS}
"""The coded players of the release."""
PROBES = (
    "turn taker", "random", "tit for tat", "suspicious tit for tat", "always second", "tit for two tats", "defect once",
    "random",
)  # fmt: skip
"""Opponents of planted players. A pilot of two seeds without the last two named 96 % truly: one defection tells triggers
from two tits for tat."""


class Trembling(Policy):
    """A strategy whose hand trembles: with a probability, it takes any of the options, all alike."""

    def __init__(self, inner: Policy, tremble: float) -> None:
        self.inner, self.tremble = inner, tremble
        self._seed = 0

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """A match begins."""
        self._seed = seed
        self.inner.reset(derive(seed, "inner"), agents)

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> dict[Agent, Any]:
        """What the strategy says, or a slip."""
        actions: Any = self.inner.act(observations, spaces)
        for agent, seen in observations.items():
            rng = generator(self._seed, "tremble", agent, seen.round)
            if rng.random() < self.tremble:
                options: list[Any] = spaces[agent].options()  # type: ignore[attr-defined]
                actions[agent] = options[int(rng.integers(len(options)))]
        return actions


def joined(parts: Sequence[Trajectories]) -> Trajectories:
    """Trajectories one after the other."""
    found = parts[0]
    for part in parts[1:]:
        found = found + part
    return found


def typed(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """The coded and the recorded players of the release, classified (a part of the study).

    Coded players: each match is held out in turn with all others against the same opponent in the same game, and classified
    alone, with shares and tremble as fitted to the rest. A type's moves do not depend on the opponent, so that its matches
    are copies; what varies is what the other strategies would have done.
    """
    seats = _seats(coded_matches())
    coded = [one for one in seats if one[0] in TRUE]
    hits, classifier = [], StrategyClassifier(ZOO, draws=item["draws"])
    for held in sorted({(game, other) for _, game, other, _ in coded}):
        train = [one for one in coded if one[1:3] != held]
        classifier.fit(joined([one[3] for one in train]), [one[0] for one in train])
        for name, game, other, data in coded:
            if (game, other) == held:
                hits.append([name, TRUE[name], classifier.classify(data)])
    models = {}
    for name in sorted({one[0] for one in seats} - set(TRUE)):
        for game in PAYOFFS:
            own = [one[3] for one in seats if one[:2] == (name, game)]
            if own:
                models[f"{name}, {game}"] = named(own, item["draws"], item["seed"])
    return {"hits": hits, "models": models}


def _seats(matches: Sequence[Match]) -> list[tuple[str, str, str, Trajectories]]:
    """Each match as each of its players saw it: player, game, opponent, trajectory."""
    found = []
    for match in matches:
        data = replay(match, PAYOFFS[match.game]).data
        found += [(match.players[i], match.game, match.players[1 - i], data[i : i + 1]) for i in (0, 1)]
    return found


def named(matches: Sequence[Trajectories], draws: int, seed: int, resamples: int = 500) -> dict[str, Any]:
    """The strategy of one player, from all its matches; a match that is another's copy counts once.

    Returns:
        Its name, the lead over the next in nats, the tremble, the number of different matches, and how often resamples of
        these lead to the same name.
    """
    different = {}
    for one in matches:
        final = one[0].observations[-1]
        key = tuple(tuple(seen.last) for seen in one[0].observations), final.you, one[0].actions[-1].option
        different.setdefault(key, one)
    unique = list(different.values())
    classifier = StrategyClassifier(ZOO, draws=draws).fit(joined(unique), ["one"] * len(unique))
    each = np.array([list(classifier.log_likelihoods(one).values()) for one in unique])
    names, total = list(ZOO), each.sum(0)
    order = np.argsort(-total)
    picks = generator(seed, "named").integers(len(each), size=(resamples, len(each)))
    again = (each[picks].sum(1).argmax(1) == order[0]).mean()
    return {
        "name": names[order[0]],
        "next": names[order[1]],
        "lead": float(total[order[0]] - total[order[1]]),
        "tremble": classifier.tremble,
        "matches": len(unique),
        "again": float(again),
    }


def planted(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """Players of known strategy, half of them to fit the classifier on, half held out (a part of the study).

    Returns:
        True and named strategies of the held-out ones: from all their matches, and from one match each.
    """
    data: list[list[Trajectories]] = []
    truth = [name for name in ZOO for _ in range(item["players"])]
    for i, name in enumerate(truth):
        own = []
        for j, other in enumerate(PROBES):
            policies = {"player 1": Trembling(ZOO[name](), item["tremble"]), "player 2": STRATEGIES[other]()}
            seed = derive(item["seed"], name, i, j)
            own.append(rollouts(Scene(engine(PAYOFFS["PD"], 10), policies), episodes=1, seed=seed, progress=False)[:1])
        data.append(own)
    train = [i for i in range(len(truth)) if i % 2 == 0]
    groups = [i for i in train for _ in PROBES]
    classifier = StrategyClassifier(ZOO, draws=item["draws"]).fit(joined([one for i in train for one in data[i]]), groups)
    held = [i for i in range(len(truth)) if i % 2]
    return {
        "tremble": classifier.tremble,
        "players": [[truth[i], classifier.classify(joined(data[i]))] for i in held],
        "matches": [[truth[i], classifier.classify(data[i][0])] for i in held],
    }


def person_matches(persons: Sequence[Person], game: str) -> list[Trajectories]:
    """The people's matches as they saw them, played again; those with a score that fits no move are left out."""
    found = []
    for one in persons:
        moves = consistent(one) if one.game == game else None
        if moves is not None:
            scene = Scene(engine(PAYOFFS[game], len(moves)), RecordedPlayer(moves))
            found.append(rollouts(scene, episodes=1, progress=False)[1:])
    return found


def cloned(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """A small network in people's place in one game (a part of the study): fitted to some, judged on others, and played.

    Returns:
        Mean log-likelihoods of each held-out person's moves; how people and clones play by round (share of the first
        option); and of each fold, points a round and repeated moves. Clones meet the two tables, one of which is drawn in
        every round.
    """
    from ethogram.nn.training import Training
    from ethogram.policies.learned.distilled import Distilled, DistilledConfig

    game, persons = item["game"], people()
    there = person_matches(persons, game)
    rng = generator(item["seed"], "folds", game)
    folds = rng.permutation(len(there)) % item["folds"]
    config = DistilledConfig(agents=False, history=2, hidden=(32,), width=16, bins=8, buckets=512)
    training = Training(steps=item["steps"], batch=128, lr=3e-3, weight_decay=1e-1, seed=item["seed"] % 2**31)
    gains: dict[str, list[float]] = {"clone": [], "rate of the round": [], "repeats": [], "coin": []}
    curves: dict[str, list[Any]] = {"people": [], "clones": []}
    played: dict[str, list[dict[str, float]]] = {"people": [], "clones": []}
    tables = lookups()
    for fold in range(item["folds"]):
        train = joined([one for one, k in zip(there, folds, strict=True) if k != fold])
        test = [one for one, k in zip(there, folds, strict=True) if k == fold]
        clone = Distilled(train.observation_space, train.action_space, config, seed=fold).fit(train, training)
        for one in test:
            gains["clone"].append(_said(clone, one))
            for name, value in _simple(train, one).items():
                gains[name].append(value)
        machine = LookupPlayer(tables[game, "Base"], tables[game, "Prompted"])
        scene = Scene(engine(PAYOFFS[game], 10), {"player 1": machine, "player 2": clone})
        acted = rollouts(scene, episodes=item["matches"], seed=item["seed"] + fold, progress=False)
        for who, data in (("people", joined(test)), ("clones", [one for one in acted if one.agent == "player 2"])):
            moves = [_firsts(one.actions) for one in data]
            curves[who] += moves
            points = float(np.mean([one.rewards for one in data]))
            played[who].append({"points": points, "repeats": float((np.diff(moves, axis=1) == 0).mean())})
    means = {who: np.mean(values, 0).tolist() for who, values in curves.items()}
    return {"gains": gains, "played": played, "curves": means}


def _firsts(actions: Sequence[Any]) -> list[int]:
    return [int(action.option == "J") for action in actions]


def _said(clone: Any, one: Trajectories) -> float:
    """Mean log-likelihood of a person's moves under the clone: of the move, whichever template says it."""
    likely, done = clone.likelihoods(one)
    return float(np.log(np.maximum(likely[np.arange(len(done)), done], 1e-9)).mean())


def _simple(train: Trajectories, one: Trajectories) -> dict[str, float]:
    """Mean log-likelihoods of a person's moves under simple rules fitted to others."""
    moves = np.array([_firsts(other.actions) for other in train])
    own = np.array(_firsts(one[0].actions))
    rate = (moves.sum(0) + 1) / (len(moves) + 2)
    again = (np.sum(moves[:, 1:] == moves[:, :-1]) + 1) / (moves[:, 1:].size + 2)
    stays = np.where(own[1:] == own[:-1], again, 1 - again)
    return {
        "rate of the round": float(np.log(np.where(own == 1, rate, 1 - rate)).mean()),
        "repeats": float(np.log([np.where(own[0] == 1, rate[0], 1 - rate[0]), *stays]).mean()),
        "coin": float(np.log(0.5)),
    }


def shared(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """The shares of strategies among people in the dilemma, with intervals (a part of the study)."""
    there = person_matches(people(), "PD")
    classifier = StrategyClassifier(ZOO, draws=item["draws"]).fit(joined(there))
    found = classifier.shares(seed=item["seed"] % 2**31, resamples=item["resamples"])
    shares = {
        name: s._replace(value=round(s.value, 6), low=round(s.low, 6), high=round(s.high, 6)) for name, s in found.items()
    }
    return {"tremble": classifier.tremble, "shares": {name: share.dump() for name, share in shares.items()}}


def tell_unforgiving(findings: Findings) -> None:
    """What GPT-4 did in the dilemma to one who defects in the first round alone."""
    moves = [
        [pair[match.players.index("gpt4")] for pair in match.moves]
        for match in coded_matches()
        if match.game == "PD" and set(match.players) == {"gpt4", "defect_once"}
    ]
    label = "GPT-4's defections against one who defects in the first round alone"
    for arm, chosen in (("round 1", [own[0] for own in moves]), ("later rounds", [m for own in moves for m in own[1:]])):
        if chosen:
            found = Estimate.exact(float(np.mean(chosen)), len(chosen), "counted in the released matches")
            findings.estimate("unforgiving", found, label, arm=arm, unit="%")


def tell_types(findings: Findings, found: Mapping[str, Any]) -> None:
    """How well coded players of the release are named, and what the models are named."""
    import polars as pl

    hits = found["hits"]
    right = sum(truth == said for _, truth, said in hits)
    label = "Held-out matches of the release's coded players that are named truly"
    findings.estimate("coded_named", proportion(right, len(hits)), label, unit="%")
    rows = [{"player": key, **value} for key, value in found["models"].items()]
    columns = {"again": "same name in resamples", "lead": "lead over the next, nats", "next": "next best"}
    caption = "What the classifier names each recorded model by game; matches that are copies of another count once"
    findings.table("named", pl.DataFrame(rows).rename(columns), caption)
    for key, value in found["models"].items():
        if key.startswith("gpt4, "):
            game = key.rpartition(" ")[2]
            is_grim = value["again"] if value["name"] == "grim trigger" else 0.0
            label = "GPT-4 is named a grim trigger, share of resamples of its different matches"
            findings.estimate("grim", Estimate.exact(is_grim, value["matches"], "bootstrap"), label, arm=game, unit="%")
            label = f"Lead of {value['name']!r} over {value['next']!r} for GPT-4"
            findings.estimate("named_lead", Estimate.exact(value["lead"], value["matches"]), label, arm=game, unit="nats")


def tell_planted(findings: Findings, parts: Sequence[Mapping[str, Any]]) -> None:
    """How well planted players are named, over seeds."""
    for kind, label in (("players", "from all their matches"), ("matches", "from one match")):
        shares = [float(np.mean([truth == said for truth, said in part[kind]])) for part in parts]
        label = f"Held-out planted players that are named truly, {label}"
        findings.estimate("planted_named", mean(shares), label, arm=kind, unit="%")
    findings.estimate("planted_tremble", mean([part["tremble"] for part in parts]), "Tremble as fitted to planted players")


def tell_clone(findings: Findings, game: str, found: Mapping[str, Any]) -> None:
    """How well the clone says what people do, and plays as they do."""
    gains = {name: np.array(values) for name, values in found["gains"].items()}
    for name in islice(gains, 1, None):
        label = "Log-likelihood of held-out people's moves, clone minus rule, a move"
        findings.estimate("clone_gain", mean(gains["clone"] - gains[name]), label, arm=f"{game}, {name}", unit="nats")
    for name, unit in (("points", ""), ("repeats", "%")):
        label = {"points": "Points a round, clones minus people", "repeats": "Moves repeated, clones minus people"}[name]
        clones, persons = ([fold[name] for fold in found["played"][who]] for who in ("clones", "people"))
        findings.estimate(f"clone_{name}", paired_difference(clones, persons), label, arm=game, unit=unit)
    curves = {who: np.array(curve) for who, curve in found["curves"].items()}
    gap = float(np.abs(curves["clones"] - curves["people"]).mean())
    label = "Share of the first option by round: mean distance of clones from people"
    findings.estimate("clone_curve", Estimate.exact(gap, len(gains["clone"])), label, arm=game, unit="%")


def tell_shares(findings: Findings, found: Mapping[str, Any]) -> None:
    """The strategies of people."""
    for name, share in found["shares"].items():
        label = "Share of a strategy among people in the dilemma"
        findings.estimate("people_share", Estimate.read(share), label, arm=name, unit="%")
    findings.estimate("people_tremble", Estimate.exact(found["tremble"]), "Tremble of people in the dilemma")
