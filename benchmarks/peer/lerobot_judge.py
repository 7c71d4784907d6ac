"""Run by the Python of `.venv-lerobot`: the real lerobot reads a data set, or writes one.

lerobot_judge.py read ROOT FRAMES.npz     every frame of the data set, as lerobot gives it
lerobot_judge.py write ROOT FRAMES.npz    a small data set of lerobot's own, and what it was made of
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

# The published torchvision is built for graphics cards and cannot load its operators here. Reading data sets needs none of
# them, but torchvision looks two up when it is imported.
_LIBRARY = torch.library.Library("torchvision", "DEF")
for _name in ("nms", "qnms"):
    _LIBRARY.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import lerobot.datasets.lerobot_dataset as datasets  # noqa: E402


def frames_at(path, timestamps, tolerance_s, backend=None):
    """Stands in for lerobot's own decoders, of which torchvision has dropped one and the other needs torchcodec."""
    import av

    with av.open(str(path)) as container:
        found = [(float(frame.time), frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    times = np.array([time for time, _ in found])
    nearest = [int(np.abs(times - t).argmin()) for t in timestamps]
    assert all(abs(times[i] - t) < tolerance_s for i, t in zip(nearest, timestamps, strict=True)), "no frame at that time"
    return torch.tensor(np.stack([found[i][1] for i in nearest])).permute(0, 3, 1, 2).float() / 255


def read(root: str, out: str) -> None:
    """All frames, each feature stacked."""
    datasets.decode_video_frames = frames_at
    data = datasets.LeRobotDataset("ethogram/judged", root=root)
    items = [data[i] for i in range(len(data))]
    found = {k: np.stack([np.asarray(item[k]) for item in items]) for k in items[0]}
    stats = {f"stats/{k}/{s}": np.asarray(v) for k, own in data.meta.stats.items() for s, v in own.items()}
    lengths = [data.meta.episodes[i]["length"] for i in range(data.meta.total_episodes)]
    np.savez(out, lengths=np.array(lengths), version=str(data.meta.info["codebase_version"]), **found, **stats)


def write(root: str, out: str) -> None:
    """Two episodes with a picture, a vector and an action."""
    features = {
        "observation.state": {"dtype": "float32", "shape": (3,), "names": None},
        "observation.image": {"dtype": "image", "shape": (8, 6, 3), "names": ["height", "width", "channels"]},
        "action": {"dtype": "float32", "shape": (2,), "names": None},
        "next.reward": {"dtype": "float32", "shape": (1,), "names": None},
        "next.success": {"dtype": "bool", "shape": (1,), "names": None},
    }
    data = datasets.LeRobotDataset.create("ethogram/theirs", fps=5, features=features, root=root, use_videos=False)
    rng = np.random.default_rng(3)
    kept: dict[str, list[np.ndarray]] = {k: [] for k in features}
    for episode, length in enumerate((4, 3)):
        for step in range(length):
            frame = {
                "observation.state": rng.normal(size=3).astype(np.float32),
                "observation.image": rng.integers(0, 256, (8, 6, 3), dtype=np.uint8),
                "action": rng.normal(size=2).astype(np.float32),
                "next.reward": np.array([step], np.float32),
                "next.success": np.array([episode == 1 and step == length - 1]),
            }
            for k, v in frame.items():
                kept[k].append(v)
            data.add_frame({**frame, "task": "try"})
        data.save_episode()
    data.finalize()
    np.savez(out, **{k: np.stack(v) for k, v in kept.items()})


if __name__ == "__main__":
    role, root, out = sys.argv[1:]
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    {"read": read, "write": write}[role](root, out)
