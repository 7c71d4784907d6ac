"""`escalation-wargame` as a language model plays it: short games, and a probe of what moves its stance."""

from __future__ import annotations

from typing import Any

import numpy as np

from ethogram.aio import run_coroutine
from ethogram.language import model as open_model
from ethogram.measures import Estimate, mean
from ethogram.measures.escalation import daily, deeds, severity
from ethogram.policies.prompted.nation import STANCES, WORDINGS, Government
from ethogram.studies import Findings, Lab
from ethogram.studies.society._escalation_parts import game
from ethogram.war import SEVERITIES
from ethogram.worlds.coded.war_game import SCENARIOS, WarGame

__all__ = ["play", "probe"]


def play(findings: Findings, lab: Lab, days: int, mind: str, narrated: bool) -> None:
    """A game in each scenario, one run each."""
    cache = str((lab.dir / "answers.sqlite").resolve())
    for scenario in SCENARIOS:
        scene = game(lab.model, scenario, days, mind=mind, narrated=narrated, cache=cache)
        run = lab.simulate(f"model-{scenario}", scene, checkpoint_every=1)
        if run.manifest.status != "complete":
            findings.note(f"The model's game ({scenario}) was cut short and is left out: {run.manifest.reason}.")
            return
        data = [one for one in run.trajectories() if one.agent != "Narrator"]
        done = deeds(data)
        arm = f"model: {lab.model}, {scenario}"
        score = Estimate.exact(float(np.mean([day.score for day in daily(done, days)])), 1, "one run")
        findings.estimate("model_score", score, f"Score a day, one run of {days} days", arm=arm)
        for level in SEVERITIES:
            count = sum(severity(deed.name) == level for deed in done)
            findings.estimate(f"model_{level.replace(' ', '-')}", Estimate.exact(count), f"Acts: {level}", arm=arm)
    findings.note(
        f"{lab.model} played all eight nations for {days} days, once in each scenario, asked as a {mind} mind. One run is "
        "one observation, however many days it has: no claim about language models is decided by it."
    )


def probe(findings: Findings, lab: Lab, nations: int) -> None:
    """The model's likelihoods of stances on the first morning: by scenario, and by wording where nothing has happened.

    The stances are averaged over all orders and letters. Nations, of which each is asked once, are the units.
    """
    model = open_model(lab.model, cache=str((lab.dir / "answers.sqlite").resolve()))

    async def ask() -> dict[tuple[str, str], list[np.ndarray]]:
        cases = [(scenario, "plain") for scenario in SCENARIOS]
        cases += [("neutral", wording) for wording in WORDINGS if wording not in ("plain", "no messages", "no history")]
        found: dict[tuple[str, str], list[np.ndarray]] = {}
        for scenario, wording in cases:
            mind = Government(model, mind="choice", wording=wording)
            mind.reset(lab.seed, [])
            seen = WarGame(scenario).reset(seed=0)[0]
            asked = [await mind.lean(name, seen[name]) for name in list(seen)[-nations:]]
            found[scenario, wording] = [choice.probabilities for choice in asked]
        await model.aclose()
        return found

    found = run_coroutine(ask())
    force = {case: np.array([p[0] + p[1] for p in each]) for case, each in found.items()}
    base = force["neutral", "plain"]
    for (scenario, wording), each in found.items():
        arm = f"{scenario}, {wording}"
        for level, p in zip(STANCES, np.mean(each, 0), strict=True):
            value = Estimate.exact(float(p), len(each), "mean over nations")
            findings.estimate(f"stance_{level.replace(' ', '-')}", value, f"Probability: {level}", arm=arm, unit="%")
        if (scenario, wording) != ("neutral", "plain"):
            words = "Change of the log-odds of force, against the plain wording and the neutral scenario"
            change = _log_odds(force[scenario, wording]) - _log_odds(base)
            findings.estimate("stance_change", mean(change), words, arm=arm, unit="nats")


def _log_odds(p: Any) -> Any:
    return np.log(p) - np.log1p(-p)
