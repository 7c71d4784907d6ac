"""BabyAI: missions in words in a grid of rooms, seen from within."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, Text

from ethogram.errors import ConfigError
from ethogram.world import Step
from ethogram.worlds.coded._wrapped import Wrapped, needed

__all__ = ["BabyAI"]

LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz ,'-.ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


class BabyAI(Wrapped):
    """A level of BabyAI (Chevalier-Boisvert et al., ICLR 2019, arXiv 1810.08272) or MiniGrid (package minigrid, Apache-2).

    Actions: 0 turn left, 1 turn right, 2 forward, 3 pick up, 4 drop, 5 toggle, 6 done. Observation: `Dict(image, direction,
    mission)`: what lies in the 7 x 7 cells before the agent, uint8 (7, 7, 3) (object, colour, state), or a picture; where it
    faces, 0 to 3 (right, down, left, up); the mission as text. Reward: 1 - 0.9 * steps / limit on success. Outcome:
    `success`, `steps`. The bot that ships is the expert of BabyAI's levels (`advise`); it knows the whole grid it has seen.

    Args:
        level: such as `GoToLocal`, `PickupLoc`, `GoToSeq` or `BossLevel`, or the id of any env that minigrid registers.
        steps: limit of an episode; None: the level's own.
        pixels: side of each of the 7 x 7 cells in the image, in pixels; 0: the symbols.

    Raises:
        ConfigError: there is no such level, or minigrid is not installed.
    """

    global_luck = True

    def __init__(self, level: str = "GoToLocal", steps: int | None = None, pixels: int = 0) -> None:
        needed("minigrid")
        name = next((i for i in (level, f"BabyAI-{level}-v0", f"BabyAI-{level}-v1") if i in gymnasium.registry), None)
        if name is None or not str(gymnasium.registry[name].entry_point).startswith("minigrid"):
            known = ", ".join(i.split("-", 1)[1].rsplit("-", 1)[0] for i in sorted(gymnasium.registry) if i[:7] == "BabyAI-")
            raise ConfigError(f"BabyAI has no level {level!r}; it has: {known}")
        env = gymnasium.make(
            name, disable_env_checker=True, render_mode="rgb_array", **({"max_steps": steps} if steps else {})
        )
        self._own_limit = steps is not None
        if pixels:
            env = needed("minigrid.wrappers").RGBImgPartialObsWrapper(env, tile_size=pixels)
        super().__init__(env)
        agent = self.possible_agents[0]
        image = Box(0, 255, env.observation_space["image"].shape, np.uint8)  # type: ignore[index]
        mission = Text(1000, min_length=1, charset=LETTERS)
        self.observation_spaces = {agent: Dict(image=image, direction=Discrete(4), mission=mission)}
        self.metadata = {"name": "babyai", "render_modes": ["rgb_array"]}
        self._base: Any = env.unwrapped

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Build rooms, things and a mission."""
        self._bot, self._won = None, False
        with contextlib.redirect_stdout(io.StringIO()):  # it tells of layouts it rejects
            seen, infos = super().reset(seed, options)
        self.expected_steps = int(self._base.max_steps)
        return self._plain(seen), infos

    def step(self, actions: Mapping[str, Any]) -> Step:
        """Turn, walk or use a hand."""
        seen, rewards, ended, late, _ = super().step(actions)
        agent = self.possible_agents[0]
        self._won |= ended[agent] and rewards[agent] > 0
        return self._plain(seen), rewards, ended, late, {agent: {"success": self._won}}

    def outcome(self) -> dict[str, float]:
        """Whether the mission was accomplished, and the number of steps."""
        return {"success": float(self._won), "steps": float(len(self._actions))}

    def _plain(self, seen: dict[str, Any]) -> dict[str, Any]:
        """The observation with plain types."""
        return {
            agent: {"image": value["image"], "direction": np.int64(value["direction"]), "mission": str(value["mission"])}
            for agent, value in seen.items()
        }

    def _advised(self) -> np.int64:
        if not hasattr(self._base, "instrs"):
            raise ConfigError("the bot understands the missions of BabyAI only, not those of other MiniGrid levels")
        if self._bot is None:
            self._bot = needed("minigrid.utils.baby_ai_bot").BabyAIBot(self._base)
            return np.int64(self._bot.replan())
        return np.int64(self._bot.replan(self._actions[-1]))
