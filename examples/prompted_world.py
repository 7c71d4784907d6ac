from pydantic import BaseModel, Field

from ethogram import Typed, Verbs, coded, model, simulate
from ethogram.world import AsyncWorld


class Scene(BaseModel):
    text: str = Field(max_length=500)


class Try(BaseModel):
    """Try to do something."""

    what: str = Field(max_length=80)


class Tale(AsyncWorld):
    state_fields = ("scene",)

    def __init__(self, narrator, heroes=("Ana", "Ben")):
        self.narrator, self.possible_agents = narrator, list(heroes)
        self.observation_spaces = {hero: Typed(Scene) for hero in heroes}
        self.action_spaces = {hero: Verbs(Try) for hero in heroes}

    def reset(self, seed=None, options=None):
        super().reset(seed)
        self.scene = "Night. A lighthouse on a rock; its lamp is out, and a ship is coming."
        return {hero: Scene(text=self.scene) for hero in self.agents}, {hero: {} for hero in self.agents}

    async def step_async(self, actions):
        tried = " ".join(f"{hero} tries to {action.what}." for hero, action in actions.items())
        prompt = f"{self.scene} {tried} Tell in one sentence what happens."
        told = await self.narrator.generate(prompt, max_tokens=40, temperature=0, agent="narrator", purpose="tell")
        self.scene = told.text[:500]
        seen, no = {hero: Scene(text=self.scene) for hero in self.agents}, dict.fromkeys(self.agents, False)
        return seen, dict.fromkeys(self.agents, 0.0), no, no, {hero: {} for hero in self.agents}


@coded
def bold(seen, space):
    return Try(what="light the lamp" if "lamp" in seen.text else "climb the stairs")


if __name__ == "__main__":
    run = simulate(Tale(model("smollm2")), bold, steps=2, seed=1)
    for scene in run.trajectories()[0].observations:
        print("-", scene.text)
