"""Does a reserve of fish help the village, and more so in a large one? A registered experiment on the lake."""

from restraint import village

from ethogram.experiments import Experiment, Factor, OnScene, difference, interaction


def caught(run):
    return {"tons": run.sql("select sum(reward) as tons from steps").item()}


reserve = difference("reserve", smallest=20)  # effects below 20 tons would not matter
experiment = Experiment(
    "a reserve in the lake",
    OnScene(village, caught, steps=40),
    factors=[Factor("fishers", [3, 6]), Factor("reserve", [0, 60], within=True)],
    analysis=[reserve, interaction("fishers", "reserve")],
    units=8,  # lakes of each size
    outcome="tons",
)

if __name__ == "__main__":
    print(f"power for 20 tons, if lakes vary by 15: {experiment.power(reserve, sd=15):.2f}")
    print(f"lakes of each size that it takes: {experiment.units_for(reserve, sd=15)}")
    print(experiment.conduct(to="reserve", workers=2))
