"""A dream of images: an autoencoder that sums an image up in a few numbers, and an LSTM that tells how these go on.

Ha & Schmidhuber 2018, "World Models" (arXiv 1809.01999), with the dropout of Wellmer & Kwok 2021, "Dropout's Dream Land"
(ECML-PKDD, section 3): where dropout stays on in a dream, and its masks are drawn once at its beginning, each dream is that
of another world, all of them likely by what was lived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from gymnasium import Space
from gymnasium.spaces import Box, Discrete
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from ethogram.errors import ConfigError
from ethogram.nn.mdn import MDNLSTM, Masks, Memory
from ethogram.nn.networks import ConvEncoder
from ethogram.nn.saving import restore
from ethogram.nn.scaling import Scaler, pixels
from ethogram.nn.training import Training, train
from ethogram.nn.vae import Posterior
from ethogram.records.trajectories import Trajectories
from ethogram.seeds import derive
from ethogram.worlds.learned._base import Dream, LearnedWorld, LearnedWorldConfig, Moment, Sequences

__all__ = ["Awake", "VaeMdn", "VaeMdnConfig"]

ENCODED_AT_ONCE = 256


class VaeMdnConfig(LearnedWorldConfig):
    """Settings of `VaeMdn`."""

    latent: int = Field(default=32, ge=1, description="numbers that an image is summed up in")
    widths: tuple[PositiveInt, ...] = Field(
        default=(16, 32, 64, 128), min_length=1, description="channels of the layers, each halving the image"
    )
    hidden: int = Field(default=128, ge=1, description="units of the LSTM")
    mixtures: int = Field(default=5, ge=1, description="Gaussians for each of the numbers")
    noise: float = Field(default=0.1, gt=0, description="standard deviation of a pixel by the autoencoder, from 0 to 1")
    tolerance: float = Field(default=0.5, ge=0, description="nats of KL for each of the numbers that cost nothing")
    vae_share: float = Field(default=0.5, gt=0, description="updates of the autoencoder, as a share of those of the LSTM")
    vae_batch: int = Field(default=32, ge=1, description="images a batch")
    trained_dropout: float = Field(default=0.0, ge=0, lt=1, description="rate of dropout while it is fitted")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="rate of dropout while it is dreamt")
    masks: Literal["episode", "step"] = Field(default="episode", description="how long a dream's masks are held")
    temperature: float = Field(default=1.0, ge=0, description="of the mixtures while it is dreamt")


class ImageVAE(nn.Module):
    """A variational autoencoder of images (Kingma & Welling 2014) with convolutions.

    Args:
        shape: (H, W, C); the sides must be divisible by 2 ** len(widths).
        latent: numbers that an image is summed up in.
        widths: channels of the layers.
    """

    def __init__(self, shape: Sequence[int], latent: int, widths: Sequence[int]) -> None:
        super().__init__()
        height, width, channels = shape
        shrink = 2 ** len(widths)
        if height % shrink or width % shrink:
            raise ConfigError(
                f"images of {height} x {width} cannot be halved {len(widths)} times; give fewer widths, or images whose "
                f"sides are multiples of {shrink}"
            )
        self.encoder = ConvEncoder(channels, 2 * latent, widths, (height, width), spatial_softmax=False)
        small = (widths[-1], height // shrink, width // shrink)
        layers: list[nn.Module] = [nn.Linear(latent, small[0] * small[1] * small[2]), nn.Unflatten(-1, small)]
        for before, after in zip(widths[::-1], [*widths[-2::-1], channels], strict=True):
            layers += [nn.ReLU(), nn.ConvTranspose2d(before, after, 4, 2, 1)]
        self.decoder = nn.Sequential(*layers, nn.Sigmoid())

    def encode(self, images: Tensor) -> Posterior:
        """Of images (..., C, H, W) from 0 to 1."""
        mean, log_variance = self.encoder(images).chunk(2, -1)
        return Posterior(mean, log_variance.clamp(-10, 10))

    def decode(self, latent: Tensor) -> Tensor:
        """Images (B, C, H, W) from 0 to 1, of latents (B, latent)."""
        return self.decoder(latent)

    def loss(self, images: Tensor, noise: float, tolerance: float, generator: torch.Generator) -> Tensor:
        """Minus the log-likelihood of an image up to a constant, plus its KL where that is above `tolerance`; nats, a mean.

        Args:
            images: shape (B, C, H, W), from 0 to 1.
            noise: standard deviation of a pixel.
            tolerance: nats of KL that cost nothing.
            generator: of the latents.
        """
        posterior = self.encode(images)
        error = ((self.decode(posterior.sample(generator)) - images) / noise).square().flatten(1).sum(-1)
        return (0.5 * error + posterior.kl().clamp(min=tolerance)).mean()


class VaeMdn(LearnedWorld):
    """What is observed of a dream is [z, h], shape (latent + hidden,): the numbers that sum up what is seen, and the LSTM's
    output, which sums up what was. `Awake` gives the same of the world that was lived in.

    An episode ends with the probability that the LSTM tells; its reward is the expected one.
    """

    Config = VaeMdnConfig
    spaces: ClassVar[tuple[Space[Any], Space[Any]]] = (Box(0, 255, (16, 16, 3), np.uint8), Discrete(3))

    def build(self) -> nn.Module:
        """Autoencoder, LSTM, the beginnings of dreams, and the scale of rewards."""
        config = self.config
        if not self.observed.single or not self.observed.images:
            raise ConfigError(f"this world is fitted to images, a Box of bytes (H, W, C), not to {self.lived_space}")
        module = nn.ModuleDict(
            {
                "vae": ImageVAE(self.observed.images["image"], config.latent, config.widths),
                "lstm": MDNLSTM(config.latent, self.acted.size, config.hidden, config.mixtures),
                "reward": Scaler(1),
            }
        )
        module.register_buffer("starts", torch.zeros(2, config.starts, config.latent))  # means and log variances
        return module

    def shown(self) -> Space[Any]:
        """[z, h]."""
        return Box(-np.inf, np.inf, (self.config.latent + self.config.hidden,), np.float32)

    # --- fitting ---

    def fit(
        self,
        data: Trajectories,
        training: Training | Mapping[str, Any] | None = None,
        *,
        to: str | Path | None = None,
        progress: bool | None = None,
        eyes: VaeMdn | None = None,
    ) -> Self:
        """Fit the autoencoder to images, then the LSTM to sequences of what the autoencoder makes of them.

        See `LearnedWorld.fit`. `training` is that of the LSTM; the autoencoder's has `vae_share` of its steps, batches of
        `vae_batch` and the same learning rate. With `eyes`, the autoencoder is taken from that world and only
        the LSTM is fitted.
        """
        self.check(data)
        training = Training.of(training, steps=2000, batch=64, lr=1e-3, clip=1.0)
        folder = None if to is None else Path(to)
        if eyes is None:
            self._fit_vae(data, training, None if folder is None else folder / "vae", progress)
        else:
            restore(self.module.vae, eyes.module.vae.state_dict(), f"the autoencoder of the world {eyes.kind()}")
        sequences = Sequences(data, self.config.sequence, self._encoded, self.acted.vector)
        self.module.reward.load_state_dict(Scaler.fit(sequences.rewards[:, None]).state_dict())
        with torch.no_grad():
            self.module.lstm.tells.bias[-1] = sequences.log_odds  # ends are rare: how rare need not be learnt
        self._keep_beginnings(sequences, training.seed)
        train(
            self.module.lstm,
            self._loss,
            lambda rng: sequences.draw(training.batch, rng),
            training,
            to=None if folder is None else folder / "lstm",
            progress=progress,
        )
        self.module.eval()
        return self

    def _fit_vae(self, data: Trajectories, training: Training, to: Path | None, progress: bool | None) -> None:
        windows, config, vae = data.windows(), self.config, self.module.vae
        changes = {"steps": max(1, round(training.steps * config.vae_share)), "batch": config.vae_batch}

        def draw(rng: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
            return {"images": windows.sample(config.vae_batch, rng)["observations"][:, 0]}

        def loss(batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
            return vae.loss(pixels(batch["images"]), config.noise, config.tolerance * config.latent, noise)

        train(vae, loss, draw, training.model_copy(update=changes), to=to, progress=progress)

    def _encoded(self, images: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
        """Means and log variances of images (N, H, W, C)."""
        with torch.inference_mode():
            parts = [
                self.module.vae.encode(pixels(torch.from_numpy(np.array(part))))
                for part in np.split(images, range(ENCODED_AT_ONCE, len(images), ENCODED_AT_ONCE))
            ]
        return {name: torch.cat([getattr(p, name) for p in parts]).numpy() for name in Posterior._fields}

    def _keep_beginnings(self, sequences: Sequences, seed: int) -> None:
        """Keep some episodes' beginnings, each as often as the others (give or take one)."""
        rng = np.random.default_rng(derive(seed, "beginnings"))
        rows = np.resize(rng.permutation(sequences.beginnings), self.config.starts)
        self.module.starts.copy_(torch.from_numpy(np.stack([sequences.seen[name][rows] for name in Posterior._fields])))

    def _loss(self, batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
        """Negative log-likelihood of each number seen next, squared error of the reward, cross-entropy of the end."""
        latents = Posterior(batch["mean"], batch["log_variance"]).sample(noise)
        masks, rate = None, self.config.trained_dropout
        lstm = self.module.lstm
        if rate:
            uniform = torch.rand((len(latents), lstm.latent + lstm.hidden), generator=noise)
            masks = Masks.of(uniform, lstm.latent, rate)
        told, _ = lstm(latents[:, :-1], batch["actions"], masks=masks)
        surprise = -told.log_likelihood(latents[:, 1:]) / lstm.latent
        reward = self.module.reward(batch["rewards"].unsqueeze(-1)).squeeze(-1)
        error = 0.5 * (told.reward - reward).square()
        over = F.binary_cross_entropy_with_logits(told.ended, batch["ended"], reduction="none")
        return ((surprise + error + over) * batch["mask"]).sum() / batch["mask"].sum()

    # --- dreaming ---

    def begin(self, n: int, rng: np.random.Generator) -> Dream:
        """A beginning that was lived, drawn anew from what the autoencoder made of it; and the masks of dropout."""
        config = self.config
        mean, log_variance = self.module.starts[:, torch.from_numpy(rng.integers(config.starts, size=n))]
        latent = mean + (0.5 * log_variance).exp() * _normal(rng, n, config.latent)
        hidden, cell = self.module.lstm.begin(n)
        dream = {"latent": latent, "hidden": hidden, "cell": cell}
        if config.dropout:
            dream["masks"] = self._masks(n, rng)
        return dream

    def _masks(self, n: int, rng: np.random.Generator) -> Tensor:
        uniform = torch.from_numpy(rng.random((n, self.config.latent + self.config.hidden), dtype=np.float32))
        return torch.cat(Masks.of(uniform, self.config.latent, self.config.dropout), -1)

    def advance(self, dream: Dream, actions: Tensor, rng: np.random.Generator) -> Moment:
        """Read what is seen and done, and draw what is seen next."""
        config, lstm = self.config, self.module.lstm
        n, found, masks = len(actions), dict(dream), None
        if config.dropout:
            if config.masks == "step":
                found["masks"] = self._masks(n, rng)
            masks = Masks(*found["masks"].split([config.latent, config.hidden], -1))
        memory = lstm.step(dream["latent"], actions, Memory(dream["hidden"], dream["cell"]), masks)
        told = lstm.predict(memory.hidden)
        uniform = torch.from_numpy(rng.random((n, config.latent), dtype=np.float32))
        found["latent"] = told.sample(uniform, _normal(rng, n, config.latent), config.temperature)
        found["hidden"], found["cell"] = memory
        rewards = self.module.reward.inverse(told.reward.unsqueeze(-1)).squeeze(-1)
        ended = torch.from_numpy(rng.random(n, dtype=np.float32)) < told.ended.sigmoid()
        return Moment(found, rewards, ended)

    def show(self, dream: Dream) -> np.ndarray[Any, Any]:
        """[z, h], (n, latent + hidden)."""
        return torch.cat([dream["latent"], dream["hidden"]], -1).numpy()

    def picture(self, dream: Dream) -> np.ndarray[Any, Any]:
        """The images that dreams would be seen as, uint8 (n, H, W, C)."""
        with torch.inference_mode():
            images = self.module.vae.decode(dream["latent"])
            return (images.movedim(1, -1) * 255).round().to(torch.uint8).numpy()


class Awake:
    """What a policy that learnt in a dream observes of the world that was dreamt of: [z, h], without dropout.

    Args:
        world: the dream.
    """

    def __init__(self, world: VaeMdn) -> None:
        self.world = world
        self.forget()

    def forget(self) -> None:
        """An episode begins."""
        self.memory: Memory = self.world.module.lstm.begin(1)
        self._latent: Tensor | None = None

    def see(self, image: np.ndarray[Any, Any], action: Any = None) -> np.ndarray[Any, Any]:
        """[z, h], shape (latent + hidden,).

        Args:
            image: what is seen now, uint8 (H, W, C).
            action: what was done before, a member of the action space; None at the beginning of an episode.
        """
        vae, lstm = self.world.module.vae, self.world.module.lstm
        with torch.inference_mode():
            if self._latent is not None:
                done = torch.from_numpy(self.world.acted.vector(np.asarray(action)[None]))
                self.memory = lstm.step(self._latent, done, self.memory)
            latent = self._latent = vae.encode(pixels(torch.from_numpy(image))[None]).mean
            return torch.cat([latent, self.memory.hidden], -1)[0].numpy()


def _normal(rng: np.random.Generator, *shape: int) -> Tensor:
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))
