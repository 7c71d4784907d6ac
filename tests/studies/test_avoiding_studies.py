"""The studies d3il and beso at smoke size, and the world with goals that beso plays in."""

from pathlib import Path

import numpy as np

from ethogram.measures import mode_entropy
from ethogram.policies.coded.avoiding import AvoidingDemonstrator
from ethogram.studies import Lab
from ethogram.studies.claims import judge
from ethogram.studies.imitation import beso, d3il
from ethogram.studies.imitation._avoiding import EXITS, MODES, NEAR, SPREAD, GoalAvoiding, demonstrations, with_goals
from ethogram.worlds.coded.avoiding import START
from ethogram.worlds.testing import check_world


def test_world_with_goals() -> None:
    check_world(GoalAvoiding)
    world, goals = GoalAvoiding(), set()
    for mode in (3, 4, 20):
        for seed in range(6):
            observations, _ = world.reset(seed)
            policy = AvoidingDemonstrator(mode, "smooth")
            policy.reset(seed, ["agent"])
            np.testing.assert_array_equal(observations["agent"]["desired_goal"], EXITS[world.goal])
            goals.add(world.goal)
            while world.agents:
                seen = {"agent": observations["agent"]["observation"]}
                observations, *_ = world.step(policy.act(seen, world.action_spaces))
            outcome = world.outcome()
            assert outcome["success"] and outcome["result"] == (mode % 4 == world.goal)
            assert np.abs(observations["agent"]["achieved_goal"] - EXITS[mode % 4]).max() < 0.06
    assert len(goals) > 2


def test_world_with_goals_begins_where_it_is_told() -> None:
    starts = [GoalAvoiding(near).reset(1)[0]["agent"]["observation"] for near in (True, False)]
    assert starts[0][1] == np.float32(NEAR[1]) and abs(starts[0][0] - NEAR[0]) <= SPREAD
    np.testing.assert_array_equal(starts[1], np.tile(START, 2).astype(np.float32))


def test_demonstrations_show_every_way(tmp_path: Path) -> None:
    data = demonstrations(Lab(tmp_path, progress=False), 2, near=True)
    assert np.ptp([t.observations[0, 0] for t in data]) > 0.01
    modes = data.outcomes("mode").astype(int)
    assert np.bincount(modes, minlength=MODES).tolist() == [2] * MODES
    assert mode_entropy(modes, MODES).value > 0.999
    goals = with_goals(data)
    np.testing.assert_array_equal(goals[5].observations["desired_goal"][0], data[5].observations[-1, 2:])


def test_d3il_smoke(tmp_path: Path) -> None:
    config = d3il.presets["smoke"].model_copy(update={"methods": ("bc-gmm", "ddpm"), "seconds": 0.1})
    findings = d3il.run(config, Lab(tmp_path, progress=False))
    verdicts = judge(d3il.claims, findings)
    assert verdicts["demonstrations-are-diverse"].outcome == "holds"
    assert verdicts["diffusion-keeps-ways"].outcome == "does not hold"  # after 16 updates
    assert verdicts["unimodal-collapses"].outcome == "not tested"
    assert set(findings.figures) == {"trajectories", "trade-off"}


def test_beso_smoke(tmp_path: Path) -> None:
    config = beso.presets["smoke"].model_copy(update={"steps": 20, "samplers": ("ddim",)})
    findings = beso.run(config, Lab(tmp_path, progress=False))
    assert set(judge(beso.claims, findings)) == {claim.name for claim in beso.claims}
    assert findings.get("result", "beso").n == 2 and set(findings.figures) == {"guidance", "samplers", "starts"}
    assert all(findings.get("result", f"{arm}, standard start").n == 2 for arm in ("beso", "gc-bc", "c-bet"))
    assert findings.get("latency", "ddim 3").value > 0
