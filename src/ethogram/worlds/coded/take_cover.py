"""Take Cover: dodge fireballs in a room of Doom, seen in first person."""

from __future__ import annotations

import contextlib
import tempfile
import weakref
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

from ethogram.worlds.coded._wrapped import Wrapped, needed

__all__ = ["TakeCover"]

TICKS = 2100
TICKS_PER_SECOND = 35


class TakeCover(Wrapped):
    """VizDoom's "take cover": more and more monsters throw fireballs from the far wall; the longer one lives, the better.

    Source: Kempka et al., CIG 2016 (package vizdoom, MIT, with the free assets of Freedoom), as set up for World Models (Ha
    and Schmidhuber 2018). Actions: 0 stay, 1 step left, 2 step right, held for `repeat` ticks of 1/35 s. Observation: the
    screen, uint8 (pixels, pixels, 3); after death it is the last one seen. Reward: ticks lived in the step. An episode is
    cut off after 2100 ticks (60 s). Outcome: `score`, the ticks lived; `success`, whether all of them.

    The game runs in a process of its own, which ends with the world (or with `close`).

    Args:
        pixels: side of the image.
        repeat: ticks for which an action is held.

    Raises:
        ConfigError: vizdoom is not installed.
    """

    time_unit = "s"

    def __init__(self, pixels: int = 64, repeat: int = 4) -> None:
        super().__init__(_Game(pixels, repeat))
        self.metadata = {"name": "take_cover", "render_modes": ["rgb_array"]}
        self.repeat, self.expected_steps = repeat, TICKS // repeat

    @property
    def now(self) -> float:
        """Seconds since the episode began."""
        return len(self._actions) * self.repeat / TICKS_PER_SECOND


class _Game(gymnasium.Env[np.ndarray, np.int64]):
    """One game of Doom, started at the first reset."""

    metadata = {"render_modes": ["rgb_array"]}
    render_mode = "rgb_array"

    def __init__(self, pixels: int, repeat: int) -> None:
        doom = needed("vizdoom")
        self._pixels, self._repeat = pixels, repeat
        self.observation_space = Box(0, 255, (pixels, pixels, 3), np.uint8)
        self.action_space = Discrete(3)
        game = self._game = doom.DoomGame()
        game.load_config(str(Path(doom.scenarios_path) / "take_cover.cfg"))
        self._scratch = tempfile.TemporaryDirectory(prefix="ethogram-doom-")
        game.set_doom_config_path(str(Path(self._scratch.name) / "vizdoom.ini"))
        game.set_window_visible(False)
        game.set_sound_enabled(False)
        game.set_screen_format(doom.ScreenFormat.RGB24)
        game.set_screen_resolution(doom.ScreenResolution.RES_160X120)
        game.set_episode_timeout(TICKS)
        weakref.finalize(self, _end, game, self._scratch)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._game.set_seed(int(self.np_random.integers(2**32)))
        if self._game.is_running():
            self._game.new_episode()
        else:
            with contextlib.chdir(self._scratch.name):  # or it leaves a folder of its own in the working folder
                self._game.init()
        self._lived = 0
        return self._look(), {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        reward = self._game.make_action([float(action == 1), float(action == 2)], self._repeat)
        self._lived += round(reward)
        over = self._game.is_episode_finished()
        dead = over and self._game.is_player_dead()
        if not over:
            self._look()
        return self._screen, float(reward), dead, over and not dead, {"score": self._lived, "success": over and not dead}

    def render(self) -> np.ndarray:
        return self._screen

    def close(self) -> None:
        self._game.close()

    def _look(self) -> np.ndarray:
        from PIL import Image

        screen = Image.fromarray(self._game.get_state().screen_buffer)
        self._screen = np.array(screen.resize((self._pixels, self._pixels), Image.Resampling.BOX))
        return self._screen


def _end(game: Any, scratch: tempfile.TemporaryDirectory[str]) -> None:
    game.close()
    scratch.cleanup()
