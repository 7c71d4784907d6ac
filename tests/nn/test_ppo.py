"""PPO: advantages in closed form, the clipped objective by hand, the recurrent policy, and that it learns from context."""

import math

import pytest
import torch

from ethogram.errors import DataError
from ethogram.nn.ppo import PPO, ActorCritic, Batch, PPOSettings, Seen, advantages, clipped_loss, log_density
from ethogram.nn.training import seeded


def test_advantages_in_closed_form() -> None:
    with seeded(0):
        rewards, values = torch.randn(3, 6, dtype=torch.float64), torch.randn(3, 7, dtype=torch.float64)
    gamma, lam = 0.9, 0.7
    found = advantages(rewards, values, gamma, lam)
    for n in range(3):
        for t in range(6):
            errors = [(rewards[n, k] + gamma * values[n, k + 1] - values[n, k]).item() for k in range(t, 6)]
            assert found[n, t].item() == pytest.approx(sum((gamma * lam) ** i * e for i, e in enumerate(errors)))
    returns = torch.stack([sum(gamma**i * rewards[:, t + i] for i in range(6 - t)) for t in range(6)], 1)  # pyright: ignore[reportArgumentType,reportCallIssue]
    following = values[:, 6:] * gamma ** torch.arange(6, 0, -1)
    assert torch.allclose(advantages(rewards, values, gamma, 1.0), returns + following - values[:, :-1])  # Monte Carlo
    steady = torch.full((1, 5), 2.0), torch.full((1, 6), 2.0 / (1 - gamma))
    assert advantages(*steady, gamma, lam).abs().max() < 1e-5  # values that are right leave nothing over


def test_the_clipped_objective_by_hand() -> None:
    ratio = torch.tensor([1.5, 1.5, 0.5, 0.5, 1.1], dtype=torch.float64)
    advantage = torch.tensor([1.0, -1.0, 1.0, -1.0, 2.0], dtype=torch.float64)
    # min(1.5, 1.2), min(-1.5, -1.2), min(0.5, 0.8), min(-0.5, -0.8), 2.2
    wanted = -(1.2 - 1.5 + 0.5 - 0.8 + 2.2) / 5
    assert clipped_loss(ratio.log(), advantage, 0.2).item() == pytest.approx(wanted)
    log_ratio = ratio.log().requires_grad_()
    (gradient,) = torch.autograd.grad(clipped_loss(log_ratio, advantage, 0.2), log_ratio)
    assert [g != 0 for g in gradient.tolist()] == [False, True, True, False, True]  # nothing is gained beyond the clip


def test_the_density_by_hand() -> None:
    found = log_density(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 2.0]]), torch.tensor([0.0, math.log(2)]))
    assert found.item() == pytest.approx(-0.5 - math.log(2) - math.log(2 * math.pi))


def random_seen(n: int, steps: int, columns: int = 3, context: int = 2) -> Seen:
    with seeded(4):
        return Seen(torch.randn(n, steps, columns), torch.randn(n, steps, 1), torch.randn(n, context))


def test_step_by_step_is_as_all_at_once() -> None:
    with seeded(0):
        net = ActorCritic(3, context=2, recurrent=8, extracted=4, hidden=(16,))
    seen = random_seen(5, 7)
    whole, _ = net.features(seen)
    state, parts = None, []
    for t in range(7):
        part, state = net.features(Seen(seen.observations[:, t : t + 1], seen.previous[:, t : t + 1], seen.context), state)
        parts.append(part)
    assert torch.allclose(whole, torch.cat(parts, 1), atol=1e-6)
    later = seen._replace(observations=seen.observations + torch.arange(7).view(1, 7, 1).ge(4))
    changed = (net.features(later)[0] - whole).abs().amax((0, 2))
    assert (changed[:4] == 0).all() and (changed[4:] > 0).all()  # what comes is not known


def test_the_extractor_learns_through_the_losses() -> None:
    with seeded(0):
        net = ActorCritic(3, context=2, recurrent=8, extracted=4, hidden=(16,))
    before = {name: value.clone() for name, value in net.named_parameters()}
    seen = random_seen(8, 11)
    with seeded(2):
        batch = Batch(seen, torch.randn(8, 10, 1), torch.randn(8, 10))
    PPO(net, PPOSettings(minibatches=2), 1, torch.Generator().manual_seed(0)).update(batch)
    assert all(not torch.equal(value, before[name]) for name, value in net.named_parameters())


def test_a_batch_of_one_step_is_enough_and_rewards_without_end_are_refused() -> None:
    with seeded(0):
        net = ActorCritic(3, context=2, hidden=(16,))
    batch = Batch(random_seen(1, 2), torch.zeros(1, 1, 1), torch.ones(1, 1))
    learner = PPO(net, PPOSettings(), 1, torch.Generator().manual_seed(0))
    assert math.isfinite(learner.update(batch))
    assert all(p.isfinite().all() for p in net.parameters())  # of one advantage there is no deviation to divide by
    with pytest.raises(DataError, match="loss of PPO is"):
        learner.update(batch._replace(rewards=torch.full((1, 1), math.inf)))


@pytest.mark.parametrize("recurrent", [0, 8])
def test_it_finds_the_action_that_the_context_or_the_past_asks_for(recurrent: int) -> None:
    """The reward is -(a - w)², with w shown as the context, or to the recurrent policy at the first step alone."""
    with seeded(0):
        net = ActorCritic(1, context=0 if recurrent else 1, recurrent=recurrent, hidden=(32,))
    luck, n, steps = torch.Generator().manual_seed(1), 128, 4
    learner = PPO(net, PPOSettings(lr=1e-2, gamma=0.0, lam=0.0), 60, torch.Generator().manual_seed(2))

    def session(deviation: float) -> Batch:
        wanted = torch.empty(n, 1).uniform_(-1, 1, generator=luck)
        shown = torch.zeros(n, steps + 1, 1)
        if recurrent:
            shown[:, 0] = wanted
        state, previous, actions = None, torch.zeros(n, 1, 1), []
        context = wanted[:, :0] if recurrent else wanted
        with torch.no_grad():
            for t in range(steps):
                found, state = net.features(Seen(shown[:, t : t + 1], previous, context), state)
                previous = net.policy(found) + deviation * torch.randn(n, 1, 1, generator=luck)
                actions.append(previous)
        acted = torch.cat(actions, 1)
        seen = Seen(shown, torch.cat([torch.zeros(n, 1, 1), acted], 1), context)
        return Batch(seen, acted, -(acted - wanted[:, None]).square().squeeze(-1))

    untrained = session(0.0).rewards.mean().item()
    for _ in range(60):
        learner.update(session(net.log_deviation.exp().item()))
    assert untrained < -0.25
    assert session(0.0).rewards[:, 1:].mean().item() > -0.05
