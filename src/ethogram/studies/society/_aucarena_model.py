"""`aucarena` as a language model plays it: full auctions at one seat, by arm, and with tips from an earlier log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ethogram.aio import run_coroutine
from ethogram.errors import CallFailed
from ethogram.language import model as open_model
from ethogram.measures import Estimate, proportion
from ethogram.policies.prompted.bidder_minds import learn
from ethogram.records import Run
from ethogram.studies import Findings, Lab
from ethogram.studies.society._aucarena_findings import conducts
from ethogram.studies.society._aucarena_parts import conduct
from ethogram.studies.society._aucarena_scene import ARMS, FULL, TIPPED, arena

__all__ = ["MODEL_ARMS", "played", "tell"]

MODEL_ARMS = (FULL, "no plan", "static plan", "no belief correction", TIPPED)
ME = "Ana"


def played(lab: Lab, arm: str, seed: int, items: int, mind: str, tips: Sequence[str] = (), number: int = 0) -> Run:
    """One auction with the model at the first seat; kept as a run."""
    scene = arena(
        seats={ME: arm, "Ben": "rule", "Cleo": "adaptive"},
        items=items,
        order=seed,
        budget=2000 * items,
        player=lab.model,
        mind=mind,
        tips=list(tips),
        cache=str((lab.dir / "answers.sqlite").resolve()),
    )
    name = f"model-{mind}-{arm.replace(' ', '-')}-{number}"
    return lab.simulate(name, scene, seed=seed, checkpoint_every=200)


def measured(run: Run) -> dict[str, Any]:
    """The model's conduct in a run, with calls, faults and failed calls by purpose."""
    notes = [(row["kind"], json.loads(row["data"])) for row in run.notes.collect().to_dicts() if row["agent"] == ME]
    plans = [[data["place"], data["priorities"]] for kind, data in notes if kind == "plan"]
    calls: dict[str, list[int]] = {}
    for _, call in run.all_calls():
        one = calls.setdefault(call.position.purpose, [0, 0, 0])
        one[0] += 1
        one[1] += bool(call.faults)
        one[2] += call.error is not None
    audits = [data for kind, data in notes if kind == "belief"]
    diary = {"plans": plans, "audits": audits}
    data = run.trajectories()
    found = conduct(data, ME, data[0].outcome, diary)
    return found | {"calls": calls, "complete": run.manifest.status == "complete" and len(data[0].observations[-1].sold)}


def tips_of(lab: Lab, run: Run) -> list[str]:
    """What the model learns from the log of a run; kept."""

    def make(folder: Path) -> None:
        seen = next(one for one in run.trajectories() if one.agent == ME).observations[-1]

        async def ask() -> list[str]:
            model = open_model(lab.model, cache=str((lab.dir / "answers.sqlite").resolve()))
            async with model:
                try:
                    return list(await learn(model, seen, agent=ME))
                except CallFailed:
                    return []

        (folder / "tips.json").write_text(json.dumps(run_coroutine(ask())), encoding="utf-8")

    return json.loads((lab.made("tips", make) / "tips.json").read_text("utf-8"))


def tell(
    findings: Findings, lab: Lab, seeds: Sequence[int], items: int, written: int, baselines: Mapping[str, Sequence[Any]]
) -> None:
    """Play every arm with the same seeds, then some auctions in which the model writes, and report what it did.

    Args:
        findings: to add to.
        lab: with the model.
        seeds: of the auctions.
        items: of each auction.
        written: how many of the seeds are played by the writing mind as well.
        baselines: conduct of the coded bidders at the same seat, by kind.
    """
    for kind, found in baselines.items():
        conducts(findings, f"model: at its seat, {kind}", found)
    runs, wanted = [], 0
    tips: list[str] = []
    for arm in MODEL_ARMS:
        if arm == TIPPED:
            tips = tips_of(lab, runs[0])
            if not tips:
                findings.note(f"{lab.model} drew no tips from the log of its first auction: the arm with tips is left out.")
                continue
        made = [played(lab, arm, seed, items, "choice", tips if ARMS[arm].tips else (), i) for i, seed in enumerate(seeds)]
        runs += made
        wanted += len(made)
        conducts(findings, f"model: {arm}", [measured(run) for run in made])
    made = [played(lab, FULL, seed, items, "written", (), i) for i, seed in enumerate(seeds[:written])]
    if made:
        conducts(findings, "model: writing", [measured(run) for run in made])
    wanted += len(made)
    whole = [one for run in [*runs, *made] if (one := measured(run))["complete"] == items]
    findings.estimate(
        "full_auctions", Estimate.exact(len(whole), wanted), "Auctions that the model played to the end, of those begun"
    )
    for mind, some in (("choosing", runs), ("writing", made)):
        _failures(findings, mind, [measured(run)["calls"] for run in some])
    findings.note(
        f"{lab.model} played {len(seeds)} auctions of {items} items in each arm, choosing among options, and {written} "
        "writing JSON, against a rule bidder and the coded adaptive bidder. So few say how often it fails, and nothing "
        "about what planning is worth to a language model."
    )
    if tips:
        findings.note("Tips it drew from its first auction: " + " ".join(f"{i}. “{tip}”" for i, tip in enumerate(tips, 1)))


def _failures(findings: Findings, mind: str, calls: Sequence[Mapping[str, Sequence[int]]]) -> None:
    """The share of calls that failed at first, and for good, by purpose."""
    for purpose in sorted({purpose for one in calls for purpose in one}):
        n, faulty, lost = (sum(one[purpose][k] for one in calls if purpose in one) for k in range(3))
        label = f"{mind}, {purpose}"
        findings.estimate("calls_faulty", proportion(faulty, n), "Calls with an invalid first answer", arm=label, unit="%")
        findings.estimate("calls_failed", proportion(lost, n), "Calls that failed for good", arm=label, unit="%")
