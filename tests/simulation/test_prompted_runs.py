"""Prompted runs, end to end: faults, budgets, replay, branches and kills, against real servers and the real model."""

from __future__ import annotations

import json
import random
from typing import Any

import polars as pl
import pytest
import scenes
from gathering import Gathering
from test_crashes import die_after_writing, finish
from test_simulate import same_tables

from ethogram.errors import RunError
from ethogram.language import Budget, LanguageModel, model
from ethogram.language.backends.scripted import Scripted
from ethogram.policies.prompted.prompted import Prompted
from ethogram.records import Run
from ethogram.scene import Scene
from ethogram.simulation import Intervention, branch, replay, simulate


def fickle(request: Any) -> str:
    """A reply that depends on everything the request says, its seed included."""
    rng = random.Random(request.key)
    names = request.schema["anyOf"][0]["properties"]["to"]["enum"]
    if rng.random() < 0.3:
        return json.dumps({"verb": "wait"})
    return json.dumps({"verb": "give", "to": rng.choice(names), "apples": rng.randint(0, 3)})


class Counting(Scripted):
    """Counts the calls that reach it."""

    def __init__(self, respond: Any = fickle) -> None:
        super().__init__(self._count, name="fickle")
        self.calls = 0
        self._answer = respond

    def _count(self, request: Any) -> str:
        self.calls += 1
        return self._answer(request)


def scripted(people: int = 4, rounds: int = 30, **options: Any) -> tuple[Scene, Counting]:
    backend = Counting()
    return Scene(Gathering(people, rounds), Prompted(LanguageModel(backend, **options))), backend


def test_every_call_is_in_the_record():
    scene, backend = scripted()
    run = simulate(scene, seed=1)
    calls = run.calls.collect()
    assert calls.height == backend.calls == 4 * 30
    assert calls["error"].null_count() == calls.height
    acted = run.steps.filter(pl.col("action").is_not_null()).collect()
    joined = acted.join(calls, on=["episode", "step", "agent"])
    for action, reply in joined.select("action", "reply").rows():
        assert json.loads(action) == json.loads(reply)
    assert run.manifest.usage.calls == backend.calls
    assert run.manifest.models == ["scripted:fickle"]


def test_replay_makes_no_call_and_is_exact():
    scene, _ = scripted()
    run = simulate(scene, seed=1, checkpoint_every=7)
    again, backend = scripted()
    found = replay(run, again)
    assert found.exact, found.divergences
    assert (found.calls, backend.calls) == (120, 0)


def test_replay_names_the_agent_whose_prompt_has_changed(tmp_path):
    scene, _ = scripted()
    run = simulate(scene, seed=1, to=tmp_path / "run")
    other, _ = scripted()
    personas = dict.fromkeys(("P0", "P1", "P3"), "") | {"P2": "You are tired."}
    other = other._replace(policies=Prompted(LanguageModel(Counting()), persona=personas))
    found = replay(run, other)
    (only,) = found.divergences
    assert (only.agent, only.step, only.event) == ("P2", 0, "call")
    assert "You are tired" in only.detail


def test_a_branch_pays_only_for_what_the_intervention_changes(tmp_path):
    scene, _ = scripted()
    run = simulate(scene, seed=1, to=tmp_path / "run")
    same, backend = scripted()
    copy = branch(run, 10, to=tmp_path / "same", scene=same)
    assert backend.calls == 0
    assert copy.arrow("steps").equals(run.arrow("steps"))
    other, backend = scripted()
    told = branch(run, 29, [Intervention(29, "tell", {"agent": "P1", "news": "Rain."})], to=tmp_path / "told", scene=other)
    assert backend.calls == 1, "in the last step only P1's prompt has changed"
    fresh = told.calls.filter(~pl.col("cached")).collect()
    assert fresh.select("step", "agent").rows() == [(29, "P1")]
    early, backend = scripted()
    branch(run, 10, [Intervention(10, "tell", {"agent": "P1", "news": "Rain."})], to=tmp_path / "early", scene=early)
    assert 0 < backend.calls <= 20 * 4


def test_a_budget_stops_the_run_cleanly_and_more_lets_it_go_on(tmp_path):
    whole, _ = scripted()
    expected = simulate(whole, seed=1)
    scene, backend = scripted(budget=Budget(calls=50))
    run = simulate(scene, seed=1, to=tmp_path / "run", checkpoint_every=5)
    assert run.manifest.status == "stopped"
    assert "budget" in run.manifest.reason or "calls" in run.manifest.reason
    assert backend.calls == 50
    assert run.manifest.steps_done == 12
    assert run.steps.filter(pl.col("action").is_not_null()).collect().height == 48
    more, backend = scripted()
    resumed = simulate(more, seed=1, to=tmp_path / "run", checkpoint_every=5, resume=True)
    assert resumed.manifest.status == "complete"
    assert same_tables(expected, resumed)
    assert backend.calls == 120 - 50, "nothing that was paid is paid again, not even of the step in flight"


def test_resuming_with_another_prompt_is_refused(tmp_path):
    scene, _ = scripted(budget=Budget(calls=50))
    simulate(scene, seed=1, to=tmp_path / "run", checkpoint_every=100)
    other, _ = scripted()
    other = other._replace(policies=Prompted(LanguageModel(Counting()), persona="You are tired."))
    with pytest.raises(RunError, match="does not repeat: at episode 0, step 0 the call"):
        simulate(other, seed=1, to=tmp_path / "run", checkpoint_every=100, resume=True)


@pytest.mark.slow
@pytest.mark.lm
def test_the_embedded_model_killed_at_random_moments(tmp_path):
    scene, options, _ = scenes.embedded()
    whole = simulate(scene, to=tmp_path / "whole", **options)
    rng, folder, at = random.Random(2), tmp_path / "run-0", []
    while len(at) < 20:
        if not die_after_writing("embedded", folder, rng.randint(1, 4), rng.uniform(0, 0.4)):
            assert same_tables(whole, Run(folder))
            folder = tmp_path / f"run-{len(at)}"
            continue
        at.append(Run(folder).calls.collect().height if (folder / "manifest.json").exists() else 0)
    run = finish("embedded", folder)
    assert same_tables(whole, run)
    assert len(set(at)) > 5, "the kills must have hit different moments"
    assert replay(run).exact


FAULTS = ("timeout", "reset", "429", "500", "503", "html", "truncated", "cut", "drip")


def served(server: Any, rounds: int, **options: Any) -> Scene:
    return Scene(Gathering(20, rounds), Prompted(model(server.spec, **options), memory=2))


@pytest.mark.slow
def test_a_server_that_fails_at_thirty_percent_of_calls(chat_server):
    """200 steps of 20 agents: no step is lost, every fault is recorded, what valid calls say is what it would have been."""
    calm = simulate(served(chat_server(), 200), seed=9)
    server = chat_server("--fault-rate", "0.3", "--seed", "0", "--hang", "5", "--drip", "0.05")
    run = simulate(served(server, 200, timeout=0.5, backoff=0.02), seed=9)
    assert run.manifest.status == "complete"
    assert run.manifest.steps_done == 200
    assert run.steps.filter(pl.col("action").is_not_null()).collect().height == 200 * 20
    calls = run.calls.collect()
    assert calls.height == 200 * 20
    sent = server.stats()["faults"]
    assert set(sent) == {*FAULTS, "breaking"}
    seen = [fault for faults in calls["faults"].to_list() for fault in faults]
    assert len(seen) == run.manifest.usage.faults >= sum(sent.values()) - sent["drip"] > 1000
    same = calls.join(calm.calls.collect(), on="key")
    clean = same.filter(~pl.col("faults").list.eval(pl.element().str.starts_with("schema")).list.any())
    assert clean.height >= 20
    assert clean["reply"].equals(clean["reply_right"])
    told = " ".join(m["content"] for messages in calls["messages"].to_list() for m in messages)
    for poison in ("<html", "something broke", "slow down", "no such verb"):
        assert poison not in told, "an error never becomes text that an agent reads"
    steps = run.steps.filter(pl.col("fault").is_not_null()).collect()
    assert steps.height == calls.filter(pl.col("error").is_not_null()).height


def test_transport_faults_leave_no_trace_in_what_happened(chat_server):
    calm = simulate(served(chat_server(), 12), seed=9)
    server = chat_server("--fault-rate", "0.3", "--fault-kinds", ",".join(FAULTS), "--drip", "0.05")
    run = simulate(served(server, 12, timeout=0.5, backoff=0.02), seed=9)
    assert run.manifest.usage.faults > 40
    assert same_tables(calm, run)


def test_before_the_first_paid_call_the_run_says_what_it_may_cost(capsys):
    class Known(Gathering):
        expected_steps = 5

    def said(world: Any, **options: Any) -> str:
        simulate(world, Prompted(LanguageModel(Counting(), prices=(1.0, 2.0))), seed=1, **options)
        return capsys.readouterr().err

    assert said(Gathering(4, 30), steps=7).startswith("scripted:fickle: about 28 calls, at most about ")
    assert "about 20 calls" in said(Known(4, 5))
    assert "number of calls unknown" in said(Gathering(4, 5))
    simulate(*scripted()[0][:2], steps=2)
    assert capsys.readouterr().err == "", "what is free is not announced"
