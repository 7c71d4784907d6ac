"""The checks themselves can fail: each broken world is caught, by the check that is meant for it."""

import random
from typing import Any

import numpy as np
import pytest
import torch

from ethogram.errors import ConfigError
from ethogram.worlds.coded.commons import Commons
from ethogram.worlds.testing import Act, check_world


class Forgets(Commons):
    state_fields = ("stock",)


class Aliases(Commons):
    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        self.log = []
        return super().reset(seed)

    def step(self, actions: dict) -> Any:
        self.log.append(self.left)
        return super().step(actions)

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"log": self.log}

    def load_state_dict(self, state: Any) -> None:
        super().load_state_dict(state)
        self.log = list(state["log"])


class Strays(Commons):
    def step(self, actions: dict) -> Any:
        seen, *rest = super().step(actions)
        return {a: value + np.float32(1) for a, value in seen.items()}, *rest


class UsesGlobals(Commons):
    def step(self, actions: dict) -> Any:
        self.stock = min(100.0, self.stock + random.random())
        return super().step(actions)


class UsesTorchsGlobals(Commons):
    def step(self, actions: dict) -> Any:
        self.stock = min(100.0, self.stock + torch.rand(()).item())
        return super().step(actions)


class UsesHashes(Commons):
    def step(self, actions: dict) -> Any:
        self.stock = min(100.0, self.stock + hash("fish") % 1000 / 1000)
        return super().step(actions)


class AsksTheDead(Commons):
    @property
    def acting(self) -> list[str]:
        return [*self.agents, "nobody"]


class HeedsTheUnasked(Commons):
    @property
    def acting(self) -> list[str]:
        return self.agents[:1]

    def step(self, actions: dict) -> Any:
        self.stock -= len(actions) / 10
        return super().step(actions)


class ReturnsIntegers(Commons):
    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"names": {1: "one"}}


class IdlesWrongly(Commons):
    def idle(self, agent: str) -> int:
        return 11


class RunsBackwards(Commons):
    @property
    def now(self) -> float:
        return float(self.left)


BROKEN = {
    Forgets: "goes on differently|ends before|left",
    Aliases: "changes when the world goes on",
    Strays: "not in its space",
    UsesGlobals: "global random numbers of random",
    UsesTorchsGlobals: "global random numbers of torch",
    UsesHashes: "new process",
    AsksTheDead: "not among the live agents",
    HeedsTheUnasked: "nobody asked for",
    ReturnsIntegers: "keys of a state are strings",
    IdlesWrongly: "idle action",
    RunsBackwards: "time runs backwards",
}


@pytest.mark.parametrize("world", BROKEN, ids=lambda world: world.__name__)
def test_broken_world_is_caught(world: type[Commons]) -> None:
    with pytest.raises((AssertionError, AttributeError, TypeError), match=BROKEN[world]):
        check_world(world, steps=30)


def test_wrong_interventions_are_reported() -> None:
    with pytest.raises(ConfigError, match="has no intervention 'flood'"):
        check_world(Commons, interventions=[Act(2, "flood", {})], fresh_process=False)
