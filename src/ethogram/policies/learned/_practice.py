"""Learning to ask from play: proximal policy optimisation over games side by side, with the score as the only reward."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from ethogram.guessing.many import Games
from ethogram.guessing.recall import Recall
from ethogram.nn.ppo import advantages, clipped_loss
from ethogram.nn.settings import Settings
from ethogram.nn.training import seeded
from ethogram.seeds import derive, generator

__all__ = ["Practice", "Rollout", "improve", "play", "practise"]


class Practice(Settings):
    """How to learn from play (PPO, Schulman et al. 2017)."""

    rounds: int = Field(default=150, ge=1, description="batches of games")
    games: int = Field(default=128, ge=2, description="games a round")
    lr: float = Field(default=5e-4, gt=0, description="learning rate of Adam")
    clip: float = Field(default=0.2, gt=0, description="of the ratio of probabilities")
    lam: float = Field(default=0.95, ge=0, le=1, description="lambda of the advantages; nothing is discounted")
    epochs: int = Field(default=4, ge=1, description="passes over the turns of a round")
    minibatches: int = Field(default=4, ge=1, description="parts of a round")
    entropy: float = Field(default=0.002, ge=0, description="weight of the policy's entropy")
    value: float = Field(default=0.5, gt=0, description="weight of the value's squared error")
    norm: float = Field(default=0.5, gt=0, description="highest norm of the gradient")
    warmup: int = Field(default=5, ge=0, description="first rounds in which the value alone learns")

    @property
    def updates(self) -> int:
        """Gradient steps in all."""
        return self.rounds * self.epochs * self.minibatches


class Rollout:
    """B games played to their end, T turns at most."""

    def __init__(self, seen: list[Tensor], actions: list[Tensor], rewards: list[Tensor], live: list[Tensor]) -> None:
        self.seen = torch.stack(seen, 1)
        """Features, (B, T, columns)."""
        self.actions = torch.stack(actions, 1)
        """(B, T)."""
        self.rewards = torch.stack(rewards, 1)
        """(B, T)."""
        self.live = torch.stack(live, 1)
        """Whether the game was still on, (B, T)."""


def play(net: nn.Sequential, games: Games, generator: torch.Generator) -> Rollout:
    """Play games to their end, drawing each action from the network's distribution at temperature 1.

    Args:
        net: from features (B, columns) to the logits of all actions and a value, (B, K + 2).
        games: that have just begun.
        generator: of the draws.
    """
    parts: tuple[list[Tensor], ...] = ([], [], [], [])
    while not games.over.all():
        seen, live = torch.from_numpy(games.features()), torch.from_numpy(~games.over)
        with torch.no_grad():
            likely = net(seen)[:, :-1].softmax(-1)
        action = torch.multinomial(likely, 1, generator=generator)[:, 0]
        reward = torch.from_numpy(games.step(action.numpy())).float()
        for part, value in zip(parts, (seen, action, reward, live), strict=True):
            part.append(value)
    return Rollout(*parts)


def improve(
    net: nn.Sequential, optimiser: torch.optim.Optimizer, rollout: Rollout, practice: Practice, only_value: bool = False
) -> None:
    """Learn from one round: clipped policy loss on standardised advantages, squared error of the value, entropy.

    With `only_value` nothing but the last layer's value learns.
    """
    live = rollout.live
    with torch.no_grad():
        found = net(rollout.seen)
        before = _chosen(found[..., :-1].log_softmax(-1), rollout.actions)[live]
        values = found[..., -1] * live
        following = torch.cat([values, torch.zeros(len(values), 1)], 1)
        gained = advantages(rollout.rewards, following, 1.0, practice.lam)
        wanted = (gained + values)[live]
        gained = gained[live]
        gained = (gained - gained.mean()) / (gained.std() + 1e-8)
    seen, actions = rollout.seen[live], rollout.actions[live]
    for _ in range(practice.epochs):
        for rows in torch.randperm(len(seen)).chunk(practice.minibatches):
            found = _through(net, seen[rows], only_value)
            logs = found[:, :-1].log_softmax(-1)
            loss = practice.value * (found[:, -1] - wanted[rows]).square().mean()
            if not only_value:
                loss = loss + clipped_loss(_chosen(logs, actions[rows]) - before[rows], gained[rows], practice.clip)
                loss = loss + practice.entropy * (logs.exp() * logs).sum(-1).mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), practice.norm)
            optimiser.step()


def practise(
    net: nn.Sequential, recall: Recall, things: Sequence[int], noise: float, practice: Practice, seed: int
) -> list[float]:
    """Play and learn, round after round; the mean score of each round.

    Args:
        net: as in `play`; trained in place.
        recall: what the questioner knows.
        things: that are to be guessed, by their number in the base; each game has one drawn at random.
        noise: of the judges.
        practice: how.
        seed: of things, judges and draws.
    """
    optimiser = torch.optim.Adam(net.parameters(), practice.lr)
    scores = []
    net.train()
    for number in range(practice.rounds):
        rng = generator(seed, "practice", number)
        drawn = np.asarray(things)[rng.integers(len(things), size=practice.games)]
        games = Games(recall, drawn, rng.random((practice.games, len(recall.knowledge.properties))), noise)
        with seeded(derive(seed, "practice", number)) as noisy:
            rollout = play(net, games, noisy)
            improve(net, optimiser, rollout, practice, only_value=number < practice.warmup)
        scores.append(float(rollout.rewards.sum(1).mean()))
    net.eval()
    return scores


def _chosen(logs: Tensor, actions: Tensor) -> Tensor:
    return logs.gather(-1, actions.unsqueeze(-1)).squeeze(-1)


def _through(net: nn.Sequential, x: Tensor, frozen: bool) -> Tensor:
    """What the network gives; where `frozen`, all but its last layer stays as it is."""
    *body, head = net
    for layer in body:
        x = layer(x)
    return head(x.detach() if frozen else x)
