"""What the two minds of language models share: how they put a question to the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ethogram.policies.prompted.mind import Moment
from ethogram.policies.prompted.plan import clock_text
from ethogram.policies.prompted.templates import render

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["LanguageMind"]


class LanguageMind:
    """A language model as a mind. It keeps nothing about agents: every question says all that the model may know.

    A question is two messages. The system message is the agent's identity, the same text every time, so that prompt caches
    can keep it; the user message is its situation, what it retrieved, and the question, from a template in `prompts/`.

    Args:
        model: the language model.
        shows: memories and lines of a talk that a prompt shows at most.
        clip: characters of each that it shows at most.
    """

    def __init__(self, model: LanguageModel, *, shows: int, clip: int) -> None:
        self.model = model
        self.shows, self.clip = shows, clip
        self._seed = 0

    def reset(self, seed: int) -> None:
        """Take the seed that draws derive from; those of the model's own derive from the run."""
        self._seed = seed

    def _messages(self, template: str, moment: Moment, values: dict[str, Any]) -> list[dict[str, str]]:
        user = render(template, me=moment, shows=self.shows, clip=self.clip, clock=clock_text, **values)
        return [{"role": "system", "content": self._identity(moment)}, {"role": "user", "content": user}]

    def _identity(self, moment: Moment) -> str:
        return render("system", me=moment)

    @staticmethod
    def _rating(text: str) -> list[dict[str, str]]:
        """The question how important a memory is: it names no agent, so that agents share the answer's cache."""
        return [{"role": "system", "content": render("rater")}, {"role": "user", "content": render("importance", text=text)}]
