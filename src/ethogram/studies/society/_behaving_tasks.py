"""The tasks of the three demonstrations of `survey-agent-behavioral-science`, and the surrogate's laws for them.

The laws say what the machinery should find. `own` is what makes one surrogate differ from another: a standard normal number
drawn from the unit's seed.
"""

from __future__ import annotations

from typing import Any

from ethogram.policy import coded
from ethogram.scene import scene
from ethogram.seeds import generator
from ethogram.studies.society._behaving_minds import CODED, Question, Subject
from ethogram.worlds.coded.commons import Commons
from ethogram.worlds.coded.matrix_game import Choose, MatrixGame, Round

__all__ = ["PERSONAS", "RULES", "WORDINGS", "bandit", "dilemma", "shore"]

WORDINGS = (0, 1, 2)
"""The numbers of the paraphrases of every text below."""

PERSONAS = {
    "selfish": (
        "You care only about your own gain.",
        "What you get yourself is all that matters to you.",
        "You always look after yourself first.",
    ),
    "generous": (
        "You care about others as much as about yourself.",
        "What matters to you is that everybody does well.",
        "You gladly give others a good share.",
    ),
}
RULES = {
    "none": ("", "", ""),
    "placebo": (
        "The village has a rule: boats are painted blue.",
        "By the village's rule everybody paints the boat blue.",
        "It is agreed in the village that boats must be blue.",
    ),
    "quota": (
        "The village has a rule: nobody takes more than 3 fish a day.",
        "By the village's rule everybody takes 3 fish a day at most.",
        "It is agreed in the village that 3 fish a day are enough.",
    ),
}
TASKS = (
    "You choose red or blue, again and again, and are paid each time.",
    "There are two buttons, red and blue. Each press of one pays some points.",
    "Again and again you draw from the red bag or the blue bag and keep the points.",
)
TAKES = (2, 5, 8)
"""How many fish a fisher can set out to take."""


def own(unit: int) -> float:
    """What the surrogate of a unit has of its own."""
    return float(generator(unit, "own").normal())


class _Dilemma:
    """Cooperate or not.

    Law: log-odds = 0.8 own + 0.8 (generous; selfish: -0.8) - 0.12 (temptation - 10) + 0.6 r, where r is 1 after the other
    cooperated, -1 after it did not, and 0 at first.
    """

    def __init__(self, persona: str, wording: int, temptation: float, unit: int) -> None:
        self.who = PERSONAS[persona][wording]
        self.base = 0.8 * own(unit) + (0.8 if persona == "generous" else -0.8) - 0.12 * (temptation - 10)

    def question(self, seen: Round, memory: dict[str, Any]) -> Question:
        told, answer = "", 0.0
        if seen.last:
            mine, other = seen.last[seen.you], seen.last[1 - seen.you]
            told = f"In the last round you chose {mine} and the other chose {other}.\n"
            answer = 1.0 if other == "share" else -1.0
        text = f"You play a game with somebody.\n{seen.rules}\n{told}What do you choose?"
        return Question(self.who, text, ("share", "keep"), (self.base + 0.6 * answer, 0.0))

    def action(self, choice: int, seen: Round) -> Choose:
        return Choose(option=("share", "keep")[choice])


@scene
def dilemma(persona: str, wording: int, temptation: float, mind: str = CODED, unit: int = 0, rounds: int = 6) -> Any:
    """A prisoner's dilemma against somebody who begins with sharing and then does what the subject did."""
    payoffs = [[[8, 8], [0, temptation]], [[temptation, 0], [5, 5]]]
    world = MatrixGame(payoffs, ("share", "keep"), ("subject", "other"), rounds=rounds, tell=False)
    answers = coded(lambda seen, space: Choose(option=seen.last[0] if seen.last else "share"))
    return world, {"subject": Subject(_Dilemma(persona, wording, temptation, unit), mind), "other": answers}


class _Fishing:
    """How many fish to take.

    Law: the value of k fish is (0.35 + 0.15 own) k - 0.3 k s, less 0.5 max(0, k - 3) where the quota is in force; s is 0
    while the sea is over 70 % full, a half down to 40 %, and 1 below.
    """

    def __init__(self, rule: str, wording: int, unit: int) -> None:
        self.rule, self.told, self.own = rule, RULES[rule][wording], own(unit)

    def question(self, seen: Any, memory: dict[str, Any]) -> Question:
        stock = float(seen[0])
        scarce, words = (
            (0.0, "full of fish") if stock > 0.7 else (0.5, "half empty") if stock > 0.4 else (1.0, "nearly empty")
        )
        text = f"You are a fisher in a village. The sea is {words}. {self.told}\nHow many fish do you take today?"
        over = 0.5 if self.rule == "quota" else 0.0
        values = tuple((0.35 + 0.15 * self.own) * k - 0.3 * k * scarce - over * max(0, k - 3) for k in TAKES)
        return Question("", text, tuple(f"{k} fish" for k in TAKES), values)

    def action(self, choice: int, seen: Any) -> int:
        return TAKES[choice]


@scene
def shore(rule: str, neighbours: str, wording: int, mind: str = CODED, unit: int = 0, days: int = 8) -> Any:
    """A commons of four fishers; three neighbours take 2 fish a day (`modest`) or 8 (`greedy`)."""
    world = Commons(4, steps=days)
    take = 2 if neighbours == "modest" else 8
    subject, others = Subject(_Fishing(rule, wording, unit), mind), coded(lambda seen, space: take)
    return world, {a: subject if a == "fisher 1" else others for a in world.possible_agents}


class _Bandit:
    """Which of two buttons to press. Law: a Q learner with rate 0.3, whose q begin at 7: log-odds = 0.5 (q blue - q red) +
    0.2 own; without feedback nothing is learnt.

    A model is told which has paid more on average so far, and whether by much (2 points).
    """

    def __init__(self, feedback: str, wording: int, unit: int) -> None:
        self.told, self.task, self.own = feedback == "told", TASKS[wording], own(unit)

    def question(self, seen: Round, memory: dict[str, Any]) -> Question:
        paid = memory.setdefault("paid", {"red": [], "blue": []})
        q = memory.setdefault("q", {"red": 7.0, "blue": 7.0})
        if seen.last and self.told:
            gained = seen.points[0] - memory["points"]
            paid[seen.last[0]].append(gained)
            q[seen.last[0]] += 0.3 * (gained - q[seen.last[0]])
        memory["points"] = seen.points[0]
        text = f"{self.task}{self._history(paid)}\nWhich do you choose now?"
        return Question("", text, ("red", "blue"), (0.0, 0.5 * (q["blue"] - q["red"]) + 0.2 * self.own))

    def _history(self, paid: dict[str, list[float]]) -> str:
        known = {name: sum(gains) / len(gains) for name, gains in paid.items() if gains}
        if not known:
            return ""
        if len(known) == 1:
            return f" So far you have only tried {next(iter(known))}."
        gap = known["blue"] - known["red"]
        if abs(gap) < 0.5:
            return " So far both have paid the same."
        more, less = ("blue", "red") if gap > 0 else ("red", "blue")
        return f" So far {more} has paid {'much' if abs(gap) > 2 else 'a little'} more than {less}."

    def action(self, choice: int, seen: Round) -> Choose:
        return Choose(option=("red", "blue")[choice])


@scene
def bandit(feedback: str, gap: float, better: str, wording: int, mind: str = CODED, unit: int = 0, rounds: int = 12) -> Any:
    """Two buttons of which one pays `gap` more on average; both vary by 2 points up or down."""
    mean = {"red": 7.0, "blue": 7.0, better: 7.0 + gap}
    payoffs = [[[mean[option] + luck, 0] for luck in (-2, 2)] for option in ("red", "blue")]
    world = MatrixGame(payoffs, [["red", "blue"], ["low", "high"]], ("subject", "luck"), rounds=rounds, tell=False)
    draws = coded(lambda seen, space, rng: Choose(option=("low", "high")[int(rng.integers(2))]))
    return world, {"subject": Subject(_Bandit(feedback, wording, unit), mind), "luck": draws}
