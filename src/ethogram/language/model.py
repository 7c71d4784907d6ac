"""`LanguageModel`: a back end with all that a simulation needs around it.

A call goes through these, in order; each can answer it.

1. The run's record (`ethogram.session`): a replayed or resumed call is answered from it, without a call.
2. The cache of valid answers, by content.
3. A like call in flight: several calls with the same content are made once.
4. The back end, as often as needed: transport faults are retried with the same request (so what a valid call says does not
   depend on faults), invalid answers with another seed and the error said to the model. Budgets are asked before each.

Only answers that were read without error are cached; a call that fails for good is recorded, and raises `CallFailed`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np

from ethogram.errors import CallFailed, ConfigError
from ethogram.language.backends import Backend, Fault
from ethogram.language.budget import Budget, Prices, in_force, prices_of
from ethogram.language.cache import Cache
from ethogram.language.choice import Choice, arrangements, decide
from ethogram.language.notices import tell
from ethogram.language.reading import Invalid, Read, read_reply, read_scores, second_try
from ethogram.language.request import Answer, Message, Messages, Reply, Request, Scores, Space, encode, normalised
from ethogram.language.results import answer_in, packed, reply_text, unpacked
from ethogram.seeds import derive
from ethogram.session import Call, Position, Session, current

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


@dataclass(slots=True)
class Outcome:
    """A call that was answered."""

    answer: Answer
    value: Any = None
    seconds: float = 0.0
    cost: float | None = 0.0
    cached: bool = False
    faults: list[str] = field(default_factory=list)


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
    ) -> None:
        self.backend = backend
        self.name = backend.name
        self.cache = Cache(cache) if isinstance(cache, str | Path) else cache
        self.budget = budget
        self.seed = seed
        self.prices = Prices(*prices) if isinstance(prices, tuple) else prices or prices_of(self.name)
        self.attempts = attempts
        self.repairs = repairs
        self.deadline = deadline
        self._count = 0
        self._flights: dict[tuple[int, str], asyncio.Future[Answer | Exception | None]] = {}
        self._schemas: dict[int, tuple[dict[str, Any], str]] = {}
        self._density = 1 / 3  # tokens a character of prompt, for estimates; grows to the densest seen
        self._told: WeakSet[Any] = WeakSet()

    def __repr__(self) -> str:
        return f"LanguageModel({self.name!r})"

    async def generate(
        self,
        messages: Messages,
        *,
        space: Space | None = None,
        max_tokens: int = 256,
        temperature: float = 1.0,
        stop: Sequence[str] = (),
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
            stop: texts at which the reply ends, and which it does not include.
            agent: who asks; with `purpose`, it places the call in the run.
            purpose: what for, in a word.
            validate: gets the value (the text without a space) and raises ValueError where it is invalid.

        Raises:
            CallFailed: no valid answer was had; the run's record says why.
            BudgetExhausted: a budget does not allow the call, which is not sent.
            ModelError: the model cannot be used at all.
            ConfigError: the messages are malformed.
        """
        session, position = self._place(agent, purpose)
        plain = normalised(messages)
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
            tuple(stop),
            self._seed(session, position) if temperature > 0 else 0,
        )
        outcome = await self._ask(session, position, request, read_reply(space, validate, max_tokens))
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
        await self._make(request, read_reply(None, None, 24))  # loads the model, opens connections
        spoken = await self._make(request.again(1, []), read_reply(None, None, 24))
        scored = await self._make(options, read_scores(["Hello", "Goodbye"]))
        rate = spoken.answer.tokens_out / max(spoken.seconds, 1e-9)
        return Probe(self.name, spoken.seconds, rate, scored.answer.method)

    async def aclose(self) -> None:
        """Let go of connections and of the cache's file. The model can be used again."""
        await self.backend.aclose()
        if self.cache is not None:
            self.cache.close()

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
        outcome = await self._ask(session, position, request, read_scores(options))
        answer = outcome.answer
        assert answer.scores is not None and answer.method
        return Scores(
            options, answer.scores, answer.method, answer.tokens or [], outcome.seconds, outcome.cost, outcome.cached
        )

    async def _ask(self, session: Session | None, position: Position, request: Request, read: Read) -> Outcome:
        """The answer, from wherever it can be had; recorded."""
        if session is not None:
            call = session.recorded(position, request.key, request.messages)
            if call is not None:
                return _from_record(call, read)
        try:
            outcome = self._from_cache(request, read) or await self._from_flight(session, request, read)
        except CallFailed as error:
            if session is not None:
                session.write(self._call(position, request, None, str(error), error.faults))
            raise
        if session is not None:
            session.write(self._call(position, request, outcome, None, outcome.faults))
        return outcome

    def _call(
        self, position: Position, request: Request, outcome: Outcome | None, error: str | None, faults: list[str]
    ) -> Call:
        call = Call(position, self.name, request.kind, request.key, request.messages, request.options)
        call.error, call.faults = error, faults
        if outcome is not None:
            answer = outcome.answer
            call.reply, call.scores, call.method = reply_text(answer), answer.scores, answer.method
            call.tokens_in, call.tokens_out = answer.tokens_in, answer.tokens_out
            call.seconds, call.cost, call.cached = outcome.seconds, outcome.cost or 0.0, outcome.cached
        return call

    def _from_cache(self, request: Request, read: Read) -> Outcome | None:
        if self.cache is None:
            return None
        text = self.cache.get(f"{self.backend.fingerprint} {request.key}")
        if text is None:
            return None
        try:
            answer = unpacked(text)
            return Outcome(answer, read(answer), cached=True)
        except (ValueError, Invalid):  # written by another version, or no longer valid: make the call
            return None

    async def _from_flight(self, session: Session | None, request: Request, read: Read) -> Outcome:
        """Make the call, or wait for a like one in flight to be answered."""
        loop = asyncio.get_running_loop()
        place = (id(loop), request.key)
        while (flight := self._flights.get(place)) is not None:
            shared = await asyncio.shield(flight)
            if isinstance(shared, Exception):
                raise shared
            if shared is None:  # that call was cancelled
                continue
            try:
                return Outcome(shared, read(shared), cached=True)
            except Invalid:  # by this caller's own validation
                return await self._make(request, read)
        flight = self._flights[place] = loop.create_future()
        shared = None
        try:
            if self.backend.paid:
                self._announce(session, request)
            outcome = await self._make(request, read)
            shared = outcome.answer
            if self.cache is not None:
                self.cache.put(f"{self.backend.fingerprint} {request.key}", packed(outcome.answer))
            return outcome
        except Exception as error:
            shared = error
            raise
        finally:
            del self._flights[place]
            flight.set_result(shared)

    async def _make(self, request: Request, read: Read) -> Outcome:
        """Ask the back end, again where that may help."""
        outcome = Outcome(Answer())
        start = time.perf_counter()
        asked, failed, repaired = request, 0, 0
        while True:
            try:
                outcome.answer = await self._attempt(asked, outcome)
                outcome.value = read(outcome.answer)
                outcome.seconds = time.perf_counter() - start
                return outcome
            except Fault as fault:
                outcome.faults.append(fault.label)
                failed += not fault.busy
                wait = pause(request.seed, len(outcome.faults), fault.after)
                ended = fault.final or failed >= self.attempts
            except Invalid as invalid:
                outcome.faults.append(invalid.label)
                repaired += 1
                wait, ended = 0.0, repaired > self.repairs
                asked = second_try(request, outcome.answer, invalid, repaired)
            if ended or time.perf_counter() - start + wait > self.deadline:
                tries, last = len(outcome.faults), outcome.faults[-1]
                raise CallFailed(f"model {self.name} gave no valid answer in {tries} attempts: {last}", outcome.faults)
            if wait:
                await asyncio.sleep(wait)

    async def _attempt(self, request: Request, outcome: Outcome) -> Answer:
        """One request to the back end, within the budgets; adds what it cost to the outcome."""
        budgets = (self.budget, *in_force()) if self.budget is not None else in_force()
        ask = self.backend.complete if request.kind == "generate" else self.backend.score
        if not budgets:
            answer = await ask(request)
            outcome.cost = _sum(outcome.cost, self._cost(answer.tokens_in, answer.tokens_out))
            return answer
        calls = 0 if outcome.faults else 1
        tokens_in, tokens_out = self._estimate(request)
        held: list[tuple[Any, Any]] = []
        took: tuple[int, float | None] = (0, 0.0)
        try:
            money = self._cost(tokens_in, tokens_out)
            for budget in budgets:
                held.append((budget, budget.reserve(tokens_in + tokens_out, money, calls)))  # noqa: PERF401 (may stop midway)
            answer = await ask(request)
            took = (answer.tokens_in + answer.tokens_out, self._cost(answer.tokens_in, answer.tokens_out))
            outcome.cost = _sum(outcome.cost, took[1])
            length = len(request.messages_json)
            self._density = max(self._density, min(answer.tokens_in / length, 1.0))
            return answer
        finally:
            sent = len(held) == len(budgets)
            for budget, reservation in held:
                budget.settle(reservation, *took, calls if sent else 0)

    def _cost(self, tokens_in: int, tokens_out: int) -> float | None:
        if self.prices is not None:
            return self.prices.of(tokens_in, tokens_out)
        return None if self.backend.paid else 0.0

    def _estimate(self, request: Request) -> tuple[int, int]:
        """Tokens that a request may take at most, in and out."""
        read = len(request.messages_json) + sum(map(len, request.options or ()))
        return int(read * self._density) + 1, max(request.max_tokens, 1)

    def _announce(self, session: Session | None, request: Request) -> None:
        """Before the first paid call of a run, say what it may come to."""
        whose = self if session is None else session
        if whose in self._told:
            return
        self._told.add(whose)
        calls = getattr(session, "expected_calls", None)
        tokens_in, tokens_out = self._estimate(request)
        each = self._cost(tokens_in, tokens_out)
        price = "unknown price" if each is None else f"at most about {each * (calls or 1):.4g} money"
        if calls:
            total = calls * (tokens_in + tokens_out)
            tell(f"{self.name}: about {calls} calls, at most about {total} tokens, {price}")
        else:
            tell(
                f"{self.name}: at most about {tokens_in + tokens_out} tokens a call, {price} a call; number of calls unknown"
            )


def pause(seed: int, attempt: int, after: float | None) -> float:
    """Seconds to wait before another attempt: what the endpoint asks for, or exponential, with jitter."""
    jitter = random.Random(f"{seed} {attempt}").random()
    return after + 0.1 * jitter if after is not None else min(0.25 * 2 ** (attempt - 1), 30.0) * (0.5 + jitter)


def _from_record(call: Call, read: Read) -> Outcome:
    if call.error is not None:
        raise CallFailed(call.error, list(call.faults))
    answer = answer_in(call.reply, call.scores, call.method, call.tokens_in, call.tokens_out)
    try:
        return Outcome(answer, read(answer), cached=True)
    except Invalid as error:
        raise CallFailed(
            f"the recorded answer of model {call.model} is not valid any more: {error}", [error.label]
        ) from error


def _checked(options: Sequence[str]) -> list[str]:
    found = list(options)
    if not found or len(set(found)) < len(found) or not all(isinstance(o, str) and o for o in found):
        raise ConfigError(f"the options are {found!r}: give at least one, all of them different and not empty")
    return found


def _sum(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b
