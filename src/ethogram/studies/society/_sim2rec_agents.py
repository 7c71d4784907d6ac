"""The recommenders of the study of Sim2Rec: which there are, how they are trained, and as a policy of the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from gymnasium import Space
from torch import Tensor

from ethogram.nn.ppo import PPO, ActorCritic, Batch, PPOSettings, Seen
from ethogram.nn.saving import load, restore, save
from ethogram.nn.scaling import Scaler
from ethogram.nn.sets import SetAutoencoder
from ethogram.nn.training import Training, seeded, train
from ethogram.policy import Policy
from ethogram.seeds import derive
from ethogram.world import Agent
from ethogram.worlds.coded.long_term_satisfaction import COLUMNS, REVEALED, LongTermSatisfaction

__all__ = ["ARMS", "Arm", "Recommender", "Sizes", "fit_groups", "learn", "load_groups", "save_groups"]


class Arm(NamedTuple):
    """A kind of recommender."""

    groups: str = "training"
    """Where it is trained: in the `training` groups, the `test` group, or a `wrong` one."""
    recurrent: bool = False
    """Whether it has the extractor."""
    code: bool = False
    """Whether it is given the code of the group."""
    reveal: bool = False
    """Whether it is shown the users' parameters and satisfaction."""


ARMS = {
    "direct": Arm("test", recurrent=True),
    "wrong-group": Arm("wrong", recurrent=True),
    "universal": Arm(),
    "lstm": Arm(recurrent=True),
    "sim2rec": Arm(recurrent=True, code=True),
    "oracle": Arm(reveal=True),
}


class Sizes(NamedTuple):
    """Sizes of the networks."""

    recurrent: int
    extracted: int
    hidden: tuple[int, ...]
    code: int


# --- the code of a group ---


def fit_groups(groups: Sequence[float], users: int, code: int, hidden: Sequence[int], training: Training) -> SetAutoencoder:
    """The autoencoder of what is seen of the users of a group at first: their signals, drawn from the simulated groups.

    Args:
        groups: `choc` of each; every batch has four sets of each.
        users: in a set.
        code: columns of the code.
        hidden: widths of the networks.
        training: how.
    """
    world = LongTermSatisfaction([choc for choc in groups for _ in range(4)], users)

    def draw(rng: np.random.Generator) -> dict[str, np.ndarray]:
        seen = world.reset(seed=int(rng.integers(2**62)))[0]["recommender"]
        return {"signals": seen[:, :1].reshape(-1, users, 1)}

    scaler = Scaler.fit(np.concatenate([draw(np.random.default_rng(i))["signals"].reshape(-1, 1) for i in range(20)]))
    with seeded(derive(training.seed, "weights")):
        found = SetAutoencoder(1, code, hidden, scaler)
    train(found, lambda batch, noise: -found.elbo(batch["signals"], noise).mean(), draw, training, progress=False)
    return found


def save_groups(found: SetAutoencoder, folder: Path, code: int, hidden: Sequence[int]) -> None:
    """Keep an autoencoder."""
    save(folder, "groups", {"code": code, "hidden": list(hidden)}, found)


def load_groups(folder: Path) -> SetAutoencoder:
    """Read what `save_groups` wrote."""
    spec, tensors = load(folder, "groups")
    found = SetAutoencoder(1, spec["code"], spec["hidden"])
    restore(found, tensors, folder)
    return found


# --- acting ---


class Recommender(Policy):
    """Acts for all the users of the world, from what it has seen of each and from the code of each group.

    Actions are Gaussian around the network's, in [-1, 1] where the world has [0, 1].

    Args:
        net: the actor.
        autoencoder: of the groups; None: no code is given.
        groups: how many there are in the world: the users are in the order of their groups, as many in each.
    """

    def __init__(self, net: ActorCritic, autoencoder: SetAutoencoder | None, groups: int) -> None:
        self.net, self.autoencoder, self.groups = net, autoencoder, groups
        self.reset(0, ())

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Forget."""
        self.state: tuple[Tensor, Tensor] | None = None
        self.previous: Tensor | None = None
        self.context: Tensor | None = None

    @torch.no_grad()
    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """The mean action for each user."""
        (seen,) = observations.values()
        action = self.decide(torch.from_numpy(np.asarray(seen)))
        return dict.fromkeys(observations, shown(action))

    @torch.no_grad()
    def decide(self, seen: Tensor, noise: Tensor | None = None) -> Tensor:
        """Actions (n, 1) for what is seen of the users (n, columns); with noise, standard normal (n, 1), they are drawn."""
        if self.previous is None or self.context is None:
            self.previous, self.context = torch.zeros(len(seen), 1), self.codes(seen)
        features, self.state = self.net.features(Seen(seen[:, None], self.previous[:, None], self.context), self.state)
        action = self.net.policy(features)[:, 0]
        if noise is not None:
            action = action + self.net.log_deviation.exp() * noise
        self.previous = action
        return action

    @torch.no_grad()
    def codes(self, seen: Tensor) -> Tensor:
        """The mean code of each user's group, (n, code); no column without an autoencoder."""
        if self.autoencoder is None:
            return torch.zeros(len(seen), 0)
        sets = seen[:, :1].reshape(self.groups, -1, 1)
        return self.autoencoder.encode(sets).mean.repeat_interleave(sets.shape[1], 0)

    def state_dict(self) -> dict[str, Any]:
        """The extractor's memory, the last actions and the codes."""
        kept = {"previous": self.previous, "context": self.context}
        if self.state is not None:
            kept |= {"hidden": self.state[0], "cell": self.state[1]}
        return {name: None if value is None else value.numpy().copy() for name, value in kept.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put it back."""
        kept = {name: None if value is None else torch.from_numpy(np.array(value)) for name, value in state.items()}
        self.previous, self.context = kept["previous"], kept["context"]
        self.state = (kept["hidden"], kept["cell"]) if "hidden" in kept else None  # pyright: ignore[reportAttributeAccessIssue]


def shown(action: Tensor) -> np.ndarray:
    """Actions (n, 1) of the network as clickbait (n,)."""
    return ((action[:, 0] + 1) / 2).clamp(0, 1).numpy()


# --- learning ---


def learn(
    arm: Arm,
    groups: Sequence[float],
    users: int,
    horizon: int,
    batches: int,
    sizes: Sizes,
    settings: PPOSettings,
    autoencoder: SetAutoencoder | None,
    seed: int,
) -> tuple[ActorCritic, list[float]]:
    """Train a recommender in some groups; also the mean engagement of each batch.

    Args:
        arm: which kind.
        groups: `choc` of each.
        users: in each group; all are drawn anew for every batch.
        horizon: steps of a session.
        batches: sessions of all users, each followed by an update.
        sizes: of the networks.
        settings: of the learner.
        autoencoder: of the groups, for arms that are given codes.
        seed: everything random derives from it.
    """
    world = LongTermSatisfaction(groups, users, horizon, reveal=arm.reveal)
    noise = torch.Generator().manual_seed(derive(seed, "noise"))
    net = _network(arm, world, sizes, seed)
    learner = PPO(net, settings, batches, torch.Generator().manual_seed(derive(seed, "minibatches")))
    policy = Recommender(net, autoencoder if arm.code else None, len(groups))
    curve = []
    for i in range(batches):
        batch = _session(world, policy, noise, derive(seed, "users", i))
        learner.update(batch)
        curve.append(batch.rewards.mean().item())
    return net, curve


def _network(arm: Arm, world: LongTermSatisfaction, sizes: Sizes, seed: int) -> ActorCritic:
    """A new network, which scales observations by what is seen when items are drawn at random."""
    rng = np.random.default_rng(derive(seed, "random items"))
    rows = [world.reset(seed=derive(seed, "scaling"))[0]["recommender"]]
    while world.agents:
        rows.append(world.step({"recommender": rng.random(world.choc.size)})[0]["recommender"])
    with seeded(derive(seed, "weights")):
        return ActorCritic(
            observed=len(COLUMNS) + arm.reveal * len(REVEALED),
            context=sizes.code if arm.code else 0,
            recurrent=sizes.recurrent if arm.recurrent else 0,
            extracted=sizes.extracted,
            hidden=sizes.hidden,
            scaler=Scaler.fit(np.concatenate(rows)),
        )


def _session(world: LongTermSatisfaction, policy: Recommender, noise: torch.Generator, seed: int) -> Batch:
    """One session of all users, with actions drawn from the policy."""
    policy.reset(seed, ())
    n = world.choc.size
    luck = torch.randn(world.horizon, n, 1, generator=noise)
    rows = [torch.from_numpy(world.reset(seed=seed)[0]["recommender"])]
    actions = []
    for t in range(world.horizon):
        actions.append(policy.decide(rows[-1], luck[t]))
        rows.append(torch.from_numpy(world.step({"recommender": shown(actions[-1])})[0]["recommender"]))
    observations, acted = torch.stack(rows, 1), torch.stack(actions, 1)
    assert policy.context is not None
    previous = torch.cat([torch.zeros(n, 1, 1), acted], 1)
    return Batch(Seen(observations, previous, policy.context), acted, observations[:, 1:, 1])
