"""What to pretrain an encoder on where the task of each demonstration is hidden: the action between two observations.

A disc is pushed to a goal that is not in the picture. An encoder of pictures is pretrained on demonstrations with goals of
their own, by one of five objectives, and then frozen; a small policy on its features is fitted to two demonstrations of a
new goal, and rolled out. Cloning the actions is confounded by the hidden goal, as the disc mostly is where its goal is;
inverse dynamics are not, as both pictures together say what was done. Whether that is the reason is tested by telling the
cloning arm the goal.

The paper ran six suites on GPUs. This is its point mass alone, redrawn with NumPy: pictures of 32 x 32 (paper: rendered),
convolutions of 16, 32 and 32 channels (32 to 256), 600 updates of batch 128 (10,000 of 256), no random crops but where the
objective itself is made of them; contrastive temperature 0.1 (1: in single pilot runs 0.37 against 0.42 for
contrastive and 0.39 against 0.34 for the implicit forward model). Each replication has four new goals of 25 rollouts. One
pilot with 300 pretraining episodes and 400 updates set these sizes; no threshold was changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ethogram.records.trajectories import Trajectories
from ethogram.seeds import derive
from ethogram.simulation import rollouts
from ethogram.studies import Claim, Findings, Lab, Paper, Reported, Verdict, fails, holds, positive
from ethogram.studies.imitation import _inverse_dynamics_finetuning as finetuning
from ethogram.studies.imitation._inverse_dynamics_findings import report
from ethogram.studies.imitation._inverse_dynamics_objectives import OBJECTIVES, Episodes, pretrain

paper = Paper(
    "Inverse Dynamics Pretraining Learns Good Representations for Multitask Imitation",
    "Brandfonbrener, Nachum, Bruna",
    "NeurIPS 2023",
    "https://arxiv.org/abs/2305.16985",
)
cell = "coded world, learned policies"
tags = ("representation", "pretraining", "inverse dynamics", "confounding")


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    pretraining: tuple[int, ...] = Field(default=(10, 100, 1000), description="episodes of the pretraining, ascending")
    demonstrations: tuple[int, ...] = Field(
        default=(2, 10, 50), description="of a new goal, ascending; all at the most pretraining"
    )
    reaches: tuple[int, ...] = Field(default=(2, 5, 10), description="steps between the pictures of other inverse dynamics")
    noise: float = Field(default=2.0, ge=0, description="standard deviation on the pretraining demonstrators' actions")
    widths: tuple[int, ...] = Field(default=(16, 32, 32), min_length=1, description="channels of the encoder")
    steps: int = Field(default=600, ge=1, description="updates in pretraining")
    batch: int = Field(default=128, ge=2)
    fine_tune_steps: int = Field(default=600, ge=1, description="updates of a policy, 64 observations each")
    goals: int = Field(default=4, ge=1, description="new goals of each replication")
    rollouts: int = Field(default=25, ge=1, description="at each goal")
    seeds: int = Field(default=5, ge=2)
    processes: int = Field(default=1, ge=1)


presets = {
    "smoke": Config(
        pretraining=(2, 4),
        demonstrations=(1, 2),
        reaches=(2,),
        widths=(4, 4),
        steps=5,
        batch=8,
        fine_tune_steps=10,
        goals=1,
        rollouts=2,
        seeds=2,
    ),
    "laptop": Config(processes=2),
    "paper": Config(widths=(32, 64, 128, 256), steps=10_000, batch=256, fine_tune_steps=10_000, goals=1, rollouts=100),
}

SCRATCH, STATES = "scratch", "true state"


def gather(item: dict[str, Any], lab: Lab) -> int:
    """The pretraining episodes of a replication, kept in the lab; how many."""

    def make(folder: Path) -> None:
        scene = finetuning.demonstrator(finetuning.PIXELS, None, item["noise"])
        rollouts(scene, episodes=item["episodes"], seed=derive(item["seed"], "pretraining")).save(folder)

    return len(Trajectories.load(lab.made(_kept(item["seed"]), make)))


def _kept(seed: int) -> str:
    return f"episodes-{seed}"


def arm(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """Pretrain an encoder, fine-tune a policy on it for each new goal and number of demonstrations, and roll these out.

    Returns:
        `success` of each rollout by the number of demonstrations; of a pretrained encoder also `loss` and `probe`.
    """
    config, seed, name = Config(**item["config"]), item["seed"], item["arm"]
    result: dict[str, Any] = {"success": {}}
    widths, features = (() if name == STATES else config.widths), None
    if name in OBJECTIVES:
        data = Episodes.of(Trajectories.load(lab.dir / "made" / _kept(seed))[: item["episodes"]])
        features, result["loss"] = pretrain(name, data, widths, config.steps, config.batch, seed, item["reach"])
        result["probe"] = finetuning.probe_error(features, seed)
    for count in item["demonstrations"]:
        found = result["success"][str(count)] = []
        for goal in finetuning.goals(seed, config.goals):
            pixels = finetuning.PIXELS if widths else None
            shown = finetuning.demonstrations(pixels, goal, count, seed)
            module = finetuning.fine_tune(features, widths, shown, config.fine_tune_steps, seed)
            found += finetuning.successes(module, widths, goal, config.rollouts, seed)
    return result


def run(config: Config, lab: Lab) -> Findings:
    """Gather demonstrations, then run all arms at all sizes."""
    seeds, most = lab.seeds(config.seeds), config.pretraining[-1]
    gathered = [{"seed": seed, "episodes": most, "noise": config.noise} for seed in seeds]
    lab.parts(gather, gathered, config.processes)
    cells: list[dict[str, Any]] = []
    few = config.demonstrations[:1]
    for name in OBJECTIVES:
        for episodes in config.pretraining:
            full = episodes == most and name in ("inverse dynamics", "cloning")
            cells.append(
                {"arm": name, "reach": 1, "episodes": episodes, "demonstrations": config.demonstrations if full else few}
            )
    plain = {"arm": "inverse dynamics", "episodes": most, "demonstrations": few}
    cells += [{**plain, "reach": reach} for reach in config.reaches]
    plain = {"reach": 1, "episodes": 0, "demonstrations": config.demonstrations}
    cells += [{**plain, "arm": name} for name in (SCRATCH, STATES)]
    settings = config.model_dump(mode="json")
    items = [{**cell, "seed": seed, "config": settings} for seed in seeds for cell in cells]
    found = list(zip(items, lab.parts(arm, items, config.processes), strict=True))
    findings = Findings()
    report(findings, config.pretraining, config.demonstrations, config.reaches, found)
    return findings


# --- the claims ---

PLOT = "read off a plot in the authors' repository (mean over six suites)"


def _not_ahead(findings: Findings, name: str, at: str, what: str) -> Verdict:
    gap = findings.get(name, at)
    said = f"{what} is {gap}"
    return fails(f"{said}, all above zero") if gap.above else holds(f"{said}, not all above zero")


def _beats(other: str) -> Any:
    return lambda f: positive(f.get("ahead", other), f"success with inverse dynamics minus {other}")


claims = (
    Claim(
        "beats-cloning",
        "After the most pretraining and with the fewest demonstrations, inverse dynamics beat cloning.",
        Reported("0.58 against 0.46", PLOT),
        _beats("cloning"),
    ),
    Claim(
        "beats-explicit-forward",
        "Inverse dynamics beat predicting the next picture.",
        Reported("0.58 against 0.44", PLOT),
        _beats("explicit forward"),
    ),
    Claim(
        "beats-implicit-forward",
        "Inverse dynamics beat telling the next picture from others.",
        Reported("0.58 against 0.43", PLOT),
        _beats("implicit forward"),
    ),
    Claim(
        "beats-contrastive",
        "Inverse dynamics beat contrasting two views of one picture.",
        Reported("0.58 against 0.25", PLOT),
        _beats("contrastive"),
    ),
    Claim(
        "beats-scratch",
        "Inverse dynamics beat an encoder fitted from scratch to the few demonstrations.",
        Reported("0.58 against 0.45 (pixels and augmentation)", PLOT),
        _beats("scratch"),
    ),
    Claim(
        "near-true-state",
        "Inverse dynamics come to at least 80 % of the success with the true state.",
        Reported("0.58 of 0.68", PLOT, 0.58 / 0.68),
        lambda f: positive(f.get("near_state"), "success with inverse dynamics minus 0.8 times that with the true state"),
    ),
    Claim(
        "crossing",
        "After the least pretraining inverse dynamics are not ahead of cloning.",
        Reported("0.27 against 0.31", PLOT),
        lambda f: _not_ahead(f, "ahead_least", "cloning", "success with inverse dynamics minus cloning"),
    ),
    Claim(
        "context-explains",
        "Telling the cloning arm the goal in pretraining closes most of its gap to inverse dynamics.",
        Reported("most of the gap", "the authors' repository, as summed up in the catalogue"),
        lambda f: positive(f.get("gap_closed"), "what cloning with context gains, minus half of the gap,"),
    ),
    Claim(
        "scratch-catches-up",
        "With ample demonstrations an encoder from scratch catches up.",
        Reported("0.75 from scratch, 0.73 with inverse dynamics", PLOT),
        lambda f: _not_ahead(f, "ahead_ample", "scratch", "success with inverse dynamics minus from scratch"),
    ),
)
