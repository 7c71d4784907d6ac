"""Does steering a diffusion model of trajectories by the policy being trained give better data than real or unsteered ones?

Segments of recorded trajectories are learned by a diffusion model. Samples are steered by the gradient of the policy's
log-likelihood with respect to the actions alone: they lie between what the data did and what the policy would do. TD3+BC is
trained offline, on the real transitions only, or on mostly generated ones (240 of 256 in a batch): unsteered, steered by the
present policy and renewed at every stage, or dreamt by an ensemble of one-step models for a few steps. Dynamics errors are
measured in the simulator, which is set to the exact state of every generated step.

The world is HalfCheetah; the data are our own: episodes at random, episodes of a soft actor-critic that was trained for a
while, and what that one lived while it was trained. The scale of returns is 0 for random actions and 1 for that policy.

Smaller than the paper: its networks are 1,024 wide and its samples take 256 steps; here the U-Net is 48 wide, sampling takes
16 steps of Heun's method (31 evaluations, churn in proportion), TD3+BC has 6,000 updates of 128-wide networks in 6 stages in
place of a million (its optimiser begins anew at each stage, in all arms), and the data 30,000 to 50,000 steps. HalfCheetah
never terminates, so the segments have no channel for that. The coefficients of guidance are of our normalisation, where the
gradient of a segment has a root mean square of 1 over its action channels. IQL is there as a policy and is not run here.

One pilot was run, before any full run: a set `medium` of 15,000 steps, learners of 4,000 updates. There the dynamics error
over that of the ensemble at equal likelihood was 0.54, 0.60, 0.79 and 1.23 at coefficients of 0, 0.1, 0.2 and 0.4; the arm
`guided`, at 0.2, did worse than real data alone. So its coefficient became 0.1; the thresholds are the catalogue's.

The laptop preset was run twice. In the first run the initial weights of the diffusion models did not derive from the seed,
which was mended; the second is kept. Between them the soft actor-critic came out otherwise, on the same seed, for its
learning amplifies the last bits of the arithmetic: 2,821 in the first run, 854 in the second. The same three claims held.
The scaled returns, interquartile means over sets and seeds, were real 0.661, unguided 0.749, guided 0.626, ensemble 0.034 in
the first, and are 0.799, 0.2, 0.155 and -0.061: how good generated data are beside real ones hangs on the one policy that
the data come from, which the intervals, over learners, do not tell.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ethogram.errors import ConfigError
from ethogram.seeds import derive
from ethogram.studies import Claim, Findings, Lab, Paper, Reported, Verdict, fails, holds, not_tested, positive
from ethogram.studies.dreams._pgd_findings import ARMS, report

paper = Paper(
    "Policy-Guided Diffusion",
    "Jackson, Matthews, Lu, Ellis, Whiteson, Foerster",
    "RLC 2024",
    "https://arxiv.org/abs/2404.06356",
)
cell = "learned world, learned policy"
tags = ("world model", "diffusion", "offline reinforcement learning", "guidance")

RATIO = 0.7
"""At most so much of the ensemble's dynamics error."""


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    sets: tuple[str, ...] = Field(default=("random", "medium", "replay"), min_length=1, description="data sets")
    seeds: int = Field(default=5, ge=1, description="learners of each arm and data set")
    sac_steps: int = Field(default=30_000, ge=100, description="steps for which the soft actor-critic is trained")
    steps: int = Field(default=50_000, ge=100, description="steps of the sets `random` and `medium`")
    length: int = Field(default=1000, ge=40, description="steps of an episode")
    segment: int = Field(default=32, ge=8, multiple_of=4, description="steps of a generated segment")
    width: int = Field(default=48, ge=8, description="channels of the U-Net")
    diffusion_updates: int = Field(default=2500, ge=1, description="of the diffusion model, 64 segments each")
    ensemble_updates: int = Field(default=3000, ge=1, description="of the ensemble, 128 transitions each for its 5 members")
    stages: int = Field(default=6, ge=2, description="stages of TD3+BC; generated data are renewed before each")
    updates: int = Field(default=1000, ge=1, description="updates of TD3+BC in a stage, 256 transitions each")
    hidden: int = Field(default=128, ge=8, description="width of the policy's, critics' and ensemble's networks")
    generated: int = Field(default=384, ge=2, description="segments generated for a stage")
    truncated: int = Field(default=5, ge=1, description="steps of the ensemble's rollouts that TD3+BC is trained on")
    coefficient: float = Field(default=0.1, gt=0, description="of the guidance of the arm `guided`; one of `sweep`")
    sweep: tuple[float, ...] = Field(default=(0.0, 0.1, 0.2, 0.4), min_length=2, description="coefficients, rising")
    measured: int = Field(default=192, ge=2, description="segments from which likelihood and dynamics error are measured")
    test: int = Field(default=5, ge=1, description="episodes in which a learner is tested")
    processes: int = Field(default=1, ge=1)


presets = {
    "smoke": Config(
        sets=("random", "replay"),
        seeds=2,
        sac_steps=150,
        steps=300,
        length=100,
        width=8,
        diffusion_updates=10,
        ensemble_updates=10,
        stages=2,
        updates=10,
        hidden=16,
        generated=8,
        sweep=(0.0, 0.1),
        measured=8,
        test=1,
    ),
    "laptop": Config(processes=2),
    "paper": Config(
        sac_steps=1_000_000,
        steps=1_000_000,
        width=1024,
        diffusion_updates=100_000,
        ensemble_updates=100_000,
        stages=100,
        updates=10_000,
        hidden=256,
        generated=32_000,
        measured=1000,
        test=10,
        processes=2,
    ),
}


# --- what is computed ---


def sets_of(config: Config, lab: Lab) -> Path:
    """The folder of the data sets."""
    from ethogram.studies.dreams._pgd_data import make_sets

    return lab.made("sets", lambda folder: make_sets(folder, config.sac_steps, config.steps, config.length, lab.seed))


def diffuser_of(config: Config, lab: Lab, name: str) -> Path:
    """The diffusion model of a data set."""
    from ethogram.nn.training import Training
    from ethogram.records.trajectories import Trajectories
    from ethogram.studies.dreams._pgd_diffusion import Diffuser

    def make(folder: Path) -> None:
        data, n = Trajectories.load(sets_of(config, lab) / name), config.diffusion_updates
        training = Training(
            steps=n, batch=64, lr=2e-3, warmup=n // 10, schedule="cosine", ema=0.995, seed=derive(lab.seed, "diffuser", name)
        )
        seen, acted = (math.prod(space.shape or ()) for space in (data.observation_space, data.action_space))
        Diffuser(seen, acted, config.segment, config.width, training.seed).fit(data, training).save(folder)

    return lab.made(f"diffuser-{name}", make)


def ensemble_of(config: Config, lab: Lab, name: str) -> Path:
    """The ensemble of a data set."""
    from ethogram.nn.training import Training
    from ethogram.records.trajectories import Trajectories
    from ethogram.worlds.learned.ensemble import Ensemble

    def make(folder: Path) -> None:
        data, seed = Trajectories.load(sets_of(config, lab) / name), derive(lab.seed, "ensemble", name)
        training = Training(
            steps=config.ensemble_updates, batch=128, lr=1e-3, weight_decay=1e-5, schedule="cosine", seed=seed
        )
        world = Ensemble(data.observation_space, data.action_space, {"hidden": (config.hidden,) * 3}, seed=seed)
        world.fit(data, training, progress=False).save(folder)

    return lab.made(f"ensemble-{name}", make)


def models(item: dict[str, Any], lab: Lab) -> None:
    """Fit both models of a data set."""
    _one_thread()
    config = Config(**item["config"])
    diffuser_of(config, lab, item["set"])
    ensemble_of(config, lab, item["set"])


def scale(item: dict[str, Any], lab: Lab) -> dict[str, float]:
    """The mean returns of random actions and of the soft actor-critic, in the episodes in which learners are tested."""
    from ethogram.simulation import rollouts
    from ethogram.studies.dreams._pgd_data import cheetah

    config = Config(**item["config"])
    found, seed = {}, derive(lab.seed, "test")
    for name, snapshot in (("random", ""), ("expert", str(sets_of(config, lab) / "snapshot.npz"))):
        done = rollouts(cheetah(snapshot), episodes=config.test, steps=config.length, seed=seed, progress=False)
        found[name] = float(done.returns().mean())
    return found


def learner(item: dict[str, Any], lab: Lab) -> list[float]:
    """Train a learner of an arm, data set and seed; its returns in the world. That of the arm `real` is kept."""
    from ethogram.records.trajectories import Trajectories
    from ethogram.studies.dreams import _pgd_agents as agents
    from ethogram.studies.dreams._pgd_diffusion import Diffuser, Guidance
    from ethogram.worlds.learned.ensemble import Ensemble

    _one_thread()
    config, name, arm = Config(**item["config"]), item["set"], item["arm"]
    data = Trajectories.load(sets_of(config, lab) / name)
    seed = derive(lab.seed, "learner", name, item["seed"])
    source: agents.Source | None = None
    if arm in ("guided", "unguided"):
        diffuser = Diffuser.load(diffuser_of(config, lab, name))

        def generate(stage: int, policy: Any) -> Trajectories:
            guidance = Guidance(config.coefficient, policy.decide) if policy is not None and arm == "guided" else None
            return diffuser.sample(config.generated, derive(seed, "samples", stage), guidance).trajectories(data)

        source = generate
    elif arm == "ensemble":
        world: Any = Ensemble.load(ensemble_of(config, lab, name))

        def imagine(stage: int, policy: Any) -> Trajectories:
            n = config.generated * (config.segment - 1) // config.truncated
            decide = agents.at_random(seed, data) if policy is None else policy.decide
            starts = agents.real_starts(data, n, derive(seed, "starts", stage))
            return agents.dream(world, starts, config.truncated, decide, 0.1, derive(seed, "dream", stage)).trajectories(
                data
            )

        source = imagine
    policy = agents.train_agent(data, source, config.stages, config.updates, config.hidden, seed)
    if arm == "real":
        lab.made(f"policy-{name}-{item['seed']}", policy.save)
    return agents.returns(policy, config.test, config.length, derive(lab.seed, "test"))


def steering(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """What guidance by the learner of the arm `real` does to samples of a data set's models."""
    from ethogram.policies.learned.td3bc import TD3BC
    from ethogram.records.trajectories import Trajectories
    from ethogram.studies.dreams._pgd_agents import steer
    from ethogram.studies.dreams._pgd_diffusion import Diffuser
    from ethogram.worlds.learned.ensemble import Ensemble

    _one_thread()
    config, name = Config(**item["config"]), item["set"]
    policy = TD3BC.load(lab.dir / "made" / f"policy-{name}-{item['seed']}")
    data = Trajectories.load(sets_of(config, lab) / name)
    diffuser, world = Diffuser.load(diffuser_of(config, lab, name)), Ensemble.load(ensemble_of(config, lab, name))
    seed = derive(lab.seed, "steering", name, item["seed"])
    return steer(diffuser, world, data, policy, list(config.sweep), config.measured, seed)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def run(config: Config, lab: Lab) -> Findings:
    """Gather, fit, learn, measure."""
    if config.coefficient not in config.sweep:
        raise ConfigError(f"coefficient is {config.coefficient:g}, and must be one of sweep: {list(config.sweep)}")
    settings = config.model_dump(mode="json")
    settings.pop("processes")  # how many share the work makes no difference to it
    sets_of(config, lab)
    lab.parts(models, [{"set": name, "config": settings} for name in config.sets], config.processes)
    (ends,) = lab.parts(scale, [{"config": settings}])
    cells = [{"set": name, "seed": seed, "config": settings} for name in config.sets for seed in range(config.seeds)]
    items = [{**cell, "arm": arm} for arm in ARMS for cell in cells]
    returns = lab.parts(learner, items, config.processes)
    steered = lab.parts(steering, cells, config.processes)
    width = ends["expert"] - ends["random"]
    scaled = (np.array([np.mean(r) for r in returns]) - ends["random"]) / width
    by_arm = scaled.reshape(len(ARMS), len(config.sets), config.seeds).swapaxes(1, 2)
    scores = dict(zip(ARMS, by_arm, strict=True))  # each (seeds, sets)
    findings = Findings()
    report(findings, config, scores, steered, ends)
    return findings


# --- the claims ---


def _rises(findings: Findings) -> Verdict:
    """Every step of the sweep raises the likelihood."""
    rises = [m.estimate for m in findings.measured if m.name == "rise"]
    said = "rises of the log-likelihood from each coefficient to the next: " + ", ".join(map(str, rises))
    if not all(r.bounded for r in rises):
        return not_tested(f"{said}: too few for intervals")
    return holds(said) if all(r.above for r in rises) else fails(said)


def _truer(findings: Findings) -> Verdict:
    """At the arm's own coefficient the error is at most a share of the ensemble's."""
    ratio = findings.get("own_log_ratio")
    if not ratio.bounded:
        return not_tested(f"the ratio of errors is {math.exp(ratio.value):.2f} from n = {ratio.n}: too few for an interval")
    low, high = (math.exp(bound) for bound in (ratio.low, ratio.high))
    said = f"the ratio of errors is {math.exp(ratio.value):.2f} [{low:.2f}, {high:.2f}]"
    return holds(said) if high <= RATIO else fails(said)


def _ordered(findings: Findings) -> Verdict:
    """Guided at least unguided at least real, and better than real for sure on one set at least."""
    values = {arm: findings.get("return_iqm", arm) for arm in ARMS}
    gains = [m for m in findings.measured if m.name.startswith("gain_") and m.arm == "guided"]
    sure = [m.name.removeprefix("gain_") for m in gains if m.estimate.bounded and m.estimate.above]
    said = ", ".join(f"{arm} {values[arm]}" for arm in ("guided", "unguided", "real"))
    said += f"; guided is surely above real on: {', '.join(sure) or 'none'}"
    if not all(m.estimate.bounded for m in gains):
        return not_tested(f"{said}: too few learners for intervals")
    ordered = values["guided"].value >= values["unguided"].value >= values["real"].value
    return holds(said) if ordered and sure else fails(said)


claims = (
    Claim(
        "likelihood-rises",
        "The more a sample is steered, the likelier are its actions under the policy.",
        None,
        _rises,
    ),
    Claim(
        "truer-than-an-ensemble",
        "At equal likelihood, segments of 32 steps have at most 70 % of the dynamics error of an ensemble's rollouts.",
        Reported("lower dynamics error at comparable policy likelihood", "abstract"),
        _truer,
    ),
    Claim(
        "guided-is-better-data",
        "TD3+BC does at least as well on guided data as on unguided, and there as on real data; on one set surely better.",
        Reported("significant gains over real and unguided synthetic data", "abstract"),
        _ordered,
    ),
    Claim(
        "better-than-dreamt",
        "TD3+BC on guided data does better than on rollouts of the ensemble cut off after a few steps.",
        None,
        lambda f: positive(f.get("over_ensemble"), "scaled return with guided data minus with the ensemble's"),
    ),
)
