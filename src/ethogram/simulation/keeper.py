"""The keeper: hands what happens in a loop to the recorder, has checkpoints made, and shows how far the run is."""

from __future__ import annotations

import time
from typing import Any

from ethogram.records.journal import Commit
from ethogram.records.lean import LAST, TERMINATED, TRUNCATED, Lean
from ethogram.records.recorder import Recorder
from ethogram.simulation.loop import Loop, Place
from ethogram.simulation.progress import Progress

__all__ = ["Keeper", "checkpoint_name"]

AT_LEAST = 100
"""Steps between two checkpoints where their number is left to the keeper ..."""
SHARE = 0.01
"""... which then spends no more than this share of the time on them."""
FIRST_SECONDS = 0.02
"""What a checkpoint is taken to cost before there has been one."""

_FLAGS = {"": 0, "terminated": TERMINATED, "truncated": TRUNCATED}


def checkpoint_name(place: Place) -> str:
    """The name of the checkpoint made before a step."""
    return f"{place.episode}-{place.step}"


class Keeper:
    """Keeps the record of a loop.

    Args:
        loop: what happens.
        recorder: where it is written.
        display: what the user sees.
    """

    def __init__(self, loop: Loop, recorder: Recorder, display: Progress) -> None:
        self._loop = loop
        self._recorder = recorder
        self._display = display
        self._every = recorder.manifest.checkpoint_every
        self._since = 0
        self._cost = FIRST_SECONDS
        self._last = time.perf_counter()
        self.lean: Lean | None = recorder.lean
        """The layout of lean rows, where there can be any."""
        self.put = recorder.commit_lean
        """Records a step as lean rows; `count` is told later."""

    def commit(self, commit: Commit) -> None:
        """A step is complete."""
        self._recorder.commit(commit)
        self.count(1)
        self.rest()

    def notes(self, place: tuple[int, int], notes: list[dict[str, Any]]) -> None:
        """Notes of the step whose lean rows come next, or which has no rows."""
        self._recorder.note(place, notes, alone=self.lean is None)

    def step(
        self,
        place: tuple[int, int],
        time: float,
        reward: float,
        how: str,
        members: bytes,
        last: tuple[tuple[int, int], float, Any] | None,
    ) -> None:
        """Record a step as lean rows.

        Args:
            place: of the step.
            time: of the step.
            reward: what came after it.
            how: whether the agent's episode ended with it, `terminated` or `truncated`; else empty.
            members: the bytes of its observation and action.
            last: place, time and observation after it, where the agent is through.
        """
        assert self.lean is not None
        rows = self.lean.pack(*place, time, reward, _FLAGS[how]) + members
        if last is not None:
            rows += self.lean.pack(*last[0], last[1], 0.0, LAST) + self.lean.see(last[2]) + self.lean.no_action
        self.put(rows)

    def count(self, steps: int) -> None:
        """So many steps more are complete."""
        self._since += steps
        self._recorder.manifest.steps_done += steps

    @property
    def room(self) -> int:
        """How many steps there are at most before `rest` must be called."""
        return 2**30 if self._every is None else max(1, self._every - self._since)

    @property
    def _due(self) -> bool:
        if self._every is not None:
            return self._since >= self._every
        return self._since >= AT_LEAST and time.perf_counter() - self._last > self._cost / SHARE

    def rest(self) -> None:
        """Between two steps: make a checkpoint if it is due."""
        if self._due or self._recorder.wants_sealing:
            began = time.perf_counter()
            self._recorder.seal(self._loop.state_dict(), checkpoint_name(self._loop.place))
            self._last = time.perf_counter()
            self._cost, self._since = self._last - began, 0
        self._display.advance(self._loop, self._recorder.manifest.usage)
