"""What calls share: the cache, like calls in flight, budgets."""

import asyncio
import logging
import multiprocessing
import sqlite3
from pathlib import Path

import pytest
from language_tools import HELLO, VERBS, Run

from ethogram.errors import BudgetExhausted, CallFailed, ConfigError
from ethogram.language import Budget, Cache, Fault, Prices, Request, scripted, spending
from ethogram.language.budget import prices_of
from ethogram.language.calling import pause
from ethogram.session import use


class Count:
    """A respondent that counts its calls."""

    def __init__(self, *replies: str, delay: float = 0.0) -> None:
        self.replies, self.delay, self.calls = replies, delay, 0

    async def __call__(self, r: Request) -> str:
        self.calls += 1
        await asyncio.sleep(self.delay)
        return self.replies[min(self.calls, len(self.replies)) - 1]


# The cache


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_a_valid_answer_is_cached_and_costs_nothing_again(where: str, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.db" if where == "disk" else None)
    count = Count(HELLO)
    run = Run()
    speaker = scripted(count, cache=cache, prices=(1000.0, 1000.0))
    with use(run.session):
        first = asyncio.run(speaker.generate("Do", space=VERBS, temperature=0, agent="ann"))
        again = asyncio.run(speaker.generate("Do", space=VERBS, temperature=0, agent="bob"))
        other = asyncio.run(speaker.generate("Do!", space=VERBS, temperature=0))
    assert count.calls == 2
    assert (first.value, first.cached, first.cost) == (again.value, False, (1 + 6) * 1000 / 1e6)
    assert (again.cached, again.cost, other.cached) == (True, 0.0, False)
    assert [(c.cached, c.cost > 0) for c in run.calls] == [(False, True), (True, False), (False, True)]
    assert again.value is not first.value  # nobody can change another's answer


def test_samples_of_different_places_are_not_shared() -> None:
    count = Count("x")
    speaker = scripted(count, cache=Cache())
    with use(Run().session):
        asyncio.run(speaker.generate("Do", agent="ann"))
        asyncio.run(speaker.generate("Do", agent="ann"))
        asyncio.run(speaker.generate("Do", agent="bob"))
    assert count.calls == 3


def test_an_invalid_answer_is_never_cached(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.db")
    speaker = scripted(Count("nonsense"), cache=cache)
    for _ in range(2):
        with pytest.raises(CallFailed):
            asyncio.run(speaker.generate("Do", space=VERBS, temperature=0))
    assert len(cache) == 0
    healed = scripted(Count("nonsense", HELLO), cache=cache)
    asyncio.run(healed.generate("Do", space=VERBS, temperature=0))
    assert len(cache) == 1


def test_a_cached_answer_that_is_not_valid_any_more_is_asked_anew() -> None:
    cache, count = Cache(), Count("short", "a longer one")
    asyncio.run(scripted(count, cache=cache).generate("Do", temperature=0))

    def long(text: str) -> None:
        if len(text) < 10:
            raise ValueError("too short")

    assert asyncio.run(scripted(count, cache=cache).generate("Do", temperature=0, validate=long)).text == "a longer one"


def fill(path: Path, start: int) -> None:
    cache = Cache(path)
    for i in range(start, start + 300):
        cache.put(str(i), f"value {i}")
        cache.put("shared", "the same")
    cache.close()


def test_two_processes_can_write_one_cache(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=fill, args=(path, start)) for start in (0, 150)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    cache = Cache(path)
    assert len(cache) == 451
    assert all(cache.get(str(i)) == f"value {i}" for i in range(450))


@pytest.mark.parametrize("damage", ["not a database", "pages"])
def test_a_damaged_cache_is_set_aside_and_reported(damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "cache.db"
    if damage == "not a database":
        path.write_bytes(b"hello" * 1000)
    else:
        cache = Cache(path)
        for i in range(2000):
            cache.put(f"{i:05}", "x" * 200)
        cache.close()
        content = bytearray(path.read_bytes())
        content[4096:-4096] = b"\xff" * (len(content) - 8192)
        path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        cache = Cache(path)
        assert cache.get("00700") is None
        cache.put("k", "v")
    assert cache.get("k") == "v"
    assert (tmp_path / "cache.db.damaged-1").exists()
    assert "is damaged" in caplog.text


def test_a_row_that_was_altered_is_not_believed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "cache.db"
    Cache(path).put("k", "the answer")
    with sqlite3.connect(path) as db:
        db.execute("update answers set value = 'another answer'")
    db.close()
    assert Cache(path).get("k") is None


def test_a_cache_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be used"):
        Cache(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be used"):
        Cache(tmp_path / "file" / "cache.db")


# Like calls in flight


def test_like_calls_in_flight_are_made_once() -> None:
    count, run = Count(HELLO, delay=0.02), Run()
    speaker = scripted(count)

    async def crowd() -> list:
        asked = [speaker.generate("Do", space=VERBS, temperature=0, agent=f"a{i}") for i in range(20)]
        return [reply.value for reply in await asyncio.gather(*asked)]

    with use(run.session):
        values = asyncio.run(crowd())
    assert count.calls == 1
    assert all(v == values[0] for v in values) and len({id(v) for v in values}) == 20
    assert len(run.calls) == 20 and sum(c.cached for c in run.calls) == 19


def test_a_cancelled_call_does_not_take_the_like_ones_with_it() -> None:
    count = Count("ok", delay=0.05)
    speaker = scripted(count)

    async def crowd() -> list[str]:
        tasks = [asyncio.create_task(speaker.generate("Do", temperature=0)) for _ in range(3)]
        await asyncio.sleep(0.01)
        tasks[0].cancel()
        return [(await t).text for t in tasks[1:]]

    assert asyncio.run(crowd()) == ["ok", "ok"]
    assert count.calls == 2


def test_a_failure_is_shared_and_recorded_for_each() -> None:
    count, run = Count("nonsense", delay=0.01), Run()
    speaker = scripted(count)

    async def crowd() -> list:
        asked = [speaker.generate("Do", space=VERBS, temperature=0, agent=f"a{i}") for i in range(4)]
        return await asyncio.gather(*asked, return_exceptions=True)

    with use(run.session):
        results = asyncio.run(crowd())
    assert all(isinstance(r, CallFailed) for r in results)
    assert count.calls == 3  # one call with its repairs
    assert [c.error is not None for c in run.calls] == [True] * 4


# Retries


def test_transport_faults_are_retried_with_the_same_request(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Request] = []

    def respond(r: Request) -> str:
        asked.append(r)
        if len(asked) < 4:
            raise Fault(["timeout", "http 500", "reset"][len(asked) - 1], after=0.0)
        return "ok"

    run = Run()
    with use(run.session):
        reply = asyncio.run(scripted(respond).generate("Do"))
    assert reply.text == "ok"
    assert run.calls[0].faults == ["timeout", "http 500", "reset"]
    assert all(r == asked[0] for r in asked)


def test_retries_end_by_number_or_time_and_a_final_fault_at_once() -> None:
    def always(**kind):
        def respond(r: Request) -> str:
            raise Fault("broken", **kind)

        return respond

    def tries(respond, **options) -> int:
        with pytest.raises(CallFailed, match="broken") as failure:
            asyncio.run(scripted(respond, **options).generate("Do"))
        return len(failure.value.faults)

    assert tries(always(after=0.0), attempts=3) == 3
    assert tries(always(final=True)) == 1
    assert tries(always(after=5.0), deadline=1.0) == 1  # waiting would take longer than is left
    assert tries(always(busy=True, after=0.0), attempts=2, deadline=0.5) > 2


def test_pauses_double_with_seeded_jitter_unless_the_endpoint_says_how_long() -> None:
    waits = [pause(7, attempt, None, 0.25) for attempt in range(1, 12)]
    assert waits == [pause(7, attempt, None, 0.25) for attempt in range(1, 12)]
    for attempt, wait in enumerate(waits, start=1):
        middle = min(0.25 * 2 ** (attempt - 1), 30)
        assert 0.5 * middle <= wait <= 1.5 * middle
    assert len({round(pause(seed, 1, None, 0.25), 6) for seed in range(50)}) == 50
    assert 2.0 <= pause(7, 1, 2.0, 0.25) <= 2.1


# Budgets


def test_a_budget_of_calls_stops_before_the_call_that_would_exceed_it() -> None:
    count = Count("ok", delay=0.01)
    budget = Budget(calls=5)
    speakers = [scripted(count, budget=budget, name=n) for n in "xy"]  # shared

    async def crowd() -> list:
        return await asyncio.gather(*[speakers[i % 2].generate(f"Do {i}") for i in range(12)], return_exceptions=True)

    results = asyncio.run(crowd())
    assert count.calls == 5
    assert sum(isinstance(r, BudgetExhausted) for r in results) == 7
    assert (budget.spent.calls, budget.reserved.calls) == (5, 0)
    assert budget.spent.seconds > 0


def test_a_budget_of_tokens_counts_what_was_spent_and_reserves_what_may_be() -> None:
    budget = Budget(tokens=400)
    speaker = scripted(Count("five words are spoken here"), budget=budget)

    async def until_stopped() -> int:
        for i in range(1000):
            try:
                await speaker.generate("Do it", max_tokens=100)
            except BudgetExhausted:
                return i
        return -1

    made = asyncio.run(until_stopped())
    assert budget.spent.tokens == made * 7  # 2 words read, 5 written
    assert budget.spent.tokens <= 400 < budget.spent.tokens + 7 + 100 + 40
    with pytest.raises(BudgetExhausted, match="budget of 50 tokens does not allow the next call"):
        asyncio.run(scripted(Count("x"), budget=Budget(tokens=50)).generate("Do", max_tokens=100))


def test_a_budget_of_money_needs_prices_and_keeps_to_them() -> None:
    budget = Budget(money=0.01)
    count = Count("one two three four")
    speaker = scripted(count, budget=budget, prices=Prices(100.0, 500.0))
    reply = asyncio.run(speaker.generate("Do it", max_tokens=10))
    assert reply.cost == pytest.approx((2 * 100 + 4 * 500) / 1e6)
    assert budget.spent.money == pytest.approx(reply.cost)
    with pytest.raises(BudgetExhausted, match="money"):
        for _ in range(10):
            asyncio.run(speaker.generate("Do it", max_tokens=10))
    assert budget.spent.money <= 0.01

    paid = scripted(count, budget=Budget(money=1.0))
    paid.backend.paid = True
    with pytest.raises(ConfigError, match="price of the model is not known"):
        asyncio.run(paid.generate("Do"))


def test_a_budget_of_seconds_is_on_the_clock() -> None:
    budget = Budget(seconds=0.05)
    speaker = scripted(Count("x", delay=0.06), budget=budget)
    asyncio.run(speaker.generate("Do"))
    with pytest.raises(BudgetExhausted, match="seconds"):
        asyncio.run(speaker.generate("Do"))


def test_spending_limits_every_model_within_it() -> None:
    with spending(calls=3) as outer, spending(calls=2, tokens=10**6) as inner:
        for name in "xy":
            asyncio.run(scripted(Count("ok"), name=name).generate("Do"))
        with pytest.raises(BudgetExhausted):
            asyncio.run(scripted(Count("ok")).generate("Do"))
    assert (outer.spent.calls, inner.spent.calls) == (2, 2)
    assert (outer.reserved.calls, inner.reserved.calls) == (0, 0)
    asyncio.run(scripted(Count("ok")).generate("Do"))


def test_what_a_cache_or_record_answers_takes_nothing_from_a_budget() -> None:
    run, budget = Run(), Budget(calls=1)
    speaker = scripted(Count("ok"), cache=Cache(), budget=budget)
    with use(run.session):
        for agent in ("ann", "bob"):
            asyncio.run(speaker.generate("Do", temperature=0, agent=agent))
    with use(run.resumed().session):
        asyncio.run(speaker.generate("Do", temperature=0, agent="ann"))
    assert budget.spent.calls == 1


def test_faulty_attempts_count_as_one_call_and_their_tokens_as_spent() -> None:
    budget = Budget(calls=1, tokens=10**6)
    speaker = scripted(Count("four words of nonsense", HELLO), budget=budget)
    asyncio.run(speaker.generate("Do", space=VERBS))
    spent = budget.spent
    assert spent.calls == 1
    assert spent.tokens > 1 + 4 + 6


def test_before_the_first_paid_call_its_cost_is_estimated() -> None:
    def paid(**options):
        speaker = scripted(Count("ok"), name="dear", **options)
        speaker.backend.paid = True
        return speaker

    run = Run(expected=50)
    with use(run.session):
        dear = paid(prices=(1.0, 10.0))
        for _ in range(2):
            asyncio.run(dear.generate("x" * 300, max_tokens=100))
    assert len(run.said) == 1
    assert run.said[0].startswith("scripted:dear: about 50 calls, at most about 10")
    assert run.said[0].endswith("at most about 0.05555 money")
    unknown = Run()
    with use(unknown.session):
        asyncio.run(paid().generate("hello"))
    assert "unknown price" in unknown.said[0] and "number of calls unknown" in unknown.said[0]
    free = Run()
    with use(free.session):
        asyncio.run(scripted(Count("ok")).generate("hello"))
    assert free.said == []


def test_prices_are_read_from_the_users_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "prices.toml"
    path.write_text('["openai:small"]\ninput = 0.15\noutput = 0.6\n["openai:odd"]\ninput = "x"\noutput = 1\n')
    assert prices_of("openai:small") is None
    monkeypatch.setenv("ETHOGRAM_PRICES", str(path))
    assert prices_of("openai:small") == Prices(0.15, 0.6)
    assert prices_of("openai:other") is None
    with pytest.raises(ConfigError, match="openai:odd"):
        prices_of("openai:odd")
    monkeypatch.setenv("ETHOGRAM_PRICES", str(tmp_path / "none.toml"))
    with pytest.raises(ConfigError, match=r"none\.toml"):
        prices_of("openai:small")
