"""The training loop that everything learned shares.

Whatever is random in step `i` derives from `(seed, i)`: a numpy generator draws the batch, and torch's own generator, seeded
afresh, serves noise and dropout alike. A training that was killed and is resumed from its checkpoint therefore ends with the
same weights, bit for bit, as one never killed.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from ethogram.errors import ConfigError, DataError, RunError
from ethogram.nn.checkpoints import read_checkpoint, write_checkpoint
from ethogram.nn.settings import Settings
from ethogram.seeds import derive, generator

__all__ = ["Draw", "History", "Loss", "Training", "Validate", "seeded", "tensors", "train"]

Loss = Callable[[dict[str, Tensor], torch.Generator], Tensor]
"""From a batch and the source of noise to the number to make small, shape ()."""
Draw = Callable[[np.random.Generator], Mapping[str, np.ndarray[Any, Any]]]
"""Draws a batch. May leave out things at random with the generator it is given, and with nothing else."""
Validate = Callable[[torch.Generator], "Tensor | float"]
"""The loss on held-out data; the noise is the same at every validation."""

CHECKPOINT_SECONDS = 10.0
"""How often the state is kept where there is a folder for it. When it is kept does not change what is learned."""


Decay = Annotated[float, Field(ge=0, lt=1)]


class Training(Settings):
    """How to train: an AdamW optimiser (Loshchilov and Hutter 2019, decoupled weight decay) and what surrounds it."""

    steps: int = Field(default=2000, ge=1, description="updates, at most")
    batch: int = Field(default=256, ge=1, description="windows a batch, for whoever draws batches by this")
    lr: float = Field(default=1e-3, gt=0, description="highest learning rate")
    weight_decay: float = Field(default=0.0, ge=0, description="decoupled weight decay")
    betas: tuple[Decay, Decay] = Field(default=(0.9, 0.999), description="decay of the optimiser's two averages")
    warmup: int = Field(default=0, ge=0, description="steps over which the learning rate rises in a straight line")
    schedule: Literal["constant", "cosine"] = Field(default="constant", description="the learning rate after the warm-up")
    clip: float = Field(default=0.0, ge=0, description="highest norm of the gradient; 0: not clipped")
    ema: float = Field(default=0.0, ge=0, lt=1, description="decay of the weights' moving average; 0: none")
    validate_every: int = Field(default=0, ge=0, description="steps between validations; 0: a twentieth of the steps")
    patience: int = Field(default=0, ge=0, description="validations without a better one before it stops; 0: never stops")
    seed: int = Field(default=0, ge=0, description="of batches and noise")

    def rate(self, step: int) -> float:
        """The learning rate at a step (the first is 0): linear warm-up, then constant or half a cosine to zero."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        if self.schedule == "constant":
            return self.lr
        return self.lr * 0.5 * (1 + math.cos(math.pi * (step - self.warmup) / max(1, self.steps - self.warmup)))


class History(NamedTuple):
    """What came of a training."""

    losses: np.ndarray[Any, Any]
    """The loss of each step's batch, shape (steps done,)."""
    validations: np.ndarray[Any, Any]
    """Step after which it was, and held-out loss, shape (validations, 2)."""
    best: int
    """The number of steps after which the weights that were kept had been reached."""
    stopped: bool
    """Whether patience ended it early."""


@contextmanager
def seeded(seed: int) -> Iterator[torch.Generator]:
    """Torch's own generator with a seed, for as long as the block lasts; afterwards it goes on as if nothing had been."""
    own = torch.default_generator
    before = own.get_state()
    try:
        yield own.manual_seed(seed)
    finally:
        own.set_state(before)


def tensors(batch: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, Tensor]:
    """A batch as tensors: float64 becomes float32, every other type is kept."""
    found = {}
    for name, array in batch.items():
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        found[name] = torch.from_numpy(array if array.flags.writeable else array.copy())
    return found


def train(
    module: nn.Module,
    loss: Loss,
    draw: Draw,
    training: Training | Mapping[str, Any] | None = None,
    *,
    validate: Validate | None = None,
    to: Path | None = None,
    progress: bool | None = None,
) -> History:
    """Minimise a loss over the parameters of a module.

    Args:
        module: what is trained, in place; in training mode while a loss is computed, in evaluation mode afterwards.
        loss: of a batch.
        draw: a batch; must depend on nothing but its generator.
        training: how.
        validate: the held-out loss, of the averaged weights where `training.ema` asks for an average. The weights that had
            the lowest are the ones left in the module.
        to: a folder for `checkpoint.safetensors`. A training that is there is gone on with, or taken where it is complete.
        progress: show progress on the terminal; None: where there is one.

    Returns:
        The losses. The module holds the averaged weights (`ema`), or the last ones, or those best on validation.

    Raises:
        DataError: the loss or the weights are not finite, a validation is not a number, or the checkpoint is broken.
        RunError: the checkpoint is of other settings, another architecture or other data, or of no training at all.
    """
    training = Training.of(training)
    run = _Run(module, training, validate, None if to is None else Path(to) / "checkpoint.safetensors")
    with seeded(training.seed) as noise, _display(training.steps, progress) as advance:
        run.begin(draw)
        kept = time.monotonic()
        while run.step < training.steps and not run.stopped:
            value = run.update(loss, draw, noise)
            if validate is not None and run.due():
                run.validation(noise)
            if run.path is not None and time.monotonic() - kept >= CHECKPOINT_SECONDS:
                run.keep()
                kept = time.monotonic()
            advance(run.step, value)
        if run.path is not None:
            run.keep()
    return run.end()


class _Run:
    """A training under way: everything that a checkpoint has to hold, and the step."""

    def __init__(self, module: nn.Module, training: Training, validate: Validate | None, path: Path | None) -> None:
        self.module, self.training, self.validate, self.path = module, training, validate, path
        self.parameters: list[Tensor] = [p for p in module.parameters() if p.requires_grad]
        if not self.parameters:
            raise ConfigError(f"{type(module).__name__} has no parameters that could be trained")
        self.optimizer = torch.optim.AdamW(
            self.parameters,
            lr=training.lr,
            betas=training.betas,
            weight_decay=training.weight_decay,
            fused=True,
        )
        self.average = [p.detach().clone() for p in self.parameters] if training.ema else None
        self.every = training.validate_every or max(1, training.steps // 20)
        self.step = 0
        self.losses = np.full(training.steps, np.nan)
        self.validations: list[tuple[int, float]] = []
        self.best: list[Tensor] | None = None
        self.best_step = 0
        self.stopped = False
        self.first = ""

    # --- one step ---

    def update(self, loss: Loss, draw: Draw, noise: torch.Generator) -> float:
        """One update of the weights."""
        training, step = self.training, self.step
        batch = tensors(draw(generator(training.seed, "batch", step)))
        noise.manual_seed(derive(training.seed, "noise", step))
        if not self.module.training:
            self.module.train()
        self.optimizer.zero_grad()
        value = loss(batch, noise)
        value.backward()
        number = self.losses[step] = value.item()
        if not math.isfinite(number):
            raise DataError(
                f"the loss of {type(self.module).__name__} is {number} at step {step}: lower the learning rate, clip the "
                "gradient, or look for values in the data that are not finite"
            )
        if training.clip:
            nn.utils.clip_grad_norm_(self.parameters, training.clip)
        self.optimizer.param_groups[0]["lr"] = training.rate(step)
        self.optimizer.step()
        self.step += 1
        if self.average is not None:  # the average is shorter at the beginning, so that it forgets the initial weights
            decay = min(training.ema, self.step / (9 + self.step))
            current = [p.detach() for p in self.parameters]
            torch._foreach_lerp_(self.average, current, 1 - decay)  # pyright: ignore[reportPrivateImportUsage]
        return number

    def due(self) -> bool:
        """Whether a validation is due."""
        return self.step % self.every == 0 or self.step == self.training.steps

    @torch.no_grad()
    def validation(self, noise: torch.Generator) -> None:
        """Validate with the weights that would be left in the module, and keep them where they are the best so far."""
        assert self.validate is not None
        noise.manual_seed(derive(self.training.seed, "validation"))
        self.module.eval()
        current = [p.detach().clone() for p in self.parameters]
        self._put(self.average)
        value = float(self.validate(noise))
        if math.isnan(value):
            raise DataError(
                f"{type(self.module).__name__} is validated to be NaN after {self.step} steps: look at that data"
            )
        if not self.validations or value < min(v for _, v in self.validations):
            self.best, self.best_step = [p.detach().clone() for p in self.parameters], self.step
        self._put(current)
        self.validations.append((self.step, value))
        since = len(self.validations) - 1 - int(np.argmin([v for _, v in self.validations]))
        self.stopped = 0 < self.training.patience <= since

    def end(self) -> History:
        """Leave the weights to keep in the module."""
        with torch.no_grad():
            self._put(self.average if self.best is None else self.best)
        if not all(parameter.isfinite().all() for parameter in self.parameters):  # the last step is not followed by a loss
            raise DataError(f"the weights of {type(self.module).__name__} are not finite: lower the learning rate")
        self.module.eval()
        best = self.step if self.best is None else self.best_step
        validations = np.array(self.validations, dtype=float).reshape(-1, 2)
        return History(self.losses[: self.step].copy(), validations, best, self.stopped)

    def _put(self, values: list[Tensor] | None) -> None:
        for parameter, value in zip(self.parameters, values or (), strict=values is not None):
            parameter.copy_(value)

    # --- checkpoints ---

    def begin(self, draw: Draw) -> None:
        """Go on from the checkpoint, where there is one."""
        if self.path is None:
            return
        self.first = _fingerprint(draw(generator(self.training.seed, "batch", 0)))
        if not self.path.exists():
            return
        facts, arrays = read_checkpoint(self.path)
        for what, now in self._identity().items():
            if facts.get(what) != now:
                raise RunError(
                    f"{self.path} is of a training with other {what}: give it the same, or another folder to start anew"
                )
        self.step, self.best_step, self.stopped = facts["step"], facts["best"], facts["stopped"]
        self.validations = [(int(step), float(value)) for step, value in arrays.pop("validations")]
        self.losses[: self.step] = arrays.pop("losses")
        self._restore(arrays)

    @torch.no_grad()
    def _restore(self, arrays: dict[str, Tensor]) -> None:
        state = self.module.state_dict()
        for name, value in state.items():
            value.copy_(arrays[f"module.{name}"])
        for i, parameter in enumerate(self.parameters):
            if f"optimizer.{i}.step" in arrays:
                self.optimizer.state[parameter] = {key: arrays[f"optimizer.{i}.{key}"].clone() for key in _MOMENTS}
            if self.average is not None:
                self.average[i].copy_(arrays[f"average.{i}"])
        if "best.0" in arrays:
            self.best = [arrays[f"best.{i}"].clone() for i in range(len(self.parameters))]

    def keep(self) -> None:
        """Write the checkpoint in one go."""
        assert self.path is not None
        arrays = {f"module.{name}": value for name, value in self.module.state_dict().items()}
        for i, parameter in enumerate(self.parameters):
            moments = self.optimizer.state.get(parameter, {})  # none of a parameter that no loss has used yet
            arrays |= {f"optimizer.{i}.{key}": value for key, value in moments.items()}
        for kind, values in (("average", self.average), ("best", self.best)):
            arrays |= {f"{kind}.{i}": value for i, value in enumerate(values or ())}
        arrays["losses"] = torch.from_numpy(self.losses[: self.step].copy())
        arrays["validations"] = torch.tensor(self.validations, dtype=torch.float64).reshape(-1, 2)
        facts = {**self._identity(), "step": self.step, "best": self.best_step, "stopped": self.stopped}
        write_checkpoint(self.path, facts, arrays)

    def _identity(self) -> dict[str, Any]:
        """What must be the same for a training to be gone on with."""
        shapes = {name: list(value.shape) for name, value in self.module.state_dict().items()}
        return {"settings": self.training.model_dump(mode="json"), "shapes": shapes, "data": self.first}


_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What AdamW remembers of a parameter."""


def _fingerprint(batch: Mapping[str, np.ndarray[Any, Any]]) -> str:
    """A digest of a batch: other data give another one."""
    import hashlib

    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(batch):
        digest.update(f"{name} {batch[name].dtype} {batch[name].shape}".encode())
        digest.update(np.ascontiguousarray(batch[name]).tobytes())
    return digest.hexdigest()


@contextmanager
def _display(total: int, progress: bool | None) -> Iterator[Callable[[int, float], None]]:
    """A progress bar with the loss, redrawn at most five times a second."""
    shown = sys.stderr.isatty() if progress is None else progress
    if not shown:
        yield lambda step, loss: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("loss {task.fields[loss]:.4g}")
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total, loss=math.nan)
        last = 0.0

        def advance(step: int, loss: float) -> None:
            nonlocal last
            if time.monotonic() - last >= 0.2:
                last = time.monotonic()
                bar.update(task, completed=step, loss=loss)

        yield advance
