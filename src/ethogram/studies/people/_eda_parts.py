"""The parts of `eda` that are computed apart: the splitter's search, coded questioners, and learners."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ethogram.guessing import Ask, Recall, things
from ethogram.guessing.many import Games
from ethogram.guessing.recall import UNASKED
from ethogram.records import Trajectories
from ethogram.seeds import derive
from ethogram.simulation import rollouts
from ethogram.studies import Lab
from ethogram.studies.people._eda_release import marks, session
from ethogram.studies.people._eda_scene import HELD_OUT, TRAIN, part, twenty_questions

__all__ = ["LEARNERS", "coded", "demonstrated", "learned", "measured", "searched"]

LEARNERS = ("BC", "BC, longer", "BC + RL", "RL alone", "BC, more games")
"""Arms of learning. `longer`: as many gradient steps on the same games as BC and RL take together; `more games`: more games
are imitated."""


def searched(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """The splitter against a judge without fault, on every thing once, until one thing alone fits the answers."""
    base = things()
    recall, n = Recall(base), len(base)
    games = Games(recall, np.arange(n), np.ones((n, len(base.questions))), turns=60)
    asked, bits = np.zeros(n, int), np.zeros(n)
    while not games.over.all():
        shares = games.shares
        gains = np.where(games.answers == UNASKED, recall.gains(shares), -1.0)
        best, certain = gains.argmax(-1), shares.max(-1) > 0.999
        asks = ~games.over & ~certain
        asked += asks
        bits += np.where(asks, gains.max(-1), 0.0)
        games.step(np.where(certain, len(base.questions), best))
    return {"things": n, "questions": asked.tolist(), "bits": (bits / np.maximum(asked, 1)).tolist()}


def demonstrated(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """The splitter's games about training things, which are recorded here, before the arms that learn from them begin."""
    data = _demonstrations(item, lab)[: item["demonstrations"]]
    return {
        "games": len(data),
        "things": len(set(data.outcomes("entity").tolist())),
        "decisions": int(data.lengths.sum()),
        "score": float(data.outcomes("score").mean()),
    }


def coded(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """A coded questioner on held-out things, at each noise."""
    return _at_each_noise(item, item["player"])


def learned(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """An arm of learning with one seed: what its policy does on held-out things at each noise, and on training things."""
    folder = lab.made(f"{item['arm'].replace(',', '').replace(' ', '-')}-{item['seed']}", lambda to: _made(item, lab, to))
    player = str(folder / "policy")
    found = _at_each_noise(item, player)
    found["seen"] = measured(_played(item, player, item["noise"], TRAIN), item["noise"])
    curve = folder / "curve.json"
    return found | {"curve": json.loads(curve.read_text("utf-8")) if curve.exists() else []}


def _at_each_noise(item: dict[str, Any], player: str) -> dict[str, Any]:
    return {f"{p:g}": measured(_played(item, player, p, HELD_OUT), p) for p in item["noises"]}


def _played(item: dict[str, Any], player: str, noise: float, which: str) -> Trajectories:
    """Games: with one seed all questioners have the same things and judges, game by game."""
    scene = twenty_questions(player, which, item["split"], noise, item["menu"])
    return rollouts(scene, episodes=item["games"], seed=derive(item["seed"], "games", which), progress=False)


def measured(data: Trajectories, noise: float) -> dict[str, Any]:
    """What games came to.

    Returns:
        Means of score, success, turns and yes answers; of each turn the mean information of the question asked and of the
        best one there was, in bits, and how many questions were asked in it; whether the release's marks agree in all games.
    """
    recall = Recall(things(), noise)
    place: dict[str, int] = {question: k for k, question in enumerate(recall.knowledge.questions)}
    turns = 20
    told, best, count = np.zeros(turns), np.zeros(turns), np.zeros(turns)
    repeated, agree = 0, []
    for t in data:
        for i, action in enumerate(t.actions):
            if isinstance(action, Ask):
                answers, weights = recall.remember(t.observations[i].said)
                gains = np.where(answers == UNASKED, recall.gains(recall.shares(weights)), 0.0)[0]
                told[i] += gains[place[action.question]]
                best[i] += gains.max()
                count[i] += 1
                repeated += answers[0, place[action.question]] != UNASKED
        last = t.observations[-1]
        text = session(recall.knowledge.called(int(t.outcome["entity"])), last.task, last.said, last.turns)
        agree.append(marks(text) == (t.outcome["turns"], t.outcome["success"], t.outcome["yes"] + 1, t.outcome["score"]))
    means = {name: float(data.outcomes(name).mean()) for name in ("score", "success", "turns", "yes")}
    return {
        **means,
        "games": len(data),
        "told": told.tolist(),
        "best": best.tolist(),
        "asked": count.tolist(),
        "repeated": int(repeated),
        "agree": int(sum(agree)),
    }


def _made(item: dict[str, Any], lab: Lab, to: Path) -> None:
    """Fit (and practise) the policy of an arm, and save it below `to`."""
    from ethogram.nn.training import Training
    from ethogram.policies.learned.questioner import Practice, Questioner

    seed, arm = item["seed"], item["arm"]
    practice = Practice(rounds=item["rounds"], games=item["round"])
    records = _demonstrations(item, lab)
    shown = records if arm == "BC, more games" else records[: item["demonstrations"]]
    settings = {"noise": item["noise"]}
    policy = Questioner(records.observation_space, records.action_space, settings, derive(seed, "net") % 2**31)
    if arm != "RL alone":
        steps = item["steps"] + (practice.updates if arm == "BC, longer" else 0)
        training = Training(steps=steps, batch=256, weight_decay=1e-2, seed=derive(seed, "bc") % 2**31)
        policy.fit(shown, training, progress=False)
    if "RL" in arm:
        curve = policy.practise(part(TRAIN, item["split"]), practice, seed=seed)
        (to / "curve.json").write_text(json.dumps(curve), encoding="utf-8")
    policy.save(to / "policy")


def _demonstrations(item: dict[str, Any], lab: Lab) -> Trajectories:
    """The splitter's games about training things, from their record."""
    scene = twenty_questions("splitter", TRAIN, item["split"], item["noise"])
    seed = derive(item["seed"], "demonstrations")
    run = lab.simulate(f"splitter-{item['seed']}", scene, episodes=item["recorded"], seed=seed)
    return run.trajectories()
