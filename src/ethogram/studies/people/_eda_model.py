"""`eda` as a language model plays it: it chooses questions, asks freely, and judges."""

from __future__ import annotations

import numpy as np

from ethogram.aio import run_coroutine
from ethogram.guessing import ANSWERS, things
from ethogram.guessing.knowledge import NO, YES
from ethogram.guessing.vocabulary import Heard
from ethogram.language import model as open_model
from ethogram.measures import mean, paired_difference, proportion
from ethogram.policies.prompted.judge import Judge
from ethogram.records import Run
from ethogram.seeds import generator
from ethogram.studies import Findings, Lab, Reported
from ethogram.studies.people._eda_parts import measured
from ethogram.studies.people._eda_scene import twenty_questions

__all__ = ["judged", "played"]

VICUNA = Reported("Vicuna-7B 0.09, GPT-4 0.31", "the authors' repository, things")


def played(findings: Findings, lab: Lab, games: int, menu: int, noise: float) -> None:
    """The model's games: from a menu with what follows recalled, and freely; beside chance and the surrogate."""
    cache = str((lab.dir / "answers.sqlite").resolve())
    bits: dict[str, list[float]] = {}
    for mind in ("bank", "free"):
        scene = twenty_questions(lab.model, noise=noise, menu=menu, mind=mind, cache=cache)
        run = lab.simulate(f"model-{mind}", scene, episodes=games, seed=lab.seed)
        if run.manifest.status != "complete":
            findings.note(f"The model's games ({mind}) were cut short and are left out: {run.manifest.reason}.")
            return
        bits[mind] = _tell(findings, run, f"model: {lab.model}, {mind}", noise)
    for player, arm in (("random", "chance, same games"), ("menu", "surrogate, same games")):
        scene = twenty_questions(player, noise=noise, menu=menu)
        run = lab.simulate(f"beside-{player}", scene, episodes=games, seed=lab.seed)
        bits[player] = _tell(findings, run, arm, noise)
    gain = paired_difference(bits["bank"], bits["random"])
    findings.estimate("model_gain", gain, "Information of the model's questions, minus that of random ones", unit="bits")
    findings.note(
        f"{lab.model} played {games} games in each way. From a menu of {menu} questions it decides what is asked and "
        "nothing else: what the answers leave is recalled from the base, and the likeliest thing is named, as for the coded "
        "questioners. Free, it writes its questions itself and has no list of things, as in the paper."
    )


def _tell(findings: Findings, run: Run, arm: str, noise: float) -> list[float]:
    """Add what came of an arm's games; the information of a question in each, in bits (0 where none was of the list)."""
    data = run.trajectories()
    won, n = int(data.outcomes("success").sum()), len(data)
    findings.estimate("model_success", proportion(won, n), "Found", arm=arm, unit="%", paper=VICUNA)
    findings.estimate("model_score", mean(data.outcomes("score")), "Score", arm=arm)
    parts = [measured(data[[i]], noise) for i in range(n)]
    bits = [sum(part["told"]) / max(1.0, sum(part["asked"])) for part in parts]
    findings.estimate("model_bits", mean(bits), "Information of a question, mean over games", arm=arm, unit="bits")
    return bits


def judged(findings: Findings, lab: Lab, count: int) -> None:
    """How often the model, as the judge, answers as the base does, in as many questions with yes as with no."""
    base, rng = things(), generator(lab.seed, "judged")
    cells = [
        tuple(int(i) for i in cell)
        for value in (YES, NO)
        for cell in rng.permutation(np.argwhere(base.values == value))[: count // 2]
    ]
    judge = Judge(open_model(lab.model, cache=str((lab.dir / "answers.sqlite").resolve())), temperature=0.0)
    judge.reset(lab.seed, ["judge"])

    async def ask() -> list[str]:
        said = []
        for thing, question in cells:
            heard = Heard(entity=base.called(thing), question=base.questions[question])
            action = (await judge.act({"judge": heard}, {}))["judge"]
            said.append(getattr(action, "answer", ""))
        await judge.model.aclose()
        return said

    said = run_coroutine(ask())
    true = [ANSWERS[base.values[cell]] for cell in cells]
    wrong = sum(one != other for one, other in zip(said, true, strict=True))
    arm = f"model: {lab.model}"
    paper = Reported("about 3 %", "third-party notes, not verified", 0.03)
    findings.estimate(
        "judge_errors", proportion(wrong, len(cells)), "Wrong or maybe, as a judge", arm=arm, unit="%", paper=paper
    )
    for answer in ANSWERS:
        share = proportion(said.count(answer), len(said))
        findings.estimate(f"judge_{answer}", share, f"Says {answer}, as a judge", arm=arm, unit="%")
