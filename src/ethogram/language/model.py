"""`LanguageModel`: a back end with all that a simulation needs around it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ethogram.errors import ConfigError
from ethogram.language.backends import Backend
from ethogram.language.budget import Budget, Prices, prices_of
from ethogram.language.cache import Cache
from ethogram.language.calling import Caller
from ethogram.language.choice import Choice, arrangements, decide
from ethogram.language.reading import read_reply, read_scores
from ethogram.language.request import Message, Messages, Reply, Request, Scores, Space, encode, normalised
from ethogram.seeds import derive
from ethogram.session import Position, Session, current

__all__ = ["LanguageModel", "Probe"]

SCHEMAS = 512
"""How many schemas are kept as JSON text."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a real call of a model showed."""

    name: str
    seconds: float
    """Of one reply, the loading of the model left out."""
    tokens_per_second: float
    """Written by one call alone; 0 where the endpoint does not say how many."""
    score: str
    """How options are scored: `exact`, `top-k` or `sampled`."""


class LanguageModel:
    """A language model. Made by `model(...)`.

    Args:
        backend: what answers.
        cache: a `Cache`, or the path of one; None for no cache.
        budget: what its calls may take; budgets of `spending` blocks around count as well.
        seed: of calls outside a run, which count up from it.
        prices: money per million tokens; default: the user's price file.
        attempts: how often a call is tried where transport fails (an endpoint that only says "busy" does not count).
        repairs: how often a call is asked again after an invalid answer.
        deadline: seconds after which no further attempt is begun.
        backoff: seconds to wait before a second attempt, give or take half; twice as long before each further one, 30 at
            most. Where an endpoint says how long to wait, that counts.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        cache: Cache | str | Path | None = None,
        budget: Budget | None = None,
        seed: int = 0,
        prices: Prices | tuple[float, float] | None = None,
        attempts: int = 8,
        repairs: int = 2,
        deadline: float = 600.0,
        backoff: float = 0.25,
    ) -> None:
        self.name = backend.name
        self.seed = seed
        kept = Cache(cache) if isinstance(cache, str | Path) else cache
        known = Prices(*prices) if isinstance(prices, tuple) else prices or prices_of(backend.name)
        self._caller = Caller(backend, kept, budget, known, attempts, repairs, deadline, backoff)
        self._count = 0
        self._schemas: dict[int, tuple[dict[str, Any], str]] = {}

    @property
    def backend(self) -> Backend:
        """What answers."""
        return self._caller.backend

    @property
    def budget(self) -> Budget | None:
        """What its calls may take; how much of it is spent."""
        return self._caller.budget

    def __repr__(self) -> str:
        return f"LanguageModel({self.name!r})"

    async def generate(
        self,
        messages: Messages,
        *,
        space: Space | None = None,
        max_tokens: int = 256,
        temperature: float = 1.0,
        stop: str | Sequence[str] = (),
        agent: str = "",
        purpose: str = "",
        validate: Callable[[Any], None] | None = None,
    ) -> Reply:
        """A reply to the messages.

        Args:
            messages: one user message as text, or a list of messages with `role` and `content`.
            space: what the reply must be an element of (`Verbs`, `Typed`). Decoding is constrained by its schema where the
                back end can, and `Reply.value` is the element.
            max_tokens: longest reply. One that is cut off is invalid where a space is given.
            temperature: 1 samples the model as it is, 0 takes the likeliest token each time.
            stop: a text, or several, at which the reply ends, and which it does not include.
            agent: who asks; with `purpose`, it places the call in the run.
            purpose: what for, in a word.
            validate: gets the value (the text without a space) and raises ValueError where it is invalid.

        Raises:
            CallFailed: no valid answer was had; the run's record says why.
            BudgetExhausted: a budget does not allow the call, which is not sent.
            ModelError: the model cannot be used at all.
            ConfigError: the messages are malformed, or a number makes no sense.
        """
        session, position = self._place(agent, purpose)
        plain = normalised(messages)
        if max_tokens < 1 or not 0 <= temperature < math.inf:
            raise ConfigError(f"max_tokens={max_tokens}, temperature={temperature}: give 1 or more, and 0 or more")
        schema, schema_json = (None, "") if space is None else self._schema(space)
        request = Request(
            self.name,
            "generate",
            plain,
            encode(plain),
            None,
            schema,
            schema_json,
            max_tokens,
            temperature,
            (stop,) if isinstance(stop, str) else tuple(stop),
            self._seed(session, position) if temperature > 0 else 0,
        )
        outcome = await self._caller.ask(session, position, request, read_reply(space, validate, max_tokens))
        answer = outcome.answer
        # A record does not keep `finish`: derive it in the same way whether the answer is fresh or recorded.
        finish = "length" if answer.tokens_out >= max_tokens else "stop"
        text = answer.text or ""
        return Reply(
            text,
            outcome.value,
            answer.tokens_in,
            answer.tokens_out,
            outcome.seconds,
            outcome.cost,
            outcome.cached,
            finish,
        )

    async def score(self, messages: Messages, options: Sequence[str], *, agent: str = "", purpose: str = "") -> Scores:
        """How likely the model's answer begins with each of the options, as log-likelihoods in nats.

        An option that is the beginning of another is at least as likely. Scores depend on messages and options alone, not on
        where in a run they are asked for.

        Raises:
            ConfigError: there are no options, or two are alike. Else as `generate`.
        """
        session, position = self._place(agent, purpose)
        return await self._score(session, position, normalised(messages), _checked(options))

    async def choose(
        self,
        question: Messages,
        options: Sequence[str],
        *,
        rng: np.random.Generator,
        by: str = "label",
        average: bool = True,
        length: str = "",
        temperature: float = 1.0,
        agent: str = "",
        purpose: str = "",
    ) -> Choice:
        """Choose one of the options as the model would: by its scores, and with the caller's random numbers.

        The options are listed under the question, and what is scored is each option's letter (`by="label"`) or its text
        (`by="text"`). With `average` the list is asked for in all rotations, so that every option stands once at every place
        and under every letter, and an option's scores are averaged: if a score is a preference plus a bias of the place (and
        letter), the mean of each option holds the same total of biases, which cancels.

        Args:
            question: text, or messages, the last one of the user.
            options: at least one, all different; at most 26 by label.
            rng: one uniform number is drawn from it.
            by: `label` or `text`.
            average: over rotations (one call an option), or one call with the order as given.
            length: `sum` or `mean` of log-likelihoods over an option's tokens. Default: `sum` by label, where each has one
                token, and `mean` by text, where a sum would prefer short options.
            temperature: probabilities are softmax(score / temperature); 0 takes the best, the first of equal ones.
            agent: who chooses.
            purpose: what for.

        Raises:
            As `score`.
        """
        plain, checked = normalised(question), _checked(options)
        if not 0 <= temperature < math.inf:
            raise ConfigError(f"temperature={temperature}: give 0 or more")
        asked = arrangements(plain, checked, by, average, length)
        places = [self._place(agent, purpose) for _ in asked]
        scored = [self._score(*place, a.messages, a.answers) for place, a in zip(places, asked, strict=True)]
        results = await asyncio.gather(*scored)
        return decide(checked, asked, results, temperature, rng)

    async def probe(self) -> Probe:
        """Make a real call of each kind, unrecorded, and say how it went.

        Raises:
            ModelError: the model cannot be used.
        """
        messages = normalised("Say hello in one short sentence.")
        request = Request(self.name, "generate", messages, encode(messages), max_tokens=24)
        options = Request(self.name, "score", messages, encode(messages), options=["Hello", "Goodbye"])
        await self._caller.make(request, read_reply(None, None, 24))  # loads the model, opens connections
        spoken = await self._caller.make(request.again(1, []), read_reply(None, None, 24))
        scored = await self._caller.make(options, read_scores(["Hello", "Goodbye"]))
        rate = spoken.answer.tokens_out / max(spoken.seconds, 1e-9)
        return Probe(self.name, spoken.seconds, rate, scored.answer.method)

    async def aclose(self) -> None:
        """Let go of connections and of the cache's file. The model can be used again."""
        await self.backend.aclose()
        if self._caller.cache is not None:
            self._caller.cache.close()

    async def __aenter__(self) -> LanguageModel:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    # One call

    def _place(self, agent: str, purpose: str) -> tuple[Session | None, Position]:
        """Where the call is; taken before anything is awaited, so that it does not depend on timing."""
        session = current()
        if session is not None:
            return session, session.place(agent, purpose)
        self._count += 1
        return None, Position(0, 0, agent, purpose, self._count - 1)

    def _seed(self, session: Session | None, position: Position) -> int:
        seed = self.seed if session is None else session.seed
        return derive(seed, position.episode, position.step, position.agent, position.purpose, position.n) % 2**31

    def _schema(self, space: Space) -> tuple[dict[str, Any], str]:
        """The schema and its JSON, which is kept: a space gives the same dict each time."""
        schema = space.schema()
        kept = self._schemas.get(id(schema))
        if kept is None:
            if len(self._schemas) >= SCHEMAS:
                self._schemas.pop(next(iter(self._schemas)))
            kept = self._schemas[id(schema)] = (schema, encode(schema))
        return kept

    async def _score(
        self, session: Session | None, position: Position, messages: list[Message], options: list[str]
    ) -> Scores:
        request = Request(self.name, "score", messages, encode(messages), options, max_tokens=0, temperature=0.0)
        outcome = await self._caller.ask(session, position, request, read_scores(options))
        answer = outcome.answer
        assert answer.scores is not None and answer.method
        return Scores(
            options, answer.scores, answer.method, answer.tokens or [], outcome.seconds, outcome.cost, outcome.cached
        )


def _checked(options: Sequence[str]) -> list[str]:
    found = [] if isinstance(options, str) else list(options)
    if not found or len(set(found)) < len(found) or not all(isinstance(o, str) and o for o in found):
        raise ConfigError(f"the options are {options!r}: give at least one, all of them different and not empty")
    return found
