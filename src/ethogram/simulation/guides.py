"""Guides: what holds a loop to a record, for resuming and for replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from ethogram.policy import Policy
from ethogram.records.run import Run
from ethogram.records.tables import StepCodec
from ethogram.session import Call, Position
from ethogram.simulation.loop import Place
from ethogram.world import Agent

__all__ = ["Divergence", "RecordGuide", "RecordedSteps"]


class Divergence(NamedTuple):
    """The first event of an agent that differs from the record."""

    agent: str
    episode: int
    step: int
    event: str
    """`observation`, `call`, `action`, `fault`, `outcome` or `acting`."""
    detail: str
    """What was recorded and what came instead."""


class RecordedSteps:
    """The recorded rows of each step, found by place."""

    def __init__(self, run: Run, codec: StepCodec) -> None:
        self.codec = codec
        table = run.arrow("steps").combine_chunks()
        self._rows = table.to_batches()[0] if table.num_rows else pa.RecordBatch.from_pylist([], codec.schema)
        last = np.array([e == "last" for e in self._rows["ended"].to_pylist()], bool)
        place = np.stack([self._rows["episode"].to_numpy(), self._rows["step"].to_numpy() - last], axis=1)
        starts = np.flatnonzero(np.r_[True, (place[1:] != place[:-1]).any(axis=1)]) if len(place) else np.array([], int)
        ends = np.r_[starts[1:], len(place)] if len(starts) else starts
        self._spans = {
            Place(int(place[s, 0]), int(place[s, 1])): (int(s), int(e)) for s, e in zip(starts, ends, strict=True)
        }
        self.end = max(self._spans, default=Place(0, -1))
        """The last step with a row."""

    def rows(self, place: Place) -> pa.RecordBatch:
        """All rows that the step at `place` committed, in order."""
        start, end = self._spans.get(place, (0, 0))
        return self._rows.slice(start, end - start)


def _shorten(text: str, most: int = 160) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def explain(recorded: Any, now: Any) -> str:
    """Two values side by side; of long texts, the first place where they part."""
    a, b = str(recorded), str(now)
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    start = max(0, at - 40) if max(len(a), len(b)) > 120 else 0
    lead = "…" if start else ""
    return f"recorded {lead}{_shorten(a[start:], 120)!r}, now {lead}{_shorten(b[start:], 120)!r}"


def explain_call(recorded: Call | None, position: Position, key: str, messages: list[dict[str, str]] | None = None) -> str:
    """How a call differs from the recorded one at its place."""
    if recorded is None:
        return f"the call for {position.purpose!r} (number {position.n}) is new: the record has none at this place"
    if messages is None:
        return f"the request for {position.purpose!r} differs: content {recorded.key[:12]} recorded, now {key[:12]}"
    old = "\n".join(m["content"] for m in recorded.messages).splitlines()
    new = "\n".join(m["content"] for m in messages).splitlines()
    for was, now in zip_longest(old, new, fillvalue=""):
        if was != now:
            return f"the prompt for {position.purpose!r} differs: {explain(was, now)}"
    return f"the options, schema or parameters of the request for {position.purpose!r} differ from the recorded ones"


class RecordGuide:
    """Compares a loop with a record, step by step, and keeps its world on the recorded track.

    After an agent's action has differed the recorded one is taken, so that every agent's first divergence is its own and
    not the echo of another's. `on_divergence` hears of each agent's first one.

    Args:
        steps: the record.
        policies: the policy of each agent; those that cannot repeat themselves are not compared.
        on_divergence: called once an agent.
    """

    def __init__(
        self, steps: RecordedSteps, policies: dict[Agent, Policy], on_divergence: Callable[[Divergence], object]
    ) -> None:
        self.steps = steps
        self.policies = policies
        self.agent_steps = 0
        self._tell = on_divergence
        self._heard: set[str] = set()
        self._columns: dict[str, pa.Array] = {}
        self._acting: list[Agent] = []
        self._recorded: pa.RecordBatch | None = None

    def diverged(self, agent: str, place: Place | Position, event: str, detail: str) -> None:
        """Report an agent's first divergence."""
        if agent not in self._heard:
            self._heard.add(agent)
            self._tell(Divergence(agent, place[0], place[1], event, detail))

    def observed(self, place: Place, agents: Sequence[Agent], column: pa.Array | None) -> None:
        """Compare who acts and what they observe."""
        rows = self.steps.rows(place)
        self._recorded = rows
        acted = rows["action"].is_valid().to_numpy(zero_copy_only=False)
        self._acted = rows.filter(pa.array(acted)) if len(acted) and not acted.all() else rows
        self._acting = self._acted["agent"].to_pylist()
        if self._acting != list(agents):
            for agent in dict.fromkeys([*self._acting, *agents]):
                if (agent in self._acting) != (agent in agents):
                    had, has = ("asked", "not") if agent in self._acting else ("not asked", "asked")
                    self.diverged(agent, place, "acting", f"recorded {had} to act, now {has}")
        if column is not None and self._acted["observation"].null_count == 0:
            self._compare(place, "observation", list(agents), column)

    def _compare(self, place: Place, name: str, agents: list[Agent], column: pa.Array) -> None:
        old = self._acted[name]
        if agents == self._acting and old.equals(column):
            return
        was = dict(zip(self._acting, old.to_pylist(), strict=True))
        for agent, value in zip(agents, column.to_pylist(), strict=True):
            if agent in was and repr(was[agent]) != repr(value):  # repr: exact, and NaN is like itself
                self.diverged(agent, place, name, explain(was[agent], value))

    def decided(self, place: Place, actions: dict[Agent, Any], faults: dict[Agent, str]) -> None:
        """Compare the actions and put the recorded ones in their place."""
        codec = self.steps.codec
        agents = [a for a in actions if a in set(self._acting)]
        self.agent_steps += len(agents)
        column = codec.column("action", agents, [actions[a] for a in agents])
        recorded_faults = dict(zip(self._acting, self._acted["fault"].to_pylist(), strict=True))
        same = agents == self._acting and len(actions) == len(agents)
        if not (
            same and self._acted["action"].equals(column) and not faults and self._acted["fault"].null_count == len(agents)
        ):
            fixed = [a for a in agents if self.policies[a].repeatable]
            self._compare(place, "action", fixed, column.filter(pa.array([a in set(fixed) for a in agents])))
            for agent in fixed:
                if recorded_faults[agent] != faults.get(agent):
                    self.diverged(agent, place, "fault", explain(recorded_faults[agent], faults.get(agent)))
            values = codec.values("action", self._acting, self._acted["action"])
            actions.clear()
            actions.update(zip(self._acting, values, strict=True))
            faults.clear()
            faults.update({a: f for a, f in recorded_faults.items() if f is not None})

    def happened(self, place: Place, rows: pa.RecordBatch) -> None:
        """Compare the outcome: rewards, ends, last observations."""
        old = self._recorded
        if old is None or old.equals(rows):
            return
        names = ["agent", "time", "reward", "ended", "observation"]
        was = {(r["agent"], r["ended"] == "last"): r for r in old.select(names).to_pylist()}
        now = {(r["agent"], r["ended"] == "last"): r for r in rows.select(names).to_pylist()}
        for key in dict.fromkeys([*was, *now]):
            if str(was.get(key)) != str(now.get(key)):
                self.diverged(key[0], place, "outcome", explain(was.get(key), now.get(key)))
