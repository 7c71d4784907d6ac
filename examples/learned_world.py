import numpy as np
from coded_policy import careful
from lake import Lake

from ethogram import Random, simulate


class DreamtLake(Lake):
    def fit(self, trajectories):
        fish = np.array([seen.fish for seen in trajectories[0].observations])
        left = fish[:-1] - np.sum([t.rewards for t in trajectories], axis=0)
        self.growth_ = np.polyfit(left, fish[1:], deg=2)
        return self

    def grow(self, left):
        return float(np.clip(np.polyval(self.growth_, left), 0, 100))


if __name__ == "__main__":
    dream = DreamtLake().fit(simulate(Lake(), Random(), steps=200).trajectories())
    print(simulate(dream, careful, steps=200).sql("select avg(reward) as caught from steps"))
