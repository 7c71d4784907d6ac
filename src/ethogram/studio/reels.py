"""Video of a recorded run: its world is built again, the recorded actions are replayed in it, and it draws itself.

This runs in a process of the studio's `Office`. Nothing is asked of policies or models, and nothing is written into the
run's folder. A picture is drawn only where what the world shows is what was recorded.
"""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ethogram.errors import ConfigError, RunError, not_installed
from ethogram.records.manifest import Manifest
from ethogram.records.run import Run
from ethogram.scene import Recipe
from ethogram.seeds import derive
from ethogram.simulation.entry import codec_for
from ethogram.studio.reading import Record
from ethogram.world import GymWorld, World

__all__ = ["Reel", "film", "gif", "shrunk"]

SIDE = 320
"""Pixels of the longer side of a picture."""
TURN = 0.4
"""Seconds that one call of `film` may take, so that a newer request waits no longer."""


class Reel:
    """A run's world at one frame of its record, moved along it by the recorded actions.

    Args:
        path: the run folder.

    Raises:
        RunError: the run does not say how its world is built, or this is another world now.
        ConfigError: a package is not installed, or the world draws no pictures.
    """

    def __init__(self, path: Path) -> None:
        self.record = Record(path)
        if self.record.manifest.record == "none":
            raise RunError("The steps of this run were not recorded, so there is nothing to replay.")
        self.world = drawable(world_of(self.record.manifest))
        self.codec = codec_for(self.world)
        if self.codec.specs != self.record.manifest.spaces:
            raise RunError(
                f"The world {self.record.world!r} can be built, but with other spaces than this run's: make the run from "
                "a @scene function, which records how its world was built."
            )
        self.frame = -1
        """The frame at which the world stands; -1: none."""
        self.wrong: dict[int, tuple[int, str]] = {}
        """By episode: the first frame at which the replay does not lead to what was recorded, and a sentence."""
        self._seen: Mapping[str, Any] = {}

    def go(self, frame: int, deadline: float) -> bool:
        """Bring the world to a frame (or, in an episode that goes wrong, to the last frame before); False: out of time."""
        if frame >= len(self.record):
            self.record.refresh()
        if not 0 <= frame < len(self.record):
            raise RunError(f"The run has no frame {frame}.")
        episode, step = self.record.place(frame)
        if self.frame < 0 or self.record.place(self.frame)[0] != episode or self.frame > frame:
            self._begin(episode, step)
        while self.frame < frame and self.wrong.get(episode, (len(self.record),))[0] > self.frame:
            if time.monotonic() > deadline:
                return False
            self._advance()
        return True

    def picture(self) -> np.ndarray:
        """What the world draws now, uint8 (height, width, 3), at most `SIDE` on its longer side."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            drawn = np.asarray(self.world.render())
        if drawn.ndim != 3 or drawn.shape[2] not in (1, 3, 4):
            raise ConfigError(f"The world {self.record.world!r} draws no picture when it is asked to render.")
        return shrunk(drawn)

    def _begin(self, episode: int, step: int) -> None:
        """Put the world where the episode begins, or at the last checkpoint before `step`."""
        self.frame = -1
        found = None
        if not isinstance(self.world, GymWorld):  # whose states are put back by replaying all the same
            found = Run(self.record.path).checkpoint((episode, step))
        if found is not None and found[1]["begun"] and found[1]["place"][0] == episode:
            self.world.load_state_dict(found[1]["world"])
            self._seen = {}
            self.frame = self.record.frame_of(*found[1]["place"])
            if self.record.place(self.frame) == tuple(found[1]["place"]):
                return
        self._seen, _ = self.world.reset(seed=derive(self.record.manifest.seed, "world", episode))
        self.frame = self.record.frame_of(episode, 0)
        self._arrive()

    def _advance(self) -> None:
        """Take the recorded actions of the frame, to the next one."""
        rows = self.record.steps.rows(range(*self.record.bounds(self.frame)))
        acted = [row for row in rows if row["action"] is not None]
        column = pa.array([row["action"] for row in acted], self.codec.schema.field("action").type)
        names = [row["agent"] for row in acted]
        self._seen, rewards, *_ = self.world.step(dict(zip(names, self.codec.values("action", names, column), strict=True)))
        paid = [(row["agent"], row["reward"]) for row in acted if row["reward"] is not None]
        self.frame += 1
        if not all(alike(reward, float(rewards.get(agent, 0.0))) for agent, reward in paid):
            self._goes_wrong("rewards")
        self._arrive()

    def _arrive(self) -> None:
        """Intervene as the run was, and compare what is seen at this frame with what was recorded."""
        episode, step = self.record.place(self.frame)
        due = [i for i in self.record.manifest.interventions if (i["episode"], i["at"]) == (episode, step)]
        for intervention in due:
            if intervention["agent"] is None:
                self.world.intervene(intervention["name"], intervention["arguments"])
        if due:
            self._seen = {**self._seen, **self.world.observe()}
        for row in self.record.steps.rows(range(*self.record.bounds(self.frame))):
            agent, recorded = row["agent"], row["observation"]
            if recorded is not None and agent in self._seen:
                now = self.codec.column("observation", [agent], [self._seen[agent]]).to_pylist()[0]
                if not alike(recorded, now):
                    self._goes_wrong("observations")

    def _goes_wrong(self, what: str) -> None:
        episode, step = self.record.place(self.frame)
        says = (
            f"No video from step {step:,} of this episode on: the recorded actions do not lead to the recorded {what} "
            "there, so the world, its options or a package below it are not what they were."
        )
        self.wrong.setdefault(episode, (self.frame, says))


def world_of(manifest: Manifest) -> World:
    """The world of a run, built again: from its recipe; else by its name, if that is a world's or a gymnasium env's.

    A world that was built by name may have had other options; `Reel` finds that out by its observations.
    """
    import gymnasium

    import ethogram.worlds.rendering  # noqa: F401  (chooses off-screen drivers)
    from ethogram import worlds

    if manifest.recipe is not None:
        return Recipe(manifest.recipe["function"], manifest.recipe["arguments"]).build().world
    if manifest.world in worlds.names():
        return worlds.make(manifest.world)
    if manifest.world not in gymnasium.registry:
        for package in ("minigrid", "gymnasium_robotics", "gym_pusht"):  # register their envs when imported
            with contextlib.suppress(ImportError), contextlib.redirect_stderr(None):
                __import__(package)
                getattr(gymnasium, "register_envs", lambda _: None)(package)
    if manifest.world in gymnasium.registry:
        return GymWorld(manifest.world, agent=manifest.agents[0], render_mode="rgb_array")
    raise RunError(
        f"The run does not say how its world {manifest.world!r} is built, and no world or environment of that name is "
        "installed: make the run from a @scene function, or install the package of its environment."
    )


def drawable(world: World) -> World:
    """The world, made ready to draw itself cheaply; ConfigError where it cannot."""
    import gymnasium

    if "rgb_array" not in (world.metadata.get("render_modes") or []):
        name = world.metadata.get("name", type(world).__name__)
        raise ConfigError(f"The world {name!r} draws no pictures of itself (its render modes have no 'rgb_array').")
    if isinstance(world, GymWorld) and world.env.render_mode is None and world.env.spec is not None:
        world.env = gymnasium.make(world.env.spec, render_mode="rgb_array")
    bare = world.env.unwrapped if isinstance(world, GymWorld) else None
    if (model := getattr(bare, "model", None)) is not None and hasattr(bare, "mujoco_renderer"):
        model.vis.quality.shadowsize = model.vis.quality.offsamples = 0  # what frames cost in software
    return world


def alike(recorded: Any, now: Any) -> bool:
    """Whether two plain values are the same, numbers within one in a thousand (or 1e-4)."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        return recorded.keys() == now.keys() and all(alike(recorded[key], now[key]) for key in recorded)
    try:
        a, b = np.asarray(recorded, np.float64), np.asarray(now, np.float64)
    except (TypeError, ValueError):
        if isinstance(recorded, list) and isinstance(now, list):
            return len(recorded) == len(now) and all(map(alike, recorded, now))
        return recorded == now
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-3, atol=1e-4, equal_nan=True)


def shrunk(drawn: np.ndarray) -> np.ndarray:
    """A picture (height, width, 1, 3 or 4 channels) as uint8 (h, w, 3) of which the longer side is at most `SIDE`."""
    from PIL import Image

    drawn = np.repeat(drawn, 3, axis=2) if drawn.shape[2] == 1 else drawn[:, :, :3]
    image = Image.fromarray(np.ascontiguousarray(drawn, np.uint8))
    image.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(image)


_reels: dict[tuple[str, str], Reel] = {}
"""The reels in use: building a world takes long. None is given up before the process is, because some worlds take the
graphics driver along when they are closed."""


def film(path: str, started: str, frames: list[int], folder: str) -> dict[str, Any]:
    """Draw the first of some frames of a run (ascending), as many as there is time for, to files `FRAME.jpg` of a folder.

    Returns:
        `made`: the frames drawn; `at`: the frame where the world stands; `wrong`: of the episode of the first frame, the
        frame from which on there is no picture and the sentence that says why, or None.
    """
    deadline = time.monotonic() + TURN
    key = (path, started)
    if key not in _reels:
        os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")  # else pygame keeps this process from being terminated
        try:
            _reels[key] = Reel(Path(path))
        except ModuleNotFoundError as error:
            raise not_installed(error, "The world of this run") from error
    reel = _reels[key]
    episode = reel.record.place(min(frames[0], len(reel.record) - 1))[0]
    made: list[int] = []
    for frame in frames:
        if (made and time.monotonic() > deadline) or not reel.go(frame, deadline):
            break
        if reel.wrong.get(episode, (frame + 1,))[0] <= frame:
            break
        _save(reel.picture(), Path(folder) / f"{frame}.jpg")
        made.append(frame)
    return {"made": made, "at": reel.frame, "wrong": reel.wrong.get(episode)}


def _save(picture: np.ndarray, to: Path) -> None:
    from PIL import Image

    to.parent.mkdir(parents=True, exist_ok=True)
    new = to.with_suffix(".new")
    Image.fromarray(picture).save(new, format="JPEG", quality=90)
    os.replace(new, to)


def gif(folder: str, frames: list[int], to: str, rate: float = 20.0) -> str:
    """Join frames that `film` drew into a GIF that repeats, `rate` of them a second; returns its path."""
    from PIL import Image

    def pictures() -> Iterator[Image.Image]:
        for frame in frames:
            with Image.open(Path(folder) / f"{frame}.jpg") as image:
                yield image.convert("P", palette=Image.Palette.ADAPTIVE)

    rest = pictures()
    next(rest).save(to, format="GIF", save_all=True, append_images=rest, duration=round(1000 / rate), loop=0)
    return to
