"""`fps-fake-news` as a language model plays it: whole runs from a cache, and a probe of what moves its belief."""

from __future__ import annotations

from typing import Any

import numpy as np

from ethogram.aio import run_coroutine
from ethogram.language import model as open_model
from ethogram.measures import Estimate, mean
from ethogram.measures.texts import distinct
from ethogram.media import Day, Statement
from ethogram.policies.prompted.citizens import BELIEF, Citizens
from ethogram.seeds import generator
from ethogram.studies import Findings, Lab
from ethogram.studies.claims import Reported
from ethogram.studies.society._fps_parts import beliefs
from ethogram.studies.society._fps_scene import EDUCATION, TOPICS, Citizen, mixing

__all__ = ["DISTINCT", "play", "probe"]

DISTINCT = {
    ("full", 1): Reported("0.062", "the authors' repository, appendix", 0.062),
    ("full", 2): Reported("0.155", "the authors' repository, appendix", 0.155),
    ("no short memory", 1): Reported("0.045", "the authors' repository, appendix", 0.045),
    ("no short memory", 2): Reported("0.121", "the authors' repository, appendix", 0.121),
}
ARMS = ("full", "no short memory")


def play(findings: Findings, lab: Lab, people: int, days: int, mind: str) -> None:
    """Play each arm once, and the first of them again from the cache."""
    cache = str((lab.dir / "answers.sqlite").resolve())
    common: dict[str, Any] = {"player": lab.model, "people": people, "days": days, "mind": mind, "cache": cache}
    for arm in (*ARMS, "again"):
        scene = mixing(ablation="full" if arm == "again" else arm, **common)
        run = lab.simulate(f"model-{arm.replace(' ', '-')}", scene, seed=lab.seed, checkpoint_every=10)
        if run.manifest.status != "complete":
            findings.note(f"The model's run ({arm}) was cut short and is left out: {run.manifest.reason}.")
            return
        if arm == "again":
            continue
        found = beliefs(run.trajectories())
        texts = [action.post for one in run.trajectories() for action in one.actions if type(action).__name__ == "Opine"]
        label = f"model: {lab.model}, {arm}"
        curve = found.mean(1)
        findings.estimate(
            "model_final", Estimate.exact(curve[-1], people), "Believe at the end, one run", arm=label, unit="%"
        )
        days_of = Estimate.exact(float(found[1:].sum()), people)
        findings.estimate("model_belief_days", days_of, "Days of belief, all people added up, one run", arm=label)
        for n in (1, 2):
            value = Estimate.exact(distinct(texts, n), len(texts), "all posts of one run")
            findings.estimate(f"distinct_{n}", value, f"Distinct-{n} of the posts", arm=label, paper=DISTINCT[arm, n])
    _again(findings, lab)
    findings.note(
        f"{lab.model} played {people} people for {days} days, once for each arm, asked as a {mind} mind. Distinct-n "
        "falls with the amount of text, of which the paper's runs have more: only the arms of one study can be "
        "compared. No claim about language models is decided by it."
    )


def _again(findings: Findings, lab: Lab) -> None:
    """Whether the run from the cache is the first run, bit by bit, and how many calls were made for it."""
    from ethogram.records import Run

    first, again = (Run(lab.dir / "runs" / f"model-{name}") for name in ("full", "again"))
    same = first.arrow("steps").equals(again.arrow("steps"))
    replies = [[(c.key, c.reply, c.scores) for _, c in sorted(run.all_calls(), key=_placed)] for run in (first, again)]
    made = sum(not call.cached for _, call in again.all_calls())
    findings.estimate(
        "model_repeats", Estimate.exact(float(same and replies[0] == replies[1])), "The repeated run is the same"
    )
    findings.estimate("model_calls_again", Estimate.exact(made, len(replies[1])), "Calls made for the repeated run")


def _placed(call: Any) -> Any:
    return call[1].position


def probe(findings: Findings, lab: Lab) -> None:
    """What moves the model's belief: what others say, and who it is told to be; for each of the six claims.

    One day's question, in its exact wording in a run: three others who believe, or three who do not; a credulous or a
    sceptical persona; averaged over both orders and letters of the answers.
    """
    model = open_model(lab.model, cache=str((lab.dir / "answers.sqlite").resolve()))
    personas = {
        "credulous": Citizen(
            name="Ada", age=40, traits=("agreeable", "neurotic"), education=EDUCATION[1]
        ),
        "sceptical": Citizen(
            name="Ada", age=40, traits=("antagonistic", "emotionally stable"), education=EDUCATION[8]
        ),
    }  # fmt: skip
    said = {
        True: "I am sure that it is true, and so are all my friends.",
        False: "It is not true, and nobody I know believes it.",
    }
    mine = Statement(author="Ada", text="I have not made up my mind.", belief=False)

    async def odds(topic: str, kind: str, peers: bool) -> float:
        minds = Citizens(model, TOPICS[topic], {"Ada": personas[kind]})
        day = Day(day=1, mine=mine)
        messages = minds.question("Ada", day, said[peers])
        rng = generator(lab.seed, "probe")
        found = await model.choose(messages, list(BELIEF), rng=rng, agent="Ada", purpose="probe")
        return float(found.scores[0] - found.scores[1])

    async def ask() -> dict[tuple[str, str, bool], float]:
        cases = [(topic, kind, peers) for topic in TOPICS for kind in personas for peers in (True, False)]
        values = [await odds(*case) for case in cases]
        await model.aclose()
        return dict(zip(cases, values, strict=True))

    found = run_coroutine(ask())
    by_peers = [float(np.mean([found[t, k, True] - found[t, k, False] for k in personas])) for t in TOPICS]
    by_persona = [
        float(np.mean([found[t, "credulous", p] - found[t, "sceptical", p] for p in (True, False)])) for t in TOPICS
    ]
    arm = f"model: {lab.model}"
    words = "Change of the log-odds of belief, when others believe rather than not"
    findings.estimate("probe_peers", mean(by_peers), words, arm=arm, unit="nats")
    words = "The same, with a credulous rather than a sceptical persona"
    findings.estimate("probe_persona", mean(by_persona), words, arm=arm, unit="nats")
    for topic in TOPICS:
        values = [found[topic, k, p] for k in personas for p in (True, False)]
        words = f"Log-odds of belief, claim on {topic}"
        findings.estimate("probe_topic", mean(values), words, arm=topic, unit="nats")
