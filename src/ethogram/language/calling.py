"""One call of a language model: from wherever its answer can be had.

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
import weakref
from dataclasses import dataclass, field
from typing import Any

from ethogram.errors import CallFailed
from ethogram.language.backends import Backend, Fault
from ethogram.language.budget import Budget, Prices, in_force
from ethogram.language.cache import Cache
from ethogram.language.notices import tell
from ethogram.language.reading import Invalid, Read, second_try
from ethogram.language.request import Answer, Request
from ethogram.language.results import answer_in, packed, reply_text, unpacked
from ethogram.session import Call, Position, Session

__all__ = ["Caller", "Outcome"]


@dataclass(slots=True)
class Outcome:
    """A call that was answered."""

    answer: Answer
    value: Any = None
    seconds: float = 0.0
    cost: float | None = 0.0
    cached: bool = False
    faults: list[str] = field(default_factory=list)


class Caller:
    """Gets answers from a back end, a cache, a record or a like call in flight; see `LanguageModel` for the arguments."""

    def __init__(
        self,
        backend: Backend,
        cache: Cache | None,
        budget: Budget | None,
        prices: Prices | None,
        attempts: int,
        repairs: int,
        deadline: float,
        backoff: float,
    ) -> None:
        self.backend = backend
        self.name = backend.name
        self.cache = cache
        self.budget = budget
        self.prices = prices
        self.attempts = attempts
        self.repairs = repairs
        self.deadline = deadline
        self.backoff = backoff
        self._flights: dict[tuple[int, str], asyncio.Future[Answer | Exception | None]] = {}
        self._density = 1 / 3  # tokens a character of prompt, for estimates; grows to the densest seen
        self._told: weakref.ref[Any] | None = None

    async def ask(self, session: Session | None, position: Position, request: Request, read: Read) -> Outcome:
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
        call = Call(position, request.model, request.kind, request.key, request.messages, request.options)
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
                return await self.make(request, read)
        flight = self._flights[place] = loop.create_future()
        shared = None
        try:
            if self.backend.paid or self.prices is not None:
                self._announce(session, request)
            outcome = await self.make(request, read)
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

    async def make(self, request: Request, read: Read) -> Outcome:
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
                wait = pause(request.seed, len(outcome.faults), fault.after, self.backoff)
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
        if self._told is not None and self._told() is whose:
            return
        self._told = weakref.ref(whose)
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


def pause(seed: int, attempt: int, after: float | None, backoff: float) -> float:
    """Seconds to wait before another attempt: what the endpoint asks for, or exponential, with jitter."""
    jitter = random.Random(f"{seed} {attempt}").random()
    return after + 0.1 * jitter if after is not None else min(backoff * 2 ** (attempt - 1), 30.0) * (0.5 + jitter)


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


def _sum(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b
