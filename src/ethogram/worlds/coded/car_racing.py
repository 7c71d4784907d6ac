"""CarRacing: drive around a random track seen from above."""

from __future__ import annotations

from typing import Any

from ethogram.errors import ConfigError
from ethogram.worlds.coded._wrapped import Wrapped, needed

__all__ = ["CarRacing"]


class CarRacing(Wrapped):
    """Gymnasium's CarRacing-v3 (package gymnasium, MIT, on box2d, zlib): a new track of some 230 to 320 tiles each episode.

    Actions, float32 (3,): steering in [-1, 1], gas and brake in [0, 1]; or five discrete ones: nothing, right, left, gas,
    brake (gymnasium's order). Observation: the picture, uint8 (pixels, pixels, 3). It is drawn as gymnasium does but anew:
    only what is in view, at five by four pixels for each shown, without the score's digits. Reward of a frame (1/50 s): 1000
    over the number of tiles for each new tile, less 0.1; -100 for leaving the field. An episode ends after a lap, off the
    field, or after `steps` frames. Outcome: `score`, the sum of rewards; `share` of the tiles visited; `success`, whether a
    lap was finished. The expert (`advise`) follows the middle of the road; it is ours, not gymnasium's.

    Args:
        pixels: side of the picture, 96 or what you like (64 is usual in world models).
        repeat: frames for which an action is held; only the last is drawn.
        steps: frames of an episode, at most.
        bar: whether to show the bar of indicators at the bottom.
        continuous: whether actions are numbers.
        colours: whether the colours of road and grass are drawn for each episode.

    Raises:
        ConfigError: box2d or pygame is not installed, or a number is below 1.
    """

    time_unit = "s"

    def __init__(
        self,
        pixels: int = 96,
        repeat: int = 1,
        steps: int = 1000,
        bar: bool = True,
        continuous: bool = True,
        colours: bool = False,
    ) -> None:
        if min(pixels, repeat, steps) < 1:
            raise ConfigError(f"pixels, repeat and steps must be at least 1, but are {pixels}, {repeat} and {steps}")
        needed("Box2D")
        self._race = needed("ethogram.worlds.coded._car_racing").Race(pixels, repeat, steps, bar, continuous, colours)
        super().__init__(self._race)
        self.metadata = {"name": "car_racing", "render_modes": ["rgb_array"]}
        self.expected_steps = -(-steps // repeat)

    @property
    def now(self) -> float:
        """Seconds since the episode began."""
        return self._race.frames / 50 if self._actions else 0.0

    def outcome(self) -> dict[str, float]:
        """The sum of rewards, the share of tiles visited, and whether a lap was finished."""
        return self._race.tally()

    def _advised(self) -> Any:
        return self._race.expert()
