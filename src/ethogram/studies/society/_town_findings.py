"""Estimates of the town's arms: what each came to, and how it differs from the full architecture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ethogram.measures import Estimate, mean, paired_difference
from ethogram.studies import Findings, Reported
from ethogram.studies.society._town_measures import invitation
from ethogram.worlds.coded.town.people import People

__all__ = ["INTERVIEW", "MEMORY", "compare", "interviews_of", "leaks_of", "retrieval", "shares", "spread_of"]

MEMORY = "from memory, not verified"
"""The source of the paper's figures here."""

INTERVIEW = {
    "self": "Interview: says what it does for a living",
    "day": "Interview: says what it did at an hour of the day",
    "heard": "Interview: says what somebody told it",
    "unheard": "Interview: denies having been told what it was not",
}
"""The sorts of question, each answer scored against the record by code."""


def share(values: Sequence[float]) -> Estimate:
    """The mean of bounded values: the interval stays within the bounds, but where they are too few to resample."""
    return mean(values, "bca" if len(values) >= FEW else "t")


def paired(a: Sequence[float], b: Sequence[float]) -> Estimate:
    """The difference of bounded values, paired by seed."""
    return paired_difference(a, b, "bca" if len(a) >= FEW else "t")


FEW = 5
"""Replications below which an interval is Student's t, which is honest about how little they say."""


def shares(results: Sequence[dict[str, Any]], fact: str, what: str) -> list[float]:
    return [result["facts"][fact][what] for result in results]


def compare(
    findings: Findings, people: People, arms: Sequence[str], found: dict[tuple[str, bool], list[dict[str, Any]]]
) -> None:
    """The estimates of each arm, and its differences from the full architecture, paired by seed."""
    party = invitation(people).name
    start = 1 / len(people.names)
    effects: dict[str, list[float]] = {}
    for arm in arms:
        results, twins = found[arm, True], found[arm, False]
        spread_of(findings, arm, results, people, party)
        effects[arm] = [
            float(len(a["facts"][party]["guests"]) - len(b["facts"][party]["guests"]))
            for a, b in zip(results, twins, strict=True)
        ]
        label = "Guests at the party beyond those there anyway"
        findings.estimate("party_effect", mean(effects[arm]), label, arm=arm)
        interviews_of(findings, arm, results)
    full = shares(found["full", True], party, "known")
    for fact in people.facts:
        gain = [share - start for share in shares(found["full", True], fact.name, "known")]
        findings.estimate(
            f"{fact.name}_gain", share(gain), f"Share that came to know of the {fact.name}", arm="full", unit="%"
        )
    for arm in arms[1:]:
        lost = paired(full, shares(found[arm, True], party, "known"))
        findings.estimate("party_known_lost", lost, "Share that knows of the party, full minus this arm", arm=arm, unit="%")
        lost = paired_difference(effects["full"], effects[arm])
        findings.estimate("party_effect_lost", lost, "Guests beyond those there anyway, full minus this arm", arm=arm)
        for sort in ("day", "heard"):
            lost = paired(answers_to(found["full", True], sort), answers_to(found[arm, True], sort))
            findings.estimate(f"interview_{sort}_lost", lost, f"{INTERVIEW[sort]}, full minus this arm", arm=arm, unit="%")
    leaks_of(findings, "", [result for results in found.values() for result in results])


def leaks_of(findings: Findings, arm: str, results: Sequence[dict[str, Any]]) -> None:
    """Knowledge that nothing recorded explains."""
    labels = {
        "leaks": "Words and memories that tell a fact and that no recorded event explains",
        "guesses": "Answers that show knowledge of a fact of which nothing was heard or seen",
    }
    for name, label in labels.items():
        count = Estimate.exact(sum(result[name] for result in results), len(results), "counted over all runs")
        findings.estimate(name, count, label, arm=arm)


def spread_of(findings: Findings, arm: str, results: Sequence[dict[str, Any]], people: People, party: str) -> None:
    """Diffusion, acquaintance and attendance in one arm."""
    reported = {party: Reported("4 % to 52 %", MEMORY, 0.52), "candidacy": Reported("4 % to 32 %", MEMORY, 0.32)}
    for fact in people.facts:
        name = fact.name
        known, sourced = share(shares(results, name, "known")), share(shares(results, name, "sourced"))
        said = reported.get(name)
        findings.estimate(f"{name}_known", known, f"Inhabitants who know of the {name}", arm=arm, unit="%", paper=said)
        findings.estimate(f"{name}_sourced", sourced, f"… and can name who told them of the {name}", arm=arm, unit="%")
    for when, said in (("before", Reported("0.167", MEMORY, 0.167)), ("after", Reported("0.74", MEMORY, 0.74))):
        values = share([result[f"density_{when}"] for result in results])
        findings.estimate(f"density_{when}", values, f"Density of acquaintance {when} the run", arm=arm, paper=said)
    gained = share([result["density_after"] - result["density_before"] for result in results])
    findings.estimate("density_gain", gained, "Density gained", arm=arm)
    came = [result["facts"][party] for result in results if result["facts"][party].get("invited")]
    if came:
        findings.estimate(
            "party_came",
            share([len(one["came"]) / len(one["invited"]) for one in came]),
            "Share of those told in time who came to the party",
            arm=arm,
            unit="%",
            paper=Reported("5 of 12 invited", MEMORY, 5 / 12),
        )


def interviews_of(findings: Findings, arm: str, results: Sequence[dict[str, Any]]) -> None:
    """The coded score of interviews in one arm, by sort of question."""
    for sort, label in INTERVIEW.items():
        findings.estimate(f"interview_{sort}", share(answers_to(results, sort)), label, arm=arm, unit="%")


def answers_to(results: Sequence[dict[str, Any]], sort: str) -> list[float]:
    """The share of right answers to one sort of question in each run."""
    return [float(result["interview"].get(sort, 0.0)) for result in results]


def retrieval(findings: Findings, streams: int, seed: int) -> None:
    """Recall of planted evidence, for the full score and its parts."""
    if not streams:
        return
    from ethogram.policies.prompted.memory import RETRIEVALS
    from ethogram.policies.prompted.planted import planted_recall

    recalls = planted_recall(RETRIEVALS, streams=streams, seed=seed)
    for name, values in recalls.items():
        label = "Planted evidence among ten memories retrieved (recall@10)"
        findings.estimate("recall", mean(values, "bca"), label, arm=f"retrieval: {name}", unit="%")
        if name in ("recency", "relevance", "importance", "random"):
            gain = paired_difference(recalls["full"], values, "bca")
            findings.estimate("recall_gain", gain, "Recall, all three terms minus this", arm=f"retrieval: {name}", unit="%")
