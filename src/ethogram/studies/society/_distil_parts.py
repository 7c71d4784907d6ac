"""The replications of `distil`: a teacher's records, a student, and the two compared."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ethogram.nn.training import Training
from ethogram.policies.learned import load
from ethogram.policies.learned.distilled import Distilled
from ethogram.policy import Policy
from ethogram.records import Trajectories
from ethogram.scene import Scene
from ethogram.seeds import derive
from ethogram.simulation import rollouts, simulate
from ethogram.studies.lab import Lab
from ethogram.studies.society._distil_sea import MOST, law, sea, situations, stock_curve, takes
from ethogram.studies.society._distil_town import baselines, macro, occupancy_distance, peopled
from ethogram.worlds.coded.town import Town

__all__ = ["fishers", "modelled", "speeds", "townspeople"]

SEA = {"buckets": 256, "width": 16, "hidden": (64,), "bins": 8}
GRID = np.linspace(0.2, 1.0, 33)


def student_of(lab: Lab, name: str, data: Trajectories, steps: int, seed: int, settings: Mapping[str, Any]) -> Distilled:
    """The student of some records, of which a tenth (an episode at least) says when to stop; kept in the study's folder."""
    torch.set_num_threads(1)
    kept = max(0.1, 1 / len(set(data.episodes.tolist())))

    def make(folder: Path) -> None:
        train, held_out = data.split(1 - kept, kept, seed=seed) if kept < 1 else (data, data[:0])
        training = Training(steps=steps, batch=256, lr=3e-3, weight_decay=1e-2, schedule="cosine", patience=5, seed=seed)
        made = Distilled(data.observation_space, data.action_space, settings, seed=derive(seed, "student"))
        made.fit(train, training, validation=held_out if len(held_out) else None, progress=False).save(folder)

    found = load(lab.made(name, make))
    assert isinstance(found, Distilled)
    return found


def frequencies(data: Trajectories) -> dict[str, np.ndarray[Any, Any]]:
    """How often each fisher took 0 to 10, smoothed by one take spread over all."""
    counts = {agent: np.full(MOST + 1, 1 / (MOST + 1)) for agent in data.agents}
    for t in data:
        counts[t.agent] += np.bincount(t.actions, minlength=MOST + 1)
    return {agent: n / n.sum() for agent, n in counts.items()}


def variation(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Total variation between rows of probabilities, (N, K) each: (N,)."""
    return 0.5 * np.abs(a - b).sum(-1)


def fishers(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """Fishers with a stated law, a student of so many episodes, and how near it is to the law."""
    seed, n = item["seed"], item["episodes"]
    train = rollouts(sea(), episodes=n, seed=seed, progress=False)
    name = f"sea-{n}-{seed}"
    student = student_of(lab, name, train, item["steps"], seed, SEA)
    held_out = rollouts(sea(), episodes=item["tests"], seed=derive(seed, "held out"), progress=False)
    agents, stocks, done = situations(held_out)
    true = np.stack([law(agent, stock) for agent, stock in zip(agents, stocks, strict=True)])
    usual = frequencies(train)
    simple, own = np.stack([usual[agent] for agent in agents]), takes(student, held_out)
    rows = np.arange(len(done))
    again = [derive(seed, "again", i) for i in range(3)]
    first, second = (stock_curve(rollouts(sea(), episodes=item["tests"], seed=s, progress=False)).mean(0) for s in again[:2])
    scene = sea(player=str(lab.dir / "made" / name))
    students = stock_curve(rollouts(scene, episodes=item["tests"], seed=again[2], progress=False)).mean(0)
    return {
        "folder": str(Path("made") / name),
        "tv": float(variation(own, true).mean()),
        "tv_frequency": float(variation(simple, true).mean()),
        "kl": float((true * np.log(np.maximum(true, 1e-300) / own)).sum(-1).mean()),
        "regret": float(np.log(true[rows, done] / own[rows, done]).mean()),
        "gain": float(np.log(own[rows, done] / simple[rows, done]).mean()),
        "sea_stock": float(np.abs(students - first).mean()),
        "sea_stock_floor": float(np.abs(second - first).mean()),
        "curves": {"teacher": first.tolist(), "student": students.tolist()},
        "expected": _expected(student),
        "seen": np.quantile(stocks, [0.05, 0.95]).tolist(),
    }


def _expected(student: Distilled) -> dict[str, list[float]]:
    """The mean take of each fisher over a grid of stocks, as the student has it."""
    from ethogram.records import Trajectory
    from ethogram.studies.society._distil_sea import LAW

    seen = np.append(GRID, 1.0)[:, None].astype(np.float32)
    still = np.zeros(len(GRID))
    each = [Trajectory(a, i, seen, still.astype(int), still, still, False) for i, a in enumerate(LAW)]
    likely = takes(student, Trajectories.of(each, student.observation_space, student.action_space))
    means = (likely @ np.arange(MOST + 1)).reshape(len(LAW), -1)
    return {agent: row.tolist() for agent, row in zip(LAW, means, strict=True)}


def townspeople(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """Generative agents with the coded surrogate, their student, its likelihood of held-out days, and days with it."""
    seed, map, tests = item["seed"], item["map"], item["tests"]
    world = Town(map)
    train = rollouts(peopled(map), episodes=item["days"], seed=seed, progress=False)
    name = f"town-{map}-{seed}"
    student = student_of(lab, name, train, item["steps"], seed, {})
    held_out, other = (
        rollouts(peopled(map), episodes=tests, seed=derive(seed, which), progress=False) for which in ("held out", "other")
    )
    likely, done = student.likelihoods(held_out)
    found = {"student": float(np.log(likely[np.arange(len(done)), done]).mean())}
    simple = baselines(train, student.numeric(train), held_out, student.numeric(held_out), likely.shape[1])
    found |= {rule: float(values.mean()) for rule, values in simple.items()}
    counted = _Counted(student)
    played = rollouts(Scene(world, counted), episodes=tests, seed=derive(seed, "student's days"), progress=False)
    ours, theirs, others = (macro(data, world) for data in (played, held_out, other))
    return {
        "folder": str(Path("made") / name),
        "log_likelihood": found,
        "unseen": float((done == likely.shape[1] - 1).mean()),
        "templates": len(student.config.templates),
        "faults": counted.faults,
        "town_places": occupancy_distance(ours["where"], theirs["where"]),
        "town_places_floor": occupancy_distance(others["where"], theirs["where"]),
        "teacher": theirs,
        "student": ours,
    }


class _Watched(Policy):
    """Passes everything on to another policy."""

    def __init__(self, policy: Any) -> None:
        self.policy = policy

    def reset(self, seed: int, agents: Sequence[str]) -> None:
        self.policy.reset(seed, agents)

    def state_dict(self) -> dict[str, Any]:
        return self.policy.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.policy.load_state_dict(state)


class _Counted(_Watched):
    """Counts faults."""

    faults = 0

    def act(self, observations: Mapping[str, Any], spaces: Mapping[str, Any]) -> Mapping[str, Any]:
        from ethogram.policy import Fault

        actions = self.policy.act(observations, spaces)
        self.faults += sum(isinstance(action, Fault) for action in actions.values())
        return actions


class _Timed(_Watched):
    """Measures the processor time that decisions take, alone."""

    seconds = 0.0
    decisions = 0

    async def act(self, observations: Mapping[str, Any], spaces: Mapping[str, Any]) -> Mapping[str, Any]:
        begun = time.process_time()
        actions = self.policy.act(observations, spaces)
        if inspect.isawaitable(actions):
            actions = await actions
        self.seconds += time.process_time() - begun
        self.decisions += len(observations)
        return actions


def speeds(lab: Lab, map: str, in_town: str, at_sea: str) -> dict[str, float]:
    """Agent-steps a second of the policies alone (one thread, processor time), in days of the town and of the commons."""
    torch.set_num_threads(1)
    cases = {
        "surrogate, town": peopled(map),
        "student, town": peopled(map, player=str(lab.dir / in_town)),
        "student, commons": sea(player=str(lab.dir / at_sea)),
    }
    found = {}
    for arm, scene in cases.items():
        timed = _Timed(scene.policies)
        simulate(Scene(scene.world, timed), seed=lab.seed, record="none", progress=False)
        found[arm] = timed.decisions / timed.seconds
    return found


def modelled(lab: Lab, episodes: int, steps: int) -> dict[str, Any]:
    """A language model fishes; its student is judged by the model's own probabilities in the last episode."""
    run = lab.simulate(
        "model-00", sea(player="model", model=lab.model), steps=steps, episodes=episodes, seed=lab.seed, checkpoint_every=2
    )
    data = run.trajectories()
    train, held_out = data[data.episodes < episodes - 1], data[data.episodes == episodes - 1]
    student = student_of(lab, f"model-{lab.seed}", train, 300, lab.seed, SEA)
    agents, _, done = situations(held_out)
    scored, asked = {}, 0
    for call in run.arrow("calls").select(["episode", "step", "agent", "scores", "cached"]).to_pylist():
        asked += not call["cached"]
        if call["scores"] is not None:
            scored[call["episode"], call["step"], call["agent"]] = np.exp(call["scores"])
    order = [(t.episode, step, t.agent) for t in held_out for step in range(len(t.actions))]
    true = np.stack([scored[key] / scored[key].sum() for key in order])
    usual, rows = frequencies(train), np.arange(len(done))
    by = {"student": takes(student, held_out), "frequency": np.stack([usual[agent] for agent in agents])}
    return {
        "steps": int(data.lengths.sum()),
        "rate": asked / run.manifest.seconds,  # a question asked again is answered from the cache, and is no work
        "tv": {arm: variation(own, true).tolist() for arm, own in by.items()},
        "log_likelihood": {arm: np.log(own[rows, done]).tolist() for arm, own in by.items()},
    }
