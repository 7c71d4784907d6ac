import numpy as np
import torch

from ethogram import Random, Scene, coded
from ethogram.simulation import rollouts
from ethogram.world import GymWorld
from ethogram.worlds.learned import LearnedWorld, Moment, Sequences


class LinearDream(LearnedWorld):
    """What is seen next is linear in what is seen and done, plus noise, within bounds; rewards are so in the squares too."""

    def build(self):
        inputs, size = self.observed.size + self.acted.size, self.observed.size
        module = torch.nn.ModuleDict({"next": torch.nn.Linear(inputs, size), "reward": torch.nn.Linear(2 * inputs, 1)})
        module.register_buffer("noise", torch.ones(size))
        module.register_buffer("starts", torch.zeros(self.config.starts, size))
        return module

    def fit(self, data, training=None, *, to=None, progress=None):
        self.check(data)
        lived = Sequences(data, 1, lambda seen: {"seen": self.observed.vector(seen)}, self.acted.vector)
        batch = lived.draw(10_000, np.random.default_rng(0))
        before, after = batch["seen"][:, 0], batch["seen"][:, 1]
        inputs = np.concatenate([before, batch["actions"][:, 0]], 1)
        self.noise_of(after - self.solve("next", inputs, after))
        self.solve("reward", np.concatenate([inputs, inputs**2], 1), batch["rewards"])
        self.module.starts.copy_(torch.from_numpy(np.resize(lived.seen["seen"][lived.beginnings], self.module.starts.shape)))
        return self

    def solve(self, name, inputs, outputs):
        inputs = np.concatenate([inputs, np.ones((len(inputs), 1))], 1)
        found = np.linalg.lstsq(inputs, outputs, rcond=1e-4)[0]
        with torch.no_grad():
            self.module[name].weight.copy_(torch.from_numpy(found[:-1].T))
            self.module[name].bias.copy_(torch.from_numpy(found[-1]))
        return inputs @ found

    def noise_of(self, errors):
        self.module.noise.copy_(torch.from_numpy(errors.std(0)))

    def begin(self, n, rng):
        return {"seen": self.module.starts[rng.integers(self.config.starts, size=n)]}

    def advance(self, dream, actions, rng):
        inputs = torch.cat([dream["seen"], actions], 1)
        noise = torch.from_numpy(rng.standard_normal(dream["seen"].shape, dtype=np.float32))
        low, high = map(torch.from_numpy, (self.lived_space.low, self.lived_space.high))
        seen = (self.module.next(inputs) + self.module.noise * noise).clamp(low, high)
        rewards = self.module.reward(torch.cat([inputs, inputs**2], 1))[:, 0]
        return Moment({"seen": seen}, rewards, torch.zeros(len(seen), dtype=torch.bool))

    def show(self, dream):
        return dream["seen"].numpy()

    def shown(self):
        return self.lived_space


@coded
def pushed(seen, space):
    return np.array([2.0 * np.sign(seen[2])], np.float32)


if __name__ == "__main__":
    real = GymWorld("Pendulum-v1")
    lived = rollouts(Scene(real, Random()), episodes=20)
    dream = LinearDream(lived.observation_space, lived.action_space, {"steps": 200}).fit(lived)
    for name, world in (("real", real), ("dreamt", dream)):
        played = rollouts(Scene(world, pushed), episodes=5)
        print(name, np.mean([t.rewards.mean() for t in played]))
