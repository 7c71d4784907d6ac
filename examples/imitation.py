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


SEEN = {"history": 5, "octaves": 4, "hidden": (128, 128)}
HEADS = {
    "one mean": {},
    "a mixture": {"head": "gmm", "components": 8, "sample": True, "deviation": 1.0},
}

if __name__ == "__main__":
    demonstrations = rollouts(obstacles(), episodes=96)
    tried = {"demonstrator": demonstrations}
    for name, head in HEADS.items():
        policy = find("bc")(demonstrations.observation_space, demonstrations.action_space, {**SEEN, **head})
        folder = f"runs/imitation/{name}"
        policy.fit(demonstrations, Training(steps=3000, lr=2e-3, schedule="cosine", ema=0.99)).save(folder)
        tried[name] = rollouts(obstacles(folder), episodes=200, seed=1, together=200)

    # The mean of two ways round a post leads into it; a mixture draws one of them. The study d3il compares more policies.
    for name, episodes in tried.items():
        success = episodes.outcomes("success")
        ways = episodes.outcomes("mode")[success == 1].astype(int)
        kept = mode_entropy(ways, 24) if len(ways) else "none"
        print(f"{name}: success {proportion(int(success.sum()), len(success))}; ways kept {kept}")
