"""Procedure cloning: what its network is taught is the search, what it does is to run it; and the study at smoke scale."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ethogram.nn.training import Training
from ethogram.policies.coded.maze import UNKNOWN, search, trace
from ethogram.studies.execution import execute
from ethogram.studies.imitation import _procedure_cloning_nets as nets
from ethogram.studies.registry import load
from ethogram.worlds.coded.maze import Maze


class Search(nn.Module):
    """One layer of breadth-first search, written by hand as what a perfect `Procedure` computes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        free, goal, agent, maps = x[:, 0] == 0, x[:, 1] > 0, x[:, 2] > 0, x[:, 3:].argmax(1)
        known = (maps != UNKNOWN) | goal
        after = maps.clone()
        done = ((maps != UNKNOWN) & agent).flatten(1).any(1)
        for move in (3, 2, 1, 0):
            row, column = ((-1, 0), (0, 1), (1, 0), (0, -1))[move]
            leads = torch.roll(known, (-row, -column), (1, 2)) & free & ~known & ~done[:, None, None]
            after[leads] = move
        return nn.functional.one_hot(after, 5).permute(0, 3, 1, 2).float()


def test_pairs_are_those_of_the_trace() -> None:
    shown = nets.demonstrate([1, 2], 11, 2, seed=0)
    assert (shown.distances >= 1).all() and shown.seen[..., 2].sum() == len(shown.actions)
    found = nets._maps(shown, 64)(np.random.default_rng(0))
    for seen, before, after in zip(found["seen"], found["before"], found["after"], strict=True):
        maps = trace(seen)
        at = next(i for i, m in enumerate(maps) if (m == before).all())
        np.testing.assert_array_equal(maps[at + 1], after)


def test_running_the_true_search_gives_the_experts_moves() -> None:
    world = Maze(size=14)
    seen = np.stack([world.reset(seed=seed)[0]["agent"] for seed in range(12)])
    found, used = nets.think(Search(), seen, 100)
    for picture, action, layers in zip(seen, found, used, strict=True):
        layer, best = search(picture[..., 0], picture[..., 1])
        row, column = np.argwhere(picture[..., 2])[0]
        assert action == best[row, column] and layers == layer[row, column]
    few, _ = nets.think(Search(), seen, 2)
    np.testing.assert_array_equal(few != UNKNOWN, used <= 2)
    assert nets.faithful(Search(), [3, 4], 14, 0) == {"steps": 1.0, "answers": 1.0}
    walks = nets.walk(nets.thinker(Search(), 100), [5, 6], 2, 14, 100, 0)
    assert all(w.success == 1 for w in walks) and walks[0].thought == pytest.approx((walks[0].shortest + 1) / 2)


def test_a_turned_maze_has_a_turned_action() -> None:
    """An expert asked in the turned and mirrored maze gives the action turned alike."""
    world = Maze(size=9, shortcuts=0)  # a tree: no ties
    for seed in range(6):
        seen = world.reset(seed=seed)[0]["agent"]
        row, column = np.argwhere(seen[..., 2])[0]
        action = int(search(seen[..., 0], seen[..., 1])[1][row, column])
        for quarter in range(4):
            for mirror in (False, True):
                picture, turned = nets.turn(seen, action, quarter, mirror)
                row, column = np.argwhere(picture[..., 2])[0]
                assert search(picture[..., 0], picture[..., 1])[1][row, column] == turned


def test_same_convolutions_in_any_size_and_cloning_learns_its_own_maze() -> None:
    shown = nets.demonstrate([1], 9, 3, seed=1)
    net = nets.fit("bc", shown, 8, Training(steps=300, batch=32, lr=3e-3))
    right = nets.chances(net, shown.seen)[np.arange(len(shown.actions)), shown.actions]
    assert right.mean() > 0.85  # for chance it is 0.25
    local = nets.fit("local", shown, 4, Training(steps=2, batch=4))
    larger = Maze(size=15).reset(seed=0)[0]["agent"][None]
    np.testing.assert_allclose(nets.chances(local, larger).sum(1), 1, rtol=1e-5)


@pytest.mark.slow
def test_smoke(tmp_path: Path) -> None:
    study = load("procedure-cloning")
    folder = execute(study, study.presets["smoke"], tmp_path / "study", preset="smoke", progress=False)
    assert folder.record.status == "complete"
    assert set(folder.verdicts) == {claim.name for claim in study.claims}
    assert all(verdict.outcome != "not tested" for verdict in folder.verdicts.values())
    assert folder.findings.summary and folder.findings.figures
