"""The other parts of `agenttorch`: final size, calibration, calls and time by size, archetypes compared, counterfactuals."""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np

from ethogram.aio import run_coroutine
from ethogram.columns import observed
from ethogram.populations import Population, complete
from ethogram.scene import Scene
from ethogram.seeds import derive, generator
from ethogram.simulation import simulate
from ethogram.studies.lab import Lab
from ethogram.studies.society._agenttorch_forecast import BASE, REPORTED, infections
from ethogram.studies.society._agenttorch_gradient import RANGE, Outbreak, fit, search
from ethogram.studies.society._agenttorch_scenes import GROUPS, answers, city, outbreak, residents
from ethogram.worlds.coded.new_york import AGES, OPTIONS, QUESTION, SUSCEPTIBILITY, NewYork, reproduced

__all__ = ["archetype_gap", "calibrated", "called", "counterfactual", "final_size", "finished", "rise", "whole_city"]


def final_size(r: float, ages: np.ndarray[Any, Any], seeds: float) -> float:
    """The share that is ever infected on a complete graph, in the limit of many people.

    The hazards of a susceptible person add up to R · s · z over the whole outbreak, s the person's susceptibility, R what
    `reproduced` says, z the share ever infected: z = seeds + mean over people of (1 - q) · (1 - exp(-R · s · z)), where
    q is the probability to be infected at the beginning, seeds · s / mean s. (With s = 1 for all and few seeds this is
    Kermack and McKendrick's equation, 1927.)

    Args:
        r: the world's R.
        ages: share of people of each band of `AGES`.
        seeds: share infected at the beginning, in proportion to s.
    """
    s, z = np.array([SUSCEPTIBILITY[age] for age in AGES]), 1.0
    left = ages * (1 - seeds * s / (ages @ s))
    for _ in range(10_000):  # the map is increasing and concave: from above it falls to the largest root
        z = seeds + float(left @ (1 - np.exp(-reproduced(r) * s * z)))
    return z


def finished(item: dict[str, Any], lab: Lab) -> dict[str, float]:
    """An outbreak on a complete graph until nobody is ill: share ever infected, beside the analytic value."""
    import polars as pl

    n, share = item["people"], np.array(item["ages"])
    ages = np.repeat(AGES, np.diff(np.round(np.cumsum(np.concatenate([[0], share])) * n).astype(int)))
    table = pl.DataFrame({"name": [str(i) for i in range(n)], "age": ages})
    seeds = max(1, round(0.01 * n))
    past = np.array([float(seeds)])
    who = Population(table).with_network("contacts", complete(n))
    world = NewYork(who, r=np.array([item["r"]]), past=past, threads=1)
    run = simulate(world, steps=item["days"], seed=item["seed"], progress=False, record="all")
    last = observed(run).tail(1).to_dicts()[0]
    assert last["exposed"] + last["infected"] == 0, "the outbreak is not over"
    return {"simulated": last["recovered"] / n, "analytic": final_size(item["r"], share, seeds / n)}


def calibrated(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """Weekly R from the cases of a simulated outbreak whose weekly R is known: by gradient, and by random search.

    The gradient is taken of free weekly numbers, and of a network that makes them of the cases, as AgentTorch's does. The
    outbreak is simulated by the world of columns, the calibration is through the torch program: that it comes back says
    that the two are the same model. Search gets as many simulator calls, and in a second arm three times as many, since a
    call with its backward pass takes about three times a call's time.
    """
    import torch

    torch.set_num_threads(1)
    kind, weeks, seed, calls = item["kind"], item["weeks"], item["seed"], item["calls"]
    who = residents(kind)
    rng = generator(seed, "weekly R")
    true = rng.uniform(RANGE[0] + 0.2, RANGE[1] - 1.0, weeks)
    infected = max(20, len(who) // 100)
    quiet = {"law": "fear", "base": 1e-12, "strength": 0.0, "reference": 1.0}
    scene = outbreak(kind, quiet, true.tolist(), [float(infected)], groups="everybody")
    observed_cases = infections(scene, 7 * weeks, derive(seed, "truth")).reshape(weeks, 7).sum(1)
    susceptibility = np.array([SUSCEPTIBILITY[age] for age in who.table["age"].cast(str).to_list()])
    program = Outbreak(who.networks["contacts"], susceptibility, infected)
    begun = time.process_time()
    gradient = fit(program, observed_cases, calls, derive(seed, "gradient"))
    seconds = time.process_time() - begun
    network = fit(program, observed_cases, calls, derive(seed, "gradient"), by_network=True)
    found = {"gradient": gradient, "gradient, by a network": network}
    found |= {"random search": search(program, observed_cases, calls, derive(seed, "search"))}
    found["random search, 3 times the calls"] = search(program, observed_cases, 3 * calls, derive(seed, "search"))
    errors = {arm: float(np.abs(np.array(f.r) / true - 1).mean()) for arm, f in found.items()}
    return {
        "true": true.tolist(),
        "cases": observed_cases.tolist(),
        "r": {arm: f.r for arm, f in found.items()},
        "errors": errors,
        "losses": gradient.losses,
        "seconds": seconds,
    }


def called(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """Model calls and processor time of a step in a population of a size: a scripted model is asked, one call a question."""
    n, steps = item["people"], item["steps"]
    build = {"law": {"model": "scripted"}, "r": [2.0], "past": [n / 500] * 7, "groups": item["groups"], "average": False}
    scene = outbreak(item["kind"], people=n, **build)
    simulate(scene, steps=1, seed=item["seed"], progress=False, record="none")  # compile
    begun = time.process_time()
    run = simulate(scene, steps=steps, seed=item["seed"], progress=False, record="none")
    seconds = (time.process_time() - begun) / steps
    calls = run.calls.collect()
    by_step = calls.group_by("step").len()["len"].to_list()
    return {
        "calls": by_step,
        "archetypes": len(scene.world.possible_agents) - 1,
        "seconds": seconds,
        "people": n,
    }


def archetype_gap(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """A policy asked for 1, few, many archetypes and for each of 100 people: what share isolates, and what it costs."""
    kind, law = item["kind"], item["law"]
    people = min(item["sample"], len(residents(kind)))
    found = {}
    for groups in GROUPS:
        scene = outbreak(kind, law, [2.0], [max(1.0, people / 50)] * 7, REPORTED, groups=groups, people=people)
        begun = time.process_time()
        run = simulate(scene, steps=1, seed=item["seed"], progress=False)
        shares = weighted(run, scene)
        found[groups] = {
            "isolating": shares,
            "questions": len(scene.world.possible_agents) - 1,
            "calls": run.calls.collect().height,
            "seconds": time.process_time() - begun,
        }
    return {"people": people, "arms": found}


def rise(item: dict[str, Any], lab: Lab) -> list[float]:
    """How much more of each age band isolates with many cases (2,000 of 100,000 people in a week) than with few (20)."""
    from gymnasium.spaces import Box

    from ethogram.columns import Asked

    policy = answers(item["law"])
    told = {
        f"{age}, {cases:g}": Asked(decision=QUESTION, options=OPTIONS, who={"age": age}, facts={"cases": cases}, people=1)
        for age in AGES
        for cases in (20.0, 2000.0)
    }
    policy.reset(item["seed"], list(told))
    found: Any = run_coroutine(policy.act(told, dict.fromkeys(told, Box(0, 1, (len(OPTIONS),)))))  # type: ignore[arg-type]
    return [float(found[f"{age}, 2000"][0] - found[f"{age}, 20"][0]) for age in AGES]


def weighted(run: Any, scene: Scene) -> float:
    """The share of all people who isolate by the answers in a run's first step."""
    import json

    notes = run.notes.collect()
    answered = [json.loads(d) if isinstance(d, str) else d for d in notes.filter(notes["kind"] == "archetype")["data"]]
    return float(sum(a["people"] * a["shares"][0] for a in answered) / sum(a["people"] for a in answered))


def counterfactual(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """Infections of some weeks with fear and with constant behaviour, same seed and other; and by how an answer is had."""
    kind, seed, weeks = item["kind"], item["seed"], item["weeks"]
    people = len(residents(kind))
    past = [people / 1500] * 10
    fearful = {"law": "fear", "base": BASE, "strength": item["strength"], "reference": 200.0}
    constant = fearful | {"strength": 0.0}

    def total(law: dict[str, Any], seed: int, replies: int = 0) -> float:
        return float(infections(outbreak(kind, law, [3.2], past, REPORTED, replies=replies), 7 * weeks, seed).sum())

    other = derive(seed, "other")
    return {
        "fear": total(fearful, seed),
        "constant": total(constant, seed),
        "constant, other luck": total(constant, other),
        "replies": {str(k): total(fearful, seed, k) for k in item["replies"]},
    }


def whole_city(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """All people who ship as New York, once: processor time of building and of a day, and memory."""
    kind, days = item["kind"], item["days"]
    begun = time.process_time()
    fearful = {"law": "fear", "base": BASE, "strength": item["strength"], "reference": 200.0}
    n = len(city(kind, None))
    made = time.process_time() - begun
    scene = outbreak(kind, fearful, [2.5], [n / 2000] * 10, REPORTED, groups="age, gender", people=-1)
    simulate(scene, steps=1, seed=item["seed"], progress=False, record="none")
    begun, wall = time.process_time(), time.perf_counter()
    run = simulate(scene, steps=days, seed=item["seed"], progress=False)
    seconds, wall = time.process_time() - begun, time.perf_counter() - wall
    curve = observed(run)["infections"].to_list()
    areas = city(kind, None).table["area"].cast(str)
    return {
        "people": n,
        "contacts": scene.world.networks["contacts"].n_edges,  # type: ignore[attr-defined]
        "in_brooklyn": int(areas.str.starts_with("BK").sum()) / n,
        "archetypes": len(scene.world.possible_agents) - 1,
        "build_seconds": made,
        "day_seconds": seconds / days,
        "day_wall": wall / days,
        "world_megabytes": sum(scene.world.memory().values()) / 1e6,  # type: ignore[attr-defined]
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "curve": curve,
    }
