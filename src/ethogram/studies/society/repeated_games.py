"""Playing repeated games with large language models: every released match played again, and what players do in them.

The records of the release are the evidence: models against each other in ordinal games, models against coded players, and
people against look-up tables of GPT-4. The engine plays all of them again from the recorded moves. A classifier then says
which strategy is behind recorded moves, a small network takes people's place, and a language model plays through the same
policy as any endpoint would, beside a surrogate that follows a stated law. Where only a part of the games is there, what is
published for all is held to lie in the interval that a sample of that size leaves open (t with the correction for a finite
population, several together by Bonferroni); where all are there, it must be met to the digits given.

*Why recorded scores of the battle of the sexes disagree with the tables.* On the authors' page the table that answers is
drawn anew in every round, and the label that is kept with a person is the draw of the very last round. The records show it:
where both tables answer alike, scores agree; where they differ, the labelled one is right half the time, but for the last
round. Differences between the labels are reported as in the release, and again without the last round; they are not
differences between two opponents.

At temperature 0 a match that is repeated is the same match. Matches of recorded models that are copies of each other count
once, and the language model's estimates have framings (cover story, unit and letters), not repetitions, as observations.

After the first full run one analysis was mended and one threshold set anew. Clones had been compared with people as if the
matches of one network were independent, and "earns what they do" had been an interval that includes zero, which any poor
comparison has; in the prisoner's dilemma it had not held. Now folds are the observations, and the interval must lie within
one point a round.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ethogram.records.repeated_games import lookups, ordinal_games, people
from ethogram.studies import Findings, Lab, Paper
from ethogram.studies.society import _repeated_games_people as humans
from ethogram.studies.society import _repeated_games_pictures as pictures
from ethogram.studies.society import _repeated_games_records as records
from ethogram.studies.society import _repeated_games_strategies as kinds
from ethogram.studies.society._repeated_games_claims import claims, measured
from ethogram.studies.society._repeated_games_model import SURROGATE

__all__ = ["Config", "cell", "claims", "model", "paper", "presets", "run", "surrogates", "tags"]

paper = Paper(
    "Playing repeated games with Large Language Models",
    "Akata, Schulz, Coda-Forno, Oh, Bethge, Schulz",
    "Nature Human Behaviour 2025",
    "https://arxiv.org/abs/2305.16867",
)
cell = "coded world; prompted, coded and human policies"
model = "smollm2"
surrogates = (SURROGATE,)
tags = ("games", "cooperation", "coordination", "strategies")


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    games: int = Field(default=0, ge=0, description="ordinal games that are played again; 0: all that are there")
    baselines: tuple[str, ...] = Field(
        default=(
            "tit for tat", "grim trigger", "win-stay lose-shift", "alternator", "random", "best reply", "level 1", "level 2",
        ),
        min_length=1,
        description="coded strategies that play all games against each other",
    )  # fmt: skip
    baseline_games: int = Field(default=0, ge=0, description="ordinal games that they play; 0: all")
    draws: int = Field(default=12, ge=1, description="how often the classifier asks each strategy")
    seeds: int = Field(default=5, ge=2, description="replications with planted players")
    players: int = Field(default=8, ge=2, description="planted players of each strategy, half of them held out")
    tremble: float = Field(default=0.05, ge=0, lt=1, description="of planted players")
    resamples: int = Field(default=200, ge=10, description="for the shares of strategies among people")
    folds: int = Field(default=5, ge=2, description="of people, for the clone")
    steps: int = Field(default=300, ge=1, description="updates of the clone")
    matches: int = Field(default=40, ge=2, description="of the clone of each fold, and of each strategy in people's place")
    framings: int = Field(default=9, ge=2, le=27, description="in which situations are put to the model")
    rounds: int = Field(default=10, ge=2, description="of the matches of the model and the surrogate")
    model_plays: bool = Field(default=True, description="whether the language model plays, beside the surrogate")
    processes: int = Field(default=2, ge=1)


presets = {
    "smoke": Config(
        games=4, baselines=("tit for tat", "random"), baseline_games=3, draws=2, seeds=2, players=2, resamples=10, folds=2,
        steps=20, matches=4, framings=2, rounds=2, model_plays=False, processes=1,
    ),
    "laptop": Config(),
    "paper": Config(framings=27),
}  # fmt: skip


def run(config: Config, lab: Lab) -> Findings:
    """Play the records again, look for strategies, clone people, and let models play."""
    findings, seed, data = Findings(), lab.seeds(1)[0], records.fingerprint()
    _scores(findings, config, lab, data)
    persons, tables = people(), lookups()
    humans.tables_against_records(findings, persons, tables)
    humans.statistics(findings, persons)
    common = {"records": data, "seed": seed, "draws": config.draws}
    kinds.tell_unforgiving(findings)
    kinds.tell_types(findings, lab.parts(kinds.typed, [common])[0])
    shared = lab.parts(kinds.shared, [{**common, "resamples": config.resamples}])[0]
    kinds.tell_shares(findings, shared)
    grown = {"players": config.players, "tremble": config.tremble, "draws": config.draws}
    planted = lab.parts(kinds.planted, [{**grown, "seed": s} for s in lab.seeds(config.seeds)], config.processes)
    kinds.tell_planted(findings, planted)
    fit = {"records": data, "seed": seed % 2**31, "folds": config.folds, "steps": config.steps, "matches": config.matches}
    clones = lab.parts(kinds.cloned, [{**fit, "game": game} for game in records.PAYOFFS], config.processes)
    for game, found in zip(records.PAYOFFS, clones, strict=True):
        kinds.tell_clone(findings, game, found)
    place = {"records": data, "seed": seed, "strategies": list(config.baselines), "matches": config.matches}
    _place(findings, lab.parts(records.in_peoples_place, [place])[0])
    _models(findings, config, lab)
    _draw(findings, {game: found["curves"] for game, found in zip(records.PAYOFFS, clones, strict=True)})
    _tell(findings)
    return findings


def _scores(findings: Findings, config: Config, lab: Lab, data: str) -> None:
    """Released matches and coded strategies, in the ordinal games."""
    there = sorted({match.game for match in records.released(data)}, key=int)
    chosen = there[: config.games or None]
    size = max(1, -(-len(chosen) // 4))
    chunks = [chosen[i : i + size] for i in range(0, len(chosen), size)]
    items = [{"records": data, "games": games} for games in (["PD", "BoS"], *chunks)]
    matches = [one for part in lab.parts(records.replayed, items, config.processes) for one in part]
    records.tell_replay(findings, matches)
    every = [str(number) for number in ordinal_games()][: config.baseline_games or None]
    common = {"records": data, "strategies": list(config.baselines), "rounds": 10, "seed": lab.seeds(1)[0]}
    items = [{**common, "games": every[i::4]} for i in range(min(4, len(every)))]
    baselines: dict[str, dict[str, float]] = {}
    for part in lab.parts(records.baseline, items, config.processes):
        baselines.update(part)
    cells = records.tables(findings, matches, baselines)
    _family_picture(findings, cells)


def _family_picture(findings: Findings, cells: dict[str, dict[str, float]]) -> None:
    there = {kind: findings.get("score_family", kind) for kind in cells if measured(findings, "score_family", kind)}
    published = {name: reported.value or 0.0 for name, reported in records.FAMILY.items()}
    shown = [name for name in ("Nash", "tit for tat", "best reply", "random") if any(name in cells[k] for k in there)]
    drawn = {name: {kind: cells[kind][name] for kind in there if name in cells[kind]} for name in shown}
    findings.figure(
        "families",
        pictures.family_picture(there, published, drawn),
        "Normalised scores of recorded models by family of games, with 95 % intervals for all games of the family, what was "
        "computed from all 144 games, and coded strategies that play each other.",
    )


def _place(findings: Findings, found: dict[str, dict[str, list[float]]]) -> None:
    """What coded strategies earn in people's place."""
    from ethogram.measures import mean

    for game, scores in found.items():
        for name, points in scores.items():
            label = "Points a round in people's place, against GPT-4's tables drawn in each round"
            findings.estimate("place_points", mean(points), label, arm=f"{game}, {name}")


def _models(findings: Findings, config: Config, lab: Lab) -> None:
    """The surrogate always, then the language model where one is to play."""
    from ethogram.studies.society import _repeated_games_model as models

    models.probe(findings, SURROGATE, config.framings)
    models.play(findings, lab, SURROGATE, config.rounds)
    findings.note(
        f"The surrogate is a stated law, no model and no person: {models.LIKES:g} nats for what it wants (the option that "
        "pays it most if both choose it, until the other once chose another; or what it predicts), with biases planted for "
        "the option named first and for a letter. That they are found, and cancel, shows that the machinery works."
    )
    if config.model_plays and lab.model and lab.model not in surrogates:
        cache = str((lab.dir / "answers.sqlite").resolve())
        models.probe(findings, lab.model, config.framings, cache)
        models.play(findings, lab, lab.model, config.rounds)
    else:
        findings.note("No language model played in this run.")


def _draw(findings: Findings, curves: dict[str, Any]) -> None:
    """The other pictures."""
    names = {"alike": "lookup_alike", "differ": "lookup_differ", "last": "lookup_differ_last"}
    agreement = {
        game: {key: findings.get(name, game) for key, name in names.items() if measured(findings, name, game)}
        for game in records.PAYOFFS
    }
    findings.figure(
        "tables",
        pictures.table_picture(agreement),
        "Recorded scores of people that are those of the labelled opponent's table, with intervals over people. Where "
        "the two tables differ the label is no better than a coin until the last round: the authors' page draws a table in "
        "every round and keeps the last draw.",
    )
    shares = {m.arm: m.estimate for m in findings.measured if m.name == "people_share"}
    findings.figure(
        "strategies",
        pictures.share_picture(shares),
        "Strategies of people in the dilemma, as the classifier estimates them.",
    )
    findings.figure(
        "clones",
        pictures.clone_picture(curves),
        "Share of option J by round, of people and of networks fitted to other people and put in their place.",
    )
    for prefix, name in (("surrogate", "surrogate"), ("model", "model")):
        found: dict[str, dict[str, Any]] = {}
        for m in findings.measured:
            keys = {"model_first": "option J", "model_order_bias": "named first", "model_label_bias": "first letter"}
            if m.name in keys and m.arm.startswith(prefix):
                found.setdefault(m.arm.partition(", ")[2], {})[keys[m.name]] = m.estimate
        if found:
            findings.figure(
                f"biases-{name}",
                pictures.bias_picture(found),
                f"The {name}'s probability of J, averaged over letters and orders, beside the probability of whatever is "
                "named first and of the first letter, in each situation; means over framings with 95 % intervals.",
            )


def _tell(findings: Findings) -> None:
    replayed, alike = findings.get("replayed_exactly"), findings.get("lookup_differ", "BoS")
    findings.summary = (
        f"The engine scores {replayed.value:.2%} of {replayed.n} released rounds exactly as recorded. "
        f"GPT-4 in the prisoner's dilemma is named a grim trigger in {findings.get('grim', 'PD').value:.0%} of resamples of "
        f"its matches, and {findings.get('coded_named').value:.0%} of the coded players' held-out matches are named truly. "
        f"People's scores in the battle of the sexes agree with the labelled table in "
        f"{findings.get('lookup_agreement', 'BoS').value:.0%} of rounds because the page drew a table in every round: where "
        f"the tables differ, the label is right in {alike.value:.0%}."
    )
    findings.note(
        "Matches of coded players in the release are copies of each other whoever the opponent is: that they are named "
        "truly says that shares learned from other matches settle what one match leaves open, and no more. Planted players, "
        "whose hands tremble, are the harder test."
    )
    findings.note(
        "Clones are compared with people by fold: the matches of one network are not independent. Some people's games are "
        "left out, for a recorded score that fits no move."
    )
