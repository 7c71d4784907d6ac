"""The study of generative agents: its measures on hand-made records, its mechanism on real runs."""

from pathlib import Path
from typing import Any

import pytest

from ethogram.errors import ConfigError
from ethogram.simulation import Intervention, replay, restore, simulate
from ethogram.studies import Findings, Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.society import _interviews as interviews
from ethogram.studies.society import generative_agents as study
from ethogram.studies.society._diffusion import Telling, memories, present, spread, talks
from ethogram.studies.society._town import town
from ethogram.studies.society._town_measures import measure
from ethogram.worlds.coded.town import Fact, Town

FACT = Fact(name="news", holder="Ann", text="The bridge is closed.", keywords=["bridge", "closed|shut"])


def said(step: int, source: str, target: str, text: str = "The bridge is shut.", kind: str = "told") -> Telling:
    return Telling(step, 10.0 * step, source, target, text, kind)


def test_a_fact_is_traced_along_what_was_said() -> None:
    told = [
        said(1, "Ann", "Ben"),
        said(2, "Ann", "Cat", "The bridge is old."),
        said(3, "Ben", "Cat"),
        said(4, "Ann", "Cat", "The bridge is closed, I tell you."),
        said(5, "Cat", "Dan", kind="heard"),
    ]
    found = spread(FACT, told, ["Ann"])
    assert list(found.learned) == ["Ann", "Ben", "Cat"], "an overheard word is not understood unless the run says so"
    assert found.learned["Cat"] == told[2] and found.tellers["Cat"] == {"Ann", "Ben"}
    assert found.unexplained == []
    assert "Dan" in spread(FACT, told, ["Ann"], overhearing=True).told


def test_words_of_one_who_cannot_know_are_leaks() -> None:
    told = [said(1, "Ben", "Cat"), said(2, "Ann", "Ben"), said(2, "Ben", "Dan"), said(3, "Ben", "Dan")]
    found = spread(FACT, told, ["Ann"])
    assert found.unexplained == [told[0], told[2]], "before he was told, and in the step in which he was"
    assert "Cat" not in found.learned and found.learned["Dan"] == told[3]
    assert spread(FACT, told, []).unexplained == told, "what was planted in nobody nobody can know"


def test_what_is_seen_is_known_but_not_told() -> None:
    found = spread(FACT, [said(1, "Ann", "Ben", kind="seen"), said(2, "Ben", "Cat")], ["Ann"])
    assert "Ben" in found.learned and "Ben" not in found.told and found.tellers == {"Ann": set(), "Cat": {"Ben"}}
    assert talks([said(1, "Ann", "Ben", kind="seen"), said(2, "Ben", "Cat")]).rows() == [(20.0, "Ben", "Cat")]


def test_answers_are_scored_against_the_record() -> None:
    assert interviews.agrees("I was repairing some gears then.", "repairing gears")
    assert not interviews.agrees("I was at home.", "repairing gears")
    assert (
        interviews.denies("I don't know.") and interviews.denies("Nothing at all.") and not interviews.denies("Yes, I know.")
    )
    right = {"Ann": {"heard": ["The oak fell."], "unheard": None}, "Ben": {"heard": ["Hello."], "unheard": None}}
    answered = {"Ann": {"heard": "The oak fell.", "unheard": "Nothing."}, "Ben": {"heard": "What?", "unheard": "A lot."}}
    assert interviews.score(answered, right) == {"heard": 0.5, "unheard": 0.5}


@pytest.fixture(scope="module")
def full() -> Any:
    """A day of the small town with the full architecture, played by the surrogate."""
    return simulate(town(), seed=3, progress=False)


def test_a_day_in_the_small_town(full: Any) -> None:
    """Everything in `measure` is found again by looking into the record another way."""
    world, found = Town("small"), measure(full, 3)
    party = next(fact for fact in world.people.facts if fact.name == "party")
    assert found["leaks"] == found["guesses"] == 0 and found["density_after"] > found["density_before"]
    answered = interviews.answers(full, {name: {"party": party.question} for name in world.possible_agents})
    knowing = [name for name, each in answered.items() if party.answered_in(each["party"])]
    assert len(knowing) / 8 == found["facts"]["party"]["known"] > 1 / 8
    query = "select distinct agent from notes where kind = 'memory' and contains(lower(data), 'party')"
    assert set(knowing) <= set(full.sql(query)["agent"])
    for name in set(knowing) - {party.holder}:
        utterances = full.sql(
            f"select count(*) from steps where agent = '{name}' and contains(observation, 'dumpling party')"
        )
        assert utterances.item() > 0
    assert set(found["facts"]["party"]["came"]) <= set(present(full, party.place, 19.5 * 60, 21 * 60))
    assert replay(full).exact


def test_a_leak_is_found() -> None:
    """A memory put into a second head by the experimenter is knowledge that no conversation explains."""
    scene = town(facts=["candidacy"])
    text = "Ines Varga is giving a dumpling party on the Village Green on Monday from 19:30 to 21:00."
    plant = Intervention(20, "remember", {"text": text}, agent="Otto Varga")
    run = simulate(scene, seed=3, interventions=[plant], progress=False)
    world = Town("small")
    party = next(fact for fact in world.people.facts if fact.name == "party")
    assert memories(run, party)[0][1] == "Otto Varga"
    found = measure(run, 3)
    assert found["leaks"] > 0 and found["facts"]["party"]["known"] == 0
    assert measure(simulate(scene, seed=3, progress=False), 3)["leaks"] == 0


def test_interviews_change_nothing(full: Any) -> None:
    policies: Any = restore(full).policies
    before = policies["Otto Varga"].state_dict()
    interviews.answers(full, {"Otto Varga": {"a": "Who are you?"}})
    policies = restore(full).policies
    assert str(policies["Otto Varga"].state_dict()) == str(before)


def test_the_scene_checks_its_arguments() -> None:
    with pytest.raises(ConfigError, match="the town small has no fact 'gossip'; it has: candidacy, party"):
        town(facts=["gossip"])
    with pytest.raises(ConfigError, match="there is no arm 'no-sleep'"):
        study.run(study.Config(arms=("no-sleep",)), Lab("/nonexistent", model="coded"))


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """The mechanism's claims over six paired seeds (the presets take 20)."""
    config = study.Config(seeds=6, arms=("full", "no-planning", "no-observation", "no-memory"), streams=60)
    lab = Lab(tmp_path_factory.mktemp("study"), model="coded", progress=False)
    return study.run(config, lab)


@pytest.mark.slow
def test_the_mechanism(findings: Findings) -> None:
    """Done means (2): the invitation diffuses and people come, less without memory or planning, and nothing leaks."""
    verdicts = judge(study.claims, findings)
    for name in (
        "party-spreads",
        "candidacy-spreads",
        "network-densifies",
        "people-come",
        "memory-carries-it",
        "planning-brings-them",
        "three-terms-recall",
        "no-leaks",
    ):
        assert verdicts[name].outcome == "holds", f"{name}: {verdicts[name].reason}"
    assert verdicts["believability-order"].outcome == "not tested"
    assert verdicts["reflection-matters-for-news"].outcome == "not tested", "that arm was not run"
    assert {m.name for m in findings.measured} > {"party_known", "party_sourced", "density_after", "recall", "leaks"}
    assert set(findings.figures) == {"spread-party", "spread-candidacy"} and findings.timeline


@pytest.mark.slow
def test_claims_can_fail(findings: Findings) -> None:
    """Where the arms are exchanged, the verdicts turn."""
    turned = Findings(measured=[m._replace(estimate=_negated(m.estimate)) for m in findings.measured])
    verdicts = judge(study.claims, turned)
    assert {verdicts[name].outcome for name in ("party-spreads", "people-come", "memory-carries-it")} == {"does not hold"}
    leaky = [m._replace(estimate=m.estimate._replace(value=2.0)) if m.name == "leaks" else m for m in findings.measured]
    assert judge(study.claims, Findings(measured=leaky))["no-leaks"].outcome == "does not hold"


def _negated(e: Any) -> Any:
    return e._replace(value=-e.value, low=-e.high, high=-e.low)


def test_the_study_is_found() -> None:
    found = load("generative-agents")
    assert found.model == "smollm2" and found.surrogates == ("coded",)
    assert set(found.presets) >= {"smoke", "laptop", "paper"}
    assert all(claim.paper is None or claim.paper.source for claim in found.claims)


@pytest.mark.lm
@pytest.mark.slow
def test_the_embedded_model_lives_in_the_town(tmp_path: Path) -> None:
    """Ten minutes with the real embedded model: it acts within its space, its calls are recorded, and it replays exactly."""
    scene = town(model="smollm2", start="07:20", end="07:30")
    run = simulate(scene, seed=1, to=tmp_path / "run", progress=False)
    assert run.manifest.status == "complete" and run.calls.collect().height > 20
    assert run.steps.filter(run.steps.collect()["fault"].is_not_null()).collect().is_empty()
    world = Town("small")
    for trajectory in run.trajectories():
        assert all(world.action_space(trajectory.agent).contains(action) for action in trajectory.actions)
    assert replay(run).exact
