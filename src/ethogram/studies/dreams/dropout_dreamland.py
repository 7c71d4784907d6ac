"""Does a policy trained wholly in a dream do better awake when the dream is kept uncertain by dropout?

Episodes of VizDoom's Take Cover are lived at random. An autoencoder and a mixture-density LSTM are fitted to them: the
dream. A linear controller is trained in it by CMA-ES, never seeing the world, and is then tested in the world with dropout
off. The arms differ in dropout alone: none (`wm`, Ha & Schmidhuber's world model), while fitting and dreaming at rates from
0.05 to 0.5 (the dream is fitted at 0.05, as the authors' is), while fitting only, while dreaming only, and with masks drawn
anew each step in place of once a dream.

Smaller than the paper: 64-pixel images in 32 numbers, 128 units, 800 episodes, populations of 16 with 8 dreams each over 60
generations; the paper has 64 numbers, 512 units, 10,000 episodes and populations of 64 with 16 dreams over 2,000. All arms
of a seed share one autoencoder, and the arms with the same dropout while fitting one LSTM. Actions are held for 4 ticks, and
a random one for 1 to 10 steps, as by the authors. The controller tested is the mean of CMA-ES's last generation, in every
arm, whatever its return.

What pilots of one world model changed, and no threshold. With actions drawn anew each step the data never came near a wall,
and the dream did not know it: going right for ever lived 709 ticks in the dream and 178 awake. Held, 139 in the dream. And
200 episodes are too few: at deaths that the dream was fitted to it gave the end 0.58, at others 0.35. Controllers lived
about 1,000 ticks in that dream and 205 ± 11 awake, where random actions live 363 ± 14 and going left and right in turn
without looking 519 ± 40 (standard errors of 50 to 200 episodes). With 800 episodes (1,000 updates, 40 generations) staying
lives 260 in the dream and 162 awake, not 582, and a controller 301 ± 19 awake: better, and still no more than at random.
The laptop run has 800 episodes, 2,000 updates and 60 generations. Lives of one controller differ by 50 to 140 ticks: 100
episodes tell controllers apart that differ by about 20 to 40; what differs between world models, the five seeds have to say.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ethogram.errors import ConfigError
from ethogram.seeds import derive
from ethogram.studies import Claim, Findings, Lab, Paper, Reported, Verdict, fails, holds, not_tested, positive

paper = Paper(
    "Dropout's Dream Land: Generalization from Learned Simulators to Reality",
    "Wellmer, Kwok",
    "ECML-PKDD 2021",
    "https://arxiv.org/abs/2109.08342",
)
cell = "learned world, learned policy"
tags = ("world model", "dream", "dropout", "evolution strategy")

FITTED = 0.05
"""The rate of dropout while a dream is fitted, in all arms that have it."""
MODERATE = "p=0.1"
"""The arm that the paper finds best; named before anything was run."""

ARMS: dict[str, dict[str, Any]] = {
    "wm": {"trained_dropout": 0.0, "dropout": 0.0},
    "p=0.05": {"trained_dropout": FITTED, "dropout": 0.05},
    "p=0.1": {"trained_dropout": FITTED, "dropout": 0.1},
    "p=0.2": {"trained_dropout": FITTED, "dropout": 0.2},
    "p=0.3": {"trained_dropout": FITTED, "dropout": 0.3},
    "p=0.5": {"trained_dropout": FITTED, "dropout": 0.5},
    "fitting-only": {"trained_dropout": FITTED, "dropout": 0.0},
    "dreaming-only": {"trained_dropout": 0.0, "dropout": 0.1},
    "each-step": {"trained_dropout": FITTED, "dropout": 0.1, "masks": "step"},
}
"""The arms, as settings of the dream."""
RATES = {"wm": 0.0, "p=0.05": 0.05, "p=0.1": 0.1, "p=0.2": 0.2, "p=0.3": 0.3, "p=0.5": 0.5}
DOOM = "authors' repository, Doom, 1,000 real episodes"
REPORTED = {
    "wm": ("849 ± 500", 849.0),
    "p=0.05": ("868 ± 508", 868.0),
    "p=0.1": ("933 ± 552", 933.0),
    "p=0.2": ("867 ± 506", 867.0),
    "p=0.3": ("802 ± 487", 802.0),
    "p=0.5": ("205 ± 43", 205.0),
    "dreaming-only": ("339", 339.0),
}
"""Real returns, in ticks."""


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    arms: tuple[str, ...] = Field(default=tuple(ARMS), description="which arms; `wm` is always there")
    seeds: int = Field(default=5, ge=1, description="world models of each kind, and controllers of each arm")
    episodes: int = Field(default=800, ge=1, description="lived at random, for all seeds")
    pixels: int = Field(default=64, ge=16, description="side of an image, a multiple of 16")
    repeat: int = Field(default=4, ge=1, description="ticks for which an action is held")
    latent: int = Field(default=32, ge=1, description="numbers that an image is summed up in")
    hidden: int = Field(default=128, ge=1, description="units of the LSTM")
    vae_updates: int = Field(default=3000, ge=1, description="updates of an autoencoder, 32 images each")
    updates: int = Field(default=2000, ge=1, description="updates of an LSTM, 32 sequences of 50 steps each")
    generations: int = Field(default=60, ge=1, description="of CMA-ES")
    population: int = Field(default=16, ge=4, description="of CMA-ES")
    dreams: int = Field(default=8, ge=1, description="that each candidate is tried in")
    real: int = Field(default=100, ge=2, description="real episodes of each controller, the same for all")
    processes: int = Field(default=1, ge=1)


presets = {
    "smoke": Config(
        arms=("wm", MODERATE),
        seeds=2,
        episodes=4,
        pixels=32,
        latent=4,
        hidden=8,
        vae_updates=5,
        updates=5,
        generations=2,
        population=4,
        dreams=2,
        real=2,
    ),
    "laptop": Config(processes=2),
    "paper": Config(
        episodes=10_000,
        repeat=1,
        latent=64,
        hidden=512,
        vae_updates=300_000,
        updates=50_000,
        generations=2000,
        population=64,
        dreams=16,
        real=1000,
        processes=2,
    ),
}


# --- what is computed ---


def lived(config: Config, lab: Lab) -> Path:
    """The episodes that all dreams are fitted to."""
    from ethogram.studies.dreams._dreamland import live

    made = lab.made("lived", lambda folder: live(config.pixels, config.repeat, config.episodes, lab.seed, folder))
    return made / "lived"


def dreamt(config: Config, lab: Lab, seed: int, dropout: float, eyes: Path | None) -> Path:
    """The dream of a seed fitted with a rate of dropout; with the autoencoder of another where one is given."""
    from ethogram.nn.training import Training
    from ethogram.records.trajectories import Trajectories
    from ethogram.studies.dreams._dreamland import fit_dream
    from ethogram.worlds.learned.vae_mdn import VaeMdn

    settings = {
        "latent": config.latent,
        "hidden": config.hidden,
        "trained_dropout": dropout,
        "vae_share": config.vae_updates / config.updates,
        "steps": 2100 // config.repeat,
    }
    training = Training(steps=config.updates, batch=32, lr=1e-3, clip=1.0, seed=derive(lab.seed, "dream", seed))

    def make(folder: Path) -> None:
        from_eyes = None if eyes is None else VaeMdn.load(eyes)
        fit_dream(Trajectories.load(lived(config, lab)), settings, training, from_eyes, folder)

    return lab.made(f"dream-{seed}-{'dropout' if dropout else 'plain'}", make)


def dream_pair(item: dict[str, Any], lab: Lab) -> None:
    """Fit the two dreams of a seed."""
    config = Config(**item["config"])
    plain = dreamt(config, lab, item["seed"], 0.0, None)
    if any(ARMS[arm]["trained_dropout"] for arm in config.arms):
        dreamt(config, lab, item["seed"], FITTED, plain)


def controller(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """Train the controller of an arm and seed in its dream; its returns in such dreams and in the world."""
    import torch

    from ethogram.studies.dreams._dreamland import Controller, dream_returns, real_returns, train_controller
    from ethogram.worlds.learned.vae_mdn import VaeMdn

    torch.set_num_threads(1)
    config, arm, number = Config(**item["config"]), ARMS[item["arm"]], item["seed"]
    folder = dreamt(config, lab, number, arm["trained_dropout"], None)
    world = VaeMdn.load(folder, **{k: v for k, v in arm.items() if k != "trained_dropout"})
    seed = derive(lab.seed, "controller", number)
    weights, history = train_controller(world, config.generations, config.population, config.dreams, seed)
    dreams = dream_returns(world, np.array([weights]), 2 * config.real, derive(seed, "test"))[0]
    real = real_returns(Controller(world, weights), config.pixels, config.repeat, config.real, derive(lab.seed, "real"))
    return {"real": real, "dream": dreams.tolist(), "history": history}


def blind(item: dict[str, Any], lab: Lab) -> list[float]:
    """What those live who do not look, in the same real episodes: by actions at random as the dreams' data, or sweeping."""
    from ethogram.studies.dreams._dreamland import Restless, Sweep, real_returns

    config, policy = Config(**item["config"]), {"random": Restless, "sweep": Sweep}[item["policy"]]
    return real_returns(policy(), config.pixels, config.repeat, config.real, derive(lab.seed, "real"))


def run(config: Config, lab: Lab) -> Findings:
    """Live, dream, train, wake up, measure."""
    from ethogram.measures import mean

    if unknown := [arm for arm in config.arms if arm not in ARMS]:
        raise ConfigError(f"there is no arm {unknown[0]!r}; there are: {', '.join(ARMS)}")
    arms = ["wm", *(arm for arm in config.arms if arm != "wm")]
    settings = config.model_dump(mode="json")
    settings.pop("processes")  # how many share the work makes no difference to it
    lived(config, lab)
    lab.parts(dream_pair, [{"seed": seed, "config": settings} for seed in range(config.seeds)], config.processes)
    items = [{"arm": arm, "seed": seed, "config": settings} for seed in range(config.seeds) for arm in arms]
    results = lab.parts(controller, items, config.processes)
    found: dict[str, list[dict[str, Any]]] = {arm: [] for arm in arms}
    for item, result in zip(items, results, strict=True):
        found[item["arm"]].append(result)
    findings = Findings()
    luck, sweep = lab.parts(blind, [{"policy": policy, "config": settings} for policy in ("random", "sweep")])
    _measure(findings, arms, found, luck)
    findings.estimate("real", mean(sweep), "Real return", arm="sweep", unit="ticks")
    _draw(findings, arms, found, luck)
    _tell(findings, config, found, luck)
    return findings


# --- what is found ---


def _measure(findings: Findings, arms: list[str], found: dict[str, list[dict[str, Any]]], luck: list[float]) -> None:
    from ethogram.measures import hierarchical_difference, hierarchical_mean, interquartile_mean, mean

    findings.estimate("real", mean(luck), "Real return", arm="random", unit="ticks")
    real = {arm: [result["real"] for result in found[arm]] for arm in arms}
    dream = {arm: [result["dream"] for result in found[arm]] for arm in arms}
    for arm in arms:
        told = Reported(REPORTED[arm][0], DOOM, REPORTED[arm][1]) if arm in REPORTED else None
        findings.estimate("real", hierarchical_mean(real[arm]), "Real return", arm=arm, unit="ticks", paper=told)
        middle = interquartile_mean(np.array(real[arm]))
        findings.estimate("real_iqm", middle, "Real return, interquartile mean", arm=arm, unit="ticks")
        findings.estimate("dream", hierarchical_mean(dream[arm]), "Dream return", arm=arm, unit="ticks")
        gap = hierarchical_difference(dream[arm], real[arm], paired=True)
        findings.estimate("gap", gap, "Dream return minus real return", arm=arm, unit="ticks")
        better = hierarchical_difference(real[arm], [luck] * len(real[arm]), paired=True)
        findings.estimate("over_random", better, "Real return minus that of random actions", arm=arm, unit="ticks")
        if arm == "wm":
            continue
        gain = hierarchical_difference(real[arm], real["wm"], paired=True)
        findings.estimate("gain", gain, "Real return minus that without dropout", arm=arm, unit="ticks")
        closer = [abs(np.mean(d) - np.mean(r)) for d, r in zip(dream["wm"], real["wm"], strict=True)]
        ours = [abs(np.mean(d) - np.mean(r)) for d, r in zip(dream[arm], real[arm], strict=True)]
        closed = mean(np.array(closer) - np.array(ours))
        findings.estimate("gap_closed", closed, "Size of the gap without dropout minus with", arm=arm, unit="ticks")
        if arm != MODERATE and MODERATE in arms:
            lead = hierarchical_difference(real[MODERATE], real[arm], paired=True)
            findings.estimate("lead", lead, f"Real return at {MODERATE} minus this arm's", arm=arm, unit="ticks")


def _draw(findings: Findings, arms: list[str], found: dict[str, list[dict[str, Any]]], luck: list[float]) -> None:
    from ethogram.studies.drawing import SERIES, canvas

    swept = [arm for arm in RATES if arm in arms]
    picture, (axes,) = canvas()
    for name, colour, label in (("real", SERIES[0], "in the world"), ("dream", SERIES[1], "in its dream")):
        estimates = [findings.get(name, arm) for arm in swept]
        values = np.array([e.value for e in estimates])
        if all(e.bounded for e in estimates):
            bars = np.array([[e.value - e.low for e in estimates], [e.high - e.value for e in estimates]]).clip(0)
        else:
            bars = None
        axes.errorbar([RATES[arm] for arm in swept], values, bars, fmt="o-", color=colour, capsize=3, label=label)
    axes.axhline(float(np.mean(luck)), color="#888888", ls=":", label="random actions, in the world")
    axes.set(xlabel="rate of dropout while dreaming", ylabel="ticks lived")
    axes.legend()
    caption = (
        "Ticks that a controller lives in its own dream and in the world, by the rate of dropout in the dream (at 0: fitted "
        f"without dropout too). Mean and 95 % interval over {len(found['wm'])} world models."
    )
    findings.figure("return-by-rate", picture, caption)
    picture, (axes,) = canvas()
    for i, arm in enumerate(arms):
        means = [float(np.mean(result["real"])) for result in found[arm]]
        axes.plot(means, [i] * len(means), "o", color=SERIES[0], alpha=0.6)
        axes.plot([np.mean(means)], [i], "|", color=SERIES[1], ms=18, mew=3)
    axes.axvline(float(np.mean(luck)), color="#888888", ls=":")
    axes.set_yticks(range(len(arms)), arms)
    axes.invert_yaxis()
    axes.set(xlabel="ticks lived in the world")
    findings.figure(
        "arms", picture, "Real return in each arm: a dot for each world model, a bar for their mean, dotted: random actions."
    )


def _tell(findings: Findings, config: Config, found: dict[str, list[dict[str, Any]]], luck: list[float]) -> None:
    plain = findings.get("real", "wm")
    text = (
        f"Controllers trained in dreams without dropout lived {plain.value:.0f} ticks of Doom, and {np.mean(luck):.0f} are "
        f"lived at random; in their own dreams they lived {findings.get('dream', 'wm').value:.0f}."
    )
    if MODERATE in found:
        other, dream = findings.get("real", MODERATE), findings.get("dream", MODERATE)
        text += f" With dropout ({MODERATE}) they lived {other.value:.0f} ticks awake and {dream.value:.0f} dreaming."
    findings.summary = text + f" {len(found['wm'])} world models, {config.real} real episodes each."
    swept = findings.get("real", "sweep")
    findings.note(f"Going left and right in turn, 12 steps each, without looking, lives {swept.value:.0f} ticks.")
    findings.note(
        "World models are fitted to episodes lived at random alone, and a controller that has learnt to dodge sees what "
        "none of them held: dreams of long lives are extrapolation."
    )
    findings.note(
        f"An interval over {len(found['wm'])} world models is a rough one; all arms share the real episodes' beginnings."
    )


# --- the claims ---


def _inverted(findings: Findings) -> Verdict:
    """The moderate rate beats none and 0.5, and 0.5 is the worst of all rates."""
    gain, lead = findings.get("gain", MODERATE), findings.get("lead", "p=0.5")
    values = {arm: findings.get("real", arm).value for arm in RATES}
    worst = min(values, key=lambda arm: values[arm])
    said = f"{MODERATE} minus none {gain}, minus p=0.5 {lead}; the worst rate is {worst} with {values[worst]:.0f} ticks"
    if not (gain.bounded and lead.bounded):
        return not_tested(f"{said}: too few world models for an interval")
    return holds(said) if gain.above and lead.above and worst == "p=0.5" else fails(said)


claims = (
    Claim(
        "dreams-teach",
        f"What is learnt in the dream alone serves awake: at {MODERATE} controllers live longer than random actions.",
        None,
        lambda f: positive(f.get("over_random", MODERATE), f"ticks lived at {MODERATE} minus at random"),
    ),
    Claim(
        "dropout-helps-awake",
        "Moderate dropout while fitting and dreaming gives longer lives awake than a world model without.",
        Reported("933 ± 552 against 849 ± 500 ticks", DOOM),
        lambda f: positive(f.get("gain", MODERATE), f"ticks lived at {MODERATE} minus without dropout"),
    ),
    Claim(
        "inverted-u",
        "Some dropout is better than none, and at 0.5 it is worst.",
        Reported("849, 868, 933, 867, 802, 205 ticks at 0, 0.05, 0.1, 0.2, 0.3, 0.5", DOOM),
        _inverted,
    ),
    Claim(
        "smaller-gap",
        "With moderate dropout, dream and world differ less in what a controller gets than without.",
        None,
        lambda f: positive(f.get("gap_closed", MODERATE), f"the gap without dropout minus at {MODERATE}"),
    ),
    Claim(
        "fitting-alone-is-exploited",
        "Dropout while fitting alone does not do: kept on in the dream it gives longer lives awake.",
        Reported("CarRacing: -36 against 625", "computed from the authors' repository"),
        lambda f: positive(
            f.get("lead", "fitting-only"), f"ticks lived at {MODERATE} minus with dropout while fitting only"
        ),
    ),
    Claim(
        "dreaming-alone-does-not-do",
        "Dropout while dreaming alone does not do: fitted with it too it gives longer lives awake.",
        Reported("339 against 933 ticks", DOOM),
        lambda f: positive(
            f.get("lead", "dreaming-only"), f"ticks lived at {MODERATE} minus with dropout while dreaming only"
        ),
    ),
    Claim(
        "one-mask-a-dream",
        "Masks held for a whole dream are better than masks drawn anew each step.",
        None,
        lambda f: positive(f.get("lead", "each-step"), f"ticks lived at {MODERATE} minus with new masks each step"),
    ),
)
