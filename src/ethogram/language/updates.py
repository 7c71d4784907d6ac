"""The training loop behind `language.tuning.tune`: random rotations, soft targets, checkpoints.

Whatever is random in update `i` derives from `(seed, i)`, so a tuning that was killed and is resumed ends with the same
adapter, bit for bit, as one never killed.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor

from ethogram.errors import DataError, RunError
from ethogram.language import adapters
from ethogram.language.bases import Base
from ethogram.language.files import digest, facts, replace_file
from ethogram.language.request import normalised
from ethogram.language.tuning import Lesson
from ethogram.seeds import derive, generator

__all__ = ["CHECKPOINT_SECONDS", "run"]

CHECKPOINT_SECONDS = 20.0
"""How often the state is kept. When it is kept does not change what is learned."""
WARMUP = 0.1
"""Share of the updates over which the rate rises; after it, half a cosine to zero."""
WINDOW = 8
"""Batches whose lessons are sorted by length together, so that little is padded."""

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What AdamW remembers of a parameter."""


def run(
    lessons: list[Lesson],
    place: Path,
    settings: dict[str, Any],
    progress: Callable[[int, int, float], None] | None,
    start: Path | None,
) -> None:
    """Make the updates that are still to be made, write the adapter, and remove the checkpoint; see `tuning.tune`."""
    text = json.dumps([[normalised(lesson.messages), lesson.options, lesson.shares, lesson.by] for lesson in lessons])
    begun = None if start is None else facts(start)["weights"]
    identity = {**settings, "lessons": digest(text.encode()), "start": begun}
    if (place / "adapter.json").is_file():
        _same(facts(place), identity, place)
        return
    tuning = _Tuning(lessons, place, identity)
    if start is not None:
        adapters.fill(tuning.parameters, start, tuning.base)
    tuning.resume()
    kept = time.monotonic()
    while len(tuning.losses) < len(tuning.batches):
        tuning.update()
        if time.monotonic() - kept >= CHECKPOINT_SECONDS:
            tuning.keep()
            kept = time.monotonic()
        if progress is not None:
            progress(len(tuning.losses), len(tuning.batches), tuning.losses[-1])
    tuning.finish()


def _same(known: dict[str, Any], identity: dict[str, Any], place: Path) -> None:
    for what, now in identity.items():
        if known.get(what) != now:
            raise RunError(f"{place} holds a tuning with other {what}: give it the same, or another folder to tune anew")


class _Tuning:
    """A tuning under way."""

    def __init__(self, lessons: list[Lesson], place: Path, identity: dict[str, Any]) -> None:
        self.lessons, self.place, self.identity = lessons, place, identity
        self.base = Base(identity["base"])
        self.parameters = adapters.attach(self.base, identity["rank"], derive(identity["seed"], "adapters"))
        self.optimizer = torch.optim.AdamW(list(self.parameters.values()), lr=identity["rate"], weight_decay=0.0)
        self.losses: list[float] = []
        self.batches = self._batches()
        self.checkpoint = place / "checkpoint"

    def _batches(self) -> list[list[int]]:
        """The lessons of each update: every epoch has its own order, in which lessons of like length are put together."""
        seed, size = self.identity["seed"], self.identity["batch"]
        lengths = [sum(len(m["content"]) for m in normalised(lesson.messages)) for lesson in self.lessons]
        found: list[list[int]] = []
        for epoch in range(self.identity["epochs"]):
            rng = generator(seed, "order", epoch)
            order = rng.permutation(len(self.lessons)).tolist()
            parts: list[list[int]] = []
            for start in range(0, len(order), size * WINDOW):
                window = sorted(order[start : start + size * WINDOW], key=lambda i: lengths[i])
                parts += [window[i : i + size] for i in range(0, len(window), size)]
            found += [parts[i] for i in rng.permutation(len(parts))]
        return found

    # --- one update ---

    def update(self) -> None:
        """One update of the adapters."""
        step = len(self.losses)
        loss = self._loss([self.lessons[i] for i in self.batches[step]], generator(self.identity["seed"], "rotations", step))
        value = loss.item()
        if not math.isfinite(value):
            raise DataError(
                f"the loss is {value} at update {step} of {self.place}: lower the rate ({self.identity['rate']})"
            )
        self.optimizer.param_groups[0]["lr"] = self._rate(step)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.losses.append(value)

    def _rate(self, step: int) -> float:
        steps = len(self.batches)
        warm = max(1, round(WARMUP * steps))
        fall = 0.5 * (1 + math.cos(math.pi * max(0, step - warm) / max(1, steps - warm)))
        return self.identity["rate"] * min(1.0, (step + 1) / warm) * fall

    def _loss(self, lessons: Sequence[Lesson], rng: np.random.Generator) -> Tensor:
        """Mean cross-entropy between shares and answers, each lesson in a rotation of its own, in nats."""
        asked = [lesson.arranged()[int(rng.integers(len(lesson.options)))] for lesson in lessons]
        hidden = self.base.hidden([self.base.prompts.tokens(a.messages) for a in asked])
        losses: list[Tensor] = []
        for lesson, arrangement, vector in zip(lessons, asked, hidden, strict=True):
            scores = self.base.logits(vector, self.base.words(arrangement.answers))
            shares = torch.tensor([lesson.shares[i] for i in arrangement.order])
            losses.append(-(shares * scores.log_softmax(0)).sum())
        return torch.stack(losses).mean()

    # --- files ---

    def finish(self) -> None:
        """Write the adapter; the checkpoint is not needed any more."""
        known = {**self.identity, "dtype": str(self.base.module.dtype), "losses": self.losses}
        adapters.write(self.place, known, self.parameters, self.base)
        self.checkpoint.unlink(missing_ok=True)

    def keep(self) -> None:
        """Write the checkpoint in one go: a digest, then a safetensors file."""
        arrays: dict[str, Tensor] = {"losses": torch.tensor(self.losses, dtype=torch.float64)}
        for name, parameter in self.parameters.items():
            moments = self.optimizer.state[parameter]
            arrays |= {name: parameter.detach(), **{f"{name}.{key}": moments[key] for key in _MOMENTS}}
        whole = save(arrays, {"identity": self._identity()})
        replace_file(self.checkpoint, digest(whole).encode() + whole)

    def resume(self) -> None:
        """Go on from the checkpoint, where there is one."""
        if not self.checkpoint.is_file():
            return
        data = self.checkpoint.read_bytes()
        if digest(data[64:]).encode() != data[:64]:
            raise DataError(f"{self.checkpoint} is damaged: its digest is wrong; delete it to tune anew")
        header = json.loads(data[72 : 72 + int.from_bytes(data[64:72], "little")])
        _same(json.loads(header["__metadata__"]["identity"]), json.loads(self._identity()), self.place)
        arrays = load(data[64:])
        self.losses = arrays["losses"].tolist()
        for name, parameter in self.parameters.items():
            parameter.data.copy_(arrays[name])
            self.optimizer.state[parameter] = {key: arrays[f"{name}.{key}"].clone() for key in _MOMENTS}

    def _identity(self) -> str:
        return json.dumps({**self.identity, "base weights": self.base.digest, "type": str(self.base.module.dtype)})
