"""PushT: push a T-shaped block to its place with a round finger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from gymnasium.spaces import Box, Dict

from ethogram.errors import ConfigError
from ethogram.world import Step
from ethogram.worlds.coded._wrapped import Wrapped, needed

__all__ = ["PushT"]


class PushT(Wrapped):
    """The planar pushing task of Diffusion Policy (Chi et al., RSS 2023, arXiv 2303.04137; package gym-pusht, Apache-2).

    Lengths are units of a square of 512. Actions, float32 (2,): where the finger (radius 15) shall go in this step of 0.1 s;
    it follows with a lag. The block is to lie at (256, 256), turned by pi / 4. Observation `state`, float32 (5,): finger x,
    y, block x, y and angle in [0, 2 pi); `pixels`: uint8 (96, 96, 3); `both`: `Dict(state, pixels)`. Reward: share of the
    place covered by the block, over 0.95, at most 1. Beyond 95% the episode ends with success. Outcome: `success`;
    `coverage`, the best of the episode; `last`, at its end; `steps`.

    `reset` takes `options={"state": [...]}`, five numbers as observed, which are set exactly.

    Args:
        observe: what is seen.
        steps: length of an episode.
        damping: share of its speed that the block keeps each second; 0: it stops when it is not pushed (the benchmark).
        mass: of the block (1 in the benchmark).
        friction: between finger, block and walls (0 in the benchmark).
        centre: centre of gravity in the block's frame; None: its middle.

    Raises:
        ConfigError: an option is wrong, or gym-pusht is not installed.
    """

    time_unit = "s"

    def __init__(
        self,
        observe: Literal["state", "pixels", "both"] = "state",
        steps: int = 300,
        damping: float = 0.0,
        mass: float = 1.0,
        friction: float = 0.0,
        centre: tuple[float, float] | None = None,
    ) -> None:
        if observe not in ("state", "pixels", "both"):
            raise ConfigError(f"PushT is observed as state, pixels or both, not {observe!r}")
        if mass <= 0 or friction < 0 or not 0 <= damping <= 1:
            raise ConfigError("PushT needs mass > 0, friction >= 0 and damping in [0, 1]")
        pusht = needed("gym_pusht.envs.pusht").PushTEnv
        env = pusht(obs_type="state", damping=damping, block_cog=centre)
        super().__init__(env)
        self._env, self.steps, self._mass, self._friction, self._observe = env, steps, mass, friction, observe
        state = Box(np.float32(-1e4), np.float32(1e4), (5,), np.float32)
        pixels = Box(0, 255, (96, 96, 3), np.uint8)
        spaces = {"state": state, "pixels": pixels, "both": Dict(state=state, pixels=pixels)}
        self.observation_spaces = {self.possible_agents[0]: spaces[observe]}
        self.metadata = {"name": "pusht", "render_modes": ["rgb_array"]}
        self.expected_steps = steps

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Put finger and block somewhere."""
        self._best, self._covered, self._won = 0.0, 0.0, False
        given = (options or {}).get("state")
        super().reset(seed, options)
        block = self._env.block
        block.moment *= self._mass / block.mass
        block.mass = self._mass
        for shape in self._env.space.shapes:
            shape.friction = self._friction
        if given is not None:
            self._env.agent.position = float(given[0]), float(given[1])
            block.angle = float(given[4])  # first: it turns the block about its centre of gravity
            block.position = float(given[2]), float(given[3])
            self._env.space.reindex_shapes_for_body(block)
        self._best = self._covered = float(self._env._get_coverage())
        return {self.possible_agents[0]: self._seen()}, {self.possible_agents[0]: {}}

    def step(self, actions: Mapping[str, Any]) -> Step:
        """Let the finger go towards the point for 0.1 s."""
        agent = self.possible_agents[0]
        point = np.clip(np.asarray(actions[agent], np.float64), 0, 512)
        _, rewards, ended, _, infos = super().step({agent: point})
        self._actions[-1] = np.asarray(actions[agent], np.float32)
        self._covered = float(infos[agent]["coverage"])
        self._best = max(self._best, self._covered)
        self._won |= bool(infos[agent]["is_success"])
        late = len(self._actions) >= self.steps and not ended[agent]
        if late:
            self.agents = []
        info = {"success": self._won, "coverage": self._covered}
        return {agent: self._seen()}, rewards, {agent: bool(ended[agent])}, {agent: late}, {agent: info}

    @property
    def now(self) -> float:
        """Seconds since the episode began."""
        return 0.1 * len(self._actions)

    def idle(self, agent: str) -> np.ndarray:
        """Stay where the finger is."""
        return np.clip(np.array(self._env.agent.position, np.float32), 0, 512)

    def outcome(self) -> dict[str, float]:
        """Success, the best share covered, the last one, and the number of steps."""
        steps = float(len(self._actions))
        return {"success": float(self._won), "coverage": self._best, "last": self._covered, "steps": steps}

    def _seen(self) -> Any:
        state = self._env.get_obs().astype(np.float32)
        if self._observe == "state":
            return state
        picture = np.array(self._env._render())
        return picture if self._observe == "pixels" else {"state": state, "pixels": picture}
