from lake import Lake

from ethogram import model, simulate
from ethogram.policies.prompted.prompted import Prompted

if __name__ == "__main__":
    persona = "You have fished this lake all your life, and want your children to fish it too."
    fishers = Prompted(model("smollm2"), persona=persona)
    run = simulate(Lake(fishers=2), fishers, steps=3, seed=1)
    print(run.sql("select step, agent, action, reward from steps where action is not null"))
