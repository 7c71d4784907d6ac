"""What an encoder of pictures can be pretrained on, given demonstrations whose task nobody tells."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ethogram.nn.contrastive import info_nce
from ethogram.nn.networks import MLP, ConvEncoder
from ethogram.nn.training import Training, seeded, train
from ethogram.records.trajectories import Trajectories
from ethogram.seeds import derive

FEATURES, HIDDEN = 64, (256,)
TEMPERATURE = 0.1


class Episodes(NamedTuple):
    """Demonstrations as arrays: E episodes of T actions."""

    images: np.ndarray
    """uint8 (E, T + 1, 1, P, P)."""
    actions: np.ndarray
    """float32 (E, T, 2)."""
    goals: np.ndarray
    """Where each was led to, in units of the arena, float32 (E, 2): the context, which only one arm is told."""

    @classmethod
    def of(cls, data: Trajectories) -> Episodes:
        """From trajectories of equal length in `PointMass(pixels=...)`."""
        images = np.stack([np.moveaxis(np.asarray(t.observations), -1, 1) for t in data])
        actions = np.stack([np.asarray(t.actions) for t in data])
        goals = np.stack([[t.outcome["goal_x"], t.outcome["goal_y"]] for t in data]) / 0.3
        return cls(images, actions, goals.astype(np.float32))


class Features(nn.Module):
    """Pictures uint8 (B, 1, P, P) to features (B, 64), normalised to zero mean and unit variance over the columns."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder = ConvEncoder(1, FEATURES, widths)

    def forward(self, images: Tensor) -> Tensor:
        """Features of each picture."""
        return F.layer_norm(self.encoder(images.float() / 255), (FEATURES,))


class Objective(nn.Module):
    """An encoder, and what it is pretrained for.

    Args:
        widths: channels of the encoder's layers.
        pixels: side of a picture.
        reach: steps between the two pictures of a pair.
    """

    def __init__(self, widths: tuple[int, ...], pixels: int, reach: int = 1) -> None:
        super().__init__()
        self.features = Features(widths)
        self.reach = reach
        self.head = self.make_head(pixels)

    def make_head(self, pixels: int) -> nn.Module:
        """What comes after the features, in pretraining only."""
        raise NotImplementedError

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Of `before`, `after` (B, 1, P, P), `actions` (B, 2), `goals` (B, 2), or of shifted pictures `one`, `two`."""
        raise NotImplementedError


class InverseDynamics(Objective):
    """The action from the features before and after: ‖f(φ(o), φ(o')) − a‖²; over several steps, the first action."""

    def make_head(self, pixels: int) -> nn.Module:
        return MLP(2 * FEATURES, 2, HIDDEN)

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        both = torch.cat([self.features(batch["before"]), self.features(batch["after"])], -1)
        return F.mse_loss(self.head(both), batch["actions"])


class Cloning(Objective):
    """The action from the features: ‖π(φ(o)) − a‖²."""

    def make_head(self, pixels: int) -> nn.Module:
        return MLP(FEATURES, 2, HIDDEN)

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        return F.mse_loss(self.head(self.features(batch["before"])), batch["actions"])


class ContextCloning(Objective):
    """The action from the features and the goal that the demonstrator had: ‖π(φ(o), c) − a‖²."""

    def make_head(self, pixels: int) -> nn.Module:
        return MLP(FEATURES + 2, 2, HIDDEN)

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        seen = torch.cat([self.features(batch["before"]), batch["goals"]], -1)
        return F.mse_loss(self.head(seen), batch["actions"])


class ExplicitForward(Objective):
    """The next picture, pixel by pixel, from the features and the action."""

    def make_head(self, pixels: int) -> nn.Module:
        return MLP(FEATURES + 2, pixels * pixels, HIDDEN)

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        found = self.head(torch.cat([self.features(batch["before"]), batch["actions"]], -1))
        return F.mse_loss(found, batch["after"].flatten(1).float() / 255) * 100  # most pixels are empty


class ImplicitForward(Objective):
    """Which next picture of the batch is the own one, from the features and the action: InfoNCE in feature space."""

    def make_head(self, pixels: int) -> nn.Module:
        return MLP(FEATURES + 2, FEATURES, HIDDEN)

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        found = self.head(torch.cat([self.features(batch["before"]), batch["actions"]], -1))
        return info_nce(found, self.features(batch["after"]), TEMPERATURE, symmetric=False)


class Contrastive(Objective):
    """Which of the batch is the same picture, shifted: InfoNCE of two augmentations."""

    def make_head(self, pixels: int) -> nn.Module:
        return nn.Identity()

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        return info_nce(self.features(batch["one"]), self.features(batch["two"]), TEMPERATURE, symmetric=False)


OBJECTIVES: dict[str, type[Objective]] = {
    "inverse dynamics": InverseDynamics,
    "cloning": Cloning,
    "explicit forward": ExplicitForward,
    "implicit forward": ImplicitForward,
    "contrastive": Contrastive,
    "cloning with context": ContextCloning,
}


def shifted(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pictures (B, C, P, P), each cropped at random out of itself with a border of one empty pixel."""
    count, _, side, _ = images.shape
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    down, across = rng.integers(3, size=(2, count))
    rows, columns = down[:, None] + np.arange(side), across[:, None] + np.arange(side)
    cropped = padded[np.arange(count)[:, None, None], :, rows[:, :, None], columns[:, None, :]]
    return np.ascontiguousarray(np.moveaxis(cropped, -1, 1))


def pretrain(
    name: str, episodes: Episodes, widths: tuple[int, ...], steps: int, batch: int, seed: int, reach: int = 1
) -> tuple[Features, float]:
    """Pretrain an encoder on episodes by one of `OBJECTIVES`; the encoder, and the loss at the end."""
    with seeded(derive(seed, "weights")):
        objective = OBJECTIVES[name](widths, episodes.images.shape[-1], reach)
    count, length = episodes.actions.shape[:2]

    def draw(rng: np.random.Generator) -> dict[str, Any]:
        e, t = rng.integers(count, size=batch), rng.integers(length - reach + 1, size=batch)
        before = episodes.images[e, t]
        if name == "contrastive":
            return {"one": shifted(before, rng), "two": shifted(before, rng)}
        found = {"before": before, "actions": episodes.actions[e, t]}
        if name == "cloning with context":
            found["goals"] = episodes.goals[e]
        elif name != "cloning":
            found["after"] = episodes.images[e, t + reach]
        return found

    training = Training(steps=steps, lr=1e-3, seed=seed % 2**31)
    history = train(objective, lambda batch, noise: objective.loss(batch), draw, training, progress=False)
    return objective.features, float(history.losses[-50:].mean())
