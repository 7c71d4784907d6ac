"""Twenty questions: one knows a thing, the other asks and has to name it (Entity-Deduction Arena, Zhang et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from ethogram.errors import ConfigError, DataError
from ethogram.guessing.knowledge import DEPENDS, Knowledge, things
from ethogram.guessing.vocabulary import (
    ANSWERS,
    MUST_GUESS,
    TURNS,
    Answer,
    Ask,
    AskFreely,
    Exchange,
    Guess,
    Heard,
    Questioning,
    Reply,
    asked,
    bank,
    content,
    names_it,
    score,
)
from ethogram.spaces import Typed, Verbs
from ethogram.world import Agent, Step, World

__all__ = ["QuestionGame"]

QUESTIONER, JUDGE = "questioner", "judge"
OPEN = ("what", "which", "who", "how", "tell")
"""A free question that begins with one of these asks for the solution, and is answered with no."""


class QuestionGame(World):
    """A questioner has `turns` turns to name the thing that the judge has in mind; `score` says what a win is worth.

    Whatever the questioner says wins if it has a name of the thing in it, as whole words. Phrases such as "the thing you are
    thinking of" are taken out before. After the last turn but one the questioner is told to guess, and the last turn is one.

    The coded judge answers the questions of the base's list, and free ones which differ from these in fillers only
    (articles, "is it", "does it"); to a free question that names another thing it says no, to any other maybe. Where it
    depends it says maybe. With `noise` it is wrong about each question with that probability, once and for all: asked again
    it says the same. Its luck is drawn when an episode begins, so that with the same seed all questioners have the same
    judge, and a judge that errs more is wrong about all that one that errs less is wrong about, and about more.

    Args:
        knowledge: what the judge knows: the file of a base, or a base; None: the one that comes with ethogram.
        entities: names of the things that may be drawn; None: all of the base.
        noise: how often the coded judge is wrong.
        turns: of a game.
        judge: `coded`; or `agent`, who answers in turn with the questioner, and is shown the thing.

    The questioner's reward is its score, at the end. The outcome has `success`, `score`, `turns`, `yes` (answers) and
    `entity` (the thing's number in the base).

    Raises:
        ConfigError: an argument is out of its bounds, or an entity is not in the base.
        DataError: the base's file is not one.
    """

    metadata = {"name": "question_game", "render_modes": []}
    time_unit = "turn"
    state_fields = ("entity", "luck", "said", "pending", "bingo")

    def __init__(
        self,
        knowledge: str | Path | Knowledge | None = None,
        entities: Sequence[str] | None = None,
        *,
        noise: float = 0.0,
        turns: int = TURNS,
        judge: Literal["coded", "agent"] = "coded",
    ) -> None:
        if not 0 <= noise <= 1 or turns < 1 or judge not in ("coded", "agent"):
            raise ConfigError(
                f"QuestionGame: noise={noise} is from 0 to 1, turns={turns} at least 1, judge={judge!r} 'coded' or 'agent'"
            )
        self.knowledge = (
            knowledge if isinstance(knowledge, Knowledge) else Knowledge.load(knowledge) if knowledge else things()
        )
        try:
            self.drawn = [self.knowledge.index(name) for name in entities] if entities is not None else []
        except DataError as error:
            raise ConfigError(f"QuestionGame: {error}; its entities must be") from None
        self.drawn = self.drawn or list(range(len(self.knowledge)))
        self.noise, self.turns, self.judged = noise, turns, judge == "agent"
        self.expected_steps = turns * (1 + self.judged)
        self.possible_agents = [QUESTIONER, JUDGE] if self.judged else [QUESTIONER]
        self.agents = []
        verbs = Verbs(Ask, AskFreely, Guess).where(Ask, question=list(self.knowledge.questions))
        self._last = verbs.only(AskFreely, Guess)
        self.action_spaces = {QUESTIONER: verbs}
        self.observation_spaces = {QUESTIONER: Typed(Questioning)}
        if self.judged:
            self.action_spaces[JUDGE], self.observation_spaces[JUDGE] = Verbs(Answer), Typed(Heard)
        self._place = {question: k for k, question in enumerate(self.knowledge.questions)}
        self._bank = bank(self.knowledge.questions)
        self._names = [content(name) for names in self.knowledge.names for name in names.split("|")]
        self.task = (
            "The judge has a thing in mind. Find out what it is with as few questions as you can. Ask only what can be "
            f"answered by yes, no or maybe, and name the thing when you know it. There are {turns} turns; a guess is one."
        )

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """Draw a thing, and what the judge is wrong about."""
        super().reset(seed)
        assert self.rng is not None
        self.entity = self.drawn[int(self.rng.integers(len(self.drawn)))]
        self.luck = self.rng.random(len(self.knowledge.questions))
        self.said: list[list[str]] = []
        self.pending, self.bingo = "", False
        return self._seen(), {agent: {} for agent in self.agents}

    @property
    def acting(self) -> Sequence[Agent]:
        """The questioner; or the judge who has a question to answer."""
        if not self.agents:
            return []
        return [JUDGE] if self.pending else [QUESTIONER]

    @property
    def now(self) -> float:
        """Turns played."""
        return float(len(self.said))

    def available(self, agent: Agent) -> Any:
        """All verbs; in the last turn only free words and a guess."""
        return self._last if agent == QUESTIONER and len(self.said) == self.turns - 1 else self.action_space(agent)

    def idle(self, agent: Agent) -> AskFreely | Answer:
        """Words that say nothing, which cost the turn; maybe."""
        return Answer(answer="maybe") if agent == JUDGE else AskFreely(text="I do not know.")

    @property
    def name(self) -> str:
        """The thing's names."""
        return self.knowledge.names[self.entity]

    def step(self, actions: Mapping[Agent, Any]) -> Step:
        """A turn of the questioner, with its answer; or one half of that, where an agent is the judge."""
        if self.pending:
            self._answered(self.pending, actions[JUDGE].answer)
        else:
            action = actions[QUESTIONER]
            words = asked(action, last=len(self.said) == self.turns - 1)
            if names_it(asked(action), self.name):
                self.bingo = True
                self._answered(words, "bingo")
            elif self.judged:
                self.pending = words
            else:
                self._answered(words, self._reply(action))
        over = self.bingo or len(self.said) == self.turns
        alive, seen = list(self.agents), self._seen()
        rewards = dict.fromkeys(alive, 0.0)
        if over:
            rewards[QUESTIONER] = score(self.bingo, len(self.said))
            self.agents = []
        return seen, rewards, dict.fromkeys(alive, over), dict.fromkeys(alive, False), {agent: {} for agent in alive}

    def outcome(self) -> Mapping[str, float]:
        """Success, score, turns, answers that were yes, and which thing it was."""
        turns = len(self.said)
        return {
            "success": float(self.bingo),
            "score": score(self.bingo, turns),
            "turns": float(turns),
            "yes": float(sum(answer == "yes" for _, answer in self.said)),
            "entity": float(self.entity),
        }

    def _answered(self, words: str, answer: str) -> None:
        self.said.append([words, answer])
        self.pending = ""

    def _reply(self, action: BaseModel) -> Reply:
        """What the coded judge says to words that do not name the thing."""
        if isinstance(action, Ask):
            return self._known(self._place[action.question])
        if isinstance(action, Guess):
            return "no"
        words = asked(action)
        about = content(words)
        if about in self._bank:
            return self._known(self._bank[about])
        solicits = words.lower().startswith(OPEN)
        return "no" if solicits or about in self._names else "maybe"

    def _known(self, k: int) -> Reply:
        """The answer to a question of the list, right or wrong."""
        value = int(self.knowledge.values[self.entity, k])
        if value != DEPENDS and self.luck[k] < self.noise:
            value = 1 - value
        return ANSWERS[value]

    def _seen(self) -> dict[Agent, Questioning | Heard]:
        told = MUST_GUESS if len(self.said) == self.turns - 1 else ""
        said = [Exchange.model_construct(asked=words, answer=answer) for words, answer in self.said]  # pyright: ignore
        seen: dict[Agent, Questioning | Heard] = {
            QUESTIONER: Questioning.model_construct(
                task=self.task, turn=len(self.said) + 1, turns=self.turns, said=said, told=told
            )
        }
        if self.judged:
            seen[JUDGE] = Heard(entity=self.knowledge.called(self.entity), question=self.pending)
        return {agent: seen[agent] for agent in self.agents}
