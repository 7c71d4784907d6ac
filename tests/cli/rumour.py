"""A rumour in a circle: does it reach more people where more is said?

A user's own study, small enough for tests: people in a circle tell their right-hand neighbour what they know.
"""

import gymnasium as gym
import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from ethogram.measures import contacts, curve, density, mean, meetings, paired_difference, reachable
from ethogram.policy import Coded
from ethogram.scene import scene
from ethogram.social import Say, Wait
from ethogram.spaces import Verbs
from ethogram.studies import Claim, Findings, Paper, Reported, not_tested, positive
from ethogram.world import World, intervention

paper = Paper("Rumours Go Round", "Nobody, A. and Others, B.", "made up for tests", "")
cell = "coded world, coded policies"
surrogates = ("coded",)
model = "coded"
NAMES = ("Ana", "Ben", "Cy", "Dee", "Eli", "Fay", "Gus", "Hal", "Ida", "Jo")


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    people: int = Field(5, ge=2, le=10)
    talkative: float = Field(0.5, ge=0, le=1)
    steps: int = Field(20, ge=1)
    seeds: int = Field(5, ge=1)
    processes: int = Field(1, ge=1)


presets = {
    "smoke": Config(steps=6, seeds=2),
    "laptop": Config(),
    "paper": Config(people=10, steps=200, seeds=20),
}


class Circle(World):
    """People in a circle; each hears what the left-hand neighbour says."""

    metadata = {"name": "circle", "render_modes": []}
    state_fields = ("heard",)

    def __init__(self, people: int) -> None:
        self.possible_agents = list(NAMES[:people])
        self.agents = []
        self.action_spaces = {a: Verbs(Say, Wait) for a in self.possible_agents}
        self.observation_spaces = {a: gym.spaces.Discrete(2) for a in self.possible_agents}
        self.heard = {}

    def reset(self, seed=None, options=None):
        super().reset(seed)
        self.heard = {a: int(a == "Ana") for a in self.agents}
        return dict(self.heard), {a: {} for a in self.agents}

    @intervention
    def silence(self, person: str) -> None:
        """The person forgets it all."""
        if person not in self.heard:
            from ethogram.errors import ConfigError

            raise ConfigError(f"there is no {person!r} in the circle")
        self.heard[person] = 0

    def step(self, actions):
        before = dict(self.heard)
        for agent, action in actions.items():
            if isinstance(action, Say) and before[agent] and action.to in before:
                self.heard[action.to] = 1
        zeros = dict.fromkeys(self.agents, 0.0)
        no = dict.fromkeys(self.agents, False)
        return dict(self.heard), zeros, dict(no), dict(no), {a: {} for a in self.agents}


class Talker(Coded):
    """Tells the right-hand neighbour, with some probability."""

    def __init__(self, people: int, talkative: float) -> None:
        self.right = {NAMES[i]: NAMES[(i + 1) % people] for i in range(people)}
        super().__init__(lambda seen, space, rng: None)
        self.talkative = talkative
        self._names = {}

    def act(self, observations, spaces):
        actions = {}
        for agent, seen in observations.items():
            rng = self._rngs.setdefault(agent, np.random.default_rng([self._seed or 0, NAMES.index(agent)]))
            speak = rng.random() < self.talkative
            text = "<b>The bridge is closed</b> & there is {{ cake }}." if seen else "Nothing new."
            actions[agent] = Say(to=self.right[agent], text=text) if speak else Wait()
        return actions

    def ask(self, agent, question):
        return f"I am {agent}. You ask: {question}"


@scene
def circle(people: int, talkative: float, model: str = "coded"):
    if model == "coded":
        return Circle(people), Talker(people, talkative)
    from ethogram.language import model as language_model
    from ethogram.policies.prompted.prompted import Prompted

    return Circle(people), Prompted(language_model(model), persona="You sit in a circle.", memory=0)


def arm(item, lab):
    name, seed, people, talkative, steps = item
    model = lab.model if name == "loud" else "coded"
    run = lab.simulate(f"{name}/{seed}", circle(people, talkative, model), steps=steps, seed=seed)
    return (
        run.steps.filter(pl.col("step") == steps - 1).select(pl.col("observation").cast(pl.Float64).mean()).collect().item()
    )


def run(config, lab):
    findings = Findings()
    seeds = [s % 2**31 for s in lab.seeds(config.seeds)]
    shape = (config.people, config.talkative, config.steps)
    loud = lab.map(arm, [("loud", s, *shape) for s in seeds], config.processes)
    quiet = lab.map(arm, [("quiet", s, config.people, 0.1, config.steps) for s in seeds], config.processes)
    known = Reported("52 %", "section 7.1", 0.52)
    findings.estimate("known", mean(loud), "People who know at the end", arm="loud", unit="%", paper=known)
    findings.estimate("known", mean(quiet), "People who know at the end", arm="quiet", unit="%")
    findings.estimate("effect", paired_difference(loud, quiet), "More who know where more is said")
    from ethogram.records import Run

    said = contacts(Run(lab.dir / "runs" / "loud" / str(seeds[0])).steps)
    findings.estimate("density", density(said, config.people), "Density of the network")
    findings.table("meetings", meetings(said), "Who talked with whom in the first loud run.")
    reach = reachable(said, ["Ana"]).with_columns(pl.col("time").fill_null(0.0))
    findings.figure("spread", spread(curve(reach.select("agent", "time"), config.people)), "How the rumour can have spread.")
    for row in said.head(40).iter_rows(named=True):
        findings.moment(f"step {row['step']}", row["source"], row["text"], "said")
    findings.summary = f"{config.people} people in a circle passed a rumour on for {config.steps} steps."
    findings.note("A made-up study.")
    return findings


def spread(frame):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3))
    axes = figure.add_subplot()
    axes.step(frame["time"], frame["share"], where="post")
    axes.set_xlabel("step")
    axes.set_ylabel("share who can know")
    return figure


claims = (
    Claim(
        "louder-spreads",
        "A rumour reaches more people where more is said.",
        Reported("4 % to 52 %", "section 7.1, table 2", None),
        lambda f: positive(f.get("effect"), "loud minus quiet"),
    ),
    Claim(
        "believed",
        "People believe it.",
        Reported("68 %", "from memory, not verified"),
        lambda f: not_tested("nobody was asked"),
    ),
    Claim("forgotten", "It is forgotten in the end.", None, lambda f: positive(f.get("forgetting"), "forgetting")),
)
