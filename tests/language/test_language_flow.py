"""How many requests are in flight: the gate alone, in an event loop."""

import asyncio

import pytest

from ethogram.language.flow import CUT, FIRST, LEAST, Gate


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def enter(gate: Gate, n: int) -> list[asyncio.Task]:
    tasks = [asyncio.ensure_future(gate.enter()) for _ in range(n)]
    await settle()
    return tasks


def test_it_begins_low_and_doubles_while_calls_wait() -> None:
    async def scene() -> None:
        gate = Gate(1000)
        assert gate.limit == FIRST
        tasks = await enter(gate, 2000)
        seen = {gate.in_flight}
        while gate.in_flight < 1000:
            await asyncio.sleep(0.005)
            seen.add(gate.in_flight)
        assert seen <= {FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST, 1000} and len(seen) > 1
        for task in tasks:
            task.cancel()

    asyncio.run(scene())


def test_requests_in_flight_together_cut_once_and_end_the_doubling() -> None:
    async def scene() -> None:
        gate = Gate(1000)
        tasks = await enter(gate, FIRST)
        await enter(gate, 500)
        gate.leave(tasks[0].result(), served=False, overload=True)
        assert (gate.limit, gate.cuts) == (FIRST * CUT, 1)
        for _ in range(19):
            gate.leave(0, served=False, overload=True)
        assert (gate.limit, gate.cuts) == (FIRST * CUT, 1)
        for _ in range(FIRST - 30):  # now more are refused than that cut away: so many were too many
            gate.leave(0, served=False, overload=True)
        assert gate.limit == 10
        await asyncio.sleep(0.1)
        assert gate.limit == 10 and gate.in_flight == 10
        gate.leave(1, served=True, overload=False)
        assert gate.limit == pytest.approx(10 + 4 / 10 + 0.05)
        gate.leave(1, served=False, overload=True)
        assert gate.limit == pytest.approx(10 * CUT)
        for _ in range(30):
            gate.leave(gate.cuts, served=False, overload=True)
            gate.in_flight += 1
        assert gate.limit == LEAST

    asyncio.run(scene())


def test_faults_of_other_kinds_do_not_cut() -> None:
    async def scene() -> None:
        gate = Gate(100)
        await enter(gate, FIRST)
        for _ in range(FIRST):
            gate.leave(0, served=False, overload=False)
        assert (gate.limit, gate.cuts, gate.in_flight) == (FIRST, 0, 0)

    asyncio.run(scene())


@pytest.mark.parametrize("late", [False, True])
def test_a_cancelled_call_gives_its_place_back(late: bool) -> None:
    async def scene() -> None:
        gate = Gate(1)
        await gate.enter()
        waiting = await enter(gate, 2)
        if late:
            gate.leave(0, served=True, overload=False)  # lets the first in, which is cancelled before it can notice
            waiting[0].cancel()
        else:
            waiting[0].cancel()
            await settle()
            gate.leave(0, served=True, overload=False)
        await settle()
        assert waiting[0].cancelled() and waiting[1].done() and not waiting[1].cancelled()
        assert gate.in_flight == 1

    asyncio.run(scene())
