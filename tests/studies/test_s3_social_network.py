"""The study of S3: its measures by hand, and all of it at the smallest scale."""

import numpy as np
import pytest

from ethogram.language import scripted
from ethogram.simulation import rollouts
from ethogram.studies import Findings, Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.society import _s3_parts as parts
from ethogram.studies.society._s3_findings import play
from ethogram.studies.society._s3_scene import feed
from ethogram.worlds.coded.feed import Feed


def test_auc_by_hand():
    assert parts.auc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, True, False, True])) == pytest.approx(3.5 / 4)


@pytest.fixture(scope="module")
def cascade():
    scene = feed(users=200, sources=10, rounds=8, population=1)
    return scene.world, rollouts(scene, episodes=1, seed=4, progress=False)


def test_deliveries_are_checked_against_the_graph(cascade):
    world, data = cascade
    assert parts.misdelivered(world, data) == 0
    other = Feed(200, 4, 0.3, graph=2, sources=10, rounds=8)
    assert parts.misdelivered(other, data) > 0, "these are not the followers of its graph"


def test_who_posts_has_it_from_whom_it_follows(cascade):
    world, data = cascade
    posted = {one.agent for one in data if any(type(a).__name__ in ("Publish", "Repost") for a in one.actions)}
    shapes = parts.trees(data)
    assert len(shapes) == world.sources
    members = sum(shape.size for shape in shapes)
    assert world.sources < members <= len(posted) + world.sources and max(shape.depth for shape in shapes) > 1


def test_a_models_run_from_the_cache_is_the_same(tmp_path, monkeypatch):
    rate = lambda request: [-float(len(option)) for option in request.options]  # noqa: E731
    made = lambda spec, cache=None: scripted(None, rate, name="talk", cache=cache)  # noqa: E731
    monkeypatch.setattr("ethogram.language.model", made)
    findings, lab = Findings(), Lab(tmp_path, 3, "talk", progress=False)
    play(findings, lab, users=30, rounds=3)
    assert judge(load("s3-social-network").claims, findings)["model-repeats"].outcome == "holds"
    assert findings.get("model_aware", "model: talk").value > 0.1


@pytest.mark.slow
def test_smoke(tmp_path):
    study = load("s3-social-network")
    findings = study.run(study.presets["smoke"], Lab(tmp_path, 0, "coded", progress=False))
    verdicts = judge(study.claims, findings)
    assert verdicts["delivered-once"].outcome == "holds" and verdicts["model-repeats"].outcome == "not tested"
    assert findings.get("rmse", "coupled").value < findings.get("rmse", "linear threshold").value
    assert {"forecasts", "errors"} <= set(findings.figures)
