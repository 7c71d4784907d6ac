import json

import numpy as np
import pytest

from ethogram import worlds
from ethogram.policy import Coded
from ethogram.simulation import Intervention, branch, simulate
from ethogram.studio.measuring import differences, differences_table, fork_of
from ethogram.studio.reading import Record


@pytest.fixture(scope="module")
def games(tmp_path_factory):
    """Two runs of a game: in the first nobody ever cooperates, in the second both do from round 6 on."""
    folder = tmp_path_factory.mktemp("games")

    def player(late):
        def play(view, space):
            return space.parse(json.dumps({"verb": "choose", "option": "cooperate" if view.round > late else "defect"}))

        return play

    for name, late in (("a", 99), ("b", 5)):
        simulate(worlds.make("matrix_game"), Coded(player(late)), steps=10, seed=1, to=folder / name, progress=False)
    return folder


def test_a_planted_difference_is_found_and_none_where_there_is_none(games):
    a, b = Record(games / "a"), Record(games / "b")
    reward = next(d for d in differences(a, b).found if d.what == "reward, in all")
    by_step = [np.bincount(r.steps.columns["step"], np.nan_to_num(r.steps.columns["reward"])) for r in (a, b)]
    gap = by_step[1][:10] - by_step[0][:10]
    assert reward.difference.value == pytest.approx(gap.mean())
    assert reward.difference.low > 0 and reward.difference.n == 10
    assert all(d.difference.value == 0 == d.difference.low for d in differences(a, a).found)
    assert "stretches" in differences(a, b).pairs and fork_of(a, b) is None


def test_of_a_branch_the_common_past_is_left_out_and_pairs_are_agents(root, tmp_path):
    done = [Intervention(20, "close_place", {"place": "Mill Kitchen"})]
    made = branch(root / "town", 20, done, to=tmp_path / "branch", progress=False)
    a, b = Record(root / "town"), Record(made.path)
    assert fork_of(a, b) == fork_of(b, a) == (0, 20)
    found = differences(a, b)
    assert found.pairs.startswith(f"Paired: {len(a.agents)} agents, each with itself; from step 20 to")
    assert "left out" in found.pairs
    by = {d.what: d for d in found.found}
    assert by["in the end: time"].difference.value == pytest.approx(0, abs=10)  # both up to one time, not one step
    last = min(r.time(len(r) - 1) for r in (a, b))
    inside = (a.steps.columns["step"] >= 20) & (a.steps.columns["time"] <= last)
    did = sum(row.done["verb"] == "do" for row in a.read(np.flatnonzero(inside)) if row.done)
    assert by["times: do"].first == pytest.approx(did / len(a.agents))
    assert "95 % interval" in differences_table(found, ["<b>", "B"]) and "<b>" not in differences_table(found, ["<b>", "B"])
