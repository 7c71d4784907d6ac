"""Imitation: fit a policy to demonstrations, put it back into the world, and ask how many of their ways it has kept."""

from __future__ import annotations

from ethogram.measures import mode_entropy, proportion
from ethogram.nn.training import Training
from ethogram.policies.coded.avoiding import AvoidingDemonstrator
from ethogram.policies.learned import find, load
from ethogram.scene import scene
from ethogram.simulation import rollouts
from ethogram.worlds.coded.avoiding import Avoiding


@scene
def obstacles(policy=None):
    """Obstacles and a finish, played by a saved policy, or by the scripted demonstrator."""
    return Avoiding(), load(policy) if policy else AvoidingDemonstrator()


if __name__ == "__main__":
    demonstrations = rollouts(obstacles(), episodes=96)
    tried = {"demonstrator": demonstrations}
    for name, config in {
        "bc": {"history": 5, "octaves": 4},
        "ddpm": {"history": 5, "octaves": 4, "horizon": 4, "execute": 4},
    }.items():
        policy = find(name)(demonstrations.observation_space, demonstrations.action_space, config)
        policy.fit(demonstrations, Training(steps=2000, ema=0.99)).save(f"runs/imitation/{name}")
        tried[name] = rollouts(obstacles(f"runs/imitation/{name}"), episodes=100, seed=1, together=100)

    for name, episodes in tried.items():
        success = episodes.outcomes("success")
        ways = episodes.outcomes("mode")[success == 1].astype(int)
        print(f"{name}: success {proportion(int(success.sum()), len(success))}; ways kept {mode_entropy(ways, 24)}")
