"""Running a coroutine from plain code, and being interrupted meanwhile."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
import warnings
from contextvars import ContextVar

import pytest

from ethogram.aio import run_coroutine


@pytest.fixture(autouse=True)
def interrupts():
    """Libraries that other tests of the process use may have installed a handler of their own."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


PLACE: ContextVar[str] = ContextVar("PLACE", default="nowhere")


async def doubled(number: int) -> int:
    await asyncio.sleep(0)
    if number < 0:
        raise ValueError("below zero")
    return 2 * number


async def where() -> str:
    return PLACE.get()


def test_result_and_error():
    assert run_coroutine(doubled(4)) == 8
    with pytest.raises(ValueError, match="below zero"):
        run_coroutine(doubled(-1))


def test_inside_a_running_loop():
    async def cell() -> tuple[int, str]:
        PLACE.set("in a cell")
        return run_coroutine(doubled(4)), run_coroutine(where())

    assert asyncio.run(cell()) == (8, "in a cell")

    async def failing() -> None:
        run_coroutine(doubled(-1))

    with pytest.raises(ValueError, match="below zero"):
        asyncio.run(failing())


def interrupt_at(monkeypatch, owner: object, name: str) -> None:
    """Let an interrupt come just before a part of asyncio is called."""
    real = getattr(owner, name)

    def interrupted(*arguments):
        signal.raise_signal(signal.SIGINT)
        return real(*arguments)

    monkeypatch.setattr(owner, name, interrupted)


@pytest.mark.parametrize(
    ("owner", "name"),
    [(signal, "getsignal"), (asyncio.events, "new_event_loop"), (asyncio.BaseEventLoop, "shutdown_asyncgens")],
)
def test_interrupted_outside_the_coroutine(monkeypatch, owner, name):
    interrupt_at(monkeypatch, owner, name)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with pytest.raises(KeyboardInterrupt):
            run_coroutine(doubled(4))
    monkeypatch.undo()
    assert not said and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupted_inside_the_coroutine():
    done = []

    async def long(number: int) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            done.append(number)

    with pytest.raises(KeyboardInterrupt):
        run_coroutine(long(1))
    assert done == [1]


def test_a_second_interrupt_does_not_wait():
    async def deaf() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("not reached")

    with pytest.raises(KeyboardInterrupt):
        run_coroutine(deaf())


def test_a_cancellation_of_its_own_is_not_an_interrupt():
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run_coroutine(cancelled())


NOTEBOOK = """
import asyncio
from ethogram.aio import run_coroutine

async def long():
    print("begun", flush=True)
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.2)
        print("tidied up", flush=True)

async def cell():
    try:
        run_coroutine(long())
    except KeyboardInterrupt:
        print("interrupted", flush=True)

loop = asyncio.new_event_loop()  # without asyncio.run's own handling of interrupts, as in a notebook's kernel
loop.run_until_complete(cell())
loop.close()
"""


def test_interrupted_in_a_notebook():
    process = subprocess.Popen([sys.executable, "-c", NOTEBOOK], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "begun\n"
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    said, complaints = process.communicate(timeout=30)
    assert (said, complaints, process.returncode) == ("tidied up\ninterrupted\n", "", 0)
    assert time.monotonic() - begun < 20
