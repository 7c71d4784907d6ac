"""Who leaves fish in the lake catches more of them: restraint against greed, on the same lakes."""

from lake import Fish, Lake
from pydantic import BaseModel, ConfigDict, Field

from ethogram import coded
from ethogram.measures import mean, paired_difference
from ethogram.scene import scene
from ethogram.studies import Claim, Findings, Paper, Reported, positive

paper = Paper("The tragedy of the commons", "Hardin", "Science 162, 1968", "https://doi.org/10.1126/science.162.3859.1243")
cell = "coded world, coded policies"


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid")
    fishers: int = Field(5, ge=1, description="how many share the lake")
    seasons: int = Field(100, ge=1, description="steps of a run")
    lakes: int = Field(10, ge=2, description="runs of each arm, with paired random numbers")


presets = {"smoke": Config(lakes=3), "laptop": Config(), "paper": Config(lakes=100)}
arms = {"greed": 0, "restraint": 60}


@scene
def village(fishers: int, reserve: float):
    """Fishers who take three tons each while there is more than `reserve` in the lake, and one below."""
    return Lake(fishers), coded(lambda seen, space: Fish(tons=3 if seen.fish > reserve else 1))


def run(config, lab):
    findings, caught = Findings(), {}
    for arm, reserve in arms.items():
        runs = [
            lab.simulate(f"{arm}-{i}", village(config.fishers, reserve), steps=config.seasons, seed=seed)
            for i, seed in enumerate(lab.seeds(config.lakes))
        ]
        caught[arm] = [run.sql("select sum(reward) from steps").item() for run in runs]
        findings.estimate("caught", mean(caught[arm]), "Fish caught by all", arm=arm, unit="tons")
    gain = paired_difference(caught["restraint"], caught["greed"])
    findings.estimate("gain", gain, "What restraint adds", unit="tons")
    findings.summary = f"Over {config.seasons} seasons restraint added {gain.value:.0f} tons."
    return findings


claims = (
    Claim(
        "restraint-pays",
        "Fishers who hold back while the stock is low catch more in the long run than those who do not.",
        Reported("ruin is the destination toward which all men rush", "page 1244 (from memory, not verified)"),
        lambda findings: positive(findings.get("gain"), "restraint minus greed"),
    ),
)
