"""What the record costs: rows written a second and bytes a row, beside bare pyarrow.

A film (a world that only shows what was drawn before) is run with and without the record; the difference is the record's
own cost. Bare pyarrow writes the same values with the same columns into one Parquet file and does nothing else: no journal
that survives a kill, no checkpoints.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from gymnasium.spaces import Box, Discrete, Space

from benchmarks.measuring import Row, spent
from ethogram.policy import Policy
from ethogram.records import Run
from ethogram.simulation import simulate
from ethogram.social import Do, Event, Go, Say, View, Wait
from ethogram.spaces import Typed, Verbs
from ethogram.world import Agent, Step, World

REPEATS = 5
NUMBER_STEPS, TEXT_STEPS = 30, 400


class Film(World):
    """Shows frames that were drawn before: observations, rewards and actions cost nothing."""

    def __init__(
        self, seen: Space[Any], done: Space[Any], frames: Sequence[tuple[dict[Agent, Any], dict[Agent, Any]]]
    ) -> None:
        self.possible_agents = list(frames[0][0])
        self.observation_spaces = dict.fromkeys(self.possible_agents, seen)
        self.action_spaces = dict.fromkeys(self.possible_agents, done)
        self.agents = []
        self.frames = frames
        self.at = 0
        rng = np.random.default_rng(0)
        self._rewards = dict(zip(self.possible_agents, rng.random(len(self.possible_agents)).tolist(), strict=True))
        self._no = dict.fromkeys(self.possible_agents, False)
        self._nothing: dict[Agent, dict[str, Any]] = {agent: {} for agent in self.possible_agents}

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        super().reset(seed)
        self.at = 0
        return self.frames[0][0], self._nothing

    def step(self, actions: Mapping[Agent, Any]) -> Step:
        self.at += 1
        return self.frames[self.at % len(self.frames)][0], self._rewards, self._no, self._no, self._nothing


class Actor(Policy):
    """Does what the film says."""

    def __init__(self, film: Film) -> None:
        self.film = film

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        return self.film.frames[self.film.at % len(self.film.frames)][1]


def numbers(agents: int) -> Film:
    """Eight 32-bit numbers seen, one of five moves made."""
    rng = np.random.default_rng(0)
    names = [f"walker {i}" for i in range(agents)]
    frames = []
    for _ in range(NUMBER_STEPS):
        seen, done = rng.random((agents, 8), np.float32), rng.integers(0, 5, agents).tolist()
        frames.append((dict(zip(names, seen, strict=True)), dict(zip(names, done, strict=True))))
    return Film(Box(0, 1, (8,), np.float32), Discrete(5), frames)


def people(agents: int) -> Film:
    """What inhabitants of a town see and do: typed values with text."""
    rng = np.random.default_rng(0)
    names = [f"Person {i}" for i in range(agents)]
    places = ("the bakery", "the quay", "the school", "the square")
    words = ("the", "boat", "bread", "rain", "festival", "lamp", "on", "Saturday", "we", "should", "bring", "a", "song")
    frames = []
    for frame in range(TEXT_STEPS):
        seen: dict[Agent, Any] = {}
        done: dict[Agent, Any] = {}
        for name in names:
            place, other = str(rng.choice(places)), str(rng.choice(names))
            text = " ".join(rng.choice(words, 12))
            told = Event(kind="told", actor=other, text=text, place=place, to=name)
            seen[name] = View(time=480.0 + frame, clock="Monday 08:10", place=place, activity="working", events=(told,))
            done[name] = (Say(to=other, text=text[::-1]), Go(to=place), Do(activity=text[:40]), Wait())[rng.integers(4)]
        frames.append((seen, done))
    return Film(Typed(View), Verbs(Go, Say, Do, Wait), frames)


def ours(film: Film, steps: int, record: Literal["all", "none"], folder: Path) -> Run:
    """Simulate the film into a folder."""
    return simulate(film, Actor(film), steps=steps, record=record, to=folder, progress=False)


def bare(film: Film, steps: int, path: Path) -> None:
    """The same rows with pyarrow alone: a batch a step, one Parquet file at the end."""
    batches = []
    names = film.possible_agents
    typed = isinstance(film.observation_spaces[names[0]], Typed)
    for step in range(steps):
        seen, done = film.frames[step % len(film.frames)]
        if typed:
            observed = pa.array([v.model_dump_json() for v in seen.values()])
            acted = pa.array([v.model_dump_json() for v in done.values()])
        else:
            observed = pa.FixedSizeListArray.from_arrays(pa.array(np.concatenate(list(seen.values()))), 8)
            acted = pa.array(list(done.values()))
        columns = {
            "episode": pa.array(np.zeros(len(names), np.int32)),
            "step": pa.array(np.full(len(names), step, np.int32)),
            "time": pa.array(np.full(len(names), float(step))),
            "agent": pa.array(names),
            "observation": observed,
            "action": acted,
            "reward": pa.array(list(film._rewards.values())),
            "ended": pa.repeat("", len(names)),
            "fault": pa.nulls(len(names), pa.string()),
        }
        batches.append(pa.RecordBatch.from_pydict(columns))
    pq.write_table(pa.Table.from_batches(batches), path, compression="zstd")


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    return path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*") if f.is_file())


def compare(case: str, film: Film, steps: int) -> list[Row]:
    """Rows a CPU second and bytes a row, ours and bare."""
    rows = len(film.possible_agents) * steps
    times: dict[str, list[float]] = {"all": [], "none": [], "bare": []}
    sizes = {}
    for turn in range(REPEATS + 1):
        with tempfile.TemporaryDirectory() as folder:
            works = {
                "all": partial(ours, film, steps, "all", Path(folder, "all")),
                "none": partial(ours, film, steps, "none", Path(folder, "none")),
                "bare": partial(bare, film, steps, Path(folder, "bare.parquet")),
            }
            for name, work in works.items():
                cpu = spent(work).cpu
                if turn:  # the first warms up
                    times[name].append(cpu)
            sizes = {"ours": size(Path(folder, "all", "steps")), "bare": size(Path(folder, "bare.parquet"))}
    own = min(times["all"]) - min(times["none"])
    alone = min(times["bare"])
    return [
        Row("records", case, "rows a CPU second", rows / own, "rows/s"),
        Row("records", case, "bare pyarrow, rows a CPU second", rows / alone, "rows/s"),
        Row("records", case, "CPU, ours / bare pyarrow", own / alone, "×"),
        Row("records", case, "bytes a row", sizes["ours"] / rows, "B"),
        Row("records", case, "bare pyarrow, bytes a row", sizes["bare"] / rows, "B"),
        Row("records", case, "bytes, ours / bare pyarrow", sizes["ours"] / sizes["bare"], "×"),
    ]


def measure() -> list[Row]:
    """Numbers in large steps, and typed text in small ones."""
    large = compare(f"10,000 agents × {NUMBER_STEPS} steps of numbers", numbers(10_000), NUMBER_STEPS)
    return large + compare(f"25 agents × {TEXT_STEPS} steps of text", people(25), TEXT_STEPS)
