from coded_policy import careful
from lake import Lake, Shore

from ethogram import Intervention, branch, intervention, replay, simulate
from ethogram.measures import paired_difference
from ethogram.scene import scene


class PollutedLake(Lake):
    @intervention
    def spill(self, share: float):
        """Something gets into the water, and a share of the fish dies."""
        self.fish *= 1 - share

    def observe(self):
        return {agent: Shore(fish=self.fish) for agent in self.agents}


@scene
def village(fishers: int):
    return PollutedLake(fishers), careful


def caught(run):
    return run.sql("select sum(reward) from steps where step >= 50").item()


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        runs = [simulate(village(5), steps=100, seed=seed, to=f"{folder}/{seed}") for seed in range(10)]
        assert replay(runs[0]).exact
        spill = [Intervention(50, "spill", {"share": 0.4})]
        spilled = [branch(run, 50, spill, to=f"{run.path}-spilled") for run in runs]
        print("a spill costs:", paired_difference(map(caught, runs), map(caught, spilled)), "tons")
