"""The survey: the questions put up to a moment, how the answers are spread, and what one respondent has said."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, NamedTuple

import numpy as np
from markupsafe import Markup
from nicegui import ui

from ethogram.studio.reading import Record, Row
from ethogram.studio.safety import html
from ethogram.studio.views import View
from ethogram.studio.words import brief

MOST = 500
"""Respondents of a step that are looked at."""
WORDS = 5
"""Answers in words that are shown of a question, the latest first."""


class Reply(NamedTuple):
    """What one respondent made of a question, once."""

    frame: int
    agent: str
    asked: dict[str, Any]
    answer: Any
    """None where it was left."""


class Question(NamedTuple):
    """A question and where it stands."""

    asked: dict[str, Any]
    answers: dict[str, Any]
    """By respondent; None where the question was left."""
    refused: int
    """Answers that were not accepted."""
    now: bool
    """Whether somebody is at it at the moment."""


class Survey(View):
    """A block for each question, in the order in which they came up, with bars of how often each answer was given."""

    title: ClassVar[str] = "Answers"
    rank: ClassVar[int] = 5

    def __init__(self, record: Record, pick: Callable[[str], None]) -> None:
        super().__init__(record, pick)
        self._replies: list[Reply] = []
        self._read = 0

    @classmethod
    def suits(cls, record: Record) -> bool:
        """Of the world it is called after alone."""
        return False

    def build(self) -> None:
        """A line about how far it is, and the questions."""
        self._state = ui.html("")
        self._questions = ui.html("").classes("posts")
        self._take()

    def _take(self) -> None:
        for frame in range(self._read, len(self.record)):
            self._replies += replies(self.record.at(frame, MOST))
        self._read = len(self.record)

    def show(self, frame: int) -> None:
        """The questions so far, in this episode."""
        episode = self.record.place(frame)[0]
        first = self.record.frame_of(episode, 0)
        found = questions((reply for reply in self._replies if first <= reply.frame <= frame), frame)
        given = [answer for question in found for answer in question.answers.values()]
        rest = len(self.record.agents) - MOST
        self._state.content = html(
            "<p>{} answers to {} question{}, {} left.{}</p>",
            f"{sum(answer is not None for answer in given):,}",
            len(found),
            "" if len(found) == 1 else "s",
            f"{sum(answer is None for answer in given):,}",
            f" Of the first {MOST} respondents of {MOST + rest:,}." if rest > 0 else "",
        )
        self._questions.content = Markup().join(_block(question, self.picked) for question in found)

    async def grown(self) -> None:
        """More answers."""
        self._take()


def replies(rows: Iterable[Row]) -> list[Reply]:
    """What was asked and answered in these rows."""
    found = []
    for row in rows:
        if isinstance(row.seen, dict) and isinstance(row.done, dict) and row.seen.get("item"):
            answer = row.done.get("answer") if row.done.get("verb") == row.seen["item"] else None
            found.append(Reply(row.frame, row.agent, row.seen, answer))
    return found


def questions(given: Iterable[Reply], now: int) -> list[Question]:
    """The questions that came up in these replies, in their order; of each respondent's answers to one the last counts."""
    found: dict[str, Question] = {}
    for reply in given:
        name = reply.asked["item"]
        before = found.get(name) or Question(reply.asked, {}, 0, False)
        before.answers[reply.agent] = reply.answer
        found[name] = before._replace(
            refused=before.refused + bool(reply.asked.get("refused")), now=before.now or reply.frame == now
        )
    return list(found.values())


def _block(question: Question, picked: str) -> Markup:
    asked, answers = question.asked, {a: v for a, v in question.answers.items() if v is not None}
    said = html(" · <b>{}</b>: {}", picked, brief(question.answers[picked], 200)) if picked in question.answers else ""
    left, refused = len(question.answers) - len(answers), question.refused
    line = html(
        "<p class=soft>{} answered{}{}{}</p>",
        f"{len(answers):,}",
        f", {left:,} left it" if left else "",
        f", {refused:,} answer{'s' * (refused > 1)} refused" if refused else "",
        said,
    )
    body = _bars(asked, answers) if asked.get("options") else _told(asked, list(answers.values()))
    mark = "positive" if question.now else ""
    return html('<div class="post {}"><p><b>{}</b></p>{}{}</div>', mark, asked.get("text", ""), line, body)


def shares(asked: dict[str, Any], answers: Iterable[Any]) -> list[tuple[str, float, str]]:
    """For each option or point of a scale: the option, its share of 1, and what stands beside its bar."""
    values, options = list(answers), [str(option) for option in asked.get("options", ())]
    n = max(len(values), 1)
    if asked.get("type") == "allocation":
        parts = [[float(v.get(f"option_{k}", 0)) for v in values] for k in range(1, len(options) + 1)]
        means = [float(np.mean(part)) if part else 0.0 for part in parts]
        whole = sum(means) or 1.0
        return [(o, m / whole, f"{m:.3g} on average") for o, m in zip(options, means, strict=True)]
    chosen = [[str(part) for part in (v if isinstance(v, list) else [v])] for v in values]
    if asked.get("type") == "scale":  # a point is shown with its label and answered by its number
        counts = [sum(option.partition(" (")[0] in one for one in chosen) for option in options]
    else:
        counts = [sum(option in one for one in chosen) for option in options]
    return [(o, c / n, f"{c:,}") for o, c in zip(options, counts, strict=True)]


def _bars(asked: dict[str, Any], answers: dict[str, Any]) -> Markup:
    row = (
        '<tr><td class=agent>{}</td><td class=share title="{} %"><span style="width: {}%"></span></td>'
        "<td class=step>{}</td></tr>"
    )
    cells = [
        html(row, option, f"{100 * share:.0f}", f"{100 * share:.1f}", beside)
        for option, share, beside in shares(asked, answers.values())
    ]
    return html("<table class=shares>{}</table>", Markup().join(cells))


def _told(asked: dict[str, Any], values: list[Any]) -> Markup:
    if asked.get("type") == "number" and values:
        numbers = np.array(values, float)
        told = f"median {np.median(numbers):.4g}, mean {numbers.mean():.4g}, from {numbers.min():.4g} to {numbers.max():.4g}"
        return html("<p>{}</p>", told)
    return Markup().join(html("<p>“{}”</p>", brief(value, 300)) for value in values[::-1][:WORDS])
