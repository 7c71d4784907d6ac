"""Where things lie in the LeRobot layout, and which feature a part of a space is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import gymnasium.spaces as gs
import numpy as np
from gymnasium import Space

from ethogram.errors import DataError

__all__ = ["DATA", "FRAME", "OWN", "PICTURES", "VERSION", "VIDEOS", "Leaf", "leaves", "part"]

VERSION = "v3.0"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEOS = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
OWN = "meta/ethogram"
PICTURES = ("image", "video")
FRAME = {
    "next.reward": "float64",
    "next.done": "bool",
    "next.success": "bool",
    "time": "float64",
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}
"""What a frame has beside observation and action."""


class Leaf(NamedTuple):
    """A part of a space that is one feature: its place in the space, its name, and what it is."""

    path: tuple[str | int, ...]
    name: str
    space: Space[Any]
    dtype: str
    """image, video, string, or a number's type."""
    shape: tuple[int, ...]

    @property
    def feature(self) -> dict[str, Any]:
        """As `info.json` describes it."""
        names = ["height", "width", "channels"] if self.dtype in ("image", "video") else None
        return {"dtype": self.dtype, "shape": list(self.shape), "names": names}


def leaves(space: Space[Any], prefix: str, pictures: str, path: tuple[str | int, ...] = ()) -> Iterator[Leaf]:
    """The features that a space of observations or actions (`prefix`) has, with pictures as image or video."""
    if isinstance(space, gs.Dict | gs.Tuple):
        for key, inner in space.spaces.items() if isinstance(space, gs.Dict) else enumerate(space.spaces):
            if "/" in str(key):
                raise DataError(f"the LeRobot layout takes no / in names of features: rename the entry {key!r}")
            yield from leaves(inner, prefix, pictures, (*path, key))
        return
    is_picture = isinstance(space, gs.Box) and len(space.shape) == 3 and space.shape[2] == 3 and space.dtype == np.uint8
    if path == () or path == ("observation",):
        own = "" if prefix == "action" else ".image" if is_picture else ".state"
    else:
        own = "." + ".".join(map(str, path))
    if is_picture:
        dtype, shape = pictures, space.shape or ()
    elif isinstance(space, gs.Discrete):
        dtype, shape = "int64", (1,)
    elif isinstance(space, gs.Box | gs.MultiDiscrete | gs.MultiBinary):
        dtype, shape = str(np.dtype(space.dtype)), tuple(space.shape) or (1,)
    else:
        dtype, shape = "string", (1,)
    yield Leaf(path, prefix + own, space, dtype, shape)


def part(column: Any, path: tuple[str | int, ...]) -> Any:
    """What a column holds at a path."""
    for key in path:
        column = column[key]
    return column
