"""Pictures (H, W, 3) uint8 as PNG, and series of them as H.264 video."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from ethogram.errors import DataError, not_installed
from ethogram.records.columns import Array

__all__ = ["decode_png", "encode_png", "read_video", "write_video"]


def encode_png(frame: Array) -> bytes:
    """A picture as PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def decode_png(data: bytes) -> Array:
    """The picture in a file of any kind that Pillow reads; OSError where it is none."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def _av() -> Any:
    try:
        import av
    except ModuleNotFoundError as error:
        raise not_installed(error, "a video (pictures kept as images need none)") from error
    return av


def write_video(path: Path, frames: Array, fps: int) -> dict[str, Any]:
    """Write frames (N, H, W, 3) as video, a key frame at every second one so that any is found quickly.

    Returns:
        What LeRobot says of a video.

    Raises:
        DataError: height or width is odd, which the pixel format does not allow.
    """
    av = _av()
    height, width = frames.shape[1:3]
    if height % 2 or width % 2:
        raise DataError(f"a video needs pictures of even height and width, and these are {height} x {width}: keep images")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        options = {"g": "2", "crf": "18", "threads": "1"}
        stream = container.add_stream("libx264", rate=fps, width=width, height=height, pix_fmt="yuv420p", options=options)
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    sizes = {"video.height": height, "video.width": width, "video.channels": 3, "video.fps": fps}
    kinds = {"video.codec": "h264", "video.pix_fmt": "yuv420p", "video.is_depth_map": False, "has_audio": False}
    return sizes | kinds


def read_video(path: Path) -> Array:
    """The frames (N, H, W, 3) of a video. Raises DataError where it cannot be read."""
    av = _av()
    try:
        with av.open(str(path)) as container:
            return np.array([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)], np.uint8)
    except (av.error.FFmpegError, IndexError) as error:
        raise DataError(f"{path} is no video that can be read: {error}") from error
