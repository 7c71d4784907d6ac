"""Critics of life stories: does an answer contradict what was said before?

`StatementCritic` reads statements of facts (age, places, family, work, schooling, politics) out of plain English in the
first person and compares them; what is said in other words, it misses. `PromptedCritic` asks a language model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ethogram.errors import ConfigError
from ethogram.policies.prompted.backstory import Story, trimmed
from ethogram.policies.prompted.templates import Trusted, render
from ethogram.questionnaires.datasets.anes import STATES

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["PromptedCritic", "Statement", "StatementCritic", "clashes", "statements"]


class Statement(NamedTuple):
    """A fact that somebody states."""

    subject: str
    """`age`, `birthplace`, `childhood`, `home`, `area`, `marriage`, `children`, `siblings`, `work`, `college`, `schooling`,
    `race`, `income`, `politics` or `interest`."""
    value: str
    """In lower case; a number where it is one. `some` children are any number but none."""
    words: str
    """As it was said."""


UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
UNITS += " eighteen nineteen"
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
NUMBERS = {word: value for value, word in enumerate(UNITS.split())} | {"no": 0, "a": 1, "an": 1}
NUMBERS |= {word: 10 * value for value, word in enumerate(TENS.split(), 2)}

_N = rf"(?:\d{{1,3}}|(?:{'|'.join(TENS.split())})(?:[- ](?:{'|'.join(UNITS.split()[1:10])}))?|{'|'.join(UNITS.split())})"
_COUNT = rf"(?:{_N}|no|an?)"
_I_AM = r"\bI(?:'m| am)(?: now| still)?"
_WORD = r"(?!I\b)[A-Z][\w'-]*"
_PLACE = rf"(?:the )?({_WORD}(?:,? (?:of )?{_WORD})*)"
_END = r"(?=\s*(?:years\b|[.,;:!?]|and\b|but\b|now\b|$))"

VALUED: tuple[tuple[str, str], ...] = (
    ("age", rf"{_I_AM} ({_N}){_END}"),
    ("age", rf"\bI (?:just |recently )?turned ({_N})(?= this| last| in|[.,])"),
    ("age", rf"\bat my age of ({_N})\b"),
    ("birth year", r"\bborn (?:[\w ,']{0,40}? )?in (1[89]\d\d|20\d\d)\b"),
    ("birthplace", rf"\bI was born(?: and raised)?(?: in \d{{4}})? (?:in|at) {_PLACE}"),
    ("childhood", rf"\bI (?:grew up|was raised|was born and raised) in {_PLACE}"),
    ("home", rf"\bI (?:now |still )?live (?:now )?in {_PLACE}"),
    ("area", r"\bI live in (?:the |an? )(central city|suburb|rural area or small town)\b"),
    ("schooling", r"\b[Mm]y schooling ended with (?:an? )?([a-z ]+?)(?=[.,;])"),
    ("race", rf"{_I_AM} (white|black|Hispanic|Asian|Native American|of another race)\b"),
    ("income", r"\bincome is in the ([a-z]+ [a-z]+)\b"),
    ("interest", r"\bI follow public affairs ([a-z ]+?)(?=[.,;])"),
)
"""Subjects and what finds their values: the first group."""

_PARTY = r"((?:(?:strong|weak|lifelong|proud|loyal) )?(?:Democrat|Republican|Independent)(?: who leans to the \w+)?)\b"
POLITICS = rf"(?:{_I_AM}|\bI (?:consider|call) myself|\bI think of myself as) (?:an? )?{_PARTY}"
JOB = (
    r"\b(?:I work as|[Mm]y job is(?: that of)?|I earn my living as) (?:an? )?([a-z][a-z ]*?)(?= at| in| for| and| on|[.,;])"
)

FIXED: tuple[tuple[str, str, str], ...] = (
    ("marriage", "married", rf"{_I_AM} (?:happily )?married\b|\b[Mm]y (?:wife|husband)\b(?! (?:died|passed|left))"),
    ("marriage", "single", rf"{_I_AM} (?:single|not married|unmarried)\b|\bI(?:'ve| have)? never married\b(?! again)"),
    ("marriage", "divorced", rf"{_I_AM} divorced\b|\b[Mm]y ex-(?:wife|husband)\b"),
    ("marriage", "widowed", rf"{_I_AM} (?:widowed|a widow|a widower)\b|\b[Mm]y late (?:wife|husband)\b"),
    ("children", "0", r"\bI (?:never had|do not have|don't have) (?:any )?(?:children|kids)\b"),
    ("children", "some", r"\b[Mm]y (?:son|daughter|child|children|kids|sons|daughters)\b"),
    ("siblings", "0", rf"{_I_AM} an only child\b|\bI was an only child\b"),
    ("siblings", "some", r"\b[Mm]y (?:older |younger |little |big )?(?:brother|sister|brothers|sisters|siblings)\b"),
    ("work", "unemployed", rf"{_I_AM} (?:unemployed|out of work|looking for work|between jobs)\b"),
    ("work", "retired", rf"{_I_AM} retired\b"),
    ("college", "no", r"\bI (?:never went|did not go|didn't go) to college\b"),
    ("college", "yes", r"\bI (?:went to|graduated from|finished) college\b|\b[Mm]y (?:college|bachelor's) degree\b"),
)
"""Subjects, values, and what says so."""

COUNTED = {"children": "children|kids|child|sons?|daughters?", "siblings": "siblings?|brothers?|sisters?"}

MACHINE = re.compile(r"\b(?:as an AI|language model|AI assistant)\b", re.IGNORECASE)


def statements(text: str, year: int | None = None) -> list[Statement]:
    """The facts stated in a text, in the first person and the present.

    Args:
        text: plain English.
        year: when it was said: with it, a year of birth states an age.
    """
    return list(_statements(text, year))


@lru_cache(maxsize=4096)  # a critic reads what was said before again and again
def _statements(text: str, year: int | None) -> tuple[Statement, ...]:
    text = text.replace("’", "'")
    found: list[Statement] = []
    for subject, pattern in VALUED:
        for match in re.finditer(pattern, text):
            value = match[1].casefold().rstrip(".")
            if subject == "age":
                value = str(_number(value))
            elif subject == "birth year":
                found.append(
                    Statement("age", str(year - int(value)), match[0]) if year else Statement(subject, value, match[0])
                )
                continue
            found.append(Statement(subject, value, match[0]))
    found += [Statement("politics", match[1].casefold(), match[0]) for match in re.finditer(POLITICS, text)]
    found += [Statement("work", match[1].casefold(), match[0]) for match in re.finditer(JOB, text)]
    for subject, value, pattern in FIXED:
        found += [Statement(subject, value, match[0]) for match in re.finditer(pattern, text)]
    return (*found, *_counted(text))


def _counted(text: str) -> list[Statement]:
    """How many children and siblings somebody has: all that one `I have …` lists."""
    found = []
    for subject, words in COUNTED.items():
        one = rf"({_COUNT}) (?:older |younger |little |grown )?(?:{words})\b"
        for match in re.finditer(rf"\bI(?:'ve got|'ve| have got| have)(?: only)? {one}(?:(?:, | and |, and ){one})*", text):
            total = sum(_number(count.casefold()) for count in re.findall(one, match[0]))
            found.append(Statement(subject, str(total), match[0]))
    return found


def _number(text: str) -> int:
    return int(text) if text.isdigit() else sum(NUMBERS[part] for part in re.split(r"[- ]", text))


def clashes(known: Iterable[Statement], new: Sequence[Statement]) -> list[str]:
    """What of the new statements contradicts one made before, or among themselves, a sentence each."""
    before, found = list(known), []
    for statement in new:
        for other in before:
            if other.subject == statement.subject and _differ(statement.subject, other.value, statement.value):
                found.append(f"{statement.subject}: {statement.words!r} after {other.words!r}")
                break
        before.append(statement)
    return found


def _differ(subject: str, a: str, b: str) -> bool:
    """Whether two values cannot both be true."""
    if subject == "age":
        return abs(int(a) - int(b)) > 1  # a birthday may lie between
    if "some" in (a, b):
        return "0" in (a, b)
    if subject in ("birthplace", "childhood", "home"):
        return _apart(a.split(", "), b.split(", "))
    if subject == "politics":  # a party, and how strongly
        return not (a in b or b in a)
    return a != b


def _apart(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether two places cannot be one: other states, or other towns. Which town is in which state is not known."""
    states = {name.casefold() for name in STATES.values()}
    (town, state), (other_town, other_state) = (
        (place[0] if place[0] not in states else "", place[-1] if place[-1] in states else "") for place in (a, b)
    )
    return bool((state and other_state and state != other_state) or (town and other_town and town != other_town))


class StatementCritic:
    """Rejects answers whose statements clash with earlier ones, and those that are none.

    An answer is none where it is empty, says again what was said to an earlier question, or speaks as a machine.

    Args:
        year: of the interview, so that a year of birth can be held against an age.
    """

    def __init__(self, year: int | None = None) -> None:
        self.year = year

    async def faults(self, story: Story, question: str, answer: str) -> list[str]:
        """See `Critic`."""
        if len(answer.split()) < 2:
            return ["it says nothing"]
        if MACHINE.search(answer):
            return ["it speaks as a machine"]
        if any(answer == one.answer for one in story.told):
            return ["it was the answer to an earlier question"]
        known = [statement for one in story.told for statement in statements(one.answer, self.year)]
        return clashes(known, statements(answer, self.year))


def _quotable(text: str) -> Trusted:
    """What somebody said, whole, as it can stand between quotation marks."""
    return Trusted(trimmed(text).replace('"', "'"))


class PromptedCritic:
    """Rejects an answer where a language model says that it contradicts the story: the likelihood of yes, in both orders.

    Args:
        model: the language model.
        threshold: the probability of `yes` from which an answer is rejected.
    """

    def __init__(self, model: LanguageModel, threshold: float = 0.5) -> None:
        if not 0 < threshold < 1:
            raise ConfigError(f"PromptedCritic: threshold={threshold} must lie between 0 and 1")
        self.model, self.threshold = model, threshold

    async def probability(self, story: Story, question: str, answer: str) -> float:
        """How likely the model holds the answer to be contradictory or senseless."""
        told = [_quotable(one.answer) for one in story.told]
        content = render("backstory_critic", told=told, question=Trusted(question), said=_quotable(answer))
        choice = await self.model.choose(
            [{"role": "user", "content": content}],
            ["yes", "no"],
            rng=np.random.default_rng(0),  # only the probabilities are taken
            agent=story.agent,
            purpose="critic",
        )
        return float(choice.probabilities[0])

    async def faults(self, story: Story, question: str, answer: str) -> list[str]:
        """See `Critic`."""
        if not answer.strip():
            return ["it says nothing"]
        p = await self.probability(story, question, answer)
        return [f"the critic says with probability {p:.2f} that it contradicts the story"] if p >= self.threshold else []
