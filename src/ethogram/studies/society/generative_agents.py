"""A town of people who remember, reflect and plan: does news spread by talk alone, do people meet, does a party come about?

The paper's town was played by GPT-3.5 and judged by people. Here the mechanism is tested with a *coded surrogate* (a mind by
stated laws, `SurrogateMind`) in place of the language model, ablated part by part over paired seeds; a language model plays
the same town beside it and is reported as what it is. Everything is measured from the record: who told whom what, who was
where when, and interviews at the end.

The effect of the invitation on who comes is the number of guests at the place and time of the party minus that in a twin run
with the same seed in which the host was never given the idea: people who are there anyway do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ethogram.errors import ConfigError
from ethogram.scene import Scene
from ethogram.studies import Claim, Findings, Lab, Paper, Reported, Verdict, fails, holds, not_tested, positive
from ethogram.studies.society._town import CODED, town
from ethogram.studies.society._town_findings import MEMORY, compare, interviews_of, leaks_of, retrieval, shares, spread_of
from ethogram.studies.society._town_measures import invitation, measure
from ethogram.worlds.coded.town import Town

paper = Paper(
    "Generative Agents: Interactive Simulacra of Human Behavior",
    "Park, O'Brien, Cai, Morris, Liang, Bernstein",
    "UIST 2023",
    "https://arxiv.org/abs/2304.03442",
)
cell = "coded world, prompted policies"
model = "smollm2"
surrogates = (CODED,)
tags = ("town", "memory", "planning", "diffusion")

ARMS: dict[str, dict[str, Any]] = {
    "full": {},
    "no-reflection": {"reflection": False},
    "no-planning": {"planning": False},
    "no-observation": {"observation": False},
    "no-memory": {"memory": "none"},
    "random-retrieval": {"memory": "random"},
    "recency-only": {"memory": "recency"},
}
"""The ablations, as settings of `GenerativeConfig`."""


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    town: str = Field(
        default="small", description="a town that comes with ethogram, or a folder with map.toml and people.toml"
    )
    days: int = Field(default=1, ge=1, description="days of a run")
    seeds: int = Field(default=20, ge=1, description="paired replications of each arm, played by the coded surrogate")
    arms: tuple[str, ...] = Field(default=tuple(ARMS), description="ablations beside the full architecture")
    streams: int = Field(default=200, ge=0, description="synthetic memory streams on which retrievals are compared; 0: none")
    model_runs: int = Field(default=1, ge=0, description="runs played by the language model")
    model_start: str = Field(default="06:00", description="clock time of the first day at which they begin")
    model_end: str = Field(default="24:00", description="clock time of the last day at which they end")
    mind: Literal["choice", "structured"] = Field(default="choice", description="how the language model is asked")
    processes: int = Field(default=1, ge=1, description="processes for the arms")


presets = {
    "smoke": Config(seeds=3, arms=("full", "no-planning", "no-memory"), streams=20, model_runs=0),
    "laptop": Config(model_start="07:00", model_end="09:00"),
    "paper": Config(town="sallow_reach", days=2),
}


# --- the runs ---


def replicate(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """Run and measure one item of the experiment: an arm with or without the invitation, and a seed."""
    config = Config(**item["config"])
    run = lab.simulate(item["name"], _scene(config, item["arm"], item["invited"]), seed=item["seed"], checkpoint_every=10**6)
    return measure(run, item["seed"], interview=item["invited"])


def _scene(config: Config, arm: str, invited: bool, **changes: Any) -> Scene:
    """The town of an arm; without the invitation its host was never given the idea."""
    people = Town(config.town).people
    facts = [fact.name for fact in people.facts if invited or fact.name != invitation(people).name]
    return town(map=config.town, days=config.days, facts=facts, config=ARMS[arm], **changes)


def run(config: Config, lab: Lab) -> Findings:
    """Run the arms and the model's town, and measure."""
    if unknown := [arm for arm in config.arms if arm not in ARMS]:
        raise ConfigError(f"there is no arm {unknown[0]!r}; there are: {', '.join(ARMS)}")
    findings = Findings()
    arms = ["full", *(arm for arm in config.arms if arm != "full")]
    items = [
        {
            "arm": arm,
            "invited": invited,
            "seed": seed,
            "name": f"{arm}{'' if invited else '-uninvited'}-{i:02d}",
            "config": config.model_dump(mode="json"),
        }
        for arm in arms
        for invited in (True, False)
        for i, seed in enumerate(lab.seeds(config.seeds))
    ]
    results = lab.map(replicate, items, config.processes)
    found: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    for item, result in zip(items, results, strict=True):
        found.setdefault((item["arm"], item["invited"]), []).append(result)
    compare(findings, Town(config.town).people, arms, found)
    retrieval(findings, config.streams, lab.seed)
    played = _language_model(findings, config, lab)
    _tell(findings, config, lab, found["full", True], played)
    return findings


# --- what is found beside the arms ---


def _language_model(findings: Findings, config: Config, lab: Lab) -> list[dict[str, Any]]:
    """The town as the language model plays it."""
    if lab.model in surrogates or not lab.model or not config.model_runs:
        findings.note("No language model played in this run: everything was played by the coded surrogate.")
        return []
    hours = {"start": config.model_start, "end": config.model_end}
    played = []
    for i, seed in enumerate(lab.seeds(config.model_runs)):
        scene = _scene(config, "full", True, model=lab.model, mind=config.mind, **hours)
        record = lab.simulate(f"model-{i:02d}", scene, seed=seed, checkpoint_every=10)
        if record.manifest.status != "complete":
            findings.note(f"The model's run {i} was cut short and is left out: {record.manifest.reason}.")
            break
        played.append(measure(record, seed))
    if not played:
        return []
    people = Town(config.town).people
    arm = f"model: {lab.model}"
    spread_of(findings, arm, played, people, invitation(people).name)
    interviews_of(findings, arm, played)
    leaks_of(findings, arm, played)
    findings.note(
        f"{lab.model} played {len(played)} run(s) from {config.model_start} of the first day to {config.model_end} of day "
        f"{config.days}, as a {config.mind} mind. What it does is reported; no claim about language models is decided by it."
    )
    return played


def _tell(
    findings: Findings, config: Config, lab: Lab, full: Sequence[dict[str, Any]], played: Sequence[dict[str, Any]]
) -> None:
    """The summary, the timeline and the pictures: the first seed of the full arm, whatever came of it."""
    from ethogram.records import Run
    from ethogram.studies.society import _diffusion as diffusion
    from ethogram.studies.society._town_pictures import spread_picture
    from ethogram.worlds.coded.town.clock import DAY, clock

    world = Town(config.town, days=config.days)
    record, first = Run(lab.dir / "runs" / "full-00"), full[0]
    said, fact = diffusion.tellings(record), invitation(world.people)
    assert fact.start is not None and fact.end is not None
    last = (config.days - 1) * DAY
    window = (last + fact.start, last + fact.end)
    findings.moment(clock(world.start), fact.holder, fact.text, "turning point")
    for other in world.people.facts:
        traced = diffusion.spread(other, said, [other.holder]).learned
        for name, telling in traced.items():
            if telling is not None:
                findings.moment(clock(telling.time), f"{telling.source} to {name}", telling.text, "said")
        occasion = window if other.name == fact.name else None
        caption = (
            f"How the {other.name} became known in one run (full architecture, coded surrogate, first seed): a line for "
            "each who knows, from when on, and an arrow from the one who told it first."
            + (" Shaded: the time of the party." if occasion else "")
        )
        picture = spread_picture(traced, world.start, world.end, config.days, occasion)
        findings.figure(f"spread-{other.name}", picture, caption)
    for name, time in sorted(diffusion.present(record, fact.place, *window).items(), key=lambda x: x[1]):
        findings.moment(clock(time), name, f"{name} is at {fact.place}.", "turning point")
    findings.timeline.sort(key=lambda moment: _minutes(moment.time))
    party, n = first["facts"][fact.name], len(world.possible_agents)
    findings.summary = (
        f"In {world.layout.name}, {n} people lived {config.days} day{'s' if config.days > 1 else ''}; {fact.holder} alone "
        f"knew of the party. In the first of {len(full)} runs with the full architecture, played by the coded surrogate, "
        f"{round(party['known'] * n)} of {n} could tell of it at the end, {len(party['invited'])} had been told in time and "
        f"{len(party['came'])} of those came. Over all runs, {findings.get(f'{fact.name}_known', 'full').value:.0%} knew."
    )
    if played:
        known = ", ".join(f"{shares(played, f.name, 'known')[0]:.0%} the {f.name}" for f in world.people.facts)
        findings.summary += f" Played by {lab.model}, {known} at the end of its first run."
    findings.note(
        "The coded surrogate is a list of stated laws (ethogram.policies.prompted.surrogate), not a person and not a "
        "language model: it shows that the mechanism works and which part carries what, not how people or models behave."
    )
    findings.note(
        "Acquaintance is counted from recorded talk and the ties given at the start; the paper asks its agents instead."
    )


def _minutes(text: str) -> int:
    """A time such as `Monday 08:10` as a number to sort by."""
    from ethogram.worlds.coded.town.clock import DAY, WEEKDAYS

    day, time = text.split()
    return WEEKDAYS.index(day) * DAY + int(time[:2]) * 60 + int(time[3:])


# --- the claims ---


def _all_positive(findings: Findings, wanted: Sequence[tuple[str, str, str]]) -> Verdict:
    """Holds where each of the differences (name, arm, words) lies above zero, fails where one does not."""
    verdicts = [positive(findings.get(name, arm), words) for name, arm, words in wanted]
    outcomes = {verdict.outcome for verdict in verdicts}
    reason = "; ".join(verdict.reason for verdict in verdicts)
    if "does not hold" in outcomes:
        return fails(reason)
    return not_tested(reason) if "not tested" in outcomes else holds(reason)


def _without_memory(findings: Findings) -> Verdict:
    arms = ("no-memory", "no-observation")
    known = [("party_known_lost", arm, f"the share who know, full minus {arm},") for arm in arms]
    guests = [("party_effect_lost", arm, f"the guests brought by the invitation, full minus {arm},") for arm in arms]
    return _all_positive(findings, [*known, *guests])


def _interviews(findings: Findings) -> Verdict:
    wanted = [("interview_day_lost", "no-planning", "right answers about the day, full minus no-planning,")]
    words = "right answers about what one was told, full minus"
    wanted += [("interview_heard_lost", arm, f"{words} {arm},") for arm in ("no-observation", "no-memory")]
    return _all_positive(findings, wanted)


def _no_leaks(findings: Findings) -> Verdict:
    leaks, guesses = findings.get("leaks"), findings.get("guesses")
    said = f"{leaks.value:.0f} words or memories and {guesses.value:.0f} answers without a recorded cause in {leaks.n} runs"
    return holds(said) if leaks.value == guesses.value == 0 else fails(said)


def _recall(findings: Findings) -> Verdict:
    parts = ("recency", "relevance", "importance", "random")
    return _all_positive(findings, [("recall_gain", f"retrieval: {p}", f"recall@10, full minus {p},") for p in parts])


claims = (
    Claim(
        "party-spreads",
        "An invitation known to one spreads through talk alone (coded surrogate).",
        Reported("known by 4 % at the start, 52 % at the end", MEMORY, 0.52),
        lambda f: positive(f.get("party_gain", "full"), "the share that came to know of the party"),
    ),
    Claim(
        "candidacy-spreads",
        "A candidacy known to one spreads through talk alone (coded surrogate).",
        Reported("known by 4 % at the start, 32 % at the end", MEMORY, 0.32),
        lambda f: positive(f.get("candidacy_gain", "full"), "the share that came to know of the candidacy"),
    ),
    Claim(
        "network-densifies",
        "People come to know each other: the network of acquaintance grows denser (coded surrogate).",
        Reported("density 0.167 at the start, 0.74 at the end", MEMORY, 0.74),
        lambda f: positive(f.get("density_gain", "full"), "the density gained"),
    ),
    Claim(
        "people-come",
        "The invitation brings people to the party who would not be there otherwise (coded surrogate).",
        Reported("5 of 12 invited came", MEMORY, 5 / 12),
        lambda f: positive(f.get("party_effect", "full"), "the number of guests with minus without the invitation"),
    ),
    Claim(
        "memory-carries-it",
        "Without memory, or without observations in it, fewer know of the party and fewer come (coded surrogate).",
        None,
        _without_memory,
    ),
    Claim(
        "planning-brings-them",
        "Without planning the invitation brings fewer people together (coded surrogate).",
        None,
        lambda f: positive(
            f.get("party_effect_lost", "no-planning"), "the guests brought by the invitation, full minus no-planning,"
        ),
    ),
    Claim(
        "reflection-matters-for-news",
        "Without reflection fewer know of the party (coded surrogate).",
        None,
        lambda f: positive(f.get("party_known_lost", "no-reflection"), "the share who know, full minus no-reflection,"),
    ),
    Claim(
        "retrieval-matters",
        "With random or recency-only retrieval fewer know of the party (coded surrogate).",
        None,
        lambda f: _all_positive(
            f,
            [
                ("party_known_lost", arm, f"the share who know, full minus {arm},")
                for arm in ("random-retrieval", "recency-only")
            ],
        ),
    ),
    Claim(
        "three-terms-recall",
        "Recency, relevance and importance together recover planted evidence better than each alone (synthetic streams).",
        None,
        _recall,
    ),
    Claim(
        "interviews-need-the-parts",
        "Answers about one's day need planning, answers about what one was told need memory (coded surrogate, coded score).",
        None,
        _interviews,
    ),
    Claim(
        "no-leaks",
        "Nobody knows a fact without a recorded event that brought it: words of one who knew, or a sight (coded surrogate).",
        None,
        _no_leaks,
    ),
    Claim(
        "believability-order",
        "Human judges rank interviews of the full architecture above each ablation, and above a crowdworker's.",
        Reported(
            "TrueSkill: full 29.89, no reflection 26.88, no reflection or planning 25.64, crowdworker 22.95, nothing 21.21",
            MEMORY,
        ),
        lambda f: not_tested(
            "it takes human judges; the coded score of interviews only says how far answers agree with the record"
        ),
    ),
)
