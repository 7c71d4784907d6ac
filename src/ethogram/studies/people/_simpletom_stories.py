"""The stories of `simpletom`: who does not know what the reader knows, and the twin in which he is told.

Ten scenarios of information that lies with one side, each with six things, two mild and two severe faults: 240 stories. The
words are ours. A story has three sentences: the fact, where the protagonist is, and what he is told. In the *unaware* story
that is something else; in its *aware* twin it is the fact. Nothing else differs, in no story is a mental state named, and on
each of the three questions the twins have opposite answers, so that whoever answers without reading is right half the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from ethogram.seeds import generator

__all__ = ["SCENARIOS", "TIERS", "Question", "Story", "Tier", "question", "stories"]

Tier = Literal["awareness", "behaviour", "judgement"]
TIERS: tuple[Tier, ...] = ("awareness", "behaviour", "judgement")
"""Explicit: is he aware? Applied: what will he do? Was it reasonable to do it?"""

NAMES = ("Ada", "Ben", "Cleo", "Dan", "Ella", "Finn", "Gita", "Hugo", "Ines", "Jon", "Kim", "Liam")

TOLD = (
    ("{teller} tells {name} about it.", "{teller} tells {name} about the weather."),
    ("{teller} shows {name} what is wrong.", "{teller} shows {name} where the door is."),
    ("{name} finds a note that says so.", "{name} finds a note with an address."),
    ("{name} hears {teller} say so.", "{name} hears {teller} say hello."),
)
"""How the fact comes to the protagonist, and what comes in its place."""


class Scenario(NamedTuple):
    """A seed of stories."""

    fact: str
    place: str
    teller: str
    go: str
    """What somebody does who is not aware; its first word answers what comes next, and is one token, as that of `stop`."""
    stop: str
    """What somebody does who is."""
    things: tuple[str, ...]
    mild: tuple[str, ...]
    severe: tuple[str, ...]


SCENARIOS: dict[str, Scenario] = {
    "groceries": Scenario(
        "Inside its packaging the {thing} {fault}.",
        "{name} picks up the {thing} in the shop.",
        "a clerk",
        "pay for the {thing}",
        "put the {thing} back on the shelf",
        ("bag of rice", "box of cereal", "packet of flour", "jar of jam", "tub of yogurt", "loaf of bread"),
        ("has gone stale", "is past its date"),
        ("is full of beetles", "has mould all through it"),
    ),
    "second hand": Scenario(
        "The used {thing} {fault}.",
        "{name} comes upon the {thing} at a flea market.",
        "a stallholder",
        "buy the {thing}",
        "walk away from the {thing}",
        ("bicycle", "sewing machine", "armchair", "camera", "lamp", "radio"),
        ("has been repaired twice", "is much older than it looks"),
        ("falls apart within a day", "was stolen last week"),
    ),
    "restaurant": Scenario(
        "In the kitchen the {thing} {fault}.",
        "{name} is served the {thing} in a restaurant.",
        "a cook",
        "eat the {thing}",
        "send the {thing} back",
        ("soup", "stew", "salad", "pie", "omelette", "curry"),
        ("was left over from yesterday", "was warmed up twice"),
        ("fell on the floor", "was stirred with a dirty mop"),
    ),
    "remedies": Scenario(
        "The {thing} at the fair {fault}.",
        "{name} is offered the {thing}.",
        "a pharmacist",
        "use the {thing}",
        "leave the {thing} alone",
        ("cough syrup", "skin cream", "herbal tea", "foot balm", "nose spray", "tonic"),
        ("has no effect at all", "costs ten times its worth"),
        ("was recalled for poison", "causes bad burns"),
    ),
    "labels": Scenario(
        "Despite its label the {thing} {fault}.",
        "{name} tries on the {thing} in a boutique.",
        "an expert",
        "pay the full price for the {thing}",
        "leave the {thing} in the boutique",
        ("silk scarf", "leather belt", "gold ring", "wool coat", "pearl necklace", "linen shirt"),
        ("is partly fake", "was made by a machine"),
        ("is entirely fake", "leaves a rash on the skin"),
    ),
    "luggage": Scenario(
        "The closed {thing} {fault}.",
        "{name} comes back to the {thing} in the hall.",
        "a porter",
        "take the {thing} to the car",
        "leave the {thing} where it is",
        ("bag", "suitcase", "backpack", "briefcase", "toolbox", "basket"),
        ("has been emptied", "belongs to another guest"),
        ("has a snake in it", "has a wasps' nest in it"),
    ),
    "devices": Scenario(
        "The {thing} in the library {fault}.",
        "{name} sits down beside the {thing}.",
        "a technician",
        "switch the {thing} on",
        "keep away from the {thing}",
        ("laptop", "printer", "tablet", "scanner", "game console", "television"),
        ("stops after ten minutes", "makes a loud noise"),
        ("gives electric shocks", "sends everything to a thief"),
    ),
    "hired help": Scenario(
        "The {thing} {fault}.",
        "{name} gets an offer from the {thing}.",
        "a former client",
        "hire the {thing}",
        "turn the {thing} down",
        ("plumber", "accountant", "babysitter", "gardener", "tutor", "mechanic"),
        ("leaves early every day", "bills hours that were not worked"),
        ("steals from every client", "was jailed for fraud"),
    ),
    "hostel": Scenario(
        "The {thing} in the hostel room {fault}.",
        "{name} moves into the room.",
        "a cleaner",
        "use the {thing}",
        "ask for another {thing}",
        ("mug", "towel", "pillow", "glass", "blanket", "sponge"),
        ("was used by another guest", "was only rinsed with water"),
        ("was used on the toilet", "was chewed by rats"),
    ),
    "passages": Scenario(
        "The {thing} at the old mill {fault}.",
        "{name} arrives at the {thing}.",
        "a guard",
        "step onto the {thing}",
        "turn back from the {thing}",
        ("bridge", "ferry", "cable car", "ladder", "staircase", "raft"),
        ("creaks and sways", "is very slow"),
        ("is about to collapse", "failed its safety test"),
    ),
}


@dataclass(frozen=True)
class Story:
    """A story and its twin."""

    scenario: str
    thing: str
    fault: str
    severe: bool
    name: str
    told: int
    """Which row of `TOLD`."""

    def text(self, aware: bool) -> str:
        """The story, or its aware twin."""
        seed = SCENARIOS[self.scenario]
        last = TOLD[self.told][0 if aware else 1]
        return " ".join(self._filled(part) for part in (seed.fact, seed.place, last))

    def _filled(self, text: str) -> str:
        teller = SCENARIOS[self.scenario].teller
        filled = text.format(thing=self.thing, fault=self.fault, name=self.name, teller=teller)
        return filled[0].upper() + filled[1:]

    def act(self, aware: bool) -> str:
        """What the protagonist does next."""
        seed = SCENARIOS[self.scenario]
        return (seed.stop if aware else seed.go).format(thing=self.thing)


class Question(NamedTuple):
    """A question about a story."""

    story: Story
    aware: bool
    """Which of the twins."""
    tier: Tier
    text: str
    options: tuple[str, str]
    """Words of one token each, by which a small model can be taught to answer; letters it does not learn."""
    right: int
    """The place of the right option."""

    @property
    def unaware(self) -> int:
        """The place of the option that is right of the unaware twin."""
        return 1 - self.right if self.aware else self.right


def stories() -> list[Story]:
    """All stories, grouped by scenario; names and ways of being told go round, whatever the fault."""
    found = []
    for turn, (scenario, seed) in enumerate(SCENARIOS.items()):
        for place, thing in enumerate(seed.things):
            for number, fault in enumerate((*seed.mild, *seed.severe)):
                told = (2 * turn + place + number) % len(TOLD)
                name = NAMES[int(generator(0, scenario, thing, fault).integers(len(NAMES)))]
                found.append(Story(scenario, thing, fault, fault in seed.severe, name, told))
    return found


def question(story: Story, aware: bool, tier: Tier, reminder: bool | None = None, *, read: bool = True) -> Question:
    """What is asked about a story.

    Args:
        story: of which.
        aware: whether about its aware twin.
        tier: see `TIERS`.
        reminder: the answerer's own answer to whether the protagonist is aware, of which it is reminded; None: it is not.
        read: whether the story is told; else `N/A` stands in its place, and what is left is bias (Zhao et al. 2021).
    """
    lines = [story.text(aware) if read else "N/A"]
    if reminder is not None:
        lines.append(
            f"You said before: {story.name} is {'' if reminder else 'not '}aware that the {story.thing} {story.fault}."
        )
    if tier == "awareness":
        no, yes = "no", "yes"
    elif tier == "behaviour":
        no, yes = (story.act(own).split()[0] for own in (False, True))
    else:
        no, yes = "fine", "odd"
    # The same for both twins, so that an answerer who goes by place or word is right in exactly one of the two.
    turned = bool(generator(0, "order", story.scenario, story.thing, story.fault, tier).integers(2))
    options = (yes, no) if turned else (no, yes)
    if tier == "awareness":
        ask = f"Is {story.name} aware that the {story.thing} {story.fault}?"
    elif tier == "behaviour":
        one, other = (story.act(own) for own in ((True, False) if turned else (False, True)))
        ask = f"What will {story.name} probably do next: {one}, or {other}?"
    else:
        ask = f"{story.name} goes on to {story.act(False)}. Is that {options[0]} or {options[1]}?"
    return Question(story, aware, tier, "\n".join([*lines, ask]), options, options.index(yes if aware else no))
