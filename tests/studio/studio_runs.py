"""Runs that the tests of the studio look at: a few of each kind, made in a second or two."""

from __future__ import annotations

from pathlib import Path

from ethogram import policies, worlds
from ethogram.language import LanguageModel
from ethogram.language.backends.scripted import Scripted
from ethogram.media import Publish, Repost
from ethogram.policies.prompted.prompted import Chooser
from ethogram.policy import Coded, Policy
from ethogram.records import Run
from ethogram.scene import scene
from ethogram.simulation import simulate
from ethogram.social import Say, Wait
from ethogram.studies.society._town import town
from ethogram.world import World
from ethogram.worlds.coded.town import Town

EVIL = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>"


@scene
def evil() -> tuple[World, Policy]:
    """A town whose people say markup to each other."""
    return Town(start="07:00", end="09:00"), Coded(_evil)


def _evil(view, space):
    return Say(to=view.people[0], text=EVIL) if view.people and view.talking_to in ("", view.people[0]) else Wait()


def posting(view, space):
    """A user of a feed who passes on the first post that it got in every other round, and else writes one."""
    feeling = {"emotion": "intense" if view.round > 5 else "calm", "attitude": view.attitude}
    if view.posts and view.round % 2:
        return Repost(post=view.posts[0].id, **feeling)
    return Publish(text=f"Round {view.round}. {EVIL}", **feeling)


def asked(to: Path) -> Run:
    """A game whose players ask a (scripted) model: its record has calls."""
    model = LanguageModel(
        Scripted(rate=lambda request: [-0.1 * k for k, _ in enumerate(request.options or [])], name="first")
    )
    policy = Chooser(model, persona=f"You are careful. {EVIL}", average=False)
    return simulate(worlds.make("matrix_game"), policy, steps=6, seed=3, to=to, progress=False)


def of(world: str, policy: str, steps: int, **options) -> dict:
    return {"world": worlds.make(world, **options), "policies": policies.make(policy), "steps": steps}


def make(root: Path) -> Path:
    """All runs, in a folder."""
    simulate(town(start="07:00", end="11:00"), seed=1, to=root / "town", progress=False, checkpoint_every=15)
    simulate(evil(), seed=1, to=root / "evil", progress=False)
    asked(root / "games" / "asked")
    for name, given in {
        "auction": of("auction", "bidders.TruthfulBidder", 40),
        "pit": of("double_auction", "traders.Haggler", 40),
        "epidemic": of("epidemic", "random", 40, panel=60),
        "segregation": of("segregation", "random", 20, panel=900),
        "maze": of("maze", "random", 30),
        "point": of("point_mass", "random", 40),
        "feed": {"world": worlds.make("feed", users=40, rounds=12), "policies": Coded(posting)},
        "war": of("war_game", "nations.RandomNation", 8),
        "survey": of("survey", "random", 20, respondents=12),
        "questions": of("question_game", "questioners.Splitter", 20),
    }.items():
        simulate(**given, seed=2, to=root / name, progress=False)
    return root
